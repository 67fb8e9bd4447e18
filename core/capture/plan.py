"""In which frames and statements calls stand, and what each result is called.

A result is called by what its line assigns, `h`; by what the caller's line assigns,
where it is returned; or it is a numbered part of such a line, `h._1`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .places import Active, Spot, Texts, chain, is_inline, short_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import CodeType

    from .places import Place
    from .record import Call, FrontEnd


class Level(NamedTuple):
    """One of the user's frames on the way to a call."""

    active: Active  # the call of the user's function
    code: CodeType  # its own, or that of a comprehension in it
    at: int  # in that code
    spot: Spot  # what stands there
    inner: Active | None  # what is called there, hidden or not; None for the call
    path: str  # of the innermost module of the framework that is called there; or ""


@dataclass(slots=True, eq=False)
class FrameOf:
    """A frame that will be one of the graph."""

    level: Level  # as it was when it was opened
    prefix: str  # of the names in it: "blocks.0."
    name: str  # "blocks.0"
    parent: StatementOf | None  # the statement of the call; None for frame 0
    call: Spot | None  # the call itself; None for frame 0
    depth: int  # how many calls it is inside
    # the call that makes the latest value of each name that its lines assign
    assigned: dict[str, Call] = field(default_factory=dict[str, "Call"])
    last: Call | None = None  # the last call in it
    result: Call | None = None  # the one whose result it returns, if it is known
    number: int = -1  # in the graph; −1 before it is made
    first: int = 0  # the number of its first node


@dataclass(slots=True, eq=False)
class StatementOf:
    """A statement, once for each time that it is run."""

    frame: FrameOf  # that it runs in
    spot: Spot  # where it stands
    names: dict[str, str] = field(default_factory=dict[str, str])  # by what is assigned
    last: dict[str, Call] = field(
        default_factory=dict[str, "Call"]
    )  # the one that assigns it
    number: int = -1  # in the graph; −1 before it is made
    first: int = 0  # the number of its first node


class Named(NamedTuple):
    """What the results of a call are called."""

    statement: StatementOf  # the one that assigns them
    keys: tuple[str, ...]  # what it assigns, one for each result or one for all
    is_root: bool  # whether they are assigned themselves, and are no part of it

    def names(self, call: Call) -> tuple[list[str], bool]:
        """Return the names, and whether they are those of the results themselves."""
        root = self.is_root and all(self.statement.last[k] is call for k in self.keys)
        return [self.statement.names[key] for key in self.keys], root


class Step(NamedTuple):
    """One thing to do while the graph is made."""

    opens: FrameOf | StatementOf | None = None  # begins
    closes: FrameOf | StatementOf | None = None  # is over
    call: Call | None = None  # is lowered to nodes
    at: Level | None = None  # where the call stands
    named: Named | None = None  # what its results are called
    alias: str = ""  # another name of what the call has made before


class Names:
    """Names that are given once: `h`, then `h@2`."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        """Begin with some that are taken."""
        self._taken = set(taken)
        self._last: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """Return the name, with a count where it is taken."""
        found = name
        while found in self._taken:
            number = self._last[name] = self._last.get(name, 1) + 1
            found = f"{name}@{number}"
        self._taken.add(found)
        return found


class Plan:
    """The frames and statements of a run, in order."""

    def __init__(self, front: FrontEnd, names: Names, folder: Path) -> None:
        """Take who knows the framework, and where the user's files are."""
        self._front, self._names, self._folder = front, names, folder
        self._frames = Names()
        self._open: list[tuple[FrameOf, StatementOf, Level]] = []
        self._files: dict[str, str] = {}
        self.texts = Texts()
        self.steps: list[Step] = []

    def file(self, level: Level) -> str:
        """Return what the file of a frame is called."""
        path = level.code.co_filename
        if path not in self._files:
            name = short_name(path, self._folder)
            taken = Names(self._files.values())
            self._files[path] = taken.unique(name)
        return self._files[path]

    @property
    def files(self) -> dict[str, str]:
        """The paths of the files by what they are called."""
        return {name: path for path, name in self._files.items()}

    # ------------------------------------------------------------------------- places

    def levels(self, place: Place) -> list[Level]:
        """Return the user's frames on the way to a place, the outermost first."""
        found: list[Level] = []
        places = chain(place)
        inner: list[Active | None] = [*(one.active for one in places[1:]), None]
        for one, following in zip(places, inner, strict=True):
            active, code = one.active, one.active.code
            owner = active.owner
            inside = found and found[-1].code.co_filename == code.co_filename
            if is_inline(code) and inside:
                spot = self.texts.spot(code, one.at)
                found[-1] = found[-1]._replace(code=code, at=one.at, spot=spot)
                continue
            if self._front.hides(code.co_filename):
                if owner is None or not found:
                    continue
                path = self._front.title(owner.thing) or ""
                found[-1] = found[-1]._replace(path=path)
                if not owner.is_container:
                    continue
            spot = self.texts.spot(code, one.at)
            found.append(Level(active, code, one.at, spot, following, ""))
        return found

    def plan(self, calls: Sequence[Call], end: Place) -> None:
        """Lay out all calls, from the innermost frame on that holds them all."""
        ways = [self.levels(call.place) for call in calls]
        shared = _shared([*ways, self.levels(end)])
        for call, way in zip(calls, ways, strict=True):
            self._enter(way[shared:])
            named = self._named(call)
            for frame, _, _ in self._open:
                frame.last = call
            self.steps.append(Step(call=call, at=self._open[-1][2], named=named))
        self._close(0)

    def _enter(self, way: list[Level]) -> None:
        """Open the frames and statements of a way, and close those that are over."""
        depth = 0
        while depth < min(len(self._open), len(way)):
            frame, statement, old = self._open[depth]
            new = way[depth]
            if old.active is not new.active:
                break
            if new.inner is not old.inner:
                self._close(depth + 1)
            if _is_over(old, new):
                self._close(depth + 1)
                self.steps.append(Step(closes=statement))
                statement = self._begun(frame, new.spot)
            self._open[depth] = (frame, statement, new)
            depth += 1
        self._close(depth)
        for level in way[depth:]:
            frame = self._frame(level)
            self.steps.append(Step(opens=frame))
            self._open.append((frame, self._begun(frame, level.spot), level))

    def _begun(self, frame: FrameOf, spot: Spot) -> StatementOf:
        statement = StatementOf(frame, spot)
        self.steps.append(Step(opens=statement))
        return statement

    def _close(self, depth: int) -> None:
        while len(self._open) > depth:
            frame, statement, level = self._open.pop()
            self.steps += [Step(closes=statement), Step(closes=frame)]
            if self._open:
                self._hand_on(self._result(frame, level))

    def _result(self, frame: FrameOf, level: Level) -> Call | None:
        """Return the call whose result a frame that is over returns."""
        if self._front.hides(level.code.co_filename):
            return frame.last
        name = self.texts.returned(level.code)
        return frame.assigned.get(name) if name else frame.result

    def _hand_on(self, result: Call | None) -> None:
        """Call what a function has returned by the name that its caller gives it."""
        frame, statement, level = self._open[-1]
        spot = level.spot
        if result is None or not spot.is_root or len(result.outputs) != 1:
            return
        if spot.returns and spot.item is None:
            frame.result = result
        elif len(spot.targets) == 1 and spot.targets[0] not in statement.last:
            (key,) = spot.targets
            # Parts of the line may be called by it already: h@2._1.
            name = statement.names.get(key) or self._names.unique(frame.prefix + key)
            statement.names[key] = name
            frame.assigned[key] = result
            self.steps.append(Step(call=result, alias=name))

    def _frame(self, level: Level) -> FrameOf:
        if not self._open:
            return FrameOf(level, "", "", None, None, 0)
        outer, statement, above = self._open[-1]
        title = self._title(level)
        if title is None:
            owner = level.active.owner
            word = level.code.co_name.strip("<>")
            if owner is not None:
                word = getattr(owner.thing, "__name__", type(owner.thing).__name__)
            title = outer.prefix + word
        name = self._frames.unique(title or type(level.active.owner.thing).__name__)
        prefix = f"{name}." if title else ""  # of all of the model: nothing
        return FrameOf(level, prefix, name, statement, above.spot, outer.depth + 1)

    def _title(self, level: Level) -> str | None:
        """Return the path of the module that a frame is of; None of another frame."""
        owner = level.active.owner
        if owner is None or owner.rule:
            return None
        return self._front.title(owner.thing)

    # -------------------------------------------------------------------------- names

    def _named(self, call: Call) -> Named:
        """Return what the results of the innermost call are called."""
        depth, title, item = self._assigning()
        statement, level = self._open[depth][1:]
        spot, many = level.spot, len(call.outputs)
        if call.called:
            keys, root = (call.called,), True
        elif title:
            keys, root = (title,), many == 1
        elif item is not None and spot.is_root and item < len(spot.targets):
            keys, root = spot.targets[item : item + 1], many == 1
        elif spot.is_root and len(spot.targets) == many:
            keys, root = spot.targets, True
        else:
            keys, root = (spot.targets or (self._word(depth),))[:1], False
            root = spot.is_root and not spot.targets and many == 1
        for key in keys:
            if key not in statement.names:
                full = key if title else statement.frame.prefix + key
                statement.names[key] = self._names.unique(full)
            if root:
                statement.last[key] = statement.frame.assigned[key] = call
        return Named(statement, keys, root)

    def _assigning(self) -> tuple[int, str, int | None]:
        """Return the depth of the frame whose statement assigns, or the module.

        The last one is which of the values that are returned there it is.
        """
        depth, item = len(self._open) - 1, None
        while True:
            level = self._open[depth][2]
            if self._front.hides(level.code.co_filename) and level.path:
                return depth, level.path, None
            if not (level.spot.returns and depth):
                return depth, "", item
            owner = level.active.owner
            above = self._open[depth - 1][2]
            if owner is not None and self._front.hides(above.code.co_filename):
                return depth - 1, self._front.title(owner.thing) or "", None
            if not level.spot.is_root:
                return self._outward(depth), "", None
            item = level.spot.item if level.spot.item is not None else item
            depth -= 1

    def _outward(self, depth: int) -> int:
        while depth and self._open[depth][2].spot.returns:
            depth -= 1
        return depth

    def _word(self, depth: int) -> str:
        """Return a name for what no statement assigns."""
        level = self._open[depth][2]
        return "result" if level.spot.returns else f"line{level.spot.first}"


def _shared(ways: list[list[Level]]) -> int:
    """Return the place of the innermost frame that all ways go through."""
    shared = min((len(way) for way in ways), default=1) - 1
    first = ways[0]
    for way in ways[1:]:
        same = 0
        while same <= shared and way[same].active is first[same].active:
            same += 1
        shared = min(shared, max(same - 1, 0))
    return max(shared, 0)


def _is_over(old: Level, new: Level) -> bool:
    """Tell whether another statement runs now, or the same one once more."""
    if old.spot[3:5] != new.spot[3:5]:
        return True
    if is_inline(new.code) or old.code is not new.code:
        return False
    if new.at == old.at:
        return new.inner is None or new.inner is not old.inner
    return new.at < old.at

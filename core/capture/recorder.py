"""What a framework did, told call by call, becomes a capture."""

from __future__ import annotations

import platform
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..base.errors import InputError
from ..base.text import clean
from ..engine.backward import frozen
from ..engine.graph import Frame, Site, Source, Statement
from ..engine.subject import Subject
from ..program.prelude import PRELUDE
from ..program.statements import PENDING_FRAME, PENDING_STATEMENT
from ..program.static import Ref
from .capture import About, Capture
from .lowering import Lowering, Unspelled
from .opaque import opaque
from .places import whole_path
from .plan import FrameOf, Level, Named, Names, Plan, StatementOf
from .record import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ..ops.table import Array, Value
    from .places import Place, Spot
    from .record import Call, FrontEnd, Wanted


class Ending(NamedTuple):
    """How the recorded pass began backwards."""

    output: Tensor  # what is differentiated
    seed: Array | None  # the gradient that enters there; None is 1
    place: Place  # where the user called it
    notes: tuple[str, ...] = ()  # what a reader must know


def finish(
    front: FrontEnd, calls: Sequence[Call], ending: Ending, wanted: Wanted
) -> Capture:
    """Return what was recorded, from the calls in the order in which they ran.

    Raises `InputError` where it cannot be told whole.
    """
    kept = _kept(front, [*_of_reals(calls)], ending.output)
    leaves = _leaves(kept, ending.output)
    names = Names()
    plan = Plan(front, names, wanted.folder)
    known = {
        id(one): names.unique(_leaf_name(front, plan, one)) for one in _in_turn(leaves)
    }
    _check_history(leaves, known, plan, wanted)
    plan.plan(kept, ending.place)
    making = _Making(front, wanted, plan)
    for one in leaves:
        making.leaf(one, known[id(one)])
    making.run()
    return making.capture(ending, leaves, kept)


def _of_reals(calls: Sequence[Call]) -> Iterator[Call]:
    """Yield the calls as if there were no complex numbers, which have no rules here.

    What comes back from these to real ones is a call of all real ones that went in.
    """
    sources: dict[int, tuple[Tensor, ...]] = {}  # of complex tensors, by identity
    for call in calls:
        if any("complex" in one.dtype for one in (*call.inputs, *call.outputs)):
            parts = [
                sources.get(id(one), ()) if "complex" in one.dtype else (one,)
                for one in call.inputs
            ]
            reals = {id(one): one for part in parts for one in part}
            call.inputs = tuple(reals.values())
            sources |= {id(one): call.inputs for one in call.outputs}
            call.outputs = tuple(n for n in call.outputs if "complex" not in n.dtype)
            call.name, call.key = f"complex {call.name}", ""
        if call.outputs:
            yield call


def _kept(front: FrontEnd, calls: Sequence[Call], output: Tensor) -> list[Call]:
    """Return the calls that lead to the output, as far as anything depends on them.

    What depends on no parameter, or on what one was before an update, is a leaf with
    the numbers that it had.
    """
    depends: set[int] = set()
    for call in calls:
        is_followed = any(
            (one.flows and not one.is_past) or id(one) in depends for one in call.inputs
        )
        for one in call.outputs:
            whole = not one.is_float and one.dtype != "bool"
            blind = not one.flows and front.spell(call) is None
            if (is_followed or one.flows) and not whole and not blind:
                depends.add(id(one))
            else:
                one.place, one.made, one.call = call.place, call.key, None
    needed, kept = {id(output)}, list[Any]()
    for call in reversed(calls):
        if any(id(one) in needed and one.call is call for one in call.outputs):
            kept.append(call)
            needed.update(id(one) for one in call.inputs)
    return kept[::-1]


def _leaves(calls: Sequence[Call], output: Tensor) -> list[Tensor]:
    """Return the tensors that no call has made, in the order of their use."""
    used = [*(one for call in calls for one in call.inputs), output]
    return list({id(one): one for one in used if one.call is None}.values())


def _in_turn(leaves: Sequence[Tensor]) -> list[Tensor]:
    """Return parameters first: they are called as they are, whatever else is so."""
    return sorted(leaves, key=lambda one: one.kind != "parameter")


def _leaf_name(front: FrontEnd, plan: Plan, leaf: Tensor) -> str:
    if name := front.leaf_name(leaf):
        return clean(name)
    if leaf.place and not front.hides(leaf.place.active.code.co_filename):
        levels = plan.levels(leaf.place)
        spot = levels[-1].spot if levels else None
        if spot is not None and spot.is_root and len(spot.targets) == 1:
            return spot.targets[0]
    return clean(leaf.made) or ("input" if leaf.is_float else "index")


def _check_history(
    leaves: Sequence[Tensor], names: Mapping[int, str], plan: Plan, wanted: Wanted
) -> None:
    """Refuse a tensor that a gradient flows on from, to nobody knows where."""
    for one in leaves:
        if one.is_strange and not wanted.takes_strange:
            levels = plan.levels(one.place) if one.place else []
            where = (
                f" ({plan.file(levels[-1])}:{levels[-1].spot.line})" if levels else ""
            )
            origin = one.origin or _SOMEWHERE
            raise InputError(
                f"{names[id(one)]}{where} has a history that nobody recorded: it was "
                f"made {origin}",
                "--opaque takes it as it is: no gradient flows on from it",
            )


_SOMEWHERE: Final = (
    "in another thread, or inside of a scripted or compiled module, of torch.func, or "
    "of a kernel of its own"
)


class _Making:
    """A graph in the making: what the steps of a plan become."""

    def __init__(self, front: FrontEnd, wanted: Wanted, plan: Plan) -> None:
        self.front, self.wanted, self.plan = front, wanted, plan
        self.lowering = Lowering(_kind_of(plan))
        self.nodes: dict[int, int] = {}  # by the identity of tensors
        self.values: dict[int, Value] = {}
        self.custom: dict[int, str] = {}
        self.lines: dict[str, set[int]] = {}  # that something stands on, by file
        self.unknown: dict[str, str] = {}  # opaque operations, and where
        self._open: list[FrameOf | StatementOf] = []

    def leaf(self, tensor: Tensor, name: str) -> None:
        """Add a leaf."""
        is_fixed = tensor.is_strange or not tensor.is_float
        kind = "constant" if is_fixed else tensor.kind
        array = _frozen(self.front.array(tensor))
        self.nodes[id(tensor)] = self.lowering.leaf(name, kind, array, None)

    def run(self) -> None:
        """Take all steps."""
        for step in self.plan.steps:
            if step.opens is not None:
                self._open.append(step.opens)
                self._begin(step.opens)
            elif step.closes is not None:
                self._open.pop()
                self._end(step.closes)
            elif step.alias and step.call is not None:
                node = self.nodes[id(step.call.outputs[0])]
                self.lowering.aliases.append((step.alias, node))
            elif step.call is not None and step.at is not None and step.named:
                self._call(step.call, step.at, step.named)

    @property
    def _innermost(self) -> tuple[FrameOf, StatementOf]:
        frame, statement = self._open[-2:]
        if not (isinstance(frame, FrameOf) and isinstance(statement, StatementOf)):
            raise TypeError("a call stands in a statement of a frame")
        return frame, statement

    def _begin(self, one: FrameOf | StatementOf) -> None:
        lowering = self.lowering
        one.first = len(lowering.builder.nodes)
        if isinstance(one, StatementOf):
            one.number = len(lowering.statements)
            lowering.statements.append(PENDING_STATEMENT)
            return
        one.number = len(lowering.frames)
        lowering.frames.append(PENDING_FRAME)
        owner = one.level.active.owner
        if owner is not None and owner.rule:
            self.custom[one.number] = owner.rule

    def _end(self, one: FrameOf | StatementOf) -> None:
        if isinstance(one, StatementOf):
            self._close_statement(one)
        else:
            self._close_frame(one)

    # ----------------------------------------------------------- frames, statements

    def _close_frame(self, one: FrameOf) -> None:
        parent = one.parent
        called = parent is not None and one.call is not None
        self.lowering.frames[one.number] = Frame(
            one.number,
            one.name,
            clean(one.level.code.co_qualname) if called else "",
            self.plan.file(one.level),
            parent.frame.number if parent else 0,
            one.depth,
            self._site(parent, one.call) if parent and one.call else None,
            one.first,
            len(self.lowering.builder.nodes),
        )

    def _close_statement(self, one: StatementOf) -> None:
        spot, frame = one.spot, one.frame
        targets = [one.names.get(t, frame.prefix + t) for t in spot.targets]
        file = self.plan.file(frame.level)
        self._stands(file, spot)
        self.lowering.statements[one.number] = Statement(
            one.number,
            frame.number,
            ", ".join(targets) or frame.name,
            spot.first,
            spot.statement if self.wanted.has_source else "",
            spot.note if self.wanted.has_source else "",
            one.first,
            len(self.lowering.builder.nodes),
        )

    def _site(self, statement: StatementOf, spot: Spot) -> Site:
        text = spot.text if self.wanted.has_source else ""
        self._stands(self.plan.file(statement.frame.level), spot)
        return Site(statement.number, spot.line, spot.column, text)

    def _stands(self, file: str, spot: Spot) -> None:
        lines = self.lines.setdefault(file, set())
        lines |= {spot.first, spot.line}

    # -------------------------------------------------------------------------- calls

    def _call(self, call: Call, level: Level, named: Named) -> None:
        """Add the nodes of a call."""
        frame, statement = self._innermost
        site = self._site(statement, level.spot)
        names, is_root = named.names(call)
        spelling = self.front.spell(call)
        where = (frame.number, frame.depth, statement.number)
        first = len(self.lowering.builder.nodes)
        if spelling is None:
            found = self._opaque(call, names, site, is_root)
        else:
            try:
                found = self.lowering.lower(
                    spelling.text,
                    {key: self._bound(one) for key, one in spelling.bound.items()},
                    names[0],
                    where,
                    site,
                    [one.shape for one in call.outputs],
                    is_root=is_root and len(names) == 1,
                )
            except Unspelled as why:
                found = self._opaque(call, names, site, is_root, f": {why}")
        for tensor, index in zip(call.outputs, found, strict=False):
            self.nodes[id(tensor)] = index
            if index >= first and self.lowering.builder.nodes[index].op is not None:
                self._value(tensor, index)
        if is_root:
            for name, index in zip(names, found, strict=False):
                self.lowering.name(index, name, first)

    def _value(self, tensor: Tensor, index: int) -> None:
        array = _frozen(self.front.array(tensor))
        self.values[index] = array
        rows = self.lowering.builder.nodes.rows
        op, operands = rows[index][3:5]
        if op is not None and op.stops and rows[operands[0]][3] is not None:
            self.values.setdefault(operands[0], array)  # the same, before it stops
        if array.dtype.kind in "biu":  # what an index may be made of
            self.lowering.known[index] = array

    def _bound(self, value: Any) -> Any:
        """Return what stands behind a name of a spelling."""
        if isinstance(value, Tensor):
            return Ref(self.nodes[id(value)])
        if type(value) in (tuple, list):
            return type(value)(self._bound(one) for one in value)
        return value

    def _opaque(
        self, call: Call, names: list[str], site: Site, is_root: bool, why: str = ""
    ) -> list[int]:
        """Add the results of an operation that has no rule here."""
        where = f"{self.plan.file(self._innermost[0].level)}:{site.line}"
        if self.wanted.is_strict:
            raise InputError(
                f"{call.name} ({where}) has no rule here{why}",
                "without --strict it is recorded as opaque: shown, not differentiated",
            )
        self.unknown.setdefault(call.name, where)
        return [
            self.lowering.opaque(
                opaque(call.name, len(call.inputs)),
                [self.nodes[id(given)] for given in call.inputs],
                self._part(names, number, is_root),
                site,
                one.shape,
            )
            for number, one in enumerate(call.outputs)
        ]

    def _part(self, names: list[str], number: int, is_root: bool) -> str:
        if is_root and number < len(names):
            return names[number]
        return self.lowering.part(names[0])

    # --------------------------------------------------------------------- the result

    def capture(
        self, ending: Ending, leaves: Sequence[Tensor], calls: Sequence[Call]
    ) -> Capture:
        """Return the capture of all that was made."""
        lowering, front = self.lowering, self.front
        tensors = [*leaves, *(one for call in calls for one in call.outputs)]
        own: dict[int, Value] = {}
        hooked: dict[int, str] = {}
        for one in tensors:
            index = self.nodes.get(id(one))
            if index is None:  # a second result that nothing was done with
                continue
            gradient = front.gradient(one)
            if gradient is not None:
                own.setdefault(index, _frozen(gradient))
            if words := front.hooked(one):
                hooked[index] = words
        self._fill()
        graph = lowering.builder.finish(
            self.nodes[id(ending.output)],
            lowering.frames,
            lowering.statements,
            dict(lowering.aliases),
            self._sources(),
        )
        subject = Subject(
            self.wanted.name,
            graph,
            MappingProxyType(lowering.leaves),
            ending.seed,
            dtype=lowering.dtype.__name__,
        )
        about = About(
            front.name,
            clean(self.wanted.command),
            self.wanted.step,
            platform.python_version(),
            (*ending.notes, *self._notes()),
        )
        return Capture(subject, self.values, own, about, self.custom, hooked)

    def _fill(self) -> None:
        """Compute what is no result of a call: the parts that one was written with."""
        leaves = self.lowering.leaves
        with np.errstate(all="ignore"):
            for (
                index,
                _,
                _,
                op,
                operands,
                attributes,
                _,
                _,
            ) in self.lowering.builder.nodes.rows:
                if op is not None and index not in self.values:
                    known = [
                        leaves[k] if k in leaves else self.values[k] for k in operands
                    ]
                    self.values[index] = frozen(op.forward(*known, **attributes))

    def _notes(self) -> Iterator[str]:
        for name, where in self.unknown.items():
            yield f"{name} ({where}) has no rule here: no gradient flows through it"

    def _sources(self) -> Mapping[str, Source]:
        """Return the texts of the files: all of the user's, lines of the others."""
        found: dict[str, Source] = {}
        for name, path in self.plan.files.items():
            lines = [one.rstrip("\r\n") for one in self.plan.texts.text(path).lines]
            wanted = self.lines.get(name, set())
            if not self.wanted.has_source:
                lines = [""] * max(wanted, default=0)
            elif not _is_inside(path, self.wanted.folder):
                numbered = enumerate(lines[: max(wanted, default=0)], 1)
                lines = [one if k in wanted else "" for k, one in numbered]
            found[name] = Source("\n".join(map(clean, lines)))
        if any(frame.source == "prelude" for frame in self.lowering.frames):
            text = "\n".join(map(clean, PRELUDE.split("\n")))
            found["prelude"] = Source(text, is_library=True)
        return found


def _kind_of(plan: Plan) -> type[np.floating[Any]]:
    """Return the kind of numbers that most of a run is made of."""
    calls = [step.call for step in plan.steps if step.call is not None]
    kinds = [one.dtype for call in calls for one in call.outputs if one.is_float]
    wide = kinds.count("float64")
    return np.float64 if 2 * wide > len(kinds) else np.float32


def _is_inside(path: str, folder: Path) -> bool:
    return (
        whole_path(path, folder).is_relative_to(folder) and "site-packages" not in path
    )


def _frozen(array: Array) -> Array:
    array.setflags(write=False)
    return array

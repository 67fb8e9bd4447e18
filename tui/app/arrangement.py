"""How a person has arranged the panes: remembered between sessions."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from platformdirs import user_state_path

from ...core.base.errors import InputError
from ...core.base.save import write
from ..panes.banner import Banner
from ..panes.base.offer import Offer
from ..panes.console import ConsolePane
from ..panes.graph.pane import GraphPane
from ..panes.program import ProgramPane
from ..panes.step.pane import StepPane

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from textual.screen import Screen

    from ...core.debugger.debugger import Debugger
    from ...core.engine.graph import Graph


def beside(name: str) -> str:
    """Return what a view is called that stands beside the step.

    >>> beside("nodes")
    'nodes-beside'
    """
    return f"{name}-beside"


MIDDLE: Final = 110  # columns from which on the program has a share of them
WIDE: Final = 160  # and from which on there are three columns of panes
# Views that stand beside the step in a wide window, and what they stand in.
BESIDE: Final[Mapping[str, str]] = MappingProxyType({"nodes": "main", "flow": "aside"})
_MOST_NODES: Final = 2000  # of more, nobody waits for a flow that was not asked for
HIDEABLE: Final = ("program", "graph", "why", "console", *map(beside, BESIDE))
_LEAST_LEFT, _LEAST_RIGHT = 16, 24  # columns
_LEFT_SHARE: Final = 0.26  # of a wide window
_MORE_LEFT: Final = 5  # one of so many columns more goes to the left besides
_PART_LEFT: Final = 4  # of the columns of a wide window, one in so many at least
_LANES: Final = 4  # columns of a graph beside the code of its statements, about
_ASIDE_SHARE: Final = 0.34  # of what stands right of these, for why
_MIDDLE_SHARE: Final = 0.38  # for the left of a window that is less wide
_WORDS: Final = 8  # lines that a step says beside its matrices, about
_BORDERS: Final = 2  # lines around a pane
_AROUND: Final = 4  # lines above and below the panes, where the console is closed
_SHARE: Final = 0.75  # of the lines, which the view has at most
_LEAST_BELOW: Final = 3  # lines of what stands below it, its border included
_FAIR_BELOW: Final = 5  # which words of a step are no reason to take
_HEAD: Final = 1  # line above the rows of a table
_PART_BELOW: Final = 6  # of the lines, one in so many at least
_PART_GRAPH: Final = 4  # of the lines beside the program, one in so many at least
_MOST_BYTES: Final = 10_000


class Arrangement(NamedTuple):
    """Widths and heights in cells, 0 where nothing was chosen; what is hidden."""

    left: int = 0  # columns of the panes at the left
    console: int = 0  # lines of the console
    hidden: tuple[str, ...] = ()  # names of panes, of `HIDEABLE`
    theme: str = ""  # the name of one; "" where none was chosen
    present: bool = False  # to a class: most of the screen for the step; for one time


def with_hidden(arrangement: Arrangement, name: str) -> Arrangement:
    """Return an arrangement with one more pane out of sight."""
    return arrangement._replace(hidden=(*arrangement.hidden, name))


def with_left(arrangement: Arrangement, left: int, width: int) -> Arrangement:
    """Return an arrangement with so many columns at the left, of a screen's width."""
    return arrangement._replace(left=max(min(left, width - _LEAST_RIGHT), _LEAST_LEFT))


def with_console(arrangement: Arrangement, lines: int, height: int) -> Arrangement:
    """Return an arrangement with so many lines of console, of a screen's height."""
    return arrangement._replace(console=max(min(lines, height // 2), 1))


def empty(graph: Graph) -> Iterator[str]:
    """Yield the panes that a graph needs no room for."""
    if not graph.own:
        yield "program"
    if len(graph) > _MOST_NODES:
        yield beside("flow")


def lay_out(
    screen: Screen[Any], arrangement: Arrangement, without: Iterable[str] = ()
) -> None:
    """Give the panes of a screen their places; those in `without` get none."""
    screen.set_class(arrangement.present, "presenting")
    gone = {*arrangement.hidden, *without}
    for pane in screen.query(", ".join(f"#{name}" for name in HIDEABLE)):
        if pane.id in gone:
            pane.styles.display = "none"
        else:
            pane.styles.clear_rule("display")  # a small window may hide it still
    screen.query_one(ConsolePane).give_lines(arrangement.console)


def give_columns(
    screen: Screen[Any], arrangement: Arrangement, debugger: Debugger
) -> None:
    """Give the panes at the left the columns that were chosen, or else their share."""
    left, aside = _columns(screen, arrangement, debugger)
    for name, columns in (("left", left), ("aside", aside)):
        styles = screen.query_one(f"#{name}").styles
        if columns:
            styles.width = columns
        else:
            styles.clear_rule("width")  # the style sheet says it


def _columns(
    screen: Screen[Any], arrangement: Arrangement, debugger: Debugger
) -> tuple[int, int]:
    """Return the columns at the left, and those of why; 0 where nothing is said.

    In a wide window the step has room for four matrices, and what comes on top goes to
    the panes beside it as well; what the program leaves of it goes to why. In one that
    is less wide it has what its code wants, where no step is cut for that.
    """
    width, chosen = screen.size.width, arrangement.left
    if arrangement.present or width < MIDDLE:
        return (0 if arrangement.present else chosen), 0
    wanted = ProgramPane.columns_wanted(debugger.graph)
    wanted += _BORDERS * bool(wanted)
    if width >= WIDE:
        share = int(width * _LEFT_SHARE) + (width - WIDE) // _MORE_LEFT
        code = wanted + _LANES if wanted else share
        left = chosen or min(max(code, width // _PART_LEFT), share)
        return left, int((width - share) * _ASIDE_SHARE) + max(share - left, 0)
    left = min(wanted, width // 2)
    if chosen or left <= width * _MIDDLE_SHARE:
        return chosen, 0
    lines = StepPane.lines_needed(debugger, width - left - _BORDERS)
    # Whatever a banner takes of it: no border at the side moves with one.
    room = int((screen.size.height - _AROUND) * _SHARE) - _BORDERS
    return (left if lines + _WORDS <= room else 0), 0


def _body(screen: Screen[Any]) -> int:
    """Return how many lines the panes have between timeline and console."""
    return screen.size.height - _AROUND - screen.query_one(Banner).height


def give_lines(screen: Screen[Any], debugger: Debugger) -> None:
    """Give the panes the lines that they need, as far as they are there."""
    if screen.has_class("presenting"):  # to a class the view has all that is left
        for name in ("main", "view", "program", "graph"):
            screen.query_one(f"#{name}").styles.clear_rule("height")
        screen.query_one(StepPane).offer(None)
        screen.query_one(GraphPane).offer(None)
        return
    body = _body(screen)
    wanted = StepPane.lines_wanted(debugger, screen.size.width)
    _give_view(screen, body, wanted, debugger)
    _give_graph(screen, body - 2 * _BORDERS, debugger.graph)


def _give_view(screen: Screen[Any], body: int, wanted: int, debugger: Debugger) -> None:
    """Give the view what it wants; what stands below it has its share.

    It gives of that where a step would be cut, or words that it could do without, but
    no lines then that the table of nodes has a use for.
    """
    styles = [screen.query_one(f"#{name}").styles for name in ("main", "view")]

    def give(lines: int) -> None:
        for one in styles:
            one.height = lines + _BORDERS

    few = min(wanted, int(body * _SHARE) - _BORDERS)
    least = max(_LEAST_BELOW, body // _PART_BELOW)
    most = max(body - least - _BORDERS, few)
    if screen.size.width < WIDE:
        fair = body - max(least, _FAIR_BELOW) - _BORDERS
    else:  # below it stand the nodes, which may be few
        fair, rows = most, len(debugger.graph) + _HEAD + _BORDERS
        few = min(few, max(body - rows - _BORDERS, least))
    offer = Offer(lambda _: few, lambda _: most, give, fair)
    screen.query_one(StepPane).offer(offer)


def _give_graph(screen: Screen[Any], lines: int, graph: Graph) -> None:
    """Give the graph half of some lines; what it can use of those below the program.

    Of a long program it leaves lines to it that it cannot use itself.
    """
    styles = [screen.query_one(f"#{name}").styles for name in ("program", "graph")]

    def give(given: int) -> None:
        for one, share in zip(styles, (lines - given, given), strict=True):
            one.height = f"{share + _BORDERS}fr"

    half, least = lines // 2, lines // _PART_GRAPH

    def beside(width: int, few: int) -> int:  # both are as wide
        return lines - ProgramPane.lines_wanted(graph, width, lines - few)

    def few(width: int) -> int:
        return min(max(beside(width, least), least), half) if width else half

    def most(width: int) -> int:
        return max(beside(width, half), half)

    screen.query_one(GraphPane).offer(Offer(few, most, give))


def _path() -> Path:
    """Return the file, where the system keeps what a program remembers."""
    return user_state_path("gradstep", appauthor=False) / "arrangement.json"


def load_arrangement() -> Arrangement:
    """Return the remembered arrangement; the plain one where there is none to read."""
    try:
        with _path().open(encoding="utf-8") as file:
            found: Any = json.loads(file.read(_MOST_BYTES))
        return Arrangement(
            min(max(int(found["left"]), 0), 400),
            min(max(int(found["console"]), 0), 100),
            tuple(name for name in HIDEABLE if name in found["hidden"]),
            str(found["theme"])[:50],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Arrangement()


def save_arrangement(arrangement: Arrangement) -> None:
    """Remember an arrangement. Where that cannot be done, it holds for this session."""
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, json.dumps(arrangement._asdict()), overwrite=True)
    except (OSError, InputError):
        return

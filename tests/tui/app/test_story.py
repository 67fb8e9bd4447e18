"""Walking through a pass, each part of each step is on the screen, and in its place."""

from __future__ import annotations

import asyncio
import math
import re
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, cast

import pytest

from driving import main_screen, painted, press, settle
from gradstep.core.engine.trace import Contribution
from gradstep.core.explain.gradients import Part, part_of
from gradstep.core.scenario.scenario import builtin_names, load
from gradstep.core.session.notes import notes_in_time
from gradstep.core.words.formulas import Wording
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.cli.fitting import remarks
from gradstep.tui.draw.look import Look
from gradstep.tui.draw.stage import Stage, notes, pass_of
from gradstep.tui.panes.base.pane import Pane
from gradstep.tui.panes.graph.pane import GraphPane
from gradstep.tui.panes.program import ProgramPane, present_line
from gradstep.tui.panes.step import words
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.tables.nodes import NodesPane
from gradstep.tui.panes.tables.notes import NotesPane
from gradstep.tui.panes.why import WhyPane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from textual.screen import Screen

    from gradstep.tui.app.main_screen import MainScreen
    from gradstep.tui.panes.base.pane import Line
    from gradstep.tui.panes.step.places import Tile

NUMBER = re.compile(r"-?\d[\d.]*(?:e-?\d+)?|-?∞|-?inf|nan|NaN|NN", re.IGNORECASE)
SHORTEST = 20  # characters of a note that is cut
FIRST_TERMS = 8  # rows of Why that the step gives lines to
FEW = 2  # blank lines of Why that its border keeps
CUT = " … 9"  # the end of a note that is cut, with the key that shows the whole


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


class Frame:
    """What the screen shows of a contribution."""

    def __init__(self, screen: MainScreen) -> None:
        self.screen = screen
        self.pane = screen.query_one(StepPane)
        region = self.pane.content_region
        lines = painted(cast("Screen[object]", screen))[region.y : region.bottom]
        self.lines = [line[region.x : region.right] for line in lines]
        self.text = " ".join(" ".join(self.lines).split())

    @property
    def event(self) -> Contribution | None:
        """The contribution that was made last."""
        debugger = self.screen.debugger
        event = debugger.trace.event(debugger.position - 1)
        return event if isinstance(event, Contribution) else None

    @property
    def tiles(self) -> dict[str, Tile]:
        """Where a matrix stands that has a role."""
        present = self.pane._moment
        assert present is not None
        return {
            present.facets[tile.number].role: tile
            for tile in self.pane._written().tiles
        }

    def numbers(self, *roles: str) -> list[str]:
        """Return the numbers that stand where the first of some matrices is."""
        tile = next((self.tiles[role] for role in roles if role in self.tiles), None)
        if tile is None:
            return []
        first = tile.y + 1 + tile.head
        left = tile.x + tile.gutter
        rows = self.lines[first : tile.y + tile.height]
        return NUMBER.findall(" ".join(row[left : tile.x + tile.width] for row in rows))

    def chosen(self) -> tuple[int, ...]:
        """Return the index of the element that was chosen."""
        pane = self.pane
        assert pane._moment is not None
        return pane._grids[pane._moment.made].cursor


def shows(text: str, value: float) -> bool:
    """Tell whether a text is a number rounded at its last digit."""
    text = text.replace("∞", "inf").replace("NN", "nan")
    shown = float(text)
    if not math.isfinite(value) or not math.isfinite(shown):
        return shown == value or (math.isnan(shown) and math.isnan(value))
    mantissa, _, exponent = text.lower().partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return abs(shown - value) <= 0.5001 * 10.0**-decimals


def missing(frame: Frame) -> Iterator[str]:
    """Yield what is not on the screen of upstream, local, contribution and sum."""
    event, trace = frame.event, frame.screen.debugger.trace
    if event is None:
        return
    number, index = frame.screen.debugger.position - 1, frame.chosen()
    part = part_of(trace, event.edge, number, index)
    factors = frame.numbers("upstream"), frame.numbers("local", "slopes")
    if len(part) and not any(holds(part, n, *factors) for n in range(len(part))):
        yield f"upstream × local in {factors}"
    breakdown = trace.breakdown(event.consumer, event.argument)
    if not any(shows(one, part.stored) for one in frame.numbers("contribution")):
        yield f"contribution {part.stored} in {frame.numbers('contribution')}"
    before = 0.0 if breakdown.before is None else float(breakdown.before[index])
    if not has_sum(frame, before, float(breakdown.after[index])):
        yield f"{before} → {breakdown.after[index]}"
    for role in ("upstream", "local", "slopes", "contribution"):
        tile = frame.tiles.get(role)
        word = "local" if role == "slopes" else role
        if tile and not frame.lines[tile.y][tile.x + 1 :].startswith(word):
            yield f"title {role}"
    done, of = breakdown.uses
    if not re.search(rf"\baccumulated\b.*\b{done}(?: of |/){of}\b", frame.text):
        yield f"use {done} of {of}"


def holds(
    part: Part, number: int, upstream: Sequence[str], local: Sequence[str]
) -> bool:
    """Tell whether both factors of one of the terms are among numbers."""
    term = part.term(number)
    return any(shows(one, term.upstream) for one in upstream) and any(
        shows(one, term.local) for one in local
    )


def has_sum(frame: Frame, before: float, after: float) -> bool:
    """Tell whether the sum before and after is there, as matrices or as a line."""
    lines = re.findall(rf"({NUMBER.pattern}) → ({NUMBER.pattern})", frame.text)
    places = [(frame.numbers("before"), frame.numbers("after"))]
    places += [([one], [two]) for one, two in lines]
    return any(
        any(shows(one, before) for one in start)
        and any(shows(one, after) for one in end)
        for start, end in places
    )


def unsaid(frame: Frame) -> Iterator[str]:
    """Yield the author's notes that are not on the screen."""
    debugger = frame.screen.debugger
    stage = Stage(debugger.subject, debugger.trace, Look())
    for note in notes(stage, [debugger.position - 1]):
        if note in debugger.subject.notes.values():
            text = " ".join(note.split())
            if text not in frame.text:
                yield f"note {text}"


def is_cut(frame: Frame, note: str) -> bool:
    """Tell whether a note begins on the screen, with the key that shows the whole."""
    shown = frame.text.rpartition(CUT)[0]
    starts = (note[:end] for end in range(SHORTEST, len(note)))
    return any(map(shown.endswith, starts))


def cut_code(frame: Frame) -> Iterator[str]:
    """Yield the code of the step's line where it is cut for anything else."""
    pane = frame.screen.query_one(ProgramPane)
    debugger = frame.screen.debugger
    _, number = present_line(debugger.trace, debugger.position)
    if not number or not pane.display:
        return
    code = pane._lines[number - 1].partition("#")[0].rstrip()
    drawn = [pane.render_line(y).text for y in range(pane.size.height)]
    line, *below = [text for text in drawn if text.startswith("▶")]
    # Its comment may stand below the program, with the same number.
    assert len(below) <= 1
    assert all(text.split()[1] == str(number) for text in (line, *below))
    if code not in line and len(code) + len(f"▶ {number} ") < len(line):
        yield f"code {code} in {line}"


def cut_words(frame: Frame) -> Iterator[str]:
    """Yield what is cut of titles, of the formula, and of the chosen element."""
    pane, present = frame.pane, frame.pane._moment
    assert present is not None
    for tile in pane._written().tiles:
        if "…" in frame.lines[tile.y][tile.x : tile.x + tile.width]:
            yield f"title {frame.lines[tile.y]}"
    formulas = list(words.spellings(present))
    elements = words.element(present, frame.chosen())
    if all(facet.array.size == 1 for facet in present.facets):
        elements = ()  # the matrices say it
    for texts in (formulas, elements):
        spoken = [" ".join(text.split()) for text in texts]
        if any(spoken) and not any(text in frame.text for text in spoken):
            yield f"cut {spoken[-1]}"


def wasted(frame: Frame) -> Iterator[str]:
    """Yield lines that are blank while the pane that shares them goes on."""
    program = frame.screen.query_one(ProgramPane)
    graph = frame.screen.query_one(GraphPane)
    scene, room = graph._scene, graph.content_size.height
    blank = program.room.height - len(program._lines)
    if scene is not None and scene.height > room and blank > 0:
        yield f"{blank} lines below the program, and a graph of {scene.height}"
    spare = room - scene.height if scene is not None else 0
    if blank < 0 < spare and room > (room + program.room.height) // 4:
        yield f"{spare} lines below the graph, and {-blank} of the program not in sight"


def unnumbered(frame: Frame) -> Iterator[str]:
    """Yield lines of matrices whose columns have no numbers beside blank lines.

    Lines are no spare ones that the note of a step with the same shapes takes.
    """
    pane, present = frame.pane, frame.pane._moment
    assert present is not None
    tiles, lines = pane._written().tiles, reversed(frame.lines)
    bare = {tile.y for tile in tiles if tile.columns > 1 and not tile.head}
    blank = sum(1 for _ in takewhile(lambda line: not line.strip(), lines))
    spare = blank - pane._note_lines(present, pane.room.width)
    if bare and len(bare) <= spare:
        yield f"{len(bare)} lines of matrices without numbers, {spare} spare ones"


def unexplained_beside_blanks(frame: Frame) -> Iterator[str]:
    """Yield rows of Why that are not seen though the step above has blank lines."""
    why, step = frame.screen.query_one(WhyPane), frame.pane
    if step.region.bottom != why.region.y:
        return
    shown = "\n".join(painted(cast("Screen[object]", frame.screen))[step.region.y :])
    blank = not frame.lines[-1].strip()
    why._write(50)
    for row in why._rows[why._top + why.size.height :] if blank else ():
        yield f"{row.text} beside blank lines in {shown}"


def broken_terms(frame: Frame) -> Iterator[str]:
    """Yield terms of Why that go on in a second line where others are hidden."""
    why = frame.screen.query_one(WhyPane)
    rows = why._rows if len(why._rows) > why.size.height else []
    for row, following in pairwise(rows):
        is_term = row.kind == following.kind == "term"
        if is_term and row.leads is not None and following.leads is None:
            yield f"{row.text} / {following.text}"


def nameless_terms(frame: Frame) -> Iterator[str]:
    """Yield terms of Why that have no names, though most of its lines are blank."""
    why = frame.screen.query_one(WhyPane)
    for row in why._rows if 2 * len(why._rows) + FEW < why.size.height else ():
        if row.kind == "term" and re.search(r" (…|\[[\d, ]+\]) · ", row.text):
            yield row.text


def hidden_terms(frame: Frame) -> Iterator[str]:
    """Yield terms that are not seen beside a general reason."""
    why, step, present = frame.screen.query_one(WhyPane), frame.pane, frame.pane._moment
    assert present is not None
    if step.region.bottom != why.region.y:
        return
    below = why._top + why.size.height + why._lent
    why._write(FIRST_TERMS)
    hidden = [row.text for row in why._rows[below:FIRST_TERMS] if row.kind == "term"]
    less = present.told.reasons
    said = [text for text in less if " ".join(text.split())[:SHORTEST] in frame.text]
    if hidden and any(said):
        yield f"hidden {hidden} below {said}"


def cut_reasons(frame: Frame) -> Iterator[str]:
    """Yield general reasons that are cut above blank lines of Why."""
    why, present = frame.screen.query_one(WhyPane), frame.pane._moment
    assert present is not None
    if frame.pane.region.bottom != why.region.y:
        return
    blank = why.size.height - (len(why._rows) - why._top)
    for reason in present.told.reasons:
        text = " ".join(reason.split())
        if text[:SHORTEST] in frame.text and text not in frame.text and blank > FEW:
            yield f"{text} above {blank} blank lines"


MADE_UP = re.compile(r"(?<![\w.])[A-Za-z]\w*(?:\.\w+)*\._\d+")
SIGNS = str.maketrans("−∘·", "-**", " ")


def unexplained(frame: Frame) -> Iterator[str]:
    """Yield made-up names that stand in a pane without what they stand for.

    NumPy code has the names that are typed.
    """
    graph, present = frame.screen.debugger.graph, frame.pane._moment
    assert present is not None
    wording = Wording(graph, longest=1000)
    for pane in frame.screen.query(Pane):
        region = pane.region
        if not pane.display or not region.area or isinstance(pane, GraphPane):
            continue
        lines = painted(cast("Screen[object]", frame.screen))[region.y : region.bottom]
        text = "\n".join(line[region.x : region.right] for line in lines)
        said = re.sub(r"[│\s]+", " ", text).translate(SIGNS)
        for name in set(MADE_UP.findall(text)) & set(graph.names):
            node = graph.nodes[graph.names[name]]
            told = {node.wording.translate(SIGNS)}
            told.add(wording.node(node.index).translate(SIGNS))
            code = present.told.formula.statement
            if name in code and isinstance(pane, StepPane):
                continue
            # Beside its name in a column or at the end of a line it may be cut.
            told |= {f"{one[:size]}…" for one in told for size in range(5, len(one))}
            if not any(one and one in said for one in told):
                yield f"{name} in {type(pane).__name__}: {' '.join(text.split())}"


def leaves_lines(frame: Frame) -> bool:
    """Tell whether why has one line, though this step does not need all of its own."""
    why, lines = frame.screen.query_one(WhyPane), frame.pane._written().lines
    return why.room.height == 1 and not any(map(text_of, lines[-2:]))


def text_of(line: Line) -> str:
    """Return the text of a line of a pane."""
    return "".join(segment.text for segment in line).strip()


async def walked(
    name: str, size: tuple[int, int], look: Callable[[Frame], Iterator[str]]
) -> list[str]:
    """Step through a scenario, and return what is seen at its positions."""
    app = GradstepApp(load(name))
    app.animation_level = "none"
    found: list[str] = []
    async with app.run_test(size=size):
        await settle(app)
        screen = main_screen(app)
        while screen.debugger.position < len(screen.debugger.trace):
            press(app, "s")
            await settle(app)
            seen = look(Frame(screen))
            found += (f"{name} {screen.debugger.position}: {what}" for what in seen)
    return found


async def untold(name: str, size: tuple[int, int]) -> list[str]:
    """Go to each note that the step cuts, and return those that Notes cuts as well."""
    app = GradstepApp(load(name))
    app.animation_level = "none"
    found: list[str] = []
    async with app.run_test(size=size):
        await settle(app)
        screen = main_screen(app)
        debugger = screen.debugger
        for note in notes_in_time(debugger.subject, debugger.trace):
            screen.run_line(f"goto {note.position}")
            press(app, "1")
            await settle(app)
            if not list(unsaid(Frame(screen))):
                continue
            press(app, "9")
            await settle(app)
            pane = screen.query_one(NotesPane)
            lines = (pane.render_line(y).text for y in range(pane.size.height))
            said = " ".join(" ".join(lines).split())
            if " ".join(note.text.split()) not in said:
                found.append(f"{note.place}: {said}")
    return found


def places(frame: Frame) -> tuple[object, object]:
    """Return the shapes of a step with the side of its upstream, and its titles."""
    event, debugger = frame.event, frame.screen.debugger
    assert event is not None
    present = frame.pane._moment
    assert present is not None
    node = debugger.graph.nodes[event.consumer]
    is_product = node.op is not None and node.op.name == "matmul"
    side = event.argument if is_product else None
    shapes = [(facet.role, facet.array.shape) for facet in present.facets]
    return (side, *shapes), [(role, *tile[1:]) for role, tile in frame.tiles.items()]


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize(
    "size", [(200, 60), (120, 36), (80, 24)], ids="{0[0]}x{0[1]}".format
)
def test_the_story_of_each_step_is_on_the_screen_and_only_numbers_change(
    name: str, size: tuple[int, int]
) -> None:
    stood: dict[object, object] = {}  # the titles of the first step with some shapes
    around: dict[str, set[object]] = {}
    spare: dict[str, set[bool]] = {}
    columns: set[object] = set()  # where those of the table of nodes begin

    def look(frame: Frame) -> Iterator[str]:
        nonlocal columns
        debugger = frame.screen.debugger
        part = pass_of(debugger.trace, debugger.position - 1)
        regions = tuple(pane.region for pane in frame.screen.query(Pane))
        around.setdefault(part, set()).add(regions)
        columns |= {tuple(pane.spans()) for pane in frame.screen.query(NodesPane)}
        spare.setdefault(part, set()).add(leaves_lines(frame))
        yield from missing(frame)
        yield from unsaid(frame)
        yield from cut_code(frame)
        yield from cut_words(frame)
        yield from wasted(frame)
        yield from unexplained_beside_blanks(frame)
        yield from broken_terms(frame)
        yield from nameless_terms(frame)
        yield from hidden_terms(frame)
        yield from cut_reasons(frame)
        yield from unnumbered(frame)
        yield from unexplained(frame)
        if frame.event is not None:
            shapes, where = places(frame)
            if stood.setdefault(shapes, where) != where:
                yield f"{where} and not {stood[shapes]}"

    assert asyncio.run(walked(name, size, look)) == []
    assert stood
    # In a pass no border between two panes moves, and some step needs its lines.
    assert {len(regions) for regions in around.values()} == {1}
    assert all(False in seen for seen in spare.values())
    # Numbers that come move no column, but where 393660 stands below 1.414.
    assert len(columns) <= 1 + (name == "exploding")


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("hidden_layer", (120, 36)),
        ("last_layer", (120, 36)),
        ("nan_where", (120, 36)),
        ("three_layer", (200, 60)),
        ("matmul", (200, 60)),
    ],
)
def test_the_program_has_columns_for_its_code(name: str, size: tuple[int, int]) -> None:
    def look(frame: Frame) -> Iterator[str]:
        pane = frame.screen.query_one(ProgramPane)
        lines = zip(pane._lines, range(pane.room.height), strict=False)
        for line, y in lines if not pane.scrolled.y else ():
            code = line.partition("#")[0].rstrip()
            if code not in pane.render_line(y).text:
                yield f"{code} in {pane.render_line(y).text}"

    assert asyncio.run(walked(name, size, look)) == []


def test_why_has_the_columns_of_a_wide_window_that_short_code_leaves() -> None:
    widths: set[int] = set()

    def look(frame: Frame) -> Iterator[str]:
        widths.add(frame.screen.query_one(WhyPane).room.width)
        yield from ()

    for name in ("shared_node", "matmul"):
        asyncio.run(walked(name, (200, 60), look))
    assert len(widths) == 2


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids="{0[0]}x{0[1]}".format)
def test_the_reasons_go_on_above_where_the_step_leaves_lines(
    size: tuple[int, int],
) -> None:
    """Both uses of a, each with its term: in the order in which Why has them."""

    def look(frame: Frame) -> Iterator[str]:
        lines = painted(cast("Screen[object]", frame.screen))
        if frame.screen.debugger.position == len(frame.screen.debugger.trace):
            yield "\n".join(line[frame.pane.region.x :] for line in lines)

    (seen,) = asyncio.run(walked("shared_node", size, look))
    step, why = seen.split("Why a.grad = 2")
    uses = [f"its use in s (s<-a#{number}) adds 1" for number in (0, 1)]
    terms = "1 = 1 × 1   ∂E/∂s"
    assert (step + why).count(terms) == 2
    if size == (80, 24):
        assert [use in why for use in uses] == [True, False]
        above = step.splitlines()[-4:-2]  # the last lines before the borders
        assert above[0].startswith(f"│┆ {uses[1]}")
        assert above[1].startswith(f"│┆ {terms}")
        assert "goes on ↑ ┆" in why
    else:
        assert all(use in why for use in uses)
        assert "goes on" not in seen


def kept_places(frame: Frame) -> tuple[object, object]:
    """Return what the places of any step depend on, and its places."""
    present = frame.pane._moment
    assert present is not None
    event, nodes = present.event, frame.screen.debugger.graph.nodes
    node = nodes[event.consumer if isinstance(event, Contribution) else event.node]
    is_product = node.op is not None and node.op.name == "matmul"
    side = event.argument if isinstance(event, Contribution) and is_product else None
    shapes = [(facet.role, facet.array.shape) for facet in present.facets]
    tiles = frame.pane._written().tiles
    return (type(event), is_product, side, *shapes), [tile[1:] for tile in tiles]


async def iterated(name: str, size: tuple[int, int]) -> list[str]:
    """Walk through some iterations; return what is missing, and steps that moved."""
    scenario = load(name)
    assert scenario.training is not None
    app = GradstepApp(scenario)
    app.animation_level = "none"
    stood: dict[object, object] = {}
    found: list[str] = []
    async with app.run_test(size=size):
        await settle(app)
        screen = main_screen(app)
        debugger = screen.debugger
        for iteration in (0, 1, scenario.training.iterations - 1):
            debugger.execute(f"goto {iteration}:start")
            while debugger.position < len(debugger.trace):
                screen.apply(debugger.execute("stepi"))
                await settle(app)
                frame = Frame(screen)
                what = list(missing(frame))
                shapes, where = kept_places(frame)
                if stood.setdefault(shapes, where) != where:
                    what.append(f"{where} and not {stood[shapes]}")
                at = f"{name} {iteration}:{debugger.position}"
                found += (f"{at}: {one}" for one in what)
    return found


TRAINED = [name for name in builtin_names() if load(name).training is not None]


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize(
    "size", [(200, 60), (120, 36), (80, 24)], ids="{0[0]}x{0[1]}".format
)
def test_numbers_that_grow_and_shrink_in_training_move_nothing(
    name: str, size: tuple[int, int]
) -> None:
    assert asyncio.run(iterated(name, size)) == []


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids="{0[0]}x{0[1]}".format)
def test_no_small_matrix_of_the_matrix_lesson_loses_a_row(
    size: tuple[int, int],
) -> None:
    def look(frame: Frame) -> Iterator[str]:
        pane, tiles = frame.pane, frame.pane._written().tiles
        if frame.event is None:
            return
        if size[0] >= 120 and "after" not in frame.tiles:
            yield "no sum"
        for tile in tiles:
            grid = pane._grids[tile.number]
            if tile.rows < grid.rows or (
                size[0] >= 120 and tile.columns < grid.columns
            ):
                yield f"{grid.array.shape} in {tile.rows} × {tile.columns}"

    assert asyncio.run(walked("three_layer", size, look)) == []


OWN = """
gradstep = 1
title = "Four samples in columns"
convention = "columns"
program = '''
H = sigmoid(W1 @ X + b1)
Y = sigmoid(W2 @ H + b2)
E = mean((Y - T) ** 2)
'''
[inputs]
X = [[0.5, 1.5, -0.3, 1.0], [-1.0, 2.0, 0.8, 1.0]]
[parameters]
W1 = [[0.2, 0.5], [-0.4, 0.1], [0.7, -0.6]]
b1 = [[0.1], [0.0], [-0.2]]
W2 = [[0.3, -0.8, 0.6]]
b2 = [[0.05]]
[constants]
T = [[1.0, 0.0, 1.0, 0.0]]
"""


NOTES = {
    "forward H": "The first of two layers, whose three units see both inputs.",
    "backward Y": f"What {'comes back and ' * 20}is multiplied by the slope.",
    "backward W1": f"The last of all, {'and none is left behind it, ' * 9}is done.",
}


@pytest.fixture
def noted(tmp_path: Path) -> str:
    """Return a lesson of which two notes have no room on a small screen."""
    path = tmp_path / "noted.toml"
    lines = [f'"{place}" = "{note}"' for place, note in NOTES.items()]
    path.write_text("\n".join((OWN, "[notes]", *lines)), encoding="utf-8")
    return str(path)


def test_a_note_that_is_cut_says_so_and_which_key_shows_the_whole(noted: str) -> None:
    cut: dict[str, bool] = {}

    def look(frame: Frame) -> Iterator[str]:
        for missing in unsaid(frame):
            note = missing.removeprefix("note ")
            cut[note] = is_cut(frame, note)
        yield from ()

    asyncio.run(walked(noted, (80, 24), look))
    assert cut == dict.fromkeys([NOTES["backward Y"], NOTES["backward W1"]], True)
    assert len(remarks([load(noted)])) == len(cut)
    assert asyncio.run(untold(noted, (80, 24))) == []


def test_no_note_of_our_own_is_cut_on_a_small_screen() -> None:
    assert remarks([load(name) for name in builtin_names()]) == []


def test_four_samples_and_three_hidden_units_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")

    def look(frame: Frame) -> Iterator[str]:
        yield from missing(frame)
        pane = frame.pane
        for tile in pane._written().tiles:
            grid = pane._grids[tile.number]
            if (tile.rows, tile.columns) != (grid.rows, grid.columns):
                yield f"{grid.array.shape} in {tile.rows} × {tile.columns}"

    assert asyncio.run(walked(str(path), (120, 36), look)) == []

"""Every key: what must have happened after it.

The rows are by place: the widget that has the focus, or the screen that is open. A row
says where to look and what is seen there afterwards; before it must be something else.
Whatever is bound, and whatever a help text, a lower border or the footer names, must
have a row, so that a new key without one fails here.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
from textual.binding import Binding
from textual.command import CommandInput
from textual.containers import VerticalScroll
from textual.keys import _character_to_key
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import OptionList

from driving import press, settle
from gradstep.tui.app import overlay
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.keys import ALWAYS, FOOTERS, LINES, LINES_OF_TEXT
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.app.overlay import Help, Opening
from gradstep.tui.app.picker import Picker
from gradstep.tui.panes.base.views import DIGITS, VIEWS
from gradstep.tui.panes.console import ConsolePane, Prompt
from gradstep.tui.panes.graph.pane import GraphPane
from gradstep.tui.panes.graph.search import Search
from gradstep.tui.panes.homes import view as pane_of
from gradstep.tui.panes.matrix.view import MatrixView
from gradstep.tui.panes.program import ProgramPane
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.tables.stops import NumberedPane, StopsPane
from gradstep.tui.panes.tables.table import TablePane
from gradstep.tui.panes.time.training import TrainingPane
from gradstep.tui.panes.why import WhyPane
from looks import (
    Seen,
    alone,
    back,
    cell,
    chosen,
    code,
    cursor,
    dense,
    focused,
    hint,
    last,
    line,
    node,
    opened,
    position,
    prompt,
    screen,
    scrolled,
    stops,
    term,
    unfolded,
    value,
    view,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Row(NamedTuple):
    """A key, and what is seen by `look` after it.

    Before it, the command `lines` are executed and `keys` are pressed.
    """

    key: str
    look: Callable[[Seen], Any]
    after: Any
    lines: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


class Place(NamedTuple):
    """Where keys go: a widget of a scenario, or what some keys lead to."""

    scenario: str
    rows: tuple[Row, ...]
    lines: tuple[str, ...] = ()
    focus: type[Widget] | None = None
    keys: tuple[str, ...] = ()
    owner: type[Widget] | None = None  # whose bindings and help these rows are about


# ------------------------------------------------------------------------ the rows

_BACKWARD: Final = ("goto 7",)  # between the contributions of y and those of z
_SET: Final = ("goto 7", "set a = 5")

MAIN: Final = (
    Row("s", position, 8),
    Row("right", position, 8),
    Row("S", position, 6),
    Row("left", position, 6),
    Row("i", position, 9),
    Row("I", position, 5),
    Row("n", position, 9),
    Row("N", position, 5),
    Row("f", position, 13),
    Row("F", position, 4),
    Row("c", position, 9, ("break oz",)),
    Row("C", position, 1, ("break oz",)),
    Row("home", position, 0),
    Row("end", position, 13),
    Row("backspace", position, 3, ("goto 3", "goto 7")),
    Row("alt+left", position, 3, ("goto 3", "goto 7")),
    Row("alt+right", position, 7, ("back",)),
    Row("left_square_bracket", last, "last t.grad"),
    Row("right_square_bracket", last, "last -f t.grad"),
    Row("t", prompt, "until "),
    Row("T", prompt, "reverse-until "),
    Row("g", prompt, "goto "),
    Row("p", prompt, "print "),
    Row("m", prompt, "mark "),
    Row("A", prompt, "answer "),
    Row("W", prompt, "words "),
    Row("x", prompt, "export "),
    Row("equals_sign", prompt, "set t.grad = "),
    Row("plus", last, "nudge t.grad"),
    Row("minus", last, "nudge t.grad -"),
    Row("left_parenthesis", last, "nudge t.grad half"),
    Row("right_parenthesis", last, "nudge t.grad double"),
    Row("P", last, "predict on"),
    Row("b", stops, ["t"]),
    Row("w", stops, ["t.grad"]),
    Row("D", lambda s: len(s.debugger.memory.displays), 1),
    Row("e", last, "explain t.grad"),
    Row("enter", last, "explain t.grad"),
    Row("U", last, "uses t.grad"),
    Row("y", last, "why t.grad"),
    Row("K", lambda s: s.debugger.memory.report is not None, True),
    Row("z", lambda s: s.debugger.chosen, 0, _SET),
    Row("Z", lambda s: s.debugger.chosen, 1, (*_SET, "undo")),
    Row("R", lambda s: s.debugger.memory.recorded is not None, True),
    Row("colon", focused, "Prompt"),
    Row("question_mark", screen, "Help"),
    Row("q", code, 0),
    Row("ctrl+q", lambda s: s.app._exit, True),
    Row("ctrl+c", lambda s: len(s.app._notifications), 1),
    Row("ctrl+p", screen, "Palette"),
    Row("ctrl+o", screen, "Picker"),
    Row("ctrl+g", screen, "Jump"),
    Row("k", line, 3, keys=("tab",)),
    Row("j", line, 4, keys=("tab", "up")),
    Row("G", position, 13),
    Row("slash", focused, "Search"),
    Row("ctrl+f", focused, "Search"),
    Row("f1", screen, "Help"),
    Row("f5", position, 9, ("break oz",)),
    Row("f9", stops, ["t"]),
    Row("f10", position, 9),
    Row("f11", position, 8),
    Row("shift+f11", position, 13),
    Row("ctrl+d", hint, "q leaves gradstep, PageDown goes a page down"),
    Row("enter", hint, "nothing is chosen yet: s steps", ("goto start",)),
    Row("h", hint, "this pane stays: Tab goes to one that h hides"),
    Row("ctrl+u", hint, "PageUp goes a page up"),
    Row("ctrl+s", hint, "x writes a file, R records the commands"),
    Row("l", hint, ": list shows lines of the program"),
    Row("r", hint, "Home goes to the start, c goes on to the end"),
    Row("u", hint, "z goes back to the run before a change"),
    Row("Q", hint, "q leaves gradstep"),
    Row("ctrl+r", lambda s: len(s.debugger.memory.history), 1, ("step", "goto 7")),
    Row("space", lambda s: s.main._player.is_playing, True),
    Row("escape", lambda s: s.main._player.is_playing, False, keys=("space",)),
    Row("greater_than_sign", lambda s: s.main._player.pace, 2),
    Row("less_than_sign", lambda s: s.main._player.pace, 0),
    Row("o", lambda s: s.main.maximized is s.one(ProgramPane), True, keys=("tab",)),
    Row("h", lambda s: s.one(GraphPane).display, False, keys=("tab", "tab")),
    Row("H", lambda s: s.one(GraphPane).display, True, keys=("tab", "tab", "h")),
    Row("ctrl+right", lambda s: s.one(ProgramPane).outer_size.width, 49),
    Row("ctrl+left", lambda s: s.one(ProgramPane).outer_size.width, 41),
    Row("ctrl+up", lambda s: s.one(ConsolePane).size.height, 3),
    Row("ctrl+down", lambda s: s.one(ConsolePane).size.height, 1, keys=("ctrl+up",)),
    Row("tab", focused, "ProgramPane"),
    Row("shift+tab", focused, "ProgramPane", keys=("tab", "tab")),
    *(
        Row(DIGITS[name], view, name, keys=("2",) if name == "step" else ())
        for name in VIEWS
    ),
)

PROGRAM: Final = (
    Row("up", line, 3),
    Row("down", line, 4, keys=("up",)),
    Row("enter", chosen, "z.value", keys=("up",)),
    Row("b", stops, ["line:3"], keys=("up",)),
)

GRAPH: Final = (
    Row("down", node, "z"),  # the picture flows down
    Row("up", node, "an"),
    Row("right", node, "oz"),
    Row("left", node, "az", keys=("right",)),
    Row("enter", chosen, "az.value"),
    Row("v", lambda s: s.one(GraphPane)._scene.kind, "list"),
    Row("r", lambda s: s.one(GraphPane)._scene.down, False),
    Row("a", lambda s: s.one(GraphPane)._scene.kind, "picture", keys=("v",)),
    Row("slash", focused, "Search"),
    Row("full_stop", node, "oz", keys=("slash", "z", "escape")),
    Row("comma", node, "oz", keys=("slash", "z", "escape", ".", ".")),
    Row("b", stops, ["az"]),
)
_TALL: Final = ("plus",)
_WIDE: Final = ("plus", "r")
FOLDS: Final = (
    Row("plus", unfolded, 11),
    Row("minus", unfolded, 0, keys=_TALL),
    Row("u", unfolded, 1),
    Row("shift+right", scrolled, lambda x, y: (x + 8, y), keys=_WIDE),
    Row("shift+left", scrolled, lambda x, y: (x - 8, y), keys=_WIDE),
    Row("shift+down", scrolled, lambda x, y: (x, y + 4), keys=_TALL),
    Row("shift+up", scrolled, lambda x, y: (x, y - 4), keys=_TALL),
    Row("pagedown", scrolled, lambda x, y: (x, y + 13), keys=_TALL),
    Row("pageup", scrolled, lambda x, y: (x, max(y - 13, 0)), keys=_TALL),
)
SEARCH: Final = (
    Row("W", node, "W1"),
    Row("enter", node, "W2", keys=("W",)),
    Row("down", node, "W2", keys=("W",)),
    Row("up", node, "E._2", keys=("W",)),
    Row("escape", focused, "GraphPane"),
)

STEP: Final = (
    Row("W", lambda s: hint(s).partition("  →")[0], "words node"),
    Row("left", cell, (2, 1)),
    Row("right", cell, (2, 2), keys=("left",)),
    Row("up", cell, (1, 2)),
    Row("down", cell, (3, 2)),
    Row("pageup", cell, (0, 2)),
    Row("pagedown", cell, (4, 2)),
    Row("M", cell, (2, 2), keys=("up",)),
    Row("L", cell, (3, 0)),
    Row("j", lambda s: s.one(StepPane)._walker.typed, ""),
    Row("shift+right", lambda s: s.one(StepPane)._active, 0),
    Row("shift+left", lambda s: s.one(StepPane)._active, 1),
    Row("v", focused, "MatrixView"),
    Row("o", lambda s: s.main.maximized is s.one(StepPane), True),
)
ALONE: Final = (
    Row("left", alone, (2, 1)),
    Row("right", alone, (2, 2), keys=("left",)),
    Row("up", alone, (1, 2)),
    Row("down", alone, (3, 2)),
    Row("pageup", alone, (0, 2)),
    Row("pagedown", alone, (4, 2)),
    Row("home", alone, (2, 0)),
    Row("end", alone, (2, 2), keys=("home",)),
    Row("ctrl+home", alone, (0, 0)),
    Row("ctrl+end", alone, (4, 2)),
    Row("M", alone, (2, 2), keys=("up",)),
    Row("L", alone, (3, 0)),
    Row("j", lambda s: s.one(MatrixView)._walker.typed, ""),
    Row("d", lambda s: s.one(MatrixView).grid.compact, True),
    Row("v", focused, "StepPane"),
    Row("escape", focused, "StepPane"),
)
SLICES_ALONE: Final = (
    Row("comma", alone, (0, 1, 0, 1)),
    Row("full_stop", alone, (0, 1, 0, 1)),
)
BROKEN_ALONE: Final = (Row("exclamation_mark", alone, (1,), keys=("left",)),)
JUMP: Final = (
    Row("3", lambda s: s.one(StepPane)._walker.typed, "13"),
    Row("comma", lambda s: s.one(StepPane)._walker.typed, "1,"),
    Row("space", lambda s: s.one(StepPane)._walker.typed, "1 "),
    Row("backspace", lambda s: s.one(StepPane)._walker.typed, ""),
    Row("escape", lambda s: s.one(StepPane)._walker.typed, None),
    Row("enter", cell, (4, 0), keys=("backspace", *"4,0")),
)
SLICES: Final = (
    Row("comma", cell, (0, 1, 0, 1)),
    Row("full_stop", cell, (0, 1, 0, 1)),
)
LARGE: Final = (Row("d", dense, True),)
BROKEN: Final = (Row("exclamation_mark", cell, (1,), keys=("left",)),)

WHY: Final = (
    Row("down", term, 1),
    Row("up", term, 0, keys=("down",)),
    Row("enter", chosen, "W1.value[0, 3]"),
    Row("backspace", chosen, "x1.z.value[0, 0]", keys=("enter",)),
)

_LOW: Final = ("ctrl+up",) * 4  # a console so high that not all rows have room
TABLE: Final = (
    Row("down", cursor, 10),
    Row("up", cursor, 8),
    Row("pagedown", cursor, 15, keys=(*_LOW, "ctrl+home", "down")),
    Row("pageup", cursor, 2, keys=(*_LOW, "ctrl+end")),
    Row("ctrl+end", cursor, 16),
    Row("ctrl+home", cursor, 0, keys=("ctrl+end",)),
    Row("enter", last, "goto x3.z"),
    Row("v", lambda s: s.table.sorted_by, 1),
    Row("V", lambda s: s.table.descending, True),
    Row("b", stops, ["x3"], keys=("down",)),
)
FLOW: Final = (
    Row("down", cursor, 2),  # from the line that the step is part of
    Row("up", cursor, 1, keys=("down",)),
    Row("l", lambda s: len(s.table._rows), 14),
    Row("enter", last, "goto #15"),
)
TRAINING: Final = (
    Row("up", lambda s: s.one(TrainingPane).cursor, 21),
    Row("down", lambda s: s.one(TrainingPane).cursor, 19),
    Row("pageup", lambda s: s.one(TrainingPane).cursor, 24),
    Row("pagedown", lambda s: s.one(TrainingPane).cursor, 16),
    Row("enter", last, "goto 21:start", keys=("up",)),
    Row("r", last, "train 100"),
    Row("l", lambda s: s.one(TrainingPane)._is_log(), True),
)
WATCHES: Final = (
    Row("down", cursor, 1),
    Row("up", cursor, 0, keys=("down",)),
    Row("enter", last, "last a.grad"),
    Row("a", prompt, "display "),
    Row("u", prompt, "watch "),
    Row("d", last, "delete 1"),
    Row("space", last, "disable 1"),
)
STOPS: Final = (
    Row("enter", prompt, "condition 1 a > 1"),
    Row("l", prompt, "ignore 1 "),
    Row("a", prompt, "commands 1 "),
    Row("u", prompt, "break "),
    Row("d", last, "delete 1"),
    Row("space", last, "disable 1"),
)
RUNS: Final = (
    Row("up", cursor, 0),
    Row("down", cursor, 1, keys=("up",)),
    Row("enter", last, "runs 0", keys=("up",)),
    Row("d", last, "diff 0", keys=("up",)),
    Row("z", last, "undo"),
    Row("Z", last, "redo", ("undo",)),
)
CHECKS: Final = (
    Row("r", lambda s: len(s.table._rows), 26),
    Row("K", lambda s: len(s.table._rows), 4),
    Row("enter", chosen, "oz.grad[]", keys=("r",)),
)
NOTES: Final = (
    Row("enter", last, "goto here", ("mark here", "goto 3"), ("up",)),
    Row("m", prompt, "mark "),
)
RULES: Final = (
    Row("up", cursor, 0, keys=("down",)),
    Row("down", cursor, 1),
    Row("enter", lambda s: s.debugger.position > 0, True),
)
_CAPTURE: Final = str(Path(__file__).parents[2] / "captures" / "custom.gradstep")

_LONG: Final = (*("e", "enter") * 9,)  # in the console
PROMPT: Final = (
    Row("a", value, "a"),
    Row("enter", last, "step", keys=(*"step",)),
    Row("up", value, "step", keys=(*"step", "enter")),
    Row("down", value, "s", keys=(*"step", "enter", "s", "enter", "up", "up")),
    Row("pageup", back, 2, keys=_LONG),
    Row("pagedown", back, 0, keys=(*_LONG, "pageup")),
    Row("tab", value, "watch ", keys=(*"wat",)),
    Row("ctrl+d", hint, "Escape goes back to the panes, where q leaves gradstep"),
    Row("escape", focused, "ProgramPane"),
)
HELP: Final = (
    *(
        Row(key, screen, "MainScreen")
        for key in ("escape", "q", "question_mark", "f1", "enter", "space")
    ),
    Row("down", lambda s: s.one(VerticalScroll).scroll_target_y, 1.0),
    Row("up", lambda s: s.one(VerticalScroll).scroll_target_y, 0.0, keys=("down",)),
)
PALETTE: Final = (
    Row("v", lambda s: s.one(CommandInput).value, "v"),
    Row("enter", view, "flow", keys=(*"gradient flow",)),
    Row("escape", screen, "MainScreen"),
)
PICKER: Final = (
    Row("v", lambda s: s.one(OptionList).option_count, 18),
    Row("down", lambda s: s.one(OptionList).highlighted, 2),
    Row("up", lambda s: s.one(OptionList).highlighted, 0, keys=("down",)),
    Row("enter", screen, "MainScreen"),
    Row("escape", code, 0),
    Row("ctrl+q", lambda s: s.app._exit, True),
)

_BROKEN: Final = ("catch nan", "c")
_LAYERS: Final = ("goto 16",)
_WATCHED: Final = ("watch a.grad", "display a * 2", "goto end")
_STOPS: Final = ("break z if a > 1", "catch nan")
PLACES: Final[Mapping[str, Place]] = MappingProxyType(
    {
        "main": Place("apple_orange", MAIN, _BACKWARD, owner=MainScreen),
        "program": Place(
            "apple_orange", PROGRAM, _BACKWARD, ProgramPane, owner=ProgramPane
        ),
        "graph": Place("apple_orange", GRAPH, ("goto 1",), GraphPane, owner=GraphPane),
        "folds": Place("vanishing", FOLDS, ("goto 9",), GraphPane, owner=GraphPane),
        "search": Place(
            "three_layer", SEARCH, _LAYERS, GraphPane, ("slash",), owner=Search
        ),
        "step": Place("three_layer_batch", STEP, ("goto 1",), StepPane, owner=StepPane),
        "slices": Place("conv", SLICES, ("goto 1",), StepPane, owner=StepPane),
        "large": Place("two_layer_net", LARGE, ("goto 1",), StepPane, owner=StepPane),
        "broken": Place("nan_where", BROKEN, _BROKEN, StepPane, owner=StepPane),
        "jump": Place("three_layer", JUMP, ("goto 1",), StepPane, ("j", "1")),
        "alone": Place(
            "three_layer_batch", ALONE, ("goto 1",), StepPane, ("v",), owner=MatrixView
        ),
        "slices alone": Place(
            "conv", SLICES_ALONE, ("goto 1",), StepPane, ("v",), owner=MatrixView
        ),
        "broken alone": Place(
            "nan_where", BROKEN_ALONE, _BROKEN, StepPane, ("v",), owner=MatrixView
        ),
        "why": Place("three_layer", WHY, ("goto 1",), WhyPane, owner=WhyPane),
        "nodes": Place("three_layer", TABLE, _LAYERS, None, ("2",), pane_of("nodes")),
        "table": Place("three_layer", TABLE, _LAYERS, None, ("2",), TablePane),
        "flow": Place("three_layer", FLOW, _LAYERS, None, ("3",), pane_of("flow")),
        "training": Place(
            "xor", TRAINING, ("train 40", "goto 20:start"), None, ("4",), TrainingPane
        ),
        "watches": Place(
            "apple_orange", WATCHES, _WATCHED, None, ("5",), pane_of("watches")
        ),
        "stops": Place("apple_orange", STOPS, _STOPS, None, ("6",), StopsPane),
        "runs": Place("apple_orange", RUNS, _SET, None, ("7",), pane_of("runs")),
        "checks": Place("apple_orange", CHECKS, (), None, ("8",), pane_of("checks")),
        "notes": Place("apple_orange", NOTES, (), None, ("9",), pane_of("notes")),
        "rules": Place(_CAPTURE, RULES, (), None, ("0",), pane_of("rules")),
        "prompt": Place("apple_orange", PROMPT, _BACKWARD, Prompt, owner=Prompt),
        "help": Place("apple_orange", HELP, keys=("question_mark",), owner=Help),
        "palette": Place("apple_orange", PALETTE, keys=("ctrl+p",)),
        "picker": Place("", PICKER, owner=Picker),
    }
)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    # Nobody looks at pictures here, and to paint them takes a third of the time.
    monkeypatch.setattr(
        Screen, "_compositor_refresh", lambda s: s._dirty_widgets.clear()
    )


ROWS: Final = [
    pytest.param(place, row, id=f"{name}-{row.key}")
    for name, place in PLACES.items()
    for row in place.rows
    if name != "table"
]


@pytest.mark.parametrize(("place", "row"), ROWS)
async def test_a_key_does_what_it_is_for(place: Place, row: Row) -> None:
    lines, pressed = (*place.lines, *row.lines), (*place.keys, *row.keys)
    async with opened(place.scenario, lines, place.focus, pressed) as seen:
        before = row.look(seen)
        press(seen.app, row.key)
        await settle(seen.app)
        after = row.look(seen)
        wanted = row.after(*before) if callable(row.after) else row.after
        assert before != after == wanted


@pytest.mark.parametrize(
    ("focus", "typed", "line"),
    [
        (None, ":goto 3", "goto 3"),
        (StepPane, ":display z", "display z"),
        (StepPane, ":print a == 100", "print a == 100"),
        (StepPane, "g3", "goto 3"),
        (WhyPane, "p1:2", None),
        (GraphPane, ":undisplay", "undisplay"),
        (GraphPane, "/:ssq", None),
    ],
)
async def test_what_is_typed_at_once_is_for_the_line_that_it_opens(
    focus: type[Widget] | None, typed: str, line: str | None
) -> None:
    async with opened("apple_orange", ("display a", "goto 7"), focus) as seen:
        press(seen.app, *typed, "enter")
        await settle(seen.app)
        done = ["display a", "goto 7", *([line] if line else [])]
        assert seen.debugger.memory.history == done


async def test_ctrl_z_leaves_gradstep_for_the_shell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[str] = []
    monkeypatch.setattr(
        GradstepApp, "action_suspend_process", lambda _: left.append("z")
    )
    async with opened("apple_orange") as seen:
        press(seen.app, "ctrl+z")
        await settle(seen.app)
    assert left == ["z"]


# -------------------------------------------------------------------- none is missing

_ARROWS: Final = ("up", "down", "left", "right")
# How a help text writes keys, in small letters.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **{key: (key,) for key in (*_ARROWS, "enter", "escape", "tab", "space")},
        **{key: (key,) for key in ("backspace", "home", "end", "comma")},
        "arrows": _ARROWS,
        "shift+arrows": tuple(f"shift+{key}" for key in _ARROWS),
        "ctrl+arrows": tuple(f"ctrl+{key}" for key in _ARROWS),
        "shift+left": ("shift+left",),
        "shift+right": ("shift+right",),
        "page up": ("pageup",),
        "page down": ("pagedown",),
        "pageup": ("pageup",),
        "pagedown": ("pagedown",),
        "full stop": ("full_stop",),
        "1-9": tuple("123456789"),
        "←": ("left",),
        "→": ("right",),
        **{f"ctrl+{key}": (f"ctrl+{key}",) for key in "copgr"},
        **{f"^{key}": (f"ctrl+{key}",) for key in "ogp"},
        "←↑↓→": _ARROWS,
        "↑↓": ("up", "down"),
        "esc": ("escape",),
    }
)
_MOUSE: Final = re.compile(r"(?:or )?(?:the |a )?(?:double )?\b(?:click|wheel|drag)\b")
_LOUD: Final = re.compile(r"\b(Enter|Escape|Tab|PageUp|PageDown|Backspace)\b")


def read_keys(words: str) -> list[str] | None:
    """Return the keys that a list of keys names, or None where it is no such list."""
    words = re.sub(r"\b(page|full) (up|down|stop)\b", r"\1_\2", words.strip())
    found: list[str] = []
    for word in re.split(r",?\s+(?:or\s+|and\s+)?", words.strip("`")):
        name = word.replace("_", " ")
        if name.lower() in _WORDS:
            found += _WORDS[name.lower()]
        elif len(name) == 1 and name.isprintable():
            found.append(_character_to_key(name))
        elif name:
            return None
    return found


def named_in(text: str) -> Iterator[str]:
    """Yield the keys that a help text names: `up, down: another line   b: break`."""
    for part in re.split(r"\n|;|\s{3,}", text):
        head, colon, _ = _MOUSE.sub("", part).partition(":")
        if colon:
            yield from read_keys(head.replace("then ", "")) or ()
        for word in _LOUD.findall(part):
            yield from _WORDS[word.lower()]


def bound_in(kind: type[Widget]) -> Iterator[str]:
    """Yield the keys of the bindings of a class."""
    for one in kind.__dict__.get("BINDINGS", ()):
        yield from (one.key if isinstance(one, Binding) else one[0]).split(",")


def handled_in(kind: type[Widget]) -> Iterator[str]:
    """Yield the keys that the handler of a class compares with."""
    handler = kind.__dict__.get("on_key")
    if handler is not None:
        tree = ast.parse(textwrap.dedent(inspect.getsource(handler)))
        for one in ast.walk(tree):
            if isinstance(one, ast.Compare):
                yield from (
                    leaf.value
                    for leaf in ast.walk(one)
                    if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
                )


def owners() -> set[type[Widget]]:
    """Return the classes of the application that have keys of their own."""
    found: set[type[Widget]] = set()
    waiting: list[type[Widget]] = [Widget]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        own = {"BINDINGS", "on_key", "HELP"} & set(kind.__dict__)
        if kind.__module__.startswith("gradstep.tui.") and own:
            found.add(kind)
    return found


# Whose rows a text is about, where that is not the class that it is in.
_ALSO: Final[Mapping[type[Widget], tuple[type[Widget], ...]]] = MappingProxyType(
    {
        ConsolePane: (Prompt, MainScreen),
        NumberedPane: (StopsPane,),
    }
)


# Keys of what is there only while something takes long: test_opening presses them.
_LATE: Final[Mapping[type[Widget], frozenset[str]]] = MappingProxyType(
    {Opening: frozenset(("escape",))}
)


OWNERS: Final[list[type[Widget]]] = sorted(owners(), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", OWNERS)
def test_no_key_is_without_a_row(kind: type[Widget]) -> None:
    owning = {kind, *_ALSO.get(kind, ())}
    rows = {row.key for p in PLACES.values() if p.owner in owning for row in p.rows}
    rows |= _LATE.get(kind, frozenset())
    wanted = {*bound_in(kind), *handled_in(kind)}
    if "HELP" in kind.__dict__:
        wanted |= set(named_in(kind.HELP or ""))
    assert wanted <= rows


def test_no_key_of_the_footer_and_the_help_is_without_a_row() -> None:
    rows = {row.key for row in MAIN}
    said = [one.key for one in ALWAYS] + list(overlay._OWN)
    read = [read_keys(key) for key in said]
    assert all(read)
    assert {key for keys in read for key in keys or ()} <= rows
    assert set(LINES) <= rows


# The places of what has another name there, and of what is said of all tables.
_SHOWN_IN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "empty prompt": ("prompt",),
        "answer": ("prompt",),
        "find": ("search",),
        "picker over a session": ("picker",),
        "graph": ("graph", "folds"),
        "step": ("step", "large"),
        **{name: (name, "table") for name in VIEWS if name not in ("step", "training")},
    }
)


@pytest.mark.parametrize("name", FOOTERS)
def test_every_key_that_the_footer_names_has_a_row_where_it_is_named(name: str) -> None:
    places = _SHOWN_IN.get(name, (name,))
    if name not in LINES_OF_TEXT:
        places = (*places, "main")
    rows = {row.key for place in places for row in PLACES[place].rows}
    read = [read_keys(key) for key, _ in FOOTERS[name]]
    assert all(read)
    assert {key for keys in read for key in keys or ()} <= rows


def test_a_key_is_found_in_what_is_said_of_it() -> None:
    text = "up, down: move   +  - : turn   enter or a click: go; there Tab takes it"
    assert list(named_in(text)) == ["up", "down", "plus", "minus", "enter", "tab"]
    assert not list(named_in("flags: none   grad, up to: its range"))
    assert list(handled_in(WhyPane))[:2] == ["up", "down"]

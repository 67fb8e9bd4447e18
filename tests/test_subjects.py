"""A graph built by hand, without a program: everything takes it as it takes a file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from rich.console import Console

from gradstep import Debugger
from gradstep.core.debugger.complete import complete
from gradstep.core.engine.element import Element
from gradstep.core.engine.graph import Builder, Frame, Site, Source, Statement
from gradstep.core.engine.subject import Subject
from gradstep.core.engine.trace import Trace
from gradstep.core.export.formats import FORMATS, Wanted
from gradstep.core.export.records import event_record, grads_record
from gradstep.core.ops import OPS
from gradstep.core.session.location import parse_location
from gradstep.core.words.formulas import Wording
from gradstep.tui.app.snapshot import Wish, take
from gradstep.tui.draw.look import Look
from gradstep.tui.draw.playback import Pace, play, play_json, play_markdown
from gradstep.tui.draw.stage import Stage
from gradstep.tui.export.exports import with_screen
from gradstep.tui.panes.base.views import VIEWS

if TYPE_CHECKING:
    from pathlib import Path


def by_hand() -> Subject:
    """Return E = sum((W @ x)²). By hand, with y = W @ x = (−1, −1):

    E = 2, ∂E/∂y = 2y, ∂E/∂W = 2y xᵀ = [[−2, 2], [−2, 2]], ∂E/∂x = Wᵀ 2y = (−8, −12).
    """
    build = Builder()
    W = build.leaf("W", "parameter", (2, 2))
    x = build.leaf("x", "input", (2, 1))
    y = build.apply(OPS["matmul"], (W, x), name="y")
    square = build.apply(OPS["multiply"], (y, y))
    E = build.apply(OPS["sum"], (square,), name="E")
    leaves = {W: np.array([[1.0, 2.0], [3.0, 4.0]]), x: np.array([[1.0], [-1.0]])}
    return Subject("by_hand", build.finish(E), leaves, title="By hand")


def debugger_of(at: str = "end") -> Debugger:
    debugger = Debugger(by_hand())
    assert debugger.execute(f"goto {at}").ok
    return debugger


# A line of each command, at the end of the run, and what its answer has to say.
LINES: Final[dict[str, tuple[str, str]]] = {
    "step": ("step", "the end of the run"),
    "reverse-step": ("reverse-step", "undone: y<-W: W.grad 0 → [[-2, 2], [-2, 2]]"),
    "stepi": ("stepi", "the end of the run"),
    "reverse-stepi": ("reverse-stepi", "undone: y<-x: x.grad 0 → [[-8], [-12]]"),
    "next": ("next", "the end of the run"),
    "reverse-next": ("reverse-next", "event 7 of 9"),
    "finish": ("finish", "the end of the run"),
    "reverse-finish": ("reverse-finish", "undone: E.grad = 1 enters at the output"),
    "continue": ("continue", "the end of the run"),
    "reverse-continue": ("reverse-continue", "the start of the run"),
    "until": ("until y", "the end of the run"),
    "reverse-until": ("reverse-until y<-W", "event 7 of 9"),
    "goto": ("goto y", "event 1 of 9"),
    "last": ("last E", "E: nothing yet → 2"),
    "back": ("back", "event 0 of 9"),
    "forward": ("forward", "no place was visited after"),
    "mark": ("mark here", "mark here: end"),
    "marks": ("marks", "no marks"),
    "break": ("break y", "break 1: y"),
    "tbreak": ("tbreak op:sum", "break 1: op:sum"),
    "watch": ("watch W.grad", "watch 1: W.grad"),
    "catch": ("catch nan", "catch 1: nan"),
    "condition": ("condition 1 E > 1", "there is no stop '1'"),
    "ignore": ("ignore 1 2", "there is no stop '1'"),
    "commands": ("commands 1 print E", "there is no stop '1'"),
    "enable": ("enable", "no stops"),
    "disable": ("disable", "no stops"),
    "delete": ("delete", "no stops"),
    "print": ("print W.grad[0, 1]", "W.grad[0, 1] = 2"),
    "display": ("display E", "1: E = 2"),
    "undisplay": ("undisplay", "nothing is displayed"),
    "history": ("history E", "E = "),
    "list": ("list", "this graph has no source: it was made without a program"),
    "where": ("where", "to the output: y → _3 → E"),
    "whatis": ("whatis y", "op: matmul"),
    "info": ("info nodes", "matmul"),
    "explain": ("explain x.grad[1, 0]", "x.grad[1, 0] = -12"),
    "uses": ("uses W[0, 0]", "y<-W: y[0, 0] = -1, local 1"),
    "why": ("why x.grad[0, 0]", "x.grad[0, 0] = -8"),
    "paths": ("paths W[0, 0]", "-2 = the sum of 2 paths"),
    "transposes": ("transposes y", "∂L/∂W through y:"),
    "check": ("check", "comparisons agree"),
    "rules": ("rules", "there are no gradients to be held to account"),
    "set": ("set x[0, 0] = 2", "run 1: x[0, 0] = 2 (was 1)"),
    "detach": ("detach y<-W", "W.grad: "),
    "patch": ("patch y<-x transpose", "first x.grad[0, 0]: -8 → -6"),
    "train": ("train", "does not train"),
    "runs": ("runs", "as loaded"),
    "diff": ("diff", "this run is as it was loaded"),
    "undo": ("undo", "nothing to undo"),
    "redo": ("redo", "nothing to redo"),
    "assert": ("assert E == 2", "holds: E == 2"),
    "expect": ("expect stop", "there was: no stop"),
    "source": ("source missing.gs", "missing.gs"),
    "record": ("record", "recording commands"),
    "save": ("save TMP/a.gs", "1 line written to"),
    "export": ("export dot TMP/a.dot", "the graph for Graphviz is in"),
    "help": ("help step", "one node"),
    "predict": ("predict on", "stepi and step ask for shapes first"),
    "answer": ("answer 3", "nothing is asked: predict is off"),
    "show": ("show", "nothing is asked: predict is off"),
    "nudge": ("nudge W[0, 0]", "E changes by -0.19, 2 → 1.81"),
    "limit": ("limit W[0, 0]", "backpropagation: -2"),
    "cost": ("cost", "forward pass                          6"),
    "words": ("words upstream", "The gradient that arrives at a consumer"),
    "accuse": ("accuse W", "nothing is hidden here"),
    "say": ("say Look at `s`.", "Look at `s`."),
    "wait": ("wait where", "to the output: y → _3 → E"),
    "indices": ("indices", "indices begin with 0"),
    "apropos": ("apropos gradient", "explain"),
    "quit": ("quit", ""),
}


def test_every_command_has_a_line_here() -> None:
    assert set(LINES) == set(Debugger.commands)


@pytest.mark.parametrize("name", LINES)
def test_commands_answer_about_a_graph_built_by_hand(name: str, tmp_path: Path) -> None:
    line, said = LINES[name]
    reply = debugger_of().execute(line.replace("TMP", str(tmp_path)))
    assert said in "\n".join((*reply.text, reply.error or "")), reply
    assert "Error" not in (reply.error or "")


def test_the_numbers_are_those_of_a_calculation_by_hand() -> None:
    debugger = debugger_of()
    gradient = {name: debugger.execute(f"print {name}.grad").data for name in "Wxy"}
    assert gradient["W"].tolist() == [[-2, 2], [-2, 2]]
    assert gradient["x"].tolist() == [[-8], [-12]]
    assert gradient["y"].tolist() == [[-2], [-2]]


# What stands on each view at the end of the run, W chosen.
SEEN: Final = {
    "step": "-12",
    "nodes": "y",
    "flow": "W",
    "training": "train",
    "watches": "nothing is watched yet",
    "stops": "no stops yet",
    "runs": "as loaded",
    "checks": "nothing is checked yet",
    "notes": "By hand",
    "rules": "no gradients of others",
}


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=str)
def test_views_show_a_graph_built_by_hand(name: str, size: tuple[int, int]) -> None:
    text = take(by_hand(), Wish("end", size, name)).text
    assert SEEN[name] in text
    assert "by_hand" in text
    assert "Program" not in text  # without a source its room is that of the graph
    assert "Graph" in text
    assert "E = 2" in text


def played(how: str) -> str:
    file = io.StringIO()
    console = Console(file=file, width=100, color_system=None)
    subject = by_hand()
    stage = Stage(subject, Trace(subject.run()), Look())
    tell = {"text": play, "markdown": play_markdown, "json": play_json}[how]
    tell(console, stage, range(len(stage.trace)), Pace())
    return file.getvalue()


@pytest.mark.parametrize("how", ["text", "markdown", "json"])
def test_a_graph_built_by_hand_is_played(how: str) -> None:
    text = played(how)
    assert "-12" in text
    assert "line" not in text or how == "json"


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"png"}))
def test_a_graph_built_by_hand_is_exported(name: str) -> None:
    debugger = debugger_of()
    debugger.exporters = with_screen()
    element = None
    if name == "tex":
        element = Element(debugger.graph.names["W"], "grad", (0, 1))
    about = debugger.subject, debugger.trace, debugger.position
    text = debugger.exporters[name](Wanted(*about, debugger.progress, element))
    assert isinstance(text, str)
    expected = {
        "py": "x_grad",
        "scenario": "W @ x",
        "dot": "matmul",
        "tex": r"\frac{\partial",
    }
    assert expected.get(name, "-12") in text
    if name == "py":
        space: dict[str, object] = {}
        exec(compile(text, "a.py", "exec"), space)  # noqa: S102  # it is our own text
        assert np.asarray(space["x_grad"]).tolist() == [[-8], [-12]]


# ------------------------------------------------------------------ several sources

MODEL = "import torch\n\ndef square(a):\n    return a * a\n"
TRAIN = "from model import square\n\ny = square(x)\n"


def two_files() -> Subject:
    """Return y = square(x) as a recorded run would have it, over two files."""
    build = Builder()
    x = build.leaf("x", "input")
    y = build.apply(OPS["multiply"], (x, x), name="y", site=Site(1, 4, 12, "a * a"))
    call = Site(0, 3, 5, "square(x)")
    frames = [
        Frame(0, "", "", "train.py", 0, 0, None, 1, 2),
        Frame(1, "y", "square", "model.py", 0, 1, call, 1, 2),
    ]
    statements = [
        Statement(0, 0, "y", 3, "y = square(x)", "", 1, 2),
        Statement(1, 1, "y", 4, "return a * a", "", 1, 2),
    ]
    sources = {"train.py": Source(TRAIN), "model.py": Source(MODEL)}
    graph = build.finish(y, frames, statements, sources=sources)
    return Subject("two_files", graph, {x: np.float64(3)})


def test_a_place_names_its_source_where_there_are_several() -> None:
    debugger = Debugger(two_files())
    assert debugger.graph.line_of(Site(1, 4, 12, "a * a")) == "model.py:4"
    assert debugger.execute("step").ok
    where = debugger.execute("where").text
    assert where[1:3] == (
        "#0  in y = square(…), model.py:4",
        "#1  in the program, train.py:3",
    )


def _spans(debugger: Debugger, text: str) -> list[range]:
    return parse_location(text, debugger.trace, {}).spans(debugger.trace)


def test_lines_of_any_source_are_places() -> None:
    debugger = Debugger(two_files())
    assert _spans(debugger, "model.py:4") == _spans(debugger, "line:model.py:4") != []
    assert (
        _spans(debugger, "line:3")
        == _spans(debugger, "train.py:3")
        == _spans(debugger, "y")
    )
    assert "model.py:4" in complete(debugger, "goto mo", 7)
    wrong = debugger.execute("goto model.py:1").error
    assert wrong is not None
    assert "no statement stands at line model.py:1" in wrong


def test_records_name_the_source_of_a_line() -> None:
    subject = two_files()
    run = subject.run()
    a, y = grads_record(subject, Trace(run))["nodes"]
    assert (a["source"], a["line"]) == (None, None)
    assert (y["source"], y["line"]) == ("model.py", 4)
    event = event_record(Trace(run), 0, Wording(run.graph, {}))
    assert (event["source"], event["line"]) == ("model.py", 4)


def test_every_source_of_the_author_is_played_and_listed() -> None:
    subject = two_files()
    file = io.StringIO()
    stage = Stage(subject, Trace(subject.run()), Look())
    play(Console(file=file, width=100), stage, range(len(stage.trace)), Pace())
    assert "train.py\n" in file.getvalue()
    assert "model.py\n" in file.getvalue()
    debugger = Debugger(subject)
    assert (
        debugger.execute("list train.py:1").text[0] == "    1 from model import square"
    )
    assert debugger.execute("list").text[3] == "▶   4     return a * a"
    page = with_screen()["html"](Wanted(subject, debugger.trace, 0, debugger.progress))
    assert isinstance(page, str)
    # Lines are counted through all sources: model.py begins behind the three of train.
    assert '<li data-line="7"><code>    return a * a</code></li>' in page
    assert 'data-lines="[7,3]"' in page


def test_the_pane_shows_the_source_of_the_step() -> None:
    text = take(two_files(), Wish("1", (120, 36))).text
    assert "return a * a" in text
    assert "model.py" in text

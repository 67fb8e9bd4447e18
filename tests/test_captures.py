"""Recorded runs of PyTorch, read where there is no PyTorch.

They come from `tests/frameworks/programs`, by
`gradstep capture NAME.py --step N -o tests/captures/NAME.gradstep` in that folder.
"""

from pathlib import Path

import pytest
from recording import apart, names

import gradstep
from gradstep.core.capture.archive import read
from gradstep.core.capture.selfcheck import hold

CAPTURES = Path(__file__).parent / "captures"
# Each capture: the pass that was recorded, how many arrays it has, names in it.
KEPT = {
    "custom": (1, 24, ["RootMeanSquare.size", "h@2", "h@3", "loss"]),
    "lstm_lm": (2, 173, ["h", "c", "h@4", "output", "loss"]),
    "rare": (1, 516, ["scattered.rows", "windows.slid", "heard", "taken", "loss"]),
    "mlp": (3, 32, ["body.0@2", "h@3", "logits", "loss"]),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_capture_has_what_pytorch_had(name: str) -> None:
    step, arrays, expected = KEPT[name]
    capture = read(CAPTURES / f"{name}.gradstep")
    hold(capture)
    count, worst, wrong = apart(capture)
    assert (capture.about.framework, capture.about.step) == ("torch 2.13.0", step)
    assert count == arrays
    assert bool(wrong) == (name == "custom")
    assert worst < 1e-14 or name == "custom"
    assert {*expected} <= {*names(capture), *capture.subject.graph.aliases}


@pytest.mark.parametrize("name", KEPT)
def test_a_capture_is_stepped_from_its_begin_to_its_end(name: str) -> None:
    bug = gradstep.Debugger(gradstep.load(str(CAPTURES / f"{name}.gradstep")))
    lines = ("step", "next", "goto loss", "where", "goto end", "print loss")
    for line in (*lines, "reverse-step", "step", "goto start"):
        assert bug.execute(line).ok, line


def test_the_wrong_rule_alone_is_named() -> None:
    bug = gradstep.Debugger(gradstep.load(str(CAPTURES / "custom.gradstep")))
    said = str(bug.execute("rules"))
    assert "RootMeanSquare.backward (custom.py:31)" in said
    assert "Swish.backward" not in said
    assert "Scale.backward" not in said


def test_a_line_of_the_users_file_is_a_place() -> None:
    bug = gradstep.Debugger(gradstep.load(str(CAPTURES / "mlp.gradstep")))
    source = (CAPTURES.parent / "frameworks" / "programs" / "mlp.py").read_text("utf-8")
    line = 1 + source.splitlines().index("            h = h + self.body(h)")
    assert bug.execute(f"break mlp.py:{line}").ok
    assert f"mlp.py:{line} at body.0" in str(bug.execute("continue"))
    assert bug.execute("goto h@3").ok
    assert "h@3" in str(bug.execute("where"))

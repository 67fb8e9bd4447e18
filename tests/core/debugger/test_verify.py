"""A scenario's promises, and every built-in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gradstep.core.base.errors import InputError
from gradstep.core.base.files import is_scenario
from gradstep.core.debugger.verify import (
    Verdict,
    promises,
    scenarios_in,
    script_beside,
)
from gradstep.core.scenario.scenario import builtin_names, load

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """# a lesson
gradstep = 1
program = "y = a * x"
[inputs]
a = 2
x = [1, 2]
[seed]
y = [1, 1]
[expect]
"y" = [2, 4]
"a.grad" = 3
"x" = [1, nan]
"""


def verdicts(path: str | Path) -> list[Verdict]:
    return [keep() for keep in promises(path).values()]


@pytest.mark.parametrize("name", builtin_names())
def test_every_lesson_keeps_its_promises(name: str) -> None:
    found = verdicts(name)
    asks = ["questions"] * (name in ("matmul", "three_layer"))
    assert [one.kind for one in found] == ["expect", *asks, "script"]
    assert all(one.code == 0 for one in found), [one.failures for one in found]
    assert all(one.held >= 3 for one in found if one.kind != "questions")


@pytest.mark.parametrize("name", builtin_names())
def test_every_script_tells_a_story_and_asserts(name: str) -> None:
    script = script_beside(load(name))
    assert script is not None
    lines = script.read_text().splitlines()
    assert sum(line.startswith(("assert", "expect")) for line in lines) >= 3
    assert any(line.startswith("#") for line in lines)


def test_what_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text(TEXT)
    [verdict] = verdicts(path)
    assert (verdict.kind, verdict.code, verdict.held) == ("expect", 1, 2)
    [failure] = verdict.failures
    assert failure.startswith(f"{path}:12:1: x[1] is 2, expected nan, inf apart")
    assert "1 of 2 elements differs" in failure
    path.write_text(TEXT.replace("nan]", "inf]"))
    [verdict] = verdicts(path)
    assert "x[1] is 2, expected inf, inf apart" in verdict.failures[0]
    path.write_text(TEXT.replace("nan]", "2]").replace('"a.grad" = 3', '"a.grad" = 4'))
    [verdict] = verdicts(path)
    assert verdict.failures[0].startswith(f"{path}:11:1: a.grad is 3, expected 4, 1")


def test_a_script_beside_is_run(tmp_path: Path) -> None:
    path, script = tmp_path / "one.toml", tmp_path / "one.gs"
    path.write_text(TEXT.partition("[expect]")[0])
    assert verdicts(path) == []
    script.write_text("goto end\nassert a.grad == 3\n")
    [verdict] = verdicts(path)
    assert (verdict.kind, verdict.code, verdict.held) == ("script", 0, 2)
    script.write_text("goto end\nassert a.grad == 4\n")
    assert verdicts(path)[0].code == 1
    script.write_text("fish")
    assert verdicts(path)[0].code == 2
    script.write_text("")
    assert "empty" in verdicts(path)[0].failures[0]


def test_a_scenario_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("gradstep = 1\nprogram = 'y = q'\n")
    [verdict] = verdicts(path)
    assert (verdict.kind, verdict.code) == ("scenario", 2)
    assert verdict.failures[0].startswith(f"{path}:2:")


def test_folders_are_walked_for_scenarios(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.toml").write_text(TEXT)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'gradstep'\n")
    assert scenarios_in([tmp_path, "xor"]) == [tmp_path / "deep" / "one.toml", "xor"]
    assert not is_scenario(tmp_path / "pyproject.toml")
    assert not is_scenario(tmp_path / "missing.toml")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no scenario in it"):
        scenarios_in([tmp_path / "empty"])

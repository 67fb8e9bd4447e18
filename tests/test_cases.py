"""Public situations, retold as scenarios: each is answered in a few commands.

A folder of `cases` holds `scenario.toml`, the commands that lead to the cause in
`script.gs`, what has to be said in `expect.json`, and the source it was retold from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradstep import Debugger, load
from gradstep.tui.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = sorted(path.parent for path in Path(__file__).parent.glob("cases/*/script.gs"))
COUNT = 16


def name_of(case: Path) -> str:
    return case.name


def expected(case: Path) -> dict[str, Any]:
    found = json.loads((case / "expect.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def said(case: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Play the script of a case; return the exit code and all that is no echo."""
    scenario, script = str(case / "scenario.toml"), str(case / "script.gs")
    with pytest.raises(SystemExit) as ended:
        main(["play", scenario, "--script", script, "--echo"])
    lines = capsys.readouterr().out.splitlines()
    told = (line for line in lines if not line.startswith("(gradstep) "))
    return int(ended.value.code or 0), " ".join(told)


def test_all_cases_are_there() -> None:
    assert len(CASES) == COUNT


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_cause_is_told(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(case, capsys)
    assert code == 0
    words = expected(case)
    assert [one for one in words["must_say"] if one not in text] == []
    assert [one for one in words.get("must_not_say", ()) if one in text] == []


def smallest(name: str, *lines: str) -> Iterator[str]:
    """Yield what is answered to some lines at the end of the smallest scenario."""
    (case,) = (one for one in CASES if one.name == name)
    debugger = Debugger(load(case / "smallest.toml"))
    for line in ("goto end", *lines):
        reply = debugger.execute(line)
        assert reply.ok, reply.error
        yield " ".join(reply.text)


def test_the_smallest_nan_was_made_by_two_infinities() -> None:
    _, text = smallest("02_masked_row", "why y")
    assert "∞ − ∞ is NaN" in text
    assert "made by subtract" in text
    assert "given like this" not in text


def test_the_smallest_zero_is_an_underflow() -> None:
    _, text = smallest("21_cosine_of_zeros", "why y")
    assert "underflow" in text
    assert "a = 1e-30" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("01_mse_n_by_n", ("(2,)", "(2, 1)", "(2, 2)", "broadcast")),
        ("18_double_softmax", ("softmax", "cross_entropy")),
    ],
)
def test_the_smallest_loss_is_remarked_on(name: str, words: tuple[str, ...]) -> None:
    _, text = smallest(name, "why L")
    assert [word for word in words if word not in text] == []


def test_the_smallest_mean_in_half_precision() -> None:
    """1 / 65520 by hand; jax 0.10.2 has 1.526e-05."""
    _, text = smallest("15_half_ties", "assert close(x.grad, 1.526e-05, 0.01)")
    assert text.startswith("holds")

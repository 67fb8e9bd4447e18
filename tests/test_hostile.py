"""Inputs that mean harm: each is refused in a moment, with its place, and does nothing.

`hostile.py` has the tables of what is tried, and runs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

import hostile
from patience import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from hostile import Case

_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # kinds of signs that a terminal obeys
_MOST_SAID = 120_000  # characters: a long name is said as it was given


def wrong_with(case: Case, ended: dict[str, Any]) -> list[str]:
    """Return what is not as it has to be."""
    said = ended["out"] + ended["err"]
    acting = {c for c in said if c != "\n" and unicodedata.category(c) in _ACTING}
    is_refused = case.code == hostile.REFUSED
    tests = {
        f"it ended with {ended['code']}": ended["code"] != case.code,
        f"it took {ended['seconds']} s": ended["seconds"] >= hostile.SECONDS,
        f"it took {ended['mebibytes']} MB": ended["mebibytes"] >= hostile.MEBIBYTES,
        "a traceback": "Traceback" in said or "a bug in gradstep" in said,
        f"signs that act: {acting}": bool(acting),
        "nothing is said": is_refused and not ended["err"].strip(),
        f"{case.place} is not said": is_refused and case.place not in ended["err"],
        "too much is said": len(ended["err"]) > _MOST_SAID,
    }
    return [text for text, is_so in tests.items() if is_so]


def test_there_are_more_than_three_hundred_of_them() -> None:
    cases = [case for family in hostile.FAMILIES.values() for case in family()]
    assert len(cases) > 300
    assert sum(case.code == hostile.REFUSED for case in cases) > 300


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each needs a process of its own")
@pytest.mark.parametrize("family", hostile.FAMILIES)
def test_what_means_harm_is_refused_in_a_moment(family: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, hostile.__file__, family, tmp_path],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    cases = list(hostile.FAMILIES[family]())
    faults = [
        f"{case.name} ({' '.join(case.arguments)[:200]}): {', '.join(wrong)}\n"
        f"   {ended['err'][:300]}"
        for case, ended in zip(cases, ends, strict=True)
        if (wrong := wrong_with(case, ended))
    ]
    assert not faults, "\n".join(faults)
    # Nobody has written anything but the files that each case began with.
    folders = {str(number): set(case.files) for number, case in enumerate(cases)}
    for name, files in folders.items():
        assert {path.name for path in (tmp_path / name).iterdir()} == files


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ({"code": 0}, "it ended with 0"),
        ({"seconds": 2.5}, "it took 2.5 s"),
        ({"mebibytes": 401}, "it took 401 MB"),
        ({"err": "s.toml:1: Traceback"}, "a traceback"),
        ({"err": "s.toml:1: \x1b[2J"}, "signs that act"),
        ({"err": " "}, "nothing is said"),
        ({"err": "wrong"}, "s.toml is not said"),
        ({}, ""),
    ],
)
def test_the_judge_notices(ended: dict[str, Any], said: str) -> None:
    case = hostile.Case("", (), {}, hostile.REFUSED, "s.toml")
    good = {
        "code": 2,
        "seconds": 0.1,
        "mebibytes": 40,
        "out": "",
        "err": "s.toml:1: no",
    }
    assert said in " ".join(wrong_with(case, good | ended))
    assert bool(wrong_with(case, good | ended)) == bool(said)

"""Which tests `make stress` runs many times."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from spawned import finished
from stress import TESTS, has_clock

if TYPE_CHECKING:
    from pathlib import Path


def _wait() -> None:
    time.sleep(0)


def _wait_long() -> None:
    time.sleep(0.001)


@pytest.fixture
def _process() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", ""])


def _calls_what_waits() -> None:
    _wait_long()


def _has_a_fixture(_process: subprocess.Popen[bytes]) -> None:
    pass


def _calls_itself() -> None:
    _calls_itself()


def _reads_a_library() -> None:
    json.loads("{}")
    _wait()


@pytest.mark.parametrize("function", [_wait_long, _calls_what_waits, _has_a_fixture])
def test_a_clock_is_found_in_what_a_test_uses(function: object) -> None:
    assert has_clock(function)


@pytest.mark.parametrize("function", [_wait, _calls_itself, _reads_a_library])
def test_a_test_without_a_clock_runs_once(function: object) -> None:
    assert not has_clock(function)


def test_only_those_with_a_clock_run_again(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text(
        "import time\ndef test_a(): time.sleep(0.001)\ndef test_b(): pass\n",
        "utf-8",
    )
    words = ("-m", "pytest", "-p", "stress", "-p", "no:cacheprovider", "-v", ".")
    more = {"STRESS_TIMES": "3", "PYTHONPATH": str(TESTS)}
    said = finished(*words, folder=tmp_path, more=more).stdout
    assert "3 passed, 1 deselected" in said
    assert "test_a[2] PASSED" in said

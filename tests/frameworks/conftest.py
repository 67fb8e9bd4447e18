"""Tests that need a framework: left out where it is not installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each program: how many arrays were compared, and the worst relative difference.
COMPARED: dict[str, tuple[int, float]] = {}


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave the kind of numbers as it is: programs choose another one for themselves.

    With float64 nothing is computed in fewer bits, whatever a test asks for.
    """
    torch = sys.modules.get("torch")
    before = torch.get_default_dtype() if torch else None
    yield
    if torch is not None and before is not None:
        torch.set_default_dtype(before)


@pytest.fixture
def compared() -> dict[str, tuple[int, float]]:
    """Return what was compared, to add to."""
    return COMPARED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many arrays of each program were compared, and how well they agree."""
    for name, (count, worst) in sorted(COMPARED.items()):
        terminalreporter.write_line(f"{name:16} {count:5} arrays, worst {worst:.1e}")
    if COMPARED:
        total = sum(count for count, _ in COMPARED.values())
        terminalreporter.write_line(f"{'all':16} {total:5} arrays")

"""Values and gradients are those that PyTorch had when they were written down."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torch_numbers import CASES, NUMBERS, seed_of

sys.path[:0] = [str(Path(__file__).parent / "core")]

from runs import number, run_of  # noqa: E402  # pyright: ignore[reportMissingImports]

KEPT: dict[str, Any] = json.loads(NUMBERS.read_text("utf-8"))


def test_every_program_has_its_numbers() -> None:
    assert set(KEPT) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_of_pytorch(name: str) -> None:
    case, kept = CASES[name], KEPT[name]
    y = np.array(kept["y"], float)
    run = run_of(case.here, seed=seed_of(y.shape), **case.leaves)
    found = run.value(run.graph.output)
    assert found.shape == y.shape
    np.testing.assert_allclose(found, y, rtol=1e-12, atol=1e-13)
    for leaf in case.leaves:
        if leaf not in kept:
            continue
        gradient = run.gradients[number(run, leaf)]
        right = np.array(kept[leaf], float)
        gradient = np.zeros(right.shape) if gradient is None else gradient
        np.testing.assert_allclose(gradient, right, rtol=1e-11, atol=1e-12)

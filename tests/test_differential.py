"""Random programs beside PyTorch, where there is one; `differential.py` tries more."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import numpy as np
import pytest

import differential
from differential import ONE, TWO, Form, differences, draw
from runs import run_of  # pyright: ignore[reportMissingImports]


@pytest.fixture(name="torch")
def _torch() -> Any:
    return pytest.importorskip("torch", reason="the other side is not there")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(4))
def test_random_programs_agree_with_pytorch(torch: Any, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  # no secret
    for _ in range(50):
        drawn = draw(rng, torch)
        assert differences(drawn, torch) == [], drawn.here


@pytest.mark.filterwarnings("ignore")
def test_a_program_that_is_another_one_is_noticed(
    torch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(differential, "ONE", [Form("sin({a})", "cos({a})")])
    monkeypatch.setattr(differential, "TWO", [])
    rng = random.Random(1)  # noqa: S311  # no secret
    drawn = [draw(rng, torch) for _ in range(20)]
    assert any(differences(one, torch) for one in drawn)


@pytest.mark.parametrize("form", [*ONE, *TWO], ids=lambda form: form.here)
def test_each_form_is_a_program(form: Form) -> None:
    names = "ab" if form in TWO else "a"
    shapes = product(differential._LEAVES, repeat=len(names))
    fitting = [shape for shape in shapes if form.fits(*shape)]
    assert fitting
    for some in fitting[:3]:
        leaves: dict[str, Any] = {
            name: np.full(shape, 0.5) for name, shape in zip(names, some, strict=True)
        }
        run = run_of(f"y = sum({form.here.format(a='a', b='b', n=0)})", **leaves)
        assert np.isfinite(run.values[-1]).all()

"""The examples of all operations, and one operation run alone."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.core.engine.graph import Builder
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.ops import OPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ops_examples import Case, Corner, Example

_TABLES = [
    importlib.import_module(path.stem)
    for path in sorted(Path(__file__).parent.glob("ops_examples*.py"))
]
EXAMPLES: Mapping[str, Example] = {
    name: example for table in _TABLES for name, example in table.EXAMPLES.items()
}
CORNERS: Sequence[Corner] = [corner for table in _TABLES for corner in table.CORNERS]
every_op = pytest.mark.parametrize("name", EXAMPLES)


def cases_of(name: str) -> list[Case]:
    """Return what is drawn for an operation; nothing is shrunk, for nothing fails."""
    found: list[Case] = []

    @settings(max_examples=25, deadline=None)
    @given(EXAMPLES[name].cases)
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def leaves_of(build: Builder, case: Case) -> dict[int, Any]:
    """Add the operands of a case to a graph, and return their arrays by node."""
    leaves: dict[int, Any] = {}
    for count, operand in enumerate(case.operands):
        array = np.asarray(operand)
        kind = "input" if array.dtype.kind == "f" else "constant"
        leaves[build.leaf(f"x{count}", kind, array.shape)] = array
    return leaves


def run_of_case(name: str, case: Case, salt: int) -> Run:
    """Run one operation alone, with a seed that tells its elements apart."""
    build = Builder()
    leaves = leaves_of(build, case)
    op = OPS[name]
    with np.errstate(all="ignore"):
        shape = np.shape(op.forward(*case.operands, **case.attributes))
    y = build.apply(op, tuple(leaves), case.attributes, "y", shape=shape)
    seed = np.random.default_rng(salt).uniform(0.5, 2.0, shape)
    return evaluate(build.finish(y), leaves, seed)


def an_element(draw: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(draw(st.integers(0, size - 1)) for size in shape)

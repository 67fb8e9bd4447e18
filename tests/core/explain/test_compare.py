"""Two runs side by side: what differs, where most, and what is the same place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradstep.core.engine.patches import Patches
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.engine.trace import Trace
from gradstep.core.explain.compare import Comparison, compare, same_place
from gradstep.core.program.build import Leaf, build

# By hand: h = [3, 8], y = [3.5, 8.5], E = 84.5; y.grad = h.grad = b.grad = [7, 17],
# x.grad = [21, 68], w.grad = [7, 34].
PROGRAM = "h = x * w\ny = h + b\nE = sum(y * y)"
LEAVES = {"x": [1.0, 2.0], "w": [3.0, 4.0], "b": [0.5, 0.5]}


def run_of(**changed: object) -> Run:
    leaves = {
        name: Leaf("input", np.asarray(value))
        for name, value in {**LEAVES, **changed}.items()
    }
    built = build(PROGRAM, leaves)
    return evaluate(built.graph, built.leaves)


def without(run: Run, consumer: str, argument: int) -> Run:
    """Return the run with one edge cut."""
    edge = (run.graph.node(consumer).index, argument)
    return run.patched(Patches(cuts=frozenset([edge])))


def rows(found: Comparison) -> list[tuple[str, tuple[int, ...], float]]:
    return [(one.name, one.index, one.size) for one in found.values]


def test_what_differs_comes_in_the_order_of_the_passes() -> None:
    found = compare(run_of(), run_of(b=[0.5, 1.5]))
    # E = 3.5² + 9.5² = 102.5
    assert rows(found) == [
        *(("b", (1,), 1), ("y", (1,), 1)),
        *(("E._1", (1,), 18), ("E", (), 18)),
    ]
    gradients = [(one.name, one.index, one.size) for one in found.gradients]
    # A gradient is there when the last contribution to it is in.
    assert gradients == [
        *(("y", (1,), 2), ("h", (1,), 2), ("b", (1,), 2)),
        *(("x", (1,), 8), ("w", (1,), 4)),
    ]


def test_the_gradient_of_the_output_is_the_first_of_all() -> None:
    run = run_of()
    other = evaluate(run.graph, run.leaves, np.float64(2.0))
    names = [one.name for one in compare(run, other).gradients]
    assert names == ["E", "E._1", "y", "h", "b", "x", "w"]


def test_a_comparison_is_true_where_anything_differs() -> None:
    run = run_of()
    difference = compare(run, run_of(b=[0.5, 1.5])).values
    assert not compare(run, run_of())
    assert Comparison(difference, ())
    assert Comparison((), difference)


def test_a_difference_in_words() -> None:
    found = compare(run_of(), run_of(b=[0.5, 1.5]))
    assert found.values[0].text(gradient=False) == "b[1]: 0.5 → 1.5"
    assert found.values[-1].text(gradient=False) == "E: 84.5 → 102.5"
    assert found.gradients[-1].text(gradient=True) == "w.grad[1]: 34 → 38"


def test_a_gradient_that_one_run_does_not_have_in_words() -> None:
    run = run_of()
    cut = without(run, "y", 1)
    (gone,) = compare(run, cut).gradients
    assert gone.text(gradient=True) == "b.grad: [7, 17] → no gradient"
    (come,) = compare(cut, run).gradients
    assert come.text(gradient=True) == "b.grad: no gradient → [7, 17]"
    assert gone.size == come.size == np.inf


@pytest.mark.parametrize(
    ("before", "after", "index", "size"),
    [
        ([1.0, 1.0], [1.5, 1.25], (0,), 0.5),
        ([1.0, 1.0], [1.0, 0.75], (1,), 0.25),
        ([np.nan, 1.0], [np.nan, 1.5], (1,), 0.5),
        ([1.0, np.nan], [3.0, 1.0], (1,), np.inf),
        ([1.0, 1.0], [3.0, np.inf], (1,), np.inf),
        ([np.inf, 1.0], [np.inf, 3.0], (1,), 2.0),
        ([np.inf, 1.0], [-np.inf, 3.0], (0,), np.inf),
    ],
)
def test_the_element_that_differs_most(
    before: Any, after: Any, index: tuple[int, ...], size: float
) -> None:
    assert rows(compare(run_of(b=before), run_of(b=after)))[0] == ("b", index, size)


def test_nan_is_equal_to_nan() -> None:
    assert not compare(run_of(b=[np.nan, 1.0]), run_of(b=[np.nan, 1.0]))


def test_every_place_is_itself_in_the_same_run() -> None:
    run = run_of()
    trace = Trace(run, {run.graph.node(name).index: run.leaves[0] for name in "xw"})
    # 4 operations, the seed, 7 edges and 2 updates
    assert len(trace) == 14
    for position in range(15):
        assert same_place(trace, position, trace) == position


def test_what_the_other_run_has_no_event_for_is_passed_over_on_the_way_back() -> None:
    run = run_of()
    trace = Trace(run, {run.graph.node("w").index: run.leaves[0]})
    assert same_place(trace, 13, Trace(run)) == 12  # no update there
    cut = Trace(without(run, "y", 1))
    edge = trace.edge_event(run.graph.node("y").index, 1)
    assert edge is not None
    assert same_place(trace, edge, cut) == edge
    assert same_place(trace, edge + 1, cut) == edge
    assert same_place(trace, edge + 2, cut) == edge + 1

"""Evaluation: the same numbers whichever way they come about."""

from __future__ import annotations

import platform
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.base.errors import InputError, RuleError
from gradstep.core.engine.backward import broadcast_axes, reduce_to
from gradstep.core.engine.graph import Builder, Graph
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.run import Run, evaluate, forward
from gradstep.core.ops import OPS
from gradstep.core.program.build import Leaf, build
from runs import (
    contribution,
    edge,
    number,
    op_of,
    patched,
    program_of,
    programs,
    run_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradstep.core.program.build import Program


def same_bits(one: Any, two: Any) -> bool:
    """Tell whether two values are equal to the last bit; None is only like None."""
    if one is None or two is None:
        return one is two
    one, two = np.asarray(one), np.asarray(two)
    return (one.dtype, one.shape, one.tobytes()) == (
        two.dtype,
        two.shape,
        two.tobytes(),
    )


def assert_same(one: Run, two: Run) -> None:
    assert all(map(same_bits, one.values, two.values))
    assert all(map(same_bits, one.gradients, two.gradients))
    assert one.flows == two.flows
    assert len(one.writes) == len(two.writes)
    for left, right in zip(one.writes, two.writes, strict=True):
        assert left[:3] == right[:3]
        assert same_bits(left.before, right.before)
        assert same_bits(left.value, right.value)


def chain(length: int) -> Graph:
    """Return y = ((x · w + b) · w + b) …, of `length` operations."""
    build = Builder()
    x, w, b = (build.leaf(name, "parameter") for name in "xwb")
    for _ in range(length // 2):
        x = build.apply(OPS["multiply"], (x, w))
        x = build.apply(OPS["add"], (x, b))
    return build.finish(x)


# ------------------------------------------------------------------------- the laws


@given(programs())
def test_arrays_are_read_only(program: Program) -> None:
    run = evaluate(program.graph, program.leaves)
    for held in (*run.values, *run.gradients):
        if isinstance(held, np.ndarray):
            assert held.ndim
            assert not held.flags.writeable


@given(programs())
def test_a_gradient_is_the_sum_of_its_contributions(program: Program) -> None:
    run = evaluate(program.graph, program.leaves)
    for node in run.graph:
        parts = [
            contribution(run, consumer, argument)
            for consumer, argument, _ in run.graph.consumers[node.index]
            if run.carries(consumer, argument)
        ]
        if node.index == run.graph.output:
            parts.insert(0, np.asarray(run.seed))
        if not parts:
            assert run.gradients[node.index] is None
            continue
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        assert same_bits(total, run.gradients[node.index])


@given(programs(), st.data())
def test_a_base_changes_no_bit(program: Program, data: st.DataObject) -> None:
    plain = evaluate(program.graph, program.leaves)
    first = plain.patched(data.draw(patched(plain)))
    patches = data.draw(patched(plain))
    scratch = evaluate(program.graph, program.leaves, patches=patches)
    assert_same(plain.patched(patches), scratch)
    assert_same(first.patched(patches), scratch)
    assert_same(first.patched(Patches()), plain)


@given(programs(), st.data())
def test_what_does_not_change_is_not_computed_again(
    program: Program, data: st.DataObject
) -> None:
    run = evaluate(program.graph, program.leaves)
    floats = [n.index for n in run.graph if run.flows[n.index]]
    node = data.draw(st.sampled_from(floats))
    moved = run.patched(Patches(values={node: run.value(node) + 1}))
    for index in range(node):
        assert moved.values[index] is run.values[index]


@given(programs())
def test_values_are_those_of_forward_alone(program: Program) -> None:
    run = evaluate(program.graph, program.leaves)
    assert all(map(same_bits, forward(program.graph, program.leaves), run.values))


# ------------------------------------------------------------------- plain numbers

SCALAR = (
    "a = x * w + 2\nb = tanh(a) / w - x\ny = maximum(b, a) ** 2 * where(a > 0, a, b)"
)


def test_a_graph_of_scalars_has_the_same_numbers_without_the_short_cut() -> None:
    fast = run_of(SCALAR, x=0.75, w=-1.5)
    assert fast.graph.scalar
    assert {type(v) for v in fast.values} <= {float, int, np.float64, np.bool_, bool}
    # Patches take the way of arrays: here one that changes nothing.
    way = edge(fast, "a._1", "x")
    slow = fast.patched(Patches(rules={way: op_of(fast, "a._1").vjps[way[1]]}))  # pyright: ignore[reportArgumentType]
    for one, two in zip(
        [*fast.values, *fast.gradients], [*slow.values, *slow.gradients], strict=True
    ):
        assert (one is None) == (two is None)
        assert one is None or float(one) == float(two)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_scalars_of_a_lower_precision_keep_it(dtype: Any) -> None:
    run = run_of("y = (x * 2 + w) / 3", dtype, x=0.1, w=0.7)
    assert run.value(run.graph.output).dtype == dtype
    for name in "xwy":
        gradient = run.gradient(number(run, name))
        assert gradient is not None
        assert gradient.dtype == dtype


def test_division_by_zero_is_a_number() -> None:
    run = run_of("y = w / x + log(x) - x ** -1", x=0.0, w=1.0)
    assert np.isneginf(run.value(run.graph.output)) or np.isnan(
        run.value(run.graph.output)
    )
    assert run.gradient(number(run, "w")) == np.inf


def test_an_unused_leaf_and_a_dead_branch_have_no_gradient() -> None:
    run = run_of("u = x * w\ny = x + 1", x=2.0, w=3.0)
    assert run.gradient(number(run, "w")) is None
    assert run.gradient(number(run, "u")) is None
    assert run.gradient(number(run, "x")) == 1


def test_whole_numbers_take_no_gradient() -> None:
    run = run_of("y = sum(x[N] * N)", x=[1.0, 2.0, 3.0], N=[2, 0])
    assert run.gradient(number(run, "N")) is None
    assert np.array_equal(np.asarray(run.gradient(number(run, "x"))), [0, 0, 2])


def test_a_chain_of_a_million_nodes() -> None:
    graph = chain(1_000_000)
    run = evaluate(graph, {0: 1.5, 1: 0.999, 2: 0.001})
    assert len(graph) == 1_000_003
    # y = w^n x + b (w^n − 1) / (w − 1): a geometric series.
    power = 0.999**500_000
    assert run.value(graph.output) == pytest.approx((1 - power) / 0.001 * 0.001)
    assert run.gradient(0) == pytest.approx(power, rel=1e-6, abs=1e-300)
    assert run.gradient(2) == pytest.approx(1000, rel=1e-9)


def test_a_chain_of_arrays_does_not_recurse_either() -> None:
    build = Builder()
    x = start = build.leaf("x", "input", (1,))
    for _ in range(20_000):
        x = build.apply(OPS["negative"], (x,))
    run = evaluate(build.finish(x), {start: np.ones(1)}, np.ones(1))
    assert run.gradient(start) == 1


# ---------------------------------------------------------------------- broadcasting


@given(
    st.sampled_from([(2, 3), (3,), (1, 3), (2, 1), (1, 1), (1,), (), (4, 2, 3)]),
    st.sampled_from([(2, 3), (4, 2, 3)]),
)
def test_a_repeated_operand_is_reduced(
    narrow: tuple[int, ...], wide: tuple[int, ...]
) -> None:
    if len(narrow) > len(wide):
        narrow, wide = wide, narrow
    array = np.arange(float(np.prod(wide))).reshape(wide)
    ones = np.zeros(narrow)
    expected = np.zeros(narrow)
    for index in np.ndindex(*narrow):
        ones[index] = 1
        expected[index] = np.sum(array * np.broadcast_to(ones, wide))
        ones[index] = 0
    assert np.array_equal(reduce_to(array, narrow), expected)


def test_shapes_that_do_not_broadcast_are_refused() -> None:
    with pytest.raises(ValueError, match="does not broadcast"):
        broadcast_axes((2, 3), (2,))
    with pytest.raises(ValueError, match="does not broadcast"):
        broadcast_axes((2,), (1, 2))


# --------------------------------------------------------------------------- mistakes


def test_a_rule_of_a_wrong_shape_is_a_bug() -> None:
    run = run_of("y = sum(w @ x)", w=[[1.0, 2.0]], x=[3.0, 4.0])
    there = edge(run, "y._1", "w")
    rule: Callable[..., Any] = lambda g, y, w, x: np.outer(x, x)[:, :1]  # noqa: E731
    with pytest.raises(RuleError, match=r"matmul at y\._1 returned shape \(2, 1\)"):
        run.patched(Patches(rules={there: rule}))


def test_an_output_with_a_shape_needs_a_seed() -> None:
    with pytest.raises(InputError, match=r"the output y has shape \(2,\)"):
        run_of("y = x * 2", x=[1.0, 2.0])
    with pytest.raises(InputError, match=r"the seed has shape \(3,\)"):
        run_of("y = x * 2", seed=np.ones(3), x=[1.0, 2.0])


def test_a_leaf_of_a_wrong_shape_is_refused() -> None:
    run = run_of("y = sum(x)", x=[1.0, 2.0])
    with pytest.raises(InputError, match=r"shape \(3,\) stands where \(2,\)"):
        evaluate(run.graph, {0: np.ones(3)})


def test_what_is_given_is_copied_unless_it_is_read_only() -> None:
    x = np.ones(3)
    graph = run_of("y = sum(x * x)", x=x).graph
    run = evaluate(graph, {0: x})
    x[0] = 7
    assert np.array_equal(run.value(0), [1, 1, 1])
    x.setflags(write=False)
    assert evaluate(graph, {0: x}).values[0] is x


# ---------------------------------------------------------------------------- patches


def test_a_rule_that_writes_in_place_spoils_what_it_shares() -> None:
    run = run_of("y = relu(x) + x", seed=np.ones(2), x=[-1.0, 2.0])
    assert np.array_equal(np.asarray(run.gradient(0)), [1, 2])
    spoiled = run.patched(Patches(in_place=frozenset({edge(run, "y._1", "x")})))
    assert np.array_equal(np.asarray(spoiled.gradient(0)), [0, 2])
    # What the rule was given is still known.
    assert np.array_equal(np.asarray(spoiled.upstream(*edge(run, "y", "x"))), [1, 1])


def test_added_or_overwritten() -> None:
    run = run_of("y = a * a", a=3.0)
    assert run.gradient(0) == 6
    last = edge(run, "y", "a", 1)
    assert run.patched(Patches(overwrites=frozenset({last}))).gradient(0) == 3
    assert run.patched(Patches(cuts=frozenset({last}))).gradient(0) == 3


def test_a_cut_that_isolates_a_node_leaves_it_without_a_gradient() -> None:
    run = run_of("y = a * b", a=3.0, b=2.0)
    cut = run.patched(Patches(cuts=frozenset({edge(run, "y", "a")})))
    assert cut.gradient(0) is None
    assert cut.gradient(1) == 3


def test_a_gradient_that_is_set_goes_on_from_there() -> None:
    run = run_of("h = a * 2\ny = h * h + h", a=3.0)
    h = number(run, "h")
    moved = run.patched(Patches(gradients={h: 10.0}))
    assert (moved.gradient(h), moved.gradient(0)) == (10, 20)
    # Also where the edge that would have come last is cut.
    cuts = frozenset({edge(run, "y._1", "h", 1)})
    moved = run.patched(Patches(gradients={h: 10.0}, cuts=cuts))
    assert (moved.gradient(h), moved.gradient(0)) == (10, 20)


def test_a_value_that_is_set_moves_what_follows() -> None:
    run = run_of("h = a * 2\ny = h * h", a=3.0)
    h = number(run, "h")
    moved = run.patched(Patches(values={h: 5.0}))
    assert moved.value(run.graph.output) == 25
    assert moved.gradient(0) == 20
    assert run.value(run.graph.output) == 36


# ------------------------------------------------------------- numbers that do not fit


def test_nodes_without_a_name_are_called_by_their_number() -> None:
    graph = chain(4)
    assert [node.name for node in graph] == ["x", "w", "b", "_3", "_4", "_5", "_6"]
    assert graph.node("_4").op is OPS["add"]
    assert next(node.name for node in reversed(graph.nodes)) == "_6"


@pytest.mark.parametrize(
    ("text", "place", "shapes", "words"),
    [
        (
            "z = 2 * x\ny = sum(take(z, I))",
            "program:2:9: take at y._1",
            "z has shape (3,) and I has shape (2,)",
            "index 7 is out of bounds for axis 0 with size 3",
        ),
        (
            "y = sum(take(x, F))",
            "program:1:9: take at y._1",
            "x has shape (3,) and F has shape ()",
            "indices are whole numbers, not float64",
        ),
        (
            "y = cross_entropy(x, N)",
            "program:1:5: cross_entropy at y",
            "x has shape (3,) and N has shape ()",
            "there is no class 4; allowed: 0 … 2",
        ),
        (
            "y = sum(N ** -1 * x)",
            "program:1:9: power at y._1",
            "N has shape () and -1 has shape ()",
            "Integers to negative integer powers are not allowed",
        ),
        (
            "def f(x):\n    return sum(-(x > 0) * x)\ny = f(x)",
            "program:2:16: negative at y._2",
            "x > 0 has shape (3,)",
            "True and False are not numbers",
        ),
        (
            "z = x\ny = mse_loss(x > 0, x > 1)",
            "program:2:5: subtract at y.error",
            "x > 0 has shape (3,) and x > 1 has shape (3,)",
            "True and False are not numbers",
        ),
    ],
)
def test_numbers_that_an_operation_cannot_take(
    text: str, place: str, shapes: str, words: str
) -> None:
    program = program_of(text, x=[1.0, 2.0, 3.0], I=[0, 7], F=1.0, N=4)
    for call in (evaluate, forward):
        with pytest.raises(InputError) as caught:
            call(program.graph, program.leaves)
        assert str(caught.value).startswith(f"{place}: {shapes}: {words}; ")


@pytest.mark.parametrize("last", ["sum(y)", "sum(y * B)"])
def test_a_mask_that_chooses_more_than_before(last: str) -> None:
    run = run_of(f"y = x[x > 0]\nE = {last}", x=[1.0, -2.0, 3.0], B=[1.0, 1.0])
    x = number(run, "x")
    same = run.patched(Patches(values={x: np.array([-1.0, 2.0, 3.0])}))
    assert same.value(run.graph.output) == 5
    with pytest.raises(
        InputError, match=r"getitem at y.*\(3,\) now, and \(2,\) before"
    ):
        run.patched(Patches(values={x: np.array([1.0, 2.0, 3.0])}))


# Rules hand on an array that repeats its numbers, where it is large, as a view of few.
_LONG = {
    "x": np.linspace(-1.0, 2.0, 6000).reshape(60, 100),
    "w": np.linspace(0.5, -0.3, 700).reshape(100, 7),
}


@pytest.mark.parametrize(
    ("text", "by_hand"),
    [
        ("E = sum(x)", lambda x, w: np.ones_like(x)),
        ("E = mean(x ** 2)", lambda x, w: 2 * x / x.size),
        ("E = sum(mean(x, axis=1) ** 2)", lambda x, w: _means(x, 1) * 2 / 100),
        (
            "E = sum(sum(x ** 2, axis=0, keepdims=True) ** 2)",
            lambda x, w: 4 * x * (x**2).sum(0),
        ),
        ("E = sum(x @ w)", lambda x, w: np.ones((60, 7)) @ w.T),
        ("E = mean(x, axis=None) * mean(x - mean(x))", lambda x, w: 0 * x),
    ],
)
def test_gradients_that_repeat_their_numbers(text: str, by_hand: Any) -> None:
    leaves = {name: Leaf("input", array) for name, array in _LONG.items()}
    program = build(text, leaves)
    run = evaluate(program.graph, program.leaves)
    gradient: Any = run.gradient(program.graph.node("x").index)
    np.testing.assert_allclose(gradient, by_hand(**_LONG), rtol=1e-12, atol=1e-15)


def _means(x: Any, axis: int) -> Any:
    return np.broadcast_to(x.mean(axis, keepdims=True), x.shape)


_FAULTS = """
import resource
import numpy as np
from gradstep.core.engine.run import evaluate
from gradstep.core.program.build import Leaf, build

x = np.ones((256, 512))
program = build("y = layer_norm(x)", {"x": Leaf("input", x)})
for turn in range(8):
    if turn == 3:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    evaluate(program.graph, program.leaves, x)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries keep memory their way"
)
def test_the_memory_of_one_run_serves_the_next() -> None:
    # Arrays of some 2,000 pages in each of five runs, and next to none is a new one.
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 1000

"""The fast backward pass is the one that is specified, to the last bit."""

from __future__ import annotations

import inspect
import tracemalloc
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.base.errors import InputError, RuleError
from gradstep.core.engine import fast, run
from gradstep.core.engine.backward import backward
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.patches import NO_PATCHES, Patches
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.ops import OPS
from gradstep.core.program.build import Leaf, build
from runs import edge, number, op_of, patched, program_of, programs, run_of, times

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradstep.core.program.build import Program


def specified(made: Run) -> Sequence[Any]:
    """Return the gradients of a run as the specification has them."""
    with np.errstate(all="ignore"):
        return backward(made.graph, made.values, made.flows, made.seed, made.patches)


def differs(made: Run) -> str:
    """Return the first node whose gradient is not the specified one, bit for bit."""
    for node, found, meant in zip(
        made.graph, made.gradients, specified(made), strict=True
    ):
        if (found is None) != (meant is None):
            return f"{node.name}: {found} for {meant}"
        if found is None or meant is None:
            continue
        one, two = np.asarray(found), np.asarray(meant)
        if one.shape != two.shape or one.dtype != two.dtype:
            return f"{node.name}: {one.dtype}{one.shape} for {two.dtype}{two.shape}"
        if one.tobytes() != two.tobytes():
            return f"{node.name}: {one} for {two}"
    return ""


@given(programs())
def test_the_fast_pass_is_the_specified_one(program: Program) -> None:
    assert differs(evaluate(program.graph, program.leaves)) == ""


@given(programs(), st.data())
def test_so_it_is_with_patches_and_on_top_of_another_run(
    program: Program, data: st.DataObject
) -> None:
    plain = evaluate(program.graph, program.leaves)
    first = data.draw(patched(plain))
    fresh = evaluate(program.graph, program.leaves, patches=first)
    assert differs(fresh) == ""
    # What is taken from a run that has other patches, or none, is the same again.
    second = data.draw(patched(plain))
    for base in (plain, fresh):
        for patches in (second, NO_PATCHES):
            made = base.patched(patches)
            assert differs(made) == ""


def recorded(made: Run) -> Run:
    """Return a run that takes the values of another one as they were recorded."""
    rows = made.graph.nodes.rows
    known = {row[0]: made.values[row[0]] for row in rows if row[3] is not None}
    return evaluate(made.graph, made.leaves, made.seed, known=known)


@given(programs(), st.data())
def test_so_it_is_in_whatever_order_gradients_are_looked_at(
    program: Program, data: st.DataObject
) -> None:
    plain = evaluate(program.graph, program.leaves)
    lazy, meant = recorded(plain), specified(plain)
    nodes = range(len(plain.graph))
    assert [lazy.arrives(node) for node in nodes] == [one is not None for one in meant]
    for node in data.draw(st.permutations(nodes)):
        assert lazy.values[node] is lazy.values[node]
        assert np.array_equal(lazy.values[node], plain.values[node], equal_nan=True)
        found = lazy.gradients[node]
        assert (found is None) == (meant[node] is None)
        assert found is None or np.array_equal(found, meant[node], equal_nan=True)
    assert differs(lazy) == ""


def test_recorded_values_are_taken_and_gradients_made_where_they_are_looked_at() -> (
    None
):
    x = np.full(1 << 15, 0.5)
    x.setflags(write=False)
    lines = [f"h{k + 1} = h{k} * h{k}" for k in range(40)]
    made = build("\n".join(["h0 = x", *lines, "E = sum(h40)"]), {"x": Leaf("input", x)})
    taken: list[int] = []

    class Known(dict[int, Any]):
        def __missing__(self, node: int) -> Any:
            taken.append(node)
            array = np.full(x.shape, 0.5 ** (2.0**node)) if node < 41 else 0.0
            return np.float64(array) if node == 41 else array

    known = Known({-1: None})
    tracemalloc.start()
    try:
        lazy = evaluate(made.graph, made.leaves, known=known)
        first = tracemalloc.get_traced_memory()[1]
        assert lazy.arrives(0)
        assert lazy.gradients[38] is not None
        some = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert first < x.nbytes
    assert some < 12 * x.nbytes
    assert set(taken) <= {38, 39, 40, 41}


def test_a_rule_that_fails_at_recorded_values_says_so_each_time() -> None:
    program = program_of("y = x[C]\nE = sum(y)", x=[1.0, 2.0, 3.0], C=[0, 1])
    plain = evaluate(program.graph, program.leaves)
    known = {row[0]: plain.values[row[0]] for row in program.graph.nodes.rows if row[3]}
    wrong = {
        index: np.array([0, 7]) if np.asarray(value).dtype.kind == "i" else value
        for index, value in program.leaves.items()
    }
    lazy = evaluate(program.graph, wrong, known=known)
    x = program.graph.names["x"]
    for _ in range(2):
        with pytest.raises(InputError, match="the backward pass fails"):
            _ = lazy.gradients[x]


SCALARS = ("{a} * {b}", "{a} + {b}", "sin({a})", "{a} / {b}", "maximum({a}, {b})")


@given(
    st.lists(
        st.tuples(st.sampled_from(SCALARS), st.integers(0, 9), st.integers(0, 9)),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([float, np.float64, np.float32]),
)
def test_so_it_is_for_plain_numbers(
    steps: list[tuple[str, int, int]], dtype: Any
) -> None:
    names = ["a", "b", "C"]
    lines: list[str] = []
    for count, (template, one, two) in enumerate(steps):
        picked = names[-1 - one % len(names)], names[-1 - two % len(names)]
        text = template.replace("{a}", picked[0]).replace("{b}", picked[1])
        lines.append(f"v{count} = {text}")
        names.append(f"v{count}")
    program = program_of("\n".join(lines), a=1.5, b=-0.75, C=2.0)
    leaves = {index: dtype(value) for index, value in program.leaves.items()}
    assert differs(evaluate(program.graph, leaves)) == ""


# ------------------------------------------------------------------- test the tester

TEXT = """\
h = w @ x
s = h + b
m = concatenate([s, s * s])
k = stop_gradient(m) * m
t = tanh(s + s) * c
E = sum(k * k) + sum(t) + sum(x * M)"""
LEAVES: dict[str, Any] = {
    "w": np.array([[0.5, -1.0], [0.25, 2.0]]),
    "x": np.array([[0.5, 1.5], [-0.25, 0.75]]),
    "b": np.array([0.5, -0.5]),
    "c": np.array([[0.5], [2.0]]),
    "M": np.array([[True, False], [True, True]]) * 1.0,
}


def cases() -> list[Run]:
    """Return a few runs that take every turn of the fast pass."""
    plain = run_of(TEXT, **LEAVES)
    last, other = edge(plain, "h", "x"), edge(plain, "s", "h")
    w, s = number(plain, "w"), number(plain, "s")
    several = [
        Patches(values={w: LEAVES["w"] + 1.0}),
        Patches(values={number(plain, "t"): np.full((2, 2), 0.25)}),
        Patches(gradients={s: np.full((2, 2), 0.5)}),
        Patches(gradients={plain.graph.output: np.float64(2.0)}),
        Patches(cuts=frozenset({other})),
        Patches(rules={last: times(0.5, op_of(plain, "h"), last[1])}),
        Patches(overwrites=frozenset({last, other})),
        Patches(in_place=frozenset({edge(plain, "k", "m")})),
    ]
    made = [evaluate(plain.graph, plain.leaves, patches=one) for one in several]
    made += [plain.patched(one) for one in several]
    made += [one.patched(NO_PATCHES) for one in made]
    numbers = run_of("y = a * b + a\nE = exp(sin(y) * C) * a", a=0.5, b=2.0, C=3.0)
    curved = run_of("E = tanh(a * b)", a=0.5, b=2.0)
    made.append(curved.patched(Patches(values={curved.graph.output: np.float64(0.25)})))
    return [plain, numbers, *made]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("name", "target", "gradient"),
    [
        # at 1 the slope of x · Φ(x), by mpmath: Φ(1) + φ(1)
        ("gelu", [], [1.0833154705876864, 1.0833154705876864]),
        ("cross_entropy", [np.array(0)], [-0.5, 0.5]),  # softmax less what is right
    ],
)
def test_slopes_that_forward_has_found_are_handed_on(
    name: str, target: list[Any], gradient: list[float], dtype: Any
) -> None:
    op, handed = OPS[name], list[Any]()

    def watched(*arrays: Any, slopes: Any = None, **attributes: Any) -> Any:
        handed.append(slopes)
        rule = op.vjp(0)
        return rule and rule(*arrays, slopes=slopes, **attributes)

    builder = Builder()
    arrays = [np.ones(2, dtype), *target]
    leaves = {
        builder.leaf(f"x{k}", "constant" if k else "input", one.shape): one
        for k, one in enumerate(arrays)
    }
    row = op._replace(vjps=(watched, *op.vjps[1:]))
    graph = builder.finish(builder.apply(row, tuple(leaves), {}, "y"))
    made = evaluate(graph, leaves, np.ones(graph.nodes[graph.output].shape))
    found, [slopes] = made.gradient(0), handed
    assert found is not None
    assert slopes is not None
    np.testing.assert_allclose(found, gradient, 1e-6)


def test_slopes_that_are_handed_on_take_no_room_of_their_own() -> None:
    x = np.full(1 << 18, 0.5)
    x.setflags(write=False)
    lines = [f"h{k + 1} = gelu(h{k})" for k in range(8)]
    made = build("\n".join(["h0 = x", *lines, "E = sum(h8)"]), {"x": Leaf("input", x)})
    tracemalloc.start()
    try:
        found = evaluate(made.graph, made.leaves)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found.graph) == 10
    # Eight values, and nine gradients, of which each takes the place of slopes.
    assert most < 18.5 * x.nbytes


def test_the_cases_are_as_specified() -> None:
    assert [differs(made) for made in cases()] == [""] * len(cases())


# Each a mistake that somebody could make in the fast pass.
BROKEN = (
    ("_hand_on", "addend if before is None else frozen(before + addend)", "addend"),
    ("_hand_on", "given[argument + 2]", "given[1]"),
    ("_hand_on", "fits and addend.shape == shape", "fits"),
    ("_hand_on", "total(addend, axes)", "total(addend)"),
    ("patched", "edge in patches.cuts", "False"),
    ("patched", "patches.rules.get(edge, rule)", "rule"),
    ("patched", "edge in patches.in_place", "False"),
    ("patched", "edge == last_edge.get(operand)", "False"),
    ("patched", "graph.output in patches.gradients", "False"),
    ("patched", "(chosen == 0).tolist()", "(chosen == 0).tolist()[1:]"),
    ("_add", "edge in patches.overwrites", "False"),
    ("_add", "frozen(before + addend)", "frozen(addend)"),
    ("_spread", "gradient is upstream", "False"),
    ("_changed", "wanted[index] = 1", "pass"),
    ("_changed", "or values[index] is not base.values[index]", ""),
    ("numbers", "by_one is not None", "False"),
    ("numbers", "by_two(upstream, value, left, right)", "upstream"),
    ("numbers", "addend if before is None else before + addend", "addend"),
)


@pytest.mark.parametrize(("name", "right", "wrong"), BROKEN)
def test_a_broken_fast_pass_is_noticed(
    name: str, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = inspect.getsource(getattr(fast, name))
    assert right in source
    broken = ModuleType("broken")
    vars(broken).update(vars(fast))
    text = "from __future__ import annotations\n" + source.replace(right, wrong)
    exec(compile(text, "broken", "exec"), vars(broken))  # noqa: S102  # our own text
    changed: Callable[..., Any] = vars(broken)[name]
    monkeypatch.setattr(fast, name, changed)
    monkeypatch.setattr(run, "fast", fast)

    def noticed() -> bool:
        try:
            return any(differs(made) for made in cases())
        except (RuleError, ArithmeticError, LookupError, TypeError, ValueError):
            return True

    assert noticed()

"""What is looked at in parts is to the last bit what the whole would be.

Large arrays are never gone through where a part of them will do. Here the ways that
lead there are held against the whole computation, over small shapes.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import EXAMPLES, an_element, every_op, run_of_case
from gradstep.core.base import cache as recent
from gradstep.core.base.cache import Recent
from gradstep.core.engine import measure as summary
from gradstep.core.engine import trace
from gradstep.core.engine.cells import products, slopes
from gradstep.core.engine.copies import views
from gradstep.core.engine.graph import Edge
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.engine.trace import Contribution, Trace
from gradstep.core.explain import factors, gradients
from gradstep.core.explain.factors import local_factors
from gradstep.core.explain.gradients import explain_gradient
from gradstep.core.explain.values import explain_value
from gradstep.core.explain.why import answer, spread, why
from gradstep.core.ops import OPS
from gradstep.core.words import events as describe
from gradstep.core.words.numbers import value_text
from replays import assert_is_a_replay
from runs import number, patched, programs, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.core.program.build import Program

NUMBERS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf]), st.floats()
)


@contextmanager
def limits(module: Any, **values: int) -> Iterator[None]:
    """Let another limit hold for a while; hypothesis needs it for each example."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setattr(module, name, value)
        yield


@contextmanager
def everything_is_large() -> Iterator[None]:
    """Treat every array as one of millions."""
    with limits(trace, _LARGE=0, _MOST_AT_ONCE=0, _SHORT=0), limits(gradients, _FEW=0):
        yield


def a_window(draw: Any, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Draw a part of an array."""
    bounds = st.tuples(st.integers(0, 3), st.integers(1, 4), st.sampled_from([1, 2]))
    return tuple(slice(*draw(bounds)) for _ in shape)


# --------------------------------------------------------------------- the factors


@every_op
@given(data=st.data())
def test_factors_are_those_of_a_one_through_the_whole_jvp(name: str, data: Any) -> None:
    run = run_of_case(name, data.draw(EXAMPLES[name].cases), 0)
    node = run.graph.nodes[run.graph.output]
    for argument, operand in enumerate(node.operands):
        array, rule = run.value(operand), OPS[name].jvp(argument)
        if not array.size or rule is None or not run.carries(node.index, argument):
            continue
        index = an_element(data.draw, array.shape)
        places, local = local_factors(run, Edge(node.index, argument, operand), index)
        one = np.zeros_like(array)
        one[index] = 1
        operands = [run.values[i] for i in node.operands]
        with np.errstate(all="ignore"):
            whole = rule(one, run.values[node.index], *operands, **node.attributes)
        whole = np.broadcast_to(whole, node.shape).astype(float)
        found = np.zeros(whole.size)
        found[places] = local
        assert sorted(places.tolist()) == places.tolist()
        np.testing.assert_allclose(found, whole.ravel(), rtol=1e-13, atol=1e-300)
        assert set(np.flatnonzero(whole)) <= set(places.tolist())


@every_op
@given(data=st.data())
def test_sources_are_those_of_a_one_through_the_whole_vjp(name: str, data: Any) -> None:
    """Of a block there may be more: what the result depends on with a slope of 0."""
    run = run_of_case(name, data.draw(EXAMPLES[name].cases), 0)
    node = run.graph.nodes[run.graph.output]
    op, y = OPS[name], run.value(run.graph.output)
    if op.kind not in ("move", "gather", "block") or not y.size:
        return
    index = an_element(data.draw, y.shape)
    found = {
        (factor.node, factor.index): factor.value
        for term in explain_value(run, node.index, index).terms
        for factor in term
    }
    one = np.zeros_like(y)
    one[index] = 1
    operands = [run.values[i] for i in node.operands]
    expected: dict[Any, float] = {}
    for argument, operand in enumerate(node.operands):
        rule, array = op.vjp(argument), run.value(operand)
        is_index = op.kind == "block" or (op.kind == "gather" and argument > 0)
        if rule is None or (is_index and array.dtype.kind != "f"):
            continue
        sent = rule(one[()], run.values[node.index], *operands, **node.attributes)
        for place in np.argwhere(np.broadcast_to(sent, array.shape) != 0).tolist():
            expected[operand, tuple(place)] = float(array[tuple(place)])
    more = found.items() - expected.items()
    assert expected.items() <= found.items()
    assert not more or op.kind == "block"
    for operand, place in (key for key, _ in more):
        assert moves(run, (operand, place), index) == (not op.mixes)


def moves(run: Run, source: tuple[int, tuple[int, ...]], index: Any) -> bool:
    """Tell whether an element of the output is another one where a source is NaN."""
    operand, place = source
    node = run.graph.nodes[run.graph.output]
    arrays = [np.array(run.values[i]) for i in node.operands]
    for array, mine in zip(arrays, node.operands, strict=True):
        if mine == operand:
            array[place] = np.nan
    with np.errstate(all="ignore"):
        made = np.asarray(
            OPS[str(node.op and node.op.name)].forward(*arrays, **node.attributes)
        )
    return not np.array_equal(made[index], run.value(node.index)[index])


@pytest.mark.parametrize("name", [op.name for op in OPS.values() if op.view])
@given(data=st.data())
def test_an_element_that_moves_is_found_on_both_sides(name: str, data: Any) -> None:
    run = run_of_case(name, data.draw(EXAMPLES[name].cases), 0)
    node = run.graph.nodes[run.graph.output]
    for argument, operand in enumerate(node.operands):
        array = run.value(operand)
        seen = views(run, node, argument)
        if seen is None or not array.size:
            continue
        index = an_element(data.draw, array.shape)
        box = seen.into(index)
        if box is None:
            continue
        here = tuple(span.start for span in box)
        source = seen.source(here)
        assert source == tuple(range(i, i + 1) for i in index)
        assert run.value(node.index)[here] == array[index]


@pytest.mark.parametrize(
    "text",
    [
        "y = x.T",
        "y = x[1:, ::-2]",
        "y = flip(reshape(x, (6, 4)), axis=0)[2]",
        "y = concatenate([x, x * 1], axis=1)[:, 4:]",
        "y = broadcast_to(x[:, None], (4, 3, 6))",
        "y = pad(x, 1)[1:-1]",
        "y = stack([x * 2, x], axis=1)",
        "y = split(x, 2, axis=1)[1]",
    ],
)
def test_places_of_large_arrays_are_found_without_going_through_them(text: str) -> None:
    run = run_of(f"{text}\nE = sum(y * y)", x=np.arange(1.0, 25.0).reshape(4, 6))
    for node in run.graph:
        if node.op is not None and node.op.kind in ("move", "gather"):
            assert views(run, node, 0) is not None


# -------------------------------------------------------------------- lazy arrays


@pytest.mark.parametrize(
    "name", [op.name for op in OPS.values() if op.kind in ("elementwise", "reduce")]
)
@given(data=st.data())
def test_a_part_of_slopes_and_products_is_that_of_the_whole(
    name: str, data: Any
) -> None:
    run = run_of_case(name, data.draw(EXAMPLES[name].cases), 3)
    node, op = run.graph.nodes[run.graph.output], OPS[name]
    for argument, operand in enumerate(node.operands):
        rule = op.vjp(argument)
        if rule is None or not run.carries(node.index, argument):
            continue
        operands = [run.values[i] for i in node.operands]
        y = run.values[node.index]
        lazy = slopes(run, node, op, argument)
        with np.errstate(all="ignore"):
            whole = rule(np.ones_like(np.asarray(y)), y, *operands, **node.attributes)
        pairs = [(lazy, np.broadcast_to(whole, lazy.shape))]
        if op.kind == "elementwise":
            edge = Edge(node.index, argument, operand)
            made = run.product(node.index, argument, run.seed)
            dtype = np.asarray(y).dtype
            cells = products(run, edge, run.seed, dtype)
            pairs.append((cells, np.broadcast_to(made, cells.shape)))
        for cells, array in pairs:
            assert np.asarray(cells).tobytes() == array.astype(cells.dtype).tobytes()
            where = a_window(data.draw, cells.shape)
            part = np.asarray(cells[where])
            assert part.tobytes() == array[where].astype(cells.dtype).tobytes()


@given(programs())
def test_large_arrays_have_the_gradients_of_a_replay(program: Program) -> None:
    with everything_is_large():
        assert_is_a_replay(evaluate(program.graph, program.leaves))


@given(programs(), st.data())
def test_large_arrays_of_patched_runs_have_the_same_gradients(
    program: Program, data: Any
) -> None:
    base = evaluate(program.graph, program.leaves)
    patches = data.draw(patched(base))
    small, large = Trace(base.patched(patches)), Trace(base.patched(patches))
    for position in data.draw(st.permutations(range(len(small) + 1))):
        for node in range(len(base.graph)):
            one = small.gradient(node, position)
            with everything_is_large():
                two = large.gradient(node, position)
            assert (one is None) == (two is None)
            assert one is None or two is None or one.tobytes() == two.tobytes()


@given(programs(), st.data())
def test_large_arrays_have_the_same_shares(program: Program, data: Any) -> None:
    base = evaluate(program.graph, program.leaves)
    patches = data.draw(patched(base))
    run, twin = base.patched(patches), base.patched(patches)
    small, large = Trace(run), Trace(twin)
    numbers = range(small.seed_position + 1, small.update_position)
    for event in data.draw(st.permutations(list(numbers))):
        edge = small.event(event)
        assert isinstance(edge, Contribution)
        one = small.breakdown(edge.consumer, edge.argument)
        with everything_is_large():
            two = large.breakdown(edge.consumer, edge.argument)
            pairs = [
                (one.upstream, two.upstream),
                (one.contribution, two.contribution),
                (one.product, two.product),
                (one.before, two.before),
                (one.after, two.after),
                (one.local, two.local),
            ]
            for here, there in pairs:
                assert (here is None) == (there is None)
                if here is not None:
                    assert np.array_equal(here, np.asarray(there), equal_nan=True)
            array = np.asarray(one.contribution)
            index = an_element(data.draw, array.shape)
            assert large.added(edge.edge, index) == array[index]
        assert one.summed == two.summed
        assert one.uses == two.uses


@given(programs(), st.data())
def test_many_terms_and_parts_are_those_of_few(program: Program, data: Any) -> None:
    run = evaluate(program.graph, program.leaves)
    moments = Trace(run)
    node = data.draw(st.sampled_from([n for n in run.graph if n.index != 0]))
    if run.gradients[node.index] is None:
        return
    index = an_element(data.draw, node.shape)
    few = explain_gradient(moments, node.index, index, len(moments), follow=False)
    none = {"_FEW": 0, "_FEW_PARTS": 0}
    with limits(gradients, **none), limits(factors, AT_ONCE=2):
        many = explain_gradient(moments, node.index, index, len(moments), follow=False)
        assert list(many.terms()) == list(few.terms())
        assert (many.sum, many.uses) == (few.sum, few.uses)
        for one, two in zip(few.parts, many.parts, strict=True):
            assert len(one) == len(two)
            assert one.stored == two.stored
            assert list(one.largest(3)) == list(two.largest(3))
            here, there = one.rest(1), two.rest(1)
            assert (here is None) == (there is None)
            if here is not None and there is not None:
                np.testing.assert_allclose(here, there, rtol=1e-12, atol=1e-12)


def test_a_zero_that_meets_infinity_is_told_once_of_all_pieces() -> None:
    run = run_of("b = softmax(x)\nE = sum(log(b))", x=[0.0, -1e4, -1e4, 0.0, -1e4])
    edge = run.graph.consumers[number(run, "x")][0]
    upstream = np.asarray(run.upstream(edge.consumer, edge.argument))
    assert np.isinf(upstream).tolist() == [False, True, True, False, True]
    pieces = [(np.array([0, 1]), np.ones(2)), (np.array([3, 4]), np.ones(2))]
    found = [
        places.tolist()
        for places, _ in gradients._with_zeros(run, edge, (0,), upstream, iter(pieces))
    ]
    assert found == [[0, 1], [3, 4], [2]]


def test_of_many_contributions_the_latest_are_told_and_what_came_before() -> None:
    lines = "\n".join(f"y{n + 1} = y{n} * w" for n in range(100))
    run = run_of(f"y0 = x * w\n{lines}\nE = sum(y100)", x=1.5, w=0.99)
    moments = Trace(run)
    w = number(run, "w")
    found = explain_gradient(moments, w, (), len(moments))
    parts, before = found.latest(moments, 8)
    assert [part.event for part in parts] == list(moments.arrivals(w)[-8:])
    assert before is not None
    assert found.sum == pytest.approx(before + sum(part.stored for part in parts))
    assert found.latest(moments, 1000) == (found.parts, None)


# ------------------------------------------------------------------------ long ways


@pytest.mark.parametrize(
    ("first", "factor", "name"),
    [(1.0, 0.0, "y0.grad"), (np.inf, 0.5, "y50"), (1.0, np.inf, "x.grad")],
)
def test_a_long_way_has_the_same_end_from_wherever_it_begins(
    first: float, factor: float, name: str
) -> None:
    lines = "\n".join(f"y{n + 1} = y{n} * w" for n in range(60))
    run = run_of(f"y0 = x * 1.0\n{lines}\nE = y60 * w", x=first, w=factor)
    node, dot, _ = name.partition(".")
    quantity: Any = "grad" if dot else "value"
    place = number(run, node)
    whole = why.why(Trace(run), place, quantity, (), len(Trace(run)))
    assert not whole.between
    with limits(answer, _MOST_SHOWN=3):
        moments = Trace(evaluate(run.graph, run.leaves))
        for start in (place, *run.graph.nodes[place].operands, place):
            asked = Trace(run)
            short = why.why(moments, start, quantity, (), len(moments))
            with limits(answer, _MOST_SHOWN=1000):
                long = why.why(asked, start, quantity, (), len(asked))
            assert short.cause == long.cause
            assert short.at == long.at
            assert len(short.hops) + short.between == len(long.hops)
            assert short.hops[:3] == long.hops[:3]
            assert short.event == long.event


# ------------------------------------------------------------------- whole arrays


@given(
    st.lists(NUMBERS, min_size=5, max_size=24),
    st.lists(NUMBERS, min_size=24, max_size=24),
)
def test_the_largest_change_is_that_of_the_whole(new: list[float], old: Any) -> None:
    after, before = np.array(new), np.array(old[: len(new)])
    with np.errstate(all="ignore"):
        changed = after - before
    size = np.where(np.isnan(changed), np.inf, np.abs(changed))
    place = int(np.argmax(size))
    with limits(summary, _BLOCK=3):
        found = describe.change(0.0, before, after)
    assert found.endswith(f"largest change {value_text(changed[place])} at [{place}]")


# --------------------------------------------------------------------------- recent


def test_recent_arrays_go_when_there_is_no_room_and_facts_stay() -> None:
    kept = Recent(room=4 * 8000)
    made = [np.full(1000, float(n)) for n in range(5)]
    kept.keep("fact", 7)
    for name, array in enumerate(made[:4]):
        kept.keep(name, array)
    assert kept.known(0) is made[0]  # and so the second one is the oldest
    kept.keep(4, made[4])
    assert kept.known(1) is None
    assert all(kept.known(name) is made[name] for name in (0, 2, 3, 4))
    assert kept.of("fact", lambda: 8) == 7
    kept.keep(4, made[0])
    assert kept.known(4) is made[0]
    kept.keep("huge", np.zeros(10_000))
    assert all(kept.known(name) is None for name in ("huge", 0, 2, 3, 4))
    with limits(recent, _FACTS=2):
        kept.keep("second", 8)
        kept.keep("third", 9)
    assert (kept.known("fact"), kept.known("third")) == (None, 9)


def test_nobody_can_change_what_is_kept() -> None:
    run = run_of("y = x * x + x\nE = sum(y * x)", x=np.ones(5))
    with everything_is_large():
        moments, x = Trace(run), number(run, "x")
        for position in range(moments.seed_position, len(moments) + 1):
            found = moments.gradient(x, position)
            assert found is None or not found.flags.writeable


def run_with_bad_numbers() -> Run:
    """Return a run with elements that are not finite on both ways."""
    return run_of(
        "y = log(x) * w\nE = sum(y * y)", x=[0.0, 1.0, -1.0], w=[1.0, 2.0, 3.0]
    )


def test_an_event_breaks_where_only_its_result_is_not_finite() -> None:
    moments = Trace(run_with_bad_numbers())
    found = [
        number
        for number in range(len(moments))
        if spread.breaks(moments, number) and spread.breaks(moments, number)
    ]
    for event in range(moments.seed_position + 1, len(moments)):
        edge = moments.event(event)
        assert isinstance(edge, Contribution)
        breakdown = moments.breakdown(edge.consumer, edge.argument)
        broken = not np.isfinite(breakdown.contribution).all()
        sound = np.isfinite(breakdown.upstream).all()
        assert (event in found) == bool(broken and sound)
    assert found


@given(programs(), st.data())
def test_the_one_term_of_an_edge_is_the_same_without_a_detour(
    program: Program, data: Any
) -> None:
    moments = Trace(evaluate(program.graph, program.leaves))
    for node in moments.run.graph:
        if moments.run.gradients[node.index] is None:
            continue
        index = an_element(data.draw, node.shape)
        found = explain_gradient(moments, node.index, index, len(moments), follow=False)
        detours = [part.term(n) for part in found.parts for n in range(len(part))]
        assert repr(list(found.terms())) == repr(detours)


CHAIN = "\n".join(["x1 = w * w", *(f"x{i + 1} = x{i} * w" for i in range(1, 300))])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(), (2,)])
def test_many_uses_add_up_term_by_term(shape: tuple[int, ...], dtype: Any) -> None:
    w = np.full(shape, 0.99, dtype)
    run = run_of(f"{CHAIN}\nE = sum(x300)", w=w[()])
    moments, index = Trace(run), (1,) * len(shape)
    found = explain_gradient(moments, 0, index, len(moments))
    products = [term.product for term in found.terms()]
    # w ** 301 by w: each of the 301 factors adds w ** 300.
    assert len(products) == 301
    rtol = 1e-12 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(products, 0.99**300, rtol=rtol)
    middle = moments.arrivals(0)[150]
    before = moments.gradient(0, middle)
    assert before is not None
    np.testing.assert_allclose(before, 150 * 0.99**300, rtol=rtol)

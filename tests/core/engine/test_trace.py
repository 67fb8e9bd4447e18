"""Time: what stands where at any position is looked up, and equals a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.engine.graph import Builder
from gradstep.core.engine.patches import NO_PATCHES, Patches
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.engine.trace import (
    Contribution,
    Forward,
    Samples,
    Seed,
    Trace,
    Update,
    local_derivative,
)
from gradstep.core.scenario.scenario import load
from replays import assert_is_a_replay, replay
from runs import edge, number, op_of, patched, programs, run_of, times
from sessions import session

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradstep.core.program.build import Program

# --------------------------------------------------------------------------- the laws


@given(programs())
def test_every_position_is_what_a_replay_says(program: Program) -> None:
    assert_is_a_replay(evaluate(program.graph, program.leaves))


@given(programs(), st.data())
def test_patched_runs_as_well(program: Program, data: st.DataObject) -> None:
    run = evaluate(program.graph, program.leaves)
    assert_is_a_replay(run.patched(data.draw(patched(run))))


@given(programs())
def test_values_appear_with_their_event(program: Program) -> None:
    run = evaluate(program.graph, program.leaves)
    trace = Trace(run)
    for node in run.graph:
        number = trace.forward_event(node.index)
        if number is None:
            assert node.op is None
            assert trace.value(node.index, 0) is not None
            continue
        assert trace.event(number) == Forward(node.index)
        assert trace.value(node.index, number) is None
        assert trace.value(node.index, number + 1) is not None


@given(programs())
def test_looking_around_changes_nothing(program: Program) -> None:
    run = evaluate(program.graph, program.leaves)
    trace, fresh = Trace(run), Trace(run)
    positions = [*range(len(trace), -1, -1), *range(len(trace) + 1)]
    for position in positions:
        for node in run.graph:
            one = trace.gradient(node.index, position)
            two = fresh.gradient(node.index, position)
            assert np.array_equal(np.asarray(one), np.asarray(two)) or one is two


@given(programs())
def test_a_breakdown_adds_up(program: Program) -> None:
    run = evaluate(program.graph, program.leaves)
    trace = Trace(run)
    for position in range(trace.seed_position + 1, len(trace)):
        event = trace.event(position)
        assert isinstance(event, Contribution)
        breakdown = trace.breakdown(event.consumer, event.argument)
        assert breakdown.edge == event.edge
        before = 0 if breakdown.before is None else breakdown.before
        assert np.array_equal(before + breakdown.contribution, breakdown.after)
        assert (
            breakdown.product.sum(axis=breakdown.summed).shape
            == breakdown.contribution.squeeze(
                axis=tuple(
                    axis
                    for axis in range(breakdown.contribution.ndim)
                    if axis + breakdown.product.ndim - breakdown.contribution.ndim
                    in breakdown.summed
                )
            ).shape
        )
        done, total = breakdown.uses
        assert 1 <= done <= total


# ------------------------------------------------------------------------- by example


def test_apples_and_oranges_have_thirteen_events() -> None:
    scenario = load("apple_orange")
    run = scenario.subject.run()
    trace = Trace(run)
    assert len(trace) == 13
    names = [
        scenario.subject.graph.nodes[trace.event(number).node].name
        for number in range(4)
    ]
    assert names == ["az", "oz", "z", "y"]
    assert trace.event(4) == Seed(run.graph.output)
    event = trace.event(10)
    assert isinstance(event, Contribution)
    assert scenario.subject.graph.edge_name(event.edge) == "oz<-on"
    breakdown = trace.breakdown(event.consumer, event.argument)
    assert (breakdown.upstream, breakdown.local) == (1.1, 50)
    assert breakdown.contribution == pytest.approx(55)
    assert breakdown.before is None
    assert breakdown.after == breakdown.contribution
    assert breakdown.uses == (1, 1)


def test_the_ends_say_which_one_they_are() -> None:
    trace = Trace(run_of("y = a * a", a=3.0))
    assert [trace.phase(position) for position in range(len(trace) + 1)] == [
        "start",
        "forward",
        "backward",
        "backward",
        "end",
    ]
    for event in (-1, len(trace)):
        with pytest.raises(IndexError, match=f"event {event} of 4"):
            trace.event(event)


def layers() -> Run:
    """Events: 0 u, 1 v, 2 E, 3 seed, 4 E<-v, 5 v<-u, 6 v<-w, 7 and 8 u<-x."""
    return run_of("u = x * x\nv = u * w\nE = sum(v)", x=[2.0, -3.0], w=[1.0, 0.5])


def test_the_updates_are_behind_the_backward_pass() -> None:
    run = layers()
    w, x = number(run, "w"), number(run, "x")
    trace = Trace(run, {w: np.array([3.0, 4.0]), x: np.array([5.0, 6.0])})
    assert (len(trace), trace.update_position) == (11, 9)
    assert [trace.event(event) for event in (9, 10)] == [Update(w), Update(x)]
    for position, phase, values in (
        (9, "backward", [[1, 0.5], [2, -3]]),
        (10, "update", [[3, 4], [2, -3]]),
        (11, "end", [[3, 4], [5, 6]]),
    ):
        assert trace.phase(position) == phase
        found = [np.asarray(trace.value(node, position)).tolist() for node in (w, x)]
        assert found == values


def test_what_nodes_send_is_one_span() -> None:
    run = layers()
    trace = Trace(run)
    index = {name: number(run, name) for name in "xwuvE"}
    spans = {"EE": (4, 5), "vv": (5, 7), "uu": (7, 9)}
    spans |= {"vE": (4, 7), "uv": (5, 9), "uE": (4, 9)}
    for (first, last), span in spans.items():
        events = range(*span)
        assert trace.backward_events(index[first], index[last] + 1) == events
    assert not trace.backward_events(index["x"], index["x"] + 1)


def test_an_operand_without_a_gradient_has_no_event() -> None:
    run = run_of("y = x * C", x=2.0, C=3.0)
    trace = Trace(run)
    y = number(run, "y")
    assert [trace.edge_event(y, argument) for argument in (0, 1)] == [2, None]
    assert trace.edge_event(number(run, "x"), 0) is None


def test_a_gradient_that_is_set_is_no_contribution() -> None:
    run = run_of("y = 3 * x", x=2.0)
    set_to_four = run.patched(Patches(gradients={number(run, "x"): 4.0}))
    breakdown = Trace(set_to_four).breakdown(number(run, "y"), 1)
    assert (breakdown.before, breakdown.contribution, breakdown.after) == (None, 3, 4)


def test_a_node_with_many_uses_has_the_sums_of_a_replay() -> None:
    lines = ["s0 = x * 1.1"]
    lines += [f"s{k} = s{k - 1} + x * {k}.1" for k in range(1, 130)]
    assert_is_a_replay(run_of("\n".join(lines), x=0.3))


def test_a_node_with_many_uses_that_is_written_over() -> None:
    lines = ["s0 = x * 1.1"]
    lines += [f"s{k} = s{k - 1} + x * {k}.1" for k in range(1, 130)]
    run = run_of("\n".join(lines), x=0.3)
    uses = run.graph.consumers[number(run, "x")]
    for patches in (
        Patches(overwrites=frozenset({uses[70][:2], uses[100][:2]})),
        Patches(cuts=frozenset({uses[3][:2], uses[129][:2]})),
        Patches(gradients={0: 4.0, number(run, "s75"): 2.0}),
        Patches(rules={uses[65][:2]: times(2, op_of(run, "s3._1"), 0)}),
    ):
        assert_is_a_replay(run.patched(patches))


@pytest.mark.parametrize("use", ["x * {}.1", "-x", "leaky_relu(x, 0.{})"])
def test_partial_sums_are_looked_up_in_any_order(use: str) -> None:
    lines = ["s0 = x * 1.1"]
    lines += [f"s{k} = s{k - 1} + {use.format(k)}" for k in range(1, 200)]
    run = run_of("\n".join(lines), x=0.3)
    states = replay(run)
    trace = Trace(run)
    for position in np.random.default_rng(0).permutation(len(states)).tolist():
        expected = states[position].get(0)
        found = trace.gradient(0, position)
        assert (found is None) == (expected is None)
        assert found is None or float(found) == expected


def test_a_write_in_place_is_seen_from_its_event_on() -> None:
    run = run_of("y = relu(x) + x", seed=np.ones(2), x=[-1.0, 2.0])
    way = edge(run, "y._1", "x")
    spoiled = run.patched(Patches(in_place=frozenset({way})))
    trace = Trace(spoiled)
    event = trace.edge_event(*way)
    assert event is not None
    assert event == len(trace) - 1
    y = run.graph.output
    assert np.array_equal(np.asarray(trace.gradient(y, event)), [1, 1])
    assert np.array_equal(np.asarray(trace.gradient(y, event + 1)), [0, 1])
    assert np.array_equal(np.asarray(trace.gradient(0, event)), [1, 1])
    assert np.array_equal(np.asarray(trace.gradient(0, event + 1)), [0, 2])
    assert list(trace.changing(y)) == [trace.seed_position, event]
    assert list(trace.changing(0)) == list(trace.arrivals(0))
    assert_is_a_replay(spoiled)


def test_an_edge_that_carries_nothing_has_no_event() -> None:
    run = run_of("y = x * stop_gradient(x)", x=2.0)
    trace = Trace(run)
    stopped = edge(run, "y._1", "x")
    assert trace.edge_event(*stopped) is None
    with pytest.raises(ValueError, match="no contribution"):
        trace.breakdown(*stopped)
    assert trace.uses(0, len(trace)) == (1, 1)
    assert run.patches == NO_PATCHES


@pytest.mark.parametrize(
    ("text", "local"),
    [
        # One number for each element of the result.
        ("x * W", [[3, 4], [5, 6]]),
        ("x * B", [[[2, 2], [2, 2]], [[3, 3], [3, 3]]]),
        ("log(x)", [[1, 0.5], [0.25, 0.125]]),
        # Of a reduction one for each element of its operand.
        ("sum(x)", [[1, 1], [1, 1]]),
        ("mean(x, axis=1)", [[0.5, 0.5], [0.5, 0.5]]),
        ("max(x, axis=0)", [[0, 0], [1, 1]]),
        # Of a product the other factor, as it is multiplied.
        ("x @ W", [[3, 5], [4, 6]]),
        # No one array shows where elements go, and no gradient goes to a condition.
        ("x.T", None),
        ("cumsum(x)", None),
        ("where(x, W, 0)", None),
    ],
)
def test_the_local_derivative_as_one_array(text: str, local: Any) -> None:
    B = [[[2.0]], [[3.0]]]
    leaves: dict[str, Any] = {"x": [[1.0, 2.0], [4.0, 8.0]]}
    run = run_of(f"y = {text}\nE = sum(y)", **leaves, W=[[3.0, 4.0], [5.0, 6.0]], B=B)
    found = local_derivative(run, run.graph.node("y"), 0)
    assert (None if found is None else found.tolist()) == local
    assert local_derivative(run, run.graph.node("x"), 0) is None


@pytest.mark.parametrize(
    ("text", "product", "summed", "contribution"),
    [
        ("w * C", [[5, 6], [7, 8]], (0,), [12, 14]),
        ("w * C[0]", [5, 6], (), [5, 6]),
        ("C @ w", [12, 14], (), [12, 14]),
        # One matrix for a whole stack: the product sums over the stack by itself.
        ("S @ w[:, None]", [[4], [6]], (), [[4], [6]]),
    ],
)
def test_a_product_is_summed_over_the_axes_that_were_repeated(
    text: str, product: Any, summed: tuple[int, ...], contribution: Any
) -> None:
    constants = {"C": [[5.0, 6.0], [7.0, 8.0]], "S": [[[1.0, 2.0]], [[3.0, 4.0]]]}
    run = run_of(f"y = {text}\nE = sum(y)", w=[1.0, 1.0], **constants)
    trace = Trace(run)
    first = trace.edge(trace.seed_position + 2)  # behind that of E<-y
    breakdown = trace.breakdown(first.consumer, first.argument)
    assert run.graph.nodes[first.consumer].name == "y"
    assert breakdown.product.tolist() == product
    assert breakdown.summed == summed
    assert breakdown.contribution.tolist() == contribution


@pytest.mark.parametrize(
    ("consumer", "operand", "use", "before", "after"),
    [
        ("E", "v", 0, None, [1, 1]),
        ("v", "u", 0, None, [1, 0.5]),
        ("u", "x", 0, None, [2, -1.5]),
        ("u", "x", 1, [2, -1.5], [4, -3]),
    ],
)
def test_a_contribution_stands_between_two_sums(
    consumer: str, operand: str, use: int, before: Any, after: Any
) -> None:
    run = layers()
    breakdown = Trace(run).breakdown(*edge(run, consumer, operand, use))
    found = breakdown.before
    assert (None if found is None else found.tolist()) == before
    assert breakdown.after.tolist() == after
    assert breakdown.uses == (use + 1, 1 + (operand == "x"))


@pytest.mark.parametrize(
    ("name", "events"), [("E", [3]), ("v", [4]), ("w", [6]), ("x", [7, 8])]
)
def test_what_arrives_at_a_node_and_when_it_is_complete(
    name: str, events: list[int]
) -> None:
    run = layers()
    trace, node = Trace(run), number(run, name)
    assert [*trace.arrivals(node)] == events
    complete = [trace.is_complete(node, at) for at in range(len(trace) + 1)]
    assert complete.index(True) == events[-1] + 1


def test_a_node_that_takes_no_gradient_is_complete_from_the_start() -> None:
    run = run_of("y = x * C", x=2.0, C=3.0)
    assert Trace(run).is_complete(number(run, "C"), 0)
    assert not Trace(run).is_complete(number(run, "x"), 0)


def test_a_gradient_of_the_output_that_is_set_is_written_over_later() -> None:
    """It enters as 3 and 4; the rule of relu then writes its 0 into it."""
    run = run_of("y = relu(x) + x", seed=np.ones(2), x=[-1.0, 2.0])
    way = edge(run, "y._1", "x")
    y = run.graph.output
    changes = Patches(in_place=frozenset({way}), gradients={y: np.array([3.0, 4.0])})
    trace = Trace(run.patched(changes))
    event = trace.edge_event(*way)
    assert event is not None
    found = [trace.gradient(y, at) for at in (trace.seed_position, event, event + 1)]
    assert found[0] is None
    assert [np.asarray(one).tolist() for one in found[1:]] == [[3, 4], [0, 4]]
    assert_is_a_replay(run.patched(changes))


def test_what_is_added_right_after_a_gradient_was_written_over() -> None:
    run = run_of("p = x * 5\nq = x * x\nr = x * 7\nE = p + q + r", x=2.0)
    first = edge(run, "q", "x")
    bad = run.patched(Patches(overwrites=frozenset({first})))
    trace, x = Trace(bad), number(run, "x")
    sums = [trace.gradient(x, event + 1) for event in trace.arrivals(x)]
    assert [float(np.asarray(one)) for one in sums] == [7, 2, 2 + 2, 2 + 2 + 5]


def test_a_node_with_64_uses_that_is_written_over_later_has_their_sum_before() -> None:
    terms = " + ".join(f"n * {k}" for k in range(1, 65))
    run = run_of(f"n = relu(x)\nE = {terms}", x=2.0, seed=np.ones(()))
    way = edge(run, "n", "x")
    trace = Trace(run.patched(Patches(in_place=frozenset({way}))))
    event = trace.edge_event(*way)
    assert event is not None
    n = number(run, "n")
    assert not trace.is_complete(n, event)
    assert trace.gradient(n, event) == 64 * 65 / 2


# ------------------------------------------------------------------- large arrays

SHAPES = [(64, 64), (400, 500), (600, 500)]  # with 4096, 200,000 and 300,000 elements
# What arrives at x, by hand, when g arrives at y from both of its products with G.
LARGE: dict[str, Callable[[Any, Any], Any]] = {
    "x * W[0]": lambda g, w: g.sum(axis=0) * w[0],
    "x * W": lambda g, w: (g * w).sum(axis=0),
    "cumsum(x, axis=0)": lambda g, w: g.sum(axis=0)[::-1].cumsum(axis=0)[::-1],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("text", LARGE)
@pytest.mark.parametrize("factor", [1, 3])
def test_a_large_array_has_the_numbers_of_a_small_one(
    text: str, factor: int, shape: tuple[int, int]
) -> None:
    """Of an operation of its own elements only what is looked at may be computed."""
    g, w = np.random.default_rng(3).normal(size=(2, 2, *shape))
    run = run_of(f"y = {text}\nE = sum(y * G)", x=np.ones(shape), G=g, W=w)
    way = edge(run, "y", "x")
    if factor > 1:  # a rule that is patched
        run = run.patched(Patches(rules={way: times(factor, op_of(run, "y"), 0)}))
    trace = Trace(run)
    breakdown = trace.breakdown(*way)
    for index in ((0, 0), (7, 11), (63, 63)):
        expected = pytest.approx(factor * LARGE[text](g, w)[index], rel=1e-12)
        assert trace.added(breakdown.edge, index) == expected
        assert float(breakdown.contribution[index]) == expected
        assert float(breakdown.after[index]) == expected
    if text == "x * W":
        assert breakdown.summed == (0,)
        products = [float(breakdown.product[k, 7, 11]) for k in (0, 1)]
        assert products == pytest.approx(factor * (g * w)[:, 7, 11])


@pytest.mark.parametrize("overwritten", [False, True])
def test_a_large_array_has_the_sums_of_a_replay_in_any_order(
    overwritten: bool,
) -> None:
    """Some contributions are made element by element, and some as a whole."""
    x, a, b = np.random.default_rng(5).normal(size=(3, 64, 64))
    text = "E = sum(x * A) + sum(cumsum(x, axis=0) * B) + sum(x * x)"
    run = run_of(text, x=x, A=a, B=b)
    if overwritten:
        way = run.graph.consumers[number(run, "x")][1][:2]
        run = run.patched(Patches(overwrites=frozenset({way})))
    states, trace, node = replay(run), Trace(run), number(run, "x")
    order = np.random.default_rng(0).permutation(len(states)).tolist()
    for position in [*order, *range(len(states))]:
        expected, found = states[position].get(node), trace.gradient(node, position)
        assert (found is None) == (expected is None)
        assert found is None or found.tobytes() == np.asarray(expected).tobytes()


# ------------------------------------------------------------ all moments of a gradient


def test_the_gradients_at_several_positions_are_those_at_each() -> None:
    """Of d(a³ + 2a + a·b)/da each use adds its own; by hand 3a² + 2 + b in the end."""
    run = run_of("y = a * a * a + 2.0 * a + a * b", a=3.0, b=5.0)
    trace, a = Trace(run), number(run, "a")
    arrivals = list(trace.arrivals(a))
    assert len(arrivals) == 5
    for first in range(arrivals[0] + 1, len(trace)):
        positions = [*range(first, len(trace) + 1)]
        for asked in (positions, positions[::2], positions[:1], positions[:-2]):
            found = trace.gradients(a, asked) if asked else None
            each = [trace.gradient(a, position) for position in asked]
            if asked:
                assert found is not None
                np.testing.assert_array_equal(found, each)
    whole = trace.gradients(a, [arrivals[0] + 1, len(trace)])
    assert whole is not None
    assert whole[-1] == 3 * 3.0**2 + 2 + 5


def test_there_are_no_gradients_before_the_first_one_or_of_other_numbers() -> None:
    run = run_of("y = a * a", a=3.0)
    trace, a = Trace(run), number(run, "a")
    positions = [len(trace) - 1, len(trace)]
    assert trace.gradients(a, positions) is not None
    assert trace.gradients(a, [0, len(trace)]) is None
    assert trace.gradients(run.graph.output, positions) is None
    # A walk over arrays, or over what a patch changes, may take long.
    arrays = run_of("y = sum(a * a)", a=[3.0])
    assert Trace(arrays).gradients(number(arrays, "a"), [4, len(Trace(arrays))]) is None
    cut = run.patched(Patches(cuts=frozenset({edge(run, "y", "a")})))
    assert Trace(cut).gradients(a, [len(Trace(cut)), len(Trace(cut))]) is None


# -------------------------------------------------------------------------- a training


def trained(count: int) -> Trace:
    """Return an iteration of y = (w · x)² by the rate 0.1, from w = 1 at x = 2."""
    debugger = session(
        'gradstep = 1\nprogram = "y = (w * x) ** 2"\n[inputs]\nx = 2.0\n'
        "[parameters]\nw = 1.0\n[training]\nlearning_rate = 0.1\niterations = 4\n"
    )
    return debugger.timeline.trace(count)


def test_a_value_was_made_by_the_update_before_it() -> None:
    first, second = trained(0), trained(1)
    w, x, end = number(first.run, "w"), number(first.run, "x"), len(first)
    assert first.updated_by(w, 0) is None  # it was given
    assert first.updated_by(w, end) is first
    before = second.updated_by(w, 0)
    assert before is not None
    assert before.iteration is not None
    assert before.iteration.number == 0
    assert second.updated_by(w, end) is second
    assert second.updated_by(x, 0) is None
    assert second.updated_by(x, end) is None


def test_a_value_that_was_set_was_made_by_no_update() -> None:
    second = trained(1)
    w = number(second.run, "w")
    again = second.run.patched(Patches(values={w: np.array(5.0)}))
    at = Trace(again, second.updated, second.iteration)
    assert at.updated_by(w, 0) is None
    assert at.updated_by(w, len(at)) is at


def test_the_iterations_before_lead_to_the_first_one() -> None:
    found, numbers = trained(3), list[int]()
    while found.iteration is not None:
        numbers.append(found.iteration.number)
        before = found.iteration.before()
        if before is None:
            break
        found = before
    assert numbers == [3, 2, 1, 0]


def test_an_update_is_that_of_the_training() -> None:
    # dy/dw = 2 w x² = 8, so that w becomes 1 − 0.1 · 8 = 0.2: by hand.
    trace = trained(0)
    step = trace.update(number(trace.run, "w"))
    assert step.result == pytest.approx(0.2)
    run = layers()
    alone = Trace(run)
    with pytest.raises(ValueError, match="nothing is trained here"):
        alone.update(number(run, "w"))


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([3], "sample 3 of 40"),
        ([3, 1], "samples 3, 1 of 40"),
        ([*range(8)], "samples 0, 1, 2, 3, 4, 5, 6, 7 of 40"),
        ([*range(9)], "samples 0, 1, 2, 3, 4, 5, …, 8 of 40"),
        ([*range(20)], "samples 0, 1, 2, 3, 4, 5, …, 19 of 40"),
    ],
)
def test_the_samples_of_a_batch_in_words(numbers: list[int], said: str) -> None:
    assert str(Samples(2, tuple(numbers), 40)) == f"iteration 2: {said}"


def test_the_backward_pass_speaks_of_a_node_once_and_of_a_leaf_when_all_is_in() -> None:
    # Forward are y, z and E; the seed is event 3; then come, by hand, E<-z, E<-z,
    # z<-y, z<-a, y<-a, y<-a.
    trace = Trace(run_of("y = a * a\nz = y + a\nE = z * z", a=2.0))
    spoken = {name: trace.speaking(number(trace.run, name)) for name in "Ezya"}
    assert spoken == {"E": 4, "z": 6, "y": 8, "a": 9}
    edges = trace.run.graph.carrying
    assert len(edges) == len([*edges]) == 6
    assert [edges.speaking(number(trace.run, name)) for name in "Ezya"] == [0, 2, 4, 5]


def test_of_a_leaf_that_is_the_output_the_seed_speaks() -> None:
    build = Builder()
    leaf = build.leaf("x", "input")
    graph = build.finish(leaf)
    trace = Trace(evaluate(graph, {leaf: np.float64(3)}))
    assert trace.speaking(leaf) == trace.seed_position == 0


def test_of_what_sends_and_gets_nothing_nobody_speaks() -> None:
    trace = Trace(run_of("c = 2 * b\nE = a * a", a=2.0, b=1.0))
    assert [trace.speaking(number(trace.run, name)) for name in "bc"] == [None, None]

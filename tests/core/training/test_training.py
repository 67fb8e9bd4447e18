"""Training: the optimisers' numbers, time across iterations, memory, patches."""

from __future__ import annotations

import sys
import threading
from inspect import signature
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.core.base.errors import Interrupted
from gradstep.core.debugger.debugger import timeline_of
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.engine.trace import Update
from gradstep.core.ops.optimizers import OPTIMIZERS
from gradstep.core.scenario.scenario import load, parse
from gradstep.core.scenario.training import Batch
from gradstep.core.training.batches import sample_numbers, take
from gradstep.core.training.iterations import Iterations
from gradstep.core.training.timeline import Single

if TYPE_CHECKING:
    from collections.abc import Sequence

CURVED = """
gradstep = 1
dtype = "{dtype}"
program = "E = sum((W * W - t) ** 2)"
[parameters]
W = [1.0, -2.0, 0.5]
[constants]
t = [0.5, 1.0, 2.0]
[training]
learning_rate = 0.02
optimizer = "{optimizer}"
"""
# W after 1, 6 and 50 steps. PyTorch 2.13, float64, with the settings of `SETTINGS`:
# SGD, Adagrad, RMSprop (alpha = 0.9) and Adam, eps = 1e-8.
TORCH: dict[str, dict[int, Sequence[float]]] = {
    "sgd": {
        1: (0.96, -1.52, 0.57),
        6: (0.842936074209477, -1.12974076853217, 0.98656096327517),
        50: (0.709733799623789, -1.00004868870775, 1.41421352187936),
    },
    "momentum": {
        1: (0.96, -1.52, 0.57),
        6: (0.581927781860507, 0.826626202144682, 1.73887329447998),
        50: (0.713430316753437, 0.984558541895736, 1.45903889956793),
    },
    "nesterov": {
        1: (0.924, -1.088, 0.633),
        6: (0.603493672971191, 0.367667236142203, 1.65430802646209),
        50: (0.707002244616515, 0.998566968630793, 1.41421559604955),
    },
    "adagrad": {
        1: (0.9800000001, -1.98000000000833, 0.519999999942857),
        6: (0.932303274109099, -1.92901919663633, 0.574060473797753),
        50: (0.808972919104037, -1.76747566401117, 0.765690687081643),
    },
    "rmsprop": {
        1: (0.936754447796632, -1.93675444687997, 0.563245552631939),
        6: (0.813813523515423, -1.77677366323551, 0.751535946906714),
        50: (0.707106781186993, -1.17145747875298, 1.40694202947365),
    },
    "adam": {
        1: (0.9800000001, -1.98000000000833, 0.519999999942857),
        6: (0.882443106884789, -1.88065295564441, 0.620316784349205),
        50: (0.703353790810425, -1.25589621414404, 1.41485975052769),
    },
}


def curved(optimizer: str = "adam", dtype: str = "float64") -> Iterations:
    timeline = timeline_of(parse(CURVED.format(optimizer=optimizer, dtype=dtype)))
    assert isinstance(timeline, Iterations)
    return timeline


def training_of(name: str) -> Iterations:
    timeline = timeline_of(load(name))
    assert isinstance(timeline, Iterations)
    return timeline


def number(timeline: Iterations, name: str) -> int:
    return timeline.plan.graph.node(name).index


def value(timeline: Iterations, iteration: int, name: str) -> np.ndarray:
    return timeline.trace(iteration).run.value(number(timeline, name))


def same(one: Run, two: Run) -> bool:
    """Tell whether two runs are equal to the last bit."""
    return all(
        (a is None) == (b is None)
        and np.asarray(a).tobytes() == np.asarray(b).tobytes()
        for a, b in zip(
            (*one.values, *one.gradients), (*two.values, *two.gradients), strict=True
        )
    )


# ----------------------------------------------------------------------- optimisers


def test_every_optimiser_is_tested() -> None:
    assert set(OPTIMIZERS) == set(TORCH)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_setting_of_an_optimiser_has_a_default(optimizer: str) -> None:
    row = OPTIMIZERS[optimizer]
    _value, _gradient, _rate, _state, _t, *settings = signature(row.step).parameters
    assert list(row.settings) == settings


@pytest.mark.parametrize("optimizer", TORCH)
def test_optimisers_give_the_numbers_of_pytorch(optimizer: str) -> None:
    timeline = curved(optimizer)
    for steps, expected in TORCH[optimizer].items():
        # The printed references have 15 digits, and chaos has room to grow in 50 steps.
        assert value(timeline, steps, "W") == pytest.approx(expected, rel=5e-14)


# By hand: value 2, gradients 3 and then 1, rate 0.5, μ = ρ = β = 0.5, ε = 0.
HAND = {
    "sgd": ({}, (0.5, 0.0)),
    "momentum": ({"momentum": 0.5}, (0.5, -0.75)),
    "nesterov": ({"momentum": 0.5}, (-0.25, -1.375)),
    "adagrad": ({"epsilon": 0.0}, (1.5, 1.5 - 0.5 / 10**0.5)),
    "rmsprop": (
        {"decay": 0.5, "epsilon": 0.0},
        (2 - 1.5 / 4.5**0.5, 2 - 1.5 / 4.5**0.5 - 0.5 / 2.75**0.5),
    ),
    # m = 1.5, 1.25; v = 4.5, 2.75; their corrections 1/2 and then 3/4.
    "adam": (
        {"beta1": 0.5, "beta2": 0.5, "epsilon": 0.0},
        (1.5, 1.5 - 0.5 * (1.25 / 0.75) / (2.75 / 0.75) ** 0.5),
    ),
}


@pytest.mark.parametrize("optimizer", HAND)
def test_optimisers_give_the_numbers_of_a_calculation_by_hand(optimizer: str) -> None:
    options, expected = HAND[optimizer]
    row = OPTIMIZERS[optimizer]
    w, state = np.float64(2.0), tuple(np.float64(0.0) for _ in row.state)
    for t, (gradient, wanted) in enumerate(zip((3.0, 1.0), expected, strict=True), 1):
        w, state = row.step(w, np.float64(gradient), 0.5, state, t, **options)
        assert w == pytest.approx(wanted, rel=1e-15)
        assert len(state) == len(row.state)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_optimisers_keep_the_dtype(optimizer: str, dtype: str) -> None:
    timeline = curved(optimizer, dtype)
    step = timeline.update(3, number(timeline, "W"))
    arrays = (step.value, step.result, *step.before.values(), *step.after.values())
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


# ---------------------------------------------------------------- what is to be learned


def test_xor_learns() -> None:
    timeline = training_of("xor").extended(301)
    timeline.trace(300)
    losses = [record.loss for record in timeline.records]
    assert losses[0] == pytest.approx(0.272337032187)
    assert losses[300] < 0.005
    answers = value(timeline, 300, "a").ravel()
    assert (answers > 0.5).tolist() == [False, True, True, False]


def test_three_layer_steps_by_alpha_times_gradient() -> None:
    timeline = training_of("three_layer")
    alpha = {"W1": 0.5, "W2": 0.5, "W3": np.array([[0.5] * 3, [0.1] * 3])}
    for iteration in range(3):
        run = timeline.trace(iteration).run
        for name, rate in alpha.items():
            gradient = run.gradient(number(timeline, name))
            assert gradient is not None
            after = value(timeline, iteration + 1, name)
            before = run.value(number(timeline, name))
            assert np.array_equal(after, before - rate * gradient)


def test_three_layer_by_hand() -> None:
    """Hold the whole recursion, written out in NumPy, for a sample and for a batch."""
    for name in ("three_layer", "three_layer_batch"):
        timeline = training_of(name)
        x0, t = value(timeline, 0, "x0"), value(timeline, 0, "t")
        weights = [value(timeline, 0, f"W{i}") for i in (1, 2, 3)]
        rates = [0.5, 0.5, 0.5]
        if name == "three_layer":
            rates = [0.5, 0.5, np.array([[0.5] * 3, [0.1] * 3])]
        for _ in range(5):
            xs = [x0]
            for w in weights:
                xs.append(1 / (1 + np.exp(-w @ xs[-1])))
            error = xs[3] - t
            steps = []
            for i in (2, 1, 0):
                delta = error * xs[i + 1] * (1 - xs[i + 1])
                steps.insert(0, delta @ xs[i].T)
                error = weights[i].T @ delta
            weights = [w - a * g for w, a, g in zip(weights, rates, steps, strict=True)]
        for i, w in enumerate(weights, 1):
            assert value(timeline, 5, f"W{i}") == pytest.approx(w, rel=1e-12)


# ------------------------------------------------------------------------------- time


def test_without_training_there_is_one_iteration() -> None:
    timeline = timeline_of(load("apple_orange"))
    assert isinstance(timeline, Single)
    assert timeline.iterations == 1
    assert [record.loss for record in timeline.records] == [pytest.approx(550)]
    with pytest.raises(IndexError):
        timeline.trace(1)


def test_updates_are_the_last_events_and_lead_to_the_next_iteration() -> None:
    timeline = training_of("three_layer")
    trace = timeline.trace(0)
    events = [trace.event(n) for n in range(trace.update_position, len(trace))]
    weights = [number(timeline, name) for name in ("W1", "W2", "W3")]
    assert events == [Update(node) for node in weights]
    for count, node in enumerate(weights, trace.update_position):
        before, after = trace.value(node, count), trace.value(node, count + 1)
        assert before is trace.run.values[node]
        assert after is timeline.trace(1).run.values[node]
    assert trace.phase(len(trace) - 1) == "update"


def test_an_update_is_shown_with_all_that_made_it() -> None:
    timeline = curved("momentum")
    node = number(timeline, "W")
    one, two = timeline.update(0, node), timeline.update(1, node)
    formula = timeline.plan.wording.update(node, timeline.plan.optimizer)
    assert formula.text == "W ← W − α ∘ v, where v ← μ v + ∂E/∂W"
    assert formula.code == "v = momentum * v + W.grad; W = W - rate * v"
    assert one.before["v"].tolist() == [0, 0, 0]
    assert one.after["v"].tolist() == two.before["v"].tolist() == [2.0, -24.0, -3.5]
    assert one.settings == {"momentum": 0.9}
    assert one.rate.tolist() == [0.02, 0.02, 0.02]
    assert np.array_equal(one.result, two.value)
    assert two.gradient is not None
    with pytest.raises(ValueError, match="not updated"):
        timeline.update(0, number(timeline, "t"))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=8), st.sampled_from([*TORCH]))
def test_an_iteration_is_the_same_however_one_gets_there(
    jumps: list[int], optimizer: str
) -> None:
    straight, jumping = curved(optimizer), curved(optimizer).extended(401)
    straight = straight.extended(401)
    straight.trace(max(jumps))
    for iteration in jumps:
        assert same(straight.trace(iteration).run, jumping.trace(iteration).run)
        one, two = straight.trace(iteration), jumping.trace(iteration)
        for node, updated in one.updated.items():
            assert np.array_equal(updated, two.updated[node], equal_nan=True)


def test_memory_is_bounded_and_the_way_back_is_short() -> None:
    calls: list[tuple[int, int]] = []
    scenario = parse(CURVED.format(optimizer="sgd", dtype="float64"))
    timeline = timeline_of(scenario, lambda done, of: calls.append((done, of)))
    assert isinstance(timeline, Iterations)
    timeline = timeline.extended(5001)
    timeline.trace(5000)
    assert calls[0] == (1, 5000)
    assert calls[-1] == (5000, 5000)
    memory = timeline.memory
    assert len(memory.grid) <= 64
    assert len(memory.last) <= 32
    assert len(memory.traces) <= 4
    assert max(np.diff(sorted(memory.grid))) <= 128
    calls.clear()
    for iteration in range(4999, 4499, -1):
        timeline.trace(iteration)
    assert len(calls) < 500 * 4
    assert len(timeline.records) == 5001


def test_large_parameters_are_kept_fewer_times() -> None:
    text = CURVED.format(optimizer="adam", dtype="float64").replace(
        "W = [1.0, -2.0, 0.5]", "W = { zeros = [1000000, 3] }"
    )
    timeline = timeline_of(parse(text))
    assert isinstance(timeline, Iterations)
    assert timeline.memory.most * timeline.memory.grid[0].size < 3 * 2**28


def test_what_was_computed_before_an_interrupt_is_kept() -> None:
    def stop_at_100(done: int, _of: int) -> None:
        if done == 100:
            raise Interrupted

    scenario = parse(CURVED.format(optimizer="sgd", dtype="float64"))
    timeline = timeline_of(scenario, stop_at_100)
    assert isinstance(timeline, Iterations)
    timeline = timeline.extended(1001)
    with pytest.raises(Interrupted):
        timeline.trace(1000)
    assert len(timeline.records) == 100
    plain = curved("sgd").extended(101)
    assert same(timeline.trace(100).run, plain.trace(100).run)


def test_an_iteration_outside_is_refused() -> None:
    timeline = curved()
    for iteration in (-1, 100):
        with pytest.raises(IndexError):
            timeline.trace(iteration)


def test_records_have_the_loss_and_the_norms() -> None:
    timeline = training_of("xor")
    run = timeline.trace(2).run
    record = timeline.records[2]
    assert record.loss == float(run.value(number(timeline, "E")))
    gradient = run.gradient(number(timeline, "W1"))
    assert gradient is not None
    assert record.norms[0] == pytest.approx(np.linalg.norm(gradient))
    assert len(record.norms) == 4


# ---------------------------------------------------------------------------- patches


def test_a_value_is_set_in_one_iteration_and_its_consequences_stay() -> None:
    timeline = curved("adam")
    node = number(timeline, "W")
    new = timeline.patched(5, Patches(values={node: np.array([1.0, 1.0, 1.0])}))
    assert same(timeline.trace(4).run, new.trace(4).run)
    assert value(new, 5, "W").tolist() == [1, 1, 1]
    assert new.patches(5).values
    assert not new.patches(6)
    # From there on it is as if training had begun with that value and that state.
    assert not np.array_equal(value(new, 6, "W"), value(timeline, 6, "W"))
    assert np.abs(value(new, 6, "W") - 1).max() < 0.05
    # The old run is as it was.
    assert same(curved("adam").trace(6).run, timeline.trace(6).run)


def test_a_gradient_is_set_in_one_iteration_and_goes_into_the_update() -> None:
    timeline = curved("sgd")
    node = number(timeline, "W")
    new = timeline.patched(3, Patches(gradients={node: np.array([1.0, 0.0, -1.0])}))
    change = value(new, 4, "W") - value(new, 3, "W")
    assert change == pytest.approx(np.array([-0.02, 0, 0.02]))
    assert not new.patches(4)


def test_a_cut_holds_on_and_stops_the_updates() -> None:
    timeline = training_of("xor")
    consumer = number(timeline, "h._2")
    new = timeline.patched(2, Patches(cuts=frozenset({(consumer, 1)})))
    node = number(timeline, "b1")
    for iteration in (2, 3, 50):
        assert new.patches(iteration).cuts
        assert node not in new.trace(iteration).updates
        assert new.records[iteration].norms[1] is None
    assert np.array_equal(value(new, 50, "b1"), value(new, 2, "b1"))
    assert not new.patches(1)
    with pytest.raises(ValueError, match="not updated"):
        new.update(3, node)


def test_an_earlier_cut_holds_in_what_was_patched_later() -> None:
    timeline = training_of("xor")
    edge, node = (number(timeline, "h._2"), 1), number(timeline, "W1")
    late = timeline.patched(9, Patches(values={node: np.ones((2, 4))}))
    both = late.patched(4, Patches(cuts=frozenset({edge})))
    assert both.patches(9).cuts == {edge}
    assert value(both, 9, "W1").tolist() == np.ones((2, 4)).tolist()
    assert np.array_equal(value(both, 20, "b1"), value(both, 4, "b1"))
    assert not np.array_equal(value(late, 20, "b1"), value(late, 4, "b1"))


def test_a_set_parameter_without_a_gradient_stays_as_it_was_set() -> None:
    timeline = training_of("xor")
    edge, node = (number(timeline, "h._2"), 1), number(timeline, "b1")
    patches = Patches(values={node: np.ones(4)}, cuts=frozenset({edge}))
    new = timeline.patched(1, patches)
    assert value(new, 7, "b1").tolist() == [1, 1, 1, 1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 30), st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_a_patched_time_is_the_same_however_one_gets_there(
    at: int, jumps: list[int]
) -> None:
    node = number(curved(), "W")
    patches = Patches(values={node: np.array([0.3, 0.2, 0.1])})
    base = curved().extended(61)
    jumping = base.patched(at, patches)
    straight = curved().extended(61).patched(at, patches)
    straight.trace(60)
    for iteration in jumps:
        assert same(straight.trace(iteration).run, jumping.trace(iteration).run)
    run = base.trace(at).run
    scratch = evaluate(run.graph, run.leaves, run.seed, patches)
    assert same(jumping.trace(at).run, scratch)


# -------------------------------------------------------------------- mini-batches

BATCHED = """
gradstep = 1
program = "E = sum((x @ W - t) ** 2)"
[inputs]
x = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]
[parameters]
W = [0.1, 0.2]
[constants]
t = [1, 2, 3, 4, 5]
[training]
learning_rate = 0.001
batch = {{ of = ["x", "t"], size = {size}, {order} }}
"""


def batched(size: int, order: str) -> Iterations:
    timeline = timeline_of(parse(BATCHED.format(size=size, order=order)))
    assert isinstance(timeline, Iterations)
    return timeline


def test_batches_follow_each_other_and_wrap_around() -> None:
    timeline = batched(2, 'order = "sequential"')
    seen = [value(timeline, i, "t").tolist() for i in range(5)]
    assert seen == [[1, 2], [3, 4], [5, 1], [2, 3], [4, 5]]
    assert value(timeline, 2, "x").tolist() == [[9, 10], [1, 2]]
    assert value(timeline, 0, "t").dtype == np.int64


def test_a_batch_gives_its_own_gradient() -> None:
    timeline = batched(2, 'order = "sequential"')
    x, t = np.array([[5.0, 6.0], [7.0, 8.0]]), np.array([3, 4])
    w = value(timeline, 1, "W")
    gradient = timeline.trace(1).run.gradient(number(timeline, "W"))
    assert gradient == pytest.approx(2 * x.T @ (x @ w - t))


@given(st.integers(1, 7), st.integers(0, 9), st.integers(0, 3))
@settings(max_examples=40)
def test_a_shuffled_pass_has_every_sample_once(size: int, seed: int, skip: int) -> None:
    batch = Batch(("x",), 0, size, 7, "shuffled", seed)
    numbers = np.concatenate([sample_numbers(batch, i) for i in range(7 * (skip + 1))])
    assert len(numbers) == 7 * (skip + 1) * size
    for first in range(0, len(numbers), 7):
        assert sorted(numbers[first : first + 7]) == list(range(7))


def test_passes_are_shuffled_differently_and_the_same_every_time() -> None:
    batch = Batch(("x",), 0, 50, 50, "shuffled", 1)
    one, two = sample_numbers(batch, 0), sample_numbers(batch, 1)
    assert not np.array_equal(one, two)
    assert np.array_equal(one, sample_numbers(batch, 0))
    other = Batch(("x",), 0, 50, 50, "shuffled", 2)
    assert not np.array_equal(one, sample_numbers(other, 0))


def test_samples_can_lie_along_any_axis() -> None:
    batch = Batch(("x",), 1, 2, 3, "sequential", 0)
    assert take(np.arange(6).reshape(2, 3), batch, 1).tolist() == [[2, 0], [5, 3]]


def test_shuffled_training_is_the_same_however_one_gets_there() -> None:
    order = 'order = "shuffled", seed = 4'
    straight, jumping = batched(2, order), batched(2, order)
    straight.trace(90)
    for iteration in (77, 3, 50, 51, 0, 90):
        assert same(straight.trace(iteration).run, jumping.trace(iteration).run)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_code_of_an_update_gives_its_numbers(optimizer: str) -> None:
    timeline = curved(optimizer)
    parameter = timeline.trace(2).updates[0]
    step = timeline.update(2, parameter)
    formula = timeline.plan.wording.update(parameter, timeline.plan.optimizer)
    code = formula.code.replace(f"{step.name}.grad", "gradient")
    names = {
        "np": np,
        step.name: step.value,
        "gradient": step.gradient,
        "rate": step.rate,
        "t": 3,
        **step.settings,
        **step.before,
    }
    exec(code, names)  # noqa: S102  # our own text
    np.testing.assert_allclose(names[step.name], step.result, rtol=1e-14)
    for name, after in step.after.items():
        np.testing.assert_allclose(names[name], after, rtol=1e-14)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_update_of_one_element_is_that_of_the_whole(
    optimizer: str, dtype: str
) -> None:
    timeline = curved(optimizer, dtype)
    for parameter in timeline.trace(1).updates:
        whole = timeline.update(1, parameter)
        for index in np.ndindex(whole.value.shape):
            one = timeline.update(1, parameter, index)
            assert one.result == whole.result[index]
            assert one.result.dtype == whole.result.dtype
            assert one.rate == whole.rate[index]
            assert all(one.after[k] == after[index] for k, after in whole.after.items())


def test_two_threads_may_ask_at_the_same_time() -> None:
    timeline, alone = curved().extended(300), curved().extended(300)
    expected = [alone.trace(i).run.value(0).copy() for i in range(300)]
    failed: list[BaseException] = []

    def ask(seed: int) -> None:
        order = np.random.default_rng(seed).integers(300, size=150).tolist()
        try:
            for i in order:
                assert np.array_equal(timeline.trace(i).run.value(0), expected[i])
        except BaseException as error:  # noqa: BLE001  # of a thread
            failed.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not failed

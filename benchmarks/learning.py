"""Iterations of training, beside the same in NumPy by hand, norms included.

By hand means the numbers of an iteration, each in an array of its own, the loss, the
norm of each parameter's gradient, and the step against it; the last is also all that
is remembered of an iteration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from measure import Row, compare
from networks import one_layer

from gradstep.core.scenario.scenario import Scenario, load
from gradstep.core.training.iterations import Iterations, iterations_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from networks import Arrays

COUNT = 200  # iterations


def rows(seconds: float) -> Iterator[Row]:
    """Yield the lines of two scenarios."""
    yield _row("xor", xor, {}, 3.0, seconds)
    yield _row("two_layer_net", one_layer, {"y": "t"}, 1.4, seconds)


def xor(a: Arrays) -> Arrays:
    """Return every number of a network with a tanh and a sigmoid layer."""
    k: Arrays = {}
    k["m1"] = a["X"] @ a["W1"]
    k["z1"] = k["m1"] + a["b1"]
    k["h"] = np.tanh(k["z1"])
    k["m2"] = k["h"] @ a["W2"]
    k["z2"] = k["m2"] + a["b2"]
    k["a"] = 1 / (1 + np.exp(-k["z2"]))
    k["e"] = k["a"] - a["T"]
    k["s"] = k["e"] ** 2
    k["E"] = k["s"].mean()
    k["gs"] = np.full(k["s"].shape, 1 / k["s"].size)
    k["le"] = 2 * k["e"]
    k["ge"] = k["gs"] * k["le"]
    k["ga"] = k["ge"]
    k["la"] = k["a"] * (1 - k["a"])
    k["gz2"] = k["ga"] * k["la"]
    k["gb2"] = k["gz2"].sum(axis=0)
    k["gW2"] = k["h"].T @ k["gz2"]
    k["gh"] = k["gz2"] @ a["W2"].T
    k["l1"] = 1 - k["h"] * k["h"]
    k["gz1"] = k["gh"] * k["l1"]
    k["gb1"] = k["gz1"].sum(axis=0)
    k["gW1"] = a["X"].T @ k["gz1"]
    k["gX"] = k["gz1"] @ a["W1"].T
    return k


def _row(
    name: str,
    by_hand: Callable[[Arrays], Arrays],
    other_names: dict[str, str],
    most: float,
    seconds: float,
) -> Row:
    scenario = load(name)
    run = scenario.subject.run()
    start = {
        other_names.get(node.name, node.name): run.value(node.index)
        for node in run.graph
        if node.op is None and not node.is_literal
    }
    rates = {
        node.name: scenario.training.learning_rate[node.name]
        for node in run.graph
        if scenario.training and node.kind == "parameter"
    }

    def theirs() -> list[tuple[float, ...]]:
        arrays, records = dict(start), []
        for _ in range(COUNT):
            k = by_hand(arrays)
            norms = [float(np.linalg.norm(k[f"g{p}"])) for p in rates]
            records.append((float(k["E"]), *norms))
            for p, rate in rates.items():
                arrays[p] = arrays[p] - rate * k[f"g{p}"]
        return records

    def ours() -> list[tuple[float, ...]]:
        time = _time(scenario)
        time.trace(COUNT - 1)
        return [(one.loss, *one.norms) for one in time.records]  # type: ignore[misc]

    if not np.allclose(ours(), theirs(), rtol=1e-9):
        raise SystemExit(f"training {name}: the losses or the norms differ")
    what = f"training {name}, {COUNT} iterations"
    return compare(what, "NumPy by hand", most, ours, theirs, seconds)


def _time(scenario: Scenario) -> Iterations:
    if scenario.training is None:
        raise SystemExit("there is no training")
    return iterations_of(scenario, scenario.training).extended(COUNT)

"""Networks: forward and backward, everything kept, beside NumPy written by hand.

By hand means what a person would write who wants to look at every number afterwards:
each value, each slope and each gradient is an array of its own that is kept.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from measure import Row, compare, peak, size

from gradstep.core.engine.run import Run, evaluate
from gradstep.core.program.build import Leaf, Program, build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradstep.core.engine.graph import NodeKind

Arrays = dict[str, Any]
KINDS: dict[str, NodeKind] = {"x": "input", "t": "constant"}


@dataclass(frozen=True)
class Network:
    """A network: its program, its arrays, and the same by hand."""

    name: str
    program: str
    arrays: Arrays
    by_hand: Callable[[Arrays], Arrays]
    most: float  # what the ratio of the times should be at most

    def read(self) -> Program:
        """Return the graph and its leaves, as a scenario would have them."""
        leaves: dict[str, Leaf] = {}
        for name, array in self.arrays.items():
            array.setflags(write=False)
            kind = (
                "constant" if name == "t" else "input" if name == "x" else "parameter"
            )
            leaves[name] = Leaf(kind, array)
        return build(self.program, leaves)


def _arrays(sizes: list[int], batch: int, classes: int = 0) -> Arrays:
    random = np.random.default_rng(0)
    arrays: Arrays = {"x": random.standard_normal((batch, sizes[0]))}
    for layer, (rows, columns) in enumerate(itertools.pairwise(sizes), 1):
        scale = rows**-0.5
        arrays[f"W{layer}"] = scale * random.standard_normal((rows, columns))
        arrays[f"b{layer}"] = 0.1 * random.standard_normal(columns)
    target = random.standard_normal((batch, sizes[-1]))
    arrays["t"] = random.integers(0, classes, batch) if classes else target
    return arrays


def _single(arrays: Arrays) -> Arrays:
    """Return the numbers in float32; those of classes stay whole."""
    return {
        name: array.astype(np.float32) if array.dtype.kind == "f" else array
        for name, array in arrays.items()
    }


# ---------------------------------------------------------------------- regression

REGRESSION = """
h1 = tanh(x @ W1 + b1)
h2 = tanh(h1 @ W2 + b2)
p = h2 @ W3 + b3
E = mean((p - t) ** 2)
"""


def regression(a: Arrays) -> Arrays:
    """Return every number of a network with two tanh layers and a squared error."""
    k: Arrays = {}
    k["m1"] = a["x"] @ a["W1"]
    k["z1"] = k["m1"] + a["b1"]
    k["h1"] = np.tanh(k["z1"])
    k["m2"] = k["h1"] @ a["W2"]
    k["z2"] = k["m2"] + a["b2"]
    k["h2"] = np.tanh(k["z2"])
    k["m3"] = k["h2"] @ a["W3"]
    k["p"] = k["m3"] + a["b3"]
    k["e"] = k["p"] - a["t"]
    k["s"] = k["e"] ** 2
    k["E"] = k["s"].mean()
    k["gE"] = np.ones(())
    k["gs"] = np.full(k["s"].shape, k["gE"] / k["s"].size)
    k["le"] = 2 * k["e"]
    k["ge"] = k["gs"] * k["le"]
    k["gp"] = k["ge"]
    k["gm3"] = k["gp"]
    k["gb3"] = k["gp"].sum(axis=0)
    k["gh2"] = k["gm3"] @ a["W3"].T
    k["gW3"] = k["h2"].T @ k["gm3"]
    k["l2"] = 1 - k["h2"] * k["h2"]
    k["gz2"] = k["gh2"] * k["l2"]
    k["gb2"] = k["gz2"].sum(axis=0)
    k["gh1"] = k["gz2"] @ a["W2"].T
    k["gW2"] = k["h1"].T @ k["gz2"]
    k["l1"] = 1 - k["h1"] * k["h1"]
    k["gz1"] = k["gh1"] * k["l1"]
    k["gb1"] = k["gz1"].sum(axis=0)
    k["gx"] = k["gz1"] @ a["W1"].T
    k["gW1"] = a["x"].T @ k["gz1"]
    return k


# ------------------------------------------------------------------- classification

ONE_LAYER = """
h1 = sigmoid(x @ W1 + b1)
z = h1 @ W2 + b2
E = cross_entropy(z, t)
"""
TWO_LAYERS = """
h1 = relu(x @ W1 + b1)
h2 = relu(h1 @ W2 + b2)
z = h2 @ W3 + b3
E = cross_entropy(z, t)
"""


def _cross_entropy(k: Arrays, t: Any) -> None:
    _losses(k, t)
    k["soft"] = k["powers"] / k["total"]
    k["gz"] = k["soft"].copy()
    k["gz"][np.arange(len(t)), t] -= 1
    k["gz"] /= len(t)


def _losses(k: Arrays, t: Any) -> None:
    rows = np.arange(len(t))
    k["shifted"] = k["z"] - k["z"].max(axis=1, keepdims=True)
    k["powers"] = np.exp(k["shifted"])
    k["total"] = k["powers"].sum(axis=1, keepdims=True)
    k["losses"] = np.log(k["total"][:, 0]) - k["shifted"][rows, t]
    k["E"] = k["losses"].mean()


def one_layer(a: Arrays) -> Arrays:
    """Return every number of a network with a sigmoid layer and a cross entropy."""
    k = _logits(a)
    _cross_entropy(k, a["t"])
    k["gb2"] = k["gz"].sum(axis=0)
    k["gh1"] = k["gz"] @ a["W2"].T
    k["gW2"] = k["h1"].T @ k["gz"]
    k["l1"] = k["h1"] * (1 - k["h1"])
    k["gz1"] = k["gh1"] * k["l1"]
    k["gb1"] = k["gz1"].sum(axis=0)
    k["gx"] = k["gz1"] @ a["W1"].T
    k["gW1"] = a["x"].T @ k["gz1"]
    return k


def _logits(a: Arrays) -> Arrays:
    k: Arrays = {}
    k["m1"] = a["x"] @ a["W1"]
    k["z1"] = k["m1"] + a["b1"]
    k["h1"] = 1 / (1 + np.exp(-k["z1"]))
    k["m2"] = k["h1"] @ a["W2"]
    k["z"] = k["m2"] + a["b2"]
    return k


def one_layer_loss(a: Arrays) -> float:
    """Return the loss of that network: a forward pass alone."""
    k = _logits(a)
    _losses(k, a["t"])
    return float(k["E"])


def two_layers(a: Arrays) -> Arrays:
    """Return every number of a network with two relu layers and a cross entropy."""
    k: Arrays = {}
    k["m1"] = a["x"] @ a["W1"]
    k["z1"] = k["m1"] + a["b1"]
    k["h1"] = np.maximum(k["z1"], 0)
    k["m2"] = k["h1"] @ a["W2"]
    k["z2"] = k["m2"] + a["b2"]
    k["h2"] = np.maximum(k["z2"], 0)
    k["m3"] = k["h2"] @ a["W3"]
    k["z"] = k["m3"] + a["b3"]
    _cross_entropy(k, a["t"])
    k["gb3"] = k["gz"].sum(axis=0)
    k["gh2"] = k["gz"] @ a["W3"].T
    k["gW3"] = k["h2"].T @ k["gz"]
    k["l2"] = k["z2"] > 0
    k["gz2"] = k["gh2"] * k["l2"]
    k["gb2"] = k["gz2"].sum(axis=0)
    k["gh1"] = k["gz2"] @ a["W2"].T
    k["gW2"] = k["h1"].T @ k["gz2"]
    k["l1"] = k["z1"] > 0
    k["gz1"] = k["gh1"] * k["l1"]
    k["gb1"] = k["gz1"].sum(axis=0)
    k["gx"] = k["gz1"] @ a["W1"].T
    k["gW1"] = a["x"].T @ k["gz1"]
    return k


# ------------------------------------------------------------------------- the rows


def networks() -> tuple[Network, ...]:
    """Return the networks of the table."""
    return (
        Network(
            "MLP 2-50-50-1, batch 32",
            REGRESSION,
            _arrays([2, 50, 50, 1], 32),
            regression,
            2.0,
        ),
        Network(
            "MLP 784-50-10, batch 100",
            ONE_LAYER,
            _arrays([784, 50, 10], 100, 10),
            one_layer,
            1.10,
        ),
        Network(
            "MLP 784-50-10, batch 100, float32",
            ONE_LAYER,
            _single(_arrays([784, 50, 10], 100, 10)),
            one_layer,
            1.25,
        ),
        Network(
            "MLP 784-512-512-10, batch 256",
            TWO_LAYERS,
            _arrays([784, 512, 512, 10], 256, 10),
            two_layers,
            1.10,
        ),
    )


def rows(seconds: float) -> Iterator[Row]:
    """Yield the lines for the times, and then those for the memory."""
    read = [(network, network.read()) for network in networks()]
    for network, program in read:
        _agree(network, evaluate(program.graph, program.leaves))
        yield compare(
            network.name,
            "NumPy by hand",
            network.most,
            lambda program=program: evaluate(program.graph, program.leaves),
            lambda network=network: network.by_hand(network.arrays),
            seconds,
        )
    for network, program in read:
        most = peak(lambda program=program: evaluate(program.graph, program.leaves))
        kept = _kept(evaluate(program.graph, program.leaves))
        yield Row(
            f"memory of {network.name}",
            "values + gradients",
            size(most),
            size(kept),
            most / kept,
            1.2,
        )


def _agree(network: Network, run: Run) -> None:
    by_hand = network.by_hand(network.arrays)
    rtol = 1e-9 if network.arrays["x"].dtype == np.float64 else 1e-3
    for name in network.arrays:
        if f"g{name}" in by_hand:
            ours = run.gradient(run.graph.node(name).index)
            if ours is None or ours.dtype != network.arrays["x"].dtype:
                raise SystemExit(f"{network.name}: the gradients of {name} are others")
            if not np.allclose(ours, by_hand[f"g{name}"], rtol=rtol):
                raise SystemExit(f"{network.name}: the gradients of {name} differ")


def _kept(run: Run) -> int:
    """Return the bytes of the values and gradients that a run makes, each array once.

    The leaves are not among them: they were there before.
    """
    values = [run.values[node.index] for node in run.graph if node.op is not None]
    arrays = {id(held): held for held in (*values, *run.gradients)}
    return sum(held.nbytes for held in arrays.values() if isinstance(held, np.ndarray))

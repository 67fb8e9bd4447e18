"""Gradients against differences: `check` beside what a person would write."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
from measure import Row, compare, duration, race
from networks import networks, one_layer_loss

from gradstep.core.check.check import check
from gradstep.core.engine.run import evaluate, forward
from gradstep.core.scenario.scenario import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.core.engine.run import Run

SAMPLE = 200  # elements that are moved by hand; the time is scaled to all of them
STEP = 1e-6


def rows(seconds: float) -> Iterator[Row | str]:
    """Yield the lines of checks, element by element."""
    yield _small(seconds)
    yield _large(seconds)
    yield _quick(seconds)


def _parameters(run: Run) -> tuple[list[int], int]:
    """Return the parameters, and how many elements they have."""
    nodes = [node.index for node in run.graph if node.kind == "parameter"]
    return nodes, sum(run.value(node).size for node in nodes)


def _small(seconds: float) -> Row:
    """Return the line of a small network, beside whole forward passes of our own."""
    program = networks()[0].read()
    run = evaluate(program.graph, program.leaves)
    nodes, count = _parameters(run)

    def passes() -> None:
        for _ in range(2 * count):
            forward(program.graph, program.leaves)

    ours, theirs = race(lambda: check(run, nodes=nodes), passes, seconds)
    return Row(
        f"check of {count:,} parameters",
        f"{2 * count:,} forward passes",
        duration(ours),
        duration(theirs),
        ours / theirs,
        1.1,
    )


def _large(seconds: float) -> Row:
    """Return the line of a network of real size, beside two passes for each element.

    They are those of a person who wants nothing but the loss, by NumPy, and are done
    for a sample of the elements.
    """
    run = load("two_layer_net").subject.run()
    nodes, count = _parameters(run)
    arrays = {
        {"y": "t"}.get(node.name, node.name): np.array(run.values[node.index])
        for node in run.graph
        if node.op is None
    }
    random = np.random.default_rng(0)
    drawn = np.sort(random.choice(count, SAMPLE, replace=False))
    names = [run.graph.nodes[node].name for node in nodes]
    places = [(name, k) for name in names for k in range(arrays[name].size)]

    def by_hand() -> list[float]:
        slopes: list[float] = []
        for name, place in (places[k] for k in drawn):
            flat = arrays[name].reshape(-1)
            old = flat[place]
            flat[place] = old + STEP
            above = one_layer_loss(arrays)
            flat[place] = old - STEP
            below = one_layer_loss(arrays)
            flat[place] = old
            slopes.append((above - below) / (2 * STEP))
        return slopes

    _agree(run, [places[k] for k in drawn], by_hand())
    ours, some = race(lambda: check(run, nodes=nodes), by_hand, seconds)
    theirs = some * count / SAMPLE
    return Row(
        f"check two_layer_net, its {count:,} parameters",
        f"two passes by hand for each, {SAMPLE} of them measured",
        duration(ours),
        duration(theirs),
        ours / theirs,
        0.3,
    )


def _quick(seconds: float) -> Row | str:
    """Return the line of random directions, beside those of PyTorch.

    PyTorch's check holds the gradients of the leaves, ours each operation as well.
    """
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return "check --quick: torch is not installed (pip install torch==2.13.0)"
    torch.set_num_threads(1)
    run = load("two_layer_net").subject.run()
    leaves = {n.name: torch.tensor(run.value(n.index)) for n in run.graph if not n.op}
    target = leaves.pop("y")
    given = [leaf.requires_grad_() for leaf in leaves.values()]

    def loss(**of: Any) -> Any:
        hidden = torch.sigmoid(of["x"] @ of["W1"] + of["b1"])
        logits = hidden @ of["W2"] + of["b2"]
        return torch.nn.functional.cross_entropy(logits, target)

    def theirs() -> None:
        held = torch.autograd.gradcheck(
            lambda *tensors: loss(**dict(zip(leaves, tensors, strict=True))),
            given,
            fast_mode=True,
        )
        if not held:
            raise SystemExit("two_layer_net: PyTorch finds a wrong gradient")

    def ours() -> None:
        if not check(run, quick=True).ok:
            raise SystemExit("two_layer_net: a gradient is wrong")

    return compare(
        "check --quick two_layer_net",
        "PyTorch's fast gradcheck, one thread",
        10.0,
        ours,
        theirs,
        seconds,
    )


def _agree(run: Run, places: list[tuple[str, int]], slopes: list[float]) -> None:
    for (name, place), slope in zip(places, slopes, strict=True):
        gradient = run.gradient(run.graph.node(name).index)
        if gradient is None or abs(gradient.flat[place] - slope) > 1e-8:
            raise SystemExit(f"two_layer_net: the gradients of {name} differ")

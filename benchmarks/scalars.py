"""Graphs of scalars: build, forward and backward, everything kept, beside micrograd."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
from measure import Row, compare

from gradstep.core.base.garbage import undisturbed
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.ops import OPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ADD, MULTIPLY = OPS["add"], OPS["multiply"]
CHAIN = (1.5, 0.999, 0.001)


def rows(sizes: Sequence[int], seconds: float) -> Iterator[Row | str]:
    """Yield the lines for chains and trees of so many nodes, or why there are none."""
    try:
        value = importlib.import_module("micrograd.engine").Value
    except ImportError:
        yield "scalars: micrograd is not installed (pip install micrograd==0.1.0)"
        return
    for count in sizes:
        chain = compare(
            f"scalar chain, {count:,} nodes",
            "micrograd",
            0.5,
            lambda count=count: our_chain(count),
            lambda count=count: their_chain(value, count),
            seconds,
        )
        _agree(our_chain(count).gradients[0], their_chain(value, count).grad)
        yield chain
        leaves = _leaves(count)
        tree = compare(
            f"scalar tree, {count:,} nodes",
            "micrograd",
            0.5,
            lambda leaves=leaves: our_tree(leaves),
            lambda leaves=leaves: their_tree(value, leaves),
            seconds,
        )
        _agree(our_tree(leaves).gradients[0], their_tree(value, leaves).grad)
        yield tree


def _agree(ours: Any, theirs: Any) -> None:
    if not np.isclose(ours, theirs, rtol=1e-12):
        raise SystemExit(f"the gradients differ: {ours} and {theirs}")


def our_chain(count: int) -> Run:
    """Return ((x · w + b) · w + b) …, of `count` operations."""
    build = Builder()
    x, w, b = (build.leaf("", "parameter") for _ in CHAIN)
    apply = build.apply
    with undisturbed():
        for _ in range(count // 2):
            x = apply(MULTIPLY, (x, w))
            x = apply(ADD, (x, b))
    return evaluate(build.finish(x), dict(enumerate(CHAIN)))


def their_chain(value: Any, count: int) -> Any:
    """Do the same, and return the first leaf."""
    x = start = value(CHAIN[0])
    w, b = value(CHAIN[1]), value(CHAIN[2])
    for _ in range(count // 2):
        x = x * w  # micrograd has no operators in place
        x = x + b
    x.backward()
    return start


def _leaves(count: int) -> list[float]:
    # Around 1/2, where 2v² = v: sums and products in turn leave the range where it is.
    random = np.random.default_rng(0)
    return (0.5 + 1e-4 * random.standard_normal(count // 2)).tolist()


def our_tree(leaves: Sequence[float]) -> Run:
    """Return the leaves joined two by two, by products and sums in turn."""
    build = Builder()
    leaf, apply, op = build.leaf, build.apply, MULTIPLY
    with undisturbed():
        level = [leaf("", "parameter") for _ in leaves]
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            level = [apply(op, pair) for pair in pairs] + level[len(level) & ~1 :]
            op = ADD if op is MULTIPLY else MULTIPLY
    return evaluate(build.finish(level[0]), dict(enumerate(leaves)))


def their_tree(value: Any, leaves: Sequence[float]) -> Any:
    """Do the same, and return the first leaf."""
    level = [value(leaf) for leaf in leaves]
    start, product = level[0], True
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        rest = level[len(level) & ~1 :]
        level = [one * two if product else one + two for one, two in pairs] + rest
        product = not product
    level[0].backward()
    return start

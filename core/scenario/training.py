"""The settings of [training]: which optimiser, how fast, how long, on which samples."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..base.text import counted, nearest
from ..ops.table.checks import is_finite
from ..words.numbers import shape_text
from .toml import Table, described, is_list, listed, shown
from .values import Setting, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..engine.graph import NodeKind
    from ..ops.table import Value
    from ..program.build import Leaf


class Batch(NamedTuple):
    """Which samples an iteration sees.

    The values called `of` have `samples` samples along `axis`, of which each iteration
    takes the next `size`: in their order, or shuffled anew for each pass by `seed`.
    """

    of: tuple[str, ...]
    axis: int
    size: int
    samples: int
    order: str  # "sequential" or "shuffled"
    seed: int


class Training(NamedTuple):
    """How the parameters learn.

    `learning_rate` has a number, or an array that broadcasts to the parameter's shape,
    for each parameter by its name; `hyper` has the optimiser's other settings.
    """

    optimizer: str  # a name in `OPTIMIZERS`: "sgd", "adam", …
    hyper: Mapping[str, float]
    learning_rate: Mapping[str, Value]
    iterations: int  # how many can be visited
    batch: Batch | None  # None where each iteration sees all samples


def read_training(
    table: Table,
    leaves: Mapping[str, Leaf],
    broken: Mapping[str, NodeKind],
    setting: Setting,
) -> Training:
    """Return the settings of [training]; the table keeps what is wrong with them.

    `broken` has the names and kinds of values that are wrong themselves.
    """
    from ..ops.optimizers import OPTIMIZERS  # noqa: PLC0415  # 1 ms, only of training

    optimizer = table.choice("optimizer", OPTIMIZERS, "sgd")
    hyper = {
        name: _hyper_parameter(table, name, default)
        for name, default in OPTIMIZERS[optimizer].settings.items()
    }
    batch = table.table("batch")
    training = Training(
        optimizer,
        MappingProxyType(hyper),
        _learning_rate(table, leaves, broken, setting),
        table.whole("iterations", 100, least=1, most=setting.limits.iterations),
        _batch(batch, leaves, broken) if table.has_table("batch") else None,
    )
    table.finish(f"a setting of {optimizer}")
    return training


def _hyper_parameter(table: Table, name: str, default: float) -> float:
    if name == "epsilon":
        return table.number(name, default, lambda x: x > 0, "a finite number above 0")
    return table.number(
        name, default, lambda x: 0 <= x < 1, "a number x with 0 <= x < 1"
    )


def _learning_rate(
    table: Table,
    leaves: Mapping[str, Leaf],
    broken: Mapping[str, NodeKind],
    setting: Setting,
) -> Mapping[str, Value]:
    names = [name for name, leaf in leaves.items() if leaf.kind == "parameter"]
    if not isinstance(table.get("learning_rate"), dict):
        allowed = "a number, 0 or more, or a table of them by parameter"
        rate = table.number("learning_rate", 0.01, lambda x: x >= 0, allowed)
        return MappingProxyType(dict.fromkeys(names, rate))
    given = table.table("learning_rate")
    rates: dict[str, Value] = {}
    for name in names:
        if name in given:
            rate = _rate(given, name, leaves[name], setting)
            rates[name] = rate
        else:
            message = f"the parameter {name} has no learning rate"
            given.mistakes.at_key(given.path, message, f"{name} = 0 keeps it as it is")
    for name, kind in broken.items():
        if kind == "parameter":
            given.get(name)
    given.finish("a parameter")
    return MappingProxyType(rates)


def _rate(table: Table, name: str, leaf: Leaf, setting: Setting) -> Value:
    value = table.get(name)
    path = (*table.path, name)
    allowed = "allowed: a finite number, 0 or more, or an array of them"
    if is_finite(value):
        if value < 0:
            message = f"the learning rate of {name} is {described(value)}"
            table.mistakes.at_value(path, message, allowed)
        return float(value)
    array = read(value, path, table.mistakes, replace(setting, floats_only=True))
    if array is None:
        return 0.0
    shape = np.shape(leaf.value)
    if not (np.isfinite(array).all() and (array >= 0).all()):
        table.mistakes.at_value(path, f"a learning rate of {name} is negative", allowed)
    elif not _broadcasts(array.shape, shape):
        message = f"the learning rate of {name} has the shape {shape_text(array.shape)}"
        hint = (
            f"{name} has the shape {shape_text(shape)}, and it must broadcast to that"
        )
        table.mistakes.at_value(path, message, hint)
    return array


def _broadcasts(narrow: tuple[int, ...], wide: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(narrow, wide) == wide
    except ValueError:
        return False


def _batch(
    table: Table, leaves: Mapping[str, Leaf], broken: Mapping[str, NodeKind]
) -> Batch | None:
    before = len(table.mistakes)
    axis = table.whole("axis", 0)
    size = table.whole("size", 1, least=1)
    order = table.choice("order", ("sequential", "shuffled"), "sequential")
    seed = table.whole("seed", 0)
    of = _batched(table, leaves, broken)
    samples = _samples(table, of, axis, leaves)
    table.finish("a setting of a batch")
    if samples and size > samples:
        are = "is" if samples == 1 else "are"
        message = f"size is {size}, and there {are} {counted(samples, 'sample')}"
        table.mistakes.at_value(
            (*table.path, "size"), message, f"allowed: 1 to {samples}"
        )
    if order == "shuffled" and "seed" not in table:
        message = "a shuffled batch has no seed"
        table.mistakes.at_value(table.path, message, "write seed = 1: all runs repeat")
    if len(table.mistakes) > before:
        return None
    return Batch(of, axis, size, samples, order, seed)


def _batched(
    table: Table, leaves: Mapping[str, Leaf], broken: Mapping[str, NodeKind]
) -> tuple[str, ...]:
    """Return the names of the values that are cut into batches."""
    path = (*table.path, "of")
    of = table.get("of")
    if not is_list(of) or not of:
        what = (
            "a batch does not say of what" if of is None else f"of is {described(of)}"
        )
        at = path if of is not None else table.path
        table.mistakes.at_value(at, what, 'write of = ["x", "t"], names of inputs')
        return ()
    choices = [name for name, leaf in leaves.items() if leaf.kind != "parameter"]
    names: list[str] = []
    for number, name in enumerate(of):
        if isinstance(name, str) and name in choices and name not in names:
            names.append(name)
            continue
        if name in broken:
            continue
        what = f"{shown(name)} stands twice"
        hint = ""
        if name not in names:
            what = f"{described(name)} is no input and no constant"
            near = nearest(name, choices) if isinstance(name, str) else ""
            hint = near or f"allowed: {listed(choices)}"
        table.mistakes.at_value((*path, number), what, hint)
    return tuple(names)


def _samples(
    table: Table, of: tuple[str, ...], axis: int, leaves: Mapping[str, Leaf]
) -> int:
    """Return how many samples there are along `axis`, the same in all of `of`."""
    samples = 0
    for name in of:
        shape = np.shape(leaves[name].value)
        if axis >= len(shape):
            message = f"{name} has the shape {shape_text(shape)} and no axis {axis}"
            table.mistakes.at_value((*table.path, "axis"), message)
            return 0
        samples = samples or shape[axis]
        if shape[axis] != samples:
            message = (
                f"{name} has {counted(shape[axis], 'sample')}, {of[0]} has {samples}"
            )
            hint = f"counted along axis {axis}"
            table.mistakes.at_value((*table.path, "of"), message, hint)
            return 0
    return samples

"""What an expression sees: a trace at a position, and what a training knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import CommandError, NotYetError
from .budget import Budget
from .trees import Read, Trained

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..engine.trace import Trace
    from ..engine.update import UpdateStep
    from ..ops.optimizers import Optimizer
    from ..ops.table import Array, Value


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What an expression sees: a trace at a position."""

    trace: Trace  # of the iteration
    position: int  # how many of its events have been applied
    iteration: int = 0  # its number, counted from 0; 0 without training
    names: Mapping[str, str] = field(
        default_factory=dict[str, str]
    )  # the literature's names of gradients
    hits: Mapping[int, int] = field(
        default_factory=dict[int, int]
    )  # of stops, by number; of the asking one at 0
    budget: Budget = field(default_factory=Budget)  # of the line that asks


# ---------------------------------------------------------------- values and gradients


def look_up(read: Read | Trained, state: State) -> Value:
    """Return what a name stands for; raise `NotYetError` where that is to come."""
    return _read(read, state) if isinstance(read, Read) else _trained(read, state)


def is_there(read: Read, state: State) -> bool:
    """Tell whether a quantity is there yet, without any arithmetic."""
    if read.quantity == "value":
        return state.trace.value(read.node, state.position) is not None
    return any(event < state.position for event in state.trace.arrivals(read.node)[:1])


def _read(read: Read, state: State) -> Array:
    trace, node = state.trace, read.node
    if read.quantity == "value":
        value = trace.value(node, state.position)
        if value is None:
            raise NotYetError(f"{read.name} is not computed yet at this position")
        return value
    gradient = trace.gradient(node, state.position)
    if gradient is not None:
        return gradient
    if not trace.run.arrives(node):
        raise CommandError(
            f"{read.name} has no gradient", f"why {read.name}.grad says why"
        )
    raise NotYetError(f"no gradient has reached {read.name} yet at this position")


# --------------------------------------------------------------------------- training


@cache
def names_of_training() -> frozenset[str]:
    """Return what a training keeps of a parameter."""
    states = (one.state for one in _optimizers().values())
    return frozenset({"learning_rate", *chain.from_iterable(states)})


@cache
def facts() -> Mapping[str, Callable[[State], Any]]:
    """Return what is known of a session without a place, by its name."""
    settings = chain.from_iterable(one.settings for one in _optimizers().values())
    return {
        **{name: partial(_setting, name) for name in settings},
        "learning_rate": _rate,
        "iteration": lambda state: state.iteration,
        "position": lambda state: state.position,
        "hits": lambda state: state.hits.get(0, 0),
        "nan": lambda _: np.nan,
        "inf": lambda _: np.inf,
        "pi": lambda _: np.pi,
    }


def _update(state: State, node: int) -> UpdateStep:
    """Return the update of a parameter in this iteration."""
    trace = state.trace
    if trace.iteration is None:
        raise CommandError("nothing is trained here", "the scenario has no [training]")
    try:
        return trace.update(node)
    except ValueError as error:
        raise CommandError(f"{trace.run.graph.nodes[node].name}: {error}") from None


def _trained(read: Trained, state: State) -> Value:
    """Return the learning rate of a parameter, or what its optimiser remembers."""
    step, trace = _update(state, read.node), state.trace
    if read.asked == "learning_rate":
        return _same_everywhere(step.rate)
    kept = step.after if trace.is_updated(read.node, state.position) else step.before
    if read.asked not in kept and trace.iteration is not None:
        name = trace.iteration.optimizer.name
        what = f"{name} keeps no {read.asked}"
        raise CommandError(what, f"it keeps {', '.join(kept) or 'nothing'}")
    return kept[read.asked]


def _same_everywhere(rate: Array) -> Value:
    """Return one number for an array that is the same everywhere."""
    numbers = np.unique(rate)
    return numbers[0] if numbers.size == 1 else rate


def _setting(name: str, state: State) -> float:
    """Return a setting of the optimiser."""
    settings = _of_training(state)[0].settings
    if name not in settings:
        what = f"this optimiser has no {name}"
        raise CommandError(what, f"it has {', '.join(('learning_rate', *settings))}")
    return settings[name]


def _rate(state: State) -> float:
    """Return the learning rate that all parameters have."""
    steps = _of_training(state)
    rates = np.unique(np.concatenate([np.unique(step.rate) for step in steps]))
    if rates.size > 1:
        what = "the parameters have learning rates of their own"
        raise CommandError(what, f"ask for one: {steps[0].name}.learning_rate")
    return float(rates[0])


def _of_training(state: State) -> list[UpdateStep]:
    nodes = state.trace.updates
    if not nodes:
        raise CommandError("nothing is trained here", "no parameter is updated")
    return [_update(state, node) for node in nodes]


def _optimizers() -> Mapping[str, Optimizer]:
    from ..ops.optimizers import (  # noqa: PLC0415  # 1 ms, only of expressions
        OPTIMIZERS,
    )

    return OPTIMIZERS

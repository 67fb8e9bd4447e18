"""Optimisers: pure functions from a value and its gradient to the next value.

All follow PyTorch's conventions. Rates multiply element by element; `t` counts the
steps from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from .table import Array

State = tuple[Array, ...]
Step = Callable[..., tuple[Any, tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Optimizer:
    """One optimiser.

    `step(value, gradient, rate, state, t, **settings)` returns the next value and the
    next state; the state has an array of the value's shape for each name in `state`,
    zeros at first. `formula` is the same in words, `code` in NumPy, line by line: `{W}`
    is the parameter, `{G}` its gradient, α the rate. `settings` are those beside the
    rate, with what they are by default.
    """

    name: str
    step: Step
    formula: tuple[str, ...]
    code: tuple[str, ...]
    state: tuple[str, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict[str, float])


def sgd(value: Array, gradient: Array, rate: Any, state: State, _t: int) -> Any:
    """Step against the gradient.

    >>> sgd(np.array([1.0]), np.array([0.5]), 0.1, (), 1)[0]
    array([0.95])
    """
    return value - rate * gradient, state


def momentum(
    value: Array, gradient: Array, rate: Any, state: State, _t: int, momentum: float
) -> Any:
    """Step against a sum of all gradients in which older ones fade (Polyak, 1964)."""
    velocity = momentum * state[0] + gradient
    return value - rate * velocity, (velocity,)


def nesterov(
    value: Array, gradient: Array, rate: Any, state: State, _t: int, momentum: float
) -> Any:
    """Step as momentum would after one more step (Nesterov, 1983; Sutskever, 2013)."""
    velocity = momentum * state[0] + gradient
    return value - rate * (gradient + momentum * velocity), (velocity,)


def adagrad(
    value: Array, gradient: Array, rate: Any, state: State, _t: int, epsilon: float
) -> Any:
    """Divide by the root of the sum of all squared gradients (Duchi et al., 2011)."""
    total = state[0] + gradient * gradient
    return value - rate * (gradient / (np.sqrt(total) + epsilon)), (total,)


def rmsprop(
    value: Array,
    gradient: Array,
    rate: Any,
    state: State,
    _t: int,
    decay: float,
    epsilon: float,
) -> Any:
    """Divide by the root of a fading mean of squared gradients (Hinton, 2012)."""
    mean = decay * state[0] + (1 - decay) * (gradient * gradient)
    return value - rate * (gradient / (np.sqrt(mean) + epsilon)), (mean,)


def adam(
    value: Array,
    gradient: Array,
    rate: Any,
    state: State,
    t: int,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> Any:
    """Fading means of gradient and square, made right for their start at zero.

    Kingma and Ba, 2015, algorithm 1.
    """
    mean = beta1 * state[0] + (1 - beta1) * gradient
    square = beta2 * state[1] + (1 - beta2) * (gradient * gradient)
    first = mean / (1 - beta1**t)
    second = square / (1 - beta2**t)
    return value - rate * (first / (np.sqrt(second) + epsilon)), (mean, square)


_ROWS: Final = (
    Optimizer("sgd", sgd, ("{W} ← {W} − α ∘ {G}",), ("{W} = {W} - rate * {W}.grad",)),
    Optimizer(
        "momentum",
        momentum,
        ("v ← μ v + {G}", "{W} ← {W} − α ∘ v"),
        ("v = momentum * v + {W}.grad", "{W} = {W} - rate * v"),
        ("v",),
        MappingProxyType({"momentum": 0.9}),
    ),
    Optimizer(
        "nesterov",
        nesterov,
        ("v ← μ v + {G}", "{W} ← {W} − α ∘ ({G} + μ v)"),
        (
            "v = momentum * v + {W}.grad",
            "{W} = {W} - rate * ({W}.grad + momentum * v)",
        ),
        ("v",),
        MappingProxyType({"momentum": 0.9}),
    ),
    Optimizer(
        "adagrad",
        adagrad,
        ("s ← s + {G}²", "{W} ← {W} − α ∘ {G} / (√s + ε)"),
        (
            "s = s + {W}.grad**2",
            "{W} = {W} - rate * ({W}.grad / (np.sqrt(s) + epsilon))",
        ),
        ("s",),
        MappingProxyType({"epsilon": 1e-8}),
    ),
    Optimizer(
        "rmsprop",
        rmsprop,
        ("s ← ρ s + (1 − ρ) {G}²", "{W} ← {W} − α ∘ {G} / (√s + ε)"),
        (
            "s = decay * s + (1 - decay) * {W}.grad**2",
            "{W} = {W} - rate * ({W}.grad / (np.sqrt(s) + epsilon))",
        ),
        ("s",),
        MappingProxyType({"decay": 0.9, "epsilon": 1e-8}),
    ),
    Optimizer(
        "adam",
        adam,
        (
            "m ← β₁ m + (1 − β₁) {G}",
            "v ← β₂ v + (1 − β₂) {G}²",
            "{W} ← {W} − α ∘ m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε)",
        ),
        (
            "m = beta1 * m + (1 - beta1) * {W}.grad",
            "v = beta2 * v + (1 - beta2) * {W}.grad**2",
            "root = np.sqrt(v / (1 - beta2**t))",
            "{W} = {W} - rate * (m / (1 - beta1**t) / (root + epsilon))",
        ),
        ("m", "v"),
        MappingProxyType({"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}),
    ),
)

OPTIMIZERS: Final[Mapping[str, Optimizer]] = MappingProxyType(
    {optimizer.name: optimizer for optimizer in _ROWS}
)

"""Operations that choose: one of two, within bounds, or nothing at all."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..table import (
    Case,
    Form,
    Op,
    Parameter,
    Rule,
    Shape,
    broadcast_shape,
    checks,
)
from ..table.cases import (
    OF_ZERO,
    choice,
)
from .rows import binary, spread, unary, where

if TYPE_CHECKING:
    from collections.abc import Mapping


def _both_zero(_y: Any, *operands: Any) -> Any:
    """Tell whether the last two operands are 0: the others do not count."""
    a, b = operands[-2:]
    return (a == 0) & (b == 0)


def _clip_shape(shape: Shape, **bounds: float | None) -> Shape:
    if bounds.get("min") is None and bounds.get("max") is None:
        raise ValueError("clip needs a bound: min, max or both")
    return shape


def _clip(x: Any, **bounds: float | None) -> Any:
    return np.clip(x, bounds.get("min"), bounds.get("max"))


def _clip_rule(g: Any, y: Any, x: Any, **bounds: float | None) -> Any:
    low, high = bounds.get("min"), bounds.get("max")
    above = True if low is None else x >= low
    below = True if high is None else x <= high
    return where(np.logical_and(above, below), g, 0)


_IN_BOUNDS: Final = Form(
    "[{min} ≤ {x} ≤ {max}]",
    "{g} ∘ [{min} ≤ {x} ≤ {max}]",
    "np.where(({x} >= {min}) & ({x} <= {max}), {g}, 0)",
    "a gate: open where no bound changes x",
)


def _clip_wording(_x: Shape, **bounds: float | None) -> Mapping[str, Any]:
    """Return the form of one bound, where the other is left out."""
    if None not in (bounds.get("min"), bounds.get("max")):
        return {}
    by_low = bounds.get("max") is None
    condition = "{min} ≤ {x}" if by_low else "{x} ≤ {max}"
    code = "{x} >= {min}" if by_low else "{x} <= {max}"
    form = _IN_BOUNDS._replace(
        local=f"[{condition}]",
        product=f"{{g}} ∘ [{condition}]",
        code=f"np.where({code}, {{g}}, 0)",
    )
    return {"forms": (form,)}


def _where_vjp(g: Any, y: Any, condition: Any, *_others: Any) -> Any:
    return where(condition, g, 0)


def _where_not_vjp(g: Any, y: Any, condition: Any, *_others: Any) -> Any:
    return where(condition, 0, g)


def _where_jvp(t: Any, y: Any, condition: Any, *_others: Any) -> Any:
    return spread(_where_vjp(t, y, condition), y)


def _where_not_jvp(t: Any, y: Any, condition: Any, *_others: Any) -> Any:
    return spread(_where_not_vjp(t, y, condition), y)


def _same(x: Any) -> Any:
    return x


def _kept(like: Any, p: float, seed: int) -> Any:
    """Return what dropout multiplies by, drawn by shape and seed only."""
    return np.random.default_rng(seed).random(np.shape(like)) >= p


def _dropout(x: Any, p: float = 0.5, seed: int = 0) -> Any:
    return x * _kept(x, p, seed) / (1 - p)


def _dropout_rule(g: Any, y: Any, x: Any, p: float = 0.5, seed: int = 0) -> Any:
    return _dropout(g, p, seed)


def _extreme(
    name: str, forward: Rule, loses: Rule, sign: str, opposite: str, word: str
) -> Op:
    """Return the row of the greater or the lesser of two.

    `loses(a, b)` tells where the result is b alone.
    """

    def rule(g: Any, own: Any, other: Any) -> Any:
        return where(loses(own, other), 0, where(own == other, g / 2, g))

    def form(own: str, other: str) -> Form:
        local = f"[{own} {sign} {other}] + ½ [{{a}} = {{b}}]"
        tied = "np.where({a} == {b}, {g} / 2, {g})"
        return Form(
            local,
            f"{{g}} ∘ ({local})",
            f"np.where({own} {opposite} {other}, 0, {tied})",
            f"the {word} one takes the gradient; equal ones share it",
            work=(1,),
        )

    return binary(
        name,
        forward,
        (lambda g, y, a, b: rule(g, a, b), lambda g, y, a, b: rule(g, b, a)),
        f"{name[:3]}({{a}}, {{b}})",
        f"np.{name}({{a}}, {{b}})",
        (form("{a}", "{b}"), form("{b}", "{a}")),
        f"The {word} of two, element by element.",
        "equal operands take half the gradient each; beside a nan both take all of it",
        analytic=False,
        cases=choice(_both_zero),
        kinks=True,
        work=(),
    )


def _step(name: str, symbol: str, summary: str) -> Op:
    """Return the row of a function that goes in steps, by its name in NumPy."""
    return unary(
        name,
        getattr(np, name),
        lambda g, y, x: np.zeros_like(g),
        symbol,
        f"np.{name}({{x}})",
        Form("0", "0", "np.zeros_like({g})", "a flat step: no slope on either side"),
        summary,
        "the slope is 0 everywhere, at the step as well",
        analytic=False,
        cases=(OF_ZERO, Case("zero", "shut"), Case("flat", "step")),
        kinks=True,
        endless=True,
        work=(),
    )


ROWS: Final[tuple[Op, ...]] = (
    _extreme("maximum", np.maximum, operator.lt, ">", "<", "greater"),
    _extreme("minimum", np.minimum, operator.gt, "<", ">", "lesser"),
    unary(
        "clip",
        _clip,
        _clip_rule,
        "clip({x}, {min}, {max})",
        "np.clip({x}, {min}, {max})",
        _IN_BOUNDS,
        "Each element, but no less than min and no more than max.",
        "at a bound the slope is 1, as in PyTorch up to 2.13; beyond it, and for nan, "
        "it is 0; where min is above max it is 0 everywhere",
        (
            Parameter("min", checks.optional(checks.number), None),
            Parameter("max", checks.optional(checks.number), None),
        ),
        _clip_shape,
        analytic=False,
        cases=(OF_ZERO, Case("zero", "shut"), Case("flat", "shut")),
        kinks=True,
        wording=_clip_wording,
        work=(),
    ),
    Op(
        name="where",
        operands=("condition", "a", "b"),
        forward=where,
        shape=broadcast_shape,
        vjps=(
            None,
            _where_vjp,
            _where_not_vjp,
        ),
        jvps=(None, _where_jvp, _where_not_jvp),
        kind="elementwise",
        symbol="{a} if {condition} else {b}",
        code="np.where({condition}, {a}, {b})",
        forms=(
            None,
            Form(
                "[{condition}]",
                "{g} ∘ [{condition}]",
                "np.where({condition}, {g}, 0)",
                "the branch that is taken gets the gradient, the other one gets 0",
            ),
            Form(
                "[not {condition}]",
                "{g} ∘ [not {condition}]",
                "np.where({condition}, 0, {g})",
                "the branch that is taken gets the gradient, the other one gets 0",
            ),
        ),
        summary="The second where the condition holds, else the third.",
        analytic=True,
        chooses=True,
        work=(),
        cases=choice(_both_zero),
        corner="the branch not taken gets a gradient of 0, which a slope of inf or nan "
        "further back still turns into nan: where(x > 0, log(x), 0) at 0",
    ),
    unary(
        "sign",
        np.sign,
        lambda g, y, x: np.zeros_like(g),
        "sign({x})",
        "np.sign({x})",
        Form("0", "0", "np.zeros_like({g})", "a flat step: no slope on either side"),
        "−1, 0 or 1 by the sign of each element.",
        "the slope is 0 everywhere, at the step as well",
        analytic=False,
        cases=(OF_ZERO, Case("flat", "step")),
        kinks=True,
        work=(),
    ),
    _step(
        "round",
        "round({x})",
        "The nearest whole number; of two as near the even one.",
    ),
    _step("floor", "floor({x})", "The greatest whole number that is not above x."),
    _step("ceil", "ceil({x})", "The least whole number that is not below x."),
    _step("trunc", "trunc({x})", "The whole number that is left of x towards 0."),
    unary(
        "stop_gradient",
        _same,
        None,
        "stop({x})",
        "{x}",
        None,
        "The same value, through which no gradient flows.",
        "no gradient, which is not a gradient of 0",
        analytic=True,
        cases=(OF_ZERO,),
        stops=True,
        work=(),
    ),
    unary(
        "dropout",
        _dropout,
        _dropout_rule,
        "{x} ∘ mask / (1 − {p})",
        "{x} * (np.random.default_rng({seed}).random(np.shape({x})) >= {p}) "
        "/ (1 - {p})",
        Form(
            "mask / (1 − {p})",
            "{g} ∘ mask / (1 − {p})",
            "{g} * (np.random.default_rng({seed}).random(np.shape({g})) >= {p}) "
            "/ (1 - {p})",
            "what was dropped has no say; what was kept counts 1 / (1 − p) times",
        ),
        "Drops each element with probability p and scales the rest by 1 / (1 − p).",
        "the mask depends on the shape and the seed only, so every pass drops the same",
        (
            Parameter("p", checks.probability, 0.5),
            Parameter("seed", checks.count, 0),
        ),
        analytic=True,
        cases=(
            Case("nan", "zero times infinity"),
            OF_ZERO,
            Case("zero", "dropped"),
            Case("flat", "dropped"),
        ),
    ),
)

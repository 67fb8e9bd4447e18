"""The losses of two classes: of logits, and of chances that are given as such."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..table import Array, Bound, Case, Form, Op, Rule, Shape
from ..table.axes import LETTERS
from ..table.wide import wide, wide_result
from .losses import REDUCTION, moved, reduced, reduced_code, share_words, shares

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LEAST: Final = -100.0  # of a logarithm that is taken
_NEAR: Final = 1e-12  # of 0 and 1, where slopes do not grow any more


def _same_shape(name: str) -> Callable[..., Shape]:
    """Return the shape rule of a loss whose operands have one shape."""

    def shape(input: Shape, target: Shape, *, reduction: str = "mean") -> Shape:
        if input != target:
            raise ValueError(
                f"{name}: input {input} and target {target} must have one shape"
            )
        return input if reduction == "none" else ()

    return shape


def _letters(input: Shape, _target: Shape, *, reduction: str = "mean") -> str:
    letters = LETTERS[: len(input)]
    return f"{letters},{letters}->{letters if reduction == 'none' else ''}"


def _rules(slopes: Callable[[Array, Array], Array]) -> tuple[Rule, Rule]:
    """Return the vjp and the jvp of a loss of elements, by its slopes."""

    @wide
    def vjp(g: Any, _y: Any, input: Any, target: Any, reduction: str = "mean") -> Array:
        return slopes(input, target) * shares(g, np.shape(input), reduction)

    @wide
    def jvp(t: Any, _y: Any, input: Any, target: Any, reduction: str = "mean") -> Array:
        return reduced(moved(slopes(input, target), t), reduction)

    return vjp, jvp


# ------------------------------------------------------------------------------- logits


@wide_result
def _of_logits(input: Array, target: Array, *, reduction: str = "mean") -> Array:
    target = _like(target, input)
    # Of two large numbers that cancel, only the difference is ever computed.
    losses = np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))
    if not np.all(np.isfinite(input)):
        # ∞ · (1 − target), where it would be ∞ − ∞ · target.
        straight = input * ((input > 0) - target)
        losses = np.where(np.isfinite(input), losses, straight)
    return reduced(losses, reduction)


def _like(target: Any, input: Array) -> Array:
    """Return whole numbers and truths in the dtype of the logits."""
    array = np.asarray(target)
    return array.astype(np.asarray(input).dtype) if array.dtype.kind in "biu" else array


def _sigmoid(x: Array) -> Array:
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


_LOGIT_VJPS, _LOGIT_JVPS = zip(
    _rules(lambda x, target: _sigmoid(x) - _like(target, x)),
    _rules(lambda x, _target: -x),
    strict=True,
)


def _are_truths(
    _y: Array, _input: Array, targets: Array, *, reduction: str = "mean"
) -> Any:
    found = (targets == 0) | (targets == 1)
    return found if reduction == "none" else np.all(found)


def _infinity_at(target: float | None) -> Rule:
    """Return where a logit is infinite, at such a target; at any one with None."""

    def holds(
        _y: Array, input: Array, targets: Array, *, reduction: str = "mean"
    ) -> Any:
        found = np.isinf(input)
        if target is not None:
            found = found & (targets == target)
        return found if reduction == "none" else np.any(found)

    return holds


_SIGMOID_CODE: Final = "np.exp(np.minimum({input}, 0)) / (1 + np.exp(-np.abs({input})))"
_LOGIT_CODE: Final = (
    "np.maximum({input}, 0) - {input} * {target} + np.log1p(np.exp(-np.abs({input})))"
)
_LOGIT_FORMS: Final = (
    Form(
        "σ({input}) − {target}",
        "(σ({input}) − {target}) ∘ {g}",
        "{g}",
        "what is predicted minus what is right",
        work=(3,),
    ),
    Form("−{input}", "−{input} ∘ {g}", "{g}", "the loss contains −input · target"),
)


def _logit_wording(
    input: Shape, _target: Shape, *, reduction: str = "mean"
) -> Mapping[str, Any]:
    share, code = share_words(reduction, math.prod(input))
    by_input, by_target = _LOGIT_FORMS
    return {
        "code": reduced_code(_LOGIT_CODE, reduction),
        "forms": (
            by_input._replace(
                product=f"({by_input.local}) ∘ {share}",
                code=f"({_SIGMOID_CODE} - {{target}}) * {code}",
            ),
            by_target._replace(
                product=f"−{{input}} ∘ {share}", code=f"-{{input}} * {code}"
            ),
        ),
    }


# ------------------------------------------------------------------------------ chances


def _logs(input: Array) -> tuple[Array, Array]:
    """Return the logarithms of the chance that it holds, and that it does not."""
    return (
        np.maximum(np.log(input), _LEAST),
        np.maximum(np.log1p(-input), _LEAST),
    )


@wide_result
def _of_chances(input: Array, target: Array, *, reduction: str = "mean") -> Array:
    holds, fails = _logs(input)
    losses = -(target * holds + (1 - target) * fails)
    return reduced(losses, reduction)


def _chance_slopes(input: Array, target: Array) -> Array:
    return (input - target) / np.maximum(input * (1 - input), _NEAR)


def _is_near(input: Array, _target: Array, **_attributes: Any) -> Array:
    return input * (1 - input) < _NEAR


def _target_slopes(input: Array, _target: Array) -> Array:
    holds, fails = _logs(input)
    return fails - holds


_CHANCE_VJPS, _CHANCE_JVPS = zip(
    _rules(_chance_slopes), _rules(_target_slopes), strict=True
)


def _is_outside(
    _y: Array, input: Array, _target: Array, *, reduction: str = "mean"
) -> Any:
    found = (input < 0) | (input > 1)
    return found if reduction == "none" else np.any(found)


def _is_right(
    _y: Array, input: Array, target: Array, *, reduction: str = "mean"
) -> Any:
    found = (input == target) & ((target == 0) | (target == 1))
    return found if reduction == "none" else np.all(found)


_HOLDS: Final = "np.maximum(np.log({input}), -100)"
_FAILS: Final = "np.maximum(np.log1p(-{input}), -100)"
_CHANCE_CODE: Final = f"-({{target}} * {_HOLDS} + (1 - {{target}}) * {_FAILS})"
_CHANCE_FORMS: Final = (
    Form(
        "({input} − {target}) / ({input} (1 − {input}))",
        "{g} ∘ ({input} − {target}) / ({input} (1 − {input}))",
        "{g} * ({input} - {target}) / np.maximum({input} * (1 - {input}), 1e-12)",
        "a chance that is taken for what does not hold is the worse, the nearer it is "
        "to being certain",
        work=(3,),
    ),
    Form(
        "log(1 − {input}) − log {input}",
        "{g} ∘ (log(1 − {input}) − log {input})",
        f"{{g}} * ({_FAILS} - {_HOLDS})",
        "the target says how much each of the two logarithms counts",
        work=(3,),
    ),
)


def _chance_wording(
    input: Shape, _target: Shape, *, reduction: str = "mean"
) -> Mapping[str, Any]:
    share, code = share_words(reduction, math.prod(input))
    words = share if share == "{g}" else f"({share})"
    forms = tuple(
        form._replace(
            product=form.product.replace("{g}", words),
            code=form.code.replace("{g}", code),
        )
        for form in _CHANCE_FORMS
    )
    return {"code": reduced_code(_CHANCE_CODE, reduction), "forms": forms}


# ----------------------------------------------------------------------------- the rows

ROWS: Final[tuple[Op, ...]] = (
    Op(
        name="binary_cross_entropy_with_logits",
        operands=("input", "target"),
        forward=_of_logits,
        shape=_same_shape("binary_cross_entropy_with_logits"),
        vjps=_LOGIT_VJPS,
        jvps=_LOGIT_JVPS,
        kind="block",
        symbol="binary_cross_entropy({input}, {target})",
        code=_LOGIT_CODE,
        forms=_LOGIT_FORMS,
        summary="−log of the probability that sigmoid(input) gives to the target.",
        analytic=False,
        corner="at inf the loss is inf · (1 − target); at −inf it is inf · target, "
        "where PyTorch has nan; inf · 0 is nan, so a prediction that is certain and "
        "right has a loss of nan",
        parameters=(REDUCTION,),
        axis_letters=_letters,
        wording=_logit_wording,
        cases=(
            Case("nan", "zero times infinity", _infinity_at(0)),
            Case("nan", "opposite infinities", _infinity_at(None)),
            Case("zero", "certain", _are_truths),
            Case("flat", "predicted", argument=0),
            Case("flat", "as likely as not", argument=1),
        ),
        makes_own=("sigmoid",),
        work=(3,),
    ),
    Op(
        name="binary_cross_entropy",
        operands=("input", "target"),
        forward=_of_chances,
        shape=_same_shape("binary_cross_entropy"),
        vjps=_CHANCE_VJPS,
        jvps=_CHANCE_JVPS,
        kind="block",
        symbol="binary_cross_entropy({input}, {target})",
        code=_CHANCE_CODE,
        forms=_CHANCE_FORMS,
        summary="−log of the chance that input, between 0 and 1, gives to the target.",
        analytic=False,
        kinks=True,
        bound=Bound(
            _is_near, "where the slope is divided by 1e-12 at least, as in PyTorch"
        ),
        corner="a logarithm is −100 at least, and input (1 − input), which its slope "
        "is divided by, 1e-12, as in PyTorch; outside 0 … 1 the loss is nan, where "
        "PyTorch refuses; by a target the slope is that of the value, where PyTorch "
        "has inf at 0 and 1; binary_cross_entropy_with_logits needs neither",
        parameters=(REDUCTION,),
        axis_letters=_letters,
        wording=_chance_wording,
        cases=(
            Case("nan", "no chance", _is_outside),
            Case("zero", "certain", _is_right),
            Case("flat", "predicted", argument=0),
            Case("flat", "as likely as not", argument=1),
        ),
        work=(4,),
    ),
)

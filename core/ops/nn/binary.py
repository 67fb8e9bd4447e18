"""The loss of chances that something holds, where they are given as such."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..table import Array, Case, Form, Op, Shape
from ..table.axes import LETTERS
from ..table.wide import wide, wide_result
from .losses import REDUCTION, reduced, reduced_code, share_words, shares

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEAST: Final = -100.0  # of a logarithm that is taken
_NEAR: Final = 1e-12  # of 0 and 1, where slopes do not grow any more


def _shape(input: Shape, target: Shape, *, reduction: str = "mean") -> Shape:
    if input != target:
        raise ValueError(
            f"binary_cross_entropy: input {input} and target {target} must have one "
            "shape"
        )
    return input if reduction == "none" else ()


def _letters(input: Shape, _target: Shape, *, reduction: str = "mean") -> str:
    letters = LETTERS[: len(input)]
    return f"{letters},{letters}->{letters if reduction == 'none' else ''}"


def _logs(input: Array) -> tuple[Array, Array]:
    """Return the logarithms of the chance that it holds, and that it does not."""
    return (
        np.maximum(np.log(input), _LEAST),
        np.maximum(np.log1p(-input), _LEAST),
    )


@wide_result
def _forward(input: Array, target: Array, *, reduction: str = "mean") -> Array:
    holds, fails = _logs(input)
    losses = -(target * holds + (1 - target) * fails)
    return reduced(losses, reduction)


def _input_slopes(input: Array, target: Array) -> Array:
    return (input - target) / np.maximum(input * (1 - input), _NEAR)


def _target_slopes(input: Array, _target: Array) -> Array:
    holds, fails = _logs(input)
    return fails - holds


def _vjp(slopes: Any) -> Any:
    @wide
    def vjp(g: Any, _y: Any, input: Any, target: Any, reduction: str = "mean") -> Array:
        return slopes(input, target) * shares(g, np.shape(input), reduction)

    return vjp


def _jvp(slopes: Any) -> Any:
    @wide
    def jvp(t: Any, _y: Any, input: Any, target: Any, reduction: str = "mean") -> Array:
        return reduced(slopes(input, target) * t, reduction)

    return jvp


# ---------------------------------------------------------------------- special results


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


# -------------------------------------------------------------------------------- words

_HOLDS: Final = "np.maximum(np.log({input}), -100)"
_FAILS: Final = "np.maximum(np.log1p(-{input}), -100)"
_LOSSES: Final = f"-({{target}} * {_HOLDS} + (1 - {{target}}) * {_FAILS})"
_FORMS: Final = (
    Form(
        "({input} − {target}) / ({input} (1 − {input}))",
        "{g} ∘ ({input} − {target}) / ({input} (1 − {input}))",
        "{g} * ({input} - {target}) / np.maximum({input} * (1 - {input}), 1e-12)",
        "a chance that is taken for what does not hold is the worse, the nearer it is "
        "to being certain",
    ),
    Form(
        "log(1 − {input}) − log {input}",
        "{g} ∘ (log(1 − {input}) − log {input})",
        f"{{g}} * ({_FAILS} - {_HOLDS})",
        "the target says how much each of the two logarithms counts",
    ),
)


def _wording(
    input: Shape, _target: Shape, *, reduction: str = "mean"
) -> Mapping[str, Any]:
    share, code = share_words(reduction, math.prod(input))
    words = share if share == "{g}" else f"({share})"
    forms = tuple(
        form._replace(
            product=form.product.replace("{g}", words),
            code=form.code.replace("{g}", code),
        )
        for form in _FORMS
    )
    return {"code": reduced_code(_LOSSES, reduction), "forms": forms}


# ----------------------------------------------------------------------------- the rows

ROWS: Final[tuple[Op, ...]] = (
    Op(
        name="binary_cross_entropy",
        operands=("input", "target"),
        forward=_forward,
        shape=_shape,
        vjps=(_vjp(_input_slopes), _vjp(_target_slopes)),
        jvps=(_jvp(_input_slopes), _jvp(_target_slopes)),
        kind="block",
        symbol="binary_cross_entropy({input}, {target})",
        code=_LOSSES,
        forms=_FORMS,
        summary="−log of the chance that input, between 0 and 1, gives to the target.",
        analytic=False,
        kinks=True,
        corner="a logarithm is −100 at least, and input (1 − input), which its slope "
        "is divided by, 1e-12, as in PyTorch; outside 0 … 1 the loss is nan, where "
        "PyTorch refuses; by a target the slope is that of the value, where PyTorch "
        "has inf at 0 and 1; binary_cross_entropy_with_logits needs neither",
        parameters=(REDUCTION,),
        axis_letters=_letters,
        wording=_wording,
        cases=(
            Case("nan", "no chance", _is_outside),
            Case("zero", "certain", _is_right),
            Case("flat", "predicted", argument=0),
            Case("flat", "as likely as not", argument=1),
        ),
    ),
)

"""Exponentials, roots and angles: the functions that every calculator has."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..table import (
    Case,
    Form,
    Op,
)
from ..table.cases import (
    AT_INFINITY,
    AT_MINUS_INFINITY,
    CORNER,
    NEGATIVE,
    OF_ZERO,
    POLE,
    SATURATED,
    UNDERFLOW,
    VERTEX,
    of_one,
)
from ..table.wide import careful, wide
from .rows import unary


@wide
def _expm1_rule(g: Any, y: Any, x: Any) -> Any:
    return g * np.exp(x)


def _tanh_rule(g: Any, y: Any, x: Any) -> Any:
    slope = 1 - y * y
    slope *= g  # in place, where it is an array
    return slope


@careful
def _arctan_rule(g: Any, y: Any, x: Any) -> Any:
    return g / (1 + x * x)


ROWS: Final[tuple[Op, ...]] = (
    unary(
        "exp",
        np.exp,
        lambda g, y, x: g * y,
        "exp({x})",
        "np.exp({x})",
        Form(
            "{y}", "{g} ∘ {y}", "{g} * {y}", "exp is its own slope: the stored result"
        ),
        "e to the power of each element.",
        "numbers below the normal range are kept: exp(−745) is 5e-324",
        analytic=True,
        cases=(AT_MINUS_INFINITY, UNDERFLOW, SATURATED),
    ),
    unary(
        "expm1",
        np.expm1,
        _expm1_rule,
        "exp({x}) − 1",
        "np.expm1({x})",
        Form(
            "exp({x})",
            "{g} ∘ exp({x})",
            "{g} * np.exp({x})",
            "the 1 is constant; exp is taken again, for y + 1 would lose digits",
            work=(2,),
        ),
        "exp(x) − 1, exact near 0.",
        analytic=True,
        cases=(OF_ZERO, SATURATED),
    ),
    unary(
        "log",
        np.log,
        lambda g, y, x: g / x,
        "log({x})",
        "np.log({x})",
        Form(
            "1 / {x}", "{g} / {x}", "{g} / {x}", "the slope of the logarithm is 1 / x"
        ),
        "The natural logarithm.",
        "log(0) is −inf with slope inf; an upstream gradient of 0 there gives 0 · inf, "
        "which is nan",
        analytic=True,
        cases=(NEGATIVE, POLE, Case("zero", "root"), AT_INFINITY),
    ),
    unary(
        "log1p",
        np.log1p,
        lambda g, y, x: g / (1 + x),
        "log(1 + {x})",
        "np.log1p({x})",
        Form(
            "1 / (1 + {x})",
            "{g} / (1 + {x})",
            "{g} / (1 + {x})",
            "the slope of the logarithm is one over what it is taken of",
        ),
        "log(1 + x), exact near 0.",
        "log1p(−1) is −inf with slope inf",
        analytic=True,
        cases=(
            NEGATIVE,
            of_one("inf", "pole", lambda y, x: x == -1),
            OF_ZERO,
            AT_INFINITY,
        ),
    ),
    unary(
        "sqrt",
        np.sqrt,
        lambda g, y, x: g / (2 * y),
        "√{x}",
        "np.sqrt({x})",
        Form(
            "1 / (2 · {y})",
            "{g} / (2 {y})",
            "{g} / (2 * {y})",
            "the slope of √x is 1 / (2 √x), and √x is stored",
            work=(2,),
        ),
        "The square root.",
        "sqrt(0) has slope inf, so sqrt(sum(x * x)) at 0 gives inf · 0, which is nan",
        analytic=True,
        cases=(NEGATIVE, OF_ZERO, AT_INFINITY),
    ),
    unary(
        "square",
        np.square,
        lambda g, y, x: 2 * (g * x),
        "{x}²",
        "np.square({x})",
        Form(
            "2 · {x}",
            "2 {g} ∘ {x}",
            "2 * {g} * {x}",
            "x · x has two uses of x",
            work=(2,),
        ),
        "Each element times itself.",
        analytic=True,
        cases=(OF_ZERO, UNDERFLOW, VERTEX),
    ),
    unary(
        "abs",
        np.abs,
        lambda g, y, x: g * np.sign(x),
        "|{x}|",
        "np.abs({x})",
        Form(
            "sign({x})",
            "{g} ∘ sign({x})",
            "{g} * np.sign({x})",
            "the size grows with x above 0 and shrinks with it below",
            work=(1,),
        ),
        "The size of each element, without its sign.",
        "abs(0) has slope 0; abs(nan) has slope nan, where PyTorch has 0",
        analytic=False,
        cases=(OF_ZERO, CORNER),
        kinks=True,
        work=(),
    ),
    unary(
        "sin",
        np.sin,
        lambda g, y, x: g * np.cos(x),
        "sin({x})",
        "np.sin({x})",
        Form(
            "cos({x})",
            "{g} ∘ cos({x})",
            "{g} * np.cos({x})",
            "the slope of sin is cos",
            work=(2,),
        ),
        "The sine; angles in radians.",
        analytic=True,
        cases=(Case("nan", "periodic"), OF_ZERO),
        endless=True,
    ),
    unary(
        "cos",
        np.cos,
        lambda g, y, x: -g * np.sin(x),
        "cos({x})",
        "np.cos({x})",
        Form(
            "−sin({x})",
            "−{g} ∘ sin({x})",
            "-{g} * np.sin({x})",
            "the slope of cos is −sin",
            work=(2,),
        ),
        "The cosine; angles in radians.",
        analytic=True,
        cases=(Case("nan", "periodic"), VERTEX),
        endless=True,
    ),
    unary(
        "tanh",
        np.tanh,
        _tanh_rule,
        "tanh({x})",
        "np.tanh({x})",
        Form(
            "1 − {y}²",
            "{g} ∘ (1 − {y}²)",
            "{g} * (1 - {y} * {y})",
            "the slope needs the stored result only; it is 0 where tanh is ±1",
            work=(2,),
        ),
        "The hyperbolic tangent, from −1 to 1.",
        analytic=True,
        cases=(OF_ZERO, SATURATED),
    ),
    unary(
        "arctan",
        np.arctan,
        _arctan_rule,
        "arctan({x})",
        "np.arctan({x})",
        Form(
            "1 / (1 + {x}²)",
            "{g} / (1 + {x}²)",
            "{g} / (1 + {x} * {x})",
            "the steeper the angle, the less it still turns",
            work=(2,),
        ),
        "The angle in radians whose tangent is x.",
        analytic=True,
        cases=(OF_ZERO, SATURATED),
    ),
)

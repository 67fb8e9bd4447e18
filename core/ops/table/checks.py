"""What an attribute of an operation may be: the checks behind `Parameter.check`.

A check returns what is allowed when a value is wrong, and nothing when it is right, so
that one sentence can be made of it: `axis is 'x'; allowed: a whole number or None`.
Whether an axis exists, or a shape fits, is for the shape rule to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

Check = Callable[[Any], str]


def flag(value: Any) -> str:
    """Allow `True` and `False`."""
    return _say(isinstance(value, bool), "True or False")


def whole(value: Any) -> str:
    """Allow a whole number: an axis that must be given, an offset.

    >>> whole(-1), whole(0.5)
    ('', 'a whole number')
    """
    return _say(is_whole(value), "a whole number")


def count(value: Any) -> str:
    """Allow a whole number from 0 on: a seed, a width of padding."""
    return _say(is_whole(value) and value >= 0, "a whole number, 0 or more")


def size(value: Any) -> str:
    """Allow a whole number from 1 on: a number of sections, a stride."""
    return _say(is_whole(value) and value >= 1, "a whole number, 1 or more")


def number(value: Any) -> str:
    """Allow a finite number."""
    return _say(is_finite(value), "a finite number")


def positive(value: Any) -> str:
    """Allow a finite number above 0."""
    return _say(is_finite(value) and value > 0, "a finite number above 0")


def non_negative(value: Any) -> str:
    """Allow a finite number from 0 on."""
    return _say(is_finite(value) and value >= 0, "a finite number, 0 or more")


def probability(value: Any) -> str:
    """Allow a number from 0 up to 1, without 1: the part that dropout drops."""
    return _say(is_finite(value) and 0 <= value < 1, "a number p with 0 <= p < 1")


def share(value: Any) -> str:
    """Allow a number from 0 up to 1: a part of a whole."""
    return _say(is_finite(value) and 0 <= value <= 1, "a number from 0 to 1")


def axis(value: Any) -> str:
    """Allow one axis, or `None` for all of them flattened."""
    return _say(value is None or is_whole(value), "a whole number or None")


def axes(value: Any) -> str:
    """Allow one axis, several in parentheses, or `None` for all.

    >>> axes((0, -1)), axes([0.5])
    ('', 'a whole number, whole numbers in parentheses, or None')
    """
    right = value is None or is_whole(value) or _are_whole(value)
    return _say(right, "a whole number, whole numbers in parentheses, or None")


def shape(value: Any) -> str:
    """Allow a shape, or one whole number for a shape with one axis."""
    right = is_whole(value, 0) or _are_whole(value, 0)
    return _say(right, "a shape: whole numbers, 0 or more, in parentheses")


def open_shape(value: Any) -> str:
    """Allow a shape in which one length may be -1, to be found from the others."""
    sizes = (value,) if is_whole(value) else value
    right = _are_whole(sizes, -1) and sizes.count(-1) <= 1
    return _say(right, "a shape: whole numbers in parentheses, at most one of them -1")


def pair(value: Any) -> str:
    """Allow one whole number from 1 on, or two of them, for height and width."""
    right = is_whole(value, 1) or (_are_whole(value, 1) and len(value) == 2)
    return _say(right, "a whole number, 1 or more, or two of them in parentheses")


def pair_or_zero(value: Any) -> str:
    """Allow one whole number from 0 on, or two of them, for height and width."""
    right = is_whole(value, 0) or (_are_whole(value, 0) and len(value) == 2)
    return _say(right, "a whole number, 0 or more, or two of them in parentheses")


def text(value: Any) -> str:
    """Allow a text in quotes."""
    return _say(isinstance(value, str), "a text in quotes")


def choice(*allowed: str) -> Check:
    """Return a check that allows the given texts.

    >>> choice("none", "tanh")("tan")
    '"none" or "tanh"'
    """
    return lambda value: _say(
        isinstance(value, str) and value in allowed,
        " or ".join(f'"{one}"' for one in allowed),
    )


def optional(check: Check) -> Check:
    """Return a check that allows `None` and what `check` allows."""

    def check_unless_none(value: Any) -> str:
        allowed = "" if value is None else check(value)
        return f"{allowed}, or None" if allowed else ""

    return check_unless_none


def is_whole(value: Any, least: float = -math.inf) -> bool:
    """Tell whether a value is a whole number; `True` is none.

    It is an int in Python, but nobody means an axis by it.
    """
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_finite(value: Any) -> bool:
    """Tell whether a value is a number that a finite float can hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the range of floats
        return False


def _say(right: bool, allowed: str) -> str:
    return "" if right else allowed


def _are_whole(value: Any, least: float = -math.inf) -> bool:
    if not isinstance(value, tuple):
        return False
    return all(is_whole(one, least) for one in cast("tuple[Any, ...]", value))

"""A number is right where it is the right one, rounded."""

from __future__ import annotations

import pytest

from gradstep.core.base.errors import CommandError
from gradstep.core.practice.answer import fits, read_number


def value(text: str) -> float:
    """Return what an expression of numbers comes to."""
    return eval(text, {"__builtins__": {}})  # of this file


@pytest.mark.parametrize(
    ("text", "number", "is_right"),
    [
        ("20", 20.0, True),
        ("20.", 20.0, True),
        ("2e1", 20.0, True),
        ("-0.25", -0.25, True),
        ("0.25", -0.25, False),
        ("0.269", 0.2689414, True),
        ("0.2689", 0.2689414, True),
        ("0.2690", 0.2689414, False),  # the fourth digit is wrong
        ("0.27", 0.2689414, False),  # two digits are too few
        ("0.268", 0.2689414, False),  # cut off
        ("1.1 * 3", 3.3000000000000003, True),
        ("3.3", 3.3000000000000003, True),
        ("3.31", 3.3000000000000003, False),
        ("0.2689 * 0.7311", 0.19661193, True),  # both factors are rounded
        ("0.269 * 0.731", 0.19661193, False),  # so few digits are taken as they are
        ("0.2689 * 0.7411", 0.19661193, False),
        ("1.50e7", 15_020_000.0, True),
        ("1.50e7", 15_060_000.0, False),
        ("0", 0.0, True),
        ("-0", 0.0, True),
        ("0", 0.001, False),
        ("nan", float("nan"), True),
        ("nan", 0.0, False),
        ("inf", float("inf"), True),
        ("-inf", float("inf"), False),
        ("1e308 * 10", float("inf"), True),
    ],
)
def test_what_is_right(text: str, number: float, is_right: bool) -> None:
    precision = 4 * 2.2e-16 * abs(number) if number - number == 0 else 0.0
    assert fits(read_number(text, value), number, precision) is is_right


@pytest.mark.parametrize("text", ["[1, 2]", "'a'"])
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(CommandError):
        read_number(text, value)

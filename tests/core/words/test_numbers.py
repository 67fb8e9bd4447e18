import ast
import math
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.words.numbers import (
    CELL,
    MOST_DIGITS,
    SENTENCE,
    change_text,
    distinct,
    element_text,
    fitted,
    number_text,
    printed,
    style_for,
    value_text,
    write,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
ordinary = st.floats(-1e5, 1e5)


def unit_in_the_last_place(text: str) -> Fraction:
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return Fraction(10) ** (int(exponent or 0) - decimals)


def is_correctly_rounded(text: str, number: float) -> bool:
    """Round half to even in exact arithmetic, at the last digit shown."""
    unit = unit_in_the_last_place(text)
    units = Fraction(number) / unit
    return Fraction(Decimal(text)) == round(units) * unit


@given(finite, st.integers(1, 17))
def test_a_number_alone_is_correctly_rounded(number: float, precision: int) -> None:
    text = number_text(number, precision)
    assert is_correctly_rounded(text, number), text
    with localcontext(Context(prec=precision, rounding=ROUND_HALF_EVEN)):
        rounded = +Decimal(number)
    if not float(number).is_integer():
        assert Decimal(text) == rounded


@given(st.lists(finite | ordinary, min_size=1, max_size=12), st.integers(1, 17))
def test_numbers_of_a_block_are_correctly_rounded(
    numbers: list[float], precision: int
) -> None:
    style = style_for(numbers, precision)
    for number in numbers:
        assert is_correctly_rounded(write(number, style), number)


@given(st.lists(finite | ordinary, min_size=1, max_size=12), st.integers(2, 17))
def test_no_number_but_zero_is_shown_as_zero(
    numbers: list[float], precision: int
) -> None:
    style = style_for(numbers, precision)
    for number in numbers:
        shown = Decimal(write(number, style))
        assert (shown == 0) == (number == 0)
        # Two digits at least, where a number has as many.
        assert abs(Fraction(shown) - Fraction(number)) <= abs(Fraction(number)) / 20


@given(finite, finite)
def test_seventeen_digits_tell_numbers_apart(one: float, other: float) -> None:
    assert float(number_text(one, 17)) == one
    assert (number_text(one, 17) == number_text(other, 17)) == (
        one == other and math.copysign(1, one) == math.copysign(1, other)
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (550.0, "550"),
        (3.3000000000000003, "3.3"),
        (123456789.0, "123456789"),
        (1e22, "1e22"),
        (0.1 + 0.2, "0.3"),
        (0.0012345, "0.001234"),
        (0.0025, "0.0025"),
        (0.00025, "2.5e-4"),
        (1.5e-9, "1.5e-9"),
        (123456.5, "123456"),
        (1234567.5, "1.235e6"),
        (1234567890.0, "1.235e9"),
        (5e-324, "4.941e-324"),
        (np.float32(0.1), "0.1"),
        (np.float16(65504), "65504"),
        (np.int64(-7), "-7"),
        (np.float16(6e-8), "5.96e-8"),
        (np.float32(1e-45), "1.401e-45"),
        (np.float32(16777216), "16777216"),
        (10**30, "1" + "0" * 30),
        (-(2**63), "-9223372036854775808"),
        (np.uint64(2**64 - 1), "18446744073709551615"),
        (np.True_, "True"),
        (7, "7"),
    ],
)
def test_a_number_reads_as_by_hand(number: float, text: str) -> None:
    assert number_text(number) == text


@pytest.mark.parametrize(
    "block",
    [
        {0.562: "0.5620", 0.0213: "0.0213", -1.25e-7: "-1.25e-7", 0.0: "0"},
        # One digit more than the largest needs, for those that are ten times smaller.
        {1.2346: "1.2346", 0.12346: "0.1235"},
        {1.2346: "1.2346", 0.012346: "0.0123"},
        {0.56234: "0.5623", 0.021346: "0.0213"},
        {1.0: "1.0000", 0.012346: "0.0123"},
        {-1.0: "-1.0000", 0.012346: "0.0123"},
        # Neither zeros nor what is not finite takes part.
        {0.0: "0", math.inf: "inf", 0.012346: "0.01235"},
        # Where a number would keep less than two digits, it has decimals of its own.
        {123456.5: "123456", 12.5: "12", 7.5: "7.5", 0.25: "0.25"},
        {0.5623: "0.5623", 0.00123: "0.0012", 0.00012: "1.2e-4", 0.0001: "0.0001"},
        # Large ones share the decimals in front of the exponent.
        {1.5e7: "1.50e7", 2.25e7: "2.25e7", 550.0: "550", 0.25: "0.25"},
        {1.0: "1", 1e8: "100000000"},
        {1.0: "1", 1e9: "1e9"},
    ],
)
def test_the_numbers_of_a_block_share_their_decimals(block: dict[float, str]) -> None:
    style = style_for(block)
    assert {number: write(number, style) for number in block} == block


def test_a_float32_is_shown_as_the_number_that_it_is() -> None:
    assert number_text(np.float32(0.1), 17) == "0.10000000149011612"


# ------------------------------------------------------------------ values on a line


@given(finite, st.integers(1, MOST_DIGITS))
def test_what_is_read_back_is_within_half_a_unit_of_the_last_digit(
    number: float, digits: int
) -> None:
    text = value_text(number, digits)
    away = abs(Fraction(Decimal(text)) - Fraction(number))
    assert away <= unit_in_the_last_place(text) / 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing yet"),
        (2 / 3, "0.666667"),
        (np.float32(0.1), "0.1"),
        (np.array([1 / 3, -0.0, np.nan, np.inf]), "[0.333333, -0, nan, inf]"),
        (np.array([[1, 10**12]]), "[[1, 1000000000000]]"),
        (np.zeros(5), "(5,)"),
        (np.zeros((5, 1)), "(5, 1)"),
        (np.zeros((3, 0)), "[[], [], []]"),
        (np.array(True), "True"),
        ((2, 3), "(2, 3)"),
        ("relu", "relu"),
        (True, "True"),
        (np.array(7), "7"),
    ],
)
def test_a_value_stands_on_one_line(value: object, text: str) -> None:
    assert value_text(value) == text


@given(finite, finite, st.sampled_from([CELL, SENTENCE]))
def test_two_numbers_read_alike_only_where_they_are_equal(
    one: float, other: float, digits: int
) -> None:
    texts = distinct(one, other, digits)
    assert (texts[0] == texts[1]) == (repr(one) == repr(other))
    assert is_correctly_rounded(texts[0], one)
    assert is_correctly_rounded(texts[1], other)


@given(ordinary, st.sampled_from([CELL, SENTENCE]))
def test_neighbours_are_told_apart(number: float, digits: int) -> None:
    one, other = distinct(number, math.nextafter(number, math.inf), digits)
    assert one != other


def test_two_numbers_have_no_more_digits_than_tell_them_apart() -> None:
    assert distinct(1 / 3, 2 / 3) == ("0.333333", "0.666667")
    assert distinct(0.1 + 0.2, 0.3) == ("0.30000000000000004", "0.29999999999999999")
    assert distinct(1 / 3, 1 / 3) == ("0.333333", "0.333333")
    assert distinct(np.nan, np.nan) == ("nan", "nan")
    assert distinct(np.zeros(9), np.ones(9)) == ("(9,)", "(9,)")
    assert change_text(-0.41808944700, -0.41808944680) == (
        "-0.418089447 → -0.4180894468"
    )


@given(finite, st.integers(8, 12))
def test_a_number_is_fitted_into_its_place(number: float, width: int) -> None:
    text = fitted(number, width)
    assert len(text) <= width
    assert is_correctly_rounded(text, number)


@pytest.mark.parametrize(
    ("number", "widths"),
    [
        (-0.012631, {8: "-0.01263", 7: "-0.0126", 6: "-0.013", 5: "-0.01", 4: "-1e-2"}),
        (123456789.0, {9: "123456789", 8: "1.235e8", 7: "1.235e8", 6: "1.23e8"}),
        (123456789.0, {5: "1.2e8", 4: "1e8", 3: "1e8", 2: "1e8"}),
        (0.5, {8: "0.5", 3: "0.5"}),
        (-0.0969838, {9: "-0.09698", 6: "-0.097", 5: "-0.10", 4: "-0.1"}),
        (0.1003, {9: "0.1003", 5: "0.100", 4: "0.10", 3: "0.1"}),
        (0.1, {9: "0.1", 5: "0.1"}),
        (1.39999, {9: "1.4", 5: "1.4"}),
        (-1.6e-100, {9: "-1.6e-100", 7: "-2e-100", 6: "-2e-100"}),
        (0.0, {1: "0"}),
        (-math.inf, {2: "-inf"}),
    ],
)
def test_a_number_keeps_the_digits_that_its_place_has_room_for(
    number: float, widths: dict[int, str]
) -> None:
    assert {width: fitted(number, width) for width in widths} == widths


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (1 / 3, ["0.333333"]),
        (np.arange(3), ["[0, 1, 2]"]),
        (np.array([True]), ["[ True]"]),
        (np.array([[0.5], [-20.0]]), ["[[  0.5],", " [-20.0]]"]),
        (np.array([np.nan, 1.5]), ["[nan, 1.5]"]),
        (np.zeros(101), ["[0, 0, 0, ..., 0, 0, 0]"]),
        (np.arange(1000), ["[  0,   1,   2, ..., 997, 998, 999]"]),
        (np.zeros(1001), ["(1001,) [0, 0, 0, ..., 0, 0, 0]"]),
        (np.zeros((0, 3)), ["[]"]),
        ((2, 3), ["(2, 3)"]),
        ("relu", ["relu"]),
        (None, ["nothing yet"]),
    ],
)
def test_an_array_is_printed_in_its_rows(value: object, lines: list[str]) -> None:
    assert printed(value).split("\n") == lines


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0000001, "3.0000001"),
        (-3.0000001, "-3.0000001"),
        (0.19250034, "0.1925003"),  # and not 0.1925
        (0.19254661, "0.192547"),  # nobody takes it for a rounder one
        (550.000001, "550.000001"),
        (0.1 + 0.2, "0.3"),  # the last bit is a rounding
        (np.float32(1.1) * np.float32(3), "3.3"),  # so it is in float32
        (np.float32(3.00001), "3.00001"),
        (np.float16(2049), "2048"),  # there is none between 2048 and 2050
        (1e-300, "1e-300"),
        (0.0, "0"),
        (math.inf, "inf"),
    ],
)
def test_a_number_alone_does_not_read_like_a_rounder_one(
    value: float, text: str
) -> None:
    assert printed(value) == text


@pytest.mark.parametrize("kind", [float, int])
def test_an_array_of_a_hundred_elements_is_printed_whole(kind: type) -> None:
    assert ast.literal_eval(printed(np.arange(100, dtype=kind))) == list(range(100))


def test_an_element_has_its_index_behind_its_name() -> None:
    assert element_text("W.grad", (0, 3)) == "W.grad[0, 3]"
    assert element_text("E", ()) == element_text("E", None) == "E"


# ------------------------------------------------------------------- nobody else does

ROOT = Path(__file__).parents[3]
MODULES = [
    path for name in ("core", "tui") for path in sorted((ROOT / name).rglob("*.py"))
]
# Who else writes numbers, and why.
ALLOWED = {
    "core/words/numbers.py": "the one place",
    "tui/cli/arguments.py": "bounds in the help, which has to come without NumPy",
    "tui/export/drawn_graph.py": "places in a picture are no numbers of a run",
    "core/pictures/plot.py": "rounds ticks of an axis to the decimals of their step",
}


def writes_floats(node: ast.AST) -> bool:
    """Tell whether a node of a syntax tree gives a float so many digits."""
    if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
        return ast.unparse(node.format_spec).rstrip("'\"")[-1:] in set("eEfFgGn%")
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    return name in {"format_float_positional", "format_float_scientific"} or (
        name == "round" and len(node.args) > 1
    )


@pytest.mark.parametrize("code", ["f'{x:.4g}'", "f'{x:.{n}e}'", "round(x, 3)"])
def test_a_writer_of_floats_is_found(code: str) -> None:
    assert any(map(writes_floats, ast.walk(ast.parse(code))))


@pytest.mark.parametrize("code", ["f'{x:>5}'", "f'{x:,}'", "f'{x:{n}}'", "round(x)"])
def test_what_pads_or_counts_writes_no_floats(code: str) -> None:
    assert not any(map(writes_floats, ast.walk(ast.parse(code))))


def test_no_other_module_writes_floats() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in MODULES
        if any(map(writes_floats, ast.walk(ast.parse(path.read_text("utf-8")))))
    }
    assert found == set(ALLOWED)

from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.words.numbers import style_for, write
from gradstep.tui.draw.digits import align

finite = st.floats(allow_nan=False, allow_infinity=False)
ordinary = st.floats(-1e5, 1e5)


@given(st.lists(finite | ordinary, min_size=1, max_size=12))
def test_decimal_points_stand_in_one_column(numbers: list[float]) -> None:
    style = style_for(numbers)
    texts = align([write(number, style) for number in numbers])
    assert len({len(text) for text in texts}) == 1
    points = {text.find(".") for text in texts if "." in text}
    assert len(points) <= 1


def test_what_is_no_number_ends_where_the_numbers_end() -> None:
    assert align(["2.0", "nan", "-inf", "0.6667"]) == [
        "   2.0   ",
        "      nan",
        "     -inf",
        "   0.6667",
    ]

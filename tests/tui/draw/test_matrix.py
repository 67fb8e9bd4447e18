import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradstep.tui.draw.blocks import Block
from gradstep.tui.draw.look import Look
from gradstep.tui.draw.matrix import array_block, inline


def text_of(block: Block) -> str:
    return "\n".join(line.plain for line in block.lines)


def drawn(array, width=80, **options) -> str:
    return text_of(array_block(np.asarray(array), Look(**options), width))


def test_a_matrix_stands_in_brackets_with_the_numbers_of_its_rows() -> None:
    assert drawn([[0.12, 0.34], [0.0, -1.0]]) == (
        "       0      1\n0 ⎡ 0.12   0.34 ⎤\n1 ⎣ 0     -1.00 ⎦"
    )


def test_a_vector_is_a_row() -> None:
    assert drawn([1.5, -2.0]) == "    0     1\n[ 1.5  -2.0 ]"


def test_a_column_has_no_number_above_it() -> None:
    assert drawn([[1.0], [2.0]]) == "0 ⎡ 1 ⎤\n1 ⎣ 2 ⎦"


def test_plain_is_ascii() -> None:
    array = np.random.default_rng(0).normal(size=(40, 40))
    assert drawn(array, ascii=True).isascii()


def test_a_large_matrix_is_shown_by_its_corners_and_a_summary() -> None:
    array = np.arange(784 * 50, dtype=float).reshape(784, 50)
    text = drawn(array)
    lines = text.split("\n")
    assert "⋮" in text
    assert "⋯" in text
    assert lines[0].split() == ["0", "1", "2", "48", "49"]
    assert lines[-1].startswith("0 … 39199  ")
    assert "1 zero" in lines[-1]
    # The last row begins with its number and ends with the last element.
    assert lines[-2].split()[0] == "783"
    assert lines[-2].split()[-2] == "39199"


def test_an_array_of_four_axes_is_a_matrix_for_each_place() -> None:
    text = drawn(np.zeros((2, 2, 2, 2)))
    assert [line for line in text.split("\n") if line.startswith("[")] == [
        "[0, 0]",
        "[0, 1]",
        "[1, 0]",
        "[1, 1]",
    ]


def test_rows_columns_and_slices_count_from_one_as_in_books() -> None:
    block = array_block(np.arange(8.0).reshape(2, 2, 2), Look(first=1), 80)
    lines = text_of(block).split("\n")
    assert lines[0] == "1"
    assert lines[1].split() == ["1", "2"]
    assert [line.split()[0] for line in lines[2:4]] == ["1", "2"]
    assert lines[4] == "2"


def test_nothing_is_there_in_an_empty_array() -> None:
    assert drawn(np.zeros((0, 3))) == "empty"


def test_nan_and_inf_stand_out_by_word_and_by_style() -> None:
    block = array_block(np.array([[1.0, np.nan], [np.inf, 2.0]]), Look(), 80)
    assert "nan" in text_of(block)
    marked = [
        line.plain[span.start : span.end].strip()
        for line in block.lines
        for span in line.spans
        if span.style == Look().styles["alarm"]
    ]
    assert marked == ["nan", "inf"]


@given(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=4, max_side=30)),
    st.integers(30, 140),
)
def test_a_matrix_never_takes_more_room_than_it_has(array, width) -> None:
    block = array_block(array, Look(), width)
    # One column and its number always fit into thirty.
    assert max(line.cell_len for line in block.lines) <= width
    assert block.width == max(line.cell_len for line in block.lines)


@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 30), st.integers(1, 30)),
        # a row has decimals for its largest number: those tell all of these apart
        elements=st.integers(-999, 999).map(lambda n: n / 8),
    ),
    st.data(),
)
def test_a_slice_is_shown_whole(array, data) -> None:
    rows, columns = array.shape
    start = data.draw(st.integers(0, columns - 1))
    stop = data.draw(st.integers(start + 1, columns))
    index = (data.draw(st.integers(0, rows - 1)), slice(start, stop))
    block = array_block(array, Look(precision=17), 60, index)
    strips = [line.plain for line in block.lines if "[" in line.plain]
    shown = " ".join(strip.partition("[")[2].partition("]")[0] for strip in strips)
    assert [float(n) for n in shown.split()] == list(array[index[0], start:stop])


def test_the_numbers_of_a_slice_are_those_of_the_whole() -> None:
    array = np.arange(784 * 50, dtype=float).reshape(784, 50)
    block = array_block(array, Look(), 80, (slice(500, 502), slice(7, 9)))
    assert text_of(block) == (
        "          7      8\n500 ⎡ 25007  25008 ⎤\n501 ⎣ 25057  25058 ⎦"
    )


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.float64(2.5), "2.5"),
        ([1.0, 2.5], "[1.0 2.5]"),
        (np.ones((3, 3)), "all 1"),
        ([[1.0, np.nan], [0.0, np.inf]], "[[1 nan] [0 inf]]"),
        ([[1.0, np.nan, 0.0, np.inf, 2.0]], "0 … 2  1 zero  1 nan  1 inf"),
        ([[[1.0, 2.0]]], "1 … 2"),
        ([[0.125], [0.25], [0.375], [0.5]], "0.125 … 0.5"),
        (np.zeros(0), "[]"),
        (np.zeros((9, 0)), "empty"),
    ],
)
def test_an_array_fits_into_a_line(array, text) -> None:
    assert inline(np.asarray(array), Look()).plain == text


@pytest.mark.parametrize("shape", [(2_000_000,), (1_000_000, 2), (500_000, 2, 2)])
def test_of_a_large_array_no_more_is_made_than_is_shown(shape: tuple[int, ...]) -> None:
    array = np.zeros(shape)  # 16 MB; a list of its places would be as large again
    tracemalloc.start()
    try:
        block = array_block(array, Look(), 80)
        assert tracemalloc.get_traced_memory()[1] < array.nbytes / 2
    finally:
        tracemalloc.stop()
    assert 0 < len(block.lines) < 40

"""Values from TOML against NumPy, and what must not come in through them."""

import math
import os
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.base.errors import Problem
from gradstep.core.base.limits import LIMITS
from gradstep.core.ops.table import Array
from gradstep.core.scenario import toml
from gradstep.core.scenario.values import Room, Setting, read

FLOAT64 = Setting(np.dtype(np.float64))
CONSTANT = Setting(np.dtype(np.float64), keep=True)
PARAMETER = Setting(np.dtype(np.float64), floats_only=True)


def attempt(text: str, setting: Setting) -> tuple[Array | None, list[Problem]]:
    text = f"x = {text}"
    mistakes = toml.Mistakes(text, "f")
    array = read(toml.parse(text, "f")["x"], ("x",), mistakes, setting)
    return array, mistakes.problems()


def value(text: str, setting: Setting = FLOAT64) -> Array:
    array, problems = attempt(text, setting)
    assert problems == []
    assert array is not None
    return array


def mistake(text: str, setting: Setting = FLOAT64) -> str:
    """Return the only mistake in a value, with its column in `x = …`."""
    array, problems = attempt(text, setting)
    assert array is None
    assert len(problems) == 1, problems
    return str(problems[0])


def beside(folder: Path, *, keep: bool = False) -> Setting:
    return Setting(np.dtype(np.float64), folder=folder, keep=keep)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


INF, NAN = math.inf, math.nan
MAKERS: dict[str, Any] = {
    "2": np.float64(2),
    "[1, 2]": np.array([1.0, 2.0]),
    "[[1, nan], [inf, -inf]]": np.array([[1, NAN], [INF, -INF]]),
    "{ value = [1, 2, 3, 4], shape = [2, 2] }": np.array([[1.0, 2], [3, 4]]),
    "{ value = 7 }": np.float64(7),
    '{ value = [1, 2], dtype = "int64" }': np.array([1, 2]),
    '{ value = [true, false], dtype = "bool" }': np.array([True, False]),
    '{ value = [1.5], dtype = "float16" }': np.array([1.5], np.float16),
    "{ zeros = [2, 3] }": np.zeros((2, 3)),
    "{ zeros = [] }": np.zeros(()),
    "{ ones = 4 }": np.ones(4),
    '{ ones = [2], dtype = "int32" }': np.ones(2, np.int32),
    "{ full = [2, 2], value = 0.5 }": np.full((2, 2), 0.5),
    "{ eye = 3 }": np.eye(3),
    "{ eye = [2, 3] }": np.eye(2, 3),
    "{ arange = 4 }": np.arange(4.0),
    "{ arange = [1, 4] }": np.arange(1.0, 4.0),
    "{ arange = [0, 1, 0.1] }": np.arange(0, 1, 0.1),
    "{ arange = [5, 0, -2] }": np.arange(5.0, 0, -2),
    "{ linspace = [0, 1, 5] }": np.linspace(0, 1, 5),
    '{ random = "normal", shape = [2, 3], seed = 1 }': rng(1).standard_normal((2, 3)),
    '{ random = "normal", shape = [9], seed = 1, loc = 3, scale = 0.1 }': (
        rng(1).standard_normal(9) * 0.1 + 3
    ),
    '{ random = "uniform", shape = [9], seed = 2, low = -1, high = 3 }': (
        rng(2).random(9) * 4 - 1
    ),
    '{ random = "integers", shape = [9], seed = 3, high = 5 }': (
        rng(3).integers(0, 5, 9).astype(float)
    ),
    '{ random = "choice", shape = [9], seed = 4, of = [-1, 1] }': (
        np.array([-1.0, 1.0])[rng(4).integers(0, 2, 9)]
    ),
    '{ random = "glorot", shape = [4, 2], seed = 5 }': rng(5).random((4, 2)) * 2 - 1,
    '{ random = "he", shape = [2, 8], seed = 6 }': rng(6).standard_normal((2, 8)),
}


@pytest.mark.parametrize("text", MAKERS)
def test_a_value_is_what_numpy_makes(text: str) -> None:
    array, expected = value(text), np.asarray(MAKERS[text])
    assert array.dtype == expected.dtype
    assert array.shape == expected.shape
    assert np.array_equal(array, expected, equal_nan=array.dtype.kind == "f")
    assert not array.flags.writeable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2]", np.array([1, 2])),
        ("[true, false]", np.array([True, False])),
        ("true", np.array(True)),
        ("[1, 2.0]", np.array([1.0, 2.0])),
        ("{ arange = 3 }", np.arange(3)),
        ("{ zeros = 3 }", np.zeros(3)),
        (
            '{ random = "integers", shape = 3, seed = 1, high = 9 }',
            rng(1).integers(9, size=3),
        ),
        ('{ value = [1], dtype = "float32" }', np.array([1], np.float32)),
    ],
)
def test_constants_keep_their_kind(text: str, expected: Array) -> None:
    array = value(text, CONSTANT)
    assert array.dtype == expected.dtype
    assert np.array_equal(array, expected)


def test_numbers_take_the_dtype_of_the_scenario() -> None:
    single = Setting(np.dtype(np.float32))
    assert value("[0.1]", single).dtype == np.float32
    assert value("{ ones = 2 }", single).dtype == np.float32
    assert value("[0.1]", Setting(np.dtype(np.float32), keep=True)).dtype == np.float32


def test_fans_follow_the_convention() -> None:
    text = '{ random = "he", shape = [2, 8], seed = 6 }'
    draws = rng(6).standard_normal((2, 8))
    columns = Setting(np.dtype(np.float64), "columns")
    assert np.array_equal(value(text), draws * math.sqrt(2 / 2))
    assert np.array_equal(value(text, columns), draws * math.sqrt(2 / 8))
    kernel = value('{ random = "he", shape = [4, 3, 2, 2], seed = 1 }')
    expected = rng(1).standard_normal((4, 3, 2, 2)) * math.sqrt(2 / 12)
    assert np.array_equal(kernel, expected)


@given(
    st.recursive(
        st.floats(allow_nan=False),
        lambda inner: st.lists(inner, min_size=1, max_size=3),
    )
)
def test_nested_lists_agree_with_numpy(nested: Any) -> None:
    mistakes = toml.Mistakes("", "f")
    array = read(nested, ("x",), mistakes, FLOAT64)
    try:
        expected = np.array(nested, dtype=np.float64)
    except ValueError:
        assert array is None
        assert len(mistakes) == 1
    else:
        assert array is not None
        assert np.array_equal(array, expected)


MISTAKES = {
    "[[1, 2], [3]]": "f:1:14: a list of 1 stands beside a list of 2; all rows of an",
    "[[1, 2], 3]": "f:1:14: 3 stands where a list of 2 should",
    "[1, [2]]": "f:1:9: a list stands where a number should",
    "[[[1]], [[1, 2]]]": "f:1:14: a list of 2 stands beside a list of 1",
    "[]": "f:1:5: the list is empty; an array has at least one element",
    "[[], []]": "f:1:5: the list is empty",
    '[1, "2"]': "f:1:9: the text '2' stands where a number should; allowed: a number",
    '["a", "b", 1]': "f:1:6: the text 'a' stands where a number should; allowed: a "
    "number, nan or inf; 1 more element like this",
    "[0.5, true]": "f:1:11: the boolean true stands where a number should",
    "1979-05-27": "f:1:5: a date or a time stands where a number should",
    "1e999": "f:1:5: 1e999, beyond the range of floats stands where a number should",
    "1"
    + "0" * 400: "f:1:5: a whole number beyond 64 bits stands where a number should",
    "{ }": "f:1:5: the table has no value; give one of value, random, zeros, ones",
    "{ zeroes = [2] }": "f:1:5: the table has no value; did you mean 'zeros'?",
    "{ zeros = [2], ones = [2] }": "f:1:20: 'zeros' and 'ones' stand in one table",
    "{ zeros = [2], fill = 1 }": "f:1:20: 'fill' is not a key of 'zeros'",
    "{ value = 1, size = [1] }": "f:1:18: 'size' is not a key of 'value'; allowed: dt",
    "{ value = 1, sahpe = [] }": "f:1:18: 'sahpe' is not a key of 'value'; did you m",
    "{ zeros = [2, -1] }": "f:1:19: -1 stands where a size of the shape should",
    "{ zeros = [0] }": "f:1:16: 0 stands where a size of the shape should",
    "{ zeros = [2.0] }": "f:1:16: 2.0 stands where a size of the shape should",
    '{ zeros = "2" }': "f:1:15: the text '2' stands where a size of the shape should",
    "{ full = [2] }": "f:1:5: 'full' has no value",
    "{ full = [2], value = [1] }": "f:1:27: value is a list; allowed: a number",
    "{ eye = [2, 2, 2] }": "f:1:5: eye is a list of another length",
    "{ arange = [0, 1, 0] }": "f:1:16: arange does not say a range",
    "{ arange = [1, 0] }": "f:1:16: arange is empty",
    "{ arange = [0, nan] }": "f:1:16: arange does not say a range",
    "{ linspace = [0, 1] }": "f:1:18: linspace does not say a range",
    "{ value = [1, 2], shape = [3] }": "f:1:31: 2 elements cannot fill the shape (3,)",
    '{ value = [1], dtype = "complex64" }': "f:1:28: dtype is the text 'complex64'",
    '{ value = [1], dtype = "object" }': "f:1:28: dtype is the text 'object'",
    '{ value = [1.5], dtype = "int64" }': "f:1:16: element [0] is 1.5, which int64 can",
    '{ value = [nan], dtype = "int64" }': "f:1:16: element [0] is nan, which int64 can",
    '{ value = [300], dtype = "uint8" }': "f:1:16: element [0] is 300, which uint8 can",
    '{ value = [2], dtype = "bool" }': "f:1:16: element [0] is 2, which bool cannot ho",
    '{ value = 1e9, dtype = "float16" }': "f:1:15: 1000000000.0, which float16 cannot",
    '{ random = "norm", shape = [2], seed = 1 }': "f:1:16: random is the text 'norm'",
    '{ random = "normal", shape = [2] }': "f:1:5: a random value has no seed; write se",
    '{ random = "normal", seed = 1 }': "f:1:5: a random value has no shape; write shap",
    '{ random = "normal", shape = 2, seed = -1 }': "f:1:44: seed is -1; allowed: a who",
    '{ random = "normal", shape = 2, seed = 1, low = 1 }': "f:1:47: 'low' is not a key",
    '{ random = "normal", shape = 2, seed = 1, scale = -1 }': "f:1:55: scale is -1",
    '{ random = "uniform", shape = 2, seed = 1, low = 2 }': "f:1:5: low is 2.0, high i",
    '{ random = "integers", shape = 2, seed = 1 }': "f:1:5: random integers have no hi",
    '{ random = "choice", shape = 2, seed = 1 }': "f:1:5: a random choice has nothing",
    '{ random = "choice", shape = 2, seed = 1, of = [[1]] }': "f:1:52: of is nested",
    "[" * 40 + "1" + "]" * 40: "f:1:5: lists are nested 33 deep; allowed: 32 at most",
    "{ zeros = [" + "1," * 40 + "] }": "f:1:15: the shape has 40 axes; allowed: 32",
    '{ file = "w.npy" }': "f:1:14: the file 'w.npy' is beside no scenario",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_says_where_and_what(text: str) -> None:
    assert mistake(text).startswith(MISTAKES[text])


def test_booleans_are_no_numbers_and_numbers_no_booleans() -> None:
    assert "booleans belong in [constants]" in mistake("[true]")
    assert "do not mix in one array" in mistake("[1, true]", CONSTANT)
    assert "beyond 64 bits" in mistake("[9223372036854775808]", CONSTANT)
    assert mistake('{ ones = 2, dtype = "int64" }'.replace("ones", "one")).startswith(
        "f:1:5: the table has no value; did you mean 'ones'?"
    )


def test_parameters_are_floats() -> None:
    text = mistake('{ ones = 2, dtype = "int64" }', PARAMETER)
    assert "whole numbers and booleans have no gradient" in text


@pytest.mark.parametrize(
    "text",
    [
        "{ zeros = [100000, 100000] }",
        "{ ones = [9223372036854775807, 9223372036854775807] }",
        "{ eye = 1000000 }",
        "{ full = 99999999999, value = 1 }",
        "{ arange = 1e18 }",
        "{ arange = [-1e308, 1e308, 1e-300] }",
        "{ linspace = [0, 1, 99999999999] }",
        '{ random = "normal", shape = [99999, 99999], seed = 1 }',
    ],
)
def test_nothing_large_is_ever_allocated(text: str) -> None:
    assert f"at most {LIMITS.elements_per_array} are allowed" in mistake(text)


def test_the_arrays_of_a_scenario_share_one_limit() -> None:
    small = Setting(np.dtype(np.float64), room=Room(7))
    assert value("{ zeros = 4 }", small).size == 4
    assert "too large together" in mistake("{ zeros = 4 }", small)
    assert "too large together" in mistake("[1, 2, 3, 4]", small)
    assert value("[1, 2, 3]", small).size == 3


# ------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6, dtype=">f4"),
        np.array(3.5),
        np.array([1, 2], np.uint8),
    ],
)
def test_an_npy_file_is_its_array(tmp_path: Path, array: Array) -> None:
    np.save(tmp_path / "w.npy", array)
    got = value('{ file = "w.npy" }', beside(tmp_path))
    assert got.dtype == np.float64
    assert np.array_equal(got, array)
    assert not got.flags.writeable


def test_an_npz_file_is_read_by_key(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "w.npz", W1=np.ones((2, 2)), b=np.zeros(3))
    np.savez(tmp_path / "one.npz", only=np.ones(2))
    setting = beside(tmp_path)
    assert value('{ file = "w.npz", key = "b" }', setting).tolist() == [0, 0, 0]
    assert value('{ file = "one.npz" }', setting).tolist() == [1, 1]
    assert "w.npz: has several arrays; its keys: W1, b" in mistake(
        '{ file = "w.npz" }', setting
    )
    assert "has no array 'bias'; its keys: W1, b" in mistake(
        '{ file = "w.npz", key = "bias" }', setting
    )


def test_a_csv_file_is_rows_of_numbers(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("a,b\n1, 2\n-3.5e1,nan\n\n")
    (tmp_path / "n.csv").write_text("1,2\r\n3,4\r\n")
    setting = beside(tmp_path, keep=True)
    got = value('{ file = "w.csv", header = true }', setting)
    assert np.array_equal(got, [[1, 2], [-35, NAN]], equal_nan=True)
    whole = value('{ file = "n.csv", shape = [4] }', setting)
    assert whole.dtype == np.int64
    assert whole.tolist() == [1, 2, 3, 4]


def test_an_npz_file_that_is_empty_or_locked_is_said_to_be_so(tmp_path: Path) -> None:
    np.savez(tmp_path / "empty.npz")
    np.savez(tmp_path / "w.npz", w=np.ones(2))
    data = bytearray((tmp_path / "w.npz").read_bytes())
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(start) + flags] |= 1
    (tmp_path / "locked.npz").write_bytes(data)
    setting = beside(tmp_path)
    assert "empty.npz: has no array in it" in mistake('{ file = "empty.npz" }', setting)
    said = mistake('{ file = "locked.npz" }', setting)
    assert "locked.npz: is locked with a password" in said
    assert "<" not in said


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('"1","2"\n', "; numbers stand without quotes"),
        ("1,5;2\n", "; commas stand between numbers, and a point in them"),
        ("1\t2\n", "; commas stand between numbers"),
        ("1,2\n3\r4,5\n", "; a line feed ends a line"),
        ("a,b\n", "; header = true skips the first line"),
        ("1,2\n3,b\n", ""),
    ],
)
def test_what_other_programs_write_is_told_how_to_be_written(
    tmp_path: Path, text: str, hint: str
) -> None:
    (tmp_path / "w.csv").write_bytes(text.encode())
    _, problems = attempt('{ file = "w.csv" }', beside(tmp_path))
    assert str(problems[0]).endswith(f"is no number{hint}")


def test_mistakes_in_a_csv_file_have_their_place(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("1,2\n3,  x\n4\n1e999,1_0\n")
    _, problems = attempt('{ file = "w.csv" }', beside(tmp_path))
    assert [str(problem) for problem in problems] == [
        "w.csv:2:5: 'x' is no number",
        "w.csv:3:1: this line has 1 number, the first 2",
        "w.csv:4:1: '1e999' is no number",
        "w.csv:4:7: '1_0' is no number",
    ]
    (tmp_path / "e.csv").write_text("a,b\n")
    assert "e.csv: has no numbers" in mistake(
        '{ file = "e.csv", header = true }', beside(tmp_path)
    )


@pytest.mark.parametrize(
    "name", ["/etc/passwd.npy", "../w.npy", "a/../../w.npy", "link.npy"]
)
def test_no_file_outside_the_folder_is_read(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "lessons"
    folder.mkdir()
    np.save(tmp_path / "w.npy", np.ones(2))
    (folder / "link.npy").symlink_to(tmp_path / "w.npy")
    text = mistake(f'{{ file = "{name}" }}', beside(folder))
    assert "outside the scenario's folder" in text


def test_a_name_with_a_nul_is_said_to_be_no_name(tmp_path: Path) -> None:
    text = mistake('{ file = "a\\u0000b.npy" }', beside(tmp_path))
    assert r"a\x00b.npy: its name is no file name: it has a NUL in it" in text
    assert "outside" not in text


def test_no_folder_outside_is_entered(tmp_path: Path) -> None:
    folder = tmp_path / "lessons"
    (tmp_path / "other").mkdir()
    folder.mkdir()
    np.save(tmp_path / "other" / "w.npy", np.ones(2))
    (folder / "sub").symlink_to(tmp_path / "other")
    (folder / "loop.npy").symlink_to(folder / "loop.npy")
    outside = "outside the scenario's folder"
    assert outside in mistake('{ file = "sub/w.npy" }', beside(folder))
    assert "f:1:14" in mistake('{ file = "loop.npy" }', beside(folder))
    (folder / "own").mkdir()
    np.save(folder / "own" / "w.npy", np.ones(2))
    (folder / "fine.npy").symlink_to(folder / "own" / "w.npy")
    assert value('{ file = "fine.npy" }', beside(folder)).tolist() == [1, 1]


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npy")
    (tmp_path / "folder.npy").mkdir()
    np.save(tmp_path / "weights.npy", np.ones(2))
    setting = beside(tmp_path)
    assert "pipe or a device" in mistake('{ file = "pipe.npy" }', setting)
    assert "is a folder" in mistake('{ file = "folder.npy" }', setting)
    assert (
        ": weight.npy: there is no such file; did you mean 'weights.npy'?"
        in mistake('{ file = "weight.npy" }', setting)
    )
    assert "allowed: .npy, .npz, .csv" in mistake('{ file = "w.pkl" }', setting)
    assert "f:1:14" in mistake('{ file = "a\\u0000.npy" }', setting)
    assert "f:1:14" in mistake(f'{{ file = "{"a" * 5000}.npy" }}', setting)
    assert "file is 3" in mistake("{ file = 3 }", setting)
    assert "'key' is for a file that ends with .npz" in mistake(
        '{ file = "weights.npy", key = "a" }', setting
    )


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.path),))


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    made = tmp_path / "made"
    array = np.array([Bomb(made)], dtype=object)
    np.save(tmp_path / "w.npy", array, allow_pickle=True)
    np.savez(tmp_path / "w.npz", w=array)
    assert "holds object" in mistake('{ file = "w.npy" }', beside(tmp_path))
    assert "holds object" in mistake('{ file = "w.npz" }', beside(tmp_path))
    assert not made.exists()


def npy(shape: str, descr: str = "'<f8'", data: bytes = b"") -> bytes:
    """Return an .npy file whose header says what we like."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"
    length = struct.pack("<H", len(header))
    return b"\x93NUMPY\x01\x00" + length + header.encode() + data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (npy("(99999, 99999)"), "has 9999800001 elements"),
        (npy("(2,)", data=b"12345678"), "ends after 8 of 16 bytes"),
        (npy("(-1,)"), "has the shape (-1,)"),
        (npy("(0,)"), "has the shape (0,)"),
        (npy("(" + "1, " * 40 + ")"), "has 40 axes"),
        (npy("(2,)", "'|O'"), "holds object"),
        (npy("(2,)", "'<c16'"), "holds complex128"),
        (npy("(2,)", "'<U5'"), "holds <U5"),
        (npy("(2,)", "[('a', '<f8')]"), "holds"),
        (npy("__import__('os').mkdir('x')"), "is damaged"),
        (npy("(2,"), "is damaged"),
        (b"", "has no array as NumPy writes one; numpy.save makes one"),
        (b"\x93NUMPY\x09\x00", "has the unknown version 9.0"),
        (b"PK\x03\x04", "has no array as NumPy writes one"),
        (bytes(range(128, 192)), "has no array as NumPy writes one"),
        (b"\x93NUMPY\x01", "has no array as NumPy writes one"),
    ],
)
def test_a_header_is_checked_before_the_data(
    tmp_path: Path, data: bytes, message: str
) -> None:
    (tmp_path / "w.npy").write_bytes(data)
    found = mistake('{ file = "w.npy" }', beside(tmp_path))
    assert f"w.npy: {message}" in found
    assert " at 0x" not in found  # no place in memory: it is another one each time


def test_zip_bombs_are_not_unpacked(tmp_path: Path) -> None:
    setting = beside(tmp_path)
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", npy("(99999, 99999)") + bytes(10**7))
    assert "has 9999800001 elements" in mistake('{ file = "b.npz" }', setting)
    with zipfile.ZipFile(tmp_path / "many.npz", "w") as archive:
        for number in range(3000):
            archive.writestr(f"{number}.npy", b"")
    assert "has too many entries" in mistake('{ file = "many.npz" }', setting)
    (tmp_path / "n.npz").write_bytes(b"PK nothing")
    assert "is no .npz file" in mistake('{ file = "n.npz" }', setting)


LARGE = 64 * 2**20  # bytes, which are next to none when they are packed
BZIP2, LZMA, DEFLATED = zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED


def pack(path: Path, packed: int, content: bytes, size: int | None = None) -> None:
    """Write a zip file whose only member may lie about its size."""
    with zipfile.ZipFile(path, "w", packed) as archive:
        archive.writestr("w.npy", content)
    if size is not None:
        data, true = path.read_bytes(), struct.pack("<I", len(content))
        assert data.count(true) >= 2  # it stands before the member, and at the end
        path.write_bytes(data.replace(true, struct.pack("<I", size)))


def refused_within(folder: Path, most: int) -> str:
    """Return what is said of w.npz, which takes so many bytes at most to be read."""
    tracemalloc.start()
    try:
        said = mistake('{ file = "w.npz" }', beside(folder))
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
    return said


@pytest.mark.parametrize(
    ("packed", "count", "zeros", "size", "says"),
    [
        (BZIP2, 2, LARGE, 96, "is packed in a way that NumPy does not use"),
        (BZIP2, 2, LARGE, None, "is packed in a way that NumPy does not use"),
        (LZMA, 2, 16, None, "is packed in a way that NumPy does not use"),
        (DEFLATED, 2, LARGE, None, "has more than the 16 bytes of its array"),
        (DEFLATED, 2, LARGE, 100_000, "has more than the 16 bytes of its array"),
        (DEFLATED, 2, LARGE, len(npy("(2,)")) + 16, "is damaged: Bad CRC"),
        (DEFLATED, 2, 9, 2**28, "ends after 9 of 16 bytes"),
        (DEFLATED, 9_999_999, 9, None, "ends after 9 of 79999992 bytes"),
        (DEFLATED, 2, 16, 2**30, "unpacks to 1073741824 bytes"),
    ],
)
def test_a_member_is_unpacked_as_far_as_its_array_goes(
    tmp_path: Path, packed: int, count: int, zeros: int, size: int | None, says: str
) -> None:
    pack(tmp_path / "w.npz", packed, npy(f"({count},)") + bytes(zeros), size)
    assert says in refused_within(tmp_path, 2**23 + 8 * count)


def test_a_header_is_unpacked_as_far_as_numpy_reads_one(tmp_path: Path) -> None:
    start = b"\x93NUMPY\x02\x00" + struct.pack("<I", LARGE)
    pack(tmp_path / "w.npz", DEFLATED, start + b" " * LARGE)
    said = refused_within(tmp_path, 2**23)
    assert "has a header of 67108864 bytes; at most 10000 are read" in said


def test_what_numpy_writes_is_read(tmp_path: Path) -> None:
    setting = beside(tmp_path)
    right = np.arange(600_000.0).reshape(2, 300_000)  # more than one piece
    for name, array in (("c", right), ("f", np.asfortranarray(right))):
        np.save(tmp_path / f"{name}.npy", array)
        np.savez(tmp_path / f"{name}.npz", w=array)
        np.savez_compressed(tmp_path / f"{name}z.npz", w=array)
        for file in (f"{name}.npy", f"{name}.npz", f"{name}z.npz"):
            np.testing.assert_array_equal(
                value(f'{{ file = "{file}" }}', setting), right
            )
    np.save(tmp_path / "big.npy", np.arange(3, dtype=">i2"))
    assert value('{ file = "big.npy" }', setting).tolist() == [0, 1, 2]
    np.save(tmp_path / "one.npy", np.float64(7))
    assert value('{ file = "one.npy" }', setting).tolist() == 7


@given(data=st.data())
def test_damaged_files_are_mistakes(data: st.DataObject, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("files", numbered=True)
    suffix = data.draw(st.sampled_from(["npy", "npz", "csv"]))
    path = folder / f"w.{suffix}"
    if suffix == "npy":
        np.save(path, np.arange(3.0))
    elif suffix == "npz":
        np.savez_compressed(path, w=np.arange(3.0))
    else:
        path.write_text("1,2\n3,4\n")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(
            st.integers(0, 255)
        )
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    array, problems = attempt(f'{{ file = "w.{suffix}" }}', beside(folder))
    assert (array is None) == bool(problems)

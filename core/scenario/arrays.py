"""Arrays from the .npy, .npz and .csv files beside a scenario, as from a stranger.

What a header promises is checked before anything is read, nothing is ever unpickled,
and no file outside the scenario's folder is opened.
"""

from __future__ import annotations

import math
import re
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, NoReturn

import numpy as np

from ..base.errors import InputError, Problem
from ..base.files import open_regular, read_text, within
from ..base.text import clean, counted, nearest
from ..ops.table import Array, Shape
from ..words.numbers import shape_text

if TYPE_CHECKING:
    from ..base.limits import Limits

_MOST_PROBLEMS: Final = 10
_ZIP_END: Final = b"PK\x05\x06"
_ZIP64_END: Final = b"PK\x06\x07"
_ZIP_TAIL: Final = 22 + 65535  # the end record with the longest comment
_MOST_DIRECTORY: Final = 100_000  # bytes of a zip file's table of contents
_PACKED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # all that NumPy writes
_LOCKED: Final = 1  # of a member's flags: it is encrypted
_MAGIC: Final = b"\x93NUMPY"  # how an .npy stream begins; its version follows
_LONGEST_HEADER: Final = (
    10_000  # bytes of an .npy header: NumPy evaluates no longer one
)
_PIECE: Final = 2**20  # bytes that are unpacked at once
# What numpy and zipfile raise at bytes that make no sense to them.
_DAMAGED: Final = (
    *(OSError, EOFError, RuntimeError, ValueError, TypeError, KeyError, SyntaxError),
    *(MemoryError, tokenize.TokenError, struct.error, zlib.error, zipfile.BadZipFile),
)
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(
    r"[+-]?(?:nan|inf(?:inity)?|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)",
    re.IGNORECASE,
)


class Wanted(NamedTuple):
    """What a scenario wants of a file."""

    folder: Path  # of the scenario: the file is in it or below it
    name: str  # of the file, as it is written
    key: str  # of an array in an .npz file; "" where it has one alone
    header: bool  # whether the first line of a .csv file is passed over
    room: int  # elements that there is room for
    limits: Limits  # on the file itself


def load(wanted: Wanted) -> Array:
    """Return the array in a file.

    Raises `InputError`; problems inside a .csv file have a line and a column.
    """
    name = wanted.name
    suffix = Path(name).suffix.lower()
    if suffix not in _READERS:
        _refuse("is no file of numbers", f"allowed: {', '.join(_READERS)}", name)
    path = within(wanted.folder, name)
    if path is None:
        message = f"the file '{clean(name)[:80]}' is outside the scenario's folder"
        hint = "a scenario reads files of its own folder and of those below"
        raise InputError(message, hint)
    try:
        return _READERS[suffix](path, wanted)
    except _DAMAGED as error:
        _refuse(f"is damaged: {_reason(error)}", "", name)


def load_all(path: Path, limits: Limits) -> dict[str, Array]:
    """Return all arrays of an .npz file that a person has named, by their keys.

    Raises `InputError`.
    """
    name, found, room = str(path), dict[str, Array](), limits.elements
    try:
        with open_regular(path, limits.file) as file:
            _check_directory(file, name)
            with zipfile.ZipFile(file) as archive:
                keys = [one.removesuffix(".npy") for one in archive.namelist()]
        real = path.resolve()
        for key in keys:
            wanted = Wanted(real.parent, name, key, False, room, limits)
            found[key] = _npz(real, wanted)
            room -= found[key].size
    except _DAMAGED as error:
        _refuse(f"is damaged: {_reason(error)}", "", name)
    return found


def _reason(error: Exception) -> str:
    first = str(error).split("\n")[0]
    # A place in memory is another one each time, and says nothing to anybody.
    told = re.sub(r":? ?<[^<>]* at 0x[0-9a-f]+>", "", first)
    return clean(told)[:100] or type(error).__name__


def _refuse(message: str, hint: str, name: str) -> NoReturn:
    raise InputError(Problem(message, hint, clean(name)))


def _open(path: Path, wanted: Wanted) -> BinaryIO:
    most, under = wanted.limits.file, wanted.folder.resolve()
    return open_regular(path, most, wanted.name, under)


def _npy(path: Path, wanted: Wanted) -> Array:
    with _open(path, wanted) as file:
        return _array(file, wanted)


def _npz(path: Path, wanted: Wanted) -> Array:
    name, key = wanted.name, wanted.key
    with _open(path, wanted) as file:
        _check_directory(file, name)
        with zipfile.ZipFile(file) as archive:
            keys = {one.removesuffix(".npy"): one for one in archive.namelist()}
            if not keys:
                _refuse("has no array in it", "numpy.savez makes one", name)
            if key not in keys and (key or len(keys) != 1):
                names = sorted(keys)[:20]
                hint = nearest(key, names) or f"its keys: {', '.join(names)}"
                what = f"has no array '{key}'" if key else "has several arrays"
                _refuse(what, clean(hint), name)
            member = archive.getinfo(keys[key] if key else next(iter(keys.values())))
            if member.compress_type not in _PACKED:
                hint = "numpy.savez and numpy.savez_compressed make one that is read"
                _refuse("is packed in a way that NumPy does not use", hint, name)
            if member.flag_bits & _LOCKED:
                _refuse("is locked with a password", "", name)
            if member.file_size > wanted.limits.file:
                message = f"unpacks to {member.file_size} bytes"
                _refuse(message, f"at most {wanted.limits.file} are read", name)
            with archive.open(member) as data:
                return _array(data, wanted)


def _check_directory(file: BinaryIO, name: str) -> None:
    """Refuse a table of contents that is large by itself, before `zipfile` reads it."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _ZIP_TAIL))
    tail = file.read()
    end = tail.rfind(_ZIP_END)
    if end < 0 or len(tail) < end + 22:
        _refuse("is no .npz file", "numpy.savez makes one", name)
    (directory,) = struct.unpack_from("<I", tail, end + 12)
    if directory > _MOST_DIRECTORY or _ZIP64_END in tail[max(0, end - 20) : end]:
        _refuse("has too many entries", "save the arrays that are needed", name)
    file.seek(0)


_HEADERS: Final[Mapping[tuple[int, ...], tuple[str, Any]]] = MappingProxyType(
    {
        (1, 0): ("<H", np.lib.format.read_array_header_1_0),
        (2, 0): ("<I", np.lib.format.read_array_header_2_0),
    }
)


def _array(file: IO[bytes], wanted: Wanted) -> Array:
    """Return the array of an .npy stream."""
    shape, is_fortran, dtype = _header(file, wanted.name)
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        hint = "allowed: floats, whole numbers and booleans"
        _refuse(f"holds {dtype}", hint, wanted.name)
    _check_shape(shape, wanted)
    data = np.empty(math.prod(shape), dtype)  # takes memory as it is filled
    _fill(data, file, wanted.name)
    order = "F" if is_fortran else "C"
    array = data.reshape(shape, order=order)
    return np.ascontiguousarray(array, dtype=dtype.newbyteorder("=")).reshape(shape)


def _header(file: IO[bytes], name: str) -> tuple[Shape, bool, np.dtype[Any]]:
    """Read what an .npy stream says of its array.

    NumPy reads a header before it looks at its length, and a packed one may be of any.
    """
    magic, version = file.read(len(_MAGIC)), tuple(file.read(2))
    if magic != _MAGIC or len(version) < 2:
        _refuse("has no array as NumPy writes one", "numpy.save makes one", name)
    if version not in _HEADERS:
        _refuse(f"has the unknown version {version[0]}.{version[1]}", "", name)
    layout, read = _HEADERS[version]
    start = file.read(struct.calcsize(layout))
    (length,) = struct.unpack(layout, start)
    if length > _LONGEST_HEADER:
        hint = f"at most {_LONGEST_HEADER} are read"
        _refuse(f"has a header of {length} bytes", hint, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the age of a file
        return read(BytesIO(start + file.read(length)))


def _fill(data: Array, file: IO[bytes], name: str) -> None:
    """Fill an array with the bytes of a stream, which has to end with it."""
    room = data.view(np.uint8)
    done, length = 0, room.size
    while done < length:
        piece = file.read(min(_PIECE, length - done))
        if not piece:
            _refuse(f"ends after {done} of {length} bytes", "", name)
        room[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
        done += len(piece)
    if file.read(1):  # at the end of a packed file its sum is compared, too
        message = f"has more than the {length} bytes of its array"
        _refuse(message, "numpy.savez keeps several arrays in one file", name)


def _check_shape(shape: Shape, wanted: Wanted) -> None:
    name, room, axes = wanted.name, wanted.room, wanted.limits.axes
    size = math.prod(shape)
    if len(shape) > axes:
        _refuse(f"has {len(shape)} axes", f"allowed: {axes} at most", name)
    if any(length < 1 for length in shape):
        hint = "an array has at least one element"
        _refuse(f"has the shape {shape_text(shape)}", hint, name)
    if size > room:
        _refuse(f"has {counted(size, 'element')}", f"there is room for {room}", name)


def _csv(path: Path, wanted: Wanted) -> Array:
    name, room = wanted.name, wanted.room
    text = read_text(path, wanted.limits.csv, name, wanted.folder.resolve())
    problems: list[Problem] = []
    rows: list[list[float]] = []
    width = elements = 0
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or (wanted.header and number == 1):
            continue
        row = _row(line, number, name, problems)
        width = width or len(row)
        elements += len(row)
        if len(row) != width:
            message = f"this line has {counted(len(row), 'number')}, the first {width}"
            problems.append(Problem(message, "", clean(name), number, 1))
        if elements > room:
            _refuse(f"has more than {room} elements", "", name)
        if len(problems) >= _MOST_PROBLEMS:
            break
        rows.append(row)
    if problems:
        raise InputError(problems)
    if not rows:
        _refuse("has no numbers", "an array has at least one element", name)
    whole = all(isinstance(cell, int) for row in rows for cell in row)
    return np.array(rows, dtype=np.int64 if whole else np.float64)


def _row(line: str, number: int, name: str, problems: list[Problem]) -> list[float]:
    row: list[float] = []
    column = 1
    for cell in line.split(","):
        text = cell.strip()
        value = _number(text)
        if value is None:
            value = math.nan
            shown = clean(text)[:40]
            message = f"'{shown}' is no number"
            indent = len(cell) - len(cell.lstrip())
            hint = _way_out(text, number)
            place = Problem(message, hint, clean(name), number, column + indent)
            problems.append(place)
        row.append(value)
        column += len(cell) + 1
    return row


# What other programs put into such a file.
_ELSEWHERE: Final = MappingProxyType(
    {
        '"': "numbers stand without quotes",
        ";": "commas stand between numbers, and a point in them",
        "\t": "commas stand between numbers",
        "\r": "a line feed ends a line",
    }
)


def _way_out(cell: str, line: int) -> str:
    """Return what to write where a cell of a line is no number."""
    known = (way for sign, way in _ELSEWHERE.items() if sign in cell)
    first = "header = true skips the first line" if line == 1 else ""
    return next(known, first)


def _number(text: str) -> float | None:
    if _WHOLE.fullmatch(text):
        return int(text)
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return None if math.isinf(value) and "n" not in text.lower() else value


_Reader = Callable[[Path, Wanted], Array]
_READERS: Final[Mapping[str, _Reader]] = MappingProxyType(
    {".npy": _npy, ".npz": _npz, ".csv": _csv}
)

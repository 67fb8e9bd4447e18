"""Arrays from TOML: numbers and nested lists, tables that make arrays, and files.

| in a file | is the array |
|---|---|
| `2`, `[1, 2]`, `[[1, nan], [inf, 0]]` | `np.array(…)` |
| `{ value = [1, 2, 3, 4], shape = [2, 2] }` | `np.array(value).reshape(shape)` |
| `{ zeros = [2, 3] }`, `{ ones = [2, 3] }` | `np.zeros(shape)`, `np.ones(shape)` |
| `{ full = [2, 3], value = 0.5 }` | `np.full(shape, value)` |
| `{ eye = 3 }` | `np.eye(3)` |
| `{ arange = [0, 10, 2] }` | `np.arange(0, 10, 2)`; also `10`, `[0, 10]` |
| `{ linspace = [0, 1, 5] }` | `np.linspace(0, 1, 5)` |
| `{ file = "w.npy" }` | the array in the file, below the scenario's folder |
| `{ file = "w.npz", key = "W1" }` | one array of several |
| `{ file = "w.csv", header = true }` | rows of numbers with commas between them |
| `{ random = …, shape = [2, 3], seed = 1 }` | see below |

A random array can be made again by anybody: with `rng = np.random.default_rng(seed)`,

| random | is |
|---|---|
| `"normal"` (`loc = 0`, `scale = 1`) | `rng.standard_normal(shape) * scale + loc` |
| `"uniform"` (`low = 0`, `high = 1`) | `rng.random(shape) * (high - low) + low` |
| `"integers"` (`low = 0`, `high`) | `rng.integers(low, high, shape)`: below `high` |
| `"choice"` (`of = [1, 2]`) | `np.array(of)[rng.integers(0, len(of), shape)]` |
| `"glorot"` | uniform, `high = sqrt(6 / (fan_in + fan_out))`, `low = -high` |
| `"he"` | normal, `scale = sqrt(2 / fan_in)` |

A matrix W of the convention "rows" (x @ W) has the shape (fan_in, fan_out), one of
"columns" (W @ x) the shape (fan_out, fan_in). Kernels of a convolution have the shape
(outputs, inputs, *window) in both, and each fan is multiplied by the window's size.

All numbers take the scenario's dtype, but in [constants] whole numbers and booleans
keep their kind. `dtype = "int64"` in a table overrules both.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from ..base.errors import InputError
from ..base.limits import LIMITS, Limits
from ..base.text import counted, nearest
from ..engine.element import index_of
from ..ops.table.checks import is_finite, is_whole
from ..words.numbers import shape_text
from .toml import (
    Mistakes,
    Table,
    described,
    is_list,
    is_number,
    listed,
    shown,
)

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Mapping

    from ..base.progress import Progress
    from ..ops.table import Array, Shape
    from .places import Path

LONGEST_NAME: Final = 100  # characters
DTYPES: Final = ("float64", "float32", "float16")
_ALL_DTYPES: Final = (
    *DTYPES,
    *("int64", "int32", "int16", "int8", "uint8", "bool"),
)
_LARGEST_INT: Final = 2**63 - 1
_COUNTED: Final = "a list of whole numbers, each 1 or more"


class Room:
    """How many elements the arrays of one scenario may still have together."""

    def __init__(self, left: int = LIMITS.elements) -> None:
        self.left = left  # elements; it shrinks as arrays are read


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What holds for every value of a section.

    `keep` is true where whole numbers and booleans keep their kind; `floats_only` where
    nothing but floats makes sense. All values of a scenario share one `room`.
    """

    dtype: np.dtype[Any]  # of what is read, unless it says another
    convention: str = ""  # "rows" or "columns", for fan-in and fan-out; "" for none
    # that files are relative to; None where files cannot be read
    folder: pathlib.Path | None = None
    keep: bool = False
    floats_only: bool = False
    room: Room = field(default_factory=Room)
    limits: Limits = LIMITS  # what sizes are held to
    progress: Progress | None = None  # is told of the lines of the program


def read(
    value: object, path: Path, mistakes: Mistakes, setting: Setting
) -> Array | None:
    """Return the read-only array of a TOML value, or None with a mistake."""
    if mistakes.full:  # no more mistakes are kept, and reading takes time
        return None
    source = _Source(path, mistakes, setting)
    before = len(mistakes)
    if isinstance(value, dict):
        table = Table(cast("dict[str, Any]", value), path, mistakes)
        array = _made(table, source)
    else:
        array = _literal(value, source)
    if array is None or len(mistakes) > before:
        return None
    array = np.asarray(array)
    array.setflags(write=False)
    return array


class _Source(NamedTuple):
    """A value that is being read: where it stands, and what holds for it."""

    path: Path
    mistakes: Mistakes
    setting: Setting
    dtype: str = ""  # the dtype that the value itself asks for

    def at(self, *keys: str | int) -> _Source:
        return self._replace(path=(*self.path, *keys))

    def wrong(self, message: str, hint: str = "", at: Path = ()) -> None:
        self.mistakes.at_value((*self.path, *at), message, hint)


# ------------------------------------------------------------- numbers and lists


def _literal(value: object, source: _Source) -> Array | None:
    """Return a number or a nested list as an array of the dtype that it takes."""
    nested = _flattened(value, source)
    if nested is None:
        return None
    flat, shape = nested
    array = _numbers(flat, shape, source)
    return None if array is None else _cast(array, source, element=True)


def _flattened(value: object, source: _Source) -> tuple[list[Any], Shape] | None:
    """Return the elements of a nested list and its shape, without recursion."""
    level: list[Any] = [value]
    shape: Shape = ()
    while is_list(level[0]):
        size = len(level[0])
        if not _is_even(level, size, shape, source):
            return None
        shape = (*shape, size)
        if len(shape) > LIMITS.axes:
            message = f"lists are nested {len(shape)} deep"
            source.wrong(message, f"allowed: {LIMITS.axes} at most")
            return None
        level = [element for item in level for element in item]
    return level, shape


def _is_even(level: list[Any], size: int, shape: Shape, source: _Source) -> bool:
    """Tell whether all items of a level of nesting are lists of the same size."""
    if size == 0:
        source.wrong("the list is empty", "an array has at least one element")
        return False
    for number, item in enumerate(level):
        if is_list(item) and len(item) == size:
            continue
        message = f"{described(item)} stands where a list of {size} should"
        if is_list(item):
            message = f"a list of {len(item)} stands beside a list of {size}"
        hint = "all rows of an array are equally long"
        source.wrong(message, hint, index_of(number, shape))
        return False
    return True


def _numbers(flat: list[Any], shape: Shape, source: _Source) -> Array | None:
    """Return elements as an array of booleans, of whole numbers or of floats."""
    booleans = all(isinstance(element, bool) for element in flat)
    takes_booleans = source.setting.keep or source.dtype == "bool"
    if not (booleans and takes_booleans) and not _are_numbers(flat, shape, source):
        return None
    if not _fits(shape, source):
        return None
    if booleans:
        return np.array(flat, dtype=np.bool_).reshape(shape)
    if all(is_whole(element) and abs(element) <= _LARGEST_INT for element in flat):
        return np.array(flat, dtype=np.int64).reshape(shape)
    return np.array(flat, dtype=np.float64).reshape(shape)


def _are_numbers(flat: list[Any], shape: Shape, source: _Source) -> bool:
    keeps = source.setting.keep and all(map(is_whole, flat))
    wrong = [
        number
        for number, element in enumerate(flat)
        if not is_number(element)
        or (isinstance(element, int) and not is_finite(element))
        or (keeps and abs(element) > _LARGEST_INT)
    ]
    if not wrong:
        return True
    first = flat[wrong[0]]
    hint = "allowed: a number, nan or inf"
    if is_list(first):
        hint = "all rows of an array are equally long and equally nested"
    elif isinstance(first, bool):
        hint += '; booleans belong in [constants], or take dtype = "bool"'
        if source.setting.keep:
            hint = "numbers and booleans do not mix in one array"
    if len(wrong) > 1:
        hint += f"; {counted(len(wrong) - 1, 'more element')} like this"
    message = f"{described(first)} stands where a number should"
    source.wrong(message, hint, index_of(wrong[0], shape))
    return False


def _fits(shape: Shape, source: _Source) -> bool:
    """Tell whether there is room for an array, before it is made, and take it."""
    size = math.prod(shape)
    if len(shape) > LIMITS.axes:
        source.wrong(
            f"the shape has {len(shape)} axes", f"allowed: {LIMITS.axes} at most"
        )
    elif size > source.setting.limits.elements_per_array:
        message = f"the array of shape {shape_text(shape)} has {size} elements"
        source.wrong(message, source.setting.limits.allowed("elements_per_array"))
    elif size > source.setting.room.left:
        message = f"the array of shape {shape_text(shape)} has {size} elements"
        together = "the arrays of one scenario are too large together"
        source.wrong(
            f"{message}; {together}", source.setting.limits.allowed("elements")
        )
    else:
        source.setting.room.left -= size
        return True
    return False


def _cast(array: Array, source: _Source, *, element: bool = False) -> Array | None:
    """Return an array in the dtype that its section or its table asks for.

    `element` says that the array's elements stand in the file one by one.
    """
    setting = source.setting
    if source.dtype:
        dtype = np.dtype(source.dtype)
    elif setting.keep and array.dtype.kind in "iub":
        dtype = array.dtype
    elif array.dtype.kind == "b":
        hint = 'booleans belong in [constants], or take dtype = "bool"'
        source.wrong("booleans stand where numbers should", hint)
        return None
    else:
        dtype = setting.dtype
    with np.errstate(all="ignore"):
        new = array.astype(dtype, copy=False)
    if dtype.kind == "f":
        lost = np.isinf(new) & ~np.isinf(array)
    elif dtype != array.dtype:
        # Compared in both directions, for 2**63 is equal to the float of 2**63 - 1.
        lost = (new != array) | (new.astype(array.dtype) != array)
    else:
        return new
    if not lost.any():
        return new
    number = int(np.flatnonzero(lost)[0])
    at = index_of(number, array.shape)
    place = f"element {list(at)} is " if at else ""
    message = f"{place}{array.reshape(-1)[number]}, which {dtype} cannot hold"
    source.wrong(message, "", at if element else ())
    return None


# ----------------------------------------------------------- tables that make arrays


def _made(table: Table, source: _Source) -> Array | None:
    named = [name for name in _MAKERS if name in table]
    if "full" in named and "value" in named:
        named.remove("value")
    if len(named) != 1:
        _say_how(table, named, source)
        return None
    maker = named[0]
    dtype = table.choice("dtype", _ALL_DTYPES, "")
    if dtype not in ("", *DTYPES) and source.setting.floats_only:
        hint = f"allowed: {listed(DTYPES)}; whole numbers and booleans have no gradient"
        source.wrong(f"dtype is '{dtype}'", hint, ("dtype",))
        dtype = ""
    source = source._replace(dtype=dtype)
    array = _MAKERS[maker](table, source)
    table.finish(f"a key of '{maker}'")
    return array


def _say_how(table: Table, named: list[str], source: _Source) -> None:
    if len(named) > 1:
        message = f"'{named[0]}' and '{named[1]}' stand in one table"
        source.mistakes.at_key((*source.path, named[1]), message, "keep one of them")
        return
    close = (nearest(key, _MAKERS) for key in list(table.items)[:10])
    hint = next(filter(None, close), "") or f"give one of {listed(_MAKERS)}"
    source.wrong("the table has no value", hint)


def _value(table: Table, source: _Source) -> Array | None:
    value = table.get("value")
    shape = _own_shape(table, source)
    array = _literal(value, source.at("value"))
    return _reshaped(array, table, shape, source)


def _reshaped(
    array: Array | None, table: Table, shape: Shape | None, source: _Source
) -> Array | None:
    if array is None or "shape" not in table:
        return array
    if shape is None:
        return None
    if math.prod(shape) != array.size:
        held = counted(array.size, "element")
        message = f"{held} cannot fill the shape {shape_text(shape)}"
        hint = f"it needs {math.prod(shape)}"
        source.wrong(message, hint, ("shape",))
        return None
    return array.reshape(shape)


def _zeros(table: Table, source: _Source) -> Array | None:
    shape = _shape(table, "zeros", source)
    return None if shape is None else _cast(np.zeros(shape), source)


def _ones(table: Table, source: _Source) -> Array | None:
    shape = _shape(table, "ones", source)
    return None if shape is None else _cast(np.ones(shape), source)


def _full(table: Table, source: _Source) -> Array | None:
    shape = _shape(table, "full", source)
    if "value" not in table:
        source.wrong("'full' has no value", "write { full = [2, 3], value = 0.5 }")
        return None
    value = table.get("value")
    if is_list(value):
        source.wrong("value is a list", "allowed: a number", ("value",))
        return None
    filling = _literal(value, source.at("value"))
    if filling is None or shape is None:
        return None
    return np.full(shape, filling)


def _eye(table: Table, source: _Source) -> Array | None:
    shape = _shape(table, "eye", source)
    if shape is None:
        return None
    if len(shape) not in {1, 2}:
        source.wrong("eye is a list of another length", "allowed: n or [rows, columns]")
        return None
    shape = (shape[0], shape[-1])
    return _cast(np.eye(*shape), source) if _fits(shape, source) else None


def _arange(table: Table, source: _Source) -> Array | None:
    hint = "allowed: stop, [start, stop] or [start, stop, step], finite, step not 0"
    numbers = _few_numbers(table.get("arange"), (1, 2, 3))
    if numbers is None or (len(numbers) == 3 and numbers[2] == 0):
        source.wrong("arange does not say a range", hint, ("arange",))
        return None
    start: Any = 0
    step: Any = 1
    if len(numbers) == 1:
        stop = numbers[0]
    else:
        start, stop, step = (*numbers, step)[:3]
    try:
        count = math.ceil((stop - start) / step)
    except OverflowError:
        count = sys.maxsize
    if count < 1:
        source.wrong(
            "arange is empty", "an array has at least one element", ("arange",)
        )
        return None
    return (
        _cast(cast("Array", np.arange(start, stop, step)), source)
        if _fits((count,), source)
        else None
    )


def _linspace(table: Table, source: _Source) -> Array | None:
    numbers = _few_numbers(table.get("linspace"), (3,))
    if numbers is None or not is_whole(numbers[2]) or numbers[2] < 1:
        hint = "allowed: [start, stop, n], n a whole number, 1 or more"
        source.wrong("linspace does not say a range", hint, ("linspace",))
        return None
    start, stop, count = numbers
    if not _fits((count,), source):
        return None
    with np.errstate(all="ignore"):
        return _cast(cast("Array", np.linspace(start, stop, count)), source)


def _few_numbers(value: object, lengths: tuple[int, ...]) -> list[Any] | None:
    """Return a short list of finite numbers; one number stands for a list of it."""
    numbers: list[Any] = value if is_list(value) else [value]
    right = len(numbers) in lengths and all(
        is_finite(one) and abs(one) <= (_LARGEST_INT if is_whole(one) else math.inf)
        for one in numbers
    )
    return numbers if right else None


def _shape(table: Table, key: str, source: _Source) -> Shape | None:
    """Return a shape for which there is room."""
    value = table.get(key)
    sizes: list[Any] = value if is_list(value) else [value]
    for number, size in enumerate(sizes):
        if not is_whole(size) or size < 1:
            at = (key, number) if is_list(value) else (key,)
            message = f"{described(size)} stands where a size of the shape should"
            source.wrong(message, f"allowed: {_COUNTED}", at)
            return None
    shape = tuple(cast("list[int]", sizes))
    return shape if _fits(shape, source.at(key)) else None


def _own_shape(table: Table, source: _Source) -> Shape | None:
    """Return what `shape` says, if it is there."""
    is_there = table.get("shape") is not None
    return _shape(table, "shape", source) if is_there else None


# ------------------------------------------------------------------------- random


def _random(table: Table, source: _Source) -> Array | None:
    before = len(source.mistakes)
    name = table.choice("random", _DRAWS, "")
    for key, example in (("shape", "[2, 3]"), ("seed", "1")):
        if key not in table:
            message = f"a random value has no {key}"
            source.wrong(message, f"write {key} = {example}: all numbers repeat")
    seed = table.whole("seed", 0)
    shape = _own_shape(table, source)
    if shape is None or not name:
        for key in ("loc", "scale", "low", "high", "of"):
            table.get(key)
        return None
    draw = _DRAWS[name](table, shape, source)
    if draw is None or len(source.mistakes) > before:
        return None
    with np.errstate(all="ignore"):
        return _cast(draw(np.random.default_rng(seed)), source)


if TYPE_CHECKING:
    # NumPy loads its generators when they are first named, and few scenarios need one.
    _Draw = Callable[[np.random.Generator], Array]


def _normal(table: Table, shape: Shape, _source: _Source) -> _Draw:
    loc = table.number("loc", 0.0)
    scale = table.number("scale", 1.0, lambda x: x >= 0, "a finite number, 0 or more")
    return lambda rng: _moved(rng.standard_normal(shape), scale, loc)


def _uniform(table: Table, shape: Shape, source: _Source) -> _Draw:
    low, high = table.number("low", 0.0), table.number("high", 1.0)
    if not low <= high or math.isinf(high - low):
        source.wrong(f"low is {low}, high is {high}", "low must not be above high")
    return lambda rng: _moved(rng.random(shape), high - low, low)


def _moved(array: Array, scale: float, loc: float) -> Array:
    # In place: the same numbers as array * scale + loc, in half the memory.
    array *= scale
    array += loc
    return array


def _integers(table: Table, shape: Shape, source: _Source) -> _Draw:
    least = -_LARGEST_INT
    low, high = table.whole("low", 0, least), table.whole("high", 0, least)
    if "high" not in table:
        source.wrong(
            "random integers have no high", "write high = 10 for numbers below 10"
        )
    elif not low < high:
        source.wrong(f"low is {low}, high is {high}", "low must be below high")
    return lambda rng: rng.integers(low, high, shape)


def _choice(table: Table, shape: Shape, source: _Source) -> _Draw | None:
    of = table.get("of")
    if not is_list(of):
        source.wrong("a random choice has nothing to choose from", "write of = [-1, 1]")
        return None
    nested = _flattened(of, source.at("of"))
    if nested is None:
        return None
    flat, sizes = nested
    if len(sizes) != 1:
        source.wrong("of is nested", "allowed: a list of numbers", ("of",))
        return None
    numbers = _numbers(flat, sizes, source.at("of"))
    if numbers is None:
        return None
    return lambda rng: numbers[rng.integers(0, len(numbers), shape)]


def _glorot(_table: Table, shape: Shape, source: _Source) -> _Draw:
    high = math.sqrt(6 / sum(fans(shape, source.setting.convention)))
    return lambda rng: _moved(rng.random(shape), high + high, -high)


def _he(_table: Table, shape: Shape, source: _Source) -> _Draw:
    scale = math.sqrt(2 / fans(shape, source.setting.convention)[0])
    return lambda rng: _moved(rng.standard_normal(shape), scale, 0.0)


def fans(shape: Shape, convention: str) -> tuple[int, int]:
    """Return how many numbers an array of weights mixes, and for how many results.

    More than two axes are those of a kernel: results, operands and the window.

    >>> fans((3, 2), "rows"), fans((3, 2), "columns"), fans((8, 4, 3, 3), "rows")
    ((3, 2), (2, 3), (36, 72))
    """
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    if len(shape) == 2 and convention != "columns":
        return shape
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


_DRAWS: Final[Mapping[str, Callable[[Table, Shape, _Source], _Draw | None]]] = (
    MappingProxyType(
        {
            "normal": _normal,
            "uniform": _uniform,
            "integers": _integers,
            "choice": _choice,
            "glorot": _glorot,
            "he": _he,
        }
    )
)


# -------------------------------------------------------------------------- files


def _file(table: Table, source: _Source) -> Array | None:
    from . import arrays  # noqa: PLC0415  # 3 ms of a start

    name, key = table.text("file"), table.text("key")
    header = table.flag("header")
    shape = _own_shape(table, source)
    raw = table.get("file")
    if not isinstance(raw, str):
        return None
    for option, suffix in (("key", ".npz"), ("header", ".csv")):
        if option in table and not name.lower().endswith(suffix):
            message = f"'{option}' is for a file that ends with {suffix}"
            source.mistakes.at_key((*source.path, option), message)
    if source.setting.folder is None:
        hint = "save the scenario beside the file first"
        source.wrong(f"the file {shown(raw)} is beside no scenario", hint, ("file",))
        return None
    limits = source.setting.limits
    room = min(source.setting.room.left, limits.elements_per_array)
    try:
        array = arrays.load(
            arrays.Wanted(source.setting.folder, raw, key, header, room, limits)
        )
    except InputError as error:
        for problem in error.problems:
            if problem.line:  # in the file itself
                source.mistakes.placed(problem)
            else:
                file = f"{problem.source}: " if problem.source else ""
                source.wrong(file + problem.message, problem.hint, ("file",))
        return None
    source.setting.room.left -= array.size
    return _reshaped(_cast(array, source), table, shape, source)


_MAKERS: Final[Mapping[str, Callable[[Table, _Source], Array | None]]] = (
    MappingProxyType(
        {
            "value": _value,
            "random": _random,
            "zeros": _zeros,
            "ones": _ones,
            "full": _full,
            "eye": _eye,
            "arange": _arange,
            "linspace": _linspace,
            "file": _file,
        }
    )
)

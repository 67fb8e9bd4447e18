# pyright: basic
"""Arrays and numbers that tell a tape what is done with them."""

from __future__ import annotations

import math
import operator
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

_frame: Final = sys._getframe  # noqa: SLF001  # the way up is what is asked for


def plain(value: Any) -> Any:
    """Return arrays and numbers as NumPy and Python have them."""
    kind = type(value)
    if isinstance(value, Tracked):
        return value.view(np.ndarray)
    if isinstance(value, Number):
        return value.plain
    if kind is tuple or kind is list:
        return kind([plain(one) for one in value])
    if kind is dict:
        return {key: plain(one) for key, one in value.items()}
    if kind is slice:
        return slice(plain(value.start), plain(value.stop), plain(value.step))
    return value


class Tracked(np.ndarray):
    """An array of a run that is watched.

    A recording has a class of its own below it, with the tape.
    """

    tape: Any = None
    record: Any = None  # what the tape knows of it

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        """Call a function of elements, and tell what it did."""
        return _ufunc(self.tape, ufunc, method, inputs, out, kwargs, _frame(1))

    def __array_function__(self, func: Any, _types: Any, args: Any, kwargs: Any) -> Any:
        """Call a function of NumPy's, and tell what it did."""
        frame = _frame(1)
        out = kwargs.get("out")
        if func is np.copyto:
            return self.tape.write(args[0], "setitem", func, args, kwargs, frame)
        if isinstance(out, Tracked):
            return self.tape.write(out, func.__name__, func, args, kwargs, frame)
        return self.tape.call(func.__name__, func, args, kwargs, frame)

    def __getitem__(self, index: Any) -> Any:
        """Return elements."""
        return self.tape.call("getitem", operator.getitem, (self, index), {}, _frame(1))

    def __setitem__(self, index: Any, value: Any) -> None:
        """Put elements."""
        self.tape.write(
            self, "setitem", operator.setitem, (self, index, value), {}, _frame(1)
        )

    def __iter__(self) -> Any:
        """Return one part after the other."""
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        frame = _frame(1)
        for number in range(len(self)):
            yield self.tape.call("getitem", operator.getitem, (self, number), {}, frame)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return what a file has of it: a plain array."""
        return self.view(np.ndarray).__reduce_ex__(protocol)

    def __deepcopy__(self, _memo: Any) -> Any:
        """Return a copy, with the history of the array."""
        return self.tape.call("copy", np.ndarray.copy, (self,), {}, _frame(1))

    @property
    def T(self) -> Any:  # noqa: N802  # NumPy's name
        """The array with its axes in the reverse order."""
        return self.tape.call("transpose", np.transpose, (self,), {}, _frame(1))


def _ufunc(
    tape: Any, ufunc: Any, method: str, inputs: Any, out: Any, kwargs: Any, frame: Any
) -> Any:
    run = getattr(ufunc, method)
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    if method == "at":
        return tape.write(inputs[0], name, run, inputs, kwargs, frame)
    if out is not None:
        target = out[0] if len(out) == 1 else None
        kwargs = {**kwargs, "out": out}
        if isinstance(target, Tracked):
            return tape.write(target, name, run, inputs, kwargs, frame)
    return tape.call(name, run, inputs, kwargs, frame)


def _method(name: str) -> Callable[..., Any]:
    function = getattr(np.ndarray, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out")
        if isinstance(out, Tracked):
            return self.tape.write(
                out, name, function, (self, *args), kwargs, _frame(1)
            )
        return self.tape.call(name, function, (self, *args), kwargs, _frame(1))

    method.__name__ = name
    return method


def _writer(name: str) -> Callable[..., Any]:
    function = getattr(np.ndarray, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> None:
        self.tape.write(self, name, function, (self, *args), kwargs, _frame(1))

    method.__name__ = name
    return method


for _name in str.split(
    """
    all any argmax argmin argsort astype clip copy cumprod cumsum diagonal dot flatten
    max mean min prod ravel repeat reshape round squeeze std sum swapaxes take trace
    transpose var conj
    """
):
    setattr(Tracked, _name, _method(_name))
for _name in ("fill", "sort", "partition", "put"):
    setattr(Tracked, _name, _writer(_name))


class Number:
    """A number of a run that is watched; its classes are numbers of Python's, too."""

    tape: Any = None
    record: Any = None
    plain: Any = None  # the number itself

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        """Call a function of elements, and tell what it did."""
        return _ufunc(self.tape, ufunc, method, inputs, out, kwargs, _frame(1))

    def __array_function__(self, func: Any, _types: Any, args: Any, kwargs: Any) -> Any:
        """Call a function of NumPy's, and tell what it did."""
        return self.tape.call(func.__name__, func, args, kwargs, _frame(1))

    def __repr__(self) -> str:
        """Return what the number is written as."""
        return repr(self.plain)

    def __str__(self) -> str:
        """Return what the number is written as."""
        return str(self.plain)

    def __format__(self, form: str) -> str:
        """Return what the number is written as."""
        return format(self.plain, form)

    def __reduce__(self) -> Any:
        """Return what a copy is made of: the number."""
        return type(self.plain), (self.plain,)


_OPERATORS: Final = MappingProxyType(
    {
        "add": "add",
        "sub": "subtract",
        "mul": "multiply",
        "truediv": "divide",
        "pow": "power",
        "floordiv": "floor_divide",
        "mod": "remainder",
    }
)


def _operated(name: str, *, is_reversed: bool) -> Callable[..., Any]:
    run = getattr(operator, name)

    def method(self: Any, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            ufunc = getattr(np, _OPERATORS[name])
            pair = (other, self) if is_reversed else (self, other)
            return _ufunc(self.tape, ufunc, "__call__", pair, None, {}, _frame(1))
        if not isinstance(other, (int, float, np.number)):
            return NotImplemented
        pair = (other, self) if is_reversed else (self, other)
        return self.tape.call(_OPERATORS[name], run, pair, {}, _frame(1))

    return method


for _name in _OPERATORS:
    setattr(Number, f"__{_name}__", _operated(_name, is_reversed=False))
    setattr(Number, f"__r{_name}__", _operated(_name, is_reversed=True))


def _one(name: str, told: str) -> Callable[..., Any]:
    run = getattr(operator, name)

    def method(self: Any) -> Any:
        return self.tape.call(told, run, (self,), {}, _frame(1))

    return method


for _name, _told in (("neg", "negative"), ("pos", "positive"), ("abs", "absolute")):
    setattr(Number, f"__{_name}__", _one(_name, _told))


_BARE: Final = ("__dict__", "__weakref__")  # that every class has of its own


def classes(tape: Any) -> tuple[type[Tracked], dict[type, type]]:
    """Return the classes of arrays and of numbers that tell a tape."""
    array: Any = type("array", (Tracked,), {"tape": tape})
    kinds = (int, float, np.float64, np.float32)
    # NumPy finds the kind of a number's memory by the first class behind its own, so
    # what `Number` has stands in the class itself.
    own = {name: one for name, one in vars(Number).items() if name not in _BARE}
    return array, {
        kind: type(kind.__name__, (kind, Number), {**own, "tape": tape})
        for kind in kinds
    }


# Functions of Python's that take numbers, and what NumPy calls them.
MATH: Final = MappingProxyType(
    {
        **{name: name for name in ("exp", "log", "sqrt", "tanh", "sin", "cos")},
        "pow": "power",
    }
)


def of_math(tape: Any, name: str) -> Callable[..., Any]:
    """Return a function of `math` that tells what is done with numbers."""
    function = getattr(math, name)

    def told(*args: Any) -> Any:
        if any(isinstance(one, Number) for one in args):
            return tape.call(MATH[name], function, args, {}, _frame(1))
        return function(*args)

    told.__name__ = name
    return told

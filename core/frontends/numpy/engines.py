# pyright: basic
"""Scalar engines in the manner of micrograd: objects with `data`, `grad` and `_prev`.

Which object was computed from which others, each object knows; where, is seen when a
method returns it. The order of operands is lost in a set: where it matters, it is the
one that gives the number, and of one operand it is taken twice.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...base.text import clean
from ...capture.record import Call, FrontEnd, Tensor
from ...capture.recorder import Ending, finish
from .naming import names_of
from .spellings import spell
from .tape import Held, hides

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...capture.capture import Capture
    from ...capture.places import Place
    from ...capture.record import Wanted
    from ...ops.table import Array

# What engines call their operations, and what NumPy calls them.
_PAIRS: Final = MappingProxyType(
    {"+": "add", "*": "multiply", "-": "subtract", "/": "divide"}
)
_SINGLE: Final = MappingProxyType(
    {
        "relu": "maximum",
        "tanh": "tanh",
        "exp": "exp",
        "log": "log",
        "sigmoid": "expit",
        "neg": "negative",
        "-": "negative",
        "sin": "sin",
        "cos": "cos",
        "sqrt": "sqrt",
    }
)


def is_scalar(thing: Any) -> bool:
    """Tell whether an object is a number of such an engine.

    Nothing of the object runs: its `__getattr__` may do anything.
    """
    kind = type(thing)
    if issubclass(kind, (np.ndarray, type)):
        return False
    try:
        own: Any = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        own = ()
    return all(name in own or hasattr(kind, name) for name in _PARTS)


_PARTS: Final = ("data", "grad", "_prev")


def captured(
    output: Any,
    met: tuple[Sequence[tuple[Any, Place]], Mapping[int, int]],
    place: Place,
    wanted: Wanted,
    scopes: list[Mapping[str, Any]],
) -> Capture:
    """Return the capture of what leads to an output.

    `met` has each object that a method returned, in order, with the place where that
    was, and when each object was made, by identity; `place` is where backward was
    called.
    """
    made, ages = met
    needed = _behind(output)
    tensors = {key: _tensor(one, place) for key, one in needed.items()}
    calls: list[Call] = []
    for one, where in made:
        if id(one) in needed and len(one._prev):  # noqa: SLF001  # the same
            tensors[id(one)].place = where
            children = map(id, one._prev)  # noqa: SLF001  # the same
            parts = [
                tensors[k] for k in sorted(children, key=lambda key: ages.get(key, 0))
            ]
            calls.append(_call(one, parts, tensors[id(one)], where))
    names = names_of(scopes)

    def gradient(tensor: Tensor) -> Array:
        return np.asarray(float(tensor.held.user.grad))

    def leaf_name(tensor: Tensor) -> str:
        label = getattr(tensor.held.user, "label", "")
        return str(label or names.get(id(tensor.held.user), ""))

    kind = type(output)
    front = FrontEnd(
        clean(f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"),
        hides,
        lambda tensor: np.array(tensor.held.value),
        gradient,
        spell,
        lambda _: None,
        leaf_name,
    )
    return finish(front, calls, Ending(tensors[id(output)], None, place), wanted)


def _behind(output: Any) -> dict[int, Any]:
    """Return what an output is made of, itself included, by identity."""
    found, todo = {id(output): output}, [output]
    while todo:
        for one in todo.pop()._prev:  # noqa: SLF001  # that is how it is called
            if id(one) not in found:
                found[id(one)] = one
                todo.append(one)
    return found


def _tensor(thing: Any, place: Place) -> Tensor:
    numbers = np.asarray(float(thing.data))
    found = Tensor((), "float64", Held(thing, numbers, 0), flows=True)
    found.kind, found.place, found.made = "parameter", place, "number"
    return found


def _call(thing: Any, parts: list[Tensor], result: Tensor, where: Place) -> Call:
    """Return the operation that has made an object, of what it was made of."""
    word = str(getattr(thing, "_op", "")).strip()
    name, args = _operation(word, parts, float(thing.data))
    call = Call(word or "an operation", where, (args, {}), tuple(parts), key=name)
    call.outputs, result.call = (result,), call
    return call


def _operation(
    word: str, parts: list[Tensor], value: float
) -> tuple[str, tuple[Any, ...]]:
    if word in _PAIRS and (len(parts) == 2 or word in "+*"):
        pair = (parts[0], parts[-1])
        return _PAIRS[word], pair if _gives(word, pair, value) else pair[::-1]
    if word.startswith("**") and len(parts) == 1:
        return "power", (parts[0], float(word[2:]))
    name = _SINGLE.get(word.lower(), "")
    return name, (parts[0], 0) if name == "maximum" else tuple(parts)


def _gives(word: str, pair: tuple[Tensor, Tensor], value: float) -> bool:
    a, b = (float(one.held.value) for one in pair)
    if word == "/":
        return b != 0 and a / b == value
    return word != "-" or a - b == value

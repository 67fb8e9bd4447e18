# pyright: basic
"""What the author's own backward code found, and what it is the gradient of.

A layer is an object whose `forward` was called, or a function of a pair; what goes into
its backward function is the gradient of its result, what comes out of it is that of its
arguments, and gradients in attributes are those of the attributes they are named after.
In straight-line code, `dW` is the gradient of `W`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .arrays import Number, Tracked, plain
from .conventions import GRADIENTS, PARAMETERS, whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import CodeType

    from ...capture.places import Active
    from ...capture.record import Call, Tensor
    from ...ops.table import Array
    from .tape import Tape


class Claim(NamedTuple):
    """A gradient of the author's."""

    tensor: Tensor  # whose gradient it is
    gradient: Array  # as it was then
    layer: Layer | None  # whose rule sends it; None where it is all of the gradient
    is_upstream: bool = False  # whether it goes into a layer's backward function
    # what has made the gradient, and what has first written into it, if that is known
    begins: tuple[Call | None, Call | None] = (None, None)


@dataclass(slots=True, eq=False)
class Layer:
    """One call of a forward function, and of the backward function that belongs."""

    thing: Any  # the object; None of a function
    code: CodeType  # of the forward function
    active: Active  # its call
    start: int  # the number of the first call of the tape in it
    given: dict[str, Tensor]  # its arguments by name
    held: dict[str, Tensor]  # the arrays of the object, and of its arguments, by path
    depth: int  # how many layers it is inside
    stop: int = 0  # the number of the first call of the tape behind it
    # the arrays that it returned
    results: list[Tensor] = field(default_factory=list)
    returned: Any = None  # all that it returned
    rule: CodeType | None = None  # of the backward function, once it was called
    is_outer: bool = False  # whether layers inside of it were called backwards
    before: int = 0  # the number of the call of the tape that its way back began at


def is_watched(value: Any) -> bool:
    """Tell whether a value is an array, or a number, that tells the tape."""
    return isinstance(value, (Tracked, Number))


def leaves_in(name: str, value: Any, depth: int = 2) -> Iterator[tuple[str, Any]]:
    """Yield the arrays of a value by path: W, params.W1, params.0."""
    if is_watched(value):
        yield name, value
    elif depth and isinstance(value, dict):
        for key, one in value.items():
            yield from leaves_in(f"{name}.{key}", one, depth - 1)
    elif depth and type(value) in (list, tuple):
        for number, one in enumerate(value):
            yield from leaves_in(f"{name}.{number}", one, depth - 1)


def arrays_of(thing: Any) -> dict[str, Any]:
    """Return the arrays that an object holds, by path."""
    inside = getattr(thing, "__dict__", {})
    return dict(
        pair for name, value in inside.items() for pair in leaves_in(name, value)
    )


def numbers(value: Any) -> Array | None:
    """Return the numbers of a gradient, a copy; None of what is none."""
    if isinstance(value, (bool, str)) or value is None:
        return None
    if not isinstance(value, (int, float, np.ndarray, np.number)):
        return None
    found = np.array(plain(value))
    return found.astype(np.float64) if found.dtype.kind in "iu" else found


def fits(tensor: Tensor, gradient: Array | None) -> bool:
    """Tell whether numbers can be the gradient of an array."""
    if gradient is None or gradient.dtype.kind != "f" or not tensor.is_float:
        return False
    return gradient.shape == tensor.shape


def paired(name: str) -> list[str]:
    """Return the paths of what a path may be the gradient of: grads.W1, params.W1."""
    head, dot, rest = name.partition(".")
    found = [*whose(name)]
    if dot and head in GRADIENTS:
        for inner in (rest, *whose(rest)):
            found += [inner, *(f"{one}.{inner}" for one in PARAMETERS)]
    return found


def upstream_of(layer: Layer, given: Mapping[str, Any], tape: Tape) -> Any:
    """Return which argument of a backward function is the gradient of the result."""
    if not layer.results:
        return None
    met = {id(one) for one in (*layer.results, *layer.given.values())}
    for value in given.values():
        known = tape.known(value)
        if known is not None and id(known) in met:
            continue
        if fits(layer.results[0], numbers(value)):
            return numbers(value)
    return None


def claims_of(layer: Layer, local: Mapping[str, Any], result: Any) -> list[Claim]:
    """Return what a backward function, at its end, says of what it went back through.

    `local` is what its variables are then.
    """
    known = {**layer.held, **layer.given}
    found: dict[str, Array] = {}  # by path

    def claim(names: Iterable[str], value: Any) -> bool:
        for name in names:
            gradient = numbers(value)
            if name in known and gradient is not None and fits(known[name], gradient):
                found[name] = gradient
                return True
        return False

    inside = dict(pair for n, v in local.items() for pair in leaves_in(n, v))
    for name, value in {**arrays_of(layer.thing), **inside}.items():
        claim(paired(name), value)
    if isinstance(result, dict):
        for key, value in result.items():
            names = [str(key), *whose(str(key))]
            claim([*names, *(f"{a}.{b}" for a in PARAMETERS for b in names)], value)
        return _merged(layer, found)
    rest = list(layer.given)
    for value in result if isinstance(result, tuple) else (result,):
        names = [name for name, one in local.items() if one is value]
        told = [other for name in names for other in whose(name)]
        if not claim(told, value):
            claim(list(rest), value)
        done = [name for name in rest if found.get(name) is not None]
        rest = [name for name in rest if name not in done]
    return _merged(layer, found)


def _merged(layer: Layer, found: Mapping[str, Array]) -> list[Claim]:
    """Return the claims by array: one that is several arguments has their sum."""
    held = {id(t): (t, found[n]) for n, t in layer.held.items() if n in found}
    given: dict[int, tuple[Tensor, Array]] = {}
    for name, tensor in layer.given.items():
        if name in found:
            before = given.get(id(tensor))
            total = found[name] if before is None else before[1] + found[name]
            given[id(tensor)] = (tensor, total)
    return [Claim(*one, layer) for one in {**held, **given}.values()]


def named_claims(
    local: Mapping[str, Any], outer: Mapping[str, Any]
) -> Iterator[tuple[Any, Any]]:
    """Yield pairs of variables, an array and its gradient, by their names.

    `outer` has what a function sees besides its own variables.
    """
    values = dict(pair for n, v in local.items() for pair in leaves_in(n, v))
    behind: dict[str, Any] = {}
    for thing in (local.get("self"), local.get("model"), local.get("net")):
        behind |= arrays_of(thing)
    for name, value in values.items():
        for other in paired(name):
            partner = values.get(other, behind.get(other, outer.get(other)))
            if is_watched(partner) and partner is not value:
                yield partner, value
                break

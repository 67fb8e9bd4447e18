"""Whole numbers in expressions: exact while 64 bits hold them, and floats beyond.

NumPy's integers begin again at the other end where they have no place, silently; a
person who reads a number must not be told that 2 · 2⁶² is −2⁶³. So what is computed of
integers is computed of floats as well, and where the two do not agree, the floats stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..ops.table import Array, Op


# These copy elements, and choose by whole numbers: nothing is computed of them.
_COPYING: Final = ("move", "gather")


def power(base: Any, exponent: Any) -> Any:
    """Return a power. NumPy's integers refuse 2 ** -1."""
    powers = np.asarray(base), np.asarray(exponent)
    if np.any(powers[1] < 0) and all(map(_is_whole, powers)):
        return np.float_power(base, exponent)
    return np.power(base, exponent)


def roomy(rule: Callable[..., Any], *operands: Any) -> Any:
    """Return what a rule makes of operands; floats where whole numbers have no place.

    x // 0, too, is a float: it is 0 among NumPy's integers.
    """
    arrays = [np.asarray(one) for one in operands]
    found = rule(*operands)
    if not all(map(_is_whole, arrays)):
        return found
    return _checked(found, lambda: rule(*(one.astype(float) for one in arrays)))


def roomy_operation(op: Op, operands: Sequence[Array], rule: Callable[..., Any]) -> Any:
    """Return what an operation makes of arrays, as `roomy` does.

    The first of its operands is made a float, and what it meets becomes one by that:
    others may be classes, or indices, which stay what they are.
    """
    found = rule(*operands)
    if op.kind in _COPYING or op.vjp(0) is None or not all(map(_is_whole, operands)):
        return found
    count = len(operands) if op.variadic else 1
    floats = [one.astype(float) for one in operands[:count]]
    return _checked(found, lambda: rule(*floats, *operands[count:]))


def roomy_leaf(array: Array, most: int) -> Array:
    """Return what a recipe is given, as floats if one is beyond ±`most`.

    So many elements an array can have at most: such a number is no index and no class.
    """
    if _is_whole(array) and np.any((array > most) | (array < -most)):
        return array.astype(float)
    return array


def _is_whole(array: Array) -> bool:
    return array.dtype.kind in "iu"


def _checked(found: Any, made_of_floats: Callable[[], Any]) -> Any:
    """Return a result of whole numbers, or that of floats where it differs.

    A number that began again is wrong by 2 ** bits; what floats round is far less. A
    float that was made of whole numbers may have had such a number on the way.
    """
    kind = np.asarray(found).dtype
    if kind.kind not in "iuf":
        return found
    floats = made_of_floats()
    if kind.kind == "f":
        return floats
    near = np.abs(np.asarray(found, float) - floats) < 2.0 ** (8 * kind.itemsize - 2)
    return found if np.all(near) else floats

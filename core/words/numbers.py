"""How shapes and indices are written: in one way, the way of NumPy and PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

from ..ops.table import Shape


def shape_text(shape: Shape) -> str:
    """Return a shape as NumPy prints it.

    >>> shape_text((3, 1)), shape_text((8,)), shape_text(())
    ('(3, 1)', '(8,)', '()')
    """
    return str(shape)


def index_text(index: Sequence[int] | None) -> str:
    """Return the index of one element in its brackets; nothing for a whole array.

    >>> index_text((0, 3)), index_text((2,)), index_text(()), index_text(None)
    ('[0, 3]', '[2]', '', '')
    """
    return f"[{', '.join(map(str, index))}]" if index else ""


def element_text(name: str, index: Sequence[int] | None) -> str:
    """Return an element as it is typed: a name and an index.

    >>> element_text("W.grad", (0, 3)), element_text("E", ())
    ('W.grad[0, 3]', 'E')
    """
    return name + index_text(index)

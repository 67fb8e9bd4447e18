"""Where a kernel stands on an input, as numbers and as NumPy code.

Convolution and pooling go over the places of the kernel, one after the other: a place
is a shifted view of the input, so they take little memory beside their operands and
their result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..table import (
        Array,
        Shape,
    )

Pair = tuple[int, int]


def pair(value: int | Pair) -> Pair:
    """Return what holds down and across; one number holds for both."""
    return (value, value) if isinstance(value, int) else value


class Grid(NamedTuple):
    """Where a kernel stands on the last two axes of an input of `size`."""

    size: Pair  # rows and columns of the input, and so below
    kernel: Pair  # how many places it has
    stride: Pair  # how far it goes from one result to the next
    padding: Pair  # how many places are added at each end
    dilation: Pair = (1, 1)  # how far its places are apart
    more: Pair = (0, 0)  # how many places are added at the second end besides

    @property
    def extent(self) -> Pair:
        """What the kernel covers, its gaps included."""
        (height, width), (rows, columns) = self.kernel, self.dilation
        return (height - 1) * rows + 1, (width - 1) * columns + 1

    @property
    def padded(self) -> Pair:
        """The size of the input with its border."""
        (height, width), (rows, columns) = self.size, self.padding
        return height + 2 * rows + self.more[0], width + 2 * columns + self.more[1]

    @property
    def is_padded(self) -> bool:
        """Whether there is a border."""
        return (self.padding, self.more) != ((0, 0), (0, 0))

    @property
    def places(self) -> Pair:
        """How many places the kernel stands at, down and across."""
        pairs = zip(self.padded, self.extent, self.stride, strict=True)
        down, across = ((full - part) // step + 1 for full, part, step in pairs)
        return down, across

    def check(self, name: str) -> None:
        """Raise `ValueError` where the kernel does not fit the padded input."""
        full, part = self.padded, self.extent
        if full[0] < part[0] or full[1] < part[1] or 0 in self.size:
            raise ValueError(
                f"{name}: a kernel that covers {part} does not fit an input of "
                f"{self.size} with padding {self.padding}"
            )

    def taps(self) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
        """Give each place in the kernel, and what it meets of the padded input."""
        for row in range(self.kernel[0]):
            for column in range(self.kernel[1]):
                at = (row * self.dilation[0], column * self.dilation[1])
                yield row, column, (..., *map(self._met, at, self.stride, self.places))

    @staticmethod
    def _met(start: int, step: int, count: int) -> slice:
        return slice(start, start + step * (count - 1) + 1, step)

    def widths(self, ndim: int) -> list[Pair]:
        """Return the padding as numpy takes it."""
        ends = zip(self.padding, self.more, strict=True)
        return [(0, 0)] * (ndim - 2) + [(one, one + more) for one, more in ends]

    def pad(self, x: Array) -> Array:
        """Return an input with a border of zeros."""
        return np.pad(x, self.widths(x.ndim)) if self.is_padded else x

    def crop(self, x: Array) -> Array:
        """Return an input without its border."""
        (height, width), (rows, columns) = self.size, self.padding
        return x[..., rows : rows + height, columns : columns + width]


# -------------------------------------------------------------------------------- words


def padded_code(name: str, grid: Grid, ndim: int, more: str = "") -> str:
    """Return an operand with its border."""
    if not grid.is_padded:
        return name
    return f"np.pad({name}, {tuple(grid.widths(ndim))}{more})"


def windows_code(padded: str, grid: Grid) -> str:
    """Return what the kernel meets, in two last axes of the kernel's shape."""
    steps = [f"::{step}" for step in (*grid.stride, *grid.dilation)]
    return (
        f"np.lib.stride_tricks.sliding_window_view({padded}, {grid.extent}, (-2, -1))"
        f"[..., {', '.join(steps)}]"
    )


def crop_code(grid: Grid) -> str:
    """Return the index that leaves the border out, or nothing where there is none."""
    if not grid.is_padded:
        return ""
    pairs = zip(grid.padding, grid.size, strict=True)
    return f"[..., {', '.join(f'{pad}:{pad + size}' for pad, size in pairs)}]"


def padded_line(grid: Grid, ndim: int, name: str, more: str = "") -> tuple[str, str]:
    """Return a line that pads an operand, and the name of what it makes."""
    if not grid.is_padded:
        return "", name
    return f"padded = {padded_code(name, grid, ndim, more)}\n", "padded"


def spread_lines(loop: str, input: Shape, grid: Grid) -> str:
    """Return lines that add to an operand's gradient what a loop adds to INTO."""
    if not grid.is_padded:
        return loop.replace("INTO", "{into}")
    zeros = f"padded = np.zeros({(*input[:-2], *grid.padded)})"
    added = f"{{into}} += padded{crop_code(grid)}"
    return f"{zeros}\n{loop.replace('INTO', 'padded')}\n{added}"


def met_code(grid: Grid) -> str:
    """Return the slices of an operand that the number i, j of a kernel meets."""
    axes = zip("ij", grid.dilation, grid.stride, grid.places, strict=True)
    return ", ".join(_met_code(*axis) for axis in axes)


def _met_code(number: str, dilation: int, stride: int, places: int) -> str:
    """Return the slice of the numbers that one number of the kernel meets.

    >>> _met_code("i", 1, 1, 4), _met_code("j", 2, 3, 4)
    ('i:i+4', '2*j:2*j+10:3')
    """
    start = number if dilation == 1 else f"{dilation}*{number}"
    step = "" if stride == 1 else f":{stride}"
    return f"{start}:{start}+{(places - 1) * stride + 1}{step}"

"""Curves as characters: scales, ticks, and dots of braille, two by four to a cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..ops.table import Array

# The bits of a braille character: from the bottom up, its left and right column.
_DOTS: Final = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
_BLANK: Final = 0x2800
_BARS: Final = "▁▂▃▄▅▆▇█"
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)
_MANY: Final = 4  # points in a column: their range is the curve, lines add nothing
_CLOSE: Final = 1e-300  # apart: steps between numbers like that would underflow
_WIDE: Final = 20.0  # from this ratio on, numbers are read better on a log scale


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers from `low` to `high` on a line; of a log scale both are above 0."""

    low: float
    high: float
    log: bool = False  # whether it is logarithmic

    def shares(self, numbers: Array) -> Array:
        """Return places from 0 to 1, and NaN for what has none."""
        with np.errstate(all="ignore"):
            if self.log:
                low, high = math.log10(self.low), math.log10(self.high)
                found = (np.log10(numbers) - low) / (high - low)
            else:
                found = (numbers - self.low) / (self.high - self.low)
            return np.where(np.isfinite(found), np.clip(found, 0, 1), np.nan)

    def share(self, number: float) -> float:
        """Return the place of one number."""
        return float(self.shares(np.array([number]))[0])

    def ticks(self, most: int) -> list[float]:
        """Return round numbers on the scale, at most so many, in order.

        Where fewer than two of them fit, the ends of the scale.

        >>> Scale(0.0, 1.0).ticks(6), Scale(1e-6, 1.0, log=True).ticks(4)
        ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [1e-06, 0.0001, 0.01, 1.0])
        """
        found = self._decades(most) if self.log else self._rounds(max(most, 2))
        return found if len(found) > 1 else [self.low, self.high]

    def _decades(self, most: int) -> list[float]:
        first = math.ceil(math.log10(self.low) - 1e-9)
        last = math.floor(math.log10(self.high) + 1e-9)
        stride = max(1, math.ceil((last - first) / max(most - 1, 1)))
        return [float(f"1e{n}") for n in range(first, last + 1, stride)]

    def _rounds(self, most: int) -> list[float]:
        unit = 10.0 ** math.floor(math.log10((self.high - self.low) / most))
        for step in (unit * factor for factor in _STEPS):
            first, last = math.ceil(self.low / step), math.floor(self.high / step)
            if 0 < last - first < most:
                digits = max(0, 1 - math.floor(math.log10(step)))
                return [round(n * step, digits) for n in range(first, last + 1)]
        return []


def scale_of(numbers: Array, *, log: bool) -> Scale:
    """Return the scale that holds all finite numbers; a log scale, those above 0.

    A log scale ends at whole decades.
    """
    finite = numbers[np.isfinite(numbers)]
    if log:
        positive = finite[finite > 0]
        if not positive.size:
            return Scale(0.1, 1.0, log=True)
        first = max(math.floor(math.log10(float(positive.min()))), -307)
        last = math.ceil(math.log10(float(positive.max())))
        last = min(max(last, first + 1), 308)
        return Scale(10.0**first, 10.0**last, log=True)
    if not finite.size:
        return Scale(0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    close = max(1e-12 * max(abs(low), abs(high)), _CLOSE)
    if not math.isfinite(high - low) or high - low <= close:
        margin = max(abs(low), 1.0) / 2
        return Scale(max(low - margin, -1e307), min(high + margin, 1e307))
    return Scale(low, high)


def reads_better_on_log(numbers: Array) -> bool:
    """Tell whether finite numbers are all above 0, and far apart."""
    finite = numbers[np.isfinite(numbers)]
    if not finite.size or finite.min() <= 0:
        return False
    return bool(finite.max() / _WIDE > finite.min())


def curve(numbers: Array, scale: Scale, width: int, height: int) -> list[str]:
    """Return `height` lines of `width` characters with a curve through the numbers.

    The first number stands in the first column of dots, the last in the last. What is
    not on the scale leaves a gap.
    """
    dots = np.zeros((height * 4, width * 2), dtype=bool)
    low, high = _strokes(scale.shares(numbers), width * 2)
    top = height * 4 - 1
    for column in np.flatnonzero(~np.isnan(low)):
        first, last = round(float(low[column]) * top), round(float(high[column]) * top)
        dots[first : last + 1, column] = True
    lines: list[str] = []
    for row in reversed(range(height)):
        cells = np.full(width, _BLANK)
        for side, bits in enumerate(_DOTS):
            for up, bit in enumerate(bits):
                cells = cells | np.where(dots[row * 4 + up, side::2], bit, 0)
        lines.append("".join(map(chr, cells.tolist())))
    return lines


def _strokes(shares: Array, width: int) -> tuple[Array, Array]:
    """Return for each column of dots the lowest and the highest place on the curve."""
    low, high = np.full(width, np.nan), np.full(width, np.nan)
    count = len(shares)
    if not count:
        return low, high
    if count > _MANY * width:
        edges = np.linspace(0, count, width + 1).astype(np.intp)[:-1]
        return np.fmin.reduceat(shares, edges), np.fmax.reduceat(shares, edges)
    columns = np.rint(np.linspace(0, width - 1, count)).astype(np.intp)
    for column, share in zip(columns.tolist(), shares.tolist(), strict=True):
        _reach(low, high, column, share)
    # Between two columns the curve is a straight line, and each column meets the next.
    for start in range(count - 1):
        one, two = int(columns[start]), int(columns[start + 1])
        before, after = float(shares[start]), float(shares[start + 1])
        for column in range(one, two):
            here = before + (after - before) * (column - one) / (two - one)
            then = before + (after - before) * (column + 1 - one) / (two - one)
            middle = (here + then) / 2
            for reached in (here, middle):
                _reach(low, high, column, reached)
            for reached in (middle, then):
                _reach(low, high, column + 1, reached)
    return low, high


def _reach(low: Any, high: Any, column: int, share: float) -> None:
    if not math.isnan(share):
        low[column] = np.fmin(low[column], share)
        high[column] = np.fmax(high[column], share)


def scatter(
    series: Mapping[str, Array], scale: Scale, width: int, height: int
) -> list[str]:
    """Return `height` lines of `width` characters with a mark for each number.

    `series` has numbers by their mark, as many in each, at equal distances. What is not
    on the scale has no mark; where two series meet stands `*`.

    >>> scatter({"a": np.array([1.0, 0.1]), "b": np.array([0.1, 0.1])},
    ...         Scale(0.1, 1.0, log=True), 5, 2)
    ['a    ', 'b   *']
    """
    lines = [[" "] * width for _ in range(height)]
    for mark, numbers in series.items():
        for number, share in enumerate(map(float, scale.shares(numbers))):
            if math.isnan(share):
                continue
            column = round(number * (width - 1) / max(len(numbers) - 1, 1))
            line = lines[height - 1 - round(share * (height - 1))]
            line[column] = mark if line[column] == " " else "*"
    return ["".join(line) for line in lines]


def column_of(number: int, count: int, width: int) -> int:
    """Return the column of the `number`th of `count` points.

    >>> column_of(0, 5, 9), column_of(2, 5, 9), column_of(4, 5, 9)
    (0, 4, 8)
    """
    return round(number * (width * 2 - 1) / max(count - 1, 1)) // 2


def number_at(column: int, count: int, width: int) -> int:
    """Return the point that stands nearest to the middle of a column."""
    share = min(max((column * 2 + 0.5) / max(width * 2 - 1, 1), 0.0), 1.0)
    return round(share * (count - 1))


def spark(numbers: Sequence[float | None], width: int) -> str:
    """Return numbers as bars, on a logarithmic scale of their own.

    What falls into one column shows its largest; `·` is no number, or zero.

    >>> spark([1e-3, 1e-2, None, 1.0], 8)
    '▁▁▃▃··██'
    """
    if not numbers or width < 1:
        return ""
    known = np.array([np.nan if n is None else n for n in numbers], dtype=np.float64)
    edges = np.linspace(0, len(known), width + 1)[:-1].astype(np.intp)
    known = np.fmax.reduceat(known, edges) if len(known) > width else known[edges]
    positive = known[np.isfinite(known) & (known > 0)]
    low = float(positive.min()) if positive.size else 0.5
    high = min(max(float(positive.max()) if positive.size else 1.0, 2 * low), 1e308)
    shares = Scale(low, high, log=True).shares(known)
    return "".join(map(_bar, known.tolist(), shares.tolist()))


def _bar(number: float, share: float) -> str:
    if math.isnan(share):
        return "×" if math.isinf(number) else "·"
    return _BARS[int(share * 7.999)]

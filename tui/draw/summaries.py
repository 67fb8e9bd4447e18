"""What is said of an array that is not shown whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from rich.text import Text

from ...core.words.numbers import number_text
from .look import MOST, Look

if TYPE_CHECKING:
    from ...core.engine.measure import Summary

_BARS: Final = "▁▂▃▄▅▆▇█"


def summary_line(summary: Summary, look: Look) -> Text:
    """Return the range, the distribution and what is unusual in an array."""
    parts: list[Text] = []
    if summary.low is not None and summary.high is not None:
        low, high = (
            number_text(n, look.precision) for n in (summary.low, summary.high)
        )
        text = f"{low} … {high}" if summary.low < summary.high else f"all {low}"
        parts.append(look.text(text))
    if summary.bins and math.prod(summary.shape) > MOST:
        top = max(summary.bins)
        bars = (_BARS[-(-count * (len(_BARS) - 1) // top)] for count in summary.bins)
        parts.append(look.text("".join(bars), "quiet"))
    if summary.zeros and summary.low != summary.high:
        word = "zero" if summary.zeros == 1 else "zeros"
        parts.append(look.text(f"{summary.zeros} {word}", "quiet"))
    unusual = ((summary.nans, "nan"), (summary.infinities, "inf"))
    parts += [look.text(f"{n} {name}", "alarm") for n, name in unusual if n]
    return Text("  ", end="").join(parts) if parts else look.text("empty", "quiet")

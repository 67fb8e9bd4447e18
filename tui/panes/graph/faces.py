"""What the boxes of the graph show at a moment: how far they are, and how large."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ....core.engine.measure import MOST_PARTIAL, decade, rms_of_norm
from ....core.pictures.reached import is_backward, progress
from ....core.words.numbers import fitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....core.engine.trace import Trace
    from ....core.ops.table import Array
    from ....core.pictures.folds import Box

MARKS: Final = {"none": "·", "future": "○", "part": "◐", "done": "✓", "present": "▶"}
_BARS: Final = "0▁▂▃▄▅▆▇█"


class Face(NamedTuple):
    """What a box shows at this moment."""

    state: str  # a key of `MARKS`
    bar: str = " "  # how large it is
    size: str = "zero"  # a component class
    value: Any = None  # a number, or the norm of an array
    is_norm: bool = False  # whether the number is a norm

    def number(self, width: int) -> str:
        """Return the number in so many cells, the first of them blank; else a bar.

        A norm looks like one, with however few digits.
        """
        if self.value is None:
            return self.bar
        edge = "‖" * self.is_norm
        text = edge + fitted(self.value, width - 1 - 2 * len(edge)) + edge
        return text if len(text) < width else self.bar


def face(
    trace: Trace, position: int, box: Box, norm: Callable[[Array], float | None]
) -> Face:
    """Return what a box shows; `norm` gives None as long as it is not known."""
    state: str = progress(trace, range(box.first, box.stop), position)
    if position and box.first <= trace.event(position - 1).node < box.stop:
        state = "present"
    backward = is_backward(trace, position)
    array = _array(trace, box.node, position, backward=backward)
    if array is None:
        return Face(state)
    size = norm(array)
    if size is None:
        return Face(state, "…")
    bar = _bar(rms_of_norm(size, array.size), "grad" if backward else "value")
    if array.ndim == 0:
        return Face(state, *bar, array[()])
    return Face(state, *bar, size, is_norm=True)


def _array(trace: Trace, node: int, position: int, *, backward: bool) -> Array | None:
    """Return what a box shows the size of; nothing where it would take long."""
    if not backward:
        return trace.value(node, position)
    done, of = trace.uses(node, position)
    if done < of and math.prod(trace.run.graph.nodes[node].shape) > MOST_PARTIAL:
        return None
    return trace.gradient(node, position)


def _bar(size: float, quantity: str) -> tuple[str, str]:
    """Return the bar of a size, and the name of its style."""
    if math.isnan(size):
        return "!", "alarm"
    if math.isinf(size):
        return "∞", "alarm"
    high = decade(size)
    if not high:
        return _BARS[0], "zero"
    return _BARS[high], quantity

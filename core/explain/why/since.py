"""Since when a layer lets nothing through: iterations of a training, looked at back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .answer import Since
from .gradient import shut

if TYPE_CHECKING:
    from ...base.progress import Progress
    from ...training.timeline import Timeline
    from .answer import Off


def since(
    timeline: Timeline, iteration: int, off: Off, progress: Progress | None = None
) -> Since | None:
    """Return since which iteration nothing has passed, up to the present one.

    Without a training there is none. Not more than some iterations are gone back.
    """
    if timeline.iterations == 1 or not off.whole:
        return None
    first = iteration
    while first > max(0, iteration - _MOST_BACK):
        if progress is not None:
            progress(iteration - first, min(iteration, _MOST_BACK))
        run = timeline.trace(first - 1).run
        if shut(run, off.node, off.argument) < off.size:
            return Since(first, is_first=True)
        first -= 1
    return Since(first, is_first=first == 0)


_MOST_BACK: Final = 100

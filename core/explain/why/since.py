"""Since when a layer lets nothing through: iterations of a training, looked at back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .answer import Since
from .gradient import shut

if TYPE_CHECKING:
    from ...base.progress import Progress
    from ...engine.trace import Trace
    from .answer import Off


def since(trace: Trace, off: Off, progress: Progress | None = None) -> Since | None:
    """Return since which iteration nothing has passed, up to the present one.

    Without a training there is none. Not more than some iterations are gone back, and
    where one of these has been asked before, no further.
    """
    at = trace.iteration
    if at is None or not off.whole:
        return None
    key, first = ("since", off.node, off.argument), at.number
    least = max(first - _MOST_BACK, 0)
    found: Since | None = trace.run.recent.known(key)
    while found is None and first > least:
        if progress is not None:
            progress(at.number - first, at.number - least)
        run = at.other(first - 1).run
        found = run.recent.known(key)
        if shut(run, off.node, off.argument) < off.size:
            found = Since(first, is_first=True)
        first -= 1
    return trace.run.recent.keep(key, found or Since(first, is_first=first == 0))


_MOST_BACK: Final = 100

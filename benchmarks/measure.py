"""How to measure: two programs in turns, in one process, the best time of each.

Times are those of the processor, all threads together, unless another clock is given:
what else the machine does is not in them.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Row:
    """One line of the table. `most` is what the ratio should be at most."""

    what: str
    against: str
    ours: str
    theirs: str
    ratio: float
    most: float

    @property
    def line(self) -> str:
        """The row as a line of Markdown."""
        held = "held" if self.ratio <= self.most else "missed"
        cells = (self.what, self.against, self.ours, self.theirs)
        shares = f"{self.ratio:.2f} × | {self.most:g} ×"
        return f"| {' | '.join(cells)} | {shares} | {held} |"


def race(
    ours: Callable[..., object],
    theirs: Work,
    seconds: float,
    clock: Clock = time.process_time,
    fresh: Work | None = None,
) -> tuple[float, float]:
    """Return the best time of each in seconds; at least three turns are taken.

    It is the processor's time, and the best, for whatever else the machine does can
    only make a time longer. The two take turns, so that a slow minute is slow for both,
    and neither has to clear away what the other one has left.

    With `fresh`, our side is called with what that makes anew each time, and its making
    does not count.
    """
    best = [float("inf"), float("inf")]
    turns, stop = 0, time.perf_counter() + seconds
    while turns < 3 or time.perf_counter() < stop:
        for side, work in enumerate((ours, theirs)):
            gc.collect()
            before = fresh if fresh is not None and work is ours else None
            best[side] = min(best[side], _turn(work, clock, before))
        turns += 1
    return best[0], best[1]


def _turn(work: Callable[..., object], clock: Clock, before: Work | None) -> float:
    """Return the best time of a turn: short work is done several times."""
    best, stop = float("inf"), time.perf_counter() + 0.01
    while best == float("inf") or time.perf_counter() < stop:
        given = () if before is None else (before(),)
        started = clock()
        result = work(*given)
        best = min(best, clock() - started)
        del given, result
    return best


def compare(
    what: str,
    against: str,
    most: float,
    ours: Callable[..., object],
    theirs: Work,
    seconds: float,
    fresh: Work | None = None,
) -> Row:
    """Race two programs, and return the line of the table."""
    one, two = race(ours, theirs, seconds, fresh=fresh)
    return Row(what, against, duration(one), duration(two), one / two, most)


def peak(work: Work) -> int:
    """Return the most bytes that were held at any time during `work`."""
    gc.collect()
    tracemalloc.start()
    try:
        result = work()
        most = tracemalloc.get_traced_memory()[1]
        del result
    finally:
        tracemalloc.stop()
    return most


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it.

    >>> duration(0.0000012)
    '1.20 µs'
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def size(count: float) -> str:
    """Return a number of bytes in the unit that suits it."""
    return f"{count / 1e6:.3g} MB" if count >= 1e6 else f"{count / 1e3:.3g} kB"

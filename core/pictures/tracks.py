"""The tracks of a channel between two ranks, on which the lines of edges turn."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Line(NamedTuple):
    """Lines of one channel that share a track: where they enter, and where they leave.

    Either one item and all that it leads to, or all that lead to one item alone.
    """

    enters: frozenset[int]  # rows, across the way, on which they come to the channel
    leaves: frozenset[int]  # rows on which they go on from it
    low: int  # the lowest of all these rows
    high: int  # the highest one


def slides() -> Iterator[int]:
    """Yield 0, 1, −1, 2, −2 and so on."""
    yield 0
    for by in itertools.count(1):
        yield by
        yield -by


def assigned(
    lines: Mapping[tuple[int, int], Line],
) -> dict[tuple[int, int], int] | None:
    """Give each line a track of its own, or return None where they are knotted.

    A line that enters on a row has to turn before another one leaves on that row. Of
    those that are free to turn, the one that then crosses the fewest goes first.
    """
    waiting = dict(lines)
    tracks: dict[tuple[int, int], int] = {}
    costs = {
        (a, b): _cost(one, two)
        for a, one in lines.items()
        for b, two in lines.items()
        if a != b and one.low <= two.high and two.low <= one.high
    }
    nearby: dict[tuple[int, int], list[tuple[int, int]]] = {name: [] for name in lines}
    for a, b in costs:
        nearby[a].append(b)
    while waiting:
        left = {name: [b for b in nearby[name] if b in waiting] for name in waiting}
        free = [
            name
            for name, line in waiting.items()
            if not any(waiting[b].enters & line.leaves for b in left[name])
        ]
        if not free:
            return None
        worse = {a: sum(costs[a, b] - costs[b, a] for b in left[a]) for a in free}
        name = min((worse[a], a) for a in free)[1]
        del waiting[name]
        tracks[name] = len(tracks)
    return tracks


def _cost(one: Line, two: Line) -> int:
    """Return how often two lines cross when `one` turns before `two`."""
    return sum(one.low <= row <= one.high for row in two.enters) + sum(
        two.low <= row <= two.high for row in one.leaves
    )

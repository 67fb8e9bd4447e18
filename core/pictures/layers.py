"""Boxes of a graph in ranks, each rank in an order that crosses few edges.

The first steps of Sugiyama, Tagawa and Toda (1981): ranks by the longest path, one bend
for each rank that an edge passes, then the order within each rank.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

_SWEEPS: Final = 8  # of the barycentre passes; more changes little
_MOST_EXCHANGED: Final = 400  # items: beyond, exchanging neighbours takes too long

Neighbours = Sequence[Sequence[int]]


class Layers(NamedTuple):
    """Boxes and bends in ranks, each rank in order: a drawing without measures.

    Items 0 … count − 1 are the boxes, the rest are bends. `links` leads from each item
    to those of the next rank, `back` to those of the one before.
    """

    # how many boxes there are
    count: int  # pyright: ignore[reportIncompatibleMethodOverride]  # not a search
    rank: Sequence[int]  # of each item, counted from 0
    # for each rank, its items from one side to the other
    order: Sequence[Sequence[int]]
    links: Sequence[Sequence[int]]
    back: Sequence[Sequence[int]]
    crossings: int  # of links, in this order


def layers(count: int, edges: Iterable[tuple[int, int]]) -> Layers:
    """Rank and order `count` boxes. Every edge leads from a lower number to a higher.

    Raises `ValueError` for one that does not.

    >>> layers(3, [(0, 1), (1, 2), (0, 2)]).rank
    (0, 1, 2, 1)
    """
    targets: list[list[int]] = [[] for _ in range(count)]
    for source, target in sorted(set(edges)):
        if not 0 <= source < target < count:
            message = f"the edge {source} → {target} does not lead forwards"
            raise ValueError(message)
        targets[source].append(target)
    rank = _ranks(targets)
    links: list[list[int]] = [[] for _ in range(count)]
    for source in range(count):
        _link(source, targets[source], rank, links)
    back: list[list[int]] = [[] for _ in links]
    for item, after in enumerate(links):
        for other in after:
            back[other].append(item)
    order, crossings = _ordered(rank, links, back)
    return Layers(count, tuple(rank), order, links, back, crossings)


def _ranks(targets: Sequence[Sequence[int]]) -> list[int]:
    rank = [0] * len(targets)
    first = [True] * len(targets)
    for source, after in enumerate(targets):
        for target in after:
            rank[target] = max(rank[target], rank[source] + 1)
            first[target] = False
    for source, after in enumerate(targets):
        if first[source] and after:
            rank[source] = min(rank[target] for target in after) - 1
    return rank


def _link(
    source: int, targets: Sequence[int], rank: list[int], links: list[list[int]]
) -> None:
    """Lead one line from a box through all ranks up to its farthest target."""
    if not targets:
        return
    by_rank: dict[int, list[int]] = {}
    for target in targets:
        by_rank.setdefault(rank[target], []).append(target)
    item, last = source, max(by_rank)
    for level in range(rank[source] + 1, last + 1):
        links[item] += by_rank.get(level, [])
        if level < last:
            bend = len(rank)
            rank.append(level)
            links.append([])
            links[item].append(bend)
            item = bend


def _ordered(
    rank: Sequence[int], links: Neighbours, back: Neighbours
) -> tuple[list[list[int]], int]:
    """Return the order with the fewest crossings that the passes come upon."""
    best: list[list[int]] = []
    fewest = -1
    for order in (_in_order(rank), _in_depth(rank, back)):
        met: set[object] = set()
        for sweep in range(_SWEEPS + 1):
            if sweep:
                _sweep(order, back if sweep % 2 else links, forwards=bool(sweep % 2))
            if len(rank) <= _MOST_EXCHANGED:
                _exchange(order, links, back)
            here = sweep % 2, *map(tuple, order)
            if here in met:
                break  # from here on it goes round in circles
            met.add(here)
            crossings = _crossings(order, links)
            if fewest < 0 or crossings < fewest:
                best, fewest = [list(row) for row in order], crossings
            if fewest == 0:
                return best, 0
    return best, max(fewest, 0)


def _in_order(rank: Sequence[int]) -> list[list[int]]:
    order: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for item, level in enumerate(rank):
        order[level].append(item)
    return order


def _in_depth(rank: Sequence[int], back: Neighbours) -> list[list[int]]:
    """Order as a walk back from the last box meets the items: trees do not cross."""
    order: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    seen = [False] * len(rank)
    for start in reversed(range(len(rank))):
        waiting = [start]
        while waiting:
            item = waiting.pop()
            if not seen[item]:
                seen[item] = True
                order[rank[item]].append(item)
                waiting += reversed(back[item])
    return order


def _sweep(order: list[list[int]], beside: Neighbours, *, forwards: bool) -> None:
    """Sort each rank by the mean place of its neighbours in the rank before it."""
    place: dict[int, int] = {}
    for row in order if forwards else reversed(order):
        mean: dict[int, float] = {}
        for index, item in enumerate(row):
            near = beside[item]
            mean[item] = (
                sum(place[other] for other in near) / len(near) if near else index
            )
        row.sort(key=mean.__getitem__)
        place.update((item, index) for index, item in enumerate(row))


def _exchange(order: list[list[int]], links: Neighbours, back: Neighbours) -> None:
    """Exchange neighbours wherever that takes a crossing away."""
    place = {item: index for row in order for index, item in enumerate(row)}
    for row in order:
        # Where the lines of each item end, which is in other rows.
        ends = {
            item: [[place[other] for other in beside[item]] for beside in (links, back)]
            for item in row
        }
        gains: dict[tuple[int, int], int] = {}
        index = 0
        while index < len(row) - 1:
            one, two = row[index], row[index + 1]
            gain = gains.get((one, two))
            if gain is None:
                gain = gains[one, two] = _gain(ends[one], ends[two])
            if gain > 0:
                row[index], row[index + 1] = two, one
                index = 0
            else:
                index += 1
        place.update((item, index) for index, item in enumerate(row))


def _gain(upper: Sequence[Sequence[int]], lower: Sequence[Sequence[int]]) -> int:
    """Return how many crossings fewer there are when two neighbours are exchanged."""
    gain = 0
    for above, below in zip(upper, lower, strict=True):
        for one in above:
            for two in below:
                gain += (one > two) - (two > one)
    return gain


def _crossings(order: Sequence[Sequence[int]], links: Neighbours) -> int:
    count = 0
    for row, after in pairwise(order):
        place = {item: index for index, item in enumerate(after)}
        seen: list[int] = []
        for item in row:
            ends = sorted(place[other] for other in links[item])
            count += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
            for end in ends:
                insort(seen, end)
    return count

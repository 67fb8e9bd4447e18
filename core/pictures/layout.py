"""A layered drawing of a graph, as data: places of boxes, and routes of edges in cells.

The steps are those of Sugiyama, Tagawa and Toda (1981): ranks by the longest path, one
bend for each rank that an edge passes, an order within each rank that crosses few
edges, then coordinates. All edges of a box share one line as long as they can. Edges
turn in channels between the ranks, on tracks of their own, so two lines meet only where
they cross, or where they lead into the same box.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

Point = tuple[int, int]

_SWEEPS: Final = 8  # of the barycentre passes; more changes little
_MOST_EXCHANGED: Final = 400  # items: beyond, exchanging neighbours takes too long
_STRAIGHT: Final = 4.0  # how much more a long edge wants to be straight
_LOOSE: Final = 0.001  # how much a leaf's line does, against what is computed


class Place(NamedTuple):
    """Where a box stands, in cells.

    `inlets` and `outlet` are the cells along its sides where edges arrive and leave.
    """

    x: int  # of its left edge
    y: int  # of its upper edge
    width: int  # of the box, borders included
    height: int  # of the box, borders included
    rank: int  # how many steps along the flow: 0 for the first boxes
    inlets: tuple[int, ...]
    outlet: int


class Route(NamedTuple):
    """An edge: the corners from the cell after one box to the cell before the other."""

    source: int  # the number of the box it leaves
    target: int  # the number of the box it leads to
    points: tuple[Point, ...]  # (x, y) of the corners, both ends included


class Layout(NamedTuple):
    """A drawing: a place for each box, a route for each edge. `down` is its way."""

    places: tuple[Place, ...]  # by box
    routes: tuple[Route, ...]  # one for each edge of the layers
    width: int  # of everything, in cells
    height: int  # of everything, in cells
    down: bool


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


class Spacing(NamedTuple):
    """Measures, in cells."""

    gap: int = 1  # free between the boxes of a rank
    stub: int = 1  # free beside the tracks of a channel
    track: int = 1  # from one track to the next
    head: int = 0  # behind the tracks, for the heads of arrows
    port: int = 1  # from one inlet to the next
    margin: int = 0  # at the ends of a side, where nothing arrives


# ---------------------------------------------------------------------- ranks and order


def layers(count: int, edges: Iterable[tuple[int, int]]) -> Layers:
    """Rank and order `count` boxes. Every edge leads from a lower number to a higher.

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


Neighbours = Sequence[Sequence[int]]


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


# -------------------------------------------------------------------------- coordinates


def layout(
    ordered: Layers,
    sizes: Sequence[tuple[int, int]],
    *,
    down: bool = False,
    spacing: Spacing | None = None,
) -> Layout:
    """Place boxes of these widths and heights, left to right or top to bottom.

    A box becomes larger where its inlets need the room.
    """
    return _Drawing(ordered, sizes, down, spacing or Spacing()).layout()


def least_size(
    ordered: Layers,
    sizes: Sequence[tuple[int, int]],
    *,
    down: bool = False,
    spacing: Spacing | None = None,
) -> tuple[int, int]:
    """Return a width and a height that no such layout is smaller than; quickly."""
    spacing = spacing or Spacing()
    along = (len(ordered.order) - 1) * max(2 * spacing.stub, 1)
    across = 0
    for row in ordered.order:
        boxes = [sizes[item] for item in row if item < ordered.count]
        bends = len(row) - len(boxes)
        along += max((box[down] for box in boxes), default=1)
        sides = sum(box[not down] for box in boxes) + bends
        gaps = max(len(boxes) - 1, 0) * spacing.gap
        across = max(across, sides + gaps)
    return (across, along) if down else (along, across)


class _Line(NamedTuple):
    """Lines of one channel that share a track: where they enter, and where they leave.

    Either one item and all that it leads to, or all that lead to one item alone.
    """

    enters: frozenset[int]
    leaves: frozenset[int]
    low: int
    high: int


class _Drawing:
    """Coordinates of one drawing: `along` its way, and `across` it."""

    def __init__(
        self,
        ordered: Layers,
        sizes: Sequence[tuple[int, int]],
        down: bool,
        spacing: Spacing,
    ) -> None:
        self.layers = ordered
        self.down = down
        self.spacing = spacing
        bends = len(ordered.rank) - ordered.count
        swapped = [(h, w) if down else (w, h) for w, h in sizes] + [(1, 1)] * bends
        self.length = [length for length, _ in swapped]
        self.index = {
            item: index for row in ordered.order for index, item in enumerate(row)
        }
        self.lone = self._lone()
        self.inlets = [self._inlets(item) for item in range(len(swapped))]
        self.loose = self._loose()
        self.mains = [self._main(item) for item in range(len(swapped))]
        self.extent = [
            max(size, self._room(item) if self.inlets[item] else 1)
            for item, (_, size) in enumerate(swapped)
        ]
        self.first = [self._first_inlet(item) for item in range(len(swapped))]
        self.outlet = [self._outlet(item) for item in range(len(swapped))]
        self.origin = [0] * len(swapped)

    def _loose(self) -> list[bool]:
        """Tell which lines come from leaves: what is computed is to stand straight."""
        loose = [not back for back in self.layers.back]
        for item in range(self.layers.count, len(loose)):
            loose[item] = loose[self.layers.back[item][0]]
        return loose

    def _lone(self) -> list[bool]:
        """Tell which lines lead to one box alone, all the way from where they begin."""
        lone = [len(links) == 1 for links in self.layers.links]
        for item in range(self.layers.count, len(lone)):
            lone[item] = lone[item] and lone[self.layers.back[item][0]]
        return lone

    def _inlets(self, item: int) -> Mapping[int, int]:
        """Return the number of the inlet for each item that leads here.

        Lines that lead nowhere else arrive together; one that leads on has an inlet of
        its own, or a reader could turn into it.
        """
        back = self.layers.back[item]
        alone = [other for other in back if self.lone[other]]
        groups = [[other] for other in back if not self.lone[other]]
        if alone:
            groups.append(alone)
        index = self.index
        groups.sort(key=lambda group: sum(index[o] for o in group) / len(group))
        return {other: n for n, group in enumerate(groups) for other in group}

    def _main(self, item: int) -> int:
        """Return the inlet that the outlet is in line with: of what is computed."""
        inlets = self.inlets[item]
        computed = [inlets[o] for o in self.layers.back[item] if not self.loose[o]]
        return computed[0] if computed else max(inlets.values(), default=0) // 2

    def _room(self, item: int) -> int:
        """Return how long the side of an item has to be for its inlets."""
        spacing = self.spacing
        margin = 0 if item >= self.layers.count else spacing.margin
        return max(self.inlets[item].values()) * spacing.port + 1 + 2 * margin

    def _inlet(self, source: int, item: int) -> int:
        """Return how far from an item's beginning a line from `source` arrives."""
        return self.first[item] + self.inlets[item][source] * self.spacing.port

    def _first_inlet(self, item: int) -> int:
        if not self.inlets[item]:
            return 0
        margin = 0 if item >= self.layers.count else self.spacing.margin
        centre = (self.extent[item] - 1) // 2
        wish = centre - self.mains[item] * self.spacing.port
        room = self._room(item) - 2 * margin
        return max(min(wish, self.extent[item] - margin - room), margin)

    def _outlet(self, item: int) -> int:
        if not self.inlets[item]:
            return (self.extent[item] - 1) // 2
        return self.first[item] + self.mains[item] * self.spacing.port

    def layout(self) -> Layout:
        """Return the finished drawing."""
        self._place_across()
        channels = self._channels()
        lowest = min(self.origin, default=0)
        self.origin = [origin - lowest for origin in self.origin]
        starts, ends = self._place_along(channels)
        routes = self._routes(channels, ends, starts)
        places = tuple(
            self._place(item, starts[self.layers.rank[item]])
            for item in range(self.layers.count)
        )
        cells = [point for route in routes for point in route.points]
        cells += [(p.x + p.width - 1, p.y + p.height - 1) for p in places]
        width = max((x for x, _ in cells), default=-1) + 1
        height = max((y for _, y in cells), default=-1) + 1
        return Layout(places, routes, width, height, self.down)

    def _place(self, item: int, start: int) -> Place:
        rank = self.layers.rank[item]
        inlets = tuple(sorted({self._inlet(o, item) for o in self.layers.back[item]}))
        x, y = start, self.origin[item]
        width, height = self.length[item], self.extent[item]
        if self.down:
            x, y, width, height = y, x, height, width
        return Place(x, y, width, height, rank, inlets, self.outlet[item])

    # -------------------------------------------------------------------- across

    def _place_across(self) -> None:
        order = self.layers.order
        for row in order:
            self._fit(row, [0.0] * len(row), [1.0] * len(row))
        for sweep in range(5):
            forwards = sweep % 2 == 0
            for row in order if forwards else reversed(order):
                wishes = [self._wish(item, forwards) for item in row]
                self._fit(row, [w[0] for w in wishes], [w[1] for w in wishes])

    def _wish(self, item: int, forwards: bool) -> tuple[float, float]:
        """Return where an item would stand straight to its neighbours; how much so."""
        if forwards:
            back = self.layers.back[item]
            computed = [other for other in back if not self.loose[other]]
            wishes = [
                self.origin[o] + self.outlet[o] - self._inlet(o, item)
                for o in computed or back
            ]
        else:
            wishes = [
                self.origin[o] + self._inlet(item, o) - self.outlet[item]
                for o in self.layers.links[item]
            ]
        if not wishes:
            return float(self.origin[item]), _LOOSE
        weight = _STRAIGHT if item >= self.layers.count else 1.0
        if self.loose[item]:
            weight *= _LOOSE
        return sum(wishes) / len(wishes), weight

    def _fit(
        self, row: Sequence[int], wishes: Sequence[float], weights: Sequence[float]
    ) -> None:
        """Place a rank as near to its wishes as its order allows (least squares)."""
        offsets: list[int] = []
        offset = 0
        for item, after in zip(row, [*row[1:], -1], strict=True):
            offsets.append(offset)
            bends = item >= self.layers.count and after >= self.layers.count
            offset += self.extent[item] + (
                self.spacing.port - 1 if bends else self.spacing.gap
            )
        # Pool neighbours that would overlap: a block moves as one.
        blocks: list[tuple[float, float, int]] = []  # weighted sum, weight, items
        for wish, offset, weight in zip(wishes, offsets, weights, strict=True):
            block = ((wish - offset) * weight, weight, 1)
            while blocks and blocks[-1][0] / blocks[-1][1] > block[0] / block[1]:
                one = blocks.pop()
                block = (one[0] + block[0], one[1] + block[1], one[2] + block[2])
            blocks.append(block)
        index = 0
        for total, weight, items in blocks:
            start = int(total // weight + (total % weight / weight >= 0.5))
            for _ in range(items):
                self.origin[row[index]] = start + offsets[index]
                index += 1

    # ------------------------------------------------------------------ channels

    def _row_out(self, item: int) -> int:
        return self.origin[item] + self.outlet[item]

    def _row_in(self, source: int, item: int) -> int:
        return self.origin[item] + self._inlet(source, item)

    def _channels(self) -> list[dict[tuple[int, int], int]]:
        """Return the track of each line of each channel; straight ones have none."""
        ranks = range(len(self.layers.order) - 1)
        return [self._tracks(rank) for rank in ranks]

    def _lines(self, rank: int) -> dict[tuple[int, int], _Line]:
        """Return the lines of a channel, each by the item and inlet it is named by."""
        enters: dict[tuple[int, int], set[int]] = {}
        leaves: dict[tuple[int, int], set[int]] = {}
        for item in self.layers.order[rank]:
            for other in self.layers.links[item]:
                name = self._line_of(item, other)
                enters.setdefault(name, set()).add(self._row_out(item))
                leaves.setdefault(name, set()).add(self._row_in(item, other))
        lines: dict[tuple[int, int], _Line] = {}
        for name, rows in enters.items():
            both = rows | leaves[name]
            lines[name] = _Line(
                frozenset(rows), frozenset(leaves[name]), min(both), max(both)
            )
        return lines

    def _line_of(self, item: int, other: int) -> tuple[int, int]:
        return (-1, other) if self.lone[item] else (item, -1)

    def _tracks(self, rank: int) -> dict[tuple[int, int], int]:
        """Assign tracks; where lines are knotted, slide all that follows a little."""
        slid = 0
        for slide in _slides():
            self._slide(rank, slide - slid)
            slid = slide
            lines = self._lines(rank)
            bent = {name: line for name, line in lines.items() if line.low < line.high}
            tracks = _assign(bent)
            if tracks is not None:
                return tracks
        raise AssertionError  # far enough away from each other, no rows are the same

    def _slide(self, rank: int, by: int) -> None:
        """Move all ranks after one across the way; they stay as they are otherwise."""
        if by:
            for item, level in enumerate(self.layers.rank):
                self.origin[item] += by if level > rank else 0

    # --------------------------------------------------------------------- along

    def _place_along(
        self, channels: Sequence[Mapping[tuple[int, int], int]]
    ) -> tuple[list[int], list[int]]:
        """Return where the boxes of each rank start, and where its channel starts."""
        starts: list[int] = []
        ends: list[int] = []
        start = 0
        for rank, row in enumerate(self.layers.order):
            starts.append(start)
            ends.append(start + max(self.length[item] for item in row))
            if rank < len(channels):
                start = ends[-1] + self._channel_length(channels[rank])
        return starts, ends

    def _channel_length(self, tracks: Mapping[tuple[int, int], int]) -> int:
        count = max(tracks.values(), default=-1) + 1
        room = (count - 1) * self.spacing.track + 1 + self.spacing.head if count else 0
        return max(room + 2 * self.spacing.stub, 1)

    # -------------------------------------------------------------------- routes

    def _routes(
        self,
        channels: Sequence[Mapping[tuple[int, int], int]],
        ends: Sequence[int],
        starts: Sequence[int],
    ) -> tuple[Route, ...]:
        routes: list[Route] = []
        for source in range(self.layers.count):
            # Every item that the line reaches, and the corners on the way there.
            begin = starts[self.layers.rank[source]] + self.length[source]
            ways: list[tuple[int, tuple[Point, ...]]] = [
                (source, ((begin, self._row_out(source)),))
            ]
            while ways:
                item, points = ways.pop()
                for other in reversed(self.layers.links[item]):
                    way = (*points, *self._turn(item, other, channels, ends))
                    if other >= self.layers.count:
                        ways.append((other, way))
                        continue
                    last = starts[self.layers.rank[other]] - 1
                    way = (*way, (last, self._row_in(item, other)))
                    routes.append(Route(source, other, self._corners(way)))
        return tuple(sorted(routes))

    def _turn(
        self,
        item: int,
        other: int,
        channels: Sequence[Mapping[tuple[int, int], int]],
        ends: Sequence[int],
    ) -> Iterable[Point]:
        rank = self.layers.rank[item]
        track = channels[rank].get(self._line_of(item, other))
        if track is None:
            return ()
        along = ends[rank] + self.spacing.stub + track * self.spacing.track
        return ((along, self._row_out(item)), (along, self._row_in(item, other)))

    def _corners(self, points: Sequence[Point]) -> tuple[Point, ...]:
        """Leave out what lies on the way; swap the axes of a drawing downwards."""
        kept: list[Point] = []
        for point in points:
            if kept and kept[-1] == point:
                continue
            while len(kept) > 1 and _on_line(kept[-2], kept[-1], point):
                kept.pop()
            kept.append(point)
        return tuple((y, x) if self.down else (x, y) for x, y in kept)


def _on_line(one: Point, two: Point, three: Point) -> bool:
    return one[0] == two[0] == three[0] or one[1] == two[1] == three[1]


def _slides() -> Iterator[int]:
    """Yield 0, 1, −1, 2, −2 and so on."""
    yield 0
    for by in itertools.count(1):
        yield by
        yield -by


def _assign(
    lines: Mapping[tuple[int, int], _Line],
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


def _cost(one: _Line, two: _Line) -> int:
    """Return how often two lines cross when `one` turns before `two`."""
    return sum(one.low <= row <= one.high for row in two.enters) + sum(
        two.low <= row <= two.high for row in one.leaves
    )

"""A layered drawing of a graph, as data: places of boxes, and routes of edges in cells.

The steps are those of Sugiyama, Tagawa and Toda (1981): `layers` has ranks and order,
and here are coordinates. All edges of a box share one line as long as they can. Edges
turn in channels between the ranks, on tracks of their own, so two lines meet only where
they cross, or where they lead into the same box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .tracks import Line, assigned, slides

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .layers import Layers

Point = tuple[int, int]

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


class Spacing(NamedTuple):
    """Measures, in cells."""

    gap: int = 1  # free between the boxes of a rank
    stub: int = 1  # free beside the tracks of a channel
    track: int = 1  # from one track to the next
    head: int = 0  # behind the tracks, for the heads of arrows
    port: int = 1  # from one inlet to the next
    margin: int = 0  # at the ends of a side, where nothing arrives


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

    def _lines(self, rank: int) -> dict[tuple[int, int], Line]:
        """Return the lines of a channel, each by the item and inlet it is named by."""
        enters: dict[tuple[int, int], set[int]] = {}
        leaves: dict[tuple[int, int], set[int]] = {}
        for item in self.layers.order[rank]:
            for other in self.layers.links[item]:
                name = self._line_of(item, other)
                enters.setdefault(name, set()).add(self._row_out(item))
                leaves.setdefault(name, set()).add(self._row_in(item, other))
        lines: dict[tuple[int, int], Line] = {}
        for name, rows in enters.items():
            both = rows | leaves[name]
            lines[name] = Line(
                frozenset(rows), frozenset(leaves[name]), min(both), max(both)
            )
        return lines

    def _line_of(self, item: int, other: int) -> tuple[int, int]:
        return (-1, other) if self.lone[item] else (item, -1)

    def _tracks(self, rank: int) -> dict[tuple[int, int], int]:
        """Assign tracks; where lines are knotted, slide all that follows a little."""
        slid = 0
        for slide in slides():
            self._slide(rank, slide - slid)
            slid = slide
            lines = self._lines(rank)
            bent = {name: line for name, line in lines.items() if line.low < line.high}
            tracks = assigned(bent)
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

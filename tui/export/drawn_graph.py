"""The graph of a run as SVG: boxes and lines, for a script to mark as time goes by."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ...core.engine.measure import norm
from ...core.engine.trace import Contribution, Event, Forward, Trace
from ...core.pictures.folds import Sketch, folds_of, sketch, unfolded_to
from ...core.pictures.layers import layers
from ...core.pictures.layout import Layout, Place, Route, Spacing, layout
from ...core.words.numbers import number_text
from ..graph.drawing import cut, what_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...core.engine.graph import Graph
    from ..draw.stage import Stage

_MOST: Final = 32  # boxes: those of deeper folds stay shut
_MOST_DRAWN: Final = 120  # boxes: a larger picture helps nobody
_WORDS: Final = 16  # characters of what a box does
_CELL: Final = (7.2, 12.0)  # of the layout, in pixels
_ROOM: Final = (400.0, 460.0)  # pixels that a picture should fit into
_LINES: Final = 4  # cells that a box is high
_TIP: Final = 3.5  # of an arrow, in pixels


class Drawn(NamedTuple):
    """A picture of a graph, and where its nodes and edges are in it."""

    svg: str  # or a sentence, for a graph that is too large
    home: Sequence[int]  # the box of each node, -1 where it has none
    routes: Sequence[tuple[int, int]]  # the boxes at both ends of each line


def drawn_graph(stage: Stage) -> Drawn:
    """Return the graph with as few folds as it can be read with."""
    boxes, labels = _boxes(stage.graph)
    if len(boxes.boxes) > _MOST_DRAWN:
        said = f"<p>{len(labels)} boxes are too many to be drawn here"
        return Drawn(said, boxes.home, ())
    placed = _placed(boxes, labels)
    routes = [(route.source, route.target) for route in placed.routes]
    lines = [_line(route, placed.down) for route in placed.routes]
    drawn = [
        _box(stage.trace, boxes, number, label, placed.places[number])
        for number, label in enumerate(labels)
    ]
    width, height = placed.width * _CELL[0], placed.height * _CELL[1]
    svg = (
        f'<svg viewBox="-4 -4 {width + 8:g} {height + 8:g}" width="{width + 8:g}" '
        f'role="img" aria-label="graph">{"".join((*lines, *drawn))}</svg>'
    )
    return Drawn(svg, boxes.home, routes)


def marks(drawn: Drawn, event: Event) -> dict[str, object]:
    """Return what of the picture an event lights up: a box, and its lines."""
    if isinstance(event, Contribution):
        ends = (drawn.home[event.operand], drawn.home[event.consumer])
        lines = [k for k, route in enumerate(drawn.routes) if route == ends]
        return {"box": ends[0], "lit": lines}
    box = drawn.home[event.node]
    is_forward = isinstance(event, Forward)
    into = [k for k, (_, target) in enumerate(drawn.routes) if target == box]
    return {"box": box, "lit": into if is_forward else []}


# ------------------------------------------------------------------------- the layout

_Label = tuple[str, str]  # the name of a box, and what it does


def _boxes(graph: Graph) -> tuple[Sketch, Sequence[_Label]]:
    folds = folds_of(graph)
    deepest = max((fold.depth for fold in folds), default=-1) + 1
    found = sketch(graph, folds, unfolded_to(folds, deepest))
    while deepest and len(found.boxes) > _MOST:
        deepest -= 1
        found = sketch(graph, folds, unfolded_to(folds, deepest))
    labels = [
        (graph.nodes[box.node].name, cut(what_text(graph, box, folds, _WORDS), _WORDS))
        for box in found.boxes
    ]
    return found, labels


def _placed(boxes: Sketch, labels: Sequence[_Label]) -> Layout:
    """Return the layout that has to be shrunk the least, of both ways to flow."""
    ends = enumerate(boxes.operands)
    ranks = layers(len(labels), ((o, box) for box, several in ends for o in several))
    sizes = [(max(len(name), len(what), 11) + 2, _LINES) for name, what in labels]
    across = layout(ranks, sizes, spacing=Spacing(gap=1, stub=1))
    down = layout(ranks, sizes, down=True, spacing=Spacing(gap=2, stub=1, port=2))
    return max(down, across, key=_scale)


def _scale(placed: Layout) -> float:
    size = (placed.width, placed.height)
    measures = zip(size, _CELL, _ROOM, strict=True)
    return min(1.0, *(room / (size * cell) for size, cell, room in measures))


# ------------------------------------------------------------------------ the drawing


def _line(route: Route, down: bool) -> str:
    """Return a line from box to box, with an arrow for each pass."""
    points = [((x + 0.5) * _CELL[0], (y + 0.5) * _CELL[1]) for x, y in route.points]
    (x, y), (to_x, to_y) = points[0], points[-1]
    half = _CELL[1] / 2 if down else _CELL[0] / 2
    start = (x, y - half) if down else (x - half, y)
    stop = (to_x, to_y + half) if down else (to_x + half, to_y)
    way = " ".join(f"{x:.4g},{y:.4g}" for x, y in (start, *points, stop))
    return (
        f'<g class="line"><polyline points="{way}"/>'
        f"{_tip('on', stop, down, 1)}{_tip('back', start, down, -1)}</g>"
    )


def _tip(name: str, at: tuple[float, float], down: bool, sign: int) -> str:
    x, y = at
    back = -sign * 2 * _TIP
    sides = [
        (x + s * _TIP, y + back) if down else (x + back, y + s * _TIP) for s in (-1, 1)
    ]
    corners = " ".join(f"{x:.4g},{y:.4g}" for x, y in (at, *sides))
    return f'<polygon class="{name}" points="{corners}"/>'


def _box(trace: Trace, boxes: Sketch, number: int, label: _Label, place: Place) -> str:
    box = boxes.boxes[number]
    x, y = place.x * _CELL[0], place.y * _CELL[1]
    width, height = place.width * _CELL[0], place.height * _CELL[1]
    node = trace.run.graph.nodes[box.node]
    forward = trace.forward_event(box.node)
    arrivals = [event + 1 for event in trace.arrivals(box.node)]
    data = {
        "forward": 0 if forward is None else forward + 1,
        "value": _gist(trace.run.value(box.node)),
        "grads": " ".join(map(str, arrivals)),
        "sums": "|".join(_gist(trace.gradient(box.node, at)) for at in arrivals),
    }
    told = "".join(f' data-{key}="{escape(str(one))}"' for key, one in data.items())
    middle = x + width / 2
    kind = "box" if node.op is not None else "box leaf"
    rows = zip(("name", "what", "number"), _rows(y, height), (*label, ""), strict=True)
    texts = "".join(
        f'<text class="{name}" x="{middle:.4g}" y="{row:.4g}">{escape(text)}</text>'
        for name, row, text in rows
    )
    return (
        f'<g class="{kind}"{told}><rect x="{x:.4g}" y="{y:.4g}" '
        f'width="{width:.4g}" height="{height:.4g}" rx="4"/>{texts}</g>'
    )


def _rows(y: float, height: float) -> Iterator[float]:
    """Yield the base lines of the three texts of a box."""
    for part in (0.29, 0.58, 0.88):
        yield y + part * height


def _gist(array: np.ndarray | None) -> str:
    """Return a number, or how large an array is."""
    if array is None:
        return ""
    array = np.asarray(array)
    if not array.ndim:
        return number_text(array[()])
    return f"‖{number_text(norm(array), 3)}‖"

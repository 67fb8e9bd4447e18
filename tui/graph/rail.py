"""A graph as a list in order, with a rail: one line for each box, as for commits.

A line starts at a box and runs down to its last use. Only the parts of a long list that
are looked at are drawn.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len

from ...core.words.numbers import shape_text
from .drawing import (
    NUMBER_WIDTH,
    SHORT_WIDTH,
    Piece,
    cut,
    cut_within,
    joint,
    operation_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.engine.graph import Graph
    from ...core.pictures.folds import Fold, Sketch

PART: Final = 256  # lines that are drawn together
_FEW_LANES: Final = 12  # that a list has beside its names, whatever else has room
_LEAST_LANES: Final = 3
_MOST_NAME: Final = 24
_LEAST_PART: Final = 4  # cells of a label: less helps nobody
_SIZE: Final = NUMBER_WIDTH + 1
_SHORT: Final = SHORT_WIDTH + 1
_MARKS: Final = 2  # cells of a label in front of its name
_LEFT, _RIGHT, _UP, _DOWN, _BEHIND = 1, 2, 4, 8, 16


def in_order(sketch: Sketch) -> list[int]:
    """Return the boxes in forward order, each leaf just before its first use."""
    order: list[int] = []
    waiting: dict[int, list[int]] = {}
    for box, operands in enumerate(sketch.operands):
        if not operands and sketch.consumers[box]:
            waiting.setdefault(min(sketch.consumers[box]), []).append(box)
    for box, operands in enumerate(sketch.operands):
        if operands or not sketch.consumers[box]:
            order += waiting.pop(box, [])
            order.append(box)
    return order


class Rails(NamedTuple):
    """Where lines run: for each box, by its number, its own line, its last use, a lane.

    `starts` has for each part the lines until which its lanes are taken at its start.
    """

    line: Sequence[int]  # its own, by box
    last: Sequence[int]  # the line of its last consumer, by box
    lane: Sequence[int]  # counted from the left, by box
    width: int  # how many lanes there are
    starts: Sequence[Sequence[int]]


def most_lanes(room: int, names: int) -> int:
    """Return how many lanes there is room for beside names and numbers of some width.

    >>> most_lanes(42, 8), most_lanes(120, 8), most_lanes(24, 8)
    (12, 50, 7)
    """
    few = max(min((room - names - _MARKS) // 2, _FEW_LANES), _LEAST_LANES)
    return max((room - names - _SIZE - _MARKS - 1) // 2, few)


def rails_of(sketch: Sketch, order: Sequence[int], most: int = _FEW_LANES) -> Rails:
    """Give each box the first lane that is free from its line to its last use.

    Beyond the most lanes all run in the last one: there is no room for more.
    """
    line, last, lane = ([0] * len(order) for _ in range(3))
    for number, box in enumerate(order):
        line[box] = last[box] = number
    for number, box in enumerate(order):
        for operand in sketch.operands[box]:
            last[operand] = max(last[operand], number)
    free: list[int] = []  # a heap
    ending: dict[int, list[int]] = {}  # lanes by the line on which they become free
    until: list[int] = []
    starts: list[Sequence[int]] = []
    used = 0
    for number, box in enumerate(order):
        if number % PART == 0:
            starts.append(tuple(until))
        for ended in ending.pop(number, ()):
            heappush(free, ended)
        if free:
            found = heappop(free)
        else:
            found, used = used, used + 1
        # What nobody uses keeps its lane for a line, or it would seem to lead on.
        end = last[box] if last[box] > number else number + 2
        ending.setdefault(end, []).append(found)
        lane[box] = min(found, most - 1)
        if lane[box] == len(until):
            until.append(-1)
        until[lane[box]] = max(until[lane[box]], last[box])
    return Rails(line, last, lane, len(until), starts)


def drawn(sketch: Sketch, order: Sequence[int], rails: Rails, part: int) -> list[str]:
    """Return the rails of the lines of a part, all of one width."""
    until = [*rails.starts[part], *[-1] * rails.width][: rails.width]
    texts: list[str] = []
    for number in range(part * PART, min((part + 1) * PART, len(order))):
        box = order[number]
        arms = [
            (_UP | _DOWN if u > number else _UP) if u >= number else 0 for u in until
        ]
        knob = rails.lane[box]
        arriving = {rails.lane[operand] for operand in sketch.operands[box]}
        passed = set(range(rails.width)) - arriving - {knob}
        for one in arriving:
            _join(arms, one, knob, passed)
        until[knob] = max(until[knob], rails.last[box])
        texts.append(_text(arms, knob, leaf=not sketch.operands[box]))
    return texts


def name_width(graph: Graph, sketch: Sketch) -> int:
    """Return how wide names are, told from the first boxes of a list."""
    names = (graph.nodes[box.node].name for box in sketch.boxes[:PART])
    return min(max(map(cell_len, names), default=0), _MOST_NAME)


class Columns(NamedTuple):
    """How wide the parts of a label are, without the marks in front of it."""

    name: int  # in cells
    number: int  # with the blank in front of it
    words: int  # what a box computes, and its shape; with the blank in front of them


def columns(graph: Graph, sketch: Sketch, folds: Sequence[Fold], room: int) -> Columns:
    """Return how wide the parts of labels are in so many cells.

    Rather has a number fewer digits than that a word is cut which has room beside it.
    Told from the first boxes of a list.
    """
    name = name_width(graph, sketch)
    left = max(room - _MARKS - name, 0)
    if left == 1:  # no bar is to touch a name
        name, left = name - 1, 2
    texts = (
        _words(graph, sketch, box, folds) for box in range(len(sketch.boxes[:PART]))
    )
    sizes = (1 + cell_len(what or shape) for what, shape in texts)
    whole = max((size for size in sizes if size <= left - _SHORT), default=0)
    number = min(max(left - whole, _SHORT), _SIZE, left)
    return Columns(name, number, left - number)


def _words(
    graph: Graph, sketch: Sketch, box: int, folds: Sequence[Fold]
) -> tuple[str, str]:
    """Return what a box computes, and its shape."""
    shown = sketch.boxes[box]
    node = graph.nodes[shown.node]
    what = operation_text(graph, node)
    if shown.fold >= 0:
        what = f"▸{folds[shown.fold].text}"
    elif node.site is not None and node.op is not None:
        what = node.site.text
    return what, shape_text(node.shape) if node.shape else ""


def pieces(
    graph: Graph, sketch: Sketch, box: int, folds: Sequence[Fold], widths: Columns
) -> tuple[Piece, ...]:
    """Return the label of a line: marks, name, number, what it computes, its shape.

    The number may begin beside a short name; without room it is a bar. A shape is not
    cut: half of one helps nobody.
    """
    name = cut_within(graph.nodes[sketch.boxes[box].node].name, widths.name)
    room = widths.name + widths.number - cell_len(name)
    size = min(room, max(widths.number, _SHORT))
    number: tuple[Piece, ...] = (Piece("number", " " * size),)
    if size < _SHORT:
        number = (Piece("text", " " * (size - 1)), Piece("bar", " ")) * (size > 1)
    what, shape = _words(graph, sketch, box, folds)
    both = "  ".join(filter(None, (what, shape)))
    text = both if cell_len(both) < widths.words else what
    return (
        Piece("mark", " "),
        Piece("stop", " "),
        Piece("name", name),
        Piece("text", " " * (room - size)),
        *number,
        Piece("text", f" {text}" if text else ""),
    )


def within(label: Sequence[Piece], room: int) -> tuple[Piece, ...]:
    """Return as much of a label as there is room for, and `…` for the rest.

    >>> within((Piece("name", "W1"), Piece("text", " W @ x")), 6)
    (Piece(part='name', text='W1'), Piece(part='text', text=' W …'))
    """
    kept: list[Piece] = []
    for piece in label:
        size = cell_len(piece.text)
        if size > room:
            if room >= _LEAST_PART:
                kept.append(Piece("text", cut(piece.text, room)))
            break
        kept.append(piece)
        room -= size
    return tuple(kept)


def _join(arms: list[int], lane: int, knob: int, passed: set[int]) -> None:
    """Lead a line to the knob, behind those that run on."""
    low, high = sorted((lane, knob))
    for place in range(low, high + 1):
        behind = place in passed and arms[place] & _UP
        if place < high:
            arms[place] |= _BEHIND if behind else _RIGHT
        if place > low and not behind:
            arms[place] |= _LEFT


def _text(arms: Sequence[int], knob: int, *, leaf: bool) -> str:
    text = ""
    for place, arm in enumerate(arms):
        sign = ("○" if leaf else "◆") if place == knob else joint(arm & 15)
        text += sign + ("─" if arm & (_RIGHT | _BEHIND) else " ")
    # The heads of arrows point to the knob, from both sides.
    head, tail = text[: 2 * knob], text[2 * knob + 1 :]
    if head.endswith("─"):
        head = f"{head[:-1]}→"
    if tail.startswith("─"):
        tail = f"←{tail[1:]}"
    return head + text[2 * knob] + tail

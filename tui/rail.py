"""A graph as a list in order, with a rail: one line for each box, as for commits.

A line starts at a box and runs down to its last use. Only a part of a long list is
laid out at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from ..core.folds import Fold, Sketch
from ..core.graph import Graph
from .drawing import NUMBER_WIDTH, Piece, cut, operation_text, shape_text

PART: Final = 256  # lines that are laid out together
_MOST_LANES: Final = 12
_NAME: Final = 8  # the least room for names
_MOST_NAME: Final = 24
_SIZE: Final = NUMBER_WIDTH + 1
_LINES: Final = " ╴╶─╵┘└┴╷┐┌┬│┤├┼"
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


def rails(sketch: Sketch, order: Sequence[int], first: int) -> list[str]:
    """Return the rails of the lines first … first + PART − 1, all of one width."""
    part = order[first : first + PART]
    line_of = {box: line for line, box in enumerate(part)}
    lanes: list[int] = []  # the box whose line runs in each; −1 where none does
    until: dict[int, int] = {}
    rows: list[list[int]] = []
    knobs: list[int] = []
    for line, box in enumerate(part):
        operands = set(sketch.operands[box])
        for operand in sorted(operands):
            if operand not in until and operand not in line_of:
                _enter(lanes, operand)
                until[operand] = _last(sketch, operand, line_of)
        arms = [(_UP | _DOWN) if lane >= 0 else 0 for lane in lanes]
        arriving = [n for n, lane in enumerate(lanes) if lane >= 0 and lane in operands]
        for lane in arriving:
            if until[lanes[lane]] <= line:
                arms[lane] = _UP
                lanes[lane] = -1
        knob = _enter(lanes, box)
        arms += [0] * (len(lanes) - len(arms))
        until[box] = _last(sketch, box, line_of)
        for lane in arriving:
            _join(arms, lane, knob, passed=set(range(len(arms))) - {*arriving, knob})
        if until[box] <= line and lanes[knob] == box:
            lanes[knob] = -1
        rows.append(arms)
        knobs.append(knob)
    width = max(map(len, rows), default=0)
    return [
        _text(arms, knob, width, leaf=not sketch.operands[box])
        for arms, knob, box in zip(rows, knobs, part, strict=True)
    ]


def pieces(
    graph: Graph, sketch: Sketch, box: int, folds: Sequence[Fold]
) -> tuple[Piece, ...]:
    """Return the label of a line: marks, name, number or shape, what it computes."""
    shown = sketch.boxes[box]
    node = graph.nodes[shown.node]
    if shown.fold >= 0:
        what = f"▸{folds[shown.fold].text}"
    elif node.site is not None and node.op is not None:
        what = node.site.text
    else:
        what = operation_text(graph, node) or node.kind
    name = cut(node.name, _MOST_NAME)
    space = " " * max(_NAME - cell_len(name), 0)
    size = Piece("number", " " * _SIZE)
    if node.shape:
        size = Piece("text", f" {shape_text(node)}".ljust(_SIZE))
    return (
        Piece("mark", " "),
        Piece("stop", " "),
        Piece("bar", " "),
        Piece("text", " "),
        Piece("name", name),
        Piece("text", space),
        size,
        Piece("text", f" {what}"),
    )


def _enter(lanes: list[int], box: int) -> int:
    """Give a line the first free lane; beyond the most, the last one."""
    for number, lane in enumerate(lanes):
        if lane < 0:
            lanes[number] = box
            return number
    if len(lanes) < _MOST_LANES:
        lanes.append(box)
        return len(lanes) - 1
    return _MOST_LANES - 1


def _last(sketch: Sketch, box: int, line_of: dict[int, int]) -> int:
    """Return the line of a box's last use; beyond this part, past its end."""
    last = max(sketch.consumers[box], default=-1)
    return -1 if last < 0 else line_of.get(last, PART)


def _join(arms: list[int], lane: int, knob: int, passed: set[int]) -> None:
    """Lead a line to the knob, behind those that run on."""
    low, high = sorted((lane, knob))
    for place in range(low, high + 1):
        behind = place in passed and arms[place] & _UP
        if place < high:
            arms[place] |= _BEHIND if behind else _RIGHT
        if place > low and not behind:
            arms[place] |= _LEFT


def _text(arms: Sequence[int], knob: int, width: int, *, leaf: bool) -> str:
    text = ""
    for place in range(width):
        arm = arms[place] if place < len(arms) else 0
        sign = ("○" if leaf else "◆") if place == knob else _LINES[arm & 15]
        text += sign + ("─" if arm & (_RIGHT | _BEHIND) else " ")
    return text

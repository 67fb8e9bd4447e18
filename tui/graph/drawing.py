"""Graphs in characters: labels, boxes, and lines that the eye can follow.

A drawing is made once for a graph and its folding. What changes from step to step
(marks, stops, bars, numbers) has places of its own in it, filled in when it is painted.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from rich.cells import cell_len, set_cell_size

from ...core.pictures.layout import Layout, Route, Spacing
from ...core.words.names import spelled
from ...core.words.numbers import shape_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...core.engine.graph import Graph, Node
    from ...core.pictures.folds import Box, Fold

# Which of its four neighbours a cell of a line leads to.
_LEFT, _RIGHT, _UP, _DOWN = 1, 2, 4, 8
_FLAT, _STEEP = _LEFT | _RIGHT, _UP | _DOWN
_BESIDE: Final = ((_LEFT, -1, 0), (_RIGHT, 1, 0), (_UP, 0, -1), (_DOWN, 0, 1))
_OPPOSITE: Final = {_LEFT: _RIGHT, _RIGHT: _LEFT, _UP: _DOWN, _DOWN: _UP}
# What joins lines that lead nowhere (0), lightly (1) or heavily (2) to the left, to the
# right, up and down, in this order: a number in base 3, the left first.
_JOINTS: Final = (
    " ╴╸╶─╾╺╼━╵┘┙└┴┵┕┶┷╹┚┛┖┸┹┗┺┻╷┐┑┌┬┭┍┮┯│┤┥├┼┽┝┾┿╿┦┩┞╀╃┡╄╇╻┒┓┎┰┱┏┲┳╽┧┪┟╁╅┢╆╈┃┨┫┠╂╉┣╊╋"
)
_PLACES: Final = tuple(
    sum(3**bit for bit in range(4) if arms >> bit & 1) for arms in range(16)
)

# What a place of a label holds; the first four are filled in when it is painted.
Part = Literal["mark", "stop", "bar", "number", "name", "text", "shape", "frame"]
Detail = Literal["op", "shape", "box"]

NUMBER_WIDTH: Final = 8
SHORT_WIDTH: Final = 5
# At the end of an edge, the way of the forward pass; and that of the backward pass.
_HEADS: Final = {_LEFT: "←", _RIGHT: "→", _UP: "↑", _DOWN: "↓"}
TURNED: Final = str.maketrans("→←↓↑", "←→↑↓")
_MOST_NAME: Final = 16
_MOST_WORDING: Final = 60


class Piece(NamedTuple):
    """A part of a label and its text, of a fixed width."""

    part: Part  # what it is of the label
    text: str  # padded to the width; blank where it is filled in later


# A line, and its labels: x, box, pieces.
Row: TypeAlias = "tuple[str, Sequence[tuple[int, int, tuple[Piece, ...]]]]"


class Plan(NamedTuple):
    """One way to draw a picture."""

    down: bool  # whether it flows down, not to the right
    detail: Detail  # how much each box says
    gap: int  # cells between the boxes of a rank
    number: int = NUMBER_WIDTH  # cells for a number; 0 for a bar instead
    words: int = 18  # the most cells of what a box does; 1: only that it is folded

    @property
    def is_bare(self) -> bool:
        """Whether boxes have no room for what they do, but for a mark of folds."""
        return self.words == 1

    @property
    def spacing(self) -> Spacing:
        """Return the measures that suit the way and the labels."""
        margin = int(self.detail == "box")
        if self.down:
            return Spacing(gap=self.gap, stub=0, port=2, margin=margin)
        return Spacing(gap=self.gap, margin=margin)


Label = tuple[tuple[Piece, ...], ...]  # the pieces of each of its lines


class Drawing(NamedTuple):
    """Lines of characters. `labels` lists, by line, where which line of a label stands.

    `cells` are those of each route, each with the sides that the route leads to.
    """

    layout: Layout  # in cells
    lines: Sequence[str]  # boxes and routes, without what labels fill in
    labels: Sequence[Sequence[tuple[int, int, tuple[Piece, ...]]]]  # x, box, pieces
    cells: Sequence[Sequence[tuple[int, int, int]]]  # x, y, sides


# ------------------------------------------------------------------------------ labels


def operation_text(graph: Graph, node: Node) -> str:
    """Return an operation as the program writes it, with the literals it is given.

    The result of `0.5 * sum(x)` says `0.5 *`, that of `x ** 2` says `** 2`.
    """
    op = node.op
    if op is None:
        return ""
    operands = [graph.nodes[operand] for operand in node.operands]
    given = [o.name if o.is_literal else "" for o in operands]
    if op.written.startswith("{x}"):  # behind its operand, if not as a call
        text = node.site.text if node.site else ""
        behind = re.escape(op.written.removeprefix("{x}"))
        behind = behind.replace(re.escape("{index}"), "[^][]*")
        found = re.search(f"{behind}$", text)
        if found:
            return found[0]
    elif op.written and not op.variadic:
        if len(set(node.operands)) < len(operands):
            given = [operand.name for operand in operands]
        return op.written.format_map(dict(zip(op.operands, given, strict=True))).strip()
    if any(given):
        return f"{op.name}({', '.join(name or '·' for name in given)})"
    return op.name


def what_text(
    graph: Graph, box: Box, folds: Sequence[Fold], most: int = _MOST_WORDING
) -> str:
    """Return what a box does: its operation, or ▸ and what is folded in it.

    Where a name is made up, it is what the name stands for, if so many cells hold that.
    """
    if box.fold >= 0:
        return f"▸{folds[box.fold].text}"
    node = graph.nodes[box.node]
    if 0 < cell_len(node.wording) <= most:
        return node.wording
    return operation_text(graph, node)


def label_of(
    graph: Graph, box: Box, folds: Sequence[Fold], plan: Plan, words: int | None = None
) -> Label:
    """Return the label of a box, with as much detail as a plan has room for.

    Leaves are never framed, so that what is computed stands out. `words` are the most
    cells of what it does, if there is more room than the plan counts on; then a made-up
    name has beside it what it stands for. Where both have no room, that is its name.
    """
    node = graph.nodes[box.node]
    detail = plan.detail
    what = what_text(graph, box, folds, words or 0)
    name = cut(node.name, _MOST_NAME)
    room = cell_len(name) + max(cell_len(what), words or 0) + 1
    words = words or plan.words
    code = spelled(node, graph)  # in another call the same code is another node
    is_told = box.fold >= 0 or detail == "box" or what == node.wording
    if not is_told and code != node.name and cell_len(code) <= room:
        name, what = code, ""
    what = cut(what, words)
    head: tuple[Piece, ...] = (Piece("mark", " "), Piece("stop", " "))
    if words == 1:  # nothing of it but that it is folded
        what = ""
        head += (Piece("text", "▸"),) * (box.fold >= 0)
    head += (Piece("name", name),)
    size: tuple[Piece, ...] = ()
    if detail != "op" and node.shape:
        size = (Piece("text", f" {shape_text(node.shape)}"),)
    number = (Piece("text", " "), Piece("bar", " "))
    if plan.number:
        number = (Piece("number", " " * (plan.number + 1)),)
    if detail == "box" and what:
        second = (Piece("text", f"  {what}"), *size)
        return _framed(_aligned((*head, *number), second))
    text = Piece("text", f" {what}" if what else "")
    return ((*head, text, *size, *number),)


def _aligned(first: tuple[Piece, ...], second: tuple[Piece, ...]) -> Label:
    """Fill up the shorter line: a number stands at the end of the first."""
    space = _width(second) - _width(first)
    if space > 0:
        first = (*first[:-1], Piece("text", " " * space), first[-1])
    elif space < 0:
        second = (*second, Piece("text", " " * -space))
    return (first, second)


def _framed(lines: Label) -> Label:
    edge = "─" * _width(lines[0])
    side = Piece("frame", "│")
    return (
        (Piece("frame", f"╭{edge}╮"),),
        *((side, *line, side) for line in lines),
        (Piece("frame", f"╰{edge}╯"),),
    )


def number_width(label: Label) -> int:
    """Return how many cells a label of one line has for its number; 0 for a bar."""
    return sum(len(piece.text) - 1 for piece in label[0] if piece.part == "number")


def with_number(label: Label, width: int) -> Label:
    """Return a label of one line with so many cells for its number.

    >>> bar = ((Piece("name", "x"), Piece("text", " "), Piece("bar", " ")),)
    >>> with_number(bar, 3)[0][1:]
    (Piece(part='number', text='    '),)
    """
    number = Piece("number", " " * (width + 1))
    (*before, last) = label[0]
    if last.part == "bar":
        before.pop()  # the blank before it
    return ((*before, number),)


def cut(text: str, most: int) -> str:
    """Shorten a text to so many cells."""
    if cell_len(text) <= most:
        return text
    return f"{set_cell_size(text, most - 1)}…" if most > 0 else ""


def cut_within(text: str, most: int) -> str:
    """Shorten a text to so many cells in its middle: both ends tell names apart.

    >>> cut_within("two_layer_net.toml", 11), cut_within("xor.toml", 11)
    ('two_l….toml', 'xor.toml')
    """
    if cell_len(text) <= most:
        return text
    end = max(most - 1, 0) // 2
    tail = set_cell_size(text[::-1], end)[::-1]
    return f"{set_cell_size(text, most - 1 - end)}…{tail}" if most > 0 else ""


def size_of(label: Label, *, down: bool) -> tuple[int, int]:
    """Return the width and the height of a label; to the right, one cell before it."""
    width = max(sum(cell_len(piece.text) for piece in line) for line in label)
    return (width if down or _is_framed(label) else width + 2), len(label)


def _is_framed(label: Label) -> bool:
    return label[0][0].part == "frame"


# ------------------------------------------------------------------------- the picture


def draw(layout: Layout, labels: Sequence[Label]) -> Drawing:
    """Draw the boxes and the routes of a layout."""
    cells = [
        tuple(_arms(tuple(_walk(route)), down=layout.down)) for route in layout.routes
    ]
    arms: dict[tuple[int, int], dict[int, int]] = {}
    for number, walked in enumerate(cells):
        for x, y, arm in walked:
            arms.setdefault((x, y), {})[number] = arm
    grid = [[" "] * layout.width for _ in range(layout.height)]
    for (x, y), there in arms.items():
        grid[y][x] = _character(there, layout.routes)
    for walked in cells:
        head = _head(walked, arms, down=layout.down)
        if head is not None:
            x, y, sign = head
            grid[y][x] = sign
    places: list[list[tuple[int, int, tuple[Piece, ...]]]] = [[] for _ in grid]
    outs = {route.source for route in layout.routes}
    for box, label in enumerate(labels):
        for y, x, pieces in _placed(layout, box, label, leads_on=box in outs):
            places[y].append((x, box, pieces))
    lines = ["".join(row) for row in grid]
    return Drawing(layout, lines, [sorted(row) for row in places], cells)


def room_behind(drawing: Drawing, box: int, width: int) -> int:
    """Return how many cells are free behind a label of one line, one blank kept.

    `width` is that of all there is room for.
    """
    place = drawing.layout.places[box]
    x, pieces = next((x, p) for x, one, p in drawing.labels[place.y] if one == box)
    end = x + _width(pieces)
    line = drawing.lines[place.y].ljust(width)
    taken = [at for at in range(end, width) if line[at] != " "]
    taken += [at for at, _, _ in drawing.labels[place.y] if at >= end]
    return max(min(taken, default=width + 1) - 1 - end, 0)


def _head(
    walked: Sequence[tuple[int, int, int]],
    arms: Mapping[tuple[int, int], Mapping[int, int]],
    *,
    down: bool,
) -> tuple[int, int, str] | None:
    """Return where the head of an arrow stands, and the head.

    That is the end of a route; or, where a joint is there, the cell that leads to it.
    """
    x, y, _ = walked[-1]
    way, straight = (_DOWN, _STEEP) if down else (_RIGHT, _FLAT)
    if all(arm == straight for arm in arms[x, y].values()):
        return x, y, _HEADS[way]
    if len(walked) < 2:
        return None
    before = walked[-2][:2]
    way = _side(before, (x, y))
    straight = _FLAT if way & _FLAT else _STEEP
    if any(arm != straight for arm in arms[before].values()):
        return None
    return *before, _HEADS[way]


def _placed(
    layout: Layout, box: int, label: Label, *, leads_on: bool
) -> Iterator[tuple[int, int, tuple[Piece, ...]]]:
    """Yield y, x and the pieces of each line of a box, with its inlets and outlet."""
    place = layout.places[box]
    framed = _is_framed(label)
    out = place.outlet
    # A line of text stands in line with what leaves it.
    start = min(max(out - (len(label) - 1) // 2, 0), place.height - len(label))
    if layout.down or framed:
        start = 0
    for row in range(place.height):
        line: tuple[Piece, ...] = ()
        if start <= row < start + len(label):
            line = label[row - start]
        if layout.down:
            if framed and line and row in (0, len(label) - 1):
                ends = place.inlets if row == 0 else (out,) if leads_on else ()
                line = (Piece("frame", _open(line[0].text, ends, "┴┬"[row > 0])),)
            if line:
                indent = (place.width - size_of(label, down=True)[0]) // 2
                yield place.y + row, place.x + indent, line
            continue
        if framed and len(line) > 1:
            left = "┤" if row in place.inlets else "│"
            right = "├" if leads_on and row == out else "│"
            line = (Piece("frame", left), *line[1:-1], Piece("frame", right))
        elif not framed:
            edge = " "
            if place.height > 1 and place.inlets:
                edge = "┤" if row in place.inlets else "│"
            line = (Piece("frame", edge), *line)
            if place.height == 1 or row == out:
                space = place.width - _width(line)
                fill = "─" if leads_on else " "
                line = (*line, Piece("frame", " " + fill * (space - 1)))
        yield place.y + row, place.x, line


def _width(line: Sequence[Piece]) -> int:
    return sum(cell_len(piece.text) for piece in line)


def _open(edge: str, ends: Sequence[int], sign: str) -> str:
    return "".join(sign if i in ends else c for i, c in enumerate(edge))


def _walk(route: Route) -> Iterator[tuple[int, int]]:
    """Yield the cells of a route, one after the other."""
    x, y = route.points[0]
    yield x, y
    for to_x, to_y in route.points[1:]:
        while (x, y) != (to_x, to_y):
            x += (to_x > x) - (to_x < x)
            y += (to_y > y) - (to_y < y)
            yield x, y


def _arms(
    cells: Sequence[tuple[int, int]], *, down: bool
) -> Iterator[tuple[int, int, int]]:
    """Yield each cell of a route with the sides that it is open to."""
    before, after = (_UP, _DOWN) if down else (_LEFT, _RIGHT)
    for index, cell in enumerate(cells):
        last = index == len(cells) - 1
        arm = before if index == 0 else _side(cell, cells[index - 1])
        yield *cell, arm | (after if last else _side(cell, cells[index + 1]))


def _side(cell: tuple[int, int], other: tuple[int, int]) -> int:
    if cell[1] == other[1]:
        return _RIGHT if other[0] > cell[0] else _LEFT
    return _DOWN if other[1] > cell[1] else _UP


def _character(there: Mapping[int, int], routes: Sequence[Route]) -> str:
    """Return what joins the lines of a cell. Lines that only cross do not join."""
    arms = 0
    for arm in there.values():
        arms |= arm
    if arms == _FLAT | _STEEP and _only_cross(there, routes):
        return "│"
    return joint(arms)


def _only_cross(there: Mapping[int, int], routes: Sequence[Route]) -> bool:
    flat = [routes[n] for n, arm in there.items() if arm == _FLAT]
    steep = [routes[n] for n, arm in there.items() if arm == _STEEP]
    if len(flat) + len(steep) < len(there):
        return False
    return not any(_join(one, two) for one in flat for two in steep)


def _join(one: Route, two: Route) -> bool:
    """Tell whether two routes begin together, or arrive at the same inlet."""
    return one.source == two.source or one.points[-1] == two.points[-1]


# ------------------------------------------------------------- lines that stand out


def joint(arms: int, heavy: int = 0) -> str:
    """Return what joins lines to some sides, of which some are heavy.

    >>> joint(0b0111), joint(0b0111, 0b0001), joint(0b1111, 0b0011)
    ('┴', '┵', '┿')
    """
    return _JOINTS[_PLACES[arms] + _PLACES[arms & heavy]]


_ARMS: Final[Mapping[str, int]] = MappingProxyType({joint(n): n for n in range(16)})


class Lit(NamedTuple):
    """The sides of a cell that lines which stand out lead to: all, and the heavy."""

    arms: int = 0  # one bit a side
    heavy: int = 0  # one bit a side, some of `arms`

    def with_line(self, arms: int, *, is_heavy: bool) -> Lit:
        """Add a line."""
        return Lit(self.arms | arms, self.heavy | (arms if is_heavy else 0))


def lit(character: str, cell: Lit) -> str:
    """Draw a cell in which lines stand out; they are in front where they cross others.

    >>> lit("┴", Lit(0b0011, 0b0011)), lit("│", Lit(0b0011))
    ('┷', '─')
    """
    if character not in _ARMS:
        return character  # the head of an arrow
    arms = _ARMS[character]
    if cell.arms & ~arms and not (cell.heavy or cell.arms) & _STEEP:
        arms = _FLAT
    return joint(arms, cell.heavy)


def joined(text: str, x: int, y: int, around: Mapping[int, Mapping[int, Lit]]) -> str:
    """Let a part of a box, at x and y, meet the heavy lines that lead to it.

    `around` are the cells that stand out, by line and by column.
    """
    if not any(line in around for line in (y - 1, y, y + 1)):
        return text
    end = around.get(y, {}).get(x + cell_len(text), Lit())
    if end.heavy & _LEFT and not text.strip(" ─"):
        return text.replace("─", "━")
    return "".join(_met(sign, x + i, y, around) for i, sign in enumerate(text))


def _met(sign: str, x: int, y: int, around: Mapping[int, Mapping[int, Lit]]) -> str:
    if sign not in "┤├┴┬":
        return sign
    heavy = 0
    for side, right, down in _BESIDE:
        beside = around.get(y + down, {}).get(x + right, Lit())
        heavy |= side if beside.heavy & _OPPOSITE[side] else 0
    return joint(_ARMS[sign], heavy)

"""Tables of nodes, scenarios and results: one row each, in columns that line up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from ...core.words.names import with_wording
from ...core.words.numbers import number_text, shape_text
from .blocks import Block, indent, under, wrap
from .digits import align
from .matrix import ink, inline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...core.engine.graph import Node
    from ...core.engine.run import Run
    from ...core.ops.table import Array
    from .look import Look

_GAP = 3
_NARROWEST = 16  # of the last column, before rows are told one below the other


def table(
    look: Look, head: Sequence[str], rows: Iterable[Sequence[Text]], width: int
) -> Block:
    """Return rows of cells under a heading; the last column takes what room is left.

    Where the columns do not fit, each row becomes a line with its cells below it.
    """
    cells = [tuple(row) for row in rows]
    titles = tuple(look.text(name, "quiet") for name in head)
    sizes = _sizes([titles, *cells])
    room = width - sum(sizes[:-1]) - _GAP * (len(sizes) - 1)
    if room < min(sizes[-1], _NARROWEST):
        return _told(titles, cells, width)
    sizes[-1] = min(sizes[-1], room)
    rule = Text(" " * _GAP).join(look.text("─" * size, "quiet") for size in sizes)
    rows_below = (_row(row, sizes) for row in cells)
    return under(_row(titles, sizes), Block.of([rule]), *rows_below)


def fits(head: Sequence[str], rows: Sequence[Sequence[Text]], width: int) -> bool:
    """Tell whether rows stand in one line each."""
    sizes = _sizes([[Text(name) for name in head], *rows])
    return sum(sizes) + _GAP * (len(sizes) - 1) <= width


def _sizes(rows: Sequence[Sequence[Text]]) -> list[int]:
    """Return how wide each column is."""
    return [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]


def _row(row: Sequence[Text], sizes: Sequence[int]) -> Block:
    line = Text("", end="")
    for cell, size in zip(row[:-1], sizes, strict=False):
        line.append_text(cell).append(" " * (size - cell.cell_len + _GAP))
    last = wrap(row[-1], sizes[-1])
    if not last.lines:
        return Block.of([line])
    first, *rest = last.lines
    line.append_text(first)
    line.rstrip()
    following = indent(Block.of(rest), sum(sizes[:-1]) + _GAP * (len(sizes) - 1))
    return under(Block.of([line]), following)


def _told(titles: Sequence[Text], rows: Iterable[Sequence[Text]], width: int) -> Block:
    blocks: list[Block] = []
    for first, *rest in rows:
        blocks.append(wrap(first, width))
        for title, cell in zip(titles[1:], rest, strict=True):
            if cell.plain:
                line = Text.assemble(title, " ", cell, end="")
                blocks.append(indent(wrap(line, width - _GAP), _GAP))
    return under(*blocks)


def array_cells(arrays: Sequence[Array | None], look: Look) -> list[Text]:
    """Return arrays as cells of one column; numbers line up on the decimal point."""
    if all(array is None or array.ndim == 0 for array in arrays):
        numbers = [array for array in arrays if array is not None]
        texts = iter(align([number_text(n[()], look.precision) for n in numbers]))
        return [
            _no_gradient(look) if a is None else ink(next(texts), look) for a in arrays
        ]
    return [_no_gradient(look) if a is None else inline(a, look) for a in arrays]


def _no_gradient(look: Look) -> Text:
    return look.text("no gradient", "quiet")


def node_table(
    look: Look, run: Run, nodes: Sequence[Node], columns: Sequence[str], width: int
) -> Block:
    """Return nodes with some of the columns kind, op, shape, value and gradient."""
    cells = {
        "node": lambda: [
            look.text(with_wording(node.name, node), "name") for node in nodes
        ],
        "kind": lambda: [look.text(node.kind) for node in nodes],
        "op": lambda: [look.text(node.made_by) for node in nodes],
        "shape": lambda: [look.text(shape_text(node.shape)) for node in nodes],
        "value": lambda: array_cells([run.value(node.index) for node in nodes], look),
        "gradient": lambda: array_cells(
            [run.gradient(node.index) for node in nodes], look
        ),
    }
    if not any(node.shape for node in nodes):
        columns = [name for name in columns if name != "shape"]
    made = [cells[name]() for name in columns]
    return table(look, columns, zip(*made, strict=True), width)

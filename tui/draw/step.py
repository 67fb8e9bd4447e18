"""One step of a trace as something to draw, for the terminal and for the screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from rich.text import Text

from ...core.engine.measure import summarise
from ...core.engine.trace import Breakdown, Contribution, Forward, Seed
from ...core.words.formulas import NO_FORMULA, Formula, axes_text
from ...core.words.names import called, with_wordings
from ...core.words.numbers import shape_text
from .blocks import (
    LONGEST_LINE,
    MARGIN,
    Block,
    apart,
    beside,
    fits,
    flow,
    indent,
    under,
    wrap,
)
from .look import MOST, Look
from .matrix import array_block, number
from .stage import Numbers, Stage, notes, pass_of, place
from .summaries import summary_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from ...core.ops.table import Array

_GAP: Final = 4
_LEAST_GAP: Final = 2
_SPACE: Final = Text(" ", end="")
_NARROWEST: Final = 34  # of the corners of a large matrix, where there is a choice
_TITLES: Final = (40, 28, 20)  # how wide titles of two lines may be, to begin with
_LONGEST_STATEMENT: Final = 400  # characters of it above a step


@dataclass(frozen=True, slots=True)
class Step:
    """The drawing of one step: `numbers` are its events, all of one pass.

    `brief` shows what goes in and what comes out, and nothing between.
    """

    stage: Stage  # what it is a step of
    numbers: Numbers
    brief: bool = False

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        """Draw it as wide as there is room."""
        yield step_block(self.stage, self.numbers, options.max_width, self.brief)


def step_block(
    stage: Stage, numbers: Numbers, width: int, brief: bool = False
) -> Block:
    """Return a step with all that is said of it."""
    return under(
        heading(stage, numbers, width),
        body(stage, numbers, width, brief),
        *(paragraph(one, "note", stage.look, width) for one in notes(stage, numbers)),
    )


def paragraph(text: str, meaning: str, look: Look, width: int) -> Block:
    """Return text below an empty line, within the margins of a step."""
    lines = wrap(look.text(text, meaning), min(width - MARGIN, LONGEST_LINE))
    return under(Block.of([Text("")]), indent(lines, MARGIN))


# --------------------------------------------------------------------- the heading


def heading(stage: Stage, numbers: Numbers, width: int) -> Block:
    """Return the rule above a step: where it is, and the statement it belongs to."""
    look = stage.look
    statement = stage.statement(numbers[0])
    title = look.text(
        look.dot.join(place(stage, numbers)), pass_of(stage.trace, numbers[0])
    )
    if statement is None:
        return rule(title, look, width)
    said = statement.text
    if len(said) > _LONGEST_STATEMENT:  # it stands above each of its steps
        said = said[: _LONGEST_STATEMENT - 1] + "…"
    text = look.text(said, "name")
    both = Text.assemble(title, look.text(" ── ", "quiet"), text, end="")
    if both.cell_len + 5 < width:
        return rule(both, look, width)
    return under(rule(title, look, width), indent(wrap(text, width - MARGIN), MARGIN))


def rule(title: Text, look: Look, width: int, dash: str = "─") -> Block:
    """Return a title in a line across the width; a long title has lines of its own."""
    line = Text.assemble(look.text(dash * 2, "quiet"), " ", title, " ", end="")
    if line.cell_len >= width:
        return under(wrap(title, width), Block.of([look.text(dash * width, "quiet")]))
    rest = look.text(dash * (width - line.cell_len), "quiet")
    return Block.of([line.append_text(rest)])


# ------------------------------------------------------------------------ the body


def body(stage: Stage, numbers: Numbers, width: int, brief: bool = False) -> Block:
    """Return the formulas and the numbers of a step."""
    inner = width - MARGIN
    if brief and len(numbers) > 1:
        return indent(_brief(stage, numbers, inner), MARGIN)
    blocks: list[Block] = []
    for event in numbers:
        if blocks:
            blocks.append(Block.of([Text("")]))
        blocks.append(_event(stage, event, inner))
    return indent(under(*blocks), MARGIN)


def _event(stage: Stage, event: int, width: int) -> Block:
    happens = stage.trace.event(event)
    if isinstance(happens, Forward):
        return _forward(stage, happens.node, width)
    if isinstance(happens, Seed):
        return _seed(stage, happens.node, width)
    if isinstance(happens, Contribution):
        return _contribution(stage, happens, width)
    return _update(stage, happens.node, event, width)


def _forward(stage: Stage, index: int, width: int) -> Block:
    operands = dict.fromkeys(stage.graph.nodes[index].operands)
    columns = [*_values(stage, operands), *_values(stage, [index], "changed")]
    return _sheet(stage, "", stage.wording.forward(index), columns, width)


def _seed(stage: Stage, index: int, width: int) -> Block:
    name, seed = stage.wording.gradient(index), np.asarray(stage.trace.run.seed)
    text = "the seed: the gradient that enters at the output"
    column = _Column("", name, seed, index, "changed")
    return _sheet(stage, text, NO_FORMULA, [column], width)


def _contribution(stage: Stage, event: Contribution, width: int) -> Block:
    parts = stage.trace.breakdown(event.consumer, event.argument)
    formula = stage.wording.contribution(event.edge, parts.summed)
    name = stage.graph.nodes[event.operand].name
    upstream = stage.wording.gradient(event.consumer)
    columns = [
        _Column("upstream", upstream, parts.upstream, event.consumer),
        _local(stage, event, formula.local, parts.local),
    ]
    reduced = None
    if parts.summed:
        columns.append(_Column("product", "", parts.product, event.consumer))
        shape = shape_text(parts.contribution.shape)
        reduced = f"Σ {axes_text(parts.summed)} → {shape}"
    made = "changed" if parts.before is None else ""
    columns += [
        _Column(
            "contribution", "", parts.contribution, event.operand, made, rest=reduced
        ),
        *_accumulated(name, parts, event.operand),
    ]
    head = f"contribution to {called(stage.graph.nodes[event.operand])}"
    sheet = _sheet(stage, head, formula, columns, width)
    if parts.after.shape and parts.before is None:
        line = f"accumulated {name}.grad: 0 → the contribution  {_uses(parts)}"
        line = with_wordings(line, stage.graph)
        return apart(sheet, wrap(stage.look.text(line, "quiet"), width))
    return sheet


def _uses(parts: Breakdown) -> str:
    done, uses = parts.uses
    return f"(use {done} of {uses})"


def _local(
    stage: Stage, event: Contribution, text: str, array: Array | None
) -> _Column:
    name, equation = stage.wording.local(event.edge), f"= {text}" if text else ""
    column = _Column("local", name, None, event.consumer, rest=equation)
    if array is None:
        return replace(column, text="see the formula")
    array = np.asarray(array)
    summary = summarise(array)
    rest = f"{equation} {_shape(array)}".strip()
    if array.size > 1 and summary.low == summary.high and summary.low is not None:
        same = summary_line(summary, stage.look).plain
        return replace(column, rest=rest, text=same)
    return replace(column, rest=rest, array=array)


def _update(stage: Stage, index: int, event: int, width: int) -> Block:
    trace, name = stage.trace, stage.graph.nodes[index].name
    arrays = {
        "before": trace.value(index, event),
        "gradient": trace.gradient(index, event),
        "after": trace.value(index, event + 1),
    }
    columns = [
        _Column(role, name, array, index)
        for role, array in arrays.items()
        if array is not None
    ]
    at = stage.trace.iteration
    formula = stage.wording.update(index, at.optimizer) if at else NO_FORMULA
    return _sheet(stage, f"update of {name}", formula, columns, width)


def _brief(stage: Stage, numbers: Numbers, width: int) -> Block:
    """Return what goes into a statement and what comes out of it, in one pass."""
    made = {stage.node(event).index for event in numbers}
    last = max(made)
    used = {i for index in made for i in stage.graph.nodes[index].operands} - made
    if isinstance(stage.trace.event(numbers[0]), Forward):
        columns = [*_values(stage, sorted(used)), *_values(stage, [last], "changed")]
        return _sheet(stage, "", NO_FORMULA, columns, width)
    columns = []
    for index in (last, *sorted(used, reverse=True)):
        gradient = stage.trace.gradient(index, numbers[-1] + 1)
        if gradient is not None:
            is_last = index == last
            role, meaning = ("upstream", "") if is_last else ("accumulated", "changed")
            name = stage.wording.gradient(index)
            columns.append(_Column(role, name, gradient, index, meaning))
    return _sheet(stage, "", NO_FORMULA, columns, width)


# --------------------------------------------------------------------- the columns


@dataclass(frozen=True, slots=True)
class _Column:
    """An array under a title: what it is, its name, and its shape or its formula."""

    role: str
    name: str
    array: Array | None
    node: int  # the one whose slice is to be shown
    meaning: str = ""
    text: str = ""  # in the place of the array, or below it
    arrow: Array | None = None  # the state before: `0 → 55`
    rest: str | None = None  # None for the shape of the array


def _values(stage: Stage, nodes: Iterable[int], meaning: str = "") -> Iterator[_Column]:
    """Yield the values of nodes; a number that is its own name needs no column."""
    for index in nodes:
        if not stage.graph.nodes[index].is_literal:
            name, value = stage.wording.node(index), stage.trace.run.value(index)
            yield _Column("", name, value, index, meaning)


def _shape(array: Array) -> str:
    return shape_text(array.shape) if array.shape else ""


def _accumulated(name: str, parts: Breakdown, node: int) -> Iterator[_Column]:
    before, after, title = parts.before, parts.after, f"{name}.grad"
    if not after.shape:
        start = np.zeros(()) if before is None else before
        uses = _uses(parts)
        yield _Column("accumulated", title, after, node, "changed", uses, start)
    elif before is not None:
        yield _Column("before", title, before, node)
        yield _Column("after", title, after, node, "changed", rest=_uses(parts))


def _sheet(
    stage: Stage, role: str, formula: Formula, columns: list[_Column], width: int
) -> Block:
    """Return a formula over columns of numbers."""
    head = _equation(stage.look, role, formula, width)
    drawn = _drawn(stage.look, columns, width)
    return under(head, Block.of([Text("")]), drawn) if head.lines else drawn


def _equation(look: Look, role: str, formula: Formula, width: int) -> Block:
    text = look.formula(formula.text)
    spoken = ((role, "quiet"), (text, ""), (formula.shapes, "quiet"))
    pieces = [look.text(words, meaning) for words, meaning in spoken if words]
    blocks = [Block.of([piece]) for piece in pieces]
    if not fits(blocks, width, 2 * _GAP):
        blocks = [wrap(piece, width) for piece in pieces]
    return beside(blocks, width, 2 * _GAP) if fits(blocks, width, 8) else under(*blocks)


class _Drawn(NamedTuple):
    """A column under its title, before it is known what stands beside it."""

    column: _Column
    title: Block
    body: Block

    @property
    def width(self) -> int:
        return max(self.title.width, self.body.width)

    @property
    def is_headed(self) -> bool:
        """Tell whether numbers of columns stand above the array."""
        array = self.column.array
        return array is not None and array.ndim > 0 and array.shape[-1] != 1

    def block(self, title_lines: int, headed: bool) -> Block:
        """Return it so that its array begins on the same line as those beside it."""
        missing = title_lines - len(self.title.lines) + (headed and not self.is_headed)
        blank = Block.of([Text("")] * missing)
        array = self.column.array
        parts = (self.title, blank, self.body)
        if array is not None and array.ndim == 0 and not self.column.text:
            # A number stands at the right edge below its title.
            parts = tuple(indent(part, self.width - part.width) for part in parts)
        return Block(under(*parts).lines, self.width)


def _drawn(look: Look, columns: Sequence[_Column], width: int) -> Block:
    """Return columns beside each other, with titles as long as there is room for."""
    beside_each_other = min(len(columns), (width + _GAP) // (_NARROWEST + _GAP))
    narrow = (width + _GAP) // max(beside_each_other, 1) - _GAP
    bodies = [_body(look, column, width, narrow) for column in columns]
    words = [_words(look, column) for column in columns]
    drawn: list[_Drawn] = []
    # Whether titles of one line fit is known before they are made.
    least = [
        max(one.width, role.cell_len + bool(role and below) + below.cell_len)
        for one, (role, below) in zip(bodies, words, strict=True)
    ]
    on_one_line = sum(least) + _LEAST_GAP * (len(least) - 1) <= width
    for room in (*([0] if on_one_line else []), *_TITLES):
        drawn = [
            _Drawn(
                column,
                _title(said, min(max(room, one.width), width) if room else 0),
                one,
            )
            for column, said, one in zip(columns, words, bodies, strict=True)
        ]
        for gap in (_GAP, _LEAST_GAP):
            if fits(drawn, width, gap):
                return _row(drawn, width, gap)
    rows = flow(drawn, width, _GAP)
    return apart(*(_row(row, width, _GAP) for row in rows))


def _row(drawn: Sequence[_Drawn], width: int, gap: int) -> Block:
    lines = max(len(one.title.lines) for one in drawn)
    headed = any(one.is_headed for one in drawn)
    return beside([one.block(lines, headed) for one in drawn], width, gap)


def _words(look: Look, column: _Column) -> tuple[Text, Text]:
    """Return the role of a column, and what else its title says."""
    shape = "" if column.array is None else _shape(column.array)
    role, name = (
        look.text(column.role, "quiet"),
        look.text(look.formula(column.name), "name"),
    )
    rest = look.text(shape if column.rest is None else column.rest, "quiet")
    return role, _SPACE.join(part for part in (name, rest) if part)


def _title(words: tuple[Text, Text], room: int) -> Block:
    """Return a title on one line, or in a block that is about `room` wide."""
    role, below = words
    if not room:
        return Block.of([_SPACE.join(part for part in words if part)])
    return under(Block.of([role] if role else []), wrap(below, room))


def _body(look: Look, column: _Column, width: int, narrow: int) -> Block:
    array, index = column.array, look.slices.get(column.node)
    if array is None:
        return Block.of([look.text(column.text)])
    if array.ndim == 0:
        line = number(array[()], look, column.meaning)
        if column.arrow is not None:
            before = number(column.arrow[()], look)
            line = Text.assemble(before, look.text(" → ", "quiet"), line, end="")
        if column.text:
            line.append("  ").append_text(look.text(column.text, "quiet"))
        return Block.of([line])
    if index is not None and len(index) == array.ndim:
        return array_block(array, look, width, index, column.meaning)
    is_large = array.shape[-1] > MOST
    room = narrow if is_large else width
    return array_block(array, look, room, None, column.meaning)

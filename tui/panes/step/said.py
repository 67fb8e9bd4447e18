"""What a step says above and below its matrices: formula, element, notes, reasons."""

from __future__ import annotations

import re
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment

from ....core.engine.trace import Update
from ....core.words.events import nothing_yet
from ...draw.spelling import rates_text
from ...graph.drawing import cut
from ..base.pane import Line, fitted
from ..matrix.grid import summary_text
from . import words
from .large import in_numbers, large
from .lines import BOUND, equation, label_width, labelled, last_word
from .priority import Matters, Said

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.style import Style

    from ....core.engine.measure import Summary
    from ....core.ops.table import Array
    from ...draw.look import Look
    from ..base.pane import View
    from ..matrix.grid import Index, Inks
    from .words import Moment

_SINGLE: Final = re.compile(r"(?<! ) (?! )")  # blanks that no line is broken at


class Manner(NamedTuple):
    """How things are said: in so many columns, in which inks, and to whom."""

    width: int  # columns that there are
    inks: Inks  # on the ground of the pane
    look: Look  # how numbers and names are written
    is_class: bool  # whether a whole room is to read it

    def say(self, matters: Matters, label: str, texts: Sequence[str]) -> Said:
        """Say texts, the longest first, beside a label."""
        return labelled(matters, label, texts, width=self.width, ink=self.inks.quiet)


def of_step(
    present: Moment,
    cursors: Sequence[Index],
    view: View,
    manner: Manner,
    *,
    lacks_sum: bool,
) -> Iterator[Said]:
    """Yield what is said of a step, with a cursor in each of its matrices.

    Where it `lacks_sum`, no matrix shows what was added to: it is said in words.
    """
    yield from _formula(present, cursors, manner)
    yield Said(Matters.BLANK, [[[]]])
    cursor = cursors[present.made]
    if not present.which.is_there:
        yield from _to_come(present, cursor, view, manner)
        return
    element = words.element(present, cursor)
    is_one = all(facet.array.size == 1 for facet in present.facets)
    is_said = is_one and not isinstance(present.event, Update)
    written = [manner.look.formula(text) for text in element]
    yield manner.say(Matters.ELEMENT, "one element", () if is_said else written)
    if manner.is_class:
        yield _large(element, manner)
    if lacks_sum:
        change = _change(present, cursor, manner.width)
        yield manner.say(Matters.CHANGE, "accumulated", [change])
    yield manner.say(Matters.NOTE, "note", ["\n".join(present.told.notes)])
    apart = Said(Matters.BLANK, [[[]]] if manner.is_class else [])
    yield apart
    yield manner.say(Matters.NUMPY, "NumPy", [present.told.formula.statement])
    yield apart
    for reason in present.told.reasons:
        yield manner.say(Matters.REASON, "why", [reason])
        yield apart


def of_array(array: Array, summary: Summary | None, manner: Manner) -> Iterator[Said]:
    """Yield what is said of an array; its summary may be still to come."""
    say = partial(manner.say, Matters.STATISTICS)
    if array.ndim > 2:
        yield say("slice", ["the keys , and . turn to another slice"])
    if array.size > 1:
        text = "…" if summary is None else summary_text(summary, manner.look).plain
        yield say("array", [_SINGLE.sub(BOUND, text)])


def _to_come(
    present: Moment, cursor: Index, view: View, manner: Manner
) -> Iterator[Said]:
    """Yield what is said of a step to come: what is asked, or how to see it."""
    if view.question is not None:
        yield manner.say(Matters.CHANGE, "asked", [view.question.text])
    elif present.number == 0:
        nothing = nothing_yet(view.debugger.place.iteration)
        yield manner.say(Matters.CHANGE, "to come", [f"{nothing}: press s to step"])
    event, array = present.event, present.facets[0].array
    if isinstance(event, Update) and array.size:
        at = cursor if present.which.is_shaped else (0,) * array.ndim
        rates = rates_text(present.trace.update(event.node, at))
        yield manner.say(Matters.ELEMENT, "given", [rates])
    if present.number == 0:
        yield manner.say(Matters.NOTE, "note", [present.stage.note("start", 0)])


def _large(element: Sequence[str], manner: Manner) -> Said:
    """Say the numbers of the chosen element so that a whole room can read them."""
    every = (large(text) for text in in_numbers(element))
    fitting = [one for one in every if max(map(cell_len, one)) <= manner.width]
    lines = [[[Segment(row, manner.inks.name)] for row in one] for one in fitting]
    return Said(Matters.LARGE, [[[], *one, []] for one in lines] + lines or [[[]]])


def _change(present: Moment, cursor: Index, width: int) -> str:
    """Return the change of the sum, with its name where no label says it.

    Where that would break the line it says briefly which use this is.
    """
    change = words.change(present, cursor)
    if not change or label_width(width) > 0:
        return change
    named, use = f"accumulated {change}", words.uses(present)
    brief = named.replace(f"use {use}", use.replace(" of ", "/"))
    return named if cell_len(named) <= width else brief


def _formula(
    present: Moment, cursors: Sequence[Index], manner: Manner
) -> Iterator[Said]:
    """Yield what happens, its formula, and how the shapes fit."""
    width, inks, look, _ = manner
    formula = present.told.formula
    what = [Segment(cut(present.told.what, width), inks.quiet)]
    yield Said(Matters.WHAT, [[what]], is_above=True)
    if not formula.text:
        return
    spoken = map(look.formula, words.spellings(present))
    text, full = next(spoken), look.formula(words.whole(present))
    ways = [equation(Segment(one, inks.name), width) for one in (full, text)]
    whole = min(ways, key=len)  # in full where it takes no line more
    shapes = f"   {formula.shapes}"
    last = "".join(part.text for part in whole[-1])
    whole[-1] = _coloured(present, cursors, last, manner)
    is_beside = len(whole) == 1 and cell_len(last + shapes) <= width
    if is_beside:
        whole[0] = [*whole[0], Segment(shapes, inks.quiet)]
    lengths = [whole]
    if len(whole) > 1:
        whole[0] = [*fitted(whole[0], width)]  # it goes on below, not beside
        while cell_len(text) > width and (shorter := next(spoken, "")):
            text = shorter
        lengths.append([_coloured(present, cursors, cut(text, width), manner)])
    yield Said(Matters.FORMULA, lengths, is_above=True)
    if not is_beside:
        line = [Segment(cut(formula.shapes, width), inks.quiet)]
        yield Said(Matters.SHAPES, [[line]], is_above=True)


def _coloured(
    present: Moment, cursors: Sequence[Index], text: str, manner: Manner
) -> Line:
    """Return a formula with its factors in the colours of their matrices."""
    inks = manner.inks
    spans: list[tuple[int, int, Style]] = []
    for role in ("upstream", "local"):
        number = present.roles.get(role)
        if number is None:
            continue
        called = words.called(present, number, cursors)
        name = manner.look.formula(called.removeprefix(role).strip())
        start = last_word(text, name)
        if start is not None:
            ink = inks.title(role, is_made=False)
            spans.append((start, start + len(name), ink))
    line: Line = []
    at = 0
    for start, stop, ink in sorted(spans, key=itemgetter(0)):
        if start >= at and stop > start:
            line += [Segment(text[at:start], inks.name), Segment(text[start:stop], ink)]
            at = stop
    return [*line, Segment(text[at:], inks.name)]

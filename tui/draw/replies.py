"""What a command answers as something to draw: for the terminal and the screen."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.text import Text

from ...core.practice.predict.question import Question
from ...core.practice.predict.score import Verdict
from ...core.session.asking import lines_of, question_here
from ...core.session.reply import Listing, Reply, Table, Value
from ...core.words.names import wordings
from ...core.words.numbers import (
    digits_apart,
    number_text,
    printed,
    shape_text,
    value_text,
)
from .blocks import MARGIN, Block, apart, beside, indent, under, wrap
from .digits import align
from .matrix import array_block, ink, inline
from .stage import Stage
from .step import body, heading
from .tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...core.debugger.debugger import Debugger
    from ...core.session.memory import Place
    from .look import Look

_MOST_EVENTS: Final = 3  # that one movement is drawn with, before it is told in lines


def reply_block(
    debugger: Debugger,
    reply: Reply,
    look: Look,
    width: int,
    came_from: Place | None = None,
) -> Block:
    """Return a reply: what it shows as a table, or else its lines of text.

    A short way forward from `came_from` is drawn as the steps that it took.
    """
    look, inner = look._replace(first=debugger.memory.first), width - MARGIN
    if isinstance(reply.show, (Question, Verdict)) and reply.moved:
        return _around_way(debugger, reply, reply.show, look, width, came_from)
    parts = [_way(debugger, reply, look, width, came_from)]
    if not parts[0].lines:
        draw = _DRAWN.get(type(reply.show))
        said = _said(reply, look, inner)
        parts = [said if draw is None else draw(reply.show, look, inner)]
    elif (put := question_here(debugger)) is not None:
        parts.append(wrap(look.text(put.text, "title"), inner))
    if reply.error is not None:
        parts.append(wrap(look.text(f"error: {reply.error}", "bad"), inner))
    parts += [
        _quantity(
            f"{number}: {text}", value, wordings(text, debugger.graph), look, inner
        )
        for number, text, value in reply.display
    ]
    return indent(under(*(part for part in parts if part.lines)), MARGIN)


def _around_way(
    debugger: Debugger,
    reply: Reply,
    shown: Question | Verdict,
    look: Look,
    width: int,
    came_from: Place | None,
) -> Block:
    """Return what is said to an answer, the steps that it let happen, what is asked."""
    judged = shown.said if isinstance(shown, Verdict) else ()
    question = shown.question if isinstance(shown, Verdict) else shown
    asked = lines_of(question) if question else ()
    way = reply.text[len(judged) : len(reply.text) - len(asked)]
    inner = width - MARGIN
    said, following = (
        indent(under(*(wrap(look.text(line), inner) for line in lines)), MARGIN)
        for lines in (judged, asked)
    )
    told = reply_block(
        debugger, replace(reply, show=None, text=way), look, width, came_from
    )
    return under(said, told, following)


def _said(reply: Reply, look: Look, width: int) -> Block:
    style = "bad" if reply.failed else ""
    return under(*(wrap(look.text(line, style), width) for line in reply.text))


def _way(
    debugger: Debugger, reply: Reply, look: Look, width: int, came_from: Place | None
) -> Block:
    """Draw a short way forward as the steps of the playback."""
    here = debugger.place
    nothing = Block.of([])
    if came_from is None or not reply.moved or reply.stop is not None:
        return nothing
    if came_from.iteration != here.iteration or reply.command.startswith("g"):
        return nothing
    numbers = range(came_from.position, here.position)
    if not 0 < len(numbers) <= _MOST_EVENTS:
        return nothing
    stage = Stage(debugger.subject, debugger.trace, look)
    inner = width - MARGIN
    kinds = {type(stage.trace.event(n)) for n in numbers}
    if len(kinds) > 1:
        return nothing
    return under(heading(stage, numbers, inner), body(stage, numbers, inner))


def _table(shown: Table, look: Look, width: int) -> Block:
    if not shown.rows:
        return wrap(look.text(f"no {shown.title}", "quiet"), width)
    columns = [
        _cells([row[k] for row in shown.rows], look) for k in range(len(shown.columns))
    ]
    rows = list(zip(*columns, strict=True))
    drawn = table(look, shown.columns, rows, width)
    return under(wrap(look.text(shown.title, "title"), width), drawn)


def _cells(values: Sequence[Any], look: Look) -> list[Text]:
    """Return one column; numbers that stand alone line up on the decimal point.

    Where two of them would read alike, all have more digits.
    """
    if all(type(value) is float for value in values):
        digits = digits_apart(values, look.precision)
        texts = align([number_text(value, digits) for value in values])
        return [ink(text, look) for text in texts]
    return [_cell(value, look) for value in values]


def _cell(value: Any, look: Look) -> Text:
    if value is None:
        return look.text("nothing", "quiet")
    if isinstance(value, str):
        return look.text(value)
    if isinstance(value, (tuple, list)):
        return look.text(", ".join(map(str, value)))
    array = np.asarray(value)
    if array.dtype.kind in "fiub":
        return inline(array, look)
    return look.text(value_text(value, look.sentence))


def _value(shown: Value, look: Look, width: int) -> Block:
    return _quantity(shown.name, shown.value, shown.note, look, width)


def _quantity(name: str, value: Any, note: str, look: Look, width: int) -> Block:
    """Return a name and its value: a matrix stands beside it, under its shape.

    The `note` says what the name stands for.
    """
    array = np.asarray(value) if value is not None else None
    if array is None or array.dtype.kind not in "fiub" or array.ndim == 0:
        is_number = array is not None and array.dtype.kind in "fiu"
        number = printed(value, look.sentence)
        text = ink(number, look) if is_number else _cell(value, look)
        told = look.text(f"   {note}" if note else "", "quiet")
        name_text = look.text(f"{name} = ", "name")
        return wrap(Text.assemble(name_text, text, told, end=""), width)
    label = look.text(f"{name} =", "name")
    shape = look.text(shape_text(array.shape), "quiet")
    drawn = array_block(array, look, max(width - label.cell_len - MARGIN, 20))
    quantity = beside((Block.of([label, shape]), drawn), width, MARGIN)
    return under(wrap(look.text(note, "quiet"), width), quantity) if note else quantity


def _listing(shown: Listing, look: Look, _width: int) -> Block:
    digits = max((len(str(number)) for number, *_ in shown.lines), default=1)
    return Block.of(
        look.text(f"{mark or ' '} {number:{digits}}  {text}", "changed" if mark else "")
        for number, text, mark in shown.lines
    )


# What has no row here is told by the lines of the reply's text.
_DRAWN: Final[Mapping[type, Callable[[Any, Look, int], Block]]] = MappingProxyType(
    {Table: _table, Value: _value, Listing: _listing}
)


def transcript(said: Sequence[str], command: str, look: Look) -> Block:
    """Return a command as it was typed, below the comments of its script."""
    notes = Block.of(look.text(f"# {line}".rstrip(), "note") for line in said)
    typed = Block.of([look.text(f"(gradstep) {command}", "name")])
    return apart(under(notes, typed)) if said else typed

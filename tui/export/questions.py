"""The questions of an author, in a page: the script of the page holds answers to them.

Nothing of a scenario is run: the answers, and the numbers that an expression can name,
stand in attributes.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any, Final

from ...core.base.errors import CommandError
from ...core.practice.answer import LEAST_DIGITS
from ...core.practice.authors import (
    number_of,
    precision,
    questions_in_time,
    right_number,
    right_text,
)
from ...core.practice.predict.score import MOST_TRIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.ops.table import Array
    from ...core.practice.authors import Put
    from ..draw.stage import Stage

_LONGEST: Final = 200  # characters of an answer
_MOST_KNOWN: Final = 1000  # elements of an array that an answer can name
_RATE: Final = "learning_rate"
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def forms(stage: Stage) -> dict[int, str]:
    """Return the questions of a run as forms, by the number of their section."""
    found: dict[int, str] = {}
    for put in questions_in_time(stage.subject, stage.trace):
        try:
            form = _form(put, stage)
        except CommandError:  # `gradstep test` tells it: nobody could answer
            continue
        number = put.position + (put.place.when == "end")
        found[number] = found.get(number, "") + form
    return found


def _form(put: Put, stage: Stage) -> str:
    asking, subject, trace = put.asking, stage.subject, stage.trace
    data: dict[str, Any] = {
        "hint": asking.hint,
        "after": asking.after,
        "told": right_text(put, subject, trace, stage.look.sentence),
        "tries": MOST_TRIES,
        "digits": LEAST_DIGITS,
    }
    if asking.choices:
        data["right"] = asking.right
        data["wrong"] = dict(asking.wrong)
        field = "".join(
            f'<button type="button" value="{escape(one)}">{escape(one)}</button>'
            for one in asking.choices
        )
    else:
        data["right"] = _number(right_number(put, subject, trace), put, stage)
        data["wrong"] = [
            [*_number(number_of(text, put, subject, trace), put, stage), why]
            for text, why in asking.wrong.items()
        ]
        data["known"] = _known(put, stage)
        field = (
            f'<input inputmode="text" autocomplete="off" maxlength="{_LONGEST}" '
            'placeholder="a number, or 1.1 * 3" aria-label="your answer, a number '
            'or an expression"><button>answer</button>'
        )
    return (
        f'\n<form class="question" data-question="{escape(_JSON.encode(data))}">\n'
        f"<p>{escape(asking.text)}</p>\n<p>{field}"
        '<button type="button" class="show">show</button></p>\n'
        '<p role="status"></p>\n</form>'
    )


def _known(put: Put, stage: Stage) -> dict[str, Any]:
    """Return what an expression can name where a question is put, as nested lists."""
    subject, trace, found = stage.subject, stage.trace, dict[str, Any]()
    for node in stage.graph:
        for array, name in (
            (trace.value(node.index, put.position), node.name),
            (trace.gradient(node.index, put.position), f"{node.name}.grad"),
        ):
            if array is not None and _is_told(array):
                found[name] = _plain(array.tolist())
    with suppress(CommandError):  # not everywhere is one
        found[_RATE] = number_of(_RATE, put, subject, trace)
    names = subject.names
    return found | {name: found[of] for name, of in names.items() if of in found}


def _is_told(array: Array) -> bool:
    return array.size <= _MOST_KNOWN and array.dtype.kind in "fiub"


def _plain(one: Any) -> Any:
    """Return nested lists with texts for the numbers that JSON has not."""
    if isinstance(one, list):
        return [_plain(part) for part in one]
    return one if math.isfinite(one) else str(one).replace("inf", "Infinity")


def _number(number: float, put: Put, stage: Stage) -> Sequence[float]:
    """Return a number, and how far an answer may be from it.

    Raises `CommandError` for one that nobody could write.
    """
    if not math.isfinite(number):
        raise CommandError("it is no finite number")
    return number, precision(put, number, stage.trace)

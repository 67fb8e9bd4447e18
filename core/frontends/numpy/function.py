# pyright: basic
"""A function of arrays, called once and recorded: gradstep finds its gradients."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.errors import InputError
from .creating import Creating
from .finishing import told
from .tape import Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...capture.capture import Capture
    from ...capture.record import Wanted


def called(
    function: Callable[..., Any], args: Sequence[Any], wanted: Wanted, most: int
) -> Capture:
    """Call a function of arrays, and return what it did; its arrays are parameters.

    Arrays may stand in dicts and lists. What it returns is differentiated, or the first
    of what it returns; where that is more than one number, their sum. Raises
    `InputError` where that depends on no array.
    """
    tape = Tape(most)
    given = [_given(tape, one) for one in args]
    creating = Creating(tape)
    creating.start()
    try:
        result = function(*given)
    finally:
        creating.stop()
        tape.is_quiet = True
    first = result[0] if isinstance(result, tuple) and result else result
    output = tape.known(first)
    if output is None or output.call is None or not output.is_float:
        name = getattr(function, "__name__", "the function")
        raise InputError(
            f"what {name} returns was not computed from the arrays that it was given",
            "it has to return a number, such as a loss",
        )
    seed = np.ones(output.shape) if output.shape else None
    scope = dict(zip(_names(function, len(args)), given, strict=True))
    capture = told(tape, (output, seed), {}, (), wanted, [{"__name__": "", **scope}])
    if seed is None:
        return capture
    words = f"the output has the shape {output.shape}: its sum is differentiated"
    notes = (*capture.about.notes, words)
    return replace(capture, about=capture.about._replace(notes=notes))


def _given(tape: Tape, value: Any) -> Any:
    """Return an argument whose arrays and numbers tell the tape."""
    if isinstance(value, dict):
        return {key: _given(tape, one) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_given(tape, one) for one in value)
    is_number = isinstance(value, (float, np.floating, np.ndarray))
    found = tape.given(value) if is_number else value
    record = getattr(found, "record", None)
    if record is not None and record.is_float:
        record.flows, record.kind = True, "parameter"
    return found


def _names(function: Callable[..., Any], many: int) -> list[str]:
    """Return what a function calls its arguments, by their places."""
    try:
        found = [*inspect.signature(function).parameters]
    except (TypeError, ValueError):
        found = []
    return [*found[:many], *(f"x{number}" for number in range(len(found), many))]

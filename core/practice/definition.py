"""The derivative by definition, in words: its table, its plot and what they tell."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..pictures.plot import Scale, scale_of, scatter
from ..words.digits import SENTENCE
from ..words.events import element_name
from ..words.names import called
from ..words.numbers import number_text
from .quotients import TURNING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..engine.run import Run
    from ..ops.table import Array
    from .quotients import Quotient, Quotients, Rung, Scheme

_EXPONENT: Final = re.compile(r"e(-?)\+?0*")
_GAP: Final = "  "
_MARK: Final = " ←"  # behind the error from which on rounding takes over
_ERROR: Final = 2  # digits of an error
_USUAL: Final = 1e-7  # the step that people take
_FORMS: Final = {
    "forward": "(f(x + Δ) − f(x)) / Δ",
    "left": "(f(x) − f(x − Δ)) / Δ",
    "central": "(f(x + Δ) − f(x − Δ)) / 2Δ",
}


def digits_of(number: Any) -> str:
    """Return a number with the fewest digits that read back as the same number.

    >>> digits_of(np.float64(3.000000004440892)), digits_of(np.float32(1e-7))
    ('3.000000004440892', '1e-7')
    """
    text = _EXPONENT.sub(r"e\1", str(number))
    return text.removesuffix(".0")


def definition_lines(run: Run, found: Quotients, digits: int = SENTENCE) -> list[str]:
    """Return the table of all steps, or of a single one, and what it tells."""
    title, function = _head(run, found)
    if len(found.rungs) == 1:
        return [title, function, *_one_step(found)]
    lines = [title, *_told(found, digits), function]
    if np.all(np.isfinite(found.output)):
        lines += _grid(found)
    lines += _plot(found)
    lines += _two_ways(found)
    lines += _no_steps(found)
    if found.is_smooth and found.exact is not None:
        lines += _reasons(found)
    return lines


def _head(run: Run, found: Quotients) -> tuple[str, str]:
    """Return what is differentiated, and what f is."""
    nodes = run.graph.nodes
    node, output = nodes[found.node], nodes[run.graph.output]
    name = element_name(node, found.index)
    told = called(node, name)
    exact = "none arrives there" if found.exact is None else digits_of(found.exact)
    at = f"∂{output.name}/∂{told} at {name} = {digits_of(found.x)}"
    title = f"{at}; backpropagation: {exact}"
    dtype = np.asarray(found.output).dtype
    weighted = f"{output.name} times its seed, added up"
    function = output.name if run.has_seed_one else weighted
    where = f"; x is {name}" * (name != "x")
    return title, f"f is {function}, computed in {dtype}{where}"


def _error(number: float) -> str:
    return "" if math.isnan(number) else number_text(number, _ERROR)


# ------------------------------------------------------------------------- tables


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows of cells below their headings."""
    sizes = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = (cell.ljust(size) for cell, size in zip(row, sizes, strict=True))
        yield _GAP.join(cells).rstrip()


def _grid(found: Quotients) -> Iterator[str]:
    """Yield a row for each Δ, every quotient with all of its digits."""
    has_sides = found.limit is not None and (found.limit.corner or found.limit.jump)
    if has_sides or found.exact is None:
        yield f"left is {_FORMS['left']}"
        rows = [
            [
                number_text(rung.delta),
                *map(_cell, (rung.forward, rung.left, rung.central)),
            ]
            for rung in found.rungs
        ]
        yield from _columns(("Δ", "forward", "left", "central"), rows)
        return
    yield ", ".join(f"{scheme} is {_FORMS[scheme]}" for scheme in TURNING)
    rows = [[number_text(rung.delta)] for rung in found.rungs]
    for scheme in TURNING:
        best = found.turn(scheme)
        for number, (row, rung) in enumerate(zip(rows, found.rungs, strict=True)):
            one: Quotient = getattr(rung, scheme)
            mark = _MARK * (number == best)
            row += [_cell(one), _error(found.error(one)) + mark]
    yield from _columns(("Δ", "forward", "error", "central", "error"), rows)


def _cell(one: Quotient) -> str:
    return digits_of(one.by_step) if one.taken else "no step"


def _one_step(found: Quotients) -> Iterator[str]:
    """Yield the quotients of one Δ, by the step that was taken and by Δ itself."""
    (rung,) = found.rungs
    taken = rung.forward.taken
    reached = digits_of(found.x + np.asarray(found.x).dtype.type(rung.delta))
    delta = digits_of(rung.delta)
    yield f"Δ = {delta}: x + Δ = {reached}, so the step taken is {digits_of(taken)}"
    rows = [
        [
            scheme,
            _cell(one),
            _error(found.error(one)),
            digits_of(one.by_delta),
            _error(found.error_by_delta(one)),
        ]
        for scheme in _FORMS
        if (one := getattr(rung, scheme)) is not None
    ]
    yield from _columns(
        ("", "by the step taken", "error", "by Δ itself", "error"), rows
    )
    yield from (f"{scheme}: {form}" for scheme, form in _FORMS.items())
    if not taken:
        yield "x + Δ is x itself, rounded: there is no number between, and no step"
    elif float(taken) == rung.delta:
        yield "the step taken is Δ exactly, so one may divide by either"
    else:
        yield (
            "x + Δ is rounded, so the step taken is not quite Δ: that is all the "
            "difference between dividing by one and by the other"
        )


# --------------------------------------------------------------------------- plot

# Capitals where rounding takes over.
_MARKS: Final[Mapping[Scheme, str]] = {"forward": "f", "central": "c"}
_HEIGHT: Final = 10  # lines of the plot
_APART: Final = 4  # columns from one Δ to the next
_LABELS: Final = 3  # of so many Δ one is told
_MARGIN: Final = 8  # columns before the plot


def _plot(found: Quotients) -> Iterator[str]:
    """Yield the errors by Δ, both on logarithmic scales; nothing without an error."""
    series: dict[str, Array] = {}
    for scheme, mark in _MARKS.items():
        errors, turn = np.array(found.errors(scheme)), found.turn(scheme)
        is_turn = np.arange(len(errors)) == turn
        series[mark] = np.where(is_turn, np.nan, errors)
        series[mark.upper()] = np.where(is_turn, errors, np.nan)
    known = np.concatenate(list(series.values()))
    has_sides = found.limit is not None and found.limit.corner
    if has_sides or not np.any(np.isfinite(known) & (known > 0)):
        return
    scale = scale_of(known, log=True)
    width = _APART * (len(found.rungs) - 1) + 1
    ticks = {round(scale.share(tick) * (_HEIGHT - 1)): tick for tick in scale.ticks(5)}
    turns = "; F, C where rounding takes over" * found.is_smooth
    yield f"error   f forward, c central, * both{turns}"
    for line, drawn in enumerate(scatter(series, scale, width, _HEIGHT)):
        tick = ticks.get(_HEIGHT - 1 - line)
        label = "" if tick is None else number_text(tick)
        yield f"{label:>{_MARGIN - 2}} │{drawn}".rstrip()
    none = {
        mark: np.where(numbers == 0, 1.0, np.nan) for mark, numbers in series.items()
    }
    (zeros,) = scatter(none, Scale(0.0, 1.0), width, 1)
    yield f"{0:>{_MARGIN - 2}} │{zeros}".rstrip()
    axis = "".join(
        number_text(rung.delta).ljust(_APART * _LABELS)
        for rung in found.rungs[::_LABELS]
    )
    yield f"{'Δ':>{_MARGIN - 2}}  {axis}".rstrip()


# ------------------------------------------------------------------ what they tell


def _told(found: Quotients, digits: int) -> Iterator[str]:
    """Yield what matters most: where the quotients go, and how near they come."""
    if not np.all(np.isfinite(found.output)):
        yield "the output is not finite here, so its change is no number"
        return
    limit = found.limit
    if limit is None:
        yield "no two quotients are finite, so nothing can be said of their limit"
    elif limit.jump:
        yield "f jumps here: the quotients grow without bound, and there is no limit"
    elif limit.corner:
        right, left = (number_text(one + 0.0, 4) for one in (limit.right, limit.left))
        yield (
            f"a kink: the quotients go to {right} from the right and to {left} from "
            "the left, so there is no derivative; backpropagation takes one of the "
            "numbers between"
        )
    elif not found.agrees:
        said = number_text(limit.value, digits)
        yield f"the quotients go to {said}, which is not what backpropagation says"
    elif found.exact is not None:
        yield from _nearest(found)


def _two_ways(found: Quotients) -> Iterator[str]:
    """Yield what the quotient would be by Δ itself, where that is another number."""
    differing = [
        rung
        for rung in found.rungs
        if rung.forward.by_step != rung.forward.by_delta
        and np.isfinite(rung.forward.change)
    ]
    steps = [rung for rung in differing if rung.forward.taken]
    usual = [rung for rung in steps if rung.delta == _USUAL]
    for rung in (usual or steps)[:1]:
        yield _two(rung)


def _two(rung: Rung) -> str:
    one, delta = rung.forward, number_text(rung.delta)
    return (
        f"x + Δ is rounded: for Δ = {delta} the step really taken is "
        f"{digits_of(one.taken)}. The quotient by it is {digits_of(one.by_step)}, by Δ "
        f"itself {digits_of(one.by_delta)}; limit x {delta} shows both"
    )


def _no_steps(found: Quotients) -> Iterator[str]:
    missing = [rung.delta for rung in found.rungs if not rung.forward.taken]
    if missing and np.isfinite(found.x):
        dtype = np.asarray(found.x).dtype
        yield (
            f"no step from Δ = {number_text(missing[0])} on: of all numbers of {dtype} "
            "x itself is the nearest to x + Δ"
        )


def _turns(found: Quotients) -> Sequence[tuple[Scheme, int]]:
    """Return where rounding takes over, by schemes; nothing where all is exact."""
    turns: list[tuple[Scheme, int]] = [
        (scheme, turn) for scheme in TURNING if (turn := found.turn(scheme)) is not None
    ]
    return turns if any(np.nansum(found.errors(scheme)) for scheme, _ in turns) else ()


def _nearest(found: Quotients) -> Iterator[str]:
    """Yield how near the quotients come to the derivative before they are rounded."""
    turns = _turns(found)
    places = (
        f"{scheme}: error {_error(found.errors(scheme)[turn])} at Δ = "
        f"{number_text(found.rungs[turn].delta)}"
        for scheme, turn in turns
    )
    if turns:
        yield f"{', '.join(places)}; from there on rounding takes over ←"
    elif any(found.turn(scheme) is not None for scheme in TURNING):
        yield "every quotient is exact: nothing is neglected, and nothing was rounded"


def _reasons(found: Quotients) -> Iterator[str]:
    """Yield why there is a place where rounding takes over."""
    turns = _turns(found)
    if not turns:
        return
    if any(min(found.errors(s)[k:]) < found.errors(s)[k] for s, k in turns):
        yield "a smaller error farther down is luck: those beside it are larger"
    if all(turn == 0 for _, turn in turns):
        yield "f does not bend here, so that Δ = 1 neglects nothing"
    else:
        yield (
            "a larger Δ: what the quotient neglects, truncation, is the larger error; "
            "it falls with Δ, and for central ones with Δ²"
        )
    yield (
        "a smaller Δ: f(x + Δ) and f(x) are rounded, and what is left of their digits "
        "is divided by Δ; so this error grows with 1/Δ"
    )

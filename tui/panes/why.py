"""Where the chosen element comes from, term by term, and why it is what it is."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from textwrap import wrap
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style as Ink
from textual.events import Click, Key, MouseScrollDown, MouseScrollUp

from ...core.base.errors import CommandError
from ...core.commands.checking import is_checkable, numeric_line
from ...core.commands.explaining import find_element, why_lines
from ...core.engine.element import Element
from ...core.engine.trace import Trace
from ...core.explain.explain import (
    Explanation,
    Factor,
    Index,
    Part,
    Parts,
    ValueExplanation,
    element_name,
    explain_gradient,
    explain_value,
)
from ...core.words.formulas import Wording, axes_text
from ...core.words.numbers import SENTENCE, shape_text, style_for, value_text, write
from ..draw.digits import align
from ..draw.spelling import term_text
from ..draw.stage import wording
from .base.background import GIVEN_UP
from .base.pane import Chosen, KeptPane, Line, View, filled

_MARGIN = "  "
_LEAST = 16  # columns in which a line is broken
_SHOWN = 8  # terms of a sum, before the rest is one line


class Row(NamedTuple):
    """One line. `leads` is the element that it comes from; `meaning` how it looks."""

    text: str  # as long as it is: it is cut where it is drawn
    meaning: str = ""
    leads: Element | None = None


class _Told:
    """The rows about an element, made as far as they are asked for, and kept."""

    def __init__(self, element: Element | None, rows: Iterator[Row]) -> None:
        self.element = element
        self._made: list[Row] = []
        self._more = rows

    def __iter__(self) -> Iterator[Row]:
        number = 0
        while len(self._made) > number or self._make_one():
            yield self._made[number]
            number += 1

    def _make_one(self) -> bool:
        row = next(self._more, None)
        if row is not None:
            self._made.append(row)
        return row is not None


class WhyPane(KeptPane[_Told]):
    """The terms of the chosen element, the largest first, and where each leads."""

    TITLE: ClassVar[str] = "Why?"
    HELP: ClassVar[str | None] = (
        "Where the chosen element comes from: its terms, the largest first.\n"
        "A term of a gradient is upstream × local derivative.\n"
        "A complete gradient is held against differences: ✓, or ✗ where they differ.\n"
        "up, down: another term   enter: follow it to where it comes from\n"
        "backspace: back to where you came from\n"
        "Zero, NaN, Inf and no gradient at all are each said, with their reason."
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "why--headline",
        "why--quiet",
        "why--alarm",
        "why--none",
        "why--cursor",
    }
    DEFAULT_CSS: ClassVar[str] = """
    WhyPane {
        & > .why--headline { text-style: bold; }
        & > .why--quiet { color: $foreground 60%; }
        & > .why--alarm { color: $error; text-style: bold; }
        & > .why--none { color: $warning; text-style: italic; }
        & > .why--cursor { background: $panel; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._unseen: Iterator[Row] = iter(())  # the rows below those
        self._partials: dict[str, Ink] = {}
        self._element: Element | None = None
        self._trail: list[Element] = []
        self._cursor = 0  # the row that would be followed
        self._top = 0
        self._shown: tuple[_Told | None, int] | None = None  # and how wide
        self._view: View | None = None
        self._title = self.TITLE

    # ------------------------------------------------------------------ the moment

    def recipe(self, view: View) -> tuple[object, Callable[[], _Told]]:
        """Return the element at its moment as the key, and what explains it."""
        bug = view.bug
        count = max(self.size.height + 1, _SHOWN)  # and whether there are more
        return (bug.trace, bug.position, view.chosen), lambda: _looked_up(view, count)

    def show(self, view: View) -> None:
        """Explain the chosen element at this position."""
        self._view = view
        found, width = self.found(view), self.size.width
        if self._shown is not None and self._shown == (found, width):
            return
        self._shown = found, width
        told = found or _Told(None, iter([Row(GIVEN_UP, "quiet")]))
        element = told.element
        if element != self._element:
            self._cursor = self._top = 0
        self._element, self._title = element, self.TITLE
        if element is not None:
            node = view.bug.graph.nodes[element.node]
            name = element_name(node, element.index, element.quantity)
            self._title = f"Why {name}?"
        self._rows = []
        self._unseen = _wrapped(told, width - len(_MARGIN))
        self._write(max(self._cursor + 1, _SHOWN))
        leading = [n for n, row in enumerate(self._rows) if row.leads]
        if leading and self._cursor not in leading:
            self._cursor = leading[0]
        self._show_subtitle()
        self.repaint()

    def _write(self, count: int) -> None:
        """Write so many rows, if there are: what nobody sees is not asked for."""
        self._rows += islice(self._unseen, max(count - len(self._rows), 0))

    def _show_subtitle(self) -> None:
        below = self._top + self.size.height
        self._write(below + 1)
        is_more = bool(self.size) and len(self._rows) > below
        can_follow = self._leads() is not None
        words = (
            "↓ more" * is_more,
            "↵ follow" * can_follow,
            "⌫ back" * bool(self._trail),
        )
        self.head(self._title, "  ".join(word for word in words if word))

    def _leads(self) -> Element | None:
        rows = self._rows
        return rows[self._cursor].leads if self._cursor < len(rows) else None

    # -------------------------------------------------------------------- movement

    def on_key(self, event: Key) -> None:
        """Choose a term, follow it, or go back."""
        if event.key in ("up", "down"):
            self._move(1 if event.key == "down" else -1)
        elif event.key == "enter" and self._leads() is not None:
            self._follow()
        elif event.key == "backspace" and self._trail:
            self.post_message(Chosen(self._trail.pop()))
        else:
            return
        event.stop()
        event.prevent_default()

    def _move(self, by: int) -> None:
        """Go to the next row that leads somewhere; past the last one, scroll."""
        self._write(self._cursor + 2 * self.size.height)
        numbers = range(self._cursor + by, len(self._rows) if by > 0 else -1, by)
        found = next((n for n in numbers if self._rows[n].leads), None)
        if found is None:
            self._scroll(by)
            return
        self._cursor = found
        room = max(self.size.height, 1)
        self._top = min(max(self._top, found - room + 1), found)
        if not any(row.leads for row in self._rows[:found]):
            self._top = 0  # the headline belongs to the first term
        self._show_subtitle()
        self.repaint()

    def _scroll(self, by: int) -> None:
        self._write(self._top + by + self.size.height)
        most = max(len(self._rows) - self.size.height, 0)
        self._top = min(max(self._top + by, 0), most)
        self._show_subtitle()
        self.repaint()

    def _follow(self) -> None:
        leads = self._leads()
        if leads is None or self._element is None:
            return
        self._trail.append(self._element)
        self.post_message(Chosen(leads))

    def on_click(self, event: Click) -> None:
        """Follow the term under the mouse."""
        number = int(event.y) - self.gutter.top + self._top
        if 0 <= number < len(self._rows) and self._rows[number].leads:
            self._cursor = number
            self._follow()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll."""
        event.stop()
        self._scroll(2)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll."""
        event.stop()
        self._scroll(-2)

    # --------------------------------------------------------------------- drawing

    def on_resize(self) -> None:
        """Break the lines anew, and stay inside."""
        if self._view is not None:
            self.show(self._view)
        self._scroll(0)

    def draw(self, y: int) -> Line:
        """Draw one row; `▸` is the one that would be followed."""
        number, width = y + self._top, self.room.width
        if number >= len(self._rows):
            return []
        row = self._rows[number]
        here = number == self._cursor and row.leads is not None
        mark = "▸ " if here else "  " if number and row.meaning != "headline" else ""
        room = max(width - len(mark), 0)
        text = row.text if len(row.text) <= room else row.text[: max(room - 1, 0)] + "…"
        line = [Segment(mark + text, self._partial(row.meaning))]
        if here and self.has_focus:
            return filled(line, width, self.ink("") + self._partial("cursor"))
        return line

    def _partial(self, meaning: str) -> Ink:
        if meaning not in self._partials:
            name = f"why--{meaning}"
            self._partials[meaning] = (
                self.get_component_rich_style(name, partial=True) if meaning else Ink()
            )
        return self._partials[meaning]

    def notify_style_update(self) -> None:
        """Forget the colours of the theme before."""
        super().notify_style_update()
        self._partials.clear()


def _wrapped(rows: Iterable[Row], width: int) -> Iterator[Row]:
    """Break what is too long for a line; what follows is indented."""
    for row in rows:
        if len(row.text) <= width or width < _LEAST:
            yield row
            continue
        first, *others = wrap(row.text, width, subsequent_indent=_MARGIN)
        yield row._replace(text=first)
        for text in others:
            yield row._replace(text=text, leads=None)


def _whole(view: View) -> Element:
    """Return the chosen element with its index; without one, what stands out."""
    bug, chosen = view.bug, view.chosen
    if chosen is not None and chosen.index is not None:
        return chosen
    if chosen is None:
        return Element(*find_element(bug, ""))
    name = element_name(bug.graph.nodes[chosen.node], None, chosen.quantity)
    return Element(*find_element(bug, name))


# ------------------------------------------------------------------------ the rows


def _looked_up(view: View, count: int) -> _Told:
    """Explain the chosen element; so many rows are made at once."""
    bug = view.bug
    try:
        element = _whole(view)
    except CommandError:
        row = Row("nothing is chosen yet: step, or click a number", "quiet")
        return _Told(None, iter([row]))
    words = wording(bug.subject, bug.trace)
    rows = explained(bug.trace, words, element, bug.position)
    told = _Told(element, rows)
    deque(islice(told, count), maxlen=0)
    return told


def explained(
    trace: Trace,
    words: Wording,
    element: Element,
    position: int,
) -> Iterator[Row]:
    """Yield the rows about one element at a position."""
    node, quantity, index = element.node, element.quantity, element.index or ()
    here = trace.run.graph.nodes[node]
    name = element_name(here, index, quantity)
    if quantity == "value":
        value = trace.value(node, position)
        if value is None:
            number = (trace.forward_event(node) or 0) + 1
            yield Row(f"{name}: not computed yet, event {number} does it", "none")
            return
        yield from _of_number(trace, element, float(value[index]), position)
        yield from _value_rows(trace, explain_value(trace.run, node, index))
        return
    if trace.run.gradients[node] is None:
        yield from _why_rows(trace, element, position, "none")
        yield from _check_rows(trace, node, index, position)
        return
    gradient = trace.gradient(node, position)
    if gradient is None:
        yield Row(f"{name}: no contribution yet", "none")
        numbers = trace.arrivals(node)
        events = ", ".join(str(number + 1) for number in numbers[:_SHOWN])
        yield Row(f"{len(numbers)} to come, with event {events}", "quiet")
        return
    yield from _of_number(trace, element, float(gradient[index]), position)
    found = explain_gradient(trace, node, index, position)
    done, uses = found.uses
    if done < uses:
        yield Row(f"{done} of {uses} contributions are in so far", "none")
    yield from _check_rows(trace, node, index, position)
    yield from _gradient_rows(trace, words, found)


def _check_rows(trace: Trace, node: int, index: Index, position: int) -> Iterator[Row]:
    """Yield what differences say of a gradient, or who asks them if it takes long."""
    if not is_checkable(trace, node, index, position):
        return
    from ...core.check.element import check_element  # noqa: PLC0415  # 10 ms, not at the start

    found = trace.run.recent.of(
        ("check", node, index), lambda: check_element(trace.run, node, index)
    )
    if found is None:
        yield Row("K checks it numerically", "quiet")
        return
    meaning = {"ok": "", "mismatch": "alarm"}.get(found.verdict, "quiet")
    yield Row(numeric_line(found), meaning)


def _of_number(
    trace: Trace, element: Element, number: float, position: int
) -> Iterator[Row]:
    """Yield the headline; of a zero, NaN or Inf with its reason."""
    if number == 0 or not math.isfinite(number):
        meaning = "headline" if number == 0 else "alarm"
        yield from _why_rows(trace, element, position, meaning)
        return
    node = trace.run.graph.nodes[element.node]
    name = element_name(node, element.index, element.quantity)
    yield Row(f"{name} = {value_text(number)}", "headline")


def _why_rows(
    trace: Trace, element: Element, position: int, meaning: str
) -> Iterator[Row]:
    from ...core.explain.why import why  # noqa: PLC0415  # 4 ms, seldom at the start

    found = why(trace, element.node, element.quantity, element.index or (), position)
    lines = list(why_lines(trace, found))
    yield Row(lines[0], meaning)
    for hop, line in zip(found.hops[1:], lines[1:], strict=False):
        yield Row(line.strip(), "", Element(hop.node, hop.quantity, hop.index))
    for line in lines[len(found.hops) :]:
        yield Row(line.strip(), "quiet")


def _gradient_rows(trace: Trace, words: Wording, found: Explanation) -> Iterator[Row]:
    nodes = trace.run.graph.nodes
    if found.passed:
        last = found.passed[-1]
        name = element_name(nodes[last.consumer], last.index, "grad")
        count = len(found.passed)
        hops = "" if count == 1 else f", passed through {count} nodes"
        leads = Element(last.consumer, "grad", last.index)
        yield Row(f"an exact copy of {name}{hops}", "quiet", leads)
    if found.seed is not None:
        yield Row(f"{value_text(found.seed)}  enters here: the seed")
    if found.written:
        yield Row("this run has another number in place of the sum", "alarm")
    parts, before = found.latest(trace, _SHOWN)
    if before is not None:
        earlier = len(found.parts) - len(parts)
        yield Row(f"{value_text(before)}  {earlier} contributions before", "quiet")
    several = len(found.parts) > 1
    for number in range(len(parts)):
        # A later moment shows them again, below one another.
        key = ("why", parts.event(number), parts.element, several)
        make = partial(_parts_rows, trace, words, parts, number, several)
        yield from trace.run.recent.of(key, make)


def _parts_rows(
    trace: Trace, words: Wording, parts: Parts, number: int, is_one_of_many: bool
) -> Sequence[Row]:
    return tuple(_part_rows(trace, words, parts[number], parts.element, is_one_of_many))


def _part_rows(
    trace: Trace, words: Wording, part: Part, index: Index, is_one_of_many: bool
) -> Iterator[Row]:
    operand = trace.run.graph.nodes[part.edge.operand]
    if is_one_of_many or part.patched:
        edge = trace.run.graph.edge_name(part.edge)
        adds = f"{edge} adds {value_text(part.stored)}"
        yield Row(adds + ", by a patched rule" * part.patched, "quiet")
    if part.summed:
        shapes = f"{shape_text(part.wide)} → {shape_text(operand.shape)}"
        yield Row(f"summed over {axes_text(part.summed)}: {shapes}", "quiet")
    terms = list(part.largest(_SHOWN))
    columns = [
        _column([term.product for term in terms]),
        _column([term.upstream for term in terms]),
        _column([term.local for term in terms]),
    ]
    is_copied = words.contribution(part.edge).local == "1"
    for term, product, upstream, slope in zip(terms, *columns, strict=True):
        names = term_text(trace, words, term, index, is_copied=is_copied)
        text = f"{product} = {upstream} × {slope}   {names}"
        yield Row(text, "", Element(term.consumer, "grad", term.index))
    rest = part.rest(_SHOWN)
    if rest is not None:
        count = len(part) - _SHOWN
        yield Row(f"… and {count} more terms: {value_text(rest)}", "quiet")


def _column(numbers: list[float]) -> list[str]:
    style = style_for(numbers, SENTENCE)
    return align([write(number, style) for number in numbers])


def _value_rows(trace: Trace, found: ValueExplanation) -> Iterator[Row]:
    nodes = trace.run.graph.nodes
    node = nodes[found.node]
    if node.op is None:
        yield Row(
            f"given, as {'an' if node.kind == 'input' else 'a'} {node.kind}", "quiet"
        )
        return
    if not found.products:
        yield Row(f"{node.op.name} of", "quiet")
        factors = found.terms[0] if found.terms else ()
        for factor, number in zip(
            factors[:_SHOWN], _column([f.value for f in factors[:_SHOWN]]), strict=True
        ):
            name = element_name(nodes[factor.node], factor.index)
            yield Row(f"{number}   {name}", "", _element(factor))
        if len(factors) > _SHOWN:
            yield Row(f"… and {len(factors) - _SHOWN} more elements", "quiet")
        return
    yield from _product_rows(trace, found)


def _product_rows(trace: Trace, found: ValueExplanation) -> Iterator[Row]:
    nodes = trace.run.graph.nodes
    largest = found.largest(_SHOWN)
    products = _column([product for product, _ in largest])
    for product, (_, term) in zip(products, largest, strict=True):
        names = " · ".join(element_name(nodes[f.node], f.index) for f in term)
        factors = " × ".join(value_text(f.value) for f in term)
        equal = f" = {factors}" if len(term) > 1 else ""
        computed = [f for f in term if nodes[f.node].op is not None]
        leads = _element((computed or list(term))[0])
        yield Row(f"{product}{equal}   {names}", "", leads)
    rest = len(found.terms) - _SHOWN + found.more
    if rest > 0:
        yield Row(f"… and {rest} more terms", "quiet")


def _element(factor: Factor) -> Element:
    return Element(factor.node, "value", factor.index)

"""What is said of a step: over its matrices, above them and below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.text import Text

from ....core.engine.backward import broadcast_axes
from ....core.engine.trace import Contribution, Event, Forward, Seed, Trace, Update
from ....core.explain.links import Facet, facets
from ....core.words.events import element_name
from ....core.words.formulas import NO_FORMULA, Formula, axes_text
from ....core.words.numbers import change_text, index_text, shape_text
from ...draw.spelling import contribution_text, update_text, value_text
from ...draw.stage import Stage, notes
from .layout import KEPT, SHAPES, WHAT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from ....core.debugger.debugger import Debugger
    from ..base.pane import Line
    from ..matrix.grid import Inks

_LABEL: Final = 12
_NARROW_PANE: Final = 60  # columns below which there are no labels


class Looked(NamedTuple):
    """What there is to say of an event: arrays, notes, axes it sums over, formula."""

    facets: tuple[Facet, ...]  # the arrays, in the order in which they are read
    notes: Sequence[str]  # of the subject, at this event
    summed: tuple[int, ...]  # the axes that a contribution is summed over; () for none
    formula: Formula  # `NO_FORMULA` where there is none


NOTHING: Final = Looked((), (), (), NO_FORMULA)


class Words(NamedTuple):
    """An event in words: where it is, what was found there, the cursors in its arrays.

    `number` is that of the event in the trace, counted from 0.
    """

    debugger: Debugger  # for what is asked of the session
    stage: Stage  # subject, trace and look
    number: int
    looked: Looked  # `NOTHING` until it is there
    cursors: Sequence[tuple[int, ...]]  # an index for each facet

    @property
    def trace(self) -> Trace:
        """The trace that the event is of."""
        return self.stage.trace

    @property
    def event(self) -> Event:
        """The event itself."""
        return self.trace.event(self.number)


def looked_up(stage: Stage, number: int) -> Looked:
    """Return what there is to say of an event; nothing where nothing is computed."""
    trace = stage.trace
    if not len(trace):
        return NOTHING
    event, found = trace.event(number), facets(trace, number)
    summed = _summed(trace, event, found)
    formula = _formula(stage, event, summed)
    return Looked(found, notes(stage, [number]), summed, formula)


def _summed(trace: Trace, event: Event, seen: Sequence[Facet]) -> tuple[int, ...]:
    """Return the axes that a step sums over."""
    product = next((facet for facet in seen if facet.role == "product"), None)
    if product is None or not isinstance(event, Contribution):
        return ()
    shape = trace.run.graph.nodes[event.operand].shape
    return broadcast_axes(product.array.shape, shape)


def _formula(stage: Stage, event: Event, summed: tuple[int, ...]) -> Formula:
    """Return what a step does in symbols; of the seed there is nothing to say."""
    if isinstance(event, Forward):
        return stage.wording.forward(event.node)
    if isinstance(event, Contribution):
        return stage.wording.contribution(event.edge, summed)
    optimizer = stage.trace.optimizer
    if isinstance(event, Update) and optimizer is not None:
        return stage.wording.update(event.node, optimizer)
    return NO_FORMULA


# ------------------------------------------------------------- over the matrices


def title(words: Words, number: int) -> tuple[str, ...]:
    """Return what stands over an array: what it is, and its shape."""
    facet, wording = words.looked.facets[number], words.stage.wording
    name = words.debugger.graph.nodes[facet.node].name
    shape = shape_text(facet.array.shape) if facet.array.ndim else ""
    if facet.array.ndim > 2:
        shape += f" at {index_text(words.cursors[number][:-2])}"
    if facet.role in ("operand", "value"):
        return (f" {wording.node(facet.node)} {shape}".rstrip(),)
    called = {
        "seed": f"seed {wording.gradient(facet.node)}",
        "upstream": f"upstream {wording.gradient(facet.node)}",
        "product": "product",
        "contribution": "contribution",
        "gradient": f"{name}.grad",
    }.get(facet.role, f"{name}{'.grad' * (facet.quantity == 'grad')} {facet.role}")
    event = words.event
    if facet.role == "local" and isinstance(event, Contribution):
        called = f"local {wording.local(event.edge)}"
        slope = words.looked.formula.local
        shape = " ".join(part for part in (f"= {slope}" * bool(slope), shape) if part)
    if facet.role == "contribution" and isinstance(event, Contribution):
        axes = axes_text(words.looked.summed)
        shape = f"Σ {axes} → {shape or '()'}" if words.looked.summed else shape
    return (f" {called}", f" {shape}") if shape else (f" {called}",)


# ---------------------------------------------------------------- above and below


def above_of(words: Words, inks: Inks, width: int) -> Iterator[tuple[int, Line]]:
    """Yield what the step does, and its formula: how much it matters, and the line.

    Where there is little room the matrices take that of what matters less.
    """
    if words.debugger.position == 0:
        text = "nothing has happened yet: press s to step"
        yield KEPT, [Segment(text, inks.changed)]
    what = _what(words)
    if what:
        yield WHAT, [Segment(what, inks.quiet)]
    formula = words.looked.formula
    if formula.text:
        text, shapes = Segment(formula.text, inks.name), f"   {formula.shapes}"
        if cell_len(text.text + shapes) <= width:
            yield KEPT, [text, Segment(shapes, inks.quiet)]
        else:
            yield KEPT, [text]
            yield SHAPES, [Segment(formula.shapes, inks.quiet)]
    yield 0, []


def _what(words: Words) -> str:
    """Return what the event is, unless its formula says that well enough."""
    nodes, event = words.debugger.graph.nodes, words.event
    if isinstance(event, Seed):
        return "the seed: the gradient that enters at the output"
    if isinstance(event, Update):
        return f"update of {nodes[event.node].name}"
    if not isinstance(event, Contribution):
        return ""
    edges = words.trace.backward_events(event.consumer, event.consumer + 1)
    what = f"contribution to {nodes[event.operand].name}"
    what += f" through {nodes[event.consumer].name}"
    if len(edges) > 1:
        what += f", {edges.index(words.number) + 1} of {len(edges)}"
    return what


def below_of(words: Words) -> Iterator[tuple[int, str, Line]]:
    """Yield what the step comes to: how much it matters, its label, the line."""
    yield 0, "", []
    element = _element(words)
    if element:
        yield KEPT + 1, "one element", [Segment(element)]
    if isinstance(words.event, Contribution):
        yield 5, "accumulated", [Segment(_accumulated(words, words.event))]
    if words.looked.formula.code:
        yield KEPT, "NumPy", [Segment(words.looked.formula.code)]
    for place, note in enumerate(words.looked.notes):
        yield 4 - min(place, 2), "note", [Segment(note)]


def _element(words: Words) -> str:
    """Return the chosen element, as far as this step makes it, in numbers."""
    trace, event, wording = words.trace, words.event, words.stage.wording
    cursor = words.cursors[-1]
    if not words.looked.facets[-1].array.size:
        return ""
    if isinstance(event, Forward):
        return value_text(trace, wording, event.node, cursor)
    if isinstance(event, Contribution):
        local = words.looked.formula.local
        return contribution_text(
            trace, wording, event.edge, words.number, cursor, local
        )
    if isinstance(event, Update):
        return _update(words.debugger, event.node, cursor)
    return ""


def _update(debugger: Debugger, node: int, index: tuple[int, ...]) -> str:
    from ....core.training.iterations import Iterations  # noqa: PLC0415  # 4 ms, only of training

    if not isinstance(debugger.timeline, Iterations):
        return ""
    return update_text(
        debugger.timeline.update(debugger.place.iteration, node, index), index
    )


def _accumulated(words: Words, event: Contribution) -> str:
    """Return what the chosen element is before and after this step."""
    seen, cursor = words.looked.facets, words.cursors[-1]
    node = words.debugger.graph.nodes[event.operand]
    done, of = words.trace.uses(event.operand, words.number + 1)
    before = next((facet for facet in seen if facet.role == "before"), None)
    if not seen[-1].array.size:
        return f"{node.name}.grad is empty"
    start = 0.0 if before is None else before.array[cursor]
    name = element_name(node, cursor, "grad")
    text = f"{name}: {change_text(start, seen[-1].array[cursor])}"
    return f"{text}, {done} of {of} uses are in"


# -------------------------------------------------------------------- broken lines


def wrapped(console: Console, line: Line, width: int) -> list[Line]:
    """Break a line at its blanks."""
    if sum(cell_len(text) for text, _, _ in line) <= width:
        return [line]
    whole = Text.assemble(*((text, ink or "") for text, ink, _ in line))
    broken: list[Line] = []
    for one in whole.wrap(console, width, overflow="fold"):
        one.rstrip()
        one.end = ""
        broken.append(list(one.render(console)))
    return broken


def labelled(console: Console, label: Segment, line: Line, width: int) -> list[Line]:
    """Break a line at its blanks, all of it beside its label."""
    margin = _LABEL + 1
    if width < _NARROW_PANE:
        return wrapped(console, line, width)
    first = Segment(f"{label.text:<{margin}}"[:margin], label.style)
    later = Segment(" " * margin)
    return [
        [later if number else first, *part]
        for number, part in enumerate(wrapped(console, line, width - margin))
    ]

"""The words of backpropagation, each with a sentence and an example with true numbers.

An example is made from what is open, at the present position: it tells nothing that has
not happened yet. Where that has none, it is taken from a small net with all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ..base.errors import CommandError
from ..base.text import counted, nearest
from ..engine.element import Element, Index, index_of
from ..engine.measure import magnitudes
from ..explain.gradients import part_of
from ..explain.values import explain_value
from ..explain.verdicts import is_checkable, numeric_line, quick_check
from ..scenario.scenario import parse
from ..training.iterations import iterations_of
from ..words.events import element_name, event_line
from ..words.formulas import Wording
from ..words.names import with_wordings
from ..words.numbers import (
    bracketed,
    index_text,
    product_text,
    shape_text,
    sum_text,
    value_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..engine.graph import Edge, Graph, Node
    from ..engine.subject import Subject
    from ..engine.trace import Trace
    from ..explain.gradients import Term

_LOOKED: Final = 64  # events, or nodes, among which an example is looked for
_SHOWN: Final = 3  # terms of a sum that are written out
_ELEMENTS: Final = 250_000  # of an array, so many are looked at

# Each of its values has a name: a made-up one would be taken for one of what is open.
SMALL: Final = """\
gradstep = 1
title = "A small net"
convention = "rows"
output = "E"
program = '''
def layer(x, W, b):
    s = x @ W
    z = s + b
    return relu(z)

h = layer(x, W1, b1)
y = h @ W2
d = y - t
q = d * d
Q = sum(q)
E = 0.5 * Q
'''
[inputs]
x = [[1.0, 2.0], [3.0, -1.0]]
[parameters]
W1 = [[0.5, -1.0], [1.0, 0.5]]
b1 = [0.0, 1.0]
W2 = [[2.0], [-1.0]]
[constants]
t = [[4.0], [2.0]]
[names]
"δ1" = "h.z.grad"
[training]
learning_rate = 0.1
iterations = 1
"""


@dataclass(frozen=True)
class Scene:
    """What examples are made from: a subject and a trace of it, at a position."""

    subject: Subject  # what is open
    trace: Trace  # of the present iteration
    position: int  # how many events have been applied

    @property
    def graph(self) -> Graph:
        """The graph of the trace."""
        return self.trace.run.graph

    @cached_property
    def wording(self) -> Wording:
        """How nodes and gradients are called in formulas."""
        return Wording(self.graph, self.subject.names)

    @property
    def sent(self) -> Sequence[int]:
        """The last contributions that have been added, the newest first."""
        first = self.trace.seed_position + 1
        last = min(self.position, self.trace.update_position)
        return range(last - 1, max(first, last - _LOOKED) - 1, -1)

    @property
    def computed(self) -> Sequence[int]:
        """The last nodes that have been computed, the newest first."""
        trace = self.trace
        last = min(self.position, trace.seed_position)
        events = range(last - 1, max(last - _LOOKED, 0) - 1, -1)
        return [trace.event(number).node for number in events]

    @cached_property
    def step(self) -> tuple[Edge, Index, Term] | None:
        """A contribution that multiplies: its edge, the element, and its largest term.

        That is the newest one; of those that only copy, where there is no other.
        """
        copies: tuple[Edge, Index, Term] | None = None
        for number in self.sent:
            edge = self.trace.edge(number)
            added = np.asarray(self.trace.contribution(edge))
            if not 0 < added.size <= _ELEMENTS or self.trace.run.patches:
                continue
            index = index_of(np.argmax(magnitudes(np.ravel(added))), added.shape)
            terms = part_of(self.trace, edge, number, index).largest(1)
            if not terms:
                continue
            found = edge, index, terms[0]
            if terms[0].local not in (0.0, 1.0, -1.0):
                return found
            copies = copies or found
        return copies

    def number(self, element: Element) -> str:
        """Return an element with its number at the position: `E = 0.5`."""
        node, index = self.graph.nodes[element.node], element.index or ()
        array = self.trace.array(element.node, element.quantity, self.position)
        name = element_name(node, element.index, element.quantity)
        return name if array is None else f"{name} = {value_text(array[index])}"

    def leaf(self, *kinds: str) -> Node | None:
        """Return the first leaf of one of these kinds that is no number of a line."""
        return next(
            (n for n in self.graph.nodes if n.kind in kinds and not n.is_literal), None
        )


class Word(NamedTuple):
    """One word: what it means in a sentence, and what makes an example of it."""

    name: str  # in small letters, as sentences have it
    sentence: str  # what it means
    # returns a line about a scene, "" where there is none in it
    example: Callable[[Scene], str]
    also: tuple[str, ...] = ()  # other names that it is found by


class Explained(NamedTuple):
    """A word with its example."""

    word: Word  # what was asked for
    example: str  # one line; "" where there is none anywhere
    small: bool  # whether the example is from the small net


def word_lines(found: Explained) -> tuple[str, str]:
    """Return a word in two lines: what it means, and an example."""
    place = "in a small net, for there is none here so far" if found.small else "here"
    return f"{found.word.name}: {found.word.sentence}", f"{place}: {found.example}"


def explained(word: Word, scene: Scene) -> Explained:
    """Return a word with an example from a scene, or else from the small net."""
    line = word.example(scene)
    if line:
        return Explained(word, with_wordings(line, scene.graph), small=False)
    other = small()
    return Explained(word, with_wordings(word.example(other), other.graph), small=True)


def small() -> Scene:
    """Return the small net at its end: every word has an example in it."""
    scenario = parse(SMALL, source="small.toml")
    if scenario.training is None:
        raise AssertionError("it trains")
    trace = iterations_of(scenario, scenario.training).trace(0)
    return Scene(scenario.subject, trace, len(trace))


def find_word(text: str) -> Word:
    """Return a word by its name, by another one, or by how one of them begins.

    Raises `CommandError` where there is none, or more than one begins so.
    """
    asked = " ".join(text.lower().split())
    names = {name: word for word in WORDS for name in (word.name, *word.also)}
    for given in (asked, asked.removesuffix("s")):
        if given in names:
            return names[given]
    begun = {word.name: word for name, word in names.items() if name.startswith(asked)}
    if len(begun) == 1:
        return next(iter(begun.values()))
    hint = nearest(asked, names) or "words lists them all"
    if begun:
        hint = f"it could be {', '.join(begun)}"
    raise CommandError(f"no word is {text!r}", hint)


# --------------------------------------------------------------- what is in the graph


def _node(scene: Scene) -> str:
    for index in scene.computed[:1]:
        node = scene.graph.nodes[index]
        value = scene.number(Element(index, "value", None))
        if node.shape:
            value = f"{node.name} of shape {shape_text(node.shape)}"
        return f"{value}, made by {node.made_by}"
    leaf = scene.leaf("input", "parameter")
    return f"{leaf.name}, whose kind is {leaf.kind}" if leaf else ""


def _edge(scene: Scene) -> str:
    for index in scene.computed:
        for edge in _edges_of(scene, index)[:1]:
            consumer, operand = (scene.graph.nodes[n].name for n in _ends(edge))
            name = scene.graph.edge_name(edge)
            return f"{name}: {consumer} is computed from {operand}"
    return ""


def _edges_of(scene: Scene, index: int) -> list[Edge]:
    """Return the edges by which operands enter a node, but for literals."""
    nodes = scene.graph.nodes
    return [
        edge
        for operand in nodes[index].operands
        if not nodes[operand].is_literal
        for edge in scene.graph.consumers[operand]
        if edge.consumer == index
    ]


def _ends(edge: Edge) -> tuple[int, int]:
    return edge.consumer, edge.operand


def _leaf(scene: Scene) -> str:
    leaf = scene.leaf("input", "parameter", "constant")
    return f"{leaf.name}: it was given as {_a(leaf.kind)}" if leaf else ""


def _a(word: str) -> str:
    return f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"


def _parameter(scene: Scene) -> str:
    found = [node for node in scene.graph.nodes if node.kind == "parameter"]
    if not found:
        return ""
    size = sum(math.prod(node.shape) for node in found)
    first = found[0]
    shape = f" of shape {shape_text(first.shape)}" if first.shape else ""
    return f"{first.name}{shape}; {counted(size, 'number')} in all parameters"


def _frame(scene: Scene) -> str:
    for frame in scene.graph.frames[1:]:
        if frame.name and frame.function:
            count = counted(frame.stop - frame.first, "node")
            return f"{frame.name}: a call of {frame.function}, with {count} inside"
    return ""


def _capture(scene: Scene) -> str:
    if scene.subject.known:
        return f"{scene.subject.name}, which is open"
    return f"none is open: the numbers of {scene.subject.name} are computed here"


# --------------------------------------------------------------------------- in time


def _event(scene: Scene) -> str:
    if not scene.position:
        return ""
    line = event_line(scene.trace, scene.position - 1)
    return f"event {scene.position} of {len(scene.trace)}, the last one: {line}"


def _position(scene: Scene) -> str:
    position, count = scene.position, len(scene.trace)
    more = f"event {position + 1} is next" if position < count else "none is left"
    return f"{position} of {count}: {counted(position, 'event')} behind, {more}"


def _forward(scene: Scene) -> str:
    trace = scene.trace
    if not trace.seed_position:
        return ""
    first, last = (trace.event(n).node for n in (0, trace.seed_position - 1))
    names = [scene.graph.nodes[index].name for index in (first, last)]
    return f"events 1 to {trace.seed_position}, from {names[0]} to {names[1]}"


def _backward(scene: Scene) -> str:
    trace = scene.trace
    output = scene.graph.nodes[scene.graph.output].name
    first, last = trace.seed_position + 1, trace.update_position
    return f"events {first} to {last}, from {output} back to the leaves"


def _seed(scene: Scene) -> str:
    trace, output = scene.trace, scene.graph.nodes[scene.graph.output]
    if scene.position <= trace.seed_position:
        return f"event {trace.seed_position + 1} will let it enter at {output.name}"
    return event_line(trace, trace.seed_position)


# ------------------------------------------------------------------------- in a step


def _upstream(scene: Scene) -> str:
    if scene.step is None:
        return ""
    edge, _, term = scene.step
    consumer = Element(term.consumer, "grad", term.index)
    return f"{scene.number(consumer)} where {scene.graph.edge_name(edge)} takes it on"


def _local(scene: Scene) -> str:
    if scene.step is None:
        return ""
    edge, index, term = scene.step
    nodes = scene.graph.nodes
    consumer = element_name(nodes[edge.consumer], term.index)
    operand = element_name(nodes[edge.operand], index)
    way = ""
    if nodes[edge.consumer].operands.count(edge.operand) > 1:  # all add up to ∂
        way = f", along {scene.graph.edge_name(edge)} alone"
    return f"∂{consumer}/∂{operand} = {value_text(term.local)}{way}"


def _contribution(scene: Scene) -> str:
    if scene.step is None:
        return ""
    edge, index, term = scene.step
    into = element_name(scene.graph.nodes[edge.operand], index, "grad")
    factors = product_text(map(value_text, (term.upstream, term.local)))
    many = "a term of what" if scene.graph.nodes[edge.consumer].shape else "what"
    name = scene.graph.edge_name(edge)
    return f"{factors} = {value_text(term.product)}, {many} {name} adds to {into}"


def _accumulated(scene: Scene) -> str:
    trace, single = scene.trace, ""
    for number in scene.sent:
        event = trace.event(number)
        done, uses = trace.uses(event.node, number + 1)
        line = event_line(trace, number)
        if done == uses > 1:
            return line
        single = single or line
    return single if _meets(scene) else ""


def _meets(scene: Scene) -> bool:
    """Tell whether several contributions meet in a node, sooner or later."""
    return any(len(uses) > 1 for uses in scene.graph.consumers)


def _gradient(scene: Scene) -> str:
    if scene.step is None:
        return ""
    edge, index, _ = scene.step
    output = scene.graph.nodes[scene.graph.output].name
    element = Element(edge.operand, "grad", index)
    moved = element_name(scene.graph.nodes[edge.operand], index)
    done, uses = scene.trace.uses(edge.operand, scene.position)
    so_far = f", with {done} of {uses} contributions in" if done < uses else ""
    return f"{scene.number(element)}: how {output} moves with {moved}{so_far}"


def _chain(scene: Scene) -> str:
    """Return a contribution from where a gradient had been multiplied before."""
    for number in scene.sent:
        edge = scene.trace.edge(number)
        if edge.consumer == scene.graph.output:
            continue
        formula = scene.wording.contribution(edge, scene.trace.summed(edge))
        op = scene.graph.nodes[edge.consumer].op
        if formula.text and op is not None and not op.copies(edge.argument):
            return formula.text
    return ""


def _transpose(scene: Scene) -> str:
    for number in scene.sent:
        edge = scene.trace.edge(number)
        formula = scene.wording.contribution(edge, scene.trace.summed(edge))
        if "ᵀ" in formula.text and "→" in formula.shapes:
            return f"{formula.text}   {formula.shapes}"
    return ""


def _scalar_product(scene: Scene) -> str:
    for node in scene.computed:
        found = scene.graph.nodes[node]
        if found.op is None or found.op.kind != "contract" or 0 in found.shape:
            continue
        index = (0,) * len(found.shape)
        explained = explain_value(scene.trace.run, node, index)
        if not explained.products or len(explained.terms) < 2:
            continue
        terms = [
            product_text(value_text(factor.value) for factor in term)
            for term in explained.terms[:_SHOWN]
        ]
        more = " + …" if len(explained.terms) > _SHOWN else ""
        name = element_name(found, index)
        total = value_text(explained.value)
        return f"{name} = {sum_text(terms)}{more} = {total}"
    return ""


def _broadcast(scene: Scene) -> str:
    for node in scene.computed:
        for edge in _edges_of(scene, node):
            axes = scene.trace.summed(edge)
            one, other = (scene.graph.nodes[n] for n in _ends(edge))
            if axes and other.shape:
                return (
                    f"{other.name} {shape_text(other.shape)} in {one.name} "
                    f"{shape_text(one.shape)}; on the way back it is summed again"
                )
    return ""


def _batch(scene: Scene) -> str:
    ways = {"rows": (0, "row"), "columns": (-1, "column")}
    if scene.subject.convention not in ways:
        return ""
    axis, word = ways[scene.subject.convention]
    for node in scene.graph.nodes:
        if node.kind == "input" and len(node.shape) == 2 and node.shape[axis] > 1:
            return f"{node.name} {shape_text(node.shape)}: one sample in each {word}"
    return ""


def _delta(scene: Scene) -> str:
    for name, target in scene.subject.names.items():
        index = scene.graph.names.get(target.removesuffix(".grad"))
        if "δ" not in name or index is None:
            continue
        gradient = scene.trace.gradient(index, scene.position)
        if gradient is not None and gradient.size:
            at = index_of(np.argmax(magnitudes(np.ravel(gradient))), gradient.shape)
            place = f"{name}{index_text(at)}"
            return f"{place} = {value_text(gradient[at])}, which is {target}"
    return ""


def _kink(scene: Scene) -> str:
    for index in scene.computed:
        node = scene.graph.nodes[index]
        op = node.op
        if op is not None and op.kinks and op.work == () and op.corner:
            return f"{node.name} is made by {op.name}: {op.corner}"
    return ""


def _numeric(scene: Scene) -> str:
    if scene.step is None:
        return ""
    edge, index, _ = scene.step
    element = Element(edge.operand, "grad", index)
    if not is_checkable(scene.trace, element, scene.position):
        return ""
    found = quick_check(scene.trace, element, scene.position)
    if found is None:
        return ""
    name = element_name(scene.graph.nodes[edge.operand], index, "grad")
    return f"of {name}, {numeric_line(found)}"


def _rate(scene: Scene) -> str:
    trace = scene.trace
    for event in range(trace.update_position, min(scene.position, len(trace))):
        node = trace.event(event).node
        index = (0,) * len(scene.graph.nodes[node].shape)
        step = trace.update(node, index)
        numbers = (step.result, step.value, step.rate, step.direction)
        made, was, rate, by = (value_text(float(number)) for number in numbers)
        name = element_name(scene.graph.nodes[node], index)
        return f"{rate} in {name} = {was} − {rate} × {bracketed(by)} = {made}"
    return ""


WORDS: Final[tuple[Word, ...]] = (
    Word("node", "A value with a name, given or made by one operation.", _node),
    Word(
        "edge",
        "The use of one node by another: of an operand by its consumer.",
        _edge,
        ("operand", "consumer"),
    ),
    Word("leaf", "A node that is given, and not computed.", _leaf, ("input",)),
    Word("parameter", "A leaf that training changes.", _parameter, ("weight",)),
    Word(
        "frame",
        "One call of a function of the program, such as a layer.",
        _frame,
        ("layer",),
    ),
    Word(
        "capture",
        "A file with what was recorded of a run of other code; it opens as a scenario.",
        _capture,
    ),
    Word(
        "event",
        "The smallest step in time: a value is computed, the seed enters, an edge adds "
        "its contribution, or a parameter is updated.",
        _event,
    ),
    Word("position", "How many events have been applied.", _position),
    Word(
        "forward pass",
        "The values are computed, from the leaves to the output.",
        _forward,
        ("forward",),
    ),
    Word(
        "backward pass",
        "The gradients are computed, from the output to the leaves.",
        _backward,
        ("backward", "backpropagation"),
    ),
    Word(
        "seed",
        "The gradient that enters at the output: of a number it is 1, for it moves "
        "with itself.",
        _seed,
    ),
    Word(
        "gradient",
        "How much the output moves when a number moves: the derivative by each.",
        _gradient,
        ("derivative", "slope"),
    ),
    Word(
        "upstream",
        "The gradient that arrives at a consumer from the side of the output.",
        _upstream,
        ("upstream gradient",),
    ),
    Word(
        "local derivative",
        "How much a consumer moves with one operand, whatever comes behind it.",
        _local,
        ("local",),
    ),
    Word(
        "contribution",
        "Upstream × local derivative: what one edge adds to its operand's gradient.",
        _contribution,
    ),
    Word(
        "accumulated",
        "The sum of the contributions so far: a node that is used twice gets two.",
        _accumulated,
        ("accumulated gradient",),
    ),
    Word(
        "chain rule",
        "The derivative along a way is the product of the derivatives of its steps.",
        _chain,
    ),
    Word(
        "scalar product",
        "Multiply in pairs and add: each element of a matrix product is one.",
        _scalar_product,
        ("dot product",),
    ),
    Word(
        "transpose",
        "Rows become columns: on the way back a matrix is met from its other side.",
        _transpose,
    ),
    Word("batch", "Several samples at once, each in a row or a column.", _batch),
    Word(
        "broadcast",
        "A smaller array is repeated to fit a larger one.",
        _broadcast,
        ("broadcasting",),
    ),
    Word(
        "delta",
        "δ: the gradient of a weighted sum, before the activation of its layer.",
        _delta,
        ("δ",),
    ),
    Word(
        "learning rate",
        "How far a parameter goes against its gradient in one update.",
        _rate,
        ("rate",),
    ),
    Word(
        "numeric check",
        "The same derivative by moving a number a little, which knows no chain rule.",
        _numeric,
        ("check", "difference", "differences"),
    ),
    Word(
        "kink",
        "A place where the slopes from the left and from the right differ.",
        _kink,
        ("corner",),
    ),
)

"""What a step of a trace is about, in words: terminal and screen say the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ...core.base.errors import CommandError
from ...core.engine.subject import NotePlace, Subject, When
from ...core.engine.trace import Contribution, Forward, Seed, Trace, Update
from ...core.words.formulas import LONGEST, Wording
from ...core.words.notes import filled
from ...core.words.remarks import remarks

if TYPE_CHECKING:
    from ...core.engine.element import Element
    from ...core.engine.graph import Graph, Node, Statement
    from .look import Look

# An element as it is typed: `x1.grad[0, 2]`.
_ELEMENT: Final = re.compile(r"[^\W\d][\w.@]*\[\d+(?:, ?\d+)*\]")

Numbers = Sequence[int]  # of the events of a step, counted from 0
Pass = Literal["forward", "backward", "update"]


class Stage(NamedTuple):
    """A subject, a trace of it, and how it looks: what every drawing needs."""

    subject: Subject  # names, texts and notes
    trace: Trace  # of one iteration
    look: Look  # how it is drawn
    in_code: bool = True  # whether formulas say the same in NumPy, too

    @property
    def wording(self) -> Wording:
        """The words for the graph."""
        return wording(self.subject, self.trace, in_code=self.in_code)

    def note(self, when: When, position: int, node: int = -1) -> str:
        """Return what the author says at a place, as it reads there, or nothing."""
        text = self.subject.notes.get(NotePlace(when, node), "")
        return filled(text, self.trace, position, self.subject) if text else ""

    @property
    def graph(self) -> Graph:
        """The graph that is run."""
        return self.trace.run.graph

    def node(self, event: int) -> Node:
        """Return the node whose line an event belongs to."""
        happens = self.trace.event(event)
        is_edge = isinstance(happens, Contribution)
        return self.graph.nodes[happens.consumer if is_edge else happens.node]

    def statement(self, event: int) -> Statement | None:
        """Return the innermost statement that an event belongs to."""
        site = self.node(event).site
        return None if site is None else self.graph.statements[site.statement]


def wording(
    subject: Subject, trace: Trace, longest: int = LONGEST, *, in_code: bool = True
) -> Wording:
    """Return the words for a run: one table, for many words repeat a few names.

    Expressions have so many characters.
    """
    graph, names = trace.run.graph, subject.names
    key = "wording", longest, in_code
    return trace.run.recent.of(key, lambda: Wording(graph, names, longest, in_code))


def place(stage: Stage, numbers: Numbers) -> tuple[str, ...]:
    """Return where a step stands: `("11 of 13", "backward", "line 2")`."""
    first, last = numbers[0] + 1, numbers[-1] + 1
    which = str(first) if first == last else f"{first}-{last}"
    parts = [f"{which} of {len(stage.trace)}", pass_of(stage.trace, numbers[0])]
    node = stage.node(numbers[0])
    if isinstance(stage.trace.event(numbers[0]), Seed):
        return (*parts, "seed")
    frame = stage.graph.frame_of(node)
    if frame is not None and frame.name:
        parts.append(f"{frame.function} {frame.name}".strip())
    if node.site is not None and not stage.graph.is_library(frame):
        parts.append(stage.graph.line_of(node.site))
    return tuple(parts)


def pass_of(trace: Trace, number: int) -> Pass:
    """Return the pass that an event belongs to."""
    event = trace.event(number)
    if isinstance(event, Forward):
        return "forward"
    return "backward" if isinstance(event, (Seed, Contribution)) else "update"


def notes(stage: Stage, numbers: Numbers) -> list[str]:
    """Return what is said of a step: those of its lines, the author's, and ours."""
    said: list[str] = []
    for event in numbers:
        parts = reasons(stage, event), author_notes(stage, event)
        is_forward = isinstance(stage.trace.event(event), Forward)
        for part in parts if is_forward else reversed(parts):
            said += part
    return list(dict.fromkeys(said))


def reasons(stage: Stage, event: int) -> list[str]:
    """Return what the lines of an event or the rule of its operation say of it."""
    happens = stage.trace.event(event)
    said: Iterable[str] = ()
    if isinstance(happens, Forward):
        found = (r for r in remarks(stage.trace.run) if r.node == happens.node)
        lines = _comments(stage.graph, stage.graph.nodes[happens.node])
        said = [
            *_misrecorded(stage, happens.node),
            *lines,
            *(remark.sentence for remark in found),
        ]
    elif isinstance(happens, Contribution):
        said = [*_theirs(stage, happens), *_rules(stage, event, happens)]
    return [one for one in dict.fromkeys(said) if one]


def _theirs(stage: Stage, happens: Contribution) -> Iterator[str]:
    """Yield what somebody else has where a contribution arrives, if that is wrong."""
    run, claims = stage.trace.run, stage.subject.claims
    if claims is None or run.patches:
        return
    from ...core.account.account import account  # noqa: PLC0415  # few have any
    from ...core.account.blame import blame  # noqa: PLC0415  # likewise

    found = run.recent.of("account", lambda: account(run, claims))
    edge = (happens.consumer, happens.argument)
    for group in found.rules():
        if any(edge == one.edges[-1][:2] for one in group if one.edges):
            said = blame(found, group, stage.look.sentence)
            yield said.head
            yield from said.lines


def _misrecorded(stage: Stage, node: int) -> Iterator[str]:
    """Yield that a recorded value is not what its operation gives, where it is not."""
    run = stage.trace.run
    if node in stage.subject.known and not run.patches:
        from ...core.capture import selfcheck  # noqa: PLC0415  # few are captures

        row, values = run.graph.nodes.rows[node], run.values
        given, claims = [values[k] for k in row[4]], stage.subject.claims
        widened = claims is not None and claims.widened
        found = selfcheck.difference(row, values[node], given, widened=widened)
        if found is not None:
            said = selfcheck.sentence(run.graph, found)
            yield f"not what this operation gives: {said}"


def author_notes(stage: Stage, event: int) -> list[str]:
    """Return what the author says of an event."""
    found = (stage.note(p.when, event + 1, p.node) for p in _places(stage.trace, event))
    return [note for note in found if note]


def _places(trace: Trace, event: int) -> list[NotePlace]:
    """Return where the notes of an event stand."""
    happens = trace.event(event)
    if not isinstance(happens, (Seed, Contribution)):
        when = "forward" if isinstance(happens, Forward) else "update"
        return [NotePlace(when, happens.node)]
    found, nodes = [NotePlace("seed")], [happens.node]
    if isinstance(happens, Contribution):
        found, nodes = [], [happens.consumer, happens.operand]
    spoken = (node for node in nodes if trace.speaking(node) == event)
    return found + [NotePlace("backward", node) for node in spoken]


def spoken_of(subject: Subject, trace: Trace, event: int) -> Element | None:
    """Return the element of what an event makes that a note of the author names.

    Of an update that may be one of the gradient, which it shows as well.
    """
    graph, names, happens = trace.run.graph, subject.names, trace.event(event)
    notes = [subject.notes.get(place, "") for place in _places(trace, event)]
    words = [word for note in notes for word in _ELEMENT.findall(note)]
    if not words:
        return None
    from ...core.expression.expression import parse_element  # noqa: PLC0415  # 5 ms, where a note has a word like it

    shown = {"grad"} if isinstance(happens, (Seed, Contribution)) else {"value"}
    if isinstance(happens, Update):
        shown = {"value", "grad"}
    for word in words:
        try:
            element = parse_element(word, graph, names)
        except CommandError:
            continue  # only a word that looks like one
        if element.node == happens.node and element.quantity in shown:
            return element
    return None


def _comments(graph: Graph, node: Node) -> list[str]:
    """Return the comments of statements that end with a node, the outermost first.

    That of a line that only calls what is done says which line it is.
    """
    ending = takewhile(
        lambda one: one[1].stop - 1 == node.index, graph.around(node.site)
    )
    lines = [one for _, one, frame in ending if not graph.is_library(frame)]
    return [
        f"line {one.line}: {one.note}" if number else one.note
        for number, one in enumerate(lines)
        if one.note
    ][::-1]


def _rules(stage: Stage, event: int, happens: Contribution) -> Iterator[str]:
    """Yield what the rule of an operation says of itself, and of its layer."""
    if not stage.trace.run.patches:
        from ...core.words.layers import recursion  # noqa: PLC0415  # 1 ms, only going back

        layer = recursion(stage.wording, happens.edge)
        shapes = f"   {layer.shapes} ✓" if layer.shapes else ""
        yield f"layer by layer: {layer.text}{shapes}" if layer.text else ""
    yield stage.wording.contribution(happens.edge).why
    op = stage.graph.nodes[happens.consumer].op
    if op is None or not op.corner:
        return
    from ...core.explain.why.spread import breaks  # noqa: PLC0415  # 4 ms, only at a corner

    # What has arrived broken says nothing of this operation's corner.
    if breaks(stage.trace, event):
        yield op.corner

"""Playback: the steps of a trace, one after the other, as text, Markdown or JSON."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal

from rich.text import Text

from ...core.base.errors import CommandError, Problem, gathered
from ...core.base.progress import with_progress
from ...core.base.text import counted
from ...core.engine.trace import Contribution, Trace
from ...core.export.records import dump, event_record
from ...core.session.location import parse_location
from ...core.words.numbers import shape_text
from .blocks import LONGEST_LINE, MARGIN, Block, indent, indented, under, wrap
from .stage import Numbers, Stage, notes, place
from .step import body, paragraph, rule, step_block
from .tables import node_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from ...core.base.progress import Progress
    from ...core.engine.graph import Graph
    from ...core.engine.subject import Subject, When
    from .look import Index, Look

Size = Literal["events", "nodes", "statements"]

CONVENTIONS: Final = {
    "rows": "rows: one sample per row, x @ W",
    "columns": "columns: one sample per column, W @ x",
    "": "",
}
_SLICE: Final = re.compile(r"\s*(?P<name>[^\[\]]+?)\s*\[(?P<index>[^\[\]]*)\]\s*")
_PART: Final = re.compile(
    r"\s*([+-]?\d*)\s*(?:(:)\s*([+-]?\d*)\s*(?::\s*([+-]?\d*))?)?\s*"
)
_INDICES: Final = "allowed are 5, -1, 0:3 and :"
_MARKS: Final = re.compile(r"([\\`*_{}\[\]<>#|~&$])")


@dataclass(frozen=True, slots=True)
class Pace:
    """How much one step takes together, and the seconds that it stays."""

    size: Size = "events"  # what one step is
    delay: float = 0.0  # 0 for no wait


# -------------------------------------------------------------------- which events


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events to play, as they were asked for."""

    start: str = "start"  # a LOC: its first event comes first
    stop: str = "end"  # a LOC: its last event comes last
    only: tuple[str, ...] = ()  # names of nodes; () for all

    def events(self, trace: Trace, subject: Subject) -> Sequence[int]:
        """Return the numbers of the events; `CommandError` has all that is wrong."""
        problems: list[Problem] = []
        first, stop, chosen = 0, len(trace), set[int]()
        with gathered(problems, "--from"):
            first = _spans(self.start, trace, subject)[0].start
        with gathered(problems, "--to"):
            spans = _spans(self.stop, trace, subject, at_last=True)
            stop = next((span.stop for span in spans if span.stop > first), 0)
        for name in self.only:
            with gathered(problems, "--only"):
                chosen.update(_of_place(name, trace, subject))
        if not problems and stop <= first:
            message = f"{self.stop} comes before {self.start}"
            problems.append(Problem(message, "it is the last event to show", "--to"))
        if problems:
            raise CommandError(problems)
        if not self.only:
            return range(first, stop)
        wanted = [number for number in range(first, stop) if number in chosen]
        if not wanted:
            message = f"nothing happens at {' '.join(self.only)} there"
            hint = f"from {self.start} to {self.stop} are events {first + 1} to {stop}"
            raise CommandError(Problem(message, hint, "--only"))
        return wanted


def _of_place(name: str, trace: Trace, subject: Subject) -> Iterator[int]:
    """Yield the events of a place; of a node those as well that go into it.

    Raises `CommandError` where nothing happens.
    """
    node = trace.run.graph.names.get(name.strip("`"))
    if node is None:
        yield from (n for span in _spans(name, trace, subject) for n in span)
        return
    found = [n for n in range(len(trace)) if _touches(trace, n, node)]
    if not found:
        hint = "no gradient flows there, and it is never computed"
        raise CommandError(f"nothing happens at {name}", hint)
    yield from found


def _touches(trace: Trace, number: int, node: int) -> bool:
    """Tell whether an event computes a node, or goes to it or out of it."""
    event = trace.event(number)
    return node in (event[::2] if isinstance(event, Contribution) else event)


def _spans(
    text: str, trace: Trace, subject: Subject, *, at_last: bool = False
) -> list[range]:
    """Return the events of a place; a leaf is reached with the last of them."""
    text = text.strip()
    size = len(trace)
    if text in {"start", "end"}:
        return [range(1) if text == "start" else range(size - 1, size)]
    percentage = re.fullmatch(r"(\d{1,3}(?:\.\d{1,9})?)\s*%", text)
    if percentage and float(percentage[1]) <= 100:
        last = min(max(round(size * float(percentage[1]) / 100), 1), size)
        return [range(last - 1, last)]
    location = f"#{text}" if text.isdecimal() else text
    place = parse_location(location, trace, subject.names)
    spans = place.spans(trace)
    if not spans:
        hint = "no gradient flows there, or it is never computed"
        raise CommandError(f"nothing happens at {text}", hint)
    return spans[-1:] if place.leaf is not None and at_last else spans


def steps(stage: Stage, events: Iterable[int], size: Size) -> Iterator[Numbers]:
    """Yield the events of one step after the other."""
    if size == "events":
        yield from ([event] for event in events)
        return

    def key(event: int) -> tuple[type, int]:
        statement = stage.statement(event)
        is_wide = size == "statements" and statement is not None
        happens = stage.trace.event(event)
        index = stage.node(event).index
        return type(happens), statement.index if is_wide and statement else index

    yield from (list(group) for _, group in groupby(events, key))


def slices_of(texts: Iterable[str], graph: Graph) -> dict[int, Index]:
    """Read `W1[0:3, 5]`, or raise `CommandError` with everything that is wrong."""
    slices: dict[int, Index] = {}
    problems: list[Problem] = []
    for text in texts:
        with gathered(problems, "--slice"):
            node, index = _slice(text, graph)
            slices[node] = index
    if problems:
        raise CommandError(problems)
    return slices


def _slice(text: str, graph: Graph) -> tuple[int, Index]:
    found = _SLICE.fullmatch(text)
    if not found:
        message = f"{text!r} is not a part of an array"
        raise CommandError(message, "allowed is NODE[0:3, 5]")
    node = graph.node(found["name"].removesuffix(".grad"))
    parts = found["index"].split(",") if found["index"].strip() else []
    index = [_part(part) for part in parts]
    index += [slice(None)] * (len(node.shape) - len(index))
    if len(index) > len(node.shape):
        message = f"too many axes for {node.name}: {len(index)} of {len(node.shape)}"
        raise CommandError(message, f"its shape is {shape_text(node.shape)}")
    for axis, (part, size) in enumerate(zip(index, node.shape, strict=True)):
        if isinstance(part, slice):
            is_empty = not range(size)[part]
        else:
            is_empty = not -size <= part < size
        if is_empty:
            message = (
                f"nothing of {node.name} is there: axis {axis} has the length {size}"
            )
            raise CommandError(message, f"its shape is {shape_text(node.shape)}")
    return node.index, tuple(index)


def _part(text: str) -> int | slice:
    found = _PART.fullmatch(text)
    numbers = found.group(1, 3, 4) if found else ()
    if not found or any(len(number or "") > 9 for number in numbers):
        message = f"{text.strip()!r} is not an index"
        raise CommandError(message, _INDICES)
    start, stop, step = (int(n) if n and n not in "+-" else None for n in numbers)
    if found[2]:
        if step == 0:
            raise CommandError("the step of a slice is 0", "1 is the default")
        return slice(start, stop, step)
    if start is None:
        raise CommandError("an index is missing", _INDICES)
    return start


# ------------------------------------------------------------------- how it is told


Came = Callable[[int], None]  # told of each step, once it is printed: its events


def _nobody(_events: int) -> None:
    """Listen to nothing."""


def play(
    console: Console,
    stage: Stage,
    events: Numbers,
    pace: Pace,
    came: Came = _nobody,
    before: Callable[[Numbers], None] = lambda numbers: None,
) -> None:
    """Print the steps as tables; `before` is called with the events of each, first.

    Behind the last one it is called with the number of none.
    """
    width, stage = console.width, stage._replace(in_code=False)
    if events and events[0] == 0:
        console.print(opening(stage, width))
    for numbers in steps(stage, events, pace.size):
        before(numbers)
        drawn = step_block(stage, numbers, width, brief=pace.size == "statements")
        if numbers[0] == 0 or numbers[0] != events[0]:
            drawn = under(Block.of([Text("")]), drawn)
        console.print(drawn, crop=False)  # it is as wide as the screen already
        came(len(numbers))
        _wait(console, pace)
    if events and events[-1] == len(stage.trace) - 1:
        before([len(stage.trace)])
        console.print(closing(stage, width))


def opening(stage: Stage, width: int) -> Block:
    """Return what is said of a subject, its sources and what it starts from."""
    subject, look, inner = stage.subject, stage.look, width - MARGIN
    told = [
        wrap(look.text(subject.summary), min(inner, LONGEST_LINE)),
        Block.of([Text("")]),
        facts_block(subject, stage.trace, look, inner),
        Block.of([Text("")]),
        sources_block(stage.graph, look, inner),
        Block.of([Text("")]),
        _leaves(stage, inner),
    ]
    start = 0 if subject.summary else 2
    return under(
        rule(look.text(subject.title or subject.name, "title"), look, width, "━"),
        indent(under(*told[start:]), MARGIN),
        *_said(stage, "start", width),
    )


def closing(stage: Stage, width: int) -> Block:
    """Return what came out: the gradients of all that was given."""
    look = stage.look
    return under(
        Block.of([Text("")]),
        rule(look.text("gradients", "title"), look, width, "━"),
        indent(_gradients(stage, width - MARGIN), MARGIN),
        *_said(stage, "end", width),
    )


def _said(stage: Stage, when: When, width: int) -> list[Block]:
    note = stage.note(when, 0 if when == "start" else len(stage.trace))
    return [paragraph(note, "note", stage.look, width)] if note else []


def facts(subject: Subject, trace: Trace) -> tuple[str, ...]:
    """Return the name, the convention if there is one, the dtype, output and size."""
    graph, convention = subject.graph, CONVENTIONS[subject.convention]
    return (
        subject.name,
        *((convention,) if convention else ()),
        subject.dtype,
        f"output {graph.nodes[graph.output].name}",
        f"{counted(len(graph), 'node')}, {counted(len(trace), 'event')}",
        *samples_told(trace),
    )


def samples_told(trace: Trace) -> tuple[str, ...]:
    """Return which samples are shown, in words; nothing where these are all."""
    return () if trace.samples is None else (str(trace.samples),)


def facts_block(subject: Subject, trace: Trace, look: Look, width: int) -> Block:
    """Return the facts in lines that break between them."""
    lines: list[str] = []
    for fact in facts(subject, trace):
        longer = f"{lines[-1]}{look.dot}{fact}" if lines else fact
        lines[-1:] = [longer] if len(longer) <= width else [*lines[-1:], fact]
    return under(*(wrap(look.text(line, "quiet"), width) for line in lines))


def sources_block(graph: Graph, look: Look, width: int) -> Block:
    """Return the lines of the author's own sources, under their names if many."""
    blocks: list[Block] = []
    for name in graph.own:
        if len(graph.own) > 1:
            blocks += [Block.of([Text("")])] * bool(blocks)
            blocks.append(Block.of([look.text(name, "quiet")]))
        blocks.append(_source_block(graph.sources[name].text, look, width))
    return under(*blocks)


def _source_block(text: str, look: Look, width: int) -> Block:
    """Return the lines of a text with their numbers."""
    lines = text.expandtabs(4).rstrip().split("\n")
    skipped = next((k for k, line in enumerate(lines) if line.strip()), 0)
    digits = len(str(len(lines)))
    drawn: list[Text] = []
    for number, line in enumerate(lines[skipped:], skipped + 1):
        first, *rest = wrap(look.text(line), width - digits - 4).lines or (Text(""),)
        label = look.text(f"{number:>{digits}}  ", "quiet")
        drawn += [label.append_text(first), *indented(rest, digits + 4)]
    return Block.of(drawn)


def _leaves(stage: Stage, width: int) -> Block:
    nodes = [node for node in stage.graph if node.op is None and not node.is_literal]
    columns = ("node", "kind", "shape", "value")
    return node_table(stage.look, stage.trace.run, nodes, columns, width)


def _gradients(stage: Stage, width: int) -> Block:
    nodes = [n for n in stage.graph if n.kind in {"input", "parameter"}]
    columns = ("node", "shape", "value", "gradient")
    return node_table(stage.look, stage.trace.run, nodes, columns, width)


def _wait(console: Console, pace: Pace) -> None:
    console.file.flush()
    if pace.delay > 0:
        time.sleep(pace.delay)


# ---------------------------------------------------------------------------- JSON


def play_json(
    console: Console,
    stage: Stage,
    events: Numbers,
    pace: Pace,
    came: Came = _nobody,
) -> None:
    """Print one event a line, as JSON."""
    for event in events:
        record = event_record(stage.trace, event, stage.wording)
        console.file.write(dump(record | {"notes": notes(stage, [event])}) + "\n")
        came(1)
        _wait(console, pace)


# ------------------------------------------------------------------------ Markdown


def play_markdown(
    console: Console,
    stage: Stage,
    events: Numbers,
    pace: Pace,
    came: Came = _nobody,
    progress: Progress | None = None,
) -> None:
    """Print the steps as Markdown: headings, fenced tables, quoted notes."""
    write, width, subject = console.file.write, console.width, stage.subject
    if events and events[0] == 0:
        write(f"# {_escaped(subject.title or subject.name)}\n\n")
        told = stage.look.dot.join(facts(subject, stage.trace))
        for text in (subject.summary, told):
            write(f"{_escaped(text)}\n\n" if text else "")
        write(_fenced(sources_block(stage.graph, stage.look, width), "python"))
        write(_fenced(_leaves(stage, width)))
        write(_quoted([stage.note("start", 0)]))
    for numbers in steps(stage, with_progress(events, progress), pace.size):
        write(_markdown_step(stage, numbers, pace, width))
        came(len(numbers))
        _wait(console, pace)
    if events and events[-1] == len(stage.trace) - 1:
        write("## gradients\n\n" + _fenced(_gradients(stage, width)))
        write(_quoted([stage.note("end", len(stage.trace))]))


def _markdown_step(stage: Stage, numbers: Numbers, pace: Pace, width: int) -> str:
    head = stage.look.dot.join(place(stage, numbers))
    statement = stage.statement(numbers[0])
    told = body(stage, numbers, width, brief=pace.size == "statements")
    if statement is not None:
        line = wrap(stage.look.text(statement.text), width)
        told = under(line, Block.of([Text("")]), told)
    return f"## {_escaped(head)}\n\n{_fenced(told)}{_quoted(notes(stage, numbers))}"


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _fenced(block: Block, language: str = "text") -> str:
    text = "\n".join(line.plain.rstrip() for line in block.lines)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}{language}\n{text}\n{fence}\n\n"


def _quoted(said: Iterable[str]) -> str:
    return "".join(f"> {_escaped(note)}\n\n" for note in said if note)

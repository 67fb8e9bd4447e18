"""Commands that look and change nothing."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.errors import CommandError
from ..base.progress import with_progress
from ..base.text import nearest
from ..practice.predict.score import OUTCOMES, tally
from ..session.changes import changes
from ..session.memory import Display
from ..session.reply import Answer, Listing, Table, Value
from ..session.steps import place_of
from ..session.stops import changing, known_value
from ..words.digits import SENTENCE
from ..words.events import event_line
from ..words.names import called
from ..words.numbers import change_text, printed, value_text
from .movement import here, marks_table
from .stopping import stops_table
from .table import Command, refuse_hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..engine.graph import Graph, Node
    from ..session.session import Session

_DISPLAYS: Final = "of each display its `number`, `expression` and `value`"
NO_SOURCES: Final = "this graph has no source: it was made without a program"
_LIST_LINES = 10
_MOST_ROWS: Final = 19  # of a table of iterations, below its heading


def _print(session: Session, arguments: str) -> Answer:
    if not arguments:
        raise CommandError("print what?", "print EXPR")
    expression = session.expression(arguments)
    value = expression.evaluate(session.state())
    shown = Value(expression.text, value)
    text = f"{expression.text} = {printed(value, session.digits)}"
    return Answer((text,), value, shown)


def _display(session: Session, arguments: str) -> Answer:
    memory = session.memory
    if arguments:
        expression = session.expression(arguments)
        memory.displayed += 1
        memory.displays[memory.displayed] = Display(memory.displayed, expression)
    return _displayed(session, "nothing is displayed")


def _displayed(session: Session, otherwise: str) -> Answer:
    table, digits = _displays_table(session), session.digits
    lines = [f"{n}: {text} = {value_text(now, digits)}" for n, text, now in table.rows]
    return Answer(tuple(lines) or (otherwise,), table.records())


def _undisplay(session: Session, arguments: str) -> Answer:
    displays = session.memory.displays
    if not arguments:
        more = " any more" * bool(displays)
        displays.clear()
        return _displayed(session, f"nothing is displayed{more}")
    for number in arguments.replace(",", " ").split():
        if not number.isdecimal() or int(number) not in displays:
            known = ", ".join(map(str, displays)) or "none"
            raise CommandError(f"there is no display {number!r}", f"displays: {known}")
        del displays[int(number)]
    return _display(session, "")


def _history(session: Session, arguments: str) -> Answer:
    """List every change of an expression in this iteration, the future's too."""
    if not arguments:
        raise CommandError("the history of what?", "history EXPR")
    expression = session.expression(arguments)
    digits = session.digits
    events = with_progress(changing(expression, session.trace), session.progress)
    rows = [
        (*change, event_line(session.trace, change.event - 1, digits))
        for change in changes(session, expression, events)
    ]
    table = Table(
        f"history of {expression.text}", ("event", "before", "after", "by"), tuple(rows)
    )
    lines = [f"#{n}  {change_text(b, a, digits)}  {by}" for n, b, a, by in rows]
    return Answer(tuple(lines) or ("it never changes",), table.records(), table)


def _current(session: Session) -> Node | None:
    """Return the node of the event just applied, or of the first one to come."""
    if not len(session.trace):
        return None
    number = max(session.position - 1, 0)
    return session.graph.nodes[place_of(session.trace.event(number))]


def _list(session: Session, arguments: str) -> Answer:
    graph, node = session.graph, _current(session)
    frame = graph.frame_of(node) if node else None
    here = frame.source if frame else graph.main
    present = node.site.line if node and node.site else 0
    if not graph.sources:
        return Answer((NO_SOURCES,), {"source": None, "lines": []})
    source, middle = _line(graph, arguments) if arguments else (here, present)
    lines = graph.texts[source]
    first = max(1, min(middle - _LIST_LINES // 2, len(lines) - _LIST_LINES + 1))
    chosen = lines[first - 1 : first - 1 + _LIST_LINES]
    rows = tuple(
        (number, text, "▶" if source == here and number == present else "")
        for number, text in enumerate(chosen, first)
    )
    plain = tuple(f"{mark or ' '} {number:3} {text}" for number, text, mark in rows)
    told = [
        {"line": number, "text": text, "present": bool(mark)}
        for number, text, mark in rows
    ]
    return Answer(plain, {"source": source, "lines": told}, Listing(source, rows))


def _line(graph: Graph, text: str) -> tuple[str, int]:
    """Read `LINE` or `SOURCE:LINE`: a source, and a line of it."""
    source, _, number = text.rpartition(":")
    source = source or graph.main
    if not number.isdecimal() or source not in graph.sources:
        known = ", ".join(graph.sources)
        raise CommandError(
            f"{text!r} is not a line", f"list [SOURCE:]LINE; sources: {known}"
        )
    return source, int(number)


def _where(session: Session, _arguments: str) -> Answer:
    """Say where we are: the frames, and the way from here to the output."""
    node = _current(session)
    if node is None:
        return Answer((here(session),), {"node": None, "frames": [], "path": []})
    graph = session.graph
    lines = [here(session)]
    around = list(graph.around(node.site))
    for depth, (site, _, frame) in enumerate(around):
        name = f"{frame.name} = {frame.function}(…)" if frame.index else "the program"
        lines.append(f"#{depth}  in {name}, {graph.line_of(site)}")
    frames = [
        {"name": f.name, "function": f.function, "source": f.source, "line": site.line}
        for site, _, f in around
    ]
    path = path_to_output(graph, node.index)
    names = [graph.nodes[index].name for index in path]
    if path:
        told = [called(graph.nodes[index]) for index in path]
        lines.append("to the output: " + " → ".join(_shortened(told)))
    else:
        lines.append(f"no path leads from {node.name} to the output")
    data = {"node": node.name, "frames": frames, "path": names}
    return Answer(tuple(lines), data)


def _shortened(names: list[str], most: int = 16) -> list[str]:
    if len(names) <= most:
        return names
    half = most // 2
    return [*names[:half], f"… {len(names) - most} more …", *names[-half:]]


def path_to_output(graph: Graph, node: int) -> list[int]:
    """Return a shortest way from a node to the output, both included, or nothing."""
    came: dict[int, int | None] = {node: None}
    queue = deque([node])
    while queue:
        index = queue.popleft()
        if index == graph.output:
            break
        for edge in graph.consumers[index]:
            if edge.consumer not in came:
                came[edge.consumer] = index
                queue.append(edge.consumer)
    if graph.output not in came:
        return []
    path: list[int] = []
    step: int | None = graph.output
    while step is not None:
        path.append(step)
        step = came[step]
    return path[::-1]


def _whatis(session: Session, arguments: str) -> Answer:
    if not arguments:
        raise CommandError("what is what?", "whatis NODE, or whatis EXPR")
    index = session.graph.names.get(arguments)
    if index is None:
        value = session.expression(arguments).evaluate(session.state())
        array = np.asarray(value)
        if isinstance(value, (str, tuple)):
            return Answer((f"{arguments}: {value}",), {"value": value})
        facts: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype)}
        text = f"{arguments}: shape {array.shape}, {array.dtype}"
        return Answer((text,), facts)
    facts = node_facts(session, session.graph.nodes[index])
    lines = [
        f"{name}: {value}" for name, value in facts.items() if value not in ("", [])
    ]
    return Answer(tuple(lines), facts, Table(arguments, ("", ""), tuple(facts.items())))


def node_facts(session: Session, node: Node) -> dict[str, Any]:
    """Return what is known of a node without looking at its numbers."""
    graph, run = session.graph, session.trace.run
    op = node.op
    return {
        "name": node.name,
        "kind": node.kind,
        "op": op.name if op else "",
        "text": node.site.text if node.site else "",
        "source": graph.source_of(node.site) if node.site else "",
        "line": node.site.line if node.site else "",
        "shape": str(node.shape),
        "dtype": str(run.value(node.index).dtype),
        "operands": [
            f"{graph.nodes[i].name} {graph.nodes[i].shape}" for i in node.operands
        ],
        "consumers": [
            graph.nodes[e.consumer].name for e in graph.consumers[node.index]
        ],
        "gradient": "yes" if run.arrives(node.index) else "none flows",
        "summary": op.summary if op else "",
        "corner": op.corner if op else "",
    }


def _nodes_table(session: Session) -> Table:
    rows = [
        (n.name, n.made_by, str(n.shape), n.site.text if n.site else "")
        for n in session.graph.nodes
    ]
    return Table("nodes", ("name", "operation", "shape", "text"), tuple(rows))


def _frames_table(session: Session) -> Table:
    rows = [
        (
            "  " * (f.depth - 1) + f.name,
            f.function,
            f.call.line if f.call else 0,
            f.stop - f.first,
        )
        for f in session.graph.frames[1:]
    ]
    return Table("frames", ("name", "function", "line", "nodes"), tuple(rows))


def _displays_table(session: Session) -> Table:
    rows = [
        (
            number,
            display.expression.text,
            known_value(display.expression, session.state()),
        )
        for number, display in session.memory.displays.items()
    ]
    return Table("displays", ("number", "expression", "value"), tuple(rows))


def runs_table(session: Session) -> Table:
    """Return the runs of the session, with their output in the present iteration."""
    from ..session.runs import run_rows  # noqa: PLC0415  # 1 ms of a start

    rows = [
        (
            "▶" if run.number == session.chosen else "",
            run.number,
            run.text,
            "" if run.parent is None else run.parent,
            run.output,
        )
        for run in run_rows(session)
    ]
    return Table("runs", ("", "number", "what", "from", "output"), tuple(rows))


def iterations_table(session: Session) -> Table:
    """Return the loss and the gradients' norms of the iterations that have run."""
    output = session.graph.nodes[session.graph.output].name
    names = [n.name for n in session.graph.nodes if n.kind == "parameter"]
    rows = [(i, r.loss, *r.norms) for i, r in enumerate(session.timeline.records)]
    columns = ("iteration", output, *(f"‖{name}.grad‖" for name in names))
    return Table("iterations", columns, tuple(rows))


def updates_table(session: Session) -> Table:
    """Return the updates of the present iteration, with all that makes them.

    Raises `CommandError` where nothing is trained.
    """
    trace = session.trace
    if trace.iteration is None:
        raise CommandError("nothing is updated", "the scenario has no table [training]")
    steps = [trace.update(node) for node in trace.updates]
    optimizer = trace.iteration.optimizer
    before, after = optimizer.state, [f"next {name}" for name in optimizer.state]
    columns = ("parameter", "value", "gradient", "rate", *before, *after, "next value")
    rows = [
        (
            *(s.name, s.value, s.gradient, s.rate),
            *(*s.before.values(), *s.after.values()),
            s.result,
        )
        for s in steps
    ]
    formula = "; ".join(optimizer.formula).format(W="W", G="∂E/∂W")
    return Table(f"updates: {formula}", columns, tuple(rows))


def _predictions_table(session: Session) -> Table:
    columns = ("asked for", *OUTCOMES.values())
    return Table("predictions", columns, tuple(tally(session.memory.answered)))


_INFO: Final[Mapping[str, Callable[[Session], Table]]] = {
    "stops": stops_table,
    "displays": _displays_table,
    "marks": marks_table,
    "runs": runs_table,
    "iterations": iterations_table,
    "updates": updates_table,
    "nodes": _nodes_table,
    "frames": _frames_table,
    "predictions": _predictions_table,
}


# Tables with numbers that are not there yet: predict hides them.
_AHEAD: Final = ("runs", "iterations", "updates")
_INFO_DATA: Final[Mapping[str, str]] = {
    "stops": "see `enable`",
    "displays": "see `display`",
    "marks": "see `marks`",
    "runs": "see `runs`",
    "iterations": "`iteration`, the output by its name, and the norm of each "
    "parameter's gradient, named `‖W.grad‖`",
    "updates": "`parameter`, `value`, `gradient`, `rate`, the state of the optimizer "
    "before and after, such as `m` and `next m`, and `next value`",
    "nodes": "`name`, `operation`, `shape` and `text`",
    "frames": "`name`, `function`, `line` of the call, and how many `nodes`",
    "predictions": "what was `asked for`, and how many were `right at once`, `right "
    "later` and `shown`",
}


def _info(session: Session, arguments: str) -> Answer:
    names = [name for name in _INFO if arguments and name.startswith(arguments)]
    if len(names) > 1:
        raise CommandError(f"{arguments!r} could be {', '.join(names)}")
    if not names:
        raise CommandError(
            f"there is no table {arguments!r}" if arguments else "info of what?",
            nearest(arguments, _INFO) or ", ".join(_INFO),
        )
    if names[0] in _AHEAD:
        refuse_hidden(session, ("predict",))
    answer = table_answer(_INFO[names[0]](session), session.digits)
    return _sampled(answer) if names[0] == "iterations" else answer


def table_answer(table: Table, digits: int = SENTENCE) -> Answer:
    """Return a table as an answer: its rows as records, and as lines below a head."""
    cells = [[value_text(cell, digits) for cell in row] for row in table.rows]
    lines = _in_columns([table.columns, *cells]) if cells else (f"no {table.title}",)
    return Answer(tuple(lines), table.records(), table)


def _in_columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows of one line each, with what is below each other at one place."""
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(size) for cell, size in zip(row, sizes, strict=True))
        yield "  ".join(cells).rstrip()


def _sampled(answer: Answer) -> Answer:
    """Show a long table by rows at equal distances; data has all."""
    table: Table = answer.show
    count = len(table.rows)
    if count > _MOST_ROWS:
        last = _MOST_ROWS - 1
        kept = tuple(table.rows[k * (count - 1) // last] for k in range(_MOST_ROWS))
        title = f"{table.title}: {len(kept)} of {count}"
        table = Table(title, table.columns, kept)
    return answer._replace(text=table_answer(table).text, show=table)


ROWS: Final[tuple[Command, ...]] = (
    Command(
        "print",
        "EXPR",
        "the value of an expression over values and gradients",
        _print,
        "p",
        ("p",),
        "expression",
        data="the value: a number, an array, a tuple or a text",
    ),
    Command(
        "display",
        "[EXPR]",
        "print an expression at each stop; without one, print them all now",
        _display,
        "disp",
        ("D",),
        "expression",
        data=_DISPLAYS,
    ),
    Command(
        "undisplay",
        "[N …]",
        "stop displaying",
        _undisplay,
        "und",
        completes="display",
        data=_DISPLAYS,
    ),
    Command(
        "history",
        "EXPR",
        "each change of an expression with its event",
        _history,
        "hist",
        completes="expression",
        data="of each change its `event` (from 1), the values `before` and `after`, "
        "and the event in words: `by`",
        hidden_in=("predict",),
    ),
    Command(
        "list",
        "[LINE]",
        "the program's text around here",
        _list,
        "l",
        help="SOURCE:LINE is a line of another source: prelude:7, model.py:56.",
        data="`source`, None where there is none, and `lines`, each with `line` (its "
        "number), `text`, and whether it is `present`",
    ),
    Command(
        "where",
        "",
        "the frames, and the way to the output",
        _where,
        "bt",
        data="the present `node`; `frames`, the innermost first, each with `name` and "
        "`function` (empty for the program itself), `source` and `line`; and `path`, "
        "the nodes from there to the output",
    ),
    Command(
        "whatis",
        "NODE | EXPR",
        "kind, operation, shape, operands and consumers",
        _whatis,
        completes="expression",
        data="of a node `name`, `kind`, `op`, `text`, `source`, `line`, `shape`, "
        "`dtype`, `operands`, `consumers`, `gradient` (yes, or none flows), `summary` "
        "and `corner` of its operation; of an expression `shape` and `dtype`, or the "
        "`value` where that is a text or a tuple",
    ),
    Command(
        "info",
        " | ".join(_INFO),
        "tables of what the session holds",
        _info,
        "i",
        completes="word",
        words=tuple(_INFO),
        data="the rows of the table, each by its headings. "
        + "; ".join(f"{name}: {fields}" for name, fields in _INFO_DATA.items()),
    ),
)

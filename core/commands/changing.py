"""Commands that change something: each makes a new run beside the old one."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.errors import CommandError, Interrupted
from ..base.text import clean, counted
from ..engine.backward import UNFIT
from ..engine.element import Element
from ..engine.graph import Edge
from ..explain.compare import Comparison, beside, compare, same_place
from ..mistakes.catalogue import MISTAKES, find_mistake, with_mistake
from ..session.memory import Branch, Place
from ..session.reply import Answer, Table
from ..words.digits import CELL
from ..words.edges import parse_edge
from ..words.numbers import change_text, distinct, element_text, index_text, value_text
from .looking import runs_table, table_answer
from .movement import here, whole_number
from .table import Command, refuse_hidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..engine.graph import Node
    from ..engine.patches import Patches
    from ..explain.compare import Difference
    from ..expression.expression import Expression
    from ..mistakes.catalogue import Mistake
    from ..ops.table import Array, Value
    from ..session.session import Session
    from ..training.timeline import Timeline

_MOST_LINES = 8  # of differing nodes, in the text of one reply
_DIFFERING: Final = (
    "the first node that differs `forward` and `backward` (None where none does), and "
    "all that do, by name: `values` and `gradients`"
)
_NEW_RUN: Final = (
    f"the number of the new `run`, that of the one it was made `from`, the change in "
    f"words (`text`), {_DIFFERING}"
)
_RUN: Final = "the number of the run"
_LONGEST = 40  # characters of an expression, in the text of a run


# ------------------------------------------------------------------- new runs


def _branch(session: Session, patches: Patches, what: str) -> Answer:
    """Make a run with these patches beside the present one, and say what differs."""
    iteration, before = session.place.iteration, session.trace.run
    timeline = patched(session, session.timeline, patches)
    after = timeline.trace(iteration).run
    if session.timeline.iterations > 1:
        what += f", in iteration {iteration}"
    parent, trace, position = session.chosen, session.trace, session.position
    branch = session.branch_off(timeline, what)
    session.place = Place(iteration, same_place(trace, position, session.trace))
    found = compare(before, after, session.progress)
    lines = (
        f"run {branch.number}: {what}",
        *_difference_lines(found, session.digits),
        here(session),
    )
    data = {"run": branch.number, "from": parent, "text": what, **_summary(found)}
    return Answer(lines, data)


def patched(session: Session, timeline: Timeline, patches: Patches) -> Timeline:
    """Return a timeline with these patches from the present iteration on.

    Raises `CommandError` where the program cannot run with them.
    """
    iteration = session.place.iteration
    try:
        found = timeline.patched(iteration, patches, session.progress)
    except UNFIT as error:
        raise CommandError(
            f"the program cannot run like this: {clean(str(error))}"
        ) from None
    _check_shapes(session, found.trace(iteration).run.values)
    return found


def _check_shapes(session: Session, values: Sequence[Value]) -> None:
    """Refuse a mask or an index that selects another number of elements."""
    for node, value in zip(session.graph.nodes, values, strict=True):
        if np.shape(value) != node.shape:
            raise CommandError(
                f"{node.name} would have the shape {np.shape(value)}",
                f"the program was read for {node.shape}",
            )


def _set(session: Session, arguments: str) -> Answer:
    target, equals, text = arguments.partition("=")
    if not equals or not target.strip() or not text.strip() or text[0] == "=":
        raise CommandError("set what to what?", "set ELEMENT = EXPR")
    element = target_of(session, target.strip())
    value = session.expression(text).evaluate(session.state())
    run = session.trace.run
    node = session.graph.nodes[element.node]
    name = node.name if element.quantity == "value" else f"{node.name}.grad"
    if element.quantity == "grad" and not run.arrives(node.index):
        raise CommandError(
            f"no gradient flows to {node.name}, so there is none to set",
            f"why {name} says why",
        )
    check_not_updated(session, element)
    old = run.values[node.index]
    if element.quantity == "grad":
        old = run.gradient(node.index)
    new = with_number(name, old, element.index, value)
    patches = run.patches
    if element.quantity == "value":
        changed = MappingProxyType({**patches.values, node.index: new})
        patches = patches._replace(values=changed)
    else:
        changed = MappingProxyType({**patches.gradients, node.index: new})
        patches = patches._replace(gradients=changed)
    was = old if element.index is None else np.asarray(old)[element.index]
    place = element_text(name, element.index)
    return _branch(session, patches, _change(place, text, was, session.digits))


def _change(place: str, text: str, old: Any, digits: int) -> str:
    """Return what is set in words: `W1[0, 2] = 0.5 (was 0.2)`."""
    text = text.strip()
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    was = f" (was {value_text(old, digits)})" if np.size(old) == 1 else ""
    return f"{place} = {clean(text)}{was}"


def target_of(session: Session, text: str) -> Element:
    """Parse what is to be set. A literal of the program goes by its text: `0.5`."""
    node = session.graph.names.get(text)
    if node is None:
        return session.element(text)
    return Element(node, "value", None)


def check_not_updated(session: Session, element: Element) -> None:
    """Refuse to set a parameter that has its next value already at this position."""
    trace, node = session.trace, element.node
    if trace.is_updated(node, session.position):
        name, iteration = session.graph.nodes[node].name, session.place.iteration
        raise CommandError(
            f"{name} is updated already at this position",
            f"goto {iteration}:start sets what iteration {iteration} begins with, "
            f"goto {iteration + 1}:start the next one (train 1, if there is none)",
        )


def with_number(
    name: str, old: Any, index: tuple[int, ...] | None, value: Any
) -> Value:
    """Return the old value with a number, or all numbers, replaced; its dtype stays."""
    like = np.asarray(old)
    shape = like.shape if index is None else ()
    new = _fitting(name, value, shape, like.dtype)
    if isinstance(old, (bool, int, float)) and not isinstance(old, np.generic):
        return new.item()  # a literal of the program stays a plain number
    if index:
        whole = like.copy()
        whole[index] = new
        return whole
    return np.array(np.broadcast_to(new, like.shape))


def _fitting(name: str, value: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return a value in a dtype, or raise `CommandError` with what is allowed."""
    given = np.asarray(value)
    if given.dtype.kind not in "fiub":
        raise CommandError(f"{clean(str(value))!r} is no number")
    if given.shape not in (shape, ()):
        raise CommandError(
            f"a value of shape {given.shape} does not fit {name}",
            f"allowed: the shape {shape}, or one number" if shape else "one number",
        )
    with np.errstate(all="ignore"):
        cast = given.astype(dtype)
        lost = cast != given
        if dtype.kind == "f":
            lost = np.isinf(cast) & ~np.isinf(given.astype(np.float64))
    if lost.any():
        first = given[lost].flat[0] if given.shape else given[()]
        raise CommandError(
            f"{name} holds numbers of {dtype}, and {first} is none of them"
        )
    return cast


def _detach(session: Session, arguments: str) -> Answer:
    edges = edges_of(session, arguments, of_gradient=True, usage="detach EDGE | NODE")
    run = session.trace.run
    open_ = [e for e in edges if run.carries(e.consumer, e.argument)]
    if not open_:
        raise CommandError(
            f"no gradient flows through {arguments}, so there is nothing to cut"
        )
    cuts = {(edge.consumer, edge.argument) for edge in open_}
    patches = run.patches._replace(cuts=run.patches.cuts | cuts)
    return _branch(session, patches, f"cut: {_names(session, open_)}")


def _patch(session: Session, arguments: str) -> Answer:
    mistake, edges = mistaken(session, arguments)
    patches, made = with_mistake(session.trace, mistake, edges)
    return _branch(session, patches, f"{_names(session, made)}: {mistake.summary}")


def mistaken(session: Session, arguments: str) -> tuple[Mistake, list[Edge]]:
    """Return which mistake is to be made at which edges.

    Raises `CommandError` where a place or a mistake is missing or unknown.
    """
    place, _, name = arguments.rpartition(" ")
    if not place:
        raise CommandError(
            "patch what with which mistake?",
            f"patch EDGE | NODE MISTAKE; the mistakes are {', '.join(MISTAKES)}",
        )
    mistake = find_mistake(name)
    edges = edges_of(session, place, of_gradient=mistake.of_gradient, usage="")
    return mistake, edges


def edges_of(
    session: Session, text: str, *, of_gradient: bool, usage: str
) -> list[Edge]:
    """Return the edges that a place names.

    A node stands for the edges of its operands, which its rule serves. A leaf has no
    rule: it stands for its uses, and so does any node where its gradient is meant.
    Raises `CommandError` where it names none.
    """
    if not text:
        raise CommandError("which edge or node?", usage)
    graph = session.graph
    if "<-" in text:
        consumer, argument = parse_edge(text, graph)
        operand = graph.nodes[consumer].operands[argument]
        return [Edge(consumer, argument, operand)]
    node = find_node(session, text)
    if of_gradient or node.op is None:
        if not graph.consumers[node.index]:
            raise CommandError(f"nothing uses {node.name}")
        return list(graph.consumers[node.index])
    return [Edge(node.index, k, i) for k, i in enumerate(node.operands)]


def find_node(session: Session, text: str) -> Node:
    """Return the node of a name, also where that is the literature's of a gradient."""
    name = session.subject.names.get(text, text).removesuffix(".grad")
    return session.graph.node(name)


def _names(session: Session, edges: Iterable[Edge]) -> str:
    names = [session.graph.edge_name(edge) for edge in edges]
    if len(names) > _MOST_LINES:
        names[_MOST_LINES:] = [f"… {len(names) - _MOST_LINES} more"]
    return ", ".join(names)


# ---------------------------------------------------------------- between runs


def _runs(session: Session, arguments: str) -> Answer:
    if not arguments:
        refuse_hidden(session, ("predict",))  # each with its output
        return table_answer(runs_table(session))
    answer = _look_at(session, _run_number(session, arguments))
    session.undone.clear()
    return answer


def _look_at(session: Session, number: int) -> Answer:
    """Look at another run, from the same place."""
    trace, place = session.trace, session.place
    session.choose(number)
    if session.place.iteration == place.iteration:
        position = same_place(trace, place.position, session.trace)
        session.place = Place(place.iteration, position)
    branch = session.branch
    return Answer((f"run {branch.number}: {branch.text}", here(session)), branch.number)


def _run_number(session: Session, text: str) -> int:
    if not text.isdecimal() or int(text[:9]) >= len(session.runs):
        raise CommandError(
            f"there is no run {text!r}", f"0 … {len(session.runs) - 1} are there"
        )
    return int(text)


def _undo(session: Session, _arguments: str) -> Answer:
    parent = session.branch.parent
    if parent is None:
        raise CommandError("nothing is changed, so there is nothing to undo")
    made = session.branch.made
    session.undone.append(session.chosen)
    answer = _look_at(session, parent)
    if made is None or made == session.place:
        return answer
    session.go(made)
    return answer._replace(text=(answer.text[0], here(session)))


def _redo(session: Session, _arguments: str) -> Answer:
    if not session.undone:
        raise CommandError("nothing was undone, so there is nothing to redo")
    return _look_at(session, session.undone.pop())


def _diff(session: Session, arguments: str) -> Answer:
    """Compare two runs in the present iteration, or two arrays of this one."""
    if arguments and not arguments.replace(" ", "").isdecimal():
        return _diff_sides(session, arguments)
    check_two(arguments)
    numbers = [_run_number(session, text) for text in arguments.split()]
    if not numbers:
        if session.branch.parent is None:
            raise CommandError("this run is as it was loaded", "diff N")
        numbers = [session.branch.parent]
    numbers = [*numbers, session.chosen][:2]
    iteration = session.place.iteration
    one, two = (_run_at(session.runs[number], iteration) for number in numbers)
    found = compare(one, two, session.progress)
    title = f"run {numbers[0]} → run {numbers[1]}"
    if session.timeline.iterations > 1:
        title += f", iteration {iteration}"
    lines = (title, *_difference_lines(found, session.digits, _MOST_LINES))
    data = {"from": numbers[0], "run": numbers[1], **_summary(found)}
    return Answer(lines, data, _difference_table(title, found))


def check_two(arguments: str) -> None:
    """Raise `CommandError` for the numbers of more than two runs."""
    if len(arguments.split()) > 2:
        raise CommandError("two runs can be compared", "diff [N [M]]")


def _diff_sides(session: Session, arguments: str) -> Answer:
    """Hold two expressions against each other: two gradients, mostly."""
    one, two = two_expressions(session, arguments)
    state = session.state()
    left, right = (np.asarray(side.evaluate(state)) for side in (one, two))
    for side, array in ((one, left), (two, right)):
        if array.dtype.kind not in "fiub":
            raise CommandError(f"{side.text} is no number and no array")
    if left.shape != right.shape:
        raise CommandError(
            f"{one.text} has the shape {left.shape}, {two.text} {right.shape}",
            f"diff {one.text} {two.text}.T" if left.shape == right.shape[::-1] else "",
        )
    title = f"{one.text} → {two.text}"
    found = beside(left.astype(float), right.astype(float))
    lines = [title]
    if not left.size:
        lines.append("both are empty")
    elif not found.differing:
        lines.append("no number differs")
    else:
        at = left[found.place], right[found.place]
        place = f", at {index_text(found.place)}" if found.place else ""
        size = value_text(found.size, session.digits)
        lines.append(
            f"{found.differing} of {counted(left.size, 'element')} "
            f"differ{'s' * (found.differing == 1)}"
        )
        change = change_text(*at, session.digits)
        lines.append(f"the largest difference is {size}{place}: {change}")
        if found.factor is not None:
            times = value_text(found.factor, session.digits)
            lines.append(f"{two.text} = {times} × {one.text}")
        if found.turned:
            lines.append(f"{two.text} is {one.text} with its axes in reverse")
    data = {"left": one.text, "right": two.text, "of": left.size, **found._asdict()}
    return Answer(tuple(lines), data)


def two_expressions(session: Session, arguments: str) -> tuple[Expression, Expression]:
    """Split two expressions, wherever both can be read.

    Raises `CommandError` where no two can be read: what is wrong with the last try.
    """
    words = arguments.split()
    error = CommandError("two are compared", "diff [N [M]], or diff W1.grad W2.grad")
    for count in range(1, len(words)):
        try:
            sides = " ".join(words[:count]), " ".join(words[count:])
            return session.expression(sides[0]), session.expression(sides[1])
        except CommandError as wrong:
            error = wrong
    raise error


def _run_at(branch: Branch, iteration: int) -> Any:
    if iteration >= branch.timeline.iterations:
        raise CommandError(
            f"run {branch.number} has no iteration {iteration}",
            f"0 … {branch.timeline.iterations - 1} are there; train makes more",
        )
    return branch.timeline.trace(iteration).run


def _difference_lines(found: Comparison, digits: int, most: int = 1) -> list[str]:
    if not found:
        return ["no number differs"]
    lines: list[str] = []
    for which, differences in (
        ("forward", found.values),
        ("backward", found.gradients),
    ):
        if not differences:
            lines.append(f"{which}: no difference")
            continue
        gradient = which == "backward"
        shown = [d.text(gradient=gradient, digits=digits) for d in differences[:most]]
        count = len(differences)
        lines.append(f"{which}: {count} differ{'s' * (count == 1)}, first {shown[0]}")
        lines += [f"    then {line}" for line in shown[1:]]
        if most > 1 and count > most:
            lines.append(f"    and {count - most} more")
    return lines


def _summary(found: Comparison) -> dict[str, Any]:
    return {
        "forward": found.values[0].name if found.values else None,
        "backward": found.gradients[0].name if found.gradients else None,
        "values": [difference.name for difference in found.values],
        "gradients": [difference.name for difference in found.gradients],
    }


def _apart(one: Difference) -> tuple[Any, Any]:
    """Return both sides; two numbers with the digits that tell them apart."""
    before, after = one.before, one.after
    if before is None or after is None or before.ndim or after.ndim:
        return before, after
    return distinct(before, after, CELL)


def _difference_table(title: str, found: Comparison) -> Table:
    rows = [
        (quantity, d.name, *_apart(d), d.index, d.size)
        for quantity, differences in (
            ("value", found.values),
            ("gradient", found.gradients),
        )
        for d in differences
    ]
    columns = ("", "node", "before", "after", "element", "difference")
    return Table(title, columns, tuple(rows))


# ---------------------------------------------------------------------- training


def _train(session: Session, arguments: str) -> Answer:
    from ..training.iterations import Iterations  # noqa: PLC0415  # 9 ms of a start

    timeline, first = session.timeline, session.place.iteration
    target = first + whole_number(arguments)
    if not isinstance(timeline, Iterations):
        raise CommandError("this scenario does not train", "it has no table [training]")
    limits = session.subject.limits
    if target >= limits.iterations:
        raise CommandError(f"{target + 1} iterations", limits.allowed("iterations"))
    timeline = timeline.extended(target + 1)
    session.runs[session.chosen] = session.branch._replace(timeline=timeline)
    try:
        timeline.trace(target)
    except (Interrupted, KeyboardInterrupt) as stopped:
        reached = max(first, min(target, len(timeline.records)))
        session.go(Place(reached, 0))
        raise Interrupted(f"at iteration {reached}") from stopped
    session.go(Place(target, 0))
    start, end = timeline.records[first].loss, timeline.records[target].loss
    output = session.graph.nodes[session.graph.output].name
    loss = change_text(start, end, session.digits)
    line = f"iteration {first} → {target}: {output} {loss}"
    data = {"from": first, "iteration": target, "loss": [start, end]}
    return Answer((line, here(session)), data)


# ------------------------------------------------------------------------- table


def _mistake_help() -> str:
    width = max(map(len, MISTAKES))
    rows = [f"{m.name:{width}}  {m.summary}; {m.applies}" for m in MISTAKES.values()]
    first = (
        "NODE is the rule of that node, for all of its operands. A leaf has no rule:",
        "it stands for its uses, and so does any node for `overwrite`.",
    )
    return "\n".join((*first, *rows))


SET: Final = Command(
    "set",
    "ELEMENT = EXPR",
    "a value or a gradient of another size: a new run",
    _set,
    keys=("=",),
    completes="element",
    help="ELEMENT is NODE, NODE[i, j], NODE.grad or NODE.grad[i, j].\n"
    "A value replaces what the node computed. A gradient replaces the sum of its\n"
    "contributions. In training both are set in this iteration alone, and what\n"
    "follows from them stays.",
    data=_NEW_RUN,
    hidden_in=("predict",),
)
ROWS: Final[tuple[Command, ...]] = (
    Command(
        "detach",
        "EDGE | NODE",
        "cut an edge: no gradient flows through it",
        _detach,
        completes="location",
        help="NODE stands for all of its uses: no gradient reaches it any more.",
        data=_NEW_RUN,
        hidden_in=("predict", "hunt"),
    ),
    Command(
        "patch",
        "EDGE | NODE MISTAKE",
        "run with a wrong rule: one of the classic mistakes",
        _patch,
        completes="location",
        words=tuple(MISTAKES),
        help=_mistake_help(),
        data=_NEW_RUN,
        hidden_in=("predict", "hunt"),
    ),
    Command(
        "train",
        "[N]",
        "N iterations on",
        _train,
        "tr",
        data="`from` which `iteration` to which, and the `loss` of both",
        hidden_in=("predict",),
    ),
    Command(
        "runs",
        "[N]",
        "list the runs, or go to one",
        _runs,
        data="of each run whether it is `present`, its `number`, `what` was changed, "
        "the run that it was made `from`, and its `output`; of `runs N` the number of "
        "the run",
    ),
    Command(
        "diff",
        "[N [M]] | EXPR EXPR",
        "where two runs differ first, or two gradients of this one",
        _diff,
        completes="expression",
        help="Without a number, this run and the one it was made from.\n"
        "diff W1.grad W2.grad holds two gradients, or any two arrays, against each\n"
        "other: where they differ most, and whether one is a multiple of the other.",
        data="of two runs their numbers, `from` and `run`; "
        f"{_DIFFERING}; of two arrays "
        "`left`, `right`, how many elements are `differing` `of` how many, the `size` "
        "and the `place` of the largest difference, the `factor` between the two "
        "(None where there is none), and whether one is the other `turned`",
        hidden_in=("predict",),
    ),
    Command(
        "undo",
        "",
        "back to the run that this one was made from",
        _undo,
        keys=("z",),
        help="It also goes to the place where the change was made.",
        data=_RUN,
    ),
    Command("redo", "", "to the run that `undo` left", _redo, keys=("Z",), data=_RUN),
)

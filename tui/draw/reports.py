"""What `grads`, `check` and `show` print."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from ...core.engine.graph import Edge, Graph, Node
from ...core.explain.verdicts import compared, undecided_lines, wrong_lines
from ...core.words.formulas import Formula, Wording, listed
from ...core.words.names import called, with_wordings
from ...core.words.numbers import number_text
from ...core.words.remarks import remark_text, remarks
from .blocks import (
    LONGEST_LINE,
    MARGIN,
    Block,
    apart,
    indent,
    under,
    wrap,
)
from .digits import align
from .matrix import ink
from .playback import facts_block, samples_told, sources_block
from .step import rule
from .tables import fits as fits_in_lines
from .tables import node_table, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from ...core.check.report import NodeCheck, Report
    from ...core.engine.run import Run
    from ...core.engine.subject import Subject
    from ...core.engine.trace import Trace
    from .look import Look

CHECK_PRECISIONS: Final = (15, 12, 9, 7)
_GAP: Final = 6


def _titled(subject: Subject, look: Look, width: int) -> Block:
    title = subject.name + (f"{look.dot}{subject.title}" if subject.title else "")
    return rule(look.text(title, "title"), look, width, "━")


def _said(text: str, meaning: str, look: Look, width: int) -> Block:
    return wrap(look.text(text, meaning), min(width, LONGEST_LINE))


# --------------------------------------------------------------------------- grads


def gradients_block(subject: Subject, trace: Trace, look: Look, width: int) -> Block:
    """Return all values and gradients, nodes in forward order."""
    columns = ("node", "op", "shape", "value", "gradient")
    nodes, inner = trace.run.graph.nodes, width - MARGIN
    drawn = node_table(look, trace.run, nodes, columns, inner)
    below = apart(*_samples(trace, look, inner), drawn)
    return under(_titled(subject, look, width), indent(below, MARGIN))


def _samples(trace: Trace, look: Look, width: int) -> list[Block]:
    return [_said(said, "quiet", look, width) for said in samples_told(trace)]


# --------------------------------------------------------------------------- check


def check_block(
    subject: Subject,
    trace: Trace,
    report: Report,
    look: Look,
    width: int,
    precisions: Sequence[int] = CHECK_PRECISIONS,
) -> Block:
    """Return the comparison of each gradient, what is wrong, and how long it took.

    The numbers have as many digits as the first of `precisions` that fits, if need be
    without what made-up names stand for.
    """
    inner = width - MARGIN
    notable = [
        one
        for one in (*report.contributions, *report.accumulations)
        if one.verdict not in {"ok", "skipped"}
    ]
    parts = _samples(trace, look, inner)
    parts.append(_comparisons(report, report.gradients, look, inner, precisions))
    if notable:
        parts.append(_comparisons(report, notable, look, inner, precisions))
    parts += [wrap(line, inner) for line in _conclusions(report, look)]
    title = _titled(subject, look, width)
    return under(title, indent(apart(*parts), MARGIN))


def _comparisons(
    report: Report,
    checks: Sequence[NodeCheck],
    look: Look,
    width: int,
    precisions: Sequence[int],
) -> Block:
    """Return one row for each comparison, with its worst element."""
    head = ("", "gradient", "backpropagation", "numeric", "difference")
    graph = report.run.graph
    rows: list[tuple[Text, ...]] = []
    short = [compared(graph, one) for one in checks]
    full = [with_wordings(name, graph) for name in short]
    for names, precision in product((full, short), precisions):
        chosen = look._replace(precision=precision)
        columns = (
            [_sign(one, look) for one in checks],
            [look.text(name, "name") for name in names],
            _numbers([one.analytic for one in checks], chosen),
            _numbers([one.numeric for one in checks], chosen),
            [look.text(_difference(one)) for one in checks],
        )
        rows = list(zip(*columns, strict=True))
        if fits_in_lines(head, rows, width):
            break
    return table(look, head, rows, width)


def _sign(one: NodeCheck, look: Look) -> Text:
    if one.verdict == "ok":
        return look.text("✓", "good")
    return (
        look.text("✗", "bad") if one.verdict == "mismatch" else look.text("·", "quiet")
    )


def _numbers(values: Sequence[float], look: Look) -> list[Text]:
    texts = align([number_text(value, look.precision) for value in values])
    return [ink(text, look) for text in texts]


def _difference(one: NodeCheck) -> str:
    if one.verdict in {"ok", "mismatch"}:
        return number_text(one.difference, 2)
    word = "not finite" if one.verdict == "nonfinite" else one.verdict
    return f"{word}: {one.reason}" if one.reason else word


def _conclusions(report: Report, look: Look) -> Iterator[Text]:
    if not report.complete:
        yield look.text("interrupted: what was not compared is missing", "bad")
    wrong = list(wrong_lines(report, look.sentence))
    if wrong:
        place, *numbers = wrong
        yield look.text(f"✗ {place}: {', '.join(numbers)}", "bad")
    else:
        counts = (
            (report.gradients, "gradients, end to end"),
            (report.accumulations, "sums at a node"),
            (report.contributions, "contributions of an edge"),
        )
        said = ", ".join(f"{len(checks)} {name}" for checks, name in counts)
        if report.quick:
            said += ", along random directions"
        yield look.text(f"✓ {said}: nothing is wrong", "good")
    yield from map(look.text, undecided_lines(report))
    step = "" if report.step is None else f", step {number_text(report.step)}"
    yield look.text(
        f"{report.scheme} differences{step}, rtol {number_text(report.rtol)}"
        f"{look.dot}backpropagation {_seconds(report.backpropagation_time)}, "
        f"numeric differentiation {_seconds(report.numeric_time)}",
        "quiet",
    )


def _seconds(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{number_text(seconds / size, 3)} {unit}"
    return f"{number_text(seconds / 1e-6, 3)} µs"


# ---------------------------------------------------------------------------- show


def subject_block(subject: Subject, trace: Trace, look: Look, width: int) -> Block:
    """Return the program, the frames, and each node with its formulas."""
    graph, inner = trace.run.graph, width - MARGIN
    wording = Wording(graph, subject.names, in_code=False)
    parts = [
        *([_said(subject.summary, "", look, inner)] if subject.summary else []),
        facts_block(subject, trace, look, inner),
        sources_block(graph, look, inner),
        under(
            *(
                _said(remark_text(one, graph), "alarm", look, inner)
                for one in remarks(trace.run)
            )
        ),
    ]
    if len(graph.frames) > 1:
        parts.append(_frames(graph, look, inner))
    told = [indent(part, MARGIN) for part in parts if part.lines]
    nodes = [
        block
        for node in graph
        for block in _node(trace.run, node, wording, look, inner)
    ]
    return under(_titled(subject, look, width), apart(*told, under(*nodes)))


def _frames(graph: Graph, look: Look, width: int) -> Block:
    """Return the calls, those inside of others further to the right."""
    lines: list[Block] = []
    for frame in graph.frames[1:]:
        call = "" if frame.call is None else graph.line_of(frame.call)
        text = look.text(f"{frame.name}", "name").append_text(
            look.text(f" = {frame.function}(…)   {call}", "quiet")
        )
        lines.append(indent(wrap(text, width), MARGIN * (frame.depth - 1)))
    return under(Block.of([look.text("frames", "quiet")]), *lines)


def _node(
    run: Run, node: Node, wording: Wording, look: Look, width: int
) -> Iterator[Block]:
    """Yield what a node is, and its formulas, which stand below, each indented."""
    graph = run.graph
    frame = graph.frame_of(node)
    described = [node.made_by]
    described += [str(node.shape)] if node.shape else []
    if node.operands:
        operands = [graph.nodes[i] for i in node.operands]
        names = [operand.wording or operand.name for operand in operands]
        described.append(f"of {listed(names)}")
    if frame is not None and frame.name:
        described.append(f"in {frame.name}")
    if node.site is not None and not graph.is_library(frame):
        described.append(graph.line_of(node.site))
    head = look.text(called(node), "name").append_text(
        look.text(f"  {look.dot.join(described)}", "quiet")
    )
    yield indent(wrap(head, width), MARGIN)
    formulas = [wording.forward(node.index)]
    formulas += [
        wording.contribution(Edge(node.index, argument, operand))
        for argument, operand in enumerate(node.operands)
        if run.carries(node.index, argument)
    ]
    for one in formulas:
        if one.steps:
            yield indent(_formula(one, look, width - MARGIN), 2 * MARGIN)


def _formula(formula: Formula, look: Look, width: int) -> Block:
    """Return a formula and its shapes on one line, if there is room, or on several."""
    text = look.text(look.formula(formula.text))
    if not formula.shapes:
        return wrap(text, width)
    shapes = look.text(formula.shapes, "quiet")
    if text.cell_len + _GAP + shapes.cell_len <= width:
        return Block.of([text.append(" " * _GAP).append_text(shapes)])
    return under(wrap(text, width), wrap(shapes, width))

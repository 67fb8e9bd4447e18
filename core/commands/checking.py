"""The commands that hold gradients against differences, and against rules.

And those that say what differences are, and what they cost.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.errors import CommandError, Interrupted, Problem
from ..base.text import clean, nearest
from ..engine.backward import UNFIT
from ..explain.verdicts import check_lines
from ..session.reply import Answer
from ..words.events import element_name
from .explaining import find_element, outstanding
from .table import HIDING, Command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..check.downstream import Downstream
    from ..check.report import Report
    from ..engine.element import Element, Index
    from ..engine.run import Run
    from ..session.session import Session


def _check(session: Session, arguments: str) -> Answer:
    from ..account.recorded import check_recorded, without_a_rule  # noqa: PLC0415

    places = arguments.split()
    quick = QUICK in places
    subject, run = session.subject, session.trace.run
    recorded = None
    if subject.known and not run.patches and places in ([], [QUICK]):
        recorded = check_recorded(subject, run, session.digits, session.progress)
        if without_a_rule(subject):  # differences go through all of it
            return Answer(recorded.lines, recorded.record, failed=not recorded.ok)
    places = [place for place in places if place != QUICK]
    is_whole = "hunt" in session.modes
    report, first = _checked(session, _wanted(session, places), quick=quick)
    if is_whole:
        first, report = [one.end_to_end for one in first], report.end_to_end
    session.memory.report = report
    lines = [
        line for one in (*first, report) for line in check_lines(one, session.digits)
    ]
    lines += recorded.lines if recorded else ()
    lines += _by_verdict(session, report) if is_whole else ()
    lines += _by_definition(session, report)
    return Answer(
        tuple(lines),
        _record(session, report),
        report,
        failed=not report.ok or (recorded is not None and not recorded.ok),
        error=None if report.complete else Interrupted().told,
        interrupted=not report.complete,
    )


def _checked(
    session: Session, nodes: Sequence[int], *, quick: bool
) -> tuple[Report, list[Report]]:
    """Return the report about some nodes, and those of what was looked at before."""
    from ..check.check import check  # noqa: PLC0415  # 27 ms of a start

    first: list[Report] = []

    def progress(done: int, of: int) -> None:
        try:
            session.progress(done, of)
        except Interrupted:
            raise KeyboardInterrupt from None  # the check ends, and keeps what is done

    report = check(
        session.trace.run,
        nodes=nodes or None,
        progress=progress,
        quick=quick,
        first=first.append,
    )
    return report, first


def _wanted(session: Session, places: Sequence[str]) -> list[int]:
    """Return the nodes to check; none for all of them.

    In a hunt it is the leaves: edges and nodes would tell which rule is wrong.
    """
    if "hunt" not in session.modes:
        return [n for place in places for n in _nodes(session, place)]
    if places:
        hint = "check alone compares inputs and parameters, limit NODE one gradient"
        raise CommandError(HIDING["hunt"][0], hint)
    return [node.index for node in session.graph.nodes if node.op is None]


def _by_verdict(session: Session, report: Report) -> Iterator[str]:
    """Yield which leaves agree and which do not: what a hunt has to go by."""
    nodes = session.graph.nodes
    for verdict, word in (("ok", "agree"), ("mismatch", "differ")):
        found = [one.node for one in report.gradients if one.verdict == verdict]
        names = [nodes[node].name for node in sorted(found)]
        if names:
            yield f"{word}{'s' * (len(names) == 1)}: {', '.join(names)}"


def _rules(session: Session, arguments: str) -> Answer:
    """Hold somebody else's gradients to account."""
    from ..account.account import account, purposes  # noqa: PLC0415  # likewise
    from ..account.blame import account_lines, account_record  # noqa: PLC0415

    claims, run = session.subject.claims, session.trace.run
    if claims is None:
        hint = (
            "a capture has some; a scenario gives them under [own], or with --own FILE"
        )
        raise CommandError(
            Problem("there are no gradients to be held to account", hint)
        )
    if run.patches or session.place.iteration:
        hint = "run 0 chooses it, goto start begins it"
        raise CommandError(Problem("they belong to the run as it was loaded", hint))
    names = arguments.split()
    known = purposes(run, claims)
    for name in names:
        if name not in known:
            raise CommandError(
                f"no rule and no node is called {name!r}", nearest(name, known)
            )
    claims = claims._replace(purpose=(*claims.purpose, *names))
    found = session.memory.account = account(run, claims, session.progress)
    lines = tuple(account_lines(found, session.digits))
    return Answer(lines, account_record(found), failed=not found.ok)


# ---------------------------------------------------- what differences are, and cost


def _by_definition(session: Session, report: Report) -> Iterator[str]:
    """Yield who shows the differences of a gradient that they do not agree with."""
    for one in report.gradients:
        if one.verdict not in ("mismatch", "kink"):
            continue
        index = one.kinks[0] if one.kinks else None if one.along else one.index
        name = element_name(session.graph.nodes[one.node], index)
        yield f"limit {name} shows the quotients of differences"
        return


def _limit(session: Session, arguments: str) -> Answer:
    """Take the derivative by one element by definition."""
    from ..practice import quotients  # noqa: PLC0415  # 27 ms of a start
    from ..practice.definition import definition_lines  # noqa: PLC0415  # likewise

    text, delta = element_and_step(arguments)
    run = session.trace.run
    element = _one_float(session, text)
    way = quotients.way_of(run, element.node)
    _refuse_way(session, way)
    deltas = quotients.STEPS if delta is None else (delta,)
    index = element.index or ()
    try:
        found = quotients.quotients(run, way, index, deltas, session.progress)
    except UNFIT as error:
        raise CommandError(
            f"the program cannot run with another number: {clean(str(error))}"
        ) from None
    session.memory.held.add(element.node)
    lines = definition_lines(run, found, session.digits)
    name = element_name(session.graph.nodes[element.node], index)
    return Answer(tuple(lines), {"element": name, **found.record()})


def element_and_step(arguments: str) -> tuple[str, float | None]:
    """Split `ELEMENT Δ`: the step may be left out, and so may the element.

    Raises `CommandError` for a step that is not a finite number above 0.
    """
    text, _, last = arguments.rpartition(" ")
    try:
        delta = float(last)
    except ValueError:
        return arguments, None
    if not (math.isfinite(delta) and delta > 0):
        raise CommandError(f"Δ is {last}", "allowed: a number above 0, such as 1e-7")
    return text.strip(), delta


def _one_float(session: Session, text: str) -> Element:
    """Return the element that is moved; of a whole array the one that counts most.

    Where a rule is wrong, that is the one that shows it.
    """
    element = session.element(text) if text else find_element(session, "")
    run, node = session.trace.run, session.graph.nodes[element.node]
    value = run.value(node.index)
    if value.dtype.kind != "f":
        raise CommandError(
            f"{node.name} holds {value.dtype}: between two of them is no number",
            "only floats have a derivative",
        )
    if element.index is None and not value.size:
        find_element(session, node.name)  # says that there is none
    if element.index is None:
        gradient = run.gradient(node.index)
        index = outstanding(value if gradient is None else gradient)
        wrong = _where_wrong(run, node.index) if run.patches else None
        element = replace(element, index=index if wrong is None else wrong)
    element = replace(element, quantity="value")
    if not np.isfinite(value[element.index or ()]):
        name = element_name(node, element.index)
        raise CommandError(f"{name} is {value[element.index or ()]}: none is beside it")
    return element


def _where_wrong(run: Run, node: int) -> Index | None:
    """Return the element of a gradient that is furthest from differences, if one is."""
    from ..practice.hunt import held  # noqa: PLC0415  # as the quotients

    found = held(run, node)
    return found.index if found.verdict == "mismatch" else None


def set_between(name: str) -> CommandError:
    """Return what is said of a node that the output does not hang on in this run."""
    return CommandError(
        f"a value between {name} and the output is set in this run",
        "runs 0 goes to the run as it was loaded",
    )


def _refuse_way(session: Session, way: Downstream) -> None:
    """Raise `CommandError` where nothing on the way to the output can be computed."""
    name = session.graph.nodes[way.node].name
    recorded = [step for step in way.steps if step.op.recorded]
    if way.blocked:
        raise set_between(name)
    if recorded:
        raise CommandError(
            f"{recorded[0].op.name} was recorded: it cannot be computed once more",
        )
    if not way.steps and way.node != session.graph.output:
        raise CommandError(
            f"the output does not change with {name}", f"why {name}.grad says why"
        )


def _cost(session: Session, _arguments: str) -> Answer:
    """Count and measure what a gradient takes, by backpropagation and otherwise."""
    from ..practice.cost import cost_lines, costs_of  # noqa: PLC0415  # likewise

    run = session.trace.run
    recorded = sorted(op.name for op in session.graph.ops if op.recorded)
    if recorded:
        raise CommandError(
            f"{recorded[0]} was recorded: it cannot be computed once more"
        )
    found = costs_of(run, session.progress)
    return Answer(tuple(cost_lines(found)), found.record())


def _nodes(session: Session, place: str) -> list[int]:
    """Return the nodes at a place: a node, a frame, an operation, a line."""
    location = session.location(place)
    if location.leaf is not None:
        return [location.leaf]
    found = [n for first, stop in location.nodes for n in range(first, stop)]
    if not found:
        raise CommandError(
            Problem(f"there is no node at {place}", "check NODE, FRAME, op:… or line:…")
        )
    return found


def _record(session: Session, report: Report) -> dict[str, Any]:
    """Return the comparisons as data, without times: those differ from run to run."""
    from ..export.records import check_record  # noqa: PLC0415  # 39 ms of a start

    record = check_record(session.subject.name, session.trace, report)
    return {k: v for k, v in record.items() if not k.endswith("_seconds")}


QUICK: Final = "--quick"

ROWS: Final[tuple[Command, ...]] = (
    Command(
        "check",
        "[--quick] [NODE …]",
        "hold gradients against numeric differences, node by node and end to end",
        _check,
        "ck",
        ("K",),
        "location",
        words=(QUICK,),
        help="A mismatch fails a script, and the first wrong rule is named. --quick "
        "moves each array as a whole, along one random direction, and compares its "
        "elements only where that tells a mistake; of a large subject it is the first "
        "answer. limit ELEMENT shows what a difference is, and how right it can be.",
        data="`gradstep` (1, the version), `scenario`, `samples` (None for all), "
        "`ok`, `complete`, `scheme`, "
        "`step`, `rtol` and `checks`, each with `level`, `node`, `operand`, `edge`, "
        "`verdict`, the `index` where the two differ most, `analytic`, `numeric`, "
        "`difference` and `tolerance`, among others",
        hidden_in=("predict",),
    ),
    Command(
        "rules",
        "[NAME …]",
        "hold the gradients of a framework, or your own, against each rule",
        _rules,
        completes="element",
        help="Each is compared with what the rules give from the same author's own "
        "upstream gradients, so that one wrong rule is told once. A capture has the "
        "gradients of its framework, a scenario those under [own]. NAME, of a node or "
        "of a custom rule, differs on purpose.",
        data="`ok`, `whose` gradients they are, how many were `compared` and how many "
        "are `unknown` behind operations without a rule, and `rules`, each with the "
        "`rule`, the `verdict` (differs, purpose, hook, opaque) and `gradients`: the "
        "`node`, `edges`, the `index` of what differs most, `theirs` and the `right` "
        "number there, how many `differ`, and the `mistake` that gives these numbers",
        hidden_in=("predict", "hunt"),
    ),
)

# Those in the group of learning.
BY_DIFFERENCES: Final[tuple[Command, ...]] = (
    Command(
        "limit",
        "[ELEMENT] [Δ]",
        "the derivative by definition: difference quotients for ever smaller steps",
        _limit,
        completes="element",
        help="For Δ = 1, 0.1, … 1e-15, each with all of its digits and its error. "
        "limit x 1e-7 takes one Δ, and divides by it as well as by the step really "
        "taken, for x + Δ is rounded. Of a whole array it takes the element with the "
        "largest gradient; under a wrong rule, one that is furthest from differences.",
        data="the `element` and its number `x`; `exact`, from backpropagation (None "
        "where no gradient arrives), and whether the quotients `agrees` with it; "
        "whether there is a `kink` or a `jump`, and what the quotients go to from the "
        "`right` and from the `left`; where `rounding` takes over, by scheme; and "
        "`quotients`, each with its `delta` and for `forward`, `left` and `central` "
        "the step `taken`, the `change` of the output, the quotients `by_step` and "
        "`by_delta`, and the `error` of the first",
        hidden_in=("predict",),
        late=True,
    ),
    Command(
        "cost",
        "",
        "what all derivatives cost by backpropagation, and what by differences",
        _cost,
        help="Multiplications are counted, and both passes are measured. Differences "
        "move some parameters, for a second at most; the rest of their time is in "
        "proportion. A function such as exp counts as one for each number, and what is "
        "made of it as its formula says: a sigmoid takes exp and a quotient, two. To "
        "add, compare, choose and copy counts as none.",
        data="multiplications of the `forward` and the `backward` pass and of all "
        "`passes` of differences (`numeric`), how many `derivatives` by `whose` "
        "numbers, how many were `sampled`, `equal_passes` (how many forward passes "
        "are as many multiplications as backpropagation), the `factor` between both "
        "ways, how much `slower` differences are, and times in seconds: "
        "`forward_seconds`, `backward_seconds`, `numeric_seconds`",
        late=True,
    ),
)

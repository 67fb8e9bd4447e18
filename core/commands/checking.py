"""The commands that hold gradients against differences, and against rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..base.errors import CommandError, Interrupted, Problem
from ..base.text import nearest
from ..explain.verdicts import check_lines
from ..session.reply import Answer
from .table import Command

if TYPE_CHECKING:
    from ..check.report import Report
    from ..session.session import Session


def _check(session: Session, arguments: str) -> Answer:
    from ..account.recorded import check_recorded, without_a_rule  # noqa: PLC0415
    from ..check.check import check  # noqa: PLC0415  # 27 ms of a start

    places = arguments.split()
    quick = QUICK in places
    subject, run = session.subject, session.trace.run
    recorded = None
    if subject.known and not run.patches and places in ([], [QUICK]):
        recorded = check_recorded(subject, run, session.digits, session.progress)
        if without_a_rule(subject):  # differences go through all of it
            return Answer(recorded.lines, recorded.record, failed=not recorded.ok)
    places = [place for place in places if place != QUICK]
    nodes = [n for place in places for n in _nodes(session, place)]
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
    session.memory.report = report
    lines = [
        line for one in (*first, report) for line in check_lines(one, session.digits)
    ]
    lines += recorded.lines if recorded else ()
    return Answer(
        tuple(lines),
        _record(session, report),
        report,
        failed=not report.ok or (recorded is not None and not recorded.ok),
        error=None if report.complete else Interrupted().told,
        interrupted=not report.complete,
    )


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
    found = account(run, claims, session.progress)
    lines = tuple(account_lines(found, session.digits))
    return Answer(lines, account_record(found), failed=not found.ok)


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
        "answer.",
        data="`gradstep` (1, the version), `scenario`, `samples` (None for all), "
        "`ok`, `complete`, `scheme`, "
        "`step`, `rtol` and `checks`, each with `level`, `node`, `operand`, `edge`, "
        "`verdict`, the `index` where the two differ most, `analytic`, `numeric`, "
        "`difference`, `tolerance`, …",
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
        "number there, how many `differ`, and the `mistake` that gives these numbers.",
    ),
)

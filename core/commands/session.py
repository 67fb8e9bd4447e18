"""Commands about the session itself: scripts, assertions, files, leaving."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.errors import AssertionFailed, CommandError, Interrupted
from ..base.exits import FAILED, INTERRUPTED
from ..base.save import saying_what_is_kept
from ..base.text import clean, counted, nearest
from ..export.formats import FORMATS, Wanted, ending, export
from ..session.reply import REASONS, Answer, Reply, Stopped
from ..words.indices import FIRST
from ..words.numbers import distinct, index_text, number_text, printed
from .movement import here, stop_line
from .table import Command

if TYPE_CHECKING:
    from ..session.script import Line
    from ..session.session import Session
    from ..words.indices import First

_LONGEST_SAID: Final = 300  # characters: what is said leaves room for a step


def _indices(session: Session, arguments: str) -> Answer:
    """Say, or choose, what the first index is called where it is shown."""
    known: dict[str, First] = {str(first): first for first in FIRST}
    if arguments and arguments not in known:
        raise CommandError(f"indices do not begin with {arguments!r}", "0 or 1")
    if arguments:
        session.memory.first = known[arguments]
    first = session.memory.first
    said = {
        0: "indices begin with 0, as they are typed: w[0, 1]",
        1: "indices in formulas and beside matrices begin with 1, as in books: w₁₂; "
        "what is typed, with 0: w[0, 1]",
    }
    return Answer((said[first],), {"first": first})


def _assert(session: Session, arguments: str) -> Answer:
    if not arguments:
        raise CommandError("assert what?", "assert EXPR")
    from ..expression.evaluate import truth  # noqa: PLC0415  # 5 ms, only of expressions

    expression = session.expression(arguments)
    state = session.state()
    if truth(expression.evaluate(state)):
        return Answer((f"holds: {expression.text}",), True)
    sides = expression.sides(state)
    seen = "" if sides is None else f": {_sides(*sides, session.digits)}"
    raise AssertionFailed(
        f"does not hold: {expression.text}{seen}", f"at {here(session)}"
    )


def _sides(left: Any, right: Any, digits: int) -> str:
    """Return both sides of a comparison, and how far apart they are."""
    sides = distinct(left, right, digits)
    if sides[0] == sides[1]:  # arrays, told by their shapes so far
        sides = printed(left, digits), printed(right, digits)
    text = f"{sides[0]} on the left, {sides[1]} on the right"
    one, two = np.asarray(left), np.asarray(right)
    if one.dtype.kind not in "fiu" or two.dtype.kind not in "fiu":
        return text
    try:
        gap = np.max(np.abs(one - two), initial=0.0)
    except ValueError:
        return f"{text}, of shapes {one.shape} and {two.shape}"
    return f"{text}, at most {number_text(gap, 3)} apart"


def _expect(session: Session, arguments: str) -> Answer:
    """Hold the command before to what was expected of it: a stop, or an error."""
    what, _, rest = arguments.partition(" ")
    if what not in _EXPECTED:
        raise CommandError(
            f"cannot expect {what!r}",
            nearest(what, _EXPECTED) or "expect stop REASON [LOC], expect error [TEXT]",
        )
    previous = session.memory.previous
    if previous is None:
        raise CommandError("there was no command before this one")
    return _EXPECTED[what](previous, rest.strip())


def _expect_stop(previous: Reply, text: str) -> Answer:
    reason, _, where = text.partition(" ")
    where = where.strip()
    stop = previous.stop
    seen = "no stop" if stop is None else stop_line(stop)
    if reason and reason not in REASONS:
        raise CommandError(f"{reason!r} is no reason to stop", ", ".join(REASONS))
    met = () if stop is None else (stop, *stop.also)
    if not any(reason in ("", one.reason) and where in _places(one) for one in met):
        raise AssertionFailed(f"expected a stop {text}".rstrip(), f"there was: {seen}")
    return Answer((f"holds: {seen}",), True)


def _places(stop: Stopped) -> tuple[str, ...]:
    """Return what a place may be called: nothing at all, or more and more exactly."""
    place = f"{stop.where}{index_text(stop.index)}"
    return "", stop.where, stop.text, place, f"{stop.text} at {place}"


def _expect_error(previous: Reply, text: str) -> Answer:
    said = previous.error
    if said is None and previous.failed:  # a check that found something
        said = "; ".join(map(str.strip, previous.text))
    if said is None or text.lower() not in said.lower():
        seen = said or "it worked"
        wanted = f" with {text!r}" if text else ""
        raise AssertionFailed(
            f"expected an error{wanted} of {previous.command!r}", seen
        )
    return Answer((f"holds: {said}",), True)


_EXPECTED: Final = {"stop": _expect_stop, "error": _expect_error}


def _source(session: Session, arguments: str) -> Answer:
    """Run the commands in a file, as if they were typed here."""
    from ..session.script import read_script, run_script  # noqa: PLC0415  # 2 ms of a start

    if not arguments:
        raise CommandError("source which file?", "source FILE.gs")
    lines = read_script(arguments, session.trust)
    texts: list[str] = []
    data: list[dict[str, Any]] = []

    def seen(line: Line, reply: Reply) -> None:
        # What a line answers is not kept: a long script would take all memory.
        data.append(
            {
                "place": line.place,
                "command": line.text,
                "ok": reply.ok and not reply.failed,
                "error": reply.error,
            }
        )
        texts.append(f"{line.place}: {line.text}")
        texts.extend(f"  {text}" for text in (reply.error or "", *reply.text) if text)

    outcome = run_script(lines, session.nested, seen)
    if outcome.code == INTERRUPTED:
        raise Interrupted
    error = outcome.failures[-1] if outcome.failures else None
    code = outcome.code if outcome.asked else None
    failed = outcome.code == FAILED
    return Answer(tuple(texts), data, code=code, error=error, failed=failed)


def _record(session: Session, arguments: str) -> Answer:
    """Start recording commands, or stop; `save FILE` writes what was recorded."""
    memory = session.memory
    if arguments in ("", "--asserts"):
        memory.recording, memory.asserting = True, arguments == "--asserts"
        memory.recorded = [*memory.script]
        what = "commands, and what is seen as assertions" if arguments else "commands"
        way = f", behind the {counted(len(memory.script), 'line')} that led here"
        way *= bool(memory.script)
        said = f"recording {what}{way}; `save FILE` writes them"
        return Answer((said,), _recording(session))
    if arguments == "off":
        if not memory.recording:
            raise CommandError("nothing is being recorded", "record begins it")
        memory.recording, count = False, len(memory.recorded or ())
        said = f"recording has ended; `save FILE` writes its {counted(count, 'line')}"
        return Answer((said,), _recording(session))
    raise CommandError(
        f"record cannot {arguments!r}", "record, record --asserts, record off"
    )


def _recording(session: Session) -> dict[str, Any]:
    memory = session.memory
    lines, asserting = memory.recorded or (), memory.recording and memory.asserting
    return {"on": memory.recording, "asserts": asserting, "lines": len(lines)}


def _save(session: Session, arguments: str) -> Answer:
    """Write the recorded commands, or those of the session, as a script."""
    force, name = arguments.startswith("-f "), arguments.removeprefix("-f ").strip()
    if not name:
        raise CommandError("save where?", "save [-f] FILE.gs")
    memory = session.memory
    lines = memory.script if memory.recorded is None else memory.recorded
    if not lines:
        raise CommandError("there is nothing to save yet", "it writes what was done")
    title = " ".join(session.subject.title.split())
    text = "\n".join((f"# {title}", *lines)) + "\n"
    hint = "save -f FILE replaces it"
    session.trust.write(name, text, ".gs", overwrite=force, hint=hint)
    said = f"{counted(len(lines), 'line')} written to {clean(name)}"
    return Answer((said,), {"file": clean(name), "lines": len(lines)})


def _export(session: Session, arguments: str) -> Answer:
    """Write the session, or a derivation, as a file for somebody else."""
    force, words = arguments.startswith("-f "), arguments.removeprefix("-f ")
    try:
        name, *middle, path = shlex.split(words)
    except ValueError:
        formats = ", ".join(FORMATS)
        raise CommandError(
            "export as what, and where?", f"export FORMAT FILE: {formats}"
        ) from None
    if name not in FORMATS:
        hint = nearest(name, FORMATS) or ", ".join(FORMATS)
        raise CommandError(f"{name!r} is no format", hint)
    text, element = " ".join(middle), None
    if text:
        element = session.element(text)
    hint = "export -f replaces it"
    with saying_what_is_kept(path):
        content = export(
            session.exporters,
            name,
            Wanted(
                session.subject,
                session.trace,
                session.position,
                session.progress,
                element,
                session.memory.first,
            ),
        )
        session.trust.write(path, content, ending(name), overwrite=force, hint=hint)
    data = {"file": clean(path), "format": name}
    return Answer((f"{FORMATS[name]} is in {clean(path)}",), data)


def _quit(_session: Session, arguments: str) -> Answer:
    if arguments and not (arguments.isdecimal() and int(arguments) <= 255):
        raise CommandError(f"{arguments!r} is not an exit code", "0 … 255, or nothing")
    code = int(arguments or 0)
    return Answer(data=code, code=code)


def _say(session: Session, text: str) -> Answer:
    """Show a text until the next one; none takes it away."""
    if len(text) > _LONGEST_SAID:
        what = f"a text of {len(text)} characters leaves no room for a step"
        hint = f"at most {_LONGEST_SAID}; say the rest behind the next wait"
        raise CommandError(what, hint)
    session.memory.said = text
    return Answer((text,) if text else (), text)


def _wait(session: Session, line: str) -> Answer:
    """Carry the line out: where a person is, the screen has waited for that."""
    if not line:
        return Answer()
    reply = session.nested(line, session.trust)
    return reply.answer()


ROWS: Final[tuple[Command, ...]] = (
    Command(
        "assert",
        "EXPR",
        "fail unless an expression is true",
        _assert,
        completes="expression",
        judges=True,
        help="A failure prints both sides, their difference and the position.",
        data="True: it holds",
    ),
    Command(
        "expect",
        "stop [REASON] [LOC] | error [TEXT]",
        "fail unless the command before stopped so, or was wrong",
        _expect,
        completes="word",
        words=("stop", "error", *REASONS),
        judges=True,
        data="True: it holds",
    ),
    Command(
        "source",
        "FILE",
        "run the commands in a file",
        _source,
        "so",
        completes="file",
        recorded=False,  # its lines are
        data="of each line its `place`, the `command`, whether it is `ok`, and its "
        "`error`",
    ),
    Command(
        "say",
        "[TEXT]",
        "show a text until the next one; without one, none",
        _say,
        help="In the application it stands above the panes, with the keys that it\n"
        "names in `backquotes`. Tours are made of it, and of `wait`.",
        data="the text",
        late=True,
    ),
    Command(
        "wait",
        "[LINE]",
        "let a person do a line, and go on with the script then",
        _wait,
        recorded=False,  # the line is
        help="In the application a script waits until the line was typed, or done by\n"
        "its key; of a move, any way that leads to the same place will do.\n"
        "Space does it, from wherever one is, and without a line goes on.\n"
        "Where no person is there, it does the line itself.",
        data="that of the line; None without one",
        late=True,
    ),
    Command(
        "record",
        "[--asserts | off]",
        "record commands; with --asserts what is seen, too",
        _record,
        keys=("R",),
        completes="word",
        words=("--asserts", "off"),
        recorded=False,
        data="whether it is `on`, whether with `asserts`, and how many `lines` there "
        "are so far",
    ),
    Command(
        "save",
        "[-f] FILE",
        "write the recorded commands, or those of the session, as a script",
        _save,
        completes="file",
        recorded=False,
        help="The script leads from the start to the end of the recording. Of what\n"
        "failed it has what was expected, or has changed something.\n"
        "An existing file is replaced only with -f.",
        data="the `file`, and how many `lines` are in it",
    ),
    Command(
        "export",
        "[-f] FORMAT [ELEMENT] FILE",
        "write a picture, a page, a recording, a derivation or a program",
        _export,
        keys=("x",),
        completes="word",
        words=tuple(FORMATS),
        recorded=False,
        help="\n".join(f"{name}: {what}." for name, what in FORMATS.items())
        + "\nAn existing file is replaced only with -f.",
        data="the `file` and its `format`",
        hidden_in=("predict", "hunt"),
    ),
)
INDICES: Final = Command(
    "indices",
    "[0 | 1]",
    "indices that are shown: from 0, as they are typed, or from 1, as in books",
    _indices,
    completes="word",
    words=("0", "1"),
    help="With 1, formulas, what explain says and exports have w₁₂ for w[0, 1], and\n"
    "the numbers of rows and columns begin with 1. What stands in brackets is as\n"
    "it is typed, from 0: in commands, their replies, and NumPy.",
    data="the `first` index that is shown",
    late=True,
)
QUIT: Final = Command(
    "quit",
    "[CODE]",
    "leave, with an exit code",
    _quit,
    "q",
    ("q",),
    recorded=False,
    data="the exit code",
)

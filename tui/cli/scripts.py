"""Scripts, the plain prompt, questions at it, and tests of scenarios."""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape, quoteattr

from ...core.base.errors import CommandError, InputError, Problem
from ...core.base.exits import FAILED, OK, WRONG
from ...core.base.limits import LIMITS, Limits, raised
from ...core.base.save import write
from ...core.base.text import clean, counted
from ...core.base.trust import FULL, KEYBOARD, Trust
from ...core.debugger.complete import complete
from ...core.debugger.debugger import Debugger
from ...core.debugger.verify import Verdict, promises, scenarios_in
from ...core.export.records import dump, plain
from ...core.expression.expression import parse
from ...core.expression.state import State
from ...core.practice.authors import judged, questions_in_time, right_text
from ...core.practice.predict.score import OUTCOMES, Log, outcome_of
from ...core.scenario.builtin import builtin_names
from ...core.scenario.scenario import load
from ...core.session.script import Line, parse_script, read_script, run_script
from ..draw.blocks import wrap
from ..draw.playback import play
from ..draw.replies import reply_block, transcript
from ..export.exports import with_screen
from .output import Screen, is_terminal, loaded, look_for, progress, screen_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.console import Console

    from ...core.practice.authors import Put
    from ...core.practice.predict.score import Outcome
    from ...core.scenario.scenario import Scenario
    from ...core.session.reply import Reply
    from ..draw.look import Look
    from ..draw.playback import Pace
    from ..draw.stage import Stage

Options = argparse.Namespace

_PROMPT: Final = "(gradstep) "
# What is counted of each kind of promise.
_HELD: Final = MappingProxyType(
    {"expect": "number", "questions": "answer", "script": "command", "scenario": ""}
)
_LOOK: Final = 0.1  # seconds between two looks for a signal


# -------------------------------------------------------------------------- scripts


def play_script(options: Options) -> int:
    """Play the commands of a file over a scenario."""
    return play_over(loaded(options.scenario, raised(options.limit)), options)


def play_over(scenario: Scenario, options: Options) -> int:
    """Play the commands of a file over a scenario that is loaded."""
    lines = read_script(options.script, trust_of(options))
    return _play(_opened(scenario, options), lines, options)


def _opened(scenario: Scenario, options: Options) -> Debugger:
    with progress(f"computing {scenario.subject.name}") as tell:
        debugger = Debugger(scenario, progress=tell)
    look = look_for(options)
    debugger.exporters, debugger.digits = with_screen(), look.sentence
    debugger.memory.first = look.first
    return debugger


def _execute(debugger: Debugger, line: str, trust: Trust | None = None) -> Reply:
    """Carry out a line; a bar says how far it is where it takes long."""
    with progress(clean(line)) as tell:
        debugger.progress = tell
        return debugger.execute(line, trust)


def _play(debugger: Debugger, lines: list[Line], options: Options) -> int:
    screen, look = screen_for(options), look_for(options)
    before = debugger.place

    def seen(line: Line, reply: Reply) -> None:
        nonlocal before
        if options.json:
            with progress(reply.command) as tell:
                debugger.progress = tell  # what is long is made now
                record = dump(reply.record(plain))
            screen.file.write(f"{record}\n")
            return
        if options.echo:
            screen.print(transcript(line.said, line.text, look))
        _print(screen, reply_block(debugger, reply, look, screen.width, before))
        before = debugger.place

    execute = partial(_execute, debugger)
    outcome = run_script(lines, execute, seen, keep_going=options.keep_going)
    screen.file.flush()
    sys.stderr.writelines(f"{failure}\n" for failure in outcome.failures)
    return outcome.code


def _print(screen: Screen, block: object) -> None:
    if getattr(block, "lines", True):
        screen.print(block)


# --------------------------------------------------------------------------- prompt


def do_debug(options: Options) -> int:
    """Read commands at a prompt, or from a pipe as a script."""
    limits = raised(options.limit)
    return talk_over(
        lambda: loaded(options.scenario, limits),
        options,
        partial(_predict, options),
        options.lines,
    )


def _predict(options: Options, debugger: Debugger) -> Reply | None:
    """Ask from the first step on, if that is wished, and log what is answered."""
    if options.log:
        debugger.memory.log = Log(options.log).begin()
    return debugger.execute("predict on") if options.predict else None


def talk_over(
    load: Callable[[], Scenario],
    options: Options,
    begin: Callable[[Debugger], Reply | None] = lambda _: None,
    given: Sequence[str] = (),
) -> int:
    """Read commands over the scenario that is loaded, once the flags are right.

    What `begin` returns is shown first. Lines that are `given` are all that is done.
    """
    is_typed = not given and is_terminal(sys.stdin)
    if is_typed:
        _refuse_for_scripts(options)
    debugger, trust = _opened(load(), options), trust_of(options)
    if given:  # a person has typed them
        lines = parse_script("\n".join(given), "-c", trust)
    else:
        lines = None if is_typed else _piped(trust)
    asking = begin(debugger)
    if lines is not None:
        return _play(debugger, lines, options)
    debugger.trust = trust
    return _talk(debugger, options, asking)


def _refuse_for_scripts(options: Options) -> None:
    """Raise for the flags that are about lines from a pipe: at a prompt is none."""
    given = {
        "--echo": options.echo,
        "--keep-going": options.keep_going,
        "--json": options.json,
    }
    hint = "it is about lines of -c or a pipe, not about those that are typed"
    problems = [
        Problem(f"{flag} is ignored there", hint, f"gradstep {options.command}")
        for flag, is_given in given.items()
        if is_given
    ]
    if problems:
        raise InputError(problems)


def trust_of(options: Options) -> Trust:
    """Return the trust in a person who has given these flags."""
    return FULL if options.trust else KEYBOARD


def _piped(trust: Trust) -> list[Line]:
    most = LIMITS.text
    raw = getattr(sys.stdin, "buffer", None)
    try:
        text = (
            sys.stdin.read(most + 1)
            if raw is None
            else raw.read(most + 1).decode("utf-8-sig")
        )
    except UnicodeDecodeError:
        problem = Problem("not text in UTF-8", "one command a line", "<stdin>")
        raise InputError(problem) from None
    if len(text) > most:
        what = f"more than {most} characters come"
        raise InputError(Problem(what, "one command a line", "<stdin>"))
    return parse_script(text, "<stdin>", trust.of_script("<stdin>"))


def _talk(debugger: Debugger, options: Options, first: Reply | None) -> int:
    """Answer line by line, behind a `first` reply; an empty line repeats the last."""
    screen, look = screen_for(options), look_for(options)
    bear_any_byte()
    _complete_with(debugger)
    screen.print(
        look.text(f"{debugger.subject.title}: help lists the commands", "quiet")
    )
    if debugger.memory.said:
        screen.print(look.text(debugger.memory.said))
    if first is not None:
        _print(screen, reply_block(debugger, first, look, screen.width))
    last = ""
    while True:
        before = debugger.place
        try:
            with _signals_heard():
                last = input(_PROMPT).strip() or last
        except EOFError:
            screen.print()
            return 0
        except KeyboardInterrupt:
            screen.print()
            continue
        reply = _execute(debugger, last)
        _print(screen, reply_block(debugger, reply, look, screen.width, before))
        if reply.code is not None:
            return reply.code


@contextmanager
def _signals_heard() -> Iterator[None]:
    """Look for signals ten times a second, where there is such a clock.

    Readline waits for the next key. A signal that comes while it writes the one before
    is only noted by Python, and nobody would look until then.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, lambda _number, _frame: None)
    signal.setitimer(signal.ITIMER_REAL, _LOOK, _LOOK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _complete_with(debugger: Debugger) -> None:
    """Complete with the tab key, where Python was built with readline."""
    try:
        import readline  # noqa: PLC0415  # not every Python has it
    except ImportError:
        return

    def candidate(word: str, number: int) -> str | None:
        line, end = readline.get_line_buffer(), readline.get_endidx()
        start = end - len(word)
        # Readline knows its own word, which can be the end of one of ours.
        begun = line[:end].rpartition(" ")[2]
        skip = len(begun) - len(word)
        found = (
            [one[skip:] for one in complete(debugger, line, end)] if start >= 0 else []
        )
        return found[number] if number < len(found) else None

    readline.set_completer(candidate)
    readline.set_completer_delims(" ")
    docs = readline.__doc__ or ""
    key = "bind ^I rl_complete" if "libedit" in docs else "tab: complete"
    readline.parse_and_bind(key)


# ------------------------------------------------------------ questions of an author

_LONGEST: Final = 4000  # characters of an answer


def play_asking(
    screen: Screen,
    stage: Stage,
    events: Sequence[int],
    pace: Pace,
    came: Callable[[int], None],
) -> None:
    """Print the steps, and put the questions of the author; both end with the input.

    `came` is told of the events that are printed. Raises `InputError` where nothing is
    asked.
    """
    if not stage.subject.questions:
        hint = "an author writes them under [questions]"
        raise InputError(Problem("it asks nothing", hint, "gradstep play --ask"))
    ask = Asker(stage, screen)
    with suppress(Closed):
        play(screen, stage, events, pace, came, ask.before)
    ask.tell()


def bear_any_byte() -> None:
    """Let what is typed and is no text be read all the same: it is a wrong answer."""
    reconfigure = getattr(sys.stdin, "reconfigure", None)
    if reconfigure is not None:  # what was put in its place has texts
        reconfigure(errors="backslashreplace")


class Closed(Exception):
    """Nobody answers any more: the input has come to its end."""


class Asker:
    """Puts the questions of an author while steps are printed, and reads answers."""

    def __init__(self, stage: Stage, screen: Console) -> None:
        self._stage, self._screen = stage, screen
        bear_any_byte()
        self._open = questions_in_time(stage.subject, stage.trace)
        self._outcomes: list[Outcome] = []

    def before(self, events: Sequence[int]) -> None:
        """Put what is asked before these events. Raises `Closed`."""
        for put in self._open:
            if events[0] <= put.position <= events[-1]:
                self._put(put)

    def _say(self, text: str, style: str = "") -> None:
        look, width = self._stage.look, self._screen.width
        self._screen.print(wrap(look.text(text, style), width))

    def _put(self, put: Put) -> None:
        """Ask until it is answered, shown, or answered wrongly too often."""
        subject, trace = self._stage.subject, self._stage.trace
        state = State(trace, put.position, names=subject.names)

        def evaluate(text: str) -> Any:
            return parse(text, subject.graph, subject.names).evaluate(state)

        tries, first, outcome = 0, "", None
        self._screen.print()
        self._say(put.text, "title")
        if not self._outcomes:
            self._say("type the answer; Enter alone shows it", "note")
        while outcome is None:
            text = self._read()
            try:
                found = judged(put, text, evaluate, subject, trace) if text else None
            except CommandError as error:
                self._say(str(error), "bad")
                continue
            if found is None:
                outcome, first = "shown", ""
                continue
            tries += found.counts
            outcome = outcome_of(tries, is_right=found.is_right)
            first = "Right. " if found.is_right else f"Not {clean(text)}. "
            if outcome is None:
                first = first if found.counts else ""
                self._say(f"{first}{found.why or put.asking.hint}", "note")
        told = right_text(put, subject, trace, self._stage.look.sentence)
        self._say(f"{first}{told}", "good" if outcome != "shown" else "")
        if put.asking.after:
            self._say(put.asking.after)
        self._outcomes.append(outcome)

    def _read(self) -> str:
        self._screen.print("> ", end="")
        self._screen.file.flush()
        line = sys.stdin.readline(_LONGEST)
        if not line:
            self._screen.print()
            raise Closed
        return line.strip()

    def tell(self) -> None:
        """Say how many were answered."""
        if self._outcomes:
            counts = Counter(self._outcomes)
            parts = [
                f"{counts[one]} {word}" for one, word in OUTCOMES.items() if counts[one]
            ]
            self._say(f"{counted(len(self._outcomes), 'question')}: {', '.join(parts)}")


# ---------------------------------------------------------------------------- tests


def do_test(options: Options) -> int:
    """Hold scenarios to their [expect] and to the scripts beside them."""
    paths: list[str | Path] = [*options.paths]
    if options.builtin or not paths:
        paths += builtin_names()
    screen, look = screen_for(options), look_for(options)
    verdicts: list[Verdict] = []
    tested = 0
    sound: list[str | Path] = []
    trust, limits = trust_of(options), raised(options.limit)
    with progress("testing") as tell:
        for path in scenarios_in(paths):
            told = [keep() for keep in promises(path, tell, trust, limits).values()]
            verdicts += told
            tested += 1
            _tell(screen, look, str(path), told)
            if all(one.code in (OK, FAILED) for one in told):
                sound.append(path)
    with progress("looking for remarks"):
        remarks = _remarks(sound, limits)
    for remark in remarks:
        screen.print(look.text(f"·  {remark}", "quiet"), soft_wrap=True)
    if options.junit:
        write(options.junit, junit(verdicts), overwrite=True)
    code = max((one.code for one in verdicts), default=WRONG)  # as pytest: none is bad
    said = look.text(_summary(tested, verdicts), "bad" if code else "good")
    screen.print(said, soft_wrap=True)
    return code


def _remarks(paths: list[str | Path], limits: Limits) -> list[str]:
    """Return what is to be said of scenarios that is no failure."""
    from .fitting import remarks  # noqa: PLC0415  # 280 ms, it imports Textual

    return remarks([load(path, limits) for path in paths])


def _tell(screen: Screen, look: Look, path: str, verdicts: list[Verdict]) -> None:
    if not verdicts:
        name = clean(Path(path).stem)
        said = f"·  {name}: expects nothing, has no script"
        screen.print(look.text(said, "quiet"), soft_wrap=True)
    for one in verdicts:
        is_good = one.code == 0
        what = _HELD[one.kind]
        held = counted(one.held, what) if what else "cannot be read"
        line = f"{'✓' if is_good else '✗'}  {one.name}  {one.kind}: {held}"
        screen.print(look.text(line, "good" if is_good else "bad"), soft_wrap=True)
        for failure in one.failures:
            screen.print(look.text(f"   {failure}"), soft_wrap=True)


def _summary(tested: int, verdicts: list[Verdict]) -> str:
    if not verdicts:
        return f"{counted(tested, 'scenario')}: nothing is expected, nothing was tested"
    wrong = sum(one.code != 0 for one in verdicts)
    scripts = sum(one.kind == "script" for one in verdicts)
    text = f"{counted(tested, 'scenario')}, {scripts} with a script: "
    return text + (f"{wrong} of {len(verdicts)} failed" if wrong else "all holds")


def junit(verdicts: Iterable[Verdict]) -> str:
    """Return verdicts as JUnit's XML, which services for testing read."""
    cases = [_case(one) for one in verdicts]
    failed = sum("<failure" in case for case in cases)
    body = "".join(cases)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuite name="gradstep" tests="{len(cases)}" failures="{failed}" '
        f'errors="0" skipped="0">\n{body}</testsuite>\n'
    )


def _case(one: Verdict) -> str:
    head = f"  <testcase classname={quoteattr(one.name)} name={quoteattr(one.kind)}"
    if one.code == 0:
        return f"{head}/>\n"
    first, text = one.failures[0] if one.failures else "", "\n".join(one.failures)
    return (
        f"{head}>\n    <failure message={quoteattr(first)}>{escape(text)}</failure>\n"
        "  </testcase>\n"
    )

"""Do the readers bear anything? Texts are changed at random, led by what they reach.

A reader gets a text from its corpus, changed a little. One that reaches a line of the
core that none has reached before joins the corpus, which is kept in `tests/corpus`.
What breaks a reader is printed and kept as well: `tests/test_fuzz.py` repeats all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import sys
import tempfile
import time
import traceback
import unicodedata
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).parent / "tui"))

from driving import main_screen, press, resize, settle  # pyright: ignore[reportMissingImports]
from gradstep.core.base.errors import InputError
from gradstep.core.base.limits import LIMITS
from gradstep.core.base.trust import KEYBOARD, below
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.debugger.verify import verify_questions
from gradstep.core.ops import OPS
from gradstep.core.scenario.scenario import hunted, parse
from gradstep.core.session.script import parse_script, run_script
from gradstep.core.session.script import read_script as read_script_file
from gradstep.tui.app.app import GradstepApp
from sessions import TRAINING, TROUBLE, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import CodeType, FrameType

CORPUS: Final = Path(__file__).parent / "corpus"
LONGEST: Final = 1500  # characters of a text that is kept
SECONDS: Final = 5.0  # of processor time that one text may take
_SMALL: Final = LIMITS._replace(
    nodes=500, elements_per_array=50_000, elements=100_000, work=10**6,
    commands=50, iterations=10**4, steps=5000,
)  # fmt: skip
_ACTING: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_BEATS: Final = 8  # how often the space bar is pressed
_ESCAPES: Final = 6  # so many things may be open before one another
_SIZE: Final = re.compile(r"(\d{1,3})x(\d{1,2})")


class Broken(AssertionError):
    """A reader did what it must not do."""


class Reader(NamedTuple):
    """What reads texts, and of what they are made."""

    read: Callable[[str], None]
    words: tuple[str, ...]
    share: int  # of the time, in hundredths


# --------------------------------------------------------------------------- readers


def read_scenario(text: str) -> None:
    """Read a scenario, and run it where it is one."""
    try:
        scenario = parse(text, source="s.toml", limits=_SMALL)
    except InputError as error:
        _harmless(str(error))
        return
    _harmless(scenario.subject.title)
    debugger = Debugger(hunted(scenario))
    debugger.execute("goto end")
    if scenario.hidden is not None:
        for line in ("hint", "accuse y", "accuse E"):
            _harmless("\n".join(debugger.execute(line).text))
    _harmless("\n".join(verify_questions(scenario).failures))


@cache
def _at_the_end() -> Debugger:
    debugger = session(TROUBLE)
    debugger.execute("goto end")
    return debugger


def read_expression(text: str) -> None:
    """Compute an expression, as what is looked at, asked about and waited for."""
    debugger = _at_the_end()
    for command in ("print", "why", "explain", "break y if"):
        reply = debugger.execute(f"{command} {text}")
        _harmless(reply.error or "\n".join(reply.text))
    debugger.execute("delete")


def read_script(text: str) -> None:
    """Run a script, in a folder of its own."""
    debugger = Debugger(parse(TRAINING, limits=_SMALL))
    with _folder_of_a_script() as folder:
        trust = below(folder)
        lines = parse_script(text, "x.gs", trust)
        outcome = run_script(lines, debugger.execute, keep_going=True)
        _harmless("\n".join(outcome.failures))


@contextmanager
def _folder_of_a_script() -> Iterator[Path]:
    """Give a folder in which a script may write, and nowhere else, and over nothing."""
    with tempfile.TemporaryDirectory() as name:
        outer = Path(name)
        folder = outer / "scripts"
        folder.mkdir()
        for file in (outer / "b.gs", folder / "b.gs"):
            file.write_text("step\n", "utf-8")
        before = Path.cwd()
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)
        if {one.name for one in outer.iterdir()} != {"scripts", "b.gs"}:
            raise Broken(f"written beside: {sorted(outer.iterdir())}")
        if any(one.name.startswith(".") for one in folder.iterdir()):
            raise Broken(f"hidden files: {sorted(folder.iterdir())}")
        for file in (outer / "b.gs", folder / "b.gs"):
            if file.read_text("utf-8") != "step\n":
                raise Broken(f"{file} is written over")


def read_lesson(text: str) -> None:
    """Play a script in the application with the space bar, as one that leads."""

    async def run(folder: Path) -> None:
        scenario = parse(TRAINING, limits=_SMALL)
        app = GradstepApp(scenario, "", folder / "lesson.gs", trust=KEYBOARD)
        async with app.run_test(size=(80, 24)):
            for _ in range(_BEATS):
                if app.is_running:
                    press(app, "space")
                    await settle(app, at_most=0.2)
            app.exit(0)

    with _folder_of_a_script() as folder, _own_state(folder.parent / "scripts"):
        (folder / "lesson.gs").write_text(text, "utf-8", newline="")
        try:
            read_script_file(folder / "lesson.gs")
        except InputError as error:
            _harmless(str(error))
            return
        asyncio.run(run(folder))


def read_keys(text: str) -> None:
    """Press keys in the application: one a line; 40x12 is another size of the terminal.

    It stands somewhere in the run then, and Escape and q still leave it.
    """

    async def run() -> None:
        app = GradstepApp(parse(TRAINING, limits=_SMALL))
        async with app.run_test(size=(100, 30)):
            for key in text.split("\n")[:40]:
                if not app.is_running:
                    return
                if size := _SIZE.fullmatch(key):
                    resize(app, (int(size[1]), int(size[2])))
                elif key.isprintable() and key:
                    press(app, key)
            await settle(app, at_most=0.2)
            if app.is_running:
                await _left(app)

    with tempfile.TemporaryDirectory() as folder, _own_state(Path(folder)):
        asyncio.run(run())


async def _left(app: GradstepApp) -> None:
    """Hold that the place is one of the run, and that the application can be left."""
    debugger = main_screen(app).debugger
    if not 0 <= debugger.position <= len(debugger.trace):
        raise Broken(f"position {debugger.position} of {len(debugger.trace)}")
    for key in (*["escape"] * _ESCAPES, "q"):
        press(app, key)
        await settle(app, at_most=0.2)
    if app.is_running and not app._exit:
        raise Broken(f"q does not leave {app.screen}, {app.focused}")


@contextmanager
def _own_state(folder: Path) -> Iterator[None]:
    """Let what the application remembers be in a folder."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(folder)
    yield
    if before is not None:
        os.environ["XDG_STATE_HOME"] = before


def _harmless(text: str) -> None:
    if any(c != "\n" and unicodedata.category(c) in _ACTING for c in text):
        raise Broken(f"signs that act in {text[:300]!r}")
    if "Traceback" in text or "a bug in gradstep" in text:
        raise Broken(text)


_SIGNS: Final = (
    *"()[]{},.:;=+-*/@<>'\"#`&|!~^%$\\?_ \n\t01289",
    *("**", "==", "!=", "<=", "->", ":=", "...", "1e400", "9" * 20, "-0.0", "1e-320"),
    *("\x1b[2J", "\u202e", "\u200b", "δ", "²", "\uff58", "\r\n", "\0", "é", "🙂"),
)
_NAMES: Final = (
    "x",
    "W",
    "E",
    "y",
    "v",
    "a.grad",
    "y.h.z",
    "nan",
    "inf",
    "True",
    "None",
)
_PROGRAM: Final = (
    "def f(a):\n    ",
    "return ",
    "y = ",
    " if ",
    " and ",
    "axis=",
    ".T",
    ".shape",
)
_TABLES: Final = (
    *("gradstep = 1", "program = '''", "[inputs]", "[parameters]", "[constants]"),
    *(
        "[training]",
        "[notes]",
        "[names]",
        "[expect]",
        "[seed]",
        "[questions]",
        "[hidden]",
        "rule = 'y<-x'",
        "mistake = 'sign'",
        "{ ask = 'y' }",
        "choices = ['a', 'b']",
        "answer = ",
        "wrong = { ",
        "output = ",
        "dtype = ",
    ),
    *(
        "{ zeros = [2] }",
        "{ random = 'normal', shape = [2], seed = 1 }",
        "{ file = 'w.npy' }",
    ),
    *("optimizer = 'adam'", "batch = { of = ['x'], size = 1 }", "true", "1979-05-27"),
)
_COMMANDS: Final = (
    *(
        "step",
        "goto ",
        "print ",
        "break ",
        "watch ",
        "catch nan",
        "commands 1 ",
        "continue",
    ),
    *(
        "set ",
        "why ",
        "explain ",
        "train 2",
        "save a.gs",
        "source a.gs",
        "export dot a.dot",
    ),
    *(
        "expect error",
        "assert ",
        "info stops",
        "check",
        "diff",
        "display ",
        "undo",
        "delete",
    ),
    *(
        "end",
        "start",
        "backward",
        "1:2",
        "run ",
        "fork",
        "record a.gs",
        "list",
        "transposes",
        "predict ",
        "answer ",
        "show",
        "accuse ",
        "hint",
    ),
    *("cost ", "limit ", "nudge ", "words ", "indices ", "\nwait ", "\nsay ", "`s`"),
)
_KEYS: Final = (
    *(
        "\ns",
        "\nS",
        "\nn",
        "\nN",
        "\nup",
        "\ndown",
        "\nleft",
        "\nright",
        "\nenter",
        "\nescape",
    ),
    *(
        "\ntab",
        "\nshift+tab",
        "\nend",
        "\nhome",
        "\npagedown",
        "\nctrl+p",
        "\nctrl+o",
        "\nspace",
    ),
    *(f"\n{size}" for size in ("0x0", "1x1", "20x5", "40x12", "79x23", "120x9")),
    *(f"\n{key}" for key in ":/?123456789vhHeEwWgGtTbBdDcCiImMpPrRuUxX<>+-[]{}"),
)
READERS: Final = {
    "scenarios": Reader(
        read_scenario, (*_SIGNS, *_NAMES, *_PROGRAM, *_TABLES, *OPS), 30
    ),
    "expressions": Reader(read_expression, (*_SIGNS, *_NAMES, *OPS), 20),
    "scripts": Reader(read_script, (*_SIGNS, *_NAMES, *_COMMANDS), 20),
    "lessons": Reader(read_lesson, (*_SIGNS, *_NAMES, *_COMMANDS), 15),
    "keys": Reader(read_keys, _KEYS, 15),
}


# --------------------------------------------------------------------------- changing


def corpus(name: str) -> list[str]:
    """Return the texts that are kept for a reader."""
    return json.loads((CORPUS / f"{name}.json").read_text("utf-8"))


def keep(name: str, texts: Sequence[str]) -> None:
    """Keep texts for a reader."""
    path = CORPUS / f"{name}.json"
    path.write_text(json.dumps(list(texts), indent=1) + "\n", "utf-8")


def changed(
    text: str, others: Sequence[str], words: Sequence[str], rng: random.Random
) -> str:
    """Return a text with some changes in it."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at, to = sorted(rng.choices(range(len(text) + 1), k=2))
        to = min(to, at + rng.choice((0, 1, 3, 10, 60)))
        how = rng.randrange(6)
        if how == 0:
            text = text[:at] + text[to:]
        elif how == 1:
            text = text[:to] + text[at:to] * rng.choice((1, 2, 9)) + text[to:]
        elif how == 2:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            text = text[:at] + other[start : start + 80] + text[to:]
        else:
            text = text[:at] + rng.choice(words) + text[to if how == 3 else at :]
    return text[:LONGEST]


def tried(reader: Reader, text: str) -> str:
    """Return what is wrong with how a reader bears a text, or nothing."""
    started = time.process_time()
    try:
        reader.read(text)
    except Exception:  # noqa: BLE001  # whatever it is, that is what is looked for
        return traceback.format_exc()
    taken = time.process_time() - started
    return f"it took {taken:.1f} s" if taken > SECONDS else ""


# --------------------------------------------------------------------------- coverage


@contextmanager
def coverage() -> Iterator[set[tuple[CodeType, int]]]:
    """Give the lines of the core that are reached, from now on."""
    seen: set[tuple[CodeType, int]] = set()
    is_ours: dict[CodeType, bool] = {}

    def lines(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            seen.add((frame.f_code, frame.f_lineno))
        return lines

    def calls(frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if code not in is_ours:
            path = Path(code.co_filename)
            is_ours[code] = "core" in path.parts and "tests" not in path.parts
        return lines if is_ours[code] else None

    before = sys.gettrace()
    sys.settrace(calls)
    try:
        yield seen
    finally:
        sys.settrace(before)


def fuzz(name: str, seconds: float, rng: random.Random) -> tuple[int, int, list[str]]:
    """Change texts for so long: how many were tried, how many are new, what broke."""
    reader, texts = READERS[name], corpus(name)
    end = time.monotonic() + seconds
    count, broken = 0, list[str]()
    first = len(texts)
    with coverage() as seen:
        for text in texts:
            tried(reader, text)
        while time.monotonic() < end:
            text = changed(rng.choice(texts), texts, reader.words, rng)
            before, count = len(seen), count + 1
            wrong = tried(reader, text)
            if wrong:
                broken.append(f"{name}: {text!r}\n{wrong}")
            if len(seen) > before or wrong:
                texts.append(text)
    keep(name, texts)
    return count, len(texts) - first, broken


def main() -> int:
    """Return 1 where a reader broke."""
    parser = argparse.ArgumentParser(description="Change texts for the readers.")
    parser.add_argument("readers", nargs="*", default=list(READERS))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    share = sum(READERS[name].share for name in options.readers)
    failed = 0
    for name in options.readers:
        seconds = 60 * options.minutes * READERS[name].share / share
        rng = random.Random(options.seed)  # noqa: S311  # no secret
        count, new, broken = fuzz(name, seconds, rng)
        print(f"{name}: {count} tried, {new} new, {len(broken)} broke", flush=True)
        print(*broken, sep="\n")
        failed += len(broken)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

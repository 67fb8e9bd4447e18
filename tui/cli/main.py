"""The command line: what may be asked for, and the only place that exits.

`--help`, `--version` and mistakes in flags answer without numpy, rich or Textual.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import traceback
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, TextIO, cast

from ...core.base.errors import InputError, Interrupted, Problem, defect_text
from ...core.base.exits import BUG, INTERRUPTED, OK, SIGNALLED, WRONG
from ...core.base.signs import ascii_text
from ...core.base.text import clean, nearest
from ...core.base.version import __version__
from .arguments import COMMANDS, HELP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# Of those that ask a process to end, the ones that there are on this system.
_SIGNALS: Final = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
]
_HUNG_UP: Final = SIGNALLED + 1  # SIGHUP, on systems without it, too
_DESCRIPTION: Final = """\
A debugger for backpropagation: run a scenario forward and backward, one step at a time,
and see where every gradient comes from. Without a command it opens the application in
a terminal, and elsewhere plays apple_orange.
"""
_EPILOG: Final = """\
A SCENARIO is the name of a built-in one (gradstep list), or the path of a .toml file or
of a capture, run.gradstep.

examples:
  gradstep run three_layer               open the application
  gradstep play apple_orange             every step of the first lesson
  gradstep play three_layer --from E     from the output on
  gradstep play two_layer_net --only W1 --slice 'W1[0:3, :]'
  gradstep check xor                     every gradient beside its numeric one
  gradstep new mine.toml && gradstep play mine.toml

numbers are rounded; 0 is exactly zero, and -0 is a zero with the sign that floating
point keeps

exit codes: 0 all is well, 1 a check failed, 2 wrong input, 3 a bug in gradstep,
130 interrupted
"""


# ------------------------------------------------------------------------ the parser


class _Parser(argparse.ArgumentParser):
    """A parser that raises, so that `main` alone exits."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the flags."""
        hint = f"{self.prog} --help tells more"
        raise InputError(Problem(clean(message), hint, self.prog))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="gradstep",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="store_true", help="print the version, and leave"
    )
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands"
    )
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            epilog=command.epilog,
            allow_abbrev=False,
        )
        command.add_to(sub)
    return parser


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line, or raise `InputError` with everything that is wrong."""
    first = next(iter(arguments), "")
    if first and not first.startswith("-") and first not in COMMANDS:
        raise InputError(
            Problem(f"there is no command {clean(first)!r}", _meant(first), "gradstep")
        )
    arguments, rest = _apart(arguments)
    options, unknown = build_parser().parse_known_args(arguments)
    options.rest = rest
    command = COMMANDS.get(options.command)
    where = f"gradstep {options.command}" if command else "gradstep"
    known = command.flags if command else []
    problems = [
        _unknown(text, known, where)
        for before, text in zip(["", *unknown], unknown, strict=False)
        if text.startswith("-") or not before.startswith("-")
    ]
    values = vars(options).values()
    problems += [v._replace(source=where) for v in values if isinstance(v, Problem)]
    if command:
        problems += [
            Problem(f"{name} is empty", f"{where} --help tells more", where)
            for name in command.empty(options)
        ]
    if command and not problems:
        problems += [
            Problem(f"{flag} is ignored there", why, where)
            for flag, why in command.ignored(options)
        ]
    if problems:
        raise InputError(problems)
    return options


def _apart(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return our own arguments, and behind `--` those of the script that is run."""
    if arguments[:1] != ["capture"] or "--" not in arguments:
        return arguments, []
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :]


def _unknown(text: str, known: Sequence[str], where: str) -> Problem:
    if not text.startswith("-"):
        return Problem(f"{clean(text)!r} is one argument too many", "", where)
    flag = text.partition("=")[0]
    hint = nearest(flag, known) or f"{where} --help lists the flags"
    if where == "gradstep capture":
        hint = "flags of the script itself come after --"
    return Problem(f"there is no flag {clean(flag)!r}", hint, where)


def _meant(text: str) -> str:
    """Return what may have been meant in the place of a command."""
    if text.endswith((".toml", ".gradstep")):
        return f"to play it: gradstep play {clean(text)}"
    names = f"commands are {', '.join(COMMANDS)}"
    return nearest(text, COMMANDS) or f"{names}; a scenario comes after one of them"


# ------------------------------------------------------------------------------ main


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, and exit with what became of it."""
    # What was closed before the start is None: nobody speaks or listens there.
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = sys.stdout or _nowhere("w")
    sys.stderr = sys.stderr or _nowhere("w")
    ours = [one for one in _SIGNALS if signal.getsignal(one) is signal.SIG_DFL]
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = run(given, lambda: _begin(ours))
    except KeyboardInterrupt:  # while it was told how it ended
        code = INTERRUPTED
    for number in ours:
        signal.signal(number, signal.SIG_DFL)  # as at the start: nothing is lost
    sys.exit(code)


def _begin(numbers: Sequence[int]) -> None:
    """Let signals raise an error from now on: what is done is to be kept.

    The terminal gets its mode back then, and no draft stays.
    """
    for number in numbers:
        is_asked = number == signal.SIGINT
        signal.signal(number, signal.default_int_handler if is_asked else _leave)


def _leave(number: int, _frame: object) -> NoReturn:
    sys.exit(SIGNALLED + number)


@contextmanager
def nothing_to_keep() -> Iterator[None]:
    """Let signals end the process at once, as before anything is begun.

    An error that one raises within an import may come out of it as another one.
    """
    raising = signal.default_int_handler, _leave
    ours = {n: by for n in _SIGNALS if (by := signal.getsignal(n)) in raising}
    for number in ours:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in ours.items():
        signal.signal(number, handler)


class _Ascii:
    """A file that is written to in ASCII, and otherwise the one that it stands for."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write a text, its signs in ASCII."""
        self._file.write(ascii_text(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def _ascii_output() -> Iterator[None]:
    """Let everything in a block be written in ASCII: answers, errors and progress."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", _Ascii(file)) for file in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def run(arguments: Sequence[str], begin: Callable[[], None] = lambda: None) -> int:
    """Run the command line, and return its exit code.

    `begin` is called once all that it needs is imported.
    """
    # JSON has its own escapes; everything else that is said is plain, mistakes as well.
    if "--plain" in arguments and "--json" not in arguments:
        with _ascii_output():
            return _run(arguments, begin)
    return _run(arguments, begin)


def _run(arguments: Sequence[str], begin: Callable[[], None]) -> int:
    try:
        code = _dispatch(arguments, begin)
        sys.stdout.flush()
    except InputError as error:
        _say(str(error))
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    except Interrupted as stopped:
        _say(f"gradstep: {stopped.told}")
        return INTERRUPTED
    except BrokenPipeError:  # the reader has gone, `| head` for instance
        _give_up_output()
        return OK
    except OSError as error:
        _give_up_output()
        if error.errno == errno.EIO:  # the terminal is gone, its signal comes
            return _HUNG_UP
        _say(f"gradstep: the output cannot be written: {error.strerror or error}")
        return WRONG
    except MemoryError as error:
        _say(defect_text(error))
        return WRONG
    except Exception as error:  # noqa: BLE001  # what is left is ours to explain
        if os.environ.get("GRADSTEP_TRACEBACK") == "1":
            traceback.print_exc()
            return BUG
        _say(defect_text(error))
        return BUG
    return code


def _dispatch(arguments: Sequence[str], begin: Callable[[], None]) -> int:
    if arguments[:2] == ["completion", "words"]:
        from .completion.completion import candidates  # noqa: PLC0415  # only for a shell

        found = candidates(arguments[2:], COMMANDS, (*HELP, "--version"))
        sys.stdout.writelines(f"{word}\n" for word in found)
        return OK
    try:
        options = parse(arguments)
    except SystemExit as leaving:  # argparse has printed its help
        return int(leaving.code or OK)
    if options.version:
        sys.stdout.write(f"gradstep {__version__}\n")
        return OK
    if options.command is None:
        options = parse(["run"] if has_terminal() else ["play", "apple_orange"])
    do = task(options.command)
    begin()
    return do(options)


def task(name: str) -> Callable[[argparse.Namespace], int]:
    """Return what carries a command out, and gives its exit code."""
    home = import_module(f".{COMMANDS[name].home}", __package__)
    found: Callable[[argparse.Namespace], int] = getattr(home, f"do_{name}")
    return found


def has_terminal() -> bool:
    """Tell whether there is a terminal that the application can draw in."""
    files = (sys.stdin, sys.stdout, sys.stderr)
    is_dumb = os.environ.get("TERM", "dumb") == "dumb"
    return not is_dumb and all(file is not None and file.isatty() for file in files)


def _give_up_output() -> None:
    """See to it that Python's own flush at the exit does not complain."""
    with suppress(OSError, ValueError, AttributeError):  # it may be no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _nowhere(mode: Literal["r", "w"]) -> TextIO:
    return Path(os.devnull).open(mode, encoding="utf-8")


def _say(text: str) -> None:
    with suppress(OSError):  # the exit code says it, too
        sys.stderr.write(f"{text}\n")

"""The command line: what may be asked for, and the only place that exits.

`--help`, `--version` and mistakes in flags answer without numpy, rich or Textual.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Final, NamedTuple, NoReturn, TextIO

from ...core.base.errors import InputError, Problem, defect_text
from ...core.base.exits import BUG, INTERRUPTED, OK, WRONG
from ...core.base.text import clean, nearest
from ...core.export.formats import FORMATS
from .completion import candidates

_DESCRIPTION: Final = """\
A debugger for backpropagation: run a scenario forward and backward, one step at a time,
and see where every gradient comes from. Without a command it opens the application in
a terminal, and elsewhere plays apple_orange.
"""
_EPILOG: Final = """\
A SCENARIO is the name of a built-in one (gradstep list) or the path of a .toml file.

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

Add = Callable[[argparse.ArgumentParser], None]


class Command(NamedTuple):
    """One command: what it is for, and its arguments.

    `home` is the module whose `TASKS` do it: none waits for what the others need.
    """

    summary: str  # one line of `gradstep --help`
    add: Add  # gives a parser the arguments
    home: str = "tasks"
    epilog: str = ""  # what the help ends with; "" for none


# ------------------------------------------------------------------------- the flags


def whole(least: int, most: int) -> Callable[[str], Any]:
    """Return a reader of whole numbers within bounds."""
    return _reader(int, lambda n: least <= n <= most, f"{least} … {most}")


def real(least: float, most: float) -> Callable[[str], Any]:
    """Return a reader of numbers within bounds."""
    return _reader(float, lambda n: least <= n <= most, f"{least:g} … {most:g}")


def one_of(*names: str) -> Callable[[str], Any]:
    """Return a reader of one name of several."""
    return _reader(str, lambda name: name in names, ", ".join(names), names)


def _reader(
    convert: Callable[[str], Any],
    is_right: Callable[[Any], bool],
    allowed: str,
    names: Sequence[str] = (),
) -> Callable[[str], Any]:
    """Return a reader that hands a mistake on as a `Problem`: all are told at once."""

    def read(text: str) -> Any:
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is not None and is_right(value):
            return value
        hint = nearest(text, names)
        return Problem(
            f"{clean(text)!r} is wrong", f"allowed: {allowed}; {hint}".rstrip("; ")
        )

    return read


def _look_flags(
    parser: argparse.ArgumentParser, precision: str = "otherwise 4 in cells, 6 in text"
) -> None:
    group = parser.add_argument_group("how it looks")
    group.add_argument(
        "--width",
        type=whole(40, 1000),
        metavar="N",
        help="columns; otherwise those of the terminal, COLUMNS, or 80",
    )
    group.add_argument(
        "--precision",
        type=whole(1, 17),
        metavar="N",
        help=f"significant digits, 1 … 17; {precision}",
    )
    group.add_argument(
        "--plain", action="store_true", help="plain ASCII: no colour, no drawn lines"
    )


def _json_flag(parser: argparse.ArgumentParser, help_text: str) -> None:
    parser.add_argument("--json", action="store_true", help=help_text)


def _scenario(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", metavar="SCENARIO", help="a name or a .toml file")


def _scenarios(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scenarios", metavar="SCENARIO", nargs="+", help="names or .toml files"
    )


def _play(parser: argparse.ArgumentParser) -> None:
    _scenario(parser)
    group = parser.add_argument_group("which steps")
    place = "an event (31), a node, a frame, line:7, output, 50%%, start or end"
    group.add_argument(
        "--from",
        dest="start",
        default="start",
        metavar="LOC",
        help=f"first step: {place}",
    )
    group.add_argument(
        "--to", dest="stop", default="end", metavar="LOC", help="last step, likewise"
    )
    group.add_argument(
        "--only",
        action="extend",
        nargs="+",
        default=[],
        metavar="NODE",
        help="steps that compute one of these, or go into it or out of it",
    )
    group.add_argument(
        "--steps",
        type=one_of("nodes", "events", "statements"),
        default="events",
        metavar="SIZE",
        help="one step is: events (one edge), nodes (all edges of one), or statements "
        "(a line of the program); otherwise events",
    )
    _look_flags(parser)
    group = parser.add_argument_group("what comes out")
    group.add_argument(
        "--slice",
        action="append",
        default=[],
        metavar="PART",
        help="show this part of a large array whole: 'W1[0:3, 5]'; may be repeated",
    )
    group.add_argument(
        "--delay",
        type=real(0, 3600),
        default=0.0,
        metavar="SECONDS",
        help="wait after each step",
    )
    group.add_argument(
        "--script", metavar="FILE", help="play the commands of a file, not every step"
    )
    _script_flags(group)
    kind = group.add_mutually_exclusive_group()
    kind.add_argument("--markdown", action="store_true", help="write Markdown")
    _json_flag(kind, "write JSON Lines: one event or one command a line")  # type: ignore[arg-type]


def _script_flags(parser: Any) -> None:
    parser.add_argument(
        "--echo", action="store_true", help="print the commands of a script, too"
    )
    parser.add_argument(
        "--keep-going", action="store_true", help="go on after a command that fails"
    )


def _debug(parser: argparse.ArgumentParser) -> None:
    _scenario(parser)
    _script_flags(parser)
    _json_flag(parser, "write JSON Lines: one command a line")
    _look_flags(parser)


def _test(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="names, .toml files, or folders"
    )
    parser.add_argument(
        "--builtin",
        action="store_true",
        help="test the built-in scenarios; so it is without a PATH",
    )
    parser.add_argument("--junit", metavar="FILE", help="write JUnit's XML, too")
    _look_flags(parser)


def _grads(parser: argparse.ArgumentParser) -> None:
    _scenarios(parser)
    _json_flag(parser, "one JSON object a line for each scenario")
    _look_flags(parser)


def _check(parser: argparse.ArgumentParser) -> None:
    _scenarios(parser)
    parser.add_argument(
        "--scheme",
        type=one_of("central", "forward", "complex"),
        default="central",
        metavar="SCHEME",
        help="central, forward or complex differences; otherwise central",
    )
    parser.add_argument(
        "--step",
        type=real(1e-300, 1),
        metavar="H",
        help="the step of the differences; otherwise the best for the scheme and dtype",
    )
    parser.add_argument(
        "--rtol",
        type=real(0, 1),
        metavar="R",
        help="the relative difference that still passes; otherwise by dtype and scheme",
    )
    parser.add_argument(
        "--sample",
        type=whole(1, 10**9),
        metavar="N",
        help="check at most N elements of each array, drawn with a fixed seed",
    )
    _json_flag(parser, "one JSON object a line for each scenario")
    _look_flags(parser, "otherwise 15, or as many as fit")


def _list(parser: argparse.ArgumentParser) -> None:
    _json_flag(parser, "one JSON object a line for each scenario")
    _look_flags(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    _scenario(parser)
    _json_flag(parser, "one JSON object")
    _look_flags(parser)


def _new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="the file to write")
    parser.add_argument(
        "--force", action="store_true", help="overwrite the file if it exists"
    )


def _export(parser: argparse.ArgumentParser) -> None:
    _scenario(parser)
    parser.add_argument(
        "--format",
        type=one_of(*FORMATS),
        metavar="FORMAT",
        help=f"{', '.join(FORMATS)}; otherwise by the name of the file",
    )
    parser.add_argument("--at", default="", metavar="LOC", help="where to look from")
    parser.add_argument(
        "--element", metavar="E", help="what tex derives: W1, W1.grad[0, 2]"
    )
    _file_flags(parser)


def _snapshot(parser: argparse.ArgumentParser) -> None:
    _scenario(parser)
    parser.add_argument("--at", default="", metavar="LOC", help="where to look from")
    parser.add_argument(
        "--size",
        default="120x36",
        metavar="SIZE",
        help="columns and rows; otherwise 120x36",
    )
    parser.add_argument("--view", metavar="NAME", help="the view at the right")
    parser.add_argument("--theme", metavar="NAME", help="the theme")
    _file_flags(parser)


def _file_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the file to write; otherwise standard output",
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite the file if it exists"
    )


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", type=one_of("bash", "zsh", "fish"), metavar="SHELL")


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scenario",
        metavar="SCENARIO",
        nargs="?",
        help="a name or a .toml file; without one, the picker opens",
    )
    parser.add_argument("--at", default="", metavar="LOC", help="where to begin")
    parser.add_argument(
        "--script",
        metavar="FILE",
        help="a script to play with the space bar, line by line",
    )


COMMANDS: Final[dict[str, Command]] = {
    "run": Command("open the application, in a terminal", _run, "opening"),
    "play": Command("print every step of the forward and the backward pass", _play),
    "grads": Command("print the values and gradients of all nodes", _grads),
    "check": Command(
        "compare every gradient with numeric differentiation; 1 on a mismatch", _check
    ),
    "debug": Command(
        "type commands at a plain prompt, or read them from a pipe", _debug, "scripts"
    ),
    "test": Command(
        "hold scenarios to their [expect] and their scripts; 1 on a failure",
        _test,
        "scripts",
    ),
    "list": Command("list the built-in scenarios", _list),
    "show": Command(
        "print the nodes, shapes, frames and formulas of a scenario", _show
    ),
    "export": Command(
        "write a session as a picture, a page, a recording, a program, …",
        _export,
        "sharing",
    ),
    "snapshot": Command(
        "write a picture of the application, without a terminal: svg, txt or png",
        _snapshot,
        "sharing",
    ),
    "new": Command("write a commented scenario to start from", _new),
    "completion": Command(
        "print the completion script of a shell: bash, zsh or fish",
        _completion,
        epilog='for bash: eval "$(gradstep completion bash)" in ~/.bashrc',
    ),
}


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
        command.add(sub)
        sub.set_defaults(parser=sub)
    return parser


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line, or raise `InputError` with everything that is wrong."""
    first = next(iter(arguments), "")
    if first and not first.startswith("-") and first not in COMMANDS:
        raise InputError(
            Problem(f"there is no command {clean(first)!r}", _meant(first), "gradstep")
        )
    options, unknown = build_parser().parse_known_args(arguments)
    parser = getattr(options, "parser", None)
    where = parser.prog if parser else "gradstep"
    known = [flag for action in _actions(parser) for flag in action.option_strings]
    problems = [
        _unknown(text, known, where)
        for before, text in zip(["", *unknown], unknown, strict=False)
        if text.startswith("-") or not before.startswith("-")
    ]
    for name, value in vars(options).items():
        if isinstance(value, Problem):
            flag = _flag_of(parser, name)
            problems.append(Problem(f"{flag} {value.message}", value.hint, where))
    if problems:
        raise InputError(problems)
    return options


def _actions(parser: argparse.ArgumentParser | None) -> list[argparse.Action]:
    return [] if parser is None else parser._actions  # noqa: SLF001  # no public way


def _flag_of(parser: argparse.ArgumentParser | None, name: str) -> str:
    for action in _actions(parser):
        if action.dest == name:
            return next(iter(action.option_strings), str(action.metavar))
    return name


def _unknown(text: str, known: Sequence[str], where: str) -> Problem:
    if not text.startswith("-"):
        return Problem(f"{clean(text)!r} is one argument too many", "", where)
    flag = text.partition("=")[0]
    hint = nearest(flag, known) or f"{where} --help lists the flags"
    return Problem(f"there is no flag {clean(flag)!r}", hint, where)


def _meant(text: str) -> str:
    """Return what may have been meant in the place of a command."""
    if text.endswith(".toml"):
        return f"to play it: gradstep play {clean(text)}"
    names = f"commands are {', '.join(COMMANDS)}"
    return nearest(text, COMMANDS) or f"{names}; a scenario comes after one of them"


# ------------------------------------------------------------------------------ main


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, and exit with what became of it."""
    # What was closed before the start is None: nobody listens there.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command line, and return its exit code."""
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except InputError as error:
        _say(str(error))
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader has gone, `| head` for instance
        _give_up_output()
        return OK
    except OSError as error:
        _give_up_output()
        _say(f"gradstep: the output cannot be written: {error.strerror or error}")
        return WRONG
    except Exception as error:  # noqa: BLE001  # what is left is ours to explain
        if os.environ.get("GRADSTEP_TRACEBACK") == "1":
            traceback.print_exc()
            return BUG
        _say(defect_text(error))
        return BUG
    return code


def _dispatch(arguments: Sequence[str]) -> int:
    if arguments[:2] == ["completion", "words"]:
        sys.stdout.writelines(
            f"{word}\n" for word in candidates(arguments[2:], build_parser())
        )
        return OK
    try:
        options = parse(arguments)
    except SystemExit as leaving:  # argparse has printed its help
        return int(leaving.code or OK)
    if options.version:
        from importlib.metadata import version  # noqa: PLC0415  # 4 ms, only for --version

        sys.stdout.write(f"gradstep {version('gradstep')}\n")
        return OK
    if options.command is None:
        options = parse(["run"] if has_terminal() else ["play", "apple_orange"])
    return task(options.command)(options)


def task(name: str) -> Callable[[argparse.Namespace], int]:
    """Return what carries a command out, and gives its exit code."""
    home = import_module(f".{COMMANDS[name].home}", __package__)
    found: Callable[[argparse.Namespace], int] = home.TASKS[name]
    return found


def has_terminal() -> bool:
    """Tell whether there is a terminal that the application can draw in."""
    files = (sys.stdin, sys.stdout, sys.stderr)
    is_dumb = os.environ.get("TERM", "dumb") == "dumb"
    return not is_dumb and all(file is not None and file.isatty() for file in files)


def _give_up_output() -> None:
    """See to it that Python's own flush at the exit does not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _nowhere() -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def _say(text: str) -> None:
    with suppress(OSError):  # the exit code says it, too
        sys.stderr.write(f"{text}\n")

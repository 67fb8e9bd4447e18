"""What each command of the command line takes: one row an argument.

Nothing here waits for NumPy, rich or Textual: help and completion read it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...core.base.errors import Problem
from ...core.base.text import clean, nearest
from ...core.export.formats import FORMATS

if TYPE_CHECKING:
    import argparse

HELP: Final = ("-h", "--help")  # flags of every command, by argparse

# ----------------------------------------------------------------------- their values


class Values(NamedTuple):
    """Which values an argument may have."""

    convert: Callable[[str], Any]  # raises `ValueError` for what is none
    is_right: Callable[[Any], bool]  # tells whether such a value is allowed
    allowed: str  # in words
    names: Sequence[str] = ()  # all of them, where they are a few words

    def read(self, name: str, text: str) -> Any:
        """Read a value; a mistake becomes a `Problem`, for all are told at once."""
        try:
            value = self.convert(text)
        except ValueError:
            value = None
        if value is not None and self.is_right(value):
            return value
        hint = f"allowed: {self.allowed}; {nearest(text, self.names)}".rstrip("; ")
        return Problem(f"{name} {clean(text)!r} is wrong", hint)


def whole(least: int, most: int) -> Values:
    """Return the whole numbers within bounds."""
    return Values(int, lambda n: least <= n <= most, f"{least} … {most}")


def real(least: float, most: float) -> Values:
    """Return the numbers within bounds."""
    return Values(float, lambda n: least <= n <= most, f"{least:g} … {most:g}")


def one_of(*names: str) -> Values:
    """Return a few names."""
    return Values(str, lambda name: name in names, ", ".join(names), names)


def _pair(text: str) -> tuple[str, str]:
    forward, _, backward = text.partition("=")
    return forward.strip(), backward.strip()


# ---------------------------------------------------------------------- the arguments


class Argument(NamedTuple):
    """One argument of a command.

    `usage` is how the help writes it: "--plain", "--width N", "SCENARIO".
    """

    usage: str
    help: str  # what it is for, in a few words
    values: Values | None = None  # None where any text will do
    how: Mapping[str, Any] = MappingProxyType({})  # what else argparse is told
    rivals: bool = False  # of those in a group that have any, one may be given

    @property
    def flags(self) -> list[str]:
        """The flags that it is written with, none for what stands by its place."""
        return [word for word in self.usage.split() if word.startswith("-")]

    @property
    def dest(self) -> str:
        """Where argparse puts its value."""
        if not self.flags:
            is_many = self.how.get("nargs") in ("+", "*")
            return self.usage.lower() + "s" * is_many
        return self.how.get("dest") or self.flags[-1].lstrip("-").replace("-", "_")

    @property
    def default(self) -> Any:
        """What its value is where it is not given."""
        return self.how.get("default")

    @property
    def names(self) -> Sequence[str]:
        """The few words that its value is one of, none where it may be another."""
        return self.values.names if self.values else ()

    def add_to(self, parser: argparse._ActionsContainer) -> None:
        """Let a parser take it."""
        flags, how = self.flags, {"help": self.help, **self.how}
        metavar = self.usage.split()[-1]
        if metavar in flags:
            parser.add_argument(*flags, action="store_true", **how)
            return
        if self.values is not None:
            read, name = self.values.read, (flags or [metavar])[0]
            how["type"] = lambda text: read(name, text)
        parser.add_argument(*(flags or [self.dest]), metavar=metavar, **how)


def _argument(
    usage: str, text: str, values: Values | None = None, **how: Any
) -> Argument:
    return Argument(usage, text, values, how)


Group = Sequence[Argument]

_SCENARIO: Final = _argument("SCENARIO", "a name, a .toml file or a capture")
_SCENARIOS: Final = _argument("SCENARIO", "names, .toml files or captures", nargs="+")
_AT: Final = _argument("--at LOC", "where to look from", default="")
_THEME: Final = _argument("--theme NAME", "the theme", default="")
_PRESENT: Final = _argument("--present", "to a class: most of the screen for the step")
_LIMIT: Final = _argument(
    "--limit NAME=N",
    "allow more than is allowed otherwise: nodes=1000000; may be repeated",
    action="append",
    default=[],
)
_EACH: Final = _argument("--json", "one JSON object a line for each scenario")
_TRUST: Final = _argument(
    "--trust", "let scripts read and write any file; otherwise only in their folder"
)
_SCRIPT: Final = (
    _argument("--echo", "print the commands of a script, too"),
    _argument("--keep-going", "go on after a command that fails"),
    _TRUST,
)
_FORCE: Final = _argument("--force", "overwrite the file if it exists")
_FILE: Final = (
    _argument("-o --output FILE", "the file to write; otherwise standard output"),
    _FORCE,
)
_PLACE: Final = "an event (31), a node, a frame, line:7, output, 50%%, start or end"


_WIDTH: Final = _argument(
    "--width N",
    "columns; otherwise those of the terminal, COLUMNS, or 80",
    whole(40, 1000),
)
_PLAIN: Final = _argument("--plain", "plain ASCII: no colour, no drawn lines")


_INDICES: Final = _argument(
    "--indices N",
    "indices in formulas and beside matrices: 0, as they are typed; or 1, as in books",
    whole(0, 1),
    default=0,
)


def _looks(precision: str = "otherwise 4 in cells, 6 in text") -> dict[str, Group]:
    digits = f"significant digits, 1 … 17; {precision}"
    how = _argument("--precision N", digits, whole(1, 17))
    return {"how it looks": (_WIDTH, how, _PLAIN)}


# The same, with matrices and formulas.
_DRAWN: Final[Mapping[str, Group]] = {
    "how it looks": (*_looks()["how it looks"], _INDICES)
}
# JSON is for programs: it has all digits, and signs as they are.
_NOT_IN_JSON: Final = ("--width", "--precision", "--plain")
_NOT_DRAWN: Final = (*_NOT_IN_JSON, "--indices")


class Command(NamedTuple):
    """One command: what it is for, and its arguments.

    `home` is the module whose `do_…` does it: none waits for what the others need.
    """

    summary: str  # one line of `gradstep --help`
    groups: Mapping[str, Group]  # its arguments by their heading in the help, or ""
    home: str = "tasks"
    epilog: str = ""  # what the help ends with; "" for none
    # flags, and those that do nothing beside them: they are refused
    clashes: Mapping[str, Sequence[str]] = MappingProxyType({})
    # flags that do nothing without another argument
    needs: Mapping[str, str] = MappingProxyType({})

    def ignored(self, options: argparse.Namespace) -> list[tuple[str, str]]:
        """Return the flags given that would do nothing, and why."""
        given = {
            flag
            for one in self.arguments
            for flag in one.flags or [one.usage]
            if getattr(options, one.dest) not in (None, False, one.default)
        }
        found = [
            (flag, f"{other} leaves nothing for it to do")
            for other, flags in self.clashes.items()
            for flag in flags
            if {other, flag} <= given
        ]
        return found + [
            (flag, f"it belongs to {other}")
            for flag, other in self.needs.items()
            if flag in given and other not in given
        ]

    def empty(self, options: argparse.Namespace) -> list[str]:
        """Return the arguments given that are "", which names nothing.

        What a script is given is its own.
        """
        named = [one for one in self.arguments if one.usage != "ARG"]
        given = [(one, getattr(options, one.dest)) for one in named]
        return [
            (one.flags or [one.usage])[-1]
            for one, value in given
            if value == "" != one.default or (isinstance(value, list) and "" in value)
        ]

    @property
    def arguments(self) -> list[Argument]:
        """All of them."""
        return [one for group in self.groups.values() for one in group]

    @property
    def flags(self) -> list[str]:
        """All of its flags, and those that every command has."""
        return [*HELP, *(flag for one in self.arguments for flag in one.flags)]

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Let a parser take its arguments."""
        for title, arguments in self.groups.items():
            group = parser.add_argument_group(title) if title else parser
            rivals = [one for one in arguments if one.rivals]
            kind = group.add_mutually_exclusive_group() if rivals else group
            for one in arguments:
                one.add_to(kind if one.rivals else group)


_WHICH: Final = (
    _argument("--from LOC", f"first step: {_PLACE}", dest="start", default="start"),
    _argument("--to LOC", "last step, likewise", dest="stop", default="end"),
    _argument(
        "--only NODE",
        "steps that compute one of these, or go into it or out of it",
        action="extend",
        nargs="+",
        default=[],
    ),
    _argument(
        "--steps SIZE",
        "one step is: events (one edge), nodes (all edges of one), or statements "
        "(a line of the program); otherwise events",
        one_of("nodes", "events", "statements"),
        default="events",
    ),
)
_COMES: Final = (
    _argument(
        "--slice PART",
        "show this part of a large array whole: 'W1[0:3, 5]'; may be repeated",
        action="append",
        default=[],
    ),
    _argument("--delay SECONDS", "wait after each step", real(0, 3600), default=0.0),
    _argument("--ask", "put the questions of the scenario; answers are typed"),
    _argument("--script FILE", "play the commands of a file, not every step"),
    *_SCRIPT,
    Argument("--markdown", "write Markdown", rivals=True),
    Argument(
        "--json", "write JSON Lines: one event or one command a line", rivals=True
    ),
)
_PLAY: Final = {
    "": (_SCENARIO, _LIMIT),
    "which steps": _WHICH,
    **_DRAWN,
    "what comes out": _COMES,
}
_CHECK: Final = (
    _SCENARIOS,
    _argument(
        "--scheme SCHEME",
        "central, forward or complex differences; otherwise central",
        one_of("central", "forward", "complex"),
        default="central",
    ),
    _argument(
        "--step H",
        "the step of the differences; otherwise the best for the scheme and dtype",
        real(1e-300, 1),
    ),
    _argument(
        "--rtol R",
        "the relative difference that still passes; otherwise by dtype and scheme",
        real(0, 1),
    ),
    _argument(
        "--quick",
        "only along one random direction for each array, and element by element where "
        "that tells a mistake",
    ),
    _argument(
        "--sample N",
        "check at most N elements of each array, drawn with a fixed seed",
        whole(1, 10**9),
    ),
    _LIMIT,
    _EACH,
)
_RULES: Final = (
    _SCENARIO,
    _argument("--own FILE", "an .npz file of gradients by the names of their nodes"),
    _argument(
        "--on-purpose NAME",
        "a custom rule, or a node, that differs because it is meant to",
        action="extend",
        nargs="+",
        default=[],
    ),
    _LIMIT,
    _argument("--json", "one JSON object"),
)
_TEST: Final = (
    _argument("PATH", "names, .toml files, captures, or folders", nargs="*"),
    _argument("--builtin", "test the built-in scenarios; so it is without a PATH"),
    _argument("--junit FILE", "write JUnit's XML, too"),
    _LIMIT,
    _TRUST,
)
_PREDICT: Final = _argument(
    "--predict", "ask what each step will make, before it is made"
)
_LOG: Final = _argument(
    "--log FILE", "write each question of predict into a new file, as a line of JSON"
)
_RUN: Final = (
    _argument(
        "SCENARIO",
        "a name, a .toml file or a capture; without one, the picker opens",
        nargs="?",
    ),
    _argument("--at LOC", "where to begin", default=""),
    _argument("--script FILE", "a script to play with the space bar, line by line"),
    _PRESENT,
    _PREDICT,
    _LOG,
    _INDICES,
    _THEME,
    _LIMIT,
    _TRUST,
)
_TOUR: Final = (
    _argument("NAME", "the lesson to begin with; otherwise the first", nargs="?"),
    _THEME,
)
_EXPORT: Final = (
    _SCENARIO,
    _argument(
        "--format FORMAT",
        f"{', '.join(FORMATS)}; otherwise by the name of the file",
        one_of(*FORMATS),
    ),
    _AT,
    _argument("--element E", "what tex derives: W1, W1.grad[0, 2]"),
    _INDICES,
    _LIMIT,
    *_FILE,
)
_SNAPSHOT: Final = (
    _SCENARIO,
    _AT,
    _argument("--size SIZE", "columns and rows; otherwise 120x36", default="120x36"),
    _argument("--view NAME", "the view at the right"),
    _PRESENT,
    _INDICES,
    _THEME,
    _LIMIT,
    *_FILE,
)
_DEBUG: Final = (
    _SCENARIO,
    _argument(
        "-c --command LINE",
        "carry out a command and leave; may be repeated",
        action="append",
        default=[],
        dest="lines",
    ),
    _PREDICT,
    _LOG,
    _LIMIT,
    *_SCRIPT,
    _argument("--json", "write JSON Lines: one command a line"),
)

_CAPTURE: Final = (
    _argument("SCRIPT", "a Python script, or the name of a module with -m"),
    _argument("ARG", "what the script is given; its flags come after --", nargs="*"),
    _argument("-m", "SCRIPT is a module, as of python -m", dest="module"),
    _argument(
        "--step N",
        "which backward pass; otherwise the first",
        whole(1, 10**9),
        default=1,
    ),
    _argument("-o --output NAME", "the file to write; otherwise SCRIPT.gradstep"),
    _argument("--call CODE", "run this behind the script: net.gradient(x, t)"),
    _argument(
        "--pair NAMES",
        "names of a function and of its backward one: affine=affine_grad",
        Values(_pair, all, "FORWARD=BACKWARD, two names"),
        action="append",
    ),
    _argument("--go-on", "let the script run to its end"),
    _argument("--opaque", "take tensors whose history nobody recorded as they are"),
    _argument("--strict", "refuse operations that have no rule here"),
    _argument("--no-source", "leave the text of the script out of the file"),
    _argument("--open", "open the result"),
    _argument(
        "--max-bytes N",
        "how much memory the numbers may take; otherwise 8 GB",
        whole(1, 2**50),
        default=2**33,
    ),
)

_HUNT: Final = (
    _argument(
        "NAME", "a hunt, or a file with a table [hidden]; without one, all", nargs="?"
    ),
    _argument("--random", "hide a mistake that is drawn at random in a lesson"),
    _argument(
        "--seed N", "what is drawn with; the same draws the same", whole(0, 2**31)
    ),
    _argument("--debug", "type commands at a plain prompt, or read them from a pipe"),
    _argument(
        "--script FILE", "play a script: with the space bar, or with --debug at once"
    ),
    _THEME,
    _LIMIT,
    *_SCRIPT,
    _argument("--json", "write JSON Lines: one command a line"),
)

COMMANDS: Final[Mapping[str, Command]] = MappingProxyType(
    {
        "run": Command(
            "open the application, in a terminal",
            {"": _RUN},
            "opening",
            needs=dict.fromkeys(("--at", "--script"), "SCENARIO"),
        ),
        "tour": Command(
            "lead through four lessons in the application, step by step",
            {"": _TOUR},
            "practice",
        ),
        "hunt": Command(
            "find the wrong rule of a backward pass; without a name, list the hunts",
            {"": _HUNT, **_DRAWN},
            "practice",
            clashes={
                "NAME": ("--random",),
                "--debug": ("--theme",),
                "--json": ("--echo", *_NOT_DRAWN),
            },
            needs={
                "--seed": "--random",
                **dict.fromkeys(
                    ("--echo", "--keep-going", "--json", *_NOT_IN_JSON), "--debug"
                ),
            },
        ),
        "play": Command(
            "print every step of the forward and the backward pass",
            _PLAY,
            clashes={
                "--script": (
                    *("--from", "--to", "--only", "--steps", "--slice"),
                    *("--delay", "--markdown", "--ask"),
                ),
                "--markdown": ("--ask",),
                "--json": (
                    *("--ask", "--steps", "--slice", "--echo"),
                    *_NOT_DRAWN,
                ),
            },
            needs=dict.fromkeys(("--echo", "--keep-going", "--trust"), "--script"),
        ),
        "grads": Command(
            "print the values and gradients of all nodes",
            {"": (_SCENARIOS, _LIMIT, _EACH), **_looks()},
            clashes={"--json": _NOT_IN_JSON},
        ),
        "check": Command(
            "compare every gradient with numeric differentiation; 1 on a mismatch",
            {"": _CHECK, **_looks("otherwise 15, or as many as fit")},
            clashes={
                "--json": _NOT_IN_JSON,
                "--quick": ("--scheme", "--step", "--sample"),
            },
        ),
        "rules": Command(
            "hold the gradients of a framework, or your own, to each rule; 1 if one "
            "is wrong",
            {"": _RULES, **_looks()},
            clashes={"--json": _NOT_IN_JSON},
        ),
        "debug": Command(
            "type commands at a plain prompt, or give them with -c or from a pipe",
            {"": _DEBUG, **_DRAWN},
            "scripts",
            clashes={"--json": ("--echo", *_NOT_DRAWN)},
        ),
        "capture": Command(
            "run a script, and record one backward pass of it",
            {"": _CAPTURE},
            "capture",
            epilog="run it with the Python of the script: python -m gradstep capture",
            clashes={"--strict": ("--opaque",)},
        ),
        "test": Command(
            "hold scenarios to their [expect] and their scripts; 1 on a failure",
            {"": (*_TEST, _PLAIN)},
            "scripts",
        ),
        "list": Command(
            "list the built-in scenarios",
            {"": (_EACH, _WIDTH, _PLAIN)},
            "listing",
            clashes={"--json": ("--width", "--plain")},
        ),
        "show": Command(
            "print the nodes, shapes, frames and formulas of a scenario",
            {
                "": (_SCENARIO, _LIMIT, _argument("--json", "one JSON object")),
                "how it looks": (_WIDTH, _PLAIN, _INDICES),
            },
            clashes={"--json": ("--width", "--plain", "--indices")},
        ),
        "export": Command(
            "write a session as a picture, a page, a recording, a program, …",
            {"": _EXPORT},
            "sharing",
            needs={"--force": "--output"},
        ),
        "snapshot": Command(
            "write a picture of the application, without a terminal: svg, txt or png",
            {"": _SNAPSHOT},
            "sharing",
            needs={"--force": "--output"},
        ),
        "new": Command(
            "write a commented scenario to start from",
            {"": (_argument("PATH", "the file to write"), _FORCE)},
        ),
        "completion": Command(
            "print the completion script of a shell: bash, zsh or fish",
            {"": (Argument("SHELL", "", one_of("bash", "zsh", "fish")),)},
            epilog='for bash: eval "$(gradstep completion bash)" in ~/.bashrc',
        ),
    }
)

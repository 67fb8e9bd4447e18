"""The exception tree.

```
GradstepError
├── InputError          what a person wrote is wrong: one or more Problems
│   ├── ScenarioError   in a scenario file
│   ├── ProgramError    in a program
│   ├── LimitError      larger than gradstep is willing to compute
│   └── CommandError    in a command line of the debugger or in an expression
│       └── AssertionFailed   an assertion does not hold: an AssertionError, too
├── RuleError           an operation's rule broke its contract: a bug
└── Interrupted         the person asked to stop; what was done is kept
```

Every `InputError` ends the command line with exit code 2.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from .text import clean, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable


class Problem(NamedTuple):
    """One mistake: where it is, what is wrong with the value, and the way out.

    - `message`: what is wrong, with the value
    - `hint`: what is allowed, or the way out; empty where there is none
    - `source`: the file, or another text by its name; empty where it is not known
    - `line`, `column`: counted from 1; 0 where the place is not known
    """

    message: str
    hint: str = ""
    source: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = self.source
        if self.line:
            place += f":{self.line}:{self.column}" if self.column else f":{self.line}"
        text = f"{place}: {self.message}" if place else self.message
        return clean(f"{text}; {self.hint}" if self.hint else text)


class GradstepError(Exception):
    """The root of everything that gradstep raises on purpose."""


class InputError(GradstepError):
    """What a person wrote is wrong. `problems` holds every mistake found, in order.

    It is made of the message and the hint of one mistake, or of mistakes that know
    their places.
    """

    def __init__(
        self, problems: str | Problem | Iterable[Problem], hint: str = ""
    ) -> None:
        if isinstance(problems, str):
            problems = Problem(problems, hint)
        if isinstance(problems, Problem):
            problems = (problems,)
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@contextmanager
def gathered(problems: list[Problem], source: str = "") -> Generator[None, None, None]:
    """Add to `problems` what is wrong in a block, and go on behind it.

    `source` is where all of that is, if the errors do not know it themselves.
    """
    try:
        yield
    except InputError as error:
        found = error.problems
        problems += [Problem(p.message, p.hint, source) if source else p for p in found]


def hold_to(names: Collection[str], name: str, source: str) -> None:
    """Raise `InputError` for a name that is none of these: the nearest one is said."""
    if name not in names:
        hint = nearest(name, names) or f"allowed: {', '.join(names)}"
        raise InputError(Problem(f"there is no {name!r}", hint, source))


class ScenarioError(InputError):
    """A scenario file is wrong."""


class ProgramError(InputError):
    """A program is wrong."""


class CommandError(InputError):
    """A command line, or an expression in one, is wrong."""


class NotYetError(CommandError):
    """An expression looks at something that has not happened at its position."""


class LimitError(InputError):
    """What was asked for is larger than gradstep is willing to compute."""


class RuleError(GradstepError):
    """An operation's rule broke its contract, such as by a wrong shape."""


class AssertionFailed(CommandError, AssertionError):
    """An `assert` or an `expect` of a script does not hold.

    For Python it is an `AssertionError`: a test that meets it has failed.
    """


class Interrupted(GradstepError):
    """The person asked to stop a long piece of work; what was done is kept.

    Its text says how far the work had come, `kept` what there is of it.
    """

    def __init__(self, where: str = "", kept: str = "what was done is kept") -> None:
        super().__init__(where)
        self.kept = kept

    @property
    def told(self) -> str:
        """The whole sentence: `interrupted at iteration 3; what was done is kept`."""
        return f"{f'interrupted {self}'.strip()}; {self.kept}"


_DEFECT: Final = (
    "gradstep: this is a bug in gradstep, not in your file: {error}\n"
    "Please report it with the command, the file and the output of the same command "
    "after GRADSTEP_TRACEBACK=1."
)


NO_ROOM: Final = "there is not enough memory for this"


def defect_text(error: Exception) -> str:
    """Return what is said of an exception that nobody should ever see.

    Where the machine has no memory left, nobody has made a mistake.
    """
    if isinstance(error, MemoryError):
        return f"gradstep: {NO_ROOM}"
    kind = type(error).__name__
    return _DEFECT.format(error=f"{kind}: {' '.join(clean(str(error)).split())}")

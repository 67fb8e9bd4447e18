"""The commands as methods, for a notebook or a test.

`debugger.step(3)` is `debugger.execute("step 3")`. A name that Python or the debugger
has taken ends in an underscore: `debugger.break_("z")`, `debugger.runs_()`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from textwrap import fill
from types import MethodType
from typing import TYPE_CHECKING

from ..base.errors import AssertionFailed, CommandError, Interrupted
from ..commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..commands.table import Command
    from ..session.reply import Reply


class _Named:
    """A command that is called by its name; the table has what there is to say of it.

    Python's `help` and a notebook's `?` show that.
    """

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    def __get__(self, debugger: ByName | None, _owner: type) -> Callable[..., Reply]:
        row = COMMANDS[self.name.strip("_").replace("_", "-")]

        def command(self: ByName, /, *arguments: object) -> Reply:
            reply = self.execute(" ".join(map(str, (row.name, *arguments))))
            if reply.interrupted and reply.error is not None:
                raise Interrupted(reply.error)
            if reply.error is not None:
                kind = AssertionFailed if reply.failed else CommandError
                raise kind(reply.problems or reply.error)
            return reply

        command.__name__, command.__doc__ = self.name, _documentation(row)
        command.__qualname__ = f"Debugger.{self.name}"
        return command if debugger is None else MethodType(command, debugger)


def _documentation(row: Command) -> str:
    summary = f"{row.summary[0].upper()}{row.summary[1:]}."
    parts = [summary, f"Usage: {row.name} {row.usage}".rstrip(), row.help]
    parts.append(fill(f"The `data` of the reply: {row.data}.", 84))
    return "\n\n".join(filter(None, parts))


class ByName(ABC):
    """A method for each command, with its arguments as they are typed.

    They raise `AssertionFailed` where an assertion does not hold, `CommandError` where
    the command is wrong, and `Interrupted` where Ctrl+C has ended it. A check that
    finds something is a reply that `failed`.

    >>> from gradstep import Debugger, load
    >>> debugger = Debugger(load("apple_orange"))
    >>> debugger.goto("end")
    end · event 13 of 13
    >>> debugger.explain("a.grad")
    a.grad = 3.3
      numeric check: 3.3 ✓ within 7e-9
      3.3 = 1.1 × 3   az.grad · an
    """

    @abstractmethod
    def execute(self, line: str) -> Reply:
        """Carry out one command line."""

    # moving in time
    step = _Named()
    reverse_step = _Named()
    stepi = _Named()
    reverse_stepi = _Named()
    next = _Named()
    reverse_next = _Named()
    finish = _Named()
    reverse_finish = _Named()
    continue_ = _Named()
    reverse_continue = _Named()
    until = _Named()
    reverse_until = _Named()
    goto = _Named()
    last = _Named()
    back = _Named()
    forward = _Named()
    mark = _Named()
    marks = _Named()
    # stopping
    break_ = _Named()
    tbreak = _Named()
    watch = _Named()
    catch = _Named()
    condition = _Named()
    ignore = _Named()
    commands_ = _Named()
    enable = _Named()
    disable = _Named()
    delete = _Named()
    # looking
    print = _Named()
    display = _Named()
    undisplay = _Named()
    history = _Named()
    list = _Named()
    where = _Named()
    whatis = _Named()
    info = _Named()
    # explaining
    explain = _Named()
    uses = _Named()
    why = _Named()
    paths = _Named()
    transposes = _Named()
    check = _Named()
    rules = _Named()
    # changing
    set = _Named()
    nudge = _Named()
    detach = _Named()
    patch = _Named()
    train = _Named()
    runs_ = _Named()
    diff = _Named()
    undo = _Named()
    redo = _Named()
    # learning
    predict = _Named()
    answer = _Named()
    show = _Named()
    accuse = _Named()
    limit = _Named()
    cost = _Named()
    words = _Named()
    indices = _Named()
    # the session
    assert_ = _Named()
    expect = _Named()
    source = _Named()
    say = _Named()
    wait = _Named()
    record = _Named()
    save = _Named()
    export = _Named()
    help = _Named()
    apropos = _Named()
    quit = _Named()

"""Commands about the commands, `help` and `apropos`, and about words: `words`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..base.errors import CommandError
from ..session.reply import Answer, Table
from .table import Command

if TYPE_CHECKING:
    from ..session.session import Session

Groups = Mapping[str, tuple[Command, ...]]

# What can stand as an argument, by its name in the usage of the commands.
TOPICS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "LOC": (
            "LOC is a place in a run:",
            "    z, x1.z            a node: its value, and what it sends back",
            "    z.grad, δ          its gradient alone",
            "    x1                 a frame: a call of a function",
            "    z<-W, z<-a#1       one edge; #1 where an operand is used twice",
            "    op:relu, line:7    every node of an operation, every line 7",
            "    model.py:56        a line of another source; @2: its second time",
            "    output             where the seed enters",
            "    start, end, #31    the ends, and the 31st event",
            "    …@forward, …@backward, W@update   in one pass only",
            "goto takes a position, 50%, +5, -5, ITERATION:LOC and marks as well",
        ),
        "EXPR": (
            "EXPR is Python's syntax over values and gradients:",
            "    W, W[0, 2], W.value, W.grad, W.shape, W.op, W.T   of a node",
            "    ∂L/∂W, `a name`    the literature's names of gradients",
            "    + - * / // % ** @, comparisons, and or not, indices and slices",
            "    sum(x, axis=0), softmax(z), …   every operation of a program",
            "    norm argmax argmin any all   take axis and keepdims",
            "    isnan isinf isfinite close(a, b, rtol=1e-9, atol=0) hits(N)",
            "    iteration, position, pi, inf, nan",
            "    learning_rate, momentum, …, W.learning_rate, W.v   of a training",
        ),
        "ELEMENT": (
            "ELEMENT is one number, or the whole array where no index is given:",
            "    W, W[0, 2]         of a value; negative indices count back",
            "    W.grad, W.grad[0, 2], δ[1]   of a gradient",
        ),
        "EDGE": (
            "EDGE is a use of a node by another one:",
            "    z<-W               the edge by which W enters z, or its line",
            "    z<-a#1             the second operand, where a is used twice",
        ),
    }
)


_COMMANDS: Final = (
    "of each command `name`, `alias`, `usage`, `summary`, `help` and `keys`"
)


def help_rows(groups: Groups) -> tuple[Command, ...]:
    """Return the rows of `help` and `apropos`, which speak of all the commands.

    `groups` is looked at when a command is given: it may hold these rows, too.
    """
    return (
        Command(
            "help",
            "[COMMAND | LOC | EXPR | ELEMENT | EDGE]",
            "all commands, one, or what can stand as an argument",
            partial(_help, groups),
            "h",
            ("?",),
            "command",
            tuple(TOPICS),
            recorded=False,
            data=f"{_COMMANDS}; of what can stand as an argument the lines of text",
        ),
        Command(
            "apropos",
            "WORD",
            "the commands that speak of a word",
            partial(_apropos, groups),
            recorded=False,
            data=_COMMANDS,
        ),
    )


def _help(groups: Groups, session: Session, arguments: str) -> Answer:
    if not arguments:
        return _overview(groups)
    for command in _all(groups):
        if arguments in (command.name, command.alias):
            return Answer(tuple(help_lines(command)), [_record(command)])
    topic = TOPICS.get(arguments.upper())
    if topic is not None:
        return Answer(topic, list(topic))
    return _apropos(groups, session, arguments)


def _apropos(groups: Groups, _session: Session, arguments: str) -> Answer:
    text = arguments.lower()
    found = [
        command
        for command in _all(groups)
        if text in f"{command.name} {command.summary} {command.help}".lower()
    ]
    if not found:
        raise CommandError(f"no command speaks of {arguments!r}", "help lists them all")
    said = tuple(f"{c.name} {c.usage} — {c.summary}" for c in found)
    return Answer(said, list(map(_record, found)))


def _words(session: Session, arguments: str) -> Answer:
    """Explain one word of backpropagation, or list all."""
    from ..practice import glossary  # noqa: PLC0415  # 30 ms of a start

    if not arguments:
        said = [(word.name, word.sentence) for word in glossary.WORDS]
        lines = [f"{name}: {sentence}" for name, sentence in said]
        table = Table("words", ("word", "means"), tuple(said))
        more = "words WORD has an example from what is open"
        data = [{"word": name, "sentence": sentence} for name, sentence in said]
        return Answer((*lines, more), data, table)
    word = glossary.find_word(arguments)
    scene = glossary.Scene(session.subject, session.trace, session.position)
    found = glossary.explained(word, scene)
    data = {
        "word": word.name,
        "sentence": word.sentence,
        "example": found.example,
        "small": found.small,
    }
    return Answer(glossary.word_lines(found), [data])


WORDS: Final = Command(
    "words",
    "[WORD]",
    "what a word means, with an example from what is open",
    _words,
    keys=("W",),
    help="upstream, local, contribution, accumulated, seed, edge, frame, event, … "
    "Without a word it lists them all.",
    data="of each `word` its `sentence`; of one also an `example` at the present "
    "position, and whether that is from a `small` net, for there is none here",
    recorded=False,
    late=True,
)


def _all(groups: Groups) -> list[Command]:
    return [command for rows in groups.values() for command in rows]


def _overview(groups: Groups) -> Answer:
    rows = [
        (group, " ".join(command.name for command in commands))
        for group, commands in groups.items()
    ]
    lines = [f"{group}: {names}" for group, names in rows]
    table = Table("commands", ("group", "commands"), tuple(rows))
    more = f"help COMMAND says more, and so do help {', help '.join(TOPICS)}"
    return Answer((*lines, more), list(map(_record, _all(groups))), table)


def _record(command: Command) -> dict[str, str | list[str]]:
    """Return what is told of a command, for a program."""
    return {
        "name": command.name,
        "alias": command.alias,
        "usage": command.usage,
        "summary": command.summary,
        "help": command.help,
        "keys": list(command.keys),
    }


def help_lines(command: Command) -> list[str]:
    """Return what `help` says of one command."""
    names = command.name + (f", {command.alias}" if command.alias else "")
    lines = [f"{names} {command.usage}".strip(), f"    {command.summary}"]
    if command.help:
        lines += [f"    {line}" for line in command.help.splitlines()]
    if command.keys:
        lines.append(f"    keys: {', '.join(command.keys)}")
    return lines

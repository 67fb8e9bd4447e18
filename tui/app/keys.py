"""The keys of the application: a key is a command line.

Keys that need no argument come from the command table. The rest say here what they
fill in: `{chosen}` is the selected element, `{node}` its node, `{place}` what the
cursor of the focused pane is on, `{word}` what that is called, `{turned}` on or off, as
it is not yet.
A line that ends in a blank waits in the console for the rest.
"""

from __future__ import annotations

from itertools import chain, repeat
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from ...core.commands import COMMANDS
from ...core.session.steps import present_node
from ...core.words.events import element_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...core.debugger.debugger import Debugger
    from ...core.engine.element import Element

# What a key fills in, where its command needs an argument.
_ARGUMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "t": "until ",
        "T": "reverse-until ",
        "g": "goto ",
        "home": "goto start",
        "end": "goto end",
        "left_square_bracket": "last {chosen}",
        "right_square_bracket": "last -f {chosen}",
        "b": "break {place}",
        "w": "watch {chosen}",
        "p": "print ",
        "D": "display {chosen}",
        "e": "explain {chosen}",
        "enter": "explain {chosen}",
        "U": "uses {chosen}",
        "y": "why {chosen}",
        "K": "check {node}",
        "equals_sign": "set {chosen} = ",
        "x": "export ",
        "R": "record",
        "m": "mark ",
        "P": "predict {turned}",
        "plus": "nudge {chosen}",
        "minus": "nudge {chosen} -",
        "left_parenthesis": "nudge {chosen} half",
        "right_parenthesis": "nudge {chosen} double",
        "A": "answer ",
        "W": "words {word}",
    }
)

# How the command table writes a key, and how Textual does.
_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "[": "left_square_bracket",
        "]": "right_square_bracket",
        "=": "equals_sign",
        "+": "plus",
        "-": "minus",
        "(": "left_parenthesis",
        ")": "right_parenthesis",
    }
)
# What the application does itself with a key that the command table lists.
_OWN: Final = frozenset({"?", "q"})

# The same elsewhere: keys that people know from editors, pagers and other debuggers.
# Each does what it does there, as an action of the screen, or tells which key does.
ELSEWHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "k": "like('up')",
        "j": "like('down')",
        "G": "press('end')",
        "slash": "search",
        "ctrl+f": "search",
        "f1": "explain_pane",
        "f5": "press('c')",
        "f9": "press('b')",
        "f10": "press('n')",
        "f11": "press('s')",
        "shift+f11": "press('f')",
        "ctrl+d": "tell('q leaves gradstep, PageDown goes a page down')",
        "ctrl+u": "tell('PageUp goes a page up')",
        "ctrl+s": "tell('x writes a file, R records the commands')",
        "l": "tell(': list shows lines of the program')",
        "r": "tell('Home goes to the start, c goes on to the end')",
        "u": "tell('z goes back to the run before a change')",
        "Q": "tell('q leaves gradstep')",
    }
)

# What the footer shows of the keys of a widget, by its id: the first ones first.
FOOTERS: Final[Mapping[str, Sequence[tuple[str, str]]]] = MappingProxyType(
    {
        "program": (("↑↓", "line"), ("Enter", "choose"), ("b", "break there")),
        "graph": (
            ("←↑↓→", "node"),
            ("Enter", "choose"),
            ("/", "search"),
            ("+ -", "unfold, fold"),
            ("v", "list"),
            ("r", "turn"),
        ),
        "step": (
            ("←↑↓→", "element"),
            ("v", "one matrix"),
            ("M", "largest"),
            ("j", "to an index"),
            ("d", "dense"),
            ("Enter", "explain"),
            ("+ -", "nudge"),
        ),
        "alone": (
            ("←↑↓→", "element"),
            ("M", "largest"),
            ("v", "back"),
            ("j", "to an index"),
            ("d", "dense"),
            ("+ -", "nudge"),
        ),
        "why": (("↑↓", "term"), ("Enter", "follow"), ("Backspace", "back")),
        "nodes": (
            ("↑↓", "node"),
            ("Enter", "go there"),
            ("v", "sort"),
            ("V", "turn"),
            ("b", "break there"),
        ),
        "flow": (("↑↓", "node"), ("Enter", "go there"), ("l", "all nodes")),
        "training": (
            ("↑↓", "iteration"),
            ("r", "train 100"),
            ("Enter", "go there"),
            ("l", "log"),
        ),
        "watches": (
            ("a", "display"),
            ("u", "watch"),
            ("d", "delete"),
            ("Space", "on, off"),
            ("Enter", "last change"),
        ),
        "stops": (
            ("u", "new"),
            ("Enter", "condition"),
            ("Space", "on, off"),
            ("d", "delete"),
            ("l", "ignore"),
            ("a", "commands"),
        ),
        "runs": (
            ("=", "new run"),
            ("Enter", "look at it"),
            ("d", "differences"),
            ("z", "undo"),
        ),
        "checks": (("r", "check all"), ("K", "this node"), ("Enter", "choose")),
        "notes": (("Enter", "go there"), ("m", "mark here")),
        "rules": (("↑↓", "rule"), ("Enter", "its step")),
        "empty prompt": (
            ("Tab", "next pane"),
            ("↑↓", "earlier lines"),
            ("Esc", "back"),
            ("PageUp", "older answers"),
        ),
        "prompt": (
            ("Enter", "execute"),
            ("Tab", "complete"),
            ("↑↓", "earlier lines"),
            ("Esc", "back"),
            ("PageUp", "older answers"),
        ),
        "answer": (
            ("Enter", "answer, or give up"),
            ("Esc", "leave it open"),
            ("Tab", "complete"),
        ),
        "find": (("Enter", "next match"), ("↑↓", "matches"), ("Esc", "back")),
        "picker": (
            ("↑↓", "choose"),
            ("Enter", "open"),
            ("Esc", "quit"),
        ),
        "picker over a session": (
            ("↑↓", "choose"),
            ("Enter", "open"),
            ("Esc", "back to the session"),
        ),
    }
)
# Where letters are typed: no key but those of the line itself does something.
LINES_OF_TEXT: Final = frozenset(
    {"prompt", "empty prompt", "answer", "find", "picker", "picker over a session"}
)


class Always(NamedTuple):
    """A key of the footer that works wherever no text is typed."""

    key: str  # as a person reads it
    words: str  # what it does
    rank: int  # those with the smallest are shown in the smallest window


# In the order in which they stand there.
ALWAYS: Final = (
    Always("s", "step", 0),
    Always("i", "whole node", 0),
    Always("S", "back", 2),
    Always("n", "next", 3),
    Always("c", "continue", 4),
    Always("b", "break", 5),
    Always("e", "explain", 7),
    Always("y", "why", 9),
    Always("w", "watch", 10),
    Always("K", "check", 12),
    Always("=", "set", 13),
    Always("z", "undo", 15),
    Always("Space", "play", 11),
    Always("o", "enlarge", 14),
    Always("^g", "to a pane", 8),
    Always("^p", "palette", 16),
    Always("^o", "open another", 17),
    Always("P", "predict", 18),
    Always(":", "command", 7),
    Always("?", "keys", 0),
    Always("q", "quit", 0),
)
_WALKING: Final = 3  # keys that come before those of the pane
_OWN_RANKS: Final = (1, 1, 3)  # of the first keys of the pane
_MORE: Final = 6  # the rank of the rest of them


class Key(NamedTuple):
    """One key: the command line that it stands for, and what it does in a few words."""

    key: str  # as Textual names it: "left_square_bracket"
    line: str  # what is executed, or begun at the prompt
    summary: str  # the command's, one line


def keys() -> Iterator[Key]:
    """Yield the keys that stand for command lines, in the order of the table."""
    for command in COMMANDS.values():
        for written in command.keys:
            if written in _OWN:
                continue
            key = _NAMES.get(written, written)
            yield Key(key, _ARGUMENTS.get(key, command.name), command.summary)


def written(key: str) -> str:
    """Return how a person reads a key.

    >>> written("left_square_bracket"), written("alt+left"), written("s")
    ('[', 'Alt+Left', 's')
    """
    for sign, name in _NAMES.items():
        if name == key:
            return sign
    return key.title() if len(key) > 1 else key


def footer(width: int, focus: str) -> list[tuple[str, str]]:
    """Return the words of the footer for a widget, each with its style or "".

    First come the keys that walk, then those of the widget, then the others that always
    work: as many as there is room for, and none is cut.

    >>> "".join(text for text, _ in footer(70, "why"))
    ' s step  i whole node  S back │ ↑↓ term  Enter follow │ ? keys  q quit'
    """
    own = [
        Always(*hint, rank)
        for hint, rank in zip(
            FOOTERS.get(focus, ()), chain(_OWN_RANKS, repeat(_MORE)), strict=False
        )
    ]
    taken = {hint.key for hint in own}
    rest = [] if focus in LINES_OF_TEXT else [h for h in ALWAYS if h.key not in taken]
    # Of the two bars between the three groups one is wider than what it stands for.
    room, shown = width - bool(own and rest), set[Always]()
    for hint in sorted((*own, *rest), key=lambda hint: hint.rank):
        room -= len(f"{hint.key} {hint.words}  ")
        if room < 0:
            break
        shown.add(hint)
    words = [(" ", "")]
    parts = rest[:_WALKING], own, rest[_WALKING:]
    for part in ([hint for hint in part if hint in shown] for part in parts):
        if part and len(words) > 1:
            words[-1] = (" │ ", "line--edge")
        for hint in part:
            words += (hint.key, "line--key"), (f" {hint.words}", ""), ("  ", "")
    return words[:-1]


def filled(
    line: str, debugger: Debugger, chosen: Element | None, place: str, word: str
) -> str:
    """Fill in what a key's command line is about.

    `place` is what the cursor of the focused pane is on: "" for the node that the step
    shows; `word` is what the glossary calls it, or "". A line about an element ends
    before it where none is chosen: it is to be named.
    """
    nodes = debugger.graph.nodes
    turned = "off" if "predict" in debugger.modes else "on"
    line = line.replace("{turned}", turned).replace("{word}", word)
    if chosen is not None:
        node = shown = nodes[chosen.node]
        name = element_name(node, chosen.index, chosen.quantity)
        line = line.replace("{chosen}", name)
    else:
        node = nodes[debugger.graph.output]
        shown = nodes[present_node(debugger.trace, debugger.position)]
    line = line.replace("{node}", node.name).partition("{chosen}")[0]
    return line.replace("{place}", place or shown.name)


LINES: Final[Mapping[str, str]] = MappingProxyType(
    {key.key: key.line for key in keys()}
)

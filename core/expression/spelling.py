"""From what somebody wrote to Python's syntax, with a column for each mistake."""

from __future__ import annotations

import ast
import re
import warnings
from keyword import iskeyword
from typing import TYPE_CHECKING, Final

from ..base.errors import CommandError
from ..base.text import clean
from ..program.syntax import characters
from ..program.whitelist import mistakes
from .functions import KNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.limits import Limits
    from ..engine.graph import Graph


_NODE_NAME: Final = re.compile(
    r"(?<![\w.])[^\W\d]\w*(?:@\d+)?(?:\.\w+(?:@\d+)?)*(?!\w)"
)
_FIRST_WORD: Final = 0x13000  # hieroglyphs: letters to Python, and not on a keyboard
_FIRST_NODE: Final = 0x14400  # others of them; an expression is too short for all


def unquoted(text: str, graph: Graph) -> str:
    """Take away the backquotes around names of nodes, and add as many blanks."""
    return re.sub(
        r"`([^`]+)`",
        lambda found: f"{found[1]}  " if found[1] in graph.names else found[0],
        text,
    )


def spelled(text: str, names: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Replace names that Python reads otherwise, such as `∂L/∂x`, by words.

    The words are as long as the names, so that columns stay, and are told with their
    gradients. A name counts where it is written whole: `∂L/∂x` is one, `∂L / ∂x` none.
    """
    odd = [n for n in names if not all(map(str.isidentifier, n.split(".")))]
    if not odd:
        return text, {}
    found = "|".join(map(re.escape, sorted(odd, key=len, reverse=True)))
    words: dict[str, str] = {}

    def word(match: re.Match[str]) -> str:
        name = match[0].strip("`")
        # A letter of its own for each name; what is written never begins with these.
        made = chr(_FIRST_WORD + odd.index(name)) * len(match[0])
        words[made] = names[name]
        return made

    pattern = rf"`(?:{found})`|(?<!\w)(?:{found})(?!\w)"
    return re.sub(pattern, word, text), words


def of_captures(text: str, graph: Graph) -> tuple[str, dict[str, int]]:
    """Replace names of nodes that Python reads otherwise, `h@2` and `blocks.0.bias`.

    The words are as long as the names, and are told with their nodes. A name counts
    where there is such a node: elsewhere `a@2` is a product.
    """
    words: dict[str, int] = {}

    def word(match: re.Match[str]) -> str:
        parts = match[0].split(".")
        for stop in range(len(parts), 0, -1):
            name = ".".join(parts[:stop])
            if name in graph.names:
                if all(map(_is_word, parts[:stop])):
                    break
                made = chr(_FIRST_NODE + len(words)) * len(name)
                words[made] = graph.names[name]
                return made + match[0][len(name) :]
        return match[0]

    return _NODE_NAME.sub(word, text), words


def _is_word(part: str) -> bool:
    return part.isidentifier() and not iskeyword(part)


def syntax(text: str, spelled: str, limits: Limits) -> ast.expr:
    """Return what Python reads in `spelled`, which somebody has written as `text`.

    Raises `CommandError` for what is too long, is no Python, or is not allowed.
    """
    if len(text) > limits.expression:
        what = f"an expression of {len(text)} characters is too long"
        raise CommandError(what, limits.allowed("expression"))
    if _nesting(text) > limits.expression_nesting:
        what = f"brackets nest deeper than {limits.expression_nesting}"
        raise CommandError(what)
    try:
        # Python warns of what looks odd to it; here it is an error, or nothing.
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(spelled.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        said = f"{clean(text)!r} is not an expression: {getattr(error, 'msg', error)}"
        above = spelled.strip().splitlines(keepends=True)
        lines = above[: (getattr(error, "lineno", None) or 1) - 1]
        column = sum(map(len, lines)) + (getattr(error, "offset", None) or 1)
        ratio = re.search(r"∂\w* ?/ ?∂([\w.]+)", text)
        hint = f"write {ratio[1]}.grad" if ratio else ""
        raise at_column(column, said, hint) from None
    found = mistakes(tree, limits, "console")
    first = min(found, key=lambda one: getattr(one.node, "col_offset", 0), default=None)
    if first:
        hint = first.hint_for(KNOWN, console=True)
        raise wrong(spelled, first.node, first.message, hint)
    return tree


def _nesting(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def offset(text: str, line: int | None, column: int | None) -> int:
    """Return the place in characters for one that Python gives in lines and bytes."""
    lines = text.splitlines(keepends=True)
    row = (line or 1) - 1
    return sum(map(len, lines[:row])) + characters(lines[row], column or 0)


def wrong(text: str, tree: ast.AST, message: str, hint: str = "") -> CommandError:
    """Return an error with the column at which a part of an expression begins."""
    column = getattr(tree, "col_offset", 0)
    column = len(text.strip().encode()[:column].decode(errors="ignore")) + 1
    return at_column(column, message, hint)


def at_column(column: int, message: str, hint: str = "") -> CommandError:
    """Return an error with its place, which notes tell as one of their file."""
    return CommandError(f"{message} (column {column})", hint)

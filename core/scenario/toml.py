"""A TOML text, read at the border: parsed safely, read key by key, mistakes kept."""

from __future__ import annotations

import math
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from ..base.errors import Problem, ScenarioError
from ..base.limits import NESTING
from ..base.text import Place, clean, nearest, place
from ..ops.table.checks import is_finite, is_whole
from .places import Path, find, too_deep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_MOST_PROBLEMS: Final = 100
_LONGEST_SHOWN: Final = 40
_AT: Final = re.compile(
    r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL
)
_REPEATED: Final = "put everything that belongs to one key or table in one place"
_HINTS: Final = {
    "Cannot overwrite a value": "a key is given twice; " + _REPEATED,
    "Cannot declare": _REPEATED,
    "Invalid value": 'allowed: a number, "a text", a [list], a { table }, true, false',
    "Illegal character '\\n'": "close the quotes, or use three for several lines",
    "Illegal character": "write control characters in a text as \\u and four digits",
}


class Beyond(str):
    """A number that is written in digits and is too large for a float."""

    __slots__ = ()


def parse(text: str, source: str) -> dict[str, Any]:
    """Return the tables of a TOML text; `ScenarioError` says where it is none."""
    deep = too_deep(text, NESTING)
    if deep:
        raise _syntax(f"nested more than {NESTING} levels deep", "", source, deep)
    try:
        return tomllib.loads(text, parse_float=_float)
    except tomllib.TOMLDecodeError as error:
        raise _explained(error, text, source) from None
    except ValueError:
        # Python reads no integer of more than a few thousand digits.
        digits = re.search(r"\d[\d_]{999,}", text)
        at = place(text, digits.start() if digits else 0)
        raise _syntax("a number with too many digits", "", source, at) from None
    except RecursionError:
        raise _syntax("nested too deep", "", source, Place(1, 1)) from None


def _float(digits: str) -> float | Beyond:
    number = float(digits)
    if math.isinf(number) and "inf" not in digits:
        return Beyond(digits)
    return number


def _explained(error: ValueError, text: str, source: str) -> ScenarioError:
    message, line, column = str(error), "", ""
    match = _AT.fullmatch(message)
    if match:
        message, line, column = match[1], match[2], match[3]
    at = Place(int(line), int(column)) if line else place(text, len(text))
    hint = next((_HINTS[key] for key in _HINTS if message.startswith(key)), "")
    return _syntax(f"not TOML: {message}", hint, source, at)


def _syntax(message: str, hint: str, source: str, at: Place) -> ScenarioError:
    return ScenarioError(Problem(message, hint, source, at.line, at.column))


class Mistakes:
    """The mistakes of one text, collected by path and placed when they are wanted."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self.source = source
        self._found: list[tuple[Path, bool, str, str]] = []
        self._placed: list[Problem] = []
        self._more = 0

    def __len__(self) -> int:
        return len(self._found) + len(self._placed) + self._more

    @property
    def full(self) -> bool:
        """Whether there are so many mistakes that more are only counted."""
        return len(self._found) >= _MOST_PROBLEMS

    def at_key(self, path: Path, message: str, hint: str = "") -> None:
        """Keep a mistake that is the key's: unknown, or with something missing."""
        self._keep(path, True, message, hint)

    def at_value(self, path: Path, message: str, hint: str = "") -> None:
        """Keep a mistake that is the value's."""
        self._keep(path, False, message, hint)

    def unknown(self, path: Path, what: str, known: Iterable[str]) -> None:
        """Keep a key, the last of `path`, that is not `what` it should be."""
        if self.full:  # to look for near names takes time
            self._more += 1
            return
        names = list(known)
        hint = nearest(str(path[-1]), names) or "allowed: " + listed(names)
        self.at_key(path, f"{shown(path[-1])} is not {what}", hint)

    def placed(self, problem: Problem) -> None:
        """Keep a mistake whose place is known."""
        if len(self._placed) < _MOST_PROBLEMS:
            self._placed.append(problem)
        else:
            self._more += 1

    def offset(self, path: Path) -> int:
        """Return where the value of `path` starts in the text."""
        return find(self._text, [path]).values.get(path, 0)

    def problems(self) -> list[Problem]:
        """Return everything that was kept, in the order of the text."""
        wanted = [above for path, *_ in self._found for above in _lineage(path)]
        places = find(self._text, wanted)
        problems = list(self._placed)
        for path, is_key, message, hint in self._found:
            offsets = places.keys if is_key else places.values
            offset = next((offsets[p] for p in _lineage(path) if p in offsets), 0)
            at = place(self._text, offset)
            problems.append(Problem(message, hint, self.source, at.line, at.column))
        problems.sort(key=lambda one: (one.source != self.source, one.line, one.column))
        if self._more:
            problems.append(Problem(f"and {self._more} more", "", self.source))
        return problems

    def _keep(self, path: Path, is_key: bool, message: str, hint: str) -> None:
        if not self.full:
            self._found.append((path, is_key, message, hint))
        else:
            self._more += 1


def _lineage(path: Path) -> list[Path]:
    return [path[:length] for length in range(len(path), 0, -1)]


class Table:
    """A TOML table whose keys are asked for by name.

    What is wrong with a value is kept in `mistakes`, and the default stands for it.
    """

    def __init__(
        self, items: Mapping[str, Any], path: Path, mistakes: Mistakes
    ) -> None:
        self.items = items
        self.path = path
        self.mistakes = mistakes
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self.items

    def get(self, key: str) -> Any:
        """Return the value of `key` as it is, or None."""
        self._asked.add(key)
        return self.items.get(key)

    def text(self, key: str, default: str = "") -> str:
        """Return a text, made harmless."""
        return clean(self._checked(key, default, _is_text, "a text in quotes"))

    def line(self, key: str, default: str = "") -> str:
        """Return a text without line breaks, made harmless."""
        return " ".join(self.text(key, default).split())

    def choice(self, key: str, allowed: Iterable[str], default: str) -> str:
        """Return one of some texts."""
        names = list(allowed)
        value = self.get(key)
        if value is None or (isinstance(value, str) and value in names):
            return default if value is None else value
        hint = nearest(value, names) if isinstance(value, str) else ""
        self._wrong(key, value, listed(names), hint)
        return default

    def whole(
        self, key: str, default: int, least: int = 0, most: int = 2**63 - 1
    ) -> int:
        """Return a whole number from `least` to `most`."""
        return self._checked(
            key,
            default,
            lambda value: is_whole(value) and least <= value <= most,
            f"a whole number, {least} or more"
            + (f", at most {most}" if most < 2**63 - 1 else ""),
        )

    def number(
        self,
        key: str,
        default: float,
        holds: Callable[[float], bool] = lambda _: True,
        allowed: str = "a finite number",
    ) -> float:
        """Return a finite number that `holds`."""
        value = self._checked(
            key, default, lambda value: is_finite(value) and holds(value), allowed
        )
        return float(value)

    def flag(self, key: str, default: bool = False) -> bool:
        """Return true or false."""
        return self._checked(
            key, default, lambda value: isinstance(value, bool), "true or false"
        )

    def table(self, key: str) -> Table:
        """Return a table, empty where there is none."""
        nothing: dict[str, Any] = {}
        items = self._checked(
            key, nothing, lambda value: isinstance(value, dict), f"a table [{key}]"
        )
        return Table(items, (*self.path, key), self.mistakes)

    def has_table(self, key: str) -> bool:
        """Tell whether a key is there and is a table."""
        return isinstance(self.items.get(key), dict)

    def finish(self, what: str) -> None:
        """Keep every key that was never asked for as a mistake: it is not `what`."""
        known = sorted(self._asked)
        for key in self.items:
            if key not in self._asked:
                self.mistakes.unknown((*self.path, key), what, known)

    def _checked(
        self, key: str, default: Any, holds: Callable[[Any], bool], allowed: str
    ) -> Any:
        value = self.get(key)
        if value is None:
            return default
        if holds(value):
            return value
        self._wrong(key, value, allowed)
        return default

    def _wrong(self, key: str, value: object, allowed: str, hint: str = "") -> None:
        message = f"{shown_key(key)} is {described(value)}"
        hint = f"allowed: {allowed}" + (f"; {hint}" if hint else "")
        self.mistakes.at_value((*self.path, key), message, hint)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a value is a list."""
    return isinstance(value, list)


def is_number(value: object) -> bool:
    """Tell whether a value is a number, nan and inf included; `true` is none."""
    return isinstance(value, float) or is_whole(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Beyond)


def described(value: object) -> str:
    """Return a value with its kind, for a message.

    >>> described("1.0"), described(True), described([1, 2])
    ("the text '1.0'", 'the boolean true', 'a list')
    """
    if isinstance(value, Beyond):
        return f"{shown(value)[1:-1]}, beyond the range of floats"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, int) and value.bit_length() > 63:
        return "a whole number beyond 64 bits"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, dict):
        return "a table"
    return "a list" if is_list(value) else "a date or a time"


def shown(text: object) -> str:
    """Return a text in quotes, made harmless, on one line, and not too long."""
    line = clean(" ".join(str(text).split()))
    if len(line) > _LONGEST_SHOWN:
        line = line[: _LONGEST_SHOWN - 1] + "…"
    return f"'{line}'"


def shown_key(key: str) -> str:
    """Return a key as it is written in a file."""
    return shown(key)[1:-1]


def listed(names: Iterable[str]) -> str:
    """Return names with commas between them.

    >>> listed(["rows", "columns"])
    'rows, columns'
    """
    return ", ".join(names)

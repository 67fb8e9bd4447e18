# pyright: basic
"""What arrays and layers are called: the shortest way to them from a variable."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from ...base.text import clean
from .arrays import Number, Tracked
from .conventions import PARAMETERS
from .tape import hides

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

_DEPTH: Final = 5  # objects inside of objects that are looked into
_MOST: Final = 100_000  # things that are looked at
_SKIPPED: Final = (*PARAMETERS, "layers", "self")  # a name is no longer for these


def names_of(scopes: list[Mapping[str, Any]]) -> dict[int, str]:
    """Return the names of arrays and objects, by identity.

    `scopes` are the variables of frames, those of the innermost first. What the
    attributes of a model and the variables of a module are called goes before what a
    function calls it for a while.
    """
    lasting = [
        {"self": scope["self"]} if "self" in scope else scope
        for scope in scopes
        if "self" in scope or "__name__" in scope
    ]
    found: dict[int, str] = {}
    for one in (lasting, scopes):
        _name(found, one)
    return found


def _name(found: dict[int, str], scopes: list[Mapping[str, Any]]) -> None:
    seen: set[int] = set()
    todo = deque[tuple[str, Any, int]]()
    for scope in scopes:
        for name, value in list(scope.items()):
            if not name.startswith("__"):
                todo.append((name, value, 0))
    while todo and len(seen) < _MOST:
        path, value, depth = todo.popleft()
        if isinstance(value, (Tracked, Number)):
            found.setdefault(id(value), clean(path))
            continue
        if id(value) in seen or depth > _DEPTH:
            continue
        seen.add(id(value))
        if _is_users(value):
            found.setdefault(id(value), clean(path))
        for key, one in _parts(value):
            todo.append((_joined(path, key, value, depth), one, depth + 1))


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((str(key), one) for key, one in list(value.items())[:1000])
    elif type(value) in (list, tuple):
        yield from ((str(number), one) for number, one in enumerate(value[:1000]))
    elif _is_users(value):
        yield from list(vars(value).items())


def _is_users(value: Any) -> bool:
    if isinstance(value, type) or not hasattr(value, "__dict__"):
        return False
    code = getattr(getattr(type(value), "__init__", None), "__code__", None)
    methods = vars(type(value)).values()
    codes = [code, *(getattr(one, "__code__", None) for one in methods)]
    files = [one.co_filename for one in codes if one is not None]
    return bool(files) and not hides(files[-1])


def _joined(path: str, key: str, value: Any, depth: int) -> str:
    head, _, last = path.rpartition(".")
    is_row = type(value) in (list, tuple)
    if last in _SKIPPED and not is_row:
        return f"{head}.{key}" if head else key
    if not depth and _is_users(value):  # the variable that holds the model
        return key
    return f"{path}.{key}"


def scopes_of(frame: FrameType | None) -> list[Mapping[str, Any]]:
    """Return the variables of the user's frames, from a frame on outwards."""
    found: list[Mapping[str, Any]] = []
    behind: list[Mapping[str, Any]] = []
    while frame is not None:
        if not hides(frame.f_code.co_filename):
            found.append(frame.f_locals)
            if frame.f_globals not in behind and frame.f_globals is not frame.f_locals:
                behind.append(frame.f_globals)
        frame = frame.f_back
    return [*found, *behind]

"""Where something was called: stacks of frames, exact columns, what a line assigns.

A frame that is running is marked once, so that the next call from it finds everything
above it known. The code of each file is looked up in its syntax tree; no bytecode is
read.
"""

from __future__ import annotations

import ast
import linecache
import os
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..base.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

_LONGEST: Final = 200  # characters of an expression, as a node shows it
_INLINE: Final = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})


@dataclass(slots=True, eq=False)
class Active:
    """One call of a function, for as long as it runs."""

    code: CodeType  # of the function
    parent: Active | None  # the call that made this one; None for the outermost
    at: int  # where in the parent's code it is called, in bytes
    owner: Any  # whose method it is, where a front end wants to know; or None


class Place(NamedTuple):
    """Where in a running program something is called."""

    active: Active  # the function
    # in its code, in bytes, and one more: what has to be done before stands there
    at: int


@dataclass(slots=True, eq=False)
class Stack:
    """Marks the frames of a program, each when it is first met.

    `owner` is asked for whose method a frame is. A mark stands in `f_trace`, which is
    read only where a tracer is set, and goes with its frame: the number of a frame in
    memory would be that of another one soon.
    """

    owner: Callable[[FrameType], Any]  # returns what an `Active` has as its own

    def place(self, frame: FrameType) -> Place:
        """Return where the frame is now."""
        mark: Any = frame.f_trace
        if type(mark) is not Active:
            mark = self._mark(frame)
        return Place(mark, frame.f_lasti + 1)

    def _mark(self, frame: FrameType) -> Active:
        new: list[FrameType] = []
        one: FrameType | None = frame
        while one is not None and type(one.f_trace) is not Active:
            new.append(one)
            one = one.f_back
        parent: Any = one and one.f_trace
        for one in reversed(new):
            at = one.f_back.f_lasti if one.f_back else -1
            parent = Active(one.f_code, parent, at, self.owner(one))
            one.f_trace = parent
        return parent

    def clear(self, frame: FrameType | None) -> None:
        """Take the marks away from a frame and all above it."""
        while frame is not None:
            if type(frame.f_trace) is Active:
                frame.f_trace = None
            frame = frame.f_back


def chain(place: Place) -> list[Place]:
    """Return a place and those that it was reached through, the outermost first."""
    found = [place]
    while (active := found[-1].active).parent is not None:
        found.append(Place(active.parent, active.at))
    return found[::-1]


def is_inline(code: CodeType) -> bool:
    """Tell whether a code is a comprehension's, whose lines are its function's."""
    return code.co_name in _INLINE


class Spot(NamedTuple):
    """What a place is in the text of its file."""

    line: int  # counted from 1
    column: int  # in characters, counted from 1
    text: str  # the expression as it is written; "" without a source
    first: int  # the line that its statement begins on
    statement: str  # the statement as it is written, without its comment
    note: str  # the comment at its end
    # the names that the statement assigns; () for one that assigns none
    targets: tuple[str, ...]
    is_root: bool  # whether the value of the expression is what is assigned
    returns: bool  # whether it is what the function returns
    item: int | None  # which of several values it is, where these are returned


class _Found(NamedTuple):
    targets: tuple[str, ...]
    is_root: bool
    returns: bool
    item: int | None = None


class Text:
    """A file of source code."""

    def __init__(self, lines: list[str]) -> None:
        """Take its lines, each with its end."""
        self.lines = lines

    @cached_property
    def returned(self) -> dict[int, str]:
        """The name that a function returns, by its first line; "" of anything else."""
        found: dict[int, str] = {}
        for one in ast.walk(self.tree) if self.tree else ():
            if isinstance(one, ast.FunctionDef):
                first = min([one.lineno, *(d.lineno for d in one.decorator_list)])
                found[first] = _returned(one)
        return found

    @cached_property
    def tree(self) -> ast.Module | None:
        """Its syntax tree; None where it has no source, or is none of Python."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse("".join(self.lines)) if self.lines else None
        except (SyntaxError, ValueError, RecursionError):
            return None

    def spot(self, code: CodeType, at: int) -> Spot:
        """Return what stands at a place of a code that was compiled from it."""
        line, end, start, stop = _position(code, at)
        nothing = _Found((), is_root=False, returns=False)
        if self.tree is None or not 0 < line <= len(self.lines):
            return Spot(line, start + 1, "", line, "", "", *nothing)
        path = _path(self.tree, (line, start), (end, stop))
        text = self._between(line, start, end, stop)
        statements = [one for one in path if isinstance(one, ast.stmt)]
        column = len(self._bytes(line)[:start].decode("utf-8", "replace")) + 1
        if not statements:
            return Spot(line, column, text, line, text, "", *nothing)
        stmt = statements[-1]
        words, note = self._statement(stmt)
        if path[-1] is stmt and getattr(stmt, "body", None):  # a step of a loop
            text = words
        found = _found(stmt, path, (line, start, end, stop))
        return Spot(line, column, text, stmt.lineno, words, note, *found)

    def _statement(self, stmt: ast.stmt) -> tuple[str, str]:
        end, stop = stmt.end_lineno or stmt.lineno, stmt.end_col_offset or 0
        body: Any = getattr(stmt, "body", None)
        if isinstance(body, list) and body:  # the head of a loop, say
            last = max(stmt.lineno, body[0].lineno - 1)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
            words = self.lines[stmt.lineno - 1 : last]
            return clean(" ".join("".join(words).split())), ""
        words = self._between(stmt.lineno, stmt.col_offset, end, stop)
        rest = self._bytes(end)[stop:].decode("utf-8", "replace").strip()
        return words, clean(rest[1:].strip()) if rest.startswith("#") else ""

    def _bytes(self, line: int) -> bytes:
        return self.lines[line - 1].encode("utf-8")

    def _between(self, line: int, start: int, end: int, stop: int) -> str:
        rows = [self._bytes(one) for one in range(line, min(end, len(self.lines)) + 1)]
        rows[-1] = rows[-1][: stop if end <= len(self.lines) else None]
        rows[0] = rows[0][start:]
        text = " ".join(b" ".join(rows).decode("utf-8", "replace").split())
        return clean(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _returned(function: ast.FunctionDef) -> str:
    """Return the only name that a function returns; "" where there are others."""
    names: set[str] = set()
    rest: list[ast.AST] = [*function.body]
    while rest:
        one = rest.pop()
        if isinstance(one, ast.Return):
            names.add(one.value.id if isinstance(one.value, ast.Name) else "")
        elif not isinstance(one, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            rest += ast.iter_child_nodes(one)
    return names.pop() if len(names) == 1 else ""


def _position(code: CodeType, at: int) -> tuple[int, int, int, int]:
    """Return line, end line, column and end column (in bytes) of an instruction."""
    positions = _POSITIONS.get(code)
    if positions is None:
        positions = _POSITIONS[code] = list(code.co_positions())
    number = at // 2
    found = positions[number] if 0 <= number < len(positions) else (None,) * 4
    line = found[0] or code.co_firstlineno
    return line, found[1] or line, found[2] or 0, found[3] or 0


_POSITIONS: Final[dict[Any, Any]] = {}


def _path(tree: ast.AST, start: Any, stop: Any) -> list[ast.AST]:
    """Return the syntax nodes that hold a part of the text, the outermost first."""
    path: list[ast.AST] = []
    node: ast.AST | None = tree
    while node is not None:
        path.append(node)
        node = next((one for one in _parts(node) if _holds(one, start, stop)), None)
    return path


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    for one in ast.iter_child_nodes(node):
        if hasattr(one, "lineno"):
            yield one
        else:  # arguments, a comprehension, a keyword
            yield from _parts(one)


def _holds(node: Any, start: Any, stop: Any) -> bool:
    first = (node.lineno, node.col_offset)
    decorators = getattr(node, "decorator_list", None)
    if decorators:
        first = min(first, (decorators[0].lineno, 0))
    return first <= start and stop <= (node.end_lineno, node.end_col_offset)


def _found(stmt: Any, path: list[ast.AST], place: Any) -> _Found:
    """Return what a part of a statement is to what the statement assigns."""
    inner = path[path.index(stmt) + 1 :]
    for one in inner:
        if isinstance(one, ast.Lambda) and _is(one.body, place):
            return _Found((), is_root=True, returns=True)
        if isinstance(one, ast.NamedExpr) and _is(one.value, place):
            return _Found((one.target.id,), is_root=True, returns=False)
    if isinstance(stmt, ast.Return):
        root = stmt.value is not None and _is_value(stmt.value, place)
        parts = stmt.value.elts if isinstance(stmt.value, ast.Tuple) else []
        for number, one in enumerate(parts):
            if _is_value(one, place):
                return _Found((), is_root=True, returns=True, item=number)
        return _Found((), root, returns=True)
    if isinstance(stmt, ast.Assign):
        return _assigned(stmt, place)
    if isinstance(stmt, (ast.AugAssign, ast.AnnAssign)):
        root = _is(stmt, place) or _is(stmt.target, place)
        if isinstance(stmt, ast.AnnAssign) and stmt.value is not None:
            root = _is_value(stmt.value, place)
        return _Found(_names(stmt.target), root, returns=False)
    if isinstance(stmt, ast.For):
        root = _is(stmt.iter, place) or _is(stmt, place)
        return _Found(_names(stmt.target), root, returns=False)
    return _Found((), is_root=False, returns=False)


def _assigned(stmt: ast.Assign, place: Any) -> _Found:
    target = stmt.targets[0]
    row = (ast.Tuple, ast.List)
    if isinstance(target, row) and isinstance(stmt.value, row):
        for left, right in zip(target.elts, stmt.value.elts, strict=False):
            if _is_value(right, place):
                return _Found(_names(left), is_root=True, returns=False)
    for one in stmt.targets:
        if _is(one, place):  # what is written into: x[i] = v
            return _Found(_names(one), is_root=True, returns=False)
    return _Found(_names(target), _is_value(stmt.value, place), returns=False)


def _is_value(node: Any, place: Any) -> bool:
    """Tell whether an expression, or what it chooses or lists, is at a place."""
    if _is(node, place):
        return True
    if isinstance(node, ast.IfExp):
        return _is_value(node.body, place) or _is_value(node.orelse, place)
    if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        return _is_value(node.elt, place)
    return False


def _is(node: Any, place: Any) -> bool:
    where = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
    return where == place


def _names(target: Any) -> tuple[str, ...]:
    """Return the names that a target assigns, the last part of each."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return tuple(name for one in target.elts for name in _names(one))
    if isinstance(target, ast.Name):
        return (target.id,)
    if isinstance(target, ast.Attribute):
        return (target.attr,)
    if isinstance(target, (ast.Subscript, ast.Starred)):
        return _names(target.value)
    return ("it",)


class Texts:
    """The files that places are in, each read once."""

    def __init__(self) -> None:
        """Begin without any."""
        self._texts: dict[str, Text] = {}
        self._spots: dict[tuple[Any, int], Spot] = {}

    def text(self, file: str) -> Text:
        """Return a file's text as Python itself has it: notebooks have theirs, too."""
        if file not in self._texts:
            self._texts[file] = Text(linecache.getlines(file))
        return self._texts[file]

    def returned(self, code: CodeType) -> str:
        """Return the only name that a function returns; "" for none."""
        lines = self.text(code.co_filename).returned
        return lines.get(code.co_firstlineno, "")

    def spot(self, code: CodeType, at: int) -> Spot:
        """Return what stands at a place of a code."""
        key = (code, at)
        if key not in self._spots:
            self._spots[key] = self.text(code.co_filename).spot(code, at)
        return self._spots[key]


def whole_path(file: str, folder: Path) -> Path:
    """Return where a file is that the interpreter names: a script, as it was typed.

    >>> whole_path("net.py", Path("/home/ada")).as_posix()
    '/home/ada/net.py'
    """
    return Path(os.path.normpath(folder / file))


def short_name(file: str, folder: Path) -> str:
    """Return what a file is called in a capture: no folder of the machine is in it."""
    path = whole_path(file, folder)
    if path.is_relative_to(folder):
        return clean(path.relative_to(folder).as_posix())
    for mark in ("site-packages", "dist-packages"):
        if mark in path.parts:
            place = len(path.parts) - path.parts[::-1].index(mark)
            return clean("/".join(path.parts[place:]))
    return clean(path.name)

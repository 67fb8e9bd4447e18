"""Program text → lines and functions, through a whitelist over Python's syntax tree.

Nothing is evaluated here. What is not in the language is refused, with its place and a
way out; a line that is wrong stays in its place as a broken one, so that the rest can
still be read.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
import warnings
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from ..base.errors import LimitError, Problem
from ..base.progress import with_progress
from ..base.text import clean, place
from .whitelist import RESERVED, Mistake, Place, is_literal, mistakes, refused_statement

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterator, Mapping, Sequence

    from ..base.limits import Limits
    from ..base.progress import Progress

_MOST_SYNTAX_ERRORS: Final = 20
_RETRIED_TEXT: Final = 100_000  # characters; each retry parses the whole text again
_LONGEST_TEXT: Final = 200  # of an expression, as a node shows it
_INSERTED: Final = re.compile(r"_\d+")
_NOT_TEXT: Final = re.compile(r"\0|\r|[\ud800-\udfff]")
_LOST: Final = r"(def\s+)?(\w+)"
# A string that is never closed takes the rest, so that the scan stays linear.
_TOKEN: Final = re.compile(
    r'"""(?:[^"\\]+|\\[\s\S]|"(?!""))*+(?:""")?'
    r"|'''(?:[^'\\]+|\\[\s\S]|'(?!''))*+(?:''')?"
    r'|"(?:[^"\\\n]+|\\[\s\S])*+"?'
    r"|'(?:[^'\\\n]+|\\[\s\S])*+'?"
    r"|(?P<note>#[^\n]*)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<digits>[\d_]{20,})"
)

_WORD: Final = re.compile(r"\w+|[^\w\s]")
# Between two operands, so that it makes a node: no sign of a number, no 1e-5.
_OPERATOR: Final = r"(?<=[\w)\]])(?<!\d[eE])\s*(?:\*\*|//|[-+*/@])"


class Scanned(NamedTuple):
    """A text that lines belong to: their code, and the comments at their ends."""

    name: str  # "program" or "prelude"
    text: str  # all of it, as it was given
    code: tuple[str, ...]  # line by line, without comments
    notes: Mapping[int, str]  # by line number

    def place(self, node: ast.AST) -> tuple[int, int]:
        """Return the line and the column of a syntax node, both counted from 1."""
        line: int = getattr(node, "lineno", 1)
        column: int = getattr(node, "col_offset", 0)
        return line, characters(self.code[line - 1], column) + 1

    def words(self, node: ast.expr) -> str:
        """Return an expression as it is written, on one line and not too long."""
        # The longest text is cut before it is joined: parts of long expressions are
        # long expressions too, and there may be many.
        text = " ".join(self._written(node, 2 * _LONGEST_TEXT).split())
        if len(text) > _LONGEST_TEXT:
            text = text[: _LONGEST_TEXT - 1] + "…"
        return clean(text)

    def statement(self, node: ast.stmt) -> str:
        """Return a statement as it is written, without its comment."""
        return clean(self._written(node, len(self.text))).rstrip()

    def note(self, node: ast.stmt) -> str:
        """Return the comments on the lines of a statement."""
        if not self.notes:
            return ""
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        return clean(" ".join(filter(None, (self.notes.get(k, "") for k in lines))))

    def _written(self, node: ast.expr | ast.stmt, longest: int) -> str:
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        line = self.code[first]
        start = characters(line, node.col_offset)
        stop = characters(self.code[last], node.end_col_offset or 0)
        if first == last:
            return line[start : min(stop, start + longest)]
        pieces = [line[start:].rstrip()]
        length = len(pieces[0])
        for number in range(first + 1, last + 1):
            if length > longest:
                break
            line = self.code[number]
            pieces.append((line[:stop] if number == last else line).rstrip())
            length += len(pieces[-1])
        return "\n".join(pieces)


class Line(NamedTuple):
    """One assignment, or a `return`, which has no targets."""

    targets: tuple[str, ...]  # the names that it assigns; () for a `return`
    unpacks: bool  # several targets, or one in parentheses
    value: ast.expr | None  # None where the line is broken
    line: int  # where it begins, counted from 1
    text: str  # as it is written, without its comment
    note: str  # the comment on its lines; "" for none


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of a program. One that is broken has no lines."""

    name: str  # as it is called
    parameters: Mapping[str, ast.expr | None]  # and their defaults
    lines: tuple[Line, ...]  # the last one is the `return`
    names: frozenset[str]  # of everything that is bound in it
    source: Scanned  # the text that it stands in
    line: int  # of its `def`, counted from 1


class Module(NamedTuple):
    """A text, read: what can be built of it, and everything that is wrong with it."""

    source: Scanned  # what was parsed
    items: tuple[Line | Function, ...]  # assignments and functions, in order
    problems: tuple[Problem, ...]  # in the order of the text; () for none


def check_name(name: str) -> str:
    """Return what is wrong with `name` as the name of a value, or nothing.

    >>> check_name("x0"), check_name("_1")
    ('', "names such as '_1' are given to unnamed results")
    """
    if name in RESERVED:
        return f"{name!r} is a number"
    if _INSERTED.fullmatch(name):
        return f"names such as {name!r} are given to unnamed results"
    if not name.isidentifier() or keyword.iskeyword(name):
        return f"{name!r} is no name: letters, digits and _, but no word of Python"
    normal = unicodedata.normalize("NFKC", name)
    return "" if normal == name else f"Python reads {name!r} as {normal!r}"


def parse(
    text: str,
    name: str,
    limits: Limits,
    taken: Mapping[str, str] | None = None,
    operations: Collection[str] = (),
    *,
    place: Place = "program",
    progress: Progress | None = None,
) -> Module:
    """Read a program text; `problems` of the result says everything that is wrong.

    `taken` says what each name is that is bound already: `{"x0": "an input"}`. Hints
    know the names of `operations`. `place` says which syntax is allowed. Problems know
    lines and columns, but no file. `progress` is told of the statements. Raises
    `LimitError`.
    """
    if len(text) > limits.text:
        raise LimitError(
            f"the {name} has {len(text)} characters", limits.allowed("text")
        )
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    source = _scan(text, name, limits)
    reader = _Reader(source, limits, dict(taken or {}), operations, place)
    items = reader.read(_unreadable(text), progress)
    return Module(source, items, tuple(reader.problems))


# ---------------------------------------------------------------------- the text


def characters(line: str, offset: int) -> int:
    """Return an offset in UTF-8 bytes as one in characters."""
    if line.isascii():
        return offset
    return len(line.encode()[:offset].decode(errors="ignore"))


def _unreadable(text: str) -> Problem | None:
    """Return the problem with characters that Python would not even look at."""
    found = _NOT_TEXT.search(text)
    if not found:
        return None
    names = {"\0": "NUL", "\r": "carriage return, alone,"}
    what = names.get(found[0], "half of a surrogate pair")
    line, column = place(text, found.start())
    return Problem(f"the character {what} is not text", "remove it", "", line, column)


def _scan(text: str, name: str, limits: Limits) -> Scanned:
    """Part the comments from the code, and check the limits that parsing relies on."""
    pieces: list[str] = []
    notes: dict[int, str] = {}
    depth = done = counted = 0
    line = 1
    for token in _TOKEN.finditer(text):
        start = token.start()
        kind = token.lastgroup
        if kind == "note":
            line += text.count("\n", counted, start)
            counted = start
            notes[line] = token[0].lstrip("#").strip()
            pieces.append(text[done:start])
            done = token.end()
        elif kind == "open":
            depth += 1
            if depth > limits.nesting:
                what = f"brackets are nested more than {limits.nesting} levels deep"
                raise _too_much(text, start, what)
        elif kind == "close":
            depth -= 1
        elif kind == "digits" and len(token[0]) > limits.digits:
            raise _too_much(
                text, start, f"a number with more than {limits.digits} digits"
            )
    pieces.append(text[done:])
    code = "".join(pieces).split("\n")
    for number, one in enumerate(code, 1):
        if len(one) > limits.columns:
            what = f"the line has more than {limits.columns} characters"
            hint = f"break it in parentheses; {limits.allowed('columns')}"
            raise LimitError(Problem(what, hint, "", number, 1))
    _check_length(name, code, limits)
    return Scanned(name, text, tuple(code), MappingProxyType(notes))


def _check_length(name: str, code: Sequence[str], limits: Limits) -> None:
    """Refuse what is too much to build, before a tree of it takes memory."""
    tokens = lines = operators = 0
    for number, one in enumerate(code, 1):
        tokens += len(_WORD.findall(one))
        if tokens > limits.tokens:
            what = f"the {name} has more than {limits.tokens} words and signs"
            raise LimitError(Problem(what, limits.allowed("tokens"), "", number, 1))
    if tokens <= limits.nodes:
        return
    for number, one in enumerate(code, 1):
        lines += _at_margin(one)
        operators += len(re.findall(_OPERATOR, one))
        for many, of in ((lines, "lines"), (operators, "operators")):
            if many > limits.nodes:
                what = f"the {name} has {of} for more than {limits.nodes} nodes"
                raise LimitError(Problem(what, limits.allowed("nodes"), "", number, 1))


def _too_much(text: str, offset: int, message: str) -> LimitError:
    return LimitError(Problem(message, "", "", *place(text, offset)))


def _trees(text: str) -> tuple[list[ast.stmt], list[Problem], list[tuple[int, str]]]:
    """Return the statements of a text, its syntax errors, and what these took away.

    A parser stops at the first syntax error. To find the next one, the lines around it
    are taken out and the rest is parsed again. What they would have bound is returned
    by line, as it starts: "x1" or "def layer".
    """
    problems: list[Problem] = []
    lost: list[tuple[int, str]] = []
    lines = text.split("\n")
    tries = _MOST_SYNTAX_ERRORS if len(text) <= _RETRIED_TEXT else 1
    for _ in range(tries):
        try:
            with warnings.catch_warnings(action="ignore"):
                return ast.parse("\n".join(lines)).body, problems, lost
        except SyntaxError as error:
            line = min(max(error.lineno or 1, 1), len(lines))
            problem = _syntax_problem(error, lines[line - 1], line)
        except (RecursionError, MemoryError):
            raise LimitError("expressions are nested too deep") from None
        problems.append(problem)
        gone = _block(lines, line - 1)
        if not any(lines[k].strip() for k in gone):
            break
        for k in gone:
            found = re.match(_LOST, lines[k])
            if found:
                lost.append((k + 1, found[0]))
            lines[k] = ""
    return [], problems, lost


def _syntax_problem(error: SyntaxError, text: str, line: int) -> Problem:
    message = error.msg
    if message.startswith("invalid syntax"):
        message = "this is not Python syntax" + message.removeprefix("invalid syntax")
    column = max(error.offset or 1, 1)
    if isinstance(error, IndentationError):
        column = len(text) - len(text.lstrip()) + 1
    return Problem(message, "", "", line, column)


def _block(lines: list[str], number: int) -> range:
    """Return the lines of the statement at the margin that holds line `number`."""
    first, stop = number, number + 1
    while first > 0 and not _at_margin(lines[first]):
        first -= 1
    while stop < len(lines) and not _at_margin(lines[stop]):
        stop += 1
    return range(first, stop)


def _at_margin(line: str) -> bool:
    return line[:1] not in {"", " ", "\t", "\f", "#", ")", "]", "}"}


# ---------------------------------------------------------------------- statements


@dataclass(slots=True, eq=False)
class _Reader:
    """Turns statements into lines and functions, and collects what is wrong."""

    source: Scanned
    limits: Limits
    bound: dict[str, str]
    operations: Collection[str]
    place: Place
    problems: list[Problem] = field(default_factory=list[Problem])

    def read(
        self, unreadable: Problem | None, progress: Progress | None
    ) -> tuple[Line | Function, ...]:
        """Return the lines and functions of the source, in their order."""
        if unreadable:
            self.problems.append(unreadable)
            return ()
        statements, problems, lost = _trees(self.source.text)
        self.problems += problems
        items = [self._lost(*one) for one in lost]
        for statement in with_progress(statements, progress):
            if isinstance(statement, ast.FunctionDef):
                items.append(self._function(statement))
            else:
                items += self._line(statement, self.bound, inside=False)
        return tuple(sorted(items, key=lambda item: item.line))

    def _lost(self, line: int, start: str) -> Line | Function:
        name = start.rsplit(maxsplit=1)[-1]
        self.bound[name] = f"bound on line {line}"
        if start.startswith("def"):
            return self._broken(name, line)
        return Line((name,), False, None, line, "", "")

    def _broken(self, name: str, line: int) -> Function:
        return Function(name, {}, (), frozenset(), self.source, line)

    def _say(self, mistake: Mistake) -> None:
        line, column = self.source.place(mistake.node)
        problem = Problem(
            mistake.message, mistake.hint_for(self.operations), "", line, column
        )
        if mistake.limit:
            raise LimitError(problem)
        self.problems.append(problem)

    def _line(
        self, statement: ast.stmt, bound: dict[str, str], *, inside: bool
    ) -> list[Line]:
        """Return one line, or nothing where nothing can be bound."""
        if not isinstance(statement, ast.Assign):
            self._say(refused_statement(statement, inside=inside))
            names = sorted(_bound_in(statement))
            return [self._made(statement, (name,), None) for name in names]
        mistakes = [*_target_mistakes(statement)]
        targets = _target_names(statement.targets[0])
        for target in targets:
            mistakes += self._bind(target.id, statement, target, bound)
        mistakes += self._mistakes(statement.value)
        for mistake in mistakes:
            self._say(mistake)
        names = tuple(target.id for target in targets)
        value = None if mistakes else statement.value
        return [self._made(statement, names, value)] if names else []

    def _made(
        self, statement: ast.stmt, names: tuple[str, ...], value: ast.expr | None
    ) -> Line:
        unpacks = isinstance(statement, ast.Assign) and not isinstance(
            statement.targets[0], ast.Name
        )
        return Line(
            names,
            unpacks,
            value,
            statement.lineno,
            self.source.statement(statement),
            self.source.note(statement),
        )

    def _bind(
        self, name: str, statement: ast.stmt, node: ast.AST, bound: dict[str, str]
    ) -> Iterator[Mistake]:
        if name in bound:
            yield Mistake(
                node,
                f"{name} is {bound[name]}, and a name is bound once only",
                f"give this one another name, such as {_other(name, bound)}",
            )
        elif name in RESERVED or _INSERTED.fullmatch(name):
            yield Mistake(node, check_name(name), "choose another name")
        else:
            bound[name] = f"bound on line {statement.lineno}"

    def _mistakes(self, expression: ast.expr) -> list[Mistake]:
        return [*mistakes(expression, self.limits, self.place)]

    def _function(self, node: ast.FunctionDef) -> Function:
        mistakes = [*self._bind_function(node)]
        parameters, wrong = _parameters(node)
        mistakes += wrong
        bound: dict[str, str] = {}
        for name, argument in parameters.items():
            mistakes += self._bind(name, node, argument, bound)
        for default in (*node.args.defaults,):
            mistakes += self._mistakes(default)
            if not is_literal(default):
                what = "the default of a parameter is a number, a text, None or a tuple"
                mistakes.append(Mistake(default, what, "give the value in the call"))
        for mistake in mistakes:
            self._say(mistake)
        lines = self._body(node, bound)
        if mistakes or not lines:
            return self._broken(node.name, node.lineno)
        free = len(parameters) - len(node.args.defaults)
        defaults = [*[None] * free, *node.args.defaults]
        return Function(
            node.name,
            MappingProxyType(dict(zip(parameters, defaults, strict=True))),
            lines,
            frozenset(bound),
            self.source,
            node.lineno,
        )

    def _bind_function(self, node: ast.FunctionDef) -> Iterator[Mistake]:
        yield from self._bind(node.name, node, node, self.bound)

    def _body(self, node: ast.FunctionDef, bound: dict[str, str]) -> tuple[Line, ...]:
        """Return the lines of a function, or none where it does not end well."""
        lines: list[Line] = []
        *rest, last = node.body
        for statement in rest:
            if isinstance(statement, ast.Return):
                self._say(
                    Mistake(
                        statement,
                        "return stands at the end of a function only",
                        "remove the lines after it",
                    )
                )
                return ()
            lines += self._line(statement, bound, inside=True)
        if not isinstance(last, ast.Return) or last.value is None:
            if not isinstance(last, (ast.Assign, ast.Return)):
                self._say(refused_statement(last, inside=True))
            message = f"{node.name} does not end with the return of a value"
            self._say(Mistake(last, message, "end it with: return …"))
            return ()
        mistakes = self._mistakes(last.value)
        for mistake in mistakes:
            self._say(mistake)
        lines.append(self._made(last, (), None if mistakes else last.value))
        return tuple(lines)


def _other(name: str, bound: Container[str]) -> str:
    number = 2
    dash = "_" if name[-1].isdigit() else ""
    while f"{name}{dash}{number}" in bound:
        number += 1
    return f"{name}{dash}{number}"


def _target_names(target: ast.expr) -> list[ast.Name]:
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    return [part for part in parts if isinstance(part, ast.Name)]


def _target_mistakes(statement: ast.Assign) -> Iterator[Mistake]:
    if len(statement.targets) > 1:
        second = statement.targets[1]
        yield Mistake(second, "one line binds one name", "write a line for each name")
    first = statement.targets[0]
    for part in first.elts if isinstance(first, ast.Tuple) else [first]:
        if isinstance(part, ast.Subscript):
            yield Mistake(
                part,
                "an element of a value cannot be assigned",
                "make a new value: put(x[i], value)",
            )
        elif not isinstance(part, ast.Name):
            yield Mistake(part, "only a name can be assigned", "write: name = …")
    if isinstance(first, ast.Tuple) and not first.elts:
        yield Mistake(first, "there is no name to assign", "write: a, b = split(x, 2)")


def _bound_in(statement: ast.stmt) -> set[str]:
    """Return the names that a refused statement would have bound."""
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _parameters(node: ast.FunctionDef) -> tuple[dict[str, ast.arg], list[Mistake]]:
    """Return the parameters of a function, and what is wrong with its first line."""
    args = node.args
    wrong = [
        Mistake(one, "decorators are not part of the language", "remove it")
        for one in node.decorator_list
    ]
    for star in (args.vararg, args.kwarg):
        if star:
            message = f"the parameter {star.arg} takes any number of arguments"
            wrong.append(Mistake(star, message, "name each parameter, without stars"))
    plain = [*args.posonlyargs, *args.args]
    for one in (*args.kwonlyargs, *args.posonlyargs):
        message = f"a * or / among the parameters restricts {one.arg}"
        wrong.append(Mistake(one, message, "remove the * or /"))
    notes = [one.annotation for one in plain if one.annotation]
    wrong += [
        Mistake(one, "annotations are not part of the language", "remove it")
        for one in (*notes, *([node.returns] if node.returns else []))
    ]
    parameters: dict[str, ast.arg] = {}
    for one in plain:
        if one.arg in parameters:
            message = f"two parameters are called {one.arg}"
            wrong.append(Mistake(one, message, "give one of them another name"))
        parameters[one.arg] = one
    return parameters, wrong

"""What each character of a program is, for its colour; and what the step makes of it.

Programs are a part of Python, so Python's own lexer reads them.
"""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from ...core.engine.trace import Contribution, Event, Forward

if TYPE_CHECKING:
    from ...core.engine.graph import Graph

Kind = Literal["code", "keyword", "call", "literal"]
# The matrix of the step that a part of its line stands for.
Role = Literal["upstream", "local", "contribution"]
# From and to, in characters of a line; None is what is no matrix of the step.
Spans = list[tuple[int, int, Role | None]]

_ENDS: Final = tokenize.TokenError, SyntaxError  # of what is no program


class Kinds(Sequence[Sequence[Kind]]):
    """What the characters of each line of a text are, read as far as lines are seen.

    >>> "".join(kind[0] for kind in Kinds("def f(x): return 2 * x")[0])
    'kkkccccccckkkkkkclcccc'
    """

    def __init__(self, text: str) -> None:
        lines = text.splitlines()
        self._kinds: list[list[Kind]] = [["code"] * len(line) for line in lines]
        self._reading = _read(text, self._kinds)
        self._known = 0  # lines whose characters are known

    @overload
    def __getitem__(self, line: int) -> Sequence[Kind]: ...
    @overload
    def __getitem__(self, line: slice) -> Sequence[Sequence[Kind]]: ...
    def __getitem__(self, line: int | slice) -> Any:
        if isinstance(line, slice):
            return [self[one] for one in range(len(self))[line]]
        while self._known <= line:
            self._known = next(self._reading, len(self) + 1)
        return self._kinds[line]

    def __len__(self) -> int:
        return len(self._kinds)


def _read(text: str, kinds: list[list[Kind]]) -> Iterator[int]:
    """Write down what characters are; yield, each time, how many lines are known."""
    before = None
    for token in _tokens(text):
        if token.string == "(" and before is not None and before.type == tokenize.NAME:
            if not keyword.iskeyword(before.string):
                _fill(kinds, before, "call")
        elif token.type in (tokenize.NUMBER, tokenize.STRING):
            _fill(kinds, token, "literal")
        elif token.type == tokenize.NAME and keyword.iskeyword(token.string):
            _fill(kinds, token, "keyword")
        before = token
        yield token.start[0] - 1


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of a text, up to where it is no program."""
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except _ENDS:
        return


def _fill(kinds: list[list[Kind]], token: tokenize.TokenInfo, kind: Kind) -> None:
    (line, start), (last, stop) = token.start, token.end
    if line == last:
        for place in range(start, stop):
            kinds[line - 1][place] = kind


def roles_of(graph: Graph, event: Event, line: str) -> Spans:
    """Return which parts of the event's line stand for which of its matrices.

    The operand that receives is the contribution, what its local factor is made of is
    local, and the operation itself, with the name of its result, is upstream. In the
    forward pass the operation is what the step makes. Later parts lie inside earlier.
    """
    if not isinstance(event, (Forward, Contribution)):
        return []
    is_backward = isinstance(event, Contribution)
    node = graph.nodes[event.consumer if is_backward else event.node]
    site, op = node.site, node.op
    if site is None or op is None or "\n" in site.text:
        return []
    made: Role = "upstream" if is_backward else "contribution"
    start = site.column - 1
    spans: Spans = [(start, start + len(site.text), made)]
    target = graph.statements[site.statement].target
    assigned = re.match(r"\s*(\w+)\s*=", line)
    if assigned and graph.names.get(target) == node.index:
        spans.append((*assigned.span(1), made))
    used: set[str] = set()
    if is_backward:
        form = graph.worded(node).form(event.argument)
        used = set(re.findall(r"{(\w+)}", form.code)) if form is not None else set()
    for number, (low, high) in enumerate(_operands(site.text)):
        role: Role | None = None
        if is_backward and number == event.argument:
            role = "contribution"
        elif number < len(op.operands) and op.operands[number] in used:
            role = "local"
        spans.append((start + low, start + high, role))
    return spans


@lru_cache(500)  # for each key asks for one
def _operands(text: str) -> tuple[tuple[int, int], ...]:
    """Return where the operands of an expression stand in it.

    >>> _operands("0.5 * (a + b)"), _operands("x.T"), _operands("sum(x)")
    (((0, 3), (7, 12)), ((0, 1),), ((4, 5),))
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return ()
    found: list[ast.expr]
    match tree:
        case ast.BinOp(left=left, right=right):
            found = [left, right]
        case ast.UnaryOp(operand=operand):
            found = [operand]
        case ast.Compare(left=left, comparators=others):
            found = [left, *others]
        case ast.Call(func=ast.Attribute(value=value), args=args):
            found = [value, *args]
        case ast.Call(args=args):
            found = args
        case ast.Subscript(value=value) | ast.Attribute(value=value):
            found = [value]
        case _:
            found = []
    written = text.encode()  # in which Python counts
    return tuple(
        (len(written[: one.col_offset].decode()), len(written[:end].decode()))
        for one in found
        if (end := one.end_col_offset) is not None
    )

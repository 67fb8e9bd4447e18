"""Texts: from a scenario to its graph, beside Python's parser and beside a tape."""

from __future__ import annotations

import ast
import operator
import sys
from typing import TYPE_CHECKING, Any, Final

from measure import Row, compare

from gradstep.core.scenario.scenario import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINES: Final = 10_000
DEPTH: Final = 45
CALLS: Final = 200  # of the deepest function


def rows(seconds: float) -> Iterator[Row]:
    """Yield the lines for long programs, and for functions that call functions."""
    longest = range(1, LINES + 1)
    products = "\n".join(["x0 = x", *(f"x{i} = x{i - 1} * w" for i in longest)])
    called = "\n".join(
        ["def f(x, w):\n    return x * w\nx0 = x"]
        + [f"x{i} = f(x{i - 1}, w)" for i in longest]
    )
    for what, program, most in (
        (f"a scenario of {LINES:,} lines, to its graph", products, 3.0),
        (f"a scenario of {LINES:,} calls, to its graph", called, 4.0),
    ):
        yield compare(
            what,
            "`ast.parse` of its program",
            most,
            lambda program=program: _graph(program),
            lambda program=program: ast.parse(program),
            seconds,
        )
    nested = _nested()
    if len(_tape(nested).rows) != len(_graph(nested)) - 2:  # x and w are leaves
        raise SystemExit("the tape and the graph are of two programs")
    yield compare(
        f"functions in functions, {DEPTH} deep, to their graph",
        "Python runs them and keeps a tape",
        6.0,
        lambda: _graph(nested),
        lambda: _tape(nested),
        seconds,
    )


def _graph(program: str) -> Any:
    text = f"gradstep = 1\nprogram = '''\n{program}\n'''\n"
    text += "[inputs]\nx = 1.0\n[parameters]\nw = 0.99999\n"
    return parse(text, source="benchmark").subject.graph


def _nested() -> str:
    """Return functions that each call the one before, and calls of the last one."""
    lines = ["def f0(x, w):", "    return x * w"]
    for depth in range(1, DEPTH):
        lines += [f"def f{depth}(x, w):", f"    return f{depth - 1}(x, w) * w"]
    last = f"f{DEPTH - 1}"
    lines += ["x0 = x", *(f"x{i} = {last}(x{i - 1}, w)" for i in range(1, CALLS + 1))]
    return "\n".join(lines)


class _Tape:
    """What a program made: of each operation and each call, where it stands."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.frames: list[tuple[str, int, int]] = []
        self.frame = 0

    def number(self, value: float, operands: tuple[int, ...], line: int) -> _Number:
        """Keep a number that was made on a line."""
        self.rows.append((operator.mul, operands, value, self.frame, line))
        return _Number(self, len(self.rows) - 1, value)

    def framed(self, function: Callable[..., _Number]) -> Callable[..., _Number]:
        """Return a function that keeps a frame of each call."""

        def call(*operands: _Number) -> _Number:
            caller = self.frame
            line = sys._getframe(1).f_lineno  # noqa: SLF001  # as a tape does it
            self.frames.append((function.__name__, caller, line))
            self.frame = len(self.frames)
            result = function(*operands)
            self.frame = caller
            return result

        return call


class _Number:
    """A number on a tape."""

    __slots__ = ("index", "tape", "value")

    def __init__(self, tape: _Tape, index: int, value: float) -> None:
        self.tape, self.index, self.value = tape, index, value

    def __mul__(self, other: _Number) -> _Number:
        line = sys._getframe(1).f_lineno  # as a tape does it
        operands = (self.index, other.index)
        return self.tape.number(self.value * other.value, operands, line)


def _tape(program: str) -> _Tape:
    """Run functions, and then what calls them, and return what was kept."""
    tape = _Tape()
    functions, lines = program.split("\nx0", 1)
    names: dict[str, Any] = {}
    exec(functions, names)  # noqa: S102  # our own text
    for name in [name for name in names if name.startswith("f")]:
        names[name] = tape.framed(names[name])
    names.update(x=_Number(tape, -2, 1.0), w=_Number(tape, -1, 0.99999))
    exec(f"x0{lines}", names)  # noqa: S102  # our own text
    return tape


if __name__ == "__main__":
    for found in rows(2.0):
        print(f"{found.what:48} {found.ours:>8} {found.theirs:>8} {found.ratio:.2f} ×")

"""A call like one before is copied: the graph is the one that reading it makes."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from gradstep.core.base.errors import GradstepError
from gradstep.core.base.limits import Limits
from gradstep.core.program import unroll
from gradstep.core.program.build import Leaf, build
from gradstep.core.scenario.scenario import builtin_names, load

LEAVES = {
    "x": Leaf("input", np.arange(6.0).reshape(2, 3)),
    "w": Leaf("parameter", np.ones((3, 3))),
    "s": Leaf("parameter", np.float64(0.5)),
    "k": Leaf("constant", np.array([0, 1])),
}
PROGRAMS = {
    "many calls": "def f(a, b):\n    c = a @ b\n    return tanh(c)\n"
    "h = f(x, w)\ng = f(h, w)\ni = f(g, w)\ny = sum(i)",
    "calls in calls": "def f(a, b):\n    return a @ b\n"
    "def g(a, b):\n    c = f(a, b)\n    d = f(c, b)\n    return c + d\n"
    "h = g(x, w)\ni = g(h, w)\nj = g(i, w) + g(h, w)\ny = sum(j)",
    "one node twice, then two": "def f(a, b):\n    return a * b + a\n"
    "h = f(x, x)\ni = f(x, h)\nj = f(h, h)\nk2 = f(h, i)\ny = sum(j + k2)",
    "an argument that is seen from outside, too": "def f(a):\n    return a * s + a\n"
    "h = f(s)\ni = f(sum(x))\nj = f(s)\ny = h + i + j",
    "literals": "def f(a):\n    return 2 * a + 3.5\n"
    "h = f(x)\ni = f(h)\nj = f(i)\ny = sum(j) * 2",
    "numbers as arguments": "def f(a, n):\n    return a ** n\n"
    "h = f(x, 2)\ni = f(h, 2)\nj = f(h, 3)\nl = f(h, 2.0)\ny = sum(i + j + l)",
    "defaults": "def f(a, n=2):\n    return sum(a, axis=n - 1, keepdims=True) + a\n"
    "h = f(x)\ni = f(h)\nj = f(h, 1)\ny = sum(i + j)",
    "an argument goes through": "def f(a):\n    return a\ndef g(a):\n    return f(a)\n"
    "h = f(x)\ni = g(x)\nj = g(h * h)\nl = f(h * h)\ny = sum(i + j + l)",
    "the result of a call": "def f(a):\n    return tanh(a)\n"
    "def g(a):\n    return f(a)\nh = g(x)\ni = g(h)\nj = g(f(i))\ny = sum(j)",
    "a result that gets another name once it was copied": "def f(a):\n"
    "    return tanh(a)\ndef g(a):\n    b = f(a)\n    c = f(b)\n    return b\n"
    "h = g(x)\ni = f(h)\nj = g(i)\ny = sum(i + j)",
    "several results": "def f(a):\n    b = a * a\n    return b, a + b\n"
    "p, q = f(x)\nt, u = f(q)\ny = sum(t + u)",
    "parts": "def f(a):\n    b, c, d = split(a, 3, axis=1)\n    return b * c + d\n"
    "h = f(x)\ni = f(x * x)\ny = sum(h + i)",
    "shapes that depend on numbers": "def f(a, i):\n    return a[i]\n"
    "h = f(x, k)\ni = f(h, k)\ny = sum(i)",
    "recipes": "h = layer_norm(x)\ni = layer_norm(h)\nj = gelu(i)\n"
    "l = layer_norm(j)\ny = sum(l)",
    "a call after other parts of a line": "def f(a):\n    return a * a\n"
    "h = f(x * 2) + f(x * 3)\ni = x * f(x * x)\ny = sum(h + i)",
    "other shapes": "def f(a):\n    return a + sum(a)\n"
    "h = f(x)\ni = f(s)\nj = f(h)\nl = f(i)\ny = sum(j) + l",
}
WRONG = {
    "a function that calls itself": "def f(a):\n    return g(a)\n"
    "def g(a):\n    return f(a)\nh = f(x)\ni = f(x)\ny = sum(h)",
    "shapes that do not fit": "def f(a, b):\n    return a @ b\n"
    "h = f(x, w)\ni = f(h, w)\nj = f(h, x)\ny = sum(j)",
    "a name that is bound later": "def f(a):\n    return a * later\n"
    "h = f(x)\nlater = s * s\ni = f(x)\ny = sum(i)",
}


def graph_of(program: str, limits: Limits | None = None) -> Any:
    """Return everything that a graph is made of, or what is wrong."""
    try:
        graph = build(program, LEAVES, limits=limits or Limits()).graph
    except GradstepError as error:
        return str(error)
    return (
        graph.nodes.rows,
        graph.frames,
        graph.statements,
        graph.aliases,
        graph.output,
        graph.scalar,
    )


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that reads every call of a program."""

    def reading(program: str, limits: Limits | None = None) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(unroll, "_fits", lambda *_: False)
            return graph_of(program, limits)

    return reading


@pytest.mark.parametrize("name", [*PROGRAMS, *WRONG])
def test_a_copied_call_is_the_one_that_is_read(name: str, read: Any) -> None:
    program = (PROGRAMS | WRONG)[name]
    found = graph_of(program)
    assert isinstance(found, str) == (name in WRONG)
    assert found == read(program)


@pytest.mark.parametrize("seed", range(40))
def test_so_are_those_of_programs_drawn_at_random(seed: int, read: Any) -> None:
    program = drawn(random.Random(seed))  # noqa: S311  # not a secret
    assert graph_of(program) == read(program)


@pytest.mark.parametrize("name", builtin_names())
def test_so_are_those_of_the_lessons(name: str, monkeypatch: Any) -> None:
    copied = load(name).subject.graph
    monkeypatch.setattr(unroll, "_fits", lambda *_: False)
    whole = load(name).subject.graph
    assert copied.nodes.rows == whole.nodes.rows
    assert copied.frames == whole.frames
    assert copied.statements == whole.statements
    assert copied.aliases == whole.aliases


@pytest.mark.parametrize("limit", ["nodes", "steps", "elements", "work", "calls"])
def test_a_limit_is_met_at_the_same_place(limit: str, read: Any) -> None:
    program = PROGRAMS["calls in calls"]
    messages = set()
    for most in range(80):
        limits = Limits(**{limit: most})
        found = graph_of(program, limits)
        assert found == read(program, limits)
        messages.add(found if isinstance(found, str) else "")
    assert len(messages) > 1


def test_most_calls_are_copied(monkeypatch: Any) -> None:
    made: list[str] = []
    right = unroll._repeat
    monkeypatch.setattr(
        unroll,
        "_repeat",
        lambda read, block, *rest: made.append(block.name) or right(read, block, *rest),
    )
    graph_of(PROGRAMS["many calls"])
    assert made == ["h", "h"]


def drawn(source: random.Random) -> str:
    """Return a program of functions that call each other, and of calls of them."""
    lines: list[str] = []
    functions = source.randint(1, 4)
    for number in range(functions):
        lines.append(f"def f{number}(a, b):")
        known = ["a", "b", "s"]
        for local in range(source.randint(0, 3)):
            lines.append(f"    t{local} = {expression(source, known, number)}")
            known.append(f"t{local}")
        lines.append(f"    return {expression(source, known, number)}")
    known = ["x", "s"]
    for line in range(source.randint(3, 8)):
        lines.append(f"v{line} = {expression(source, known, functions)}")
        known.append(f"v{line}")
    return "\n".join([*lines, f"y = sum({known[-1]})"])


def expression(source: random.Random, known: list[str], functions: int) -> str:
    one, two = source.choice(known), source.choice(known)
    if functions and source.random() < 0.6:
        call = f"f{source.randrange(functions)}({one}, {two})"
        return call if source.random() < 0.6 else f"{call} + {source.choice(known)}"
    return source.choice([f"{one} * {two}", f"tanh({one}) + 2", f"{one} - {two} * 0.5"])

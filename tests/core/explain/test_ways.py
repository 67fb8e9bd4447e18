"""A gradient that is 0 on several ways: each of them is named, with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.engine.run import evaluate
from gradstep.core.engine.trace import Trace
from gradstep.core.explain.why.why import why
from gradstep.core.program.build import Leaf, build
from sessions import said, session

if TYPE_CHECKING:
    from gradstep.core.explain.why.answer import Why

Key = tuple[str, str, str]  # the element's node, what it comes through, the cause


def asked(text: str, leaves: dict[str, Any], index: tuple[int, ...]) -> tuple[Any, Why]:
    """Return a graph, and why an element of ∂E/∂x is as it is."""
    kinds = {name: "constant" if name.isupper() else "input" for name in leaves}
    program = build(
        f"{text}\n",
        {name: Leaf(kinds[name], np.array(one)) for name, one in leaves.items()},  # type: ignore[arg-type]
    )
    trace = Trace(evaluate(program.graph, program.leaves))
    node = program.graph.node("x").index
    return program.graph, why(trace, node, "grad", index, len(trace))


def keys(graph: Any, found: Why) -> set[Key]:
    """Return the ways of an answer, that which it follows among them."""
    through = "" if found.term is None else graph.nodes[found.term.consumer].name
    at = graph.nodes[found.at.node].name
    all_of_them = {(at, through, found.slope or found.cause)}
    for one in () if found.others is None else found.others.found:
        through = "" if one.through is None else graph.nodes[one.through].name
        all_of_them.add((graph.nodes[one.at.node].name, through, one.cause))
    return all_of_them


# ------------------------------------------------------------------------- a network

NETWORK = "z1 = x @ W\na1 = relu(z1)\nz2 = a1 @ V\na2 = relu(z2)\nE = sum(a2)"
WEIGHTS = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=9, max_size=9)


def by_hand(i: int, x: Any, W: Any, V: Any) -> set[Key] | None:
    """Return the ways by which ∂E/∂x[i] is 0, by NumPy; None where it is not."""
    z1 = x @ W
    z2 = np.maximum(z1, 0) @ V
    g2 = (z2 > 0) * 1.0
    ga = V @ g2
    g1 = ga * (z1 > 0)
    if W[i] @ g1:
        return None
    if (W[i] * g1).any():
        return {("x", "", "cancelled")}
    found: set[Key] = set()
    for j in range(3):
        if g1[j]:
            found.add(("x", "z1", "zero factor"))
        elif ga[j]:
            found.add(("z1", "a1", "shut" if z1[j] else "corner"))
        elif (V[j] * g2).any():
            found.add(("a1", "", "cancelled"))
        else:
            found |= {("a1", "z2", "zero factor")} if g2.any() else set()
            shut = [k for k in range(3) if not g2[k]]
            found |= {("z2", "a2", "shut" if z2[k] else "corner") for k in shut}
    return found


@given(
    x=st.lists(st.sampled_from([1.0, 2.0]), min_size=3, max_size=3),
    w=WEIGHTS,
    v=WEIGHTS,
)
def test_each_way_of_a_network_is_named(x: Any, w: Any, v: Any) -> None:
    leaves = {
        "x": np.array(x),
        "W": np.array(w).reshape(3, 3),
        "V": np.array(v).reshape(3, 3),
    }
    for i in range(3):
        expected = by_hand(i, **leaves)
        graph, found = asked(NETWORK, leaves, (i,))
        if expected is None:
            assert found.cause == "nonzero"
        else:
            assert keys(graph, found) == expected
            assert found.others is None or found.others.is_all


# ------------------------------------------------------------------------ other kinds


@pytest.mark.parametrize(
    ("lines", "x", "expected"),
    [
        # x[0] is not the largest, its relu is shut, and its factor is 0.
        (
            "r = relu(x)\ns = x * C\nm = max(x)\nE = sum(r) + sum(s) + m",
            [-2.0, 3.0],
            {("x", "r", "shut"), ("x", "s", "zero factor"), ("x", "m", "lost")},
        ),
        # At 0 a square and a relu are flat, and the sum is multiplied by 0.
        (
            "q = x ** 2\nr = relu(x)\ns = sum(x)\nz = s * 0\nE = sum(q) + sum(r) + z",
            [0.0, 1.0],
            {("x", "q", "vertex"), ("x", "r", "corner"), ("s", "z", "zero factor")},
        ),
        # A branch that is not taken, and what is far below 0.
        (
            "b = where(x > 0, x, 0.0)\nk = 1000 * x\nt = tanh(k)\nE = sum(b) + sum(t)",
            [-2.0, 1.0],
            {("x", "b", "lost"), ("k", "t", "saturated")},
        ),
        # An element that no index picks.
        (
            "p = x[1:]\nk = x - 5\nr = relu(k)\nE = sum(p) + sum(r)",
            [1.0, 2.0],
            {("x", "p", "unused"), ("k", "r", "shut")},
        ),
        # What adds up to 0 at the element itself is the reason of all of it.
        (
            "u = x * 1e-200\nv = u * 1e-200\nr = relu(x)\nE = sum(x - x + v + r)",
            [-1.0, 2.0],
            {("x", "", "cancelled")},
        ),
        # What adds up to 0 further on, and what gets too small.
        (
            "c = x * 2\nu = x * 1e-200\nr = relu(x)\nE = sum(c - c + u * 1e-200 + r)",
            [-1.0, 2.0],
            {("c", "", "cancelled"), ("x", "u", "underflow"), ("x", "r", "shut")},
        ),
    ],
)
def test_ways_of_several_kinds(lines: str, x: list[float], expected: set[Key]) -> None:
    graph, found = asked(lines, {"x": x, "C": [0.0, 1.0]}, (0,))
    assert keys(graph, found) == expected


LINES = """
gradstep = 1
output = "E"
program = '''
r = relu(x)
k = 2 * x
t = relu(k + 1)
E = r + t
'''
[inputs]
x = -2.0
"""


def test_a_way_is_told_with_the_elements_on_it() -> None:
    debugger = session(LINES)
    said(debugger, "goto end")
    reply = said(debugger, "why x.grad")
    assert reply.data["cause"] == "zero slope"
    assert reply.data["hops"] == [{"element": "x.grad", "number": 0.0}]
    shut = "the function is flat there: it lets nothing through"
    assert reply.data["others"] == {
        "places": [
            {
                "element": "t._1.grad",
                "through": "t",
                "cause": "shut",
                "because": shut,
                "way": ["k.grad", "t._1.grad"],
            }
        ],
        "all": True,
    }
    way = "from k.grad, from t._1.grad through t"
    text = " ".join(" ".join(reply.text).split())
    assert f"and 1 other way brings 0, too: {way}: {shut}" in text


def test_a_single_way_has_no_others() -> None:
    debugger = session(LINES.replace("E = r + t", "E = r * 2"))
    said(debugger, "goto end")
    assert said(debugger, "why x.grad").data["others"] is None


def test_of_many_ways_so_many_are_told() -> None:
    lines = "\n".join(f"r{n} = relu(x)" for n in range(12))
    total = " + ".join(f"r{n}" for n in range(12))
    graph, found = asked(f"{lines}\nE = {total}", {"x": -1.0}, ())
    assert keys(graph, found) == {("x", f"r{n}", "shut") for n in range(12)}

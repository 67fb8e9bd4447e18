"""A NaN that has several causes: one is followed, the others are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sessions import said, session

if TYPE_CHECKING:
    from gradstep.core.session.reply import Reply

# p is NaN throughout, for its row is -inf throughout; q[1] is 0 / 0, z is inf - inf.
SEVERAL = """
gradstep = 1
output = "E"
program = '''
p = softmax(m)
q = x / x
z = i - i
l = log(v)
E = sum(p) + sum(q) + z + l * c
'''
[inputs]
m = [-inf, -inf]
x = [1.0, 0.0]
i = inf
v = -1.0
c = nan
"""


def asked(text: str, element: str) -> Reply:
    debugger = session(text)
    said(debugger, "goto end")
    return said(debugger, f"why {element}")


def places(reply: Reply) -> dict[str, str]:
    found: Any = reply.data
    return {o["element"]: o["cause"] for o in found["others"]["places"]}


def test_the_others_are_named_each_once() -> None:
    reply = asked(SEVERAL, "E")
    assert reply.data["cause"] == "masked row"
    assert places(reply) == {
        "q[1]": "zero over zero",
        "z": "opposite infinities",
        "l": "of a negative",
        "c": "given",
    }
    assert reply.data["others"]["all"]
    text = [line.strip() for line in reply.text]
    first = next(n for n, line in enumerate(text) if line.startswith("and 4 others"))
    assert "make it NaN, too: " in text[first]
    assert all(line.startswith("and ") for line in text[first : first + 4])
    assert text[first + 3] == "and 1 more"


@pytest.mark.parametrize("element", ["p[0]", "q[1]", "z", "l", "c"])
def test_a_single_cause_has_no_others(element: str) -> None:
    reply = asked(SEVERAL, element)
    assert reply.data["others"] is None
    assert "too: " not in "\n".join(reply.text)


def program(line: str, inputs: str) -> str:
    return f"gradstep = 1\nprogram = '''\n{line}\n'''\n[inputs]\n{inputs}\n"


def test_one_other() -> None:
    text = program("a = x / x\nb = log(y)\nE = a + b", "x = 0.0\ny = -1.0")
    line = "and 1 other makes it NaN, too: b: a logarithm or a root of a negative"
    assert any(line in row for row in asked(text, "E").text)


@pytest.mark.parametrize(
    ("line", "inputs", "others"),
    [
        # The branch that is not taken makes nothing, nor does a number that is lost.
        ("E = where(x > 0, sqrt(-x), y / y)", "x = 1.0\ny = 0.0", None),
        ("a = x / x\nE = a + stop_gradient(a)", "x = 0.0", None),
        # The first term is NaN; the others are inf - inf where they are added up.
        (
            "E = sum(x)",
            "x = [nan, inf, -inf]",
            {"E": "opposite infinities"},
        ),
        # In a product 0 · inf is one more, beside the NaN of another term.
        (
            "E = dot(x, y)",
            "x = [nan, 0.0]\ny = [1.0, inf]",
            {"E": "zero times infinity"},
        ),
        ("E = maximum(x / x, log(y))", "x = 0.0\ny = -1.0", {"E._2": "of a negative"}),
    ],
)
def test_what_counts(line: str, inputs: str, others: dict[str, str] | None) -> None:
    reply = asked(program(line, inputs), "E")
    assert reply.data["others"] is None if others is None else places(reply) == others


def test_too_many_to_follow_are_at_least_so_many() -> None:
    # 40 NaN in one sum, of which the first 16 are followed: 10 of a, 6 of b.
    text = program(
        "a = x / x\nb = log(y)\nE = sum(concat([a, b]))",
        f"x = {[0.0] * 10}\ny = {[-1.0] * 30}",
    )
    reply = asked(text, "E")
    assert places(reply) == {"b[0]": "of a negative"}
    assert not reply.data["others"]["all"]
    assert any("and at least 1 other makes it NaN" in row for row in reply.text)


def test_what_a_training_made_is_told_as_that() -> None:
    # W becomes -1.2e301, W W overflows, and ∞ − ∞ makes NaN of W.
    text = program("q = x / x\nE = sum(q) + W * W * y", "x = [1.0, 0.0]\ny = 3.0")
    text += "[parameters]\nW = 2.0\n[training]\nlearning_rate = 1e300\niterations = 6\n"
    debugger = session(text)
    said(debugger, "goto 5:end")
    assert said(debugger, "why E").data["cause"] == "zero over zero"
    assert places(said(debugger, "why E")) == {"W": "trained"}
    # Followed from W itself, the update that began it is told instead.
    text = text.replace("sum(q) + W * W * y", "W * W * y + sum(q)")
    debugger = session(text)
    said(debugger, "goto 5:end")
    reply = said(debugger, "why E")
    assert reply.data["past"] is not None
    assert places(reply) == {"q[1]": "zero over zero"}

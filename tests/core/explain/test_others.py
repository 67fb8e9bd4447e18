"""A NaN or an infinity of several causes: one is followed, the others are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions import said, session

if TYPE_CHECKING:
    from collections.abc import Callable

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


def infinite(line: str, inputs: str, element: str = "E") -> Reply:
    reply = asked(program(line, inputs), element)
    assert np.isinf(reply.data["hops"][0]["number"])
    return reply


def test_all_infinities_are_named() -> None:
    reply = infinite(
        "a = exp(x)\nb = 1 / y\nE = a + b + sum(z)",
        "x = 1000.0\ny = 0.0\nz = [inf, 1.0, inf]",
    )
    assert reply.data["cause"] == "overflow"
    assert places(reply) == {"b": "pole", "z[0]": "given"}
    assert reply.data["others"]["all"]
    text = "\n".join(reply.text)
    assert "and 2 others make it infinite, too: b: the function has a pole" in text
    assert "and z[0]: it was given like this" in text


@pytest.mark.parametrize(
    ("line", "inputs", "others"),
    [
        # A number of the other sign makes nothing infinite, nor does a 0.
        ("E = maximum(x, y)", "x = inf\ny = -inf", None),
        ("a = exp(x)\nE = a * y", "x = 1000.0\ny = 2.0", None),
        # -(-inf): the sign changes on the way.
        ("a = log(x)\nE = -a + y", "x = 0.0\ny = inf", {"y": "given"}),
        # The product overflows where the other term is infinite already.
        ("E = dot(x, y)", "x = [inf, 1e200]\ny = [1.0, 1e200]", {"E": "overflow"}),
        ("E = max(x)", "x = [inf, 1.0, inf]", None),  # one node, one cause
        # (-inf) · (-inf): with 1 for one of them it is another infinity, and exp(-inf)
        # is 0.
        ("E = exp(x * y)", "x = -inf\ny = -inf", None),
    ],
)
def test_what_counts_as_infinite(
    line: str, inputs: str, others: dict[str, str] | None
) -> None:
    reply = infinite(line, inputs)
    assert reply.data["others"] is None if others is None else places(reply) == others


# ------------------------------------------------------------------------ gradients


@pytest.mark.parametrize(
    ("line", "inputs", "element", "others"),
    [
        # 1 / x and 1 / (2 √x) are infinite at 0, each alone.
        (
            "a = log(x)\nb = sqrt(x)\nE = a + b",
            "x = 0.0",
            "x.grad",
            {("x.grad", "a"): "infinite slope"},
        ),
        # b.grad is -a / b² of two NaN: either makes it one.
        ("E = a / b", "a = nan\nb = nan", "b.grad", {("b", None): "given"}),
        # The slope by a is b alone, so that the NaN of a counts for nothing.
        ("E = a * b", "a = nan\nb = nan", "a.grad", None),
        ("E = dot(a, b)", "a = [nan, 1.0]\nb = [nan, 2.0]", "a.grad[0]", None),
        # Of x Wᵀ + b the slope by x[0] is W[0, 0], whatever the others are.
        (
            "y = linear(x, w, b)\nE = sum(y)",
            "x = [nan, nan]\nw = [[nan, nan]]\nb = [nan]",
            "x.grad[0]",
            None,
        ),
        # 0 · inf back through the square, and a NaN that arrives from the product.
        (
            "c = a * n\nd = sqrt(a) * z\nE = c + d",
            "a = 0.0\nn = nan\nz = 0.0",
            "a.grad",
            {("n", None): "given"},
        ),
        # +inf and -inf meet in the sum, beside a NaN.
        (
            "E = a * n + a * p + a * m",
            "a = 1.0\nn = nan\np = inf\nm = -inf",
            "a.grad",
            {("a.grad", None): "opposite infinities"},
        ),
    ],
)
def test_the_others_of_a_gradient(
    line: str, inputs: str, element: str, others: dict[tuple[str, str | None], str]
) -> None:
    reply = asked(program(line, inputs), element)
    found = reply.data["others"]
    assert (found is None) == (others is None)
    if found is not None:
        told = {(o["element"], o["through"]): o["cause"] for o in found["places"]}
        assert told == others
        # What a quotient of a NaN would be without it cannot be seen.
        assert found["all"] == ("/" not in line)


def test_a_gradient_says_through_which_node() -> None:
    reply = asked(program("a = log(x)\nb = sqrt(x)\nE = a + b", "x = 0.0"), "x.grad")
    line = "and 1 other makes it infinite, too: x.grad through a: the local derivative"
    assert any(line in text for text in reply.text)


# ------------------------------------------------------- what is told, held by NumPy

# A step as our language has it: what NumPy makes of two numbers, and what is sent back
# to them of an upstream gradient, by hand.
STEPS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "{a} + {b}": (np.add, lambda g, y, a, b: (g, g)),
    "{a} - {b}": (np.subtract, lambda g, y, a, b: (g, -g)),
    "{a} * {b}": (np.multiply, lambda g, y, a, b: (g * b, g * a)),
    "{a} / {b}": (np.divide, lambda g, y, a, b: (g / b, -g * y / b)),
    "sqrt({a})": (lambda a, b: np.sqrt(a), lambda g, y, a, b: (g / (2 * y), None)),
    "exp({a})": (lambda a, b: np.exp(a), lambda g, y, a, b: (g * y, None)),
    "-{a}": (lambda a, b: -a, lambda g, y, a, b: (-g, None)),
}
CHOICES: dict[str, Callable[..., Any]] = {
    "maximum({a}, {b})": np.maximum,
    "minimum({a}, {b})": np.minimum,
}
FORWARD = CHOICES | {text: step for text, (step, _) in STEPS.items()}
GIVEN = "pqrs"
Steps = list[tuple[str, int, int]]


@st.composite
def drawn(draw: st.DrawFn, texts: list[str]) -> tuple[Steps, list[float]]:
    """Draw the steps of a program, and its four numbers."""
    steps: Steps = []
    for count in range(draw(st.integers(1, 6))):
        operand = st.integers(0, len(GIVEN) - 1 + count)
        step = draw(st.sampled_from(texts)), draw(operand), draw(operand)
        steps.append(step)
    special = st.sampled_from([np.nan, np.nan, np.inf, np.inf, -np.inf, 0.0, 2.0, -1.0])
    return steps, draw(st.lists(special, min_size=len(GIVEN), max_size=len(GIVEN)))


def forward(steps: Steps, numbers: list[float]) -> list[Any]:
    """Return all numbers of a program as NumPy has them; the last is the result."""
    found = [np.float64(number) for number in numbers]
    with np.errstate(all="ignore"):
        for step, one, two in steps:
            found.append(FORWARD[step](found[one], found[two]))
    return found


def back(steps: Steps, numbers: list[float]) -> list[Any]:
    """Return the gradients of the numbers that were given, None where none arrives."""
    values = forward(steps, numbers)
    sent: list[Any] = [None] * len(values)
    sent[-1] = np.float64(1)
    with np.errstate(all="ignore"):
        for count in reversed(range(len(steps))):
            step, *operands = steps[count]
            here = len(GIVEN) + count
            if sent[here] is None:
                continue
            made = STEPS[step][1](
                sent[here], values[here], *(values[k] for k in operands)
            )
            for operand, one in zip(operands, made, strict=True):
                if one is not None:
                    before = sent[operand]
                    sent[operand] = one if before is None else before + one
    return sent[: len(GIVEN)]


def told_of(steps: Steps, numbers: list[float], element: str) -> tuple[Any, str]:
    names = [*GIVEN, *(f"v{count}" for count in range(len(steps)))]
    lines = [
        f"v{count} = {step.format(a=names[one], b=names[two])}"
        for count, (step, one, two) in enumerate(steps)
    ]
    inputs = [f"{n} = {number}" for n, number in zip(GIVEN, numbers, strict=True)]
    text = program("\n".join(lines), "\n".join(inputs))
    return asked(text, element or names[-1]).data, text


def hold(
    answer: Any,
    numbers: list[float],
    right: float,
    again: Callable[..., Any],
    text: str,
) -> None:
    """Hold the numbers that were given, and are told, to what NumPy makes of them.

    Each does it alone; and where all are told, without them the result is another one.
    """
    is_bad = np.isnan if np.isnan(right) else np.isinf
    others = answer["others"] or {"places": [], "all": True}
    end = answer
    while end["behind"] is not None and end["cause"] == "NaN slope":
        end = end["behind"]
    at = end["at"] if "at" in end else end["hops"][-1]["element"]
    told = [(at, end["cause"])]
    told += [(one["element"], one["cause"]) for one in others["places"]]
    for element, cause in told[1:]:
        if cause == "given":
            tried = [
                1.0 if is_bad(number) and name != element else number
                for name, number in zip(GIVEN, numbers, strict=True)
            ]
            assert is_bad(again(tried)), (text, element)
    if np.isnan(right) and others["all"] and all(c == "given" for _, c in told):
        names = {element for element, _ in told}
        tried = [
            1.0 if name in names else number
            for name, number in zip(GIVEN, numbers, strict=True)
        ]
        # Of several that make it together, and none alone, one is told.
        assert not np.isnan(again(tried)) or answer["others"] is None, text


@settings(max_examples=400, deadline=None)
@given(drawn(sorted(FORWARD)))
def test_what_makes_a_value_does_so_alone(case: tuple[Steps, list[float]]) -> None:
    steps, numbers = case
    right = forward(steps, numbers)[-1]
    if not np.isfinite(right):
        answer, text = told_of(steps, numbers, "")
        hold(answer, numbers, right, lambda tried: forward(steps, tried)[-1], text)


@settings(max_examples=400, deadline=None)
@given(drawn(sorted(STEPS)))
def test_what_makes_a_gradient_does_so_alone(case: tuple[Steps, list[float]]) -> None:
    steps, numbers = case
    for place, right in enumerate(back(steps, numbers)):
        if right is not None and not np.isfinite(right):
            answer, text = told_of(steps, numbers, f"{GIVEN[place]}.grad")
            assert np.isnan(answer["hops"][0]["number"]) == np.isnan(right), text

            def again(tried: list[float], place: int = place) -> Any:
                return back(steps, tried)[place]

            hold(answer, numbers, right, again, text)

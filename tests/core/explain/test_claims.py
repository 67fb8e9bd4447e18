"""What `explain` names: each name is typed again, and gives the number beside it."""

import re
from typing import Any

import numpy as np
import pytest

from gradstep import Debugger, parse

_TERM = re.compile(r"^\s+\S+ = (?P<numbers>\S+(?: × \S+)+)   (?P<names>\S.*?)(   .*)?$")
_ONE = re.compile(r"^\s+(?P<numbers>-?[\d.e-]+)   (?P<names>\S.*?)(   .*)?$")

_CODE = re.compile(r"(?<=\]) \(.*\)$")  # of a made-up name, behind it

# Names of a call that are others outside of it; indices of one factor alone; code that
# is written without blanks.
PROGRAMS = {
    "a call": """
def f(x):
    return (x * 2) * (x + 1)
v = f(x + 3)
E = sum(v * v)
""",
    "a recipe": "h = layer_norm(x)\nE = sum(h * x)",
    "an own index": "E = einsum('ij,kj->', x, W)",
    "another own index": "E = sum(einsum('ij,k->ik', x, W[0]) ** 2)",
    "a diagonal": "E = einsum('ii,ij->', x, W)",
    "no blanks": "E = sum(x*W) + sum((x-W)**2) + sum(-x)",
    "products": "E = sum((x @ W.T) @ W) + sum(x.T@x)",
}
TEXT = """
gradstep = 1
program = '''{}'''
[inputs]
x = [[1.5, 2.5, -1.0], [0.5, 3.0, 4.0], [2.0, -3.5, 0.25]]
[parameters]
W = [[0.5, -1.5, 2.0], [7.0, 1.25, -0.75], [3.5, -2.0, 9.0]]
"""


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_each_name_in_an_explanation_gives_its_number(program: str) -> None:
    bug = Debugger(parse(TEXT.format(program)))
    bug.goto("end")
    told = 0
    for node in bug.graph.nodes:
        for name in (node.name, f"{node.name}.grad"):
            reply = bug.execute(f"explain {name}")
            for line in reply.text[1:] if reply.ok else ():
                found = _TERM.match(line) or _ONE.match(line)
                if found is None:
                    continue
                numbers = found["numbers"].split(" × ")
                names = found["names"].split(" · ")
                for number, text in zip(numbers, names, strict=True):
                    if not text.startswith("∂"):
                        one = _CODE.sub("", text)
                        value = float(bug.print(one).data)
                        assert float(number.strip("()")) == pytest.approx(
                            value, 1e-5
                        ), line
                        told += 1
    assert told > 5


def test_a_gradient_that_is_not_the_sum_of_its_paths_is_told() -> None:
    text = "gradstep = 1\nprogram = 'E = sum(where(x > 0, log(x), 0))'\n"
    bug = Debugger(parse(f"{text}inputs = {{ x = [0.0, 2.0] }}"))
    bug.goto("end")
    told = bug.paths("x[0]").text[-1]
    assert told.startswith("nan = x.grad[0]: beside the paths a slope of 0 meets")
    assert not any("beside" in line for line in bug.paths("x[1]").text)


def test_a_nan_is_among_its_terms_where_it_meets_a_slope_of_0() -> None:
    text = "gradstep = 1\nprogram = '''\nL = cross_entropy(x, 0)\nE = L * w\n'''\n"
    bug = Debugger(parse(f"{text}inputs = {{ x = [800.0, 0.0], w = nan }}"))
    bug.goto("end")
    data = bug.explain("x.grad[1]").data
    assert np.isnan(data["sum"])
    assert [(t["local"], np.isnan(t["product"])) for t in data["terms"]] == [(0, True)]


def test_a_sum_is_a_factor_in_brackets() -> None:
    """By hand: u · (0 − w) is −2 u, and u · 0 − w is not."""
    program = "'''\na = (0 - w) * x\nb = exp(a)\nE = (a + b) * b\n'''"
    text = f"gradstep = 1\nprogram = {program}\ninputs = {{ x = 0.0, w = 2.0 }}"
    bug = Debugger(parse(text))
    bug.goto("end")
    assert bug.explain("x.grad").text[-1].endswith("a.grad · (0 - w)")
    assert any(line.endswith("E.grad · (a + b)") for line in bug.explain("b.grad").text)


def opened(program: str, asked: str, **leaves: object) -> list[str]:
    given = ", ".join(f"{name} = {value}" for name, value in leaves.items())
    bug = Debugger(
        parse(f"gradstep = 1\nprogram = '{program}'\ninputs = {{ {given} }}")
    )
    bug.goto("end")
    return list(bug.execute(asked).text)


def test_a_product_depends_on_no_number_that_comes_later() -> None:
    """Of c = (2, 0, 0), the first does not depend on the third of x, however small."""
    told = opened("E = sum(cumprod(x))", "why x.grad[2]", x=[2.0, 0.0, 3.0])
    assert "cumprod(x)[0]" not in "\n".join(told)
    assert "the slope of cumprod: a factor of it is 0" in "\n".join(told)
    assert not any("too small" in line for line in told)


def test_a_window_on_the_padding_has_no_factor() -> None:
    """A 0 of the input is a factor of 0; beside the input there is none at all."""
    x, w = [[[[0.0, 1.0], [1.0, 1.0]]]], [[[[1.0] * 3] * 3]]
    for at, told in (
        ("0, 0", "the window is on the padding there"),
        ("1, 1", "a factor of it is 0"),
    ):
        program = "E = conv2d(x, w, padding=1)[0, 0, 0, 0]"
        said = opened(program, f"why w.grad[0, 0, {at}]", x=x, w=w)
        assert f"the slope of conv2d: {told}" in "\n".join(said)


def test_a_number_of_the_program_comes_from_nowhere() -> None:
    told = "\n".join(opened("E = x + -inf", "why E", x=1.0))
    assert "-inf stands in the program" in told
    assert "from -inf" not in told


@pytest.mark.filterwarnings("error")
def test_a_loss_is_computed_from_numbers_that_do_not_move_it_as_well() -> None:
    """The first is certain and right: its slope is 0 by convention."""
    program = "E = binary_cross_entropy(p, y)"
    told = opened(program, "explain E", p=[1.0, 0.5], y=[1.0, 0.0])
    assert [line.split()[1] for line in told[-4:]] == ["p[0]", "p[1]", "y[0]", "y[1]"]


# What is asked, and the terms of it: those of the running product are ∏ of the others.
TERMS: list[tuple[str, str, str, dict[str, Any], Any]] = [
    *[
        ("float64", "E = sum(cumprod(x))", asked, {"x": [np.inf, 0.0, 2.0]}, terms)
        for asked, terms in (
            ("x.grad[0]", [(1, 1), (1, 0), (1, 0)]),
            ("x.grad[1]", [(1, np.inf), (1, np.inf)]),
            ("x.grad[2]", [(1, np.nan)]),
        )
    ],
    (
        "float64",
        "E = cumprod(x)[2]",
        "x.grad[1]",
        {"x": [0.0, 5, np.inf]},
        [(0, 0), (1, np.nan)],
    ),
    # (x − mean) / (3 std), by hand: 1e308 / (3 · √½ · 1e308).
    (
        *("float64", "E = std(x)", "x.grad[0]", {"x": [1.5e308, 0.0, 0.0]}),
        [(1, np.sqrt(2) / 3)],
    ),
    # 3e38 · 1e-20 · 1e-40, of which the last two are below the least of float32.
    (
        *("float32", "E = prod(x)", "x.grad[0]", {"x": [1.0, 3e38, 1e-20, 1e-40]}),
        [(1, 3e-22)],
    ),
    *[
        # Beside the diagonal an element of b is in no product.
        ("float64", "E = einsum('ij,jj->i', a, b)[0] * n", asked, given, terms)
        for given in [{"a": [[0.0, np.inf]], "b": [[1.0, 2], [3, 4]], "n": np.nan}]
        for asked, terms in (
            ("b.grad[0, 0]", [(np.nan, 0)]),
            ("b.grad[1, 1]", [(np.nan, np.inf)]),
            ("b.grad[0, 1]", []),
        )
    ],
]


@pytest.mark.parametrize(("dtype", "program", "asked", "leaves", "terms"), TERMS)
def test_the_terms_are_those_of_the_formula(
    dtype: str,
    program: str,
    asked: str,
    leaves: dict[str, Any],
    terms: Any,
) -> None:
    given = ", ".join(f"{name} = {value}" for name, value in leaves.items())
    text = f'gradstep = 1\ndtype = "{dtype}"\nprogram = """\n{program}\n"""\n'
    bug = Debugger(parse(f"{text}inputs = {{ {given} }}"))
    bug.goto("end")
    told = bug.explain(asked).data["terms"]
    found = np.array([(float(one["upstream"]), float(one["local"])) for one in told])
    np.testing.assert_allclose(
        np.sort(found.reshape(-1, 2), 0), np.sort(np.reshape(terms, (-1, 2)), 0), 1e-3
    )


def test_a_number_of_the_program_is_behind_a_masked_row() -> None:
    """It is its own name, and nobody gave it."""
    told = "\n".join(opened("E = sum(softmax(x + -inf))", "why E", x=[1.0, 2.0]))
    assert "-inf stands in the program" in told
    assert "from -inf" not in told
    assert "given" not in told

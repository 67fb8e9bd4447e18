"""The derivation in LaTeX: right, plain ASCII, and a document that compiles."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gradstep.core.base.errors import CommandError, LimitError
from gradstep.core.engine.trace import Trace
from gradstep.core.export.latex import (
    latex,
    math_latex,
    name_latex,
    number_latex,
    text_latex,
)
from gradstep.core.ops import OPS
from gradstep.core.scenario.scenario import (
    Scenario,
    builtin_names,
    load,
    parse,
)

EVIL = r"\input{/etc/passwd} $x$ %& {_^~#} \end{document} ∂ é 变"


def trace_of(scenario: Scenario) -> Trace:
    return Trace(scenario.subject.run())


def derived(scenario: Scenario, name: str, *index: int, fragment: bool = True) -> str:
    node = scenario.subject.graph.node(name).index
    return latex(
        scenario.subject, trace_of(scenario), node, index or None, fragment=fragment
    )


def is_sound(text: str) -> bool:
    """Tell whether braces pair up, and LaTeX's own signs stand where they may."""
    depth = 0
    for sign in re.findall(r"(?<!\\)(?:\\\\)*([{}])", text):
        depth += 1 if sign == "{" else -1
        if depth < 0:
            return False
    unescaped = re.search(r"(?<!\\)[#%$~]|(?<![\\\w}\])])\^|\^\^", text)
    return not depth and text.isascii() and unescaped is None


def compiled(text: str, folder: Path) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("pdflatex is not installed")
    (folder / "a.tex").write_text(text, "ascii")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    wrong = [line for line in done.stdout.splitlines() if line.startswith("!")]
    assert (done.returncode, wrong) == (0, [])


def test_the_chain_rule_of_three_layers() -> None:
    text = derived(load("three_layer"), "W2")
    assert (
        r"\frac{\partial E}{\partial x_{2}.z} = \underset{3 \times 1}{\delta_{2}} &= "
        r"{\frac{\partial E}{\partial x_{2}}} \circ {x_{2}} \circ (1 - {x_{2}})"
    ) in text
    assert (
        r"\underset{3 \times 5}{\frac{\partial E}{\partial W_{2}}} &= "
        r"{\underset{3 \times 1}{\delta_{2}}} "
        r"{\underset{5 \times 1}{x_{1}}}^{\top}"
    ) in text
    # Nothing of what W2 does not reach, and nothing that does not reach the output.
    assert "W_{1}" not in text
    assert text.index(r"\delta_{3}") < text.index(r"\delta_{2}")


def test_uses_of_a_node_are_added_and_broadcast_axes_summed() -> None:
    scenario = parse(
        "gradstep = 1\nprogram = '''\nh = x * b\nE = sum(h * h)\n'''\n"
        "[inputs]\nx = [[1.0, 2.0], [3.0, 4.0]]\nb = [0.5, 0.25]\n"
    )
    text = derived(scenario, "b")
    part = r"{\frac{\partial E}{\partial {E}_{[1]}}} \circ {h}"
    assert f"&= {part} + {part}" in text
    assert r"\sum_{\text{axis 0}} \left( {\frac{\partial E}{\partial h}}" in text


def test_a_gradient_is_the_derivative_that_the_scenario_calls_it() -> None:
    text = derived(load("matmul"), "W", 0, 1)
    seed = r"\frac{\partial L}{\partial Y}} &= \begin{pmatrix} 10 & 1 \end{pmatrix}"
    assert seed in text
    assert r"\frac{\partial L}{\partial W}} &= " in text
    assert r"\frac{\partial L}{\partial W[0, 1]} &= " in text
    assert r"\partial Y}{" not in text  # nothing is a derivative of Y
    assert r"\frac{\partial y}{\partial x} = y'(3) &= " in derived(
        load("derivative"), "x"
    )


@pytest.mark.parametrize("name", builtin_names())
def test_no_name_of_a_scenario_is_spelled_by_its_numbers(name: str) -> None:
    scenario = load(name)
    for called in scenario.subject.names:
        assert not re.search(r"u[\da-f]{4}", name_latex(called)), called


def test_a_sum_says_over_what() -> None:
    scenario = parse(
        "gradstep = 1\nprogram = '''\nr = sum(x, axis=1)\nE = sum(r * r)\n'''\n"
        "inputs.x = [[1.0, 2.0]]"
    )
    text = derived(scenario, "x")
    assert r"{\sum_{\text{axis 1}}} {x}" in text
    assert r"{\sum_{\text{all elements}}} {{E}_{[1]}}" in text
    assert r"\sum {" not in text


def test_one_element_in_numbers() -> None:
    scenario = load("matmul")
    trace = trace_of(scenario)
    node = next(n for n in scenario.subject.graph if n.kind in {"input", "parameter"})
    index = (0,) * len(node.shape)
    text = latex(scenario.subject, trace, node.index, index, fragment=True)
    gradient = trace.run.gradient(node.index)
    assert gradient is not None
    assert f"&= {number_latex(float(gradient[index]))}\n" in text


@pytest.mark.parametrize("name", builtin_names())
def test_every_gradient_can_be_derived(name: str) -> None:
    scenario = load(name)
    trace = trace_of(scenario)
    for node in scenario.subject.graph:
        if trace.run.gradients[node.index] is not None:
            index = (0,) * len(node.shape)
            text = latex(scenario.subject, trace, node.index, index)
            assert is_sound(text), text


def every_formula() -> list[str]:
    texts: list[str] = []
    for op in OPS.values():
        templates = [op.symbol]
        templates += [t for f in op.forms if f for t in (f.local, f.product)]
        texts += [math_latex(re.sub(r"\{\w+\}", "\ue000", t), ["x"]) for t in templates]
    return texts


def test_every_formula_of_the_table_is_translated() -> None:
    for text in every_formula():
        assert is_sound(text), text
        assert not re.search(r"(?<![\da-f])u[0-9a-f]{4}", text), text


def test_documents_compile(tmp_path: Path) -> None:
    names = ["h._1", "h._1._2", "a_b", "_x_", "loss12", "变量", "ñ", "x1.z", "δ3"]
    scenario = parse(
        f"gradstep = 1\ntitle = '''{EVIL}'''\nprogram = 'y = x'\ninputs.x=1"
    )
    document = derived(scenario, "x", fragment=False)
    parts = [
        derived(load(one), n.name, *(0,) * len(n.shape))
        for one in builtin_names()
        for n in load(one).subject.graph
        if n.kind in {"input", "parameter"}
        and trace_of(load(one)).run.gradients[n.index] is not None
        and one != "two_layer_net"
    ]
    parts += [f"\\[{text}^{{2}}\\]" for text in (*map(name_latex, names),)]
    parts += [f"\\[{text}\\]" for text in every_formula()]
    parts += [text_latex(EVIL)]
    body = "\n\n".join(parts) + "\n\\end{document}"
    compiled(document.replace("\\end{document}\n", body), tmp_path)


def test_text_of_others_is_text() -> None:
    assert is_sound(text_latex(EVIL))
    assert "\\input" not in text_latex(EVIL)
    assert text_latex("é ü ∂") == "\\'{e} \\\"{u} \\ensuremath{\\partial }"


@pytest.mark.parametrize(
    ("value", "text"),
    [(np.nan, "\\text{nan}"), (-np.inf, "-\\infty"), (1e300, "1 \\cdot 10^{300}")],
)
def test_numbers(value: float, text: str) -> None:
    assert number_latex(value) == text


def test_where_no_gradient_flows_there_is_nothing_to_derive() -> None:
    with pytest.raises(CommandError, match="no gradient flows to t"):
        derived(load("three_layer"), "t")


def test_a_long_way_is_refused() -> None:
    lines = "\n".join(f"x{k + 1} = sin(x{k})" for k in range(500))
    scenario = parse(f"gradstep = 1\nprogram = '''\n{lines}\n'''\n[inputs]\nx0 = 1.0")
    with pytest.raises(LimitError, match="501 nodes lie between x0"):
        derived(scenario, "x0")
    assert derived(scenario, "x300")


@pytest.mark.parametrize("name", OPS)
def test_functions_of_formulas_are_no_plain_words(name: str) -> None:
    op = OPS[name]
    templates = [op.symbol, *(form.product for form in op.forms if form)]
    for text in (re.sub(r"\{\w+\}", "x", template) for template in templates):
        written = math_latex(text)
        for function in re.findall(r"\b([A-Za-z_]\w+)\(", text):
            spelled = function.replace("_", r"\_")
            assert (
                f"\\operatorname{{{spelled}}}(" in written
                or f"\\{function} (" in written
            )
        assert not re.search(r"\\text\{[^}]*\} ?\(x", written)


def test_an_element_has_its_indices_from_one_as_in_books() -> None:
    scenario = load("three_layer")
    node = scenario.subject.graph.node("W1").index
    text = latex(scenario.subject, trace_of(scenario), node, (1, 2), first=1)
    assert r"\frac{\partial E}{\partial {W_{1}}_{23}} &=" in text
    assert r"{x_{1}.z}_{21}" in text
    assert "[1, 2]" not in text


def test_a_part_of_an_array_has_them_as_well() -> None:
    scenario = parse(
        "gradstep = 1\nprogram = 'y = sum(x[1:3])'\n[inputs]\nx = [1.0, 2, 3]"
    )
    node = scenario.subject.graph.node("x").index
    trace = trace_of(scenario)
    assert r"{x}_{2\ldots 3}" in latex(scenario.subject, trace, node, first=1)
    assert "{x}[1 : 3]".replace(" ", "") in latex(scenario.subject, trace, node)

"""The program that is exported computes what the run holds, by itself."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from gradstep.core.base.errors import CommandError, LimitError
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.export.numpy_code import numpy_code
from gradstep.core.program.build import Program
from gradstep.core.scenario.scenario import (
    Scenario,
    builtin_names,
    load,
    parse,
)
from runs import programs


def run_of(scenario: Scenario) -> Run:
    return scenario.subject.run()


def printed(code: str) -> dict[str, np.ndarray]:
    """Run a program in an interpreter of its own, and read what it prints."""
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-"],
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, list[float]] = {}
    name = ""
    for line in done.stdout.splitlines():
        if " = " in line:
            name, line = line.split(" = ")  # noqa: PLW2901  # what is left of it
        numbers = line.replace("[", " ").replace("]", " ").split()
        found.setdefault(name, []).extend(map(float, numbers))
    return {name: np.array(numbers) for name, numbers in found.items()}


def agrees(code: str, run: Run) -> None:
    found = printed(code)
    output = run.graph.nodes[run.graph.output]
    expected = {output.name: run.value(output.index)}
    for node in run.graph:
        gradient = run.gradient(node.index)
        if gradient is not None and not node.is_literal:
            expected[f"{node.name}.grad"] = gradient
    assert list(found) == list(expected)
    floats = [run.value(n.index).dtype for n in run.graph if run.flows[n.index]]
    eps = max(float(np.finfo(dtype).eps) for dtype in floats)
    for name, array in expected.items():
        size = np.max(np.abs(array), initial=0, where=np.isfinite(array))
        flat = array.ravel().astype(float)
        np.testing.assert_allclose(
            found[name], flat, 32 * eps, eps * size, err_msg=name
        )


@pytest.mark.parametrize("name", builtin_names())
def test_the_program_prints_the_numbers_of_the_run(name: str) -> None:
    scenario = load(name)
    run = run_of(scenario)
    code = numpy_code(scenario.subject, run)
    agrees(code, run)
    assert max(map(len, code.splitlines())) < 400


HEAD = 'gradstep = 1\ntitle = "a\\\\n title"\n'


def scenario_of(program: str, rest: str, head: str = "") -> Scenario:
    return parse(f"{HEAD}{head}\nprogram = '''\n{program}\n'''\n{rest}")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_broadcast_operands_are_summed_and_uses_are_added(dtype: str) -> None:
    scenario = scenario_of(
        "h = a * b + c - d\nE = sum(h * h / (1 + b * b), axis=0) @ w",
        """[inputs]
a = [[[1, 2, 3]], [[0.5, -1, 2]]]
b = [[0.5], [0.25]]
c = 3
d = [[1, 2, 3], [4, 5, 6]]
[parameters]
w = [1, -1, 0.5]
[seed]
E = [0.5, 2]
""",
        f'dtype = "{dtype}"',
    )
    agrees(numpy_code(scenario.subject, run_of(scenario)), run_of(scenario))


def test_names_that_python_or_the_program_has_are_changed() -> None:
    scenario = scenario_of(
        "def f(x):\n    y = x * 2\n    return y * -3.5\n"
        "x_grad = f(x)\nf_y = f(x_grad)\nprint = f_y * np\nE = sum(print * f_y)",
        "[inputs]\nx = [1.0, nan]\nnp = [2, -inf]",
    )
    code = numpy_code(scenario.subject, run_of(scenario))
    agrees(code, run_of(scenario))
    assert "from math import inf, nan" in code


@pytest.mark.parametrize(
    "line",
    [
        "E = sum(gelu(x))",
        'E = sum(gelu(x, approximate="tanh"))',
        "E = sum(erf(x)[[0, 1, 1], 1:])",
        "E = sum(x[i] * x[i, ::-1])",
        "E = sum(split(x, 3, axis=1)[2] * stack([x[:, 0], x[:, 1]])[1])",
        "E = sum(concatenate([x, x * 2], axis=1) ** 2)",
        "E = sum(where(x > 0, log(x), x)) + max(x) * prod(x[0])",
        'E = einsum("ij,kj->", x, x) + sum(std(x, axis=0))',
        "E = sum(dropout(x, 0.25, seed=3) * pad(x, 1)[1:-1, 1:-1])",
        "E = sum(layer_norm(x, 3)) + logsumexp(cumsum(x, axis=1))",
        "E = mean(clip(x, min=0) * leaky_relu(x)) * stop_gradient(sum(x))",
        "E = sum(x * zeros((2, 3)) + ones((20, 2, 3)))",
        "E = sum(put(x[0, 0], x[1:, 1:2]) * x)",  # more axes than the place has
        "E = sum(put(x[x > 0], expand_dims(x[0, 0], (0, 1))) * x)",
        "E = sum(put(x[0], expand_dims(x[1], (0, 1))) * x)",
    ],
)
def test_code_of_operations(line: str) -> None:
    scenario = scenario_of(
        line,
        "[inputs]\nx = [[0.5, -1.5, 2], [-3, 0.25, 1]]\n[constants]\ni = [1, 0, 1]",
    )
    agrees(numpy_code(scenario.subject, run_of(scenario)), run_of(scenario))


@settings(max_examples=12)
@given(programs())
def test_code_of_any_program(program: Program) -> None:
    run = evaluate(program.graph, program.leaves)
    agrees(numpy_code(load("derivative").subject, run), run)


RANDOM = """[inputs]
a = { random = "uniform", shape = [40, 30], seed = 1, low = -1, high = 2 }
b = { random = "normal", shape = [40, 30], seed = 2, loc = 0.5, scale = 3 }
c = { random = "glorot", shape = [40, 30], seed = 3 }
d = { random = "he", shape = [40, 30], seed = 4 }
[constants]
e = { random = "integers", shape = [40, 30], seed = 5, high = 7 }
f = { random = "choice", shape = [40, 30], seed = 6, of = [-1, 0.5] }
g = { ones = [40, 30] }
"""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("convention", ["rows", "columns"])
def test_large_random_arrays_are_written_as_their_recipe(
    dtype: str, convention: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.toml"
    head = f'dtype = "{dtype}"\nconvention = "{convention}"'
    program = "E = sum(a * b + c * d * e * f + g)"
    path.write_text(f"{HEAD}{head}\nprogram = '{program}'\n{RANDOM}", "utf-8")
    scenario = load(path)
    code = numpy_code(scenario.subject, run_of(scenario))
    assert code.count("default_rng") == 6
    assert "np.full((40, 30), 1.0" in code
    agrees(code, run_of(scenario))
    # Other numbers in its place are written as they are.
    debugger = Debugger(scenario)
    assert debugger.execute("set a[0, 0] = 7").ok
    code = numpy_code(scenario.subject, debugger.trace.run)
    assert code.count("default_rng") == 5
    agrees(code, debugger.trace.run)


def test_an_array_that_is_too_large_to_be_written_is_refused() -> None:
    scenario = scenario_of("E = sum(x)", "[inputs]\nx = { arange = 30000 }")
    with pytest.raises(LimitError, match=r"x has 30,000 numbers.*random"):
        numpy_code(scenario.subject, run_of(scenario))


def test_values_that_were_set_and_edges_that_were_cut_are_in_the_program() -> None:
    scenario = load("apple_orange")
    debugger = Debugger(scenario)
    for line in ("set a = 3", "set az = 5", "detach oz<-on"):
        assert debugger.execute(line).ok
    code = numpy_code(scenario.subject, debugger.trace.run)
    assert "az = np.float64(5.0)  # set by hand" in code
    assert "on_grad" not in code
    agrees(code, debugger.trace.run)


def test_each_line_of_the_program_stands_over_its_code() -> None:
    scenario = load("three_layer")
    code = numpy_code(scenario.subject, run_of(scenario))
    assert (
        """
# x1 = layer(W1, x0)
#   z = W @ x
x1_z = W1 @ x0
#   return sigmoid(z)
x1 = 1 / (1 + np.exp(-x1_z))
# x2 = layer(W2, x1)
#   z = W @ x
"""
        in code
    )


def test_a_patched_rule_is_refused() -> None:
    scenario = load("three_layer")
    debugger = Debugger(scenario)
    assert debugger.execute("set x2.grad = 0").ok
    with pytest.raises(CommandError, match="patched"):
        numpy_code(scenario.subject, debugger.trace.run)


def test_a_later_iteration_has_its_own_parameters() -> None:
    scenario = load("xor")
    debugger = Debugger(scenario)
    assert debugger.execute("train 5").ok
    agrees(numpy_code(scenario.subject, debugger.trace.run), debugger.trace.run)

"""The built-in scenarios, and the examples of docs/scenarios.md."""

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradstep import scenarios
from gradstep.core.check.check import check
from gradstep.core.engine.run import Run
from gradstep.core.ops.table import Array
from gradstep.core.scenario.scenario import Scenario, load

FILES = {path.stem: path for path in Path(scenarios.__path__[0]).glob("*.toml")}
DOCUMENT = Path(__file__).parents[1] / "docs" / "scenarios.md"
EXAMPLES = re.findall(r"(?ms)^```toml\n(.*?)^```", DOCUMENT.read_text("utf-8"))
GROUPS = {
    "first steps": {"apple_orange", "derivative", "scalar_product"},
    "matrices": {"matmul", "matmul_columns", "last_layer", "hidden_layer"},
    "networks": {
        "attention",
        "conv",
        "cross_entropy",
        "three_layer",
        "three_layer_batch",
        "two_layer_net",
        "xor",
    },
    "trouble": {
        "broadcast_bias",
        "dead_relu",
        "exploding",
        "nan_where",
        "shared_node",
        "vanishing",
    },
}
each = pytest.mark.parametrize("name", sorted(FILES))


def tables(name: str) -> dict[str, Any]:
    return tomllib.loads(FILES[name].read_text("utf-8"))


def run(scenario: Scenario) -> Run:
    return scenario.subject.run()


def quantity(result: Run, name: str) -> Array:
    """Return the value or, as `NODE.grad`, the gradient of a node."""
    node = result.graph.node(name.removesuffix(".grad")).index
    found = result.gradient(node) if name.endswith(".grad") else result.value(node)
    assert found is not None, f"no gradient flows: {name}"
    return found


def mistakes(scenario: Scenario, factor: float = 1) -> list[str]:
    """Return the promises that do not hold once they are multiplied by `factor`."""
    result = run(scenario)
    found: list[str] = []
    for promise in scenario.expect:
        got, want = quantity(result, promise.name), promise.value * factor
        close = np.isclose(got, want, promise.rtol, promise.atol, equal_nan=True)
        if got.shape != want.shape or not close.all():
            found.append(f"{promise.name}: {got!r} is not {want!r}")
    return found


def test_the_scenarios_are_those_of_the_list() -> None:
    assert set(FILES) == set().union(*GROUPS.values())


@each
def test_a_scenario_says_what_it_is(name: str) -> None:
    table = tables(name)
    assert 0 < len(table["title"]) <= 40
    assert table["summary"].endswith((".", "?"))
    assert name in GROUPS[table["group"]]
    assert table["convention"] in {"rows", "columns"}
    assert len(table["notes"]) >= 2
    assert all(note.endswith(".") for note in table["notes"].values())
    assert len(table["expect"]) >= 3


@each
def test_a_note_belongs_to_a_node_that_has_such_a_step(name: str) -> None:
    result = run(load(name))
    for place in load(name).subject.notes:
        node = result.graph.nodes[place.node]
        if place.when == "forward":
            assert node.op is not None, node.name
        if place.when == "backward":
            assert result.gradient(node.index) is not None, node.name


@each
def test_the_expected_numbers_come_out(name: str) -> None:
    assert mistakes(load(name)) == []


@each
def test_a_number_that_is_wrong_by_a_thousandth_is_noticed(name: str) -> None:
    scenario = load(name)
    moved = [
        promise for promise in scenario.expect if np.nan_to_num(promise.value).any()
    ]
    assert len(moved) >= 3
    assert len(mistakes(scenario, factor=1.001)) == len(moved)


@each
def test_a_gradient_reaches_every_input_and_parameter(name: str) -> None:
    result = run(load(name))
    for node in result.graph:
        if node.kind in {"input", "parameter"}:
            assert result.gradient(node.index) is not None, node.name


def test_apple_orange_is_the_playback_of_the_design() -> None:
    scenario = load("apple_orange")
    lines = scenario.subject.graph.sources["program"].text.splitlines()
    assert lines[1].startswith("oz = o * on")
    operations = [node.name for node in scenario.subject.graph if node.op is not None]
    assert operations == ["az", "oz", "z", "y"]


def test_derivative_gives_the_forward_difference_of_the_lesson() -> None:
    scenario = load("derivative")
    report = check(run(scenario), scheme="forward", step=1e-7)
    x = scenario.subject.graph.node("x").index
    (found,) = [one for one in report.gradients if one.node == x]
    assert found.analytic == 3
    assert f"{found.numeric:.14f}" == "3.00000000444089"


@each
def test_differences_agree_and_no_number_stands_at_a_kink(name: str) -> None:
    report = check(run(load(name)), sample=10)
    found = [*report.contributions, *report.accumulations, *report.gradients]
    verdicts = {one.verdict for one in found} - {"skipped"}
    # log(0) has no slope, and that is what `nan_where` is about.
    expected = {"ok", "nonfinite", "kink"} if name == "nan_where" else {"ok"}
    assert verdicts == expected


@pytest.mark.parametrize("name", ["matmul", "matmul_columns"])
def test_sums_and_matrix_formulas_agree_with_backpropagation(name: str) -> None:
    result = run(load(name))
    for leaf in ("X" if name == "matmul" else "x", "W"):
        gradient = quantity(result, f"{leaf}.grad")
        assert np.array_equal(gradient, quantity(result, f"sum_{leaf}"))
        assert np.array_equal(gradient, quantity(result, f"rule_{leaf}"))


def test_the_first_column_of_the_batch_is_the_single_sample() -> None:
    one, batch = run(load("three_layer")), run(load("three_layer_batch"))
    for key in ("x0", "x1", "x2", "x3", "x1.z.grad", "x2.z.grad", "x3.z.grad"):
        column = quantity(batch, key)[:, :1]
        np.testing.assert_allclose(column, quantity(one, key), rtol=1e-12)


def test_xor_learns_with_its_settings() -> None:
    # Gradient descent written by hand, so that only the settings are the scenario's.
    table = tables("xor")
    training = table["training"]
    assert training["optimizer"] == "sgd"
    x, t = np.array(table["inputs"]["X"], float), np.array(table["constants"]["T"])
    w1, b1, w2, b2 = (
        np.array(table["parameters"][key], float) for key in ("W1", "b1", "W2", "b2")
    )
    loss = np.inf
    for _ in range(training["iterations"]):
        h = np.tanh(x @ w1 + b1)
        a = 1 / (1 + np.exp(-(h @ w2 + b2)))
        loss = np.mean((a - t) ** 2)
        delta2 = 2 * (a - t) / 4 * a * (1 - a)
        delta1 = delta2 @ w2.T * (1 - h**2)
        steps = (x.T @ delta1, delta1.sum(axis=0), h.T @ delta2, delta2.sum(axis=0))
        for array, step in zip((w1, b1, w2, b2), steps, strict=True):
            np.subtract(array, training["learning_rate"] * step, out=array)
    assert loss < 0.005


def test_each_part_of_the_format_has_an_example() -> None:
    keys = set().union(*(tomllib.loads(text) for text in EXAMPLES))
    assert keys == {
        *("gradstep", "title", "summary", "group", "order", "convention", "output"),
        *("dtype", "program", "inputs", "parameters", "constants", "seed", "names"),
        *("training", "notes", "expect", "own"),
        *("questions", "hidden"),
    }


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_of_the_documentation_works(text: str, tmp_path: Path) -> None:
    path = tmp_path / "example.toml"
    path.write_text(text, "utf-8")
    assert mistakes(load(path)) == []

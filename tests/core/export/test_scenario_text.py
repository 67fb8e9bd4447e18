"""A subject as a scenario has the same numbers, and is one that a person reads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import EXAMPLES, every_op, run_of_case
from gradstep.core.base.errors import CommandError, LimitError
from gradstep.core.capture.opaque import opaque
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.subject import Subject
from gradstep.core.export.scenario_text import scenario_text
from gradstep.core.ops import OPS
from gradstep.core.scenario.builtin import builtin_names
from gradstep.core.scenario.scenario import parse
from made_captures import ABOUT, captured, in_two_files


def as_code(subject: Subject) -> Subject:
    """Return a subject whose program is another language's: it has to be respelled."""
    graph = subject.graph
    sources = {"a.py" if n == "program" else n: s for n, s in graph.sources.items()}
    frames = tuple(
        one._replace(source="a.py") if one.source == "program" else one
        for one in graph.frames
    )
    graph = replace(graph, sources=sources, frames=frames, file="", locate=None)
    return subject._replace(graph=graph)


def again(subject: Subject, folder: Path) -> Subject:
    """Return the subject that its scenario describes."""
    made = scenario_text(subject, subject.run(), "a.npz")
    if made.arrays:
        np.savez(folder / "a.npz", **dict(made.arrays))  # pyright: ignore[reportArgumentType]
    path = folder / "a.toml"
    path.write_text(made.text, "utf-8")
    return parse(path.read_text("utf-8"), path=path).subject


@pytest.mark.parametrize("respelled", [False, True])
@pytest.mark.parametrize("name", builtin_names())
def test_a_scenario_has_the_same_values_and_gradients(
    name: str, respelled: bool, tmp_path: Path
) -> None:
    subject = captured(name).subject
    subject = as_code(subject) if respelled else subject
    found = again(subject, tmp_path)
    before, after = subject.run(), found.run()
    compared = 0
    for node in before.graph:
        plain = node.name.replace(".", "_") if respelled else node.name
        index = found.graph.names.get(plain)
        if index is None or node.is_unnamed or node.is_literal:
            continue
        np.testing.assert_array_equal(after.values[index], before.values[node.index])
        one, other = before.gradient(node.index), after.gradient(index)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            np.testing.assert_array_equal(one, other)
        compared += 1
    assert compared >= 3
    output = subject.graph.output
    np.testing.assert_array_equal(
        after.values[found.graph.output], before.values[output]
    )


def test_a_program_that_is_there_stays_as_it_is_written() -> None:
    subject = captured("three_layer").subject
    text = scenario_text(subject, subject.run()).text
    assert subject.graph.sources["program"].text.strip() in text


def test_other_code_becomes_lines_with_its_own_as_comments() -> None:
    subject = in_two_files().subject
    assert (
        scenario_text(subject, subject.run()).text
        == """\
gradstep = 1
title = ""
output = "loss"
program = '''
h = x @ net_0_weight    # train.py:2: h = x @ net[0].weight
h_2 = tanh(h)    # train.py:4: h = tanh(h)
h_3 = tanh(h_2)
loss = sum(h_3 ** 2)    # model.py:2: return (h ** 2).sum()
'''

[inputs]
x = [[0.5, -1.0, 2.0], [0.25, 0.75, -0.5]]

[parameters]
net_0_weight = [[0.5, -0.25], [1.0, 0.75], [-0.5, 0.125]]
"""
    )


@every_op
@given(data=st.data(), salt=st.integers(0, 2**32 - 1))
def test_each_operation_is_spelled_so_that_it_is_read_again(
    name: str, data: st.DataObject, salt: int
) -> None:
    case = data.draw(EXAMPLES[name].cases)
    if not any(OPS[name].vjps):
        return  # no gradient can enter at a result that is not differentiated
    if any(0 in np.shape(operand) for operand in case.operands):
        return  # a file has no arrays without elements
    run = run_of_case(name, case, salt)
    if 0 in np.shape(run.values[run.graph.output]):
        return
    subject = Subject("one", run.graph, run.leaves, run.seed)
    text = scenario_text(subject, run).text
    found = parse(text).subject
    after = found.run()
    np.testing.assert_array_equal(
        after.values[found.graph.output], run.values[run.graph.output]
    )
    for node in run.graph:
        if node.op is None:
            one = run.gradient(node.index)
            other = after.gradient(found.graph.names[node.name])
            if one is not None and other is not None:
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_each_dtype_comes_back(dtype: str, tmp_path: Path) -> None:
    build = Builder()
    names = ("x", "W", "mask", "index", "other")
    values = (
        np.array([[0.1, np.nan], [-0.0, np.inf]], dtype),
        np.array([1 / 3, 1e-7], dtype),
        np.array([True, False]),
        np.array([1, 0]),
        np.array([0.5, 0.25], "float64" if dtype == "float32" else "float32"),
    )
    kinds = ("input", "parameter", "constant", "constant", "constant")
    leaves = {
        build.leaf(n, k, v.shape): v
        for n, k, v in zip(names, kinds, values, strict=True)  # type: ignore[arg-type]
    }
    y = build.apply(OPS["multiply"], (0, 1), name="y")
    loss = build.apply(OPS["sum"], (y,), name="loss")
    found = again(Subject("d", build.finish(loss), leaves, dtype=dtype), tmp_path)
    for name, value in zip(names, values, strict=True):
        node = found.graph.names.get(name)
        assert node is not None
        np.testing.assert_array_equal(found.leaves[node], value)
        assert np.asarray(found.leaves[node]).dtype == value.dtype, name


def test_large_arrays_stand_beside_the_scenario(tmp_path: Path) -> None:
    build = Builder()
    x = build.leaf("x", "input", (200, 300))
    y = build.apply(OPS["sum"], (x,), name="y")
    value = np.random.default_rng(0).normal(size=(200, 300))
    subject = Subject("large", build.finish(y), {x: value})
    with pytest.raises(LimitError, match=r"60,000 numbers.*-o NAME\.toml writes them"):
        scenario_text(subject, subject.run())
    made = scenario_text(subject, subject.run(), "a.npz")
    assert 'x = { file = "a.npz", key = "x" }' in made.text
    np.testing.assert_array_equal(
        again(subject, tmp_path).run().values[1], np.sum(value)
    )


@pytest.mark.parametrize(
    "name", ["lambda_1.in", "sum", "inf", "é", "_3", "x._1", "x@2"]
)
def test_any_name_becomes_one_that_a_program_may_give(
    name: str, tmp_path: Path
) -> None:
    build = Builder()
    x = build.leaf(name, "input")
    other = build.leaf("x_2", "input")
    y = build.apply(OPS["multiply"], (x, other), name="y")
    subject = Subject("n", build.finish(y), {x: np.float64(3), other: np.float64(5)})
    assert float(np.asarray(again(subject, tmp_path).run().values[2])) == 15


def test_what_has_no_rule_is_an_input_with_its_recorded_value(tmp_path: Path) -> None:
    build = Builder()
    x = build.leaf("x", "input", (2,))
    y = build.apply(opaque("kernel", 1), (x,), name="y", shape=(2,))
    loss = build.apply(OPS["sum"], (y,), name="loss")
    known = {y: np.array([3.0, 4.0]), loss: np.float64(7)}
    subject = Subject(
        "k", build.finish(loss), {x: np.ones(2)}, known=known, title=ABOUT.command
    )
    found = again(subject, tmp_path)
    assert found.graph.nodes[found.graph.names["y"]].kind == "input"
    assert float(np.asarray(found.run().values[found.graph.output])) == 7


def test_a_split_is_one_line_for_all_of_its_parts(tmp_path: Path) -> None:
    text = """gradstep = 1
program = '''
a, b, c = split(x, 3)
y = sum(a * c) + sum(b)
'''
[inputs]
x = [1.0, 2.0, 3.0]
"""
    subject = as_code(parse(text).subject)
    made = scenario_text(subject, subject.run()).text
    assert "a, b, c = split(x, sections=3" in made
    found = again(subject, tmp_path)
    assert float(np.asarray(found.run().values[found.graph.output])) == 5


def test_a_patched_run_is_no_scenario() -> None:
    subject = captured().subject
    patched = subject.run().patched(Patches(values={0: np.zeros((2, 3))}))
    with pytest.raises(CommandError, match="this run is patched"):
        scenario_text(subject, patched)

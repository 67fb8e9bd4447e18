"""A capture that does not show what the code did is found before it is written."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradstep.core.base.errors import InputError
from gradstep.core.capture.capture import Capture
from gradstep.core.capture.rounding import precision
from gradstep.core.capture.selfcheck import difference, differences, hold
from gradstep.core.engine.graph import Builder, Nodes
from gradstep.core.ops import OPS
from gradstep.core.scenario.builtin import builtin_names
from made_captures import captured, in_two_files

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("name", builtin_names())
def test_what_was_recorded_right_holds(name: str) -> None:
    right = captured(name)
    found = differences(right.subject.graph, right.subject.leaves, right.values)
    assert list(found) == []
    hold(right)


def broken(capture: Capture, node: int, element: Any, by: float) -> Capture:
    value = np.array(capture.values[node], copy=True)
    value[element] += by
    return replace(capture, values={**capture.values, node: value[()]})


def test_the_first_wrong_value_is_named_with_its_line_and_both_numbers() -> None:
    capture = broken(in_two_files(), 3, (1, 0), 1e-9)
    with pytest.raises(InputError) as caught:
        hold(capture)
    told = str(caught.value)
    assert told.startswith("tanh at h@2 (train.py:4): h@2[1, 0] is 0.80930107 ")
    assert " by its operands; numpy 2.4.6 had 0.809301071" in told


def test_only_the_node_that_is_wrong_differs_not_what_follows() -> None:
    capture = broken(in_two_files(), 2, (0, 1), 0.5)
    graph, leaves = capture.subject.graph, capture.subject.leaves
    # h itself, and h@2, which was recorded from another h: h@3 fits its operand.
    found = list(differences(graph, leaves, capture.values))
    assert [(one.node, one.element) for one in found] == [(2, (0, 1)), (3, (0, 1))]


def test_a_wrong_wire_and_a_wrong_attribute_are_found() -> None:
    capture = captured()
    rows = list(capture.subject.graph.nodes.rows)
    wanted = next(row for row in rows if row[3] and row[3].name == "getitem")
    attributes = {"index": (slice(None), slice(1, 3))}
    rows[wanted[0]] = (*wanted[:5], attributes, *wanted[6:])
    graph = replace(capture.subject.graph, nodes=Nodes(tuple(rows)))
    changed = replace(capture, subject=capture.subject._replace(graph=graph))
    with pytest.raises(InputError, match=r"getitem at part \(line 5\): part\["):
        hold(changed)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("matmul", [(30, 400), (400, 20)]),
        ("sum", [(300, 400)]),
        ("mean", [(300, 400)]),
        ("softmax", [(30, 40)]),
        ("logsumexp", [(3000,)]),
        ("gelu", [(3000,)]),
        ("tanh", [(3000,)]),
        ("var", [(40, 300)]),
    ],
)
def test_rounding_is_no_difference_and_what_is_larger_is_one(
    name: str, shapes: list[tuple[int, ...]], dtype: Any
) -> None:
    if dtype is np.float16 and name in ("sum", "logsumexp", "matmul"):
        shapes = [(20, 20), (20, 20)][: len(shapes)]
    build = Builder()
    values = [RANDOM.normal(size=shape).astype(dtype) for shape in shapes]
    operands = tuple(
        build.leaf(f"x{k}", "input", v.shape) for k, v in enumerate(values)
    )
    node = build.apply(OPS[name], operands, name="y")
    row = build.nodes.rows[node]
    # Added up in another order, in wider numbers: what another library could give.
    exact = OPS[name].forward(*[value.astype(np.float64) for value in values])
    recorded = np.asarray(exact).astype(dtype)
    assert difference(row, recorded, values) is None
    off = np.array(recorded, copy=True)
    worst = np.unravel_index(int(np.argmax(np.abs(off))), off.shape)
    # A thousandth of what is added up, or a tenth where there are three digits.
    size = np.abs(OPS[name].forward(*map(np.abs, values))).max()
    off[worst] += size * (0.1 if dtype is np.float16 else 1e-3)
    found = difference(row, off, values)
    assert found is not None
    assert found.element == tuple(map(int, worst))


def test_a_cancelled_sum_may_differ_by_the_size_of_its_terms() -> None:
    build = Builder()
    x = build.leaf("x", "input", (3,))
    y = build.apply(OPS["sum"], (x,), name="y")
    row = build.nodes.rows[y]
    values = np.array([1e8, 1, -1e8], np.float32)
    assert difference(row, np.float32(0), [values]) is None  # 1 is lost in 1e8
    assert difference(row, np.float32(2500), [values]) is not None


def test_not_a_number_and_infinity_are_what_they_are() -> None:
    build = Builder()
    x = build.leaf("x", "input", (3,))
    row = build.nodes.rows[build.apply(OPS["log"], (x,), name="y")]
    values = np.array([-1.0, 0.0, 1.0])
    assert difference(row, np.array([np.nan, -np.inf, 0]), [values]) is None
    found = difference(row, np.array([np.nan, np.inf, 0]), [values])
    assert found is not None
    assert found.element == (1,)


def test_numbers_of_sixteen_bits_have_their_precision() -> None:
    x = RANDOM.normal(size=100).astype(np.float32)
    brain = (x.view(np.uint32) & 0xFFFF0000).view(np.float32)
    assert precision(brain, widened=True) == 2.0**-8
    half = x.astype(np.float16)
    assert precision(half.astype(np.float32), widened=True) == np.finfo(half.dtype).eps
    assert precision(x, widened=True) == np.finfo(np.float32).eps
    assert precision(x.astype(np.float64), x) == np.finfo(np.float32).eps
    assert precision(np.int64(3)) == 0

"""What is special to operations that move and pick: the shape of an index, masks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradstep.core.engine.graph import Builder
from gradstep.core.engine.run import evaluate
from gradstep.core.ops import OPS
from gradstep.core.ops.shape.indexing import DependsOnData, Slot, shape_of_index
from ops_examples_shape import indexing

if TYPE_CHECKING:
    from ops_examples import Case


@given(indexing(masks=True))
@settings(max_examples=200, deadline=None)
def test_shape_of_index_is_that_of_numpy(case: Case) -> None:
    x, *slots = case.operands
    known = [slot if slot.dtype == bool else slot.shape for slot in slots]
    index = case.attributes["index"]
    y = OPS["getitem"].forward(*case.operands, index=index)
    assert shape_of_index(x.shape, index, known) == np.shape(y)


@given(
    hnp.basic_indices((3, 1, 4, 2), allow_newaxis=True)
    | hnp.integer_array_indices((3, 1, 4, 2))
)
@settings(max_examples=200, deadline=None)
def test_shape_of_other_indices(index: Any) -> None:
    index = index if isinstance(index, tuple) else (index,)
    x = np.zeros((3, 1, 4, 2))
    arrays = [one for one in index if isinstance(one, np.ndarray)]
    slots = iter(range(len(arrays)))
    template = tuple(
        Slot(next(slots)) if isinstance(one, np.ndarray) else one for one in index
    )
    shapes = [one.shape for one in arrays]
    assert shape_of_index(x.shape, template, shapes) == x[index].shape


def test_shape_of_index_takes_no_memory() -> None:
    wide = (10**9, 10**9)
    assert shape_of_index(wide, (slice(None), None)) == (10**9, 1, 10**9)
    assert shape_of_index(wide, (Slot(0), Slot(1)), [(10**8, 1), (1, 10**8)]) == (
        10**8,
        10**8,
    )


def test_mask_of_several_axes() -> None:
    mask = np.array([[True, False], [False, True], [True, True]])
    index = (slice(None), Slot(0, mask=True), None)
    assert shape_of_index((5, 3, 2, 7), index, [mask]) == (5, 4, 1, 7)
    with pytest.raises(ValueError, match=re.escape("mask of shape (3, 2)")):
        shape_of_index((5, 3, 7), index, [mask])


@pytest.mark.parametrize("index", [([True, False, True],), (Slot(0, mask=True),)])
def test_mask_picks_and_scatters(index: tuple[Any, ...]) -> None:
    mask = np.array([True, False, True])
    build = Builder()
    x, m = build.leaf("x", "input", (3,)), build.leaf("m", "constant", (3,))
    operands = (x, m) if isinstance(index[0], Slot) else (x,)
    y = build.apply(OPS["getitem"], operands, {"index": index}, shape=(2,))
    values = {x: np.array([1.0, 2.0, 3.0]), m: mask}
    run = evaluate(build.finish(y), values, np.array([10.0, 20.0]))
    np.testing.assert_array_equal(run.value(y), [1, 3])
    np.testing.assert_array_equal(run.gradient(x), [10, 0, 20])
    assert run.gradient(m) is None


def test_mask_without_its_values_says_so() -> None:
    build = Builder()
    x, m = build.leaf("x", "input", (3,)), build.leaf("m", "constant", (3,))
    with pytest.raises(DependsOnData):
        build.apply(OPS["getitem"], (x, m), {"index": (Slot(0, mask=True),)})


def test_views_are_not_copies() -> None:
    x = np.arange(6.0).reshape(2, 3)
    x.setflags(write=False)
    for name, attributes in (
        ("transpose", {}),
        ("reshape", {"shape": (3, 2)}),
        ("broadcast_to", {"shape": (9, 2, 3)}),
        ("getitem", {"index": (slice(1, None),)}),
        ("split", {"sections": 3, "axis": 1, "part": 2}),
    ):
        assert np.shares_memory(x, OPS[name].forward(x, **attributes)), name


@pytest.mark.parametrize(
    ("name", "parameter", "right", "wrong"),
    [
        ("split", "sections", (3, (1, 2), ()), (0, True, "a", (1.5,), None)),
        ("expand_dims", "axis", (0, -1, (0, 2)), (None, 1.0, "x", (None,))),
        ("pad", "pad_width", (1, (1, 2), ((1, 2), (0, 0))), (-1, (), 1.5, ((1, -2),))),
        (
            "getitem",
            "index",
            ((), (0, None, ..., slice(1, None, 2)), ([0, 1], [[True]], []), (Slot(0),)),
            (0, (1.5,), (True,), (slice(0, 1.5),), (slice(0, 4, 0),), ([0.5],), ("a",)),
        ),
    ],
)
def test_check_of(
    name: str, parameter: str, right: tuple[Any, ...], wrong: tuple[Any, ...]
) -> None:
    check = next(p.check for p in OPS[name].parameters if p.name == parameter)
    assert [check(value) for value in right] == [""] * len(right)
    assert all(check(value) for value in wrong)


@given(st.integers(1, 5), st.lists(st.integers(0, 9), max_size=4).map(sorted))
def test_part_count(sections: int, bounds: list[int]) -> None:
    count = OPS["split"].parts
    assert count is not None
    assert count(sections=sections) == len(np.split(np.zeros(sections), sections))
    assert count(sections=tuple(bounds)) == len(np.split(np.zeros(9), bounds))


def test_words_follow_the_axes() -> None:
    transpose = OPS["transpose"]
    assert transpose.worded([(2, 3)], {"axes": None}).code == "{x}.T"
    turned = transpose.worded([(2, 3, 4)], {"axes": (0, 2, 1)})
    assert turned.symbol == "transpose({x}, {axes})"
    back = transpose.worded([(2, 3, 4)], {"axes": (-1, 0, 1)}).form(0)
    assert back is not None
    assert back.code == "np.transpose({g}, (1, 2, 0))"
    form = OPS["broadcast_to"].worded([(3, 1)], {"shape": (2, 3, 4)}).form(0)
    assert form is not None
    assert form.code == "np.reshape(np.sum({g}, (0, 2)), (3, 1))"

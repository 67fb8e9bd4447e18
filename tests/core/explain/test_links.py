"""What belongs together is what a number really depends on."""

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.graph import Edge
from gradstep.core.engine.trace import Contribution
from gradstep.core.explain.factors import local_factors
from gradstep.core.explain.links import (
    Region,
    facets,
    factor,
    linked,
    made_from,
    made_into,
    one,
    partners,
    slopes_of,
)
from gradstep.core.practice.glossary import find_word
from gradstep.core.scenario.scenario import builtin_names, load, parse

EXACT = ("elementwise", "contract", "reduce")


def indices(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [tuple(map(int, place)) for place in np.ndindex(shape)]


def corners(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    every = indices(shape)
    return [every[0], every[len(every) // 2], every[-1]] if every else []


@pytest.mark.parametrize("name", builtin_names())
def test_an_element_goes_into_what_its_local_factors_say(name: str) -> None:
    run = Debugger(load(name)).trace.run
    for node in run.graph.nodes:
        for argument, operand in enumerate(node.operands):
            if not run.carries(node.index, argument) or node.op is None:
                continue
            edge = Edge(node.index, argument, operand)
            for index in corners(run.graph.nodes[operand].shape):
                region = made_into(run, node, argument, index)
                places, _ = local_factors(run, edge, index)
                wide = [i for i in indices(node.shape) if region and i in region]
                flat = [int(np.ravel_multi_index(i, node.shape)) for i in wide]
                if node.op.kind in EXACT:
                    assert sorted(flat) == sorted(places.tolist()), node.name
                else:
                    assert set(flat) >= set(places.tolist()), node.name


@pytest.mark.parametrize("name", builtin_names())
def test_from_is_into_the_other_way_round(name: str) -> None:
    run = Debugger(load(name)).trace.run
    for node in run.graph.nodes:
        if node.op is None or node.op.kind not in EXACT:
            continue
        for argument, operand in enumerate(node.operands):
            for place in corners(node.shape):
                region = made_from(run, node, argument, place)
                assert region is not None
                for index in corners(run.graph.nodes[operand].shape):
                    into = made_into(run, node, argument, index)
                    assert into is not None
                    assert (index in region) == (place in into)


@pytest.mark.parametrize("name", builtin_names())
def test_every_array_of_every_event_can_be_linked(name: str) -> None:
    trace = Debugger(load(name)).trace
    for number in range(len(trace)):
        shown = facets(trace, number)
        for facet in shown:
            if facet.same:  # it stands for no element
                nothing = facet.element(())
                assert linked(trace, number, shown, nothing) == [None] * len(shown)
                continue
            for cell in corners(facet.array.shape):
                element = facet.element(cell)
                assert facet.cell(element.index or ()) == cell
                regions = linked(trace, number, shown, element)
                assert regions[shown.index(facet)] == one(cell)
                for other, region in zip(shown, regions, strict=True):
                    assert region is None or len(region.box) == other.array.ndim


@pytest.mark.parametrize("name", builtin_names())
def test_a_local_derivative_that_is_one_number_is_it_everywhere(name: str) -> None:
    trace = Debugger(load(name)).trace
    for number in range(len(trace)):
        event = trace.event(number)
        if not isinstance(event, Contribution):
            continue
        local = next((f for f in facets(trace, number) if f.role == "local"), None)
        whole = trace.breakdown(event.consumer, event.argument).local
        if local is None or whole is None:
            continue
        assert (local.same or local.array.shape) == whole.shape
        assert np.all(np.asarray(whole) == local.array)


@pytest.mark.parametrize(
    ("line", "shapes"),
    [
        ("A + b", [(), ()]),
        ("A - B", [(), ()]),
        ("-A", [()]),
        ("sum(A, axis=0)", [()]),
        ("mean(A)", [()]),
        ("3 * A", [()]),
        ("s * A", [(2, 3), ()]),
        ("A / s", [(), (2, 3)]),
        ("A * b", [(2, 3), (2, 3)]),  # b is as long as a row, and is written down
        ("relu(A)", [(2, 3)]),  # whether all are 1 depends on the numbers
        ("exp(A)", [(2, 3)]),
    ],
)
def test_a_local_derivative_is_one_number_by_its_formula(
    line: str, shapes: list[tuple[int, ...]]
) -> None:
    text = f"""
gradstep = 1
title = "Slopes"
program = "E = sum(sin({line}))"
[inputs]
A = [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
B = [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
b = [1.0, 1.0, 1.0]
s = 1.0
"""
    trace = Debugger(parse(text)).trace
    found = [
        facet.array.shape
        for number in range(len(trace))
        for facet in facets(trace, number)
        if facet.role == "local"
    ]
    assert found[2:] == shapes  # behind those of sum and sin


def test_a_product_meets_the_other_factor() -> None:
    trace = Debugger(load("three_layer")).trace
    run = trace.run
    node = run.graph.node("x2.z")
    w2, x1 = node.operands
    assert made_from(run, node, 0, (1, 0)) == Region((range(1, 2), range(5)))
    assert made_from(run, node, 1, (1, 0)) == Region((range(5), range(1)))
    assert partners(run, node, 0, 1, (1, 3)) == Region((range(3, 4), range(1)))
    met = factor(run, Edge(node.index, 0, w2), (1, 3), (1, 0))
    assert met is not None
    assert (met.node, met.index) == (x1, (3, 0))


def test_the_local_of_a_product_is_turned() -> None:
    trace = Debugger(load("three_layer")).trace
    number = trace.edge_event(trace.run.graph.node("x2.z").index, 0)
    assert number is not None
    event = trace.event(number)
    assert isinstance(event, Contribution)
    shown = facets(trace, number)
    roles = [facet.role for facet in shown]
    assert roles == ["upstream", "local", "contribution", "before", "after"]
    assert not shown[3].array.any()
    np.testing.assert_array_equal(shown[4].array, shown[2].array)
    regions = linked(trace, number, shown, shown[2].element((1, 3)))
    assert [region and region.text for region in regions] == [
        "[1, 0]",
        "[0, 3]",
        "[1, 3]",
        "[1, 3]",
        "[1, 3]",
    ]


@pytest.mark.parametrize("name", ["conv", "attention", "cross_entropy"])
def test_upstream_times_slopes_adds_up_to_the_contribution(name: str) -> None:
    trace = Debugger(load(name)).trace
    count = 0
    for number in range(trace.seed_position + 1, len(trace)):
        event = trace.event(number)
        if not isinstance(event, Contribution):
            continue
        shown = {facet.role: facet.array for facet in facets(trace, number)}
        if "slopes" not in shown:
            continue
        count += 1
        assert shown["slopes"].shape == shown["upstream"].shape
        for index in corners(shown["contribution"].shape):
            slopes = slopes_of(trace.run, event.edge, index)
            total = np.sum(shown["upstream"] * slopes)
            assert total == pytest.approx(shown["contribution"][index], abs=1e-15)
    assert count


def test_text_of_a_region() -> None:
    region = Region((range(1, 2), range(4), range(1, 3)))
    assert region.of((3, 4, 5)) == "[1, :, 1:3]"
    assert Region(()).of(()) == ""
    assert Region((range(1),)).of((1,)) == "[0]"
    assert region.turned().of((3, 5, 4)) == "[1, 1:3, :]"
    assert Region((range(3),), frozenset({(0,), (2,)})).of((3,)) == "[2 elements]"


@pytest.mark.parametrize("name", builtin_names())
def test_the_glossary_has_the_word_of_each_array(name: str) -> None:
    trace = Debugger(load(name)).trace
    for number in range(len(trace)):
        for facet in facets(trace, number):
            word = find_word(facet.word).name
            is_update = number >= trace.update_position
            assert (word == "parameter") is (is_update and facet.quantity == "value")

"""Playback as text. `UPDATE_GOLDEN=1 pytest tests/tui` writes the golden files anew."""

import io
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gradstep.core.base.errors import InputError
from gradstep.core.debugger.debugger import timeline_of
from gradstep.core.scenario.scenario import (
    Scenario,
    builtin_names,
    load,
    parse,
)
from gradstep.tui.cli.output import Screen
from gradstep.tui.draw.look import Look
from gradstep.tui.draw.playback import (
    Pace,
    Selection,
    facts,
    play,
    play_json,
    play_markdown,
    slices_of,
    steps,
)
from gradstep.tui.draw.stage import Stage, notes

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize(
    ("head", "many"),
    [("", 4), ('convention = "rows"', 5), ('convention = "columns"', 5)],
)
def test_a_fact_that_there_is_not_is_left_out(head: str, many: int) -> None:
    text = f'gradstep = 1\n{head}\nprogram = "y = x * x"\n[inputs]\nx = 1.0\n'
    stage = stage_of(parse(text))
    told = facts(stage.subject, stage.trace)
    assert len(told) == many
    assert all(told)


def stage_of(scenario: Scenario, look: Look | None = None) -> Stage:
    return Stage(scenario.subject, timeline_of(scenario).trace(0), look or Look())


def played(
    scenario: str | Scenario,
    width: int = 80,
    tell=play,
    look: Look | None = None,
    pace: Pace | None = None,
    events: Sequence[int] | None = None,
    **selection,
) -> str:
    stage = stage_of(load(scenario) if isinstance(scenario, str) else scenario, look)
    if events is None:
        events = Selection(**selection).events(stage.trace, stage.subject)
    file = io.StringIO()
    screen = Screen(file=file, width=width, highlight=False, markup=False)
    tell(screen, stage, events, pace or Pace())
    return file.getvalue()


def assert_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


# ------------------------------------------------------------------------ golden


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_apples_and_oranges_read_as_they_should(width: int) -> None:
    assert_golden(f"apple_orange_{width}.txt", played("apple_orange", width))


def test_apples_and_oranges_in_plain_ascii() -> None:
    text = played("apple_orange", look=Look(ascii=True))
    assert_golden("apple_orange_plain.txt", text)
    assert text.isascii()


def test_apples_and_oranges_in_markdown() -> None:
    assert_golden("apple_orange.md", played("apple_orange", tell=play_markdown))


@pytest.mark.parametrize("size", ["nodes", "statements"])
def test_apples_and_oranges_in_larger_steps(size) -> None:
    assert_golden(f"apple_orange_{size}.txt", played("apple_orange", pace=Pace(size)))


def test_the_backward_pass_of_three_layers() -> None:
    text = played("three_layer", 100, start="output")
    assert_golden("three_layer_backward_100.txt", text)


def test_a_network_of_real_size_is_summarised() -> None:
    assert_golden("two_layer_net_120.txt", played("two_layer_net", 120))


def test_a_reduction_stands_between_product_and_contribution() -> None:
    text = played("broadcast_bias", start="Z<-Z._1", stop="Z._1")
    assert_golden("broadcast_bias_reduction.txt", text)
    assert "Σ axis 0 → (2,)" in text


# --------------------------------------------------------------------------- laws


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("width", [40, 79, 120])
def test_no_line_is_longer_than_the_width(name: str, width: int) -> None:
    lines = played(name, width).split("\n")
    assert max(map(len, lines)) <= width
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("name", builtin_names())
def test_every_event_is_told_once_whatever_the_steps(name: str) -> None:
    stage = stage_of(load(name))
    everything = range(len(stage.trace))
    for size in ("events", "nodes", "statements"):
        told = [number for group in steps(stage, everything, size) for number in group]
        assert told == list(everything)


@pytest.mark.parametrize("name", builtin_names())
def test_looking_changes_nothing(name: str) -> None:
    stage = stage_of(load(name))
    before = [None if g is None else np.copy(g) for g in stage.trace.run.gradients]
    screen = Screen(file=io.StringIO(), width=80)
    play(screen, stage, range(len(stage.trace)), Pace())
    for old, new in zip(before, stage.trace.run.gradients, strict=True):
        if old is None or new is None:
            assert old is new
        else:
            assert np.array_equal(old, new, equal_nan=True)


def test_the_colour_says_nothing_that_the_text_does_not() -> None:
    stage = stage_of(load("three_layer"))
    files = [io.StringIO(), io.StringIO()]
    colours = (None, "truecolor")
    for file, system in zip(files, colours, strict=True):
        screen = Screen(
            file=file, width=80, force_terminal=bool(system), color_system=system
        )
        play(screen, stage, range(len(stage.trace)), Pace())
    plain, coloured = (file.getvalue() for file in files)
    assert "\x1b[" not in plain
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_a_corner_is_explained_where_it_matters() -> None:
    text = played("nan_where", start="y._2", stop="y._2<-x")
    assert "log(0) is −inf with slope inf" in text
    assert "nan" in text


def test_a_corner_is_not_blamed_for_what_has_arrived() -> None:
    text = """gradstep = 1
program = "E = sum(log(x[1:]) * w)"
[inputs]
x = [1, 2, 3]
w = [inf, 1]
"""
    scenario = parse(text)
    stage = stage_of(scenario)
    said = [line for k in range(len(stage.trace)) for line in notes(stage, [k])]
    assert not [line for line in said if "log(0)" in line or "index" in line]


# ---------------------------------------------------------------------- selection


@pytest.mark.parametrize(
    ("start", "stop", "first", "last"),
    [
        ("start", "end", 1, 13),
        ("11", "12", 11, 12),
        ("#11", "#11", 11, 11),
        ("oz", "oz", 2, 2),
        ("oz@backward", "oz@backward", 10, 11),
        ("output", "end", 5, 13),
        ("50%", "100%", 6, 13),
        ("line:3", "line:3", 3, 3),
        ("y<-t", "z<-oz", 7, 9),
        ("start", "on", 1, 11),
        ("5", "z", 5, 9),
    ],
)
def test_a_part_is_played_from_one_place_to_another(start, stop, first, last) -> None:
    stage = stage_of(load("apple_orange"))
    events = Selection(start, stop).events(stage.trace, stage.subject)
    assert (events[0] + 1, events[-1] + 1) == (first, last)


def test_only_the_steps_of_some_nodes_are_played() -> None:
    stage = stage_of(load("apple_orange"))
    events = Selection(only=("oz", "t")).events(stage.trace, stage.subject)
    assert [number + 1 for number in events] == [2, 7, 9, 10, 11]


def test_all_that_is_wrong_with_a_selection_is_told_at_once() -> None:
    stage = stage_of(load("apple_orange"))
    with pytest.raises(InputError) as caught:
        Selection("ozz", "101%", ("q", "oz")).events(stage.trace, stage.subject)
    problems = caught.value.problems
    assert [problem.source for problem in problems] == ["--from", "--to", "--only"]
    assert problems[0].hint == "did you mean 'oz'?"


def test_the_end_comes_after_the_start() -> None:
    stage = stage_of(load("apple_orange"))
    with pytest.raises(InputError, match="--to: 3 comes before 5"):
        Selection("5", "3").events(stage.trace, stage.subject)


def test_nothing_happens_at_a_constant() -> None:
    stage = stage_of(load("two_layer_net"))
    with pytest.raises(InputError, match="--from: nothing happens at y"):
        Selection("y").events(stage.trace, stage.subject)


# ------------------------------------------------------------------------- slices


def test_a_slice_of_a_large_matrix_is_shown_whole() -> None:
    scenario = load("two_layer_net")
    slices = slices_of(["W1[0:3, 5]", "x[-1, 780:]"], scenario.subject.graph)
    look = Look(slices=slices)
    text = played(scenario, look=look, start="z1._1", stop="z1._1")
    W1 = np.asarray(scenario.subject.leaves[scenario.subject.graph.names["W1"]])
    body = text.partition("W1 (784, 50)\n")[2].split("\n")
    assert body[0].split() == ["780", "781", "782", "783", "5"]
    x = np.asarray(scenario.subject.leaves[scenario.subject.graph.names["x"]])
    assert body[1].split()[:6] == ["99", "[", *(f"{n:.4f}" for n in x[99, 780:])]
    for number, line in enumerate(body[1:4]):
        assert line.split()[-2] == f"{W1[number, 5]:.5f}"


@pytest.mark.parametrize(
    "text",
    [
        "W1",
        "W1[",
        "W1[0:0]",
        "W1[9999]",
        "W1[0,0,0]",
        "W1[a]",
        "W1[::0]",
        "W9[0]",
        "W1[1 2]",
        "W1[,]",
    ],
)
def test_a_wrong_slice_is_explained(text: str) -> None:
    with pytest.raises(InputError) as caught:
        slices_of([text], load("two_layer_net").subject.graph)
    assert all(problem.source == "--slice" for problem in caught.value.problems)


# --------------------------------------------------------------------------- JSON


def test_json_is_one_event_a_line() -> None:
    lines = played("apple_orange", tell=play_json).splitlines()
    records = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert [record["event"] for record in records] == list(range(1, 14))
    assert {record["of"] for record in records} == {13}
    kinds = [record["kind"] for record in records]
    assert kinds == ["forward"] * 4 + ["seed"] + ["contribution"] * 8
    last = records[10]
    assert (last["consumer"], last["operand"], last["argument"]) == ("oz", "on", 1)
    assert last["upstream"] == 1.1
    assert last["local"] == 50
    assert last["contribution"] == last["after"] == 1.1 * 50
    assert last["before"] is None
    assert last["uses"] == [1, 1]
    assert last["formula"] == "∂y/∂on = ∂y/∂oz · ∂oz/∂on = ∂y/∂oz · o"
    assert records[0]["notes"][0] == "what the apples cost"


@pytest.mark.parametrize("name", builtin_names())
def test_the_events_of_json_add_up(name: str) -> None:
    """The accumulated gradient is the sum of the contributions, to the last bit."""
    scenario = load(name)
    lines = played(scenario, tell=play_json).splitlines()
    stage = stage_of(scenario)
    sums = {stage.graph.nodes[stage.graph.output].name: stage.trace.run.seed}
    for line in lines:
        record = json.loads(line)
        if record["kind"] != "contribution":
            continue
        operand = record["operand"]
        part = np.array(record["contribution"], dtype=float)
        sums[operand] = sums[operand] + part if operand in sums else part
        after = np.array(record["after"], dtype=float)
        assert np.array_equal(sums[operand], after, equal_nan=True)


# ------------------------------------------------------------- text of other people

HOSTILE = '''
gradstep = 1
title = "[/foo] [bold]x[/] :smile: `code` <b> *a* \\u001b[31m\\u202e"
summary = "[@click=quit]x[/] ``` \\u001b]0;owned\\u0007"
program = """
y = a * a    # [red]note[/] [/nothing]
"""
[inputs]
a = 3.0
[names]
"[/δ]" = "a.grad"
[notes]
"forward y" = "[link=file:///etc]x[/link]"
'''


@pytest.mark.parametrize("tell", [play, play_markdown, play_json])
def test_text_from_a_file_is_shown_as_it_is(tell) -> None:
    text = played(parse(HOSTILE), tell=tell)
    assert not any(character in text for character in "\x1b\x07\u202e")
    if tell is play:
        assert "[/foo] [bold]x[/] :smile: `code` <b> *a* \\x1b[31m\\u202e" in text
        assert "[red]note[/] [/nothing]" in text
        assert "[/δ]" in text


def test_markdown_of_a_file_is_inert() -> None:
    text = played(parse(HOSTILE), tell=play_markdown)
    assert "\\[/foo\\] \\[bold\\]x\\[/\\] :smile: \\`code\\` \\<b\\> \\*a\\*" in text
    assert "\\[link=file:///etc\\]x" in text


def test_a_fence_is_longer_than_any_inside() -> None:
    program = (
        'gradstep = 1\nprogram = """\ny = a * 2    # ````\n"""\n[inputs]\na = 1.0\n'
    )
    assert "`````python\n" in played(parse(program), tell=play_markdown)

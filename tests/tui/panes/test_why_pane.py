"""Where the chosen element comes from, and what a zero, a NaN and nothing look like."""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable

import pytest
from textual.geometry import Size
from textual.pilot import Pilot

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.element import Element, index_of
from gradstep.core.explain.why.rows import explained
from gradstep.core.scenario.scenario import builtin_names, load
from gradstep.tui.panes.why import _written
from panes_app import PanesApp, program, text_of

Play = Callable[[PanesApp, Pilot[None]], Awaitable[None]]


def played(debugger: Debugger, at: str, play: Play) -> None:
    async def run() -> None:
        app = PanesApp(debugger, f"goto {at}")
        async with app.run_test(size=(90, 40)) as pilot:
            await pilot.pause()
            app.why.focus()
            await pilot.pause()
            await play(app, pilot)

    asyncio.run(run())


def shown(debugger: Debugger, at: str, element: str) -> str:
    texts: list[str] = []

    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        app.choose(element)
        await pilot.pause()
        texts.append(text_of(app.why))

    played(debugger, at, play)
    return texts[0]


def test_terms_are_largest_first_and_aligned() -> None:
    debugger = program(
        "y = sum((W @ x) * k)", "W = [[1.0], [2.0]]\nx = [3.0]\nk = [1.0, 10.0]"
    )
    check, *terms = shown(debugger, "end", "x.grad[0]").rstrip().splitlines()
    assert "✓" in check
    assert terms == [
        "▸ 20 = 10 × 2   ∂y/∂(W @ x)[1] · W[1, 0]",
        "   1 =  1 × 1   ∂y/∂(W @ x)[0] · W[0, 0]",
    ]


@pytest.mark.parametrize(
    ("width", "height", "terms"),
    [
        (34, 4, ["▸ 20 = 10 × 2   [1] · W[1, 0]", "   1 =  1 × 1   [0] · W[0, 0]"]),
        (28, 4, ["▸ 20 = 10 × 2   [1] · [1, 0]", "   1 =  1 × 1   [0] · [0, 0]"]),
        (22, 4, ["▸ 20 = 10 × 2   [1]"]),
        (34, 5, ["▸ 20 = 10 × 2", "    ∂y/∂(W @ x)[1] · W[1, 0]"]),
        (18, 9, ["▸ 20 = 10 × 2", "    ∂y/∂(W @ x)[1]", "    · W[1, 0]"]),
    ],
)
def test_terms_give_up_the_names_that_the_step_has_where_lines_are_few(
    width: int, height: int, terms: list[str]
) -> None:
    debugger = program(
        "y = sum((W @ x) * k)", "W = [[1.0], [2.0]]\nx = [3.0]\nk = [1.0, 10.0]"
    )

    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        app.choose("x.grad[0]")
        app.why.styles.width = width + app.why.gutter.width
        app.why.styles.height = height + app.why.gutter.height
        await pilot.pause()
        lines = [line.rstrip() for line in text_of(app.why).splitlines()]
        start = lines.index(terms[0])
        assert lines[start : start + len(terms)] == terms

    played(debugger, "end", play)


def test_what_makes_a_value_is_said_in_a_sentence() -> None:
    debugger = program("y = sum(maximum(x, 0))", "x = [3.0]")
    text = shown(debugger, "end", "y._1[0]")
    assert "maximum computes it from" in text


def test_the_first_term_is_in_sight_however_low_the_pane_is() -> None:
    debugger = program("y = sum((W @ x) * k)", "W = [[1.0]]\nx = [3.0]\nk = [2.0]")

    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        app.choose("x.grad[0]")
        app.why.styles.height = 1 + app.why.gutter.height
        await pilot.pause()
        assert text_of(app.why) == "▸ 2 = 2 × 1   ∂y/∂(W @ x)[0] · W[0, 0]"
        app.why.styles.height = 2 + app.why.gutter.height
        await pilot.pause()
        assert text_of(app.why).startswith("numeric check")

    played(debugger, "end", play)


def test_the_number_stands_in_the_title_or_where_that_has_no_room_below_it() -> None:
    debugger = program("y = sum((W @ x) * k)", "W = [[1.0]]\nx = [3.0]\nk = [2.0]")

    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        for width, title, first in (
            (90, "Why x.grad[0] = 2?", "numeric check: 2 ✓"),
            (23, "Why x.grad[0]?", "x.grad[0] = 2"),
            (24, "Why x.grad[0] = 2?", "numeric check:"),
        ):
            await pilot.resize_terminal(width, 40)
            app.choose("x.grad[0]")
            await pilot.pause()
            lines = text_of(app.why).splitlines()
            assert app.why.titles[0] == title
            assert lines[0].startswith(first)
            assert sum(line.startswith("▸ 2") for line in lines) == 1

    played(debugger, "end", play)


def test_eight_terms_then_the_rest() -> None:
    debugger = program(
        "y = sum(W @ x)",
        "W = { random = 'normal', shape = [12, 2], seed = 1 }\nx = [3.0, 1.0]",
    )
    lines = shown(debugger, "end", "x.grad[0]").splitlines()
    assert sum(" × " in line for line in lines) == 8
    assert "… and 4 more terms: " in lines[9]


def test_follow_and_return() -> None:
    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        app.choose("W2.grad[1, 3]")
        await pilot.press("enter")
        assert app.chosen is not None
        assert (app.debugger.graph.nodes[app.chosen.node].name, app.chosen.index) == (
            "x2.z",
            (1, 0),
        )
        await pilot.press("enter", "backspace", "backspace")
        assert app.debugger.graph.nodes[app.chosen.node].name == "W2"
        assert app.chosen.index == (1, 3)

    played(Debugger(load("three_layer")), "end", play)


def test_the_numeric_check_leads_to_the_derivative_by_definition() -> None:
    asked: list[str] = []

    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        app.choose("W2.grad[1, 3]")
        await pilot.press("up")
        assert text_of(app.why).startswith("▸ numeric check")
        await pilot.press("enter")
        await pilot.pause()
        asked.extend(app.asked)

    debugger = Debugger(load("three_layer"))
    played(debugger, "end", play)
    assert asked == ["limit W2[1, 3]"]


def test_indices_are_written_as_in_books_where_that_is_wanted() -> None:
    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        app.choose("W2.grad[1, 3]")
        await pilot.pause()
        assert "δ2[1, 0] · x1[3, 0]" in text_of(app.why)
        assert "= δ2[1, 0] · x1[3, 0] =" in text_of(app.step)
        app.run_lines(["indices 1"])
        app.draw()
        await pilot.pause()
        assert "δ2₂₁ · x1₄₁" in text_of(app.why)
        assert app.why.titles[0].startswith("Why W2.grad₂₄ = ")
        assert "W2.grad₂₄ = δ2₂₁ · x1₄₁ =" in text_of(app.step)

    played(Debugger(load("three_layer")), "x2.z<-W2", play)


def test_down_goes_to_the_next_term() -> None:
    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        app.choose("x1.grad[0, 0]")
        await pilot.press("down")
        lines = text_of(app.why).splitlines()
        assert [line[:1] for line in lines[1:3]] == [" ", "▸"]

    played(Debugger(load("three_layer")), "end", play)


def test_that_there_is_more_below_is_said_until_it_is_seen() -> None:
    debugger = program(
        "y = sum(W @ x)",
        "W = { random = 'normal', shape = [12, 2], seed = 1 }\nx = [3.0, 1.0]",
    )

    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        app.choose("x.grad[0]")
        await pilot.resize_terminal(90, 20)
        await pilot.pause()
        assert "↓ more" in app.why.titles[1]
        await pilot.press(*["down"] * 20)
        assert "more terms" in text_of(app.why)
        assert "↓ more" not in app.why.titles[1]

    played(debugger, "end", play)


def test_no_gradient_and_a_gradient_of_zero_look_different() -> None:
    debugger = program(
        "y = sum(relu(a)) + sum(stop_gradient(b))", "a = [-1.0]\nb = [1.0]"
    )
    none, zero = (
        shown(debugger, "end", "b.grad[0]"),
        shown(debugger, "end", "a.grad[0]"),
    )
    assert (
        none.startswith("b has no gradient: ") or "no gradient" in none.splitlines()[0]
    )
    assert "= 0" not in none.splitlines()[0]
    assert zero.startswith("a.grad[0] = 0: the local derivative is 0 here")


def test_not_yet_says_when() -> None:
    debugger = Debugger(load("apple_orange"))
    once = "a.grad: no contribution has arrived yet"
    assert shown(debugger, "#5", "a.grad").split() == once.split()
    assert "not computed yet" in shown(debugger, "start", "y")


def test_a_nan_is_followed_to_its_cause() -> None:
    debugger = program("y = sum(sqrt(a) * 0.0)", "a = [0.0]")
    text = shown(debugger, "end", "a.grad[0]")
    assert text.startswith("a.grad[0] = nan: ")
    assert "made by event" in text


def test_a_value_opens_into_its_products() -> None:
    debugger = program("y = sum(W @ x)", "W = [[1.0, 2.0]]\nx = [3.0, 4.0]")
    text = shown(debugger, "end", "y._1[0]")
    assert "8 = 2 × 4   W[0, 1] · x[1]" in text
    assert "3 = 1 × 3   W[0, 0] · x[0]" in text


def test_copies_are_passed_through_on_one_line() -> None:
    debugger = program("b = a + 1.0\nc = b + 1.0\ny = sum(c * c)", "a = [1.0, 2.0]")
    lines = shown(debugger, "end", "a.grad[0]").splitlines()
    assert "an exact copy of b.grad[0] = c.grad[0]" in lines[1]
    assert "∂y/∂" in lines[3]


def test_parts_of_shared_nodes_and_sums_over_axes_are_named() -> None:
    shared = shown(Debugger(load("shared_node")), "end", "a.grad")
    assert shared.count(" adds ") == 2
    bias = shown(Debugger(load("broadcast_bias")), "end", "b.grad[0]")
    assert "summed over axis 0" in bias


def test_a_complete_gradient_is_held_against_differences() -> None:
    debugger = program("y = sum(a * a)", "a = [3.0]")
    half = shown(debugger, "y._1<-a#0@backward", "a.grad[0]").split("\n")
    whole = shown(debugger, "end", "a.grad[0]").split("\n")
    assert "1 of 2 contributions are in so far" in "".join(half)
    assert "numeric check" not in "".join(half)
    assert whole[0].startswith("numeric check: 6 ✓ within ")


def test_a_wrong_gradient_is_told() -> None:
    debugger = program("z = 3 * a\ny = sum(z * z)", "a = [2.0]")
    for wrong in ("patch z<-a local", "detach z<-a"):
        assert debugger.execute(wrong).ok
        lines = shown(debugger, "end", "a.grad[0]").split("\n")
        found = next(line.strip() for line in lines if "numeric check" in line)
        assert found.startswith("numeric check: 36 ✗ differs by ")
        assert debugger.execute("undo").ok
    assert "✓" in shown(debugger, "end", "a.grad[0]")


def test_what_takes_too_long_is_left_to_a_key() -> None:
    debugger = program(
        "y = sum(W @ x)",
        "W = { random = 'normal', shape = [200, 200], seed = 1 }\n"
        "x = { random = 'normal', shape = [200, 1], seed = 2 }",
    )
    text = shown(debugger, "end", "W.grad[0, 0]")
    assert "numeric check: not yet, check W makes it" in text.split("\n")[0]


@pytest.mark.parametrize("name", builtin_names())
def test_terms_have_brackets_behind_signs_and_no_zeros_that_only_pad(name: str) -> None:
    debugger = Debugger(load(name))
    debugger.execute("goto end")
    trace, seen = debugger.trace, 0
    for node in debugger.graph.nodes:
        for quantity in ("value", "grad"):
            arrives = trace.run.arrives(node.index)
            if node.is_literal or (quantity == "grad" and not arrives):
                continue
            index = index_of(node.index % max(math.prod(node.shape), 1), node.shape)
            element = Element(node.index, quantity, index)
            rows = explained(trace, element, debugger.position, 8)
            for row in _written(rows, debugger.graph, node.index, Size(49, 9)):
                numbers, _, _ = row.text.partition("   ∂")
                if row.kind == "term":
                    seen += 1
                    assert not re.search(r"[×−+] +-", numbers), numbers
                    padded = re.search(r"(?<![\w.])-?\d+\.\d*0(?![\d.])", numbers)
                    assert padded is None, numbers
    assert seen


def test_terms_that_differ_read_apart_in_one_column() -> None:
    debugger = program("y = sum(x * k)", "x = [-1.0, 1.0]\nk = [0.25, -0.2500000004]")
    terms = shown(debugger, "end", "y").rstrip().splitlines()
    assert terms == [
        "▸ -0.2500000004   (x ∘ k)[1]",
        "  -0.25           (x ∘ k)[0]",
    ]
    terms = shown(debugger, "end", "x.grad[1]").rstrip().splitlines()
    assert terms[-1] == "▸ -0.25 = 1 × (-0.25)   ∂y/∂(x ∘ k)[1] · k[1]"

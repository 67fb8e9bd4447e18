"""While predict is on, no frame depends on what is made at the position or behind it.

Two sessions have the same past and another future: everything that is drawn, with its
colours, has to be the same. And where the leaves are numbers that nobody has chosen, no
number of a frame is one of the future.
"""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from driving import main_screen, press, settle
from futures import with_other_future
from gradstep.core.base.trust import KEYBOARD
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.element import Element
from gradstep.core.engine.trace import Contribution, Trace
from gradstep.core.practice.predict.question import is_asked
from gradstep.core.scenario.scenario import Scenario, builtin_names, load, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.panes.base.pane import Chosen
from gradstep.tui.panes.base.views import DIGITS
from gradstep.tui.panes.graph.canvas import Canvas
from gradstep.tui.session.reloading import Loaded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


SIZES = ((80, 24), (120, 36), (200, 60))
KINDS = ("numbers", "signs", "shapes")
NAMES = builtin_names()
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.])")
TEXT = re.compile(r"<(?:text|title|desc)[^>]*>([^<]*)<")  # of an SVG
MOST_DIGITS = 12  # that are compared
Frames = dict[str, list[list[tuple[str, str]]]]
# Which number it is: of a value, a gradient or a contribution; whose; which element.
Origin = tuple[str, int, int]


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def predicting(debugger: Debugger, position: int, kind: str) -> Debugger:
    """Return a session at a position, with predict on and its question asked."""
    output = debugger.graph.nodes[debugger.graph.output].name
    lines = (f"display {output}", f"watch {output}.grad", f"predict {kind}")
    for line in (*lines, f"goto {position}", "stepi"):
        assert debugger.execute(line, KEYBOARD).ok, line
    assert debugger.position == position
    return debugger


async def frames(scenario: Scenario, debugger: Debugger, size: tuple[int, int]) -> Any:
    """Return what is painted of a session: each view, the graph, chosen elements."""
    found: Frames = {}
    app = GradstepApp(scenario)
    app.animation_level = "none"
    async with app.run_test(size=size):
        await settle(app)
        screen = main_screen(app)
        debugger.progress = screen.debugger.progress
        screen._take(Loaded(debugger, ""))

        async def keep(name: str, *keys: str) -> None:
            press(app, *keys)
            await settle(app)
            strips = app.screen._compositor.render_strips()
            found[name] = [
                [(one.text, str(one.style)) for one in strip] for strip in strips
            ]

        for name, digit in reversed([*DIGITS.items()]):
            await keep(name, digit)
            picture = app.export_screenshot()
            found[f"{name} as SVG"] = [[(text, "")] for text in TEXT.findall(picture)]
        screen.query_one("#step").focus()
        await keep("alone", "v")
        await keep("alone and dense", "d")
        await keep("as before", "escape", "d")
        screen.query_one("#graph").focus()
        press(app, "+")
        await settle(app)
        canvas = screen.query_one(Canvas)  # how far it scrolls is a question of time
        canvas.scroll_to(0, 0, animate=False, force=True, immediate=True)
        await keep("unfolded")
        await keep("as a list", "v")
        output = debugger.graph.output
        for node in {0, 1, output // 2, output - 1, output}:
            zeros = (0,) * len(debugger.graph.nodes[node].shape)
            for quantity in ("value", "grad"):
                screen.post_message(Chosen(Element(node, quantity, zeros)))
                await keep(f"chosen {debugger.graph.nodes[node].name} {quantity}")
    return found


def place(name: str) -> tuple[int, tuple[int, int], str]:
    """Return a position for a scenario, in one of its passes, a size, what is asked.

    Something is asked there.
    """
    trace, turn = Debugger(load(name)).trace, NAMES.index(name)
    seed, end = trace.seed_position, len(trace)
    kind = turn // 3 % 3
    positions = range(seed // 2 if turn % 2 else (seed + end) // 2, end)
    asked = ("number", "signs", "shape")[kind]
    position = next(k for k in positions if is_asked(trace, k, asked))
    return position, SIZES[turn % 3], KINDS[kind]


async def differing(
    scenario: Scenario, position: int, size: tuple[int, int], kind: str
) -> tuple[set[str], Frames]:
    """Return the frames that another future makes different, and all as they are."""
    sessions = Debugger(scenario), with_other_future(scenario, position)
    truth, other = [
        await frames(scenario, predicting(session, position, kind), size)
        for session in sessions
    ]
    return {key for key in truth if truth[key] != other[key]}, truth


async def test_at_the_start_nothing_depends_on_what_is_to_come() -> None:
    found, _ = await differing(load("matmul"), 0, (120, 36), "numbers")
    assert found == set()


async def test_a_picture_holds_the_text_of_its_frame() -> None:
    debugger = predicting(Debugger(load("matmul")), 24, "numbers")
    seen = await frames(load("matmul"), debugger, (120, 36))
    for name in DIGITS:
        drawn = "".join(text for line in seen[name] for text, _ in line)
        words = "".join(text for line in seen[f"{name} as SVG"] for text, _ in line)
        assert "".join(drawn.split()) in "".join(unescape(words).split()), name


async def test_a_frame_that_depends_on_it_would_be_noticed() -> None:
    """Without predict the cells are as wide as the widest number in all steps alike."""
    scenario = load("matmul")
    sessions = Debugger(scenario), with_other_future(scenario, 1)
    for session in sessions:
        assert session.execute("goto 1").ok
    one, other = [await frames(scenario, s, (120, 36)) for s in sessions]
    assert "step" in {key for key in one if one[key] != other[key]}


# ------------------------------------------------------------- numbers of nine digits


def drawn(scenario: Scenario, seed: int) -> Scenario:
    """Return a scenario whose leaves have nine digits that nobody has chosen."""
    random, subject = np.random.default_rng(seed), scenario.subject

    def nine(value: Any) -> Any:
        array = np.asarray(value)
        if array.dtype.kind != "f":
            return value
        digits = random.integers(10**8, 10**9, array.shape) / 10**9
        made = np.asarray(digits * np.where(array < 0, -1, 1), array.dtype)
        return made if made.ndim else float(made)

    graph = subject.graph
    leaves = {
        node: value if graph.nodes[node].is_literal else nine(value)
        for node, value in subject.leaves.items()
    }
    training = None if scenario.batch_program else scenario.training  # it cuts others
    subject = subject._replace(leaves=leaves)
    return scenario._replace(subject=subject, training=training, expect=())


def made(trace: Trace, number: int) -> Iterator[tuple[str, int, np.ndarray]]:
    """Yield what an event makes: a value, a contribution, a gradient."""
    event = trace.event(number)
    if isinstance(event, Contribution):
        parts = trace.breakdown(event.consumer, event.argument)
        yield "product", number, parts.product
        yield "contribution", number, parts.contribution
    for kind, look in (("value", trace.value), ("gradient", trace.gradient)):
        array, before = look(event.node, number + 1), look(event.node, number)
        if array is not None and (before is None or not np.array_equal(before, array)):
            yield kind, number, array


def known(debugger: Debugger) -> np.ndarray:
    """Return all numbers that are visible by right.

    The local derivative of the step to come is made of values that are there.
    """
    trace, position = debugger.trace, debugger.position
    arrays = [a for k in range(position) for _, _, a in made(trace, k)]
    arrays += map(np.asarray, trace.run.leaves.values())
    for event in (trace.event(k) for k in range(position + 1)):
        if isinstance(event, Contribution):
            local = trace.breakdown(event.consumer, event.argument).local
            arrays += [] if local is None else [np.asarray(local)]
    return np.concatenate([np.ravel(np.asarray(array, float)) for array in arrays])


def codes(numbers: np.ndarray, digits: int) -> np.ndarray:
    """Return for each number a code that those have in common that round alike."""
    sizes = np.abs(np.asarray(numbers, float))
    sizes = np.where(np.isfinite(sizes) & (sizes > 0), sizes, 1.0)
    power = np.floor(np.log10(sizes)) - digits + 1
    whole = np.rint(sizes / 10.0**power)
    over = whole >= 10.0**digits
    return np.where(over, whole / 10, whole) * 1000 + power + over


def leaks(debugger: Debugger, text: str) -> set[Origin]:
    """Return which numbers of the future stand in a text, with three digits or more."""
    past, seen = known(debugger), dict[int, np.ndarray]()
    for word in set(NUMBER.findall(text)):
        count = min(len(Decimal(word).as_tuple().digits), MOST_DIGITS)
        if count > 2 and float(word):
            code = codes(np.array([float(word)]), count)
            seen[count] = np.append(seen.get(count, []), code)
    seen = {n: found[~np.isin(found, codes(past, n))] for n, found in seen.items()}
    return {
        (kind, number, int(place))
        for event in range(debugger.position, len(debugger.trace))
        for kind, number, array in made(debugger.trace, event)
        for count, found in seen.items()
        for place in np.flatnonzero(np.isin(codes(np.ravel(array), count), found))
        if np.ravel(array)[place]
    }


def test_a_number_of_the_future_would_be_found() -> None:
    debugger = Debugger(drawn(load("three_layer"), 1))
    value = float(debugger.trace.run.value(debugger.graph.output))
    event = debugger.trace.seed_position - 1
    for digits in (3, 6, 9):
        found = leaks(debugger, f"E is {value:.{digits}g}")
        assert ("value", event, 0) in found
    debugger.execute("goto output")
    assert ("value", event, 0) not in leaks(debugger, f"E is {value:.6g}")


def leaking(debugger: Debugger, seen: Frames) -> set[tuple[str, Origin]]:
    """Return the frames that hold a number of the future, each with which one it is."""
    texts = {
        key: "\n".join("".join(text for text, _ in line) for line in lines)
        for key, lines in seen.items()
    }
    return {(key, one) for key, text in texts.items() for one in leaks(debugger, text)}


@pytest.mark.parametrize("name", NAMES)
async def test_no_frame_tells_what_is_to_come(name: str) -> None:
    """What stands there by chance is another number where other leaves are drawn."""
    position, size, kind = place(name)
    scenario = drawn(load(name), 1)
    found, seen = await differing(scenario, position, size, kind)
    assert found == set()
    first = predicting(Debugger(scenario), position, kind)
    leaked = leaking(first, seen)
    if leaked:
        scenario = drawn(load(name), 2)
        second = predicting(Debugger(scenario), position, kind)
        seen = await frames(scenario, second, size)
        leaked &= leaking(second, seen)
    assert leaked == set()


async def test_gradients_of_others_and_checks_are_hidden() -> None:
    """They speak of the whole pass, whatever the position is."""
    text = (
        "gradstep = 1\ntitle = 't'\nprogram = '''\ny = x * w\nE = y * y\n'''\n"
        "[inputs]\nx = 0.123456789\n[parameters]\nw = 0.987654321\n"
        "[own]\n'w.grad' = 0.555555555\n"
    )
    scenario = parse(text, source="own.toml")
    debugger = Debugger(scenario)
    assert debugger.execute("check").ok
    predicting(debugger, 1, "numbers")
    seen = await frames(scenario, debugger, (120, 36))
    texts = {
        key: "\n".join("".join(text for text, _ in line) for line in lines)
        for key, lines in seen.items()
    }
    assert all("0.5555" not in one for one in texts.values())
    for view in ("checks", "rules"):
        assert "predict hides what is to come" in texts[view]
    assert leaking(debugger, seen) == set()

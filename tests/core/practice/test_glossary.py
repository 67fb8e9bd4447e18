"""Words: each with a true example, of what has happened and of nothing else."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gradstep.core.base.errors import CommandError
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.practice.glossary import (
    SMALL,
    WORDS,
    Scene,
    Word,
    explained,
    find_word,
    small,
)
from gradstep.core.scenario.builtin import builtin_names
from gradstep.core.scenario.scenario import load, parse
from sessions import said, session, wrong

each_word = pytest.mark.parametrize("word", WORDS, ids=lambda word: word.name)

# What each of them is found by.
ASKED = {
    "upstream": "upstream",
    "local": "local derivative",
    "Accumulated": "accumulated",
    "edges": "edge",
    "the chain": None,
    "chain": "chain rule",
    "scalar": "scalar product",
    "δ": "delta",
    "learning": "learning rate",
    "numeric": "numeric check",
    "forward": "forward pass",
    "corner": "kink",
    "frobnicate": None,
}


def scene_of(name: str, share: float) -> Scene:
    debugger = Debugger(load(name))
    trace = debugger.trace
    return Scene(debugger.subject, trace, round(share * len(trace)))


@pytest.mark.parametrize(("text", "name"), ASKED.items())
def test_a_word_is_found_by_its_names_and_beginnings(
    text: str, name: str | None
) -> None:
    if name is None:
        with pytest.raises(CommandError):
            find_word(text)
    else:
        assert find_word(text).name == name


def test_names_are_of_one_word_each() -> None:
    names = [name for word in WORDS for name in (word.name, *word.also)]
    assert len(names) == len(set(names))
    assert len(WORDS) >= 24


@each_word
def test_the_small_net_has_an_example_of_each(word: Word) -> None:
    assert word.example(small())


@each_word
def test_each_is_a_sentence(word: Word) -> None:
    assert word.sentence.endswith(".")
    assert word.name == word.name.lower()


def test_the_small_net_has_no_made_up_names() -> None:
    assert not any(node.is_unnamed for node in small().graph.nodes)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("name", builtin_names())
def test_every_lesson_has_examples_everywhere(name: str, share: float) -> None:
    scene = scene_of(name, share)
    for word in WORDS:
        found = explained(word, scene)
        assert found.example
        assert "\n" not in found.example


def numbers_in(text: str) -> set[str]:
    """Return numbers with at least four digits: no other number is equal by chance."""
    return {n for n in re.findall(r"\d+\.\d+", text) if len(n) > 5}


def test_nothing_is_told_that_has_not_happened() -> None:
    """Leaves have many digits, so that each number tells what it was made from."""
    rng = np.random.default_rng(5)
    text = SMALL
    for old in re.findall(r"-?\d+\.\d(?=[,\]])", text):
        text = text.replace(old, f"{rng.uniform(0.1, 0.9):.9f}", 1)
    debugger = Debugger(parse(text))
    trace = debugger.trace
    made = [_made_at(debugger, position) for position in range(len(trace) + 1)]
    assert sum(map(len, made)) > 30
    for position in range(len(trace) + 1):
        scene = Scene(debugger.subject, trace, position)
        told = {n for word in WORDS for n in numbers_in(word.example(scene))}
        known = set().union(*made[: position + 1])  # a copy has a number that is known
        assert not told & set().union(*made[position + 1 :]) - known, position


def _made_at(debugger: Debugger, position: int) -> set[str]:
    """Return the numbers that an event made, as a sentence writes them."""
    found: set[str] = set()
    if not position:
        return found
    node = debugger.trace.event(position - 1).node
    name = debugger.graph.nodes[node].name
    behind = position > debugger.trace.seed_position
    array = (
        debugger.trace.gradient(node, position)
        if behind and position <= debugger.trace.update_position
        else debugger.trace.value(node, position)
    )
    assert array is not None, name
    for number in np.ravel(array).tolist():
        found |= numbers_in(f"{number:.6g}")
    return found


# ---------------------------------------------------------------------- true numbers


def example(name: str, scene: Scene) -> str:
    return find_word(name).example(scene)


def test_the_numbers_of_the_small_net_are_right() -> None:
    """Against the same net in NumPy, by hand."""
    x = np.array([[1.0, 2.0], [3.0, -1.0]])
    w1, b1 = np.array([[0.5, -1.0], [1.0, 0.5]]), np.array([0.0, 1.0])
    w2, t = np.array([[2.0], [-1.0]]), np.array([[4.0], [2.0]])
    z = x @ w1 + b1
    h = np.maximum(z, 0)
    d = h @ w2 - t
    delta = (d @ w2.T) * (z > 0)
    g1 = x.T @ delta
    scene = small()
    at = np.unravel_index(np.abs(delta).argmax(), delta.shape)
    place = f"δ1[{at[0]}, {at[1]}] = {delta[at]:g}"
    assert example("delta", scene) == f"{place}, which is h.z.grad"
    assert example("seed", scene) == "E.grad = 1 enters at the output"
    rate = 0.5 - 0.1 * g1[0, 0]
    assert example("rate", scene) == (
        f"0.1 in W1[0, 0] = 0.5 − 0.1 × ({g1[0, 0]:g}) = {rate:g}"
    )
    y = (h @ w2)[0, 0]
    assert example("scalar product", scene) == (
        f"y[0, 0] = {h[0, 0]:g} × 2 + {h[0, 1]:g} × (-1) = {y:g}"
    )
    assert example("parameter", scene) == (
        "W1 of shape (2, 2); 8 numbers in all parameters"
    )
    assert "x (2, 2): one sample in each row" in example("batch", scene)
    numeric = example("numeric check", scene)
    index = tuple(map(int, re.findall(r"\[(\d), (\d)\]", numeric)[0]))
    assert f"numeric check: {g1[index]:g} ✓" in numeric


def test_upstream_times_local_is_the_contribution() -> None:
    for name in ("apple_orange", "matmul", "three_layer", "dead_relu"):
        debugger = Debugger(load(name))
        trace = debugger.trace
        for position in range(trace.seed_position + 2, trace.update_position + 1):
            scene = Scene(debugger.subject, trace, position)
            assert scene.step is not None
            edge, _, term = scene.step
            run = trace.run
            upstream = run.gradient(edge.consumer)
            assert upstream is not None
            assert term.upstream == upstream[term.index]
            text = example("contribution", scene)
            one, two = map(float, re.findall(r"-?\d[^\s)]*", text)[:2])
            three = float(re.findall(r"= (-?[\d.e-]+)", text)[0])
            assert one * two == pytest.approx(three, rel=2e-5)


def test_of_several_uses_the_local_derivative_is_that_of_one_alone() -> None:
    debugger = Debugger(load("shared_node"))
    said(debugger, "goto end")
    text = said(debugger, "words local").text[1]
    assert text == "here: ∂s/∂a = 1, along s<-a#1 alone"  # s = a + a: in all it is 2


# --------------------------------------------------------------------------- commands


def test_the_command_has_the_example_at_the_position() -> None:
    debugger = Debugger(load("apple_orange"))
    first = said(debugger, "words upstream")
    assert first.data[0]["small"]
    assert "in a small net, for there is none here so far" in first.text[1]
    said(debugger, "goto y<-t")
    said(debugger, "stepi")
    reply = said(debugger, "words upstream")
    assert reply.text[1] == "here: y.grad = 1 where y<-t takes it on"
    assert reply.data == [
        {
            "word": "upstream",
            "sentence": find_word("upstream").sentence,
            "example": "y.grad = 1 where y<-t takes it on",
            "small": False,
        }
    ]


def test_all_words_are_listed() -> None:
    reply = said(session(), "words")
    assert [one["word"] for one in reply.data] == [word.name for word in WORDS]
    assert "it could be" in wrong(session(), "words e")


def test_words_are_told_while_predict_hides_what_comes() -> None:
    debugger = session()
    said(debugger, "predict on")
    assert said(debugger, "words seed").data[0]["example"].startswith("event ")

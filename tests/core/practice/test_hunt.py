"""Hunts: each can be solved by commands alone, and nothing tells before it is."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gradstep.core.base.errors import InputError
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.debugger.hunts import hunt, random_hunt
from gradstep.core.debugger.verify import promises
from gradstep.core.engine.trace import Contribution
from gradstep.core.export.records import plain
from gradstep.core.mistakes.catalogue import MISTAKES
from gradstep.core.practice.hunt import _beside
from gradstep.core.scenario.builtin import builtin_names, hunt_names, hunt_path, hunts
from gradstep.core.scenario.scenario import hunted, load, parse
from gradstep.core.session.script import read_script, run_script
from gradstep.core.training.iterations import Iterations
from sessions import said

if TYPE_CHECKING:
    from gradstep.core.engine.graph import Graph
    from gradstep.core.session.reply import Reply

NAMES = hunt_names()
each = pytest.mark.parametrize("name", NAMES)
HIDDEN = ("patch x", "detach x", "why x", "paths x", "rules", "export dot /tmp/never")


def hunting(name: str) -> Debugger:
    return Debugger(hunt(name))


def start(name: str) -> Debugger:
    """Return a session over the wrong run, at its end."""
    debugger = hunting(name)
    said(debugger, "goto end")
    return debugger


def edge(debugger: Debugger) -> str:
    assert debugger.memory.hunt is not None
    return debugger.graph.edge_name(debugger.memory.hunt.hidden.edge)


def edges_of(graph: Graph) -> list[str]:
    return [graph.edge_name(edge) for edges in graph.consumers for edge in edges]


def test_there_are_a_dozen_and_none_is_listed_as_a_lesson() -> None:
    assert len(NAMES) == 12
    assert not set(NAMES) & set(builtin_names())
    assert [one.group for one in hunts()] == ["hunts"] * 12
    assert [one.order for one in hunts()] == list(range(1, 13))
    mistakes = {hunt(name).hidden.mistake for name in NAMES}  # type: ignore[union-attr]
    assert mistakes >= {
        *("overwrite", "batch", "in-place", "last", "updated", "route"),
        *("transpose", "mean", "local", "value", "sign"),
    }


@each
def test_a_script_solves_it(name: str) -> None:
    verdict = promises(hunt_path(name))["script"]()
    assert verdict.failures == ()
    debugger = hunting(name)
    script = read_script(hunt_path(name).with_suffix(".gs"))
    run_script(script, debugger.execute)
    assert debugger.memory.hunt is None
    assert sum("accuse" in line.text for line in script) == 1


@each
def test_the_right_rule_is_right_everywhere_else(name: str) -> None:
    scenario = load(name)
    debugger = Debugger(scenario)
    assert said(debugger, "check").data["ok"]
    assert not debugger.execute("accuse E").ok
    assert not said(hunting(name), "check").data["ok"]


def words_of(reply: Reply) -> Counter[str]:
    text = json.dumps(reply.record(plain), default=str) + repr(reply)
    return Counter({m.name: text.count(m.name) for m in MISTAKES.values()}) + Counter(
        {m.summary: text.count(m.summary) for m in MISTAKES.values()}
    )


def test_the_verdict_is_of_the_wrong_run_whatever_was_set() -> None:
    told = said(start("slow_start"), "accuse x2").data
    debugger = start("slow_start")
    said(debugger, "nudge x2[0, 1] 0.1")
    moved = said(debugger, "accuse x2").data
    assert moved["borders"] == told["borders"] != []
    assert np.array_equal(moved["wrong"], told["wrong"])


@each
def test_no_reply_names_the_mistake_before_it_is_accused(name: str) -> None:
    wrong, right = hunting(name), Debugger(load(name))
    mistake = MISTAKES[wrong.memory.hunt.hidden.mistake]  # type: ignore[union-attr]
    leaves = [n.name for n in wrong.graph if n.op is None and not n.is_literal]
    nodes = [n.name for n in wrong.graph if not n.is_literal]
    lines = [
        *("info", "runs", "diff", "save", "list", "where", "info notes", "cost"),
        *("goto end", "check", "check --quick", "runs", "info gradients"),
        *(f"explain {node}.grad" for node in nodes),
        *(f"history {node}.grad" for node in nodes),
        *(f"{command} {node}" for node in nodes for command in ("uses", "whatis")),
        *(f"limit {leaf}" for leaf in leaves),
        *("goto start", *["stepi"] * len(wrong.trace)),
    ]
    for line in lines:
        told, usual = (words_of(one.execute(line)) for one in (wrong, right))
        for word in (mistake.name, mistake.summary):
            assert told[word] <= usual[word], line
        assert "patched" not in repr(wrong.memory.previous), line
    for line in (*HIDDEN, "check E", "predict on"):
        reply = wrong.execute(line)
        assert reply.error is not None, line
        assert reply.error.startswith("a hunt hides which rule is wrong"), line


@each
def test_the_check_that_stays_is_end_to_end(name: str) -> None:
    debugger = start(name)
    record = said(debugger, "check").data
    leaves = {n.name for n in debugger.graph if n.op is None}
    assert {one["level"] for one in record["checks"]} == {"gradient"}
    assert {one["node"] for one in record["checks"]} <= leaves
    assert {one["verdict"] for one in record["checks"]} >= {"mismatch"}
    assert "numeric check: none in a hunt" in repr(
        said(debugger, f"explain {record['checks'][0]['node']}.grad")
    )


@each
def test_only_the_wrong_rule_is_found(name: str) -> None:
    right, graph = edge(hunting(name)), hunting(name).graph
    texts = edges_of(graph)
    assert right in texts
    for text in texts:
        reply = start(name).execute(f"accuse {text}")
        assert reply.ok
        assert reply.data["right"] == (text == right), text
        assert reply.failed == (text != right)


def test_equal_infinities_are_no_evidence() -> None:
    wrong, right = np.array([np.inf, np.nan, 1.0]), np.array([np.inf, np.nan, 2.0])
    assert _beside("sum", 0, wrong, right).place == (2,)


@each
def test_the_verdict_shows_both_and_the_run_beside_it_is_right(name: str) -> None:
    debugger, plain_one = start(name), Debugger(load(name))
    hidden = debugger.memory.hunt.hidden  # type: ignore[union-attr]
    at = edge(debugger)
    innocent = next(text for text in edges_of(debugger.graph) if text != at)
    assert debugger.execute(f"accuse {innocent}").failed
    said(debugger, "goto start")
    leaf = next(one for one in debugger.graph if debugger.trace.run.arrives(one.index))
    before = set(debugger.memory.looked)
    said(debugger, f"limit {leaf.name} 1e-3")  # counts as much as going there
    assert debugger.memory.looked == before
    reply = said(debugger, f"accuse {at} {hidden.mistake}")
    data = reply.data
    assert (data["edge"], data["mistake"]) == (at, hidden.mistake)
    assert data["wrong"].shape == data["correct"].shape
    assert data["accused"] == 2
    assert data["looked"] == 2
    assert data["held"] == 1
    assert any("1 gradient held against differences" in line for line in reply.text)
    # What a person would have found with differences.
    borders = data["borders"]
    for one in borders:
        gap = abs(one["analytic"] - one["numeric"])
        assert (gap <= 1e-4 * max(1, abs(one["numeric"]))) == one["agrees"]
    assert {one["agrees"] for one in borders} == {True, False}
    assert len({one["node"] for one in borders}) == len(borders)
    # Nothing is hidden any more, and the right run is beside it.
    assert debugger.modes == ()
    wrong = said(debugger, "check").data
    assert at in {one["edge"] for one in wrong["checks"] if one["verdict"] != "ok"}
    said(debugger, f"runs {data['run']}")
    for node in debugger.graph:
        one = debugger.trace.run.gradient(node.index)
        two = plain_one.trace.run.gradient(node.index)
        assert (one is None) == (two is None)
        assert one is None or two is None or np.array_equal(one, two)


@pytest.mark.parametrize("name", hunt_names())
def test_what_would_have_led_there_sooner_shows_what_is_said_of_it(name: str) -> None:
    scenario = hunt(name)
    debugger = Debugger(scenario)
    accused = [
        line.text
        for line in read_script(hunt_path(name).with_suffix(".gs"))
        if line.text.startswith("accuse")
    ]
    borders = said(debugger, accused[-1]).data["borders"]
    assert borders
    for border in borders:
        reply = said(Debugger(scenario), f"limit {border['node']}")
        differs = "is not what backpropagation says" in " ".join(reply.text)
        assert differs != border["agrees"], border


def test_limit_takes_the_element_that_is_wrong_and_not_the_largest() -> None:
    # The relu of `shortcut` writes its zeros into what arrives: y.grad[1, 2] is lost.
    reply = said(Debugger(hunt("shortcut")), "limit y")
    assert reply.data["element"] == "y[1, 2]"
    assert "backpropagation: 0" in " ".join(reply.text)


def test_numbers_of_the_verdict_by_hand() -> None:
    debugger = start("runaway")
    x, w = np.array([[0.5, -1, 0.25], [1.5, 0.5, -0.75]]), np.array([0.4, -0.3, 0.8])
    y = np.tanh(x @ w)[:, None]
    right = y - np.array([[-0.5], [0.9]])
    data = said(debugger, "accuse error<-y").data
    assert data["correct"] == pytest.approx(right)
    assert data["wrong"] == pytest.approx(-right)
    assert data["element"] == "y.grad[0, 0]"
    shared = said(start("shortcut"), "accuse a").data
    assert shared["what"] == "upstream"
    z = said(start("shortcut"), "print z").data
    assert shared["wrong"] == pytest.approx(np.where(z > 0, shared["correct"], 0))


def test_a_node_stands_for_its_rule_and_a_leaf_for_its_uses() -> None:
    for text in ("h", "W1", "y", "b2", "E"):
        assert not start("four_samples").execute(f"accuse {text}").data["right"], text
    assert said(start("four_samples"), "accuse h.z").data["right"]
    assert said(start("four_samples"), "accuse b1").data["right"]
    # The sum of W is wrong, and so is the rule of whoever writes over it.
    for text in ("W", "W.grad", "code._1", "code<-W"):
        assert said(start("tied"), f"accuse {text}").data["right"]
    assert not start("tied").execute("accuse back").data["right"]


def test_another_mistake_at_the_right_place_goes_on() -> None:
    debugger = start("gate")
    reply = said(debugger, "accuse z<-z.s sign")
    assert (reply.data["right"], reply.data["place"]) == (False, True)
    assert debugger.modes == ("hunt",)
    assert said(debugger, "accuse z<-z.s no-local").data["right"]


@pytest.mark.parametrize(
    ("x", "name", "is_right"),
    [
        (2.0, "local", True),
        (2.0, "value", False),  # E is 6, and without the derivative 3 it is 1
        (2.0, "sign", False),
        (2.0, "route", False),  # it cannot be made there
        (1 / 3, "value", True),  # E is 1
    ],
)
def test_what_gives_the_same_numbers_is_the_same_mistake(
    x: float, name: str, is_right: bool
) -> None:
    text = f"gradstep = 1\nprogram = 'E = 3 * x'\n[inputs]\nx = {x!r}\n"
    hidden = '[hidden]\nrule = "E<-x"\nmistake = "local"\n'
    debugger = Debugger(hunted(parse(text + hidden)))
    data = debugger.execute(f"accuse E<-x {name}").data
    assert (data["right"], data["place"]) == (is_right, True)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("accuse", "which edge or node?; EDGE | NODE [MISTAKE]"),
        ("accuse q", "no node is called 'q'"),
        ("accuse y<-W", "W is not an operand of y"),
        ("accuse y sgn", "there is no mistake 'sgn'; did you mean 'sign'?"),
    ],
)
def test_an_accusation_that_cannot_be_read_is_none(line: str, says: str) -> None:
    debugger = start("runaway")
    reply = debugger.execute(line)
    assert says in str(reply.error)
    assert debugger.memory.hunt is not None
    assert debugger.memory.hunt.accused == ()


def test_nothing_is_hidden_outside_of_a_hunt() -> None:
    reply = Debugger(load("three_layer")).execute("accuse x1")
    assert reply.error is not None
    assert reply.error.startswith("nothing is hidden here")
    with pytest.raises(InputError, match="no mistake is hidden in it"):
        hunt("three_layer")


def test_what_is_set_in_a_hunt_stays_wrong_and_hidden() -> None:
    debugger = start("slow_start")
    said(debugger, "set W3[0, 0] = 0.6")
    assert debugger.trace.run.patches.hidden
    assert not said(debugger, "check").data["ok"]
    assert "patched" not in repr(said(debugger, "explain x2.z.grad[0, 0]"))
    said(debugger, "accuse x2")
    assert "by a patched rule" in repr(said(debugger, "explain x2.z.grad[0, 0]"))
    assert not any(run.timeline.trace(0).run.patches.hidden for run in debugger.runs)


def test_in_a_training_every_iteration_is_wrong_and_the_right_run_none() -> None:
    debugger = start("two_rates")
    assert isinstance(debugger.timeline, Iterations)
    said(debugger, "train 2")
    assert not said(debugger, "check").data["ok"]
    data = said(debugger, "accuse y<-h updated").data
    said(debugger, f"runs {data['run']}")
    assert said(debugger, "check").data["ok"]
    assert debugger.place.iteration == 2


@pytest.mark.parametrize("seed", range(8))
def test_a_random_hunt_can_be_solved_and_drawn_again(seed: int) -> None:
    scenario, again = random_hunt(seed), random_hunt(seed)
    assert scenario.hidden == again.hidden
    assert scenario.subject.name == again.subject.name
    debugger = Debugger(scenario)
    at = edge(debugger)
    assert not said(debugger, "check --quick").data["ok"]
    assert said(debugger, f"accuse {at}").data["right"]


def test_random_hunts_differ() -> None:
    drawn = {(s.subject.name, s.hidden) for s in map(random_hunt, range(8))}
    assert len(drawn) > 5
    assert len({hidden.mistake for _, hidden in drawn if hidden}) > 3


def test_what_is_written_over_a_gradient_stops_a_watch_and_is_in_its_history() -> None:
    debugger = Debugger(hunt("shortcut"))
    said(debugger, "watch y.grad")
    said(debugger, "continue")
    said(debugger, "continue")
    event = debugger.trace.event(debugger.position - 1)
    assert isinstance(event, Contribution)
    assert debugger.graph.edge_name(event.edge) == "a<-z"  # not one that adds to y.grad
    assert len(said(debugger, "history y.grad").show.rows) == 2
    text = "\n".join(said(debugger, "accuse a<-z").text)
    assert "y.grad is right at first, and changes later: watch y.grad stops" in text

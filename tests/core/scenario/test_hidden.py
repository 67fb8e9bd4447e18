"""The table [hidden]: what a file may hide, and what is said of the rest."""

from __future__ import annotations

import numpy as np
import pytest

from gradstep.core.base.errors import ScenarioError
from gradstep.core.debugger.debugger import timeline_of
from gradstep.core.scenario.scenario import hunted, load, parse

BASE = '''\
gradstep = 1
program = """
z = x @ W
h = tanh(z)
E = sum(h * h) + 0 * sum(x)
"""
[inputs]
x = [[1, 2], [0, 0.5]]
[parameters]
W = [[1, 2], [0.5, 0.25]]
'''


def wrong(hidden: str, base: str = BASE) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse(f"{base}[hidden]\n{hidden}\n", source="f")
    return [str(problem) for problem in caught.value.problems]


def test_a_hidden_mistake_acts_in_a_hunt_alone() -> None:
    scenario = parse(f'{BASE}[hidden]\nrule = "h<-z"\nmistake = "local"\n')
    graph = scenario.subject.graph
    w, z = graph.node("W").index, graph.node("z").index
    plain = parse(BASE).subject.run()
    right = timeline_of(scenario).trace(0).run
    assert np.array_equal(right.gradients[w], plain.gradients[w])  # type: ignore[arg-type]
    assert not right.patches
    run = timeline_of(hunted(scenario)).trace(0).run
    h = np.tanh(run.value(z))
    assert run.gradient(z) == pytest.approx(2 * h)  # without 1 − tanh²
    assert run.gradient(w) == pytest.approx(np.array([[1, 0], [2, 0.5]]) @ (2 * h))


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        (
            'rule = "h<-q"\nmistake = "local"',
            "f:12:8: no node is called 'q'; an edge is written z<-W",
        ),
        (
            'rule = "z<-h"\nmistake = "local"',
            "f:12:8: h is not an operand of z; its operands are x, W",
        ),
        (
            'rule = "h<-z"\nmistake = "locl"',
            "f:13:11: mistake is the text 'locl'; allowed: transpose, swap,",
        ),
        (
            'rule = "z<-x"\nmistake = "last"',
            "f:13:11: last cannot be made there: matmul picks no elements by an index",
        ),
        (
            'rule = "z<-x"\nmistake = "updated"',
            "f:13:11: updated cannot be made there: W is no parameter that is trained",
        ),
        (
            'rule = "E<-E._2"\nmistake = "local"',
            "f:13:11: local cannot be made there: the local derivative of add is 1",
        ),
        ('mistake = "local"', "f:11:2: rule is missing; "),
        ('rule = "h<-z"', "f:11:2: mistake is missing; one of transpose, swap"),
        (
            'rule = "h<-z"\nmistake = "sign"\nhow = 1',
            "f:14:1: 'how' is not a key of [hidden]",
        ),
        ('rule = 3\nmistake = "sign"', "f:12:8: rule is 3; allowed: a text in quotes"),
    ],
)
def test_what_cannot_be_hidden_is_a_mistake_of_the_file(hidden: str, said: str) -> None:
    assert wrong(hidden)[0].startswith(said)


def test_a_mistake_that_nobody_could_notice_is_one_of_the_file() -> None:
    flat = BASE.replace("E = sum(h * h)", "E = sum(h)").replace("+ 0 * sum(x)", "")
    (said,) = wrong('rule = "h<-z"\nmistake = "upstream"', flat)
    assert said == (
        "f:13:11: upstream changes no gradient of an input or a parameter; "
        "choose another rule or mistake, or other numbers"
    )


def test_a_table_of_another_kind_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"hidden is 3.*a table \[hidden\]"):
        parse("hidden = 3\n" + BASE)


def test_weights_of_a_training_can_be_updated_too_early() -> None:
    trained = f"{BASE}[training]\nlearning_rate = 0.5\niterations = 3\n"
    hidden = '[hidden]\nrule = "z<-x"\nmistake = "updated"\n'
    scenario = parse(trained + hidden)
    time = timeline_of(hunted(scenario))
    graph = scenario.subject.graph
    x, w, z = (graph.node(name).index for name in "xWz")
    for iteration in range(2):
        run = time.trace(iteration).run
        after = time.trace(iteration + 1).run.value(w)
        # 0 · sum(x) adds nothing.
        assert run.gradient(x) == pytest.approx(run.gradient(z) @ after.T)


def test_a_lesson_hides_nothing_and_a_hunt_is_read_by_its_name() -> None:
    assert load("three_layer").hidden is None
    assert not hunted(load("three_layer")).hunted
    assert load("runaway").hidden is not None
    assert load("runaway").source == "runaway.toml"
    assert not load("runaway").hunted


def test_a_hunt_asks_no_questions_whose_answers_are_those_of_right_rules() -> None:
    asked = '[questions]\n"backward h" = { ask = "z.grad[0, 0]" }\n'
    scenario = parse(f'{BASE}{asked}[hidden]\nrule = "h<-z"\nmistake = "sign"\n')
    assert len(scenario.subject.questions) == 1
    assert hunted(scenario).subject.questions == {}
    assert hunted(scenario).hunted

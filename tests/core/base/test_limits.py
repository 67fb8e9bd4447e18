"""Limits are one table, and a person may raise some of them."""

import pytest

from gradstep.core.base.errors import InputError
from gradstep.core.base.limits import LIMITS, RAISED, raised
from gradstep.core.scenario.scenario import parse


def test_without_a_wish_they_stay() -> None:
    assert raised([]) == LIMITS


@pytest.mark.parametrize("number", ["1000000", "1_000_000", "1e6"])
def test_a_limit_is_raised_by_its_name(number: str) -> None:
    limits = raised([f"nodes={number}", "work=5"])
    assert (limits.nodes, limits.work) == (1_000_000, 5)
    assert limits.elements == LIMITS.elements


def test_more_nodes_take_the_text_that_they_are_written_in_along() -> None:
    limits = raised(["nodes=1000000"])  # five times as many
    for name in ("text", "tokens", "steps", "idle"):
        assert getattr(limits, name) == 5 * getattr(LIMITS, name)
    assert raised(["nodes=1000000", "steps=7"]).steps == 7
    assert raised(["nodes=10"]).text == LIMITS.text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("node=3", "there is no limit 'node'; did you mean 'nodes'?"),
        ("fish", "there is no limit 'fish'; limits are text, columns, nodes"),
        ("nesting=1000", "there is no limit 'nesting'"),  # Python itself needs it
        ("nodes", "'' is no limit for nodes; write a whole number"),
        ("nodes=-1", "'-1' is no limit for nodes"),
        ("nodes=1e19", "'1e19' is no limit for nodes; write a whole number"),
        ("nodes=1.5", "'1.5' is no limit for nodes"),
        ("nodes=inf", "'inf' is no limit for nodes"),
        ("nodes=nan", "'nan' is no limit for nodes"),
        ("nodes=\x1b[1m", "'\\x1b[1m' is no limit for nodes"),
    ],
)
def test_another_wish_is_explained(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        raised([text])
    assert says in str(caught.value)


def test_a_scenario_says_which_limit_it_exceeds() -> None:
    lines = "\\n".join(f"x{k + 1} = x{k} + 1" for k in range(9))
    text = f'gradstep = 1\nprogram = "{lines}"\n[inputs]\nx0 = 0\n'
    with pytest.raises(InputError, match="--limit nodes=N allows more"):
        parse(text, limits=raised(["nodes=5"]))
    scenario = parse(text, limits=raised(["nodes=100"]))
    assert scenario.subject.limits.nodes == 100


def test_every_limit_that_may_be_raised_says_what_it_counts() -> None:
    assert len(RAISED) == 17
    assert LIMITS._fields[: len(RAISED)] == tuple(RAISED)
    assert all(RAISED.values())

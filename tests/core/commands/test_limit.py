"""`limit` and `cost`: what they take, what they refuse, and what their data holds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import load
from sessions import said, session, wrong

MIXED = """
gradstep = 1
output = "y"
program = '''
empty = table[0:0]
z = table[pick] * w + stop_gradient(w)
y = sum(z * mask) + sum(empty)
unused = w * 2
'''
[inputs]
table = [1.0, 2.0, 4.0]
w = 3.0
far = inf
[constants]
pick = 1
mask = true
"""


def test_the_printed_number_of_the_lesson_can_be_read_off() -> None:
    debugger = Debugger(load("derivative"))
    notes = " ".join(debugger.subject.notes.values())
    assert "3.00000000444089" in notes
    assert "3.00000000444089" in "\n".join(said(debugger, "limit x 1e-7").text)
    assert "2.9999999995" in "\n".join(said(debugger, "limit x 1e-7").text)
    assert "3.00000000444089" in "\n".join(said(debugger, "limit x").text)


def test_all_numbers_are_data() -> None:
    data = said(Debugger(load("derivative")), "limit x").data
    assert data["element"] == "x"
    assert data["exact"] == 3.0
    assert data["agrees"]
    assert not data["kink"]
    assert [one["delta"] for one in data["quotients"]] == [10.0**-k for k in range(16)]
    seventh = data["quotients"][7]["forward"]
    assert seventh["by_step"] == pytest.approx(3.00000000444089, abs=1e-14)
    assert seventh["by_delta"] == (3 * (3 + 1e-7) + 2 - 11) / 1e-7
    assert data["rounding"] == {"forward": 1.0, "central": 1.0}


@pytest.mark.parametrize("line", ["limit W[0, 1]", "limit W.grad[0, 1]"])
def test_a_gradient_is_that_of_its_value(line: str) -> None:
    data = said(session(), line).data
    assert data["element"] == "W[0, 1]"
    assert data["x"] == -1.0


def test_of_an_array_the_largest_gradient_counts() -> None:
    debugger = session()
    gradient = debugger.trace.run.gradient(debugger.graph.node("W").index)
    assert gradient is not None
    at = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
    assert said(debugger, "limit W").data["element"] == f"W[{at[0]}, {at[1]}]"


def test_without_a_name_it_takes_what_has_just_changed() -> None:
    debugger = session()
    said(debugger, "goto b")
    assert said(debugger, "limit").data["element"].startswith("b[")
    assert len(said(debugger, "limit 1e-3").data["quotients"]) == 1


def test_it_agrees_with_what_set_does() -> None:
    debugger = session()
    before = debugger.trace.run.value(debugger.graph.output)
    change = said(debugger, "limit W[1, 0] 0.5").data["quotients"][0]["forward"]
    said(debugger, "set W[1, 0] = W[1, 0] + 0.5")
    after = debugger.trace.run.value(debugger.graph.output)
    assert change["change"] == pytest.approx(float(after - before), rel=1e-12)
    assert change["taken"] == 0.5


def test_an_inner_value_as_well() -> None:
    debugger = session()
    said(debugger, "goto end")
    before = debugger.trace.run.value(debugger.graph.output)
    change = said(debugger, "limit a.h.z[1, 0] 0.5").data["quotients"][0]["forward"]
    said(debugger, "set a.h.z[1, 0] = a.h.z[1, 0] + 0.5")
    after = debugger.trace.run.value(debugger.graph.output)
    assert change["change"] == pytest.approx(float(after - before), rel=1e-12)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("limit pick", "holds int64"),
        ("limit mask", "holds bool"),
        ("limit far", "far is inf"),
        ("limit empty", "no elements"),
        ("limit unused", "the output does not change with unused"),
        ("limit w 0", "allowed: a number above 0"),
        ("limit w -1e-3", "allowed: a number above 0"),
        ("limit w nan", "allowed: a number above 0"),
        ("limit nothing", "nothing is called"),
        ("limit w[3]", "1 index for an array of shape ()"),
    ],
)
def test_what_has_no_derivative_says_why(line: str, words: str) -> None:
    assert words in wrong(session(MIXED), line)


def test_what_stop_gradient_keeps_stays() -> None:
    data = said(session(MIXED), "limit w").data
    assert data["exact"] == 2.0  # table[1] alone
    assert data["agrees"]


def test_a_value_that_is_set_between_is_refused() -> None:
    debugger = session()
    said(debugger, "set a = 1")
    assert "is set in this run" in wrong(debugger, "limit x[0, 0]")
    said(debugger, "runs 0")
    said(debugger, "limit x[0, 0]")


def test_a_patched_rule_is_seen() -> None:
    debugger = session()
    said(debugger, "patch b local")
    reply = said(debugger, "limit c")
    assert not reply.data["agrees"]
    assert any("not what backpropagation says" in line for line in reply.text)


def test_predict_hides_it() -> None:
    debugger = session()
    said(debugger, "predict on")
    assert "predict hides what is to come" in wrong(debugger, "limit x[0, 0]")


def test_relu_at_zero_has_two_sides() -> None:
    text = "gradstep = 1\nprogram = 'y = relu(x)'\n[inputs]\nx = 0.0\n"
    data = said(session(text), "limit x").data
    assert data["kink"]
    assert (data["right"], data["left"]) == (1.0, 0.0)
    assert data["rounding"] == {"forward": None, "central": None}


def test_cost_counts_and_measures() -> None:
    reply = said(Debugger(load("three_layer")), "cost")
    data = reply.data
    # 4·5 + 5·3 + 3·2 products, 5 + 3 + 2 sigmoids of two each, 2 squares and a half
    assert data["forward"] == 41 + 2 * 10 + 2 + 1
    assert data["derivatives"] == 4 * 5 + 5 * 3 + 3 * 2
    assert data["passes"] == 82
    assert data["numeric"] == 82 * data["forward"]
    assert data["factor"] == data["numeric"] / (data["forward"] + data["backward"])
    assert math.isfinite(data["slower"])
    assert "41 derivatives for" in reply.text[0]


def test_check_leads_there_where_differences_do_not_agree() -> None:
    text = "gradstep = 1\nprogram = 'y = sum(relu(x)) + z * z'\n"
    debugger = session(f"{text}[inputs]\nx = [1.0, 0.0]\nz = 3.0\n")
    assert said(debugger, "check").text[-1] == (
        "limit x[1] shows the quotients of differences"
    )
    assert said(debugger, "limit x[1]").data["kink"]
    said(debugger, "set x = 1.0")
    assert "limit" not in said(debugger, "check").text[-1]
    said(debugger, "patch y._3<-z#0 local")
    last = said(debugger, "check z").text[-1]
    assert last == "limit z shows the quotients of differences"


def test_before_anything_has_happened_an_element_has_to_be_named() -> None:
    reply = Debugger(load("derivative")).execute("limit")
    assert "nothing has happened yet" in (reply.error or "")
    assert "explain" not in (reply.error or "")

"""What-if: each change is a new run beside the old one; a wrong one changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.core.base.errors import Interrupted
from gradstep.core.check.check import check
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.run import evaluate
from gradstep.core.engine.trace import Contribution
from gradstep.core.explain.compare import compare, same_place
from gradstep.core.mistakes.catalogue import MISTAKES
from gradstep.core.scenario.scenario import load, parse
from gradstep.core.session.memory import Place
from gradstep.core.session.reply import Table

if TYPE_CHECKING:
    from gradstep.core.session.reply import Reply

KINDS = """
gradstep = 1
program = '''
chosen = x[index]
kept = x[mask]
y = chosen * 2 + 0.5
E = sum(y) + sum(kept ** 2)
'''
[inputs]
x = [1.0, 2.0, 3.0]
[constants]
index = [0, 2]
mask = [true, false, true]
n = 3
"""


SHARED = """
gradstep = 1
program = "b = 2 * a\\ny = b * b"
inputs = { a = 1 }
"""

PRODUCT = """
gradstep = 1
program = "y = u @ w\\nE = sum(y * k)"
inputs = { u = [[1.0, 2.0]], w = [[3.0], [4.0]], k = 2.0 }
"""


def session(name: str, *lines: str) -> Debugger:
    debugger = Debugger(load(name))
    for line in lines:
        assert do(debugger, line).ok
    return debugger


def kinds() -> Debugger:
    return Debugger(parse(KINDS))


def do(debugger: Debugger, line: str) -> Reply:
    reply = debugger.execute(line)
    assert reply.error is None, reply.error
    return reply


def shown(debugger: Debugger, text: str) -> object:
    """Return an expression at the end of the present iteration."""
    place = Place(debugger.place.iteration, len(debugger.trace))
    return np.asarray(
        debugger.expression(text).evaluate(debugger.state(place))
    ).tolist()


# ------------------------------------------------------------------------------ set


def test_set_a_value() -> None:
    debugger = session("apple_orange")
    reply = do(debugger, "set a = 5")
    assert reply.text[0] == "run 1: a = 5 (was 100)"
    assert reply.data["from"] == 0
    assert reply.data["values"] == ["a", "az", "z", "y"]
    assert shown(debugger, "y") == pytest.approx((5 * 3 + 200) * 1.1)
    assert shown(debugger, "a.grad") == pytest.approx(3.3)
    assert debugger.runs[0].timeline.trace(0).run.value(0) == 100


def test_set_an_element_a_whole_and_everything_at_once() -> None:
    debugger = session("xor")
    do(debugger, "set W1[1, -1] = 2 * W1[0, 0] + 1")
    assert do(debugger, "print W1[1, 3]").data == 2.0
    assert debugger.branch.text.startswith("W1[1, 3] = 2 * W1[0, 0] + 1 (was -0.2)")
    do(debugger, "set W2 = [[1], [2], [3], [4]]")
    assert do(debugger, "print W2").data.tolist() == [[1.0], [2.0], [3.0], [4.0]]
    assert do(debugger, "print W1[1, 3]").data == 2.0
    do(debugger, "set W2 = 0")
    assert do(debugger, "print W2").data.tolist() == [[0.0]] * 4


def test_set_an_intermediate_value_cuts_what_stands_before_it() -> None:
    debugger = session("apple_orange", "set z = 1000")
    assert shown(debugger, "y") == pytest.approx(1100)
    assert shown(debugger, "az") == 300


def test_set_a_gradient_by_its_name_in_the_literature() -> None:
    debugger = session("three_layer", "set δ3[0, 0] = 1", "set δ3[1, 0] = 0")
    assert shown(debugger, "x3.z.grad") == [[1.0], [0.0]]
    w3 = debugger.graph.node("W3").index
    x2 = debugger.trace.run.value(debugger.graph.node("x2").index)
    expected = np.outer([1, 0], x2)
    assert debugger.trace.run.gradient(w3) == pytest.approx(expected)


def test_set_the_gradient_of_the_output() -> None:
    debugger = session("apple_orange", "set y.grad = 2")
    assert shown(debugger, "a.grad") == pytest.approx(6.6)


def test_set_keeps_the_dtype() -> None:
    debugger = kinds()
    do(debugger, "set index = [1, 1]")
    assert shown(debugger, "chosen") == [2.0, 2.0]
    do(debugger, "set index[0] = 2.0")
    assert shown(debugger, "index") == [2, 1]
    do(debugger, "set mask = [False, True, True]")
    assert shown(debugger, "kept") == [2.0, 3.0]
    do(debugger, "set x = [1, 2, 4]")
    assert debugger.trace.run.value(debugger.graph.node("x").index).dtype == np.float64


def test_set_a_literal_of_the_program() -> None:
    debugger = kinds()
    do(debugger, "set 0.5 = 1.5")
    assert shown(debugger, "y") == [3.5, 7.5]
    reply = debugger.execute("set 2 = 2.5")
    assert "2 holds numbers of int64, and 2.5 is none of them" in str(reply.error)
    # One literal is one node: it is the factor and the exponent.
    do(debugger, "set 2 = 3")
    assert shown(debugger, "y") == [4.5, 10.5]
    assert shown(debugger, "E") == 15 + 1 + 27


WRONG = {
    "set": "set what to what",
    "set x": "set what to what",
    "set x == 1": "set what to what",
    "set = 1": "set what to what",
    "set x =": "set what to what",
    "set q = 1": "nothing is called 'q'",
    "set x = q": "nothing is called 'q'",
    "set x + 1 = 2": "this is not an element",
    "set x[3] = 2": "outside",
    "set x[0, 0] = 2": "2 indices",
    "set x = [1, 2]": "a value of shape (2,) does not fit x; allowed: the shape (3,)",
    "set x[0] = [1, 2]": "does not fit x; one number",
    "set x = [[1, 2], [3]]": "not equally long",
    "set x = 'a'": "is no number",
    "set x = __import__('os')": "no function",
    "set index = [0, 9]": "index 9 is out of bounds",
    "set index[0] = 0.5": "index holds numbers of int64, and 0.5 is none of them",
    "set index[0] = nan": "index holds numbers of int64, and nan is none of them",
    "set index[0] = 1e30": "index holds numbers of int64",
    "set mask[0] = 2": "mask holds numbers of bool, and 2 is none of them",
    "set mask = [true, true, true]": "nothing is called 'true'",
    "set mask = [True, True]": "a value of shape (2,) does not fit mask",
    "set mask[1] = 1": "the result has shape (3,) now, and (2,) before",
    "set mask.grad = 1": "no gradient flows to mask",
    "set n.grad = 1": "no gradient flows to n",
    "detach": "which edge or node",
    "detach q": "no node is called 'q'",
    "detach x<-y": "y is not an operand of x",
    "detach n": "nothing uses n",
    "detach mask": "no gradient flows through mask",
    "patch": "patch what with which mistake",
    "patch y": "patch what with which mistake",
    "patch y zz": "there is no mistake 'zz'; the mistakes are transpose, swap",
    "patch y locale": "there is no mistake 'locale'; did you mean 'local'?",
    "patch q local": "no node is called 'q'",
    "patch y transpose": "transpose does not apply to y<-y._1",
    "train": "this scenario does not train",
    "runs 1": "there is no run '1'; 0 … 0 are there",
    "runs x": "there is no run 'x'",
    "diff": "this run is as it was loaded",
    "diff 0 0 0": "two runs can be compared",
    "diff 7": "there is no run '7'",
    "undo": "nothing to undo",
    "redo": "nothing to redo",
}


@pytest.mark.parametrize("line", WRONG)
def test_what_is_wrong_is_said_and_changes_nothing(line: str) -> None:
    debugger = kinds()
    do(debugger, "goto 50%")
    place = debugger.place
    reply = debugger.execute(line)
    assert reply.error is not None
    assert WRONG[line] in reply.error
    assert (len(debugger.runs), debugger.chosen, debugger.place, debugger.undone) == (
        1,
        0,
        place,
        [],
    )


def test_a_number_too_large_for_the_dtype_is_refused() -> None:
    text = KINDS.replace("gradstep = 1", 'gradstep = 1\ndtype = "float16"')
    debugger = Debugger(parse(text))
    reply = debugger.execute("set x[0] = 1e6")
    assert "x holds numbers of float16, and 1000000.0 is none of them" in str(
        reply.error
    )
    do(debugger, "set x[0] = inf")
    do(debugger, "set x[1] = nan")


# ------------------------------------------------------------------ detach and patch


def test_detach_an_edge_or_all_uses_of_a_node() -> None:
    debugger = Debugger(parse(SHARED))
    do(debugger, "detach y<-b#1")
    assert shown(debugger, "a.grad") == 2 * 2
    do(debugger, "detach b")
    assert debugger.branch.text == "cut: y<-b#0"
    assert debugger.trace.run.gradient(debugger.graph.node("a").index) is None
    do(debugger, "runs 0")
    do(debugger, "detach b")
    assert debugger.branch.text == "cut: y<-b#0, y<-b#1"


def test_a_cut_edge_is_no_event_and_the_place_stays_at_its_event() -> None:
    debugger = session("apple_orange", "goto end")
    here = debugger.trace.event(debugger.position - 1)
    do(debugger, "detach y<-z")
    assert len(debugger.trace) < len(debugger.runs[0].timeline.trace(0))
    debugger = session("apple_orange", "goto y<-t")
    here = debugger.trace.event(debugger.position - 1)
    do(debugger, "detach y<-z")
    assert debugger.trace.event(debugger.position - 1) == here
    do(debugger, "undo")
    assert debugger.trace.event(debugger.position - 1) == here


def test_the_same_place_in_a_run_without_the_event_is_the_one_before() -> None:
    debugger = session("apple_orange")
    cut = session("apple_orange", "detach y<-t")
    event = debugger.trace.edge_event(debugger.graph.node("y").index, 1)
    assert event is not None
    assert same_place(debugger.trace, event + 1, cut.trace) == event
    assert isinstance(debugger.trace.event(event), Contribution)
    assert same_place(debugger.trace, len(debugger.trace), cut.trace) == len(cut.trace)
    assert same_place(debugger.trace, 0, cut.trace) == 0


def test_patch_a_node_means_its_rule_and_a_leaf_its_uses() -> None:
    debugger = session("apple_orange")
    do(debugger, "patch y swap")
    assert debugger.branch.text == "y<-z, y<-t: the operands are swapped"
    do(debugger, "undo")
    do(debugger, "patch a local")
    assert debugger.branch.text == "az<-a: the local derivative is forgotten"
    assert shown(debugger, "a.grad") == pytest.approx(1.1)


def test_patch_overwrite_means_all_uses_but_the_first() -> None:
    text = """gradstep = 1
program = "b = 2 * a\\nc = 3 * a\\ny = b + c"
inputs = { a = 1 }
"""
    debugger = Debugger(parse(text))
    assert shown(debugger, "a.grad") == 5
    do(debugger, "patch a overwrite")
    assert debugger.branch.text.startswith("b<-a: the gradient is overwritten")
    assert shown(debugger, "a.grad") == 2


@pytest.mark.parametrize(
    ("name", "line", "wrong"),
    [
        ("xor", "patch h._2 batch", "h._2<-b1"),
        ("xor", "patch h local", "h<-h._2"),
        ("xor", "patch E mean", "E<-E._2"),
        ("xor", "patch a in-place", "a<-a._2"),
        ("apple_orange", "patch y<-z swap", "y<-z"),
        ("shared_node", "patch {} overwrite", ""),
    ],
)
def test_the_check_names_what_was_patched(name: str, line: str, wrong: str) -> None:
    debugger = session(name)
    assert check(debugger.trace.run).ok
    if "{}" in line:
        uses = debugger.graph.consumers
        node = next(n for n in debugger.graph if len(uses[n.index]) > 1)
        line = line.format(node.name)
    do(debugger, line)
    found = check(debugger.trace.run).first_wrong
    assert found is not None
    assert found.edge is not None
    named = debugger.graph.edge_name(found.edge)
    assert named == wrong or (not wrong and named in debugger.branch.text)


def test_help_lists_the_mistakes() -> None:
    reply = do(session("xor"), "help patch")
    for mistake in MISTAKES.values():
        assert any(mistake.summary in line for line in reply.text)


# -------------------------------------------------------------------- between runs


def test_undo_and_redo_walk_over_the_runs() -> None:
    debugger = session("xor", "set W2 = 0", "patch h local")
    assert [debugger.chosen, len(debugger.runs)] == [2, 3]
    do(debugger, "undo")
    do(debugger, "undo")
    assert debugger.chosen == 0
    assert debugger.execute("undo").error is not None
    do(debugger, "redo")
    assert debugger.chosen == 1
    do(debugger, "redo")
    assert debugger.chosen == 2
    do(debugger, "undo")
    do(debugger, "set b2 = 1")
    assert (debugger.branch.number, debugger.branch.parent) == (3, 1)
    assert debugger.execute("redo").error is not None


def test_runs_lists_them_and_goes_to_one() -> None:
    debugger = session("apple_orange", "set a = 5", "set on = 3")
    reply = do(debugger, "runs")
    assert [row[1:4] for row in reply.show.rows] == [
        (0, "as loaded", ""),
        (1, "a = 5 (was 100)", 0),
        (2, "on = 3 (was 4)", 1),
    ]
    assert [row[4] for row in reply.show.rows] == pytest.approx([550, 236.5, 181.5])
    assert do(debugger, "runs 1").data == 1
    assert debugger.chosen == 1
    assert do(debugger, "run 2").data == 2


def test_diff_says_where_two_runs_differ_first() -> None:
    debugger = session("three_layer", "set W2[0, 0] = 1")
    data = do(debugger, "diff").data
    assert (data["from"], data["run"], data["forward"]) == (0, 1, "W2")
    assert data["values"][:3] == ["W2", "x2.z", "x2"]
    assert data["backward"] == "E._1"
    assert "W1" in data["gradients"]
    do(debugger, "runs 0")
    do(debugger, "patch x2 local")
    data = do(debugger, "diff 0").data
    assert (data["forward"], data["values"]) == (None, [])
    assert (data["backward"], data["run"]) == ("x2.z", 2)
    data = do(debugger, "diff 2 0").data
    assert (data["from"], data["run"], data["backward"]) == (2, 0, "x2.z")
    assert do(debugger, "diff 1 1").text[1] == "no number differs"


def test_diff_holds_two_gradients_against_each_other() -> None:
    debugger = Debugger(parse(PRODUCT))
    do(debugger, "goto end")
    # ∂E/∂u = k wᵀ = (6, 8), ∂E/∂w = k uᵀ = (2, 4)
    found = do(debugger, "diff u.grad w.grad.T")
    assert found.text == (
        "u.grad → w.grad.T",
        "2 of 2 elements differ",
        "the largest difference is 4, at [0, 0]: 6 → 2",
    )
    assert found.data["factor"] is None
    assert do(debugger, "diff u.grad u.grad").text[1:] == ("no number differs",)
    assert do(debugger, "diff w w.grad * 2").text[0] == "w → w.grad * 2"
    assert do(debugger, "diff u w.grad.T").text[-1] == "w.grad.T = 2 × u"
    assert "diff u.grad w.grad.T" in str(debugger.execute("diff u.grad w.grad").error)
    assert "nothing is called 'v'" in str(debugger.execute("diff u v").error)


def test_diff_has_the_largest_difference_of_each_node() -> None:
    debugger = session("xor", "set W1[1, 2] = 0")
    table = do(debugger, "diff").show
    quantity, name, before, after, index, size = table.rows[0]
    assert (quantity, name, index, size) == ("value", "W1", (1, 2), 0.3)
    assert (before[1, 2], after[1, 2]) == (-0.3, 0.0)


def test_differences_know_nan_none_and_infinity() -> None:
    debugger = session("xor", "set b2 = nan", "set b2 = nan")
    assert debugger.execute("diff").text[1] == "no number differs"
    do(debugger, "runs 0")
    do(debugger, "set b2 = inf")
    found = compare(debugger.runs[0].timeline.trace(0).run, debugger.trace.run)
    assert found.values[0].size == np.inf
    do(debugger, "runs 0")
    do(debugger, "detach b2")
    found = compare(debugger.runs[0].timeline.trace(0).run, debugger.trace.run)
    assert not found.values
    assert [d.name for d in found.gradients] == ["b2"]
    assert found.gradients[0].after is None


# ------------------------------------------------------------------------- training


def test_train_goes_on_and_beyond_the_number_of_the_file() -> None:
    debugger = session("xor", "goto h")
    reply = do(debugger, "train 10")
    assert debugger.place == Place(10, 0)
    assert reply.data["from"] == 0
    assert reply.data["loss"][0] == pytest.approx(0.272337032187)
    assert debugger.timeline.iterations == 300
    do(debugger, "tr 1000")
    assert (debugger.place, debugger.timeline.iterations) == (Place(1010, 0), 1011)
    do(debugger, "train")
    assert debugger.place == Place(1011, 0)
    do(debugger, "back")
    assert debugger.place == Place(1010, 0)
    assert "is not a count" in str(debugger.execute("train -1").error)
    assert "at most 1000000000 are" in str(debugger.execute("train 1000000000").error)


def test_xor_learns_by_a_command() -> None:
    debugger = session("xor", "train 300", "goto end")
    do(debugger, "assert E < 0.005")
    do(debugger, "assert all((a > 0.5) == [[False], [True], [True], [False]])")


def test_info_iterations_is_what_has_run() -> None:
    debugger = session("xor", "train 7")
    table = do(debugger, "info iterations").show
    assert table.columns == (
        "iteration",
        "E",
        *(f"‖{name}.grad‖" for name in ("W1", "b1", "W2", "b2")),
    )
    assert [row[0] for row in table.rows] == list(range(8))
    gradient = debugger.trace.run.gradient(debugger.graph.node("W1").index)
    assert gradient is not None
    assert table.rows[7][2] == pytest.approx(np.linalg.norm(gradient))


def test_info_updates_opens_the_updates_of_this_iteration() -> None:
    text = load("xor").path
    assert text is not None
    adam = text.read_text("utf-8").replace('"sgd"', '"adam"')
    debugger = Debugger(parse(adam))
    do(debugger, "goto 2:start")
    table = do(debugger, "info updates").show
    assert table.title.endswith("(√(v / (1 − β₂ᵗ)) + ε)")
    assert table.columns[:4] == ("parameter", "value", "gradient", "rate")
    assert table.columns[4:] == ("m", "v", "next m", "next v", "next value")
    assert [row[0] for row in table.rows] == ["W1", "b1", "W2", "b2"]
    do(debugger, "goto 3:start")
    assert do(debugger, "print W2").data.tolist() == table.rows[2][-1].tolist()
    reply = session("apple_orange").execute("info updates")
    assert "nothing is updated" in str(reply.error)


def test_a_parameter_is_not_set_behind_its_update() -> None:
    debugger = session("xor", "goto 3:end")
    reply = debugger.execute("set W1 = 0")
    assert "W1 is updated already at this position; goto 3:start" in str(reply.error)
    do(debugger, "goto 4:start")
    do(debugger, "set W1 = 0")
    assert debugger.branch.text == "W1 = 0, in iteration 4"
    assert shown(debugger, "W1 @ [1, 1, 1, 1]") != [0, 0]  # at the end it is updated
    do(debugger, "goto 4:start")
    assert do(debugger, "print all(W1 == 0)").data is True


def test_changes_go_on_in_the_iterations_that_follow() -> None:
    debugger = session("xor", "train 2", "patch h local", "train 3")
    assert debugger.timeline.patches(5).rules
    assert not debugger.timeline.patches(1).rules
    assert do(debugger, "diff").data["forward"] == "W1"


def test_diff_of_an_iteration_that_is_not_there() -> None:
    debugger = session("xor", "patch h local", "train 400")
    reply = debugger.execute("diff")
    assert "run 0 has no iteration 400; 0 … 299 are there" in str(reply.error)


@pytest.mark.parametrize("interrupt", [Interrupted, KeyboardInterrupt])
def test_interrupting_training_keeps_what_was_done(
    interrupt: type[BaseException],
) -> None:
    def stop(done: int, _of: int) -> None:
        if done == 50:
            raise interrupt

    debugger = Debugger(load("xor"), progress=stop)
    reply = debugger.execute("train 200")
    assert reply.error is not None
    assert "what was done is kept" in reply.error
    assert debugger.place == Place(50, 0)
    debugger.progress = lambda done, of: None
    do(debugger, "train 150")
    assert debugger.place == Place(200, 0)


# ----------------------------------------------------------------------------- laws

_CHANGES = st.sampled_from(
    [
        "set W1[0, 0] = 1",
        "set W2.grad[0, 0] = 3",
        "set h = 0.5",
        "set a.grad = E",
        "detach h._2<-b1",
        "detach X",
        "patch h local",
        "patch E mean",
        "patch h._2 batch",
        "patch a in-place",
        "train 2",
        "goto end",
        "goto 50%",
        "goto 0:start",
        "undo",
        "redo",
        "runs 0",
    ]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(_CHANGES, max_size=10))
def test_a_changed_run_is_what_it_would_be_from_the_beginning(lines: list[str]) -> None:
    debugger = session("xor")
    debugger.execute("goto E")
    for line in lines:
        before = [branch.timeline.trace(0).run for branch in debugger.runs]
        debugger.execute(line)
        assert 0 <= debugger.position <= len(debugger.trace)
        for branch, old in zip(debugger.runs, before, strict=False):
            new = branch.timeline.trace(0).run
            assert not compare(old, new)
    run = debugger.trace.run
    scratch = evaluate(run.graph, run.leaves, run.seed, run.patches)
    assert not compare(run, scratch)


def test_undo_returns_to_where_the_change_was_made() -> None:
    debugger = session("apple_orange", "goto 6", "set a = 2", "goto end", "undo")
    assert debugger.position == 6
    assert do(debugger, "back").position == 13
    assert do(debugger, "redo").ok
    assert debugger.chosen == 1


def test_numbers_that_differ_read_differently_in_the_table_of_differences() -> None:
    text = "gradstep = 1\nprogram = 'y = x * x'\n[inputs]\nx = 3\n"
    debugger = Debugger(parse(text))
    assert debugger.execute("set x = 3.0000001").ok
    table = debugger.execute("diff").show
    assert isinstance(table, Table)
    # y = x² and x.grad = 2 x, by hand.
    assert [row[1:4] for row in table.rows] == [
        ("x", "3", "3.0000001"),
        ("y", "9", "9.000001"),  # 9.0000006, in seven digits
        ("x", "6", "6.0000002"),
    ]

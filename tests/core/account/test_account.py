"""Somebody else's wrong rule is told once, where it is; what follows from it is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradstep.core.account.account import Account, account
from gradstep.core.account.blame import account_lines
from gradstep.core.capture.capture import Capture
from gradstep.core.capture.opaque import opaque
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.graph import Builder, Edge
from gradstep.core.engine.patches import NO_PATCHES, Patches
from gradstep.core.engine.subject import Claims, Subject
from gradstep.core.engine.trace import Trace
from gradstep.core.mistakes.catalogue import MISTAKES
from gradstep.core.ops import OPS
from gradstep.core.scenario.builtin import builtin_names
from made_captures import captured, in_two_files

if TYPE_CHECKING:
    from gradstep.core.engine.run import Run
    from gradstep.core.ops.table import Value


def gradients(run: Run) -> dict[int, Value]:
    pairs = enumerate(run.gradients)
    return {k: np.asarray(one)[()] for k, one in pairs if one is not None}


def held(capture: Capture) -> Account:
    subject = capture.opened().subject
    assert subject.claims is not None
    return account(subject.run(), subject.claims)


def told(capture: Capture) -> list[str]:
    return list(account_lines(held(capture)))


def names(found: Account) -> list[list[str]]:
    nodes = found.run.graph.nodes
    return [[nodes[one.node].name for one in rule] for rule in found.rules()]


@pytest.mark.parametrize("name", builtin_names())
def test_right_gradients_have_no_findings(name: str) -> None:
    for custom in (captured(name), replace(captured(name), custom={})):
        found = held(custom)
        assert found.ok
        assert not found.findings
    assert found.compared


@pytest.mark.parametrize("name", ["three_layer_batch", "attention", "two_layer_net"])
def test_a_mistake_at_any_edge_is_found_there_and_only_there(name: str) -> None:
    capture = captured(name)
    run = capture.subject.run()
    trace, graph = Trace(run), run.graph
    tried = by_name = 0
    for edge in graph.carrying:
        for mistake in MISTAKES.values():
            try:
                patches = mistake.make(trace, edge, NO_PATCHES)
            except ValueError:
                continue
            wrong = run.patched(patches)
            one, other = run.gradient(edge.operand), wrong.gradient(edge.operand)
            assert one is not None
            assert other is not None
            if patches.in_place or np.allclose(one, other, rtol=1e-6):
                continue
            found = held(replace(capture, own=gradients(wrong), custom={}))
            assert names(found) == [[graph.nodes[edge.operand].name]]
            lines = "\n".join(account_lines(found))
            by_name += mistake.name in lines or mistake.summary in lines
            tried += 1
    assert tried > 5
    assert by_name >= 0.85 * tried


@pytest.mark.parametrize(
    ("times", "says"),
    [
        (2, "that is twice the right one"),
        (-1, "exactly so if the sign is wrong: patch h<-net.0.weight sign"),
        (0, "that is nothing"),
        (3, "that is 3 times the right one"),
        (0.25, "that is 1/4 of the right one"),
        (0.7, "that is 0.7 times the right one"),
    ],
)
def test_a_constant_factor_is_told(times: float, says: str) -> None:
    capture = in_two_files()
    run = capture.subject.run()
    weight = run.gradient(1)
    assert weight is not None
    lines = told(replace(capture, own={**capture.own, 1: weight * times}, custom={}))
    assert lines[0] == (
        "wrong: matmul at h (train.py:2): what it sends to net.0.weight differs from "
        "the derivative"
    )
    assert says in lines[2]
    assert lines[-1] == "✗ 1 rule wrong, of 7 gradients of numpy 2.4.6 compared"


@pytest.mark.parametrize(
    ("times", "says"),
    [
        (2, "that is the right one with the term of b<-x counted twice"),
        (0, "exactly so if one route is left out: patch b<-x route"),
        (-1, "exactly so if the sign is wrong: patch b<-x sign"),
    ],
)
def test_one_term_of_several_is_told(times: int, says: str) -> None:
    build = Builder()
    x = build.leaf("x", "input", (3,))
    a = build.apply(OPS["tanh"], (x,), name="a")
    b = build.apply(OPS["exp"], (x,), name="b")
    c = build.apply(OPS["sin"], (x,), name="c")
    ab = build.apply(OPS["multiply"], (a, b), name="ab")
    abc = build.apply(OPS["multiply"], (ab, c), name="abc")
    loss = build.apply(OPS["sum"], (abc,), name="loss")
    value = np.array([0.3, -0.7, 1.1])
    subject = Subject("terms", build.finish(loss), {x: value})
    run = subject.run()
    through_b = np.tanh(value) * np.sin(value) * np.exp(value)
    right = run.gradient(x)
    assert right is not None
    own = {**gradients(run), x: right + (times - 1) * through_b}
    claims = Claims(own, "the book")
    lines = list(account_lines(account(run, claims)))
    assert lines[0].startswith("wrong: one of 3 uses of x: what it sends to x differs")
    assert lines[2].strip() == says


def with_rule(frame: str, wrong: Patches) -> Capture:
    """Return a capture whose calls of `frame` have a wrong rule, told as the author's.

    Inside of the call there are no gradients, as with PyTorch.
    """
    capture = captured()
    run = capture.subject.run()
    graph = run.graph
    call = next(one for one in graph.frames if one.name == frame)
    own = gradients(run.patched(wrong))
    own = {k: v for k, v in own.items() if not call.first <= k < call.stop - 1}
    custom = {call.index: "Layer.backward (train.py:3)"}
    return replace(capture, own=own, custom=custom)


def test_a_rule_of_the_authors_is_named_once_for_all_that_it_sends_wrongly() -> None:
    run = captured().subject.run()
    graph = run.graph
    inner = graph.names["h._1"]
    scaled = Patches(gradients={inner: np.asarray(run.gradients[inner]) * 1.5})
    found = held(with_rule("h", scaled))
    assert sorted(map(sorted, names(found))) == [["W1", "x"]]
    lines = list(account_lines(found))
    assert lines[0] == (
        "wrong: Layer.backward (train.py:3): what it sends to W1, x differs from the "
        "derivative"
    ) or lines[0].startswith("wrong: Layer.backward (train.py:3): what it sends to x")
    assert lines[-1].startswith("✗ 1 rule wrong")


def test_a_classic_mistake_inside_of_an_authors_rule_is_named() -> None:
    run = captured().subject.run()
    graph = run.graph
    edge = Edge(graph.names["h"], 0, graph.names["h._1"])
    forgotten = MISTAKES["local"].make(Trace(run), edge, NO_PATCHES)
    lines = list(account_lines(held(with_rule("h", forgotten))))
    assert "exactly so if the local derivative is forgotten: patch h<-h._1 local" in (
        line.strip().partition("   ")[0] for line in lines
    )


def test_what_differs_on_purpose_is_told_apart_and_fails_nothing() -> None:
    run = captured().subject.run()
    inner = run.graph.names["h._1"]
    wrong = Patches(gradients={inner: np.asarray(run.gradients[inner]) * 1.5})
    debugger = Debugger(with_rule("h", wrong).opened().subject)
    assert debugger.execute("rules").failed
    for name in ("Layer", "Layer.backward"):
        reply = debugger.execute(f"rules {name}")
        assert not reply.failed
        assert reply.data["rules"][0]["verdict"] == "purpose"
        assert reply.text[0].startswith("differs on purpose: Layer.backward")
    reply = debugger.execute("rules Layre")
    assert not reply.ok
    assert "did you mean 'Layer'?" in str(reply.error)


def test_a_users_hook_is_told_as_a_hook() -> None:
    capture = in_two_files()
    run = capture.subject.run()
    right = run.gradient(3)
    assert right is not None
    # What goes on behind the hook is ten times what arrives there.
    own = {**gradients(run.patched(Patches(gradients={3: right * 10}))), 3: right}
    hooked = {3: "train.py:4"}
    lines = told(replace(capture, own=own, hooked=hooked, custom={}))
    assert lines[0] == "changed by a hook: the gradient of h, at train.py:4"
    assert lines[-1] == "✓ no rule is wrong: 7 gradients of numpy 2.4.6 compared"


def opaque_capture(own: dict[int, Any]) -> Capture:
    build = Builder()
    w = build.leaf("w", "parameter", (3,))
    x = build.apply(OPS["tanh"], (w,), name="x")
    y = build.apply(opaque("kernel", 1), (x,), name="y", shape=(3,))
    z = build.apply(OPS["multiply"], (y, x), name="z")
    loss = build.apply(OPS["sum"], (z,), name="loss")
    value = np.array([0.1, 0.2, 0.3])
    t = np.tanh(value)
    subject = Subject("opaque", build.finish(loss), {w: value})
    values = {x: t, y: 2 * t, z: 2 * t * t, loss: np.sum(2 * t * t)}
    about = captured().about
    return Capture(subject, values, own, about)


def test_behind_an_operation_without_a_rule_nothing_is_blamed() -> None:
    t = np.tanh([0.1, 0.2, 0.3])
    # kernel doubles, so x gets 2·x from it and 2·x from the product.
    right = {0: 4 * t * (1 - t * t), 1: 4 * t, 2: t, 3: np.ones(3), 4: np.float64(1)}
    lines = told(opaque_capture(right))
    assert lines[0].startswith("not compared: the gradient of x")
    assert lines[-2:] == [
        "✓ no rule is wrong: 4 gradients of numpy 2.4.6 compared",
        "1 gradient behind operations without a rule",
    ]
    # tanh's own rule is compared again, with their upstream.
    found = held(opaque_capture({**right, 0: 4 * t}))
    assert names(found) == [["x"], ["w"]]
    assert [rule[0].verdict for rule in found.rules()] == ["opaque", "differs"]


def test_where_none_is_theirs_ours_goes_on() -> None:
    capture = in_two_files()
    run = capture.subject.run()
    weight = run.gradient(1)
    assert weight is not None
    assert told(replace(capture, own={1: weight}, custom={})) == [
        "✓ no rule is wrong: 1 gradient of numpy 2.4.6 compared"
    ]
    found = held(replace(capture, own={1: weight + 0.5}, custom={}))
    assert names(found) == [["net.0.weight"]]


def test_a_gradient_that_nothing_sends_is_wrong() -> None:
    build = Builder()
    x = build.leaf("x", "input", (2,))
    s = build.apply(OPS["stop_gradient"], (x,), name="s")
    w = build.leaf("w", "parameter", (2,))
    y = build.apply(OPS["multiply"], (s, w), name="y")
    loss = build.apply(OPS["sum"], (y,), name="loss")
    leaves = {x: np.ones(2), w: np.ones(2)}
    run = Subject("stopped", build.finish(loss), leaves).run()
    found = account(run, Claims({**gradients(run), x: np.ones(2)}, "you"))
    assert (
        next(account_lines(found)) == "wrong: x gets a gradient, and nothing sends one"
    )


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_rounding_of_another_library_is_no_finding(dtype: str) -> None:
    capture = captured("attention")
    run = capture.subject.run()
    rounded = {
        index: np.asarray(one).astype(dtype)[()]
        for index, one in gradients(run).items()
    }
    found = account(run, Claims(rounded, "torch"))
    assert found.ok
    assert found.compared == len(rounded)


@pytest.mark.parametrize("name", ["gelu", "silu", "tanh", "softplus", "sigmoid", "sin"])
def test_a_slope_near_zero_is_rounded_as_its_terms_are(name: str) -> None:
    x = np.random.default_rng(1).normal(0, 2, 10_000)
    build = Builder()
    leaf = build.leaf("x", "input", x.shape)
    y = build.apply(OPS[name], (leaf,), name="y")
    loss = build.apply(OPS["sum"], (y,), name="loss")
    graph = build.finish(loss)
    exact = Subject("exact", graph, {leaf: x.astype(np.float32).astype(np.float64)})
    own = {
        index: np.asarray(one).astype(np.float32)[()]
        for index, one in gradients(exact.run()).items()
    }
    run = Subject("short", graph, {leaf: x.astype(np.float32)}).run()
    assert account(run, Claims(own, "torch")).ok
    slope = np.array(own[leaf])
    slope[17] += 1e-3
    found = account(run, Claims({**own, leaf: slope}, "torch"))
    assert [one.element for one in found.findings] == [(17,)]


def test_two_calls_of_one_rule_are_one_finding() -> None:
    found = held(replace(captured("three_layer"), custom={}))
    graph, claims = found.run.graph, found.claims
    frames = [one for one in graph.frames if one.function == "layer"]
    assert len(frames) == 3
    weights = [graph.names[name] for name in ("W3", "W2")]
    own = {**claims.own, **{k: 2 * np.asarray(claims.own[k]) for k in weights}}
    custom = {one.index: "Layer.backward (net.py:3)" for one in frames}
    wrong = account(found.run, claims._replace(own=own, custom=custom))
    heads = [line for line in account_lines(wrong) if line.startswith("wrong")]
    [head] = heads
    assert head.startswith("wrong: Layer.backward (net.py:3): what it sends to W3, W2 ")


def test_without_somebody_elses_gradients_there_is_nothing_to_hold() -> None:
    reply = Debugger(captured().subject).execute("rules")
    assert "there are no gradients to be held to account" in str(reply.error)

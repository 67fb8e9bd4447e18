"""The graph as DOT: complete, nested like its frames, and safe."""

import re
import shutil
import subprocess

import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.run import evaluate
from gradstep.core.export.dot import dot
from gradstep.core.scenario.scenario import (
    Scenario,
    builtin_names,
    load,
    parse,
)

EVIL = 'a "quote" \\" \\N <b> ]; } digraph { \x1b[31m'


def dot_of(scenario: Scenario) -> str:
    run = scenario.subject.run()
    return dot(scenario.subject.title, run)


def drawn(text: str) -> None:
    program = shutil.which("dot")
    if program is None:
        pytest.skip("Graphviz is not installed")
    done = subprocess.run(
        [program, "-Tplain"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def without_strings(text: str) -> str:
    return re.sub(r'"(?:\\.|[^"\\])*"', '""', text)


@pytest.mark.parametrize("name", builtin_names())
def test_every_node_and_every_edge_is_there_once(name: str) -> None:
    scenario = load(name)
    text = dot_of(scenario)
    nodes = re.findall(r"^ *n(\d+) \[", text, re.MULTILINE)
    edges = re.findall(r"^ *n(\d+) -> n(\d+)", text, re.MULTILINE)
    graph = scenario.subject.graph
    assert sorted(map(int, nodes)) == list(range(len(graph)))
    expected = [(k, node.index) for node in graph for k in node.operands]
    assert [(int(a), int(b)) for a, b in edges] == expected
    bare = without_strings(text)
    assert bare.count("{") == bare.count("}") == len(graph.frames)


def test_frames_are_clusters_inside_of_each_other() -> None:
    scenario = parse(
        "gradstep = 1\nprogram = '''\ndef f(x):\n    return sin(x)\n"
        "def g(x):\n    a = f(x) * 2\n    return f(a)\ny = g(x) + f(x)\n'''\n"
        "[inputs]\nx = 1.0"
    )
    text = without_strings(dot_of(scenario))
    assert re.search(r"cluster_\d+ \{[^}]*cluster_\d+ \{", text)


def test_nodes_tell_operation_shape_value_and_gradient() -> None:
    text = dot_of(load("three_layer"))
    assert r'"W1\nparameter (5, 4)\nvalue -0.6 … 0.6\ngradient -0.003116' in text
    assert r'"t\nconstant (2, 1)\nvalue 0 … 1, 1 zero\nno gradient"' in text


def test_an_edge_without_a_gradient_is_dashed() -> None:
    debugger = Debugger(load("apple_orange"))
    assert "dashed" not in dot("", debugger.trace.run)
    assert debugger.execute("detach oz<-on").ok
    assert dot("", debugger.trace.run).count("[style=dashed]") == 1


@pytest.mark.parametrize("name", ["attention", "two_layer_net"])
def test_graphviz_reads_it(name: str) -> None:
    drawn(dot_of(load(name)))


def test_text_of_others_stays_inside_its_quotes() -> None:
    scenario = parse("gradstep = 1\nprogram = 'y = x'\ninputs.x = nan")
    text = dot(EVIL, evaluate(scenario.subject.graph, scenario.subject.leaves))
    assert without_strings(text).count("digraph") == 1
    assert "\x1b" not in text
    drawn(text)

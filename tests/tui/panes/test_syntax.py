"""The colours of a program: what a character is, and what the step makes of it."""

from pathlib import Path

import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import builtin_names, load, parse
from gradstep.core.session.steps import place_of
from gradstep.tui.panes.program import calls_of, nearest_frames, present_line
from gradstep.tui.panes.syntax import Kinds, roles_of

# Of the line: what is upstream, what is local, what is the contribution.
STEPS = [
    ("three_layer", "x2.z@backward", ("z", "@"), ("W",), ("x",)),
    ("three_layer", "node:x2@backward", ("sigmoid(", ")"), (), ("z",)),
    ("three_layer", "E._1@backward", ("-",), (), ("x3",)),
    ("three_layer", "x2.z", (), (), ("z", "@")),
]


def parts(name: str, at: str, role: str) -> tuple[str, ...]:
    """Return what stands in the colour of a matrix, in the line of a step."""
    debugger = Debugger(load(name))
    assert debugger.execute(f"goto {at}").ok
    trace, position = debugger.trace, debugger.position
    _, number = present_line(trace, position)
    line = debugger.graph.sources[debugger.graph.main].text.splitlines()[number - 1]
    inks: list[str | None] = [None] * len(line)
    for start, stop, there in roles_of(debugger.graph, trace.event(position - 1), line):
        inks[start:stop] = [there] * (stop - start)
    shown = "".join(c if i == role else " " for c, i in zip(line, inks, strict=True))
    return tuple(shown.split())


@pytest.mark.parametrize(("name", "at", "up", "local", "made"), STEPS)
def test_the_operands_of_a_step_have_the_colours_of_its_matrices(
    name: str,
    at: str,
    up: tuple[str, ...],
    local: tuple[str, ...],
    made: tuple[str, ...],
) -> None:
    assert parts(name, at, "upstream") == up
    assert parts(name, at, "local") == local
    assert parts(name, at, "contribution") == made


@pytest.mark.parametrize("name", builtin_names())
def test_every_part_lies_in_its_line(name: str) -> None:
    debugger = Debugger(load(name))
    trace, graph = debugger.trace, debugger.graph
    for place in range(1, len(trace) + 1):
        source, number = present_line(trace, place)
        lines = graph.sources[source].text.splitlines()
        if not number:
            continue
        line = lines[number - 1]
        for start, stop, _ in roles_of(graph, trace.event(place - 1), line):
            assert 0 <= start < stop <= len(line)
            assert line[start:stop].strip()


def test_what_is_no_program_has_no_colours() -> None:
    assert list(Kinds("(a")) == [["code", "code"]]
    assert list(Kinds("")) == []
    assert set(Kinds("no 'program\n  at all")[1]) == {"code"}


def test_a_line_is_read_when_it_is_seen_and_not_before() -> None:
    text = "\n".join(f"y{n} = tanh(x, {n})" for n in range(500))
    later, sooner = Kinds(text), Kinds(text)
    assert list(later)[499] == sooner[499]
    assert sooner[7] == later[7]
    assert Kinds(text)[3:5] == [later[3], later[4]]
    broken = Kinds(text + "\n (")
    assert [broken[n] for n in (0, 499)] == [later[0], later[499]]


CALLS = """
gradstep = 1
program = '''
def same(x):
    return x
def twice(x):
    y = same(x)
    return same(y) + y
a = same(w)
b = twice(a)
c = tanh(b) * b
d = twice(twice(same(same(c))))
L = sigmoid(same(d))
'''
[parameters]
w = 0.5
"""


def test_the_lines_of_a_function_speak_of_its_nearest_call() -> None:
    graph = Debugger(parse(CALLS, source="test")).graph
    found: dict[tuple[str, str], list[list[int]]] = {}
    for frame in graph.frames[1:]:
        far = [max(frame.first - n, n - frame.stop + 1, 0) for n in range(len(graph))]
        found.setdefault((frame.source, frame.function), []).append([frame.index, *far])
    assert {name for _, name in found} == {"same", "twice"}
    calls = calls_of(graph)
    for node in range(len(graph)):
        near = {k: min(one, key=lambda f: f[node + 1])[0] for k, one in found.items()}
        seen = nearest_frames(calls, node)
        assert {key: frame.index for key, frame in seen.items()} == near


def test_of_a_library_the_line_that_calls_it_is_shown() -> None:
    """PyTorch's container.py is kept as the one line that was executed."""
    found = load(str(Path(__file__).parents[2] / "captures" / "mlp.gradstep"))
    debugger = Debugger(found)
    trace, graph = debugger.trace, debugger.graph
    inside = "torch/nn/modules/container.py"
    assert sum(map(bool, graph.sources[inside].text.splitlines())) == 1
    shown, hidden = set[tuple[str, int]](), 0
    for place in range(1, len(trace) + 1):
        event = trace.event(place - 1)
        frame = graph.frame_of(graph.nodes[place_of(event)])
        if frame is None:
            continue
        shown.add(present_line(trace, place))
        hidden += frame.source == inside
    # tanh(fc1(x)), h + body(h) twice, fc2(h), and the loss
    assert shown == {("mlp.py", line) for line in (19, 21, 22, 32)}
    assert hidden > 10

"""Scenario files: what they say, and what is said of those that are wrong."""

import os
import re
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.base.errors import InputError, Problem, ScenarioError
from gradstep.core.base.limits import LIMITS
from gradstep.core.engine.subject import NotePlace
from gradstep.core.scenario.scenario import (
    Scenario,
    builtin_names,
    load,
    parse,
    starter,
)

BASE = '''\
gradstep = 1
program = """
h = tanh(W @ x)
y = sum(h * m)
"""
[inputs]
x = [1, 2]
[parameters]
W = [[1, 2], [3, 4]]
[constants]
m = [0.5, 1.5]
'''


def wrong(text: str, path: Path | None = None) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse(text, source="f", path=path)
    return [str(problem) for problem in caught.value.problems]


def node(scenario: Scenario, name: str) -> int:
    return scenario.subject.graph.node(name).index


# ----------------------------------------------------------------- what a file says


def test_a_scenario_is_what_its_file_says() -> None:
    scenario = parse(
        BASE.replace(
            "gradstep = 1",
            'gradstep = 1\ntitle = "A  title"\norder = 2\n'
            'summary = """\nTwo\nlines"""\ngroup = "networks"\nconvention = "columns"',
        )
        + '[names]\n"δ" = "h._1.grad"\n'
        '[notes]\nstart = "one"\n"forward h" = "two"\n"backward y" = "three"\n'
        '"update W" = "four"\n'
        "[expect]\ny = 1\n'W.grad' = { value = 0, atol = 9.5 }\nx = [1, 2]\n",
        source="lessons/f.toml",
        path=Path("lessons/f.toml"),
    )
    assert (scenario.subject.name, scenario.subject.title, scenario.group) == (
        "f",
        "A title",
        "networks",
    )
    assert (scenario.subject.summary, scenario.order) == ("Two\nlines", 2)
    assert (scenario.subject.convention, scenario.subject.dtype) == (
        "columns",
        "float64",
    )
    assert scenario.subject.names == {"δ": "h._1.grad"}
    assert scenario.subject.notes == {
        NotePlace("start"): "one",
        NotePlace("forward", node(scenario, "h")): "two",
        NotePlace("backward", node(scenario, "y")): "three",
        NotePlace("update", node(scenario, "W")): "four",
    }
    first, second, third = scenario.expect
    assert (first.name, first.node, first.gradient) == ("y", node(scenario, "y"), False)
    assert (first.rtol, first.atol) == (1e-9, 1e-12)
    assert (second.name, second.gradient, second.atol) == ("W.grad", True, 9.5)
    assert second.value.tolist() == [[0, 0], [0, 0]]
    assert third.value.tolist() == [1, 2]
    run = scenario.subject.run()
    assert run.value(node(scenario, "m")).tolist() == [0.5, 1.5]
    assert scenario.training is None


def test_the_starter_runs() -> None:
    scenario = parse(starter())
    run = scenario.subject.run()
    for expectation in scenario.expect:
        found = run.gradient if expectation.gradient else run.value
        got = found(expectation.node)
        assert got is not None
        assert np.allclose(
            got, expectation.value, rtol=expectation.rtol, atol=expectation.atol
        )


def test_what_the_starter_leaves_out_can_be_put_in() -> None:
    lines = [
        "[training]",
        'batch = { of = ["x", "t"], axis = 1, size = 1, order = "sequential" }',
        'group = "networks"',
        'output = "E"',
        'dtype = "float32"',
        'W = { random = "glorot", shape = [3, 2], seed = 1 }',
        "W = { value = [1, 2, 3, 4], shape = [2, 2] }",
    ]
    for line in lines:
        pattern = rf"(?m)^(?:# )?{re.escape(line)}"
        text, count = re.subn(pattern, line.replace("\\", r"\\"), starter())
        assert count == 1
        parse(text)


def test_every_built_in_scenario_loads() -> None:
    assert "apple_orange" in builtin_names()
    for name in builtin_names():
        assert load(name).subject.name == name


def test_a_file_is_loaded_with_the_files_beside_it(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.ones((2, 2)))
    path = tmp_path / "lesson.toml"
    text = BASE.replace("[[1, 2], [3, 4]]", '{ file = "w.npy" }')
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    scenario = load(path)
    assert scenario.subject.name == "lesson"
    assert scenario.path == path
    assert np.array_equal(scenario.subject.leaves[node(scenario, "W")], np.ones((2, 2)))
    assert load(str(path)).subject.title == "lesson"


def test_a_seed_enters_at_the_output() -> None:
    text = BASE.replace("y = sum(h * m)", "y = h * m")
    scenario = parse(text + "[seed]\ny = [1, 2]\n")
    seed = scenario.subject.seed
    assert isinstance(seed, np.ndarray)
    assert seed.tolist() == [1, 2]
    assert seed.dtype == np.float64
    assert parse(BASE).subject.seed is None
    assert parse(BASE + "[seed]\ny = 2\n").subject.seed == 2


def test_the_output_can_be_chosen() -> None:
    scenario = parse('output = "k"\n' + BASE.replace("y =", "k = 2 * sum(x)\ny ="))
    assert scenario.subject.graph.nodes[scenario.subject.graph.output].name == "k"


def test_all_numbers_are_of_the_dtype() -> None:
    scenario = parse('dtype = "float32"\n' + BASE)
    run = scenario.subject.run()
    assert {run.value(k).dtype for k in range(len(scenario.subject.graph))} == {
        np.dtype(np.float32)
    }


TRAINING = BASE.replace("[1, 2]\n", "[[1, 2, 3], [4, 5, 6]]\n", 1).replace(
    "m = [0.5, 1.5]", "m = [[0.5], [1.5]]"
)


def test_training_settings() -> None:
    training = parse(BASE + "[training]\n").training
    assert training is not None
    assert (training.optimizer, training.iterations) == ("sgd", 100)
    assert (training.learning_rate, training.batch) == ({"W": 0.01}, None)
    scenario = parse(
        TRAINING + '[training]\noptimizer = "adam"\nbeta1 = 0.5\niterations = 7\n'
        "learning_rate = { W = [[0.1, 0.2]] }\n"
        'batch = { of = ["x"], axis = 1, size = 2, order = "shuffled", seed = 3 }\n'
    )
    training, small = scenario.training, scenario.batch_program
    assert training is not None
    assert small is not None
    assert scenario.subject.graph.node("h").shape == (2, 3)
    assert small.graph.node("h").shape == (2, 2)
    assert training.hyper == {"beta1": 0.5, "beta2": 0.999, "epsilon": 1e-8}
    assert np.array_equal(training.learning_rate["W"], [[0.1, 0.2]])
    batch = training.batch
    assert batch is not None
    assert (batch.of, batch.axis, batch.size, batch.samples) == (("x",), 1, 2, 3)
    assert (batch.order, batch.seed) == ("shuffled", 3)


def test_a_batch_must_have_the_shape_of_the_output() -> None:
    text = TRAINING.replace("y = sum(h * m)", "y = h * m")
    text += "[seed]\ny = { ones = [2, 3] }\n[training]\n"
    (problem,) = wrong(text + "batch = { of = ['x'], axis = 1, size = 2 }\n")
    assert problem == (
        "f:15:9: the program does not fit a batch of 2; "
        "the output has the shape (2, 3), and there (2, 2)"
    )


# --------------------------------------------------------- what is said of mistakes


LINES = {
    'titel = "a"': "f:1:1: 'titel' is not a key of a scenario; did you mean 'title'?",
    "title = 3": "f:1:9: title is 3; allowed: a text in quotes",
    'dtype = "float65"': "f:1:9: dtype is the text 'float65'; allowed: float64, float3",
    'convention = "row"': "f:1:14: convention is the text 'row'; allowed: rows,",
    "order = 1.5": "f:1:9: order is 1.5; allowed: a whole number, 0 or more",
    'output = "q"': "f:1:10: the output 'q' is not a value of the program",
    "seed = 3": "f:1:8: seed is 3; allowed: a table [seed]",
    "a.b.c = 1": "f:1:1: 'a' is not a key of a scenario",
}
TABLES = {
    "[expct]": "f:12:2: 'expct' is not a key of a scenario; did you mean 'expect'?",
    "[[expect]]": "f:12:3: expect is a list; allowed: a table [expect]",
    "[seed]\nh = 1": "f:13:1: 'h' is not the output; the output is y",
    "[seed]\ny = [1]": "f:13:5: the seed has the shape (1,); the output y has ()",
    "[seed]\ny = true": "f:13:5: the boolean true stands where a number should",
    '[names]\nd = "hh.grad"': "f:13:1: no node is called 'hh'; did you mean 'h'?",
    '[names]\nd = "h"': "f:13:5: 'h' is no gradient; write \"NODE.grad\"",
    '[names]\nd = "m.grad"': "f:13:1: 'm' is a constant, and no gradient flows to it",
    '[names]\nh = "h.grad"': "f:13:1: 'h' is the name of a node already",
    '[names]\n" " = "h.grad"': "f:13:1: '' is no name for a gradient",
    '[names]\nd = "h.grad"\ne = "h.grad"': "f:14:1: h.grad has a name already",
    "[names]\nd = 3": "f:13:5: d is 3; allowed: a text in quotes",
    '[notes]\n"forward z" = ""': "f:13:1: no node is called 'z'",
    '[notes]\n"forwards h" = ""': "f:13:1: 'forwards h' is no place for a note; did yo",
    '[notes]\nmiddle = ""': "f:13:1: 'middle' is no place for a note; allowed: \"forwa",
    '[notes]\n"update x" = ""': "f:13:1: 'x' is no parameter",
    "[notes]\nstart = 1": "f:13:9: start is 1; allowed: a text in quotes",
    "[expect]\nz = 1": "f:13:1: no node is called 'z'",
    '[expect]\n"m.grad" = 1': "f:13:1: 'm' is a constant, and no gradient flows to it",
    "[expect]\nx = [1, 2, 3]": "f:13:5: x has the shape (2,); the value that is expect",
    '[expect]\nx = "a"': "f:13:5: the text 'a' stands where a number should",
    "[expect]\nx = { rtol = 1 }": "f:13:5: the table has no value; give one of value",
    "[expect]\nx = { value = 1, rtol = -1 }": "f:13:25: rtol is -1; allowed: a finite",
    "[expect]\nx = { value = 1, tol = 1 }": "f:13:18: 'tol' is not a key of 'value'",
    '[training]\noptimizer = "sdg"': "f:13:13: optimizer is the text 'sdg'; allowed: s",
    "[training]\nbeta1 = 0.9": "f:13:1: 'beta1' is not a setting of sgd; allowed: batc",
    "[training]\niterations = 0": "f:13:14: iterations is 0; allowed: a whole number,",
    "[training]\niterations = true": "f:13:14: iterations is the boolean true; allowed",
    "[training]\nlearning_rate = -1": "f:13:17: learning_rate is -1; allowed: a number",
    "[training]\nlearning_rate = nan": "f:13:17: learning_rate is nan; allowed: a numb",
    "[training]\nlearning_rate = {}": "f:13:1: the parameter W has no learning rate; W",
    "[training]\nlearning_rate = { W = -1 }": "f:13:23: the learning rate of W is -1",
    "[training]\nlearning_rate = { W = [-1, 1] }": "f:13:23: a learning rate of W is n",
    "[training]\nlearning_rate = { W = [1, 2, 3] }": "f:13:23: the learning rate of W",
    "[training]\nlearning_rate = { W = 1, V = 1 }": "f:13:26: 'V' is not a parameter;",
    "[training]\noptimizer = 'adam'\nbeta2 = 1": "f:14:9: beta2 is 1; allowed: a numbe",
    "[training]\nbatch = 1": "f:13:9: batch is 1; allowed: a table [batch]",
    "[training]\nbatch = {}": "f:13:9: a batch does not say of what; write of = [",
    "[training]\nbatch = { of = ['W'] }": "f:13:17: the text 'W' is no input and no co",
    "[training]\nbatch = { of = ['x', 'x'] }": "f:13:22: 'x' stands twice",
    "[training]\nbatch = { of = ['x'], axis = 1 }": "f:13:30: x has the shape (2,) and",
    "[training]\nbatch = { of = ['x'], size = 3 }": "f:13:30: size is 3, and there are",
    "[training]\nbatch = { of = ['x'], size = 1 }": "f:13:9: the program does not fit",
    "[training]\nbatch = { of = ['x'], size = 2, order = 'shuffled' }": "f:13:9: a shu",
    "[training]\nbatch = { of = ['x'], size = 2, ordr = 'a' }": "f:13:33: 'ordr' is no",
}


@pytest.mark.parametrize("line", LINES)
def test_a_wrong_key_has_its_place(line: str) -> None:
    (problem,) = wrong(f"{line}\n{BASE}")
    assert problem.startswith(LINES[line])


@pytest.mark.parametrize("table", TABLES)
def test_a_wrong_table_has_its_place(table: str) -> None:
    (problem,) = wrong(f"{BASE}{table}\n")
    assert problem.startswith(TABLES[table])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("tanh(W", "tahn(W", "f:3:5: there is no function tahn; did you mean 'tanh'?"),
        ("x = [1, 2]", "x = [1, 2, 3]", "f:3:10: "),
        ("x = [1, 2]", "x = [[1], 2]", "f:7:11: 2 stands where a list of 1 should"),
        ("x = ", "lambda = 1\nx = ", "f:7:1: 'lambda' is no name"),
        ("x = ", '"a b" = 1\nx = ', "f:7:1: 'a b' is no name"),
        ("x = ", f"{'k' * 300} = 1\nx = ", "f:7:1: the name has 300 characters"),
        ("\nm = ", "\nx = 1\nm = ", "f:11:1: 'x' stands in [inputs] already; keep one"),
        (
            "x = ",
            'output = "y"\nx = ',
            "f:7:1: 'output' belongs above the first [table]",
        ),
        (
            "sum(h * m)",
            "h * m",
            "f:2:11: the output y has the shape (2,), not one number; say which ",
        ),
        ("gradstep = 1\n", "", "f:1:1: the version of the format is missing; write"),
        ("gradstep = 1\n", "gradstep = 2\n", "f:1:12: the file is in version 2 of the"),
        ("gradstep = 1\n", "gradstep = true\n", "f:1:12: gradstep is the boolean true"),
        ("gradstep = 1\n", 'gradstep = "1"\n', "f:1:12: gradstep is the text '1'"),
        ("m = [", "m = [[", "f:12:1: not TOML: "),
        ("x = [1, 2]", "x = 1\nx = 2", "f:8:6: not TOML: Cannot overwrite a value"),
        ("x = ", "x = 1\x00", "f:7:6: not TOML: "),
        ("x = ", "x = " + "9" * 5000 + " # ", "f:7:5: a number with too many digits"),
        ("x = ", "x = " + "[" * 5000, "f:7:105: nested more than 100 levels deep"),
        ("x = ", "a." * 5000, "f:7:"),
        ("x = ", "a = " + "{ a = " * 5000, "f:7:"),
    ],
)
def test_a_mistake_has_its_place(old: str, new: str, expected: str) -> None:
    assert old in BASE
    (problem,) = wrong(BASE.replace(old, new, 1))
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("program", "place"),
    [
        ("'''\ny = x\nz = q'''", "f:4:5: "),
        ("'''y = x\nz = q'''", "f:3:5: "),
        ("'y = q'", "f:2:18: "),
        ('"y = q"', "f:2:18: "),
        ('"y = 1\\nz = q"', "f:2:25: "),
        ('"\\u0079 = q"', "f:2:23: "),
        ('"""\ny = \\\n    q"""', "f:4:5: "),
        ('"""\\\n   y = q"""', "f:3:8: "),
        ('"""\n\ty = 1\n"""', "f:3:"),
        ('"""\r\ny = q"""', "f:3:5: "),
    ],
)
def test_mistakes_in_a_program_have_the_place_of_the_file(
    program: str, place: str
) -> None:
    problems = wrong(f"gradstep = 1\nprogram   = {program}\n[inputs]\nx = 1\n")
    assert problems[0].startswith(place)


def test_all_mistakes_are_told_at_once_and_in_order() -> None:
    problems = wrong(
        """\
gradstep = 1
titel = "a"
program = '''
y = sigmoit(x)
z = W @ q
u = v * 2
'''
[inputs]
x = [1, "a"]
W = [1, 2]
v = { zeros = [-1] }
[parameters]
def = 1
[notes]
"forward y" = 1
[training]
optimizer = "adm"
"""
    )
    assert [problem.split(": ")[0] for problem in problems] == [
        "f:2:1", "f:4:5", "f:5:9", "f:9:9", "f:11:16", "f:13:1", "f:15:15", "f:17:13",
    ]  # fmt: skip


def test_a_value_that_is_wrong_makes_no_mistakes_elsewhere() -> None:
    text = BASE + "[training]\nlearning_rate = { W = 1 }\n[expect]\ny = 1\n"
    problems = wrong(text.replace("[[1, 2], [3, 4]]", "{ randm = 1 }"))
    assert len(problems) == 1
    assert problems[0].startswith(
        "f:9:5: the table has no value; did you mean 'random'?"
    )


def test_many_mistakes_are_counted() -> None:
    problems = wrong(BASE + "[expect]\n" + "".join(f"q{k} = 1\n" for k in range(500)))
    assert len(problems) == 101
    assert problems[-1] == "f: and 400 more"


def test_texts_are_made_harmless() -> None:
    scenario = parse(
        'title = "\\u001b]0;x\\u0007"\nsummary = "a\\u202eb"\n'
        + BASE.replace("h = ", "h = 1 + ").replace("(W @ x)", "(W @ x) # \\u001b[2J")
        + '[notes]\nstart = "\\u009b1m"\n[names]\n"\\u0000d" = "h.grad"\n'
    )
    shown = repr(
        [
            scenario.subject.title,
            scenario.subject.summary,
            *scenario.subject.notes.values(),
        ]
    )
    for text in (
        shown,
        *scenario.subject.names,
        *(source.text for source in scenario.subject.graph.sources.values()),
    ):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    (problem,) = wrong('"\\u001b[31m\\u202e" = 1\n' + BASE)
    assert problem.startswith("f:1:1: '\\x1b[31m\\u202e' is not a key")


# ---------------------------------------------------------------- files that are none


def refused(path: Path | str) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(path)
    (problem,) = caught.value.problems
    return str(problem)


def test_files_that_are_no_scenarios(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    assert refused(path) == f"{path}: there is no such file"
    link = tmp_path / "link.toml"
    link.symlink_to("missing.toml")
    what = "is a link, and there is no file where it leads"
    assert refused(link) == f"{link}: {what}"  # and not: did you mean 'link.toml'?
    assert "did you mean 'apple_orange'?" in refused("aple_orange")
    assert "is a folder" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe.toml")
    assert "is a pipe or a device" in refused(tmp_path / "pipe.toml")
    assert "is a pipe or a device" in refused("/dev/zero")
    path.write_text(" \n")
    assert refused(path).startswith(f"{path}:1:1: the file is empty")
    path.write_bytes(b"gradstep = 1\ntitle = '\xc3\xa9\xff'")
    assert refused(path).startswith(f"{path}:2:11: not text in UTF-8: byte 0xff")
    path.write_bytes(bytes(range(256)))
    assert "not text in UTF-8" in refused(path)
    path.write_bytes(b"#" * (LIMITS.text + 1))
    assert "is too large" in refused(path)
    assert "its name is no file name: it has a NUL in it" in refused("a\0.toml")
    assert "cannot be opened: File name too long" in refused("a" * 5000)
    assert refused("a\x1b.toml").startswith("a\\x1b.toml: there is no such file")
    assert "did you mean 'a.toml'?" in refused(tmp_path / "aa.toml")


@pytest.mark.parametrize(
    "text",
    [
        "x=" + "[" * 300_000,
        "a." * 150_000 + "a = 1",
        '"' * 300_000,
        "'" * 300_000,
        '"\\"' * 100_000,
        "gradstep = 1\n" + "".join(f"k{k} = 1\n" for k in range(20_000)),
        "gradstep = 1\n" + "a" * 300_000 + " = 1\n" + "a" * 299_999 + "b = 1",
        BASE + "[expect]\nx = [" + "[1]," * 50_000 + "[1, 2]]",
        BASE.replace("h = ", "h = " + "x + " * 50_000, 1),
    ],
    ids=range(9),
)
def test_nothing_hangs(text: str) -> None:
    start = time.process_time()
    with pytest.raises(ScenarioError):
        parse(text)
    assert time.process_time() - start < 10


# --------------------------------------------------------------------------- fuzzing

PIECES = [
    *("[", "]", "{", "}", "=", '"', "'", "'''", '"""', "\n", ".", ",", "nan", "true"),
    *("-1", "0", "1e400", "9" * 20, "\\u0000", "\x00", "\x1b", "\u202e", "\r", "\\"),
    *(
        "[[",
        "#",
        "shape",
        "seed",
        "value",
        "random",
        "file = '/dev/zero'",
        "W1",
        "grad",
    ),
]
TOKENS = re.findall(r"\w+|\s+|.", starter())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["replace", "insert", "delete", "swap"]),
            st.integers(0, len(TOKENS) - 4),
            st.sampled_from(PIECES),
            st.integers(0, len(TOKENS) - 4),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_a_damaged_file_is_a_scenario_or_a_mistake(
    changes: list[tuple[str, int, str, int]],
) -> None:
    tokens = list(TOKENS)
    for change, at, piece, other in changes:
        if change == "replace":
            tokens[at] = piece
        elif change == "insert":
            tokens.insert(at, piece)
        elif change == "delete":
            del tokens[at]
        else:
            tokens[at], tokens[other] = tokens[other], tokens[at]
    _check("".join(tokens))


@given(st.text())
def test_any_text_is_a_scenario_or_a_mistake(text: str) -> None:
    _check(text)
    _check(BASE + text)


def test_numbers_that_do_not_fit_have_their_place_in_the_file() -> None:
    text = BASE.replace("sum(h * m)", "sum(take(h, i) * m)") + "i = [0, 5]\n"
    scenario = parse(text, source="f.toml")
    with pytest.raises(InputError, match=r"^f.toml:4:9: take at y._1: .* index 5 "):
        scenario.subject.run()


def test_a_name_that_is_no_scenario_leads_to_the_list() -> None:
    with pytest.raises(ScenarioError) as caught:
        load("gadget")
    assert str(caught.value) == (
        "gadget: there is no such file; gradstep list names those that come with it"
    )


def test_each_mistake_is_told_once() -> None:
    (problem,) = wrong("gradstep = 1\nprogram = 3\n")
    assert problem == "f:2:11: program is 3; allowed: a text in quotes"


def test_an_output_without_elements_has_no_gradient_to_give() -> None:
    (problem,) = wrong('gradstep = 1\nprogram = "y = zeros(0)"\n')
    assert problem.endswith("not one number; choose an output with elements")


def test_a_batch_that_does_not_fit_says_where() -> None:
    text = BASE.replace("x = [1, 2]", "x = [[1, 2, 3], [3, 4, 5]]").replace(
        "h * m)", "h @ W3)"
    )
    text += "W3 = [1, 2, 3]\n[training]\nbatch = { of = ['x'], axis = 1, size = 2 }\n"
    (problem,) = wrong(text)
    assert problem.startswith("f:14:9: the program does not fit a batch of 2; f:4:9: ")


def _check(text: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        scenario = parse(text, source="f")
    except ScenarioError as error:
        problems = error.problems
    else:
        assert set(scenario.subject.leaves) == {
            node.index for node in scenario.subject.graph if node.op is None
        }
        return
    assert problems
    for problem in problems:
        assert 1 <= problem.line <= text.count("\n") + 1
        assert problem.column >= 1
        assert "\x1b" not in str(problem)

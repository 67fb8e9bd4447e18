import json
import os
import pty
import re
import shlex
import signal
import string
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradstep.core.base import exits
from gradstep.core.check import check as checking
from gradstep.core.commands import movement
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.trace import Trace
from gradstep.core.scenario.scenario import builtin_names, load, starter
from gradstep.tui.cli import listing, sharing, tasks
from gradstep.tui.cli import main as cli
from gradstep.tui.cli.completion.completion import script
from gradstep.tui.draw import playback
from patience import PATIENCE
from spawned import finished

GRADSTEP = [sys.executable, "-c", "from gradstep.tui.cli.main import main; main()"]
IMPORTED = """
import sys
from gradstep.tui.cli.main import run
code = run(sys.argv[1:])
heavy = {"numpy", "rich", "textual"} & set(sys.modules)
sys.stderr.write(f"{code} {' '.join(sorted(heavy))}")
"""


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return finished("-m", "gradstep", *arguments, more=more)


# ---------------------------------------------------------- what is imported when


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--help"], "0 "),
        (["play", "--help"], "0 "),
        (["--version"], "0 "),
        (["paly"], "2 "),
        (["play"], "2 "),
        (["play", "apple_orange", "--widht", "3"], "2 "),
        (["play", "apple_orange", "--width", "3"], "2 "),
        (["play", "apple_orange"], "0 numpy rich"),
        (["play", "apple_orange", "--json"], "0 numpy rich"),
        (["grads", "apple_orange", "--json"], "0 numpy rich"),
        (["check", "apple_orange"], "0 numpy rich"),
        (["list"], "0 rich"),
        (["show", "apple_orange"], "0 numpy rich"),
    ],
)
def test_nothing_is_imported_that_is_not_needed(arguments, expected) -> None:
    command = [sys.executable, "-c", IMPORTED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == expected


# ---------------------------------------------------------------------- exit codes


def test_help_is_worth_reading(capsys) -> None:
    assert cli.run(["--help"]) == exits.OK
    text = capsys.readouterr().out
    for name in cli.COMMANDS:
        assert name in text
    assert "exit codes" in text


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_and_a_task(name: str, capsys) -> None:
    assert callable(cli.task(name))
    assert cli.run([name, "--help"]) == exits.OK
    assert f"gradstep {name}" in capsys.readouterr().out


def test_version(capsys) -> None:
    assert cli.run(["--version"]) == exits.OK
    assert capsys.readouterr().out.startswith("gradstep 0.")


def test_without_a_command_the_first_lesson_is_played() -> None:
    done = run()
    assert done.returncode == 0
    assert done.stdout == run("play", "apple_orange").stdout
    assert "13 of 13" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "errors"),
    [
        (["plya"], ["there is no command 'plya'; did you mean 'play'?"]),
        (
            ["x.toml"],
            ["there is no command 'x.toml'; to play it: gradstep play x.toml"],
        ),
        (["play", "aple_orange"], ["aple_orange: there is no such file"]),
        (
            ["play", "a.toml", "--widht=9"],
            ["no flag '--widht'; did you mean '--width'?"],
        ),
        (
            ["play", "xor", "--width", "9", "--steps", "node", "--delay", "-1"],
            [
                "--steps 'node' is wrong; allowed: nodes, events, statements; did you",
                "--delay '-1' is wrong; allowed: 0 … 3600",
                "--width '9' is wrong; allowed: 40 … 1000",
            ],
        ),
        (["play", "xor", "--from", "zz", "--only", "q"], ["--from: ", "--only: "]),
        (["play", "xor", "--precision", "nan"], ["allowed: 1 … 17"]),
        (["play", "xor", "--delay", "nan"], ["allowed: 0 … 3600"]),
        (["grads", "nope1", "xor", "nope2"], ["nope1: ", "nope2: "]),
        (["check", "xor", "--scheme", "centrl"], ["did you mean 'central'?"]),
        (["check", "dead_relu", "--scheme", "complex"], ["relu"]),
        (["new", "/nowhere/at/all.toml"], ["cannot be written: No such file"]),
        (["new", "a\0b"], ["cannot be written"]),
        (["play", "/"], ["is a folder, not a file"]),
        (["completion", "tcsh"], ["allowed: bash, zsh, fish"]),
        (["play", "xor", "extra"], ["'extra' is one argument too many"]),
        (["play", "\x1b[31mred"], ["\\x1b[31mred: "]),
    ],
)
def test_wrong_input_is_explained_at_once(arguments, errors, capsys) -> None:
    assert cli.run(arguments) == exits.WRONG
    out, err = capsys.readouterr()
    assert out == ""
    assert "\x1b" not in err
    assert len(err.splitlines()) >= len(errors)
    for error in errors:
        assert error in err


@pytest.mark.parametrize(
    ("arguments", "flag", "why"),
    [
        (
            ["--steps", "statements", "--json"],
            "--steps",
            "--json leaves nothing for it",
        ),
        (["--slice", "W1[0]", "--json"], "--slice", "--json leaves nothing for it"),
        (["--script", "a.gs", "--from", "E"], "--from", "--script leaves nothing"),
        (["--script", "a.gs", "--to", "E"], "--to", "--script leaves nothing"),
        (["--script", "a.gs", "--only", "E"], "--only", "--script leaves nothing"),
        (["--script", "a.gs", "--delay", "1"], "--delay", "--script leaves nothing"),
        (["--script", "a.gs", "--markdown"], "--markdown", "--script leaves nothing"),
        (["--script", "a.gs", "--steps", "nodes"], "--steps", "--script leaves"),
        (["--echo"], "--echo", "it belongs to --script"),
        (["--keep-going"], "--keep-going", "it belongs to --script"),
    ],
)
def test_a_flag_that_would_be_ignored_is_refused(
    arguments: list[str], flag: str, why: str, capsys
) -> None:
    assert cli.run(["play", "xor", *arguments]) == exits.WRONG
    error = capsys.readouterr().err
    assert error.startswith(f"gradstep play: {flag} is ignored there; {why}")


def test_flags_as_they_are_by_default_are_not_given(capsys) -> None:
    arguments = ["--from", "start", "--steps", "events", "--delay", "0", "--json"]
    assert cli.run(["play", "apple_orange", *arguments]) == exits.OK
    assert capsys.readouterr().out


SAID = """
goto end
info updates
info iterations
check
why W1.grad
transposes h
explain W1.grad
history E
set W1 = 0
runs
diff
print W9
expect error
patch a local
check
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["check", "xor"],
        ["show", "three_layer"],
        ["grads", "attention"],
        ["play", "nobody"],
        ["play", "xor", "--only", "zz"],
        ["test", "xor"],
        ["show", "{folder}/a.toml"],
        ["play", "xor", "--script", "{folder}/a.gs", "--echo", "--keep-going"],
    ],
    ids=" ".join,
)
def test_plain_is_ascii_everywhere(arguments, tmp_path: Path, capsys) -> None:
    (tmp_path / "a.gs").write_text(SAID)
    (tmp_path / "a.toml").write_text(
        "gradstep = 1\nprogram = 'δ = ∂ + µ'\n", encoding="utf-8"
    )
    cli.run([one.format(folder=tmp_path) for one in arguments] + ["--plain"])
    said = capsys.readouterr()
    assert said.out + said.err
    assert (said.out + said.err).isascii()


def test_every_mistake_of_a_file_has_its_place(tmp_path: Path, capsys) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('gradstep = 1\nprogram = "y = sigmoit(x)"\n[inputs]\nx = "two"\n')
    assert cli.run(["play", str(path)]) == exits.WRONG
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith(f"{path}:") for line in lines] == [True] * len(lines)
    assert any(line.startswith(f"{path}:2:") for line in lines)
    assert any(line.startswith(f"{path}:4:") for line in lines)


def test_a_bug_is_told_as_one(monkeypatch, capsys) -> None:
    def fail(_options) -> int:
        raise ZeroDivisionError("one\ntwo \x1b[31m")

    monkeypatch.delenv("GRADSTEP_TRACEBACK")
    monkeypatch.setattr(listing, "do_list", fail)
    assert cli.run(["list"]) == exits.BUG
    err = capsys.readouterr().err
    assert "bug in gradstep" in err.splitlines()[0]
    assert "ZeroDivisionError: one two" in err.splitlines()[0]
    assert "Traceback" not in err
    assert "\x1b" not in err
    monkeypatch.setenv("GRADSTEP_TRACEBACK", "1")
    assert cli.run(["list"]) == exits.BUG
    assert "Traceback" in capsys.readouterr().err


def test_a_machine_without_memory_is_no_bug(monkeypatch, capsys) -> None:
    def fail(_options) -> int:
        raise MemoryError

    monkeypatch.setattr(listing, "do_list", fail)
    assert cli.run(["list"]) == exits.WRONG
    assert capsys.readouterr().err == "gradstep: there is not enough memory for this\n"


def test_an_interrupt_ends_with_130(monkeypatch) -> None:
    def interrupt(_options) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(listing, "do_list", interrupt)
    assert cli.run(["list"]) == exits.INTERRUPTED


def test_control_c_ends_a_slow_playback() -> None:
    command = [*GRADSTEP, "play", "apple_orange", "--delay", "60"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while "1 of 13" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == exits.INTERRUPTED
        # The signal may come before the step is counted whose first line was read.
        told = r"gradstep: interrupted after [01] of 13 events; these were printed\n"
        assert re.fullmatch(told, process.stderr.read())
        assert "2 of 13" not in process.stdout.read()


@pytest.mark.parametrize("form", ["", "--json", "--markdown"])
def test_an_interrupted_playback_counts_what_came(
    form: str, monkeypatch, capsys
) -> None:
    waits = iter([None] * 3)

    def wait(*_arguments) -> None:
        if next(waits, "over") == "over":
            raise KeyboardInterrupt

    monkeypatch.setattr(playback, "_wait", wait)
    arguments = ["play", "apple_orange", *([form] if form else [])]
    assert cli.run(arguments) == exits.INTERRUPTED
    out, said = capsys.readouterr()
    told = "gradstep: interrupted after 4 of 13 events; these were printed\n"
    assert said == told
    steps = {"": "of 13 ·", "--json": '"event"', "--markdown": "of 13 ·"}
    assert sum(steps[form] in line for line in out.splitlines()) == 4


@pytest.mark.parametrize("when", ["before", "behind"])
@pytest.mark.parametrize("command", ["export", "snapshot"])
def test_an_interrupted_export_says_whether_its_file_is_written(
    command: str, when: str, tmp_path, monkeypatch, capsys
) -> None:
    """A file that was there is as it was, or the new one."""
    path, write = tmp_path / "a.svg", sharing.write
    path.write_text("old")

    def interrupted(*arguments, **options) -> None:
        if when == "behind":
            write(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(sharing, "write", interrupted)
    arguments = [command, "apple_orange", "-o", str(path), "--force"]
    assert cli.run(arguments) == exits.INTERRUPTED
    is_old = path.read_text() == "old"
    assert is_old == (when == "before")
    word = "is not written" if is_old else "is written"
    assert capsys.readouterr().err == f"gradstep: interrupted; {path} {word}\n"


def test_an_interrupted_way_to_a_place_is_no_mistake_in_it(
    tmp_path, monkeypatch, capsys
) -> None:
    def interrupted(*_arguments) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(movement, "find_place", interrupted)
    path = tmp_path / "a.svg"
    for command in ("export", "snapshot"):
        arguments = [command, "apple_orange", "-o", str(path), "--at", "b"]
        assert cli.run(arguments) == exits.INTERRUPTED
        told = capsys.readouterr().err
        assert told == f"gradstep: interrupted; {path} is not written\n"
        assert not path.exists()


@pytest.mark.parametrize("form", ["", "--json", "--markdown"])
def test_a_reader_that_leaves_is_no_error(form: str) -> None:
    arguments = ["play", "two_layer_net", *([form] if form else [])]
    with subprocess.Popen(
        [*GRADSTEP, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=PATIENCE) == exits.OK


def test_a_delay_is_waited(capsys) -> None:
    started = time.monotonic()
    assert cli.run(["play", "apple_orange", "--to", "3", "--delay", "0.1"]) == exits.OK
    assert time.monotonic() - started >= 0.3
    assert "3 of 13" in capsys.readouterr().out


# -------------------------------------------------------------------- surroundings


def test_a_pipe_gets_eighty_columns_without_colour() -> None:
    text = run("play", "apple_orange").stdout
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) == 80


def test_columns_are_respected() -> None:
    text = run("play", "apple_orange", COLUMNS="100").stdout
    assert max(map(len, text.splitlines())) == 100


def test_an_encoding_without_signs_gets_ascii() -> None:
    done = run("play", "three_layer", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "\\xb7" not in done.stdout  # our own signs have ASCII forms


@pytest.mark.parametrize("name", builtin_names())
def test_plain_has_no_signs_of_ours(name: str, capsys) -> None:
    assert cli.run(["play", name, "--plain"]) == exits.OK
    text = capsys.readouterr().out
    assert set(text) - set(string.printable) == set()


def in_terminal(arguments: list[str], **environment: str) -> tuple[int, str]:
    """Run gradstep with a terminal for standard output and standard error."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*GRADSTEP, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        env=os.environ | {"TERM": "xterm-256color"} | environment,
    ) as process:
        os.close(follower)
        read = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:
                break
            if not part:
                break
            read += part
        code = process.wait(timeout=PATIENCE)
    os.close(leader)
    return code, read.decode()


def test_a_terminal_gets_colour_unless_it_is_not_wanted() -> None:
    code, text = in_terminal(["play", "apple_orange"])
    assert code == 0
    assert "\x1b[36m" in text
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        code, text = in_terminal(["play", "apple_orange"], **environment)
        assert code == 0
        assert "\x1b[36m" not in text
        assert "forward" in text


# --------------------------------------------------------------------------- grads


def grads(name: str, capsys) -> dict:
    assert cli.run(["grads", name, "--json"]) == exits.OK
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def test_the_gradients_of_apples_and_oranges(capsys) -> None:
    record = grads("apple_orange", capsys)
    head = ["gradstep", "scenario", "title", "output", "samples", "nodes"]
    assert list(record) == head
    assert (record["gradstep"], record["scenario"], record["output"]) == (
        1,
        "apple_orange",
        "y",
    )
    nodes = {node["name"]: node for node in record["nodes"]}
    assert list(nodes) == ["a", "an", "o", "on", "t", "az", "oz", "z", "y"]
    assert list(nodes["az"]) == [
        "name",
        "kind",
        "op",
        "operands",
        "shape",
        "dtype",
        "source",
        "line",
        "value",
        "grad",
    ]
    assert nodes["az"]["operands"] == ["a", "an"]
    assert (nodes["az"]["kind"], nodes["az"]["op"]) == ("op", "multiply")
    assert (nodes["a"]["kind"], nodes["a"]["op"], nodes["a"]["line"]) == (
        "input",
        None,
        None,
    )
    by_hand = {"y": 1, "t": 500, "z": 1.1, "az": 1.1, "oz": 1.1} | {
        "o": 4.4,
        "on": 55,
        "a": 3.3,
        "an": 110,
    }
    for name, gradient in by_hand.items():
        assert nodes[name]["grad"] == pytest.approx(gradient, rel=1e-15)


@pytest.mark.parametrize("name", builtin_names())
def test_the_record_of_every_scenario_is_whole(name: str, capsys) -> None:
    record = grads(name, capsys)
    scenario = load(name)
    computed = scenario.subject.run()
    assert len(record["nodes"]) == len(scenario.subject.graph)
    for node, told in zip(scenario.subject.graph, record["nodes"], strict=True):
        assert told["name"] == node.name
        assert told["kind"] in {"input", "parameter", "constant", "op"}
        assert told["shape"] == list(node.shape)
        for key, number in (
            ("value", computed.value(node.index)),
            ("grad", computed.gradient(node.index)),
        ):
            if number is None:
                assert told[key] is None
                continue
            read = np.array(told[key]).astype(number.dtype)
            assert np.array_equal(read, number, equal_nan=number.dtype.kind == "f")


def test_several_scenarios_are_a_line_each(capsys) -> None:
    assert cli.run(["grads", "apple_orange", "xor", "--json"]) == exits.OK
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["scenario"] for line in lines] == ["apple_orange", "xor"]


def test_gradients_are_a_table_otherwise(capsys) -> None:
    assert cli.run(["grads", "apple_orange"]) == exits.OK
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["an", "input", "3", "110"] in rows


# --------------------------------------------------------------------------- check


def test_a_check_that_holds_ends_with_0(capsys) -> None:
    assert cli.run(["check", "apple_orange", "xor"]) == exits.OK
    text = capsys.readouterr().out
    assert text.count("nothing is wrong") == 2


def test_a_wrong_rule_is_named_with_both_numbers(monkeypatch, capsys) -> None:
    """The rule of the output's product by z is made wrong by 0.1 %."""

    def wrong(scenario):
        multiply = scenario.subject.graph.node("y").op
        rule = multiply.vjp(0)
        edge: tuple[int, int] = (scenario.subject.graph.node("y").index, 0)
        patches = Patches(rules={edge: lambda *arrays: rule(*arrays) * 1.001})
        return Trace(right(scenario).run.patched(patches))

    right = tasks._first
    monkeypatch.setattr(tasks, "_first", wrong)
    assert cli.run(["check", "apple_orange"]) == exits.FAILED
    text = capsys.readouterr().out
    assert "✗ wrong: the rule of multiply at y<-z, line 4: " in text
    assert "1.1011 from backpropagation, 1.1 from differences" in " ".join(text.split())
    assert cli.run(["check", "apple_orange", "--json"]) == exits.FAILED
    record = json.loads(capsys.readouterr().out)
    assert record["ok"] is False
    first = record["checks"][0]
    assert (first["edge"], first["verdict"]) == ("y<-z", "mismatch")


def test_an_interrupted_check_shows_what_it_has(monkeypatch, capsys) -> None:
    def interrupted(run, **options):
        options.pop("progress")
        return replace(checking.check(run, **options), complete=False)

    monkeypatch.setattr(tasks, "check", interrupted)
    assert cli.run(["check", "apple_orange", "xor"]) == exits.INTERRUPTED
    text = capsys.readouterr().out
    assert "interrupted" in text
    assert "xor" not in text


def test_the_options_of_a_check_are_passed_on(capsys) -> None:
    arguments = ["--scheme", "forward", "--step", "1e-7", "--sample", "1", "--json"]
    assert cli.run(["check", "derivative", *arguments]) == exits.OK
    record = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (record["scheme"], record["step"]) == ("forward", 1e-7)
    found = [
        c for c in record["checks"] if (c["level"], c["node"]) == ("gradient", "x")
    ]
    assert found[0]["analytic"] == 3
    assert found[0]["numeric"] == pytest.approx(3, abs=1e-8)
    assert found[0]["numeric"] != 3


# ------------------------------------------------------------------- list and show


def test_the_list_has_every_scenario(capsys) -> None:
    assert cli.run(["list"]) == exits.OK
    words = capsys.readouterr().out.split()
    assert set(builtin_names()) <= set(words)
    assert cli.run(["list", "--json"]) == exits.OK
    lines = capsys.readouterr().out.splitlines()
    records = [json.loads(line) for line in lines]
    assert {record["scenario"] for record in records} == set(builtin_names())
    assert records[0]["scenario"] == "apple_orange"


def test_a_scenario_is_shown_with_its_formulas(capsys) -> None:
    assert cli.run(["show", "three_layer", "--width", "100"]) == exits.OK
    text = capsys.readouterr().out
    assert "x3 = layer(…)   line 7" in text
    assert "∂E/∂W2 = δ2 x1ᵀ      (3, 1) @ (1, 5) → (3, 5) = W2 ✓" in text


def test_a_scenario_is_shown_as_json(capsys) -> None:
    assert cli.run(["show", "three_layer", "--json"]) == exits.OK
    record = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert [frame["name"] for frame in record["frames"]] == ["x1", "x2", "x3"]
    z = next(node for node in record["nodes"] if node["name"] == "x2.z")
    assert (z["frame"], z["op"], z["shape"]) == ("x2", "matmul", [3, 1])
    assert z["derivatives"][0]["formula"] == "∂E/∂W2 = δ2 x1ᵀ"


# ---------------------------------------------------------------------- new, words


def test_a_new_scenario_runs_and_is_never_overwritten(tmp_path: Path, capsys) -> None:
    path = tmp_path / "mine.toml"
    assert cli.run(["new", str(path)]) == exits.OK
    assert path.read_text("utf-8") == starter()
    assert cli.run(["play", str(path)]) == exits.OK
    assert cli.run(["check", str(path)]) == exits.OK
    capsys.readouterr()
    path.write_text("mine")
    assert cli.run(["new", str(path)]) == exits.WRONG
    assert "is there already; --force" in capsys.readouterr().err
    assert path.read_text("utf-8") == "mine"
    assert cli.run(["new", str(path), "--force"]) == exits.OK
    assert path.read_text("utf-8") == starter()
    assert [child.name for child in tmp_path.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str, capsys) -> None:
    assert cli.run(["completion", shell]) == exits.OK
    assert capsys.readouterr().out == script(shell) != ""


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["p"], ["play"]),
        (["play", "apple"], ["apple_orange"]),
        (["play", "--st"], ["--steps"]),
        (["play", "xor", "--steps", ""], ["events", "nodes", "statements"]),
        (["check", "--scheme", "c"], ["central", "complex"]),
        (["completion", "z"], ["zsh"]),
        (["--v"], ["--version"]),
        (["new", "x"], []),
        (["hunt", "g"], ["gate"]),
        (["tour", "m"], ["matmul"]),
        (["tour", "xo"], []),
    ],
)
def test_words_are_completed(words: list[str], found: list[str], capsys) -> None:
    assert cli.run(["completion", "words", *words]) == exits.OK
    assert capsys.readouterr().out.split() == found


def test_bash_completes_with_the_script() -> None:
    program = "from gradstep.tui.cli.main import main; main()"
    session = f"""
gradstep() {{ {sys.executable} -c '{program}' "$@"; }}
{script("bash")}
COMP_WORDS=(gradstep play apple); COMP_CWORD=2
_gradstep; printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["/bin/bash", "-c", session], capture_output=True, text=True, check=False
    )
    assert done.stdout == "apple_orange\n"


# -------------------------------------------------------------- where output goes to


@pytest.mark.parametrize(
    ("redirected", "code", "said"),
    [
        ("play apple_orange >&-", 0, ""),
        ("--version >&-", 0, ""),
        ("play nope 2>&-", 2, ""),
        ("play nope >&- 2>&-", 2, ""),
        (
            "play apple_orange > /dev/full",
            2,
            "gradstep: the output cannot be written: No space left on device\n",
        ),
        ("play nope 2> /dev/full", 2, ""),
    ],
)
def test_output_that_goes_nowhere(redirected: str, code: int, said: str) -> None:
    command = f"{shlex.join(GRADSTEP)} {redirected}"
    done = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", command],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, said)


# ------------------------------------------------------------------------ mini-batches

# By hand, of the first two samples: y = (−0.5, −0.5), (y − t)² = (2.25, 0.25), so
# that E is 1.25, and
# ∂E/∂w = Xᵀ (y − t) = (1 · −1.5 + 3 · −0.5, 2 · −1.5 + 4 · −0.5) = (−3, −5).
BATCHES = """
gradstep = 1
program = '''
y = X @ w
E = mean((y - t) ** 2)
'''
[inputs]
X = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]
[constants]
t = [[1.0], [0.0], [2.0], [1.0]]
[parameters]
w = [[0.5], [-0.5]]
[training]
learning_rate = 0.01
batch = { of = ["X", "t"], size = 2 }
[expect]
E = 1.25
"w.grad" = [[-3], [-5]]
"X.grad" = [[-0.75, 0.75], [-0.25, 0.25]]
"""


@pytest.mark.parametrize(
    "command",
    [
        *("play", "play --markdown", "grads", "show", "check"),
        *("export --format py", "export --format html", "export --format md"),
        *("export --format dot", "export --format tex --element w"),
    ],
)
def test_all_show_the_first_batch_and_say_so(
    command: str, tmp_path: Path, capsys
) -> None:
    path = tmp_path / "batches.toml"
    path.write_text(BATCHES, "utf-8")
    name, *options = command.split()
    assert cli.run([name, str(path), *options]) == exits.OK
    said = capsys.readouterr().out
    assert "iteration 0: samples 0, 1 of 4" in said
    # The shape of X, its numbers, or one of its gradients that only two samples give.
    assert any(x in said for x in ("(2, 2)", "[3.0, 4.0]])", "2 \\times 2}{X", "-0.75"))
    assert "(4, 2)" not in said
    assert cli.run(["test", str(path)]) == exits.OK
    assert "3 numbers" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["grads", "show", "check"])
def test_json_has_the_samples_of_the_batch(name: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / "batches.toml"
    path.write_text(BATCHES, "utf-8")
    assert cli.run([name, str(path), "--json"]) == exits.OK
    record = json.loads(capsys.readouterr().out)
    assert record["samples"] == {"iteration": 0, "numbers": [0, 1], "of": 4}
    if name == "grads":
        grads = {node["name"]: node["grad"] for node in record["nodes"]}
        assert grads["w"] == [[-3.0], [-5.0]]
    assert cli.run([name, "xor", "--json"]) == exits.OK
    assert json.loads(capsys.readouterr().out)["samples"] is None

"""What the `data` of replies holds: all that the text tells, as it is described."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

from gradstep import Debugger, Reply, parse
from gradstep.core.commands import COMMANDS
from gradstep.core.scenario.scenario import hunted
from sessions import LAYERS, TRAINING, TROUBLE

if TYPE_CHECKING:
    from pathlib import Path

ADAM: Final = TRAINING.replace("[training]", '[training]\noptimizer = "adam"')
EVERY: Final = """
step 2; reverse-step; stepi 3; reverse-stepi; next; reverse-next; finish
reverse-finish; until a; reverse-until x; goto b; mark here; marks; info marks
goto 0:E@backward; next; last W.grad; last W.grad; last -f W.grad; back; forward
mark; marks; goto start; last W
break a; tbreak b if position > 3; watch W.grad; catch large 0.5; continue
condition 1 position > 2; condition 1; ignore 1 2; ignore 1 0; ignore 1 1
commands 1 print position; info stops
disable 1; disable 1; enable; enable 1; reverse-continue; delete 1; delete; delete
enable; disable
print W; print W.shape; print W.op; print position; display; display a; display W.grad
info displays; undisplay 1; undisplay; undisplay; history W.grad; history 1; list
list 2
where; whatis a; whatis W + 1; whatis W.shape; whatis a.op
info displays; info runs; info iterations; info nodes; info frames
goto start; predict on; predict numbers; predict; stepi; answer c; answer 1 * 2; answer
step 2; answer 7; show; answer; info predictions; predict off
limit W; limit x[0] 0.5; cost; words; words upstream
indices; indices 1; indices 0
goto end; explain; explain W; explain a; explain W.grad; explain -1 b; uses W; uses E
why W.grad; why a; paths x; paths; transposes a; transposes W; check W; check
set c = 2; runs; runs 0; runs 1; diff; diff 0 1; diff W x @ x.T; diff W W; undo; redo
nudge x[0, 0] 0.5; nudge x[0, 0] half; undo
detach a<-x; patch b local; undo; undo; undo
assert E > 0; expect stop; goto start; continue; expect stop end; prunt; expect error
say look at `s`; wait where
record; record --asserts; record off; save PLACE/a.gs; source PLACE/b.gs
export dot PLACE/a.dot; help; help step; help LOC; apropos stop; quit 3; quit
"""
TRAINED: Final = """
train 2; info updates; info iterations; goto 1:start; why W; explain W[0, 0]; where
goto 1:W@update; step; last W; goto 2:start; reverse-step; list; continue; history W
"""
TROUBLED: Final = """
goto end; why x.grad; why cold; why w.grad[1]; explain v.grad; explain loose.grad
why loose.grad; why n; paths v; transposes E; uses loose; catch zero; catch nan
reverse-continue; diff y cold; check; marks; why x[1].grad
"""
NOT_A_NUMBER: Final = """
gradstep = 1
program = "E = x / x + log(y)"
[inputs]
x = 0.0
y = -1.0
"""

OWN: Final = """
gradstep = 1
program = "E = sum(W * W)"
[parameters]
W = [1.0, 2.0]
[own]
W = [2.0, 3.0]
"""

HIDDEN: Final = """
gradstep = 1
program = "h = tanh(x @ W)\\nE = sum(h * h)"
[inputs]
x = [[1.0, 2.0]]
[parameters]
W = [[0.5, -1.0], [0.25, 2.0]]
[hidden]
rule = "h._1<-W"
mistake = "sign"
"""

# Commands whose data is also that of others, or has names that the scenario gives.
REFERS: Final = {
    "info": ("enable", "display", "marks", "runs"),
    "explain": ("why",),
    "wait": ("where",),
}
GIVEN: Final = {"E", "v", "next v"}


def replies(folder: Path) -> Iterator[Reply]:
    """Yield the reply to each line of the sessions, with files in a folder."""
    (folder / "b.gs").write_text("goto start\nstep\n", "utf-8")
    sessions = (
        *((LAYERS, EVERY), (ADAM, TRAINED), (TROUBLE, TROUBLED)),
        (NOT_A_NUMBER, "goto end; why E"),
        (OWN, "rules; rules W"),
        (HIDDEN, "accuse E; accuse W"),
    )
    for text, lines in sessions:
        debugger = Debugger(hunted(parse(text)))
        for line in re.split(r"; |\n", lines.replace("PLACE", str(folder))):
            yield debugger.execute(line)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Reply]]:
    """Return all that the sessions answer, by command."""
    found: dict[str, list[Reply]] = {name: [] for name in COMMANDS}
    for reply in replies(tmp_path_factory.mktemp("files")):
        if reply.command.split(" ")[0] in COMMANDS:
            found[reply.command.split(" ")[0]].append(reply)
    return found


def records(data: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the records that data is, or consists of."""
    for one in data if isinstance(data, list) else [data]:
        if isinstance(one, Mapping):
            yield one


def names_in(data: Any) -> Iterator[str]:
    """Yield every name in data, at any depth."""
    if isinstance(data, Mapping):
        for name, one in data.items():
            yield name
            yield from names_in(one)
    elif isinstance(data, (list, tuple)):
        for one in data:
            yield from names_in(one)


def described(command: str) -> set[str]:
    """Return the names that the table tells of data, and those that it refers to."""
    told = re.findall(r"`([^`]+)`", COMMANDS[command].data)
    for other in REFERS.get(command, ()):
        told += described(other)
    return set(told)


@pytest.mark.parametrize("command", COMMANDS)
def test_data_holds_what_the_text_tells(
    command: str, answers: Mapping[str, list[Reply]]
) -> None:
    assert any(reply.ok for reply in answers[command])
    for reply in answers[command]:
        if reply.ok:
            assert reply.data is not None, reply.command


@pytest.mark.parametrize("command", COMMANDS)
def test_data_is_as_it_is_described(
    command: str, answers: Mapping[str, list[Reply]]
) -> None:
    told = described(command)
    seen: set[str] = set()
    for reply in answers[command]:
        for record in records(reply.data):
            assert set(record) - GIVEN <= told, reply.command
        seen |= set(names_in(reply.data))
    refers = {name for name in told if name.split(" ")[0] in COMMANDS}
    assert told - refers <= seen


@pytest.mark.parametrize("command", COMMANDS)
def test_data_is_said_without_the_full_stop_that_pages_add(command: str) -> None:
    assert not COMMANDS[command].data.endswith((".", "…"))

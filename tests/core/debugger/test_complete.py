"""What can stand at the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gradstep.core.debugger.complete import complete
from sessions import LAYERS, said, session

if TYPE_CHECKING:
    from pathlib import Path


def after(line: str) -> list[str]:
    debugger = session(LAYERS)
    said(debugger, "break a")
    said(debugger, "mark here")
    return complete(debugger, line, len(line))


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("", ["step", "s", "explain", "check"]),
        ("rev", ["reverse-step", "reverse-next"]),
        ("break a.", ["a.h", "a.h.z"]),
        ("break op:", ["op:sigmoid", "op:matmul"]),
        ("break line:", ["line:9"]),
        ("break program:", ["program:9"]),
        ("goto h", ["here"]),
        ("goto δ", ["δ"]),
        ("b a@", ["a@forward", "a@backward"]),
        ("break a<", ["a<-x"]),
        ("break b._1<-", ["b._1<-a#0", "b._1<-a#1"]),
        ("print W.g", ["W.grad"]),
        ("print norm(W.g", ["norm(W.grad"]),
        ("p sig", ["sigmoid("]),
        ("explain x", ["x", "x.grad"]),
        ("e W.", ["W.grad"]),
        ("help und", ["undisplay", "undo"]),
        ("catch n", ["nan"]),
        ("info it", ["iterations"]),
        ("delete ", ["1"]),
        ("condition ", ["1"]),
        ("expect stop wa", ["watch"]),
        ("patch b l", ["local"]),
        ("fini", ["finish"]),
    ],
)
def test_candidates(line: str, some: list[str]) -> None:
    found = after(line)
    assert set(some) <= set(found)
    word = line.rpartition(" ")[2]
    assert all(candidate.startswith(word) for candidate in found)
    assert found == sorted(found)


def test_nothing_is_offered_where_nothing_is_known() -> None:
    assert after("step ") == []
    assert after("fish ") == []
    assert after("re ") == []


def test_files(tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "one.gs").write_text("step")
    (folder / "deep").mkdir()
    assert after(f"source {folder}/") == [f"{folder}/deep/", f"{folder}/one.gs"]
    assert after(f"source {folder}/no/") == []


def test_the_cursor_counts_and_not_the_end() -> None:
    assert "print" in complete(session(LAYERS), "prxxx", 2)


def test_only_places_are_offered_as_places() -> None:
    debugger = session(LAYERS)
    for begun in ("goto ", "break a", "goto line:", "goto x@", "until prelude:"):
        for word in complete(debugger, begun, len(begun)):
            assert debugger.execute(f"goto {word}").ok, word
    assert "x@forward" not in complete(debugger, "goto x@", 7)

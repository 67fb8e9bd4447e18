"""The log of predict: a new file, whole at any time, and nothing else is touched."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from gradstep.core.base.errors import InputError
from gradstep.core.practice.predict.score import Log

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = ("file", "folder", "link", "dangling", "pipe", "device", "hard")


def _made(kind: str, path: Path) -> None:
    """Put something of a kind at a path; what it leads to stands beside it."""
    beside = path.with_name("beside")
    beside.write_text("mine")
    make = {
        "file": lambda: path.write_text("mine"),
        "folder": path.mkdir,
        "link": lambda: path.symlink_to(beside),
        "dangling": lambda: path.symlink_to(path.with_name("nothing")),
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to(os.devnull),
        "hard": lambda: path.hardlink_to(beside),
    }
    make[kind]()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
@pytest.mark.parametrize("kind", _KINDS)
def test_what_is_there_is_no_log_and_stays(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    _made(kind, path)
    before = path.lstat()
    said = "is a folder, not a file" if kind == "folder" else "is there already"
    with pytest.raises(InputError, match=rf"log\.jsonl: {said}"):
        Log(str(path)).begin()
    after = path.lstat()
    assert (after.st_ino, stat.S_IFMT(after.st_mode)) == (
        before.st_ino,
        stat.S_IFMT(before.st_mode),
    )
    assert (tmp_path / "beside").read_text() == "mine"
    assert not (tmp_path / "nothing").exists()
    assert {one.name for one in tmp_path.iterdir()} == {"log.jsonl", "beside"}


@pytest.mark.parametrize("name", ["nowhere/log.jsonl", "a\0b", "x" * 300])
def test_a_log_that_cannot_be_made_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        Log(str(tmp_path / name)).begin()
    assert not list(tmp_path.iterdir())


def test_a_log_whose_place_is_gone_keeps_its_lines(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    log = Log(str(folder / "log.jsonl")).begin()
    log.add("1")
    (folder / "log.jsonl").unlink()
    folder.rmdir()
    with pytest.raises(InputError, match="cannot be written"):
        log.add("2")
    folder.mkdir()
    log.add("3")
    assert (folder / "log.jsonl").read_text() == "1\n2\n3\n"
    assert [one.name for one in folder.iterdir()] == ["log.jsonl"]

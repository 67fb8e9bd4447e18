import os
from pathlib import Path

import pytest

from gradstep.core.base.errors import InputError
from gradstep.core.base.save import write


def test_a_file_is_written_in_utf_8_with_the_usual_rights(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gs", "δ\n")
    assert path.read_bytes() == "δ\n".encode()
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_what_is_there_stays_unless_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gs", "old")
    with pytest.raises(InputError, match="is there already; say so"):
        write(path, "new", hint="say so")
    assert path.read_text() == "old"
    write(path, "new", overwrite=True)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch) -> None:
    path = write(tmp_path / "a.gs", "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left"):
        write(path, "new", overwrite=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_links_will_do(tmp_path, monkeypatch) -> None:
    def no_links(*_paths) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", no_links)
    path = write(tmp_path / "a.gs", "old")
    assert path.read_text() == "old"
    with pytest.raises(InputError, match="is there already"):
        write(path, "new")


@pytest.mark.parametrize("name", ["no/such/folder.toml", "", "a\0b", "\x1b[31m/x"])
def test_a_place_that_cannot_be_is_explained(tmp_path, monkeypatch, name) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        write(name, "text")
    assert "\x1b" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []

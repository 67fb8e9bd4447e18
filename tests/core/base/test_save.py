import os
import stat
from concurrent.futures import ThreadPoolExecutor
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
    def no_links(*_paths, **_folders) -> None:
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


# --------------------------------------------------------- what is there, and no file


def test_a_file_that_is_written_over_keeps_its_rights(tmp_path: Path) -> None:
    for mode in (0o600, 0o640, 0o755, 0o666):
        path = write(tmp_path / f"{mode:o}", "old")
        path.chmod(mode)
        write(path, "new", overwrite=True)
        assert path.stat().st_mode & 0o777 == mode
        assert path.read_text() == "new"


def test_a_draft_of_a_private_file_is_private_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.gs", "old")
    path.chmod(0o600)
    seen: list[int] = []

    def look(_descriptor: int) -> None:
        [draft] = tmp_path.glob(".gradstep-*")
        seen.append(draft.stat().st_mode & 0o777)

    monkeypatch.setattr(os, "fsync", look)
    write(path, "new", overwrite=True)
    assert seen == [0o600]


def test_a_link_leads_to_the_file_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    target = write(tmp_path / "deep" / "a.gs", "old")
    link, new = tmp_path / "link.gs", tmp_path / "new.gs"
    link.symlink_to("deep/a.gs")
    new.symlink_to("deep/b.gs")
    with pytest.raises(InputError, match="is there already"):
        write(new, "one")
    write(link, "new", overwrite=True)
    write(new, "new", overwrite=True)
    assert link.is_symlink()
    assert new.is_symlink()
    assert target.read_text() == (tmp_path / "deep" / "b.gs").read_text() == "new"
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path / "loop", "new", overwrite=True)


def test_a_pipe_or_a_device_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="cannot be written: nobody reads from it"):
        write(pipe, "text", overwrite=True)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe, "text", overwrite=True)
    assert os.read(reader, 100) == b"text"
    os.close(reader)
    with pytest.raises(InputError, match="is there already"):
        write(pipe, "text")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    write("/dev/null", "text", overwrite=True)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path, "text", overwrite=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is protected from root")
def test_a_file_that_is_protected_stays(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gs", "old")
    path.chmod(0o444)
    with pytest.raises(InputError, match="it is protected against writing"):
        write(path, "new", overwrite=True)
    assert path.read_text() == "old"


def test_drafts_of_killed_writers_go(tmp_path: Path) -> None:
    old, young, other, folder = (
        tmp_path / f".gradstep-{name}"
        for name in ("0" * 16, "1" * 16, "mine", "2" * 16)
    )
    for path in (old, young, other):
        path.write_text("half of")
    folder.mkdir()
    for path in (old, other, folder):
        os.utime(path, (0, 0))
    write(tmp_path / "a.gs", "text")
    assert sorted(tmp_path.iterdir()) == sorted(
        [young, other, folder, tmp_path / "a.gs"]
    )


def test_of_two_writers_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.gs"

    def one(text: str) -> bool:
        try:
            write(path, text)
        except InputError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(one, map(str, range(32))))
    assert told.count(True) == 1
    assert path.read_text() == str(told.index(True))
    assert list(tmp_path.iterdir()) == [path]

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gradstep.core.base import save
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


@pytest.mark.parametrize("overwrite", [False, True])
def test_nothing_is_written_over_a_folder(tmp_path: Path, overwrite: bool) -> None:
    with pytest.raises(InputError) as caught:
        write(tmp_path, "text", overwrite=overwrite, hint="--force writes over it")
    assert str(caught.value) == f"{tmp_path}: is a folder, not a file"


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
    with pytest.raises(InputError, match="is a folder, not a file"):
        write(tmp_path, "text", overwrite=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is protected from root")
def test_a_file_that_is_protected_stays(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gs", "old")
    path.chmod(0o444)
    with pytest.raises(InputError, match="it is protected against writing"):
        write(path, "new", overwrite=True)
    assert path.read_text() == "old"


def test_all_names_of_a_file_lead_to_what_is_written(tmp_path: Path) -> None:
    path, other = write(tmp_path / "a.gs", "a long old text"), tmp_path / "b.gs"
    other.hardlink_to(path)
    write(path, "new", overwrite=True)
    assert path.read_text() == other.read_text() == "new"
    assert path.samefile(other)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_keeps_its_owner(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gs", "old")
    os.chown(path, 12345, 54321)
    path.chmod(0o640)
    write(path, "new", overwrite=True)
    state = path.stat()
    assert (state.st_uid, state.st_gid, state.st_mode & 0o777) == (12345, 54321, 0o640)


# A writer that is killed at the worst moment: all is written, and not yet in its place.
KILLED = """
import os, signal
from gradstep.core.base import save
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
save.write("a.gs", "half of")
"""


def test_drafts_of_killed_writers_go_with_the_next_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, check=False)
    [left] = tmp_path.iterdir()
    mine = tmp_path / ".gradstep-mine"
    mine.write_text("no draft")
    folder = tmp_path / f".gradstep-{'2' * 16}"
    folder.mkdir()
    link = tmp_path / f".gradstep-{'3' * 16}"
    link.symlink_to(mine)
    seen: list[set[Path]] = []

    def look(_descriptor: int) -> None:
        seen.append(set(tmp_path.glob(".gradstep-*")))

    def write_between(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", look)
        write(tmp_path / "b.gs", "text")
        look(descriptor)

    # While one is written, another is: the draft of a writer that lives stays.
    monkeypatch.setattr(os, "fsync", write_between)
    write(tmp_path / "a.gs", "text")
    mine_and_others = {mine, folder, link}
    assert [len(one - mine_and_others) for one in seen] == [2, 1]
    assert not left.exists()
    assert set(tmp_path.iterdir()) == {
        *mine_and_others,
        tmp_path / "a.gs",
        tmp_path / "b.gs",
    }


def test_a_draft_that_is_taken_before_its_lock_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = save._lock
    taken: list[Path] = []

    def late(descriptor: int) -> bool:
        if not taken:
            taken.extend(tmp_path.glob(".gradstep-*"))
            taken[0].unlink()
        return lock(descriptor)

    monkeypatch.setattr(save, "_lock", late)
    assert write(tmp_path / "a.gs", "text").read_text() == "text"
    assert len(taken) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.gs"]


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

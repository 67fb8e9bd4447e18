"""What command lines may do with files that nobody has typed."""

import os
from pathlib import Path

import pytest

from gradstep.core.base.errors import InputError
from gradstep.core.base.files import open_regular
from gradstep.core.base.save import write
from gradstep.core.base.trust import FULL, KEYBOARD, below


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A script's folder, with a secret beside it and links that lead there."""
    (tmp_path / "secret.gs").write_text("the password\n")
    lesson = tmp_path / "lesson"
    (lesson / "deep").mkdir(parents=True)
    (lesson / "part.gs").write_text("step\n")
    (lesson / "deep" / "part.gs").write_text("next\n")
    (lesson / "out").symlink_to(tmp_path)
    (lesson / "secret.gs").symlink_to(tmp_path / "secret.gs")
    (lesson / "near.gs").symlink_to("part.gs")
    (lesson / "loop.gs").symlink_to("loop.gs")
    (lesson / "hollow.gs").symlink_to(tmp_path / "new.gs")
    return lesson


OUTSIDE = "is outside of the script's folder, and a script may not touch it"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../secret.gs", OUTSIDE),
        ("deep/../../secret.gs", OUTSIDE),
        ("deep/../part.gs", OUTSIDE),  # as it is written, not as it turns out
        ("/etc/passwd", OUTSIDE),
        ("out/secret.gs", OUTSIDE),
        ("secret.gs", OUTSIDE),
        ("hollow.gs", OUTSIDE),
        (".bashrc", "is hidden"),
        (".config/a.gs", "is hidden"),
        ("deep/.a.gs", "is hidden"),
        ("part.toml", "does not end with .gs"),
        ("conftest.py", "does not end with .gs"),
        ("", "does not end with .gs"),
    ],
)
def test_a_script_touches_nothing_but_scripts_below_its_folder(
    folder: Path, name: str, says: str
) -> None:
    trust, before = below(folder), sorted(folder.parent.rglob("*"))
    with pytest.raises(InputError) as caught:
        trust.read(name, ".gs")
    assert says in str(caught.value)
    assert "--trust" in str(caught.value)
    assert "password" not in str(caught.value)
    with pytest.raises(InputError, match="a script may not touch it"):
        trust.write(name, "new", ".gs", overwrite=False, hint="")
    assert sorted(folder.parent.rglob("*")) == before


def test_what_is_no_name_of_a_file_is_said_to_be_none(folder: Path) -> None:
    # No trust would help, so that none is told of.
    for trust in (below(folder), KEYBOARD):
        with pytest.raises(InputError) as caught:
            trust.read("a\0b.gs", ".gs")
        text = str(caught.value)
        assert text.endswith("its name is no file name: it has a NUL in it")
        assert "outside" not in text


def test_what_is_below_the_folder_is_read_and_written_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    trust = below(Path("lesson"))
    assert trust.read("part.gs", ".gs") == "step\n"
    assert trust.read("near.gs", ".gs") == "step\n"
    assert trust.read("deep/part.gs", ".gs") == "next\n"
    trust.write("deep/new.gs", "new\n", ".gs", overwrite=False, hint="")
    assert (folder / "deep" / "new.gs").read_text() == "new\n"
    assert sorted(path.name for path in (folder / "deep").iterdir()) == [
        *("new.gs", "part.gs")
    ]
    with pytest.raises(InputError, match=r"loop\.gs"):
        trust.read("loop.gs", ".gs")


def test_nothing_is_written_over(folder: Path) -> None:
    trust = below(folder)
    for overwrite, says in ((True, "may not write over"), (False, "is there already")):
        with pytest.raises(InputError, match=says):
            trust.write("part.gs", "new", ".gs", overwrite=overwrite, hint="")
    assert (folder / "part.gs").read_text() == "step\n"


def test_a_folder_that_becomes_a_link_leads_nowhere(folder: Path) -> None:
    # As if somebody exchanged it between the look at the name and the opening.
    path = folder.resolve() / "deep" / "part.gs"
    (folder / "deep").rename(folder / "was")
    (folder / "deep").symlink_to(folder.parent)
    (folder.parent / "part.gs").write_text("the password\n")
    with pytest.raises(InputError, match="cannot be opened"):
        open_regular(path, 100, "part.gs", folder.resolve())
    with pytest.raises(InputError, match="cannot be written"):
        write(path.with_name("new.gs"), "new", under=folder.resolve())
    assert not (folder.parent / "new.gs").exists()
    # And the file itself.
    path = folder.resolve() / "part.gs"
    path.unlink()
    path.symlink_to(folder.parent / "secret.gs")
    with pytest.raises(InputError, match="cannot be opened"):
        open_regular(path, 100, "part.gs", folder.resolve())


def test_a_pipe_in_the_folder_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.gs")
    with pytest.raises(InputError, match="is a pipe or a device"):
        below(folder).read("pipe.gs", ".gs")


def test_a_person_may_name_any_file(folder: Path) -> None:
    for trust in (KEYBOARD, FULL):
        path = str(folder / "out" / "x.txt")
        trust.write(path, "one", ".gs", overwrite=False, hint="")
        trust.write(path, "two", ".gs", overwrite=True, hint="")
        assert trust.read(path, ".gs") == "two"
        Path(path).unlink()


def test_what_a_line_starts_may_do_no_more_than_the_line(folder: Path) -> None:
    outer = below(folder)
    assert KEYBOARD.of_script(folder / "part.gs") == outer
    assert outer.of_script(folder / "deep" / "part.gs") == below(folder / "deep")
    assert KEYBOARD.of_script("part.gs") == KEYBOARD.of_stop() == below(Path())
    assert outer.of_stop() == outer
    assert FULL.of_script(folder / "part.gs") == FULL.of_stop() == FULL

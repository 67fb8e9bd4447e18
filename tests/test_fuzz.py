"""A short run of the fuzzing, and all that it has kept; `make fuzz` looks further."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

import fuzz

if TYPE_CHECKING:
    from pathlib import Path

_TRIES = {"scenarios": 300, "expressions": 60, "scripts": 60, "lessons": 3, "keys": 3}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.parametrize("name", fuzz.READERS)
def test_what_was_kept_is_borne(name: str) -> None:
    texts = fuzz.corpus(name)
    assert texts
    wrong = [fuzz.tried(fuzz.READERS[name], text) for text in texts]
    assert [one for one in wrong if one] == []


@pytest.mark.parametrize("name", fuzz.READERS)
def test_changed_texts_are_borne(name: str) -> None:
    rng = random.Random(1)  # noqa: S311  # no secret
    texts, reader = fuzz.corpus(name), fuzz.READERS[name]
    for _ in range(_TRIES[name]):
        text = fuzz.changed(rng.choice(texts), texts, reader.words, rng)
        assert not fuzz.tried(reader, text), text


def test_what_breaks_or_is_new_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = fuzz.READERS["scenarios"].read

    def read(text: str) -> None:
        if "((" in text:
            raise fuzz.Broken(text)
        reads(text)

    monkeypatch.setattr(fuzz, "CORPUS", tmp_path)
    monkeypatch.setitem(fuzz.READERS, "scenarios", fuzz.Reader(read, ("(", "x"), 1))
    fuzz.keep("scenarios", ["gradstep = 1", "title = (x"])
    rng = random.Random(1)  # noqa: S311  # no secret
    # In each turn a text is tried, so that it does not depend on the machine.
    monkeypatch.setattr(fuzz.time, "monotonic", iter(range(1000)).__next__)
    count, new, broken = fuzz.fuzz("scenarios", 200, rng)
    assert count == 199  # the end counts as a turn
    assert new > 0
    assert broken
    assert all("((" in one for one in broken)
    kept = fuzz.corpus("scenarios")
    assert len(kept) == 2 + new
    assert any("((" in text for text in kept)


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "\u202e", "Traceback", "a bug in gradstep"]
)
def test_what_must_not_be_said_is_noticed(text: str) -> None:
    assert "Broken" in fuzz.tried(fuzz.Reader(fuzz._harmless, (), 1), text)

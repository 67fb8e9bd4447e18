"""Which files a command line may read and write.

A person at a keyboard may name any file. Whatever else gives command lines, a script, a
pipe, the commands of a stop, may have come from a stranger: it stays in its folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from .errors import InputError
from .files import read_text, within
from .limits import LIMITS
from .save import write
from .text import clean

_ALLOW: Final = "typed at the prompt it may be any file, and so may it with --trust"


class Trust(NamedTuple):
    """What command lines may do with files.

    In a folder they read and write files with the right ending, in it and below it, by
    names relative to it, and never write over one.
    """

    folder: Path | None = None  # resolved; None where any file may be named
    hands_on: bool = False  # the lines that they start may do as much

    def of_script(self, path: str | Path) -> Trust:
        """Return the trust in the lines of a script that is started from here."""
        return self if self.hands_on else below(Path(path).parent)

    def of_stop(self) -> Trust:
        """Return the trust in the commands of a stop that are given here."""
        return self if self.hands_on or self.folder else below(Path())

    def named(self, name: str, ending: str) -> Path:
        """Return the file that a line means, or raise `InputError` if it may not."""
        if self.folder is None:
            return Path(name)
        found = within(self.folder, name)
        wrong = ""
        if found is None:
            wrong = "is outside of the script's folder"
        elif any(part.startswith(".") for part in found.relative_to(self.folder).parts):
            wrong = "is hidden"
        elif found.suffix.lower() != ending:
            wrong = f"does not end with {ending}"
        if found is None or wrong:
            message = f"the file '{clean(name)[:80]}' {wrong}"
            raise InputError(f"{message}, and a script may not touch it", _ALLOW)
        return found

    def read(self, name: str, ending: str) -> str:
        """Return the text of a file, or raise `InputError` if it may not be read."""
        path = self.named(name, ending)
        return read_text(path, LIMITS.text, name, self.folder)

    def write(
        self,
        name: str,
        content: str | bytes,
        ending: str,
        *,
        overwrite: bool,
        hint: str,
    ) -> None:
        """Write a file, or raise `InputError` if it may not be written."""
        path = self.named(name, ending)
        if self.folder is not None and overwrite:
            what = "a script may not write over files: leave -f out"
            raise InputError(what, _ALLOW)
        write(path, content, overwrite=overwrite, hint=hint, under=self.folder)


def below(folder: Path) -> Trust:
    """Return the trust in lines that stay in a folder and below it."""
    return Trust(folder.resolve())


KEYBOARD: Final = Trust()  # of what a person types, or a program of a person's own
FULL: Final = Trust(hands_on=True)  # with --trust: scripts may do the same

"""How a person has arranged the panes: remembered between sessions."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ...core.base.errors import InputError
from ...core.base.save import write_text

HIDEABLE: Final = ("program", "graph", "why", "console")
_MOST_BYTES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Widths and heights in cells, 0 where nothing was chosen; what is hidden."""

    left: int = 0
    console: int = 0
    hidden: tuple[str, ...] = ()
    theme: str = ""


def _path() -> Path:
    """Return the file: in XDG_STATE_HOME, or where that is by default."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "gradstep" / "arrangement.json"


def load_arrangement() -> Arrangement:
    """Return the remembered arrangement; the plain one where there is none to read."""
    try:
        with _path().open(encoding="utf-8") as file:
            found: Any = json.loads(file.read(_MOST_BYTES))
        return Arrangement(
            min(max(int(found["left"]), 0), 400),
            min(max(int(found["console"]), 0), 100),
            tuple(name for name in HIDEABLE if name in found["hidden"]),
            str(found["theme"])[:50],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Arrangement()


def save_arrangement(arrangement: Arrangement) -> None:
    """Remember an arrangement. Where that cannot be done, it holds for this session."""
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(asdict(arrangement)), overwrite=True)
    except (OSError, InputError):
        return

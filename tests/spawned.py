"""A process of a test that runs to its end, in a limited time."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def finished(
    *words: str,
    folder: Path | None = None,
    typed: str | None = None,
    more: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run this Python with some arguments, and return what it has said.

    `more` are variables of its environment; without `typed` there is nothing to read.
    """
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, **(more or {})},
        stdin=subprocess.DEVNULL if typed is None else None,
        input=typed,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )

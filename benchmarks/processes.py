"""Commands as whole processes: the processor's time of each beside another one's."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from measure import Row, duration
from screen import chain, text

if TYPE_CHECKING:
    from collections.abc import Iterator

TURNS: Final = 7
NODES: Final = 1_000  # computed ones: with the seed 3,001 events
MANY: Final = 10_000


def rows() -> Iterator[Row]:
    """Yield a line for each command that should not take long."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder, "chain.toml")
        scenario.write_text(chain(NODES), "utf-8")
        large = Path(folder, "large.toml")
        large.write_text(chain(MANY), "utf-8")
        page = Path(folder, "page.html")
        played = ("play", str(scenario), "--json")
        for what, against, most, ours, theirs in (
            ("--version", "--help", 1.1, ("--version",), ("--help",)),
            ("list", "--help", 3.0, ("list",), ("--help",)),
            (
                "play --plain, 3,001 events",
                "play --json",
                4.0,
                ("play", str(scenario), "--plain"),
                played,
            ),
            (
                "export to html, 3,001 events",
                "play --json",
                2.0,
                ("export", str(scenario), "-o", str(page), "--force"),
                played,
            ),
            (
                f"show, {MANY:,} nodes",
                "grads --json",
                4.0,
                ("show", str(large)),
                ("grads", str(large), "--json"),
            ),
        ):
            one, two = _race(ours, theirs)
            yield Row(
                f"gradstep {what}",
                f"gradstep {against}",
                duration(one),
                duration(two),
                one / two,
                most,
            )


def _race(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[float, float]:
    """Return the least time of the processor that each of two commands took."""
    times = [[_taken(one) for one in (ours, theirs)] for _ in range(TURNS)]
    one, two = map(min, zip(*times, strict=True))
    return one, two


def _taken(arguments: tuple[str, ...]) -> float:
    before = _children()
    subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-m", "gradstep", *arguments],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return _children() - before


def _children() -> float:
    """Return the seconds that processes took which have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    for found in rows():
        print(text(found), flush=True)

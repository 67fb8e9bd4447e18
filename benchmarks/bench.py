"""Print how fast gradstep is, each line as a ratio within this one run."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import asking
import beside
import capturing
import checking
import debugging
import large
import learning
import lookups
import networks
import numpy as np
import operations
import processes
import scalars
import screen
import terminal
import texts

import captures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from measure import Row

    Parts = Mapping[str, Callable[[], Iterable[Row | str]]]

HEAD = ("what", "against", "ours", "theirs", "ratio", "at most")


def main() -> None:
    """Measure everything, and print a Markdown table."""
    parser = argparse.ArgumentParser(description="Print how fast gradstep is.")
    parser.add_argument("--full", action="store_true", help="also a million nodes")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="how long to take turns, per line"
    )
    names = [*_parts(full=False, seconds=0.0)]
    parser.add_argument("parts", nargs="*", help=f"only some of: {', '.join(names)}")
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="DIR",
        help="only keys and start, beside those of an older checkout with a .venv",
    )
    chosen = parser.parse_args()
    parts = _parts(chosen.full, chosen.seconds)
    if chosen.beside is not None:
        parts = {"beside": partial(beside.rows, chosen.beside, [*screen.cases()])}
    unknown = [part for part in chosen.parts if part not in parts]
    if unknown:
        parser.error(f"no part is called {unknown[0]}; there are {', '.join(parts)}")
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "all")
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, "
        f"{os.cpu_count()} cores, {platform.machine()}; products on "
        f"{threads} of them; in turns\n"
    )
    print(f"| {' | '.join(HEAD)} | |")
    print(f"|{'---|' * (len(HEAD) + 1)}")
    for part in chosen.parts or parts:
        for row in parts[part]():
            print(row if isinstance(row, str) else row.line, flush=True)


def _parts(full: bool, seconds: float) -> Parts:
    """Return what yields the lines of each part, by name."""
    sizes = [1_000, 10_000, 100_000, *([1_000_000] if full else [])]
    return {
        "scalars": lambda: scalars.rows(sizes, seconds),
        "networks": lambda: networks.rows(seconds),
        "checks": lambda: checking.rows(seconds),
        "training": lambda: learning.rows(seconds),
        "operations": lambda: operations.rows(seconds),
        "lookups": lambda: [lookups.row(seconds)],
        "debugging": lambda: debugging.rows(seconds),
        "asking": lambda: asking.rows(seconds),
        "capturing": capturing.rows,
        "texts": lambda: texts.rows(seconds),
        "processes": processes.rows,
        "screen": screen.rows,
        "large": large.rows,
        "captures": lambda: captures.rows(seconds, full=full),
        "terminal": terminal.rows,
    }


if __name__ == "__main__":
    # micrograd walks a graph by recursion, once for each node of a chain.
    sys.setrecursionlimit(10**8)
    threading.stack_size(512 * 2**20)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()

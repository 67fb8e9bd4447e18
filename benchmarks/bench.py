"""Print how fast gradstep is, each line as a ratio within this one run."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import threading
from typing import TYPE_CHECKING

import asking
import debugging
import large
import lookups
import networks
import numpy as np
import operations
import scalars
import screen
import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from measure import Row

HEAD = ("what", "against", "ours", "theirs", "ratio", "at most")


def main() -> None:
    """Measure everything, and print a Markdown table."""
    parser = argparse.ArgumentParser(description="Print how fast gradstep is.")
    parser.add_argument("--full", action="store_true", help="also a million nodes")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="how long to take turns, per line"
    )
    chosen = parser.parse_args()
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "all")
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, "
        f"{os.cpu_count()} cores, {platform.machine()}; products on "
        f"{threads} of them; in turns\n"
    )
    print(f"| {' | '.join(HEAD)} | |")
    print(f"|{'---|' * (len(HEAD) + 1)}")
    for row in _rows(chosen.full, chosen.seconds):
        print(row if isinstance(row, str) else _line(row), flush=True)


def _rows(full: bool, seconds: float) -> Iterator[Row | str]:
    sizes = [1_000, 10_000, 100_000, *([1_000_000] if full else [])]
    yield from scalars.rows(sizes, seconds)
    yield from networks.rows(seconds)
    yield networks.check_row(seconds)
    yield from operations.rows(seconds)
    yield lookups.row(seconds)
    yield from debugging.rows(seconds)
    yield from asking.rows(seconds)
    yield from screen.rows()
    yield from large.rows()
    yield from terminal.rows()


def _line(row: Row) -> str:
    held = "held" if row.ratio <= row.most else "missed"
    cells = (row.what, row.against, row.ours, row.theirs)
    return f"| {' | '.join(cells)} | {row.ratio:.2f} × | {row.most:g} × | {held} |"


if __name__ == "__main__":
    # micrograd walks a graph by recursion, once for each node of a chain.
    sys.setrecursionlimit(10**8)
    threading.stack_size(512 * 2**20)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()

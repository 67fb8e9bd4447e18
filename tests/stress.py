"""Do the tests that have a worker, a terminal or a clock pass on a busy machine?

Processes that compute without end are started beside them; only these are ended. Each
file is run so many times, and it is told how often it passed, and what failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).parents[1]
TESTS: Final = (
    "tests/tui/cli/test_terminal.py",
    "tests/tui/panes/test_background.py",
    "tests/tui/app/test_palette.py",
    "tests/tui/app/test_painting.py",
    "tests/tui/app/test_app.py",
    "tests/tui/cli/test_opening.py",
)
# It ends with the process that started it, however that one ends.
_SPIN: Final = "import os; own = os.getppid()\nwhile os.getppid() == own: pass"


@contextmanager
def load(count: int) -> Iterator[None]:
    """Keep the machine busy with so many processes."""
    busy = [subprocess.Popen([sys.executable, "-c", _SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def passed(tests: Sequence[str]) -> bool:
    """Run tests once; print what fails."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = done.stdout.splitlines()
        print(*(line for line in lines if line.startswith(("FAILED", "ERROR", "E  "))))
    return not done.returncode


def main() -> int:
    """Return how many runs failed."""
    parser = argparse.ArgumentParser(description="Run tests on a busy machine.")
    parser.add_argument("tests", nargs="*", default=TESTS)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--load", type=int, default=4 * (os.cpu_count() or 1))
    options = parser.parse_args()
    failed = 0
    with load(options.load):
        for test in options.tests:
            good = sum(passed([test]) for _ in range(options.times))
            print(f"{test}: {good} of {options.times} passed", flush=True)
            failed += options.times - good
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

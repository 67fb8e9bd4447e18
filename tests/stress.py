"""Do the tests pass on a busy machine, those with a worker, terminal or clock always?

Processes that compute without end are started beside them; only these are ended. All
tests are run once, then each file with such tests so many times, and it is told how
often it passed, and what failed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).parents[1]
# What a test has to do with a worker, a terminal or a clock.
_CLOCK: Final = re.compile(
    r"Popen|subprocess|pty\.|threading|sleep\(0\.|_PATIENCE|busy"
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


def clock_tests() -> list[str]:
    """Return the files with tests that have a worker, a terminal or a clock."""
    files = sorted(ROOT.glob("tests/**/test_*.py"))
    found = [path for path in files if _CLOCK.search(path.read_text("utf-8"))]
    return [path.relative_to(ROOT).as_posix() for path in found]


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
    """Return 1 where any run failed."""
    parser = argparse.ArgumentParser(description="Run tests on a busy machine.")
    parser.add_argument("tests", nargs="*", help="files, instead of all of that")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--load", type=int, default=15, help="processes that compute")
    options = parser.parse_args()
    # All together run in parallel: these processes count for the load as well.
    plan = [(test, [test], options.times) for test in options.tests or clock_tests()]
    if not options.tests:
        plan.insert(0, ("all tests", ["--numprocesses=2", "--dist=worksteal"], 1))
    failed = 0
    with load(options.load):
        for name, tests, times in plan:
            good = sum(passed(tests) for _ in range(times))
            print(f"{name}: {good} of {times} passed", flush=True)
            failed += times - good
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

"""Do the tests pass on a busy machine, those with a worker, terminal or clock always?

So many processes compute at once: most of them run tests, and keep each other busy; the
others compute without end. All tests are run once, then each one that has to do with a
clock so many times. What failed is told, and how busy the machine really was.
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TESTS: Final = Path(__file__).parent
# What a test, or what it calls of ours, has to do with a worker, a terminal or a clock.
_CLOCK: Final = re.compile(
    r"Popen|subprocess\.|pty\.|threading|sleep\(0\.|PATIENCE|busy|Background\("
)
_SPINNING: Final = 5  # of the processes, those that run no tests
_SAMPLE: Final = 10.0  # seconds from one look at the load to the next
_TIMES: Final = "STRESS_TIMES"
_NAME: Final = "time_of_many"
# It ends with the process that started it, however that one ends.
_SPIN: Final = "import os; own = os.getppid()\nwhile os.getppid() == own: pass"


# ------------------------------------------------- in the processes that run the tests


@pytest.fixture(name=_NAME)
def _time_of_many() -> None:
    """Stand for which of the many times it is that a test is run."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with a clock many times, where that is asked for."""
    times = int(os.environ.get(_TIMES, "0"))
    if times and has_clock(metafunc.function):
        metafunc.fixturenames.append(_NAME)
        metafunc.parametrize(_NAME, range(times), indirect=True)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out every other test then."""
    if _TIMES in os.environ:
        others = [one for one in items if not _is_repeated(one)]
        config.hook.pytest_deselected(items=others)
        items[:] = filter(_is_repeated, items)


def _is_repeated(item: pytest.Item) -> bool:
    how = getattr(item, "callspec", None)
    return how is not None and _NAME in how.params


@cache
def has_clock(function: Any) -> bool:
    """Tell whether a test has to do with a clock, or what it uses of our tests."""
    seen: set[Any] = set()
    waiting = [function]
    while waiting:
        one = inspect.unwrap(waiting.pop())
        if one in seen:
            continue
        seen.add(one)
        if _CLOCK.search(inspect.getsource(one)):
            return True
        names = {*one.__code__.co_names, *inspect.signature(one).parameters}
        for name in names:
            found = one.__globals__.get(name)
            found = getattr(found, "_get_wrapped_function", lambda found=found: found)()
            if inspect.isfunction(found) and _is_ours(found):
                waiting.append(found)
    return False


def _is_ours(function: Any) -> bool:
    return TESTS in Path(function.__code__.co_filename).parents


# ---------------------------------------------------------------- in the one that waits


@contextmanager
def spinning(count: int) -> Iterator[None]:
    """Have so many processes compute without end."""
    busy = [subprocess.Popen([sys.executable, "-c", _SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def passed(what: str, tests: Sequence[str], load: int, times: int) -> bool:
    """Run tests once, or those with a clock so many times; tell how that ended."""
    spin = min(_SPINNING, load - 1)
    workers = f"--numprocesses={load - spin}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", Path(__file__).stem, workers, "--dist=worksteal", *tests]
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    if times:
        environment[_TIMES] = str(times)
    loads: list[float] = []
    with tempfile.TemporaryFile("w+") as said, spinning(spin):
        process = subprocess.Popen(
            command, cwd=TESTS.parent, env=environment, stdout=said
        )
        while process.poll() is None:
            try:
                process.wait(_SAMPLE)
            except subprocess.TimeoutExpired:
                loads.append(os.getloadavg()[0])
        said.seek(0)
        lines = said.read().splitlines()
    print(*(one for one in lines if one.startswith(("FAILED", "ERROR", "E  "))))
    usual = f", load {median(loads):.0f}, at most {max(loads):.0f}" if loads else ""
    print(f"{what}: {lines[-1] if lines else 'nothing was run'}{usual}", flush=True)
    return process.returncode == 0


def main() -> int:
    """Return 1 where any run failed."""
    parser = argparse.ArgumentParser(description="Run tests on a busy machine.")
    parser.add_argument("tests", nargs="*", help="files, instead of all of them")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--load", type=int, default=15, help="processes that compute")
    options = parser.parse_args()
    load, times = max(options.load, 2), options.times
    good = passed("all tests, once", options.tests, load, 0)
    again = passed(f"those with a clock, {times} times", options.tests, load, times)
    return int(not (good and again))


if __name__ == "__main__":
    sys.exit(main())

"""What holds for every test: one terminal, and the same examples each time."""

import asyncio
import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import settings

# What the person who runs the tests has set must not decide how a picture looks.
for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM", "COLORTERM"):
    os.environ.pop(name, None)
for name in [name for name in os.environ if name.startswith(("TEXTUAL", "GRADSTEP"))]:
    del os.environ[name]
# What tests start is to find its modules compiled: that is most of its start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# What the application would only tell of is to fail a test.
os.environ["GRADSTEP_TRACEBACK"] = "1"

# Nor how they are started: in the background Ctrl+C is ignored, and whatever a test
# starts would ignore it as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine must not fail a test, and two runs of the same code must agree;
# `make tests ARGS=--hypothesis-profile=explore` looks further.
settings.register_profile(
    "gradstep", deadline=None, max_examples=30, derandomize=True, print_blob=True
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("gradstep")


@pytest.fixture
def python() -> Callable[[str], list[str]]:
    """Return a function that runs a program in a fresh interpreter: lines it prints."""

    def run(program: str) -> list[str]:
        # `-I` leaves out the current folder and the user's own settings.
        done = subprocess.run(
            [sys.executable, "-I", "-c", program],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine: the tests of the application are."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames  # no public way
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True

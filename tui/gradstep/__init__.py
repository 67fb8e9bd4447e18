"""A debugger for gradients that travels in time. These names are public, no others.

>>> from gradstep import Debugger, load
>>> bug = Debugger(load("apple_orange"))
>>> bug.goto("end").phase
'end'
>>> float(bug.print("a.grad").data)
3.3000000000000003

`help(bug.explain)` says what `explain` takes, and what the `data` of its reply holds.
"""

import _signal  # pyright: ignore[reportMissingImports]  # `signal` takes some ms
import sys

# Of the command, Ctrl+C prints no traceback, from the first line on: see `__main__`.
_NAME = sys.argv[0].replace("\\", "/").rpartition("/")[2] if sys.argv else ""
if (
    _NAME in {"-m", "gradstep", "gradstep.exe"}
    and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
):
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from importlib import import_module  # noqa: E402  # only behind that
from typing import TYPE_CHECKING, Any, Final  # noqa: E402  # the same

if TYPE_CHECKING:  # `gradstep --help` and every pytest would wait for NumPy
    from gradstep.core.base.errors import (
        AssertionFailed,
        CommandError,
        GradstepError,
        InputError,
        Interrupted,
        LimitError,
        Problem,
        ProgramError,
        RuleError,
        ScenarioError,
    )
    from gradstep.core.base.version import __version__ as __version__
    from gradstep.core.debugger.debugger import Debugger
    from gradstep.core.engine.graph import Builder
    from gradstep.core.engine.subject import Subject
    from gradstep.core.frontends.running import capture
    from gradstep.core.ops import OPS
    from gradstep.core.scenario.scenario import Scenario, load, parse
    from gradstep.core.session.reply import Reply, Stopped

__all__ = [
    "OPS",
    "AssertionFailed",
    "Builder",
    "CommandError",
    "Debugger",
    "GradstepError",
    "InputError",
    "Interrupted",
    "LimitError",
    "Problem",
    "ProgramError",
    "Reply",
    "RuleError",
    "Scenario",
    "ScenarioError",
    "Stopped",
    "Subject",
    "capture",
    "load",
    "parse",
]

# Each module, and the public names that it has.
_HOMES: Final = {
    ".core.base.errors": (
        *("AssertionFailed", "CommandError", "GradstepError", "InputError"),
        *("Interrupted", "LimitError", "Problem", "ProgramError", "RuleError"),
        "ScenarioError",
    ),
    ".core.base.version": ("__version__",),
    ".core.debugger.debugger": ("Debugger",),
    ".core.engine.graph": ("Builder",),
    ".core.engine.subject": ("Subject",),
    ".core.frontends.running": ("capture",),
    ".core.ops": ("OPS",),
    ".core.scenario.scenario": ("Scenario", "load", "parse"),
    ".core.session.reply": ("Reply", "Stopped"),
}


def __getattr__(name: str) -> Any:
    """Return a public name; it is imported when it is asked for."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home, __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__

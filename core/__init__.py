"""The engine and the debugger: numpy and the standard library only.

>>> from gradstep.core import Debugger, load
>>> bug = Debugger(load("apple_orange"))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .debugger.debugger import Debugger
    from .scenario.scenario import load

__all__ = ["Debugger", "load"]

_HOMES: Final = {"Debugger": ".debugger.debugger", "load": ".scenario.scenario"}


def __getattr__(name: str) -> Any:
    # Found when they are asked for: `gradstep --help` must not wait for numpy.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)

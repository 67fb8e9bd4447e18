"""A debugger for gradients that travels in time. These names are public, no others.

>>> from gradstep import Debugger, load
>>> debugger = Debugger(load("apple_orange"))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # `gradstep --help` and every pytest would wait for NumPy
    from gradstep.core.debugger.debugger import Debugger
    from gradstep.core.scenario.scenario import load

__all__ = ["Debugger", "load"]

_HOMES: Final = {
    "Debugger": ".core.debugger.debugger",
    "load": ".core.scenario.scenario",
}


def __getattr__(name: str) -> Any:
    """Return a public name; it is imported when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__

"""Where the views are made.

The module of a view is imported when the view is first seen: nobody waits for all of
them at the start.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from .base.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base.pane import Pane

# Where each one is made.
HOMES: Final[Mapping[str, str]] = MappingProxyType(
    {name: f".tables.{name}" for name in VIEWS}
    | {"step": ".step.pane", "training": ".time.training"}
)


def view(name: str) -> type[Pane]:
    """Return the pane that is called `name`.

    >>> view("flow").TITLE
    'Gradient flow'
    """
    module = import_module(HOMES[name], __package__)
    pane: type[Pane] = getattr(module, f"{name.capitalize()}Pane")
    return pane

"""What a session can be written as, and to which file.

An exporter is a function that turns a session into text or bytes. The formats that need
a screen are added by whoever has one: `Debugger.exporters` is a plain mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..base.errors import CommandError, Problem
from ..engine.element import Element

if TYPE_CHECKING:
    from ..debugger.debugger import Debugger

Exporter = Callable[["Debugger", Element | None], str | bytes]

FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "svg": "a picture of what is seen",
        "png": "the same as pixels",
        "html": "the whole session as one page that steps with the arrow keys",
        "md": "every step in Markdown, with tables",
        "cast": "every step as a recording for asciinema",
        "dot": "the graph for Graphviz",
        "tex": "the derivation of a gradient in LaTeX",
        "py": "both passes as one NumPy program",
    }
)


def _dot(bug: Debugger, _element: Element | None) -> str:
    from .dot import dot

    return dot(bug.scenario.title, bug.trace.run)


def _py(bug: Debugger, _element: Element | None) -> str:
    from .numpy_code import numpy_code

    return numpy_code(bug.scenario, bug.trace.run)


def _tex(bug: Debugger, element: Element | None) -> str:
    from .latex import latex

    if element is None:
        raise CommandError(
            Problem(
                "the derivation of which gradient?",
                "name a node or an element of one: W1, W1.grad[0, 2]",
            )
        )
    return latex(bug.scenario, bug.trace, element.node, element.index)


# Those that need no screen.
EXPORTERS: Final[Mapping[str, Exporter]] = MappingProxyType(
    {"dot": _dot, "py": _py, "tex": _tex}
)


def export(bug: Debugger, name: str, element: Element | None) -> str | bytes:
    """Return the session in a format, or raise `InputError`.

    `element` is what the derivation of `tex` is about; no other format takes one.
    """
    exporter = bug.exporters.get(name)
    if exporter is None:
        raise CommandError(
            Problem(
                f"{name} needs a screen to draw on",
                f"gradstep export SCENARIO --format {name} -o FILE has one",
            )
        )
    if element is not None and name != "tex":
        raise CommandError(
            Problem(f"{name} shows the whole session", "only tex is about one element")
        )
    return exporter(bug, element)

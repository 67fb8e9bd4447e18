"""What a session can be written as, and to which file.

An exporter turns a subject, a trace and a position in it into text or bytes; some ask
for an element, too. It tells how far it is, and can be given up. The formats that need
a screen are added by whoever has one: `Session.exporters` is a plain mapping.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from ..base.errors import CommandError

# Imported for the types alone: the command line's help lists the formats, and does not
# wait for NumPy.
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..base.progress import Progress
    from ..engine.element import Element
    from ..engine.subject import Subject
    from ..engine.trace import Trace

Exporter: TypeAlias = (
    "Callable[[Subject, Trace, int, Element | None, Progress], str | bytes]"
)

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
        "scenario": "the same numbers as a scenario to read and edit",
    }
)


def ending(name: str) -> str:
    """Return what the name of a file of a format ends with.

    >>> ending("svg"), ending("scenario")
    ('.svg', '.toml')
    """
    return ".toml" if name == "scenario" else f".{name}"


def _samples(trace: Trace) -> tuple[str, ...]:
    """Return which samples a batch has, in words; nothing where it has all."""
    return () if trace.samples is None else (str(trace.samples),)


def _dot(
    subject: Subject, trace: Trace, _position: int, _none: object, progress: Progress
) -> str:
    from .dot import dot  # noqa: PLC0415  # 1 ms of a start

    return dot("\n".join((subject.title, *_samples(trace))), trace.run, progress)


def _py(
    subject: Subject, trace: Trace, _position: int, _none: object, progress: Progress
) -> str:
    from .numpy_code import numpy_code  # noqa: PLC0415  # 7 ms of a start

    return numpy_code(subject, trace.run, *_samples(trace), progress=progress)


def _tex(
    subject: Subject,
    trace: Trace,
    _position: int,
    element: Element | None,
    progress: Progress,
) -> str:
    from .latex import latex  # noqa: PLC0415  # 4 ms of a start

    if element is None:
        raise CommandError(
            "the derivation of which gradient?",
            "name a node or an element of one: W1, W1.grad[0, 2]",
        )
    return latex(subject, trace, element.node, element.index, progress=progress)


def _scenario(subject: Subject, trace: Trace, *_: object) -> str:
    from .scenario_text import scenario_text  # noqa: PLC0415  # 7 ms of a start

    return scenario_text(subject, trace.run).text


# Those that need no screen.
EXPORTERS: Final[Mapping[str, Exporter]] = MappingProxyType(
    {"dot": _dot, "py": _py, "scenario": _scenario, "tex": _tex}
)


def export(
    exporters: Mapping[str, Exporter],
    name: str,
    subject: Subject,
    trace: Trace,
    position: int,
    element: Element | None,
    progress: Progress,
) -> str | bytes:
    """Return what is seen at a position in a format, or raise `InputError`.

    `exporters` are those there are, by format. `element` is what the derivation of
    `tex` is about; no other format takes one. `progress` is told of each step.
    """
    exporter = exporters.get(name)
    if exporter is None:
        raise CommandError(
            f"{name} needs a screen to draw on",
            f"gradstep export SCENARIO --format {name} -o FILE has one",
        )
    if element is not None and name != "tex":
        raise CommandError(
            f"{name} shows the whole session", "only tex is about one element"
        )
    return exporter(subject, trace, position, element, progress)

"""What a session can be written as, and to which file.

An exporter turns what is `Wanted` of a session into text or bytes. It tells how far it
is, and can be given up. The formats that need a screen are added by whoever has one:
`Session.exporters` is a plain mapping.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from ..base.errors import CommandError

# Imported for the types alone: the command line's help lists the formats, and does not
# wait for NumPy.
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..base.progress import Progress
    from ..engine.element import Element
    from ..engine.subject import Subject
    from ..engine.trace import Trace
    from ..words.indices import First


class Wanted(NamedTuple):
    """What is to be written."""

    subject: Subject  # that the session is about
    trace: Trace  # of the iteration that is looked at
    position: int  # in the trace: pictures are of it
    progress: Progress  # is told of each step
    element: Element | None = None  # whose derivation tex is; no other format has one
    first: First = 0  # what formulas call the first index


Exporter: TypeAlias = "Callable[[Wanted], str | bytes]"

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
# Those that are typed or run, and so have the indices of Python.
TYPED: Final = ("dot", "py", "scenario")


def ending(name: str) -> str:
    """Return what the name of a file of a format ends with.

    >>> ending("svg"), ending("scenario")
    ('.svg', '.toml')
    """
    return ".toml" if name == "scenario" else f".{name}"


def _samples(trace: Trace) -> tuple[str, ...]:
    """Return which samples a batch has, in words; nothing where it has all."""
    return () if trace.samples is None else (str(trace.samples),)


def _dot(wanted: Wanted) -> str:
    from .dot import dot  # noqa: PLC0415  # 1 ms of a start

    title = "\n".join((wanted.subject.title, *_samples(wanted.trace)))
    return dot(title, wanted.trace.run, wanted.progress)


def _py(wanted: Wanted) -> str:
    from .numpy_code import numpy_code  # noqa: PLC0415  # 7 ms of a start

    subject, trace = wanted.subject, wanted.trace
    return numpy_code(subject, trace.run, *_samples(trace), progress=wanted.progress)


def _tex(wanted: Wanted) -> str:
    from .latex import latex  # noqa: PLC0415  # 4 ms of a start

    element = wanted.element
    if element is None:
        raise CommandError(
            "the derivation of which gradient?",
            "name a node or an element of one: W1, W1.grad[0, 2]",
        )
    about = wanted.subject, wanted.trace, element.node, element.index
    return latex(*about, first=wanted.first, progress=wanted.progress)


def _scenario(wanted: Wanted) -> str:
    from .scenario_text import scenario_text  # noqa: PLC0415  # 7 ms of a start

    return scenario_text(wanted.subject, wanted.trace.run).text


# Those that need no screen.
EXPORTERS: Final[Mapping[str, Exporter]] = MappingProxyType(
    {"dot": _dot, "py": _py, "scenario": _scenario, "tex": _tex}
)


def export(exporters: Mapping[str, Exporter], name: str, wanted: Wanted) -> str | bytes:
    """Return what is wanted in a format, or raise `InputError`.

    `exporters` are those there are, by format.
    """
    exporter = exporters.get(name)
    if exporter is None:
        raise CommandError(
            f"{name} needs a screen to draw on",
            f"gradstep export SCENARIO --format {name} -o FILE has one",
        )
    if wanted.element is not None and name != "tex":
        raise CommandError(
            f"{name} shows the whole session", "only tex is about one element"
        )
    return exporter(wanted)

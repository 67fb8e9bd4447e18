"""The commands `export` and `snapshot`: sessions and screens as files."""

from __future__ import annotations

import argparse
import io
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...core.base.errors import InputError, Interrupted, Problem
from ...core.base.limits import raised
from ...core.base.save import saying_what_is_kept, write
from ...core.base.text import clean, nearest
from ...core.debugger.debugger import Debugger
from ...core.export.formats import FORMATS, TYPED, Wanted, ending, export
from ...core.export.scenario_text import scenario_text
from ...core.expression.expression import parse_element
from ..export.exports import png_of, with_screen
from .output import loaded, progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ..app.snapshot import Wish

Options = argparse.Namespace

_PICTURES: Final = ("svg", "txt", "png")


def do_export(options: Options) -> int:
    """Write a session, its graph, a derivation or its program."""
    names = {ending(one).removeprefix("."): one for one in FORMATS}
    said = "--format says it"
    name = options.format or names[_ending(options.output, tuple(names), said)]
    if options.indices and name in TYPED:
        what, hint = f"--indices is ignored there: {name} is code", "html, md, tex, …"
        raise InputError(Problem(what, hint, "gradstep export"))
    with _kept(options):
        return _write(_exported(name, options), options, FORMATS[name])


def _kept(options: Options) -> AbstractContextManager[None]:
    """Return what says, where a person interrupts, whether a file is written."""
    if _is_printed(options):
        return nullcontext()
    return saying_what_is_kept(options.output)


def _is_printed(options: Options) -> bool:
    return options.output in {None, "-"}


def _exported(name: str, options: Options) -> str | bytes:
    """Return a session in a format."""
    scenario = loaded(options.scenario, raised(options.limit))
    with progress(f"computing {scenario.subject.name}") as tell:
        debugger = Debugger(scenario, progress=tell)
        debugger.exporters = with_screen()
        if options.at:
            _go(debugger, options.at)
            if name not in ("svg", "png") and not debugger.place.iteration:
                hint = "only svg and png are of one place; --at 3: is of iteration 3"
                what = f"--at is ignored there: {name} has every step"
                raise InputError(Problem(what, hint, "gradstep export"))
        element = None
        if options.element:
            element = parse_element(
                options.element, debugger.graph, scenario.subject.names
            )
        if name == "scenario" and element is None and not _is_printed(options):
            return _with_arrays(debugger, Path(options.output), options)
        return export(
            debugger.exporters,
            name,
            Wanted(
                debugger.subject,
                debugger.trace,
                debugger.position,
                tell,
                element,
                options.indices,
            ),
        )


def _with_arrays(debugger: Debugger, path: Path, options: Options) -> str:
    """Return a scenario; large arrays are written into a file beside it."""
    beside = path.with_suffix(".npz")
    made = scenario_text(debugger.subject, debugger.trace.run, beside.name)
    if made.arrays:
        arrays: dict[str, Any] = dict(made.arrays)
        room, hint = io.BytesIO(), "--force writes over it"
        np.savez(room, **arrays)
        write(beside, room.getvalue(), overwrite=options.force, hint=hint)
    return made.text


def do_snapshot(options: Options) -> int:
    """Write a picture of the application, without a terminal."""
    from ..app.snapshot import Wish, parse_size  # noqa: PLC0415  # 60 ms, asyncio

    name = _ending(options.output, _PICTURES, "") if options.output else "txt"
    if options.theme and name == "txt":
        what, hint = "--theme is ignored there: a text has no colours", "-o FILE.svg"
        raise InputError(Problem(what, hint, "gradstep snapshot"))
    size = parse_size(options.size)
    view, present = options.view or "", options.present
    wish = Wish(options.at, size, view, options.theme, present, options.indices)
    with _kept(options):
        return _write(_shot(name, wish, options), options, "a picture of the screen")


def _shot(name: str, wish: Wish, options: Options) -> str | bytes:
    """Return a picture of the application in a format."""
    from ..app.snapshot import take  # noqa: PLC0415  # 60 ms, asyncio

    scenario = loaded(options.scenario, raised(options.limit))
    with progress(f"drawing {scenario.subject.name}") as tell:
        picture = take(scenario, wish, tell)
        content: dict[str, Callable[[], str | bytes]] = {
            "svg": lambda: picture.svg,
            "txt": lambda: picture.text,
            "png": lambda: png_of(picture.svg),
        }
        return content[name]()


def _go(debugger: Debugger, place: str) -> None:
    reply = debugger.execute(f"goto {place}")
    if reply.interrupted:
        raise Interrupted
    if reply.error is not None:
        raise InputError(Problem(reply.error, "", "--at"))


def _ending(path: str | None, allowed: tuple[str, ...], hint: str) -> str:
    """Return the format that the name of a file asks for."""
    ending = Path(path or "").suffix.lower().removeprefix(".")
    if ending not in allowed:
        said = f"{clean(str(path))!r} is no name for a format" if path else "which one?"
        listed = ", ".join(f".{name}" for name in allowed)
        words = [nearest(ending, allowed), f"a name ends with {listed}", hint]
        raise InputError(Problem(said, "; ".join(filter(None, words)), "gradstep"))
    return ending


def _write(content: str | bytes, options: Options, what: str) -> int:
    if isinstance(content, str):
        content = content.encode("utf-8", "backslashreplace")
    if options.output in {None, "-"}:
        raw = getattr(sys.stdout, "buffer", None)
        if raw is None:  # a notebook, or another that takes texts alone
            sys.stdout.write(content.decode(errors="replace"))
            return 0
        sys.stdout.flush()
        raw.write(content)
        raw.flush()
        return 0
    hint = "--force writes over it"
    path = write(options.output, content, overwrite=options.force, hint=hint)
    sys.stdout.write(f"{what} is in {clean(str(path))}\n")
    return 0

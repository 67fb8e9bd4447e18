"""The command `capture`: a script runs as under `python`, and is watched."""

from __future__ import annotations

import argparse
import runpy
import shlex
import sys
import traceback
from functools import partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from ...core.base.errors import InputError, Problem
from ...core.base.exits import FAILED, OK, WRONG
from ...core.base.text import clean, counted
from ...core.capture.record import Wanted
from ...core.frontends.numpy.script import NUMBER, compiled
from ...core.frontends.running import FRAMEWORKS, Ended, Watch
from .output import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Options = argparse.Namespace

_HERE: Final = Path(__file__).resolve().parents[2]
_OURS: Final = tuple(str(_HERE / part) for part in ("core", "tui"))


def do_capture(options: Options) -> int:
    """Run a script, and write one backward pass of it into a file."""
    if options.open:
        from . import opening  # noqa: PLC0415  # it imports Textual

        opening.need_terminal("gradstep capture")
    given = [*options.args, *options.rest]
    run = _module if options.module else _script
    ready = run(options.script, given)
    name = (
        options.script.rpartition(".")[2] if options.module else _stem(options.script)
    )
    path = Path(options.output or f"{name}.gradstep")
    _check_folder(path)
    call = (
        _compiled(options.call.encode(), "--call", "--call") if options.call else None
    )
    wanted = Wanted(
        name,
        shlex.join([Path(options.script).name, *given]),
        options.step,
        takes_strange=options.opaque,
        is_strict=options.strict,
        has_source=not options.no_source,
        pairs=dict(options.pair or ()),
        waits=bool(options.call),
    )
    there = path.absolute()  # wherever the script goes
    telling = partial(progress, f"writing {clean(str(path))}")
    watch = Watch(there, wanted, options.max_bytes, not options.go_on, telling=telling)
    code = _watched(watch, lambda: _run(watch, ready, call), options)
    if watch.capture is None:
        return code
    _say(_written(watch, path))
    if options.open:
        from . import opening  # noqa: PLC0415  # likewise

        return opening.run_application("gradstep capture", str(there)) or code
    return code


def _watched(watch: Watch, ready: Callable[[], object], options: Options) -> int:
    """Run what is ready, and return the exit code that the command has then."""
    code = OK
    watch.start()
    try:
        ready()
    except Ended:
        pass
    except SystemExit as leaving:
        code = _code(leaving)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # whatever the script raises
        if not (watch.is_over and not options.go_on):
            _tell(error)
            code = FAILED
            if watch.capture is None:
                _say(_failure(error, watch, options))
                return code
    finally:
        watch.stop()
    sys.stdout.flush()
    if watch.capture is None:
        _say(str(watch.problem or watch.nothing()))
        return code or WRONG
    return code if options.go_on else OK


# ------------------------------------------------------------------------- the script


def _run(watch: Watch, ready: Callable[[Watch], object], call: CodeType | None) -> None:
    """Run a script, and what is to be called of all that it has defined."""
    ready(watch)
    if call is not None:
        watch.forget()
        exec(call, sys.modules["__main__"].__dict__)  # noqa: S102  # it is asked for


def _compiled(text: bytes, name: str, told: str) -> CodeType:
    """Return the code of a text, whose mistakes are told."""
    try:
        return compiled(text, name)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", 0) or 0
        message = f"is no Python: {getattr(error, 'msg', error)}"
        raise InputError(Problem(message, "", told, line)) from None


def _script(name: str, arguments: Sequence[str]) -> Callable[[Watch], object]:
    """Return what runs a script as `python` does."""
    path = Path(name).absolute()
    try:
        text = path.read_bytes()
    except OSError as error:
        hint = "-m runs a module" if "/" not in name and path.suffix != ".py" else ""
        raise InputError(
            Problem(f"cannot be read: {error.strerror}", hint, clean(name))
        ) from None
    code = _compiled(text, str(path), clean(name))
    module = ModuleType("__main__")
    module.__dict__.update(__file__=str(path), __builtins__=__builtins__, __spec__=None)

    def run(watch: Watch) -> None:
        module.__dict__[NUMBER] = watch.number
        sys.argv = [name, *arguments]
        sys.path[0] = str(path.resolve().parent)
        sys.modules["__main__"] = module
        exec(code, module.__dict__)  # noqa: S102  # it is what was asked for

    return run


def _module(name: str, arguments: Sequence[str]) -> Callable[[Watch], object]:
    """Return what runs a module as `python -m` does."""

    def run(_watch: Watch) -> None:
        sys.argv = [name, *arguments]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(name, run_name="__main__", alter_sys=True)

    return run


def _code(leaving: SystemExit) -> int:
    """Return the exit code that Python would end with."""
    if leaving.code is None:
        return OK
    if isinstance(leaving.code, int):
        return leaving.code
    sys.stderr.write(f"{leaving.code}\n")
    return FAILED


def _tell(error: BaseException) -> None:
    """Print the traceback of a script, as if nobody had watched it."""
    told = traceback.TracebackException.from_exception(error)
    told.stack[:] = [one for one in told.stack if not _is_ours(one.filename)]
    sys.stderr.writelines(told.format())


def _is_ours(file: str) -> bool:
    return file.startswith((*_OURS, "<frozen"))


def _failure(error: BaseException, watch: Watch, options: Options) -> str:
    """Return what a script that failed means for the recording."""
    missing = getattr(error, "name", None)
    if isinstance(error, ModuleNotFoundError) and missing in FRAMEWORKS:
        again = clean(shlex.join([options.script, *options.args]))
        return (
            f"this Python ({sys.executable}) has no {missing}; with the one that has: "
            f"python -m pip install gradstep && python -m gradstep capture {again}"
        )
    if isinstance(error, EOFError):
        return (
            "the script asked for more input than there was; nothing is written: give "
            "it all on its standard input, as in: gradstep capture … < answers.txt"
        )
    passes = counted(watch.passes, "backward pass", "backward passes")
    return (
        f"the script failed after {passes}, before number {watch.wanted.step} was "
        "recorded; nothing is written"
    )


# -------------------------------------------------------------------------- the result


def _written(watch: Watch, path: Path) -> str:
    capture: Any = watch.capture
    graph = capture.subject.graph
    name = clean(shlex.quote(str(path)))
    lines = [
        (
            f"{name}: {len(graph)} nodes, {counted(len(capture.own), 'gradient')} of "
            f"{capture.about.framework}, backward pass {capture.about.step}"
        ),
        *(f"note: {note}" for note in capture.about.notes),
        f"next: gradstep run {name}",
    ]
    return "\n".join(lines)


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        problem = Problem("there is no such folder", "", clean(str(path.parent)))
        raise InputError(problem)


def _stem(name: str) -> str:
    return Path(name).stem or "run"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")

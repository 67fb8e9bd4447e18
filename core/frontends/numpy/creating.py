# pyright: basic
"""Functions that make arrays, told to a tape while a script is watched."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .arrays import MATH, Number, Tracked, of_math
from .tape import hides

if TYPE_CHECKING:
    from collections.abc import Callable

    from .tape import Tape

_MAKES: Final = str.split(
    """
    array asarray zeros ones full empty eye identity arange linspace loadtxt genfromtxt
    load meshgrid fromfile frombuffer logspace
    """
)
_DRAWS: Final = str.split(
    """
    rand randn random random_sample uniform normal standard_normal choice binomial
    permutation
    """
)


class Creating:
    """Watches who makes arrays, between `start` and `stop`."""

    def __init__(self, tape: Tape) -> None:
        """Take the tape that is told."""
        self._tape = tape
        self._before: list[tuple[Any, str, Any]] = []

    def start(self) -> None:
        """Put functions that tell in the place of those that do not."""
        for home, names in ((np, _MAKES), (np.random, _DRAWS)):
            for name in names:
                self._swap(home, name, _telling(self._tape, getattr(home, name)))
        for name in MATH:
            self._swap(math, name, of_math(self._tape, name))
        self._swap(np.random, "default_rng", self._drawing(np.random.default_rng))

    def stop(self) -> None:
        """Put everything back."""
        for home, name, function in reversed(self._before):
            setattr(home, name, function)
        self._before.clear()

    def _swap(self, home: Any, name: str, function: Any) -> None:
        self._before.append((home, name, getattr(home, name)))
        setattr(home, name, function)

    def _drawing(self, function: Any) -> Callable[..., Any]:
        tape = self._tape

        def draw(*args: Any, **kwargs: Any) -> Any:
            made = function(*args, **kwargs)
            return made if _is_hidden() else _Drawing(tape, made)

        return draw


class _Drawing:
    """A source of random numbers whose arrays are watched."""

    def __init__(self, tape: Tape, source: Any) -> None:
        self._tape, self._source = tape, source

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._source, name)
        return _telling(self._tape, found) if callable(found) else found


def _is_hidden() -> bool:
    return hides(sys._getframe(2).f_code.co_filename)  # noqa: SLF001


def _telling(tape: Tape, function: Any) -> Callable[..., Any]:
    name = function.__name__

    def make(*args: Any, **kwargs: Any) -> Any:
        if tape.is_quiet or _is_hidden():
            return function(*args, **kwargs)
        frame = sys._getframe(1)  # noqa: SLF001  # where it is called
        if args and isinstance(args[0], Tracked) and name in ("array", "asarray"):
            if name == "asarray" and len(args) == 1 and not kwargs:
                return args[0]
            return tape.call("astype", function, args, kwargs, frame)
        if name == "array" and args and isinstance(args[0], (list, tuple)):
            return _listed(tape, function, args, kwargs, frame)
        made = function(*args, **kwargs)
        if type(made) is list or type(made) is tuple:
            return type(made)(tape.made(one, name, frame) for one in made)
        return tape.made(made, name, frame)

    make.__name__ = name
    return make


def _listed(tape: Tape, function: Any, args: Any, kwargs: Any, frame: Any) -> Any:
    """Make an array of a list, which may have watched arrays in it."""
    parts = args[0]
    if parts and all(isinstance(one, (Tracked, Number)) for one in parts):
        return tape.call("stack", function, args, kwargs, frame)
    return tape.made(function(*args, **kwargs), "array", frame)

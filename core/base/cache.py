"""What was made lately from numbers that never change, kept for a second look."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Made = TypeVar("Made")

ROOM: Final = 2**29  # bytes of arrays: four matrices of 4096 × 4096
_FACTS: Final = 250_000  # things that take next to no room
_LARGE: Final = 1024  # bytes from which on an array is no mere fact


class Recent:
    """The arrays and facts that were made last, as many as there is room for.

    It is asked by the screen and by commands in the background at the same time.

    >>> recent = Recent()
    >>> recent.of("a", lambda: 1), recent.of("a", lambda: 2)
    (1, 1)
    """

    __slots__ = ("_arrays", "_facts", "_lock", "_room", "_used")

    def __init__(self, room: int = ROOM) -> None:
        self._facts: dict[Hashable, Any] = {}
        self._arrays: dict[Hashable, Any] = {}
        self._room = room
        self._used = 0
        self._lock = Lock()

    def of(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what is known by `key`, and make it where it is not known."""
        known: Made | None = self.known(key)
        return self.keep(key, make()) if known is None else known

    def known(self, key: Hashable) -> Any:
        """Return what is known by `key`, or None."""
        found = self._facts.get(key)
        if found is None and self._arrays:
            with self._lock:
                found = self._arrays.pop(key, None)
                if found is not None:
                    self._arrays[key] = found  # the last one that was asked for
        return found

    def keep(self, key: Hashable, made: Made) -> Made:
        """Keep a thing, and let the oldest go where there is no room; return it."""
        with self._lock:
            if getattr(made, "nbytes", 0) >= _LARGE:
                self._keep_array(key, made)
                return made
            self._facts[key] = made
            if len(self._facts) > _FACTS:
                del self._facts[next(iter(self._facts))]
        return made

    def _keep_array(self, key: Hashable, array: Any) -> None:
        self._drop(key)
        self._arrays[key] = array
        self._used += array.nbytes
        while self._used > self._room:
            self._drop(next(iter(self._arrays)))

    def _drop(self, key: Hashable) -> None:
        array = self._arrays.pop(key, None)
        self._used -= 0 if array is None else array.nbytes

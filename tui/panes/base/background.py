"""Work that may take longer than a frame: beside the screen, and to be cancelled."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from ....core.base.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.screen import Screen

T = TypeVar("T")

_PATIENCE: Final = 0.03  # seconds that work may take before nobody waits for it
SOON: Final = 1.0  # seconds that a key waits for what goes on
_OFTEN: Final = 0.1  # seconds between two words of how far it is


class Background:
    """One piece of work at a time, in a thread of its own."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        """Take what is called with the progress of long work: done, of how much."""
        self._tell = tell
        self._app: App[Any] | None = None
        # To begin a thread for each piece of work takes as long as much of it.
        self._thread: threading.Thread | None = None
        self._work: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._found: SimpleQueue[Any] = SimpleQueue()
        self._cancelled = threading.Event()
        self._told = 0.0
        self._is_closed = False
        self.busy = False

    def run(
        self, app: App[Any], work: Callable[[], T], then: Callable[[T], None]
    ) -> None:
        """Do `work`, and call `then` with its result: at once, if the work is quick.

        `work` must not raise. The screen must not be busy. Once it is closed there is
        nobody any more whom it could be done for.
        """
        if self._is_closed:
            return
        self._app = app
        self._cancelled.clear()
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, daemon=True)
            self._thread.start()
        self._work.put(work)
        try:
            found = self._found.get(timeout=_PATIENCE)
        except Empty:
            self.busy = True
            self._tell(0, 0)
            threading.Thread(target=self._wait, args=(then,), daemon=True).start()
        else:
            then(found)

    def _serve(self) -> None:
        while True:
            work = self._work.get()
            if work is None:
                return
            self._found.put(work())
            del work  # what it holds may be large

    def _wait(self, then: Callable[[T], None]) -> None:
        found = self._found.get()

        def finish() -> None:
            self.busy = False
            then(found)

        self._hand_over(finish)

    def close(self) -> None:
        """Cancel the work, and end the thread."""
        self._is_closed = True
        self.cancel()
        self._work.put(None)
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def cancel(self) -> None:
        """Make the next call of `progress` raise `Interrupted`."""
        self._cancelled.set()

    def progress(self, done: int, of: int) -> None:
        """Report the progress, or raise `Interrupted`. The thread of the work calls it.

        What the screen itself looks up is not to be cancelled.
        """
        if threading.current_thread() is not self._thread:
            return
        if self._cancelled.is_set():
            raise Interrupted
        now = time.monotonic()
        if self.busy and now - self._told > _OFTEN:
            self._told = now
            self._hand_over(self._tell, done, of)

    def _hand_over(self, function: Callable[..., None], *arguments: int) -> None:
        """Call a function in the thread of the screen, if there still is one.

        What it raises is raised there: here it would end the work, and nothing else.
        """
        if self._app is not None and self._app.is_running:
            with suppress(RuntimeError):  # its loop has ended since
                self._app.call_later(function, *arguments)


def is_there(screen: Screen[Any]) -> bool:
    """Tell whether a screen has its panes: to be asked from `on_mount` on.

    It has not once it is closed. Textual tells a screen that it is mounted even where
    it was closed before all panes were, and work in the background may end later.
    """
    is_closed = screen._pruning  # noqa: SLF001  # as Textual asks
    return screen.is_attached and screen.app.is_running and not is_closed


GIVEN_UP: Final = "given up; the next command looks again"


class Kept(Generic[T]):
    """A cache with one entry: the last result, and its key.

    What takes long is made by `make`, in the background; `of` finds it there.
    """

    def __init__(self) -> None:
        self._found: tuple[object, T | None] | None = None

    def make(self, key: object, how: Callable[[], T]) -> None:
        """Keep the result for a key, or None where a person gives it up."""
        found = self._found
        if found is not None and found[0] == key and found[1] is not None:
            return
        try:
            self._found = key, how()
        except Interrupted:
            self._found = key, None

    def of(self, key: object, how: Callable[[], T]) -> T | None:
        """Return the result for a key, None if it was given up; or make it now."""
        if self._found is None or self._found[0] != key:
            self._found = key, how()
        return self._found[1]

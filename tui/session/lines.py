"""The command lines of a screen: one goes on, the others wait for it."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from ..panes.base.background import SOON, Background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ...core.base.trust import Trust
    from ...core.session.script import Line


class Lines:
    """Lines that are executed one after the other, and what is shown between them.

    A line is executed in the background; then, there too, the panes look up what they
    show of it. Of the two only the first keeps the next line waiting.
    """

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        """Take what is called with the progress of a long line: done, of how much."""
        self.work = Background(tell)
        self.led: Line | None = None  # what a script that leads goes on with
        self.is_showing = False  # the line is done, and panes look things up
        self.is_stale = False  # what is looked up is not what is to be seen any more
        self.is_given_up = False  # by a person; to look again would go on for as long
        self._waiting: deque[tuple[str, Trust]] = deque()  # with the trust in each
        self._asked_at = monotonic()  # when the lines came that it is busy with

    def __len__(self) -> int:
        """Return how many lines of a person wait."""
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """Tell whether something goes on in the background."""
        return self.work.busy

    @property
    def is_executing(self) -> bool:
        """Tell whether a line goes on, which the next one has to wait for."""
        return self.work.busy and not self.is_showing

    @property
    def is_more(self) -> bool:
        """Tell whether a line waits."""
        return bool(self.led or self._waiting)

    @property
    def answers_soon(self) -> bool:
        """Tell whether a command goes on that the next key waits for."""
        return self._is_asked and monotonic() - self._asked_at < SOON

    @property
    def _is_asked(self) -> bool:
        return self.is_more or self.is_executing

    def add(self, lines: Iterable[tuple[str, Trust]]) -> bool:
        """Let lines wait; tell whether the first of them can be begun."""
        waits = bool(self._waiting)
        if not self._is_asked:
            self._asked_at = monotonic()
        self._waiting.extend(lines)
        if self.busy and self.is_showing:
            self.work.cancel()
            return False
        return not waits

    def next(self) -> tuple[str, Trust] | None:
        """Return the line to begin; None where none waits, or another goes on."""
        if self.busy:
            return None
        led, self.led = self.led, None
        if led is not None:  # before what a person has done since
            return led.text, led.trust
        return self._waiting.popleft() if self._waiting else None

    def begin(self, *, is_showing: bool) -> None:
        """Take down that a line is begun, or that only the present is shown."""
        self.is_showing = is_showing
        self.is_stale = False

    def begin_showing(self) -> None:
        """Take down that the line is done; cut short what nobody waits for."""
        is_given_up = self.is_given_up and self.is_showing
        self.is_showing = True
        if self.is_more or self.is_stale or is_given_up:
            self.work.cancel()

    def look_again(self) -> None:
        """Have what is shown looked up anew, once what goes on is done."""
        self.is_stale = True
        if self.is_showing:
            self.work.cancel()

    def cancel(self) -> None:
        """Cancel what goes on, and what waits."""
        self.work.cancel()
        self.is_given_up = self.busy
        self._waiting.clear()

"""Playing: steps that are made by themselves, or the lines of a script."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...core.words.numbers import number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.timer import Timer
    from textual.widget import Widget

    from ...core.base.trust import Trust
    from ...core.debugger.debugger import Debugger
    from ...core.session.reply import Reply
    from ...core.session.script import Line

PACES: Final = (2.0, 1.0, 0.5, 0.25, 0.1)  # seconds a step


class Player:
    """What plays: at which pace, and what of a script is still to come."""

    def __init__(self, script: Sequence[Line] = ()) -> None:
        """Take the lines of a script; without one it plays step by step."""
        self.pace = 1
        self.script = deque(script)
        self._is_script = bool(script)
        self._made: Line | None = None  # the last line, until its reply is there
        self._timer: Timer | None = None

    @property
    def is_playing(self) -> bool:
        """Tell whether it plays."""
        return self._timer is not None

    def play(self, on: Widget, step: Callable[[], None]) -> None:
        """Play from now on: `step` is called at each beat, as long as `on` is there."""
        self.stop()
        self._timer = on.set_interval(PACES[self.pace], step)

    def stop(self) -> None:
        """Play no longer."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def next_line(self, debugger: Debugger) -> tuple[str, Trust]:
        """Return the command line that is next, or "" at the end, and its trust."""
        if self._is_script:
            self._made = self.script.popleft() if self.script else None
            made = self._made
            return (made.text, made.trust) if made else ("", debugger.trust)
        line = "stepi" if debugger.position < len(debugger.trace) else ""
        return line, debugger.trust

    def failed(self, reply: Reply) -> str:
        """Return where the script has failed, which ends it; nothing where it goes on.

        `reply` may be that to a line that a person has typed, which ends nothing.
        """
        line, self._made = self._made, None
        if line is None or reply.command != line.text:
            return ""
        from ...core.session.script import severity_of  # noqa: PLC0415  # 2 ms, as above

        if not severity_of(reply, self.script[0] if self.script else None):
            return ""
        self.stop()
        self.script.clear()
        return f"{Path(line.source).name}:{line.number}"

    def states(self) -> Iterator[str]:
        """Yield the words about it in the header."""
        if self.is_playing:
            yield f"playing, {number_text(PACES[self.pace])} s a step"
        if self.script:
            yield f"script: {len(self.script)} more, space plays one, > all"

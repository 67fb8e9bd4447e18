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
    from ...core.debugger.leading import Leader
    from ...core.session.reply import Reply
    from ...core.session.script import Line

PACES: Final = (2.0, 1.0, 0.5, 0.25, 0.1)  # seconds a step
_AWAY: Final = "Space leads back and goes on"


class Player:
    """What plays: at which pace, and what of a script is still to come.

    `leader` has the script where that leads a person.
    """

    def __init__(
        self, script: Sequence[Line] = (), leader: Leader | None = None
    ) -> None:
        """Take the lines of a script; without one it plays step by step."""
        self.pace = 1
        self.leader = leader
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
        if self.leader is not None and not self.leader.is_over:
            led = self.leader.go_on(debugger)
            return (led.text, led.trust) if led else ("", debugger.trust)
        if self._is_script:
            self._made = self.script.popleft() if self.script else None
            made = self._made
            return (made.text, made.trust) if made else ("", debugger.trust)
        # A step would be asked about, where predict is on: playing goes on.
        line = "goto +1" if "predict" in debugger.modes else "stepi"
        is_end = debugger.position >= len(debugger.trace)
        return "" if is_end else line, debugger.trust

    def after(self, debugger: Debugger, reply: Reply | None) -> Line | None:
        """Return what a script that leads goes on with behind a reply, or None."""
        return self.leader.after(debugger, reply) if self.leader is not None else None

    def is_quiet(self) -> bool:
        """Tell whether the last reply was to a line of a script that only speaks."""
        return self.leader is not None and self.leader.is_quiet

    def hint(self, debugger: Debugger, then: str) -> str:
        """Return what Space does where a script leads; `then` is what comes behind."""
        leader = self.leader
        if leader is None:
            return ""
        if leader.is_over:
            return _next_lesson(then) if then else ""
        if leader.wait is None:
            return ""
        if leader.is_away(debugger):
            return _AWAY
        if not leader.wait.line:
            return "Space goes on"
        return "Space does it, too" if leader.step == 1 else ""

    def shown(self, then: str) -> Sequence[tuple[str, str]]:
        """Return all texts of a script that leads, each with its longest hint.

        So the longest of them has room; `then` is what comes behind the last one.
        """
        said = self.leader.said if self.leader is not None else ()
        last = [(text, _next_lesson(then)) for text in said[-1:] if then]
        return [*((text, _AWAY) for text in said), *last]

    def failed(self, reply: Reply) -> str:
        """Return where the script has failed, which ends it; nothing where it goes on.

        `reply` may be that to a line that a person has typed, which ends nothing.
        """
        if self.leader is not None:
            failed, self.leader.failed = self.leader.failed, ""
            return failed
        line, self._made = self._made, None
        if line is None or reply.command != line.text:
            return ""
        from ...core.session.script import severity_of  # noqa: PLC0415  # 2 ms, as above

        if not severity_of(reply, self.script[0] if self.script else None):
            return ""
        self.stop()
        self.script.clear()
        return f"{Path(line.source).name}:{line.number}"

    def leads_on(self) -> bool:
        """Tell whether a script is still to be gone through by a person."""
        return bool(self.script) or bool(self.leader and not self.leader.is_over)

    def states(self) -> Iterator[str]:
        """Yield the words about it in the header."""
        if self.is_playing:
            yield f"playing, {number_text(PACES[self.pace])} s a step"
        if self.leader is not None and self.leader.steps:
            yield f"tour {self.leader.step}/{self.leader.steps}"
        if self.script:
            yield f"script: {len(self.script)} more, space plays one, > all"


def _next_lesson(title: str) -> str:
    return f"Space opens the next lesson, {title}"


def player_of(debugger: Debugger, script: Sequence[Line]) -> Player:
    """Return what plays a script: a `Leader` where that waits for something."""
    from ...core.debugger.leading import Leader, leads  # noqa: PLC0415  # 2 ms, likewise

    if leads(debugger, script):
        return Player(leader=Leader(debugger, script))
    return Player(script)

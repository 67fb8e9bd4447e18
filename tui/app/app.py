"""The application: a picker of scenarios, and the main screen over one debugger.

Data flows one way: a key or a click becomes a command line, the debugger executes it,
and `MainScreen.apply` draws what it answered into every pane at once.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from codecs import IncrementalDecoder, getincrementaldecoder
from collections import deque
from contextlib import suppress
from functools import partial
from shutil import get_terminal_size
from time import thread_time
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Final, TextIO

from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.events import Event, InputEvent, Key, MouseUp, Paste
from textual.geometry import Size
from textual.reactive import Initialize, Reactive
from textual.widget import AwaitMount, Widget
from textual.widgets import Input

from ...core.base.errors import hold_to
from ...core.base.exits import SIGNALLED
from ...core.base.limits import LIMITS, Limits
from ...core.base.text import clean
from ...core.base.trust import KEYBOARD, Trust
from ...core.debugger.debugger import Debugger
from ...core.scenario.builtin import tour_path
from ..graph.drawing import cut
from ..panes.base.background import Background
from ..panes.base.shades import Faint
from ..panes.console import Prompt
from ..session.reloading import Loaded, opened
from .arrangement import MIDDLE, WIDE, load_arrangement, save_arrangement
from .main_screen import MainScreen
from .themes import DARK, THEMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.driver import Driver
    from textual.screen import Screen
    from textual.theme import Theme
    from textual.timer import Timer, TimerCallback

    from ...core.engine.subject import Subject
    from ...core.practice.predict.score import Log
    from ...core.scenario.scenario import Scenario
    from ...core.words.indices import First
    from .messages import Open, Pick, UseTheme

_USUAL: Final = (80, 25)  # where rich and Textual do not know better either
_MOST_COLUMNS: Final = 1000
_MOST_LINES: Final = 500
_PATIENCE: Final = 1.0  # seconds of work that a key waits for the one before it
_MOMENT: Final = 0.001  # seconds between two looks whether that has come to its end
# Nobody looks before a frame is painted, but where more has come by then.
_FRAME: Final = 0.02  # seconds from what was done to the first look
_MANY: Final = 5000  # things that are made before garbage is looked for
_STYLES: Final = "gradstep.tcss"
_TO_PRESENT: Final = "presenting.tcss"  # read where there is a class to look on
_QUIET: Final = 4  # turns of the loop in which nothing is under way


def _first_theme(app: GradstepApp) -> str:
    """Return the theme that is asked for, or the one that was chosen last, if any."""
    chosen = app.asked_theme or load_arrangement().theme
    return chosen if chosen in THEMES else DARK.name


def enduring(driver: type[Driver]) -> type[Driver]:
    """Return a driver that bears bytes that are not UTF-8, and a terminal that is gone.

    Textual ends with a traceback there, and a pasted picture or a terminal with another
    encoding is no reason to lose a session, nor the keys that come with it.
    """
    read: Any = getattr(driver, "run_input_thread", None)
    if "getincrementaldecoder" not in getattr(read, "__globals__", {}):
        return driver  # where the system itself decodes

    def forgiving(encoding: str) -> Callable[[], IncrementalDecoder]:
        return partial(getincrementaldecoder(encoding), errors="ignore")

    def begin(self: Any, *arguments: Any, **how: Any) -> None:
        driver.__init__(self, *arguments, **how)
        self._file = Lasting(self._file)

    names = {**read.__globals__, "getincrementaldecoder": forgiving}
    endures = FunctionType(read.__code__, names)
    own = {read.__name__: endures, "_get_terminal_size": measured, "__init__": begin}
    return type(driver.__name__, (driver,), own)


class Lasting:
    """A terminal that can be gone: what is written then is lost, and no error.

    Textual would wait for ever, for the thread that has written.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write a text."""
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        """Write what waits."""
        with suppress(OSError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def measured(_driver: Driver) -> tuple[int, int]:
    """Return the columns and lines of the terminal, as far as the screen is laid out.

    One that says 0 has to be as large for Textual as it is for rich: between two sizes
    the screen would be painted again and again.
    """
    columns, lines = get_terminal_size(_USUAL)
    return _bounded(columns or _USUAL[0], lines or _USUAL[1])


def _bounded(columns: int, lines: int) -> Size:
    return Size(min(columns, _MOST_COLUMNS), min(lines, _MOST_LINES))


def taken_by(line: Input, text: str) -> str:
    """Return what a line takes of a pasted text: one of Textual takes its first line.

    The prompt executes all of them, and what is looked for is all of them together.
    """
    return text if isinstance(line, Prompt) else " ".join(text.splitlines())


class GradstepApp(App[int]):
    """gradstep in a terminal. It returns the exit code."""

    TITLE = "gradstep"
    # What is set later, instead, lets Textual read and apply all its styles again.
    theme = Reactive(Initialize(_first_theme))
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012  # as declared
        (0, "-tiny"),
        (60, "-narrow"),
        (MIDDLE, "-middle"),
        (WIDE, "-wide"),
    ]
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012  # as declared
        (0, "-flat"),
        (20, "-low"),
        (32, "-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "suspend", show=False),
    ]

    def __init__(
        self,
        about: Scenario | Subject | None = None,
        at: str = "",
        script: Path | None = None,
        theme: str = "",
        trust: Trust = KEYBOARD,
        limits: Limits = LIMITS,
        *,
        present: bool = False,
        predict: bool = False,
        first: First = 0,
        log: Log | None = None,
    ) -> None:
        """Take what to begin with; without a theme, the one that was chosen last.

        `present` gives the step most of the screen, for a class; with `predict` each
        step is asked about before it is made. `first` is what formulas call the first
        index, `log` the file for what is answered.

        Raises `InputError` for what cannot be run, and for a theme that there is not.
        """
        if theme:
            hold_to(THEMES, theme, "--theme")
        self.asked_theme = theme
        super().__init__(css_path=[_STYLES, *[_TO_PRESENT] * present])
        # The filters of Textual make what is dim too faint to be read.
        self._filters = [Faint(), *self._filters]
        self._bug = None if about is None else Debugger(about)
        self._at = at
        self._script = script
        self._trust = trust
        self._limits = limits
        self._present = present
        self._predict = predict
        self._first: First = first
        self._predictions = log
        self._coming: deque[Event] = deque()  # what a person did, the first one first
        self._turn: Event | None = None  # handed on, and not taken yet
        self._resting: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None  # when that is to begin
        self._opening: Background | None = None  # what loads another scenario
        self._thresholds = gc.get_threshold()

    def get_driver_class(self) -> type[Driver]:
        """Return the driver of the platform, passing over bytes that are no text."""
        return enduring(super().get_driver_class())

    def on_load(self) -> None:
        """Look for no garbage until the first frame is there: what it takes stays."""
        gc.disable()

    def on_mount(self) -> None:
        """Look for it from the first frame on."""
        self.call_after_refresh(self._collect)

    def _collect(self) -> None:
        """Look for garbage less often than Python does.

        Each key makes some thousand things in place of as many, none in a circle.
        """
        gc.set_threshold(_MANY, *self._thresholds[1:])
        gc.enable()

    def on_unmount(self) -> None:
        """Look for it where there was no frame, too, and again as often as before."""
        gc.set_threshold(*self._thresholds)
        gc.enable()

    def set_timer(
        self,
        delay: float,
        callback: TimerCallback | None = None,
        *,
        name: str | None = None,
        pause: bool = False,
    ) -> Timer:
        """Begin a timer as Textual does; it also goes off where the machine is late.

        Textual skips the turns that have passed before a timer's task comes to run, and
        of a single turn none is left then: the last size of the terminal, which waits
        for such a timer, never came, nor any after it.
        """
        timer = super().set_timer(delay, callback, name=name, pause=pause)
        timer._skip = False  # noqa: SLF001  # there is no other way to ask for it
        return timer

    @property
    def size(self) -> Size:
        """The columns and lines of the terminal, as far as the screen is laid out."""
        return _bounded(*super().size)

    @property
    def available_themes(self) -> dict[str, Theme]:
        """The themes of gradstep, and those of Textual."""
        return THEMES

    async def on_event(self, event: Event) -> None:
        """Take what a person does in turn: each finds what came of those before it.

        Textual decides at once which widget gets a key, and whether it has priority,
        while those before it are still on their way from widget to widget.
        """
        if isinstance(event, Key) and event.key == "ctrl+j" and not event.is_forwarded:
            event = Key("enter", "\r")  # typed before the terminal tells them apart
        if not isinstance(event, (InputEvent, Paste)) or event.is_forwarded:
            await super().on_event(event)
        elif self.is_behind and event is not self._turn:
            self._coming.append(event)
            self.look()
        elif self.screen_stack:  # there is none any more while it ends
            self._turn = None
            # A screen is at the top of the stack before it has its panes.
            await self.screen._mounted_event.wait()  # noqa: SLF001  # as Textual waits
            if self._exit:  # a screen that was closed before that has no panes
                return
            line = self.focused
            if isinstance(event, Paste) and isinstance(line, Input):
                event.text = taken_by(line, event.text)
            await super().on_event(event)
            if isinstance(event, MouseUp):
                self._mouse_down_widget = None  # its screen may be closed by now
            if not self.is_behind:
                loop = asyncio.get_running_loop()
                self._later = loop.call_later(_FRAME, self.look)

    def look(self) -> None:
        """Begin to look whether what was done has come to its end, if nobody does."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
            self._resting = asyncio.create_task(self._take_turns())

    async def _take_turns(self) -> None:
        """Hand on what has come since, one by one, until there is no more."""
        await self._rest()
        while self._coming:
            self._turn = self._coming.popleft()
            self.post_message(self._turn)
            await self._rest()

    async def _rest(self) -> None:
        """Wait until what was done has come to its end, but not for what takes long.

        Long is what is much work for this thread: on a busy machine little work takes
        long, too. What has not been taken yet would come behind what comes after it.
        """
        end, quiet = thread_time() + _PATIENCE, 0
        while quiet < _QUIET and (self._turn is not None or thread_time() < end):
            # What one handler waits for can go on without any message, for some turns.
            await asyncio.sleep(0 if quiet else _MOMENT)
            quiet = quiet + 1 if self._is_at_rest() else 0

    def _is_at_rest(self) -> bool:
        """Tell whether nothing is under way, nor is to be laid out."""
        if not self.is_running or not self.screen_stack:
            return True
        screen = self.screen
        if screen._layout_required or screen._callbacks:  # noqa: SLF001  # of layouts
            return False
        if getattr(screen, "answers_soon", False) or self.message_queue_size:
            return False
        # It is asked some times with each key: Textual's properties take twice as long.
        found: list[Widget] = [*self.screen_stack]
        for one in found:  # and those in it, which come behind it
            if one._message_queue.qsize() or not (one._running and one._is_mounted):  # noqa: SLF001
                return False
            found += one._nodes._nodes  # noqa: SLF001
        return True

    @property
    def is_behind(self) -> bool:
        """Tell whether what comes now waits for what a person did before."""
        is_resting = self._resting is not None and not self._resting.done()
        return is_resting or self._later is not None

    def mount(self, *widgets: Widget, **where: Any) -> AwaitMount:
        """Mount widgets, but none while it ends: Textual, too, mounts none in those.

        Where tasks begin at once, it can be ending before its first screen is up.
        """
        if self._exit:
            return AwaitMount(self.screen, [])
        return super().mount(*widgets, **where)

    def get_default_screen(self) -> Screen[int]:
        """Begin with the scenario, or the picker: a screen below is painted, too."""
        if self._bug is not None:
            screen, self._bug = self._main_screen(self._bug), None
        else:
            screen = self._picker()
        # Without it the first screen could not be switched to another one.
        screen._push_result_callback(self, None)  # noqa: SLF001  # as of all others
        return screen

    async def run_async(self, **how: Any) -> int | None:
        """Run, and leave the terminal as it was, whoever ends the process."""
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            # Not every system has them, and none but in the first thread.
            errors = AttributeError, NotImplementedError, RuntimeError, ValueError
            with suppress(*errors):
                number = getattr(signal, name)
                loop.add_signal_handler(number, self.exit, SIGNALLED + number)
        return await super().run_async(**how)

    def _main_screen(self, debugger: Debugger) -> MainScreen:
        debugger.trust = self._trust
        debugger.memory.first = debugger.memory.first or self._first
        debugger.memory.log = self._predictions
        return MainScreen(
            debugger,
            self._at,
            self._script,
            self.size_classes(),
            present=self._present,
            predict=self._predict,
        )

    def _picker(self, instead_of: str = "") -> Screen[int]:
        from .picker import Picker  # noqa: PLC0415  # 3 ms, seldom at the start

        return Picker(instead_of)

    def size_classes(self) -> str:
        """Return the classes that Textual gives to a screen once it has laid it out.

        A screen that has them before is styled and laid out once, not twice.
        """
        width, height = self.size
        across = max(at for at in self.HORIZONTAL_BREAKPOINTS or () if at[0] <= width)
        down = max(at for at in self.VERTICAL_BREAKPOINTS or () if at[0] <= height)
        return f"{across[1]} {down[1]}"

    def on_pick(self, message: Pick) -> None:
        """Let a person open another scenario; the session waits below."""
        if isinstance(self.screen, MainScreen):
            self.push_screen(self._picker(message.instead_of))

    def action_command_palette(self) -> None:
        """Open the palette."""
        from .palette import Palette  # noqa: PLC0415  # 5 ms, never at the start

        if not isinstance(self.screen, CommandPalette):
            self.push_screen(Palette())

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text, and say so."""
        super().copy_to_clipboard(text)
        lines = f"{text.count(chr(10)) + 1} lines" if "\n" in text else "one line"
        said = cut(text.partition("\n")[0], 60)
        self.notify(said, title=f"Copied {lines}", timeout=3, markup=False)

    @property
    def busy(self) -> bool:
        """Tell whether a command, or another scenario, goes on in the background."""
        is_loading = self._opening is not None and self._opening.busy
        return is_loading or (isinstance(self.screen, MainScreen) and self.screen.busy)

    def action_help_quit(self) -> None:
        """Say how to leave: Ctrl+C copies."""
        text = "q leaves; where you type, Escape comes first."
        if self.busy:
            text = f"Escape cancels what goes on; {text}"
        self.notify(text, title="Ctrl+C")

    def on_use_theme(self, message: UseTheme) -> None:
        """Change the colours, from now on and the next time."""
        self.theme = name = message.name
        arrangement = load_arrangement()._replace(theme=name)
        for screen in self.screen_stack:
            if isinstance(screen, MainScreen):
                arrangement = screen.arrangement._replace(theme=name)
                screen.arrangement = arrangement
        save_arrangement(arrangement)

    def on_open(self, message: Open) -> None:
        """Load a scenario beside the screen, and show it; Escape gives it up."""
        self._give_up()
        tell = partial(self._tell_opening, clean(message.path))
        work = self._opening = Background(tell)
        load = partial(opened, message.path, self._limits, work.progress)
        script = tour_path(message.path) if message.tour else None
        work.run(self, load, partial(self._take, work, script))

    def _give_up(self, _result: None = None) -> None:
        """Load no longer. What has no end of its own goes on, for nobody."""
        if self._opening is not None:
            self._opening.close()
            self._opening = None

    def _tell_opening(self, name: str, done: int, of: int) -> None:
        """Say that a scenario is being loaded, once it is known to take a moment."""
        from .overlay import Opening  # noqa: PLC0415  # 1 ms, never at the start

        screen = self.screen
        if isinstance(screen, Opening):
            screen.tell(done, of)
        elif self._opening is not None and not done:
            self.push_screen(Opening(name), self._give_up)

    def _take(self, work: Background, script: Path | None, loaded: Loaded) -> None:
        """Show what was loaded, or say what is wrong with it."""
        from .overlay import Opening  # noqa: PLC0415  # 1 ms, never at the start

        if work is not self._opening:
            return  # it was given up
        self._give_up()
        if isinstance(self.screen, Opening):
            self.pop_screen()
        if loaded.debugger is None:
            self.notify(
                loaded.said,
                title="This file cannot be opened",
                severity="error",
                timeout=20,
                markup=False,
            )
            return
        self._at, self._script = "", script  # those before were for the first one
        while len(self.screen_stack) > 1:
            self.pop_screen()  # the picker; below it is the session that ends
        self.switch_screen(self._main_screen(loaded.debugger))

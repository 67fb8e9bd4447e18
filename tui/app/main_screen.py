"""The main screen: one scenario, one debugger, all panes showing the same moment."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.events import Resize, ScreenResume
from textual.geometry import Size
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Input, Static

from ...core.base.errors import InputError, Interrupted, defect_text
from ...core.base.progress import Progress
from ...core.commands.explaining import outstanding
from ...core.debugger.debugger import Debugger
from ...core.engine.trace import Trace
from ...core.explain.explain import element_name
from ...core.scenario.scenario import load
from ...core.session.expression import Element
from ...core.session.reply import Reply
from ..draw.digits import number_text
from ..export.exports import with_screen
from ..graph.drawing import cut, cut_within
from ..panes.base.background import Background
from ..panes.base.pane import Asked, Begun, Chosen, OneLine, Pane, View
from ..panes.console import ConsolePane, Prompt
from ..panes.graph import GraphPane
from ..panes.matrix.view import MatrixView
from ..panes.program import ProgramPane
from ..panes.step.pane import StepPane
from ..panes.time.timeline import TimelinePane
from ..panes.views import VIEWS, view
from ..panes.why import WhyPane
from .arrangement import HIDEABLE, Arrangement, load_arrangement, save_arrangement
from .keys import LINES, keys

# The keys that matter most, first; as many as there is room for.
_FOOTER = (
    ("s", "step"),
    ("S", "back"),
    ("n", "next"),
    ("c", "continue"),
    ("e", "explain"),
    ("?", "help"),
    ("q", "quit"),
    (":", "command"),
    ("^o", "open another"),
    ("b", "break"),
    ("w", "watch"),
    ("y", "why"),
    ("K", "check"),
    ("1-9", "views"),
    ("space", "play"),
    ("g", "goto"),
    ("=", "set"),
    ("z", "undo"),
    ("o", "enlarge"),
)
_ALWAYS = (TimelinePane, ProgramPane, GraphPane, WhyPane, ConsolePane)  # in sight
_LEAST_NAME = 9  # cells of a file's name in the header; where there are fewer, none
_LOOK_EVERY = 2.0  # seconds between looks at the scenario's file
_LEAST_WIDTH, _LEAST_HEIGHT = 50, 14
_Done = tuple[View | None, Exception | None]  # what to show, and a bug of ours
_PACES = (2.0, 1.0, 0.5, 0.25, 0.1)  # seconds a step, when playing


class MainScreen(Screen[int]):
    """Everything that a person sees of one scenario."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # What is typed right behind the colon must find the prompt there already.
        Binding("colon", "prompt", "command", tooltip="Type a command", priority=True),
        Binding("question_mark", "explain_pane", "help", tooltip="What is this pane?"),
        Binding("q", "leave", "quit", tooltip="Leave gradstep"),
        Binding("escape", "cancel", "cancel", show=False),
        Binding("space", "play", "play", tooltip="Play and pause"),
        Binding("greater_than_sign", "pace(1)", "faster", show=False),
        Binding("less_than_sign", "pace(-1)", "slower", show=False),
        Binding("ctrl+r", "reload", "load the file again", show=False),
        Binding("ctrl+o", "app.pick", "open another", show=False),
        Binding("o", "enlarge", "enlarge", show=False),
        Binding("h", "hide", "hide", show=False),
        Binding("H", "show_all", "show all", show=False),
        Binding("ctrl+left", "widen(-4)", "narrower", show=False),
        Binding("ctrl+right", "widen(4)", "wider", show=False),
        Binding("ctrl+up", "heighten(2)", "higher", show=False),
        Binding("ctrl+down", "heighten(-2)", "lower", show=False),
        *(
            Binding(key.key, f"press('{key.key}')", key.summary, show=False)
            for key in keys()
        ),
        *(
            Binding(str(number), f"view('{name}')", title, show=False)
            for number, (name, title) in enumerate(VIEWS.items(), 1)
        ),
    ]

    AUTO_FOCUS: ClassVar[str | None] = "#step"

    def __init__(
        self,
        bug: Debugger,
        at: str = "",
        script: Path | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(classes=classes)
        self.bug = bug
        self._at = at
        self._script = script
        self._waiting: list[str] = []
        self._chosen: Element | None = None
        self._chosen_by_hand = False
        self._work = Background(self._tell_share)
        self._is_looking = False  # the command is done, and panes look things up
        self._is_stale = False  # what is looked up is not what is to be seen any more
        self._is_given_up = False  # by a person; to look again would go on for as long
        self._lines: deque[str] = deque()  # to be executed after that
        self._turning = ""  # the view to turn to
        self._facts: Sequence[str] = ()  # of the header
        self._always: Sequence[Pane] = ()
        bug.progress = self._work.progress
        self._timer: Timer | None = None
        self._pace = 1
        self._drawn_in = Size(0, 0)
        self._is_styled = False
        self.arrangement = load_arrangement()
        self._seen = _changed_at(bug)

    # ----------------------------------------------------------------- layout

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield OneLine(id="header")
        yield TimelinePane(id="timeline")
        with Container(id="body"):
            with Vertical(id="left"):
                yield ProgramPane(id="program")
                yield GraphPane(id="graph")
            with Vertical(id="right"):
                with ContentSwitcher(initial="step", id="view"):
                    yield StepPane(id="step")  # the others when they are asked for
                yield WhyPane(id="why")
        yield ConsolePane(id="console")
        yield OneLine(id="keys")
        yield Static("", id="small", markup=False)

    def on_mount(self) -> None:
        """Show the first moment."""
        self._always = [self.query_one(kind) for kind in _ALWAYS]
        self.bug.exporters = with_screen(self.bug, camera(self.app))
        self._lay_out()
        self._drawn_in = self.size
        self.set_interval(_LOOK_EVERY, self._look_at_file)
        if self._script is not None:
            from ...core.session.script import read_script  # noqa: PLC0415  # 2 ms, only for a script

            self._waiting = [line.text for line in read_script(self._script)]
        self._begin(f"goto {self._at}" if self._at else "")

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Keep the styles that all widgets were given when they were mounted."""
        event.refresh_styles = event.refresh_styles and self._is_styled
        self._is_styled = True

    def on_unmount(self) -> None:
        """Leave no command behind that goes on."""
        self._work.close()

    def on_resize(self, event: Resize) -> None:
        """Say so when the window is too small; redraw what depends on its width."""
        width, height = event.size
        is_small = width < _LEAST_WIDTH or height < _LEAST_HEIGHT
        self.set_class(is_small, "small")
        if is_small:
            least = f"{_LEAST_WIDTH} × {_LEAST_HEIGHT}"
            text = f"gradstep needs {least}; this is {width} × {height}"
            self.query_one("#small", Static).update(text)
        self._show_keys(width)
        if event.size != self._drawn_in:
            self._drawn_in = event.size
            self.call_after_refresh(self.apply, None)

    # ------------------------------------------------------------- the one way

    def run_line(self, line: str) -> None:
        """Execute a command line; a long one goes on in the background."""
        if self._work.busy and self._is_looking:
            self._lines.append(line)
            self._work.cancel()
        elif self._work.busy:
            self._say_busy()
        else:
            self._begin(line)

    def look(self) -> None:
        """Show the present moment; what takes long is looked up in the background."""
        if not self._work.busy:
            self._begin("")
            return
        self._is_stale = True
        if self._is_looking:
            self._work.cancel()

    def apply(self, reply: Reply | None) -> None:
        """Draw the present moment into every pane, at once and without waiting."""
        if self._work.busy:
            self._is_stale = True  # the debugger is on its way
        elif self._is_there:
            self._draw(self._view(reply))

    @property
    def busy(self) -> bool:
        """Tell whether a command goes on in the background."""
        return self._work.busy

    def _begin(self, line: str) -> None:
        """Execute a line, or none, and look up what the panes need to show it."""
        self._is_looking = not line
        self._is_stale = False
        is_given_up = self._is_given_up and not line
        panes = self.panes()

        def work() -> _Done:
            reply, error = None, None
            try:
                reply = self.bug.execute(line) if line else None
            except Exception as raised:  # noqa: BLE001  # ours; the session goes on
                error = raised
            self._is_looking = True
            if self._lines or self._is_stale or is_given_up:
                self._work.cancel()  # nobody waits for what takes long
            try:
                view = self._view(reply)
                for pane in panes:
                    pane.prepare(view)
            except Exception as raised:  # noqa: BLE001  # likewise
                return None, error or raised
            return view, error

        self._work.run(self.app, work, self._finished)

    def _finished(self, done: _Done) -> None:
        view, error = done
        if not self._is_there:
            return
        if error is not None:
            self._say_error(error)
        if view is not None:
            self._draw(view)
        if self._lines:
            self.run_line(self._lines.popleft())
        elif self._is_stale:
            self.look()
        self._is_given_up = False

    def _view(self, reply: Reply | None) -> View:
        """Return the present moment, with the element that is to be seen in it."""
        chosen = self._chosen
        if reply is not None and reply.moved and not self._chosen_by_hand:
            chosen = None
        if chosen is None:
            chosen = present_element(self.bug.trace, self.bug.position)
        return View(self.bug, reply, chosen)

    def _draw(self, view: View) -> None:
        """Draw a moment into every pane, at once."""
        if view.reply is not None and view.reply.code is not None:
            self.app.exit(view.reply.code)
            return
        self.clear_selection()  # of text: what was there is not there any more
        if not self._is_stale:
            self._chosen = view.chosen
        if self._turning:
            self.query_one("#view", ContentSwitcher).current = self._turning
        for pane in self.panes():
            pane.show(view)
        if self._turning:
            self.query_one(f"#{self._turning}").focus()
            self._turning = ""
        self._show_header()

    def panes(self) -> list[Pane]:
        """Return the panes that can be seen: nothing else needs to be drawn."""
        shown = self.query_one("#view", ContentSwitcher).visible_content
        if self._turning:
            shown = self.query_one(f"#{self._turning}")
        # The console also writes down what is said while it is hidden.
        seen = [one for one in self._always if one.display or one.id == "console"]
        return [shown, *seen] if isinstance(shown, Pane) else seen

    @property
    def _is_there(self) -> bool:
        """Tell whether there still are panes: work may end after them."""
        return bool(self.children)

    def _say_busy(self) -> None:
        self.query_one(ConsolePane).say("still busy; Escape cancels")

    def _say_error(self, error: Exception) -> None:
        """Say what the debugger never should have raised; the session goes on."""
        if isinstance(error, Interrupted):
            self.query_one(ConsolePane).say("interrupted; what was done is kept")
            return
        if os.environ.get("GRADSTEP_TRACEBACK") == "1":
            raise error
        self.query_one(ConsolePane).say(defect_text(error))

    def _tell_share(self, done: int, of: int) -> None:
        if not self._is_there:
            return
        share = f" {100 * done // of} %" if of else ""
        self._show_header(f"working{share}, Escape cancels")

    # --------------------------------------------------------------- messages

    def on_asked(self, message: Asked) -> None:
        """Execute what a pane asks for."""
        if message.line:
            self.run_line(message.line)

    def on_begun(self, message: Begun) -> None:
        """Let a person end the line that a pane has begun."""
        self.query_one(ConsolePane).ask(message.line)

    def on_chosen(self, message: Chosen) -> None:
        """Show the chosen element in every pane."""
        self._chosen = message.element
        self._chosen_by_hand = message.element.index is not None
        self.look()
        # A cursor does not wait for what other panes look up in the background.
        self.query_one(StepPane).catch_up()

    def on_again(self) -> None:
        """Look up what a pane is to show now."""
        self.look()

    def action_press(self, key: str) -> None:
        """Execute the command line that a key stands for."""
        if self._work.busy and not self._is_looking:
            self._say_busy()
            return
        line = self._filled(LINES[key])
        if line.endswith(" "):
            self.query_one(ConsolePane).ask(line)
        else:
            self.run_line(line)

    def _filled(self, line: str) -> str:
        """Fill in what a key's command line is about."""
        nodes = self.bug.graph.nodes
        line = line.replace("{node}", nodes[self._place_node()].name)
        if self._chosen is not None:
            node = nodes[self._chosen.node]
            name = element_name(node, self._chosen.index, self._chosen.quantity)
            line = line.replace("{chosen}", name)
        line = line.partition("{chosen}")[0]  # nothing is chosen: a person names it
        place = getattr(self.focused, "place", None)
        here = place() if callable(place) else nodes[self._place_node()].name
        return line.replace("{place}", str(here))

    def _place_node(self) -> int:
        if self._chosen is not None:
            return self._chosen.node
        return self.bug.graph.output

    # ---------------------------------------------------------------- actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the colon to whoever types one."""
        typing = action == "prompt" and isinstance(self.focused, Input)
        return not typing and super().check_action(action, parameters)

    def action_prompt(self) -> None:
        """Put the cursor into the console."""
        self.query_one(Prompt).begin()

    def action_explain_pane(self) -> None:
        """Say what the focused pane shows, its keys, and those that work everywhere."""
        pane = self.focused
        while pane is not None and not isinstance(pane, (Pane, MatrixView)):
            pane = pane.parent if isinstance(pane.parent, Widget) else None
        from .help import Help  # noqa: PLC0415  # 1 ms, never at the start

        shown = ConsolePane if pane is None else pane
        self.app.push_screen(Help(shown.TITLE, shown.HELP or ""))

    def action_leave(self) -> None:
        """Leave gradstep."""
        self.app.exit(0)

    def action_reload(self) -> None:
        """Load the file again, with the same stops and at the same place."""
        if self.busy:
            self._say_busy()
            return
        self._is_looking = False
        reload = partial(_reloaded, self.bug, self._work.progress)
        self._work.run(self.app, reload, self._take)

    def _take(self, loaded: _Loaded) -> None:
        """Go on with what was loaded again."""
        self._is_given_up = False
        if not self._is_there:
            return
        self.app.clear_notifications()
        fresh = loaded.bug
        if fresh is None:
            title = "The file is wrong now; the old one stays open"
            self._tell(loaded.said, title)
            return
        self.bug, self._chosen, self._seen = fresh, None, _changed_at(fresh)
        self.query_one(ConsolePane).say(f"loaded again: {fresh.scenario.source}")
        if loaded.said:
            self._tell(loaded.said, "These stops have no place in the new file")
        self.look()

    def _tell(self, text: str, title: str) -> None:
        self.notify(text, title=title, severity="warning", timeout=15, markup=False)

    def _look_at_file(self) -> None:
        """Say once when the file has changed since it was read."""
        now = _changed_at(self.bug)
        if now != self._seen:
            self._seen = now
            if now < 0:
                self._tell("What was read stays open.", "The file is gone")
            else:
                self._tell("Ctrl+R loads it again.", "The file has changed")

    def action_cancel(self) -> None:
        """Cancel a long command, stop playing, or give up the chosen element."""
        self._work.cancel()
        self._is_given_up = self.busy
        self._lines.clear()
        self._stop_playing()
        self._chosen_by_hand = False

    def action_view(self, name: str) -> None:
        """Show another view at the right."""
        if self.query(f"#{name}"):
            self._turn_to(name)
        else:
            self.call_next(self._add_view, name)

    async def _add_view(self, name: str) -> None:
        if not self.query(f"#{name}"):
            switcher = self.query_one("#view", ContentSwitcher)
            await switcher.add_content(view(name)(id=name))
        self._turn_to(name)

    def _turn_to(self, name: str) -> None:
        self._turning = name
        self.look()

    def action_enlarge(self) -> None:
        """Give the focused pane the whole screen, or take it back."""
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            self.maximize(self.focused)

    def action_hide(self) -> None:
        """Hide the focused pane; `H` brings all back."""
        if self.focused is not None and self.focused.id in HIDEABLE:
            self.rearrange(
                replace(
                    self.arrangement, hidden=(*self.arrangement.hidden, self.focused.id)
                )
            )

    def action_show_all(self) -> None:
        """Bring all hidden panes back."""
        self.rearrange(replace(self.arrangement, hidden=()))

    def action_widen(self, by: int) -> None:
        """Move the border between left and right."""
        view = self.query_one("#view", ContentSwitcher).visible_content
        left = (view.region.x if view is not None else 0) + by
        self.rearrange(
            replace(self.arrangement, left=max(min(left, self.size.width - 24), 16))
        )

    def action_heighten(self, by: int) -> None:
        """Move the border above the console."""
        height = self.query_one(ConsolePane).size.height + by
        self.rearrange(
            replace(
                self.arrangement, console=max(min(height, self.size.height // 2), 1)
            )
        )

    def rearrange(self, arrangement: Arrangement) -> None:
        """Lay the panes out like this from now on."""
        self.arrangement = arrangement
        save_arrangement(arrangement)
        self._lay_out()
        self.call_after_refresh(self.apply, None)

    def _lay_out(self) -> None:
        for name in HIDEABLE:
            styles = self.query_one(f"#{name}").styles
            if name in self.arrangement.hidden:
                styles.display = "none"
            else:
                styles.clear_rule("display")  # a small window may hide it still
        if self.arrangement.left:
            self.query_one("#left").styles.width = self.arrangement.left
        if self.arrangement.console:
            self.query_one(ConsolePane).styles.height = self.arrangement.console + 2

    def action_play(self) -> None:
        """Play step by step, or pause; with a script, its lines."""
        if self._timer is not None:
            self._stop_playing()
            return
        self._timer = self.set_interval(_PACES[self._pace], self._play_on)
        self._show_header()

    def action_pace(self, by: int) -> None:
        """Play faster or slower."""
        self._pace = min(max(self._pace + by, 0), len(_PACES) - 1)
        if self._timer is not None:
            self._stop_playing()
            self.action_play()

    def _play_on(self) -> None:
        if self.busy:
            return
        if self._waiting:
            self.run_line(self._waiting.pop(0))
            return
        if self._script is not None or self.bug.position >= len(self.bug.trace):
            self._stop_playing()
            return
        self.run_line("step")

    def _stop_playing(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._show_header()

    # ----------------------------------------------------------- header, keys

    def _show_header(self, working: str = "") -> None:
        bug = self.bug
        if not self._work.busy:
            self._facts = _facts(bug)
        facts = [working, *self._facts[:2]] if working else self._facts
        states: list[str] = []
        if self._timer is not None:
            states.append(f"playing, {_PACES[self._pace]:g} s a step")
        if self._waiting:
            states.append(f"script: {len(self._waiting)} more, space plays")
        if bug.chosen:
            states.append(f"run {bug.chosen}: {bug.branch.text}")
        text = header_text(bug.scenario.source, states, facts, self.size.width)
        self.query_one("#header", OneLine).tell((text, ""))

    def _show_keys(self, width: int) -> None:
        words = [(" ", "")]
        used = 1
        for key, what in _FOOTER:
            used += len(key) + len(what) + 3
            if used > width:
                break
            words += (key, "line--key"), (f" {what}  ", "")
        self.query_one("#keys", OneLine).tell(*words)


def camera(app: App[Any]) -> Callable[[], str]:
    """Return a function that takes a picture of an application, from any thread."""

    def shoot() -> str:
        take = partial(app.export_screenshot, title=app.title)
        if app._thread_id == threading.get_ident():  # noqa: SLF001  # as Textual asks
            return take()
        return app.call_from_thread(take)

    return shoot


def _facts(bug: Debugger) -> list[str]:
    """Return where a session is: phase, event, iteration, and the output there."""
    trace, position = bug.trace, bug.position
    facts = [trace.phase(position), f"event {position}/{len(trace)}"]
    if bug.timeline.iterations > 1:
        facts.append(f"iteration {bug.place.iteration}")
    return [*facts, output_text(trace, position)]


def header_text(
    name: str, states: Sequence[str], facts: Sequence[str], width: int
) -> str:
    """Return the header: the file at the left, at the right what goes on, and where.

    Where there is little room the name gives way first, its folder before the rest of
    it, and then what goes on.

    >>> header_text("two_layer_net.toml", (), ("end", "event 21/21"), 32)
    ' two_l….toml  end · event 21/21 '
    """
    right = " · ".join(facts)
    state = cut(" · ".join(states), max(width - 5 - cell_len(right), 0))
    right = cut(f"{state} · {right}" if state else right, max(width - 2, 0))
    room = width - 4 - cell_len(right)
    title = "gradstep · "
    if room < len(title) + cell_len(name):
        name = Path(name).name
    least = min(cell_len(name), _LEAST_NAME)
    if room < len(title) + least:
        title = ""
    left = title + cut_within(name, room - len(title)) if room >= least else ""
    space = " " * (width - 2 - cell_len(left) - cell_len(right))
    return f" {left}{space}{right} "


class _Loaded(NamedTuple):
    """What came of loading a file again: a session, or why there is none.

    With a session, what is said are the stops that it has no place for.
    """

    bug: Debugger | None
    said: str


def _reloaded(bug: Debugger, progress: Progress) -> _Loaded:
    """Load the file of a session again, with the same stops and at the same place."""
    try:
        scenario = load(bug.scenario.path or bug.scenario.name)
        fresh = Debugger(scenario, progress=progress)
        fresh.exporters = bug.exporters
        lines = [f"{stop.kind} {stop.text}" for stop in bug.session.stops.values()]
        lost = [line for line in lines if not fresh.execute(line).ok]
        fresh.execute(f"goto {min(bug.position, len(fresh.trace))}")
    except InputError as error:
        return _Loaded(None, str(error))
    except Interrupted:
        return _Loaded(None, "it was cancelled")
    except Exception as error:  # noqa: BLE001  # ours; the session goes on
        return _Loaded(None, defect_text(error))
    return _Loaded(fresh, "\n".join(lost))


def _changed_at(bug: Debugger) -> float:
    """Return when the scenario's file was last written; 0 when it has none."""
    path = bug.scenario.path
    try:
        return path.stat().st_mtime if path is not None else 0.0
    except OSError:
        return -1.0


def present_element(trace: Trace, position: int) -> Element | None:
    """Return the element that stands out in what the last event changed."""
    if position == 0:
        return None
    node = trace.event(position - 1).node
    if position <= trace.seed_position:
        array = trace.value(node, position)
        return None if array is None else Element(node, "value", outstanding(array))
    array = trace.gradient(node, position)
    return None if array is None else Element(node, "grad", outstanding(array))


def output_text(trace: Trace, position: int) -> str:
    """Return the output and its value, as far as it is known."""
    graph = trace.run.graph
    node = graph.nodes[graph.output]
    value = trace.value(node.index, position)
    if value is None:
        return f"{node.name} = …"
    shown = number_text(value.item(), 6) if value.ndim == 0 else str(value.shape)
    return f"{node.name} = {shown}"

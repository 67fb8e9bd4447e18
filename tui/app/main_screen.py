"""The main screen: one scenario, one debugger, all panes showing the same moment."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.events import Key
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from ...core.base.errors import Interrupted, defect_text
from ...core.base.text import counted
from ...core.commands.explaining import outstanding
from ...core.engine.element import Element
from ...core.engine.trace import Contribution, Forward
from ...core.practice.nudge import Nudged
from ...core.practice.question import Question
from ...core.practice.score import Verdict
from ...core.scenario.builtin import tour_behind
from ...core.session.asking import Put, question_here
from ...core.words.events import element_name
from ..draw.stage import spoken_of
from ..export.exports import with_screen
from ..panes.banner import Banner
from ..panes.base.background import SOON, Background, is_there
from ..panes.base.pane import Asked, Begun, Chosen, OneLine, Pane, Turned, View
from ..panes.base.views import DIGITS, VIEWS
from ..panes.console import ConsolePane, Prompt
from ..panes.graph.pane import GraphPane
from ..panes.header import facts, header_text, subject_text
from ..panes.homes import view
from ..panes.matrix.view import MatrixView
from ..panes.program import ProgramPane, present_node
from ..panes.step.pane import StepPane
from ..panes.time.timeline import TimelinePane
from ..panes.why import WhyPane
from .arrangement import (
    BESIDE,
    HIDEABLE,
    WIDE,
    Arrangement,
    beside,
    empty,
    give_lines,
    lay_out,
    load_arrangement,
    save_arrangement,
    with_console,
    with_hidden,
    with_left,
)
from .keys import ELSEWHERE, LINES, footer, keys
from .messages import Open, Pick
from .player import PACES, Player, player_of
from .reloading import Loaded, change, changed_at, reloaded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.events import Paste, Resize, ScreenResume

    from ...core.base.trust import Trust
    from ...core.debugger.debugger import Debugger
    from ...core.session.reply import Reply
    from ...core.session.script import Line

_ALWAYS = (TimelinePane, ProgramPane, GraphPane, WhyPane, ConsolePane)  # in sight
# The letter of each pane, its id or "" for the view, and what gets the focus instead.
_JUMPS: Final = (
    ("p", "program", ""),
    ("g", "graph", ""),
    ("v", "", ""),
    ("n", beside("nodes"), ""),
    ("f", beside("flow"), ""),
    ("w", "why", ""),
    ("c", "console", "prompt"),
)
_LOOK_EVERY = 2.0  # seconds between looks at the scenario's file
_LEAST_WIDTH, _LEAST_HEIGHT = 50, 14
_Done = tuple[View | None, Exception | None]  # what to show, and a bug of ours


class MainScreen(Screen[int]):
    """Everything that a person sees of one scenario."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "prompt", "command", tooltip="Type a command"),
        Binding("question_mark", "explain_pane", "help", tooltip="What is this pane?"),
        Binding("q", "leave", "quit", tooltip="Leave gradstep"),
        Binding("escape", "cancel", "cancel", show=False),
        Binding("space", "play", "play", tooltip="Play and pause"),
        Binding("greater_than_sign", "pace(1)", "faster", show=False),
        Binding("less_than_sign", "pace(-1)", "slower", show=False),
        Binding("ctrl+g", "jump", "jump to a pane", show=False),
        Binding("ctrl+r", "reload", "load the file again", show=False),
        Binding("ctrl+o", "pick", "open another", show=False),
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
        *(Binding(key, action, show=False) for key, action in ELSEWHERE.items()),
        *(
            Binding(DIGITS[name], f"view('{name}')", title, show=False)
            for name, title in VIEWS.items()
        ),
    ]

    AUTO_FOCUS: ClassVar[str | None] = "#step"

    def __init__(
        self,
        debugger: Debugger,
        at: str = "",
        script: Path | None = None,
        classes: str | None = None,
        *,
        present: bool = False,
        predict: bool = False,
    ) -> None:
        super().__init__(classes=classes)
        self.debugger = debugger
        self._first = ["predict on"] * predict + [f"goto {at}"] * bool(at)
        self._script = script
        self._player = Player()
        self._chosen: Element | None = None
        self._chosen_by_hand = False
        self._work = Background(self._tell_share)
        self._is_showing = False  # the command is done, and panes look things up
        self._is_stale = False  # what is looked up is not what is to be seen any more
        self._is_given_up = False  # by a person; to look again would go on for as long
        # to be executed one after the other, and the trust in each
        self._lines: deque[tuple[str, Trust]] = deque()
        self._asked_at = monotonic()  # when the lines came that it is busy with
        self._turning = ""  # the view to turn to
        self._facts: Sequence[str] = ()  # of the header
        self._put: Put | None = None  # the question of the author that is put here
        self._led: Line | None = None  # what a script that leads goes on with
        self._following = script and tour_behind(script)  # the next lesson of a tour
        self._always: Sequence[Pane] = ()
        self._beside: list[Pane] = []  # views that stand beside the step
        debugger.progress = self._work.progress
        self._drawn_in = Size(0, 0)
        self._is_styled = False
        self.arrangement = load_arrangement()._replace(present=present)
        self._seen = changed_at(debugger)

    # ----------------------------------------------------------------- layout

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield OneLine(id="header")
        yield TimelinePane(id="timeline")
        yield Banner(id="banner")
        with Container(id="body"):
            with Vertical(id="left"):
                yield ProgramPane(id="program")
                yield GraphPane(id="graph")
            with Vertical(id="right"):
                with Vertical(id="main"), ContentSwitcher(initial="step", id="view"):
                    yield StepPane(id="step")  # the others when they are asked for
                with Vertical(id="aside"):
                    yield WhyPane(id="why")
        yield ConsolePane(id="console")
        yield OneLine(id="keys")
        yield Static("", id="small", markup=False)

    def on_mount(self) -> None:
        """Show the first moment."""
        if not is_there(self):
            return
        self._always = [self.query_one(kind) for kind in _ALWAYS]
        self.debugger.exporters = with_screen(self._photograph)
        self._lay_out()
        self._drawn_in = self.size
        self.set_interval(_LOOK_EVERY, self._look_at_file)
        if self._script is not None:
            from ...core.session.script import read_script  # noqa: PLC0415  # 2 ms, only for a script

            lines = read_script(self._script, self.debugger.trust)
            self._player = player_of(self.debugger, lines)
        if self._first:
            self._run(self._first)
        else:
            self._begin("")

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Keep the styles that all widgets were given when they were mounted."""
        event.refresh_styles = event.refresh_styles and self._is_styled
        self._is_styled = True

    def on_unmount(self) -> None:
        """Leave no command behind that goes on."""
        self._work.close()

    def on_resize(self, event: Resize) -> None:
        """Say so when the window is too small; redraw what depends on its width."""
        if not is_there(self):
            return
        width, height = event.size
        is_small = width < _LEAST_WIDTH or height < _LEAST_HEIGHT
        self.set_class(is_small, "small")
        if is_small:
            least = f"{_LEAST_WIDTH} × {_LEAST_HEIGHT}"
            text = f"gradstep needs {least}; this is {width} × {height}"
            self.query_one("#small", Static).update(text)
        self._show_keys()
        self._show_banner()
        give_lines(self, *StepPane.lines_wanted(self.debugger))
        self.call_next(self._stand_beside)
        if event.size != self._drawn_in:
            self._drawn_in = event.size
            self.call_after_refresh(self.apply, None)

    # ------------------------------------------------------------- the one way

    def run_line(self, line: str, trust: Trust | None = None) -> None:
        """Execute a command line, behind those that wait; a long one in the background.

        `trust` says what it may do with files; without one, what a person may.
        """
        self._run([line], trust)

    def _run(self, lines: Sequence[str], trust: Trust | None = None) -> None:
        waits = bool(self._lines)
        if not self._is_asked:
            self._asked_at = monotonic()
        self._lines.extend((line, trust or self.debugger.trust) for line in lines)
        if self._work.busy and self._is_showing:
            self._work.cancel()
        elif not waits:
            self._next_line()

    def _next_line(self) -> None:
        """Begin the next line that waits, if there is one and it can be begun."""
        if self._work.busy:
            return
        led, self._led = self._led, None
        if led is not None:  # before what a person has done since
            self._begin(led.text, led.trust)
        elif self._lines:
            self._begin(*self._lines.popleft())

    def show_present(self) -> None:
        """Show the present moment; what takes long is looked up in the background."""
        if not self._work.busy:
            self._begin("")
            return
        self._is_stale = True
        if self._is_showing:
            self._work.cancel()

    def apply(self, reply: Reply | None) -> None:
        """Draw the present moment into every pane, at once and without waiting."""
        if self._work.busy:
            self._is_stale = True  # the debugger is on its way
        elif is_there(self):
            self._draw(self._view(reply))

    @property
    def busy(self) -> bool:
        """Tell whether a command goes on in the background."""
        return self._work.busy

    @property
    def answers_soon(self) -> bool:
        """Tell whether a command goes on that the next key waits for."""
        return self._is_asked and monotonic() - self._asked_at < SOON

    @property
    def _is_asked(self) -> bool:
        is_asked = bool(self._led or self._lines)
        return is_asked or (self._work.busy and not self._is_showing)

    def _begin(self, line: str, trust: Trust | None = None) -> None:
        """Execute a line, or none, and look up what the panes need to show it."""
        if not is_there(self):
            return
        self._is_showing = not line
        self._is_stale = False
        is_given_up = self._is_given_up and not line
        panes = self.panes()

        def work() -> _Done:
            reply, error = None, None
            try:
                reply = self.debugger.execute(line, trust) if line else None
                self._led = self._player.after(self.debugger, reply)
            except Exception as raised:  # noqa: BLE001  # ours; the session goes on
                error = raised
            self._is_showing = True
            if self._led or self._lines or self._is_stale or is_given_up:
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
        if not is_there(self):
            return
        if error is not None:
            self._say_error(error)
        if view is not None:
            self._draw(view)
        if self._led or self._lines:
            self.call_later(self._next_line)  # what a person does comes between
        elif self._is_stale:
            self.show_present()
        self._is_given_up = False

    def _view(self, reply: Reply | None) -> View:
        """Return the present moment, with the element that is to be seen in it."""
        chosen, shown = self._chosen, None if reply is None else reply.show
        question = View(self.debugger).question
        if question is not None and isinstance(shown, (Question, Verdict)):
            chosen = asked_element(self.debugger, question)
        elif reply is not None and reply.moved and not isinstance(shown, Nudged):
            is_meant = self._chosen_by_hand or isinstance(shown, Verdict)
            is_kept = is_meant and is_in_step(self.debugger, chosen)
            chosen = chosen if is_kept else None
        if chosen is None:
            chosen = present_element(self.debugger)
        return View(self.debugger, reply, chosen)

    def _draw(self, view: View) -> None:
        """Draw a moment into every pane, at once."""
        if view.reply is not None and view.reply.code is not None:
            self.app.exit(view.reply.code)
            return
        self.clear_selection()  # of text: what was there is not there any more
        if not self._is_stale:
            self._chosen_by_hand &= view.chosen == self._chosen
            self._chosen = view.chosen
        if self._turning:
            self.query_one("#view", ContentSwitcher).current = self._turning
        self._show_banner()
        shown = view._replace(reply=None) if self._player.is_quiet() else view
        for pane in self.panes():
            pane.show(shown)
        if self._turning:
            self.query_one(f"#{self._turning}").focus()
            self._turning = ""
        failed = self._player.failed(view.reply) if view.reply else ""
        if failed:
            self.query_one(ConsolePane).say(f"{failed}: the script ends here")
        posed = _posed(view, self._put)
        self._show_question()
        if posed is not None:
            self.query_one(ConsolePane).pose(posed)
        self._show_header()

    def _photograph(self) -> str:
        """Return a picture of the screen as SVG; the thread of a command calls it."""
        return self.app.call_from_thread(self._finished_picture)

    async def _finished_picture(self) -> str:
        """Take a picture of the present moment, while a command waits for it."""
        self._facts = facts(self.debugger)
        self._draw(self._view(None))
        is_painted = asyncio.Event()
        self.call_after_refresh(is_painted.set)
        await is_painted.wait()
        return self.app.export_screenshot(title=self.app.title)

    def panes(self) -> list[Pane]:
        """Return the panes that can be seen: nothing else needs to be drawn."""
        shown = self.query_one("#view", ContentSwitcher).visible_content
        if self._turning:
            shown = self.query_one(f"#{self._turning}")
        # The console also writes down what is said while it is hidden.
        always = (*self._always, *self._beside)
        seen = [one for one in always if one.display or one.id == "console"]
        return [shown, *seen] if isinstance(shown, Pane) else seen

    def _say_busy(self) -> None:
        self.query_one(ConsolePane).say("still busy; Escape cancels")

    def _say_error(self, error: Exception) -> None:
        """Report an exception that is a bug of gradstep; the session goes on."""
        if isinstance(error, Interrupted):
            self.query_one(ConsolePane).say(error.told)
            return
        if os.environ.get("GRADSTEP_TRACEBACK") == "1":
            raise error
        self.query_one(ConsolePane).say(defect_text(error))

    def _tell_share(self, done: int, of: int) -> None:
        if not is_there(self):
            return
        share = f" {100 * done // of} %" if of else ""
        more = f", {counted(len(self._lines), 'line')} to come" if self._lines else ""
        self._show_header(f"working{share}{more}, Escape cancels")

    # --------------------------------------------------------------- messages

    def on_asked(self, message: Asked) -> None:
        """Execute what a pane asks for."""
        self._run([line for line in message.line.split("\n") if line])

    def on_paste(self, event: Paste) -> None:
        """Paste into the prompt what no other line takes."""
        event.stop()
        prompt = self.query_one(Prompt)
        prompt.begin()
        prompt.take(event.text)

    def on_begun(self, message: Begun) -> None:
        """Put a line that a pane has begun into the prompt, to be completed."""
        self.query_one(ConsolePane).ask(message.line)

    def on_turned(self, message: Turned) -> None:
        """Show the view whose name was clicked."""
        self.action_view(message.view)

    def on_chosen(self, message: Chosen) -> None:
        """Show the chosen element in every pane."""
        self._chosen = message.element
        self._chosen_by_hand = message.element.index is not None
        asked = self._asked_instead(message.element)
        if asked:
            self.run_line(f"predict {asked}")
        else:
            self.show_present()
        # A cursor does not wait for what other panes look up in the background.
        self.query_one(StepPane).catch_up()

    def _asked_instead(self, chosen: Element) -> str:
        """Return what is asked once the cursor is elsewhere in the array in question.

        It is "" where nothing else is.
        """
        question = View(self.debugger).question
        if question is None or chosen.index is None or question.element.index is None:
            return ""
        old = question.element
        if (chosen.node, chosen.quantity) != (old.node, old.quantity):
            return ""
        if chosen.index[: len(old.index or ())] == old.index:
            return ""
        node = self.debugger.graph.nodes[chosen.node]
        return element_name(node, chosen.index, chosen.quantity)

    def on_again(self) -> None:
        """Look up what a pane is to show now."""
        self.show_present()

    def action_press(self, key: str) -> None:
        """Execute the command line that a key stands for."""
        if self._work.busy and not self._is_showing:
            self._say_busy()
            return
        line = self.filled(LINES[key])
        if self._put is not None and line == LINES["A"]:
            self.query_one(ConsolePane).open(self._put)
        elif line.endswith(" "):
            self.query_one(ConsolePane).ask(line)
        else:
            self.run_line(line)

    def filled(self, line: str) -> str:
        """Fill in what a key's command line is about."""
        nodes = self.debugger.graph.nodes
        line = line.replace("{node}", nodes[self._place_node()].name)
        is_on = "predict" in self.debugger.modes
        line = line.replace("{turned}", "off" if is_on else "on")
        if self._chosen is not None:
            node = nodes[self._chosen.node]
            name = element_name(node, self._chosen.index, self._chosen.quantity)
            line = line.replace("{chosen}", name)
        line = line.partition("{chosen}")[0]  # nothing is chosen: a person names it
        place = getattr(self.focused, "place", None)
        here = place() if callable(place) else nodes[self._shown_node()].name
        return line.replace("{place}", str(here))

    def _place_node(self) -> int:
        if self._chosen is not None:
            return self._chosen.node
        return self.debugger.graph.output

    def _shown_node(self) -> int:
        """Return the chosen node, or at the start the one that the step shows."""
        if self._chosen is not None:
            return self._chosen.node
        return present_node(self.debugger.trace, self.debugger.position)

    # ---------------------------------------------------------------- actions

    def action_prompt(self) -> None:
        """Put the cursor into the console."""
        self.query_one(Prompt).begin()

    def action_explain_pane(self) -> None:
        """Say what the focused pane shows, its keys, and those that work everywhere."""
        pane = self.focused
        while pane is not None and not isinstance(pane, (Pane, MatrixView)):
            pane = pane.parent if isinstance(pane.parent, Widget) else None
        from .overlay import Help  # noqa: PLC0415  # 1 ms, never at the start

        shown = ConsolePane if pane is None else pane
        self.app.push_screen(Help(shown.TITLE, shown.HELP or ""))

    def action_like(self, key: str) -> None:
        """Do what another key does."""
        (self.focused or self)._forward_event(Key(key, None))  # noqa: SLF001  # as Textual

    def action_tell(self, text: str) -> None:
        """Tell which key does what a person may have meant."""
        self.query_one(Prompt).hint(text)

    def action_jump(self) -> None:
        """Let a person go to a pane by its letter."""
        from .overlay import Jump, Target  # noqa: PLC0415  # 1 ms, never at the start

        self.minimize()
        view = self.query_one("#view", ContentSwitcher).current or ""
        every = [
            Target(letter, pane, goes_to)
            for letter, name, goes_to in _JUMPS
            for pane in self.query(f"#{name or view}").results(Pane)
        ]
        shown = [one for one in every if _is_in_sight(one.pane)]
        self.app.push_screen(Jump(shown), self._jump_to)

    def _jump_to(self, name: str | None) -> None:
        if name and is_there(self):
            self.set_focus(self.query_one(f"#{name}"))

    def action_search(self) -> None:
        """Look for a node, in the graph."""
        graph = self.query_one(GraphPane)
        if _is_in_sight(graph):
            graph.action_search()
        else:
            self.action_tell("the graph is not in sight: H shows all panes")

    def action_leave(self) -> None:
        """Leave gradstep."""
        self.app.exit(0)

    def action_pick(self) -> None:
        """Let a person open another scenario; this one waits until that is done."""
        self._player.stop()
        self._show_header()
        self.post_message(Pick(subject_text(self.debugger)))

    def action_reload(self) -> None:
        """Load the file again, with the same stops and at the same place."""
        if self.busy:
            self._say_busy()
            return
        self._is_showing = False
        reload = partial(reloaded, self.debugger, self._work.progress)
        self._work.run(self.app, reload, self._take)

    def _take(self, loaded: Loaded) -> None:
        """Go on with what was loaded again."""
        self._is_given_up = False
        if not is_there(self):
            return
        self.app.clear_notifications()
        fresh = loaded.debugger
        if fresh is None:
            self._tell("The file is wrong now; the old one stays open", loaded.said)
            return
        self.debugger, self._chosen, self._seen = fresh, None, changed_at(fresh)
        self.query_one(ConsolePane).say(f"loaded again: {subject_text(fresh)}")
        if loaded.said:
            self._tell("These stops have no place in the new file", loaded.said)
        self.show_present()

    def _tell(self, title: str, text: str) -> None:
        self.notify(text, title=title, severity="warning", timeout=15, markup=False)

    def _look_at_file(self) -> None:
        """Say once when the file has changed since it was read."""
        before, self._seen = self._seen, changed_at(self.debugger)
        told = change(before, self._seen)
        if told is not None:
            self._tell(*told)

    def action_cancel(self) -> None:
        """Cancel a long command, stop playing, or give up the chosen element."""
        self._work.cancel()
        self._is_given_up = self.busy
        self._lines.clear()
        self._player.stop()
        self._show_header()
        self._chosen_by_hand = False

    def action_view(self, name: str) -> None:
        """Show another view at the right, or go to it where it stands already."""
        standing = [one for one in self._beside if one.id == beside(name)]
        if standing and standing[0].display:
            standing[0].focus()
        elif self.query(f"#{name}"):
            self._turn_to(name)
        else:
            self.call_next(self._add_view, name)

    async def _add_view(self, name: str) -> None:
        if not self.query(f"#{name}"):
            switcher = self.query_one("#view", ContentSwitcher)
            await switcher.add_content(view(name)(id=name))
        if is_there(self):
            self._turn_to(name)

    async def _stand_beside(self) -> None:
        """Have views beside the step where the window has room for them."""
        is_wide = is_there(self) and self.size.width >= WIDE
        is_wide = is_wide and not self.arrangement.present
        if is_wide == bool(self._beside):
            return
        gone, self._beside = self._beside, []
        for pane in gone:
            await pane.remove()
        for name, column in BESIDE.items() if is_wide else ():
            pane = view(name)(id=beside(name))
            pane.add_class("beside")
            await self.query_one(f"#{column}").mount(pane)
            self._beside.append(pane)
        if is_there(self):
            self._lay_out()
            self.show_present()

    def _turn_to(self, name: str) -> None:
        self._turning = name
        self.show_present()

    def action_enlarge(self) -> None:
        """Give the focused pane the whole screen, or take it back."""
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            self.maximize(self.focused)

    def action_hide(self) -> None:
        """Hide the focused pane; `H` brings all back."""
        if self.focused is not None and self.focused.id in HIDEABLE:
            self.rearrange(with_hidden(self.arrangement, self.focused.id))

    def action_show_all(self) -> None:
        """Bring all hidden panes back."""
        self.rearrange(self.arrangement._replace(hidden=()))

    def action_widen(self, by: int) -> None:
        """Move the border between left and right."""
        view = self.query_one("#view", ContentSwitcher).visible_content
        left = (view.region.x if view is not None else 0) + by
        self.rearrange(with_left(self.arrangement, left, self.size.width))

    def action_heighten(self, by: int) -> None:
        """Move the border above the console."""
        height = self.query_one(ConsolePane).size.height + by
        self.rearrange(with_console(self.arrangement, height, self.size.height))

    def rearrange(self, arrangement: Arrangement) -> None:
        """Lay the panes out like this from now on."""
        self.arrangement = arrangement
        save_arrangement(arrangement)
        self._lay_out()
        self.call_after_refresh(self.apply, None)

    def _lay_out(self) -> None:
        lay_out(self, self.arrangement, empty(self.debugger.graph))
        give_lines(self, *StepPane.lines_wanted(self.debugger))

    def action_play(self) -> None:
        """Play step by step, or pause; of a script one line."""
        if self._player.is_playing:
            self._player.stop()
        elif self._player.leads_on():
            self._play_on()
        elif self._following is not None:
            self.post_message(Open(self._following.name, tour=True))
        else:
            self._player.play(self, self._play_on)
        self._show_header()

    def action_pace(self, by: int) -> None:
        """Play faster or slower; play a script on that waits."""
        if by > 0 and self._player.leads_on() and not self._player.is_playing:
            self._player.play(self, self._play_on)
            self._show_header()
            return
        self._player.pace = min(max(self._player.pace + by, 0), len(PACES) - 1)
        if self._player.is_playing:
            self._player.play(self, self._play_on)
            self._show_header()

    def _play_on(self) -> None:
        if self.busy:
            return
        line, trust = self._player.next_line(self.debugger)
        if line:
            self.run_line(line, trust)
        else:
            self._player.stop()
            self._show_header()

    # ----------------------------------------------------------- header, keys

    def watch_focused(self) -> None:
        """Show the keys of what has the focus now, and what is typed at the prompt."""
        if is_there(self):
            self._show_keys()
            self._show_banner()
            self._show_question()
            self.query_one(ConsolePane).show_sign()

    def on_input_changed(self) -> None:
        """Show what Tab does at the prompt: that depends on what is typed."""
        self._show_keys()

    def _show_keys(self) -> None:
        focus = self.focused
        name = (focus.id or "") if focus is not None else ""
        name = name.removesuffix(beside(""))
        if isinstance(focus, Prompt) and focus.is_answer:
            name = "answer"
        elif isinstance(focus, Prompt) and not focus.value.strip():
            name = "empty prompt"
        self.query_one("#keys", OneLine).tell(*footer(self.size.width, name))

    def _show_banner(self) -> None:
        """Show what a script says, or an author asks, and which key goes on."""
        then = self._following.title if self._following else ""
        said = self.debugger.memory.said
        hint = self._player.hint(self.debugger, then)
        if not self._work.busy:
            self._put = question_here(self.debugger)
        if hint and isinstance(self.focused, Prompt):  # there it would be typed
            hint = f"Escape, then {hint}"
        if not said and self._put is not None and not self._has_console:
            said, hint = self._put.text, "A answers"
        banner = self.query_one(Banner)
        if banner.tell(said, hint, self.size.width):
            give_lines(self, *StepPane.lines_wanted(self.debugger))

    @property
    def _has_console(self) -> bool:
        """Tell whether the line of the prompt is in sight though nobody types."""
        hidden = self.arrangement.hidden
        return not (self.arrangement.present or "console" in hidden)

    def _show_question(self) -> None:
        """Say in the line of the prompt what the author asks, until it is answered."""
        prompt = self.query_one(Prompt)
        if self._put is not None and not prompt.is_answer:
            prompt.hint(f"A answers: {self._put.text}")

    def _show_header(self, working: str = "") -> None:
        debugger = self.debugger
        if not self._work.busy:
            self._facts = facts(debugger)
        where = [working, *self._facts[:2]] if working else self._facts
        states = [*self._player.states(), *debugger.modes]
        if debugger.chosen:
            states.append(f"run {debugger.chosen}: {debugger.branch.text}")
        text = header_text(subject_text(debugger), states, where, self.size.width)
        self.query_one("#header", OneLine).tell((text, ""))


def _is_in_sight(pane: Pane) -> bool:
    """Tell whether a pane has a place on the screen, unless another is enlarged."""
    line = (one for one in pane.ancestors_with_self if isinstance(one, Widget))
    return all(one.display for one in line)


def _posed(view: View, put: Put | None) -> Question | Put | None:
    """Return the question that an answer poses; None where the cursor has chosen it.

    `put` is that of the author, which waits where an answer to it was wrong.
    """
    reply = view.reply
    if reply is None or not isinstance(reply.show, (Question, Verdict)):
        return None
    if view.question is None and isinstance(reply.show, Verdict):
        return put if reply.show.outcome is None else None
    command, _ = view.debugger.read(reply.command)
    return None if command and command.name == "predict" else view.question


def asked_element(debugger: Debugger, question: Question) -> Element:
    """Return the element that the cursor goes to for a question."""
    asked = question.element
    if asked.index is None:
        return asked
    missing = len(debugger.graph.nodes[asked.node].shape) - len(asked.index)
    return replace(asked, index=(*asked.index, *[0] * missing))


def is_in_step(debugger: Debugger, element: Element | None) -> bool:
    """Tell whether the step that was made last shows the array of an element.

    Where it does not, all panes go on to what it shows: they speak of one element.
    """
    number = debugger.position - 1
    if element is None or number < 0:
        return False
    event, node = debugger.trace.event(number), element.node
    if isinstance(event, Contribution):
        return element.quantity == "grad" and node in (event.consumer, event.operand)
    if isinstance(event, Forward):
        operands = debugger.graph.nodes[event.node].operands
        return element.quantity == "value" and node in (event.node, *operands)
    return node == event.node


def present_element(debugger: Debugger) -> Element | None:
    """Return the element of what the last event changed that a note speaks of.

    Where none does, it is the one that stands out.
    """
    trace, position = debugger.trace, debugger.position
    question = View(debugger).question
    if question is not None:
        return asked_element(debugger, question)
    if position == 0:
        return None
    spoken = spoken_of(debugger.subject, trace, position - 1)
    if spoken is not None and spoken.index is not None:
        return spoken
    node = trace.event(position - 1).node
    if position <= trace.seed_position:
        array = trace.value(node, position)
        return None if array is None else Element(node, "value", outstanding(array))
    array = trace.gradient(node, position)
    return None if array is None else Element(node, "grad", outstanding(array))

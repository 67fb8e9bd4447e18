"""The main screen: one scenario, one debugger, all panes showing the same moment."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.events import Key
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from ...core.base.errors import Interrupted, defect_text
from ...core.base.text import counted
from ...core.scenario.builtin import tour_behind
from ...core.session.asking import question_here
from ..export.exports import with_screen
from ..panes.banner import Banner
from ..panes.base.background import is_there
from ..panes.base.pane import Asked, Begun, Chosen, OneLine, Pane, Turned, View
from ..panes.base.views import DIGITS, VIEWS
from ..panes.chosen import asked_instead, posed, viewed
from ..panes.console import ConsolePane, Prompt
from ..panes.graph.pane import GraphPane
from ..panes.header import facts, header_text, subject_text
from ..panes.matrix.view import MatrixView
from ..panes.program import ProgramPane
from ..panes.step.pane import StepPane
from ..panes.time.timeline import TimelinePane
from ..panes.why import WhyPane
from ..session.lines import Lines
from ..session.player import PACES, Player, player_of
from ..session.reloading import Loaded, change, changed_at, reloaded
from .arrangement import (
    HIDEABLE,
    WIDE,
    Arrangement,
    beside,
    empty,
    give_columns,
    give_lines,
    lay_out,
    load_arrangement,
    save_arrangement,
    with_console,
    with_hidden,
    with_left,
)
from .body import Body
from .keys import ELSEWHERE, LINES, filled, footer, keys
from .messages import Open, Pick

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.events import Paste, Resize, ScreenResume

    from ...core.base.trust import Trust
    from ...core.debugger.debugger import Debugger
    from ...core.engine.element import Element
    from ...core.practice.authors import Put
    from ...core.session.reply import Reply

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
_FROM_PROMPT: Final = "Escape, then {}"  # Space, which would be typed there
_LAYOUTS: Final = 2  # after which all is drawn: a step may want other lines
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
        self._lines = Lines(self._tell_share)
        self._facts: Sequence[str] = ()  # of the header
        self._put: Put | None = None  # the question of the author that is put here
        self._following = script and tour_behind(script)  # the next lesson of a tour
        self._always: Sequence[Pane] = ()
        debugger.progress = self._lines.work.progress
        self._drawn_in = self._resized_to = Size(0, 0)
        self._is_styled = False
        self.arrangement = load_arrangement()._replace(present=present)
        self._seen = changed_at(debugger)

    # ----------------------------------------------------------------- layout

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield OneLine(id="header")
        yield TimelinePane(id="timeline")
        yield Banner(id="banner")
        yield Body()
        yield ConsolePane(id="console")
        yield OneLine(id="keys")
        yield Static("", id="small", markup=False)

    def on_mount(self) -> None:
        """Show the first moment."""
        if not is_there(self):
            return
        self._always = [self.query_one(kind) for kind in _ALWAYS]
        self.debugger.exporters = with_screen(self._photograph)
        self._show_whether_small(self.size)
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
        self._lines.work.close()

    def on_resize(self, event: Resize) -> None:
        """Say so when the window is too small; redraw what depends on its width."""
        if not is_there(self):
            return
        if event.size == self._resized_to:  # Textual tells a size three times at the
            if event.size == self._compositor.size:  # start, and after each layout
                event.prevent_default()
            return
        self._resized_to = event.size
        self._show_whether_small(event.size)
        self._show_keys()
        self._show_banner()
        give_columns(self, self.arrangement, self.debugger)
        give_lines(self, self.debugger)
        self.call_next(self._stand_beside)
        if event.size != self._drawn_in:
            self._drawn_in = event.size
            self.call_after_refresh(self.apply, None)

    def _show_whether_small(self, size: Size) -> None:
        """Say so, and nothing else, where the window is too small."""
        width, height = size
        is_small = width < _LEAST_WIDTH or height < _LEAST_HEIGHT
        if self.has_class("small") and not is_small:  # nothing hidden has the focus
            self.call_after_refresh(self._focus_again)
        self.set_class(is_small, "small")
        if is_small:
            least = f"{_LEAST_WIDTH} × {_LEAST_HEIGHT}"
            text = f"gradstep needs {least}; this is {width} × {height}"
            self.query_one("#small", Static).update(text)

    def _focus_again(self) -> None:
        """Give the keys to the view that is open, where nothing has them."""
        if is_there(self) and self.focused is None:
            self.query_one(Body).open.focus()

    # ------------------------------------------------------------- the one way

    def run_line(self, line: str, trust: Trust | None = None) -> None:
        """Execute a command line, behind those that wait; a long one in the background.

        `trust` says what it may do with files; without one, what a person may.
        """
        self._run([line], trust)

    def _run(self, lines: Sequence[str], trust: Trust | None = None) -> None:
        trust = trust or self.debugger.trust
        if self._lines.add((line, trust) for line in lines):
            self._next_line()

    def _next_line(self) -> None:
        """Begin the next line that waits, if there is one and it can be begun."""
        line = self._lines.next()
        if line is not None:
            self._begin(*line)

    def show_present(self) -> None:
        """Show the present moment; what takes long is looked up in the background."""
        if self.busy:
            self._lines.look_again()
        else:
            self._begin("")

    def apply(self, reply: Reply | None) -> None:
        """Draw the present moment into every pane, at once and without waiting."""
        if self.busy:
            self._lines.is_stale = True  # the debugger is on its way
        elif is_there(self):
            self._draw(self._view(reply))

    @property
    def busy(self) -> bool:
        """Tell whether a command goes on in the background."""
        return self._lines.busy

    @property
    def answers_soon(self) -> bool:
        """Tell whether a command goes on that the next key waits for."""
        return self._lines.answers_soon

    def _begin(self, line: str, trust: Trust | None = None) -> None:
        """Execute a line, or none, and look up what the panes need to show it."""
        if not is_there(self):
            return
        lines, panes = self._lines, self.panes()
        lines.begin(is_showing=not line)

        def work() -> _Done:
            reply, error = None, None
            try:
                reply = self.debugger.execute(line, trust) if line else None
                lines.led = self._player.after(self.debugger, reply)
            except Exception as raised:  # noqa: BLE001  # ours; the session goes on
                error = raised
            lines.begin_showing()
            try:
                view = self._view(reply)
                for pane in panes:
                    pane.prepare(view)
            except Exception as raised:  # noqa: BLE001  # likewise
                return None, error or raised
            return view, error

        lines.work.run(self.app, work, self._finished)

    def _finished(self, done: _Done) -> None:
        view, error = done
        if not is_there(self):
            return
        if error is not None:
            self._say_error(error)
        if view is not None:
            self._draw(view)
        if self._lines.is_more:
            self.call_later(self._next_line)  # what a person does comes between
        elif self._lines.is_stale:
            self.show_present()
        self._lines.is_given_up = False

    def _view(self, reply: Reply | None) -> View:
        by_hand = self._chosen_by_hand
        return viewed(self.debugger, reply, self._chosen, is_by_hand=by_hand)

    def _draw(self, view: View) -> None:
        """Draw a moment into every pane, at once."""
        if view.reply is not None and view.reply.code is not None:
            self.app.exit(view.reply.code)
            return
        self.clear_selection()  # of text: what was there is not there any more
        if not self._lines.is_stale:
            self._chosen_by_hand &= view.chosen == self._chosen
            self._chosen = view.chosen
        turned_to = self.query_one(Body).turn()
        self._show_banner()
        shown = view._replace(reply=None) if self._player.is_quiet() else view
        for pane in self.panes():
            pane.show(shown)
        if turned_to is not None:
            turned_to.focus()
        failed = self._player.failed(view.reply) if view.reply else ""
        if failed:
            self.query_one(ConsolePane).add(f"{failed}: the script ends here")
        question = posed(view, self._put)
        self._show_question()
        if question is not None:
            self.query_one(ConsolePane).pose(question)
        self._show_header()

    def _photograph(self) -> str:
        """Return a picture of the screen as SVG; the thread of a command calls it."""
        return self.app.call_from_thread(self._finished_picture)

    async def _finished_picture(self) -> str:
        """Take a picture of the present moment, while a command waits for it."""
        self._facts = facts(self.debugger)
        self._draw(self._view(None))
        for _ in range(_LAYOUTS):
            is_painted = asyncio.Event()
            self.call_after_refresh(is_painted.set)
            await is_painted.wait()
        return self.app.export_screenshot(title=self.app.title)

    def panes(self) -> list[Pane]:
        """Return the panes that can be seen: nothing else needs to be drawn."""
        body = self.query_one(Body)
        # The console also writes down what is said while it is hidden.
        always = (*self._always, *body.beside)
        seen = (one for one in always if one.display or one.id == "console")
        return [body.coming, *seen]

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
        asked = asked_instead(self.debugger, message.element)
        if asked:
            self.run_line(f"predict {asked}")
        else:
            self.show_present()
        # A cursor does not wait for what other panes look up in the background.
        self.query_one(StepPane).catch_up()

    def on_again(self) -> None:
        """Look up what a pane is to show now."""
        self.show_present()

    def action_press(self, key: str) -> None:
        """Execute the command line that a key stands for."""
        if self._lines.is_executing:
            self._say_busy()
            return
        line = self.filled(LINES[key])
        if self._put is not None and line == LINES["A"]:
            self.query_one(ConsolePane).open(self._put)
        elif line.endswith(" ") and key == "enter":  # no word is to be typed behind it
            self.action_tell("nothing is chosen yet: s steps")
        elif line.endswith(" "):
            self.query_one(ConsolePane).ask(line)
        else:
            self.run_line(line)

    def filled(self, line: str) -> str:
        """Fill in what a key's command line is about: of most keys, nothing."""
        if "{" not in line:
            return line
        place = getattr(self.focused, "place", None)
        here = str(place()) if callable(place) else ""
        word = getattr(self.focused, "word", None)
        called = str(word()) if callable(word) else ""
        return filled(line, self.debugger, self._chosen, here, called)

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
        view = self.query_one(Body).open.id
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
        work = self._lines.work
        self._lines.is_showing = False
        reload = partial(reloaded, self.debugger, work.progress)
        work.run(self.app, reload, self._take)

    def _take(self, loaded: Loaded) -> None:
        """Go on with what was loaded again."""
        self._lines.is_given_up = False
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
        self._lines.cancel()
        self._player.stop()
        self._show_header()
        self._chosen_by_hand = False

    def action_view(self, name: str) -> None:
        """Show another view at the right, or go to it where it stands already."""
        body = self.query_one(Body)
        standing = body.standing(name)
        if standing is not None:
            standing.focus()
        elif body.has(name):
            self._turn_to(name)
        else:
            self.call_next(self._add_view, name)

    async def _add_view(self, name: str) -> None:
        if is_there(self):
            await self.query_one(Body).make(name)
        if is_there(self):
            self._turn_to(name)

    async def _stand_beside(self) -> None:
        """Have views beside the step where the window has room for them."""
        if not is_there(self):
            return
        is_wide = self.size.width >= WIDE and not self.arrangement.present
        is_changed = await self.query_one(Body).stand_beside(is_wide=is_wide)
        if is_changed and is_there(self):
            self._lay_out()
            self.show_present()

    def _turn_to(self, name: str) -> None:
        self.query_one(Body).turning = name
        self.show_present()

    def action_enlarge(self) -> None:
        """Give the focused pane the whole screen, or take it back."""
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            self.maximize(self.focused)

    def action_hide(self) -> None:
        """Hide the focused pane; `H` brings all back."""
        if self.focused is None or self.focused.id not in HIDEABLE:
            self.action_tell("this pane stays: Tab goes to one that h hides")
        else:
            self.rearrange(with_hidden(self.arrangement, self.focused.id))

    def action_show_all(self) -> None:
        """Bring all hidden panes back."""
        self.rearrange(self.arrangement._replace(hidden=()))

    def action_widen(self, by: int) -> None:
        """Move the border between left and right."""
        left = self.query_one(Body).open.region.x + by
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
        give_columns(self, self.arrangement, self.debugger)
        give_lines(self, self.debugger)

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
        if not self.busy:
            self._put = question_here(self.debugger)
        if hint and isinstance(self.focused, Prompt):
            hint = _FROM_PROMPT.format(hint)
        if not said and self._put is not None and not self._has_console:
            said, hint = self._put.text, "A answers"
        banner, shown = self.query_one(Banner), self._player.shown(then)
        others = [(text, _FROM_PROMPT.format(longest)) for text, longest in shown]
        if banner.tell(said, hint, self.size.width, others):
            give_lines(self, self.debugger)

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
        if not self.busy:
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

"""The step and the why of one debugger on a screen, without the rest."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.app import App, ComposeResult
from textual.widget import Widget

from gradstep.core.base.errors import CommandError
from gradstep.core.commands.explaining import find_element
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.expression.expression import parse_element
from gradstep.core.scenario.scenario import parse
from gradstep.tui.panes.base.pane import Asked, Chosen, View
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.why import WhyPane

if TYPE_CHECKING:
    from gradstep.core.engine.element import Element


class PanesApp(App[None]):
    CSS = "StepPane, WhyPane { border: round; height: 1fr; }"

    def __init__(self, debugger: Debugger, *lines: str) -> None:
        super().__init__()
        self.debugger = debugger
        self.chosen: Element | None = None
        self.asked: list[str] = []  # lines that a pane asked for, and nobody executes
        self.run_lines(lines)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"upstream": "#00ff80", "local": "#ff9bff"}  # as our themes have them

    def compose(self) -> ComposeResult:
        yield StepPane()
        yield WhyPane()

    @property
    def step(self) -> StepPane:
        return self.query_one(StepPane)

    @property
    def why(self) -> WhyPane:
        return self.query_one(WhyPane)

    def on_mount(self) -> None:
        self.step.focus()
        self.draw()

    def run_lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            reply = self.debugger.execute(line)
            assert reply.ok, reply.error

    def choose(self, text: str) -> None:
        self.chosen = parse_element(
            text, self.debugger.graph, self.debugger.subject.names
        )
        self.draw()

    def draw(self) -> None:
        chosen = self.chosen
        if chosen is None:
            try:
                chosen = find_element(self.debugger, "")
            except CommandError:
                chosen = None
        view = View(self.debugger, None, chosen)
        self.step.show(view)
        self.why.show(view)

    def on_chosen(self, message: Chosen) -> None:
        self.chosen = message.element
        self.draw()

    def on_asked(self, message: Asked) -> None:
        self.asked.append(message.line)


def program(text: str, leaves: str, rest: str = "") -> Debugger:
    """Return a debugger over a program, with `leaves` as parameters."""
    source = f"gradstep = 1\ntitle = 't'\n{rest}program = '''\n{text}\n'''\n"
    return Debugger(parse(f"{source}[parameters]\n{leaves}", source="t.toml"))


def text_of(pane: Widget) -> str:
    """Return what a pane shows within its borders."""
    area = pane.content_size
    lines = (pane.render_line(y).text.rstrip() for y in range(area.height))
    return "\n".join(lines)

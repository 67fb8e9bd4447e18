"""The panes between timeline and console: the program, the views, and what explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container, Vertical
from textual.widgets import ContentSwitcher

from ..panes.base.background import is_there
from ..panes.base.pane import Pane
from ..panes.graph.pane import GraphPane
from ..panes.homes import view
from ..panes.program import ProgramPane
from ..panes.step.pane import StepPane
from ..panes.why import WhyPane
from .arrangement import BESIDE, beside

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Body(Container):
    """The program and its graph at the left, a view and Why at the right.

    A view is made when it is first asked for; it is seen once it is drawn.
    """

    def __init__(self) -> None:
        super().__init__(id="body")
        self.turning = ""  # the view to turn to
        self.beside: list[Pane] = []  # views that stand beside the open one

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        with Vertical(id="left"):
            yield ProgramPane(id="program")
            yield GraphPane(id="graph")
        with Vertical(id="right"):
            with Vertical(id="main"), ContentSwitcher(initial="step", id="view"):
                yield StepPane(id="step")  # the others when they are asked for
            with Vertical(id="aside"):
                yield WhyPane(id="why")

    def on_mount(self) -> None:
        """Let what explains go on in the lines that the step leaves blank.

        Neither is there where the screen is closed while it mounts.
        """
        for step, why in zip(self.query(StepPane), self.query(WhyPane), strict=True):
            step.lend(why.rest)
            why.go_on_in(step)

    @property
    def open(self) -> Pane:
        """The view that is seen."""
        name = self.query_one("#view", ContentSwitcher).current
        return self.query_one(f"#{name}", Pane)

    @property
    def coming(self) -> Pane:
        """The view that is seen next: what is turned to, or the one that is open."""
        return self.query_one(f"#{self.turning}", Pane) if self.turning else self.open

    def standing(self, name: str) -> Pane | None:
        """Return a view that is seen beside the open one; None where it is not."""
        found = (one for one in self.beside if one.id == beside(name) and one.display)
        return next(found, None)

    def has(self, name: str) -> bool:
        """Tell whether a view has been made."""
        return bool(self.query(f"#{name}"))

    async def make(self, name: str) -> None:
        """Make a view that nobody has seen yet."""
        if not self.has(name):
            switcher = self.query_one("#view", ContentSwitcher)
            await switcher.add_content(view(name)(id=name))

    def turn(self) -> Pane | None:
        """Open the view that is turned to, and return it; None where none is."""
        if not self.turning:
            return None
        self.query_one("#view", ContentSwitcher).current = self.turning
        self.turning = ""
        return self.open

    async def stand_beside(self, *, is_wide: bool) -> bool:
        """Have views beside the open one, or none; tell whether that is new."""
        if is_wide == bool(self.beside):
            return False
        gone, self.beside, screen = self.beside, [], self.screen
        for pane in gone:
            await pane.remove()
        for name, column in BESIDE.items() if is_wide else ():
            if not is_there(screen):  # closed while the pane before was mounted
                return False
            pane = view(name)(id=beside(name))
            pane.add_class("beside")
            await self.query_one(f"#{column}").mount(pane)
            self.beside.append(pane)
        return True

"""The line in which a name is typed, to be looked for in the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

if TYPE_CHECKING:
    from collections.abc import Callable


class Search(Input):
    """The line below the picture in which a name is looked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("down", "again(1)", show=False),
        Binding("up", "again(-1)", show=False),
    ]

    def __init__(self, leave: Callable[[], None], again: Callable[[int], None]) -> None:
        super().__init__(
            placeholder="a name; Enter: the next one, Escape: back", id="find"
        )
        self._leave = leave
        self._again = again

    def action_leave(self) -> None:
        """Give the keys back to the picture."""
        self._leave()

    def action_again(self, by: int) -> None:
        """Go to the next match, or the one before."""
        self._again(by)

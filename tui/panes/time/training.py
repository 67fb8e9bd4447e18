"""The training curve: the output by iteration, to be pointed at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from rich.segment import Segment
from rich.style import Style

from ....core.pictures.flow import Trends, trends
from ....core.pictures.plot import (
    Scale,
    column_of,
    curve,
    number_at,
    reads_better_on_log,
    scale_of,
    spark,
)
from ....core.words.digits import SENTENCE
from ....core.words.numbers import digits_apart, number_text
from ...draw.digits import align
from ..base.empty import Fills, in_the_middle
from ..base.pane import Asked, Line, Pane, View
from ..base.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.binding import BindingType
    from textual.events import Click

    from ....core.debugger.debugger import Debugger

_MORE: Final = 100  # iterations that one key adds
_MOST_TRENDS: Final = 8  # parameters whose norms stand below
_LEAST: Final = 5  # lines of the plot, before the norms are left out
_ROWS_A_TICK: Final = 3
_COLUMNS_A_TICK: Final = 10


class TrainingPane(Pane):
    """A plot with axes, and below it the norms of the parameters' gradients."""

    TITLE: ClassVar[str] = VIEWS["training"]
    WORD: ClassVar[str] = "learning rate"
    HELP: ClassVar[str | None] = (
        "The output by iteration, of those that are finished; × is not finite.\n"
        "● the iteration that is shown   │ the cursor\n"
        "Below: the norms of the parameters' gradients, each on its own log scale.\n"
        "up, down: the next iteration, the one before   page up, page down: a tenth\n"
        "enter or a click: go there   r: train 100 more   l: linear or log"
    )
    INKS: ClassVar[Mapping[str, str]] = {
        **Pane.INKS,
        "training--curve": "$primary",
        "training--axis": "dim",
        "training--cursor": "$secondary",
        "training--present": "bold $accent",
        "training--alarm": "bold $error",
        "training--name": "bold",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        ("up", "move(1)", "later"),
        ("down", "move(-1)", "earlier"),
        ("pageup", "page(1)", "later"),
        ("pagedown", "page(-1)", "earlier"),
        ("enter", "enter", "go there"),
        ("r", "train", "train"),
        ("l", "log", "log"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self._present = 0  # the iteration that was shown last
        self._log: bool | None = None  # None: as the numbers ask for
        self._view: View | None = None
        self._numbers = np.zeros(0)
        self._trends: Trends = {}
        self._plot = (0, 0)  # where the plot begins, and how wide it is

    def show(self, view: View) -> None:
        """Draw the curve at this moment."""
        self._view = view
        records = view.debugger.finished
        self._numbers = records.losses
        self._trends = trends(records, view.debugger.trace.run)
        if self._present != view.debugger.place.iteration:
            self._present = self.cursor = view.debugger.place.iteration
        self.cursor = max(min(self.cursor, len(self._numbers) - 1), 0)
        self.refresh()

    def on_resize(self) -> None:
        """Draw again in the room that there is now."""
        self.refresh()

    # ------------------------------------------------------------------- actions

    def action_move(self, by: int) -> None:
        """Move the cursor by iterations."""
        last = max(len(self._numbers) - 1, 0)
        self.cursor = min(max(self.cursor + by, 0), last)
        self.refresh()

    def action_page(self, by: int) -> None:
        """Move the cursor by a tenth of the curve."""
        self.action_move(by * max(len(self._numbers) // 10, 1))

    def action_enter(self) -> None:
        """Go to the iteration under the cursor."""
        if self._view is not None and self._view.debugger.timeline.iterations > 1:
            self.post_message(Asked(f"goto {self.cursor}:start"))

    def action_train(self) -> None:
        """Train on."""
        self.post_message(Asked(f"train {_MORE}"))

    def action_log(self) -> None:
        """Change between a linear and a logarithmic scale."""
        self._log = not self._is_log()
        self.refresh()

    def on_click(self, event: Click) -> None:
        """Go to the iteration that is clicked."""
        start, width = self._plot
        column = event.x - self.gutter.left - start
        if width and 0 <= column < width and len(self._numbers):
            self.cursor = number_at(column, len(self._numbers), width)
            self.action_enter()

    # ------------------------------------------------------------------- drawing

    def _is_log(self) -> bool:
        if self._log is None:
            return reads_better_on_log(self._numbers)
        return self._log and bool((self._numbers > 0).any())

    def _ink(self, name: str) -> Style:
        return self.part(f"training--{name}")

    def lines(self) -> list[Line]:
        """Draw what is said, the curve and the norms."""
        if self._view is None:
            return []
        debugger = self._view.debugger
        if debugger.timeline.iterations == 1:
            said = "this scenario does not train: it has no table [training]"
            return self._in_the_middle(said, ())
        if len(self._numbers) < 2:  # one point is no curve
            said = "no iteration is finished yet"
            if len(self._numbers):
                said = f"one iteration is finished: {self._output(debugger)}"
            return self._in_the_middle(said, (("r", f"trains {_MORE}"),))
        room = self.size.height - 3
        below = min(len(self._trends), _MOST_TRENDS)
        below = min(below + 2 if below else 0, max(room - _LEAST, 0))
        height = max(room - below, 1)
        lines = [self._said(debugger), *self._axes(debugger, height)]
        if below > 2:
            lines += [[], *self._norms(debugger, below - 2)]
        return lines

    def _in_the_middle(self, said: str, fills: Fills) -> list[Line]:
        inks = self._ink("axis"), self.ink("pane--digit")
        return [*in_the_middle(said, fills, self.size, inks)]

    def _output(self, debugger: Debugger) -> str:
        """Return the output of the iteration under the cursor."""
        name = debugger.graph.nodes[debugger.graph.output].name
        return f"{name} = {number_text(float(self._numbers[self.cursor]), SENTENCE)}"

    def _said(self, debugger: Debugger) -> Line:
        """Say what the cursor is on."""
        planned = max(debugger.timeline.iterations - 1, 0)
        run = f"   run up to {len(self._numbers) - 1} of {planned}"
        if self._is_log():
            run += ", log scale"
        line = [
            Segment(f" {self._output(debugger)}", self._ink("name")),
            Segment(f" in iteration {self.cursor}", Style()),
            Segment(run, self._ink("axis")),
        ]
        while len(line) > 1 and Segment.get_line_length(line) > self.size.width:
            line.pop()
        return line

    def _axes(self, debugger: Debugger, height: int) -> list[Line]:
        """Draw the curve between its axes: `height` lines, and two below."""
        numbers = self._numbers
        scale = scale_of(numbers, log=self._is_log())
        ticks = scale.ticks(max(height // _ROWS_A_TICK, 2))
        digits = digits_apart(ticks)
        labels = align([number_text(tick, digits) for tick in ticks])
        margin = max(map(len, labels), default=0) + 1
        width = max(self.size.width - margin - 2, 4)
        self._plot = margin + 1, width
        at = {
            round((1 - scale.share(tick)) * (height - 1)): label
            for tick, label in zip(ticks, labels, strict=True)
        }
        drawn = curve(numbers, scale, width, height)
        rows = [
            [
                Segment(at.get(row, "").rjust(margin), self._ink("axis")),
                Segment("┤" if row in at else "│", self._ink("axis")),
                *self._row(row, line, scale, height, debugger.place.iteration),
            ]
            for row, line in enumerate(drawn)
        ]
        return [*rows, *self._below(margin, width)]

    def _row(self, row: int, line: str, scale: Scale, height: int, here: int) -> Line:
        """Draw one line of the curve, with the cursor and the present iteration."""
        count, width = len(self._numbers), len(line)
        styles = [self._ink("curve")] * width
        cells = list(line)
        for number in np.flatnonzero(~np.isfinite(self._numbers)).tolist():
            if row == 0:
                column = column_of(number, count, width)
                cells[column], styles[column] = "×", self._ink("alarm")
        cursor = column_of(self.cursor, count, width)
        if cells[cursor] == "⠀":
            cells[cursor], styles[cursor] = "│", self._ink("cursor")
        if here < count:
            share = scale.share(float(self._numbers[here]))
            if not np.isnan(share) and round((1 - share) * (height - 1)) == row:
                column = column_of(here, count, width)
                cells[column], styles[column] = "●", self._ink("present")
        return [
            Segment(" " if cell == "⠀" else cell, style)
            for cell, style in zip(cells, styles, strict=True)
        ]

    def _below(self, margin: int, width: int) -> list[Line]:
        """Draw the axis of the iterations with its numbers."""
        count = len(self._numbers)
        axis, names = ["─"] * width, [" "] * (width + margin + 2)
        most = max(width // _COLUMNS_A_TICK, 2)
        ticks = Scale(0.0, float(max(count - 1, 1))).ticks(most)
        free = 0
        for tick in (int(t) for t in ticks if t.is_integer() and t < count):
            column = column_of(tick, count, width)
            text = str(tick)
            start = min(margin + 1 + column - len(text) // 2, len(names) - len(text))
            if start >= free:
                axis[column] = "┬"
                names[start : start + len(text)] = text
                free = start + len(text) + 1
        return [
            [Segment(" " * margin + "└" + "".join(axis), self._ink("axis"))],
            [Segment("".join(names), self._ink("axis"))],
        ]

    def _norms(self, debugger: Debugger, most: int) -> list[Line]:
        """Draw one line for the norms of each parameter's gradient."""
        nodes = debugger.graph.nodes
        chosen = list(self._trends.items())[:most]
        names = [f"‖{nodes[node].name}.grad‖" for node, _ in chosen]
        at = [
            None if self.cursor >= len(norms) else norms[self.cursor]
            for _, norms in chosen
        ]
        texts = align(["—" if n is None else number_text(n) for n in at])
        longest = max(map(len, names), default=0)
        room = max(map(len, texts), default=0)
        width = max(self.size.width - longest - room - 5, 0)
        lines: list[Line] = []
        for (_, norms), name, text in zip(chosen, names, texts, strict=True):
            drawn = spark(norms, width)
            lines.append(
                [
                    Segment(f" {name:<{longest}} ", self._ink("name")),
                    Segment(f"{text:>{room}}  ", Style()),
                    Segment(drawn, self._ink("curve")),
                ]
            )
        return lines

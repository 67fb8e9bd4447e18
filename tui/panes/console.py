"""The console: every command line that was executed, its answer, and the next one."""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.strip import Strip
from textual.widgets import Input

from ...core.debugger.complete import complete
from ...core.practice.nudge import Nudged
from ...core.practice.predict.question import Question
from ...core.practice.predict.score import Verdict
from ...core.session.asking import question_here
from ...core.session.reply import Table
from ...core.words.names import with_wordings
from ..graph.drawing import cut
from .base.pane import (
    Asked,
    Line,
    OneLine,
    Painted,
    Pane,
    View,
    as_shown,
    filled,
    fitted,
    folded,
    paint_soon,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.style import Style
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Paste
    from textual.geometry import Region
    from textual.widget import Widget

    from ...core.engine.graph import Graph
    from ...core.practice.authors import Put
    from ...core.session.reply import Reply

PROMPT = "(gradstep) "
_INDENT = "  "  # of an answer, as wide as the mark of an error
_ENDS = re.compile(r"\r\n|[\r\n]")  # of lines that are pasted
_MOST_LINES = 2000  # of scroll-back
_BORDERS = 2  # lines above and below
_MARGINS = 4  # columns beside
_COMMAND = "   : command"  # the key that brings here, behind what is said
_EMPTY = "type a command; Tab completes, Escape leaves"
_CODE = "   "  # before what a made-up name stands for, at the end of a line
_ANSWER = "answer "  # the command that a field of answer writes
# What is typed into it, by what is asked.
FORMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "shape": "a shape, as in (2, 3)",
        "signs": "signs, row by row, as in + - 0; - + +",
        "number": "a number, or 1.1 * 3, sigmoid(z[0])",
        "choice": "a letter, as in a",
    }
)
_LEAST_FIELD = 36  # columns to answer in; a question that leaves fewer stands above
_ABOVE = " ↑ PageUp"  # at the top of an answer that begins above it
_BELOW = " ↓ PageDown"  # at the bottom of one that goes on


class Prompt(Input):
    """The command line, with history and completion."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("up", "older", "older"),
        ("down", "newer", "newer"),
        ("pageup", "scrollback(1)", "back"),
        ("pagedown", "scrollback(-1)", "on"),
        ("tab", "complete", "complete"),
        ("escape", "leave", "leave"),
        ("ctrl+d", "delete_or_tell", "delete"),
    ]

    placeholder = reactive("", repaint=False)  # `hint` sees to it

    def __init__(self) -> None:
        super().__init__(
            placeholder=f"{_EMPTY}{_COMMAND}",
            id="prompt",
            select_on_focus=False,
        )
        self._lines: list[str] = []
        self._number = 0
        self._hint = _EMPTY
        self._view: View | None = None
        self._before: Widget | None = None  # the one that had the keys
        self.is_answer = False  # what is typed is the answer to a question
        # Of the line and of what stands there while nothing is typed.
        self._inks: tuple[Style, Style] | None = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the line; what each key changes is drawn here, for that is quicker."""
        if self.value or self.has_focus:
            return super().render_lines(crop)
        if self._inks is None:
            ground = self.rich_style
            quiet = ground + self.get_component_rich_style("input--placeholder")
            self._inks = as_shown(self, ground, ground), as_shown(self, quiet, ground)
        (ground, quiet), width = self._inks, self.size.width
        said = [Segment(_hinted(self.placeholder, width), quiet)]
        line = filled(said, width, ground)
        return [Strip(line, width).crop(*crop.column_span)]

    def notify_style_update(self) -> None:
        """Forget the colours of the theme before."""
        super().notify_style_update()
        self._inks = None

    def begin(self, line: str | None = None) -> None:
        """Take the keys, with the beginning of a line or with what stands here."""
        self.is_answer = False
        self._take_keys(line)

    def ask(self, question: Question | Put) -> None:
        """Take the keys for the answer to a question."""
        self.is_answer = True
        self._take_keys("")
        self.expect(question)

    def expect(self, question: Question | Put) -> None:
        """Say in the empty field of an answer what is typed there."""
        if self.is_answer:
            self.placeholder = FORMS[question.kind]
            self._set_dirty()  # as `hint` does
            paint_soon(self, ())

    def meant(self, line: str) -> str:
        """Return the command line that a typed line is: in a field of answer, one."""
        line = line.strip()
        return (
            f"{_ANSWER}{line.removeprefix(_ANSWER)}".strip() if self.is_answer else line
        )

    def give_back(self) -> None:
        """Give the keys back to the pane that had them, once a question is done."""
        if self.is_answer and self.screen.focused is self:
            self._leave()

    def _take_keys(self, line: str | None) -> None:
        self.screen.query_one(ConsolePane).add_class("-asked")
        self.screen.minimize()  # a pane that is enlarged hides the line
        if self.screen.focused is not self:
            self._before = self.screen.focused
        if line is not None:
            self.value = line
        self.screen.set_focus(self)
        self.cursor_position = len(self.value)

    def on_paste(self, event: Paste) -> None:
        """Take all lines that are pasted, not the first one alone."""
        event.stop()
        event.prevent_default()
        self.take(event.text)

    def take(self, text: str) -> None:
        """Insert a text at the cursor: each line that ends in it is executed in turn.

        What stands behind the last end waits here, as in a terminal.
        """
        start, end = sorted(self.selection)
        after = self.value[end:]
        *whole, begun = _ENDS.split(self.value[:start] + text + after)
        self.value = begun
        self.cursor_position = len(begun) - len(after)
        lines = [self.meant(line) for line in whole if line.strip()]
        self.post_message(Asked("\n".join(lines)))

    def show(self, view: View) -> None:
        """Remember what there is to complete."""
        self._view = view

    def remember(self, line: str) -> None:
        """Add a line to the history."""
        if not self._lines or self._lines[-1] != line:
            self._lines.append(line)
        self._number = len(self._lines)

    def action_older(self) -> None:
        """Show the line before."""
        self._recall(self._number - 1)

    def action_newer(self) -> None:
        """Show the line after."""
        self._recall(self._number + 1)

    def _recall(self, number: int) -> None:
        self._number = min(max(number, 0), len(self._lines))
        newest = self._number == len(self._lines)
        line = "" if newest else self._lines[self._number]
        self.value = line.removeprefix(_ANSWER) if self.is_answer else line
        self.cursor_position = len(self.value)

    def action_complete(self) -> None:
        """Complete the word before the cursor as far as all candidates agree.

        An empty line is passed on the way from pane to pane.
        """
        if not self.value.strip():
            self.screen.focus_next()
        if self._view is None or not self.value.strip():
            return
        cursor, before = self.cursor_position, _ANSWER if self.is_answer else ""
        line = before + self.value
        found = complete(self._view.debugger, line, len(before) + cursor)
        if not found:
            return
        word = self.value[:cursor].rpartition(" ")[2]
        common = _common(found)
        if len(common) > len(word) or len(found) == 1:
            end = " " if len(found) == 1 else ""
            start = self.value[: cursor - len(word)]
            self.value = start + common + end + self.value[cursor:]
            self.cursor_position = len(start + common + end)
        else:
            self.post_message(Candidates(found))

    def action_delete_or_tell(self) -> None:
        """Delete to the right; in an empty line say how to leave, as shells would."""
        if self.value:
            self.action_delete_right()
        else:
            self.hint("Escape goes back to the panes, where q leaves gradstep")

    def on_focus(self) -> None:
        """Leave out the key that leads here."""
        if not self.is_answer:
            self._say(has_keys=True)

    def on_blur(self) -> None:
        """Give up the line again where it is there only to be typed in."""
        self.screen.query_one(ConsolePane).remove_class("-asked")
        self._say(has_keys=False)

    def hint(self, text: str) -> None:
        """Say something in the empty line, until the next command."""
        self._hint = text
        self._say(has_keys=self.has_focus)

    def _say(self, *, has_keys: bool) -> None:
        text, width = self._hint, self.size.width
        self.placeholder = cut(text, width) if has_keys else f"{text}{_COMMAND}"
        self._set_dirty()  # as its `refresh` does
        paint_soon(self, ())

    def action_scrollback(self, by: int) -> None:
        """Look at older lines, or newer ones, by screens."""
        self.screen.query_one(Scrollback).page(by)

    async def action_leave(self) -> None:
        """Give the keys back to the pane that had them, and cancel what goes on."""
        self._leave()
        if getattr(self.screen, "busy", False):
            await self.run_action("screen.cancel")

    def _leave(self) -> None:
        self.value, self.is_answer = "", False
        chain = self.screen.focus_chain
        if self._before in chain:
            self.screen.set_focus(self._before)
        elif any(one is not self for one in chain):
            self.screen.focus_next()
        else:  # the window is too small for a view: the screen itself takes the keys
            self.screen.set_focus(None)


class Candidates(Asked):
    """Several completions: they are listed, nothing is executed."""

    def __init__(self, words: list[str]) -> None:
        super().__init__("")
        self.words = words


def _common(words: list[str]) -> str:
    first, last = min(words), max(words)
    count = next((i for i, c in enumerate(first) if last[i : i + 1] != c), len(first))
    return first[:count]


class Scrollback(Painted):
    """The lines written so far, the newest at the bottom.

    It scrolls by itself, for to a scroll view every new line is a new layout of the
    whole screen, and that would come with every key.
    """

    INKS: ClassVar[Mapping[str, str]] = {
        "console--command": "bold $primary",
        "console--error": "bold $error",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._written: deque[tuple[str, str]] = deque(maxlen=_MOST_LINES)
        self._up = 0  # rows scrolled back
        self._answer = 0  # lines that were written last, and are to be read
        self._is_scrolled = False  # not to the first of them: a person has, or `add`

    def write(self, *lines: tuple[str, str], read: int) -> None:
        """Add lines, each with the name of its style.

        The last ones, `read` of them, are to be read: it goes to the first of these.
        """
        self._written.extend(lines)
        self._answer, self._is_scrolled = read, False
        self.repaint()

    def add(self, *lines: tuple[str, str]) -> None:
        """Add lines to the answer, each with its style, and go to its end."""
        self._written.extend(lines)
        self._answer += len(lines)
        self._up, self._is_scrolled = 0, True
        self.repaint()

    def page(self, by: int) -> None:
        """Scroll back by so many screens, or on if negative.

        Two rows stay in sight, so that each is seen once without a mark at its end.
        """
        self.scroll(by * max(self.size.height - 2, 1))

    def scroll(self, by: int) -> None:
        """Scroll back by so many rows, or on if negative."""
        most = sum(1 for _ in self._rows()) - self.size.height
        self._up, self._is_scrolled = min(max(self._up + by, 0), max(most, 0)), True
        self.repaint()

    def lines(self) -> Sequence[Line]:
        """Draw as many rows as there is room for; an answer from its first."""
        height = self.size.height
        answer = sum(1 for _ in self._rows(self._answer))
        if not self._is_scrolled:
            self._up = max(answer - height, 0)
        rows = [*islice(self._rows(), self._up, self._up + height)][::-1]
        seen = [[Segment(part, self.ink(name))] for part, name in rows]
        if seen and answer > self._up + height:
            seen[0] = self._signed(seen[0], _ABOVE)
        if seen and self._up:
            seen[-1] = self._signed(seen[-1], _BELOW)
        return seen

    def _rows(self, most: int | None = None) -> Iterator[tuple[str, str]]:
        """Yield what is written, folded into rows, from the last one up.

        With `most` it is that of so many lines.
        """
        if width := self.size.width:
            for text, name in islice(reversed(self._written), most):
                yield from ((part, name) for part in reversed(folded(text, width)))

    def _signed(self, line: Line, mark: str) -> Line:
        """Return the first or the last line in sight, with what it leaves out."""
        if not isinstance(self.screen.focused, Prompt):
            mark = mark.replace("Page", ": Page")  # the key is another pane's
        room = self.size.width - cell_len(mark)
        return [*fitted(line, room), Segment(mark, self.ink("console--command"))]

    def on_mouse_scroll_up(self) -> None:
        """Scroll back."""
        self.scroll(3)

    def on_mouse_scroll_down(self) -> None:
        """Scroll on."""
        self.scroll(-3)


class ConsolePane(Pane, can_focus=False):
    """What was executed and answered, above the prompt."""

    TITLE: ClassVar[str] = "Console"
    HELP: ClassVar[str | None] = (
        "Every key is a command line, and stands here; an answer to read opens it.\n"
        "`:` brings you here; up, down: earlier lines; Escape leaves.\n"
        "Tab completes, and passes an empty line.\n"
        "PageUp, PageDown or the wheel: the rest of an answer, and older ones.\n"
        "Of pasted lines each is executed in turn; Escape drops those to come.\n"
        "What predict asks is answered there: Enter alone gives up, Escape leaves it."
    )

    def compose(self) -> ComposeResult:
        """Lay out the scroll-back and the prompt."""
        yield Scrollback(id="log")
        sign = OneLine(id="sign")
        sign.tell((PROMPT, ""))
        with Horizontal(id="line"):
            yield sign
            yield Prompt()

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chosen = 0  # lines that a person wants; 0: as many as an answer has
        self._lines = 0  # of the last answer
        self._height = 0  # lines with its answer; 0 for the prompt alone
        self._is_judged = False  # that judges what a person said
        self._asked: Question | Put | None = (
            None  # what the prompt is a field of answer for
        )

    def give_lines(self, lines: int) -> None:
        """Be as high as a person wants it; with 0 or 1, as high as each answer."""
        self._chosen = lines if lines > 1 else 0
        self._fit()

    def _fit(self) -> None:
        """Be one line, or high enough for the last answer, up to a third."""
        # What judges an answer is read as a whole.
        part = 2 if self._is_judged else 3
        most = max(self.screen.size.height // part - _BORDERS, 3)
        # An answer stands between its command and the prompt.
        height = self._chosen or (min(self._lines + 2, most) if self._lines else 0)
        if height == self._height:
            return  # with most keys: to look for a widget takes long
        self._height = height
        self.set_class(height > 0, "-open")
        for body in self.screen.query("#body"):  # what stands there has fewer lines
            body.set_class(height > 0, "below-answer")
        if height:
            self.styles.height = height + _BORDERS
        else:
            self.styles.clear_rule("height")

    def show(self, view: View) -> None:
        """Write down the last reply."""
        self.query_one(Prompt).show(view)
        question = view.question
        if question is None:
            self.answered()
        if view.reply is not None:
            width = max(self.screen.size.width - _MARGINS, 1)
            graph = view.debugger.graph
            self._is_judged = isinstance(view.reply.show, Verdict)
            lines = _to_read(view.reply, graph)
            is_free = question_here(view.debugger) is None  # the line of the prompt
            if is_free and self._fits(view.reply, lines):
                lines = []
            if question is not None and not self._has_room(question):
                lines = [*lines, question.text]
            self._lines = sum(len(folded(_INDENT + one, width)) for one in lines)
            self._write(view.reply, graph, len(lines))
            if lines:
                self.screen.minimize()  # a pane that is enlarged hides the answer
            if question is not None:
                self.query_one(Prompt).expect(question)
        self._fit()

    def _write(self, reply: Reply, graph: Graph, read: int) -> None:
        lines = [(PROMPT + reply.command, "console--command")]
        lines += ((_INDENT + line, "") for line in _said(reply))
        lines += ((_INDENT + line, "") for line in _displayed(reply, graph))
        lines += ((f"✗ {line}", "console--error") for line in _lines(reply.error))
        is_whole = read == len(lines) - 1  # then it begins with the command
        self.query_one(Scrollback).write(*lines, read=read + is_whole)
        self.query_one(Prompt).remember(reply.command)
        self.query_one(Prompt).hint(_done(reply))

    def say(self, text: str) -> None:
        """Write a line that is not an answer."""
        lines = _lines(text)
        self._lines = len(lines)
        self._fit()
        written = [(line, "") for line in lines]
        self.query_one(Scrollback).write(*written, read=len(lines))

    def add(self, text: str) -> None:
        """Write a line that ends the last answer, which stays in sight above it."""
        lines = _lines(text)
        self._lines += len(lines)
        self._fit()
        self.query_one(Scrollback).add(*((line, "") for line in lines))

    def ask(self, line: str) -> None:
        """Put the beginning of a line into the prompt, and wait for the rest."""
        self.query_one(Prompt).begin(line)

    def pose(self, question: Question | Put) -> None:
        """Make the prompt the field of the answer to a question."""
        self._asked = question
        self.query_one(Prompt).ask(question)
        self.show_sign()

    def open(self, put: Put) -> None:
        """Pose a question that no reply has said so far."""
        if not self._has_room(put):
            self.say(put.text)
        self.pose(put)

    def answered(self) -> None:
        """Make the prompt the command line again."""
        if self._asked is not None:
            self.query_one(Prompt).give_back()
            self._asked = None
            self.show_sign()

    def show_sign(self) -> None:
        """Show at the left of the line what is typed there: an answer, or a command."""
        self.query_one(Scrollback).repaint()  # its marks name keys of the prompt
        sign, text = self.query_one("#sign", OneLine), PROMPT
        if self._asked is not None and self.query_one(Prompt).is_answer:
            has_room = self._has_room(self._asked)
            text = f"{self._asked.text} " if has_room else "your answer: "
        if sign.text != text:
            sign.styles.width = cell_len(text)
            sign.tell((text, ""))

    def _fits(self, reply: Reply, lines: Sequence[str]) -> bool:
        """Tell whether an answer of one line stands whole beside the prompt."""
        shown, room = reply.show, self.screen.size.width - len(PROMPT)
        if isinstance(shown, Verdict):
            is_said = shown.outcome is not None and shown.question is None
        else:
            is_said = reply.ok and shown is None and lines == [_gist(reply)]
        has_room = cell_len(_done(reply) + _COMMAND) <= room
        return is_said and len(lines) == 1 and has_room

    def _has_room(self, question: Question | Put) -> bool:
        """Tell whether a question stands beside its answer, not above it."""
        room = self.screen.size.width - _MARGINS - _LEAST_FIELD
        return cell_len(question.text) <= room

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the line over, and clear the prompt."""
        event.stop()
        line = self.query_one(Prompt).meant(event.value)
        event.input.value = ""
        if line:
            self.post_message(Asked(line))

    def on_candidates(self, message: Candidates) -> None:
        """List the completions."""
        message.stop()
        self.say("  " + "  ".join(message.words[:60]))


def _displayed(reply: Reply, graph: Graph) -> list[str]:
    """Return the displays of a reply with their values."""
    return [
        with_wordings(f"{number}: {text} = {_shown(value)}", graph)
        for number, text, value in reply.display
    ]


def _to_read(reply: Reply, graph: Graph) -> list[str]:
    """Return the lines of an answer that a person has to read; none of a plain move."""
    display = _displayed(reply, graph)
    if isinstance(reply.show, Question):  # it stands at the prompt
        return display
    if isinstance(reply.show, Verdict):
        return [*_said(reply), *display]
    if isinstance(reply.show, Nudged):  # it may be another run, and no move
        return [*_said(reply)[1:], *display]  # the run is in the line below
    is_plain = reply.stop is None or reply.stop.number is None  # met no stop
    is_move = reply.moved or reply.stop is not None  # one that ended where it began
    if is_move and reply.error is None and is_plain:
        return display
    return [*_said(reply), *display, *_lines(reply.error)]


def _said(reply: Reply) -> list[str]:
    """Return the lines of an answer; of a judgement its own: the step is seen.

    Behind one that leaves a question of the author open, that question stands again.
    """
    shown, texts = reply.show, reply.text
    if isinstance(shown, Verdict) and (shown.outcome or shown.question):
        texts = shown.said
    return [line for text in texts for line in text.split("\n")]


def _done(reply: Reply) -> str:
    """Return what was done, and what came of it, in one line."""
    said = _gist(reply)
    return f"{reply.command}  → {said}" if said else reply.command


def _gist(reply: Reply) -> str:
    """Return the one line of an answer that matters most: why it stopped, or its end.

    Of a way of several events that is the last one: the others are only passed.
    """
    said = [text.partition("\n")[0] for text in reply.text]
    if isinstance(reply.show, Table) and reply.show.rows:
        return ""  # no line of a table matters more than the others
    if not said or not reply.moved or said[0].startswith("undone: "):
        return said[0] if said else ""
    is_cut = said[0].startswith("…")
    if reply.stop is not None:
        return said[is_cut]
    data = reply.data if isinstance(reply.data, dict) else {}
    return said[max(0, is_cut + len(data.get("events", ())) - 1)]


def _hinted(text: str, width: int) -> str:
    """Shorten what is said to a width; the key behind it stays whole.

    So does, in half of the room, what a made-up name in it stands for.

    >>> _hinted("step  → az = 300   : command", 24)
    'step  → az …   : command'
    >>> _hinted("step  → E._1 = [1, 2, 3]   a - t   : command", 38)
    'step  → E._1 = [1…   a - t   : command'
    """
    said = text.removesuffix(_COMMAND)
    key = text[len(said) :]
    said, gap, code = said.rpartition(_CODE)
    room = max(width - cell_len(key), 0)
    end = gap + cut(code, room // 2) if gap else ""
    return cut(said or code, room - cell_len(end)) + end + key


def _lines(text: str | None) -> list[str]:
    return text.splitlines() if text else []


def _shown(value: object) -> str:
    return "not there yet" if value is None else str(value)

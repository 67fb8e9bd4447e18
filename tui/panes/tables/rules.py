"""Somebody else's gradients held to account: a row for each rule, the wrong first."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from ....core.account.account import account
from ....core.account.blame import verdict
from ....core.account.rulings import Ruling, rulings
from ....core.engine.element import Element
from ....core.engine.trace import Trace
from ....core.words.digits import CELL
from ....core.words.names import with_wordings
from ....core.words.numbers import distinct, element_text
from ..base.pane import Chosen, Turned, View
from ..base.views import VIEWS
from .table import Cell, Column, KeptTable, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ....core.account.account import Account
    from ....core.base.progress import Progress
    from ....core.debugger.debugger import Debugger
    from ..base.empty import Fills

# What is said of a rule: its sign, how that is drawn, and the same in a word.
_SAID: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "differs": ("✗", "alarm", "wrong"),
        "purpose": ("≠", "present", "on purpose"),
        "hook": ("~", "present", "hook"),
        "opaque": ("·", "quiet", "not compared"),
        "agrees": ("✓", "good", "right"),
    }
)


class RuleRows(Sequence[Row]):
    """The rules of an account; without one there are none."""

    def __init__(self, found: Account | None, progress: Progress | None = None) -> None:
        self.account = found
        self.rulings = rulings(found, progress) if found else []
        self.said = verdict(found) if found else ""

    def __len__(self) -> int:
        return len(self.rulings)

    def __getitem__(self, row: int) -> Row:  # type: ignore[override]  # no slices
        return () if self.account is None else _row(self.account, self.rulings[row])


class RulesPane(KeptTable[RuleRows]):
    """The rules of a framework, or of the author, beside the derivative."""

    TITLE: ClassVar[str] = VIEWS["rules"]
    HELP: ClassVar[str | None] = (
        "Each rule of a framework, or of your own, held to the derivative: given their "
        "own upstream gradient, does it send what it should?\n"
        "✗ it does not   ≠ it does not, on purpose   ~ a hook changes it   · not "
        "compared, for an operation without a rule uses it   ✓ it does\n"
        "theirs, derivative: the element that differs most   mistake: what gives "
        "exactly these numbers\n"
        "enter: the step that sends it, with both numbers"
    )
    EMPTY: ClassVar[str] = "there are no gradients of others to hold to account"
    DETAILS: ClassVar[int] = 3
    FILLS: ClassVar[Fills] = (
        ("gradstep capture", "has those of a framework"),
        ("[own]", "in a scenario has yours"),
    )
    AHEAD: ClassVar[bool] = True
    FROM_FIRST: ClassVar[bool] = True
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(""),
        Column("", rank=5),  # the sign in a word
        Column("rule", width=12, wide=True, most=40),
        Column("at", rank=3, most=24),
        Column("sends to", rank=4, most=24),
        Column("element", rank=2, most=24),
        Column("theirs", "point"),
        Column("derivative", "point"),
        Column("mistake", rank=1, most=12),
    )

    def recipe(self, view: View) -> tuple[object, Callable[[], RuleRows]]:
        """Return what is held to account as the key, and what does it."""
        debugger = view.debugger
        done = debugger.memory.account
        if view.hides:
            return (), lambda: RuleRows(None)
        if done is not None:
            return id(done), lambda: RuleRows(done, debugger.progress)
        return None, lambda: RuleRows(_held(debugger), debugger.progress)

    def rows_of(self, made: RuleRows, view: View) -> Sequence[Row]:
        """Return a row for each rule, made when it is seen."""
        del view
        return made

    def heading(self) -> Cell:
        """Return what came of it, in one line."""
        made = self.made
        if made is None or made.account is None or self.view is None:
            return Cell()
        is_present = self.view.debugger.trace.run is made.account.run
        said = made.said + " (as loaded)" * (not is_present)
        return Cell(said, "good" if made.account.ok else "alarm")

    def details(self, width: int) -> Sequence[str]:
        """Return what is said of the rule under the cursor, in full where it can be."""
        said = _sentence(self.made, self.cursor) if self.made else ""
        return wrap(said, max(width, 1), max_lines=self.DETAILS, placeholder=" …")

    def entered(self, row: int) -> None:
        """Go to the step that sends what is wrong, with the element chosen."""
        if self.made is None or self.made.account is None:
            return
        one = self.made.rulings[row]
        index = one.finding.element if one.finding else None
        node = one.finding.node if one.finding else one.nodes[0]
        self.post_message(Chosen(Element(node, "grad", index)))
        edge = one.edge
        event = Trace(self.made.account.run).edge_event(*edge[:2]) if edge else None
        if event is not None:
            self.ask(f"goto #{event + 1}")
        self.post_message(Turned("step"))


def _held(debugger: Debugger) -> Account | None:
    """Return the account of the run as it was loaded, which the steps share."""
    claims, run = debugger.subject.claims, debugger.runs[0].timeline.trace(0).run
    if claims is None:
        return None
    return run.recent.of("account", lambda: account(run, claims, debugger.progress))


def _sentence(made: RuleRows, row: int) -> str:
    """Return everything that a row says, also what it has no room for."""
    one = made.rulings[row]
    if made.account is None:
        return ""
    nodes = made.account.run.graph.nodes
    place = f" ({one.place})" if one.place else ""
    names = ", ".join(nodes[node].name for node in one.nodes)
    said = f"{one.rule}{place} → {names}: {_SAID[one.said][2]}"
    return f"{said}; {one.guess.told}" if one.guess.told else said


def _row(found: Account, one: Ruling) -> Row:
    graph, worst = found.run.graph, one.finding
    sign, meaning, word = _SAID[one.said]
    names = [graph.nodes[node].name for node in one.nodes]
    element, theirs, right = "", "", ""
    if worst is not None:
        name = f"{graph.nodes[worst.node].name}.grad"
        element = element_text(name, worst.element)
        theirs, right = distinct(worst.theirs, worst.right, CELL)
    return (
        Cell(sign, meaning),
        Cell(word, "quiet"),
        Cell(with_wordings(one.rule, graph), "name"),
        Cell(one.place, "quiet"),
        Cell(", ".join(names)),
        Cell(element, "quiet"),
        Cell(theirs, meaning if one.said == "differs" else ""),
        Cell(right),
        Cell(one.guess.name, "quiet"),
    )

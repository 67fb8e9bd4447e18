"""The changes of an expression in time: which events gave it another value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..base.progress import with_progress
from .memory import Place
from .stops import changing, known_value, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..expression.expression import Expression
    from .session import Session

_MOST_LOOKS: Final = 200  # events that are looked at for the last change


class Change(NamedTuple):
    """An event that gave an expression another value.

    `event` counts from 1, so it is the position behind it, too. `before` and `after`
    are None where there is no value yet.
    """

    event: int
    before: Any
    after: Any


def changes(
    session: Session, expression: Expression, events: Iterable[int]
) -> Iterator[Change]:
    """Yield the changes of an expression at `events` of the present iteration."""
    iteration = session.place.iteration
    for event in events:
        before = known_value(expression, session.state(Place(iteration, event)))
        after = known_value(expression, session.state(Place(iteration, event + 1)))
        if not same(before, after):
            yield Change(event + 1, before, after)


def last_change(session: Session, expression: Expression) -> Change | None:
    """Return the last change of an expression in this iteration up to here.

    None where it has none, or where it lies too many events back to look for it.
    """
    position = session.position
    events = [e for e in changing(expression, session.trace) if e < position]
    recent = with_progress(events[: -_MOST_LOOKS - 1 : -1], session.progress)
    return next(changes(session, expression, recent), None)

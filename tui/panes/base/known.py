"""What is found out about whole arrays: once, and of large ones in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.widget import Widget

    from ....core.ops.table import Array

Fact = TypeVar("Fact")

_AT_ONCE: Final = 200_000  # elements that are looked at without delay
_KEPT: Final = 1000  # facts


class Known(Generic[Fact]):
    """One fact about each array; it keeps no array alive."""

    def __init__(self, find: Callable[[Array], Fact]) -> None:
        self._find = find
        # An id is one array's only while it lives.
        self._known: dict[int, tuple[ref[Array], Fact | None]] = {}

    def of(
        self, array: Array, widget: Widget, then: Callable[[], object] | None = None
    ) -> Fact | None:
        """Return the fact, or None until it is there: then the widget is drawn anew.

        `then` is called in the place of the widget's `refresh`.
        """
        if not array.ndim:
            return self._find(array)  # a number has a new array each time
        known = self._known.get(id(array))
        if known is not None and known[0]() is array:
            return known[1]
        while len(self._known) >= _KEPT:
            del self._known[next(iter(self._known))]
        key, itself = id(array), ref(array)
        if array.size <= _AT_ONCE:
            fact = self._find(array)
            self._known[key] = itself, fact
            return fact
        self._known[key] = itself, None

        def work() -> None:
            self._known[key] = itself, self._find(array)
            widget.app.call_from_thread(then or widget.refresh)

        widget.run_worker(work, thread=True, exit_on_error=False)
        return None

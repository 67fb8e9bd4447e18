"""Long work that says how far it is, and can be given up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

Progress = Callable[[int, int], None]  # done, of; it may raise `Interrupted`

_EVERY: Final = 64  # items; a report takes time, too


def with_progress(items: Sequence[T], progress: Progress | None) -> Iterable[T]:
    """Return the items, with a report now and then of how many of them are done.

    >>> list(with_progress("ab", lambda done, of: print(done, "of", of)))
    0 of 2
    ['a', 'b']
    """
    return items if progress is None else _reporting(items, progress)


def stage(progress: Progress | None, number: int, count: int) -> Progress | None:
    """Return what reports stage `number`, from 0 on, of `count` that are as long.

    >>> second = stage(lambda done, of: print(done, "of", of), 1, 2)
    >>> second(5, 10) if second else None
    15 of 20
    """
    if progress is None:
        return None
    return lambda done, of: progress(number * of + done, count * of)


def _reporting(items: Sequence[T], progress: Progress) -> Iterator[T]:
    for number, item in enumerate(items):
        if number % _EVERY == 0:
            progress(number, len(items))
        yield item

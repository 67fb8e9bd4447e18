"""Scenarios with a mistake to find: those that hide one, and those drawn at random."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from ..base.errors import InputError, Problem
from ..base.limits import LIMITS, Limits
from ..practice.hunt import drawn
from ..scenario.builtin import builtin_names
from ..scenario.scenario import Scenario, hunted, load
from .debugger import timeline_of

if TYPE_CHECKING:
    from pathlib import Path

    from ..base.progress import Progress


def hunt(
    path_or_name: str | Path,
    limits: Limits = LIMITS,
    progress: Progress | None = None,
) -> Scenario:
    """Return a scenario with the mistake that it hides, which is made.

    `progress` is told as by `load`. Raises `InputError` where it hides none.
    """
    scenario = load(path_or_name, limits, progress)
    if scenario.hidden is None:
        hint = "gradstep hunt lists those that do; --random hides one in a lesson"
        raise InputError(Problem("no mistake is hidden in it", hint, scenario.source))
    return hunted(scenario)


def random_hunt(seed: int) -> Scenario:
    """Return one of the lessons with a mistake in it, both drawn at random.

    The same seed draws the same.
    """
    random = Random(seed)  # noqa: S311  # a game, and no secret
    names = list(builtin_names())
    while True:
        scenario = load(names.pop(random.randrange(len(names))))
        hidden = drawn(timeline_of(scenario).trace(0), random)
        if hidden is not None:
            return hunted(scenario._replace(hidden=hidden))

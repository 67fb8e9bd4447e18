"""Learning by doing: the commands that lead a person."""

from __future__ import annotations

import argparse
import sys
from random import SystemRandom
from typing import TYPE_CHECKING, Final, NamedTuple

from ...core.base.errors import InputError, Problem
from ...core.base.exits import OK
from ...core.base.limits import raised
from ...core.base.text import clean, nearest
from ...core.base.trust import FULL, KEYBOARD
from ...core.scenario.builtin import hunt_names, hunts, tour_path, tours
from .arguments import COMMANDS
from .listing import listed
from .opening import Opening, run_application
from .output import loaded, look_for, screen_for

if TYPE_CHECKING:
    from ...core.base.limits import Limits
    from ...core.base.progress import Progress
    from ...core.scenario.scenario import Scenario

Options = argparse.Namespace


def do_tour(options: Options) -> int:
    """Lead through lessons, in the application."""
    names = [one.name for one in tours()]
    name = options.name or names[0]
    if name not in names:
        hint = nearest(name, names) or f"lessons are {', '.join(names)}"
        what = f"the tour has no lesson {clean(name)!r}"
        raise InputError(Problem(what, hint, "gradstep tour"))
    how = Opening(script=str(tour_path(name)), theme=options.theme)
    return run_application("gradstep tour", name, how)


# ------------------------------------------------------------------------- hunts

_SEEDS: Final = 10_000  # few digits, to be passed on


class _Load(NamedTuple):
    """What makes the scenario of a hunt of its name."""

    seed: int | None  # what it is drawn with; None for one that has a name

    def __call__(
        self, name: str, limits: Limits, tell: Progress | None = None
    ) -> Scenario:
        """Return a scenario with a mistake in it. A lesson is small: none is told."""
        from ...core.debugger.hunts import hunt, random_hunt  # noqa: PLC0415  # a list needs none

        if self.seed is None:
            return hunt(name, limits, tell)
        return random_hunt(self.seed)


def do_hunt(options: Options) -> int:
    """Open a scenario with a mistake in it, or list those that come with gradstep."""
    if not options.name and not options.random:
        _refuse_for_list(options)
        hint = "gradstep hunt NAME opens one; --random hides a mistake in a lesson"
        screen = screen_for(options)
        screen.print(listed(hunts(), look_for(options), screen.width, hint))
        return OK
    if options.name and "." not in options.name and options.name not in hunt_names():
        near = nearest(options.name, hunt_names())
        hint = near or "gradstep hunt lists them; a file ends in .toml"
        what = f"there is no hunt {clean(options.name)!r}"
        raise InputError(Problem(what, hint, "gradstep hunt"))
    seed = options.seed
    if options.random and seed is None:
        seed = SystemRandom().randrange(_SEEDS)
        sys.stderr.write(f"gradstep hunt --random --seed {seed} opens the same again\n")
    load, limits = _Load(seed), raised(options.limit)
    name = options.name or "random"
    if options.debug:
        from .scripts import play_over, talk_over  # noqa: PLC0415  # 150 ms: NumPy

        if options.script:
            return play_over(loaded(name, limits, load), options)
        return talk_over(lambda: loaded(name, limits, load), options)
    trust, script = FULL if options.trust else KEYBOARD, options.script or ""
    first = options.indices
    how = Opening("", script, options.theme, trust, limits, first=first)
    return run_application("gradstep hunt", name, how, load)


def _refuse_for_list(options: Options) -> None:
    """Raise for flags that are about one hunt: a list has none."""
    hint = "it belongs to a NAME, or to --random"
    problems = [
        Problem(f"{one.flags[-1]} is ignored there", hint, "gradstep hunt")
        for one in COMMANDS["hunt"].arguments
        if getattr(options, one.dest) not in (None, False, one.default)
    ]
    if problems:
        raise InputError(problems)

"""Learning by doing: the commands that lead a person."""

from __future__ import annotations

import argparse

from ...core.base.errors import InputError, Problem
from ...core.base.text import clean, nearest
from ...core.scenario.builtin import tour_path, tours
from .opening import run_application

Options = argparse.Namespace


def do_tour(options: Options) -> int:
    """Lead through lessons, in the application."""
    names = [one.name for one in tours()]
    name = options.name or names[0]
    if name not in names:
        hint = nearest(name, names) or f"lessons are {', '.join(names)}"
        what = f"the tour has no lesson {clean(name)!r}"
        raise InputError(Problem(what, hint, "gradstep tour"))
    return run_application(
        "gradstep tour", name, "", str(tour_path(name)), options.theme
    )

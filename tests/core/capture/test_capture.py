"""A capture is plain data: what has no custom rules and no hooks says so by default."""

import dataclasses

import numpy as np
import pytest

from gradstep.core.capture.capture import About, Capture
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.subject import Subject
from gradstep.core.ops import OPS


def test_a_capture_is_frozen_and_has_no_custom_rules_unless_it_is_given_some() -> None:
    build = Builder()
    x = build.leaf("x", "input")
    y = build.apply(OPS["multiply"], (x, x), name="y")
    subject = Subject("square", build.finish(y), {x: np.float64(3)})
    about = About("numpy 2.4.6", "square.py", 1, "3.11.7")
    made = Capture(subject, {y: np.float64(9)}, {x: np.float64(6)}, about)
    assert (made.custom, made.hooked, made.about.notes) == ({}, {}, ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, "about", about)  # noqa: B010  # what a type checker forbids

"""What was recorded of one run of somebody's own code, whatever it was written with.

A front end makes a capture, a file holds it, and a session is about its subject.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from ..engine.subject import Claims

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..engine.subject import Subject
    from ..ops.table import Value


class About(NamedTuple):
    """What was run, and with what."""

    framework: str  # with its version: "torch 2.13.0", "numpy 2.4.6"
    command: str  # what was run, without folders of the machine: "train.py --lr 0.1"
    step: int  # which backward pass of it, counted from 1
    python: str  # the version of the interpreter: "3.11.7"
    # what a reader must know: "x was on cuda:0", "bfloat16 widened to float32"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """A subject with the numbers that the framework itself had for it.

    The graph's own sources are the files of the user by their short names; its `file`
    and `locate` are empty.
    """

    subject: Subject  # the graph with its sources, and the values of its leaves
    values: Mapping[int, Value]  # the framework's value of each computed node
    # the framework's, or the author's own, gradient of a node, where there is one
    own: Mapping[int, Value]
    about: About  # what was run, and with what
    # The number of a frame → the author's own rule that stands for all of it, such as
    # RootMeanSquare.backward (script.py:39).
    custom: Mapping[int, str] = field(default_factory=dict[int, str])
    # a node → where a hook was registered that changes its gradient: "train.py:71"
    hooked: Mapping[int, str] = field(default_factory=dict[int, str])

    @property
    def is_widened(self) -> bool:
        """Whether there were numbers of 16 bits: a note says so."""
        return any("is widened" in note for note in self.about.notes)

    @property
    def claims(self) -> Claims:
        """The framework's gradients, to be held to account."""
        whose, widened = self.about.framework, self.is_widened
        return Claims(self.own, whose, self.custom, self.hooked, widened=widened)

    def opened(self) -> Capture:
        """Return the capture whose subject knows what was recorded, for a session."""
        known, claims = self.values, self.claims
        return replace(self, subject=self.subject._replace(known=known, claims=claims))

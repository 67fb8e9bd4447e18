"""What a session is about: a graph with the numbers that it starts from.

A scenario file makes a subject, and so does a graph that was built by hand:

>>> import numpy as np
>>> from ..ops import OPS
>>> from .graph import Builder
>>> build = Builder()
>>> x = build.leaf("x", "input")
>>> y = build.apply(OPS["multiply"], (x, x), name="y")
>>> subject = Subject("square", build.finish(y), {x: np.float64(3)})
>>> float(subject.run().gradient(x))
6.0
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from ..base.limits import LIMITS, Limits
from .run import Run, evaluate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ..base.progress import Progress
    from ..ops.table import Value
    from .graph import Graph

When = Literal["forward", "backward", "update", "seed", "start", "end"]


class NotePlace(NamedTuple):
    """Where a note is shown; `node` is -1 at the seed, the start and the end.

    A note of `backward` is shown when the node hands its gradient to its operands, or
    for a leaf, when a gradient arrives.
    """

    when: When  # the pass or the point in time
    node: int = -1


LETTERS: Final = "abcdefgh"  # of the choices that a question may have


class Asking(NamedTuple):
    """A question of the author's: it is put before what happens at its place."""

    text: str  # the question, on one line
    right: str  # an expression for one number, known at the place; or one of `choices`
    choices: tuple[str, ...] = ()  # () where a number is asked for
    # answers that are wrong, each with why
    wrong: Mapping[str, str] = MappingProxyType({})
    tolerance: float = 0.0  # relative: how far a number may be off
    hint: str = ""  # told to a wrong answer; "" for none
    after: str = ""  # told once it is answered; "" for nothing


class Claims(NamedTuple):
    """What somebody else says of the gradients of a graph."""

    own: Mapping[int, Value]  # their gradients, by the numbers of the nodes
    whose: str  # as sentences name them: "torch 2.13.0", "[own]"
    # calls that have a rule of their author's, by the numbers of the frames
    custom: Mapping[int, str] = MappingProxyType({})
    # where a hook was registered that changes a gradient, by node
    hooked: Mapping[int, str] = MappingProxyType({})
    purpose: Collection[str] = ()  # names of rules and nodes that differ on purpose
    widened: bool = False  # whether they may have been rounded to 16 bits


class Subject(NamedTuple):
    """A graph, the numbers that it starts from, and what its author says of it.

    Its sources are those of the graph: any number of named texts, or none.
    """

    name: str  # as messages and exported files call it: "three_layer"
    graph: Graph  # with its sources and names
    leaves: Mapping[int, Value]  # the value of each leaf, by the number of its node
    seed: Value | None = None  # the gradient that enters at the output; None is 1
    title: str = ""  # one line
    summary: str = ""  # what there is to see
    convention: str = ""  # one sample is a row or a column: "rows", "columns", or ""
    dtype: str = "float64"  # of the numbers that are written without one
    # A gradient's name in the literature → "NODE.grad".
    names: Mapping[str, str] = MappingProxyType({})
    # a text for each place
    notes: Mapping[NotePlace, str] = MappingProxyType({})
    # How leaves were drawn at random, by node: the tables that the file has for them.
    recipes: Mapping[int, Mapping[str, Any]] = MappingProxyType({})
    limits: Limits = LIMITS  # on what a session may ask of it
    # What was recorded of computed nodes: a run takes it, and does not compute it.
    known: Mapping[int, Value] = MappingProxyType({})
    claims: Claims | None = None  # somebody else's gradients, to be held to account
    # a question for each place
    questions: Mapping[NotePlace, Asking] = MappingProxyType({})

    def run(self, progress: Progress | None = None) -> Run:
        """Evaluate the graph: all values, and all gradients of the output."""
        return evaluate(
            self.graph, self.leaves, self.seed, progress=progress, known=self.known
        )

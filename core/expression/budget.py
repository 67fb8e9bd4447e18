"""How much the expressions of one command line may compute."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ..base.errors import CommandError
from ..base.limits import LIMITS, Limits

if TYPE_CHECKING:
    from ..ops.table import Shape


ITERATION: Final = 400_000  # in that of an iteration of a training, a small one
STEP: Final = 1000  # multiplications in the time that one event, or one look, takes


class Budget:
    """What has been taken so far, held to the limits before it is computed."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits  # what it is held to
        self.elements = 0  # of all results of the expression that is evaluated
        self.work = 0  # multiplications, and elements made, of the whole line

    def take(self, shape: Shape, work: int = 0, room: int = 0) -> None:
        """Take a result of a shape, and the work and the room that it is made with.

        Raises `CommandError` for what is larger than gradstep is willing to compute.
        """
        size, limits = math.prod(shape), self.limits
        self.elements += size
        self.work += size + work
        if size > limits.elements_per_array:
            what = f"a result of shape {shape} is too large"
            raise CommandError(what, limits.allowed("elements_per_array"))
        if room > limits.elements_per_array:
            what = f"an array of {room} elements on the way is too large"
            raise CommandError(what, limits.allowed("elements_per_array"))
        if self.elements > limits.results:
            what = f"the results of the expression have {self.elements} elements"
            raise CommandError(f"{what} together", limits.allowed("results"))
        if self.work > limits.work:
            what = f"the line would take {self.work} multiplications"
            raise CommandError(what, limits.allowed("work"))

    def left(self) -> Limits:
        """Return the limits for a program that is a part of the expression."""
        elements = max(self.limits.results - self.elements, 0)
        work = max(self.limits.work - self.work, 0)
        return self.limits._replace(elements=elements, work=work)

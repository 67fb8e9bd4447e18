"""Numbers of a scalar engine are known without a look that could change something."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradstep.core.frontends.numpy.engines import is_scalar


class Value:
    """A number in the manner of micrograd."""

    def __init__(self, data: float) -> None:
        self.data, self.grad = data, 0.0
        self._prev: set[Value] = set()


class Slim:
    """The same, with slots."""

    __slots__ = ("_prev", "data", "grad")


class Lazy:
    """What is at home in many libraries: an attribute is found when it is asked for."""

    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)


def test_a_number_of_an_engine_is_known() -> None:
    assert is_scalar(Value(2.0))
    assert is_scalar(Slim())
    assert not any(map(is_scalar, (2.0, "data", np.ones(2), Value, None, [])))


def test_an_object_is_not_asked_for_what_it_may_refuse() -> None:
    assert not is_scalar(Lazy())

"""What a framework did, told call by call, becomes a capture.

A front end makes a `Tensor` for each array that it meets and a `Call` for each
operation. At the end the calls that lead to the output are kept, told apart by the
user's functions and statements, named by what these assign, and lowered to nodes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ..engine.graph import NodeKind
    from ..ops.table import Array, Shape
    from .places import Place


@dataclass(slots=True, eq=False)
class Tensor:
    """One array of the run: a leaf, or what a call has made."""

    shape: Shape  # () of a scalar
    dtype: str  # as the framework calls it: "bfloat16"
    held: Any  # what the front end needs to find its numbers later
    flows: bool = False  # whether the framework sends a gradient through it
    kind: NodeKind = "input"  # of a leaf
    hint: str = ""  # what a leaf is called, as far as it is known
    made: str = ""  # the function that a leaf is the result of, where it is one
    call: Call | None = None  # what has made it; None for a leaf
    place: Place | None = None  # where it was made, or used first
    is_past: bool = False  # whether it is a parameter that has other numbers by now
    is_strange: bool = False  # whether it has a history that nobody recorded
    origin: str = ""  # of a strange one: how it was made, where that is known

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        """Tell whether it is made of real numbers."""
        return "float" in self.dtype


class Spelling(NamedTuple):
    """A call in the language of programs, and what its names stand for."""

    # "input @ weight.T + bias"; lines before the last one assign names that it uses
    text: str
    # a `Tensor`, an array that becomes a constant, or a static value
    bound: Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Call:
    """One operation of the framework."""

    name: str  # as messages call it: "F.cross_entropy"
    place: Place  # where the user called it
    given: tuple[Any, Any]  # its arguments and keywords, tensors as `Tensor`
    inputs: tuple[Tensor, ...]  # those among them
    outputs: tuple[Tensor, ...] = ()  # what it returned, in order
    key: str = ""  # its row in the table of the front end
    is_custom: bool = False  # whether it is a part of somebody's own rule
    # what its result is called, where no line of the user's assigns that
    called: str = ""


# A row of a front end's table takes the arguments of a call, and returns how it is
# spelled, with what names in it stand for besides the arguments. None is: not at all.
Row = Callable[..., "str | tuple[str | None, Mapping[str, Any]] | None"]
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_UNFIT: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
_signature: Final = cache(inspect.signature)


def written(
    row: Row, call: Call, common: Mapping[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    """Return how a row spells a call, and what the names in it stand for.

    `common` are those that each row may use. None where the row has no spelling
    of it, or does not take these arguments: somebody's program goes on all the same.
    """
    args, kwargs = call.given
    try:
        given = _signature(row).bind(*args, **kwargs)
    except TypeError:
        return None
    given.apply_defaults()
    try:
        found = row(*given.args, **given.kwargs)
    except _UNFIT:
        return None
    text, more = found if isinstance(found, tuple) else (found, _NOTHING)
    return None if text is None else (text, {**given.arguments, **common, **more})


def spelling(text: str, bound: Mapping[str, Any]) -> Spelling:
    """Return a spelling whose names stand for what the language has."""
    return Spelling(text, {name: _static(one) for name, one in bound.items()})


def arrivals(places: Array, count: int) -> Array | None:
    """Return what is sent to each of so many places: a row of numbers for each.

    `places[k]` is where number k is sent, −1 for nowhere. Rows are filled up with the
    number behind the last one, which stands for nothing. None where they would be too
    long.

    >>> arrivals(np.array([0, 2, 0]), 3).tolist()
    [[0, 2], [3, 3], [1, 3]]
    """
    sent = np.flatnonzero(places >= 0)
    order = sent[np.argsort(places[sent], kind="stable")]
    many = np.bincount(places[order], minlength=count)
    longest = max(1, int(many.max(initial=0)))
    if count * longest > _LONG * (count + places.size):
        return None
    table = np.full((count, longest), places.size)
    firsts = np.cumsum(many) - many
    to = places[order]
    table[to, np.arange(order.size) - firsts[to]] = order
    return table


_LONG: Final = 64  # times what is sent, and what it is sent to


def sum_of_arrivals(
    value: str, places: Array, count: int, of: str = "sum"
) -> tuple[str, dict[str, Array]]:
    """Return how the sums of what is sent to places are written, and their tables.

    `places` are those of `arrivals`. Where very many are sent to one place, sums of
    parts are added up. `of` may be "prod", too.
    """
    text, nothing = f"reshape({value}, (-1,))", 1 if of == "prod" else 0
    tables: list[Array] = []
    while (table := arrivals(places, count)) is None:
        part, places = _in_parts(places)
        tables.append(part)
    tables.append(table)
    for number in range(len(tables)):
        row = f"pad({text}, ((0, 1),), constant_values={nothing})"
        text = f"{of}(take({row}, table{number}), axis=-1)"
    return text, {f"table{number}": one for number, one in enumerate(tables)}


def _in_parts(places: Array) -> tuple[Array, Array]:
    """Return what is sent to each of some parts of places, and where parts belong."""
    order = np.argsort(places, kind="stable")
    order = order[places[order] >= 0]
    to = places[order]
    begins = np.flatnonzero(np.r_[True, to[1:] != to[:-1]])
    rank = np.arange(to.size) - np.repeat(begins, np.diff(np.r_[begins, to.size]))
    part = np.cumsum(np.r_[True, (to[1:] != to[:-1]) | (rank[1:] % _LONG == 0)]) - 1
    table = np.full((int(part[-1]) + 1, _LONG), places.size)
    table[part, rank % _LONG] = order
    return table, to[np.flatnonzero(rank % _LONG == 0)]


def _static(value: Any) -> Any:
    make = _SEQUENCES.get(value.__class__)  # and no named tuple
    if make is not None:
        return make(map(_static, value))
    return int(value) if isinstance(value, _WHOLE) else value


_SEQUENCES: Final[Mapping[type, Callable[..., Any]]] = MappingProxyType(
    {tuple: tuple, list: list}
)
_WHOLE: Final[type] = np.integer


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose method a frame is."""

    thing: Any  # the module, or the class of a custom rule
    is_container: bool = False  # whether it calls modules of its own
    rule: str = ""  # of a custom rule: "Swish.backward (script.py:39)"


@dataclass(slots=True, eq=False)
class FrontEnd:
    """What a recorder needs to know of a framework."""

    name: str  # with its version: "torch 2.13.0"
    hides: Callable[[str], bool]  # whether a file is none of the user's
    array: Callable[[Tensor], Array]  # the numbers of a tensor
    gradient: Callable[[Tensor], Array | None]  # the framework's own gradient
    spell: Callable[[Call], Spelling | None]  # None where there is no spelling
    # the path of a module, as its parameters have it: "" of the whole, None of another
    title: Callable[[Any], str | None]
    leaf_name: Callable[[Tensor], str]  # what a leaf is called
    hooked: Callable[[Tensor], str] = lambda _: ""  # where a hook changed its gradient


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked for."""

    name: str = "run"  # of the subject
    command: str = ""  # what was run: "train.py --lr 0.1"
    step: int = 1  # which backward pass, counted from 1
    takes_strange: bool = False  # whether a tensor of unknown history is taken as it is
    is_strict: bool = False  # whether an operation without a rule is refused
    has_source: bool = True  # whether texts of the user's files come along
    folder: Path = field(default_factory=Path.cwd)  # files below it come whole
    # what people call functions that go back, by the ones that go forward, where it is
    # not told by their names
    pairs: Mapping[str, str] = field(default_factory=dict[str, str])
    waits: bool = False  # whether nothing counts until it is told

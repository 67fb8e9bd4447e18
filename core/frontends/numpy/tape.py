# pyright: basic
"""What has run so far: arrays with what is known of them, calls in order."""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...capture.places import Stack
from ...capture.record import Call, Tensor
from .arrays import Number, Tracked, classes, plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from ...ops.table import Array

_OWN: Final = Path(__file__).resolve().parents[3]  # of this program
_HIDDEN: Final = (
    str(Path(np.__file__).parent),
    *(str(_OWN / part) for part in ("core", "tui")),
    "<frozen",
)
_STANDARD: Final = sysconfig.get_path("stdlib")


@dataclass(slots=True, eq=False)
class Held:
    """What is known of an array of the run."""

    user: Any  # the array itself
    value: Any  # its numbers, as long as nothing writes into them
    era: int  # the pass that it was met in
    is_stale: bool = False  # whether something has written into it since
    writes: int = 0  # into its storage, when it was met


@cache
def hides(file: str) -> bool:
    """Tell whether a file is none of the user's: NumPy's, Python's, or ours."""
    return file.startswith((*_HIDDEN, _STANDARD)) or "site-packages" in file


class Tape:
    """What has run since the last pass ended."""

    def __init__(self, most: int) -> None:
        """Take how many bytes may be held."""
        self.calls: list[Call] = []
        self.stack = Stack(lambda _: None)
        self.is_quiet = False  # whether nothing is recorded any more
        self.is_full = False  # whether more than may be held was made
        self.most, self.bytes = most, 0
        self.era = 0
        # what is asked before a call is made that may be an update of a parameter
        self.before_call: Callable[[FrameType, str, Any], None] | None = None
        self.array, self.numbers = classes(self)
        self._storages: dict[int, tuple[Array, list[Tensor]]] = {}  # by identity
        self._writes: dict[int, list[Tensor]] = {}  # by that of the storage

    def forget(self) -> None:
        """Begin anew: what there is from now on is given."""
        for call in self.calls:
            for one in call.outputs:
                one.call, one.made = None, call.key
        self.calls, self.era, self.bytes = [], self.era + 1, 0
        self._storages, self._writes = {}, {}

    # ------------------------------------------------------------------------- arrays

    def known(self, value: Any) -> Tensor | None:
        """Return what is known of an array as it is now, or None."""
        record = getattr(value, "record", None)
        if not isinstance(record, Tensor) or record.held.era != self.era:
            return None
        return None if record.held.is_stale else record

    def operand(self, value: Any, frame: FrameType) -> Tensor:
        """Return what is known of an array that something is done with now."""
        record: Tensor | None = value.record
        if record is not None and record.held.era == self.era:
            return self._renewed(value, frame) if record.held.is_stale else record
        new = self._record(value)
        if record is None:
            new.place = self.stack.place(frame)
        else:
            new.place, new.made, new.hint = record.place, record.made, record.hint
        return new

    def given(self, value: Any, hint: str = "") -> Any:
        """Return an array or a number as one that is watched, without a history."""
        if isinstance(value, (Tracked, Number)) or self.is_quiet:
            return value
        found = self._watched(value)
        if isinstance(found, (Tracked, Number)):
            self._record(found).hint = hint
        return found

    def _watched(self, value: Any) -> Any:
        kind = type(value)
        if kind in self.numbers:
            found: Any = self.numbers[kind](value)
            found.plain = value
            return found
        if isinstance(value, np.ndarray) and not isinstance(value, Tracked):
            is_plain = value.dtype.kind in "fiub" and kind is np.ndarray
            return value.view(self.array) if is_plain else value
        return value

    def _record(self, value: Any) -> Tensor:
        """Return a new record of an array."""
        is_number = isinstance(value, Number)
        numbers = np.asarray(value.plain) if is_number else value.view(np.ndarray)
        if is_number and numbers.dtype.kind == "i":
            numbers = numbers.astype(np.float64)
        held = Held(value, numbers, self.era)
        record = Tensor(numbers.shape, str(numbers.dtype), held)
        value.record = record
        if is_number:
            return record
        root = _root(numbers)
        held.writes = len(self._writes.get(id(root), ()))
        if id(root) not in self._storages:
            self._storages[id(root)] = (root, [])
            self.bytes += root.nbytes
            self.is_full = self.is_full or self.bytes > self.most
        self._storages[id(root)][1].append(record)
        return record

    # -------------------------------------------------------------------------- calls

    def call(
        self, name: str, run: Any, args: Any, kwargs: Any, frame: FrameType
    ) -> Any:
        """Call a function on plain arrays, and record what it did."""
        if self.is_quiet:
            return run(*plain(args), **plain(kwargs))
        if self.before_call is not None:
            self.before_call(frame, name, args)
            if self.is_quiet:
                return run(*plain(args), **plain(kwargs))
        inputs: list[Tensor] = []
        given = self._swapped((args, kwargs), frame, inputs)
        result = run(*plain(args), **plain(kwargs))
        place = self.stack.place(frame)
        parts = result if type(result) in (tuple, list) else (result,)
        watched = [self._watched(one) for one in parts]
        made = [one for one in watched if isinstance(one, (Tracked, Number))]
        if not made:
            return result
        call = Call(name, place, given, tuple(inputs), key=name)
        call.outputs = tuple(self._made(one, call) for one in made)
        if inputs:
            self.calls.append(call)
        return watched[0] if parts is not result else type(result)(watched)

    def _made(self, value: Any, call: Call) -> Tensor:
        record = self._record(value)
        record.place = call.place
        if call.inputs:
            record.call = call
        return record

    def made(self, value: Any, name: str, frame: FrameType) -> Any:
        """Return a new array, which a call without operands has made."""
        found = self._watched(value)
        if found is not value:
            record = self._record(found)
            record.place, record.made = self.stack.place(frame), name
        return found

    def write(
        self, target: Any, name: str, run: Any, args: Any, kwargs: Any, frame: FrameType
    ) -> Any:
        """Call a function that writes into an array, and record what that is then."""
        if not self.is_quiet and self.before_call is not None:
            self.before_call(frame, name, args)
        if self.is_quiet or not isinstance(target, Tracked):
            run(*plain(args), **plain(kwargs))
            return target
        inputs: list[Tensor] = []
        given = self._swapped((args, kwargs), frame, inputs)
        given[1].pop("out", None)
        root = _root(target)
        for record in self._storages.pop(id(root), (root, []))[1]:
            if not record.held.is_stale:
                record.held.value = record.held.value.copy()
                record.held.is_stale = True
        run(*plain(args), **plain(kwargs))
        call = Call(name, self.stack.place(frame), given, tuple(inputs), key=name)
        self.calls.append(call)
        call.outputs = (self._made(target, call),)
        self._writes.setdefault(id(root), []).append(call.outputs[0])
        call.outputs[0].held.writes = len(self._writes[id(root)])
        return target

    def _renewed(self, value: Any, frame: FrameType) -> Tensor:
        """Return the record of an array that was written into through another one."""
        old, place = value.record, self.stack.place(frame)
        for write in self._writes.get(id(_root(value)), [])[old.held.writes :]:
            index, chosen = _shared(value, write.held.user)
            more = {"index": index, "chosen": chosen}
            call = Call("a write", place, ((old, write), more), (old, write))
            call.key = "written"
            self.calls.append(call)
            old = self._made(value, call)
            call.outputs = (old,)
            shape = old.shape
            numbers = write.held.value
            if write.held.is_stale:  # something else has been written since
                flat = call.inputs[0].held.value.reshape(-1).copy()
                flat[index] = numbers.reshape(-1)[chosen]
                old.held.value = flat.reshape(shape)
        return old

    def _swapped(self, value: Any, frame: FrameType, found: list[Tensor]) -> Any:
        """Return the arguments of a call with records in the place of arrays."""
        if isinstance(value, (Tracked, Number)):
            found.append(self.operand(value, frame))
            return found[-1]
        kind = type(value)
        if kind is tuple or kind is list:
            return kind([self._swapped(one, frame, found) for one in value])
        if kind is dict:
            return {k: self._swapped(one, frame, found) for k, one in value.items()}
        return value


def _root(array: Any) -> Any:
    """Return the array whose storage an array is a part of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _places(array: Any) -> Array:
    """Return where in its storage each element of an array is, in one row."""
    root = _root(array)
    begin = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    places = np.zeros((), int) + begin // array.itemsize
    for length, stride in zip(array.shape, array.strides, strict=True):
        places = np.add.outer(places, np.arange(length) * (stride // array.itemsize))
    return places.reshape(-1)


def _shared(array: Any, written: Any) -> tuple[Any, Any]:
    """Return the numbers of the elements that two arrays share, in each of them."""
    pair = _places(array), _places(written)
    _, index, chosen = np.intersect1d(*pair, return_indices=True)
    return index, chosen

# pyright: basic, reportMissingModuleSource=false
"""A recording: from its start to the backward pass that is wanted."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.utils._python_dispatch import _disable_current_modes

from ...base.errors import InputError
from ...base.text import clean
from ...capture.places import chain, short_name
from ...capture.record import Call, FrontEnd, Tensor
from ...capture.recorder import Ending, finish
from .modes import Calls, Writes
from .spellings import spell
from .tape import Held, Tape, hides, holder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from ...capture.capture import Capture
    from ...capture.places import Place
    from ...capture.record import Wanted
    from ...ops.table import Array

_WIDENED: Final = ("bfloat16", "float16", "float8_e4m3fn", "float8_e5m2")


class Recording:
    """What runs between `start` and `stop`, until the backward pass that is wanted.

    `captured` is called with it once, in the middle of the user's program: it may end
    the program by an exception. `most` is how many bytes may be held.
    """

    def __init__(
        self, wanted: Wanted, most: int, captured: Callable[[Recording], None]
    ) -> None:
        """Take what is wanted, and what happens once it is there."""
        self.wanted = wanted
        self.passes = 0  # backward passes so far
        self.elsewhere = False  # whether one of them was in another thread
        self.capture: Capture | None = None
        self.problem: InputError | None = None  # why there is none
        self._captured = captured
        self._tape = Tape(most)
        self._modes = (Calls(self._tape), Writes(self._tape))
        self._thread = threading.get_ident()
        self._engine: Any = None
        self._depth = 0

    def start(self) -> None:
        """Begin to watch."""
        for mode in self._modes:
            mode.__enter__()
        self._engine = torch.autograd._engine_run_backward  # noqa: SLF001  # each backward pass goes through it
        torch.autograd._engine_run_backward = self._backward  # noqa: SLF001

    def stop(self) -> None:
        """Watch no more; nothing stays behind."""
        self._rest()
        for mode in reversed(self._modes):
            mode.__exit__(None, None, None)

    def _rest(self) -> None:
        """Let the modes do nothing: in the middle of a call they cannot be left."""
        if self._engine is not None:
            torch.autograd._engine_run_backward = self._engine  # noqa: SLF001
            self._engine = None
        self._tape.is_quiet = True
        self._tape.stack.clear(sys._getframe(1))  # noqa: SLF001
        self._tape.close()

    # ----------------------------------------------------------------- backward passes

    def _backward(self, outputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a backward pass, and end the recording where it is the one wanted."""
        engine, tape = self._engine, self._tape
        seeds, _, create = args[:3]
        if threading.get_ident() != self._thread:
            self.elsewhere = True
            return engine(outputs, *args, **kwargs)
        if self._depth:
            return engine(outputs, *args, **kwargs)
        if create:
            return self._differentiated(outputs, *args, **kwargs)
        self.passes += 1
        is_wanted = self.passes == self.wanted.step
        frame = sys._getframe(1)  # noqa: SLF001
        roots = [tape.operand(one, frame) for one in outputs] if is_wanted else []
        tape.watch(roots)
        tape.begin_pass()
        self._depth, tape.is_quiet = 1, True
        try:
            with _disable_current_modes():
                result = engine(outputs, *args, **kwargs)
        finally:
            self._depth, tape.is_quiet = 0, False
        if is_wanted:
            self._end(roots, seeds, frame)
        else:
            tape.let_go()
        return result

    def _differentiated(self, outputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a backward pass that is part of a longer forward pass."""
        self._tape.is_below = True
        try:
            return self._engine(outputs, *args, **kwargs)
        finally:
            self._tape.is_below = False

    def _end(self, roots: list[Tensor], seeds: Any, frame: FrameType) -> None:
        tape = self._tape
        tape.is_quiet = True
        try:
            with torch.no_grad(), _disable_current_modes():
                self.capture = self._finished(roots, seeds, frame)
        except InputError as problem:
            self.problem = problem
        finally:
            self._rest()
        self._captured(self)

    def _finished(self, roots: list[Tensor], seeds: Any, frame: FrameType) -> Capture:
        tape = self._tape
        if tape.is_full:
            raise InputError(
                f"the numbers of this run take more than {tape.most} bytes",
                f"--max-bytes {2 * max(tape.most, tape.bytes)} allows more",
            )
        place = tape.stack.place(frame)
        root, seed = roots[0], seeds[0]
        if len(roots) > 1:
            call = _sum_of(roots, seeds, place)
            tape.calls.append(call)
            root, seed = call.outputs[0], None
        reading = _Reading(tape, frame)
        front = FrontEnd(
            f"torch {torch.__version__.partition('+')[0]}",
            hides,
            reading.array,
            reading.gradient,
            spell,
            reading.title,
            reading.leaf_name,
            reading.hooked,
        )
        ending = Ending(
            root, None if seed is None or not root.shape else _numbers(seed), place
        )
        capture = finish(front, tape.calls, ending, self.wanted)
        notes = (*capture.about.notes, *reading.notes)
        return _noted(capture, notes)


def _sum_of(roots: list[Tensor], seeds: Any, place: Place) -> Call:
    """Return what makes the number that a pass from several tensors differentiates.

    It is the sum of all their elements, each times the gradient that enters there.
    """
    pairs = zip(roots, seeds, strict=True)
    terms = [
        one.held.value if seed is None else one.held.value * seed for one, seed in pairs
    ]
    total: Any = sum(term.sum() for term in terms)
    ones = [one is None or (not one.ndim and float(one) == 1) for one in seeds]
    pairs = zip(seeds, ones, strict=True)
    arrays = [None if is_one else _numbers(seed) for seed, is_one in pairs]
    call = Call("backward", place, ((roots, arrays), {}), tuple(roots), key="roots")
    call.called = "total"
    dtype = str(total.dtype).removeprefix("torch.")
    held = Held(None, total)
    record = Tensor((), dtype, held, flows=True, call=call, place=place)
    call.outputs = (record,)
    return call


def _noted(capture: Capture, notes: Any) -> Capture:
    return replace(capture, about=capture.about._replace(notes=tuple(notes)))


class _Reading:
    """What the tape holds, as a recorder asks for it."""

    def __init__(self, tape: Tape, frame: FrameType) -> None:
        self._tape, self._frame = tape, frame
        self.notes: dict[str, None] = {}

    # ------------------------------------------------------------------------ numbers

    def array(self, tensor: Tensor) -> Array:
        """Return the numbers of a tensor."""
        value = tensor.held.value
        if tensor.dtype in _WIDENED:
            self.notes[f"{tensor.dtype} is widened to float32"] = None
        if value.device.type != "cpu":
            self.notes[f"numbers were on {value.device}"] = None
        return _numbers(value)

    def gradient(self, tensor: Tensor) -> Array | None:
        """Return PyTorch's own gradient of a tensor."""
        found = self._tape.gradients.get(tensor)
        return None if found is None or not tensor.is_float else _numbers(found)

    def hooked(self, tensor: Tensor) -> str:
        """Return where a hook was registered that has changed a gradient."""
        place, changed = tensor.held.hook, self._tape.changed.get(tensor)
        seen = self._tape.gradients.get(tensor)
        if place is None or changed is None or seen is None:
            return ""
        return "" if torch.equal(changed, seen) else _told(place)

    # -------------------------------------------------------------------------- names

    @cached_property
    def _roots(self) -> Mapping[str, Any]:
        """The widest modules that ran, by what comes before the names in them."""
        met = self._tape.modules.values()
        inside = {id(m) for one in met for m in one.modules() if m is not one}
        widest = [one for one in met if id(one) not in inside]
        large = [one for one in widest if next(one.parameters(), None) is not None]
        if len(large) == 1 and not any(
            name[:1].isdigit() for name, _ in large[0].named_children()
        ):
            return {"": large[0]}
        found: dict[str, Any] = {}
        for one in large:
            name = holder(one, self._frame) or type(one).__name__
            while name in found:
                name += "_"
            found[name] = one
        return found

    @cached_property
    def _titles(self) -> Mapping[int, str]:
        return dict(self._named(lambda root: root.named_modules()))

    @cached_property
    def _parameters(self) -> Mapping[int, str]:
        named = dict(self._named(lambda root: root.named_buffers()))
        return {**named, **dict(self._named(lambda root: root.named_parameters()))}

    def _named(self, parts: Callable[[Any], Any]) -> Iterator[tuple[int, str]]:
        for prefix, root in self._roots.items():
            for name, part in parts(root):
                yield id(part), clean(".".join(filter(None, (prefix, name))))

    def title(self, module: Any) -> str | None:
        """Return the path of a module, None of what is none of the model."""
        return self._titles.get(id(module))

    def leaf_name(self, leaf: Tensor) -> str:
        """Return what a leaf is called: its path, or a variable that held it."""
        return self._parameters.get(id(leaf.held.user), leaf.hint)


def _told(place: Any) -> str:
    users = [one for one in chain(place) if not hides(one.active.code.co_filename)]
    if not users:
        return ""
    code = users[-1].active.code
    line = list(code.co_positions())[users[-1].at // 2][0]
    return f"{short_name(code.co_filename, Path.cwd())}:{line}"


def _numbers(tensor: Any) -> Array:
    """Return a tensor as an array that NumPy has a kind for."""
    value = tensor.detach()
    if value.layout is not torch.strided:
        value = value.to_dense()
    value = value.cpu().resolve_conj().resolve_neg()
    if str(value.dtype).removeprefix("torch.") in _WIDENED:
        value = value.float()
    array: Any = value.numpy()
    return np.ascontiguousarray(array).reshape(array.shape)

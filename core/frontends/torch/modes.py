# pyright: basic, reportMissingModuleSource=false
"""The two modes that see what PyTorch does."""

from __future__ import annotations

import sys
from functools import cache, partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ...capture.record import Call
from .instead import PLACED, instead_of
from .spellings import ROWS, plain_name
from .tape import (
    Unseen,
    again,
    has_numbers,
    is_parameter,
    rule_around,
    swapped,
    tensors_in,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from .tape import Tape

# Attributes and methods that read what a tensor is, and compute nothing.
_GETS: Final = frozenset({"T", "mT", "H", "mH", "data", "real", "imag"})
_READS: Final = frozenset(
    str.split(
        """
        size dim ndimension numel nelement stride storage_offset element_size item
        tolist numpy backward is_floating_point is_complex is_contiguous is_signed
        __len__ __bool__ __hash__ __repr__ __format__ __float__ __int__ __index__
        __reduce_ex__ __deepcopy__ __array__ __contains__ untyped_storage storage
        data_ptr get_device register_hook requires_grad_ retain_grad allclose equal
        is_same_size __setstate__ _is_view is_set_to share_memory_ is_shared
        is_inference is_nonzero is_pinned result_type can_cast
        register_post_accumulate_grad_hook
        """
    )
)


# Methods that change how a tensor is laid out, or what it comes from, and no number.
_LAID: Final = frozenset(
    str.split(
        """
        t_ transpose_ swapaxes_ swapdims_ squeeze_ unsqueeze_ detach_ as_strided_
        """
    )
)
_OPENED: Final = frozenset({"torch.nn.functional", "torch.functional", "torch._tensor"})


class Calls(TorchFunctionMode):
    """Sees each call as the user wrote it."""

    def __init__(self, tape: Tape) -> None:
        """Take the tape that calls go on."""
        super().__init__()
        self._tape = tape
        self._open: set[Any] = set()  # functions whose lines are seen one by one now

    def __torch_function__(
        self, func: Any, _types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call a function, and record what it did."""
        tape, kwargs = self._tape, kwargs or {}
        if tape.is_quiet or tape.is_full or _reads(func):
            name = "" if tape.is_quiet else getattr(func, "__name__", "")
            if name == "register_hook":
                return self._hook(func, args, kwargs, sys._getframe(1))  # noqa: SLF001
            if name == "__set__" and plain_name(func) == "data":
                tape.forget(args[0])  # other numbers stand there now
            return func(*args, **kwargs)
        name = plain_name(func)
        frame = sys._getframe(1)  # noqa: SLF001  # the way up is what is asked for
        other = instead_of(name, args, kwargs)
        if other is not None:
            with self:
                return other()
        if name not in ROWS and func not in self._open and (opened := _opened(func)):
            self._open.add(func)  # one that asks for itself again is a whole
            try:
                with self:
                    return opened(*args, **kwargs)
            finally:
                self._open.discard(func)
        inputs: list[Any] = []
        try:
            known = partial(tape.operand, frame=frame)
            given = swapped((args, kwargs), known, inputs)
        except Unseen:
            return func(*args, **kwargs)
        placed = PLACED.get(name)
        if name.startswith("adaptive") and not isinstance(func, FunctionType):
            placed = None  # one that tells already
        if placed is None:
            result = func(*args, **kwargs)
        else:
            result, places = placed(*args, **kwargs)
            given[1]["indices"] = places
        self._record(func, given, tuple(inputs), result, (args, frame))
        return result

    def _record(
        self, func: Any, given: Any, inputs: Any, result: Any, where: Any
    ) -> None:
        """Put a call on the tape, if it has made anything."""
        tape, (args, frame) = self._tape, where
        outputs = tensors_in(result)
        if getattr(func, "__name__", "") == "__setitem__":
            outputs = [args[0]]
        is_laid = getattr(func, "__name__", "") in _LAID
        if is_laid:
            tape.laid_anew(args[0])
        outputs = [
            one
            for one in outputs
            if has_numbers(one) and (tape.known(one) or not is_parameter(one))
        ]
        made = [one for one in outputs if tape.known(one) is None]
        if not made:
            return
        place = tape.stack.place(frame)
        if not inputs:  # a constant
            rule = rule_around(place) if tape.has_custom else None
            if rule is not None and any(isinstance(one, np.ndarray) for one in args):
                tape.outside.add(rule)
            for one in made:
                tape.result(one, None, place).made = plain_name(func)
            return
        call = Call(_told(func), place, given, inputs, key=plain_name(func))
        call.is_custom = tape.has_custom and rule_around(place) is not None
        tape.calls.append(call)
        known = map(tape.known, outputs)  # broadcast: an operand may be a result, too
        call.outputs = tuple(
            tape.result(one, call, place) if old is None else again(old)
            for one, old in [*zip(outputs, known, strict=True)]
        )
        if is_laid:
            tape.hide(call.outputs)
        if call.is_custom or any(one.flows for one in call.outputs):
            tape.watch(inputs)

    def _hook(self, func: Any, args: Any, kwargs: Any, frame: FrameType) -> Any:
        """Register a hook of the user's, and look at what it changes."""
        tape, tensor = self._tape, args[0]
        if not tensor.requires_grad:
            return func(*args, **kwargs)
        record = tape.operand(tensor, frame)
        tape.watch([record])
        handle = func(*args, **kwargs)
        tape.watch_behind(tensor, record, tape.stack.place(frame))
        return handle


class Writes(TorchDispatchMode):
    """Keeps the numbers of tensors before something writes into them."""

    def __init__(self, tape: Tape) -> None:
        """Take the tape whose numbers are to be kept."""
        super().__init__()
        self._tape = tape

    def __torch_dispatch__(
        self, func: Any, _types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call an operation, and first keep what it is about to write into."""
        kwargs, tape = kwargs or {}, self._tape
        frame = sys._getframe(1)  # noqa: SLF001  # the way up is what is asked for
        is_seen = tape.is_below and not tape.is_quiet
        given = self._given((args, kwargs), frame) if is_seen else None
        for place, name in () if tape.is_quiet else _written(func):
            value = kwargs.get(name) if place >= len(args) else args[place]
            for one in tensors_in(value):
                self._keep(one)
        result = func(*args, **kwargs)
        if given is not None:
            self._record(func, given, result, frame)
        return result

    def _given(self, given: Any, frame: FrameType) -> Any:
        """Return the arguments of a part of a backward pass, and its tensors."""
        tape, inputs = self._tape, list[Any]()
        tape.is_quiet = True
        try:
            found = swapped(given, lambda one: tape.saved(one, frame), inputs)
            tape.watch(inputs)  # by now PyTorch knows whether a gradient flows
        except Unseen:
            return None
        finally:
            tape.is_quiet = False
        return found, tuple(inputs)

    def _record(self, func: Any, given: Any, result: Any, frame: FrameType) -> None:
        """Put a part of a backward pass on the tape, for it is differentiated too."""
        tape, (found, inputs) = self._tape, given
        name = func.overloadpacket.__name__
        if name == "detach":  # what was saved, before it has its history again
            return
        tape.is_quiet = True
        try:
            made = [
                one
                for one in tensors_in(result)
                if tape.known(one) is None and has_numbers(one)
            ]
            place = tape.stack.place(frame)
            if made and inputs:
                call = Call(name, place, found, inputs, key=name.rstrip("_"))
                tape.calls.append(call)
                call.outputs = tuple(tape.result(one, call, place) for one in made)
        finally:
            tape.is_quiet = False

    def _keep(self, tensor: Any) -> None:
        tape = self._tape
        was, tape.is_quiet = tape.is_quiet, True
        try:
            tape.before_write(tensor)
        finally:
            tape.is_quiet = was


@cache
def _written(func: Any) -> tuple[tuple[int, str], ...]:
    """Return which arguments an operation writes into, by place and name."""
    schema = func._schema  # noqa: SLF001  # nothing else says it
    if not schema.is_mutable:
        return ()
    arguments = enumerate(schema.arguments)
    return tuple(
        (len(schema.arguments) if one.kwarg_only else number, one.name)
        for number, one in arguments
        if one.alias_info is not None and one.alias_info.is_write
    )


@cache
def _reads(func: Any) -> bool:
    if type(func).__name__ == "OpOverload":  # from below: not what the user wrote
        return True
    name = getattr(func, "__name__", "")
    if name in ("__get__", "__set__", "__delete__"):
        return name != "__get__" or plain_name(func) not in _GETS
    return name in _READS


def _told(func: Any) -> str:
    """Return how messages call a function."""
    home = getattr(func, "__module__", None) or ""
    name = getattr(func, "__name__", str(func))
    if home.startswith(("torch.nn.functional", "torch._C._nn")):
        return f"F.{name}"
    return plain_name(func) if name.startswith("__") else name


@cache
def _opened(func: Any) -> Callable[..., Any] | None:
    """Return a function of PyTorch's as its lines alone, which are seen one by one.

    The function itself would hand the call on as a whole again.
    """
    home = getattr(func, "__module__", None) or ""
    if not isinstance(func, FunctionType) or home not in _OPENED:
        return None
    never = dict.fromkeys(
        (
            "has_torch_function",
            "has_torch_function_unary",
            "has_torch_function_variadic",
        ),
        lambda *_: False,
    )
    inner = FunctionType(
        func.__code__,
        {**func.__globals__, **never},
        func.__name__,
        func.__defaults__,
        func.__closure__,
    )
    inner.__kwdefaults__ = func.__kwdefaults__
    return inner

# pyright: basic, reportMissingModuleSource=false
"""What has run so far: tensors by identity, calls in order, gradients as they came."""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch

from ...base.text import clean
from ...capture.places import Active, Place, Stack
from ...capture.record import Call, Owner, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_OWN: Final = Path(__file__).resolve().parents[3]  # of this program
_HIDDEN: Final = (
    str(Path(torch.__file__).parent),
    *(str(_OWN / part) for part in ("core", "tui")),
    "<frozen",
)
_STANDARD: Final = sysconfig.get_path("stdlib")
_FRAMES_UP: Final = 12  # that are searched for the name of a leaf


@dataclass(slots=True, eq=False)
class Held:
    """What is known of a tensor of the run."""

    user: Any  # the tensor itself: its identity is ours while we hold it
    value: Any  # its numbers
    is_stale: bool = False  # whether something has written into it since
    is_seen: bool = False  # whether its gradient will be
    hook: Place | None = None  # where the user has registered a hook on it


@cache
def hides(file: str) -> bool:
    """Tell whether a file is none of the user's: PyTorch's, Python's, or ours."""
    if file.startswith(_HIDDEN):
        return True
    return file.startswith(_STANDARD) and "site-packages" not in file


@cache
def rule_of(rule: Any) -> str:
    """Return what the backward rule of a custom Function is called, and where."""
    code = getattr(getattr(rule, "backward", None), "__code__", None)
    name = f"{rule.__name__}.backward"
    if code is None:
        return name
    return clean(f"{name} ({Path(code.co_filename).name}:{code.co_firstlineno})")


class Tape:
    """What has run, as far as it may lead to the pass that is wanted."""

    def __init__(self, most: int) -> None:
        """Take how many bytes may be held."""
        self.calls: list[Call] = []
        self.stack = Stack(self._owner)
        self.modules: dict[int, Any] = {}  # that were met, by identity
        self.gradients: dict[Tensor, Any] = {}  # of this pass
        self.changed: dict[Tensor, Any] = {}  # the same, behind the user's hooks
        self.is_quiet = False  # whether what runs now is none of the user's
        self.has_custom = False  # whether a custom rule was met
        self.notes: dict[str, None] = {}
        self._known: dict[int, Tensor] = {}  # by identity of the user's tensors
        self._storages: dict[int, list[Tensor]] = {}  # by address
        self._hooks: list[Any] = []
        self._most, self._bytes = most, 0
        self.is_full = False

    def _owner(self, frame: FrameType) -> Owner | None:
        """Return the module, or the custom rule, whose `forward` a frame is."""
        code = frame.f_code
        if code.co_name != "forward" or not code.co_argcount:
            return None
        first = frame.f_locals.get(code.co_varnames[0])
        if isinstance(first, torch.nn.Module):
            self.modules[id(first)] = first
            module: Any = first
            return Owner(module, next(module.children(), None) is not None)
        if isinstance(first, torch.autograd.function.FunctionCtx):
            rule = getattr(type(first), "_forward_cls", None)
            self.has_custom = True
            return None if rule is None else Owner(rule, rule=rule_of(rule))
        return None

    # ------------------------------------------------------------------------ tensors

    def operand(self, tensor: Any, frame: FrameType) -> Tensor:
        """Return the record of a tensor that something is done with now."""
        known = self._known.get(id(tensor))
        if known is None:
            known = self._leaf(tensor, frame)
        elif known.held.is_stale:
            known = self._renewed(tensor, known, frame)
        elif tensor.requires_grad and not known.flows and tensor.is_leaf:
            known = self._leaf(tensor, frame)  # x.requires_grad_() since it was made
        if tensor.requires_grad and not known.held.is_seen:
            self._watch(tensor, known)
        return known

    def known(self, tensor: Any) -> Tensor | None:
        """Return the record of a tensor as it is now; None where there is none."""
        found = self._known.get(id(tensor))
        return None if found is None or found.held.is_stale else found

    def result(self, tensor: Any, call: Call | None, place: Place) -> Tensor:
        """Record what a call has returned."""
        value = tensor.detach() if tensor.is_leaf else tensor
        record = self._record(tensor, value)
        record.call, record.place = call, place
        if record.flows:
            self._watch(tensor, record)
        return record

    def _leaf(self, tensor: Any, frame: FrameType) -> Tensor:
        place = self.stack.place(frame)
        rule = getattr(type(tensor.grad_fn), "_forward_cls", None)
        if rule is not None and tensor.requires_grad:
            return self._of_rule(tensor, rule, place)
        record = self._record(tensor, tensor.detach())
        record.is_strange = tensor.grad_fn is not None
        record.place = place
        if tensor.requires_grad:
            record.kind = "parameter"
        if not isinstance(tensor, torch.nn.Parameter):
            record.hint = holder(tensor, frame)
        return record

    def _of_rule(self, tensor: Any, rule: Any, place: Place) -> Tensor:
        """Record what a custom rule has returned without an operation that was seen."""
        self.has_custom = True
        inputs = tuple(self._sources(tensor.grad_fn))
        code = rule.forward.__code__
        owner = Owner(rule, rule=rule_of(rule))
        inner = Active(code, place.active, place.at, owner)
        at = len(code.co_code) - 2  # where it returns
        call = Call(rule.__name__, Place(inner, at), ((), {}), inputs, is_custom=True)
        address = tensor.data_ptr()
        same = [one for one in inputs if one.held.user.data_ptr() == address]
        if len(same) == 1 and same[0].shape == tuple(tensor.shape):
            call.key, call.given = "alias", ((same[0],), {})
        record = self._record(tensor, tensor)
        record.call, call.outputs = call, (record,)
        self.calls.append(call)
        return record

    def _sources(self, node: Any) -> Iterator[Tensor]:
        """Yield the records of what a node of PyTorch's own graph was given."""
        known = list(self._known.values())
        for source, _ in node.next_functions:
            variable = getattr(source, "variable", None)
            for one in known if source is not None else ():
                user = one.held.user
                if user is variable or (user.grad_fn is source and variable is None):
                    yield one
                    break

    def _record(self, tensor: Any, value: Any) -> Tensor:
        dtype = str(tensor.dtype).removeprefix("torch.")
        held = Held(tensor, value)
        record = Tensor(tuple(tensor.shape), dtype, held, tensor.requires_grad)
        self._known[id(tensor)] = record
        if tensor.layout is torch.strided and tensor.device.type != "meta":
            storage = tensor.untyped_storage()
            address = storage.data_ptr()
            sharing = self._storages.setdefault(address, [])
            if not sharing:
                self._bytes += storage.nbytes()
                self.is_full = self.is_full or self._bytes > self._most
            sharing.append(record)
        return record

    def _renewed(self, tensor: Any, old: Tensor, frame: FrameType) -> Tensor:
        """Return the record of a tensor that something has written into."""
        record = self._leaf(tensor, frame)
        record.hint = record.hint or old.hint
        return record

    def before_write(self, tensor: Any) -> None:
        """Keep the numbers of a storage that something is about to write into."""
        for record in self._storages.pop(tensor.untyped_storage().data_ptr(), ()):
            record.held.value = record.held.value.detach().clone()
            record.held.is_stale = True

    @property
    def bytes(self) -> int:
        """How many bytes of numbers are held."""
        return self._bytes

    # ---------------------------------------------------------------------- gradients

    def _watch(self, tensor: Any, record: Tensor) -> None:
        """See the gradient of a tensor, before any hook of the user's does."""
        record.held.is_seen = record.flows = True

        def see(gradient: Any) -> None:
            self.gradients[record] = gradient

        handle = tensor.register_hook(see)
        self._hooks.append(handle)
        hooks = tensor._backward_hooks  # noqa: SLF001  # the only place of their order
        if hooks is not None and len(hooks) > 1:
            hooks.move_to_end(handle.id, last=False)

    def watch_behind(self, tensor: Any, record: Tensor, place: Place) -> None:
        """See the gradient of a tensor behind a hook that the user has registered."""
        record.held.hook = place

        def see(gradient: Any) -> None:
            self.changed[record] = gradient

        self._hooks.append(tensor.register_hook(see))

    def begin_pass(self) -> None:
        """Forget the gradients of the pass before."""
        self.gradients, self.changed = {}, {}

    def close(self) -> None:
        """Take away all hooks, and let go of everything."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self.calls.clear()
        self._known.clear()
        self._storages.clear()


def holder(tensor: Any, frame: FrameType | None) -> str:
    """Return the name of a variable that holds a tensor, in the nearest frame."""
    for one in _users(frame):
        held = one.f_locals
        for name, value in held.items():
            if value is tensor:
                return name
        inside = getattr(held.get("self"), "__dict__", {})
        for name, value in inside.items():
            if value is tensor:
                return name
        if one.f_globals is not held:
            for name, value in one.f_globals.items():
                if value is tensor:
                    return name
    return ""


def _users(frame: FrameType | None) -> Iterator[FrameType]:
    for _ in range(_FRAMES_UP):
        if frame is None:
            return
        if not hides(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back


def tensors_in(value: Any) -> list[Any]:
    """Return the tensors that a call has returned."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [one for one in value if isinstance(one, torch.Tensor)]
    return []


def swapped(value: Any, record: Callable[[Any], Tensor], found: list[Tensor]) -> Any:
    """Return the arguments of a call with records in the place of tensors."""
    if isinstance(value, torch.Tensor):
        found.append(record(value))
        return found[-1]
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([swapped(one, record, found) for one in value])
    if kind is dict:
        return {key: swapped(one, record, found) for key, one in value.items()}
    return tuple(value) if kind is torch.Size else value

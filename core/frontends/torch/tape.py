# pyright: basic, reportMissingModuleSource=false
"""What has run so far: tensors by identity, calls in order, gradients as they came."""

from __future__ import annotations

import linecache
import sys
import sysconfig
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.utils.checkpoint import CheckpointFunction

from ...base.text import clean
from ...capture.places import Active, Place, Stack
from ...capture.record import Call, Owner, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import CodeType, FrameType

_OWN: Final = Path(__file__).resolve().parents[3]  # of this program
_HIDDEN: Final = (
    str(Path(torch.__file__).parent),
    *(str(_OWN / part) for part in ("core", "tui")),
    "<frozen",
)
_STANDARD: Final = sysconfig.get_path("stdlib")
_CHECKPOINT: Final = (
    "by a re-entrant checkpoint, which runs again in the backward pass; "
    "checkpoint(…, use_reentrant=False) is recorded"
)
# What a call of several steps saves of one: the row by the name of its node.
_INSIDE: Final = {"LogSoftmaxBackward0": "log_softmax", "SoftmaxBackward0": "softmax"}
_FRAMES_UP: Final = 12  # that are searched for the name of a leaf


@dataclass(slots=True, eq=False)
class Held:
    """What is known of a tensor of the run."""

    user: Any  # the tensor itself: its identity is ours while we hold it
    value: Any  # its numbers
    is_stale: bool = False  # whether something has written into it since
    is_seen: bool = False  # whether its gradient will be
    writes: int = 0  # into its storage, as far as they were recorded
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
    line = code.co_firstlineno
    while linecache.getline(code.co_filename, line).lstrip().startswith("@"):
        line += 1
    return clean(f"{name} ({Path(code.co_filename).name}:{line})")


def again(known: Tensor) -> Tensor:
    """Return a record of a result that is an operand itself: a place among others."""
    return Tensor(known.shape, known.dtype, known.held, known.flows)


class Unseen(Exception):
    """A tensor without numbers of its own: one of torch.func's, or a nested one."""


def has_numbers(tensor: Any) -> bool:
    """Tell whether a tensor has numbers of its own, in one storage."""
    is_wrapped = torch._C._functorch.is_functorch_wrapped_tensor  # noqa: SLF001  # nothing else says it
    return not tensor.is_nested and not is_wrapped(tensor)


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
        # calls of those that take up arrays of NumPy: nobody saw what these come from
        self.outside: set[Active] = set()
        self.is_below = False  # whether a backward pass runs that is differentiated
        self.notes: dict[str, None] = {}
        self._known: dict[int, Tensor] = {}  # by identity of the user's tensors
        self._storages: dict[int, list[Tensor]] = {}  # by address
        self._writes: dict[int, list[Tensor]] = {}  # results in place, by address
        self._gone: list[Tensor] = []  # known no more; their identity is still ours
        self._unseen: set[Tensor] = set()  # whose gradients are not theirs alone
        self._kept: list[Any] = []  # tensors whose identity is ours as well
        # hooks, which hold their records: each the other's tensor, in a circle
        self._hooks: list[tuple[Any, Tensor]] = []
        self.most, self.bytes = most, 0  # that may be held, and that are
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
            if rule is CheckpointFunction:
                return None
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
        elif (tensor.requires_grad and not known.flows) and (
            known.call is None
            or is_parameter(tensor)
            or _is_run_again(tensor)
            or (self.outside and rule_around(known.place) in self.outside)
        ):  # x.requires_grad_() since it was made, or the result of a rule
            known = self._leaf(tensor, frame)
        return known

    def saved(self, tensor: Any, frame: FrameType) -> Tensor:
        """Return the record of a tensor that a backward pass takes up again.

        PyTorch wraps what it has saved into a new tensor of the same history.
        """
        known = self.known(tensor)
        if known is None and tensor.grad_fn is not None:
            known = self._seen_from(tensor)
            if known is not None and _origin(known.held.user) == _origin(tensor):
                self._known[id(tensor)] = known
                self._kept.append(tensor)
            elif known is not None:  # W.T of W
                known = self._put(tensor, known, known, self.stack.place(frame))
                self._unseen.add(known)  # its gradient has that of W in it
        if known is None:
            known = self._inside(tensor, frame)
        return self.operand(tensor, frame) if known is None else known

    def _seen_from(self, tensor: Any) -> Tensor | None:
        """Return the nearest record of what a tensor is, or is a view of."""
        sharing = self._storages.get(_address(tensor), ())
        made = {_origin(one.held.user): one for one in sharing}
        way = _origin(tensor)
        while way[0] is not None and way not in made:
            sources = way[0].next_functions
            way = sources[0] if len(sources) == 1 else (None, 0)
        base = self._known.get(id(tensor._base))  # noqa: SLF001  # a leaf has no history
        found = base if way[0] is None else made[way]
        return None if found is None or found.held.is_stale else found

    def _inside(self, tensor: Any, frame: FrameType) -> Tensor | None:
        """Return the record of what a call has computed on its way, and saved."""
        node: Any = tensor.grad_fn
        if node is None or node.name() not in _INSIDE:
            return None
        name, source = _INSIDE[node.name()], next(self._sources(node), None)
        if source is None:
            return None
        place, dim = self.stack.place(frame), node._saved_dim  # noqa: SLF001  # as the call was given it
        given = (source, dim - 2**64 if dim >= 2**63 else dim)
        call = Call(name, place, (given, {}), (source,), key=name)
        record = self._record(tensor, tensor.detach())
        record.call, record.place, call.outputs = call, place, (record,)
        self.calls.append(call)
        self._watch(tensor, record)
        self._unseen.add(record)  # its gradient has that of the call's own result in it
        return record

    def known(self, tensor: Any) -> Tensor | None:
        """Return the record of a tensor as it is now; None where there is none."""
        found = self._known.get(id(tensor))
        return None if found is None or found.held.is_stale else found

    def result(self, tensor: Any, call: Call | None, place: Place) -> Tensor:
        """Record what a call has returned."""
        before = self._known.get(id(tensor))
        value = tensor if tensor.requires_grad else tensor.detach()
        record = self._record(tensor, value)
        record.call, record.place = call, place
        if before is not None and before.held.is_stale:
            self._writes.setdefault(_address(tensor), []).append(record)
            base = tensor._base if tensor.requires_grad else None  # noqa: SLF001
            below = self._known.get(id(base)) if base is not None else None
            if below is not None:
                self._into_base(tensor, base, record, below)
                return record
            record.held.writes = len(self._writes[_address(tensor)])
        if record.flows and not self.is_below:  # there it is known only afterwards
            self._watch(tensor, record)
        return record

    def _into_base(self, view: Any, base: Any, written: Tensor, below: Tensor) -> None:
        """Record what a write through a view does to the tensor below.

        Gradients go as they do in PyTorch: into that tensor, and from it to the view.
        """
        place: Any = written.place
        new = self._put(base, below, written, place)
        self._put(view, written, new, place)

    def _put(self, tensor: Any, old: Tensor, write: Tensor, place: Place) -> Tensor:
        """Record a tensor after a write into its storage."""
        index, chosen = _shared(tensor, write.held.user)
        given = {"index": index, "chosen": chosen, "count": tensor.numel()}
        before = Place(place.active, place.at - 1)
        call = Call("a write", before, ((old, write), given), (old, write))
        call.key = "written"
        record = self._record(tensor, tensor)
        record.call, record.place, call.outputs = call, place, (record,)
        self.calls.append(call)
        self._watch(tensor, record)
        return record

    def _leaf(self, tensor: Any, frame: FrameType) -> Tensor:
        place = self.stack.place(frame)
        rule = getattr(type(tensor.grad_fn), "_forward_cls", None)
        is_again = _is_run_again(tensor)
        if rule is not None and tensor.requires_grad and not is_again:
            return self._of_rule(tensor, rule, place)
        record = self._record(tensor, tensor.detach())
        record.origin = _CHECKPOINT if is_again else ""
        record.is_strange = tensor.grad_fn is not None
        record.place = place
        if tensor.requires_grad:
            record.kind = "parameter"
        if not isinstance(tensor, torch.nn.Parameter):
            record.hint = holder(tensor, frame)
        around = rule_around(place)
        if around is not None and _is_of_numpy(tensor, record.hint, around.code):
            self.outside.add(around)
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
        if not has_numbers(tensor):
            raise Unseen
        dtype = str(tensor.dtype).removeprefix("torch.")
        held = Held(tensor, value)
        record = Tensor(tuple(tensor.shape), dtype, held, tensor.requires_grad)
        self._known[id(tensor)] = record
        if tensor.layout is torch.strided and tensor.device.type != "meta":
            address = _address(tensor)
            held.writes = len(self._writes.get(address, ()))
            sharing = self._storages.setdefault(address, [])
            if not sharing:
                self.bytes += tensor.untyped_storage().nbytes()
                self.is_full = self.is_full or self.bytes > self.most
            sharing.append(record)
        return record

    def _renewed(self, tensor: Any, old: Tensor, frame: FrameType) -> Tensor:
        """Return the record of a tensor that something has written into.

        Where that was a view of it, or the tensor that it is a view of, its elements
        are those that were written, and what it had before.
        """
        writes = self._writes.get(_address(tensor), [])[old.held.writes :]
        if is_parameter(tensor) or not tensor.requires_grad or not writes:
            old.is_past = is_parameter(tensor)
            record = self._leaf(tensor, frame)
            record.hint = record.hint or old.hint
            if old.is_past and self._is_used(old):
                self._unseen.add(record)  # what both are sent PyTorch adds up
            return record
        place = self.stack.place(frame)
        base = tensor._base  # noqa: SLF001  # what it is a view of, as PyTorch has it
        if base is not None and id(base) in self._known:
            return self._put(tensor, old, self.operand(base, frame), place)
        for write in writes:
            old = self._put(tensor, old, write, place)
        return old

    def _is_used(self, leaf: Tensor) -> bool:
        """Tell whether a gradient may still come to a leaf."""
        return any(
            leaf in call.inputs and any(one.flows for one in call.outputs)
            for call in self.calls
        )

    def forget(self, tensor: Any) -> None:
        """Know of a tensor no more what it was."""
        old = self._known.pop(id(tensor), None)
        if old is not None:
            old.is_past = old.held.is_stale = True
            self._gone.append(old)

    def laid_anew(self, tensor: Any) -> None:
        """Take a tensor for a new one from now on, with the same numbers."""
        old = self._known.pop(id(tensor), None)
        if old is not None:
            self._gone.append(old)

    def hide(self, records: Iterable[Tensor]) -> None:
        """Take no gradient for that of these: PyTorch shows that of what they were."""
        self._unseen.update(records)

    def before_write(self, tensor: Any) -> None:
        """Keep the numbers of a storage that something is about to write into."""
        if not has_numbers(tensor):
            return
        for record in self._storages.pop(_address(tensor), ()):
            record.held.value = record.held.value.detach().clone()
            record.held.is_stale = True

    # ---------------------------------------------------------------------- gradients

    def watch(self, records: Iterable[Tensor]) -> None:
        """See the gradients of tensors that a gradient flows through from now on.

        Not before: PyTorch would keep the dtype that a parameter has now for that of
        its gradient.
        """
        for one in records:
            held, tensor = one.held, one.held.user
            if tensor.requires_grad and not held.is_seen and not held.is_stale:
                self._watch(tensor, one)

    def _watch(self, tensor: Any, record: Tensor) -> None:
        """See the gradient of a tensor, before any hook of the user's does."""
        record.held.is_seen = record.flows = True

        def see(gradient: Any) -> None:
            if not record.is_past and record not in self._unseen:
                self.gradients[record] = gradient

        handle = tensor.register_hook(see)
        self._hooks.append((handle, record))
        hooks = tensor._backward_hooks  # noqa: SLF001  # the only place of their order
        if hooks is not None and len(hooks) > 1:
            hooks.move_to_end(handle.id, last=False)

    def watch_behind(self, tensor: Any, record: Tensor, place: Place) -> None:
        """See the gradient of a tensor behind a hook that the user has registered."""
        record.held.hook = place

        def see(gradient: Any) -> None:
            self.changed[record] = gradient

        self._hooks.append((tensor.register_hook(see), record))

    def begin_pass(self) -> None:
        """Forget the gradients of the pass before."""
        self.gradients, self.changed = {}, {}

    def let_go(self) -> None:
        """Forget what the passes before have left behind.

        Kept is what the program has and a gradient may still flow through, and all that
        it comes from. A number that was computed, and is only a number by now, is given
        to the next pass.
        """
        kept = {one for one in self._held() if _goes_on(one) and not _is_over(one)}
        todo, needed = [*kept], set[int]()
        while todo:
            call = todo.pop().call
            if call is not None and id(call) not in needed:
                needed.add(id(call))
                kept.update(call.inputs, call.outputs)
                todo += call.inputs
        self.calls = [call for call in self.calls if id(call) in needed]
        known = self._known.items()
        self._known = {k: one for k, one in known if one in kept and _goes_on(one)}
        self._kept = [one for one in self._kept if id(one) in self._known]
        for handle, record in self._hooks:
            if record not in kept:
                handle.remove()
        self._hooks = [one for one in self._hooks if one[1] in kept]
        self._gone = [one for one in self._gone if one in kept]
        self._unseen &= kept
        self.begin_pass()
        self._storages = {
            address: still
            for address, sharing in self._storages.items()
            if (still := [one for one in sharing if one in kept])
        }
        self._writes = {
            address: writes
            for address, writes in self._writes.items()
            if not kept.isdisjoint(writes) or address in self._storages
        }
        sizes = {_address(one.held.value): one.held.value for one in kept}
        self.bytes = sum(one.untyped_storage().nbytes() for one in sizes.values())

    def _held(self) -> set[Tensor]:
        """Return the records of tensors that somebody besides us has."""
        lists = (*self._storages.values(), *self._writes.values(), self._gone)
        records = {*self._known.values(), *chain.from_iterable(lists)}
        records.update(record for _, record in self._hooks)
        calls = [*self.calls, *(one.call for one in records if one.call is not None)]
        while calls:  # a record holds the call that has made it, and all before that
            call = calls.pop()
            new = {*call.inputs, *call.outputs} - records
            calls += [one.call for one in new if one.call is not None]
            records |= new
        ours = Counter(id(one.held.user) for one in records)
        ours.update(id(one.held.value) for one in records)
        ours.update(map(id, self._kept))
        # One more has it for as long as it is counted.
        return {
            one
            for one in records
            if sys.getrefcount(one.held.user) - _by_torch(one.held.user)
            > ours[id(one.held.user)] + 1
        }

    def close(self) -> None:
        """Take away all hooks, and let go of everything."""
        for handle, _ in self._hooks:
            handle.remove()
        self._hooks.clear()
        self.calls.clear()
        self._known.clear()
        self._storages.clear()
        self._writes.clear()


def _references_of_views() -> int:
    """Return how many references to a tensor PyTorch itself counts once it has a view.

    Versions differ.
    """
    tensor = torch.zeros(1)
    before = sys.getrefcount(tensor)
    _view = tensor[:]
    return sys.getrefcount(tensor) - before


_OF_VIEWS: Final = _references_of_views()


def _by_torch(tensor: Any) -> int:
    """Return how many of the references to a tensor are PyTorch's own."""
    return _OF_VIEWS if _OF_VIEWS and tensor._use_count() > 1 else 0  # noqa: SLF001  # nothing else says it


def _is_over(record: Tensor) -> bool:
    """Tell whether a leaf has other numbers by now, such as a parameter."""
    return record.call is None and record.held.is_stale


def _goes_on(record: Tensor) -> bool:
    """Tell whether a tensor that somebody has is a leaf, or has a gradient to come."""
    return record.call is None or record.held.user.requires_grad


def _is_of_numpy(tensor: Any, name: str, code: CodeType) -> bool:
    """Tell whether a function has made a tensor of an array of NumPy.

    PyTorch's own storages can be resized. What a function was given, or finds in a
    global variable, is none of its making.
    """
    own = ("", *code.co_varnames[code.co_argcount :])
    if tensor.requires_grad or not tensor.is_floating_point() or name not in own:
        return False
    return tensor.layout is torch.strided and not tensor.untyped_storage().resizable()


def rule_around(place: Place | None) -> Active | None:
    """Return the call of a custom rule that a place is inside of, the innermost."""
    active = None if place is None else place.active
    while active is not None and not (active.owner and active.owner.rule):
        active = active.parent
    return active


def _is_run_again(tensor: Any) -> bool:
    """Tell whether a re-entrant checkpoint has made a tensor."""
    return getattr(type(tensor.grad_fn), "_forward_cls", None) is CheckpointFunction


def _origin(tensor: Any) -> tuple[Any, int]:
    """Return what has made a tensor in PyTorch's own graph, as which of its results."""
    return tensor.grad_fn, tensor.output_nr


def _address(tensor: Any) -> int:
    return tensor.untyped_storage().data_ptr()


def _places(tensor: Any) -> Any:
    """Return where in its storage each element of a tensor is, in one row."""
    places = np.zeros((), int) + tensor.storage_offset()
    for length, stride in zip(tensor.shape, tensor.stride(), strict=True):
        places = np.add.outer(places, np.arange(length) * stride)
    return places.reshape(-1)


def _shared(tensor: Any, written: Any) -> tuple[Any, Any]:
    """Return the numbers of the elements that two tensors share, in each of them."""
    own, others = _places(tensor), _places(written)
    _, index, chosen = np.intersect1d(own, others, return_indices=True)
    return index, chosen


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
        file = frame.f_code.co_filename
        if not hides(file) or file.endswith("instead.py"):  # a mask is called so
            yield frame
        frame = frame.f_back


def is_parameter(tensor: Any) -> bool:
    """Tell whether a tensor has a gradient, and no history: a call has not made it."""
    try:
        return tensor.requires_grad and tensor.grad_fn is None
    except RuntimeError:  # a view that something has been written into without grad
        return True


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

# pyright: basic
"""A recording: from its start to the end of the pass that is wanted."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...base.errors import InputError
from .arrays import Number, Tracked
from .claims import (
    Claim,
    Layer,
    arrays_of,
    claims_of,
    fits,
    leaves_in,
    named_claims,
    numbers,
    upstream_of,
)
from .conventions import backward_of, whose
from .creating import Creating
from .engines import captured, is_scalar
from .finishing import finished
from .naming import scopes_of
from .tape import Tape, hides

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType, FrameType

    from ...capture.capture import Capture
    from ...capture.places import Place
    from ...capture.record import Wanted

_UPDATES: Final = frozenset({"add", "subtract"})
_MASKING: Final = frozenset({"maximum", "where", "setitem", "multiply"})  # as relu does


class Recording:
    """What runs between `start` and `stop`, until the pass that is wanted is over.

    A pass is a forward calculation and what the author's own code goes back through;
    it is over where the next one begins, where a parameter is changed, or at the end.
    `captured` is called with it once, in the middle of the user's program: it may end
    the program by an exception. `most` is how many bytes may be held.
    """

    def __init__(
        self, wanted: Wanted, most: int, captured: Callable[[Recording], None]
    ) -> None:
        """Take what is wanted, and what happens once it is there."""
        self.wanted = wanted
        self.passes = 0  # that are over
        self.elsewhere = False  # whether one of them was in another thread
        self.capture: Capture | None = None
        self.problem: InputError | None = None  # why there is none
        self.tape = Tape(most)
        self._captured = captured
        self._creating = Creating(self.tape)
        self._before: Any = None  # the profiler that was set
        self._roles: dict[CodeType, str] = {}
        self._is_over = False
        self._ages: dict[int, int] = {}  # of objects of an engine: when they were made
        self._made = 0  # objects of an engine so far
        self.is_waiting = wanted.waits  # whether what runs is no part of a pass yet
        self._begin()

    def forget(self) -> None:
        """Begin anew: what was until now is no part of a pass."""
        self.is_waiting, self.passes = False, 0
        self.tape.forget()
        self._begin()

    def _begin(self) -> None:
        """Begin a pass."""
        self._open: list[Layer] = []  # whose forward function runs
        self._done: list[Layer] = []  # whose forward function is over
        self._back: list[Layer | None] = []  # whose backward function runs
        self._layers: list[Layer] = []  # that were gone back through
        self._claims: list[Claim] = []
        self._sources: set[CodeType] = set()  # functions that had claims by name
        self._scalars: dict[int, tuple[Any, Place]] = {}  # of an engine, as made

    def start(self) -> None:
        """Begin to watch."""
        self._creating.start()
        self.tape.before_call = self._update
        self._before = sys.getprofile()
        sys.setprofile(self._profile)

    def stop(self) -> None:
        """Watch no more; a pass that was begun is over."""
        if not self._is_over:
            frame = sys._getframe(1)  # noqa: SLF001
            while frame.f_back is not None and hides(frame.f_code.co_filename):
                frame = frame.f_back
            main = vars(sys.modules["__main__"])
            self._end(frame, {**main, **frame.f_locals})
        self._rest()

    def drop(self) -> None:
        """Watch no more, and make nothing of what was seen."""
        self._rest()

    def number(self, value: float, name: str) -> Any:
        """Return a number of a script as one that is watched."""
        return self.tape.given(value, name)

    def _rest(self) -> None:
        self._is_over = self.tape.is_quiet = True
        self.tape.before_call = None
        if sys.getprofile() == self._profile:
            sys.setprofile(self._before)
        self._creating.stop()
        self.tape.stack.clear(sys._getframe(1))  # noqa: SLF001

    # --------------------------------------------------------------------- functions

    def _profile(self, frame: FrameType, event: str, result: Any) -> None:
        """Look at the calls of functions, and at what they return."""
        if event not in ("call", "return"):
            return
        code = frame.f_code
        role = self._roles.get(code)
        if role is None:
            role = self._roles[code] = self._role(code)
        if not role or self._is_over:
            return
        if event == "call":
            self._called(role, frame)
        else:
            self._returned(role, frame, result)

    def _role(self, code: CodeType) -> str:
        """Return what a function is: forward, backward, of the user's, or nothing."""
        if hides(code.co_filename):
            return ""
        pairs, name = self.wanted.pairs, code.co_name
        if name in pairs or backward_of(name):
            return "forward"
        if name in pairs.values() or _is_backward(name):
            return "backward"
        return "user"

    def _called(self, role: str, frame: FrameType) -> None:
        if self._back and role == "forward":
            return
        is_first = role == "forward" or frame.f_code in self._sources
        if is_first and self._has_gone_back and not self._open:
            self._end(frame.f_back, getattr(frame.f_back, "f_locals", {}))
        if self._is_over:
            return
        if role == "forward":
            self._forward(frame)
        elif role == "backward" and not is_scalar(frame.f_locals.get("self")):
            self._backward(frame)

    def _returned(self, role: str, frame: FrameType, result: Any) -> None:
        if is_scalar(result):
            if id(result) not in self._scalars and frame.f_back is not None:
                place = self.tape.stack.place(frame.f_back)
                self._scalars[id(result)] = (result, place)
        elif frame.f_code.co_name == "__init__":
            thing = frame.f_locals.get("self")
            if is_scalar(thing):
                self._made += 1
                self._ages[id(thing)] = self._made
        elif role == "backward" and is_scalar(frame.f_locals.get("self")):
            if "self" in _arguments(frame.f_code):  # not one of its closures
                self._scalar_pass(frame)
        elif role == "forward" and not self._back:
            self._forward_over(frame, result)
        elif role == "backward" and self._back:
            self._backward_over(frame, result)
        elif role == "user" and not self._back:
            count = len(self._claims)
            self._names(frame.f_locals, frame.f_globals)
            if isinstance(result, tuple):
                for one in result:
                    if isinstance(one, dict):
                        local = {**frame.f_locals, "grads": one}
                        self._names(local, frame.f_globals)
            if len(self._claims) > count:
                self._sources.add(frame.f_code)

    @property
    def _has_gone_back(self) -> bool:
        return bool(self._layers or self._claims)

    # ------------------------------------------------------------------------ layers

    def _forward(self, frame: FrameType) -> None:
        names = _arguments(frame.f_code)
        local = frame.f_locals
        thing = local.get("self") if names[:1] == ["self"] else None
        self._adopt(thing)
        for name in names:
            value = local[name]
            if type(value) in (int, float) or type(value) is np.ndarray:
                local[name] = self.tape.given(value, name)
        tape, given, held = self.tape, dict[str, Any](), dict[str, Any]()
        for name in names:
            value = local.get(name)
            if isinstance(value, (Tracked, Number)):
                given[name] = tape.operand(value, frame)
            else:
                for path, one in leaves_in(name, value):
                    held[path] = tape.operand(one, frame)
        for path, one in arrays_of(thing).items():
            held[path] = tape.operand(one, frame)
        active = tape.stack.place(frame).active
        self._open.append(
            Layer(
                thing,
                frame.f_code,
                active,
                len(tape.calls),
                given,
                held,
                len(self._open),
            )
        )

    def _adopt(self, thing: Any) -> None:
        """Let the arrays that an object holds tell what is done with them."""
        homes = [getattr(thing, "__dict__", {})]
        homes += [one for one in homes[0].values() if type(one) in (dict, list)]
        for home in homes:
            for key, one in list(
                home.items() if type(home) is dict else enumerate(home)
            ):
                if type(one) is np.ndarray and one.dtype.kind == "f":
                    home[key] = self.tape.given(one)

    def _forward_over(self, frame: FrameType, result: Any) -> None:
        if not self._open or self._open[-1].code is not frame.f_code:
            return
        layer = self._open.pop()
        layer.stop, layer.returned = len(self.tape.calls), result
        parts = result if isinstance(result, tuple) else (result,)
        known = [self.tape.known(one) for one in parts]
        layer.results = [one for one in known if one is not None]
        self._done.append(layer)

    def _backward(self, frame: FrameType) -> None:
        local = frame.f_locals
        names = [one for one in _arguments(frame.f_code) if one != "self"]
        layer = self._gone_through(frame, [local.get(one) for one in names])
        for one in self._back:
            if one is not None:
                one.is_outer = True
        self._back.append(layer)
        if layer is None:
            return
        layer.rule, layer.before = frame.f_code, len(self.tape.calls)
        self._layers.append(layer)
        given = {name: local.get(name) for name in names}
        upstream = upstream_of(layer, given, self.tape)
        if upstream is not None:
            result = layer.results[0]
            self._claims.append(Claim(result, upstream, layer, is_upstream=True))

    def _gone_through(self, frame: FrameType, given: list[Any]) -> Layer | None:
        """Return the latest call of the forward function that a backward one has."""
        thing, name = frame.f_locals.get("self"), frame.f_code.co_name
        wanted = [one for one in reversed(self._done) if one.thing is thing]
        wanted = [one for one in wanted if self._pair_of(one.code.co_name) == name]
        caches = [id(one) for one in given if one is not None]
        for one in wanted if thing is None else ():
            parts = one.returned if isinstance(one.returned, tuple) else ()
            if any(id(part) in caches for part in parts[1:]):
                wanted = [one]
                break
        if not wanted:
            return None
        self._done.remove(wanted[0])
        return wanted[0]

    def _pair_of(self, name: str) -> str:
        return self.wanted.pairs.get(name) or backward_of(name)

    def _backward_over(self, frame: FrameType, result: Any) -> None:
        layer = self._back.pop()
        if layer is not None:
            self._claims += claims_of(layer, frame.f_locals, result)

    # ----------------------------------------------------------------- variables

    def _names(self, local: Mapping[str, Any], outer: Mapping[str, Any]) -> None:
        """Take what variables say by their names."""
        for partner, value in named_claims(local, outer):
            tensor, gradient = self.tape.known(partner), value
            if tensor is None:
                continue
            record = self.tape.known(value)
            if isinstance(value, Tracked) and (record is None or record.call is None):
                continue
            if record is not None:
                gradient = _of(tensor, record).held.value
            found = numbers(gradient)
            if found is not None and fits(tensor, found):
                begins = (None, None) if record is None else _begins(record)
                self._claims.append(Claim(tensor, found, None, begins=begins))

    def _update(self, frame: FrameType, name: str, args: Any) -> None:
        """End the pass where a parameter is about to be changed by its gradient."""
        if name not in _UPDATES or self._open or self._back:
            return
        target = args[0] if args else None
        if not isinstance(target, (Tracked, Number)):
            return
        scope = frame.f_locals
        called = {key for key, one in scope.items() if one is target}
        for key, one in scope.items() if called else ():
            if isinstance(one, (Tracked, Number)) and called & {*whose(key)}:
                known = self.tape.known(one)
                if known is None or known.call is None:
                    continue  # of the pass before
                if _is_used(one, args[1:]):
                    self._end(frame, scope)
                    return

    # ------------------------------------------------------------- scalar engines

    def _scalar_pass(self, frame: FrameType) -> None:
        """End a pass of an engine whose backward method is over."""
        caller: Any = frame.f_back
        if self.is_waiting or self._back:
            return
        output, made = frame.f_locals["self"], list(self._scalars.values())
        place, scopes = self.tape.stack.place(caller), scopes_of(caller)
        self._over(
            lambda: captured(output, (made, self._ages), place, self.wanted, scopes)
        )

    # -------------------------------------------------------------------- the end

    def _end(self, frame: FrameType | None, scope: Mapping[str, Any]) -> None:
        """End a pass, and the recording where it is the one wanted."""
        if threading.current_thread() is not threading.main_thread():
            self.elsewhere = True
            return
        if self.is_waiting:
            return
        self._names(scope, getattr(frame, "f_globals", {}))
        if not self._has_gone_back:
            return
        claims, layers = self._claims, self._layers
        self._over(
            lambda: finished(self.tape, claims, layers, self.wanted, frame, scope)
        )

    def _over(self, capture: Callable[[], Capture]) -> None:
        self.passes += 1
        if self.passes != self.wanted.step:
            self.tape.forget()
            self._begin()
            return
        self.tape.is_quiet = True
        try:
            self.capture = capture()
        except InputError as problem:
            self.problem = problem
        finally:
            self._rest()
        self._captured(self)


def _is_backward(name: str) -> bool:
    return any(word in name.split("_") for word in ("backward", "bprop"))


def _begins(record: Any) -> tuple[Any, Any]:
    """Return the call that has made an array, and the first that writes into it."""
    call, write = record.call, None
    while call is not None and call.inputs:
        before = next((n for n in call.inputs if n.held.user is record.held.user), None)
        if before is None:
            break
        write, call = call, before.call
    return call, write


def _is_used(gradient: Any, operands: Any) -> bool:
    """Tell whether operands are a gradient, or were computed from it."""
    wanted = gradient.record
    todo = [getattr(one, "record", None) for one in operands]
    for _ in range(8):
        if any(one is wanted for one in todo):
            return True
        calls = [one.call for one in todo if one is not None and one.call is not None]
        todo = [one for call in calls for one in call.inputs]
    return False


def _arguments(code: CodeType) -> list[str]:
    return list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _of(tensor: Any, record: Any) -> Any:
    """Return a gradient as it was when it was that of an array.

    Behind relu, `dhidden[hidden <= 0] = 0` makes of it the gradient of what relu was
    given, and it keeps its name.
    """
    is_behind_relu = tensor.call is not None and tensor.call.key in _MASKING
    while is_behind_relu and record.call is not None:
        call = record.call
        args = call.given[0]
        inputs = call.inputs
        is_put = call.key == "setitem" and getattr(args[1], "dtype", "") == "bool"
        is_product = call.key == "multiply" and any(
            one.dtype == "bool" for one in inputs
        )
        if not (is_put and args[2] == 0) and not is_product:
            return record
        record = next(one for one in inputs if one.dtype != "bool")
    return record

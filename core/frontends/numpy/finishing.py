# pyright: basic
"""What a pass was: its output, its leaves, and whose gradient each claim is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.errors import InputError
from ...base.text import clean
from ...capture.places import Texts
from ...capture.record import FrontEnd, Owner
from ...capture.recorder import Ending, finish
from .claims import arrays_of
from .conventions import PARAMETERS, whose
from .naming import names_of, scopes_of
from .spellings import spell
from .tape import hides

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import FrameType

    from ...capture.capture import Capture
    from ...capture.record import Call, Tensor, Wanted
    from ...ops.table import Array
    from .claims import Claim, Layer
    from .tape import Tape


def finished(
    tape: Tape,
    claims: Sequence[Claim],
    layers: Sequence[Layer],
    wanted: Wanted,
    frame: FrameType | None,
    scope: Mapping[str, Any],
) -> Capture:
    """Return the capture of a pass. Raises `InputError` where it has no output."""
    if tape.is_full:
        raise InputError(
            f"the numbers of this run take more than {tape.most} bytes",
            f"--max-bytes {2 * tape.most} allows more",
        )
    base = {id(one.tensor): one.tensor for one in claims}
    for layer in layers:
        base |= {id(t): t for t in (*layer.given.values(), *layer.held.values())}
    base = {key: one for key, one in base.items() if one.is_float}
    reached = _reached(tape.calls, base)
    output, seed = _output(tape, claims, layers, reached)
    for one in base.values():
        if not reached.get(id(one), frozenset()) - {id(one)}:
            one.call = None
    return told(
        tape,
        (output, seed),
        own_of(tape.calls, claims, output),
        layers,
        wanted,
        [scope, *scopes_of(frame)],
    )


def told(
    tape: Tape,
    ending: tuple[Tensor, Array | None],
    own: Mapping[int, Array],
    layers: Sequence[Layer],
    wanted: Wanted,
    scopes: list[Mapping[str, Any]],
) -> Capture:
    """Return the capture of what leads to an output, with gradients of the author's."""
    output, seed = ending
    _flow(tape.calls, own, layers)
    names = names_of(scopes)
    for one in layers:
        if one.thing is not None:
            kind = type(one.thing).__name__
            names.setdefault(id(one.thing), kind)
            for path, array in arrays_of(one.thing).items():
                names.setdefault(id(array), f"{names[id(one.thing)]}.{path}")
    _own_rules(layers, names)

    def array(tensor: Tensor) -> Array:
        return np.array(tensor.held.value)

    def gradient(tensor: Tensor) -> Array | None:
        found = own.get(id(tensor))
        return None if found is None else np.array(found)

    called = _by_key(layers)

    def leaf_name(tensor: Tensor) -> str:
        return called.get(id(tensor), "") or names.get(
            id(tensor.held.user), tensor.hint
        )

    front = FrontEnd(
        f"numpy {np.__version__}",
        hides,
        array,
        gradient,
        spell,
        lambda thing: names.get(id(thing)),
        leaf_name,
    )
    place: Any = output.place
    return finish(front, tape.calls, Ending(output, seed, place), wanted)


def _by_key(layers: Iterable[Layer]) -> dict[int, str]:
    """Return the names that a dict of parameters has for arrays, by their identity."""
    found: dict[int, str] = {}
    for layer in layers:
        for path, tensor in layer.held.items():
            head, _, key = path.partition(".")
            if head in PARAMETERS and key and not key.isdigit():
                found[id(tensor)] = clean(key)
    return found


# ------------------------------------------------------------------------- the output


def _reached(
    calls: Iterable[Call], base: Mapping[int, Tensor]
) -> dict[int, frozenset[int]]:
    """Return which of some arrays each array was computed from, itself included."""
    found: dict[int, frozenset[int]] = {key: frozenset([key]) for key in base}
    for call in calls:
        sets = {found[id(one)] for one in call.inputs if id(one) in found}
        total = frozenset[int]().union(*sets)
        for one in call.outputs:
            if one.is_float and total:
                found[id(one)] = total | found.get(id(one), frozenset())
    return found


def _output(
    tape: Tape,
    claims: Sequence[Claim],
    layers: Sequence[Layer],
    reached: Mapping[int, frozenset[int]],
) -> tuple[Tensor, Array | None]:
    """Return what is differentiated, and the gradient that enters there.

    It is the last number before the way back that depends on most of what has a
    gradient; without one, it is what the first backward function went back from.
    """
    way_back = _way_back(tape.calls, claims, layers)
    first = next((one for one in claims if one.is_upstream), None)
    numbers = [
        one
        for call in tape.calls[:way_back]
        for one in call.outputs
        if one.is_float and np.prod(one.shape) == 1 and id(one) in reached
    ]
    most = max((len(reached[id(one)]) for one in numbers), default=0)
    scalar = next((n for n in reversed(numbers) if len(reached[id(n)]) == most), None)
    total = [one for one in claims if one.layer is None]
    for one in total:  # straight-line code that names the gradient of its result
        if scalar is not None and one.tensor is scalar:
            return scalar, _seed(one.gradient)
    if first is not None:
        last = first.tensor
        behind = scalar is not None and id(last) in reached[id(scalar)]
        if scalar is None or scalar is last or not behind:
            return last, _seed(first.gradient)
        if np.prod(last.shape) == 1 and not total:
            return last, _seed(first.gradient)
    if scalar is None:
        raise InputError(
            "no number was found that the gradients are of",
            "compute the loss before its gradient",
        )
    return scalar, np.ones(scalar.shape) if scalar.shape else None


def _seed(gradient: Array) -> Array | None:
    return None if not gradient.shape and gradient == 1 else gradient


def _way_back(
    calls: Sequence[Call], claims: Sequence[Claim], layers: Sequence[Layer]
) -> int:
    """Return the number of the first call that is a part of the way back."""
    begins = [one.before for one in layers if one.rule is not None]
    numbers = {id(call): number for number, call in enumerate(calls)}
    texts = Texts()
    for claim in claims:
        made, written = claim.begins
        if made is not None and _is_of_gradient(made, texts):
            begins.append(numbers.get(id(made), len(calls)))
        elif written is not None:  # dscores = probs, and then it is changed
            begins.append(numbers.get(id(written), len(calls)))
    return min(begins, default=len(calls))


def _is_of_gradient(call: Call, texts: Texts) -> bool:
    """Tell whether what a call has made is called a gradient where it is made."""
    spot = texts.spot(call.place.active.code, call.place.at)
    return any(whose(name) for name in spot.targets)


# ------------------------------------------------------------------------- the claims


def own_of(
    calls: Sequence[Call], claims: Sequence[Claim], output: Tensor
) -> dict[int, Array]:
    """Return the gradients that were claimed, by the identity of arrays.

    What a layer's rule sends to an array is all of its gradient where the array was
    used in that layer alone.
    """
    uses = _uses(calls, output)
    found: dict[int, Array] = {}
    parts: dict[int, dict[int, Claim]] = {}
    for one in claims:
        if one.layer is not None and not one.is_upstream:
            parts.setdefault(id(one.tensor), {})[id(one.layer)] = one
    for key, group in parts.items():
        outermost = [one for one in group.values() if not _is_inside(one, group)]
        spans = [(one.layer.start, one.layer.stop) for one in outermost if one.layer]
        if all(any(a <= use < b for a, b in spans) for use in uses.get(key, ())):
            found[key] = (
                sum(one.gradient for one in outermost[1:]) + outermost[0].gradient
            )
    found |= {id(one.tensor): one.gradient for one in claims if one.layer is None}
    found |= {id(one.tensor): one.gradient for one in claims if one.is_upstream}
    return found


def _is_inside(claim: Claim, group: Mapping[int, Claim]) -> bool:
    inner: Any = claim.layer
    others = [one.layer for one in group.values() if one.layer is not None]
    return any(
        one.start <= inner.start and inner.stop <= one.stop and one.depth < inner.depth
        for one in others
    )


def _uses(calls: Sequence[Call], output: Tensor) -> dict[int, list[int]]:
    """Return the numbers of the calls that use each array on the way to the output."""
    needed, found = {id(output)}, dict[int, list[int]]()
    for number in range(len(calls) - 1, -1, -1):
        call = calls[number]
        if any(id(one) in needed for one in call.outputs):
            for one in call.inputs:
                needed.add(id(one))
                found.setdefault(id(one), []).append(number)
    return found


def _flow(
    calls: Iterable[Call], own: Mapping[int, Array], layers: Iterable[Layer]
) -> None:
    """Mark what a gradient flows through, and parameters."""
    given = {id(one) for layer in layers for one in layer.given.values()}
    held = {id(one): one for layer in layers for one in layer.held.values()}
    inside = {*given, *held, *own}
    for layer in layers:
        for one in (*layer.given.values(), *layer.held.values()):
            one.flows = one.is_float
            if id(one) in held and id(one) not in given and id(one) in own:
                one.kind = "parameter"
    for call in calls:
        for one in call.inputs:
            one.flows = one.flows or (one.is_float and id(one) in inside)
            if id(one) in own and not given and not held:
                one.kind = "parameter"
        if any(one.flows for one in call.inputs):
            for one in call.outputs:
                one.flows = one.is_float


def _own_rules(layers: Sequence[Layer], names: Mapping[int, str]) -> None:
    """Let the frames of layers be called so, and have their authors' rules."""
    for layer in layers:
        rule = layer.rule
        if layer.is_outer or rule is None:
            if layer.thing is not None:
                layer.active.owner = Owner(layer.thing)
            continue
        kind = layer.code.co_name if layer.thing is None else type(layer.thing).__name__
        name = names.get(id(layer.thing), kind) if layer.thing is not None else kind
        file = Path(rule.co_filename).name
        place = clean(f"{rule.co_qualname} ({file}:{rule.co_firstlineno})")
        layer.active.owner = Owner(SimpleNamespace(__name__=name), rule=place)

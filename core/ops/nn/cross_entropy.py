"""The loss of classes, more stable than the parts that it is made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..table import Array, Case, Op, Parameter, Rule, Shape, checks
from ..table.axes import along_axis, greatest, without_axis
from ..table.wide import DOUBLE, NOT_TOGETHER, careful, in_range, wide, wide_result
from .cross_entropy_words import BY_CHANCES, BY_LOGITS, wording
from .losses import REDUCTION, class_axis, moved, reduced, shares
from .softmax import log_softmax, softmax

if TYPE_CHECKING:
    from collections.abc import Callable


class _Options(NamedTuple):
    """What a loss of classes may be told besides, as an attribute or an operand."""

    weight: Array | None = None  # what each class counts
    ignore_index: int | None = None  # the class number of what does not count
    label_smoothing: float = 0  # how much of the target all classes share

    @property
    def plain(self) -> bool:
        """Whether nothing is told."""
        return self.weight is None and not (
            self.label_smoothing or self.ignore_index is not None
        )


def _shape(
    input: Shape,
    target: Shape,
    weight: Shape | None = None,
    *,
    reduction: str = "mean",
    axis: int = 1,
    ignore_index: int | None = None,
    **_others: Any,
) -> Shape:
    if not input:
        raise ValueError("cross_entropy: input () is one number; it has no classes")
    along = class_axis(input, axis)
    if input[along] == 0:
        raise ValueError(f"cross_entropy: {input} has no numbers along axis {axis}")
    rows = without_axis(input, along)
    if target not in {rows, input}:
        raise ValueError(
            f"cross_entropy: input {input} with classes along axis {along} takes "
            f"targets of shape {rows}, class numbers, or {input}, probabilities; "
            f"not {target}"
        )
    if weight is not None and weight != (input[along],):
        raise ValueError(
            f"cross_entropy: weight {weight} does not fit input {input}: one number "
            f"for each class is of shape {(input[along],)}"
        )
    if ignore_index is not None and target == input:
        raise ValueError("cross_entropy: probabilities have no class to ignore")
    return rows if reduction == "none" else ()


def _sample_letters(
    input: Shape,
    target: Shape,
    *weight: Shape,
    reduction: str = "mean",
    axis: int = 1,
    ignore_index: int | None = None,
    **_others: Any,
) -> str:
    """Return the axis letters: the loss of a sample depends on no other sample.

    In a mean with weights it does: they add up to what the sum is divided by.
    """
    along = class_axis(input, axis)
    letters = along_axis(input, axis=along).partition("->")[0]
    if reduction == "mean" and (weight or ignore_index is not None):
        letters = "*" * len(input)
    rows = letters[:along] + letters[along + 1 :]
    losses = rows if reduction == "none" else ""
    weights = ",*" if weight else ""
    return f"{letters},{letters if target == input else rows}{weights}->{losses}"


def _check_class_numbers(input: Array, target: Array, along: int) -> None:
    """Raise `ValueError` where a target is not the number of a class."""
    if target.dtype.kind not in "iu":
        raise ValueError(
            f"cross_entropy: class numbers are whole numbers, not {target.dtype}"
        )
    count = input.shape[along]
    # Without a sign, numbers below 0 are large.
    if np.maximum.reduce(target.astype(np.uint64), None, initial=0) >= count:
        wrong = target[(target < 0) | (target >= count)]
        raise ValueError(
            f"cross_entropy: there is no class {wrong.flat[0]}; "
            f"allowed: 0 … {count - 1}"
        )


def _picked(target: Array, along: int) -> tuple[Array, ...]:
    """Return the index of the logits that class numbers choose."""
    if target.ndim == 1:
        samples = np.arange(target.size)  # as below, several times faster
        return (samples, target) if along else (target, samples)
    places: list[Array] = [*np.indices(target.shape, sparse=True)]
    places.insert(along, target)
    return tuple(places)


def _probabilities(input: Array, target: Array) -> Array:
    return target.astype(input.dtype) if target.dtype.kind in "biu" else target


def _left(target: Array, options: _Options) -> Array:
    """Tell which samples are left: their class number is not one to ignore."""
    return np.asarray(target != options.ignore_index)


def _counts(input: Array, target: Array, along: int, options: _Options) -> Array:
    """Return how much each class counts in the loss of each sample."""
    classes: int = input.shape[along]
    weights = options.weight
    weights = np.ones(classes, input.dtype) if weights is None else weights
    column = (-1, *[1] * (input.ndim - along - 1))
    left, counts = True, target
    if target.ndim != input.ndim:
        left = np.expand_dims(_left(target, options), along)
        numbers: Array = np.arange(classes)
        counts = np.asarray(np.expand_dims(target, along) == numbers.reshape(column))
    counts, even = _probabilities(input, counts), options.label_smoothing
    counts = (1 - even) * counts + even / classes if even else counts
    return np.asarray(counts * (np.reshape(weights, column) * left))


def _total_weight(input: Array, target: Array, along: int, options: _Options) -> Any:
    """Return what a mean divides by: what the right classes of all samples count."""
    if target.ndim == input.ndim:
        return math.prod(without_axis(input.shape, along))
    even = options._replace(label_smoothing=0)
    return np.sum(_counts(input, target, along, even))


def _told_losses(
    input: Array, target: Array, reduction: str, along: int, options: _Options
) -> Array:
    if target.ndim != input.ndim:
        _check_class_numbers(input, target[_left(target, options)], along)
    counts = _counts(input, target, along, options)
    terms = counts * log_softmax(input, axis=along)
    if target.ndim != input.ndim:
        terms = np.where(counts == 0, 0, terms)
    losses = -np.sum(terms, along)
    if reduction != "mean":
        return reduced(losses, reduction)
    return np.asarray(
        np.sum(losses) / _total_weight(input, target, along, options), losses.dtype
    )[()]


@wide_result
def _forward(
    input: Array,
    target: Array,
    weight: Array | None = None,
    *,
    reduction: str = "mean",
    axis: int = 1,
    **told: Any,
) -> Array:
    along = class_axis(input.shape, axis)
    target = np.asarray(target)
    options = _Options(weight, **told)
    if not options.plain:
        return _told_losses(input, target, reduction, along, options)
    if target.ndim == input.ndim:
        logs = log_softmax(input, axis=along)
        losses = -np.sum(_probabilities(input, target) * logs, along)
    else:
        losses, _, _ = _class_losses(input, target, along)
    return reduced(losses, reduction)


def _class_losses(
    input: Array, target: Array, along: int
) -> tuple[Array, Array, tuple[Array, ...]]:
    """Return the losses of class numbers, softmax of the logits, and its right places.

    The right ones are picked, not multiplied by 0 and 1: another logit may be −inf.
    """
    shifted = input - greatest(input, along)
    powers = np.exp(shifted)
    total = np.add.reduce(powers, along, keepdims=True)
    _check_class_numbers(input, target, along)
    right = _picked(target, along)
    losses = np.log(total).reshape(target.shape) - shifted[right]
    powers /= total
    return losses, powers, right


@in_range
def _together(
    input: Array,
    target: Array,
    weight: Array | None = None,
    *,
    reduction: str = "mean",
    axis: int = 1,
    **told: Any,
) -> tuple[Array | None, Array | None]:
    """Return the loss and its slopes by the logits; of plain class numbers alone."""
    target = np.asarray(target)
    if target.ndim == input.ndim or not _Options(weight, **told).plain:
        return NOT_TOGETHER
    along = class_axis(input.shape, axis)
    losses, slopes, right = _class_losses(np.asarray(input, DOUBLE), target, along)
    slopes[right] -= 1
    return reduced(losses, reduction).astype(input.dtype), slopes


def _logit_slopes(input: Array, target: Array, along: int, options: _Options) -> Array:
    target = np.asarray(target)
    if target.ndim == input.ndim or not options.plain:
        chances = _counts(input, target, along, options)
        whole = np.sum(chances, along, keepdims=True)
        return softmax(input, axis=along) * whole - chances
    _, slopes, right = _class_losses(input, target, along)
    slopes[right] -= 1
    return slopes


def _row_shares(
    g: Array, input: Array, target: Array, reduction: str, along: int, options: _Options
) -> Array:
    """Return the upstream gradient of the loss of each sample."""
    if reduction == "mean" and not options.plain:
        total = _total_weight(input, np.asarray(target), along, options)
        return np.divide(g, total) if total else np.zeros_like(g)
    each = shares(g, without_axis(input.shape, along), reduction)
    return np.expand_dims(each, along) if each.ndim else each


def _chance_slopes(input: Array, target: Array, along: int, options: _Options) -> Array:
    logs = -log_softmax(input, axis=along)
    if options.plain:
        return logs
    # By the target, all that is added to it is constant.
    return (
        logs
        * _counts(
            input, np.ones_like(input), along, options._replace(label_smoothing=0)
        )
        * (1 - options.label_smoothing)
    )


def _class_rules(slopes_of: Rule) -> tuple[Rule, Rule]:
    """Return the vjp and the jvp of a loss of classes, by the slopes of its rows."""

    @wide
    def vjp(
        g: Any,
        _y: Any,
        input: Any,
        target: Any,
        weight: Any = None,
        *,
        reduction: str = "mean",
        axis: int = 1,
        **told: Any,
    ) -> Array:
        along, options = class_axis(input.shape, axis), _Options(weight, **told)
        share = _row_shares(g, input, target, reduction, along, options)
        slopes = slopes_of(input, target, along, options)
        if options.ignore_index is not None:
            # What is ignored is sent nothing, even of an infinity.
            left = _left(np.asarray(target), options)
            share = np.where(np.expand_dims(left, along), share, 0)
        return slopes * share

    @wide
    def jvp(
        t: Any,
        _y: Any,
        input: Any,
        target: Any,
        weight: Any = None,
        *,
        reduction: str = "mean",
        axis: int = 1,
        **told: Any,
    ) -> Array:
        along, options = class_axis(input.shape, axis), _Options(weight, **told)
        change = np.sum(moved(slopes_of(input, target, along, options), t), along)
        if reduction != "mean" or options.plain:
            return reduced(change, reduction)
        one = np.ones((), change.dtype)
        share = _row_shares(one, input, target, reduction, along, options)
        return np.asarray(np.sum(change) * share)[()]

    return vjp, jvp


@careful
def _share_of_slopes(g: Any, slopes: Array, reduction: str, along: int) -> Array:
    each = shares(
        np.asarray(g, slopes.dtype), without_axis(slopes.shape, along), reduction
    )
    return slopes * (np.expand_dims(each, along) if each.ndim else each)


def _by_logits(
    g: Any,
    y: Any,
    input: Any,
    *others: Any,
    reduction: str = "mean",
    axis: int = 1,
    slopes: Any = None,
    **told: Any,
) -> Array:
    """Return the contribution to the logits; of slopes that are known in one step."""
    if slopes is not None:
        return _share_of_slopes(g, slopes, reduction, class_axis(input.shape, axis))
    return _CLASS_VJPS[0](g, y, input, *others, reduction=reduction, axis=axis, **told)


# ---------------------------------------------------------------------- special results


def _case(holds: Callable[..., Any], whole: Callable[[Any], Any]) -> Rule:
    """Return where a case is: for each sample, or for the `whole` of them.

    `holds(input, target, along, options)` tells it for each sample.
    """

    def case(
        _y: Array,
        input: Array,
        target: Array,
        *weight: Array,
        reduction: str = "mean",
        axis: int = 1,
        **told: Any,
    ) -> Any:
        along = class_axis(input.shape, axis)
        options = _Options(weight[0] if weight else None, **told)
        found = holds(input, np.asarray(target), along, options)
        return found if reduction == "none" else whole(found)

    return case


def _sample_with(bad: float) -> Rule:
    """Return where the largest logit of a sample that counts is `bad`."""

    def holds(input: Array, target: Array, along: int, options: _Options) -> Any:
        found = np.max(input, along) == bad
        is_told = options.ignore_index is not None
        return found & _left(target, options) if is_told else found

    return _case(holds, np.any)


def _is_left_out(_input: Array, target: Array, _along: int, options: _Options) -> Any:
    """Tell where a sample does not count."""
    return options.ignore_index is not None and ~_left(target, options)


def _are_all_told(
    _input: Array, _target: Array, _along: int, options: _Options
) -> bool:
    """Tell whether all samples count alike."""
    return options.weight is None and options.ignore_index is None


def _is_by_chances(input: Array, target: Array, along: int, options: _Options) -> Any:
    """Tell where a probability of 0 meets a logarithm of 0."""
    if target.ndim != input.ndim or not options.plain:
        return False
    return np.any((target == 0) & np.isinf(log_softmax(input, axis=along)), along)


def _is_certain(input: Array, target: Array, along: int, options: _Options) -> Any:
    """Tell where one class alone has a probability, and is the right one."""
    if not options.plain:
        return False
    logs = log_softmax(input, axis=along)
    if target.ndim == input.ndim:
        return np.all((target == 0) | (logs == 0), along)
    right = np.take_along_axis(logs, np.expand_dims(target, along), along)
    return np.squeeze(right == 0, along)


# ----------------------------------------------------------------------------- the rows


_LEFT_OUT: Final = _case(_is_left_out, np.all)
_CERTAIN: Final = _case(_is_certain, np.all)
_CLASS_VJPS, _CLASS_JVPS = zip(
    _class_rules(_logit_slopes), _class_rules(_chance_slopes), strict=True
)


ROWS: Final[tuple[Op, ...]] = (
    Op(
        name="cross_entropy",
        operands=("input", "target", "weight"),
        forward=_forward,
        shape=_shape,
        vjps=(_by_logits, _CLASS_VJPS[1], None),
        jvps=(*_CLASS_JVPS, None),
        kind="block",
        symbol="cross_entropy({input}, {target})",
        code="cross_entropy({input}, {target})",
        forms=(BY_LOGITS, BY_CHANCES, None),
        summary="−log softmax(input) at the class, or weighted by probabilities.",
        analytic=True,
        parameters=(
            REDUCTION,
            Parameter("axis", checks.whole, 1),
            Parameter("ignore_index", checks.optional(checks.whole), None),
            Parameter("label_smoothing", checks.share, 0.0),
        ),
        optional=1,
        order=(
            *("input", "target", "reduction", "axis", "weight"),
            *("ignore_index", "label_smoothing"),
        ),
        axis_letters=_sample_letters,
        together=_together,
        corner="logits [0, 800] with class 0: the loss is 800, the gradient [−1, 1], "
        "for nothing is added inside the logarithm; no gradient flows into weight; "
        "the mean of no sample, where all are ignored, is nan and its gradient 0",
        wording=wording,
        cases=(
            Case("nan", "nothing left", _LEFT_OUT),
            Case("nan", "masked row", _sample_with(-np.inf)),
            Case("nan", "infinite row", _sample_with(np.inf)),
            Case("nan", "zero times infinity", _case(_is_by_chances, np.any)),
            Case("zero", "left out", _LEFT_OUT),
            Case("zero", "certain", _CERTAIN),
            Case("flat", "left out", _LEFT_OUT, 0),
            Case("flat", "certain", _CERTAIN, 0),
            Case("flat", "predicted", _case(_are_all_told, np.all), 0),
            Case("flat", "left out or right", argument=0),
            Case("flat", "certain", argument=1),
        ),
        makes_own=("softmax",),
        work=(1, 1),
    ),
)

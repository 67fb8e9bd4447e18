"""Losses that are more stable than the parts they are made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..table import (
    Array,
    Case,
    Form,
    Op,
    Parameter,
    Rule,
    Shape,
    checks,
)
from ..table.axes import LETTERS, along_axis, mean, reduced_axes, without_axis
from ..table.wide import DOUBLE, NOT_TOGETHER, in_range, wide, wide_result
from .softmax import log_softmax, softmax

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REDUCTION: Final = Parameter("reduction", checks.choice("mean", "sum", "none"), "mean")


# ------------------------------------------------------------------------------ classes


def reduced(losses: Array, reduction: str) -> Array:
    """Return the mean of losses, their sum, or all of them."""
    if reduction == "none":
        return losses
    return mean(losses) if reduction == "mean" else np.asarray(losses.sum())[()]


def shares(g: Array, shape: Shape, reduction: str) -> Array:
    """Return the upstream gradient of each loss, from that of the reduced one."""
    return np.divide(g, math.prod(shape) if reduction == "mean" else 1)


def _class_axis(input: Shape, axis: int) -> int:
    return 0 if len(input) == 1 else reduced_axes(input, axis)[0]


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


def _cross_entropy_shape(
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
    along = _class_axis(input, axis)
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
    along = _class_axis(input, axis)
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
    wrong = target[(target < 0) | (target >= count)]
    if wrong.size:
        raise ValueError(
            f"cross_entropy: there is no class {wrong.flat[0]}; "
            f"allowed: 0 … {count - 1}"
        )


def _picked(target: Array, along: int) -> tuple[Array, ...]:
    """Return the index of the logits that class numbers choose."""
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
def _cross_entropy(
    input: Array,
    target: Array,
    weight: Array | None = None,
    *,
    reduction: str = "mean",
    axis: int = 1,
    **told: Any,
) -> Array:
    along = _class_axis(input.shape, axis)
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
    shifted = input - input.max(along, keepdims=True)
    powers = np.exp(shifted)
    total = powers.sum(along, keepdims=True)
    _check_class_numbers(input, target, along)
    right = _picked(target, along)
    losses = np.log(total).reshape(target.shape) - shifted[right]
    powers /= total
    return losses, powers, right


@in_range
def _cross_entropy_together(
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
    along = _class_axis(input.shape, axis)
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


def _moved(slopes: Array, t: Array) -> Array:
    """Return slope × tangent; what does not move is 0, even at an infinite slope."""
    return np.where(t == 0, 0, slopes * t)


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
        slopes: Any = None,
        **told: Any,
    ) -> Array:
        along, options = _class_axis(input.shape, axis), _Options(weight, **told)
        share = _row_shares(g, input, target, reduction, along, options)
        if slopes is None:
            slopes = slopes_of(input, target, along, options)
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
        along, options = _class_axis(input.shape, axis), _Options(weight, **told)
        change = np.sum(_moved(slopes_of(input, target, along, options), t), along)
        if reduction != "mean" or options.plain:
            return reduced(change, reduction)
        one = np.ones((), change.dtype)
        share = _row_shares(one, input, target, reduction, along, options)
        return np.asarray(np.sum(change) * share)[()]

    return vjp, jvp


# -------------------------------------------------------------------------- two classes


def _binary_shape(input: Shape, target: Shape, *, reduction: str = "mean") -> Shape:
    if input != target:
        raise ValueError(
            f"binary_cross_entropy_with_logits: input {input} and target {target} "
            "must have one shape"
        )
    return input if reduction == "none" else ()


def _element_letters(input: Shape, _target: Shape, *, reduction: str = "mean") -> str:
    letters = LETTERS[: len(input)]
    return f"{letters},{letters}->{letters if reduction == 'none' else ''}"


@wide_result
def _binary(input: Array, target: Array, *, reduction: str = "mean") -> Array:
    target = _like(target, input)
    # Of two large numbers that cancel, only the difference is ever computed.
    losses = np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))
    if not np.all(np.isfinite(input)):
        # ∞ · (1 − target), where it would be ∞ − ∞ · target.
        straight = input * ((input > 0) - target)
        losses = np.where(np.isfinite(input), losses, straight)
    return reduced(losses, reduction)


def _like(target: Any, input: Array) -> Array:
    """Return whole numbers and truths in the dtype of the logits."""
    array = np.asarray(target)
    return array.astype(np.asarray(input).dtype) if array.dtype.kind in "biu" else array


def _sigmoid(x: Array) -> Array:
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def _binary_rules(slopes: Callable[[Array, Array], Array]) -> tuple[Rule, Rule]:
    """Return the vjp and the jvp of a loss of elements, by its slopes."""

    @wide
    def vjp(g: Any, _y: Any, input: Any, target: Any, reduction: str = "mean") -> Array:
        return slopes(input, target) * shares(g, np.shape(input), reduction)

    @wide
    def jvp(t: Any, _y: Any, input: Any, target: Any, reduction: str = "mean") -> Array:
        return reduced(_moved(slopes(input, target), t), reduction)

    return vjp, jvp


# ---------------------------------------------------------------------- special results


def _sample_with(bad: float) -> Rule:
    """Return where the largest logit of a sample is `bad`."""

    def holds(
        _y: Array,
        input: Array,
        target: Array,
        *_weight: Array,
        reduction: str = "mean",
        axis: int = 1,
        ignore_index: int | None = None,
        **_others: Any,
    ) -> Any:
        found = np.max(input, _class_axis(input.shape, axis)) == bad
        if ignore_index is not None:
            found = found & (target != ignore_index)
        return found if reduction == "none" else np.any(found)

    return holds


def _is_left_out(
    _y: Array,
    _input: Array,
    target: Array,
    *_weight: Array,
    reduction: str = "mean",
    ignore_index: int | None = None,
    **_others: Any,
) -> Any:
    """Tell where a sample does not count, or that none of them does."""
    if ignore_index is None:
        return False
    found = np.asarray(target == ignore_index)
    return found if reduction == "none" else np.all(found)


def _are_all_told(
    _y: Array,
    _input: Array,
    _target: Array,
    *weight: Array,
    ignore_index: int | None = None,
    **_others: Any,
) -> bool:
    """Tell whether all samples count."""
    return not weight and ignore_index is None


def _is_by_chances(
    _y: Array,
    input: Array,
    target: Array,
    *weight: Array,
    reduction: str = "mean",
    axis: int = 1,
    **told: Any,
) -> Any:
    """Tell where a probability of 0 meets a logarithm of 0."""
    if (
        np.ndim(target) != np.ndim(input)
        or not _Options(weight[0] if weight else None, **told).plain
    ):
        return False
    along = _class_axis(input.shape, axis)
    found = (target == 0) & np.isinf(log_softmax(input, axis=along))
    found = np.any(found, along)
    return found if reduction == "none" else np.any(found)


def _are_truths(
    _y: Array, _input: Array, targets: Array, *, reduction: str = "mean"
) -> Any:
    found = (targets == 0) | (targets == 1)
    return found if reduction == "none" else np.all(found)


def _infinity_at(target: float | None) -> Rule:
    """Return where a logit is infinite, at such a target; at any one with None."""

    def holds(
        _y: Array, input: Array, targets: Array, *, reduction: str = "mean"
    ) -> Any:
        found = np.isinf(input)
        if target is not None:
            found = found & (targets == target)
        return found if reduction == "none" else np.any(found)

    return holds


def _is_certain(
    _y: Array,
    input: Array,
    target: Array,
    *weight: Array,
    reduction: str = "mean",
    axis: int = 1,
    **told: Any,
) -> Any:
    """Tell where one class alone has a probability, and is the right one.

    It is so for each sample, or for all of them.
    """
    along = _class_axis(input.shape, axis)
    if not _Options(weight[0] if weight else None, **told).plain:
        return False
    logs = log_softmax(input, axis=along)
    if np.ndim(target) == np.ndim(input):
        found = np.all((target == 0) | (logs == 0), along)
    else:
        found = np.squeeze(
            np.take_along_axis(logs, np.expand_dims(target, along), along) == 0, along
        )
    return found if reduction == "none" else np.all(found)


# -------------------------------------------------------------------------------- words


def _log_sum(name: str, axis: int) -> str:
    """Return the logarithm of the sum of exponentials, the axis kept, in NumPy."""
    most = f"np.max({name}, {axis}, keepdims=True)"
    return f"{most} + np.log(np.sum(np.exp({name} - {most}), {axis}, keepdims=True))"


def reduced_code(losses: str, reduction: str) -> str:
    """Return `reduced` in NumPy."""
    return losses if reduction == "none" else f"np.{reduction}({losses})"


def share_words(reduction: str, count: int, axis: int | None = None) -> tuple[str, str]:
    """Return the upstream gradient of each loss, in symbols and in NumPy."""
    if reduction == "none":
        return "{g}", "{g}" if axis is None else f"np.expand_dims({{g}}, {axis})"
    is_sum = reduction == "sum" or count == 1
    share = "{g}" if is_sum else f"{{g}} / {count}"
    return share, share


def _cross_entropy_wording(
    input: Shape,
    target: Shape,
    *weight: Shape,
    reduction: str = "mean",
    axis: int = 1,
    ignore_index: int | None = None,
    label_smoothing: float = 0,
) -> Mapping[str, Any]:
    along = _class_axis(input, axis)
    total = _log_sum("{input}", along)
    share, share_code = share_words(
        reduction, math.prod(without_axis(input, along)), along
    )
    is_plain = not (weight or ignore_index is not None or label_smoothing)
    counts, code = _counts_words(
        input, target, along, bool(weight), ignore_index, label_smoothing
    )
    if not is_plain:
        losses = f"np.sum(COUNTS * ({total} - {{input}}), {along})"
        if target != input:
            losses = losses.replace("COUNTS", f"np.where({code} == 0, 0, {code})")
        losses = losses.replace("COUNTS", code)
    elif target == input:
        losses = f"np.sum({{target}} * ({total} - {{input}}), {along})"
    else:
        picked = f"np.expand_dims({{target}}, {along})"
        picked = f"np.take_along_axis({{input}}, {picked}, {along})"
        losses = f"np.squeeze({total} - {picked}, {along})"
    forward = reduced_code(losses, reduction)
    if reduction == "mean" and not is_plain and target != input:
        words, divided = _counts_words(
            input, target, along, bool(weight), ignore_index, 0
        )
        share, share_code = f"{{g}} / Σ {words}", f"{{g}} / np.sum({divided})"
        forward = f"np.sum({losses}) / np.sum({divided})"
    every = f"np.sum({code}, {along}, keepdims=True)"
    chances = f"np.exp({{input}} - ({total}))"
    local = f"softmax({{input}}) · Σ {counts} − {counts}"
    slopes = f"{chances} * {every} - {code}"
    if is_plain and target != input:
        local = "softmax({input}) − onehot({target})"
        onehot = f"np.moveaxis(np.eye({input[along]})[{{target}}], -1, {along})"
        slopes = f"{chances} - {onehot}"
    by_input = _BY_LOGITS._replace(
        local=local,
        product=f"({local}) ∘ {share}",
        code=f"({slopes}) * {share_code}",
    )
    times, factor = _chance_words(input, along, bool(weight), label_smoothing)
    by_target = _BY_CHANCES._replace(
        local=f"−log softmax({{input}}){times}",
        product=f"−log softmax({{input}}){times} ∘ {share}",
        code=f"({total} - {{input}}){factor} * {share_code}",
    )
    return {"code": forward, "forms": (by_input, by_target, *[None] * len(weight))}


def _column(input: Shape, along: int, name: str) -> str:
    """Return what stands for each class, along the axis of the classes, in NumPy."""
    after = len(input) - along - 1
    return f"np.reshape({name}, {(-1, *[1] * after)})" if after else name


def _counts_words(
    input: Shape,
    target: Shape,
    along: int,
    weighs: bool,
    ignore_index: int | None,
    even: float,
) -> tuple[str, str]:
    """Return how much each class counts, in symbols and in NumPy."""
    words, code = "{target}", "{target}"
    numbers = f"np.expand_dims({{target}}, {along})"
    if target != input:
        classes = _column(input, along, f"np.arange({input[along]})")
        words, code = "onehot({target})", f"({numbers} == {classes})"
    if even:
        words = f"({1 - even} {words} + {even} / {input[along]})"
        code = f"({1 - even!r} * {code} + {even / input[along]!r})"
    if weighs:
        words, code = (
            f"{{weight}} ∘ {words}",
            f"{code} * {_column(input, along, '{weight}')}",
        )
    if ignore_index is not None:
        words += f" [{{target}} ≠ {ignore_index}]"
        code = f"{code} * ({numbers} != {ignore_index})"
    is_made = weighs or ignore_index is not None
    return (f"({words})", f"({code})") if is_made else (words, code)


def _chance_words(
    input: Shape, along: int, weighs: bool, even: float
) -> tuple[str, str]:
    """Return what the slope by a probability is multiplied by."""
    words, code = "", ""
    if weighs:
        words, code = " ∘ {weight}", f" * {_column(input, along, '{weight}')}"
    if even:
        words, code = f"{words} · {1 - even}", f"{code} * {1 - even!r}"
    return words, code


def _binary_wording(
    input: Shape, _target: Shape, *, reduction: str = "mean"
) -> Mapping[str, Any]:
    share, code = share_words(reduction, math.prod(input))
    by_input, by_target = _BINARY_FORMS
    return {
        "code": reduced_code(_BINARY_CODE, reduction),
        "forms": (
            by_input._replace(
                product=f"({by_input.local}) ∘ {share}",
                code=f"({_SIGMOID_CODE} - {{target}}) * {code}",
            ),
            by_target._replace(
                product=f"−{{input}} ∘ {share}", code=f"-{{input}} * {code}"
            ),
        ),
    }


# ----------------------------------------------------------------------------- the rows


_SIGMOID_CODE: Final = "np.exp(np.minimum({input}, 0)) / (1 + np.exp(-np.abs({input})))"
_BINARY_CODE: Final = (
    "np.maximum({input}, 0) - {input} * {target} + np.log1p(np.exp(-np.abs({input})))"
)
_BY_LOGITS: Final = Form(
    "softmax({input}) − {target}",
    "(softmax({input}) − {target}) ∘ {g}",
    "{g}",
    "of the loss's logarithm of a quotient, the numerator gives −target and the sum "
    "below gives softmax: what is predicted minus what is right",
)
_BY_CHANCES: Final = Form(
    "−log softmax({input})",
    "−log softmax({input}) ∘ {g}",
    "{g}",
    "the loss is a sum of probabilities times −log softmax",
)
_BINARY_FORMS: Final = (
    Form(
        "σ({input}) − {target}",
        "(σ({input}) − {target}) ∘ {g}",
        "{g}",
        "what is predicted minus what is right",
    ),
    Form("−{input}", "−{input} ∘ {g}", "{g}", "the loss contains −input · target"),
)


_CLASS_VJPS, _CLASS_JVPS = zip(
    _class_rules(_logit_slopes), _class_rules(_chance_slopes), strict=True
)
_BINARY_VJPS, _BINARY_JVPS = zip(
    _binary_rules(lambda x, target: _sigmoid(x) - _like(target, x)),
    _binary_rules(lambda x, _target: -x),
    strict=True,
)


ROWS: Final[tuple[Op, ...]] = (
    Op(
        name="cross_entropy",
        operands=("input", "target", "weight"),
        forward=_cross_entropy,
        shape=_cross_entropy_shape,
        vjps=(*_CLASS_VJPS, None),
        jvps=(*_CLASS_JVPS, None),
        kind="block",
        symbol="cross_entropy({input}, {target})",
        code="cross_entropy({input}, {target})",
        forms=(_BY_LOGITS, _BY_CHANCES, None),
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
        together=_cross_entropy_together,
        corner="logits [0, 800] with class 0: the loss is 800, the gradient [−1, 1], "
        "for nothing is added inside the logarithm; no gradient flows into weight; "
        "the mean of no sample, where all are ignored, is nan and its gradient 0",
        wording=_cross_entropy_wording,
        cases=(
            Case("nan", "nothing left", _is_left_out),
            Case("nan", "masked row", _sample_with(-np.inf)),
            Case("nan", "infinite row", _sample_with(np.inf)),
            Case("nan", "zero times infinity", _is_by_chances),
            Case("zero", "left out", _is_left_out),
            Case("zero", "certain", _is_certain),
            Case("flat", "left out", _is_left_out, 0),
            Case("flat", "certain", _is_certain, 0),
            Case("flat", "predicted", _are_all_told, 0),
            Case("flat", "left out or right", argument=0),
            Case("flat", "certain", argument=1),
        ),
        makes_own=("softmax",),
    ),
    Op(
        name="binary_cross_entropy_with_logits",
        operands=("input", "target"),
        forward=_binary,
        shape=_binary_shape,
        vjps=_BINARY_VJPS,
        jvps=_BINARY_JVPS,
        kind="block",
        symbol="binary_cross_entropy({input}, {target})",
        code=_BINARY_CODE,
        forms=_BINARY_FORMS,
        summary="−log of the probability that sigmoid(input) gives to the target.",
        analytic=False,
        corner="at inf the loss is inf · (1 − target); at −inf it is inf · target, "
        "where PyTorch has nan; inf · 0 is nan, so a prediction that is certain and "
        "right has a loss of nan",
        parameters=(REDUCTION,),
        axis_letters=_element_letters,
        wording=_binary_wording,
        cases=(
            Case("nan", "zero times infinity", _infinity_at(0)),
            Case("nan", "opposite infinities", _infinity_at(None)),
            Case("zero", "certain", _are_truths),
            Case("flat", "predicted", argument=0),
        ),
        makes_own=("sigmoid",),
    ),
)

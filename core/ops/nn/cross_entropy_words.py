"""The loss of classes and its slopes, in symbols and in NumPy."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..table import Form, Shape
from ..table.axes import without_axis
from .losses import class_axis, reduced_code, share_words

if TYPE_CHECKING:
    from collections.abc import Mapping


BY_LOGITS: Final = Form(
    "softmax({input}) − {target}",
    "(softmax({input}) − {target}) ∘ {g}",
    "{g}",
    "of the loss's logarithm of a quotient, the numerator gives −target and the sum "
    "below gives softmax: what is predicted minus what is right",
)
BY_CHANCES: Final = Form(
    "−log softmax({input})",
    "−log softmax({input}) ∘ {g}",
    "{g}",
    "the loss is a sum of probabilities times −log softmax",
)


class _Told(NamedTuple):
    """The shapes of a loss of classes, and what it is told besides."""

    input: Shape
    target: Shape
    along: int  # the axis of the classes
    weighs: bool  # whether each class has a weight
    ignore_index: int | None
    even: float  # how much of the target all classes share

    @property
    def right(self) -> Decimal:
        """What is left of the target for the right class, as a person subtracts."""
        return 1 - Decimal(repr(float(self.even)))

    @property
    def samples(self) -> int:
        """How many there are, each with a logarithm of its sum."""
        return math.prod(without_axis(self.input, self.along))

    @property
    def is_plain(self) -> bool:
        """Whether nothing is told besides."""
        return not (self.weighs or self.ignore_index is not None or self.even)

    @property
    def by_number(self) -> bool:
        """Whether the targets are class numbers, not probabilities."""
        return self.target != self.input


def wording(
    input: Shape,
    target: Shape,
    *weight: Shape,
    reduction: str = "mean",
    axis: int = 1,
    ignore_index: int | None = None,
    label_smoothing: float = 0,
) -> Mapping[str, Any]:
    """Return the columns of the row in words, for operands of these shapes."""
    along = class_axis(input, axis)
    told = _Told(input, target, along, bool(weight), ignore_index, label_smoothing)
    losses = _losses_code(told)
    forward = reduced_code(losses, reduction)
    share = share_words(reduction, told.samples, along)
    if reduction == "mean" and told.by_number and not told.is_plain:
        words, code = _counts_words(told._replace(even=0))
        share = f"{{g}} / Σ {words}", f"{{g}} / np.sum({code})"
        forward = f"np.sum({losses}) / np.sum({code})"
    forms = _by_logits(told, *share), _by_chances(told, *share)
    is_plain = told.is_plain and told.by_number
    each = 1 if is_plain else 2 + _counting(told)  # exp, times what its class counts
    work = (each, 0, told.samples)
    return {"code": forward, "forms": (*forms, *[None] * len(weight)), "work": work}


def _losses_code(told: _Told) -> str:
    """Return the loss of each sample in NumPy."""
    along, total = told.along, _log_sum("{input}", told.along)
    if told.is_plain and told.by_number:
        picked = f"np.expand_dims({{target}}, {along})"
        picked = f"np.take_along_axis({{input}}, {picked}, {along})"
        return f"np.squeeze({total} - {picked}, {along})"
    _, code = _counts_words(told)
    if told.by_number:
        code = f"np.where({code} == 0, 0, {code})"
    return f"np.sum({code} * ({total} - {{input}}), {along})"


def _by_logits(told: _Told, share: str, share_code: str) -> Form:
    along = told.along
    chances = f"np.exp({{input}} - ({_log_sum('{input}', along)}))"
    if told.is_plain and told.by_number:
        local = "softmax({input}) − onehot({target})"
        onehot = f"np.moveaxis(np.eye({told.input[along]})[{{target}}], -1, {along})"
        slopes, work = f"{chances} - {onehot}", 3
    else:
        counts, code = _counts_words(told)
        local = f"softmax({{input}}) · Σ {counts} − {counts}"
        every = f"np.sum({code}, {along}, keepdims=True)"
        slopes, work = f"{chances} * {every} - {code}", 4 + _counting(told)
    return BY_LOGITS._replace(
        local=local,
        product=f"({local}) ∘ {share}",
        code=f"({slopes}) * {share_code}",
        work=(work,),
    )


def _by_chances(told: _Told, share: str, share_code: str) -> Form:
    times, factor = _chance_words(told)
    local = f"−log softmax({{input}}){times}"
    logs = f"({_log_sum('{input}', told.along)} - {{input}})"
    return BY_CHANCES._replace(
        local=local,
        product=f"{local} ∘ {share}",
        code=f"{logs}{factor} * {share_code}",
        work=(2 + told.weighs + bool(told.even), 0, told.samples),
    )


def _log_sum(name: str, axis: int) -> str:
    """Return the logarithm of the sum of exponentials, the axis kept, in NumPy."""
    most = f"np.max({name}, {axis}, keepdims=True)"
    return f"{most} + np.log(np.sum(np.exp({name} - {most}), {axis}, keepdims=True))"


def _column(told: _Told, name: str) -> str:
    """Return what stands for each class, along the axis of the classes, in NumPy."""
    after = len(told.input) - told.along - 1
    return f"np.reshape({name}, {(-1, *[1] * after)})" if after else name


def _counts_words(told: _Told) -> tuple[str, str]:
    """Return how much each class counts, in symbols and in NumPy."""
    words, code = "{target}", "{target}"
    along, classes, even = told.along, told.input[told.along], told.even
    numbers = f"np.expand_dims({{target}}, {along})"
    if told.by_number:
        words = "onehot({target})"
        code = f"({numbers} == {_column(told, f'np.arange({classes})')})"
    if even:
        words = f"({told.right} {words} + {even} / {classes})"
        code = f"({1 - even!r} * {code} + {even / classes!r})"
    if told.weighs:
        words = f"{{weight}} ∘ {words}"
        code = f"{code} * {_column(told, '{weight}')}"
    if told.ignore_index is not None:
        words += f" [{{target}} ≠ {told.ignore_index}]"
        code = f"{code} * ({numbers} != {told.ignore_index})"
    is_made = told.weighs or told.ignore_index is not None
    return (f"({words})", f"({code})") if is_made else (words, code)


def _counting(told: _Told) -> int:
    """Return how many products it takes to find how much each class counts.

    One that is right or not is chosen, and so is one to ignore.
    """
    shared = bool(told.even and not told.by_number)
    return shared + (told.weighs and bool(told.even or not told.by_number))


def _chance_words(told: _Told) -> tuple[str, str]:
    """Return what the slope by a probability is multiplied by, likewise."""
    words, code = "", ""
    if told.weighs:
        words, code = " ∘ {weight}", f" * {_column(told, '{weight}')}"
    if told.even:
        words, code = f"{words} · {told.right}", f"{code} * {1 - told.even!r}"
    return words, code

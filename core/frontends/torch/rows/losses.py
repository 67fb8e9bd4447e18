# pyright: basic, reportMissingModuleSource=false
"""Losses, as `torch.nn.functional` has them."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ....capture.record import Tensor
from .reducing import sized
from .scattering import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

_AROUND: Final = MappingProxyType({"mean": "mean({})", "sum": "sum({})", "none": "{}"})


def _reduced(text: str, reduction: str) -> str:
    return _AROUND[reduction].format(text)


def _mse(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    if weight is not None:
        return None
    return "mse_loss(input, target, reduction=reduction)"


def _l1(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    return None if weight is not None else _reduced("abs(input - target)", reduction)


def _smooth(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    if beta == 0:
        return _reduced("abs(input - target)", reduction)
    text = "huber_loss(input, target, reduction=reduction, delta=beta)"
    return text if beta == 1 else f"{text} / beta"


def _huber(
    input: Any,
    target: Any,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Any = None,
) -> Any:
    if weight is not None:
        return None
    return "huber_loss(input, target, reduction=reduction, delta=delta)"


def _cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    axis = 1 if input.ndim > 1 else 0
    more = "" if weight is None else ", weight=weight"
    text = (
        f"cross_entropy(input, target{more}, reduction=reduction, axis=axis, "
        "ignore_index=ignored, label_smoothing=label_smoothing)"
    )
    return text, {"axis": axis, "ignored": _ignored(target, ignore_index)}


def _ignored(target: Any, index: int) -> int | None:
    """Return the class that is not counted, where it is there at all."""
    if target.is_float:
        return None
    return index if bool((target.held.value == index).any()) else None


def _nll(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    text = "nll_loss(input, target, weight, ignored, reduction)"
    return text, {"ignored": _ignored(target, ignore_index)}


def _bce(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    if weight is None:
        return "binary_cross_entropy(input, target, reduction=reduction)"
    text = 'weight * binary_cross_entropy(input, target, reduction="none")'
    return _reduced(text, reduction)


def _bce_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    if pos_weight is not None:
        text = (
            "(1 - target) * input + (1 + (pos_weight - 1) * target) * softplus(-input)"
        )
        text = text if weight is None else f"weight * ({text})"
        return _reduced(text, reduction)
    name = "binary_cross_entropy_with_logits(input, target, reduction={})"
    if weight is None:
        return name.format("reduction")
    return _reduced(f"weight * {name.format(chr(34) + 'none' + chr(34))}", reduction)


def _kl_div(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    text = "exp(target) * (target - input)"
    if not log_target:
        text = "target * (log(target) - input)"
        if not bool((target.held.value > 0).all()):  # 0 · log 0 is 0
            if target.flows:
                return None
            text = "target * (log(where(target > 0, target, 1)) - input)"
    if reduction == "batchmean":
        return f"sum({text}) / {input.shape[0]}"
    return _reduced(text, reduction)


def _triplet(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: Any = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    near, far, between = (
        sized(f"{one} + eps", p, "axis=-1")
        for one in ("anchor - positive", "anchor - negative", "positive - negative")
    )
    if swap:
        far = f"minimum({far}, {between})"
    last = _reduced("relu(margin + near - far)", reduction)
    return f"near = {near}\nfar = {far}\n{last}"


def _ranking(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    return _reduced("relu(margin - target * (input1 - input2))", reduction)


def _of_angles(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """Return cosine_embedding_loss, with its own small number below the root."""
    size = "(sum({0} * {0}, axis=-1) + 1e-12)".format
    lines = (
        f"size = sqrt({size('input1')} * {size('input2')})",
        "a = sum(input1 * input2, axis=-1) / size",
        "far = where(target == -1, relu(a - margin), 0)",
        _reduced("where(target == 1, 1 - a, far)", reduction),
    )
    return "\n".join(lines)


def _hinge(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    near = "where(target == 1, input, 0)"
    return _reduced(f"{near} + where(target == -1, relu(margin - input), 0)", reduction)


def _soft_margin(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    return _reduced("log1p(exp(-target * input))", reduction)


def _multi_margin(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    if input.ndim != 2 or weight is not None or p not in (1, 2):
        return None
    rows = np.arange(input.shape[0])
    others = np.arange(input.shape[1]) != numbers(target)[:, None]
    each = "where(others, relu(margin - right + input), 0)"
    lines = (
        "right = expand_dims(input[rows, target], -1)",
        _reduced(f"sum({each}{' ** 2' if p == 2 else ''}, axis=-1) / many", reduction),
    )
    return "\n".join(lines), {"rows": rows, "others": others, "many": input.shape[1]}


def _poisson(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    text = "exp(input) - target * input"
    if not log_input:
        text = "input - target * log(input + eps)"
    bound: dict[str, Any] = {}
    if full:
        if target.flows:
            return None
        n = target.held.value
        stirling = n * n.log() - n + 0.5 * (2 * math.pi * n).log()
        bound["rest"] = stirling.masked_fill(n <= 1, 0).numpy()
        text = f"{text} + rest"
    around = _AROUND.get(reduction if isinstance(reduction, str) else "none", "{}")
    return around.format(text), bound


# Of a way that there is none of: its exponential is 0, and its slope, too.
_NEVER: Final = -1e30


def _alignments(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Return the logarithm of a sum over all alignments, step by step.

    Graves et al., 'Connectionist temporal classification' (2006), section 4.1. The
    gradient of PyTorch is that of what goes into log_softmax: it has a softmax more
    than that of the logarithms, which log_softmax takes away again.
    """
    steps, lengths = _whole(input_lengths), _whole(target_lengths)
    labels = _labels(targets, lengths, blank)
    is_other = np.zeros(labels.shape, bool)
    is_other[:, 2:] = labels[:, 2:] != labels[:, :-2]
    again = (~is_other & (labels != blank))[:, 3:].sum(axis=1)
    if (steps < lengths + again).any() or not steps.all():
        return None  # there is no way, and the loss is infinite
    on = np.arange(log_probs.shape[0])[:, None] < steps
    lines = [
        f"x = {'log_probs' if log_probs.ndim == 3 else 'log_probs[:, None]'}",
        *_ways(on),
        "softmaxes = sum(where(on, exp(x), 0), axis=(0, 2))",
        "each = softmaxes - stop_gradient(softmaxes) - logsumexp(ends, axis=0)",
        {
            "mean": "mean(each / counts)",
            "sum": "sum(each)",
            "none": "reshape(each, out)",
        }[reduction],
    ]
    return "\n".join(lines), {
        "labels": np.repeat(labels[None], len(on), axis=0),
        "begins": np.repeat(np.arange(labels.shape[1])[None] < 2, len(labels), axis=0),
        "skips": is_other & (labels != blank),
        "on": on[:, :, None],
        "rows": np.arange(len(labels)),
        "last": 2 * lengths,
        "empty": lengths == 0,
        "counts": np.maximum(lengths, 1),
        "never": _NEVER,
    }


def _ways(on: Any) -> Iterator[str]:
    """Yield the lines of all ways to each label, as logarithms: `a` after each step.

    `on` tells at which steps a sample still goes on.
    """
    before = "pad(a, ((0, 0), ({0}, 0)), constant_values=never)[:, :-{0}]"
    yield "e = take_along_axis(x, labels, axis=2)"
    yield "a = where(begins, e[0], never)"
    for t in range(1, len(on)):
        ways = f"a, {before.format(1)}, where(skips, {before.format(2)}, never)"
        new = f"e[{t}] + logsumexp(stack([{ways}]), axis=0)"
        yield f"a = {new}" if on[t].all() else f"a = where(on[{t}], {new}, a)"
    yield "ends = stack([a[rows, last], where(empty, never, a[rows, last - 1])])"


def _whole(lengths: Any) -> Any:
    found = numbers(lengths) if isinstance(lengths, Tensor) else np.asarray(lengths)
    return found.reshape(-1)


def _labels(targets: Any, lengths: Any, blank: int) -> Any:
    """Return the classes of each sample, with blanks between, before and behind."""
    every, begins = numbers(targets), np.cumsum(lengths) - lengths
    found = np.full((len(lengths), 2 * int(lengths.max(initial=0)) + 1), blank)
    for n, (begin, length) in enumerate(zip(begins, lengths, strict=True)):
        own = every[n] if every.ndim == 2 else every[begin:]
        found[n, 1 : 2 * length : 2] = own[:length]
    return found


ROWS: Final = MappingProxyType(
    {
        "ctc_loss": _alignments,
        "mse_loss": _mse,
        "l1_loss": _l1,
        "smooth_l1_loss": _smooth,
        "huber_loss": _huber,
        "cross_entropy": _cross_entropy,
        "nll_loss": _nll,
        "binary_cross_entropy": _bce,
        "binary_cross_entropy_with_logits": _bce_with_logits,
        "kl_div": _kl_div,
        "triplet_margin_loss": _triplet,
        "cosine_embedding_loss": _of_angles,
        "hinge_embedding_loss": _hinge,
        "soft_margin_loss": _soft_margin,
        "multi_margin_loss": _multi_margin,
        "poisson_nll_loss": _poisson,
        "margin_ranking_loss": _ranking,
    }
)

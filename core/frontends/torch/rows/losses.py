# pyright: basic, reportMissingModuleSource=false
"""Losses, as `torch.nn.functional` has them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

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
        if not bool((target.held.value > 0).all()):
            return None  # 0 · log 0, which PyTorch takes for 0
        text = "target * (log(target) - input)"
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
    if p != 2:
        return None
    far = "norm(anchor - negative + eps, axis=-1)"
    if swap:
        far = f"minimum({far}, norm(positive - negative + eps, axis=-1))"
    last = _reduced("relu(margin + near - far)", reduction)
    return f"near = norm(anchor - positive + eps, axis=-1)\nfar = {far}\n{last}"


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


ROWS: Final = MappingProxyType(
    {
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
        "margin_ranking_loss": _ranking,
    }
)

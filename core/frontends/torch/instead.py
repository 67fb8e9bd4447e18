# pyright: basic, reportMissingModuleSource=false
"""Calls that hide something random: done in parts, with the same random numbers.

Each function is given the arguments of a call. It returns what to do instead, or None
where the call may go its way.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import torch

Instead = Callable[..., Callable[[], Any] | None]
_F: Final = torch.nn.functional


def _dropped(function: Any) -> Instead:
    def instead(
        input: Any,
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
        train: bool = True,
    ) -> Any:
        if not (training and train) or p == 0:
            return None

        def masked() -> Any:
            with torch._C.DisableTorchFunction():  # noqa: SLF001  # of no interest
                mask = function(torch.ones_like(input), p, True)
            return input.mul_(mask) if inplace else input * mask

        return masked

    return instead


def _driven(is_wide: bool) -> Instead:
    """Return what drops elements, or channels, to the lowest value of selu.

    The numbers are those of ATen's Dropout.cpp: the mean and the variance stay.
    """

    def instead(
        input: Any,
        p: float = 0.5,
        training: bool = False,
        inplace: bool = False,
        train: bool = False,
    ) -> Any:
        if not (training or train) or not 0 < p < 1:
            return None

        def masked() -> Any:
            with torch._C.DisableTorchFunction():  # noqa: SLF001  # of no interest
                size = (*input.shape[:2], *(1 for _ in input.shape[2:]))
                noise = input.new_empty(size) if is_wide else torch.empty_like(input)
                noise.bernoulli_(1 - p)
                scale = 1 / math.sqrt((_LOWEST**2 * p + 1) * (1 - p))
                offset = (noise - 1) * (_LOWEST * scale) + _LOWEST * scale * p
                mask = noise * scale
            if inplace:
                return input.mul_(mask).add_(offset)
            return input * mask + offset

        return masked

    return instead


_LOWEST: Final = 1.7580993408473766  # below 0, of what selu gives


def _renormed(
    input: Any,
    weight: Any,
    padding_idx: Any = None,
    max_norm: Any = None,
    norm_type: float = 2.0,
    *rest: Any,
    **more: Any,
) -> Any:
    """Return what makes rows of a table shorter first, and then looks them up."""
    if max_norm is None:
        return None

    def looked_up() -> Any:
        with torch.no_grad():
            torch.embedding_renorm_(
                weight.detach(), input.contiguous(), max_norm, norm_type
            )
        return _F.embedding(input, weight, padding_idx, None, norm_type, *rest, **more)

    return looked_up


def _attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    if not dropout_p:
        options = {"scale": scale, "enable_gqa": enable_gqa}
        given = (query, key, value, attn_mask, 0.0, is_causal)
        if not _is_by_products(given, options):
            return None

    def in_parts() -> Any:
        size = 1 / math.sqrt(query.size(-1)) if scale is None else scale
        factor = math.sqrt(abs(size))
        mask = attn_mask
        if is_causal:
            square = (query.size(-2), key.size(-2))
            mask = torch.ones(square, dtype=torch.bool, device=query.device).tril()
        if mask is not None and mask.dtype == torch.bool:
            filled = torch.full_like(mask, -math.inf, dtype=query.dtype)
            mask = filled.masked_fill(mask, 0.0)
        k, v = (_for_each_head(one, query, enable_gqa) for one in (key, value))
        scores = (query * math.copysign(factor, size)) @ (k.transpose(-2, -1) * factor)
        if mask is None:
            weights = _F.softmax(scores, dim=-1)
        else:
            weights = torch._safe_softmax(scores + mask, -1)  # noqa: SLF001  # as there
        return _F.dropout(weights, dropout_p) @ v

    return in_parts


def _is_by_products(given: Any, options: Any) -> bool:
    """Tell whether PyTorch takes products here, and no kernel of one piece.

    It has second derivatives of these alone. Of 16 bits it rounds otherwise.
    """
    if given[0].dtype not in (torch.float32, torch.float64):
        return False
    try:
        with torch._C.DisableTorchFunction():  # noqa: SLF001  # of no interest
            return torch._fused_sdp_choice(*given, **options) == _MATH  # noqa: SLF001  # nothing else says it
    except RuntimeError:  # PyTorch says what is wrong when it is called
        return False


_MATH: Final = torch.nn.attention.SDPBackend.MATH.value


def _for_each_head(tensor: Any, query: Any, is_shared: bool) -> Any:
    """Return keys, or values, as often as several heads of the query share them."""
    if not is_shared:
        return tensor
    return tensor.repeat_interleave(query.size(-3) // tensor.size(-3), -3)


def _stacked(name: str) -> Instead:
    """Return what runs recurrent layers one by one, with dropout between them.

    Sequences of several lengths are packed: then their sizes come second.
    """

    def instead(input: Any, *given: Any) -> Any:
        if len(given) != 8:
            return None
        sizes = () if isinstance(given[2], bool) else given[:1]
        hx, params, has_biases, num_layers, dropout, train, *rest = given[len(sizes) :]
        if not train or not dropout or num_layers == 1:
            return None
        ways = 2 if rest[0] else 1
        each = len(params) // num_layers
        batch_first = rest[1:] == [True]

        def layers() -> Any:
            states = tuple(hx) if name == "lstm" else (hx,)
            x, ends = (input.transpose(0, 1) if batch_first else input), list[Any]()
            for k in range(num_layers):
                begin = tuple(one[ways * k : ways * (k + 1)] for one in states)
                begin = begin if name == "lstm" else begin[0]
                own = params[each * k : each * (k + 1)]
                more = (has_biases, 1, 0.0, train, rest[0], *([] if sizes else [False]))
                run = getattr(torch._VF, name)  # noqa: SLF001  # as PyTorch calls it
                x, *end = run(x, *sizes, begin, own, *more)
                ends.append(end)
                if k < num_layers - 1:
                    x = _F.dropout(x, dropout)
            y = x.transpose(0, 1) if batch_first else x
            return (y, *(torch.cat(parts) for parts in zip(*ends, strict=True)))

        return layers

    return instead


def _unwatched(function: Any) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        with torch._C.DisableTorchFunction():  # noqa: SLF001  # it is one call
            return function(*args, **kwargs)

    return run


# What tells besides which numbers it has picked, for those that do not.
PLACED: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        name: _unwatched(getattr(_F, f"{name}_with_indices"))
        for name in (
            *(f"adaptive_max_pool{axes}d" for axes in (1, 2, 3)),
            *(f"fractional_max_pool{axes}d" for axes in (2, 3)),
            "max_pool3d",
        )
    }
)

_INSTEAD: Final[Mapping[str, Instead]] = MappingProxyType(
    {
        "dropout": _dropped(torch.dropout),
        "dropout1d": _dropped(torch.feature_dropout),
        "dropout2d": _dropped(torch.feature_dropout),
        "dropout3d": _dropped(torch.feature_dropout),
        "alpha_dropout": _driven(is_wide=False),
        "feature_alpha_dropout": _driven(is_wide=True),
        "embedding": _renormed,
        "scaled_dot_product_attention": _attention,
        **{name: _stacked(name) for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")},
    }
)
_signature: Final = cache(inspect.signature)


def instead_of(name: str, args: Any, kwargs: Any) -> Callable[[], Any] | None:
    """Return what to do in the place of a call; None where it may go its way."""
    instead = _INSTEAD.get(name)
    if instead is None:
        return None
    try:
        _signature(instead).bind(*args, **kwargs)
    except TypeError:  # it is PyTorch that says what is wrong
        return None
    return instead(*args, **kwargs)

# pyright: basic, reportMissingModuleSource=false
"""Calls that hide something random: done in parts, with the same random numbers.

Each function is given the arguments of a call. It returns what to do instead, or None
where the call may go its way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import torch

Instead = Callable[..., Callable[[], Any] | None]
_F: Final = torch.nn.functional


def _dropped(function: Any) -> Instead:
    def instead(
        input: Any, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Any:
        if not training or p == 0:
            return None

        def masked() -> Any:
            with torch._C.DisableTorchFunction():  # noqa: SLF001  # of no interest
                mask = function(torch.ones_like(input), p, True)
            return input.mul_(mask) if inplace else input * mask

        return masked

    return instead


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
        return None

    def in_parts() -> Any:
        factor = math.sqrt(1 / math.sqrt(query.size(-1)) if scale is None else scale)
        mask = attn_mask
        if is_causal:
            size = (query.size(-2), key.size(-2))
            mask = torch.ones(size, dtype=torch.bool, device=query.device).tril()
        if mask is not None and mask.dtype == torch.bool:
            filled = torch.full_like(mask, -math.inf, dtype=query.dtype)
            mask = filled.masked_fill(mask, 0.0)
        k, v = (_for_each_head(one, query, enable_gqa) for one in (key, value))
        scores = (query * factor) @ (k * factor).transpose(-2, -1)
        if mask is not None:
            scores = scores + mask
        weights = _F.dropout(_F.softmax(scores, dim=-1), dropout_p)
        return weights @ v

    return in_parts


def _for_each_head(tensor: Any, query: Any, is_shared: bool) -> Any:
    """Return keys, or values, as often as several heads of the query share them."""
    if not is_shared:
        return tensor
    return tensor.repeat_interleave(query.size(-3) // tensor.size(-3), -3)


def _stacked(name: str) -> Instead:
    """Return what runs recurrent layers one by one, with dropout between them."""

    def instead(
        input: Any,
        hx: Any,
        params: Any,
        has_biases: Any = None,
        num_layers: int = 1,
        dropout: float = 0.0,
        train: bool = False,
        bidirectional: bool = False,
        batch_first: bool = False,
    ) -> Any:
        is_packed = not isinstance(params, list | tuple)
        if is_packed or not train or not dropout or num_layers == 1:
            return None
        ways = 2 if bidirectional else 1
        each = ways * (4 if has_biases else 2)
        if len(params) != num_layers * each:  # with projections
            return None

        def layers() -> Any:
            states = tuple(hx) if name == "lstm" else (hx,)
            x, ends = (input.transpose(0, 1) if batch_first else input), list[Any]()
            for k in range(num_layers):
                begin = tuple(one[ways * k : ways * (k + 1)] for one in states)
                x, *end = getattr(torch._VF, name)(  # noqa: SLF001  # as PyTorch calls it
                    x,
                    begin if name == "lstm" else begin[0],
                    params[each * k : each * (k + 1)],
                    has_biases,
                    1,
                    0.0,
                    train,
                    bidirectional,
                    False,
                )
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
        for name in (f"adaptive_max_pool{axes}d" for axes in (1, 2, 3))
    }
)

INSTEAD: Final[Mapping[str, Instead]] = MappingProxyType(
    {
        "dropout": _dropped(torch.dropout),
        "dropout1d": _dropped(torch.feature_dropout),
        "dropout2d": _dropped(torch.feature_dropout),
        "dropout3d": _dropped(torch.feature_dropout),
        "scaled_dot_product_attention": _attention,
        **{name: _stacked(name) for name in ("lstm", "gru", "rnn_tanh")},
    }
)

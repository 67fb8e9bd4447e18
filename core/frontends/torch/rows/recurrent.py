# pyright: basic, reportMissingModuleSource=false
"""Recurrent layers and cells, by the recipes that have their gates."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final


def _lstm_cell(
    input: Any,
    hx: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = None,
    b_hh: Any = None,
) -> Any:
    h, c = hx
    return "lstm_cell(input, h, c, w_ih, w_hh, b_ih, b_hh)", {"h": h, "c": c}


def _cell(name: str) -> Any:
    def row(
        input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
    ) -> Any:
        return f"{name}(input, hx, w_ih, w_hh, b_ih, b_hh)"

    return row


def _layers(name: str) -> Any:
    """Return the row of a stack of layers, in one direction or in two."""
    states = ("h", "c") if name == "lstm" else ("h",)

    def row(
        input: Any,
        hx: Any,
        params: Any,
        has_biases: bool,
        num_layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool,
    ) -> Any:
        begins = tuple(hx) if name == "lstm" else (hx,)
        each = 4 if has_biases else 2
        if (dropout and train and num_layers > 1) or _is_odd(params, num_layers, each):
            return None
        bound = dict(zip(states, begins, strict=True))
        bound |= {f"w{number}": one for number, one in enumerate(params)}
        lines = ["x = swapaxes(input, 0, 1)" if batch_first else "x = input"]
        ends: dict[str, list[str]] = {one: [] for one in states}
        for _ in range(num_layers):
            parts: list[str] = []
            for way in range(2 if bidirectional else 1):
                k = len(ends["h"])
                weights = [f"w{each * k + j}" for j in range(each)]
                given = ", ".join([*(f"{one}[{k}]" for one in states), *weights])
                x = "flip(x, axis=0)" if way else "x"
                made = ", ".join([f"y{k}", *(f"{one}{k}" for one in states)])
                lines.append(f"{made} = {name}({x}, {given})")
                parts.append(f"flip(y{k}, axis=0)" if way else f"y{k}")
                for one in states:
                    ends[one].append(f"{one}{k}")
            joined = f"concatenate([{', '.join(parts)}], axis=-1)"
            lines.append(f"x = {joined if bidirectional else parts[0]}")
        result = "swapaxes(x, 0, 1)" if batch_first else "x"
        last = ", ".join(f"stack([{', '.join(ends[one])}])" for one in states)
        return "\n".join([*lines, f"({result}, {last})"]), bound

    return row


def _is_odd(params: Any, layers: int, each: int) -> bool:
    """Tell whether there are other weights than usual: those of a projection, say."""
    return len(params) not in (layers * each, 2 * layers * each)


ROWS: Final = MappingProxyType(
    {
        "lstm_cell": _lstm_cell,
        "gru_cell": _cell("gru_cell"),
        "rnn_tanh_cell": _cell("rnn_cell"),
        "lstm": _layers("lstm"),
        "gru": _layers("gru"),
        "rnn_tanh": _layers("rnn"),
    }
)

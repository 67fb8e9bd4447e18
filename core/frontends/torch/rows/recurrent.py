# pyright: basic, reportMissingModuleSource=false
"""Recurrent layers and cells, by the recipes that have their gates."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from .scattering import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def _relu_cell(
    input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> Any:
    return "relu(linear(input, w_ih, b_ih) + linear(hx, w_hh, b_hh))"


def _relu_layers(
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
    """Return a stack of layers in one direction, whose cell is relu of two layers."""
    if bidirectional or (dropout and train and num_layers > 1):
        return None
    each = 4 if has_biases else 2
    bound = {f"w{number}": one for number, one in enumerate(params)}
    lines = ["x = swapaxes(input, 0, 1)" if batch_first else "x = input"]
    steps = input.shape[1 if batch_first and input.ndim == 3 else 0]
    for k in range(num_layers):
        w = [f"w{each * k + j}" for j in range(each)]
        ih, hh = ", ".join([w[0], *w[2:3]]), ", ".join([w[1], *w[3:]])
        lines.append(f"h{k} = hx[{k}]")
        for step in range(steps):
            lines += [
                f"h{k} = relu(linear(x[{step}], {ih}) + linear(h{k}, {hh}))",
                f"y{step} = h{k}",
            ]
        lines.append(f"x = stack([{', '.join(f'y{step}' for step in range(steps))}])")
    last = f"stack([{', '.join(f'h{k}' for k in range(num_layers))}])"
    result = "swapaxes(x, 0, 1)" if batch_first else "x"
    return "\n".join([*lines, f"({result}, {last})"]), bound


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


def _packed(name: str, row: Any) -> Any:
    """Return the row that also takes sequences of several lengths, packed into one.

    Step by step there are fewer of them: those that have not ended.
    """
    states = ("h", "c") if name == "lstm" else ("h",)
    cell = f"{name}_cell"

    def packed(input: Any, hx: Any, params: Any, weights: Any, *rest: Any) -> Any:
        if isinstance(weights, bool):
            return row(input, hx, params, weights, *rest)
        has_biases, num_layers, dropout, train, bidirectional = rest
        begins = tuple(params) if name == "lstm" else (params,)
        each = 4 if has_biases else 2
        if (dropout and train and num_layers > 1) or _is_odd(weights, num_layers, each):
            return None
        sizes = [int(one) for one in numbers(hx)]
        bound = dict(zip(states, begins, strict=True))
        bound |= {f"w{number}": one for number, one in enumerate(weights)}
        lines, ends = ["x = input"], {one: list[str]() for one in states}
        for _ in range(num_layers):
            parts: list[str] = []
            for way in range(2 if bidirectional else 1):
                k = len(ends["h"])
                given = ", ".join(f"w{each * k + j}" for j in range(each))
                walk = _backward if way else _forward
                lines += walk(cell, states, k, given, sizes)
                parts.append(f"y{k}")
                for one in states:
                    ends[one].append(f"{one}{k}")
            joined = f"concatenate([{', '.join(parts)}], axis=-1)"
            lines.append(f"x = {joined if bidirectional else parts[0]}")
        last = ", ".join(f"stack([{', '.join(ends[one])}])" for one in states)
        return "\n".join([*lines, f"(x, {last})"]), bound

    return packed


def _forward(
    cell: str, states: Any, k: int, given: str, sizes: list[int]
) -> Iterator[str]:
    """Yield the lines of a layer that goes through the steps as they come.

    `sizes` is how many sequences there are at each step.
    """
    for one in states:
        yield f"{one}{k} = {one}[{k}]"
    over: dict[str, list[str]] = {one: [] for one in states}  # of sequences that ended
    first = 0
    for step, count in enumerate(sizes):
        before = sizes[step - 1] if step else count
        for one in states if count < before else ():
            over[one].insert(0, f"{one}{k}_{step - 1}[{count}:]")
            yield f"{one}{k} = {one}{k}[:{count}]"
        now = ", ".join(f"{one}{k}" for one in states)
        yield f"{now} = {cell}(x[{first}:{first + count}], {now}, {given})"
        for one in states:
            yield f"{one}{k}_{step} = {one}{k}"
        first += count
    steps = ", ".join(f"h{k}_{step}" for step in range(len(sizes)))
    yield f"y{k} = concatenate([{steps}])"
    for one in states if sizes[-1] < sizes[0] else ():
        yield f"{one}{k} = concatenate([{', '.join([f'{one}{k}', *over[one]])}])"


def _backward(
    cell: str, states: Any, k: int, given: str, sizes: list[int]
) -> Iterator[str]:
    """Yield the lines of a layer that begins with the last step of each sequence."""
    first = sum(sizes)
    for one in states:
        yield f"{one}{k} = {one}[{k}][:{sizes[-1]}]"
    for step in range(len(sizes) - 1, -1, -1):
        count, later = sizes[step], sizes[min(step + 1, len(sizes) - 1)]
        first -= count
        for one in states if count > later else ():
            new = f"{one}[{k}][{later}:{count}]"
            yield f"{one}{k} = concatenate([{one}{k}, {new}])"
        now = ", ".join(f"{one}{k}" for one in states)
        yield f"{now} = {cell}(x[{first}:{first + count}], {now}, {given})"
        yield f"h{k}_{step} = h{k}"
    steps = ", ".join(f"h{k}_{step}" for step in range(len(sizes)))
    yield f"y{k} = concatenate([{steps}])"


def _is_odd(params: Any, layers: int, each: int) -> bool:
    """Tell whether there are other weights than usual: those of a projection, say."""
    return len(params) not in (layers * each, 2 * layers * each)


ROWS: Final = MappingProxyType(
    {
        "lstm_cell": _lstm_cell,
        "gru_cell": _cell("gru_cell"),
        "rnn_tanh_cell": _cell("rnn_cell"),
        "rnn_relu_cell": _relu_cell,
        "lstm": _packed("lstm", _layers("lstm")),
        "gru": _packed("gru", _layers("gru")),
        "rnn_tanh": _packed("rnn", _layers("rnn")),
        "rnn_relu": _relu_layers,
    }
)

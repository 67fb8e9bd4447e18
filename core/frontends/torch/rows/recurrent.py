# pyright: basic, reportMissingModuleSource=false
"""Recurrent layers and cells, by the recipes that have their gates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from .scattering import numbers


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


class _Kind(NamedTuple):
    """A kind of recurrent layers."""

    layer: str  # the recipe of a layer; "" where there is none
    cell: str  # how a step is written, with {x}, {now}, and weights for both
    states: tuple[str, ...]


_RELU: Final = "relu(linear({x}, {ih}) + linear({now}, {hh}))"
_GATED: Final = "_cell({x}, {now}, {given})"
_KINDS: Final = MappingProxyType(
    {
        "lstm": _Kind("lstm", f"lstm{_GATED}", ("h", "c")),
        "gru": _Kind("gru", f"gru{_GATED}", ("h",)),
        "rnn_tanh": _Kind("rnn", f"rnn{_GATED}", ("h",)),
        "rnn_relu": _Kind("", _RELU, ("h",)),
    }
)
# The lines of one layer: given whether it goes back, its number, and its weights.
_Layer = Callable[[bool, int, list[str]], "Iterable[str]"]


def _layers(name: str) -> Any:
    """Return the row of a stack of layers, in one direction or in two.

    It also takes sequences of several lengths, packed into one.
    """
    kind = _KINDS[name]

    def row(input: Any, hx: Any, params: Any, *rest: Any) -> Any:
        if isinstance(rest[0], bool):
            return _whole(kind, input, hx, params, *rest)
        return _packed(kind, input, hx, params, *rest)

    return row


def _whole(
    kind: _Kind,
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
    each = len(params) // (num_layers * (1 + bidirectional))
    swapped = "swapaxes({}, 0, 1)" if batch_first else "{}"
    first, result = swapped.format("input"), "x"
    layer: _Layer = partial(_by_recipe, kind)
    more: dict[str, Any] = {}
    if not kind.layer or each % 2:  # a step at a time, as if it were packed
        samples, steps = input.shape[:2] if batch_first else input.shape[1::-1]
        layer = partial(_by_steps, kind, [samples] * steps)
        rows = (steps * samples, input.shape[2])
        more = {"rows": rows, "apart": (steps, samples, -1)}
        first, result = f"reshape({first}, rows)", "reshape(x, apart)"
    lines, last = _stack(kind.states, num_layers, bidirectional, each, layer)
    end = f"({swapped.format(result)}, {last})"
    text = "\n".join([f"x = {first}", *lines, end])
    return text, {**_named(kind, hx, params), **more}


def _packed(
    kind: _Kind,
    input: Any,
    sizes: Any,
    hx: Any,
    params: Any,
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
) -> Any:
    """Return the row of sequences of several lengths, packed into one.

    Step by step there are fewer of them: those that have not ended.
    """
    each = len(params) // (num_layers * (1 + bidirectional))
    layer = partial(_by_steps, kind, [int(one) for one in numbers(sizes)])
    lines, last = _stack(kind.states, num_layers, bidirectional, each, layer)
    text = "\n".join(["x = input", *lines, f"(x, {last})"])
    return text, _named(kind, hx, params)


def _named(kind: _Kind, hx: Any, params: Any) -> dict[str, Any]:
    """Return what states and weights are called."""
    begins = (hx,) if len(kind.states) == 1 else tuple(hx)
    bound = dict(zip(kind.states, begins, strict=True))
    return bound | {f"w{number}": one for number, one in enumerate(params)}


def _stack(
    states: Sequence[str], num_layers: int, bidirectional: bool, each: int, layer: Any
) -> tuple[list[str], str]:
    """Return the lines of layers upon layers, and how their last states are written.

    Each layer has so many weights; it makes y0, y1, … of x.
    """
    lines, ends = list[str](), list[int]()
    for _ in range(num_layers):
        parts = list[str]()
        for goes_back in (False, True)[: 1 + bidirectional]:
            k = len(ends)
            lines += layer(goes_back, k, [f"w{each * k + j}" for j in range(each)])
            parts.append(f"y{k}")
            ends.append(k)
        joined = f"concatenate([{', '.join(parts)}], axis=-1)"
        lines.append(f"x = {joined if bidirectional else parts[0]}")
    each_last = (", ".join(f"{one}{k}" for k in ends) for one in states)
    return lines, ", ".join(f"stack([{one}])" for one in each_last)


def _by_recipe(
    kind: _Kind, goes_back: bool, k: int, weights: list[str]
) -> Iterator[str]:
    """Yield the lines of a layer by its recipe, which has all steps in it."""
    given = ", ".join([*(f"{one}[{k}]" for one in kind.states), *weights])
    made = ", ".join([f"y{k}", *(f"{one}{k}" for one in kind.states)])
    x = "flip(x, axis=0)" if goes_back else "x"
    yield f"{made} = {kind.layer}({x}, {given})"
    if goes_back:
        yield f"y{k} = flip(y{k}, axis=0)"


def _by_steps(
    kind: _Kind, sizes: list[int], goes_back: bool, k: int, weights: list[str]
) -> Iterator[str]:
    """Yield the lines of a layer step by step; `sizes` says how many sequences go on.

    What is left over of an odd number of weights makes a hidden state smaller.
    """
    ways = _backward if goes_back else _forward
    made = ", ".join(f"{one}{k}" for one in kind.states)
    even = weights[: len(weights) // 2 * 2]
    fixed = {
        "now": made,
        "given": ", ".join(even),
        "ih": ", ".join(even[::2]),
        "hh": ", ".join(even[1::2]),
    }

    def step(first: int, count: int) -> Iterator[str]:
        yield f"{made} = " + kind.cell.format(x=f"x[{first}:{first + count}]", **fixed)
        if len(weights) > len(even):
            yield f"h{k} = linear(h{k}, {weights[-1]})"

    return ways(kind.states, k, step, sizes)


def _forward(
    states: Sequence[str], k: int, cell: Any, sizes: list[int]
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
        yield from cell(first, count)
        for one in states:
            yield f"{one}{k}_{step} = {one}{k}"
        first += count
    yield _joined(k, len(sizes))
    for one in states if sizes[-1] < sizes[0] else ():
        yield f"{one}{k} = concatenate([{', '.join([f'{one}{k}', *over[one]])}])"


def _backward(
    states: Sequence[str], k: int, cell: Any, sizes: list[int]
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
        yield from cell(first, count)
        yield f"h{k}_{step} = h{k}"
    yield _joined(k, len(sizes))


def _joined(k: int, steps: int) -> str:
    return f"y{k} = concatenate([{', '.join(f'h{k}_{one}' for one in range(steps))}])"


ROWS: Final = MappingProxyType(
    {
        "lstm_cell": _lstm_cell,
        "gru_cell": _cell("gru_cell"),
        "rnn_tanh_cell": _cell("rnn_cell"),
        "rnn_relu_cell": _relu_cell,
        **{name: _layers(name) for name in _KINDS},
    }
)

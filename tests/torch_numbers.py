"""Small programs and what PyTorch makes of them, kept in `torch_numbers.json`.

`python tests/torch_numbers.py` computes the numbers anew, with a PyTorch, which the
tests that read them do not need. A program makes `y` of its leaves, in the language of
scenarios and in PyTorch; kept are y, and the gradient of Σ y ∘ seed by each leaf.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

NUMBERS: Final = Path(__file__).with_suffix(".json")


class Case(NamedTuple):
    """One program for both sides; leaves with capital letters are constants."""

    here: str
    torch: str
    leaves: dict[str, Any]


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    """Return numbers around 0, with few digits, for they are kept as text."""
    return np.round(np.random.default_rng((seed, *shape)).uniform(-2, 2, shape), 2)


def seed_of(shape: tuple[int, ...]) -> np.ndarray:
    """Return the upstream gradient of a result: each number another one."""
    return np.cos(np.arange(math.prod(shape))).reshape(shape)


def _gates(count: int, **more: Any) -> dict[str, Any]:
    """Return three steps of two samples for a cell with as many gates of size 3."""
    return {
        "x": drawn(3, 2, 4),
        "h": drawn(2, 3, seed=8),
        "w": drawn(3 * count, 4),
        "u": drawn(3 * count, 3),
        "b": drawn(3 * count),
        "d": drawn(3 * count, seed=1),
        **more,
    }


_CLASSES: Final = {"x": drawn(4, 3), "T": [2, 0, -100, 1], "W": [0.5, 2.0, 1.25]}

CASES: Final[dict[str, Case]] = {
    "put": Case(
        "a = put((2 * x)[1:, [0, 2]], v[:2])\n"
        "b = put(a[0], v)\n"
        "y = put((b ** 2)[x > 5], v[0])",
        "a = 2 * x; a[1:, [0, 2]] = v[:2]; a[0] = v; y = a ** 2; y[x > 5] = v[0]",
        {"x": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "v": [0.5, -1.0, 2.0]},
    ),
    "put by arrays": Case(
        "y = put((x * x)[I, J], v * v)",
        "y = (x * x).index_put((I, J), v * v)",
        {"x": drawn(3, 4), "v": drawn(2, 3), "I": [[0], [2]], "J": [1, 3, 0]},
    ),
    "take_along_axis": Case(
        "y = take_along_axis(x * x, I, axis=1)",
        "y = (x * x).gather(1, I)",
        {"x": drawn(2, 3), "I": [[0, 2, 2, 1], [1, 1, 0, 1]]},
    ),
    "linear": Case(
        "y = linear(linear(x, w, b), v)",
        "y = F.linear(F.linear(x, w, b), v)",
        {"x": drawn(2, 3, 4), "w": drawn(3, 4), "b": drawn(3), "v": drawn(2, 3)},
    ),
    "layer_norm": Case(
        "y = layer_norm(x, w, b, axis=(-2, -1))",
        "y = F.layer_norm(x, (3, 4), w, b)",
        {"x": drawn(2, 3, 4), "w": drawn(3, 4), "b": drawn(3, 4, seed=1)},
    ),
    "rms_norm": Case(
        "y = rms_norm(x, w, eps=1e-6)",
        "y = F.rms_norm(x, (4,), w, eps=1e-6)",
        {"x": drawn(2, 3, 4), "w": drawn(4)},
    ),
    "batch_norm": Case(
        "y = batch_norm(x, w, b)",
        "y = F.batch_norm(x, None, None, w, b, training=True)",
        {"x": drawn(3, 2, 2, 3), "w": drawn(2), "b": drawn(2, seed=1)},
    ),
    "batch_norm in use": Case(
        "y = batch_norm(x, w, b, M, V, training=False, eps=1e-3)",
        "y = F.batch_norm(x, M, V, w, b, training=False, eps=1e-3)",
        {
            "x": drawn(3, 2, 4),
            "w": drawn(2),
            "b": drawn(2, seed=1),
            "M": [0.25, -1.0],
            "V": [0.5, 2.0],
        },
    ),
    "group_norm": Case(
        "y = group_norm(x, 2, w, b)",
        "y = F.group_norm(x, 2, w, b)",
        {"x": drawn(3, 4, 2, 3), "w": drawn(4), "b": drawn(4, seed=1)},
    ),
    "instance_norm": Case(
        "y = instance_norm(x, w, b)",
        "y = F.instance_norm(x, weight=w, bias=b)",
        {"x": drawn(2, 3, 4), "w": drawn(3), "b": drawn(3, seed=1)},
    ),
    "embedding": Case(
        "y = embedding(I, w, padding_idx=1)",
        "y = F.embedding(I, w, padding_idx=1)",
        {"I": [[0, 1, 2], [2, 2, 1]], "w": drawn(4, 3)},
    ),
    "cross_entropy, mean": Case(
        "y = cross_entropy(x, T, 'mean', weight=W, ignore_index=-100, "
        "label_smoothing=0.1)",
        "y = F.cross_entropy(x, T, W, ignore_index=-100, reduction='mean', "
        "label_smoothing=0.1)",
        _CLASSES,
    ),
    "cross_entropy, sum": Case(
        "y = cross_entropy(x, T, 'sum', weight=W, ignore_index=-100, "
        "label_smoothing=0.1)",
        "y = F.cross_entropy(x, T, W, ignore_index=-100, reduction='sum', "
        "label_smoothing=0.1)",
        _CLASSES,
    ),
    "cross_entropy, none": Case(
        "y = cross_entropy(x, T, 'none', weight=W, ignore_index=-100, "
        "label_smoothing=0.1)",
        "y = F.cross_entropy(x, T, W, ignore_index=-100, reduction='none', "
        "label_smoothing=0.1)",
        _CLASSES,
    ),
    "cross_entropy with a class to ignore": Case(
        "y = cross_entropy(x, T, ignore_index=0)",
        "y = F.cross_entropy(x, T, ignore_index=0)",
        {"x": drawn(2, 3, 4), "T": [[0, 1, 2, 2], [1, 0, 0, 2]]},
    ),
    "cross_entropy of probabilities": Case(
        "y = cross_entropy(x, softmax(p, axis=1), weight=W, label_smoothing=0.2)",
        "y = F.cross_entropy(x, torch.softmax(p, 1), W, label_smoothing=0.2)",
        {"x": drawn(2, 3, 2), "p": drawn(2, 3, 2, seed=1), "W": [0.5, 2.0, 1.25]},
    ),
    "binary_cross_entropy": Case(
        "y = binary_cross_entropy(p, q)",
        "y = F.binary_cross_entropy(p, q)",
        {"p": [0.75, 0.25, 0.5, 1e-9], "q": [0.0, 0.5, 1.0, 0.75]},
    ),
    "nll_loss, mean": Case(
        "y = nll_loss(log_softmax(x, axis=1), T, W, ignore_index=-100)",
        "y = F.nll_loss(torch.log_softmax(x, 1), T, W, ignore_index=-100)",
        _CLASSES,
    ),
    "nll_loss, none": Case(
        "y = nll_loss(x, T, W, ignore_index=-100, reduction='none')",
        "y = F.nll_loss(x, T, W, ignore_index=-100, reduction='none')",
        _CLASSES,
    ),
    "nll_loss of planes": Case(
        "y = nll_loss(x, T, W, reduction='sum')",
        "y = F.nll_loss(x, T, W, reduction='sum')",
        {"x": drawn(2, 3, 2), "T": [[0, 1], [2, 1]], "W": [0.5, 2.0, 1.25]},
    ),
    "conv_transpose2d": Case(
        "y = conv_transpose2d(x, w, b, stride=(2, 1), padding=1, "
        "output_padding=(1, 0), groups=2, dilation=(1, 2))",
        "y = F.conv_transpose2d(x, w, b, (2, 1), 1, (1, 0), 2, (1, 2))",
        {"x": drawn(2, 4, 2, 3), "w": drawn(4, 2, 3, 2), "b": drawn(4)},
    ),
    "conv2d, grouped and dilated": Case(
        "y = conv2d(x, w, b, stride=(2, 1), padding=1, groups=2, dilation=(1, 2))",
        "y = F.conv2d(x, w, b, (2, 1), 1, (1, 2), 2)",
        {"x": drawn(2, 4, 4, 5), "w": drawn(2, 2, 3, 2), "b": drawn(2)},
    ),
    "conv1d": Case(
        "y = conv1d(x, w, b, stride=2, padding=1, dilation=2, groups=2)",
        "y = F.conv1d(x, w, b, 2, 1, 2, 2)",
        {"x": drawn(2, 4, 7), "w": drawn(2, 2, 3), "b": drawn(2)},
    ),
    "conv_transpose1d": Case(
        "y = conv_transpose1d(x, w, b, stride=2, padding=1, output_padding=1)",
        "y = F.conv_transpose1d(x, w, b, 2, 1, 1)",
        {"x": drawn(2, 3, 4), "w": drawn(3, 2, 3), "b": drawn(2)},
    ),
    "pool1d": Case(
        "y = max_pool1d(x, 3, stride=2, padding=1) * avg_pool1d(x, 3, 2, 1)",
        "y = F.max_pool1d(x, 3, 2, 1) * F.avg_pool1d(x, 3, 2, 1)",
        {"x": drawn(2, 3, 6)},
    ),
    "normalize": Case(
        "y = normalize(x) + normalize(x, axis=0)",
        "y = F.normalize(x) + F.normalize(x, dim=0)",
        {"x": [[1.0, -2.0, 0.0], [0.0, 0.0, 0.0]]},
    ),
    "norm": Case(
        "y = norm(x, axis=1)",
        "y = torch.linalg.vector_norm(x, dim=1)",
        {"x": [[1.0, -2.0, 0.0], [0.0, 0.0, 0.0]]},
    ),
    "sort and topk": Case(
        "y = sort(x * x) * concatenate([topk(x, 2), topk(x, 1)], axis=-1)",
        "y = (x * x).sort()[0] * torch.cat([x.topk(2)[0], x.topk(1)[0]], 1)",
        {"x": drawn(4, 3)},
    ),
    "cumprod": Case(
        "y = cumprod(x, axis=1)",
        "y = x.cumprod(1)",
        {"x": [[1.5, 0.0, 2.0, -1.0], [0.5, -2.0, 0.25, 3.0]]},
    ),
    "roll, tril, triu": Case(
        "y = roll(tril(x, -1) + triu(x, 1) * 2, (1, -2), axis=(0, 1))",
        "y = torch.roll(x.tril(-1) + x.triu(1) * 2, (1, -2), (0, 1))",
        {"x": drawn(3, 4)},
    ),
    "round": Case(
        "y = round(x) * x + floor(x) * x + ceil(x) * x + trunc(x) * x",
        "y = x.round() * x + x.floor() * x + x.ceil() * x + x.trunc() * x",
        {"x": [0.5, 1.5, -0.5, -1.25, 2.0]},
    ),
    "interpolate": Case(
        "y = interpolate(x, (3, 7)) * interpolate(x, (3, 7), mode='bilinear')",
        "y = F.interpolate(x, (3, 7)) * F.interpolate(x, (3, 7), mode='bilinear')",
        {"x": drawn(1, 2, 4, 5)},
    ),
    "interpolate, corners aligned": Case(
        "y = interpolate(x, scale_factor=2, mode='bilinear', align_corners=True)",
        "y = F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=True)",
        {"x": drawn(1, 2, 3, 4)},
    ),
    "adaptive_avg_pool2d": Case(
        "y = adaptive_avg_pool2d(x, (2, 3))",
        "y = F.adaptive_avg_pool2d(x, (2, 3))",
        {"x": drawn(1, 2, 5, 7)},
    ),
    "pools with their options": Case(
        "a = max_pool2d(x, 2, stride=2, padding=1, dilation=2, ceil_mode=True)\n"
        "b = avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)\n"
        "c = avg_pool2d(x, 3, 2, 1, ceil_mode=True)\n"
        "y = sum(a, axis=(0, 1, 2, 3)) + b * c",
        "a = F.max_pool2d(x, 2, 2, 1, 2, True)\n"
        "b = F.avg_pool2d(x, 3, 2, 1, True, False)\n"
        "c = F.avg_pool2d(x, 3, 2, 1, True)\n"
        "y = a.sum() + b * c",
        {"x": drawn(1, 2, 6, 5)},
    ),
    "rnn": Case(
        "(o, m) = rnn(x, h, w, u, b, d)\ny = concatenate([o, stack([m])])",
        "o, m = torch.rnn_tanh(x, h[None], (w, u, b, d), True, 1, 0, True, False, "
        "False)\n"
        "y = torch.cat([o, m])",
        _gates(1),
    ),
    "lstm": Case(
        "(o, m, k) = lstm(x, h, c, w, u, b, d)\ny = concatenate([o, stack([m, k])])",
        "o, m, k = torch.lstm(x, (h[None], c[None]), (w, u, b, d), True, 1, 0, True, "
        "False, False)\n"
        "y = torch.cat([o, m, k])",
        _gates(4, c=drawn(2, 3, seed=9)),
    ),
    "lstm_cell": Case(
        "(m, k) = lstm_cell(x[0], h, c, w, u)\ny = stack([m, k])",
        "y = torch.stack(torch.lstm_cell(x[0], (h, c), w, u))",
        {k: v for k, v in _gates(4, c=drawn(2, 3, seed=9)).items() if k not in "bd"},
    ),
    "inv": Case(
        "y = inv(a) @ b + solve(a, b * b)",
        "y = torch.linalg.inv(a) @ b + torch.linalg.solve(a, b * b)",
        {"a": drawn(3, 3) + 5 * np.eye(3), "b": drawn(3, 2)},
    ),
    "det": Case(
        "(s, d) = slogdet(a)\ny = stack([det(a), s * d, det(-a)])",
        "s, d = torch.linalg.slogdet(a)\n"
        "y = torch.stack([torch.linalg.det(a), s * d, torch.linalg.det(-a)])",
        {"a": drawn(3, 3, seed=4)},
    ),
    "cholesky": Case(
        "y = cholesky(a @ a.T + E)",
        "y = torch.linalg.cholesky(a @ a.T + E)",
        {"a": drawn(3, 3), "E": np.eye(3)},
    ),
    "gru": Case(
        "(o, m) = gru(x, h, w, u, b, d)\ny = concatenate([o, stack([m])])",
        "o, m = torch.gru(x, h[None], (w, u, b, d), True, 1, 0, True, False, False)\n"
        "y = torch.cat([o, m])",
        _gates(3),
    ),
}


def by_torch(case: Case, torch: Any) -> dict[str, Any]:
    """Return y, and the gradient of each leaf, as PyTorch computes them."""
    leaves = {
        name: torch.tensor(np.asarray(value), requires_grad=not name.isupper())
        for name, value in case.leaves.items()
    }
    scope = {"torch": torch, "F": torch.nn.functional, **leaves}
    exec(case.torch, scope)  # noqa: S102  # a program of the table above
    y = scope["y"]
    torch.sum(y * torch.tensor(seed_of(tuple(y.shape)), dtype=y.dtype)).backward()
    found = {"y": y.detach().tolist()}
    for name, leaf in leaves.items():
        if leaf.requires_grad:
            found[name] = leaf.grad.tolist()
    return found


def main() -> None:
    """Write the numbers of all programs."""
    import torch  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(1)
    found = {name: by_torch(case, torch) for name, case in CASES.items()}
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.items())
    NUMBERS.write_text(f"{{\n{lines}\n}}\n", "utf-8")


if __name__ == "__main__":
    main()

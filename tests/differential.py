"""Random programs, computed here and by PyTorch: the same values, the same gradients.

`python tests/differential.py --programs 3000` needs a PyTorch, which gradstep itself
does not: it prints each program that the two do not agree about.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

sys.path[:0] = [str(Path(__file__).parent / "core")]

from runs import number, run_of  # noqa: E402  # pyright: ignore[reportMissingImports]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Shape = tuple[int, ...]

_LARGEST: Final = 1e8  # of a value or a gradient that is still compared
_CLOSE: Final = {"float64": 1e-8, "float32": 2e-3}  # of the largest gradient of a leaf
_LEAVES: Final[Sequence[Shape]] = (
    (),
    (3,),
    (2, 3),
    (3, 2),
    (1, 3),
    (2, 2, 3),
    (2, 1),
    (2, 1, 4, 4),
)


class Form(NamedTuple):
    """One way to compute something from one or two values, for both sides."""

    here: str  # {a} and {b} are values, {n} is an axis
    torch: str
    fits: Callable[..., bool] = lambda a: True


def _joins(a: Shape, b: Shape) -> bool:
    return all(m == n or 1 in {m, n} for m, n in zip(a[::-1], b[::-1], strict=False))


def _multiply(a: Shape, b: Shape) -> bool:
    return (
        min(len(a), len(b)) > 0
        and a[-1] == b[max(len(b) - 2, 0)]
        and _joins(a[:-2], b[:-2])
    )


def _same(*forms: str) -> list[Form]:
    return [Form(form, form) for form in forms]


def _axes(a: Shape) -> bool:
    return len(a) > 0


def _is_matrix(a: Shape) -> bool:
    return len(a) > 1


def _planes(a: Shape) -> bool:
    return len(a) == 4 and min(a[2:]) >= 2


ONE: Final = [
    *_same(
        "exp({a})", "expm1({a})", "sin({a})", "cos({a})", "tanh({a})", "arctan({a})"
    ),
    *_same("sigmoid({a})", "relu({a})", "abs({a})", "square({a})", "-{a}", "erf({a})"),
    *_same(
        "{a} ** 2",
        "{a} ** 3",
        "2 ** {a}",
        "sum({a})",
        "mean({a})",
        "1 / (2 + {a} * {a})",
    ),
    *_same(
        "log(1 + {a} * {a})",
        "log1p({a} * {a})",
        "sqrt(1 + {a} * {a})",
        "sign({a}) * {a}",
    ),
    Form("softplus({a})", "F.softplus({a}, threshold=1e9)"),
    Form("leaky_relu({a}, 0.1)", "F.leaky_relu({a}, 0.1)"),
    Form("elu({a}, 0.5)", "F.elu({a}, 0.5)"),
    Form("silu({a})", "F.silu({a})"),
    Form("gelu({a})", "F.gelu({a})"),
    Form("gelu({a}, approximate='tanh')", "F.gelu({a}, approximate='tanh')"),
    Form("clip({a}, -1, 1)", "clip({a}, -1, 1)"),
    Form("clip({a}, min=0)", "clip({a}, 0)"),
    Form("stop_gradient({a}) * {a}", "{a}.detach() * {a}"),
    Form("max({a})", "amax({a})"),
    Form("min({a})", "amin({a})"),
    # Its own product of all numbers has 0 for nan · 0, as the corner of `prod` says.
    Form("prod({a})", "prod({a}.reshape(-1), 0)"),
    Form("sum({a}, axis={n})", "sum({a}, {n})", _axes),
    Form("sum({a}, axis={n}, keepdims=True)", "sum({a}, {n}, keepdim=True)", _axes),
    Form("mean({a}, axis={n})", "mean({a}, {n})", _axes),
    Form("max({a}, axis={n})", "amax({a}, {n})", _axes),
    Form("min({a}, axis={n}, keepdims=True)", "amin({a}, {n}, keepdim=True)", _axes),
    Form("prod({a}, axis={n})", "prod({a}, {n})", _axes),
    Form("var({a}, axis={n})", "var({a}, {n}, correction=0)", _axes),
    Form("std({a})", "std({a}, correction=0)", lambda a: np.prod(a) > 1),
    Form("var({a}, ddof=1)", "var({a})", lambda a: np.prod(a) > 1),
    Form("logsumexp({a}, axis={n})", "logsumexp({a}, {n})", _axes),
    Form("cumsum({a}, axis={n})", "cumsum({a}, {n})", _axes),
    Form("softmax({a}, axis={n})", "softmax({a}, {n})", _axes),
    Form("log_softmax({a}, axis={n})", "log_softmax({a}, {n})", _axes),
    Form("flip({a}, axis={n})", "flip({a}, ({n},))", _axes),
    Form("ravel({a})", "ravel({a})"),
    Form("expand_dims({a}, 0)", "unsqueeze({a}, 0)"),
    Form("{a}.T", "{a}.permute(*range({a}.ndim)[::-1])", lambda a: len(a) > 1),
    Form("swapaxes({a}, 0, -1)", "swapaxes({a}, 0, -1)", _axes),
    Form("reshape({a}, (-1,))", "reshape({a}, (-1,))"),
    Form("{a}[0]", "{a}[0]", _axes),
    Form("{a}[..., -1]", "{a}[..., -1]", _axes),
    Form("{a}[1:]", "{a}[1:]", lambda a: len(a) > 0 and a[0] > 1),
    Form("{a}[[0, 0]]", "{a}[[0, 0]]", _axes),
    Form(
        "take({a}, [0, 0], axis={n})",
        "index_select({a}, {n}, zeros(2, dtype=int))",
        _axes,
    ),
    Form("pad({a}, 1)", "F.pad({a}, (1, 1) * {a}.ndim)", _axes),
    Form("concatenate([{a}, {a}], axis={n})", "cat([{a}, {a}], {n})", _axes),
    Form(
        "broadcast_to({a}, (2, 3))",
        "broadcast_to({a}, (2, 3))",
        lambda a: _joins(a, (2, 3)) and len(a) < 3,
    ),
    Form("max_pool2d({a}, 2)", "F.max_pool2d({a}, 2)", _planes),
    Form("avg_pool2d({a}, 2, stride=1)", "F.avg_pool2d({a}, 2, 1)", _planes),
    Form(
        "layer_norm({a})",
        "F.layer_norm({a}, {a}.shape[-1:])",
        lambda a: len(a) > 0 and a[-1] > 1,
    ),
    Form("rms_norm({a}, eps=1e-6)", "F.rms_norm({a}, {a}.shape[-1:], eps=1e-6)", _axes),
    Form("batch_norm({a})", "F.batch_norm({a}, None, None, training=True)", _planes),
    Form("group_norm({a}, 1)", "F.group_norm({a}, 1)", _planes),
    Form("instance_norm({a})", "F.instance_norm({a})", _planes),
    Form("norm({a})", "linalg.vector_norm({a})"),
    Form("norm({a}, axis={n})", "linalg.vector_norm({a}, dim={n})", _axes),
    Form("normalize({a}, axis={n})", "F.normalize({a}, dim={n})", _axes),
    Form("cumprod({a}, axis={n})", "cumprod({a}, {n})", _axes),
    Form("sort({a}, axis={n})", "sort({a}, dim={n}, stable=True)[0]", _axes),
    Form("roll({a}, 2, axis={n})", "roll({a}, 2, {n})", _axes),
    *(Form(f"{one}({{a}})", f"{one}({{a}})", _is_matrix) for one in ("tril", "triu")),
    *_same("round({a}) * {a}", "floor({a}) * {a}", "ceil({a}) + trunc({a})"),
    Form("put({a}[{a} > 0], 1)", "{a}.masked_fill({a} > 0, 1)"),
    Form("put({a}[0], {a}[-1])", "slice_scatter({a}, {a}[-1:], 0, 0, 1)", _axes),
    Form("interpolate({a}, 3)", "F.interpolate({a}, (3, 3))", _planes),
    Form(
        "interpolate({a}, 3, mode='bilinear')",
        "F.interpolate({a}, (3, 3), mode='bilinear')",
        _planes,
    ),
    Form("adaptive_avg_pool2d({a}, 2)", "F.adaptive_avg_pool2d({a}, 2)", _planes),
    Form(
        "sum(einsum('ij,kj->ik', {a}, {a}))",
        "sum(einsum('ij,kj->ik', {a}, {a}))",
        lambda a: len(a) == 2,
    ),
]
TWO: Final = [
    *(Form(form, form, _joins) for form in ("{a} + {b}", "{a} - {b}", "{a} * {b}")),
    *(Form(form, form, _joins) for form in ("maximum({a}, {b})", "minimum({a}, {b})")),
    Form("{a} / (1 + {b} * {b})", "{a} / (1 + {b} * {b})", _joins),
    Form("{a} / {b}", "{a} / {b}", _joins),
    Form("abs({a}) ** {b}", "abs({a}) ** {b}", _joins),
    Form("where({a} > {b}, {a}, {b} * 2)", "where({a} > {b}, {a}, {b} * 2)", _joins),
    Form("where({a} >= 0, {b}, 0)", "where({a} >= 0, {b}, 0)", _joins),
    Form("{a} @ {b}", "{a} @ {b}", _multiply),
    Form("outer({a}, {b})", "outer({a}, {b})", lambda a, b: len(a) == len(b) == 1),
    Form("stack([{a}, {b}])", "stack([{a}, {b}])", lambda a, b: a == b),
    Form("concatenate([{a}, {b}])", "cat([{a}, {b}])", lambda a, b: len(a) == len(b) > 0 and a[1:] == b[1:]),
    Form("mse_loss({a}, {b})", "F.mse_loss({a}, {b})", lambda a, b: a == b),
    Form("huber_loss({a}, {b})", "F.huber_loss({a}, {b})", lambda a, b: a == b),
    Form("cross_entropy({a}, softmax({b}, axis=1))", "F.cross_entropy({a}, softmax({b}, 1))", lambda a, b: a == b and len(a) == 2),
    Form("binary_cross_entropy_with_logits({a}, sigmoid({b}))", "F.binary_cross_entropy_with_logits({a}, sigmoid({b}))", lambda a, b: a == b),
    Form("conv2d({a}, {b}, padding=1)", "F.conv2d({a}, {b}, padding=1)", lambda a, b: len(a) == len(b) == 4 and a[1] == b[1] and max(b[2:]) <= min(a[2:])),
    Form("conv_transpose2d({a}, swapaxes({b}, 0, 1), stride=2)", "F.conv_transpose2d({a}, swapaxes({b}, 0, 1), stride=2)", lambda a, b: len(a) == len(b) == 4 and a[1] == b[1]),
    Form("linear({a}, {b})", "F.linear({a}, {b})", lambda a, b: len(a) > 0 and len(b) == 2 and a[-1] == b[1]),
    Form("binary_cross_entropy(sigmoid({a}), stop_gradient(sigmoid({b})))", "F.binary_cross_entropy(sigmoid({a}), sigmoid({b}).detach())", lambda a, b: a == b),
    Form("einsum('i,ij->j', {a}, {b})", "einsum('i,ij->j', {a}, {b})", lambda a, b: len(a) == 1 and len(b) == 2 and a[0] == b[0]),
]  # fmt: skip


class Drawn(NamedTuple):
    """A program for both sides, and what it begins with."""

    here: str
    torch: list[tuple[str, str]]  # a name, and the expression in PyTorch
    leaves: dict[str, Any]
    dtype: str
    has_ties: bool  # it begins with small whole numbers


def draw(rng: random.Random, torch: Any) -> Drawn:
    """Return a random program. PyTorch says which shapes there are on the way."""
    dtype = rng.choice(("float64", "float64", "float32"))
    has_ties = rng.random() < 0.3
    numbers = np.random.default_rng(rng.getrandbits(32))
    leaves: dict[str, Any] = {}
    for name in "abc"[: rng.choice((1, 2, 2, 3))]:
        shape = rng.choice(_LEAVES)
        array = (
            numbers.integers(-2, 3, shape) if has_ties else numbers.normal(size=shape)
        )
        leaves[name] = np.asarray(array, dtype)
    known = {name: torch.tensor(value) for name, value in leaves.items()}
    lines: list[tuple[str, str, str]] = []
    for count in range(rng.choice((1, 2, 3, 5, 8, 12))):
        name = f"v{count}"
        a, b = rng.choices(list(known)[-6:], k=2)
        shapes = [tuple(known[one].shape) for one in (a, b)]
        forms = [one for one in ONE if one.fits(shapes[0])]
        pairs = [one for one in TWO if one.fits(*shapes)]
        form = rng.choice(pairs if pairs and rng.random() < 0.5 else forms)
        axis = rng.randrange(max(len(shapes[0]), 1))
        here, there = (text.format(a=a, b=b, n=axis) for text in form[:2])
        value = compute(there, known, torch)
        if value.numel() > 2000 or not bool((value.abs() < _LARGEST).all()):
            continue
        known[name] = value
        lines.append((name, here, there))
    used = list(known)[-3:]
    total = " + ".join(f"sum({one})" for one in used)
    lines.append(("E", total, total))
    text = "\n".join(f"{name} = {here}" for name, here, _ in lines)
    return Drawn(
        text, [(name, there) for name, _, there in lines], leaves, dtype, has_ties
    )


def compute(text: str, known: dict[str, Any], torch: Any) -> Any:
    """Compute an expression of PyTorch."""
    names = {"F": torch.nn.functional, "erf": torch.erf, "range": range}
    return eval(text, {}, _Names(known | names, torch))


class _Names(dict[str, Any]):
    """Names of a program, and behind them those of PyTorch."""

    def __init__(self, names: dict[str, Any], torch: Any) -> None:
        super().__init__(names)
        self._torch = torch

    def __missing__(self, name: str) -> Any:
        if not hasattr(self._torch, name):
            raise KeyError(name)
        return getattr(self._torch, name)


def by_torch(drawn: Drawn, torch: Any) -> dict[str, Any]:
    """Return the output, and the gradient of each leaf, in float64."""
    known = {
        name: torch.tensor(value.astype(drawn.dtype), requires_grad=True)
        for name, value in drawn.leaves.items()
    }
    begun = dict(known)
    for name, text in drawn.torch:
        known[name] = compute(text, known, torch)
    known["E"].backward()
    found = {"E": known["E"].detach()}
    for name, leaf in begun.items():
        found[name] = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
    return {name: value.numpy().astype(float) for name, value in found.items()}


def by_us(drawn: Drawn, _torch: Any = None) -> dict[str, Any]:
    """Return the same, as gradstep computes it."""
    run = run_of(drawn.here, drawn.dtype, **drawn.leaves)
    found: dict[str, Any] = {"E": run.value(number(run, "E"))}
    for name, leaf in drawn.leaves.items():
        gradient = run.gradients[number(run, name)]
        found[name] = np.zeros(leaf.shape) if gradient is None else gradient
    return {name: np.asarray(value, float) for name, value in found.items()}


def apart(one: dict[str, Any], two: dict[str, Any], dtype: str) -> list[str]:
    """Return the names of what differs by more than rounding."""
    found: list[str] = []
    for name, other in two.items():
        scale = np.abs(other[np.isfinite(other)]).max(initial=1.0)
        close = _CLOSE[dtype] * scale
        is_same = np.allclose(one[name], other, 0, close, equal_nan=True)
        if one[name].shape != other.shape or not (is_same or scale > _LARGEST):
            found.append(name)
    return found


def is_steady(drawn: Drawn, torch: Any) -> bool:
    """Tell whether other rounding leaves the answers of both sides as they are.

    A sum that is 0 but for its rounding, and is asked for its sign, has no answer. Noise
    in the leaves would untie what is tied, which another precision does not.
    """
    rng = np.random.default_rng(1)
    others = [drawn._replace(dtype=dtype) for dtype in _CLOSE]
    if not drawn.has_ties:
        noise = 1e-6 if drawn.dtype == "float32" else 1e-13
        factors = [lambda x: 1 + noise * rng.normal(size=x.shape)] * 4
        others.extend(_times(drawn, factor) for factor in factors)
    for side in (by_us, by_torch):
        first = side(drawn, torch)
        if any(apart(side(one, torch), first, "float32") for one in others):
            return False
    return True


def _times(drawn: Drawn, factor: Callable[[Any], Any]) -> Drawn:
    leaves = {name: value * factor(value) for name, value in drawn.leaves.items()}
    return drawn._replace(leaves=leaves)


def differences(drawn: Drawn, torch: Any) -> list[str]:
    """Return what the two sides do not agree about."""
    here, there = by_us(drawn), by_torch(drawn, torch)
    wrong = apart(here, there, drawn.dtype)
    if wrong and not is_steady(drawn, torch):
        return []
    return [
        f"{name}: {here[name].tolist()} here, {there[name].tolist()} in PyTorch"
        for name in wrong
    ]


def main() -> int:
    """Return 1 where the two do not agree."""
    import torch  # pyright: ignore[reportMissingImports]  # what reads the tables needs none

    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description="Compare programs with PyTorch.")
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311  # no secret
    failed = 0
    for count in range(options.programs):
        with np.errstate(all="ignore"):
            drawn = draw(rng, torch)
            wrong = differences(drawn, torch)
        if wrong:
            failed += 1
            print(f"--- program {count}, {drawn.dtype}\n{drawn.here}")
            print(
                *(f"{name} = {value.tolist()}" for name, value in drawn.leaves.items()),
                sep="\n",
            )
            print(*wrong, sep="\n", flush=True)
    print(f"{options.programs} programs, {failed} without agreement")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

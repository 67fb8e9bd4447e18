"""Single operations, forward and backward, beside PyTorch on one thread.

Our products take as many threads as `OPENBLAS_NUM_THREADS` says, so set it to 1.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from measure import Row, compare, duration, race

from gradstep.core.engine.run import evaluate
from gradstep.core.program.build import Leaf, build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Shape = tuple[int, ...]


class Operation(NamedTuple):
    """One operation: as a program, with PyTorch, and what the ratio may be at most."""

    text: str  # of y
    shapes: Mapping[str, Shape]  # of the leaves
    theirs: Callable[..., Any]  # PyTorch's function of torch and the leaves
    most: Mapping[str, float]  # by dtype
    positive: bool = False  # whether the leaves are above 0


def _plain(operation: str, **attributes: Any) -> Callable[..., Any]:
    def theirs(torch: Any, *leaves: Any) -> Any:
        return getattr(torch.nn.functional, operation)(*leaves, **attributes)

    return theirs


WIDE = {"x": (256, 512)}
OPERATIONS = (
    Operation("gelu(x)", WIDE, _plain("gelu"), {"float64": 5, "float32": 12}),
    Operation("x ** 2", WIDE, lambda _torch, x: x**2, {"float64": 2}),
    Operation("x ** 3", WIDE, lambda _torch, x: x**3, {"float64": 2}),
    Operation("x ** 2.5", WIDE, lambda _torch, x: x**2.5, {"float64": 2}, True),
    Operation(
        "x ** p",
        {"x": (256, 512), "p": (256, 512)},
        lambda _torch, x, p: x**p,
        {"float64": 2},
        True,
    ),
    Operation(
        "layer_norm(x, weight, bias)",
        {"x": (256, 512), "weight": (512,), "bias": (512,)},
        lambda torch, x, weight, bias: torch.nn.functional.layer_norm(
            x, (512,), weight, bias
        ),
        {"float64": 2},
    ),
    Operation(
        "conv2d(x, w, b, padding=1)",
        {"x": (8, 16, 32, 32), "w": (32, 16, 3, 3), "b": (32,)},
        _plain("conv2d", padding=1),
        {"float64": 2},
    ),
)


def rows(seconds: float) -> Iterator[Row | str]:
    """Yield a line for each operation and dtype, or why there are none."""
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        yield "operations: torch is not installed (pip install torch==2.13.0)"
    else:
        torch.set_num_threads(1)
        for operation in OPERATIONS:
            for dtype, most in operation.most.items():
                yield _row(torch, operation, dtype, most, seconds)
    yield _threads_row()


def _row(
    torch: Any, operation: Operation, dtype: str, most: float, seconds: float
) -> Row:
    random = np.random.default_rng(0)
    arrays = {
        name: np.asarray(random.normal(size=shape), dtype)
        for name, shape in operation.shapes.items()
    }
    if operation.positive:
        arrays = {name: np.abs(array) + 0.1 for name, array in arrays.items()}
    for array in arrays.values():
        array.setflags(write=False)
    leaves = {name: Leaf("input", array) for name, array in arrays.items()}
    program = build(f"y = {operation.text}", leaves)
    shape = program.graph.nodes[program.graph.output].shape
    seed = np.asarray(random.normal(size=shape), dtype)
    seed.setflags(write=False)
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays.values()]
    upstream = torch.tensor(seed)

    def ours() -> Any:
        return evaluate(program.graph, program.leaves, seed)

    def theirs() -> Any:
        y = operation.theirs(torch, *tensors)
        return y, torch.autograd.grad(y, tensors, upstream)

    _agree(operation.text, dtype, ours(), theirs())
    sizes = " × ".join(map(str, next(iter(operation.shapes.values()))))
    what = f"{operation.text}, {sizes}, {dtype}"
    return compare(what, "PyTorch, one thread", most, ours, theirs, seconds)


def _agree(text: str, dtype: str, run: Any, theirs: Any) -> None:
    y, gradients = theirs
    tolerance = 1e-9 if dtype == "float64" else 1e-4
    pairs = [(run.value(run.graph.output), y)]
    leaves = [n for n in run.graph if n.kind == "input"]
    pairs += [
        (run.gradient(n.index), g) for n, g in zip(leaves, gradients, strict=True)
    ]
    for one, two in pairs:
        if not np.allclose(one, two.detach().numpy(), tolerance, tolerance):
            raise SystemExit(f"{text}: what PyTorch computes differs")


# --------------------------------------------------------- threads on a busy machine

STACK, WEIGHTS = (64, 128, 256), (512, 256)
_BUSY = "while True: pass"


def product(seconds: float) -> float:
    """Return the best time of a stack of matrices times a transposed one."""
    random = np.random.default_rng(0)
    shapes = {"a": STACK, "W": WEIGHTS}
    leaves = {
        name: Leaf("input", random.normal(size=shape).astype(np.float32))
        for name, shape in shapes.items()
    }
    program = build("y = a @ W.T", leaves)
    seed = np.ones((*STACK[:2], WEIGHTS[0]), np.float32)

    def once() -> Any:
        return evaluate(program.graph, program.leaves, seed)

    return race(once, once, seconds, time.perf_counter)[0]  # threads that wait count


def _threads_row() -> Row:
    """Return the line of a product on two threads while the machine is busy."""
    count = os.cpu_count() or 2
    command = [sys.executable, "-c", _BUSY]
    busy = [subprocess.Popen(command) for _ in range(count)]  # noqa: S603  # our own
    best = {2: float("inf"), 1: float("inf")}
    try:
        for _ in range(3):
            for threads, before in best.items():
                best[threads] = min(before, _in_a_process(threads))
    finally:
        for one in busy:
            one.kill()
            one.wait()
    what = f"a @ W.T, {STACK} by {WEIGHTS}, float32, two threads, busy machine"
    ours, theirs = best[2], best[1]
    times = duration(ours), duration(theirs)
    return Row(what, "the same on one thread", *times, ours / theirs, 2.0)


def _in_a_process(threads: int) -> float:
    program = "import operations; print(operations.product(0.5))"
    done = subprocess.run(  # noqa: S603  # our own text
        [sys.executable, "-c", program],
        cwd=Path(__file__).parent,
        env={**os.environ, "OPENBLAS_NUM_THREADS": str(threads)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)

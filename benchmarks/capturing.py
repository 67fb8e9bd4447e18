"""Recording a run of PyTorch, beside the run alone.

A GPT as people write it. What is written and checked afterwards has rows of its own.
"""

from __future__ import annotations

import gc
import tempfile
import time
from importlib import import_module, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from measure import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# layers, width, sequences, tokens of each, and the ratio that recording may have
SIZES = ((4, 64, 4, 64, 3.0), (6, 256, 4, 128, 2.0))


def rows(turns: int = 5) -> Iterator[Row | str]:
    """Yield the lines of the table, or a sentence where there is no PyTorch."""
    if util.find_spec("torch") is None:
        yield "recording: PyTorch is not installed here"
        return
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    for layers, width, batch, tokens, most in SIZES:
        run = _gpt(torch, layers, width, batch, tokens)
        what = f"{layers} layers, width {width}, {batch} × {tokens} tokens"
        yield from _of(run, what, most, turns)


def _of(run: Callable[[], object], what: str, most: float, turns: int) -> Iterator[Row]:
    """Yield the lines of one model."""
    from gradstep.core.account import account  # noqa: PLC0415  # only with PyTorch
    from gradstep.core.capture import archive, selfcheck  # noqa: PLC0415  # likewise

    plain, watched = float("inf"), float("inf")
    capture: Any = None
    for _ in range(turns):
        plain = min(plain, _time(run))
        took, capture = _recorded(run)
        watched = min(watched, took)
    yield _row(f"recording a GPT: {what}", "forward + backward", watched, plain, most)
    own = min(_time(lambda: _fresh(capture)) for _ in range(2))
    held = min(_time(lambda: selfcheck.hold(capture)) for _ in range(2))
    yield _row(f"its self-check: {what}", "our forward + backward", held, own, 1.5)
    passed, claims = capture.opened().subject.run(), capture.claims
    back = min(_time(lambda: _backward(capture)) for _ in range(3))
    ruled = min(_time(lambda: account.account(passed, claims)) for _ in range(3))
    yield _row(f"its rules: {what}", "our backward pass", ruled, back, 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        arrays = [*capture.subject.leaves.values(), *capture.values.values()]
        arrays += capture.own.values()
        ours = min(
            _time(lambda: archive.write(path / "a.gradstep", capture, overwrite=True))
            for _ in range(3)
        )
        theirs = min(_time(lambda: np.savez(path / "a.npz", *arrays)) for _ in range(3))
    yield _row(f"writing it: {what}", "numpy.savez", ours, theirs, 1.5)


def _fresh(capture: Any) -> object:

    return capture.subject._replace(known={}, claims=None).run()


def _backward(capture: Any) -> object:
    """Return all our own gradients, from the values that were recorded."""
    gradients = capture.opened().subject.run().gradients
    return [gradients[node] for node in range(len(gradients))]


def _recorded(run: Callable[[], object]) -> tuple[float, Any]:
    """Return the time of a recorded run up to its end, and the capture."""
    from gradstep.core.capture.record import Wanted  # noqa: PLC0415  # it needs PyTorch
    from gradstep.core.frontends.torch.recording import Recording  # noqa: PLC0415

    class Timed(Recording):
        """Notes when the backward pass was over."""

        over = 0.0

        def _finished(self, roots: Any, seeds: Any, frame: Any) -> Any:
            self.over = time.process_time()
            return super()._finished(roots, seeds, frame)

    recording = Timed(Wanted(), 2**34, lambda _: None)
    gc.collect()
    began = time.process_time()
    recording.start()
    run()
    recording.stop()
    return recording.over - began, recording.capture


def _time(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def _row(what: str, against: str, ours: float, theirs: float, most: float) -> Row:
    one, two = f"{ours * 1000:.0f} ms", f"{theirs * 1000:.0f} ms"
    return Row(what, against, one, two, ours / theirs, most)


def _gpt(
    torch: Any, layers: int, width: int, batch: int, tokens: int
) -> Callable[[], object]:
    """Return a forward and a backward pass of a GPT."""
    nn, functional = torch.nn, torch.nn.functional

    class Block(nn.Module):
        """Attention and a layer of four times the width."""

        def __init__(self) -> None:
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = (
                nn.Linear(width, 4 * width),
                nn.Linear(4 * width, width),
            )

        def attention(self, x: Any) -> Any:
            shape = (batch, tokens, 4, width // 4)
            q, k, v = self.qkv(x).split(width, dim=2)
            q, k, v = (one.view(shape).transpose(1, 2) for one in (q, k, v))
            scores = (q @ k.transpose(-2, -1)) * (width // 4) ** -0.5
            hidden = torch.ones(tokens, tokens).tril() == 0
            weights = functional.softmax(scores.masked_fill(hidden, -1e9), dim=-1)
            y = (weights @ v).transpose(1, 2).contiguous().view(batch, tokens, width)
            return functional.dropout(self.proj(y), 0.1)

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.ln_1(x))
            h = functional.gelu(self.up(self.ln_2(x)))
            return x + functional.dropout(self.down(h), 0.1)

    torch.manual_seed(0)
    embedding = nn.Embedding(65, width)
    model = nn.Sequential(
        embedding, *(Block() for _ in range(layers)), nn.LayerNorm(width)
    )
    head = nn.Linear(width, 65)
    x = torch.randint(0, 65, (batch, tokens))

    def run() -> None:
        model.zero_grad()
        logits = head(model(x))
        loss = functional.cross_entropy(logits.view(-1, 65), x.view(-1))
        loss.backward()

    return run

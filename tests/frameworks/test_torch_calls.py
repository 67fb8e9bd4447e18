"""Functions, methods and modules of PyTorch, each beside PyTorch's own numbers."""

from pathlib import Path

import pytest
from recording import apart, snippet

pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("default")

BEGIN = """
D = dict(dtype=torch.float64)
def R(*s, g=True, seed=1):
    torch.manual_seed(sum(s) + seed)
    return torch.randn(*s, dtype=torch.float64, requires_grad=g)
def P(n, seed=1):
    half = R(n, n, g=False, seed=seed)
    return (half @ half.T + n * torch.eye(n, **D)).requires_grad_()
"""
END = """
made = [y] if isinstance(y, torch.Tensor) else y
loss = sum(one.double().pow(2).sum() for one in made if one.is_floating_point())
loss.backward()
"""


def _calls() -> dict[str, str]:
    text = (Path(__file__).parent / "calls.txt").read_text("utf-8")
    blocks = (block.partition("\n") for block in text.split("## ")[1:])
    return {name: code for name, _, code in blocks}


CALLS = _calls()


@pytest.mark.parametrize("name", CALLS)
def test_a_call_has_a_rule_here_that_gives_what_pytorch_gives(
    name: str, tmp_path: Path
) -> None:
    capture = snippet(f"{BEGIN}{CALLS[name]}{END}", tmp_path)
    assert not [note for note in capture.about.notes if "no rule" in note]
    assert apart(capture)[2] == []


# Calls that have no rule here, and how the note names them.
OPAQUE = {
    "complex numbers": ("y = torch.fft.rfft(R(8)).abs()", "complex abs"),
    "singular values": ("y = torch.linalg.svdvals(R(4, 3))", "linalg_svdvals"),
    "alignments that there are none of": (
        "y = nn.CTCLoss(zero_infinity=True)(R(6, 1, 4), torch.ones(1, 2), (2,), (2,))",
        "F.ctc_loss",
    ),
}


@pytest.mark.parametrize("name", OPAQUE)
def test_a_call_without_a_rule_is_named(name: str, tmp_path: Path) -> None:
    code, word = OPAQUE[name]
    capture = snippet(f"{BEGIN}{code}{END}", tmp_path)
    (note,) = capture.about.notes
    assert note.startswith(f"{word} (snippet.py:9) has no rule here")


# Where PyTorch rounds on its way, in a manner that depends on how it counts.
ROUNDED = {
    "places of 16 bits": "y = F.affine_grid(R(2, 3, 4).bfloat16(), (2, 1, 3, 3, 4))",
    "samples at places of 16 bits": (
        "y = F.grid_sample(R(2, 2, 3, 4).bfloat16(), R(2, 2, 3, 2).bfloat16() * 1.4,"
        ' padding_mode="border", align_corners=False)'
    ),
    "sums of 16 bits": (
        "y = F.conv_transpose3d(R(2, 2, 4, 4, 2).half(), R(2, 2, 2, 2, 3).half(),"
        " R(2).half(), stride=(2, 3, 2), dilation=(2, 2, 1))"
    ),
    "a length that doubles": (
        'y = F.interpolate(R(1, 2, 2), scale_factor=2.3, mode="nearest")'
    ),
}


@pytest.mark.parametrize("name", ROUNDED)
def test_a_call_whose_rounding_decides_has_no_rule_but_is_recorded(
    name: str, tmp_path: Path
) -> None:
    capture = snippet(f"{BEGIN}{ROUNDED[name]}{END}", tmp_path)
    assert any("no rule" in note for note in capture.about.notes)


# What happens inside of these is not seen: only their numbers are.
INSIDE = {
    "torch.func": "x = R(3); y = x * torch.vmap(lambda v: v * 2)(x.detach())",
    "a nested tensor": (
        "x = R(3); n = torch.nested.nested_tensor([torch.ones(2), torch.ones(1)])\n"
        "y = x * n.to_padded_tensor(0.0).sum()"
    ),
}


@pytest.mark.parametrize("name", INSIDE)
def test_tensors_without_numbers_of_their_own_are_let_through(
    name: str, tmp_path: Path
) -> None:
    capture = snippet(f"{BEGIN}{INSIDE[name]}{END}", tmp_path)
    assert capture.about.notes == ()
    assert apart(capture)[2] == []

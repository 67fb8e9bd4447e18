"""Programs as people write them: every value and gradient beside PyTorch's own."""

from pathlib import Path

import pytest
from recording import PROGRAMS, apart, names, program

pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("default")

# Each program, which backward pass of it, and some of the names that it has.
CASES = {
    "clip": (1, ["image_features", "logits_per_image", "total_loss"]),
    "cnn": (2, ["x", "x@2", "output", "loss"]),
    "diffusion": (1, ["block.h@3", "t", "eps_theta"]),
    "encoder": (1, ["encoder.layers.0.norm1", "scores", "loss"]),
    "gan": (3, ["netG.main.4", "netD.main.3", "fake", "output", "errG"]),
    "gpt": (2, ["transformer.h.1.attn.att", "transformer.h.0.mlp.x", "loss"]),
    "llama": (1, ["q", "x1", "rotate.x2", "out"]),
    "lstm_layers": (1, ["x", "out"]),
    "lstm_lm": (3, ["emb", "output", "loss"]),
    "mlp": (3, ["h", "h@2", "h@3", "body.0@2", "logits", "loss"]),
    "penalty": (1, ["slopes", "penalty", "loss"]),
    "pinn": (1, ["u", "residual", "loss"]),
    "ppo": (2, ["ratio", "pg_loss", "v_clipped", "loss"]),
    "rare": (1, ["scattered.rows", "windows.slid", "heard", "taken", "loss"]),
    "resnet": (2, ["layer1.0.out", "x", "loss"]),
    "unet": (1, ["inc.double_conv.0", "up.x1", "loss"]),
    "vae": (1, ["mu", "logvar", "KLD", "loss"]),
    "vit": (1, ["dots", "attn"]),
}


@pytest.mark.parametrize("name", CASES)
def test_every_value_and_gradient_is_that_of_pytorch(
    name: str, tmp_path: Path, compared: dict[str, tuple[int, float]]
) -> None:
    step, expected = CASES[name]
    capture = program(name, tmp_path, step)
    count, worst, wrong = apart(capture)
    compared[name] = (count, worst)
    assert wrong == []
    found = {*names(capture), *capture.subject.graph.aliases}
    assert {*expected} <= found | {one.rpartition(".")[2] for one in found}


def test_no_operation_of_the_programs_is_opaque(tmp_path: Path) -> None:
    for name, (step, _) in CASES.items():
        assert program(name, tmp_path, step).about.notes == (), name


def test_the_rules_of_ones_own_are_told_with_their_places(tmp_path: Path) -> None:
    capture = program("custom", tmp_path)
    lines = (PROGRAMS / "custom.py").read_text("utf-8").splitlines()
    told = [line for line, text in enumerate(lines, 1) if "def backward" in text]
    assert [*capture.custom.values()] == [
        f"{name}.backward (custom.py:{line})"
        for name, line in zip(("Swish", "RootMeanSquare", "Scale"), told, strict=True)
    ]
    _, _, wrong = apart(capture)  # all that the wrong rule comes after
    assert wrong == ["fc1.weight", "fc1.bias", "h._1", "h"]

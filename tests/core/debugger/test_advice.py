"""Advice leads somewhere: what an error tells to write works."""

from __future__ import annotations

import re
from typing import Final

import pytest

from gradstep import Debugger, load
from gradstep.core.commands import ALIASES, COMMANDS
from gradstep.core.debugger.elsewhere import WAYS
from gradstep.core.program.elsewhere import ASKED, ATTRIBUTES, NUMBERS
from sessions import said, wrong

# What a person writes, and what there is to write in its place.
WRITTEN: Final = {
    # methods and functions of other libraries
    "W1.sum()": "sum(W1)",
    "W1.mean(dim=0)": "mean(W1, axis=0)",
    "W1.sum(dim=1, keepdim=True)": "sum(W1, axis=1, keepdims=True)",
    "W1.abs().max()": "max(x)",
    "W1.norm()": "norm(W1)",
    "torch.norm(W1)": "norm(W1)",
    "np.linalg.norm(W1)": "norm(W1)",
    "torch.matmul(W1, x0)": "matmul(W1, x0)",
    "jnp.dot(W1, x0)": "dot(W1, x0)",
    "jax.nn.relu(W1)": "relu(W1)",
    "tf.reduce_mean(W1)": "mean(W1)",
    "F.softmax(W1, dim=-1)": "softmax(W1, axis=-1)",
    "W1.t()": "W1.T",
    "W1.mm(x0)": "W1 @ x0",
    "torch.mm(W1, x0)": "W1 @ x0",
    "W1.view(-1)": "reshape(W1, -1)",
    "W1.view(4, 5)": "reshape(W1, (4, 5))",
    "W1.reshape(4, 5)": "reshape(W1, (4, 5))",
    "W1.permute(1, 0)": "transpose(W1, (1, 0))",
    "W1.transpose(0, 1)": "swapaxes(W1, 0, 1)",
    "nn.ReLU()(W1)": "relu(W1)",
    "ReLU(W1)": "relu(W1)",
    "MSELoss()(x0, x0)": "mse_loss(x0, x0)",
    "L1Loss(x0, x0)": "mean(abs(x0 - x0))",
    "LogSoftmax(W1)": "log_softmax(W1)",
    "W1.reshape(-1)": "reshape(W1, -1)",
    "W1.flatten()": "ravel(W1)",
    "W1.unsqueeze(0)": "expand_dims(W1, 0)",
    "unsqueeze(W1, 0)": "expand_dims(W1, 0)",
    "W1.pow(2)": "W1 ** 2",
    "torch.pow(W1, 2)": "W1 ** 2",
    "W1.gt(0)": "W1 > 0",
    "W1.detach()": "stop_gradient(W1)",
    "W1.clamp(0, 1)": "clip(x, low, high)",
    "W1.size()": "W1.shape",
    "len(W1)": "W1.shape[0]",
    "np.allclose(W1, W1)": "close(W1, W1)",
    "isclose(W1, W1)": "close(W1, W1)",
    "array_equal(W1, W1)": "all(W1 == W1)",
    "zeros_like(W1)": "zeros(W1.shape)",
    "count_nonzero(W1)": "sum(where(W1 == 0, 0, 1))",
    "nan_to_num(W1)": "clip(where(W1 == W1, W1, 0), "
    "-1.7976931348623157e308, 1.7976931348623157e308)",
    "expit(W1)": "sigmoid(W1)",
    "trace(W1)": "einsum('ii->', W1)",
    # what is asked of a value
    "W1.size": "W1.shape",
    "W1.data": "W1.value",
    "W1.val": "W1.value",
    "W1.gradient": "W1.grad",
    "W1.grad_fn": "W1.op",
    # other names of a gradient, and of numbers
    "dW1": "W1.grad",
    "dE_dW1": "W1.grad",
    "grad_W1": "W1.grad",
    "W1_grad": "W1.grad",
    "dE/dW1": "W1.grad",
    "∂E/∂W1": "W1.grad",
    "np.pi": "pi",
    "math.e": "2.718281828459045",
    "torch.inf": "inf",
    "NaN": "nan",
    "epoch": "iteration",
}
# What is told of the rest, where no other expression does the same.
TOLD: Final = {
    "W1.numpy()": "leave it out: W1 is enough",
    "E.item()": "leave it out: E is enough",
    "float(E)": "leave it out: E is enough",
    "W1.grad.data": "leave it out: W1.grad is enough",
    "print(W1)": "leave it out: W1 is enough",
    "torch.autograd.grad(E, W1)": "each gradient is there: W1.grad",
    "grad(E)": "each gradient is there: w.grad",
    "E.backward()": "the backward pass is in every run",
    "W1.retain_grad()": "the gradient of each value is kept: W1.grad",
    "W1.requires_grad": "the command whatis W1 tells it",
    "W1.dtype": "the command whatis W1 tells it",
    "W1.grad.zero_()": "set W1.grad = 0 makes a run with other numbers",
    "loss": "the output is E",
    "lr": "write W.learning_rate, of a parameter W",
    "torch.randn(2, 3)": 'a file draws numbers: W = { random = "normal", shape =',
    "nn.Unfold(3)(W1)": "there is nothing like it here",
    "random.normal()": "a file draws numbers",
    "W11.grad": "did you mean 'W1'?",
    "x1.zz": "did you mean 'z'?",
    "range(3)": "did you mean 'arange'?",
    "sum(W1, dim=0)": "write sum(x, axis=…, keepdims=…)",
    "median(E)": "there is nothing like it here",
    "pinv(W1)": "there is nothing like it here",
    "kthvalue(W1, 2)": "there is nothing like it here",
    "frobnicate(W1)": "help EXPR shows what can be written",
    "nonsense": "help EXPR shows what can be written",
}
# These stand for something that the person has to fill in.
OPEN: Final = re.compile(r"\b(x|shape|low|high)\b|ii")


@pytest.fixture(scope="module")
def debugger() -> Debugger:
    debugger = Debugger(load("three_layer"))
    said(debugger, "goto end")
    return debugger


@pytest.mark.parametrize("text", WRITTEN)
def test_what_an_error_tells_to_write_works(debugger: Debugger, text: str) -> None:
    error, way = wrong(debugger, f"print {text}"), WRITTEN[text]
    assert error.endswith(f"write {way}")
    if not OPEN.search(way):
        said(debugger, f"print {way}")


@pytest.mark.parametrize("text", TOLD)
def test_an_error_tells_what_there_is_instead(debugger: Debugger, text: str) -> None:
    assert TOLD[text] in wrong(debugger, f"print {text}")


@pytest.mark.parametrize("name", ASKED)
def test_expressions_lead_on_from_functions(debugger: Debugger, name: str) -> None:
    assert f"there is no function '{name}'" in wrong(debugger, f"print {name}(W1)")


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_what_is_asked_of_a_value_is_not_there(debugger: Debugger, name: str) -> None:
    error = wrong(debugger, f"print W1.{name}")
    way = re.search(r"write (.*)", error)
    said(debugger, f"print {way[1]}" if way else "whatis W1")


@pytest.mark.parametrize("name", sorted(set(NUMBERS) - {"inf", "nan", "pi"}))
def test_a_number_with_a_name_is_written_out(debugger: Debugger, name: str) -> None:
    way = wrong(debugger, f"print {name}").partition("write ")[2]
    assert str(said(debugger, f"print {way}").data) == NUMBERS[name]


@pytest.mark.parametrize("name", WAYS)
def test_a_command_from_elsewhere_leads_to_one(debugger: Debugger, name: str) -> None:
    assert name not in {*COMMANDS, *ALIASES}
    assert wrong(debugger, name) == f"there is no command '{name}'; write {WAYS[name]}"
    word, *rest = WAYS[name].split()
    assert word in COMMANDS
    assert not rest or COMMANDS[word].usage

"""A wrong backward rule, planted in a program: it is named, and only it."""

from pathlib import Path

import pytest

from gradstep.core.account.account import account
from gradstep.core.account.blame import account_lines
from watching import recorded, text

# What is wrong: a program, what stands in it or in its layers, what is put in its
# place, and what the rule is called then.
PLANTED = {
    "a transposed matrix too few": (
        "two_layers",
        "dx = np.dot(dout, self.W.T)\n        self.dW",
        "dx = np.dot(dout, self.W[:, :].reshape(self.W.T.shape))\n        self.dW",
        "Affine.backward (layers.py:21)",
    ),
    "the batch averaged, not summed": (
        "two_layers",
        "self.db = np.sum(dout, axis=0)\n        return dx.reshape",
        "self.db = np.mean(dout, axis=0)\n        return dx.reshape",
        "Affine.backward (layers.py:21)",
    ),
    "the mask of relu forgotten": (
        "two_layers",
        "dout[self.mask] = 0\n        return dout",
        "return dout",
        "ReLU.backward (layers.py:57)",
    ),
    "the batch size divided by twice": (
        "two_layers",
        "return dx * dout / n",
        "return dx * dout / n / n",
        "SoftmaxWithLoss.backward (layers.py:",
    ),
    "what is added inside the logarithm left out": (
        "two_layers",
        "np.log(self.y[np.arange(n), t])",
        "np.log(self.y[np.arange(n), t] + 1e-7)",
        "SoftmaxWithLoss.backward (layers.py:",
    ),
    "the slope of a sigmoid by half": (
        "deep",
        "return dout * (1.0 - self.out) * self.out",
        "return dout * (1.0 - self.out)",
        "Sigmoid.backward (layers.py:",
    ),
    "the mask of a dropout forgotten": (
        "deep",
        "return dout * self.mask",
        "return dout",
        "Dropout.backward (layers.py:",
    ),
    "the mean of a batch taken as fixed": (
        "deep",
        "return dxc - dmu / dout.shape[0]",
        "return dxc",
        "BatchNorm.backward (layers.py:",
    ),
    "= where += belongs, of windows that overlap": (
        "convolution",
        "x:x_max:stride] += col[:, :, y, x, :, :]",
        "x:x_max:stride] = col[:, :, y, x, :, :]",
        "Convolution.backward (layers.py:",
    ),
    "the wrong sign of what is subtracted": (
        "pairs",
        "dw = x.T @ dout",
        "dw = -(x.T @ dout)",
        "affine_backward (script.py:10)",
    ),
    "the two factors taken for each other": (
        "shop",
        "dx = dout * self.y",
        "dx = dout * self.x",
        "Mul.backward (script.py:11)",
    ),
    "the corner of relu in the wrong place": (
        "pairs",
        "return dout * (x > 0)",
        "return dout * (x < 0)",
        "relu_backward (script.py:22)",
    ),
    "a price that the number of apples is left out of": (
        "apples",
        "dapple = dapple_price * apple_num",
        "dapple = dapple_price",
        "multiply at apple_price (script.py:7)",
    ),
    "a weight decay that the loss does not have": (
        "straight",
        "dW += 1e-3 * W\n",
        "dW += 2e-3 * W\n",
        "one of 2 uses of W: ",
    ),
    "a square forgotten, in an engine": (
        "scalars",
        "self.grad += (1 - out.data**2) * out.grad",
        "self.grad += (1 - out.data) * out.grad",
        "tanh at h (script.py:10)",
    ),
    "= where += belongs, through time": (
        "recurrent",
        "dWhy += np.dot(dy, hs[t].T)",
        "dWhy = np.dot(dy, hs[t].T)",
        "Why",
    ),
}


@pytest.mark.parametrize("mistake", list(PLANTED))
def test_a_planted_rule_is_named_and_only_it(mistake: str, tmp_path: Path) -> None:
    name, right, wrong, rule = PLANTED[mistake]
    texts = {"script": text(name), "layers": text("layers"), "engine": text("engine")}
    assert sum(one.count(right) for one in texts.values()) == 1
    texts = {key: one.replace(right, wrong) for key, one in texts.items()}
    files = {one: texts[one] for one in ("layers", "engine")}
    capture = recorded(texts["script"], tmp_path, files=files)
    run = capture.subject._replace(known={}, claims=None).run()
    found = account(run, capture.claims)
    told = list(account_lines(found))
    assert len(found.rules()) == 1, told
    assert rule in told[0], told
    assert told[0].startswith("wrong: ")

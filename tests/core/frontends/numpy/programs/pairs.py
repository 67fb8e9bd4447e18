import numpy as np


def affine_forward(x, w, b):
    out = x @ w + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    x = cache
    return dout * (x > 0)


def softmax_loss(scores, y):
    shifted = scores - scores.max(axis=1, keepdims=True)
    probs = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    n = len(y)
    loss = -np.log(probs[range(n), y]).mean()
    dscores = probs.copy()
    dscores[range(n), y] -= 1
    dscores /= n
    return loss, dscores


rng = np.random.default_rng(4)
params = {
    "W1": rng.normal(size=(4, 5)),
    "b1": rng.normal(size=5),
    "W2": rng.normal(size=(5, 3)),
    "b2": rng.normal(size=3),
}
x = rng.normal(size=(6, 4))
y = rng.integers(0, 3, size=6)
for step in range(3):
    h, cache1 = affine_forward(x, params["W1"], params["b1"])
    r, cache2 = relu_forward(h)
    scores, cache3 = affine_forward(r, params["W2"], params["b2"])
    loss, dscores = softmax_loss(scores, y)
    grads = {}
    dr, grads["W2"], grads["b2"] = affine_backward(dscores, cache3)
    dh = relu_backward(dr, cache2)
    dx, grads["W1"], grads["b1"] = affine_backward(dh, cache1)
    for name in params:
        params[name] -= 0.1 * grads[name]

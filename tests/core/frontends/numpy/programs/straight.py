import numpy as np

rng = np.random.default_rng(5)
X = rng.normal(size=(8, 3))
y = rng.integers(0, 4, size=8)
W = rng.normal(size=(3, 6))
b = np.zeros(6)
W2 = rng.normal(size=(6, 4))
b2 = np.zeros(4)
for i in range(4):
    hidden = np.maximum(0, X @ W + b)
    scores = hidden @ W2 + b2
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    data_loss = np.sum(-np.log(probs[range(8), y])) / 8
    reg_loss = 0.5 * 1e-3 * np.sum(W * W) + 0.5 * 1e-3 * np.sum(W2 * W2)
    loss = data_loss + reg_loss

    dscores = probs
    dscores[range(8), y] -= 1
    dscores /= 8
    dW2 = np.dot(hidden.T, dscores)
    db2 = np.sum(dscores, axis=0)
    dhidden = np.dot(dscores, W2.T)
    dhidden[hidden <= 0] = 0
    dW = np.dot(X.T, dhidden)
    db = np.sum(dhidden, axis=0)
    dW2 += 1e-3 * W2
    dW += 1e-3 * W

    W += -0.5 * dW
    b += -0.5 * db
    W2 += -0.5 * dW2
    b2 += -0.5 * db2

import numpy as np
from layers import Affine, Net, ReLU, SoftmaxWithLoss

np.random.seed(1)
params = {
    "W1": 0.5 * np.random.randn(4, 5),
    "b1": np.zeros(5),
    "W2": 0.5 * np.random.randn(5, 3),
    "b2": np.zeros(3),
}
first = Affine(params["W1"], params["b1"])
second = Affine(params["W2"], params["b2"])
net = Net([first, ReLU(), second], SoftmaxWithLoss())
x = np.random.randn(6, 4)
t = np.random.randint(0, 3, 6)
for _ in range(3):
    net.gradient(x, t)
    grads = {"W1": first.dW, "b1": first.db, "W2": second.dW, "b2": second.db}
    for key in params:
        params[key] -= 0.5 * grads[key]

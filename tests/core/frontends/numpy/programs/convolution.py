import numpy as np
from layers import Affine, Convolution, Net, Pooling, ReLU, SoftmaxWithLoss

rng = np.random.default_rng(3)
net = Net(
    [
        Convolution(rng.normal(size=(3, 2, 3, 3)), rng.normal(size=3), 1, 1),
        ReLU(),
        Pooling(2, 2, 2),
        Affine(rng.normal(size=(12, 3)), rng.normal(size=3)),
    ],
    SoftmaxWithLoss(),
)
x = rng.normal(size=(2, 2, 4, 4))
t = np.array([0, 2])
if __name__ == "__main__":
    net.gradient(x, t)

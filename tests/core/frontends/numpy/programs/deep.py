import numpy as np
from layers import Affine, BatchNorm, Dropout, MatMul, Net, Sigmoid, SoftmaxWithLoss

rng = np.random.default_rng(2)
np.random.seed(2)
net = Net(
    [
        Affine(rng.normal(size=(4, 6)), rng.normal(size=6)),
        BatchNorm(rng.normal(size=6), np.zeros(6)),
        Sigmoid(),
        Dropout(0.3),
        MatMul(rng.normal(size=(6, 3))),
    ],
    SoftmaxWithLoss(),
)
net.gradient(rng.normal(size=(5, 4)), rng.integers(0, 3, 5))

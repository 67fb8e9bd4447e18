"""A bag of words by hand: counts added at places, and numbers held between arrays."""

import numpy as np

rng = np.random.default_rng(3)
words = np.array([[0, 2, 2], [1, 0, 3]])
t = rng.normal(size=(2, 3))
E = rng.normal(size=(4, 3))
low, high = np.full(3, -0.8), np.array([0.5, 0.7, 0.9])


def forward(E, low, high):
    h = np.zeros((2, 3))
    np.add.at(h, np.repeat([0, 1], 3), E[words.ravel()])
    np.subtract.at(h, (slice(None), [1, 1]), 0.25)
    y = np.clip(h, low, high)
    loss = np.sum((y - t) ** 2)
    return h, y, loss


for step in range(2):
    h, y, loss = forward(E, low, high)
    dy = 2 * (y - t)
    inside = (h >= low) & (h <= high)
    dh = dy * inside
    dlow = np.sum(dy * (h < low), axis=0)
    dhigh = np.sum(dy * (h > high), axis=0)
    dE = np.zeros_like(E)
    np.add.at(dE, words.ravel(), np.repeat(dh, 3, axis=0))
    E -= 0.1 * dE
    low -= 0.1 * dlow
    high -= 0.1 * dhigh

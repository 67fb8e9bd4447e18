from engine import Scalar

x = Scalar(0.5)
w = Scalar(-1.5)
b = Scalar(2.0)
for _ in range(3):
    a = x * w + b
    square = a * a
    twice = square + square
    h = (twice - b).tanh()
    loss = (h - x) ** 2 + a.relu()
    for one in (x, w, b):
        one.grad = 0.0
    loss.backward()
    for one in (w, b):
        one.data -= 0.1 * one.grad

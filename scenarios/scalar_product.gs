# y = x · w: each vector's gradient is the other vector, times what arrives.

# Three products, one sum: 4 − 10 + 18.
step
assert y == 12
explain y

# This program is a part of something larger: 0.5 arrives from outside.
stepi
assert y.grad == 0.5

# Look at x2 alone: it stands in one product, x2 · w2, so its slope is w2 = −5.
stepi
assert x.grad[1] == -2.5
explain x.grad[1]
# The same for all three at once.
assert close(x.grad, [2, -2.5, 3])
assert close(x.grad, 0.5 * w)

# And with the roles swapped.
stepi
assert close(w.grad, [0.5, 1, 1.5])
assert close(w.grad, 0.5 * x)
# A gradient has the shape of the thing that it is the gradient of.
assert w.grad.shape == w.shape
whatis w

# What was worked out on paper holds, too.
rules

# The names that books use lead to the same places.
goto start
until ∂L/∂x
expect stop until
uses x[1]
goto ∂L/∂y
assert position == 4

# A larger upstream gradient makes everything larger in the same way.
set y.grad = 5
assert close(x.grad, [20, -25, 30])
assert close(w.grad, [5, 10, 15])
diff
undo

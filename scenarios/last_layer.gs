# Up to the loss.
goto E@forward
assert close(a[0, 0], 0.5)
assert close(E, 0.5 * (0.25 + a[1, 0] ** 2 + a[2, 0] ** 2))

# δ is the error times the slope of the sigmoid: (0.5 - 1) * 0.5 * 0.5 = -0.125.
goto δ
assert close(δ[0, 0], -0.125)
explain δ[0, 0]

# One bias: its derivative is 1, so it gets δ as it is.
goto end
assert all(b.grad == δ)
assert close(b.grad[0, 0], b1)

# One weight: its bias's gradient times its input.
explain W.grad[0, 1]
assert close(W.grad[0, 1], -0.125 * 2)

# All weights: a column times a row, (3×1)(1×2).
transposes z._1
assert close(W.grad, δ @ x.T)
assert close(W.grad, all_w)
check W b

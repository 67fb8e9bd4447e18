goto end
assert close(h[0, 0], 0.5)

# The first hidden bias reaches the loss by three routes, one for each output.
paths b1[0, 0]
assert close(b1.grad[0, 0], route1 + route2 + route3)
assert close(b1.grad[0, 0], -0.0518521535115, rtol=1e-10)

# The routes meet again in h: its gradient is W2ᵀ δ2, a sum over the outputs.
explain h.grad[0, 0]
assert close(h.grad, W2.T @ δ2)
assert close(δ1, h.grad * h * (1 - h))
assert close(W1.grad, δ1 @ x.T)

# A backward pass that forgets the slope of the hidden layer.
patch h local
goto end
assert close(δ1, h.grad)
diff
# The check names the rule that is wrong.
check
expect error the rule of sigmoid at h<-z1

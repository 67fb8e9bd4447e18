# Softmax with cross entropy: the gradient of the logits is a − y, fused or written out.

# −log of the probability of the right class: e / (e² + e + 1) = 0.2447.
step
assert close(fused, 1.4076059644443804)
step
assert close(a, [[0.665240955775, 0.244728471055, 0.0900305731704]])
explain a[0, 1]
finish
assert close(written, 1.4076059644443804)
assert close(L, 2.8152119288887608)

# The written-out side, backwards. Only the right class gets through: y is 0 for the rest.
until written._1@backward
explain written._1.grad
why written._1.grad[0, 0]
assert close(written._1.grad, [[0, -1, 0]])
# The slope of log a is 1/a = 1/0.2447: rare classes are pushed hard.
step
assert close(a.grad, [[0, -4.0861612696304876, 0]])
# softmax collects the long numbers, and a − y comes out.
step
assert close(v.grad, [[0.665240955775, -0.755271528945, 0.0900305731704]])
assert close(v.grad, a - y)
explain v.grad[0, 0]

# The fused side has the same three numbers in one step.
step
assert close(z.grad, [[0.665240955775, -0.755271528945, 0.0900305731704]])
explain z.grad[0, 1]
assert close(z.grad, v.grad)
# They add to 0, so the same number added to all logits changes nothing:
assert close(sum(z.grad), 0, atol=1e-15)
set z = [[12, 11, 10]]
assert close(fused, 1.4076059644443804)
undo

# Why use the fused form? Let the network be very sure, and wrong.
set z = [[800, 0, 0]]
set v = [[800, 0, 0]]
# The fused operation says what is true: a loss of 800, and gradients of 1 and −1.
assert fused == 800
assert all(z.grad == [[1, -1, 0]])
# Written out, the probability has rounded to 0, its logarithm is −Inf,
assert a[0, 1] == 0
assert isinf(written._1[0, 1])
# and 0 · −Inf is NaN, in the loss and in every gradient of the logits.
assert isnan(written)
assert all(isnan(v.grad))
why written
why v.grad[0, 0]
diff 0

# Confusing a mean with a sum is a classic mistake. Here it changes nothing: one sample.
runs 0
patch fused mean
assert close(z.grad, [[0.665240955775, -0.755271528945, 0.0900305731704]])

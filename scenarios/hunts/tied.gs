# One matrix, there and back: solved by commands alone.

check
expect error

# Nothing else is wrong: code, back and y all have the gradient that differences say.
limit code
limit back
limit W

# W gets a gradient from back, and another one from code.
watch W.grad
continue
continue
history W.grad
delete
accuse W overwrite
runs 1
assert close(W.grad, x.T @ ((y - x) @ W * (1 - code ** 2)) + (y - x).T @ code)

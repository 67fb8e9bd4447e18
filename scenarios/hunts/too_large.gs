# Gradients that are too large: solved by commands alone.

check
expect error

# Even the gradient of the squares, one step from the loss, is not what differences say.
limit squares
goto E@backward
print squares.grad
accuse E mean
runs 1
assert all(squares.grad == 1 / 6)

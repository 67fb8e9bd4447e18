# Slow where it should be quick: solved by commands alone.

check
expect error

# W3 is right, W2 and W1 are not. Borders: x2 is right, x1 is not.
limit x2
limit x1
goto x2@backward
explain x2.z.grad[0, 0]
print x2.z.grad / x2.grad
print x2
accuse x2 value
runs 1
assert close(x2.z.grad, x2.grad * (1 - x2 ** 2))

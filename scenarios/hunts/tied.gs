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

# The line 3x + 2 at x = 3, and the slope there.
goto output
assert y == 11
goto end
assert x.grad == 3

# Two routes lead from x to y, and one has the slope 0: 3 + 0 = 3.
explain x.grad
paths x
uses x

# The derivative is a function; of a line it is the same at every point.
set x = -100
goto end
assert y == -298
assert x.grad == 3
diff
undo
check

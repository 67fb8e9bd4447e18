# The derivative is a function, the slope is its value at one point: y = 3x + 2 at x = 3.

# The constant function first: 0 · 3 + 2. It would be 2 at any x.
next
assert c == 2
list

# The height of the line above x = 3.
next
assert y == 11

# x is used twice, once by the constant and once by the line, so x.grad has two parts.
uses x
goto y@backward
assert c.grad == 1
assert y._1.grad == 1

# The line brings 1 · 3 and the constant 1 · 0.
display x.grad
continue
expect stop end
assert x.grad == 3
explain x.grad
history x.grad
undisplay

# The two routes, each with its product of slopes: 3 and 0.
paths x

# Without the line only the constant is left. Its 0 was computed: the way is there, and
# nothing gets through.
detach y._1<-x
assert x.grad == 0
why x.grad
undo

# Now cut both ways. No gradient at all is something else than a gradient of 0.
detach x
print x.grad
expect error x has no gradient
why x.grad
undo

# The slope by hand, with a step of 0.001: (11.003 − 11) / 0.001 = 3.
set x = 3.001
assert close(y, 11.003)
assert close((y - 11) / 0.001, 3)

# The same for ever smaller steps: a line neglects nothing, so rounding is all there is.
limit x
# By the step really taken and by 1e-7 itself: both are nearly 3.
limit x 1e-7

# The derivative of a line is the same at every x.
set x = -100
assert y == -298
assert x.grad == 3
runs
runs 0
assert x.grad == 3

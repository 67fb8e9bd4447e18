# The loss that grows: solved by commands alone.

# The loss grows, and differences do not agree with W.grad.
train 3
goto 0:start
check
expect error

# Half of the way back: y.grad is wrong already, and nothing but E and error is before it.
limit y
goto error@backward
explain y.grad[0, 0]
accuse error<-y sign
runs 1
assert close(y.grad, y - t)

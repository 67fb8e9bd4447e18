# y = 1*4 - 2*5 + 3*6 = 12.
goto y@forward
assert y == 12
explain y

# 0.5 arrives from outside: the seed.
step
expect stop
expect error
assert y.grad == 0.5

# Each vector's gradient is the other vector, scaled by what arrives.
goto end
assert close(x.grad, [2, -2.5, 3])
assert close(w.grad, [0.5, 1, 1.5])
explain x.grad[1]
transposes y
check

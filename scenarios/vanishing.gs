# Ten sigmoids, one after the other.
goto E@forward
assert close(E, 0.05812481008874924)

# Each slope is at most 0.25, and the gradient shrinks at every layer.
goto end
assert abs(x5.grad) < abs(x10.grad) / 4 ** 4
assert abs(x1.grad) < 1e-6
explain x9.grad
paths w10
assert close(w10.grad, (x10 - t) * x10 * (1 - x10) * x9)

# Catch the first small number on the way back.
goto output
catch small 1e-5
continue
expect stop catch
delete

# Twenty updates later the last weight has moved, and the first one has not.
goto 19:E@forward
assert close(E, 0.03840578952717667)
assert close(w10, 1.4178321, rtol=1e-7)
assert abs(w1 - 1) < 1e-6

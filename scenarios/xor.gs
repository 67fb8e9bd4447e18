# Before training, the network says yes to everything a little.
goto E@forward
assert close(E, 0.2723370321872204)
assert close(sum((a - T) ** 2) / 4, E)
goto end
print a

# One update: b2 moves against its gradient.
assert close(b2, 0.1 - b2.grad)
goto 1:E@forward
assert close(E, 0.2637789655380325)

# Training, up to the last iteration: the network has learnt it.
goto 100:E@forward
assert close(E, 0.03333317327024396, rtol=1e-9)
goto 299:E@forward
assert close(E, 0.0038933597605482206, rtol=1e-8)
assert all((a > 0.5) == (T > 0.5))
print a

# How did the loss get there? Go back, and it is as it was.
info iterations
goto 0:E@forward
assert close(E, 0.2723370321872204)

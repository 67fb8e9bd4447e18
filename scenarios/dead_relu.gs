# The second neuron is negative for every sample.
goto h@forward
assert all(h[:, 1] == 0)

# Going back, the error arrives at h, but not at z.
goto h@backward
assert all(h.grad[:, 1] == [3, -6, 9])
assert all(z.grad[:, 1] == 0)

# Why does its weight get nothing? The slope is 0 there: name the element.
goto W
why W.grad[0, 1]
why b.grad[1]
assert all(W.grad == [[12, 0], [6, 0]])

# Training does not help it: the second column stays where it is.
goto 19:E@forward
assert close(E, 5.5560934985642145)
assert all(W[:, 1] == [-1, 1])
assert b[1] == -10
# The first column has moved.
assert close(W[0, 0], 0.8000967138282352)

# What if it had begun with a bias of 10? Then it would learn.
goto 0:start
set b[1] = 10
goto W
assert not any(W.grad[:, 1] == 0)
diff
undo

# A dead ReLU: one neuron is negative for every sample, and never comes back.

# The second column of z is negative throughout: the bias of −10 sees to that.
step 2
assert all(z == [[2, -9], [2.5, -11], [3.5, -12]])
step
assert all(h == [[2, 0], [2.5, 0], [3.5, 0]])
finish
assert E == 7

# The loss would like the second neuron to move: h.grad is not 0 there.
goto y@backward
assert all(h.grad == [[2, 3], [-4, -6], [6, 9]])
# But V.grad is 0 there, because what V's second row multiplies is 0.
assert all(V.grad == [[7.5], [0]])
explain V.grad[1, 0]

# At relu the message ends. Catch the zero where it is made.
catch zero
continue
expect stop catch h<-z
assert all(z.grad == [[2, 0], [-4, 0], [6, 0]])
why z.grad[0, 1]
delete

# Everything behind it is 0 as well. These zeros were computed, they are not missing.
goto end
reverse-stepi 3
assert all(b.grad == [4, 0])
assert all(W.grad == [[12, 0], [6, 0]])
why W.grad[0, 1]
why b.grad[1]

# The update takes 0 away from the second column.
goto end
assert close(W, [[0.88, -1], [0.44, 1]])
assert close(b, [-0.04, -10])
info updates
# Nineteen iterations later the first neuron has learned, and the second is where it was.
goto 19:E@forward
assert close(W, [[0.8000967138282353, -1], [0.46523757772723234, 1]])
assert close(E, 5.556093498564211)

# Give it another bias: 0 instead of −10. Now the first sample wakes it up.
goto 0:start
set b[1] = 0
goto E@forward
assert close(z[:, 1], [1, -1, -2], atol=1e-15)
assert close(E, 14.5)
goto W
assert all(W.grad[:, 1] == [12, 24])
explain W.grad[1, 1]
# It learns, it stays alive, and the loss falls from 14.5 to as low as without it.
goto 1:E@forward
assert close(W, [[0.82, -1.12], [0.32, 0.76]])
assert close(z[0, 1], -1.12 + 2 * 0.76 - 0.12)
assert close(E, 6.7992, rtol=1e-5)
goto 19:E@forward
assert close(W[:, 1], [-1.1706305317537007, 0.6587389364925988])
assert close(E, 5.565527893518045)

# Compared at the first iteration: where do the two runs part?
goto 0:start
diff
undo

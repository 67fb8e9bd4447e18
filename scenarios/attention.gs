goto E@forward
# A row of attention adds to 1.
assert close(sum(Y.A, axis=1), [1, 1, 1])
print Y.A

# More attention here is less there: in each row the gradient of S adds to 0.
goto Y.S@backward
assert norm(sum(Y.S.grad, axis=1)) < 1e-15
explain Y.S.grad[0, 1]

# V answers for who was looked at, A for how useful looking was.
assert close(Y.V.grad, Y.A.T @ (Y - T))
assert close(Y.A.grad, (Y - T) @ Y.V.T)

# A token was used as value, as key and as query: three contributions.
watch X.grad
continue
expect stop watch
continue
expect stop watch
continue
expect stop watch
info stops
assert close(X.grad, Y.V.grad @ Wv.T + Y.K.grad @ Wk.T + Y.Q.grad @ Wq.T)
explain X.grad[0, 0]
history X.grad[0, 0]

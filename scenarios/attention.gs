# One attention head: each token's gradient comes by three routes.

# Over the whole head in one statement, or into it, line by line.
stepi 3
where
list
# Q, K and V are three products of the same X. The first query: 0.5 − 0.8 = −0.3.
assert close(Y.Q[0], [-0.3, 0.2, 1.3, -0.1])
assert close(Y.K[0], [1.7, -0.1, 0.3, 1.2])
assert close(Y.V[0], [0.4, 0.8, 1.5, -1])

# Who matches whom: q1 · k1 / 2 = (−0.51 − 0.02 + 0.39 − 0.12) / 2 = −0.13.
until Y.A@forward
assert close(Y.S[0], [-0.13, 0.44, -0.55])
explain Y.S._2[0, 0]
# The first token gives 29 % to itself, 52 % to the second, 19 % to the third.
step
assert close(Y.A[0], [0.291944048805, 0.516235042364, 0.191820908831])
assert close(sum(Y.A, axis=1), [1, 1, 1])
explain Y.A[0, 1]

# Once more over softmax: back, and forward again.
reverse-stepi
stepi
# Leave the head. Its result is a weighted mean of the values.
finish
assert close(Y[2], [0.706881235895, 0.392527924291, 0.47794805787, -0.387157097172])
next
assert close(E, 1.63118381366)

# Backward: A V is a product, so both sides get a gradient.
until Y.A@backward
assert close(Y.A.grad[0], [-0.697073732875, 1.98013936333, 0.691642968912])
assert close(Y.A.grad, (Y - T) @ Y.V.T)
assert close(Y.V.grad, Y.A.T @ (Y - T))

# Softmax: more attention here is less attention there, so each row adds to 0.
step
assert close(Y.S.grad[0], [-0.481256952778, 0.531080403269, -0.0498234504908])
assert close(sum(Y.S.grad, axis=1), [0, 0, 0], atol=1e-15)
explain Y.S.grad[0, 1]

# The factor ½ in front of the scores, then the queries and the keys.
until Y.K@backward
assert close(Y.Q.grad[0], [-0.667983971528, 0.107858375572, 0.0539569179334, -0.31530819183])
assert close(Y.Q.grad, Y.S.grad @ Y.K / 2)
assert close(Y.K.grad, Y.S.grad.T @ Y.Q / 2)

# Three contributions to X arrive one by one: as value, as key, as query.
goto start
watch X.grad
continue
assert close(X.grad[0], [0.6803010591913, -0.0928520182552, -0.1167215382540])
assert close(X.grad, Y.V.grad @ Wv.T)
continue
assert close(X.grad, Y.V.grad @ Wv.T + Y.K.grad @ Wk.T)
continue
expect stop watch X.grad
assert close(X.grad, Y.V.grad @ Wv.T + Y.K.grad @ Wk.T + Y.Q.grad @ Wq.T)
assert close(X.grad[0], [0.459570365132, -0.582458390745, 0.243175812006])
history X.grad[0, 0]
explain X.grad[0, 0]
continue
expect stop end
# From the end back to the changes of one number, and to the next one again.
last X.grad[0, 0]
last X.grad[0, 0]
assert close(X.grad[0, 0], 0.6803010591913 + 0.1501767106224)
last -f X.grad[0, 0]
assert close(X.grad[0, 0], 0.459570365132)
delete

# Which route matters? Cut the one through the values: the rest remains.
goto end
detach Y.V<-X
assert close(X.grad[0], [-0.2207306940591, -0.4896063724893, 0.3598973502600])
diff
undo

# A common mistake: the third use overwrites what the others brought.
patch Y.Q<-X overwrite
assert close(X.grad[0], [-0.3709074046815, -0.2290270374022, 0.3472745418753])
check X
expect error at Y.Q<-X
undo
check
assert close(Wq.grad[0], [-0.702222383143, 0.361980731903, -0.284371446545, -0.556938649029])
assert close(Wk.grad[0], [0.303887799848, -0.197473666546, -0.268324717103, 0.00896406007701])
assert close(Wv.grad[0], [1.13835638242, 0.545054859415, -0.585842957625, -1.20632675814])

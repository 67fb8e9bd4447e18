# The bias of a batch: one bias, three samples, so its gradient is a sum of three.

# b has two numbers. Broadcasting writes them into each of the three rows.
whatis b
next
assert all(Z == [[6, 0], [3, 0], [1, -4]])
assert Z.shape == (3, 2)
uses b[0]
finish
assert E == 17.5
# What the first, the second and the third sample want: [2, 1], [−1, 2] and [3, −4].
assert all(by_hand == [4, -1])

# δ has a row for each sample.
until Z@backward
assert all(δ == [[2, 1], [-1, 2], [3, -4]])

# b has one row. The same b serves all three samples, by three routes, and routes add.
step
assert all(b.grad == [4, -1])
assert all(b.grad == by_hand)
explain b.grad[0]
transposes Z
paths b[0]

# Where did b get it? Back to before it had a gradient, and over the edges again.
reverse-until b
expect stop until
reverse-next
continue
expect stop end

# W serves all samples as well. Its sum over them is inside of the product Xᵀ δ.
assert all(W.grad == [[8, -7], [0, 8]])
transposes Z._1
# Its lower left element is 2 · 2 + 1 · (−1) + (−1) · 3 = 0: three samples that cancel.
explain W.grad[1, 0]
why W.grad[1, 0]
assert all(X.grad == [[1, 5], [-3, 0], [7, 2]])

# The mistake: the batch is not summed, and the first sample alone reaches the bias.
patch Z<-b batch
assert all(b.grad == [2, 1])
# Nothing else differs, and the shapes are right: only a check against differences tells.
diff
check
expect error the rule of add at Z<-b
undo
check b
assert all(b.grad == [4, -1])

# By differences: with b1 + 0.001 the loss grows by 0.004 and a little.
set b[0] = 1.001
assert close((E - 17.5) / 0.001, 4.0015)
undo
# Remove the second and third sample from the sum, by setting what arrives from them.
set Z.grad = [[2, 1], [0, 0], [0, 0]]
assert all(b.grad == [2, 1])
undo

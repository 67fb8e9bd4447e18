# Y = X W, rows: why ∂L/∂X = ∂L/∂Y Wᵀ and ∂L/∂W = Xᵀ ∂L/∂Y, three times over.

# Two scalar products: 1 · 3 + 2 · 4 and 1 · (−1) + 2 · 5.
step
assert all(Y == [[11, 9]])
explain Y[0, 0]

# The sums. x1 reaches L through y1 and through y2: 10 · 3 + 1 · (−1) = 29.
until line:11
expect stop until line:11
next
assert all(sum_X == [[29, 45]])
# A weight reaches L by one way only: w11 through y1, 10 · x1.
next
assert all(sum_W == [[10, 1], [20, 2]])

# The matrix formulas give the same numbers in one product each.
next 2
assert all(rule_X == sum_X)
assert all(rule_W == sum_W)

# Now let backpropagation do it. ∂L/∂Y enters at the output.
goto output
assert all(Y.grad == [[10, 1]])

# One edge to X, one edge to W.
stepi
assert all(X.grad == [[29, 45]])
assert all(X.grad == rule_X)
stepi
assert all(W.grad == [[10, 1], [20, 2]])
assert all(W.grad == rule_W)

# Where do the transposes come from? By indices and by shapes:
transposes Y
explain X.grad[0, 0]
paths X[0, 0]
explain W.grad[1, 0]

# The classic mistake: the transpose is dropped. W is square, so no shape complains.
# 10 · 3 + 1 · 4 = 34 and 10 · (−1) + 1 · 5 = −5, where 29 and 45 are right.
patch Y<-X transpose
assert all(X.grad == [[34, -5]])
diff
# A check against differences finds it, and names the rule.
check
expect error the rule of matmul at Y<-X
undo

# For W the product without its transpose has another shape, so nobody could miss it.
patch Y<-W transpose
expect error the shapes would tell

# Nor can the factors be swapped: Wᵀ ∂L/∂Y would be (2, 2) @ (1, 2).
patch Y<-X swap
expect error does not fit
assert all(X.grad == [[29, 45]])
runs

# Y = X W, rows: y1 = 1*3 + 2*4 = 11, y2 = 1*(-1) + 2*5 = 9.
goto Y@forward
assert all(Y == [[11, 9]])
explain Y[0, 0]

# (10, 1) arrives. X[0, 1] stands in both results: 10*4 + 1*5 = 45.
goto end
explain X.grad[0, 1]
assert X.grad[0, 1] == 45
assert all(X.grad == [[29, 45]])
assert all(W.grad == [[10, 1], [20, 2]])

# Why is there a transpose? By indices and by shapes.
transposes Y

# All partial derivatives, the sums, the matrix formulas: three ways, the same numbers.
assert all(X.grad == sum_X) and all(sum_X == rule_X)
assert all(W.grad == sum_W) and all(sum_W == rule_W)

# The classic mistake: forget the transpose. The shapes still fit; the numbers do not.
patch Y<-X transpose
goto end
assert all(X.grad == [[34, -5]])
undo
assert all(X.grad == [[29, 45]])

# The same product with columns: y = W x.
goto y@forward
assert all(y == [[11], [9]])

# The numbers of `matmul`, transposed.
goto end
assert all(x.grad == [[29], [45]])
assert all(W.grad == [[10, 20], [1, 2]])
explain W.grad[0, 1]
explain x.grad[1, 0]

# W stands on the left here, so its transpose does, too.
transposes y
assert all(x.grad == rule_x)
assert all(W.grad == rule_W)
check

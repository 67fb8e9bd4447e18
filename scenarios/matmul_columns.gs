# y = W x, columns: the same numbers as in `matmul`, and everything transposed.

# A neuron is a row of W: 3 · 1 + 4 · 2 and −1 · 1 + 5 · 2.
step
assert all(y == [[11], [9]])
explain y[1, 0]

# The sum for x1 runs down the first column of W: 10 · 3 + 1 · (−1) = 29.
tbreak line:15
continue
expect stop break line:15
assert all(sum_x == [[29], [45]])
assert all(sum_W == [[10, 20], [1, 2]])
# A tbreak is gone after its first stop.
info stops

# To stand on the left of a product, that column has to become a row: Wᵀ.
next
assert all(rule_x == [[29], [45]])
next
assert all(rule_W == [[10, 20], [1, 2]])

# Backward. W is the first operand here, so its gradient comes first.
goto output
stepi
assert all(W.grad == [[10, 20], [1, 2]])
stepi
assert all(x.grad == [[29], [45]])
transposes y

# Formulas of the two conventions must not be mixed: ∂L/∂y Wᵀ belongs to rows, and here
# the shapes refuse it.
patch y<-x swap
expect error does not fit

# W ∂L/∂y, without the transpose, fits and is wrong: 3 · 10 + 4 · 1 = 34, −10 + 5 = −5.
patch y<-x transpose
assert all(x.grad == [[34], [-5]])
diff
undo
assert all(x.grad == [[29], [45]])

# Does x2 do what its gradient says? With 0.01 more, y1 grows by 0.04 and y2 by 0.05,
# and 10 · 0.04 + 1 · 0.05 = 0.45 = 45 · 0.01.
set x[1, 0] = 2.01
assert close(y, [[11.04], [9.05]])
undo

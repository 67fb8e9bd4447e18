# The last layer: one bias is a product of slopes, all weights are a column times a row.

# Three weighted sums, three sigmoids. The first: 0.5 · 1 − 0.5 · 2 + 0.5 = 0.
next
assert close(z, [[0], [1], [-1]], atol=1e-12)
next
assert close(a, [[0.5], [0.73105857863], [0.26894142137]])
explain a[1, 0]

# One bias by hand, as the program writes it: error times slope times 1.
until line:11
assert E_by_a1 == -0.5
assert a1_by_z1 == 0.25
assert b1 == -0.125
# One weight: its bias's gradient times its input, x2 = 2.
next
assert w12 == -0.25

# To the end of the forward pass: all of them at once, a column times a row.
finish
assert close(d, [[-0.125], [0.143734840457], [0.0528770927843]])
assert close(all_w[1], [0.143734840457, 0.287469680914])

# Now backwards. The square's slope is 2 (a − t), and half of it is a − t.
mark turn
marks
until a@backward
assert close(a.grad, [[-0.5], [0.73105857863], [0.26894142137]])
explain a.grad[0, 0]

# δ: what arrives times the slope a (1 − a), which needs the output and not the input.
step
assert close(δ, [[-0.125], [0.143734840457], [0.0528770927843]])
explain δ[0, 0]
assert δ[0, 0] == b1

# The bias is added one to one, so it gets δ itself.
step
assert close(b.grad, [[-0.125], [0.143734840457], [0.0528770927843]])
assert all(b.grad == δ)

# And the weights: W.grad = δ xᵀ.
step
transposes z._1
assert close(W.grad[0], [-0.125, -0.25])
assert close(W.grad[1], [0.143734840457, 0.287469680914])
assert close(W.grad[2], [0.0528770927843, 0.105754185569])
assert close(W.grad, δ @ x.T)
assert W.grad[0, 1] == w12
# x is used by all three equations: Wᵀ δ.
assert close(x.grad, [[0.0622445130129], [0.0814903274443]])
explain x.grad[0, 0]

# Go back to where the two passes meet: no gradient is there yet.
goto turn
print δ
expect error no gradient has reached
# Back to the place that was left, to the turn again, and back once more.
back
assert close(W.grad[0, 1], -0.25)
forward
assert position == 23
back

# A mistake: the slope of the sigmoid is forgotten. The three errors reach b as they are.
patch a<-z local
assert close(b.grad, [[-0.5], [0.73105857863], [0.26894142137]])
assert close(W.grad[0], [-0.5, -1])
# The comparison names the first node where the two runs part; the check names the rule.
diff
check
expect error the rule of sigmoid at a<-z
undo

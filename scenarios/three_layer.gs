# Three layers: δ3, δ2, δ1 follow from each other, and W_i ← W_i − α ∘ ∂E/∂W_i.

# Step into the first layer: 0.2 · 0.5 + 0.4 · 0.2 + 0.1 · 0.1 + 0.5 · 0.9 = 0.64.
step
assert close(x1.z[0, 0], 0.64)
explain x1.z[0, 0]
where
info frames
# Leave the frame, and go over the next layer in one step: a layer is a statement.
finish
assert x1.shape == (5, 1)
next 2
assert close(x3, [[0.581910553018], [0.458579256387]])
next
assert close(E, 0.192546860033)

# The seed, then the square's slope: half of 2 (x3 − t) is the plain error.
until x3@backward
assert close(x3.grad, x3 - t)

# δ3: the error times the slope of the activation.
until x3.z@backward
assert close(δ3, [[-0.101717258041], [0.113858039755]])
assert close(δ3, (x3 - t) * x3 * (1 - x3))
explain δ3[0, 0]

# δ3 is used twice: for W3, and for the layer before.
stepi
assert close(W3.grad[0], [-0.0651712640807, -0.0501126570036, -0.0478046787752])
assert close(W3.grad[1], [0.0729499842946, 0.0560940100355, 0.0535105558416])
assert close(W3.grad, δ3 @ x2.T)
stepi
assert close(x2.grad, W3.T @ δ3)
transposes x3.z

# δ2 and δ1: the same formula, with W3ᵀ δ3 and W2ᵀ δ2 in the place of the error.
until x2.z@backward
assert close(δ2, [[-0.0192912702225], [0.0190105075786], [-0.0192484617275]])
assert close(δ2, (W3.T @ δ3) * x2 * (1 - x2))
until x1.z@backward
assert close(δ1[3, 0], 0.00273147723591)
assert close(δ1, (W2.T @ δ2) * x1 * (1 - x1))
# They shrink: each step back multiplies by slopes of at most 0.25.
print norm(δ3)
print norm(δ2)
print norm(δ1)
assert close([norm(δ3), norm(δ2), norm(δ1)], [0.152676304, 0.033227335, 0.004562803], rtol=1e-6)

# Each weight: the error of its row times the input of its column.
step
assert close(W2.grad[0, 0], -0.0126310259377)
assert close(W1.grad[0, 3], -0.0031160699924, rtol=1e-8)
assert close(W1.grad, δ1 @ x0.T)
assert close(W2.grad, δ2 @ x1.T)
explain W1.grad[0, 3]

# Now the update, one event for each matrix. A parameter has its new value behind it.
mark learned
stepi
assert close(W1[0], [0.2008655749979, -0.4003462299992, 0.1001731149996, 0.5015580349962])
stepi
assert close(W2[1, 3], 0.5962310076583)
stepi
assert close(W3[0], [0.6325856320403, -0.2749436714982, 0.2239023393876])
assert close(W3[1], [-0.2072949984295, 0.3943905989964, -0.5053510555842])
info updates

# W ← W − α ∘ ∂E/∂W, from the numbers of the scenario: α is 0.5 for W1 and W2,
assert close(W1[0], [0.2, -0.4, 0.1, 0.5] - 0.5 * W1.grad[0])
assert close(W2[2], [0.1, 0.5, -0.3, 0.2, -0.6] - 0.5 * W2.grad[2])
# and for W3 a matrix: the second row learns five times more slowly than the first.
assert close(W3, [[0.6, -0.3, 0.2], [-0.2, 0.4, -0.5]] - [[0.5, 0.5, 0.5], [0.1, 0.1, 0.1]] * W3.grad)
assert close(W3[0, 0] - 0.6, -0.5 * W3.grad[0, 0])
assert close(W3[1, 0] + 0.2, -0.1 * W3.grad[1, 0])

# Back over the updates: the old values again, and the same gradients.
reverse-stepi 3
assert all(W3 == [[0.6, -0.3, 0.2], [-0.2, 0.4, -0.5]])
goto learned
history W3

# The next iteration begins with what the update left. Its loss is smaller.
goto 1:E@forward
assert iteration == 1
assert close(E, 0.18618202252814883)
# A hundred updates, and what they did.
goto 99:x3
assert close(x3, [[0.9075656382467], [0.2257408196775]])
train 1
goto E@forward
assert iteration == 100
assert close(E, 0.02940209044985881)
# Any iteration is the same, however one got there.
goto 0:E@forward
assert close(E, 0.192546860033)

# What-if: without its transpose, W2ᵀ δ2 would not even fit, and the shapes say so.
patch x2.z<-x1 transpose
expect error the shapes would tell
# Forget the slope in the last layer, and all errors in front of it are wrong.
patch x3 local
diff
goto δ3
assert close(δ3, x3 - t)
check x3
expect error the rule of sigmoid at x3<-x3.z
undo
# Without the patch every rule and every gradient agrees with its differences.
check

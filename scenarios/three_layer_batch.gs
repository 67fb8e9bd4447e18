# Three samples at once: no formula changes, and a weight's gradient sums over samples.

# Every column is a sample, and they do not see each other.
step
assert x1.z.shape == (5, 3)
assert close(x1.z[0], [0.64, -0.39, 0.14])
until E@forward
assert close(x3[0], [0.581910553018, 0.574569019331, 0.578410019539])
assert close(x3[1], [0.458579256387, 0.461859902262, 0.460220213643])
step
assert close(E, 0.697179399753)

# δ3 has a column for each sample. The first one is that of `three_layer`.
goto x3@backward
assert close(δ3[:, 0], [-0.101717258041, 0.113858039755])
assert close(δ3[:, 1], [0.140447341597, -0.133752209763])

# δ3 x2ᵀ, (2, 3) @ (3, 3): the inner 3 is the batch, so the product sums over it by
# itself.
stepi
explain W3.grad[0, 0]
assert close(W3.grad[0], [-0.0448386579489, -0.0293379321468, -0.0291670712599])
assert close(W3.grad[1], [0.0638705232481, 0.0448924580659, 0.043751307097])
# One product for each sample, added up:
assert close(W3.grad, δ3[:, :1] @ x2[:, :1].T + δ3[:, 1:2] @ x2[:, 1:2].T + δ3[:, 2:] @ x2[:, 2:].T)
transposes x3.z

# The samples stay apart on the way back, and meet in the weights.
goto W1
assert close(δ2[0], [-0.0192912702225, 0.0265732831664, -0.0197900647068])
assert close(δ1[4], [-0.000467073432897, 0.000844732669669, -0.000483406896983])
assert close(W2.grad[0, 0], -0.012489487286)
assert close(W1.grad[0], [-0.0058691284907, 0.0041335453471, 0.0038840366995, -0.0043666923613], rtol=1e-8)
assert close(W1.grad, δ1 @ x0.T)
explain W1.grad[0, 0]

# One update for the whole batch: W_i ← W_i − α ∘ ∂E/∂W_i with α = 0.5.
watch W1
continue
expect stop watch W1
assert close(W1[0], [0.2, -0.4, 0.1, 0.5] - 0.5 * W1.grad[0])
assert close(W1[0], [0.2029345642454, -0.4020667726735, 0.0980579816502, 0.5021833461806])
delete
step 2
assert close(W2[0], [0.3, -0.1, 0.5, -0.2, 0.4] - 0.5 * W2.grad[0])
assert close(W3, [[0.6, -0.3, 0.2], [-0.2, 0.4, -0.5]] - 0.5 * W3.grad)

# Learning three samples at once is slower than learning one, but it goes down.
goto 1:E@forward
assert close(E, 0.6909356035566921)
goto 99:E@forward
assert close(E, 0.4260950010548768)

# A classic mistake: the gradient of one sample alone, where all should be added up.
goto 0:end
patch x3.z<-W3 batch
assert close(W3.grad[0], [-0.0651712640807, -0.0501126570036, -0.0478046787752])
# That is W3.grad of `three_layer`. No shape is wrong: only a check can find it.
diff
undo

# Another one: the mean is taken for the sum. Everything is n times too small or large.
patch E._3 mean
assert close(W3.grad, [[-0.0448386579489, -0.0293379321468, -0.0291670712599], [0.0638705232481, 0.0448924580659, 0.043751307097]] / 6)

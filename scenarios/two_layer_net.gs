# 784-50-10: a network of real size, looked at from afar and element by element.

# A fresh network gives each of ten classes about a tenth, and −log 0.1 = 2.303.
goto L@forward
assert close(L, 2.3066629773996974)
assert close(L, -log(0.1), rtol=0.002)
info frames
print norm(z1)

# The error of an image: softmax − truth, divided by 100 because the loss is a mean.
goto L@backward
assert close(z2.grad, (softmax(z2, axis=1) - (y[:, None] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])) / 100, atol=1e-15)
# The first image is a 7. Every class is pushed down a little, and the 7 is pushed up.
assert y[0] == 7
assert close(z2.grad[0, 0], 0.0010287092639, rtol=1e-9)
assert close(z2.grad[0, 7], -0.0089221328360, rtol=1e-9)
assert close(sum(z2.grad), 0, atol=1e-12)

# b2 is shared by the 100 images: its gradient is the sum over the rows of δ2.
until b2
next
assert close(b2.grad[0:3], [0.0429203760275, -0.0023554488249, 0.0197380981602])
assert close(b2.grad, sum(z2.grad, axis=0))
explain b2.grad[7]

# W2.grad = a1ᵀ δ2, (50, 100) @ (100, 10): the 100 images are the inner index.
goto W2
assert W2.grad.shape == (50, 10)
assert close(W2.grad, a1.T @ z2.grad, atol=1e-15)
assert close(norm(W2.grad), 0.4118670704709567)
# One element is a sum of a hundred terms. Eight are shown, then the rest with its sum.
explain W2.grad[0, 9]
assert close(W2.grad[0, 9], -0.0392867611456, rtol=1e-9)

# a1 (1 − a1) is near 0.25 everywhere, because small weights keep z1 near 0.
assert close([min(a1), max(a1)], [0.3771359290250757, 0.6156284334288757])
goto z1@backward
assert close(norm(z1.grad), 0.0016657507227480146)
assert close(b1.grad[0:3], [-0.000413591672, 0.000112899748, -0.000202763270], rtol=1e-8)
assert close(W1.grad[0, 0], -0.00014955027536996783)
assert close(norm(W1.grad), 0.030313776369687354)
# 39,200 elements. Where is the largest?
print argmax(abs(W1.grad))
explain -3 W1.grad

# 39,760 derivatives for three forward passes. What would they cost by differences?
cost

# Which layer learns how fast? The first one has the smaller gradient.
goto 0:end
display norm(W1.grad)
display norm(W2.grad)
train 3
goto 3:end
info displays
info iterations
goto 1:L@forward
assert close(L, 2.289610402065866)
goto 3:L@forward
assert close(L, 2.2679999819354992)
undisplay

# A hundred images: the sizes of the handwritten digits.
whatis W1
goto output
assert close(L, 2.3066629774, rtol=1e-10)
# Ten classes and no knowledge: the loss is near log(10).
assert close(L, log(10.0), rtol=0.01)

# The gradient by the logits: (softmax − truth) / 100. Each row adds to 0.
goto z2@backward
assert norm(sum(z2.grad, axis=1)) < 1e-15
# A bias is used by all images, and its gradient sums over them.
goto b1
assert close(b2.grad, sum(z2.grad, axis=0))
assert close(W2.grad, a1.T @ z2.grad)
goto end
assert close(b1.grad, sum(z1.grad, axis=0))
assert norm(W1.grad - x.T @ z1.grad) < 1e-12
explain W2.grad[0, 0]

# Some iterations of training: the loss falls.
train 5
goto 5:L@forward
assert L < 2.3066629774
info iterations

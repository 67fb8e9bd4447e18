# Right for one sample: solved by commands alone.

# Which parameters are wrong? b1 alone: so the mistake is where b1 gets its gradient.
check
expect error
limit W1
limit b1

# The gradient of h.z is right, and b1 is added to each of its rows.
goto end
print b1.grad
print h.z.grad[0]
print sum(h.z.grad, axis=0)
accuse h.z<-b1 batch
runs 1
assert close(b1.grad, sum(h.z.grad, axis=0))

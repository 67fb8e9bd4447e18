# Too good with a small rate: solved by commands alone.

check
expect error
limit y
limit h
limit W2

# What y sends to h should be y.grad @ W2.T: with which W2 is it made?
goto y@backward
print h.grad
print y.grad @ W2.T
print y.grad @ (W2 - 0.3 * W2.grad).T
accuse y<-h updated
runs 1
assert close(h.grad, y.grad @ W2.T)

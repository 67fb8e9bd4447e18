# Rows that are made alike: solved by commands alone.

check
expect error
limit n
limit n.normal
limit n.centred

# centred goes into normal, and into the variance: what does each add?
goto end
history n.centred.grad[0, 0]
explain n.centred.grad[0, 0]
accuse n.variance._1<-n.centred route
runs 1
assert close(n.centred.grad, n.normal.grad / sqrt(n.variance + 1e-5) + 2 * n.centred * n.variance._1.grad)

# A memory of three steps: solved by commands alone.

check
expect error

# x3 is right; h2 is not, and h1 is as wrong as h2 makes it.
limit x3
limit h2
goto h3._2@backward
print h2.grad
print h3._2.grad @ U.T
accuse h3._2<-h2 transpose
runs 1
assert close(h2.grad, h3._2.grad @ U.T)

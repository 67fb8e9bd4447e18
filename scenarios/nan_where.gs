# NaN from the branch not taken: where(x > 0, log(x), 0) looks safe, and is not.

# The loss is finite, and the gradient of w is NaN. Three commands lead to the element.
catch nan
continue
expect stop catch y._2<-x
why
# It is x.grad[1]: where 0 arrives at a logarithm of 0, whose slope is infinite.
assert isnan(x.grad[1])
assert x[1] == 0
assert y._2.grad[1] == 0
assert isinf(y._2[1])
# The rest of x.grad is right: 1 / 0.5 and 1 / 1.5.
assert close([x.grad[0], x.grad[2]], [2, 0.6666666666666666])

# The value showed nothing: `where` threw the −Inf away.
assert y[1] == 0
goto E@forward
assert close(x, [0.5, 0, 1.5])
assert close(y, [-0.69314718056, 0, 0.405465108108])
assert close(E, -0.5753641449035618)
assert isfinite(E)
delete

# The −Inf came first. Catch it in the forward pass, where the cause is.
goto start
catch inf
continue
expect stop catch y._2
why y._2[1]
delete

# One bad element takes the whole gradient of w: 2 + NaN + 2.
goto end
assert isnan(w.grad)
why w.grad
explain w.grad
# The careful version has the same numbers and no NaN.
assert close(p.grad, [2, 0, 0.6666666666666666])
assert close(v.grad, 4)
why p.grad[1]
# Where nothing is finite there is nothing to compare. The careful half agrees.
check p v

# Is the 0 in the data to blame? Without it, both versions agree: 1/w for each element.
set u[1] = 2
assert close(w.grad, 6)
assert close(v.grad, 6)
undo

# Or cut the dangerous branch off: the NaN is gone, and so is what log had to say.
detach y<-y._2
print w.grad
expect error no gradient
why w.grad
undo

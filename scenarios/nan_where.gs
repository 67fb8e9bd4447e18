# The loss is finite, and yet a gradient is NaN. Three commands find the guilty element.
catch nan
continue
expect stop catch y._2<-x
why

# The branch that `where` did not take: 0 arrives, log(0) has an infinite slope, 0 · ∞.
assert isnan(x.grad[1])
assert y._2.grad[1] == 0
assert isinf(y._2[1])
assert y[1] == 0

# Nothing forward was NaN; from x it spreads to the weight.
delete
goto end
assert isnan(w.grad)
why w.grad
explain w.grad

# The careful one, with the same numbers.
assert v.grad == 4
assert close(p.grad, [2, 0, 2 / 3])

# Without the 0 in the data, both agree.
set u[1] = 2
goto end
assert close(w.grad, v.grad)
undo

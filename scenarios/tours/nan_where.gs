# A NaN: three commands lead from a wrong gradient to the element that made it so.
say Here the loss is finite, and the gradient of w is NaN. Three commands find out why. Press `:` to type the first one: `catch nan`, then `Enter`.
wait catch nan
say Whatever runs now stops at the first NaN. `Escape` gives the keys back, and `c` goes on until it is there.
wait continue
assert isnan(x.grad[1])
say Stopped, in the backward pass: the step shows a product, 0 · ∞, that has made a NaN. Press `y` to ask why.
wait why
assert isinf(y._2[1])
say The answer names the element: log(0) in the forward pass set it up, and the where that did not choose it had hidden it. Press `End` to see what one NaN does.
wait goto end
assert isnan(w.grad)
assert close(v.grad, 4)
say w.grad is NaN, all of it; v.grad, of the careful version, is 4. That was the tour. Ctrl+O lists all lessons, and P asks you what comes next before it is shown.

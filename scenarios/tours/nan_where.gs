# A NaN: three commands lead from a wrong gradient to the element that made it so.
say Here the loss is finite, and the gradient of w is NaN. Three commands find out why. Press `:` to type the first one: `catch nan`, then `Enter`.
wait catch nan
say Whatever runs now stops at the first NaN. `Escape` gives the keys back, and `c` goes on until it is there.
wait continue
assert isnan(x.grad[1])
say Stopped, in the backward pass: the step shows a product, 0 · ∞, that has made a NaN. Press `y` to ask why.
wait why
assert isinf(y._2[1])
say 0 · ∞: the ∞ is the slope of log at 0, in the branch that the where did not take, so the value hides it. In a small window `:` and PageDown show that; `Escape` gives the keys back. Then press `End`.
wait goto end
assert isnan(w.grad)
assert close(v.grad, 4)
say w.grad is NaN: one NaN in a sum makes all of it NaN. v.grad, of the careful version, is 4: there log never gets a 0. Press `2`: the list of nodes shows how far NaN has come.
wait
say That was the tour: forward, backward, and how to ask where a number comes from. `Ctrl+O` lists all lessons, `P` asks you what comes next before it is shown, and `q` leaves.

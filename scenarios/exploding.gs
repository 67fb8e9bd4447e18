# Exploding gradients: the same weights ten times in a row, and every step multiplies by 3.

# W stretches (1, 1) by 3, every time.
next
assert all(h1 == 3)
goto h5@forward
assert all(h5 == 243)
goto E@forward
assert E == 118098

# The way back is the same once more. Tell me when a number is larger than 10,000.
catch large 10000
continue
expect stop catch h10._1<-W
# W gets the first of its ten contributions: 3⁹ = 19683 in every element.
assert all(W.grad == 19683)
delete 1

# relu holds nothing back, and Wᵀ stretches as W does.
goto h9@backward
assert all(h9.grad == 3)
goto h5@backward
assert all(h5.grad == 243)
assert all(W.grad == 118098)
# Early steps have a small h and a large gradient, late steps the other way round.
explain W.grad[0, 0]

# A quarter, half, and all of the way: W.grad grows with each use.
goto 75%
goto -3
goto +3
watch W.grad[0, 0]
reverse-continue 2
expect stop watch W.grad[0, 0]
delete
goto 0:end
history W.grad[0, 0]
assert all(W.grad == 196830)
assert all(h0.grad == 59049)
uses W[0, 0]

# One update: 2 − 0.01 · 196830 = −1966.3, and every relu is dead.
assert close(W, [[-1966.3, -1967.3], [-1967.3, -1966.3]])
goto 1:E@forward
assert E == 0
goto 1:W
assert all(W.grad == 0)
why W.grad[0, 0]

# A way out: clip the norm of the gradient to 1. It points where it pointed.
goto 0:W
set W.grad = W.grad / norm(W.grad)
assert close(W.grad, [[0.5, 0.5], [0.5, 0.5]])
goto 1:E@forward
assert close(W, [[1.995, 0.995], [0.995, 1.995]])
assert close(E, 2 * 2.99 ** 10)
undo

# Another one: smaller weights, so that the stretch is 1. Nothing grows, nothing shrinks.
goto 0:start
set W = [[2 / 3, 1 / 3], [1 / 3, 2 / 3]]
goto W
assert close(h10, [[1], [1]])
assert close(W.grad, [[10, 10], [10, 10]])
goto 1:E@forward
# After the update the stretch is 0.8.
assert close(E, 2 * 0.8 ** 10)
runs

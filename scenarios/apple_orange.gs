# Apples and oranges: how much does each of five numbers move the price?

# Lost? `help` lists the commands, `help step` explains one, `apropos` finds one by a word.
help step
apropos bookmark

# Forward is ordinary arithmetic. One step computes one line of the program.
step
assert az == 300
step
assert oz == 200
step 2
assert z == 500
assert y == 550
where

# The forward pass is over, and nothing has a gradient yet. That is not a gradient of 0.
print t.grad
expect error no gradient has reached t

# Backward starts at the price: when it moves by 1, it moves by 1.
stepi
assert y.grad == 1

# One event is one edge. The first edge of y leads to z, and its slope is t.
stepi
assert z.grad == 1.1
# What arrives, and the slope: each has its word. `words` lists them all.
words upstream
words local
# The second edge leads to t, and its slope is z.
stepi
assert t.grad == 500
explain t.grad

# A sum hands on what arrives. Guess both gradients before you step.
step
assert az.grad == 1.1
assert oz.grad == 1.1

# The oranges: 1.1 arrives, and each factor gets it times the other factor. From here on
# each step asks first, and waits for the answer; `show` gives up.
predict numbers
step
answer 1.1 * 4
show
assert close(o.grad, 4.4)
assert close(on.grad, 55)

# The apples: how much does the price move with one apple more?
step
answer 3.3
answer 110
predict off
assert close(a.grad, 3.3)
assert close(an.grad, 110)
explain an.grad
assert position == 13

# The same number by its path, a product of slopes, and by differences.
paths an
check

# Time runs both ways. A breakpoint stops before its events, in either direction.
break oz@backward
reverse-continue
expect stop break oz@backward
assert position == 9
assert z.grad == 1.1
delete 1
continue
expect stop end

# Do not take 110 for granted: buy a fourth apple. This makes a new run beside the old.
set an = 4
diff
assert close(y, 660)
assert close(y - 550, 110)
# The price is not the only thing that changed: the tax now stands on 600.
assert close(t.grad, 600)
# What one more apple adds is the same, because the price is a straight line in an.
assert close(an.grad, 110)

# The first run is still there.
undo
assert close(y, 550)
redo
assert close(y, 660)
runs

# A nudge shows both changes: that by the gradient, and the real one.
nudge on 2
assert close(y, 770)
undo

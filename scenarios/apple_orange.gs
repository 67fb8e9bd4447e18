# Forward: ordinary arithmetic, one node at a step.
step
assert az == 300
step 2
assert z == 500
step
assert y == 550

# Turn round. The seed says: when the price moves by 1, the price moves by 1.
step
assert y.grad == 1
step
# The two slopes of y = z * t: each factor's is the other factor.
assert close(z.grad, 1.1)
assert t.grad == 500
goto end

# Where does the 110 come from? It is what arrives times the price of an apple.
explain an.grad
assert close(an.grad, 1.1 * 100)
paths an
# By hand: with 4 apples the price is (400 + 200) * 1.1 = 660, which is 110 more.
set an = 4
goto E@forward
expect error
goto y@forward
assert close(y, 660)
undo
goto end
assert close(y, 550)
assert close(a.grad, 3.3)
assert close(on.grad, 55)
check

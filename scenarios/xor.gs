# XOR: no straight line separates the four cases, so a hidden layer has to learn to.

# Before training: four answers, two of them on the wrong side of 0.5.
goto E@forward
assert close(a[:, 0], [0.569207405804, 0.449021296465, 0.718604518517, 0.618538688505])
assert close(E, 0.272337032187)
# Answering 0.5 everywhere would give 0.25. Knowing nothing would be better.
set a = 0.5
assert E == 0.25
undo

# Error times slope, and the slope a (1 − a) is near its largest, 0.25.
goto a@backward
assert close(a.grad, 2 * (a - T) / 4)
assert close(a._2.grad, a.grad * a * (1 - a))
# b2 is one number for four cases, so it gets the sum over them.
goto b2
assert close(b2.grad, [0.0461522626663])
explain b2.grad[0]
transposes a._2

# tanh lets through 1 − h². Every weight has its gradient.
goto W1
assert close(W1.grad[0], [0.00080514934814, -0.0266424081067, 0.0214029389842, 0.00370750144644])
assert close(b1.grad, [0.0111383332956, -0.0421421840278, 0.0211157312978, 0.00633304040763])
explain W1.grad[1, 2]

# The update: each parameter goes against its gradient, with a rate of 1.
goto end
assert close(W1[0], [0.4991948506519, -0.3733575918933, 0.8785970610158, -0.7037075014464])
assert close(W1, [[0.5, -0.4, 0.9, -0.7], [0.6, 0.8, -0.3, -0.2]] - W1.grad)
assert close(b2, [0.1] - b2.grad)
history b2

# Does it learn? The first three losses:
goto 1:E@forward
assert close(E, 0.2637789655380324)
goto 2:E@forward
assert close(E, 0.25836618841429415)

# Stop as soon as it is better than knowing nothing. Six updates do it.
until E < 0.25
expect stop until
assert iteration == 6

# A watch with a condition finds the places where the loss falls below a bound.
watch E if E < 0.1
continue
expect stop watch E
assert iteration == 65
condition 1 E < 0.01
continue
assert iteration == 172
info stops
delete 1

# The whole training, at any place, in either direction.
goto 100:E@forward
assert close(E, 0.03333317327024399)
goto 299:E@forward
assert close(E, 0.0038933597605482206)
train 1
next 3
assert iteration == 300
assert close(E, 0.003873667155580637)
# All four answers are on the right sides by now.
assert close(a[:, 0], [0.0320836342332, 0.9341577953774, 0.9351596763060, 0.0769795138359])
assert all((a > 0.5) == (T > 0.5))

# Backwards in time: where was the answer to (1, 1) on the wrong side for the last time?
watch a[3, 0] if a[3, 0] > 0.5
reverse-continue
expect stop watch a[3, 0]
assert iteration == 34
# A watch stops behind the change in the direction of travel: going back, before it.
step
assert close(a[3, 0], 0.5010072755156507)
delete

# What if all four hidden neurons start alike? Their gradients are alike, too, and they
# stay one neuron, four times.
goto 0:start
set W1 = [[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5]]
set b1 = 0
set W2 = 0.5
goto 200:E@forward
assert close(W1[:, 1:], W1[:, :3])
assert close(W1[0], [1.4920409985886, 1.4920409985886, 1.4920409985886, 1.4920409985886])
assert close(W2[1:], W2[:3])
# With one neuron in effect the last case cannot be told from those beside it.
assert close(a[:, 0], [0.1793765366610, 0.6412792557438, 0.6412792557438, 0.6857804765772])
assert close(E, 0.18995798716960188)
runs

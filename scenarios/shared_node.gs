# a is used twice, so it gets a gradient twice: 1 + 1.
goto end
assert a.grad == 2
explain a.grad
paths a

# x moves y by two routes: through the relu, and directly.
assert all(x.grad == [1, 2])
watch x.grad
goto start
continue
expect stop watch
continue
expect stop watch
continue
expect stop end

# The first bug: overwrite where one should add.
patch a overwrite
goto end
assert a.grad == 1
undo

# The second: a relu that writes zeros into the gradient that arrives.
patch r in-place
goto end
assert all(x.grad == [0, 2])
diff
check
expect error
undo
goto end
assert all(x.grad == [1, 2])

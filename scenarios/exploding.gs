# The same matrix ten times: each step multiplies by 3.
goto h1@forward
assert all(h1 == 3)
goto E@forward
assert E == 2 * 3 ** 10

# Going back it is the same, once more.
catch large 10000
continue
expect stop catch
delete
goto h5@backward
assert all(h5.grad == 3 ** 5)
goto W
# W is used ten times: ten contributions of the same size.
assert all(W.grad == 10 * 3 ** 9)
history W.grad[0, 0]
explain W.grad[0, 0]

# The first update throws the weights far away, and relu cuts what is negative.
goto end
assert close(W, [[2 - 1968.3, 1 - 1968.3], [1 - 1968.3, 2 - 1968.3]])
goto 1:E@forward
assert E == 0
goto 1:W
why W.grad[0, 0]

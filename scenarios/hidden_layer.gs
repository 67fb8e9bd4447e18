# A hidden layer: along a route multiply, over routes add.

# The first hidden neuron: 0.5 · 1 − 1 · 0.5 + 0 = 0, and sigmoid(0) = 0.5.
goto h@forward
assert close(h, [[0.5], [0.73105857863]])
# All three equations of the last layer use it, with the weights 2, 1 and −1.
# (The program asks for it twice more, to compute a gradient by hand.)
uses h[0, 0]

# The routes by hand, from b1 to E through the first, second and third output.
goto bias1
assert close(route1, -0.0531784712686)
assert close(route2, 0.0370193725705)
assert close(route3, -0.0356930548134)
assert close(bias1, -0.0518521535115)

# Backward, up to δ2. Up to here it is the last layer again.
watch δ2
continue
expect stop watch δ2
assert close(δ2, [[-0.106356942537], [0.148077490282], [0.142772219254]])
delete

# New is that h needs a gradient. Each of the three equations tells it something.
until h.grad[0, 0] < 0
explain h.grad[0, 0]
assert close(h.grad, [[-0.207408614046], [0.325820542446]])
# In a book the indices begin with 1, and stand below the line.
indices 1
explain h.grad[0, 0]
indices 0
# 2 · (−0.1064) + 1 · 0.1481 − 1 · 0.1428: the first column of W2 times δ2.
assert close(h.grad, W2.T @ δ2)
transposes z2._1

# Times the slope of this layer: 0.5 · (1 − 0.5) = 0.25.
step
assert close(δ1, [[-0.0518521535115], [0.0640602067401]])
assert close(δ1[0, 0], 0.25 * h.grad[0, 0])

# b1 receives an exact copy of δ1, and this is the sum of the three routes.
step
explain b1.grad[0, 0]
assert close(b1.grad[0, 0], bias1)
paths b1[0, 0]
where

step
assert close(W1.grad[0], [-0.0518521535115, -0.0259260767558])
assert close(W1.grad[1], [0.0640602067401, 0.03203010337])
assert close(x.grad, [[0.0381341299843], [0.179972566992]])

# Step back over what just happened: node by node, and then out of the pass.
reverse-step 2
print b1.grad
expect error no gradient has reached b1
reverse-finish
assert position == 32
goto end

# Close the second and the third route: only the first one is left.
set W2[1, 0] = 0
set W2[2, 0] = 0
explain h.grad[0, 0]
# With other weights the errors change as well, but h1's part is one product now.
assert close(h.grad[0, 0], 2 * δ2[0, 0])
# Undo twice: the run as it was loaded. Further back there is nothing.
undo
undo
assert close(h.grad[0, 0], -0.207408614046)
undo
expect error nothing to undo

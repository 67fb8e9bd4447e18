# A small convolution: a filter's weight is used at sixteen places.

# The filter over the upper left corner: 0.5·0.1 − 0.3·0.9 + 0.2·0.2 + 0.1·0.8 + 0.6·0.4
# − 0.4·0.6 − 0.2·0.3 + 0.3·0.7 + 0.4·0.5 = 0.25.
step
assert p.z.shape == (1, 2, 4, 4)
assert close(p.z[0, 0, 0, 0], 0.25)
explain p.z[0, 0, 0, 0]
assert close(p.z[0, 1, 0], [0.15, 0.15, 0.08, -0.22])

# relu leaves the first filter alone. In the second one some places are negative.
step
assert all(p.h[0, 0] == p.z[0, 0])
assert p.h[0, 1, 0, 3] == 0
# Only the largest number of each 2 × 2 block goes on.
finish
assert close(p[0, 0], [[1.22, 1.03], [0.97, 1.09]])
assert close(p[0, 1], [[0.22, 0.25], [0.68, 0.38]])
explain p[0, 0, 0, 0]

# The same eight numbers as a row, three scores, the loss.
next
assert close(s, [[0.43, 0.777, 0.621]])
next
assert close(E, 1.09693047229)

# softmax − truth, then the linear layer.
goto E@backward
assert close(s.grad, [[0.275841053495, 0.390264536029, -0.666105589524]])
goto frame:s@backward
assert close(p.grad[0, 0], [[-0.0619111501096, -0.0484252712885], [0.404362762557, -0.0046994088428]])

# Pooling: the winner of a block gets everything, the other three get 0.
next
assert close(p.h.grad[0, 0, 0, 1], -0.0619111501096)
assert p.h.grad[0, 0, 0, 0] == 0
why p.h.grad[0, 0, 0, 0]
# From here on at most eight of 32 places have a gradient at all.
assert close(sum(p.z.grad != 0), 8)

# The first weight of the first filter: four products remain of sixteen.
goto end
explain F.grad[0, 0, 0, 0]
assert close(F.grad[0, 0, 0, 0], 0.189676681715)
# Each is what arrived at a place, times the pixel that the weight met there.
assert close(p.z.grad[0, 0, 0, 1] * 0.9 + p.z.grad[0, 0, 0, 3] * 0.7 + p.z.grad[0, 0, 2, 1] * 0.7 + p.z.grad[0, 0, 2, 3] * 0.8, 0.189676681715)
assert close(F.grad[1, 0, 2], [0.0901489006556, -0.357081726094, -0.763079313106])
assert close(F.grad[0, 0, 0, 0], sum(p.z.grad[0, 0] * image[0, 0, 0:4, 0:4]))
assert close(F.grad[1, 0, 2, 2], sum(p.z.grad[0, 1] * image[0, 0, 2:6, 2:6]))

# A pixel in the corner is met by one weight, at one place, and that place lost its block.
assert image.grad[0, 0, 0, 0] == 0
why image.grad[0, 0, 0, 0]
# A pixel in the middle is met by all nine weights of both filters.
explain image.grad[0, 0, 2, 2]
assert close(image.grad[0, 0, 2, 2], 0.39361535699)
uses image[0, 0, 0, 1]

# A little more light in that corner: it changes z, but no winner, and so not the loss.
set image[0, 0, 0, 0] = 0.2
assert close(p.z[0, 0, 0, 0], 0.3)
assert close(E, 1.09693047229)
diff
undo
check
info frames

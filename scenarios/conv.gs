# A filter lies over the image at 16 places.
goto p.z@forward
assert close(p.z[0, 0, 0, 0], sum(F[0, 0] * image[0, 0, 0:3, 0:3]))
explain p.z[0, 0, 0, 0]
goto E@forward
assert close(E, 1.09693047229, rtol=1e-10)
assert close(E, -log_softmax(s)[0, 2])

# Pooling: only the winner of each block gets a gradient.
goto p@backward
explain p.h.grad[0, 0, 0, 0]
why p.h.grad[0, 0, 0, 0]

# A weight was used at 16 places, so its gradient has 16 terms.
goto end
explain -16 F.grad[0, 0, 0, 0]
assert close(F.grad[0, 0, 0, 0], sum(p.z.grad[0, 0] * image[0, 0, 0:4, 0:4]))
assert close(F.grad[1, 0, 2, 2], sum(p.z.grad[0, 1] * image[0, 0, 2:6, 2:6]))
check F

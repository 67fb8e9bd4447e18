goto end
# One operation, or written out: the same loss, the same gradient.
assert close(fused, written)
assert close(z.grad, v.grad)

# a − y: what was predicted minus what is true.
assert close(z.grad, softmax(z) - y)
assert close(sum(z.grad), 0, atol=1e-15)
explain z.grad[0, 1]

# Written out, -1/a arrives at the probabilities: large where the truth is unlikely …
assert close(a.grad[0, 1], -1 / a[0, 1])
# … and the softmax makes it small again.
explain v.grad[0, 1]
paths v[0, 1]

# Sure of the wrong class: fused stays right where the written one breaks down.
set v = [[800, 0, 0]]
goto end
assert isnan(written)
why written
set z = [[800, 0, 0]]
goto end
assert fused == 800
assert all(z.grad == [[1, -1, 0]])
undo
undo
assert close(fused, 1.4076059644443804)

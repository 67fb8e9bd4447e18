# A gate that opens too far: solved by commands alone.

check
expect error

# The candidate's own weights are right, the gate's are not.
limit Wn
limit Wz
limit z
limit z.s
goto end
accuse z<-z.s local
runs 1
assert close(z.s.grad, z.grad * z * (1 - z))

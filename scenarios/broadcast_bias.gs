# b is added to each of the three rows: it is used three times.
goto Z@backward
transposes Z
explain b.grad[0]
assert all(b.grad == [4, -1])
assert all(b.grad == by_hand)

# A zero that is no blocked path: three samples cancel.
goto end
why W.grad[1, 0]
assert W.grad[1, 0] == 0
assert W.grad[1, 0] == 2 * 2 + 1 * -1 + -1 * 3

# The mistake: not summed over the batch. Only the first sample is heard.
patch Z<-b batch
goto end
assert all(b.grad == [2, 1])
check b
expect error the rule of add at Z<-b
undo
assert all(b.grad == [4, -1])

# A node that is used twice: its gradient is the sum of both routes. Two famous bugs.

# a + a is one node a with two edges, s<-a#0 and s<-a#1.
uses a
step
assert s == 6
finish
assert all(y == [-1, 4])
assert E == 9

# Watch the gradient of a: it goes 0 → 1 → 2.
watch a.grad
continue
expect stop watch s<-a#0
assert a.grad == 1
print a.grad
continue
expect stop watch s<-a#1
assert a.grad == 2
history a.grad
explain a.grad
delete

# And x: [1, 1] comes from y, then relu adds [0, 1].
goto y@backward
assert all(x.grad == [1, 1])
assert all(r.grad == [1, 1])
goto end
assert all(x.grad == [1, 2])
explain x.grad[0]
explain x.grad[1]
paths x[1]

# The first famous bug: `grad = …` where `grad += …` is right. The second use wipes out
# the first, so a + a seems to have the slope 1.
patch s<-a#1 overwrite
assert a.grad == 1
assert all(x.grad == [1, 2])
diff
check a
expect error at s<-a#1
undo

# Where every value is used once nobody notices: there = and += are the same.
patch y<-r overwrite
expect error used once

# The second famous bug: relu writes its 0 into the array that arrived. y handed the same
# numbers to r and to x; if they share one array, x loses its 1.
patch r in-place
assert all(x.grad == [0, 2])
diff
check
expect error at r<-x
undo

# Is [1, 2] right? From x = −1 to 0 y's first element goes from −1 to 0: a slope of 1.
set x[0] = 0
assert y[0] == 0
assert E - 9 == 1
undo

# Each of the two routes alone.
detach s<-a#0
assert a.grad == 1
undo
detach y<-x
assert all(x.grad == [0, 1])
undo
assert a.grad == 2

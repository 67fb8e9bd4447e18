# A little engine of numbers: solved by commands alone.

check
expect error
limit a
limit b

# Follow b.grad: each use should add to it.
watch b.grad
continue
continue
continue
history b.grad
delete
accuse d._2<-b overwrite
runs 1
# By hand: 4 (a + 3 b²) through d, and −f through the last use.
assert b.grad == 34

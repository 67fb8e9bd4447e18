# Vanishing gradients: ten sigmoids in a row leave almost nothing for the first one.

# Forward already forgets: each layer squeezes its input.
goto x10@forward
assert close([x1, x2, x10], [0.6224593312018546, 0.6507776782147005, 0.6590460145745493])
next
assert close(E, 0.05812481008874924)

# Stop before every sigmoid on the way back, and print what arrives at the last one.
break op:sigmoid@backward
commands 1 print x10.grad
continue
expect stop break op:sigmoid@backward
assert close(x10.grad, -0.34095398542545075)
commands 1
# The slope is 0.6590 · 0.3410 = 0.2247.
step
assert close(x10.z.grad / x10.grad, 0.22470436524795)
explain x10.z.grad

# Let four of them pass, and look at the sigmoid of the fifth layer.
ignore 1 4
continue
expect stop break x5<-x5.z
assert close(x5.grad, -0.00019533042093760862)
info stops
# Half the way, and only a two-thousandth is left of what came in.
assert close(x5.grad / x10.grad, 0.0005728938, rtol=1e-6)

# Where does the first gradient become smaller than a millionth?
disable 1
catch small 1e-6
continue
expect stop catch x2<-x2.z
assert close(x2.z.grad, -5.053461231434084e-07)
# Behind it everything is small. Switch the breakpoint on again, and drop the catch.
enable 1
delete 2
continue
expect stop break x1<-x1.z
delete

# The two ends. Every step was right; the product of ten slopes is small.
until w1
stepi
assert close(w1.grad, -5.9379107442692535e-08)
assert close(w10.grad, -0.05049203753129954)
assert close(w10.grad / w1.grad, 850333.3867055848)
explain w1.grad
paths w1

# The update moves w10 by 0.025 and w1 by three hundred-millionths.
goto 1:start
assert close(w10 - 1, 0.02524601876564977)
assert close(w1 - 1, 2.9689553721346268e-08, rtol=1e-6)

# One layer whose slope is 1: forget the slope of x9. All layers before it gain by 4.45.
goto 0:end
patch x9 local
assert close(w1.grad, -5.9379107442692535e-08 / 0.22470442433003776)
assert close(w10.grad, -0.05049203753129954)
diff
undo
info runs

# Three layers: statements, layers, and the δ of the literature.
say A network of three layers, in matrix form. Press `n`: it runs a whole statement, with all that is inside of it, here the first layer.
wait next
assert x1.shape == (5, 1)
say x1 is a column of five numbers. To look into a layer, press `s`: one step inside of the second one, its weighted sums.
wait stepi
assert x2.z.shape == (3, 1)
say The program shows which call it speaks of: in x2. Press `f` to finish the layer.
wait finish
assert x2.shape == (3, 1)
say Now into the backward pass. `g` goes to any place: press it, then type `x3.z@backward` and `Enter`.
wait goto x3.z@backward
assert close(δ3, [[-0.101717258041], [0.113858039755]])
say The literature calls it δ3: the error times the slope of the activation. In the step it stands above, as what arrives. `Escape` gives the keys back, and `n` goes on to the layer before.
wait next
assert close(δ2[0], -0.0192912702225)
say δ2, by the same formula: what arrives through W3, times the slope. Each layer back makes it smaller. Press `3` to see that: the bars of the flow shrink from layer to layer.
wait
say `1` shows the step again, and `End` goes to the end of the pass.
wait goto end
assert position == 27
say The last steps are updates: W ← W − α ∘ ∂E/∂W. One iteration of the training is over. In the view 4 you can run more of them.

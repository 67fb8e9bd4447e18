# The matrix product: why a transpose stands where it stands.
say Y = X @ W: a row of two numbers times a matrix. Each element of Y is a sum of products, and each product has two slopes, as before. Press `c` to run to the end.
wait continue
assert position == 26
assert close(W.grad, [[10, 1], [20, 2]])
say The last step: what Y sends back to W. The right factor stands above, the left one beside it, as on paper. Press `↑`: the row and the column of an element light up, and a line spells it out.
wait
say The left factor is X turned round. Why? Press `:` to type a command, then `transposes Y` and `Enter`.
wait transposes Y
say Read it by indices, or by shapes: only turned round do row and column meet. PageDown shows the rest. Then `Escape` gives the keys back, and `S` goes to the step before.
wait reverse-stepi
assert position == 25
assert close(X.grad, [[29, 45]])
say What Y sends to X: here it is W that is turned. Press `s` to go on to W again.
wait stepi
say The program has computed the same gradient by itself, as a matrix formula. Compare: `p` begins a line, then type `W.grad == rule_W` and `Enter`.
wait print W.grad == rule_W
assert all(W.grad == rule_W)
say True, element by element. With matrices nothing new happens: a transpose is what makes row and column meet.

# Apples and oranges: forward, backward, and where a gradient comes from.
say Welcome. At the left stands a program, at the right the step that is made: nothing so far. Press `s`, and the first line is computed.
wait stepi
assert az == 300
say 100 · 3 = 300: what the apples cost. Each number appears beside its line of the program, and in the graph. Press `s` for the oranges.
wait stepi
assert oz == 200
say Two more lines: the sum, and the price with the tax. Press `s`, and `s` again.
wait stepi 2
assert y == 550
say 550 to pay: that was the forward pass. Now time turns round. How much does the price move when a number moves by 1? Press `s`: of the price itself that is 1.
wait stepi
assert y.grad == 1
say From here on each step multiplies: upstream, what arrives, × local, the slope of this line, = contribution. Press `s`, and find the three of them in the step.
wait stepi
assert close(z.grad, 1.1)
say One more in the sum z makes the price 1.1 higher. Of a product the slope is the other factor. So what will the tax factor get? Press `s`.
wait stepi
assert close(t.grad, 500)
say 500, the sum. Now a whole line at once: `i` sends the gradient to both operands of z. A sum hands it on as it is.
wait step
assert close(az.grad, 1.1)
assert close(oz.grad, 1.1)
say Press `i` and `i` again, and the pass has come to the numbers that were given.
wait step 2
assert close(an.grad, 110)
say The number of apples has gradient 110: one apple more costs 110, its price of 100 with the tax. Nothing is lost on the way: `S` goes one step back.
wait reverse-stepi
assert position == 12
say And `s` makes the same step again.
wait stepi
assert position == 13
say Where does 110 come from? Press `e`: it opens the number into its terms, and holds it against a numeric derivative, which knows nothing of the chain rule.
wait explain
assert close(an.grad, 1.1 * 100)
say 110 = 1.1 × 100, and the check agrees. That is backpropagation: multiply on the way back, and add where several ways meet.

"""The scenario that `gradstep new` writes: small, commented, and ready to run."""

from __future__ import annotations

from typing import Final

STARTER: Final = """\
gradstep = 1                     # the version of the format
title = "Two layers"
summary = "A network of two layers, one sample, half the squared error."
convention = "columns"           # samples are columns, W @ x; or "rows", x @ W
# group = "networks"             # the heading in the list of scenarios
# output = "E"                   # otherwise the last name that is assigned
# dtype = "float32"              # or float16; otherwise float64

# Each operator makes a node, and each call of `layer` a frame: the z of the first
# layer is called a.z. A comment at the end of a line is shown as its note.
program = \'\'\'
def layer(W, x, b):
    z = W @ x + b                # a weighted sum for each neuron
    return tanh(z)

a = layer(W1, x, b1)
y = layer(W2, a, b2)
E = 0.5 * sum((y - t) ** 2)      # half the squared error
\'\'\'

[inputs]                         # their gradient is shown; training leaves them alone
x = [[1.0], [-0.5]]

[parameters]                     # what training changes
W1 = { random = "normal", shape = [3, 2], seed = 1, scale = 0.5 }
b1 = { zeros = [3, 1] }
W2 = [[0.3, -0.6, 0.2]]
b2 = [[0.1]]
# More ways to write a value:
# W = { random = "glorot", shape = [3, 2], seed = 1 }    # also uniform, integers, he
# W = { file = "weights.npy" }                           # also .npz with a key, .csv
# W = { value = [1, 2, 3, 4], shape = [2, 2] }

[constants]                      # no gradient flows here
t = [[1.0]]

# [seed]                         # needed where the output is not one number:
# y = [[1.0]]                    # the gradient that enters there

[names]                          # what a gradient is called in the literature
"δ2" = "y.z.grad"
"δ1" = "a.z.grad"

[training]
optimizer = "sgd"                # momentum, nesterov, adagrad, rmsprop, adam
learning_rate = 0.1              # or by parameter: { W1 = 0.1, b1 = 0.0, … }
iterations = 50
# batch = { of = ["x", "t"], axis = 1, size = 1, order = "sequential" }

[notes]                          # shown when the moment has come
"start" = "Everything starts from the inputs and the parameters."
"forward a.z" = "One weighted sum for each of the three neurons."
"backward y.z" = "δ2: the error times the slope of tanh."

[expect]                         # what `gradstep test` holds this file to
# "E" = { value = 0.123, rtol = 1e-6 }
"E.grad" = 1.0
"t" = { value = [[1.0]], rtol = 0, atol = 0 }
"""

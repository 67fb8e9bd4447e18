"""Operations that are recipes of others, written in the program language.

A person can step into them: a call is a frame, and each line has its note. Arguments
are named, and defaults chosen, as in `torch.nn.functional`, where it has them. Here,
and only here, an expression may choose by a static value, as in
`sum(x) if reduction == "sum" else x`. What is not given is `None`, and makes no node.
Here alone, too, `scan(cell, x, state, …)` calls a recipe for each step along the first
axis of x, with the state that the one before has returned.
"""

from __future__ import annotations

from typing import Final

from ..ops.nn.losses import REDUCTION
from ..ops.table import Parameter, checks

PRELUDE: Final = """
def mse_loss(input, target, reduction="mean"):
    error = input - target    # what is predicted minus what is right
    squares = error ** 2    # too much counts as too little does
    reduced = mean(squares) if reduction == "mean" else squares    # one number of all
    return sum(reduced) if reduction == "sum" else reduced

def huber_loss(input, target, reduction="mean", delta=1.0):
    distance = abs(input - target)    # how far from what is right
    is_near = distance <= delta
    near = 0.5 * where(is_near, distance, 0) ** 2    # a parabola for small errors
    far = delta * (distance - 0.5 * delta)    # it goes on straight, with slope delta
    losses = where(is_near, near, far)
    reduced = mean(losses) if reduction == "mean" else losses    # one number of all
    return sum(reduced) if reduction == "sum" else reduced

def nll_loss(input, target, weight=None, ignore_index=None, reduction="mean"):
    axis = 0 if input.ndim == 1 else 1    # that of the classes
    out = None if ignore_index is None else target == ignore_index
    number = target if out is None else where(out, 0, target)    # a class that there is
    picked = take_along_axis(input, expand_dims(number, axis), axis=axis)
    factors = ones(target.shape) if weight is None else take(weight, number)
    all = -squeeze(picked, axis) if weight is None else -squeeze(picked, axis) * factors
    losses = all if out is None else where(out, 0, all)    # of the right classes
    is_plain = weight is None if out is None else False
    counted = None if is_plain else factors if out is None else where(out, 0, factors)
    total = losses if reduction == "none" else sum(losses)
    share = total if is_plain else None if reduction != "mean" else sum(counted)
    return total if reduction != "mean" else mean(losses) if is_plain else total / share

def layer_norm(x, weight=None, bias=None, eps=1e-5, axis=-1):
    centred = x - mean(x, axis=axis, keepdims=True)    # each row has the mean 0
    variance = mean(centred ** 2, axis=axis, keepdims=True)
    normal = centred * (1 / sqrt(variance + eps))    # each row has the variance 1
    scaled = normal if weight is None else normal * weight    # one scale a column
    return scaled if bias is None else scaled + bias    # one offset a column

def rms_norm(x, weight=None, eps=1e-5, axis=-1):
    size = mean(x ** 2, axis=axis, keepdims=True)    # the mean square of each row
    normal = x * (1 / sqrt(size + eps))    # each row has the mean square 1
    return normal if weight is None else normal * weight    # one scale a column

def batch_norm(
    x, weight=None, bias=None, running_mean=None, running_var=None, training=True,
    eps=1e-5
):
    one = (x.shape[1],) + (1, 1, 1)[:x.ndim - 2]    # a number for each channel
    rest = (0, 2, 3, 4)[:x.ndim - 1]    # all axes but that of the channels
    known = None if training else reshape(running_mean, one)
    centre = mean(x, axis=rest, keepdims=True) if training else known
    centred = x - centre    # in training, each channel has the mean 0
    squares = centred ** 2 if training else reshape(running_var, one)
    variance = mean(squares, axis=rest, keepdims=True) if training else squares
    normal = centred * (1 / sqrt(variance + eps))    # and the variance 1
    scale = None if weight is None else weight if x.ndim == 2 else reshape(weight, one)
    scaled = normal if weight is None else normal * scale    # one scale a channel
    offset = None if bias is None else bias if x.ndim == 2 else reshape(bias, one)
    return scaled if bias is None else scaled + offset    # one offset a channel

def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    one = (x.shape[1],) + (1, 1, 1)[:x.ndim - 2]    # a number for each channel
    groups = reshape(x, (x.shape[0], num_groups, -1))    # channels side by side
    centred = groups - mean(groups, axis=-1, keepdims=True)    # a group's mean is 0
    variance = mean(centred ** 2, axis=-1, keepdims=True)
    normal = reshape(centred * (1 / sqrt(variance + eps)), x.shape)    # variance 1
    scale = None if weight is None else weight if x.ndim == 2 else reshape(weight, one)
    scaled = normal if weight is None else normal * scale    # one scale a channel
    offset = None if bias is None else bias if x.ndim == 2 else reshape(bias, one)
    return scaled if bias is None else scaled + offset    # one offset a channel

def instance_norm(x, weight=None, bias=None, eps=1e-5):
    return group_norm(x, x.shape[1], weight, bias, eps)    # each channel by itself

def normalize(x, axis=1, eps=1e-12):
    length = norm(x, axis=axis, keepdims=True)
    return x / clip(length, min=eps)    # of the length 1, unless it is 0

def solve(a, b):
    return inv(a) @ b    # what a @ y = b has for y: a vector, or each column

def slogdet(a):
    direction = sign(det(a))    # 1, -1, or 0 without an inverse
    return (direction, logabsdet(a))

def topk(x, k):
    return flip(sort(x, axis=-1), axis=-1)[..., :k]    # the greatest first

def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    planes = expand_dims(input, 2)    # one row high, and so are the filters
    y = conv2d(
        planes, expand_dims(weight, 2), bias, stride=(1, stride), padding=(0, padding),
        dilation=(1, dilation), groups=groups
    )
    return squeeze(y, 2)

def conv_transpose1d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1,
    dilation=1
):
    planes = expand_dims(input, 2)    # one row high, and so are the filters
    y = conv_transpose2d(
        planes, expand_dims(weight, 2), bias, stride=(1, stride), padding=(0, padding),
        output_padding=(0, output_padding), groups=groups, dilation=(1, dilation)
    )
    return squeeze(y, 2)

def max_pool1d(input, kernel_size, stride=None, padding=0):
    step = (1, kernel_size) if stride is None else (1, stride)
    planes = expand_dims(input, -2)    # one row high, and so are the windows
    y = max_pool2d(planes, (1, kernel_size), stride=step, padding=(0, padding))
    return squeeze(y, -2)

def avg_pool1d(input, kernel_size, stride=None, padding=0):
    step = (1, kernel_size) if stride is None else (1, stride)
    planes = expand_dims(input, -2)    # one row high, and so are the windows
    y = avg_pool2d(planes, (1, kernel_size), stride=step, padding=(0, padding))
    return squeeze(y, -2)

def embedding(indices, weight, padding_idx=None):
    rows = weight[indices]    # one row for each index; gradients of a row add up
    padding = None if padding_idx is None else indices == padding_idx
    free = None if padding is None else stop_gradient(rows)    # no gradient there
    return rows if padding is None else where(expand_dims(padding, -1), free, rows)

def rnn_cell(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    return tanh(linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh))

def lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    sums = linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)
    (i, f, g, o) = split(sums, 4, axis=-1)    # one for each gate, in this order
    input_gate = sigmoid(i)    # how much of what is new goes into the memory
    forget_gate = sigmoid(f)    # how much of the memory stays
    candidate = tanh(g)    # what is new
    output_gate = sigmoid(o)    # how much of the memory is shown
    memory = forget_gate * c + input_gate * candidate
    hidden = output_gate * tanh(memory)
    return (hidden, memory)

def gru_cell(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    (ri, zi, ni) = split(linear(x, weight_ih, bias_ih), 3, axis=-1)    # by the input
    (rh, zh, nh) = split(linear(h, weight_hh, bias_hh), 3, axis=-1)    # by the past
    reset_gate = sigmoid(ri + rh)    # how much of the past the candidate sees
    update_gate = sigmoid(zi + zh)    # how much of the past stays
    candidate = tanh(ni + reset_gate * nh)    # what is new
    return (1 - update_gate) * candidate + update_gate * h

def rnn(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    (hidden,) = scan(rnn_cell, x, (h,), weight_ih, weight_hh, bias_ih, bias_hh)
    return (stack(hidden), hidden[-1])    # of all steps, and of the last one

def lstm(x, h, c, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    (hidden, memory) = scan(
        lstm_cell, x, (h, c), weight_ih, weight_hh, bias_ih, bias_hh
    )
    return (stack(hidden), hidden[-1], memory[-1])    # of all steps, and of the last

def gru(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    (hidden,) = scan(gru_cell, x, (h,), weight_ih, weight_hh, bias_ih, bias_hh)
    return (stack(hidden), hidden[-1])    # of all steps, and of the last one

def scaled_dot_product_attention(query, key, value, attn_mask=None, scale=None):
    factor = 1 / sqrt(query.shape[-1]) if scale is None else scale
    scores = factor * (query @ swapaxes(key, -1, -2))    # how queries fit keys
    visible = scores if attn_mask is None else scores + attn_mask    # -inf hides a key
    weights = softmax(visible, axis=-1)    # a query's weights add up to 1
    return weights @ value    # a weighted mean of the values for each query
"""

# Arguments that are fixed: a wrong one would choose without a word, or be a shape.
CHOICES: Final[tuple[Parameter, ...]] = (
    REDUCTION,
    Parameter("training", checks.flag),
    Parameter("num_groups", checks.size),
    Parameter("kernel_size", checks.size),
    Parameter("k", checks.size),
)

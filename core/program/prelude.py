"""Operations that are recipes of others, written in the program language.

A person can step into them: a call is a frame, and each line has its note. Arguments
are named, and defaults chosen, as in `torch.nn.functional`, where it has them. Here,
and only here, an expression may choose by a static value, as in
`sum(x) if reduction == "sum" else x`. What is not given is `None`, and makes no node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..ops.nn.losses import REDUCTION

if TYPE_CHECKING:
    from ..ops.table import Parameter

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

def layer_norm(x, weight=None, bias=None, eps=1e-5):
    centred = x - mean(x, axis=-1, keepdims=True)    # each row has the mean 0
    variance = mean(centred ** 2, axis=-1, keepdims=True)
    normal = centred / sqrt(variance + eps)    # each row has the variance 1
    scaled = normal if weight is None else normal * weight    # one scale a column
    return scaled if bias is None else scaled + bias    # one offset a column

def batch_norm(x, weight=None, bias=None, eps=1e-5, axis=0):
    centred = x - mean(x, axis=axis, keepdims=True)    # each feature has the mean 0
    variance = mean(centred ** 2, axis=axis, keepdims=True)    # that of this batch
    normal = centred / sqrt(variance + eps)    # each feature has the variance 1
    scaled = normal if weight is None else normal * weight    # one scale a feature
    return scaled if bias is None else scaled + bias    # one offset a feature

def embedding(indices, weight):
    return weight[indices]    # one row for each index; gradients of a row add up

def scaled_dot_product_attention(query, key, value, attn_mask=None, scale=None):
    factor = 1 / sqrt(query.shape[-1]) if scale is None else scale
    scores = factor * (query @ swapaxes(key, -1, -2))    # how queries fit keys
    visible = scores if attn_mask is None else scores + attn_mask    # -inf hides a key
    weights = softmax(visible, axis=-1)    # a query's weights add up to 1
    return weights @ value    # a weighted mean of the values for each query
"""

# Arguments that a recipe chooses by: a wrong one would choose without a word.
CHOICES: Final[tuple[Parameter, ...]] = (REDUCTION,)

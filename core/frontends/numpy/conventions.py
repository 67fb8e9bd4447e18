"""How people call things: what goes back through what, and a gradient of what.

>>> backward_of("affine_forward"), backward_of("forward"), backward_of("predict")
('affine_backward', 'backward', '')
>>> whose("dW1"), whose("grad_apple"), whose("weights_gradient"), whose("W")
(('W1',), ('apple',), ('weights',), ())
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

_FORWARD: Final = MappingProxyType({"forward": "backward", "fprop": "bprop"})
_BEFORE: Final = ("grad_", "gradient_", "dL_d", "dl_d", "dloss_d", "delta_", "d_", "d")
_AFTER: Final = ("_gradient", "_grad", "_bar", "_adj")
PARAMETERS: Final = ("params", "parameters", "weights", "p")
GRADIENTS: Final = ("grads", "gradients", "grad", "gradient", "dparams")


def backward_of(name: str) -> str:
    """Return what the backward function of a forward function is called, or ""."""
    for word, other in _FORWARD.items():
        if name == word or name.startswith(f"{word}_") or name.endswith(f"_{word}"):
            return name.replace(word, other)
        if f"_{word}_" in name:
            return name.replace(f"_{word}_", f"_{other}_")
    return ""


def whose(name: str) -> tuple[str, ...]:
    """Return what a name may be the gradient of, the likeliest first."""
    after = [one for one in _AFTER if name.endswith(one) and name != one]
    found = [name.removesuffix(word) for word in after]
    for word in _BEFORE:
        if name.startswith(word) and name != word:
            found.append(name.removeprefix(word))
            break
    return tuple(found)

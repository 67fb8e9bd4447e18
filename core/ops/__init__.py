"""The operations: one table, whose rows are imported when they are looked up."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from .table.wide import careful, half, half_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .table import Op

# The modules that have the rows, with the names of these, in order.
MODULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "elementwise.arithmetic": (
            "add subtract multiply divide power negative equal not_equal less "
            "less_equal greater greater_equal"
        ),
        "elementwise.functions": (
            "exp expm1 log log1p sqrt square abs sin cos tanh arctan"
        ),
        "elementwise.activations": (
            "sigmoid softplus relu leaky_relu elu silu gelu erf"
        ),
        "elementwise.selection": (
            "maximum minimum clip where sign round floor ceil trunc stop_gradient "
            "dropout"
        ),
        "reduce": "sum mean max min prod var std logsumexp norm cumprod cumsum",
        "linalg": "matmul dot outer einsum",
        "inverses": "inv det logabsdet cholesky",
        "shape.arranging": (
            "transpose swapaxes flip roll tril triu reshape ravel squeeze expand_dims "
            "broadcast_to pad"
        ),
        "shape.joining": "concatenate stack split",
        "shape.indexing": "getitem take sort take_along_axis",
        "shape.placing": "put",
        "nn.softmax": "softmax log_softmax",
        "nn.cross_entropy": "cross_entropy",
        "nn.binary": "binary_cross_entropy_with_logits binary_cross_entropy",
        "nn.dense": "linear",
        "nn.convolution": "conv2d",
        "nn.transposed": "conv_transpose2d",
        "nn.pooling": "max_pool2d avg_pool2d",
        "nn.resampling": "interpolate adaptive_avg_pool2d",
    }
)
# Other names that a program may call an operation by.
ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {"amax": "max", "amin": "min", "concat": "concatenate", "gather": "take"}
)


class _Table(Mapping[str, "Op"]):
    """The operations by name. A row is there once it is asked for, with its module."""

    def __init__(self) -> None:
        self._modules = {
            name: module for module, names in MODULES.items() for name in names.split()
        }
        self._rows: dict[str, Op] = {}

    def __getitem__(self, name: str) -> Op:
        if name not in self._rows:
            module = import_module(f".{self._modules[name]}", __package__)
            for op in module.ROWS:  # a row is one, whichever thread asks for it
                self._rows.setdefault(op.name, _for_halves(op))
        return self._rows[name]

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


def _for_halves(op: Op) -> Op:
    """Return a row that computes in float32 what is float16, where it computes."""
    if op.once or op.kind in ("move", "contract"):
        return op
    return op._replace(
        forward=half_result(op.forward),
        vjps=tuple(rule and half(rule) for rule in op.vjps),
        jvps=tuple(rule and half(rule) for rule in op.jvps),
        slope=op.slope and careful(half(op.slope)),
        shared=op.shared and careful(half(op.shared)),
    )


OPS: Final[Mapping[str, Op]] = _Table()


def find(name: str) -> Op | None:
    """Return the operation called `name`, by its name or an alias, or nothing.

    >>> find("amax") is find("max")
    True
    """
    return OPS.get(ALIASES.get(name, name))

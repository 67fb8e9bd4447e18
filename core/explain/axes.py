"""Which axes of an operation stay, go, or meet, and the part at one place of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..engine.graph import Node
    from ..engine.run import Run
    from ..ops.table import Array, Op, Shape


def kept_axes(consumer: Node, ndim: int) -> list[int]:
    """Return the axes that a reduction leaves."""
    axis = attribute(consumer, "axis")
    gone = range(ndim) if axis is None else [int(a) % ndim for a in np.atleast_1d(axis)]
    return [axis for axis in range(ndim) if axis not in gone]


def attribute(consumer: Node, name: str) -> Any:
    """Return an attribute of a node; the default, where it was not given."""
    if name in consumer.attributes:
        return consumer.attributes[name]
    parameters = consumer.op.parameters if consumer.op else ()
    return next((p.default for p in parameters if p.name == name), None)


def contraction(run: Run, consumer: Node) -> tuple[Sequence[str], str] | None:
    """Return the index labels of a sum of products: per operand, and of the result."""
    op = consumer.op
    if op is None or op.subscripts is None:
        return None
    shapes = [np.shape(run.values[i]) for i in consumer.operands]
    text = op.subscripts(*shapes, **consumer.attributes)
    if "." in text or "->" not in text:
        return None
    left, output = text.split("->")
    return left.split(","), output


def sizes_of(inputs: Sequence[str], shapes: Sequence[Shape]) -> dict[str, int]:
    """Return how long the axis of each label is."""
    sizes: dict[str, int] = {}
    for text, shape in zip(inputs, shapes, strict=True):
        for label, size in zip(text, shape, strict=True):
            if sizes.get(label, 1) == 1:  # 1 broadcasts to any size, 0 included
                sizes[label] = size
    return sizes


def axis_letters(run: Run, consumer: Node, op: Op) -> tuple[list[str], str]:
    """Return the letters of the axes of a block, per operand and of the result."""
    shapes = [np.shape(run.values[i]) for i in consumer.operands]
    if op.axis_letters is None:
        return ["*" * len(shape) for shape in shapes], "*" * len(consumer.shape)
    left, output = op.axis_letters(*shapes, **consumer.attributes).split("->")
    return left.split(","), output


class Portion(NamedTuple):
    """The part of an operation where some axes stand at one place."""

    operands: tuple[Array, ...]  # what is left of each
    result: Array  # what is left of it
    box: tuple[range, ...]  # along each axis of the whole result

    @classmethod
    def of(
        cls,
        run: Run,
        consumer: Node,
        inputs: Sequence[str],
        output: str,
        fixed: Mapping[str, int],
    ) -> Portion:
        """Cut the part out, where each label of `fixed` stands at one place."""

        def cut(node: int, labels: str) -> Array:
            array = run.value(node)
            return np.asarray(array[slices(labels, array.shape, fixed)], order="C")

        operands = map(cut, consumer.operands, inputs)
        shape = np.shape(run.values[consumer.index])
        return cls(
            tuple(operands),
            cut(consumer.index, output),
            tuple(
                range(*at.indices(size))
                for at, size in zip(slices(output, shape, fixed), shape, strict=True)
            ),
        )


def slices(labels: str, shape: Shape, fixed: Mapping[str, int]) -> tuple[slice, ...]:
    """Return what is left of an array where some labels stand at one place."""
    return tuple(
        slice(fixed[label], fixed[label] + 1)
        if label != "*" and label in fixed
        else slice(0, size)
        for label, size in zip(labels, shape, strict=True)
    )

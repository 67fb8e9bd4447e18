"""Where a layer's δ is made of the next layer's: found by the graph, not by names.

```
z = W x + b,  h = f(z),  z⁺ = W⁺ h + b⁺        δ = (W⁺ᵀ δ⁺) ∘ f′(z)
```

δ is the gradient of a weighted sum. The equation is Nielsen's BP2, "Neural Networks and
Deep Learning", chapter 2. It holds where h goes into one product and nowhere else, and
where z⁺ is that product, with or without something added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..ops import OPS
from .formulas import NO_FORMULA, Formula, factors, function_name
from .numbers import shape_text

if TYPE_CHECKING:
    from ..engine.graph import Edge, Graph, Node
    from ..ops.table import Shape
    from .formulas import Wording


class Layer(NamedTuple):
    """How the δ of a layer is made of the next one's."""

    use: Edge  # by which h goes into the next product
    ahead: int  # z⁺, whose gradient is the next δ


def recursion(wording: Wording, edge: Edge) -> Formula:
    """Return the δ of a layer, made of the next one's, in one line.

    `edge` leads from h back to z. There is no formula where nothing like that holds, or
    where the shapes do not fit.
    """
    graph = wording.graph
    layer = layer_of(graph, edge)
    shapes = "" if layer is None else _shapes(graph, layer)
    h = graph.nodes[edge.consumer]
    if layer is None or not shapes or h.op is None:
        return NO_FORMULA
    product = wording.product(layer.use, wording.arrived(layer.ahead))
    slope = f"{function_name(h.op)}′({wording.node(edge.operand)})"
    sign = "∘" if h.shape else "·"
    shapes = f"{shapes} {sign} {shape_text(h.shape)}" if h.shape else ""
    text = f"({product}) {sign} {slope}"
    return Formula(wording.arrived(edge.operand), (text,), "", shapes)


def _shapes(graph: Graph, layer: Layer) -> str:
    """Return how the shapes of the product fit; "" where they do not give that of h."""
    node, h = graph.nodes[layer.use.consumer], graph.nodes[layer.use.operand]
    form = graph.worded(node).form(layer.use.argument)
    found = None if form is None else factors(form.code)
    if form is None or node.op is None or found is None:
        return "()" if h.shape == node.shape == () else ""
    named = zip(node.op.operands, node.operands, strict=False)
    known = {name: graph.nodes[operand].shape for name, operand in named}
    known["g"] = graph.nodes[layer.ahead].shape
    sides = [_turned(form.code, name, known[name]) for name in found]
    try:
        fits = OPS["matmul"].shape(*sides) == h.shape
    except ValueError:
        return ""
    return " @ ".join(map(shape_text, sides)) if fits else ""


def _turned(code: str, name: str, shape: Shape) -> Shape:
    return shape[::-1] if f"{{{name}}}.T" in code else shape


def layer_of(graph: Graph, edge: Edge) -> Layer | None:
    """Return the layer whose δ an edge makes, from h to z; None where there is none."""
    h, z = graph.nodes[edge.consumer], graph.nodes[edge.operand]
    if not (_is_activation(h) and h.shape == z.shape and _is_weighted(graph, z)):
        return None
    use = _only_use(graph, h.index)
    if use is None or not _is_product(graph, graph.nodes[use.consumer]):
        return None
    product = graph.nodes[use.consumer]
    if product.operands.count(h.index) != 1 or product.index == graph.output:
        return None
    return Layer(use, _summed_to(graph, product.index))


def _summed_to(graph: Graph, index: int) -> int:
    """Return the last sum that a product goes into: its gradient is that of the sum."""
    while index != graph.output:
        use = _only_use(graph, index)
        if use is None or not _adds(graph, use):
            break
        index = use.consumer
    return index


def _only_use(graph: Graph, index: int) -> Edge | None:
    """Return the one edge by which a gradient can come back to a node."""
    uses = [
        use
        for use in graph.consumers[index]
        if graph.useful[use.consumer]
        and (op := graph.nodes[use.consumer].op) is not None
        and op.vjp(use.argument) is not None
    ]
    return uses[0] if len(uses) == 1 else None


def _adds(graph: Graph, use: Edge) -> bool:
    node, operand = graph.nodes[use.consumer], graph.nodes[use.operand]
    is_sum = node.op is not None and node.op.signs == (1, 1)
    return is_sum and node.shape == operand.shape


def _is_activation(node: Node) -> bool:
    """Tell whether a node is a function of each element of one operand."""
    op = node.op
    if op is None or op.kind != "elementwise" or len(node.operands) != 1:
        return False
    form = op.form(0)
    return form is not None and form.local not in ("1", "−1", "0")


def _is_weighted(graph: Graph, node: Node) -> bool:
    """Tell whether a node is a product with weights, with or without a bias."""
    if _is_product(graph, node):
        return True
    is_sum = node.op is not None and node.op.signs == (1, 1)
    return is_sum and any(_is_product(graph, graph.nodes[k]) for k in node.operands)


def _is_product(graph: Graph, node: Node) -> bool:
    """Tell whether a node is a product of two matrices, or of two numbers."""
    op = node.op
    if op is None or op.multiplies:
        return op is not None and node.shape == () and len(node.operands) == 2
    forms = (form for form in graph.worded(node).forms if form is not None)
    return any(factors(form.code) is not None for form in forms)

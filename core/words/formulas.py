"""Formulas in words: the rows of the operation table with the names of a graph put in.

A node that has no name of its own is called by what it computes, `x @ W` for `h._1`. Of
a long expression what is innermost is left out: `σ(W2 @ σ(…) + b2)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from ..engine.graph import Edge, Graph, Node
from ..ops import OPS
from .numbers import shape_text
from .templates import below, bound, fill, filled, hollow, indexed, places_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..engine.element import Quantity
    from ..ops.optimizers import Optimizer
    from ..ops.table import Op, Shape

LONGEST: Final = 24  # characters of an expression
SHORT: Final = 12  # and of one that has little room
MORE: Final = "…"  # stands for what is left out
_MOST_LISTED = 12  # operands, before only some of them are named
_DEEPEST: Final = 12  # expressions inside each other, before `…` stands for the rest

_SLOPE_CODE: Final = (
    r"np\.where\(([2-9]) == 0, 0, \1 \* np\.power\(([\w.]+), \1 - 1\)\)"
)
_POWER_CODE: Final = r"np\.power\(([\w.]+), ([\w.]+)\)"
_BINARY: Final = re.compile(r"\{(\w+)\}(\.T)? ([@*+/-]) \{(\w+)\}(\.T)?")


class Formula(NamedTuple):
    """One equation in several spellings; without `steps` there is nothing to say.

    `steps` are equal to `result` one after the other; with `+=` they are one part of
    it. `local` is the local derivative of one element.
    """

    result: str
    steps: tuple[str, ...]
    code: str = ""  # the same in NumPy; "" where it is not wanted
    shapes: str = ""  # how they fit: "(3, 5) @ (5, 1) → (3, 1)"; "" for scalars
    local: str = ""
    why: str = ""  # one sentence; "" for none
    statement: str = ""  # NumPy as a person writes it; "" where that is long
    sign: str = "="  # "=", "+=", or "←" of an update

    @property
    def text(self) -> str:
        """Return the equation on one line."""
        if not self.steps:
            return ""
        return f"{self.result} {self.sign} {' = '.join(self.steps)}"

    @property
    def brief(self) -> str:
        """Return the equation without what stands between its two ends."""
        return self._replace(steps=self.steps[-1:]).text


NO_FORMULA: Final = Formula("", (), "")


class _Spoken(NamedTuple):
    """What all formulas of one node have in common: it may have thousands of them."""

    row: Op  # of the table, in the words that fit its operands
    words: Mapping[str, str]  # what the places of its templates stand for
    code: Mapping[str, str]  # the same in NumPy
    scalars: bool  # it is a number, and so are all of its operands


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """How the nodes of a graph and their gradients are called.

    `names` maps the literature's name of a gradient to `NODE.grad`.
    """

    graph: Graph  # whose nodes are named
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    longest: int = LONGEST  # characters of an expression
    in_code: bool = True  # whether formulas say the same in NumPy, too
    _nodes: dict[int, str] = field(
        default_factory=dict[int, str], compare=False, repr=False
    )
    _gradients: dict[int, str] = field(
        default_factory=dict[int, str], compare=False, repr=False
    )
    # The last one only: it is asked for by each part of the screen that shows a step.
    _contribution: dict[tuple[Edge, tuple[int, ...]], Formula] = field(
        default_factory=dict[tuple[Edge, tuple[int, ...]], Formula],
        compare=False,
        repr=False,
    )
    _spoken: dict[int, _Spoken] = field(  # likewise
        default_factory=dict[int, _Spoken], compare=False, repr=False
    )

    def node(self, index: int) -> str:
        """Return the name of a node, or its expression where it has no name."""
        known = self._nodes.get(index)
        if known is None:
            known = self._nodes[index] = self._node(self.graph.nodes[index])
        return known

    def element(self, index: int, place: str, quantity: Quantity = "value") -> str:
        """Return an element as a formula calls it: `(x - t)[0]`, not `E._1[0]`.

        What has a name of its own has the name that is typed, `W.grad[0, 2]`.
        """
        own, called = self.graph.nodes[index].name, self.node(index)
        if quantity == "grad":
            called = f"{own}.grad" if called == own else self.arrived(index)
        return indexed(called, place)

    def _node(self, node: Node) -> str:
        """Return the longest expression there is room for, the outermost part first."""
        if node.op is None or not node.is_unnamed:
            return node.name
        found = ""
        for depth in range(1, _DEEPEST):
            text = self._expression(node, depth)
            if found and len(text) > self.longest:
                break
            found = text
            if MORE not in text:
                break
        return shortened(found, self.longest)

    def _expression(self, node: Node, depth: int) -> str:
        """Return what a node computes, so many expressions inside each other."""

        def called(index: int) -> str:
            inner = self.graph.nodes[index]
            if inner.op is None or not inner.is_unnamed:
                return inner.name
            return self._expression(inner, depth - 1) if depth > 1 else MORE

        symbol = self.graph.worded(node).symbol
        return filled(symbol, self._words(node, called), _scalars(self.graph, node))

    def gradient(self, index: int) -> str:
        """Return the name of a node's gradient: the literature's, or `∂E/∂x`.

        A product inside a line has the gradient of the line where that only copies it:
        in `z = W @ x + b` both are δ.
        """
        known = self._gradients.get(index)
        if known is None:
            known = self._gradients[index] = self._gradient(index)
        return known

    def _gradient(self, index: int) -> str:
        return self.named(index) or self._plain_gradient(index)

    def named(self, index: int) -> str:
        """Return the literature's name of a node's gradient; "" without one."""
        of: int | None = index
        while self.names and of is not None:
            if of in self._literature:
                return self._literature[of]
            of = self._copied(of)
        return ""

    def _plain_gradient(self, index: int) -> str:
        return f"∂{self._output}/∂{below(self.node(index))}"

    @property
    def _literature(self) -> Mapping[int, str]:
        """The literature's names of gradients, by the number of the node."""
        numbers, found = self.graph.names, dict[int, str]()
        for name, target in self.names.items():
            index = numbers.get(target.removesuffix(".grad"))
            if index is not None:
                found.setdefault(index, name)
        return found

    def _copied(self, index: int) -> int | None:
        """Return the one user of an unnamed node, where that only copies a gradient."""
        graph = self.graph
        node, uses = graph.nodes[index], graph.consumers[index]
        if not node.is_unnamed or len(uses) != 1:
            return None
        user = graph.nodes[uses[0].consumer]
        if user.op is None or user.op.kind != "elementwise" or user.shape != node.shape:
            return None
        form = graph.worded(user).form(uses[0].argument)
        return user.index if form and form.product == "{g}" else None

    def forward(self, index: int) -> Formula:
        """Return how the value of a node is computed."""
        node = self.graph.nodes[index]
        if node.op is None:
            return Formula(node.name, (), "")
        spoken = self._of(node)
        row = spoken.row
        formula = Formula(
            node.name,
            (filled(row.symbol, spoken.words, spoken.scalars),),
            shapes=self._forward_shapes(node, row),
        )
        if not self.in_code:
            return formula
        code = f"{node.name} = {fill(row.code, spoken.code)}"
        statement = _plain(fill(row.statement, spoken.code) or code)
        return formula._replace(code=code, statement=statement)

    def spelled(self, index: int, operands: Sequence[str]) -> str:
        """Return how a node is computed, with other words for its operands."""
        node = self.graph.nodes[index]
        if node.op is None:
            return node.name
        words = _words(node, list(operands)) | {"y": node.name}
        return filled(self.graph.worded(node).symbol, words, scalars=True)

    def contribution(self, edge: Edge, summed: tuple[int, ...] = ()) -> Formula:
        """Return what an edge adds to its operand's gradient.

        `summed` are the axes over which the product is reduced.
        """
        known = self._contribution.get((edge, summed))
        if known is None:
            known = self._added(edge, summed)
            self._contribution.clear()
            self._contribution[edge, summed] = known
        return known

    def _added(self, edge: Edge, summed: tuple[int, ...]) -> Formula:
        node = self.graph.nodes[edge.consumer]
        spoken = None if node.op is None else self._of(node)
        form = spoken and spoken.row.form(edge.argument)
        result = self.arrived(edge.operand)
        if node.op is None or spoken is None or form is None:
            return Formula(result, (), "")
        upstream = self.gradient(edge.consumer)
        here = self._here(edge, upstream)
        product = self.product(edge, upstream)
        if summed:
            product += f", summed over {axes_text(summed)}"
        steps = (product,)
        if spoken.scalars and node.op.kind == "elementwise":
            steps = (f"{upstream} · {self.local(edge)}", product)
        formula = Formula(
            result,
            steps,
            shapes=self._backward_shapes(edge, node, form.code, summed),
            local=filled(form.local, spoken.words, spoken.scalars, here),
            why=form.why,
            sign="+=" if self._has_routes(edge.operand, 2) else "=",
        )
        if not self.in_code:
            return formula
        into = f"{self.graph.nodes[edge.operand].name}.grad"
        more = {"g": f"{node.name}.grad", "into": into, "argument": str(edge.argument)}
        code = fill(form.code, spoken.code, more)
        code = f"{into} += {_summed_code(code, summed, self.graph, edge)}"
        # What is summed over its axes is long enough.
        statement = "" if summed else fill(form.statement, spoken.code, more)
        return formula._replace(code=code, statement=_plain(statement or code))

    def arrived(self, index: int) -> str:
        """Return the name of a gradient where it arrives: its own, whatever is copied.

        While a gradient is copied, it has the name of where it comes to.
        """
        return self._literature.get(index) or self._plain_gradient(index)

    def product(self, edge: Edge, upstream: str) -> str:
        """Return what an edge makes of a gradient with that name: `Wᵀ δ`."""
        node = self.graph.nodes[edge.consumer]
        spoken = self._of(node)
        form = spoken.row.form(edge.argument)
        if form is None:
            return ""
        here = self._here(edge, upstream)
        return filled(form.product, spoken.words, spoken.scalars, here)

    def _here(self, edge: Edge, upstream: str) -> dict[str, str]:
        return {
            "g": upstream,
            "y": self.node(edge.consumer),
            "argument": str(edge.argument),
        }

    def local(self, edge: Edge) -> str:
        """Return the name of an edge's local derivative: `∂y/∂a`."""
        consumer, operand = self.node(edge.consumer), self.node(edge.operand)
        return f"∂{below(consumer)}/∂{below(operand)}"

    def _has_routes(self, operand: int, count: int) -> bool:
        """Tell whether a gradient can come back to a node by so many uses."""
        graph = self.graph
        routes = (
            use
            for use in graph.consumers[operand]
            if graph.useful[use.consumer]
            and (op := graph.nodes[use.consumer].op) is not None
            and op.vjp(use.argument) is not None
        )
        return len(list(islice(routes, count))) == count

    @property
    def _output(self) -> str:
        return bound(self.node(self.graph.output))

    def update(self, index: int, optimizer: Optimizer) -> Formula:
        """Return how an optimiser gives a parameter its next value."""
        node = self.graph.nodes[index]
        words = {"W": node.name, "G": self.gradient(index)}
        *before, last = (line.format(**words) for line in optimizer.formula)
        result, _, step = last.partition(" ← ")
        where = f", where {', '.join(before)}" if before else ""
        shape = shape_text(node.shape)
        shapes = f"{shape} − {shape} → {shape} = {node.name} ✓" if node.shape else ""
        code = "; ".join(line.format(**words) for line in optimizer.code)
        return Formula(result, (step + where,), code, shapes, statement=code, sign="←")

    def _words(self, node: Node, called: Callable[[int], str]) -> dict[str, str]:
        """Return what the places of a row's templates stand for."""
        known = {index: called(index) for index in dict.fromkeys(node.operands)}
        names = [known[index] for index in node.operands]
        words = _words(node, names) | {"y": node.name}
        if node.op is not None and node.op.variadic:
            words[node.op.operands[-1]] = listed(names[len(node.op.operands) - 1 :])
        return words

    def _of(self, node: Node) -> _Spoken:
        """Return what the formulas of a node have in common."""
        known = self._spoken.get(node.index)
        if known is None:
            names = [self.graph.nodes[i].name for i in node.operands]
            code = _code_words(node, names) | {"y": node.name}
            if node.op is not None and node.op.variadic:
                code[node.op.operands[-1]] = listed(names[len(node.op.operands) - 1 :])
            known = _Spoken(
                self.graph.worded(node),
                self._words(node, self.node),
                code,
                _scalars(self.graph, node),
            )
            self._spoken.clear()
            self._spoken[node.index] = known
        return known

    def _forward_shapes(self, node: Node, op: Op) -> str:
        if _scalars(self.graph, node):
            return ""
        nodes = [self.graph.nodes[i] for i in node.operands]
        sides = listed([shape_text(n.shape) for n in nodes if not n.is_literal])
        if not any(n.is_literal for n in nodes):
            sides = _binary(op.code, op, [n.shape for n in nodes], ())
        return f"{sides} → {shape_text(node.shape)}"

    def _backward_shapes(
        self, edge: Edge, node: Node, code: str, summed: tuple[int, ...]
    ) -> str:
        if _scalars(self.graph, node) or node.op is None:
            return ""
        operand = self.graph.nodes[edge.operand]
        start = shape_text(node.shape)
        is_product = node.op.kind == "contract"
        if is_product or _BINARY.fullmatch(code):
            shapes = [self.graph.nodes[i].shape for i in node.operands]
            if is_product or () not in shapes:
                start = _binary(code, node.op, shapes, node.shape, operand.shape)
        if summed:
            start += f" → {shape_text(node.shape)} → Σ {axes_text(summed)}"
        end = shape_text(operand.shape)
        return f"{start} → {end} = {bound(self.node(edge.operand))} ✓"


def shortened(text: str, longest: int) -> str:
    """Return an expression in so many characters, without what is in its brackets.

    If that is not enough, its middle is left out.

    >>> shortened("stack(x0, x1) + b", 17), shortened("stack(x0, x1) + b", 16)
    ('stack(x0, x1) + b', 'stack(…) + b')
    >>> shortened("before + after", 9)
    'befo…fter'
    """
    text = text if len(text) <= longest else hollow(text, MORE)
    if len(text) <= longest:
        return text
    start = longest // 2
    return text[:start] + MORE + text[len(text) - (longest - start - 1) :]


def listed(names: Sequence[str]) -> str:
    """Return names in a row; of many the first ones and the last one.

    >>> listed(["a", "b"]), listed([f"x{k}" for k in range(3000)])
    ('a, b', 'x0, x1, x2, x3, x4, x5, …, x2999')
    """
    if len(names) <= _MOST_LISTED:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_LISTED // 2])}, …, {names[-1]}"


def function_name(op: Op) -> str:
    """Return what a function of one operand is called: σ, tanh, relu.

    >>> function_name(OPS["sigmoid"]), function_name(OPS["relu"])
    ('σ', 'relu')
    """
    name, _, operand = op.symbol.partition("(")
    return name if operand == f"{{{op.operands[0]}}})" else op.name


def code_text(template: str, node: Node, names: list[str], **more: str) -> str:
    """Return a template of NumPy code with `names` in the places of the operands.

    `more` names the result `y`, the upstream gradient `g` and the `argument`.
    """
    return fill(template, _code_words(node, names) | more)


def _code_words(node: Node, names: list[str]) -> dict[str, str]:
    texts = {k: repr(v) for k, v in node.attributes.items() if isinstance(v, str)}
    return _words(node, names) | texts


def axes_text(axes: tuple[int, ...]) -> str:
    """Return axes in words.

    >>> axes_text((0,)), axes_text((0, 2))
    ('axis 0', 'axes 0, 2')
    """
    return ("axis " if len(axes) == 1 else "axes ") + ", ".join(map(str, axes))


def subscript_text(entry: Any, slots: tuple[str, ...] = ()) -> str:
    """Return an index as it is written.

    >>> subscript_text((0, slice(None, 2), None, ...))
    '0, :2, None, ...'
    """
    if isinstance(entry, tuple):
        entries = cast("tuple[Any, ...]", entry)
        # A tuple inside stands for a list.
        texts = [subscript_text(one, slots) for one in entries]
        lists = [isinstance(one, tuple) for one in entries]
        return ", ".join(
            f"[{text}]" if several else text
            for text, several in zip(texts, lists, strict=True)
        )
    if isinstance(entry, slice):
        part = cast("slice[Any, Any, Any]", entry)
        parts = [part.start, part.stop]
        if part.step is not None:
            parts.append(part.step)
        return ":".join("" if one is None else str(one) for one in parts)
    if entry is ... or entry is None or isinstance(entry, int):
        return "..." if entry is ... else str(entry)
    from ..ops.shape.indexing import Slot  # noqa: PLC0415  # 2 ms, with the rows of indices

    if isinstance(entry, Slot):
        return slots[entry.number] if entry.number < len(slots) else "index"
    return str(entry)


def _words(node: Node, names: list[str]) -> dict[str, str]:
    op = node.op
    if op is None:
        return {}
    words = dict(zip(op.operands, names, strict=False))
    rest = names[len(op.operands) - 1 :]
    if op.variadic:
        last = op.operands[-1]
        words[last] = ", ".join(rest)
        words |= {f"{last}{place}": name for place, name in enumerate(rest)}
    for name, value in node.attributes.items():
        is_index = name == "index"
        words[name] = subscript_text(value, tuple(rest)) if is_index else str(value)
    return words


def _scalars(graph: Graph, node: Node) -> bool:
    return node.shape == () and all(graph.nodes[i].shape == () for i in node.operands)


def _binary(
    code: str,
    op: Op,
    shapes: list[Shape],
    result: Shape,
    wanted: Shape | None = None,
) -> str:
    """Return the shapes of two operands around their operator, or a list of all.

    `wanted` is the shape that a gradient has to get: a product of matrices that has
    another one is not shown as one, and of a list only what it is made of.
    """
    matched = _BINARY.fullmatch(code)
    known = dict(zip(op.operands, shapes, strict=False)) | {"g": result, "y": result}
    known |= {f"{op.operands[-1]}{k}": shape for k, shape in enumerate(shapes)}
    if wanted is not None:
        places = dict.fromkeys(places_of(code))
        shapes = [known[place] for place in places if place in known]
    if matched is None or not {matched[1], matched[4]} <= set(known):
        return listed([shape_text(shape) for shape in shapes])
    sides = [
        known[name][::-1] if turned else known[name]
        for name, turned in ((matched[1], matched[2]), (matched[4], matched[5]))
    ]
    if wanted is not None and matched[3] == "@" and _product(*sides) != wanted:
        return listed([shape_text(shape) for shape in shapes])
    sign = {"*": "∘", "-": "−"}.get(matched[3], matched[3])
    return f"{shape_text(sides[0])} {sign} {shape_text(sides[1])}"


def _product(left: Shape, right: Shape) -> Shape | None:
    """Return the shape of a product of matrices; None where they do not fit."""
    try:
        return OPS["matmul"].shape(left, right)
    except ValueError:
        return None


def factors(code: str) -> tuple[str, str] | None:
    """Return the places of the left and the right factor of a matrix product.

    None where a template is no product of two matrices, or turns the upstream gradient.

    >>> factors("{g} @ {b}.T"), factors("{a}.T @ {g}"), factors("{g} * {b}")
    (('g', 'b'), ('a', 'g'), None)
    """
    found = _BINARY.fullmatch(code)
    if found is None or found[3] != "@" or "{g}.T" in code:
        return None
    return found[1], found[4]


def _plain(code: str) -> str:
    """Return code as a person would write it; nothing where it is made of tricks.

    >>> _plain("x.grad += y.grad * np.where(3 == 0, 0, 3 * np.power(x, 3 - 1))")
    'x.grad += y.grad * 3 * x ** 2'
    >>> _plain("y = np.power(x, 2)")
    'y = x ** 2'
    """
    if "np." not in code:
        return code.removesuffix(" ** 1")
    if "stride_tricks" in code or "bincount" in code:
        return ""
    code = re.sub(
        _SLOPE_CODE,
        lambda found: f"{found[1]} * np.power({found[2]}, {int(found[1]) - 1})",
        code,
    )
    return re.sub(_POWER_CODE, r"\1 ** \2", code).removesuffix(" ** 1")


def _summed_code(code: str, summed: tuple[int, ...], graph: Graph, edge: Edge) -> str:
    if not summed:
        return code
    axes = summed[0] if len(summed) == 1 else summed
    shape = graph.nodes[edge.operand].shape
    more = len(graph.nodes[edge.consumer].shape) - len(shape)
    if not more:
        return f"np.sum({code}, axis={axes}, keepdims=True)"
    total = f"np.sum({code}, axis={axes})"
    return total if max(summed) < more else f"{total}.reshape({shape})"

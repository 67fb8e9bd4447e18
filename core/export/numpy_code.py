"""A run as one NumPy program: forward and backward, one line for each event.

The program stands by itself. It is made of the operation table's own code, so what it
computes is what gradstep computes, in the same order.
"""

from __future__ import annotations

import builtins
import keyword
import math
import pprint
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.errors import CommandError, LimitError
from ..base.progress import with_progress
from ..base.text import clean
from ..engine.backward import broadcast_axes
from ..engine.graph import Edge, Graph, Node, NodeKind, Site
from ..scenario.toml import Mistakes
from ..scenario.values import Setting, fans, read
from ..words.formulas import code_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..base.progress import Progress
    from ..engine.run import Run
    from ..engine.subject import Subject
    from ..ops.table import Array, Shape

_LONGEST_LITERAL: Final = 20_000  # elements of one array, written as a list
_SHORT: Final = 20  # elements that are written as a list, even where there is a recipe
_WIDTH: Final = 88
# Names that the code of an operation uses.
_TAKEN: Final = frozenset({"np", "math", "inf", "nan", *keyword.kwlist, *dir(builtins)})
_NO_NAME: Final = re.compile(r"\W+")
_PLAIN_DTYPES: Final = ("float64", "int64", "bool")


def numpy_code(
    subject: Subject, run: Run, samples: str = "", progress: Progress | None = None
) -> str:
    """Return a Python program that computes `run` with NumPy alone, and prints it.

    It prints the output and the gradient of every node. Large arrays are made by the
    recipe of their file, where there is one. `samples` says which ones it is about,
    where these are not all. `progress` is told of the nodes of each pass. Raises
    `LimitError` for a large array without a recipe, and `CommandError` for a run whose
    gradients are patched.
    """
    _refuse_patches(run)
    _refuse_recorded(run.graph)
    code = _Code(run, _identifiers(run.graph))
    body = [
        *_section("Data"),
        *_data(subject, code),
        *_section("Forward"),
        *_forward(code, progress),
        *_section("Backward"),
        *_backward(code, progress),
        *_section("Results"),
        *_results(code),
    ]
    return "\n".join([*_head(subject, samples, body), *body]) + "\n"


def _refuse_patches(run: Run) -> None:
    if run.patches.bend_the_chain_rule:
        raise CommandError(
            "the gradients of this run are patched, which no NumPy code would do",
            "runs lists the others, and undo goes back",
        )


def _refuse_recorded(graph: Graph) -> None:
    names = sorted({op.name for op in graph.ops if op.recorded})
    if names:
        raise CommandError(
            f"nobody here can compute {', '.join(names)}, and no NumPy code could",
            "export it as a scenario, where its result is an input",
        )


def _head(subject: Subject, samples: str, body: Sequence[str]) -> list[str]:
    used = set(re.findall(r"\w+", "\n".join(body)))
    special = [name for name in ("inf", "nan") if name in used]
    lines = [f"# {_one_line(subject.title)}"]
    lines += ["#", "# Forward and backward pass, one line for each step."]
    lines += [f"# Of {samples}."] if samples else []
    lines += ["", "import math"] if "math" in used else []
    lines += ["", f"from math import {', '.join(special)}"] if special else []
    lines += ["", "import numpy as np", ""]
    lines += ["# Overflow and division by zero give inf and nan, and go on."]
    return [*lines, 'np.seterr(all="ignore")']


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


def _section(title: str) -> list[str]:
    return ["", f"# ---- {title}", ""]


# ------------------------------------------------------------------------- the names


def _identifiers(graph: Graph) -> list[str]:
    """Return one name for each node that is a name in Python, and no other's."""
    taken = set(_TAKEN)
    names: list[str] = []
    for node in graph.nodes:
        if node.is_literal:
            names.append("")
            continue
        plain = unicodedata.normalize("NFKC", node.name).replace("._", "_")
        base = name = _NO_NAME.sub("_", plain)
        number = 2
        while {name, f"{name}_grad"} & taken:
            name, number = f"{base}_{number}", number + 1
        taken |= {name, f"{name}_grad"}
        names.append(name)
    return names


@dataclass(frozen=True, slots=True)
class _Code:
    """A run, and how its nodes are called in the program."""

    run: Run
    names: Sequence[str]

    def name(self, index: int) -> str:
        """Return the name of a node; a literal is written where it is used."""
        node = self.run.graph.nodes[index]
        if not node.is_literal:
            return self.names[index]
        number = _number(self.run.values[index])
        return f"({number})" if number.startswith("-") else number

    def gradient(self, index: int) -> str:
        """Return the name of a node's gradient."""
        return f"{self.names[index]}_grad"

    def filled(self, node: Node, template: str, **more: str) -> str:
        """Return a template of the node's row as code."""
        operands = [self.name(index) for index in node.operands]
        return code_text(template, node, operands, y=self.names[node.index], **more)


# -------------------------------------------------------------------------- the data


def _data(subject: Subject, code: _Code) -> Iterator[str]:
    kind: NodeKind | None = None
    for node in code.run.graph.nodes:
        if node.op is not None or node.is_literal:
            continue
        if node.kind != kind:
            kind = node.kind
            yield f"# {kind}s"
        value = code.run.value(node.index)
        text = ""
        if value.size > _SHORT:
            text = _recipe(subject, node, value)
        yield f"{code.names[node.index]} = {text or _literal(node.name, value)}"


def _recipe(subject: Subject, node: Node, value: Array) -> str:
    """Return how the subject's file makes `value`, if it does, or nothing."""
    table = subject.recipes.get(node.index)
    if table is None:
        return ""
    setting = Setting(
        np.dtype(subject.dtype), subject.convention, keep=node.kind == "constant"
    )
    made = read(table, (node.name,), Mistakes("", ""), setting)
    if made is None or made.dtype != value.dtype or not np.array_equal(made, value):
        return ""
    return _draw(table, made, subject.convention)


def _draw(table: Mapping[str, Any], made: Array, convention: str) -> str:
    """Return the recipe of a random array, as `core.values` documents it."""
    shape = made.shape
    rng = f"np.random.default_rng({table['seed']})"
    inner, outer = fans(shape, convention)
    normal, uniform = f"{rng}.standard_normal({shape})", f"{rng}.random({shape})"
    high, low = float(table.get("high", 1)), float(table.get("low", 0))
    loc, scale = float(table.get("loc", 0)), float(table.get("scale", 1))
    limit = math.sqrt(6 / (inner + outer))
    texts = {
        "normal": f"{normal} * {scale!r} + {loc!r}",
        "uniform": f"{uniform} * {high - low!r} + {low!r}",
        "integers": f"{rng}.integers({table.get('low', 0)}, {table.get('high')}, "
        f"{shape})",
        "choice": f"np.array({table.get('of')})[{rng}.integers(0, "
        f"{len(table.get('of', ()))}, {shape})]",
        "glorot": f"{uniform} * {limit + limit!r} + {-limit!r}",
        "he": f"{normal} * {math.sqrt(2 / inner)!r} + 0.0",
    }
    text = texts[table["random"]]
    if made.dtype == np.float64 and table["random"] not in {"integers", "choice"}:
        return text
    return f"np.asarray({text}, np.{made.dtype})"


def _literal(name: str, value: Array) -> str:
    dtype = value.dtype
    if not value.shape:
        scalar = "bool_" if dtype.kind == "b" else dtype.name
        return f"np.{scalar}({_number(value[()])})"
    suffix = "" if dtype.name in _PLAIN_DTYPES else f", np.{dtype}"
    if not value.size:
        return f"np.zeros({value.shape}, np.{dtype})"
    first = value.flat[0]
    # By bits, for 0 and −0 are equal; what is the same everywhere is written once.
    if value.size > _SHORT and np.all(value == first) and not np.any(np.signbit(value)):
        return f"np.full({value.shape}, {_number(first)}{suffix})"
    if value.size > _LONGEST_LITERAL:
        raise LimitError(
            f"{name} has {value.size:,} numbers, and {_LONGEST_LITERAL:,} can be "
            "written into a program",
            "a scenario that draws them, { random = …, seed = … }, has no limit",
        )
    listed = pprint.pformat(value.tolist(), width=_WIDTH - 10, compact=True)
    return f"np.array({_indented(listed)}{suffix})"


def _indented(text: str) -> str:
    if "\n" not in text:
        return text
    return "\n    " + text.replace("\n", "\n    ") + "\n"


def _number(value: Any) -> str:
    """Return a number with all of its digits.

    >>> _number(np.float32(0.1)), _number(-np.inf), _number(3)
    ('0.10000000149011612', '-inf', '3')
    """
    return repr(np.asarray(value).item())


# ------------------------------------------------------------------------ the passes


def _forward(code: _Code, progress: Progress | None) -> Iterator[str]:
    run, site = code.run, None
    for node in with_progress(run.graph.nodes, progress):
        if node.op is None:
            continue
        yield from _lines(run.graph, node, site)
        site = node.site
        name = code.names[node.index]
        if node.index in run.patches.values:
            value = _literal(node.name, run.value(node.index))
            yield f"{name} = {value}  # set by hand"
            continue
        yield f"{name} = {code.filled(node, run.graph.worded(node).code)}"


def _lines(graph: Graph, node: Node, before: Site | None) -> Iterator[str]:
    """Return the lines of the program that begin with a node, the outermost first."""
    known = {statement.index for _, statement, _ in graph.around(before)}
    for _, statement, frame in reversed([*graph.around(node.site)]):
        if statement.index not in known:
            yield f"# {'  ' * frame.depth}{_one_line(statement.text)}"


def _backward(code: _Code, progress: Progress | None) -> Iterator[str]:
    run, graph = code.run, code.run.graph
    output, site = graph.output, None
    seed = _literal("the seed", np.asarray(run.seed))
    yield f"{code.gradient(output)} = {seed}"
    started = {output}
    for index in with_progress(range(output, -1, -1), progress):
        node = graph.nodes[index]
        for argument, operand in enumerate(node.operands):
            if not run.carries(index, argument):
                continue
            yield from _lines(graph, node, site)
            site = node.site
            adds = _contribution(code, node, Edge(index, argument, operand))
            name = code.gradient(operand)
            # `a = a + b`, for `+=` could write into an array that something else sees.
            sum_of = f"{name} + {adds}" if operand in started else adds
            yield f"{name} = {sum_of}"
            started.add(operand)


def _contribution(code: _Code, node: Node, edge: Edge) -> str:
    """Return what an edge adds: of its operand's shape and dtype."""
    graph = code.run.graph
    op, shape = graph.worded(node), graph.nodes[edge.operand].shape
    form = op.form(edge.argument)
    if form is None:
        raise TypeError(f"no gradient flows to operand {edge.argument} of {node.name}")
    text = code.filled(
        node, form.code, g=code.gradient(node.index), argument=str(edge.argument)
    )
    if op.kind == "elementwise" and node.shape != shape:
        text = _summed(text, node.shape, shape)
    dtype = code.run.value(edge.operand).dtype
    return text if dtype == np.float64 else f"np.asarray({text}, np.{dtype})"


def _summed(text: str, wide: Shape, narrow: Shape) -> str:
    """Return code that sums over the axes along which an operand was repeated."""
    axes = broadcast_axes(wide, narrow)
    if len(wide) - len(narrow) == len(axes):
        return f"np.sum({text}, axis={axes})"
    summed = f"np.sum({text}, axis={axes}, keepdims=True)"
    return summed if len(wide) == len(narrow) else f"np.reshape({summed}, {narrow})"


# ----------------------------------------------------------------------- the results


def _results(code: _Code) -> Iterator[str]:
    graph = code.run.graph
    yield "# All digits of all numbers."
    yield "np.set_printoptions(floatmode='unique', threshold=10**9)"
    output = graph.nodes[graph.output]
    yield f"print({f'{output.name} ='!r}, {code.name(output.index)})"
    for node in graph.nodes:
        if code.run.arrives(node.index) and not node.is_literal:
            yield f"print({f'{node.name}.grad ='!r}, {code.gradient(node.index)})"

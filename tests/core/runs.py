"""Runs to test with: of a program's text, and of programs drawn by hypothesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from gradstep.core.engine.patches import NO_PATCHES, Patches
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.program.build import Leaf, Program, build

if TYPE_CHECKING:
    from gradstep.core.ops.table import Op


def program_of(text: str, dtype: Any = np.float64, **leaves: Any) -> Program:
    """Read a program. Leaves are inputs; capital letters are constants."""
    given = {
        name: Leaf(
            "constant" if name.isupper() else "input",
            np.asarray(
                value, dtype=np.asarray(value).dtype if name.isupper() else dtype
            ),
        )
        for name, value in leaves.items()
    }
    return build(text, given, dtype=dtype)


def run_of(
    text: str,
    dtype: Any = np.float64,
    seed: Any = None,
    patches: Patches = NO_PATCHES,
    **leaves: Any,
) -> Run:
    """Read and evaluate a program."""
    program = program_of(text, dtype, **leaves)
    return evaluate(program.graph, program.leaves, seed, patches)


def number(run: Run, name: str) -> int:
    """Return the number of a node."""
    return run.graph.node(name).index


def edge(run: Run, consumer: str, operand: str, use: int = 0) -> tuple[int, int]:
    """Return an edge as patches name it: consumer and argument number."""
    node = run.graph.node(consumer)
    uses = [k for k, n in enumerate(node.operands) if n == number(run, operand)]
    return node.index, uses[use]


def op_of(run: Run, name: str) -> Op:
    """Return the operation of a node."""
    op = run.graph.node(name).op
    assert op is not None
    return op


def contribution(run: Run, consumer: int, argument: int) -> np.ndarray:
    """Return what an edge adds."""
    upstream = run.upstream(consumer, argument)
    assert upstream is not None
    return np.asarray(run.contribution(consumer, argument, upstream))


def leaf_values(shape: tuple[int, ...], salt: int) -> np.ndarray:
    """Return numbers of a shape, none of them near a corner of an operation."""
    random = np.random.default_rng(salt)
    return random.uniform(0.2, 1.5, shape) * random.choice([-1.0, 1.0], shape)


_BINARY = (
    "{a} + {b}",
    "{a} - {b}",
    "{a} * {b}",
    "{a} * {a}",
    "maximum({a}, 0.3 * {b})",
)
_UNARY = (
    "tanh({a})",
    "sigmoid({a})",
    "relu({a})",
    "-{a}",
    "sum({a} * b, axis=-1, keepdims=True)",
    "exp(sin({a}))",
    "(w @ (a + {a}).T).T @ w",
)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a small program over a (2, 3), b (3,), c () and w (3, 3)."""
    names = ["a", "b", "c"]
    lines: list[str] = []
    for count in range(draw(st.integers(1, 6))):
        template = draw(st.sampled_from(_BINARY + _UNARY))
        # The latest are used more often, so that programs become deep.
        latest = st.sampled_from(names[-2:])
        one, two = draw(latest), draw(st.sampled_from(names))
        text = template.replace("{a}", one).replace("{b}", two)
        lines.append(f"v{count} = {text}")
        names.append(f"v{count}")
    lines.append(f"E = sum(tanh({names[-1]}) * a)")
    salt = draw(st.integers(0, 2**16))
    return program_of(
        "\n".join(lines),
        a=leaf_values((2, 3), salt),
        b=leaf_values((3,), salt + 1),
        c=leaf_values((), salt + 2),
        w=leaf_values((3, 3), salt + 3),
    )


@st.composite
def patched(draw: st.DrawFn, run: Run) -> Patches:
    """Draw patches of all kinds for a run."""
    edges = [
        (node.index, argument)
        for node in run.graph
        for argument in range(len(node.operands))
        if run.carries(node.index, argument)
    ]
    floats = [n.index for n in run.graph if run.gradients[n.index] is not None]
    several = st.lists(st.sampled_from(edges), max_size=2)
    set_values = draw(st.lists(st.sampled_from(floats), max_size=2))
    set_gradients = draw(st.lists(st.sampled_from(floats), max_size=2))
    return Patches(
        values={n: run.value(n) + 0.25 for n in set_values},
        gradients={n: np.full_like(run.value(n), 0.5) for n in set_gradients},
        cuts=frozenset(draw(several)),
        rules={
            (consumer, argument): times(
                0.5, op_of(run, run.graph.nodes[consumer].name), argument
            )
            for consumer, argument in draw(several)
        },
        overwrites=frozenset(draw(several)),
        in_place=frozenset(draw(several)),
    )


def times(factor: float, op: Op, argument: int) -> Any:
    """Return the rule of an operation, wrong by a factor."""
    rule = op.vjp(argument)
    assert rule is not None

    def wrong(*arrays: Any, **attributes: Any) -> Any:
        return factor * rule(*arrays, **attributes)

    return wrong

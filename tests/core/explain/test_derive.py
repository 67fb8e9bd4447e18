"""Derivations by shapes and indices, and every path."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.base.errors import CommandError, Interrupted
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.explain.derive import derivations, paths
from runs import edge, number, programs, run_of
from sessions import close, said, session


def reasons(run: Run, name: str, argument: int) -> dict[str, str]:
    [found] = [
        d for d in derivations(run, run.graph.node(name)) if d.argument == argument
    ]
    return {reason.label: reason.text for reason in found.reasons}


def product(m: int, n: int, k: int) -> Run:
    return run_of("y = a @ b\nE = sum(y)", a=np.ones((m, n)), b=np.ones((n, k)))


def test_a_matrix_product_says_why_it_is_transposed() -> None:
    left, right = (reasons(product(4, 3, 2), "y", k) for k in (0, 1))
    assert left["as matrices"] == "∂L/∂a = ∂L/∂y · bᵀ"
    assert right["as matrices"] == "∂L/∂b = aᵀ · ∂L/∂y"
    assert left["by shapes"] == "(4, 2) @ (2, 3) → (4, 3) = a ✓"
    assert right["by shapes"] == "(3, 4) @ (4, 2) → (3, 2) = b ✓"
    assert "differ" in left["without it"]
    assert left["so"] == "∂L/∂a[i,j] = Σ_k ∂L/∂y[i,k] · b[j,k]"


def test_square_matrices_fit_without_the_transpose_and_are_wrong() -> None:
    run = run_of("y = a @ b\nE = sum(y)", a=[[1.0, 2], [3, 4]], b=[[5.0, 6], [7, 8]])
    assert "would be wrong" in reasons(run, "y", 0)["without it"]


@pytest.mark.parametrize("matrix", [[[2.0, 1.0], [1.0, 2.0]], [[3.0]]])
def test_a_symmetric_matrix_needs_no_transpose(matrix: list[list[float]]) -> None:
    """The numbers would not be wrong without it, and nobody may say so."""
    run = run_of("y = a @ b\nE = sum(y * y)", a=np.ones((3, len(matrix))), b=matrix)
    told = reasons(run, "y", 0)["without it"]
    assert told.endswith("and here the numbers, too: b is its own transpose")
    np.testing.assert_array_equal(
        run.gradient(number(run, "a")),
        run.gradient(number(run, "y")) @ run.value(number(run, "b")),
    )


def test_a_transpose_of_three_axes_has_three_indices() -> None:
    run = run_of("y = x.T\nE = sum(y * y)", x=np.ones((2, 3, 4)))
    assert (
        reasons(run, "y", 0)["one element"] == "x[i,j,k] is y[k,j,i], and nothing else"
    )


def test_of_a_matrix_whose_diagonal_is_used_the_rest_has_no_gradient() -> None:
    run = run_of("y = einsum('ii->i', x)\nE = sum(y * y)", x=[[1.0, 2.0], [3.0, 4.0]])
    told = reasons(run, "y", 0)["off the diagonal"]
    assert told == "no other element of x is in a product: its gradient is 0"
    np.testing.assert_array_equal(run.gradient(number(run, "x")), [[2, 0], [0, 8]])


def test_a_sum_of_routes_has_brackets() -> None:
    run = run_of("y = x * x.T\nE = sum(y)", x=np.ones((2, 1)))
    found = derivations(run, run.graph.node("y"))
    [told] = [one.text for d in found for one in d.reasons if one.label == "in all"]
    assert told.endswith(
        "∂L/∂x = (what comes through y, summed over axis 1) + (∂L/∂(x.T))ᵀ"
    )


def test_a_broadcast_bias_says_why_it_is_summed() -> None:
    run = run_of("y = x + b\nE = sum(y)", x=np.ones((3, 2)), b=np.zeros(2))
    found = reasons(run, "y", 1)
    assert found["by shapes"] == "(3, 2) summed over axis 0 → (2,)"
    assert "used 3 times" in found["one element"]


def test_what_has_no_transposes_says_so() -> None:
    run = run_of("y = tanh(x)\nE = sum(y)", x=[1.0])
    with pytest.raises(CommandError, match="nothing of y that `transposes` explains"):
        derivations(run, run.graph.node("y"))


def turned(array: Any) -> Any:
    return np.swapaxes(array, -1, -2) if np.ndim(array) > 1 else array


def computed(formula: str, **names: Any) -> Any:
    """Compute a formula as it reads: ᵀ turns, · multiplies matrices or by a number."""
    summed = re.search(r", summed over ax[ie]s ([\d, ]+)$", formula)
    axes = tuple(map(int, summed[1].split(","))) if summed else ()
    text = formula[: summed.start()] if summed else formula
    sides: list[Any] = []
    outer = re.fullmatch(r"outer\((.+), (.+)\)", text)
    for side in outer.groups() if outer else text.split(" · "):
        name = side.removesuffix("ᵀ").strip("()").replace("∂L/∂y", "g")
        array = names[name]
        sides.append(turned(array) if side.endswith("ᵀ") else array)
    one, two = sides
    if outer:
        return np.multiply.outer(one, two)
    made = one * two if () in (np.shape(one), np.shape(two)) else one @ two
    return np.sum(made, axis=axes) if axes else made


@pytest.mark.parametrize(
    ("program", "a", "b"),
    [
        ("a @ b", (4, 3), (3, 2)),
        ("a @ b", (4, 3), (3,)),
        ("a @ b", (3,), (3, 2)),
        ("a @ b", (3,), (3,)),
        ("dot(a, b)", (3,), (3,)),
        ("outer(a, b)", (4,), (3,)),
        ("a @ b", (5, 4, 3), (5, 3, 2)),
        ("a @ b", (5, 4, 3), (3, 2)),
        ("a @ b", (4, 3), (5, 3, 2)),
        ("a @ b", (2, 5, 4, 3), (5, 3, 2)),
        ("einsum('ij,jk->ik', a, b)", (4, 3), (3, 2)),
        ("einsum('ij,kj->ik', a, b)", (4, 3), (2, 3)),
        ("einsum('ji,jk->ik', a, b)", (3, 4), (3, 2)),
        ("einsum('bij,bjk->bik', a, b)", (5, 4, 3), (5, 3, 2)),
        ("einsum('bij,jk->bik', a, b)", (5, 4, 3), (3, 2)),
        ("einsum('i,ij->j', a, b)", (3,), (3, 2)),
    ],
)
def test_a_product_reads_as_its_gradient_is(program: str, a: Any, b: Any) -> None:
    rng = np.random.default_rng(1)
    values: dict[str, Any] = {"a": rng.normal(size=a), "b": rng.normal(size=b)}
    shape = np.shape(run_of(f"y = {program}\nE = sum(y)", **values).value(2))
    weights = np.asarray(rng.normal(size=shape))
    run = run_of(f"y = {program}\nE = sum(y * k)", **values, k=weights)
    upstream = np.asarray(run.gradient(number(run, "y")))
    for one in derivations(run, run.graph.node("y")):
        told = {reason.label: reason.text for reason in one.reasons}
        _, _, formula = told["as matrices"].partition(" = ")
        name = "ab"[one.argument]
        gradient = run.gradient(number(run, name))
        close(computed(formula, g=upstream, **values), gradient)
        assert told["by shapes"].endswith(f" → {values[name].shape} = {name} ✓")
        assert "nothing" not in told["one element"]


def test_what_is_no_product_of_matrices_goes_by_its_labels() -> None:
    run = run_of("y = a @ b\nE = sum(y)", a=np.ones((5, 4, 3)), b=np.ones(3))
    left, right = (reasons(run, "y", k) for k in (0, 1))
    assert left["as matrices"] == "∂L/∂a = outer(∂L/∂y, b)"
    assert left["by shapes"] == "(5, 4) outer (3,) → (5, 4, 3) = a ✓"
    assert right["by shapes"] == "[a,i] (5, 4), [a,i,j] (5, 4, 3) → [j] (3,) = b ✓"
    run = run_of(
        "y = einsum('i,ij,j->', a, b, c)\nE = y",
        a=np.ones(2),
        b=np.ones((2, 3)),
        c=np.ones(3),
    )
    assert (
        reasons(run, "y", 1)["by shapes"]
        == "(), [i] (2,), [j] (3,) → [i,j] (2, 3) = b ✓"
    )


def test_an_operand_that_is_used_twice_has_the_sum_of_both() -> None:
    run = run_of("y = a @ a\nE = sum(y)", a=np.ones((2, 2)))
    one, two = derivations(run, run.graph.node("y"))
    assert {reason.label for reason in one.reasons}.isdisjoint({"in all"})
    assert two.reasons[-1].text == (
        "a is used 2 times: ∂L/∂a = ∂L/∂y · aᵀ + aᵀ · ∂L/∂y"
    )


def test_a_transpose_in_a_product_is_gone_through() -> None:
    values: dict[str, Any] = {
        "a": np.arange(6.0).reshape(3, 2),
        "b": np.arange(12.0).reshape(3, 4),
    }
    run = run_of("y = a.T @ b\nE = sum(y * y)", **values)
    found = {
        run.graph.nodes[run.graph.nodes[d.node].operands[d.argument]].name: d
        for d in derivations(run, run.graph.node("y"))
    }
    assert set(found) == {"y._1", "b", "a"}
    assert found["a"].gives == "b · (∂L/∂y)ᵀ"
    upstream = run.gradient(number(run, "y"))
    made = computed(found["a"].gives, g=upstream, **values)
    close(made, run.gradient(number(run, "a")))
    assert found["a"].reasons[1].text == "∂L/∂a = (∂L/∂(a.T))ᵀ"


@given(program=programs(), data=st.data())
def test_all_paths_sum_to_the_gradient(program: Any, data: Any) -> None:
    run = evaluate(program.graph, program.leaves)
    leaf = data.draw(st.sampled_from([n for n in run.graph if n.op is None]))
    gradient = run.gradient(leaf.index)
    if gradient is None or leaf.kind == "constant":
        return
    index = tuple(data.draw(st.integers(0, size - 1)) for size in leaf.shape)
    try:
        found = paths(run, leaf.index, index)
    except CommandError:  # more paths than a person can read
        return
    size = sum(abs(path.product) for path in found) + 1e-12
    assert abs(sum(path.product for path in found) - gradient[index]) < 1e-9 * size
    for path in found:
        assert path.steps[-1].node == run.graph.output
        close(np.prod([s.local for s in path.steps]) * path.seed, path.product)


def test_a_node_used_twice_has_two_paths() -> None:
    run = run_of("y = x * x\nE = y + x", x=3.0)
    found = paths(run, number(run, "x"), ())
    assert sorted(path.product for path in found) == [1, 3, 3]


def test_too_many_paths_are_refused_and_so_are_wrong_runs() -> None:
    text = "v0 = x + x\n" + "".join(
        f"v{n} = v{n - 1} + v{n - 1}\n" for n in range(1, 40)
    )
    run = run_of(text + "E = v39", x=1.0)
    with pytest.raises(CommandError, match="more than 1000 paths"):
        paths(run, number(run, "x"), ())
    wide = run_of("y = broadcast_to(x, (100001,))\nE = sum(y[[0, 1]])", x=1.0)
    with pytest.raises(CommandError, match="more than 100000 links"):
        paths(wide, number(wide, "x"), ())  # there are but two paths
    wrong = run_of("y = x * x\nE = y", x=3.0)
    patches = Patches(overwrites=frozenset({edge(wrong, "y", "x", 1)}))
    with pytest.raises(CommandError, match="true chain rule"):
        paths(wrong.patched(patches), number(wrong, "x"), ())


def test_paths_can_be_given_up() -> None:
    run = run_of("y = x * x\nE = y * x", x=3.0)

    def progress(_done: int, of: int) -> None:
        assert of > 2
        raise Interrupted

    with pytest.raises(Interrupted):
        paths(run, number(run, "x"), (), progress)


def test_a_leaf_stands_for_its_uses_and_a_result_for_its_statement() -> None:
    run = run_of("y = x @ W + b\nE = sum(y)", x=np.ones((4, 3)), W=np.ones((3, 2)), b=1)
    y, inner = number(run, "y"), number(run, "y._1")
    of_leaf = derivations(run, run.graph.node("b"))
    assert [(d.node, d.argument) for d in of_leaf] == [(y, 1)]
    of_leaf = derivations(run, run.graph.node("x"))
    assert [(d.node, d.argument) for d in of_leaf] == [(inner, 0)]
    of_result = derivations(run, run.graph.node("y"))
    found = {(d.node, d.argument) for d in of_result}
    assert found == {(y, 1), (inner, 0)}  # W is a constant here, by its capital


def test_paths_come_largest_first_and_so_many_as_are_asked_for() -> None:
    debugger = session()
    reply = said(debugger, "paths c")
    products = [path["product"] for path in reply.data["paths"]]
    assert products == sorted(products, key=abs, reverse=True)
    assert len(products) == 8  # none is left over
    assert len(reply.text) == 8 + 1
    shown, rest, total = said(debugger, "paths -1 c").text
    assert "along c → " in shown
    assert rest.endswith(f" = the sum of {len(products) - 1} more paths")
    assert total.endswith(f" = the sum of {len(products)} paths")
    sums = [row[0] for row in said(debugger, "paths -1 c").show.rows]
    close(sums[0] + sums[1], sums[2], 1e-9)


def test_a_path_is_multiplied_in_the_order_of_the_pass() -> None:
    # 1e-300 · 1e200 · 1e200, where 1e200 · 1e200 alone is too large.
    run = run_of("E = x * 1e200 * 1e200 * 1e-300", x=1.0)
    [path] = paths(run, number(run, "x"), ())
    assert path.product == pytest.approx(1e100, rel=1e-12)


def test_an_index_that_only_the_others_have_is_summed_in_the_factor() -> None:
    run = run_of("E = einsum('ij,kj->', a, d)", a=np.ones((2, 3)), d=np.ones((4, 3)))
    (of_a, _) = derivations(run, run.graph.node("E"))
    assert "its factor there is Σ_k d[k,j]" in of_a.reasons[1].text


def test_a_diagonal_is_no_product_of_matrices() -> None:
    run = run_of("y = einsum('ii,i->i', d, u)\nE = sum(y)", d=np.eye(3), u=np.ones(3))
    for one in derivations(run, run.graph.node("y")):
        assert "as matrices" not in {reason.label for reason in one.reasons}

"""Every row of the operation table, held to the same laws."""

from __future__ import annotations

import re
import string
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cases import CORNERS, EXAMPLES, every_op, run_of_case
from gradstep.core import ops
from gradstep.core.engine.backward import reduce_to
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.run import evaluate
from gradstep.core.ops import ALIASES, MODULES, OPS, find
from ops_examples import Case, Corner, Misfit
from runs import number, run_of
from written import run_code, run_statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.core.ops.table import Op

STEP = 1e-6

drawn = settings(max_examples=25, deadline=None)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


# ------------------------------------------------------------------------ helpers


def frozen(case: Case) -> Case:
    """Return the case with arrays that no rule can write into."""
    operands = tuple(np.array(operand) for operand in case.operands)
    for operand in operands:
        operand.setflags(write=False)
    return Case(operands, case.attributes)


def forward(op: Op, case: Case) -> np.ndarray:
    value = np.asarray(op.forward(*case.operands, **case.attributes))
    value.setflags(write=False)
    return value


def differentiable(op: Op, case: Case) -> list[int]:
    return [
        argument
        for argument, operand in enumerate(case.operands)
        if np.asarray(operand).dtype.kind == "f" and op.vjp(argument) is not None
    ]


def contribution(op: Op, case: Case, argument: int, g: Any, y: Any) -> np.ndarray:
    """Return what the engine would add: the rule's product, reduced."""
    rule = op.vjp(argument)
    assert rule is not None
    product = np.asarray(rule(g, y, *case.operands, **case.attributes))
    shape = np.shape(case.operands[argument])
    if op.kind == "elementwise":
        assert product.shape == y.shape
        return np.asarray(reduce_to(product, shape))
    assert product.shape == shape
    return product


def moved(case: Case, argument: int, change: Any) -> Case:
    operands = list(case.operands)
    operands[argument] = operands[argument] + change
    return Case(tuple(operands), case.attributes)


def directions(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    arrays = [generator.uniform(-1, 1, shape) for shape in shapes]
    for array in arrays:
        array.setflags(write=False)
    return arrays


def same(one: float, other: float, terms: Any, tolerance: float, what: str) -> None:
    """Compare two sums of `terms`, with a tolerance relative to their sizes."""
    allowed = tolerance * (float(np.sum(np.abs(terms))) + 1e-3)
    if not abs(one - other) <= allowed:
        pytest.fail(f"{what}: {one!r} by the rule, {other!r} by the reference")


def assert_gradient(op: Op, case: Case, seed: int) -> None:
    """Compare each vjp with central differences, and with a complex step."""
    y = forward(op, case)
    for argument in differentiable(op, case):
        g, v = directions(seed, y.shape, np.shape(case.operands[argument]))
        by_rule = contribution(op, case, argument, g, y) * v
        what = f"gradient of {op.name} by operand {argument}"
        ahead = forward(op, moved(case, argument, STEP * v))
        behind = forward(op, moved(case, argument, -STEP * v))
        central = float(np.sum(g * (ahead - behind)) / (2 * STEP))
        terms = np.append(by_rule, 1e-3 * g * y)
        same(float(np.sum(by_rule)), central, terms, 1e-6, what)
        if op.analytic:
            aside = np.imag(forward(op, moved(case, argument, 1e-30j * v))) / 1e-30
            same(float(np.sum(by_rule)), float(np.sum(g * aside)), terms, 1e-11, what)


# --------------------------------------------------------------------- the table


def test_every_operation_has_an_example() -> None:
    assert set(OPS) == set(EXAMPLES)


@pytest.mark.parametrize("module", MODULES)
def test_the_table_names_the_rows_of_a_module(module: str) -> None:
    rows = import_module(f"gradstep.core.ops.{module}").ROWS
    assert [row.name for row in rows] == MODULES[module].split()


def test_the_table_names_every_module_with_rows() -> None:
    found = (
        module.name.removeprefix(f"{ops.__name__}.")
        for module in walk_packages(ops.__path__, f"{ops.__name__}.")
        if hasattr(import_module(module.name), "ROWS")
    )
    assert set(found) == set(MODULES)


def test_a_row_is_equal_to_itself_alone() -> None:
    row = OPS["add"]
    other = row._replace()
    assert row == row  # noqa: PLR0124  # what is asked here
    assert row != other
    assert len({row, other}) == 2


def test_names_are_unique() -> None:
    rows = [*OPS, *ALIASES]
    assert len(rows) == len(set(rows))
    assert all(find(alias) is OPS[name] for alias, name in ALIASES.items())
    assert find("nothing") is None


@every_op
def test_row_is_complete(name: str) -> None:
    op = OPS[name]
    columns = 1 if op.variadic else len(op.operands)
    assert len(op.vjps) == len(op.jvps) == len(op.forms) == columns
    for vjp, jvp, form in zip(op.vjps, op.jvps, op.forms, strict=True):
        assert (vjp is None) == (jvp is None) == (form is None)
    assert op.summary.endswith(".")
    for parameter in op.parameters:
        if parameter.default.__class__ is not object:
            assert parameter.check(parameter.default) == ""
        assert parameter.check(object()) or parameter.check.__name__ == "anything"


@every_op
def test_templates_know_their_names(name: str) -> None:
    op = OPS[name]
    known = {"y", *op.operands, *(p.name for p in op.parameters)}
    if op.variadic:
        known.add("argument")
    texts = [(op.symbol, known - {"y"}), (op.code, known - {"y"})]
    for form in filter(None, op.forms):
        words = (form.local, form.product, form.code, form.why)
        texts += [(text, known | {"g"}) for text in words]
        texts.append((form.statement, known | {"g", "into"}))
    for text, allowed in texts:
        used = {field for _, field, _, _ in string.Formatter().parse(text) if field}
        assert used <= allowed, text


# --------------------------------------------------------------------- the rules


@every_op
@given(data=st.data())
@drawn
def test_forward_is_the_reference(name: str, data: st.DataObject) -> None:
    op, example = OPS[name], EXAMPLES[name]
    case = frozen(data.draw(example.cases))
    y = forward(op, case)
    expected = np.asarray(example.reference(*case.operands, **case.attributes))
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-13)
    shapes = [np.shape(operand) for operand in case.operands]
    assert op.shape(*shapes, **case.attributes) == y.shape


@every_op
@given(data=st.data(), dtype=st.sampled_from([np.float32, np.float16]))
@drawn
def test_dtype_is_kept(name: str, data: st.DataObject, dtype: type) -> None:
    op = OPS[name]
    wide = frozen(data.draw(EXAMPLES[name].cases))
    case = Case(
        tuple(
            operand.astype(dtype) if operand.dtype.kind == "f" else operand
            for operand in wide.operands
        ),
        wide.attributes,
    )
    y, exact = forward(op, case), forward(op, wide)
    if exact.dtype.kind != "f" or not differentiable(op, wide):
        return
    assert y.dtype == dtype
    for argument in differentiable(op, case):
        made = run_of_case(name, case, argument).gradient(argument)
        assert made is not None
        assert made.dtype == dtype


@every_op
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@drawn
def test_vjp_is_the_adjoint_of_jvp(name: str, data: st.DataObject, seed: int) -> None:
    op = OPS[name]
    case = frozen(data.draw(EXAMPLES[name].cases))
    y = forward(op, case)
    for argument in differentiable(op, case):
        g, t = directions(seed, y.shape, np.shape(case.operands[argument]))
        jvp = op.jvp(argument)
        assert jvp is not None
        change = np.asarray(jvp(t, y, *case.operands, **case.attributes))
        assert change.shape == y.shape
        back = contribution(op, case, argument, g, y) * t
        same(
            float(np.sum(back)),
            float(np.sum(g * change)),
            back,
            1e-11,
            f"adjoint {name}",
        )


@every_op
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@drawn
def test_vjp_is_the_derivative(name: str, data: st.DataObject, seed: int) -> None:
    assert_gradient(OPS[name], frozen(data.draw(EXAMPLES[name].cases)), seed)


@every_op
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=3, deadline=None)
def test_wrong_rule_is_caught(name: str, data: st.DataObject, seed: int) -> None:
    """A rule that is wrong by 0.1 % fails the check, which shows both numbers."""
    op, example = OPS[name], EXAMPLES[name]
    if example.flat or not any(op.vjps):
        return
    case = frozen(data.draw(example.cases))
    y = forward(op, case)
    assume(differentiable(op, case))
    argument = differentiable(op, case)[0]
    g, v = directions(seed, y.shape, np.shape(case.operands[argument]))
    terms = contribution(op, case, argument, g, y) * v
    right = float(np.sum(terms))
    size = float(np.sum(np.abs(terms)) + np.sum(np.abs(1e-3 * g * y)))
    assume(abs(right) > 0.01 * size and abs(right) > 1e-3)
    wrong = op._replace(vjps=tuple(map(off_by_a_thousandth, op.vjps)))
    with pytest.raises(pytest.fail.Exception) as failure:
        assert_gradient(wrong, case, seed)
    numbers = re.findall(r"(\S+) by the", str(failure.value))
    assert float(numbers[0]) == pytest.approx(1.001 * right)
    assert float(numbers[1]) == pytest.approx(right, rel=1e-4)


def off_by_a_thousandth(rule: Any) -> Any:
    return rule and (lambda *arrays, **others: 1.001 * rule(*arrays, **others))


@every_op
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@drawn
def test_code_is_the_rule(name: str, data: st.DataObject, seed: int) -> None:
    """What a reader is shown as NumPy gives the numbers that the engine gives."""
    op = OPS[name]
    case = frozen(data.draw(EXAMPLES[name].cases))
    y = forward(op, case)
    assume(y.size)
    op = op.worded(map(np.shape, case.operands), case.attributes)
    result = run_code(op.code, op, case)
    np.testing.assert_allclose(result, y, rtol=1e-12, atol=1e-13)
    if op.statement:
        result = run_statement(op.statement, op, case, 0, y=None)["y"]
        assert result.shape == y.shape
        np.testing.assert_allclose(result, y, rtol=1e-12, atol=1e-13)
    (g,) = directions(seed, y.shape)
    for argument in differentiable(op, case):
        form, rule = op.form(argument), op.vjp(argument)
        assert form is not None
        assert rule is not None
        product = rule(g, y, *case.operands, **case.attributes)
        shown = run_code(form.code, op, case, argument, g=g, y=y)
        assert shown.shape == np.shape(product)
        np.testing.assert_allclose(shown, product, rtol=1e-11, atol=1e-12)
        if form.statement:
            zeros = np.zeros(np.shape(product))
            made = run_statement(
                form.statement, op, case, argument, into=zeros, g=g, y=y
            )["into"]
            np.testing.assert_allclose(made, product, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    "name", [op.name for op in OPS.values() if op.kind == "reduce"]
)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@drawn
def test_reduction_shows_its_slopes(name: str, data: st.DataObject, seed: int) -> None:
    op = OPS[name]
    case = frozen(data.draw(EXAMPLES[name].cases))
    y = forward(op, case)
    assert op.slope is not None
    (x,) = case.operands
    kept = np.sum(x, axis=case.attributes["axis"], keepdims=True)
    like = y.reshape(kept.shape)
    shared = () if op.shared is None else (op.shared(like, x, **case.attributes),)
    count = np.size(x) // y.size
    local = op.slope(like, x, *shared, count=count, **case.attributes)
    (g,) = directions(seed, y.shape)
    np.testing.assert_allclose(
        np.broadcast_to(g.reshape(kept.shape) * local, np.shape(x)),
        contribution(op, case, 0, g, y),
        rtol=1e-12,
    )


# ------------------------------------------------------------------- the borders


@pytest.mark.parametrize(
    ("name", "misfit"),
    [(name, misfit) for name, one in EXAMPLES.items() for misfit in one.misfits],
)
def test_misfit_is_explained(name: str, misfit: Misfit) -> None:
    with pytest.raises(ValueError, match=re.escape(misfit.says)):
        OPS[name].shape(*misfit.shapes, **misfit.attributes)


@pytest.mark.parametrize("corner", CORNERS, ids=lambda corner: corner.op)
def test_corner(corner: Corner) -> None:
    op = OPS[corner.op]
    case = frozen(Case(corner.operands, corner.attributes))
    y = forward(op, case)
    np.testing.assert_array_equal(y, corner.value)
    for argument, expected in enumerate(corner.gradients):
        if expected is None:
            assert op.vjp(argument) is None
            continue
        gradient = contribution(op, case, argument, np.ones_like(y, dtype=float), y)
        np.testing.assert_array_equal(gradient, expected)


def test_branch_not_taken_makes_nan() -> None:
    build = Builder()
    x, zero = build.leaf("x", "input"), build.leaf("0", "constant")
    mask = build.apply(OPS["greater"], (x, zero))
    log = build.apply(OPS["log"], (x,))
    y = build.apply(OPS["where"], (mask, log, zero))
    run = evaluate(build.finish(y), {x: np.array(0.0), zero: 0})
    assert run.value(y) == 0
    np.testing.assert_array_equal(run.gradient(log), 0.0)
    np.testing.assert_array_equal(run.gradient(x), np.nan)


def test_norm_at_zero_has_no_gradient_but_nan() -> None:
    build = Builder()
    x = build.leaf("x", "input", (2,))
    total = build.apply(OPS["sum"], (build.apply(OPS["multiply"], (x, x)),))
    y = build.apply(OPS["sqrt"], (total,))
    run = evaluate(build.finish(y), {x: np.zeros(2)})
    np.testing.assert_array_equal(run.gradient(total), np.inf)
    np.testing.assert_array_equal(run.gradient(x), [np.nan, np.nan])


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "negative"])
def test_arithmetic_of_plain_numbers_stays_plain(name: str) -> None:
    op = OPS[name]
    operands = (2.0, 3.0)[: len(op.operands)]
    assert type(op.forward(*operands)) is float
    for rule in filter(None, op.vjps):
        assert type(rule(1.0, 6.0, *operands)) is float


def test_literals_do_not_widen() -> None:
    x = np.array([1.5, 2.5], np.float32)
    for name in ("add", "subtract", "multiply", "divide", "power", "maximum"):
        assert OPS[name].forward(x, 2).dtype == np.float32
        assert OPS[name].forward(0.5, x).dtype == np.float32


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_a_mean_is_that_of_numpy_to_the_last_bit(axis: Any, keepdims: bool) -> None:
    x = np.random.default_rng(0).normal(size=(7, 11, 13)) ** 3
    ours = OPS["mean"].forward(x, axis=axis, keepdims=keepdims)
    assert np.array_equal(ours, np.mean(x, axis=axis, keepdims=keepdims))
    assert np.shape(ours) == np.shape(np.mean(x, axis=axis, keepdims=keepdims))


@pytest.mark.parametrize(
    ("x", "std", "slope"),
    [
        # PyTorch 2.13: torch.std(x, correction=0), and its backward pass
        ([0.1] * 3, 1.3877787807814457e-17, -1 / 3),
        ([0.1] * 7, 1.3877787807814457e-17, 1 / 7),
        ([5.0] * 3, 0.0, 0.0),
        ([1 / 3] * 6, 0.0, 0.0),
    ],
)
def test_equal_numbers_deviate_by_the_rounding_of_their_mean(
    x: list[float], std: float, slope: float
) -> None:
    run = run_of("y = std(x)", x=x)
    assert float(run.value(number(run, "y"))) == std
    assert np.asarray(run.gradient(number(run, "x"))) == pytest.approx(slope)

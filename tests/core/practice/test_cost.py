"""What a pass costs: the multiplications are counted once more, as they happen."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from cases import cases_of, every_op
from gradstep.core.base.errors import Interrupted
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.ops import OPS
from gradstep.core.practice import cost
from gradstep.core.practice.cost import (
    Costs,
    backward_multiplications,
    cost_lines,
    costs_of,
    counts,
    multiplications,
)
from gradstep.core.scenario.scenario import load
from ops_examples import Case
from runs import number, run_of
from written import run_code, run_statement

if TYPE_CHECKING:
    from gradstep.core.ops.table import Op


class Tallied:
    """A number that counts what is done with it."""

    done: ClassVar[Counter[str]] = Counter()

    def __init__(self, value: float) -> None:
        self.value = value

    def _made(self, name: str, result: float) -> Tallied:
        self.done[name] += 1
        return Tallied(result)

    def __add__(self, other: Any) -> Tallied:
        return self._made("add", self.value + number_of(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Tallied:
        return self._made("add", self.value - number_of(other))

    def __neg__(self) -> Tallied:
        return Tallied(-self.value)

    def __mul__(self, other: Any) -> Tallied:
        return self._made("multiply", self.value * number_of(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Tallied:
        return self._made("multiply", self.value / number_of(other))

    def __ge__(self, other: Any) -> bool:
        return self.value >= number_of(other)

    def __lt__(self, other: Any) -> bool:
        return self.value < number_of(other)

    def function(self) -> Tallied:
        return self._made("multiply", self.value)

    exp = log = sin = cos = tanh = sqrt = function


def number_of(one: Any) -> float:
    return one.value if isinstance(one, Tallied) else one


def tallied(*shape: int) -> np.ndarray:
    numbers = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        numbers[index] = Tallied(1.5)
    return numbers


def seen(act: Any) -> int:
    """Return how many multiplications were done."""
    Tallied.done.clear()
    act()
    return Tallied.done["multiply"]


# Of each operation operands, and how it is called.
COUNTED: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = [
    ("add", [(3, 4), (4,)], {}),
    ("subtract", [(3, 4), (3, 1)], {}),
    ("negative", [(3, 4)], {}),
    ("multiply", [(3, 4), (4,)], {}),
    ("multiply", [(3, 1), (1, 5)], {}),
    ("divide", [(3, 4), (3, 4)], {}),
    ("maximum", [(3, 4), (4,)], {}),
    ("exp", [(2, 3)], {}),
    ("log", [(2, 3)], {}),
    ("sin", [(5,)], {}),
    ("tanh", [(2, 3)], {}),
    ("sqrt", [(4,)], {}),
    ("matmul", [(3, 4), (4, 5)], {}),
    ("matmul", [(4,), (4, 5)], {}),
    ("matmul", [(3, 4), (4,)], {}),
    ("matmul", [(2, 3, 4), (4, 5)], {}),
    ("matmul", [(2, 1, 3, 4), (6, 4, 5)], {}),
    ("outer", [(3,), (5,)], {}),
    ("sum", [(3, 4)], {"axis": 0, "keepdims": False}),
    ("mean", [(3, 4)], {"axis": 0, "keepdims": False}),
    ("mean", [(3, 4)], {"axis": None, "keepdims": False}),
    ("transpose", [(3, 4)], {"axes": None}),
    ("reshape", [(3, 4)], {"shape": (12,)}),
]


@pytest.mark.parametrize(("name", "shapes", "attributes"), COUNTED)
def test_a_result_takes_as_many_multiplications_as_are_done(
    name: str, shapes: list[tuple[int, ...]], attributes: dict[str, Any]
) -> None:
    op = OPS[name]
    operands = [tallied(*shape) for shape in shapes]
    result = op.shape(*shapes, **attributes)
    done = seen(lambda: op.forward(*operands, **attributes))
    assert multiplications(op, shapes, attributes, result) == done


RULES = [one for one in COUNTED if one[0] in ("add", "subtract", "negative")]
RULES += [
    ("multiply", [(3, 4), (3, 4)], {}),
    ("exp", [(2, 3)], {}),
    ("matmul", [(3, 4), (4, 5)], {}),
    ("matmul", [(2, 3, 4), (2, 4, 5)], {}),
    ("outer", [(3,), (5,)], {}),
]


@pytest.mark.parametrize(("name", "shapes", "attributes"), RULES)
def test_a_contribution_takes_as_many_multiplications_as_its_rule_does(
    name: str, shapes: list[tuple[int, ...]], attributes: dict[str, Any]
) -> None:
    op = OPS[name]
    operands = [tallied(*shape) for shape in shapes]
    result = op.shape(*shapes, **attributes)
    for argument in range(len(shapes)):
        rule, g, y = op.vjp(argument), tallied(*result), tallied(*result)
        assert rule is not None
        done = seen(lambda rule=rule, g=g, y=y: rule(g, y, *operands, **attributes))
        told = backward_multiplications(op, argument, shapes, attributes, result)
        assert told == done, (name, argument)


class Counting(np.ndarray):
    """An array that counts what NumPy multiplies, divides and makes by functions."""

    done: ClassVar[int] = 0
    none: ClassVar[set[str]] = {
        *("add", "subtract", "negative", "absolute", "maximum", "minimum", "fmax"),
        *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
        *("isfinite", "isnan", "isinf", "logical_and", "logical_or", "bitwise_and"),
        *("floor", "ceil", "trunc", "sign", "rint", "copysign", "invert", "clip"),
    }

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *given: Any, out: Any = None, **told: Any
    ) -> Any:
        arrays = [plain(one) for one in given]
        if out is not None:
            told["out"] = tuple(map(plain, out))
        told = {name: plain(one) for name, one in told.items()}
        result = getattr(ufunc, method)(*arrays, **told)
        if ufunc.__name__ not in self.none and not chooses(ufunc, arrays):
            Counting.done += products(ufunc, method, arrays, result, told)
        return result if result is None else np.asarray(result).view(Counting)

    def __array_function__(
        self, function: Any, types: Any, given: Any, told: Any
    ) -> Any:
        name = function.__name__
        if name not in WHOLE:
            return super().__array_function__(function, types, given, told)
        arrays = [plain(one) for one in given]
        result = function(*arrays, **told)
        Counting.done += WHOLE[name](arrays, result)
        return np.asarray(result).view(Counting) if np.ndim(result) else result


def products(
    ufunc: np.ufunc, method: str, arrays: list[Any], result: Any, told: dict[str, Any]
) -> int:
    """Return how many multiplications a function of NumPy has just done."""
    made, size = np.size(result), np.size(arrays[0])
    if ufunc is np.matmul:
        return made * np.shape(arrays[0])[-1]
    if ufunc is np.logaddexp:
        return 2 * made  # log(exp + exp), one of them of 0
    if method == "reduce":
        return size - made  # of n numbers, n - 1 products
    if method == "accumulate" and made:
        return made - made // np.shape(result)[told.get("axis", 0)]
    return made


def chooses(ufunc: np.ufunc, arrays: list[Any]) -> bool:
    """Tell whether it multiplies by True and False, or counts with whole numbers."""
    kinds = [np.asarray(one).dtype.kind for one in arrays]
    by_truths = ufunc is np.multiply and "b" in kinds
    return by_truths or all(kind in "biu" for kind in kinds)


def combinations(terms: list[str], shapes: list[Any]) -> int:
    """Return how many ways there are to choose all indices of a sum of products."""
    sizes: dict[str, int] = {}
    for letters, shape in zip(terms, shapes, strict=True):
        for letter, size in zip(letters, shape, strict=True):
            sizes[letter] = size if sizes.get(letter, 1) == 1 else sizes[letter]
    return sum(1 for _ in np.ndindex(*sizes.values()))


def of_einsum(arrays: list[Any], _result: Any) -> int:
    subscripts, *factors = arrays
    terms = subscripts.split("->")[0].split(",")
    return (len(factors) - 1) * combinations(terms, list(map(np.shape, factors)))


# What is no function of single numbers, and how many products it takes.
WHOLE: dict[str, Any] = {
    "einsum": of_einsum,
    "inv": lambda arrays, result: result.size * result.shape[-1],
    "dot": lambda arrays, result: (
        np.size(result) * (np.shape(arrays[0])[-1] if min(map(np.ndim, arrays)) else 1)
    ),
    "outer": lambda arrays, result: result.size,
    "mean": lambda arrays, result: np.size(result),
    "var": lambda arrays, result: np.size(arrays[0]) + 2 * np.size(result),
    "std": lambda arrays, result: np.size(arrays[0]) + 3 * np.size(result),
}


def plain(one: Any) -> Any:
    return one.view(np.ndarray) if is_counting(one) else one


def is_counting(one: Any) -> bool:
    return isinstance(one, Counting)


# ------------------------------------------------------------- every row of the table


def made_in(act: Any) -> int:
    """Return how many multiplications NumPy does in it."""
    Counting.done = 0
    act()
    return Counting.done


def counting(operand: Any) -> Any:
    array = np.asarray(operand)
    return array.view(Counting) if array.dtype.kind == "f" else array


def done_in_rule(op: Op, case: Case, argument: int | None, y: Any) -> int:
    operands = [counting(one) for one in case.operands]
    rule = op.forward if argument is None else op.vjp(argument)
    given = [] if argument is None else [counting(np.ones(y.shape)), counting(y)]
    assert rule is not None
    return made_in(lambda: rule(*given, *operands, **case.attributes))


def done_in_code(op: Op, case: Case, argument: int | None, y: Any) -> int:
    """Return what the NumPy multiplies that a step shows."""
    case = Case(tuple(counting(one) for one in case.operands), case.attributes)
    shapes = [np.shape(one) for one in case.operands]
    op = op.worded(shapes, case.attributes)
    if argument is None:
        if op.statement:
            return made_in(lambda: run_statement(op.statement, op, case, 0, y=None))
        return made_in(lambda: run_code(op.code, op, case))
    form = op.form(argument)
    assert form is not None
    known = {"g": counting(np.ones(y.shape)), "y": counting(y)}
    return made_in(lambda: run_code(form.code, op, case, argument, **known))


def told_of(op: Op, case: Case, argument: int | None, y: Any) -> int:
    shapes = [np.shape(one) for one in case.operands]
    if argument is None:
        return multiplications(op, shapes, case.attributes, y.shape)
    return backward_multiplications(op, argument, shapes, case.attributes, y.shape)


# Where a rule and the NumPy of a step take other ways than the formula, the number of
# multiplications by hand: `(case, y, argument)`, with None for the result.


def eliminating(n: int) -> int:
    done = 0
    for pivot in range(n):
        for _below in range(pivot + 1, n):
            done += 1 + (n - pivot - 1)  # a quotient, and the rest of the row
    return done


def factoring(n: int) -> int:
    done = 0
    for column in range(n):
        done += column + 1  # squares, and their root
        for _below in range(column + 1, n):
            done += column + 1  # products, and a quotient
    return done


def by_hand_of_matrices(each: Any) -> Any:
    def done(case: Case, _y: Any, _argument: int | None) -> int:
        *stack, n, _ = np.shape(case.operands[0])
        return math.prod(stack) * each(n)

    return done


def by_hand_sums(name: str) -> Any:
    """Every combination of indices makes a product of all factors."""

    def done(case: Case, y: Any, argument: int | None) -> int:
        shapes = [np.shape(one) for one in case.operands]
        subscripts = OPS[name].subscripts
        assert subscripts is not None
        inputs, output = subscripts(*shapes, **case.attributes).split("->")
        terms = inputs.split(",")
        if argument is not None:
            terms[argument], shapes[argument] = output, y.shape
        return (len(terms) - 1) * combinations(terms, shapes)

    return done


def by_hand_classes(case: Case, _y: Any, argument: int | None) -> int:
    """Of a loss: what makes the softmax, what each class counts, and what arrives."""
    x, target, *weight = map(np.asarray, case.operands)
    told = case.attributes
    along = 0 if x.ndim == 1 else told.get("axis", 1) % x.ndim
    rows = x.size // x.shape[along]
    by_number = target.shape != x.shape
    even = bool(told.get("label_smoothing"))
    plain = by_number and not (weight or even or told.get("ignore_index") is not None)
    # A class that is right or wrong chooses; a share of the target is multiplied.
    counts = (even and not by_number) + (bool(weight) and (even or not by_number))
    mean = told["reduction"] == "mean"
    if argument is None:  # exp and log, and times what each class counts
        return (1 if plain else 2 + counts) * x.size + rows + mean
    if argument == 0:  # exp, quotient, times the sum of what classes count, upstream
        return (3 if plain else 4 + counts) * x.size + mean
    return (2 + bool(weight) + even) * x.size + rows + mean


def by_hand_logits(case: Case, _y: Any, argument: int | None) -> int:
    assert argument == 0  # exp and quotient of σ, and upstream
    return 3 * np.size(case.operands[0]) + (case.attributes["reduction"] == "mean")


def by_hand_resized(case: Case, y: Any, _argument: int | None) -> int:
    """Along one axis and then the other, two numbers each times its share."""
    if case.attributes.get("mode", "nearest") == "nearest":
        return 0
    wide, done = np.shape(case.operands[0])[-1], 0
    for _map in np.ndindex(*y.shape[:-2]):
        for _row in range(y.shape[-2]):
            done += 2 * wide + 2 * y.shape[-1]
    return done


def once_a_window(_case: Case, y: Any, _argument: int | None) -> int:
    return y.size  # a sum is divided; on the way back, what arrives


def by_hand_others(case: Case, _y: Any, _argument: int | None) -> int:
    x, axis = np.asarray(case.operands[0]), case.attributes["axis"]
    n = x.size if axis is None else x.shape[axis]
    # Products before each and behind it (n - 2), both together (n), and upstream (n).
    return x.size // n * (2 * (n - 2) + 2 * n) if n > 1 else 0


def by_hand_running(case: Case, _y: Any, _argument: int | None) -> int:
    x, axis = np.asarray(case.operands[0]), case.attributes["axis"]
    n = x.size if axis is None else x.shape[axis]
    # Products before it (n - 2), what comes back of those behind (n - 1), and both.
    return x.size // n * max(0, (n - 2) + (n - 1) + n) if n > 1 else 0


ONLY_BY_HAND: dict[tuple[str, int | None], Any] = {
    ("cumprod", 0): by_hand_running,
    ("prod", 0): by_hand_others,
    ("det", None): by_hand_of_matrices(lambda n: eliminating(n) + max(0, n - 1)),
    ("logabsdet", None): by_hand_of_matrices(lambda n: eliminating(n) + n),
    ("cholesky", None): by_hand_of_matrices(lambda n: n * n + factoring(n)),
    ("cholesky", 0): by_hand_of_matrices(lambda n: 4 * n**3 + n * n + n),
    **{("einsum", argument): by_hand_sums("einsum") for argument in (0, 1, 2)},
    **{("matmul", argument): by_hand_sums("matmul") for argument in (0, 1)},
    **{("cross_entropy", argument): by_hand_classes for argument in (None, 0, 1)},
    ("binary_cross_entropy_with_logits", 0): by_hand_logits,
    **{("interpolate", argument): by_hand_resized for argument in (None, 0)},
    **{("adaptive_avg_pool2d", argument): once_a_window for argument in (None, 0)},
    ("avg_pool2d", None): once_a_window,
}


@every_op
def test_a_step_takes_what_numpy_multiplies_in_it(name: str) -> None:
    op = OPS[name]
    for case in cases_of(name):
        y = np.asarray(op.forward(*case.operands, **case.attributes))
        for argument in (None, *range(len(case.operands))):
            if argument is not None and (
                op.vjp(argument) is None
                or np.asarray(case.operands[argument]).dtype.kind != "f"
            ):
                continue
            found = told_of(op, case, argument, y)
            ways = [done_in_rule, done_in_code]
            if by_hand := ONLY_BY_HAND.get((name, argument)):
                ways = [lambda _op, case, at, y, by_hand=by_hand: by_hand(case, y, at)]
            assert found in [way(op, case, argument, y) for way in ways], (
                argument,
                [np.shape(one) for one in case.operands],
                case.attributes,
            )


def test_a_softmax_of_nine_numbers_sends_back_eighteen_products() -> None:
    # By hand: y ∘ g, and y ∘ (g - its sum); forward an exponential and a quotient each.
    run = run_of("y = sum(softmax(x))", x=np.ones((3, 3)))
    assert counts(run) == (18, 18)


def test_an_inverse_sends_back_two_products_of_matrices() -> None:
    run = run_of("y = sum(inv(x))", x=np.eye(3))
    assert counts(run)[1] == 2 * 3**3


def test_a_loss_of_classes_is_divided_by_their_number_once() -> None:
    # Of 3 samples with 4 classes: exp, and a logarithm for each sample; on the way back
    # exp once more, a quotient, and times what arrives.
    text = "y = cross_entropy(x, t, reduction='{}')"
    numbers = {"x": np.ones((3, 4)), "T": np.array([0, 1, 2])}
    for reduction, more in (("sum", 0), ("mean", 1)):
        run = run_of(text.format(reduction).replace("t,", "T,"), **numbers)
        assert counts(run) == (12 + 3 + more, 36 + more)


def test_a_scalar_product_multiplies_each_pair() -> None:
    assert counts(run_of("y = dot(a, b)", a=np.ones(7), b=np.ones(7))) == (7, 14)


def test_an_einsum_of_three_multiplies_twice_for_each_product() -> None:
    shapes = [(2, 3), (3, 4), (4, 5)]
    op = OPS["einsum"]
    told = multiplications(op, shapes, {"subscripts": "ij,jk,kl->il"}, (2, 5))
    done = 0
    for _ in itertools.product(range(2), range(3), range(4), range(5)):
        done += 2  # a[i, j] · b[j, k] · c[k, l]
    assert told == done
    diagonal = multiplications(op, [(3, 3)], {"subscripts": "ii->i"}, (3,))
    assert diagonal == 0


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1)])
def test_a_convolution_multiplies_a_filter_at_each_place(
    stride: int, padding: int
) -> None:
    image, filters = (2, 3, 7, 6), (4, 3, 3, 2)
    text = f"y = sum(conv2d(x, w, stride={stride}, padding={padding}))"
    run = run_of(text, x=np.ones(image), w=np.ones(filters))
    done = 0
    high, wide = image[2] + 2 * padding, image[3] + 2 * padding
    for _sample, _filter in itertools.product(range(image[0]), range(filters[0])):
        for _ in itertools.product(
            range(0, high - filters[2] + 1, stride),
            range(0, wide - filters[3] + 1, stride),
        ):
            done += filters[1] * filters[2] * filters[3]
    assert counts(run) == (done, 2 * done)


def test_a_layer_multiplies_each_input_with_each_weight() -> None:
    text = "y = sum(linear(x, w, b))"
    run = run_of(text, x=np.ones((10, 4)), w=np.ones((3, 4)), b=np.ones(3))
    assert counts(run) == (10 * 4 * 3, 2 * 10 * 4 * 3)  # the bias is added


def test_pools_compare_or_divide() -> None:
    largest = run_of("y = sum(max_pool2d(x, 2))", x=np.ones((1, 1, 4, 6)))
    mean = run_of("y = sum(avg_pool2d(x, 2))", x=np.ones((1, 1, 4, 6)))
    assert counts(largest) == (0, 0)
    assert counts(mean)[0] == 6


def test_the_counts_of_a_net_of_two_layers() -> None:
    run = Debugger(load("two_layer_net")).trace.run
    n, inputs, hidden, classes = 100, 784, 50, 10
    products = n * inputs * hidden + n * hidden * classes
    forward, backward = counts(run)
    losses = n * classes + n + 1  # exponentials, logarithms, and a mean
    # A sigmoid takes exp and a quotient.
    assert forward == products + 2 * n * hidden + losses
    # Both factors of each product get a gradient. What arrives at a sigmoid is
    # multiplied twice, by y and by 1 - y; the softmax of the loss takes exp and a
    # quotient, and is multiplied.
    assert backward == 2 * products + 2 * n * hidden + 3 * n * classes + 1


def test_only_edges_that_carry_a_gradient_count() -> None:
    text = "y = sum(x @ W)"
    known = run_of(text, x=np.ones((2, 3)), W=np.ones((3, 4)))  # W is a constant
    both = run_of(text.replace("W", "w"), x=np.ones((2, 3)), w=np.ones((3, 4)))
    assert counts(known) == (24, 24)
    assert counts(both) == (24, 48)


# ------------------------------------------------------------------------ measured


def test_differences_are_really_taken() -> None:
    run = run_of("E = sum(tanh(w @ x))", w=[[0.5, -0.25]], x=[1.0, 2.0])
    leaves = [number(run, "w"), number(run, "x")]
    slopes = [cost._moved(run, leaves, flat) for flat in range(4)]
    cosh = 1 / np.cosh(0.5 * 1.0 - 0.25 * 2.0) ** 2
    by_hand = np.array([1.0, 2.0, 0.5, -0.25]) * cosh
    assert slopes == pytest.approx(by_hand, rel=1e-8)


def test_all_three_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "_SECONDS", 0.0)
    run = run_of("E = sum(tanh(w @ x))", w=np.ones((3, 4)), x=np.ones(4))
    told: list[tuple[int, int]] = []
    found = costs_of(run, lambda *done: told.append(done))
    assert found.derivatives == 16  # w and x: there are no parameters
    assert found.whose == "input"
    assert found.passes == 32
    assert found.forward == 12 + 3
    assert found.sampled == 5
    assert found.numeric_seconds == 16 * found.passes_seconds > 0
    assert found.forward_seconds > 0
    assert [done for done, _ in told] == list(range(5))


def test_it_can_be_given_up() -> None:
    run = run_of("E = sum(w * w)", w=np.ones(3))

    def stop(done: int, _of: int) -> None:
        if done == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        costs_of(run, stop)


def test_the_reason_in_one_line() -> None:
    made = Costs(1000, 2000, 50, "parameter", 20, 0.5, 1.0, 1.2)
    lines = list(cost_lines(made))
    assert made.numeric == 100_000  # 50 numbers, two passes each
    assert made.factor == pytest.approx(100_000 / 3000)
    assert made.slower == pytest.approx(60 / 1.5)
    assert lines[0] == (
        "backpropagation: 50 derivatives for 3 forward passes; by differences "
        "100 passes: 33 times as many multiplications, 40 times as long"
    )
    assert "20 of 50 numbers" in lines[-1]


def test_without_a_gradient_there_is_nothing_to_compare(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cost, "_SECONDS", 0.0)
    run = run_of("y = sum(X * 2.0)", X=np.ones(3))
    assert "there is none to compare" in next(cost_lines(costs_of(run, _quiet)))
    added = run_of("y = x + x", x=1.0)
    lines = list(cost_lines(costs_of(added, _quiet)))
    assert lines[0].startswith("nothing is multiplied")


def _quiet(*_done: Any) -> None:
    pass

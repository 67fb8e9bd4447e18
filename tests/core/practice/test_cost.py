"""What a pass costs: the multiplications are counted once more, as they happen."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any, ClassVar

import numpy as np
import pytest

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
from runs import number, run_of


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
        *("floor", "sign", "rint", "copysign", "invert"),
    }

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *given: Any, out: Any = None, **told: Any
    ) -> Any:
        arrays = [one.view(np.ndarray) if is_counting(one) else one for one in given]
        if out is not None:
            told["out"] = tuple(
                o.view(np.ndarray) if is_counting(o) else o for o in out
            )
        result = getattr(ufunc, method)(*arrays, **told)
        if ufunc.__name__ not in self.none:
            made = np.size(result)
            if method == "reduce":  # of n numbers, n - 1 products
                made = np.size(arrays[0]) - made
            Counting.done += made
        return np.asarray(result).view(Counting)


def is_counting(one: Any) -> bool:
    return isinstance(one, Counting)


AXIS = {"axis": 1, "keepdims": False}
# Of each operation the shapes of its operands, and how it is called.
MADE: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = [
    ("divide", [(3, 4), (3, 4)], {}),
    ("power", [(3, 4), (3, 4)], {}),
    *((name, [(3, 4)], {}) for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin")),
    *((name, [(3, 4)], {}) for name in ("square", "cos", "tanh", "arctan", "silu")),
    ("softplus", [(3, 4)], {}),
    ("leaky_relu", [(3, 4)], {"negative_slope": 0.1}),
    ("elu", [(3, 4)], {"alpha": 0.5}),
    ("dropout", [(3, 4)], {"p": 0.5, "seed": 1}),
    ("mean", [(3, 4)], AXIS),
    ("prod", [(3, 4)], AXIS),
    ("var", [(3, 4)], {**AXIS, "ddof": 0}),
    ("std", [(3, 4)], {**AXIS, "ddof": 1}),
    ("logsumexp", [(3, 4)], AXIS),
    ("norm", [(3, 4)], AXIS),
    ("softmax", [(3, 4)], {"axis": 1}),
    ("softmax", [(3, 3)], {"axis": 0}),
    ("log_softmax", [(3, 4)], {"axis": 0}),
]


@pytest.mark.parametrize(("name", "shapes", "attributes"), MADE)
def test_a_step_takes_what_numpy_multiplies_in_it(
    name: str, shapes: list[tuple[int, ...]], attributes: dict[str, Any]
) -> None:
    op, draw = OPS[name], np.random.default_rng(7)
    operands = [draw.uniform(0.5, 1.5, shape).view(Counting) for shape in shapes]
    Counting.done = 0
    y = np.asarray(op.forward(*operands, **attributes)).view(Counting)
    assert multiplications(op, shapes, attributes, y.shape) == Counting.done
    for argument in range(len(shapes)):
        rule, g = op.vjp(argument), np.ones(y.shape).view(Counting)
        assert rule is not None
        Counting.done = 0
        rule(g, y, *operands, **attributes)
        told = backward_multiplications(op, argument, shapes, attributes, y.shape)
        assert told == Counting.done, argument


def test_a_softmax_of_nine_numbers_sends_back_eighteen_products() -> None:
    # By hand: y ∘ g, and y ∘ (g - its sum); forward an exponential and a quotient each.
    run = run_of("y = sum(softmax(x))", x=np.ones((3, 3)))
    assert counts(run) == (18, 18)


def test_an_inverse_sends_back_two_products_of_matrices() -> None:
    run = run_of("y = sum(inv(x))", x=np.eye(3))
    assert counts(run)[1] == 2 * 3**3


def test_a_loss_of_classes_is_divided_by_their_number_once() -> None:
    # Of 3 samples with 4 classes: exp, and a logarithm for each sample; on the way back
    # exp once more, times what arrives.
    text = "y = cross_entropy(x, t, reduction='{}')"
    numbers = {"x": np.ones((3, 4)), "T": np.array([0, 1, 2])}
    for reduction, more in (("sum", 0), ("mean", 1)):
        run = run_of(text.format(reduction).replace("t,", "T,"), **numbers)
        assert counts(run) == (12 + 3 + more, 24 + more)


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
    assert forward == products + n * hidden + losses
    # Both factors of each product get a gradient. What arrives at a sigmoid is
    # multiplied twice, by y and by 1 - y; of the loss exp is taken, and multiplied.
    assert backward == 2 * products + 2 * n * hidden + 2 * n * classes + 1


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

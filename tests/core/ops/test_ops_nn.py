"""What is special to operations of neural networks: targets, dtypes, infinities."""

from __future__ import annotations

import numpy as np
import pytest

from gradstep.core.ops import OPS
from runs import run_of

LOGITS = np.array([[1.0, 2.0, -1.0], [0.0, 0.5, 3.0]])
ENTROPY = OPS["cross_entropy"]


def by_input(logits: np.ndarray, target: np.ndarray, **how: object) -> np.ndarray:
    y = ENTROPY.forward(logits, target, **how)
    rule = ENTROPY.vjp(0)
    assert rule is not None
    return rule(np.ones_like(y), y, logits, target, **how)


def test_gradient_is_softmax_minus_target() -> None:
    softmax = OPS["softmax"].forward(LOGITS)
    onehot = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    got = by_input(LOGITS, np.array([1, 0]), reduction="sum")
    np.testing.assert_allclose(got, softmax - onehot, rtol=1e-15)
    np.testing.assert_allclose(by_input(LOGITS, np.array([1, 0])), got / 2, rtol=1e-15)


def test_columns_are_rows_turned() -> None:
    target = np.array([1, 0])
    by_rows = by_input(LOGITS, target)
    by_columns = by_input(LOGITS.T, target, axis=0)
    np.testing.assert_array_equal(by_columns, by_rows.T)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_whole_numbers_as_probabilities(dtype: type) -> None:
    logits, onehot = LOGITS.astype(dtype), np.array([[0, 1, 0], [1, 0, 0]])
    y = ENTROPY.forward(logits, onehot)
    assert y.dtype == dtype
    assert y == pytest.approx(ENTROPY.forward(logits, np.array([1, 0])), rel=1e-3)
    binary = OPS["binary_cross_entropy_with_logits"]
    assert binary.forward(logits, onehot).dtype == dtype


def test_masked_class_beside_class_numbers() -> None:
    logits = np.array([[1.0, -np.inf, 0.0]])
    assert np.isfinite(ENTROPY.forward(logits, np.array([2])))
    assert by_input(logits, np.array([2]))[0, 1] == 0


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ([0, 3], "there is no class 3; allowed: 0 … 2"),
        ([-1, 0], "there is no class -1"),
        ([0.0, 1.0], "class numbers are whole numbers, not float64"),
    ],
)
def test_wrong_class_is_named(target: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ENTROPY.forward(LOGITS, np.array(target))


def test_a_smoothed_target_is_written_with_few_digits() -> None:
    form = ENTROPY.worded([(2, 3), (2,)], {"label_smoothing": 0.7}).form(0)
    assert form is not None
    assert "(0.3 onehot({target}) + 0.7 / 3)" in form.local


def test_binary_keeps_small_losses() -> None:
    """softplus(x) − x · t would cancel to 0 here."""
    binary = OPS["binary_cross_entropy_with_logits"]
    losses = binary.forward(
        np.array([40.0, -40.0]), np.array([1.0, 0.0]), reduction="none"
    )
    np.testing.assert_allclose(losses, np.exp(-40), rtol=1e-12)


def test_a_chance_beyond_one_hides_no_slope_of_another() -> None:
    """By t the loss −(t log x + (1 − t) log(1 − x)) / 2 has the slope ln 3 / 2."""
    binary = OPS["binary_cross_entropy"]
    chances, target = np.array([0.25, 1.5]), np.array([1.0, 0.0])
    y, rule = np.float64(np.nan), binary.jvp(1)
    assert rule is not None
    with np.errstate(invalid="ignore"):
        found = rule(np.array([1.0, 0.0]), y, chances, target)
    assert found == pytest.approx(np.log(3) / 2, rel=1e-15)


def test_pooling_of_whole_numbers() -> None:
    x = np.arange(-9, 0).reshape(3, 3)
    y = OPS["max_pool2d"].forward(x, kernel_size=2, padding=1)
    np.testing.assert_array_equal(y, [[-9, -7], [-3, -1]])
    assert y.dtype == x.dtype


def test_sizes_are_known_before_memory_is_taken() -> None:
    wide = (1, 1, 10**9, 10**9)
    shape = OPS["conv2d"].shape(wide, (8, 1, 3, 3), padding=1)
    assert shape == (1, 8, 10**9, 10**9)
    assert OPS["avg_pool2d"].shape(wide, kernel_size=10**8) == (1, 1, 10, 10)
    assert OPS["matmul"].shape((10**9, 1), (1, 10**9)) == (10**9, 10**9)
    assert OPS["pad"].shape((1,), pad_width=10**12) == (1 + 2 * 10**12,)


def test_words_name_what_is_there() -> None:
    conv = OPS["conv2d"]
    shapes = [(1, 1, 4, 4), (2, 1, 3, 3)]
    assert conv.worded(shapes).symbol == "{input} ⋆ {weight}"
    assert conv.worded([*shapes, (2,)]).symbol == "{input} ⋆ {weight} + {bias}"
    form = ENTROPY.worded([(5, 3), (5,)], {"reduction": "mean"}).form(0)
    assert form is not None
    assert form.product == "(softmax({input}) − onehot({target})) ∘ {g} / 5"


def test_a_sample_that_is_ignored_takes_nothing_of_an_infinity() -> None:
    """PyTorch 2.13 has the same numbers."""
    text = "y = cross_entropy(x, T, reduction='none', ignore_index=1)"
    seed = np.array([1.0, np.inf])
    run = run_of(text, seed=seed, x=[[0.0, 0.0], [0.0, 0.0]], T=[0, 1])
    assert np.asarray(run.gradient(0)).tolist() == [[-0.5, 0.5], [0.0, 0.0]]

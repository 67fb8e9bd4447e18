import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradstep.core.engine.measure import summarise

arrays = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.float16]),
    hnp.array_shapes(min_side=0, max_dims=3, max_side=12),
)


@given(arrays)
def test_every_element_is_counted_once(array) -> None:
    found = summarise(array)
    finite = array[np.isfinite(array)]
    assert found.nans == np.isnan(array).sum()
    assert found.infinities == np.isinf(array).sum()
    assert found.zeros == (finite == 0).sum()
    assert found.shape == array.shape
    if found.bins:
        assert sum(found.bins) == finite.size
        assert found.bins[0] > 0
        assert found.bins[-1] > 0


@given(arrays)
def test_the_range_is_that_of_the_finite_numbers(array) -> None:
    found = summarise(array)
    finite = array[np.isfinite(array)].astype(np.float64)
    if not finite.size:
        assert found.low is found.high is found.mean is found.rms is None
        return
    assert found.low == finite.min()
    assert found.high == finite.max()


def test_the_mean_and_the_size_do_not_overflow() -> None:
    found = summarise(np.full(4, 1e308))
    assert found.mean == found.rms == 1e308
    assert summarise(np.array([3.0, -4.0])).rms == np.sqrt(12.5)


def test_a_constant_array_has_no_distribution() -> None:
    assert summarise(np.full((3, 3), 7)).bins == ()

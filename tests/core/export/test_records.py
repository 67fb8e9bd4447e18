import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradstep.core.export.records import dump, plain

arrays = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.float16, np.int64, np.bool_]),
    hnp.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=5),
)


@given(arrays)
def test_an_array_survives_strict_json(array) -> None:
    text = dump(array)
    read = json.loads(text, parse_constant=pytest.fail)
    back = np.array(read, dtype=object).astype(array.dtype).reshape(array.shape)
    assert np.array_equal(back, array, equal_nan=array.dtype.kind == "f")
    if array.dtype.kind == "f":
        finite = np.isfinite(array)
        assert np.array_equal(np.signbit(back[finite]), np.signbit(array[finite]))


@given(st.floats())
def test_a_number_is_as_short_as_it_can_be(number: float) -> None:
    if math.isfinite(number):
        assert dump(number) == repr(number)
    else:
        assert json.loads(dump(number)) in {"NaN", "Infinity", "-Infinity"}


def test_containers_are_plain_all_the_way_down() -> None:
    record = {"a": (np.float32(0.5), None), 3: [np.True_, {"b": np.inf}], "c": "δ"}
    text = dump(record)
    assert text == '{"a": [0.5, null], "3": [true, {"b": "Infinity"}], "c": "δ"}'
    assert plain(np.float32(0.1)) == 0.10000000149011612

"""Every pure function gives the bits that it gave when its arrays were written."""

import numpy as np
import pytest

from tests.golden.arrays import FILE, ROUNDED, arrays

with np.load(FILE) as file:
    GOLDEN = dict(file)


@pytest.fixture(scope="module")
def found():
    return arrays()


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_golden_array(found, name):
    golden = GOLDEN[name]
    assert found[name].dtype == golden.dtype
    if name.split("/")[0] in ROUNDED or "minmax" in name or "normalize" in name:
        scale = np.abs(golden).max()
        np.testing.assert_allclose(found[name], golden, rtol=0, atol=2e-6 * scale)
    else:
        np.testing.assert_array_equal(found[name], golden)


def test_every_function_has_its_array(found):
    assert found.keys() == GOLDEN.keys()

from collections.abc import Iterator

import pytest

from lowrankflow.precision import float64 as in_double_precision


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    """JAX makes float64 numbers for the duration of each test."""
    with in_double_precision():
        yield

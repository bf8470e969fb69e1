"""One name for an operation on arrays, whoever holds them.

What is drawn in Python and in an exported graph is written once, over a namespace of operations:
`HOST` for NumPy arrays, `keras.ops` for tensors. Both round each operation once, so that the same
code gives the same bits.
"""

from typing import Any, Protocol, cast

import numpy as np


class Arrays(Protocol):
    """The operations that such code may use, named as in `keras.ops`."""

    def __getattr__(self, name: str) -> Any:
        """Find an operation."""


class _Host:
    """NumPy, with the few names of `keras.ops` that it lacks."""

    @staticmethod
    def cast(values: Any, dtype: str) -> np.ndarray:
        return np.asarray(values).astype(dtype)

    @staticmethod
    def top_k(values: np.ndarray, k: int) -> tuple[np.ndarray, None]:
        """Sort the largest values of the last axis, the largest first."""
        last = values.shape[-1]
        return np.sort(np.partition(values, last - k)[..., last - k :])[..., ::-1], None

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


#: NumPy's operations, under the names of `keras.ops`.
HOST = cast("Arrays", _Host())

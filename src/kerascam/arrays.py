"""One name for an operation on arrays, whoever holds them.

What is drawn in Python and in an exported graph is written once, over a namespace of operations:
`HOST` for NumPy arrays, `keras.ops` for tensors. Both round each operation once, so that the same
code returns the same bits.
"""

from typing import Any, TypeAlias

import numpy as np

#: A namespace of operations on arrays, named as in `keras.ops`: a module, or `HOST`.
Arrays: TypeAlias = Any


class _Host:
    """NumPy, with the few names of `keras.ops` that it lacks."""

    @staticmethod
    def cast(values: Any, dtype: Any) -> np.ndarray:
        return np.asarray(values).astype(dtype)

    @staticmethod
    def top_k(values: np.ndarray, k: Any) -> tuple[np.ndarray, None]:
        """Sort the largest values of the last axis, the largest first."""
        last = values.shape[-1]
        return np.sort(np.partition(values, last - k)[..., last - k :])[..., ::-1], None

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


#: NumPy's operations, under the names of `keras.ops`.
HOST: Arrays = _Host()

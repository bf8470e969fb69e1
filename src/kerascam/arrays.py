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

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


#: NumPy's operations, under the names of `keras.ops`.
HOST = cast("Arrays", _Host())

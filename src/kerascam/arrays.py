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


def array_of(value: Any) -> np.ndarray:
    """Return what a user gave as an array, for its type and shape to be checked.

    Returns:
        An array of objects for what makes none: lists of several lengths, or a type that refuses.

    Example:
        >>> array_of([[1, 2], [3]]).dtype.kind, array_of([1, 2]).dtype.kind
        ('O', 'i')
    """
    try:
        return np.asarray(value)
    except Exception:
        return np.array(None)


def as_type(dtype: np.dtype, values: np.ndarray) -> np.ndarray:
    """Return values in the type of images: whole numbers are rounded, in their range.

    Example:
        >>> as_type(np.dtype("uint8"), np.array([-3.0, 7.6, 300.0])).tolist()
        [0, 8, 255]
    """
    if dtype.kind == "f":
        return values.astype(dtype)
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return values.round().clip(low, high).astype(dtype)


#: NumPy's operations, under the names of `keras.ops`.
HOST: Arrays = _Host()

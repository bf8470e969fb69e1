"""Numbers in half precision, each row beside a power of two: none is too small or too large."""

import numpy as np
from jaxtyping import Float, Float16


def to_halves(
    values: Float[np.ndarray, "rows columns"],
) -> tuple[Float16[np.ndarray, "rows columns"], Float[np.ndarray, " rows"]]:
    r"""Round rows to float16, each divided by the power of two that brings it below 1.

    A row keeps its digits whatever its scale: the error is at most $2^{-11}$ of each value down to
    $2^{-14}$ of the row's largest, and $2^{-25}$ of the largest below.

    Args:
        values: Finite numbers.

    Returns:
        The rows, and what to multiply each with.

    Example:
        >>> halves, scales = to_halves(np.array([[3e-9, -1.5e-9], [0, 0]]))
        >>> (halves[0] * scales[0]).tolist(), scales[1].item()
        ([3e-09, -1.5e-09], 1.0)
    """
    largest = np.abs(values).max(1, initial=0)
    _, exponents = np.frexp(largest)
    scales = np.ldexp(1.0, np.where(largest > 0, exponents, 0))
    return (values / scales[:, None]).astype(np.float16), scales

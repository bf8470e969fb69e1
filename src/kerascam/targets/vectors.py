"""Directions of vectors, such as embeddings."""

from typing import Any

from keras import ops


def unit_length(vectors: Any) -> Any:
    """Divide vectors along the last axis by their lengths; a zero vector stays zero.

    Args:
        vectors: Shape (..., length).

    Returns:
        The same shape, float32, or float64 if they are.

    Example:
        >>> unit_length(ops.array([[3e30, 4e30]])).numpy().round(3).tolist()
        [[0.6, 0.8]]
    """
    if "float64" not in str(vectors.dtype):
        vectors = ops.cast(vectors, "float32")
    # By the largest number first, without a gradient, which the direction does not need: squares of
    # large numbers are infinite, those of small ones zero.
    largest = ops.stop_gradient(ops.max(ops.abs(vectors), -1, keepdims=True))
    nonzero = largest > 0
    vectors = vectors / ops.where(nonzero, largest, ops.ones_like(largest))
    squares = ops.sum(vectors**2, -1, keepdims=True)
    # The derivative of a square root of zero is infinite.
    return vectors / ops.sqrt(ops.where(nonzero, squares, ops.ones_like(squares)))

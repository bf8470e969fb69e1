"""The graph must compute what the model computes: compare their answers to the same images."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from ..model import Question, is_half, own_answer
from .asking import Asked

# Relative to the largest number of an answer. Rounding stays below the first but where it is
# blown up, as by steps of quantization; no other kind of number is beyond the second.
_ROUNDING, _HALF_ROUNDING, _WRONG = 1e-3, 3e-2, 5e-2


def difference(
    model: keras.Model, question: Question, asked: Asked, found: Mapping[str, Any]
) -> float:
    r"""Measure how far the graph's answer is from the model's own.

    The relative difference is $\max_i |p_i - q_i| / \max_i |q_i|$, of the predictions or, of
    several outputs, the scores. A difference that the model shows from itself, run twice, is none.

    Args:
        model: The model.
        question: What was asked.
        asked: The images and classes.
        found: What the graph gave.

    Returns:
        The difference; 0 if it is no more than rounding, or there is nothing to compare with.
    """
    own = _own_numbers(model, question, asked, found)
    if own is None:
        return 0.0
    name = "predictions" if found["predictions"] is not None else "scores"
    apart = _apart(found[name].numpy(), own)
    if apart <= (_HALF_ROUNDING if is_half(model) else _ROUNDING):
        return 0.0
    again = _own_numbers(model, question, asked, found)
    return 0.0 if again is None or _apart(again, own) > apart / 10 else apart


def doubt_of(model: keras.Model, apart: float) -> str:
    """Word a difference for the user.

    Raises:
        ValueError: If it is beyond any way of rounding.
    """
    if apart > _WRONG:
        raise ValueError(
            f"model {model.name!r} returns other numbers in a graph than when it is called, by "
            f"{apart:.0%} of the largest, and only the graph can be explained: make its layers "
            f"compute the same in model(images) and in model.predict(images)"
        )
    return (
        f"in a graph the model's answer differs from its own by {apart:.1%} of the largest number"
    )


def _own_numbers(
    model: keras.Model, question: Question, asked: Asked, found: Mapping[str, Any]
) -> np.ndarray | None:
    """Return what the model says itself of the predictions or scores; None if it cannot."""
    *inputs, _ = asked.tensors
    own = own_answer(model, inputs, asked.like, question, asked.compiled.run)
    if own is None:
        return None
    if found["predictions"] is None:
        try:
            own = question.target(own, found["classes"])
        except Exception:  # a target that needs the graph, such as the logits under a softmax
            return None
    numbers = np.asarray(keras.ops.convert_to_numpy(own), np.float64)
    given = found["scores" if found["predictions"] is None else "predictions"].numpy()
    if numbers.size != given.size:
        return None
    if (numbers <= 0).all() and (given > 0).any():  # a log-softmax, of which predictions are exp
        numbers = np.exp(numbers)
    return numbers.reshape(given.shape)


def _apart(numbers: np.ndarray, own: np.ndarray) -> float:
    if not (np.isfinite(own).all() and np.isfinite(numbers).all()):
        return 0.0  # said of each image by its status
    return float(np.abs(numbers - own).max() / max(np.abs(own).max(), 1e-12))

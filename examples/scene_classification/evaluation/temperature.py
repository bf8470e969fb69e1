"""One number that makes a network as sure as it is often right (Guo et al., 2017)."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

#: Between which temperatures the best is looked for, and how finely.
LOWEST, HIGHEST, STEPS = 1 / 16, 16.0, 60


def fit_temperature(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Return the temperature T of the least log loss, −mean log softmax(z / T)_y.

    The log loss is convex in 1 / T, so its minimum is found by bisection of its slope: the mean
    of (expected score − score of the true class).

    Args:
        probabilities: softmax(z) of images that the network has not learned from, shaped
            (images, classes).
        labels: y, the true class index of each.

    Example:
        >>> rows = np.array([[0.8, 0.2]] * 4)  # as sure as 80 %, right as often
        >>> round(fit_temperature(rows, np.array([0, 0, 0, 1])), 3)  # 75 %: less sure
        1.262
    """
    scores = np.log(np.maximum(probabilities.astype(np.float64), 1e-12))
    true = scores[np.arange(len(scores)), labels]
    low, high = 1 / HIGHEST, 1 / LOWEST  # of 1 / T
    for _ in range(STEPS):
        middle = (low + high) / 2
        weights = np.exp(middle * (scores - scores.max(1, keepdims=True)))
        expected = (weights * scores).sum(1) / weights.sum(1)
        low, high = (low, middle) if (expected - true).mean() > 0 else (middle, high)
    return 2 / (low + high)


def with_temperature(network: keras.Model, temperature: float) -> keras.Model:
    """Return a network whose scores are those of another, divided by a temperature.

    The division is done in the weights of the last dense layer, so nothing else changes: not the
    answers, not the layers, and no map but by that factor.

    Args:
        network: A network that `residual_network` built.
        temperature: T.
    """
    calibrated = keras.models.clone_model(network)
    calibrated.set_weights(network.get_weights())
    scores = calibrated.get_layer("scores")
    scores.set_weights([weight / temperature for weight in scores.get_weights()])
    return calibrated

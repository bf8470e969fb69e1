"""Input gradients along a path from a baseline to the image: pure functions of a gradient.

`gradient` and the shapes are as in `input_gradient`.
"""

from typing import Any

import keras
from keras import ops

from .._types import GradientFunction, Images, ScoreFunction, Unpack
from ..arguments import number_in
from ..baselines import baseline_of, check_baseline
from ..estimates import Estimate
from ..explain import ImageArguments, ImageExplainerWithOptions
from ..maps import grid_axes
from ..registry import METHODS, Citation
from ..repeat import MOST_COPIES, mean_over


def straight_way(gradient: GradientFunction, images: Images, start: Images, steps: int) -> Any:
    """Integrate the gradient along the straight line to the images, by the midpoint rule.

    Args:
        gradient: Maps copies of the images to the score's gradient.
        images: Shape (batch, *size, channels).
        start: Where the way of each image begins, of the same shape.
        steps: How many parts it has.

    Returns:
        The integral times the way, summed over the channels: shape (batch, *size).
    """
    way = images - start

    def on_the_way(chosen: Any) -> Any:
        places = (ops.cast(chosen, images.dtype) + 0.5) / steps
        return start + ops.reshape(places, [-1] + [1] * len(images.shape)) * way

    slope = mean_over(lambda chosen: gradient(on_the_way(chosen)), steps, images, images)
    return ops.sum(way * slope, -1)


def check_integrated_gradients(steps: Any, baseline: Any) -> None:
    """Raise if an option of integrated gradients has a wrong type or value."""
    number_in("steps", steps, 1, MOST_COPIES)
    check_baseline(baseline)


@METHODS.register(
    title="Integrated gradients",
    class_name="IntegratedGradients",
    aliases=("IG",),
    passes="2 + {steps} forward, {steps} backward",
    check=check_integrated_gradients,
    signed=True,
    citation=Citation(
        "Sundararajan, Taly and Yan",
        2017,
        "Axiomatic Attribution for Deep Networks",
        "ICML",
        "https://arxiv.org/abs/1703.01365",
    ),
)
def integrated_gradients(
    gradient: GradientFunction,
    images: Images,
    score: ScoreFunction | None = None,
    *,
    steps: int = 32,
    baseline: Any = 0.0,
) -> Any:
    r"""Integrate the gradient along the straight line from a baseline to the image.

    $$M_{ij} = \sum_c (x_{ijc} - x'_{ijc}) \int_0^1
    \frac{\partial S}{\partial x_{ijc}}\big(x' + a\,(x - x')\big)\,da$$

    The integral is taken by the midpoint rule in `steps` steps. Completeness: the map sums to
    S(x) - S(x'), up to that rule's error, which the residual tells. The baseline is a number (0
    is black where images are 0 to 255), an array that fits the images, or a name.

    >>> x = ops.array([[[[1.0], [3.0]]]])
    >>> found = integrated_gradients(
    ...     lambda x: 2 * x, x, lambda x: ops.sum(x**2, (-3, -2, -1)))
    >>> found.maps.numpy().tolist(), found.residual.numpy().tolist()
    ([[[1.0, 9.0]]], [0.0])
    """
    check_integrated_gradients(steps, baseline)
    start = baseline_of(baseline, images)
    maps = straight_way(gradient, images, start, steps)
    if score is None:
        return maps
    change = score(images) - score(start)
    return Estimate(maps, residual=change - ops.sum(maps, grid_axes(maps)))


class IntegratedGradients(ImageExplainerWithOptions):
    r"""Explain by the gradient, integrated along the line from a baseline to the image.

    Complete: the raw, signed map sums to S(x) - S(x') up to `explanation.residual`, the error of
    the midpoint rule; more steps lower it.

    Args:
        steps: Steps of the midpoint rule; each costs a forward and a backward pass.
        baseline: What counts as nothing seen: a number, an array that fits one image, "mean" (each
            image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> explanation = IntegratedGradients(model, steps=4)(np.ones((1, 8, 8, 3)))
        >>> bool(np.isclose(explanation.maps.sum(), explanation.scores[0], rtol=1e-4))
        True
    """

    _method = "integrated_gradients"

    def __init__(
        self,
        model: keras.Model,
        *,
        steps: int = 32,
        baseline: Any = 0.0,
        **shared: Unpack[ImageArguments],
    ) -> None:
        super().__init__(model, steps=steps, baseline=baseline, **shared)

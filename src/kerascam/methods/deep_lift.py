"""DeepLIFT: differences from a baseline, brought back through the network."""

from typing import Any

import keras
from keras import ops

from .._types import Images, MultiplierFunction, ScoreFunction, Unpack
from ..baselines import baseline_of, check_baseline
from ..estimates import Estimate
from ..explain import ImageArguments, ImageExplainerWithOptions
from ..maps import grid_axes
from ..registry import METHODS, Citation


@METHODS.register(
    title="DeepLIFT",
    class_name="DeepLIFT",
    signed=True,
    check=check_baseline,
    passes="2 forward, 2 backward, and 1 forward",
    citation=Citation(
        "Shrikumar, Greenside and Kundaje",
        2017,
        "Learning Important Features Through Propagating Activation Differences",
        "ICML",
        "https://arxiv.org/abs/1704.02685",
    ),
)
def deep_lift(
    multipliers: MultiplierFunction,
    images: Images,
    score: ScoreFunction,
    *,
    baseline: Any = 0.0,
) -> Estimate:
    r"""Multiply each pixel's difference from a baseline by its share in the score's difference.

    $$M_{ij} = \sum_c m_{ijc}\,(x_{ijc} - x'_{ijc}),\qquad
    m_{y \leftarrow z} = \frac{y - y'}{z - z'}$$

    The rescale rule: $m$ is the gradient with every activation's derivative replaced by the slope
    between its values at the image and at the baseline. Of a maximum, as in max pooling, what the
    larger of the two has more goes to where it was taken. Where $z$ and $z'$ agree to rounding, the
    derivative stands. The map sums to $S(x) - S(x')$, up to the residual: zero but for rounding,
    unless different activations are multiplied by each other, go through a softmax, or are chosen
    by a condition, as in a thresholded ReLU: these have no rule and are named in the notes.

    >>> x = ops.array([[[[1.0], [3.0]]]])
    >>> found = deep_lift(
    ...     lambda x, start: x + start, x, lambda x: ops.sum(x**2, (-3, -2, -1)))  # of a square
    >>> found.maps.numpy().tolist(), found.residual.numpy().tolist()
    ([[[1.0, 9.0]]], [0.0])
    """
    check_baseline(baseline)
    start = baseline_of(baseline, images)
    maps = ops.sum((images - start) * multipliers(images, start), -1)
    change = score(images) - score(start)
    return Estimate(maps, residual=change - ops.sum(maps, grid_axes(maps)))


class DeepLIFT(ImageExplainerWithOptions):
    r"""Explain by DeepLIFT's rescale rule: how the score differs from that of a baseline.

    Signed, and complete in networks of layers and activations: the raw map sums to S(x) - S(x') up
    to `explanation.residual`. Unlike a gradient it sees what an activation that is saturated has
    done on the way.

    Args:
        baseline: What counts as nothing seen: a number, an array that fits one image, "mean" (each
            image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> explanation = DeepLIFT(model)(np.ones((1, 8, 8, 3)))
        >>> bool(abs(explanation.residual[0]) < 1e-5)
        True
    """

    _method = "deep_lift"

    def __init__(
        self,
        model: keras.Model,
        *,
        baseline: Any = 0.0,
        **shared: Unpack[ImageArguments],
    ) -> None:
        super().__init__(model, baseline=baseline, **shared)

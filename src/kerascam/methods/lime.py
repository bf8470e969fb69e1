"""LIME: a linear model of which segments are shown, fitted near the image."""

from typing import Any

import keras
from keras import ops

from .._types import Images, ScoreFunction, Unpack
from ..arguments import real_number
from ..errors import brief
from ..estimates import Estimate
from ..explain import SharedArguments, WholeModelExplainerWithOptions
from ..registry import METHODS, Citation
from .coalitions import lime_coalitions, ridge_fit
from .linear_surrogate import estimate, gains
from .segments import check_sampling, segments_of


def check_lime(
    samples: Any,
    cells: Any,
    segments: Any,
    kernel_width: Any,
    ridge: Any,
    seed: Any,
    baseline: Any,
) -> None:
    """Raise if an option of LIME has a wrong type or value."""
    check_sampling(samples, cells, segments, seed, baseline, least=1)
    if real_number("kernel_width", kernel_width) <= 0:
        raise ValueError(f"kernel_width must be positive, not {brief(kernel_width)}")
    if real_number("ridge", ridge) < 0:
        raise ValueError(f"ridge must be at least 0, not {brief(ridge)}")


@METHODS.register(
    title="LIME",
    class_name="LIME",
    signed=True,
    check=check_lime,
    passes="1 + {samples} forward",
    citation=Citation(
        "Ribeiro, Singh and Guestrin",
        2016,
        '"Why Should I Trust You?": Explaining the Predictions of Any Classifier',
        "KDD",
        "https://arxiv.org/abs/1602.04938",
    ),
)
def lime(
    score: ScoreFunction,
    images: Images,
    *,
    samples: int = 1000,
    cells: int = 7,
    segments: Any = None,
    kernel_width: float = 0.25,
    ridge: float = 1.0,
    seed: int = 0,
    baseline: Any = "mean",
) -> Estimate:
    r"""Fit a linear model of which segments are shown to the score, near the image.

    $$w = \arg\min_w \min_{w_0} \sum_i \pi(z_i)\Big(S(x_{z_i}) - w_0 - w \cdot z_i\Big)^2 +
    \lambda \lVert w \rVert^2,\qquad \pi(z) = e^{-D(z)^2 / 2 \sigma^2}$$

    Each segment is shown with probability ½. $D(z) = 1 - \sqrt{|z| / d}$ is the cosine distance to
    the whole image, $\sigma$ is `kernel_width`, $\lambda$ is `ridge`: the authors' choices for
    images. The map holds $w$: on the grid of cells, or on the pixels of the user's segments. All
    segments are fitted, where the paper selects some first. The standard errors are those of a
    least-squares fit, whatever the variance of each sample.

    >>> x = ops.array([[[[1.0], [2.0]], [[3.0], [4.0]]]])
    >>> found = lime(lambda x: ops.sum(x, (-3, -2, -1)), x, ridge=0.0, baseline=0.0)
    >>> found.maps.numpy().round(3).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]
    """
    check_lime(samples, cells, segments, kernel_width, ridge, seed, baseline)
    cut = segments_of(segments, cells, images)
    drawn, weights = lime_coalitions(cut.count, samples, kernel_width, seed)
    fit = ridge_fit(drawn, weights, ridge)
    # Over the image's own score, which the regression's constant takes up: so a constant score has
    # coefficients of zero, and not of rounding.
    found = gains(score, images, cut, drawn, baseline, score(images))
    coefficients = ops.matmul(ops.convert_to_tensor(fit, found.dtype), found)
    share = ops.convert_to_tensor((weights / weights.sum())[:, None], found.dtype)
    kept = ops.convert_to_tensor(drawn, found.dtype)
    left = found - ops.matmul(kept, coefficients)
    left = left - ops.sum(share * left, 0, keepdims=True)
    return estimate(cut, coefficients, left, fit)


class LIME(WholeModelExplainerWithOptions):
    r"""Explain by LIME: the coefficients of a linear model of which segments are shown.

    Without gradients, from the scores alone. `explanation.standard_errors` says how far the raw
    maps may be off by chance.

    Args:
        samples: How many images with segments hidden; each costs a forward pass.
        cells: How many cells the grid of segments has along each axis.
        segments: A whole number from 0 on for each pixel, shape (*size): the segment that it is in.
            The same for all images, so give superpixels of a photograph with it alone. None is the
            grid of `cells`.
        kernel_width: How near to the whole image a sample must be to count: the standard deviation
            of the kernel, of distances from 0 to 1.
        ridge: How much large coefficients are penalised; 0 is least squares.
        seed: Seed of the samples.
        baseline: What is shown of a hidden part: a number, an array that fits one image, "mean"
            (each image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> explanation = LIME(model, samples=100, cells=2)(np.ones((1, 8, 8, 3)))
        >>> explanation.maps.shape, explanation.heatmaps.shape
        ((1, 2, 2), (1, 8, 8))
    """

    _method = "lime"

    def __init__(
        self,
        model: keras.Model,
        *,
        samples: int = 1000,
        cells: int = 7,
        segments: Any = None,
        kernel_width: float = 0.25,
        ridge: float = 1.0,
        seed: int = 0,
        baseline: Any = "mean",
        **shared: Unpack[SharedArguments],
    ) -> None:
        super().__init__(
            model,
            samples=samples,
            cells=cells,
            segments=segments,
            kernel_width=kernel_width,
            ridge=ridge,
            seed=seed,
            baseline=baseline,
            **shared,
        )

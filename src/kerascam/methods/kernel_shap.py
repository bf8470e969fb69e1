"""KernelSHAP: Shapley values of segments by a weighted regression."""

from typing import Any

import keras
from keras import ops

from .._types import Images, ScoreFunction, Unpack
from ..baselines import baseline_of
from ..estimates import Estimate
from ..explain import SharedArguments, WholeModelExplainerWithOptions
from ..registry import METHODS, Citation
from .coalitions import shapley_coalitions, shapley_fit
from .linear_surrogate import estimate, gains
from .segments import check_sampling, segments_of


@METHODS.register(
    title="KernelSHAP",
    class_name="KernelSHAP",
    signed=True,
    check=check_sampling,
    passes="2 + {samples} forward",
    citation=Citation(
        "Lundberg and Lee",
        2017,
        "A Unified Approach to Interpreting Model Predictions",
        "NeurIPS",
        "https://arxiv.org/abs/1705.07874",
    ),
)
def kernel_shap(
    score: ScoreFunction,
    images: Images,
    *,
    samples: int = 2048,
    cells: int = 7,
    segments: Any = None,
    seed: int = 0,
    baseline: Any = "mean",
) -> Estimate:
    r"""Give each segment its Shapley value: its share of the change of the score.

    $$\varphi = \arg\min_\varphi \sum_z \pi(z) \Big(S(x_z) - S(x') - \varphi \cdot z\Big)^2,\quad
    \sum_j \varphi_j = S(x) - S(x'),\quad \pi(z) = \frac{d - 1}{\binom{d}{|z|} |z| (d - |z|)}$$

    If `samples` are enough for all $2^d - 2$ coalitions, they are all taken, and the values are
    exact; else coalitions are drawn by $\pi$, each with its complement. The sum is exact always:
    it is a constraint of the fit, and not a sample of great weight. The map holds $\varphi$: on the
    grid of cells, or on the pixels of the user's segments.

    >>> x = ops.array([[[[1.0], [2.0]], [[3.0], [4.0]]]])
    >>> found = kernel_shap(lambda x: ops.sum(x, (-3, -2, -1)), x, baseline=0.0)
    >>> found.maps.numpy().round(3).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]
    """
    check_sampling(samples, cells, segments, seed, baseline)
    cut = segments_of(segments, cells, images)
    drawn, weights, complete = shapley_coalitions(cut.count, samples, seed)
    fit, share = shapley_fit(drawn, weights)
    nothing = score(baseline_of(baseline, images))
    change = score(images) - nothing
    if len(drawn):
        found = gains(score, images, cut, drawn, baseline, nothing)
    else:  # of one segment, which is all the image
        found = ops.zeros((0, *ops.shape(nothing)), nothing.dtype)
    values = ops.matmul(ops.convert_to_tensor(fit, found.dtype), found)
    values = values + ops.convert_to_tensor(share, found.dtype)[:, None] * change
    residual = change - ops.sum(values, 0)
    if complete:
        return Estimate(cut.maps(values), ops.zeros_like(cut.maps(values)), residual)
    left = found - ops.matmul(ops.convert_to_tensor(drawn, found.dtype), values)
    return estimate(cut, values, left, fit, together=2, residual=residual)


class KernelSHAP(WholeModelExplainerWithOptions):
    r"""Explain by KernelSHAP: the Shapley value of each segment.

    The values sum to the change of the score from baseline to image. `explanation.standard_errors`
    says how far each may be off by chance; it is zero where all coalitions were taken.

    Args:
        samples: How many coalitions of segments; each costs a forward pass.
        cells: How many cells the grid of segments has along each axis.
        segments: A whole number from 0 on for each pixel, shape (*size): the segment that it is in.
            The same for all images, so give superpixels of a photograph with it alone. None is the
            grid of `cells`.
        seed: Seed of the coalitions.
        baseline: What is shown of a hidden part: a number, an array that fits one image, "mean"
            (each image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> explanation = KernelSHAP(model, cells=2)(np.ones((1, 8, 8, 3)))
        >>> explanation.maps.shape, bool(abs(explanation.residual[0]) < 1e-5)
        ((1, 2, 2), True)
    """

    _method = "kernel_shap"

    def __init__(
        self,
        model: keras.Model,
        *,
        samples: int = 2048,
        cells: int = 7,
        segments: Any = None,
        seed: int = 0,
        baseline: Any = "mean",
        **shared: Unpack[SharedArguments],
    ) -> None:
        super().__init__(
            model,
            samples=samples,
            cells=cells,
            segments=segments,
            seed=seed,
            baseline=baseline,
            **shared,
        )

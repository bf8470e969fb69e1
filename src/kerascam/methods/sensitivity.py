"""How much of the score's variance under random masks each segment is answerable for."""

from typing import Any

import keras
import numpy as np
from keras import ops

from .._types import Images, ScoreFunction, Unpack
from ..estimates import Estimate
from ..explain import SharedArguments, WholeModelExplainerWithOptions
from ..registry import METHODS, Citation
from .linear_surrogate import gains
from .segments import check_sampling, segments_of


@METHODS.register(
    title="Sobol attribution",
    class_name="SobolAttribution",
    aliases=("Sobol",),
    check=check_sampling,
    passes="1 forward, and {samples} per segment and for 2 more",
    citation=Citation(
        "Fel, Cadène, Chalvidal, Cord, Vigouroux and Serre",
        2021,
        "Look at the Variance! Efficient Black-box Explanations with Sobol-based Sensitivity "
        "Analysis",
        "NeurIPS",
        "https://arxiv.org/abs/2111.04138",
    ),
)
def sobol_attribution(
    score: ScoreFunction,
    images: Images,
    *,
    samples: int = 32,
    cells: int = 8,
    segments: Any = None,
    seed: int = 0,
    baseline: Any = 0.0,
) -> Estimate:
    r"""Give each segment its total Sobol index: its share of the variance of the score.

    $$S_{T_j} = \frac{1}{2N\,\mathrm{Var}\,S} \sum_{i=1}^N \big(S(a_i) - S(a_i^{(j)})\big)^2$$

    All interactions that a segment takes part in count as its own. Each is shown by a share between
    0 and 1. The $a_i$, and as many $b_i$ beside them, are
    a Latin hypercube, where the paper takes a Sobol sequence; $a_i^{(j)}$ is $a_i$ with segment $j$
    of $b_i$ (Jansen's estimator). A score that nothing changes has indices of zero. For a score
    that is additive the indices sum to 1; they say nothing of the sign.

    >>> x = ops.array([[[[1.0], [2.0]]]])
    >>> found = sobol_attribution(lambda x: ops.sum(x, (-3, -2, -1)), x, samples=1024)
    >>> found.maps.numpy().round(1).tolist()  # 1 and 4 parts of 5
    [[[0.2, 0.8]]]
    """
    check_sampling(samples, cells, segments, seed, baseline)
    cut = segments_of(segments, cells, images)
    drawn = _latin_hypercube(samples, 2 * cut.count, seed)
    first, second = drawn[:, : cut.count], drawn[:, cut.count :]
    swapped = np.repeat(first[None], cut.count, 0)
    each = np.arange(cut.count)
    swapped[each, :, each] = second.T
    every = np.concatenate([first, second, swapped.reshape(-1, cut.count)])
    found = gains(score, images, cut, every, baseline, score(images))
    batch = ops.shape(found)[1]
    base, changed = found[:samples], found[2 * samples :]
    changed = ops.reshape(changed, (cut.count, samples, batch))
    variance = ops.var(found[: 2 * samples], 0)
    halves = (base[None] - changed) ** 2 / 2  # (segments, samples, batch)
    indices = ops.divide_no_nan(ops.mean(halves, 1), variance)
    errors = ops.divide_no_nan(ops.std(halves, 1) / (samples - 1) ** 0.5, variance)
    return Estimate(cut.maps(indices), cut.maps(errors))


def _latin_hypercube(samples: int, axes: int, seed: int) -> Any:
    """Draw points in the unit cube, of which each has a slice of each axis to itself."""
    random = np.random.default_rng(seed)
    slices = random.permuted(np.tile(np.arange(samples), (axes, 1)), axis=1).T
    return (slices + random.random((samples, axes))) / samples


class SobolAttribution(WholeModelExplainerWithOptions):
    r"""Explain by Sobol indices: each segment's share of the variance of the score.

    Without gradients, from the scores alone. `explanation.standard_errors` says how far the raw
    maps may be off by chance.

    Args:
        samples: How many points in the space of masks; a power of two is usual. Each costs a
            forward pass, and one more for each segment.
        cells: How many cells the grid of segments has along each axis.
        segments: A whole number from 0 on for each pixel, shape (*size): the segment that it is in.
            The same for all images, so give superpixels of a photograph with it alone. None is the
            grid of `cells`.
        seed: Seed of the points.
        baseline: What is shown of a hidden part: a number, an array that fits one image, "mean"
            (each image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> SobolAttribution(model, samples=8, cells=2)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 2, 2)
    """

    _method = "sobol_attribution"

    def __init__(
        self,
        model: keras.Model,
        *,
        samples: int = 32,
        cells: int = 8,
        segments: Any = None,
        seed: int = 0,
        baseline: Any = 0.0,
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


@METHODS.register(
    title="HSIC attribution",
    class_name="HSICAttribution",
    aliases=("HSIC",),
    check=check_sampling,
    passes="1 + {samples} forward",
    citation=Citation(
        "Novello, Fel and Vigouroux",
        2022,
        "Making Sense of Dependence: Efficient Black-box Explanations Using Dependence Measure",
        "NeurIPS",
        "https://arxiv.org/abs/2206.06219",
    ),
)
def hsic_attribution(
    score: ScoreFunction,
    images: Images,
    *,
    samples: int = 1000,
    cells: int = 8,
    segments: Any = None,
    seed: int = 0,
    baseline: Any = 0.0,
) -> Estimate:
    r"""Measure how much the score depends on whether each segment is shown.

    $$\mathrm{HSIC}_j = \frac{1}{n^2} \mathrm{tr}(K_j H L H),\quad
    K_{j,ab} = e^{-2 (z_{aj} - z_{bj})^2},\quad L_{ab} = e^{-(S_a - S_b)^2 / 2 \sigma^2}$$

    Each segment is shown with probability ½; $H = I - \frac1n$ centres, and $\sigma$ is the
    scores' standard deviation, where the paper takes a median, which may be 0. A score that nothing
    changes has zeros. The standard errors are those of a V-statistic to first order; where nothing
    depends, they are too small.

    >>> x = ops.array([[[[1.0], [0.0]]]])
    >>> found = hsic_attribution(lambda x: ops.sum(x, (-3, -2, -1)), x, samples=200)
    >>> bool(found.maps[0, 0, 0] > 10 * found.maps[0, 0, 1])
    True
    """
    check_sampling(samples, cells, segments, seed, baseline)
    cut = segments_of(segments, cells, images)
    drawn = np.random.default_rng(seed).integers(0, 2, (samples, cut.count)).astype(float)
    found = gains(score, images, cut, drawn, baseline, score(images))
    centred = ops.convert_to_tensor(drawn - drawn.mean(0), found.dtype)
    # Of a binary z the kernel is 1 - (1 - 1/e²) (z_a - z_b)², which centred is this times z z'.
    factor = 2 * (1 - np.exp(-2))

    def of_image(scores: Any) -> Any:
        apart = ops.abs(scores[:, None] - scores[None])
        likeness = ops.exp(-0.5 * ops.divide_no_nan(apart, ops.std(scores)) ** 2)
        likeness = likeness - ops.mean(likeness, 0, keepdims=True)
        likeness = likeness - ops.mean(likeness, 1, keepdims=True)
        terms = factor / samples * centred * ops.matmul(likeness, centred)  # (samples, segments)
        return ops.stack([ops.relu(ops.mean(terms, 0)), 2 * ops.std(terms, 0) / samples**0.5])

    both = ops.map(of_image, ops.transpose(found))  # (batch, 2, segments)
    return Estimate(*(cut.maps(ops.transpose(both[:, each])) for each in (0, 1)))


class HSICAttribution(WholeModelExplainerWithOptions):
    r"""Explain by HSIC: how much the score depends on whether each segment is shown.

    Without gradients, from the scores alone, and with fewer passes than Sobol indices.

    Args:
        samples: How many masks; each costs a forward pass.
        cells: How many cells the grid of segments has along each axis.
        segments: A whole number from 0 on for each pixel, shape (*size): the segment that it is in.
            The same for all images, so give superpixels of a photograph with it alone. None is the
            grid of `cells`.
        seed: Seed of the masks.
        baseline: What is shown of a hidden part: a number, an array that fits one image, "mean"
            (each image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> HSICAttribution(model, samples=50, cells=2)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 2, 2)
    """

    _method = "hsic_attribution"

    def __init__(
        self,
        model: keras.Model,
        *,
        samples: int = 1000,
        cells: int = 8,
        segments: Any = None,
        seed: int = 0,
        baseline: Any = 0.0,
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

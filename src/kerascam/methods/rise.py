"""The score of the image under random masks, averaged over the masks that show a pixel."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .._types import Images, ScoreFunction, Unpack
from ..arguments import number_in, real_number
from ..baselines import baseline_of, check_baseline, float_type, hide
from ..errors import brief
from ..estimates import Estimate
from ..explain import SharedArguments, WholeModelExplainerWithOptions
from ..registry import METHODS, Citation
from ..repeat import MOST_COPIES, mean_and_error
from .places import over_all


def check_rise(samples: Any, cells: Any, probability: Any, seed: Any, baseline: Any) -> None:
    """Raise if an option of RISE has a wrong type or value."""
    number_in("samples", samples, 1, MOST_COPIES)
    number_in("cells", cells, 1)
    number_in("seed", seed, 0)
    if not 0 < real_number("probability", probability) < 1:
        raise ValueError(f"probability must be between 0 and 1, not {brief(probability)}")
    check_baseline(baseline)


@METHODS.register(
    title="RISE",
    class_name="RISE",
    signed=True,
    check=check_rise,
    normalize="minmax",
    passes="1 + {samples} forward",
    citation=Citation(
        "Petsiuk, Das and Saenko",
        2018,
        "RISE: Randomized Input Sampling for Explanation of Black-box Models",
        "BMVC",
        "https://arxiv.org/abs/1806.07421",
    ),
)
def rise(
    score: ScoreFunction,
    images: Images,
    *,
    samples: int = 2000,
    cells: int = 7,
    probability: float = 0.5,
    seed: int = 0,
    baseline: Any = 0.0,
) -> Estimate:
    r"""Average the score of the image under random masks over the masks that show a pixel.

    $$L = \frac{1}{N p} \sum_{i=1}^N S\big(x' + M_i \odot (x - x')\big) M_i$$

    $M_i$ is a grid of `cells` along each axis, each shown with probability $p$, enlarged by
    linear interpolation and moved by up to a cell, each mask by its own offset. The raw maps are
    scores, so that zero means nothing: scale them by "minmax", as the class does by default. All
    images of a batch meet the same masks. The standard error is that of a mean of $N$ terms.

    >>> ones = ops.ones((1, 4, 4, 1))
    >>> found = rise(lambda x: ops.sum(x, (-3, -2, -1)), ones, samples=50)
    >>> found.maps.shape == found.standard_errors.shape == (1, 4, 4)
    True
    """
    check_rise(samples, cells, probability, seed, baseline)
    axes, kind = len(images.shape) - 2, float_type(images)
    random = np.random.default_rng(seed)
    grids = ops.convert_to_tensor(random.random((samples, *[cells + 1] * axes)) < probability, kind)
    offsets = ops.convert_to_tensor(random.random((samples, axes)), kind)
    start = baseline_of(baseline, images)
    lengths = ops.shape(images)[1:-1]

    def term(chosen: Any) -> Any:
        masks = _enlarged(
            ops.take(grids, chosen, axis=0), ops.take(offsets, chosen, axis=0), lengths
        )[:, None]  # (n, 1, *size)
        scores = score(hide(images, masks, start))  # (n, batch)
        return ops.cast(over_all(scores, axes), kind) * masks / probability

    like = ops.zeros_like(images[..., 0], kind)
    return Estimate(*mean_and_error(term, samples, like, images))


def _enlarged(grids: Any, offsets: Any, lengths: Sequence[Any]) -> Any:
    """Enlarge a grid with one cell to spare along each axis, and take each mask's own part.

    Args:
        grids: Shape (n, cells + 1, ...).
        offsets: Shape (n, axes): where the part begins, as a share of a cell.
        lengths: Of the images.
    """
    cells = grids.shape[1] - 1
    for axis, length in enumerate(lengths):
        width = (length + cells - 1) // cells
        first = ops.floor(offsets[:, axis] * ops.cast(width, grids.dtype))
        pixels = ops.cast(ops.arange(length), grids.dtype) + 0.5
        places = (pixels[None] + first[:, None]) / ops.cast(width, grids.dtype) - 0.5
        places = ops.clip(places, 0, cells)[..., None]  # (n, pixels, 1)
        weights = ops.relu(1 - ops.abs(places - ops.cast(ops.arange(cells + 1), grids.dtype)))
        front = ops.moveaxis(grids, axis + 1, 1)
        shape = ops.shape(front)
        rows = ops.matmul(weights, ops.reshape(front, (shape[0], cells + 1, -1)))
        grids = ops.moveaxis(ops.reshape(rows, (shape[0], length, *shape[2:])), 1, axis + 1)
    return grids


class RISE(WholeModelExplainerWithOptions):
    r"""Explain by RISE: the score under random masks, averaged over those that show a pixel.

    Without gradients, from the scores alone. `explanation.standard_errors` says how far the raw
    maps may be off by chance; four times the samples halve it.

    Args:
        samples: How many masks; each costs a forward pass. The paper takes 4,000 to 8,000.
        cells: How many cells a mask has along each axis.
        probability: How likely a cell is shown.
        seed: Seed of the masks.
        baseline: What is shown of a hidden part: a number, an array that fits one image, "mean"
            (each image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> explanation = RISE(model, samples=50, cells=4)(np.ones((1, 8, 8, 3)))
        >>> explanation.heatmaps.shape, explanation.standard_errors.shape
        ((1, 8, 8), (1, 8, 8))
    """

    _method = "rise"

    def __init__(
        self,
        model: keras.Model,
        *,
        samples: int = 2000,
        cells: int = 7,
        probability: float = 0.5,
        seed: int = 0,
        baseline: Any = 0.0,
        **shared: Unpack[SharedArguments],
    ) -> None:
        super().__init__(
            model,
            samples=samples,
            cells=cells,
            probability=probability,
            seed=seed,
            baseline=baseline,
            **shared,
        )

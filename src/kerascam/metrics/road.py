"""ROAD: hide pixels so that the model cannot see from the hole itself what was there."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._host_types import Ask, Figures, HostHeatmaps, HostImages
from ..arguments import number_in, real_number
from ..arrays import as_type
from ..errors import brief
from ..table import Citation
from .conditions import check_alike, check_share, varies, where
from .filling import filled
from .ordering import asked, ranks_of
from .registry import METRICS

PERCENTAGES = (10, 20, 30, 40, 50, 60, 70, 80, 90)
ROAD = Citation(
    "Rong, Leemann, Borisov, Kasneci and Kasneci",
    2022,
    "A Consistent and Efficient Evaluation Strategy for Attribution Methods",
    "ICML",
    "https://arxiv.org/abs/2202.00449",
)


@METRICS.register(
    title="ROAD, strongest first",
    higher_is_better=False,
    bounds=(0, 1),
    citation=ROAD,
    requires=(varies,),
)
def road_most_first(
    probability: Ask,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    percentages: Sequence[float] = PERCENTAGES,
    noise: float = 0.01,
    seed: int = 0,
) -> Figures:
    r"""Average the probability while the strongest pixels are filled in from those around them.

    $$\frac{1}{|P|} \sum_{q \in P} p\big(x^{(q)}\big)$$

    A hidden pixel is the weighted mean of its eight neighbours, hidden ones too, 1/6 of the nearest
    and 1/12 of the diagonal ones, and noise. The paper counts which share of the images is still
    classified correctly; the probability says the same of one image. The noise is the same for
    all images. Pixels of equal value keep the order of their index.

    Args:
        probability: Copies of the images to probabilities.
        images: Shape (batch, height, width, channels).
        heatmaps: Shape (batch, height, width).
        percentages: Of the pixels that are hidden, each from 0 to 100, and below 100.
        noise: The standard deviation of the noise, as a share of each image's range of values.
        seed: The seed of the noise.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, these have not two axes, or an option has
            a wrong value.

    Example:
        >>> images, heat = np.ones((1, 4, 4, 1)), np.eye(4)[None]
        >>> road_most_first(lambda x: x.mean((-3, -2, -1)), images, heat).round(6).tolist()
        [1.0]
    """
    ranks = ranks_of(heatmaps)
    return _road(probability, images, heatmaps, ranks, percentages, noise, seed)


@METRICS.register(
    title="ROAD, weakest first",
    higher_is_better=True,
    bounds=(0, 1),
    citation=ROAD,
    requires=(varies,),
)
def road_least_first(
    probability: Ask,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    percentages: Sequence[float] = PERCENTAGES,
    noise: float = 0.01,
    seed: int = 0,
) -> Figures:
    r"""Average the probability while the weakest pixels are filled in from those around them.

    $$\frac{1}{|P|} \sum_{q \in P} p\big(x^{(q)}_{\text{weakest first}}\big)$$

    As `road_most_first`, in the opposite order; pixels of equal value keep the order of their index
    here too.

    Args:
        probability: Copies of the images to probabilities.
        images: Shape (batch, height, width, channels).
        heatmaps: Shape (batch, height, width).
        percentages: As for `road_most_first`.
        noise: As for `road_most_first`.
        seed: As for `road_most_first`.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, these have not two axes, or an option has
            a wrong value.

    Example:
        >>> images, heat = np.ones((1, 4, 4, 1)), np.eye(4)[None]
        >>> road_least_first(lambda x: x.mean((-3, -2, -1)), images, heat).round(6).tolist()
        [1.0]
    """
    ranks = ranks_of(heatmaps, strongest_first=False)
    return _road(probability, images, heatmaps, ranks, percentages, noise, seed)


def _road(
    probability: Ask,
    images: HostImages,
    heatmaps: HostHeatmaps,
    ranks: np.ndarray,
    percentages: Sequence[float],
    noise: float,
    seed: int,
) -> Figures:
    check_alike(heatmaps, images=images)
    if images.ndim != 4:
        raise ValueError(f"images must have two axes for ROAD, not shape {images.shape}")
    check_share("noise", noise)
    shares = np.array([real_number("percentages", each) / 100 for each in percentages])
    if not len(shares) or (shares < 0).any() or (shares >= 1).any():
        raise ValueError(
            f"percentages must be numbers from 0 to 100, and below it, not {brief(percentages)}"
        )
    generator = np.random.default_rng(number_in("seed", seed, 0))
    values = images.astype(np.float64)
    flat = values.reshape(len(values), -1)
    ranges = (flat.max(1) - flat.min(1)).reshape(-1, 1, 1, 1)
    ranks = ranks.reshape(heatmaps.shape)
    counts = np.rint(shares * heatmaps[0].size).astype(int)
    added = noise * generator.standard_normal((len(counts), *images.shape[1:]))

    def copies(chosen: np.ndarray) -> np.ndarray:
        return as_type(images.dtype, np.stack([one(point) for point in chosen]))

    def one(point: Any) -> np.ndarray:
        hidden = np.broadcast_to((ranks < counts[point])[..., None], images.shape)
        smooth = np.stack([filled(*each) for each in zip(values, ~hidden, strict=True)])
        return np.where(hidden, smooth + added[point] * ranges, values)

    return where(varies(heatmaps), asked(probability, copies, len(counts), images).mean(0))

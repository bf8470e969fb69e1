"""Metrics of what a model says of an image that is seen through its map."""

from typing import Any

import numpy as np
from keras import ops

from .._host_types import Ask, Explain, Figures, HostHeatmaps, HostImages
from ..baselines import hide
from ..table import Citation
from .conditions import check_alike, shows_evidence, varies, where
from .ordering import asked, start_of
from .registry import METRICS
from .similarity import correlation

GRAD_CAM_PLUS_PLUS = Citation(
    "Chattopadhay, Sarkar, Howlader and Balasubramanian",
    2018,
    "Grad-CAM++: Generalized Gradient-Based Visual Explanations for Deep Convolutional Networks",
    "WACV",
    "https://arxiv.org/abs/1710.11063",
)


@METRICS.register(
    title="Average drop",
    higher_is_better=False,
    bounds=(0, 1),
    citation=GRAD_CAM_PLUS_PLUS,
)
def average_drop(
    probability: Ask, images: HostImages, heatmaps: HostHeatmaps, *, baseline: Any = 0.0
) -> Figures:
    r"""Compute the share of the probability that is lost if the image is seen through the map.

    $$\frac{\max\big(0,\, p(x) - p(x \odot M)\big)}{p(x)}$$

    The average of the name is that over images. Where the map is below 0, it hides; where it is
    above 1, it shows. A map that is 1 everywhere loses nothing: read it beside a metric of the
    map's size, such as `adcc`. The paper writes it in percent.

    Args:
        probability: Copies of the images to probabilities.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size), in [0, 1].
        baseline: What is seen where the map is 0; 0 in the paper, in the values that the model
            takes. Otherwise as for `deletion`.

    Returns:
        Shape (batch,).

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> image, heat = np.array([[[1.0], [1.0]]]), np.array([[0.5, 0.0]])
        >>> average_drop(lambda x: x.mean((-2, -1)), image, heat).tolist()
        [0.75]
    """
    whole, seen = _whole_and_seen(probability, images, heatmaps, baseline)
    return _share(np.maximum(whole - seen, 0), whole)


@METRICS.register(
    title="Average increase",
    higher_is_better=True,
    bounds=(0, 1),
    citation=GRAD_CAM_PLUS_PLUS,
)
def average_increase(
    probability: Ask, images: HostImages, heatmaps: HostHeatmaps, *, baseline: Any = 0.0
) -> Figures:
    r"""Tell whether the probability rises if the image is seen through the map.

    $$\mathbb{1}\big[p(x \odot M) > p(x)\big]$$

    The average of the name is that over images.

    Args:
        probability: Copies of the images to probabilities.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size), in [0, 1].
        baseline: As for `average_drop`.

    Returns:
        Shape (batch,), 0 or 1.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> image, heat = np.array([[[0.5], [-0.1]]]), np.array([[1.0, 0.0]])
        >>> average_increase(lambda x: x.sum((-2, -1)), image, heat).tolist()
        [1.0]
    """
    whole, seen = _whole_and_seen(probability, images, heatmaps, baseline)
    return where(np.isfinite(whole) & np.isfinite(seen), (seen > whole).astype(np.float64))


@METRICS.register(
    title="Average gain",
    higher_is_better=True,
    bounds=(0, 1),
    citation=Citation(
        "Zhang, Torres, Sicre, Avrithis and Ayache",
        2023,
        "Opti-CAM: Optimizing saliency maps for interpretability",
        "Computer Vision and Image Understanding",
        "https://arxiv.org/abs/2301.07002",
    ),
)
def average_gain(
    probability: Ask, images: HostImages, heatmaps: HostHeatmaps, *, baseline: Any = 0.0
) -> Figures:
    r"""Compute which share of what is missing to 1 the probability gains through the map.

    $$\frac{\max\big(0,\, p(x \odot M) - p(x)\big)}{1 - p(x)}$$

    The counterpart of `average_drop`. It is 0 if nothing is missing to 1.

    Args:
        probability: Copies of the images to probabilities.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size), in [0, 1].
        baseline: As for `average_drop`.

    Returns:
        Shape (batch,).

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> image, heat = np.array([[[0.5], [-0.25]]]), np.array([[1.0, 0.0]])
        >>> average_gain(lambda x: x.sum((-2, -1)), image, heat).tolist()
        [0.3333]
    """
    whole, seen = _whole_and_seen(probability, images, heatmaps, baseline)
    return np.where(whole == 1, 0.0, _share(np.maximum(seen - whole, 0), 1 - whole))


@METRICS.register(
    title="ADCC",
    higher_is_better=True,
    bounds=(0, 1),
    citation=Citation(
        "Poppi, Cornia, Baraldi and Cucchiara",
        2021,
        "Revisiting The Evaluation of Class Activation Mapping for Explainability",
        "CVPR Workshops",
        "https://arxiv.org/abs/2104.10252",
    ),
    requires=(varies, shows_evidence),
)
def adcc(
    probability: Ask,
    explain: Explain,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    baseline: Any = 0.0,
) -> Figures:
    r"""Combine how coherent, how small and how sufficient a map is, by their harmonic mean.

    $$\frac{3}{\frac{1}{\text{coherency}} + \frac{1}{1 - \text{complexity}} + \frac{1}{1 -
    \text{drop}}}$$

    Coherency is the correlation of the map of $x$ and that of $x \odot M$, from [−1, 1] to [0, 1];
    complexity the mean of the map; drop that of `average_drop`. It is 0 if any part is. The map of
    an image that shows none any more counts as not correlated.

    Args:
        probability: Copies of the images to probabilities.
        explain: Images to heatmaps.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size), in [0, 1].
        baseline: As for `average_drop`.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> image, heat = np.array([[[1.0], [0.0]]]), np.array([[1.0, 0.0]])
        >>> adcc(lambda x: x.sum((-2, -1)), lambda x: x[..., 0], image, heat).tolist()
        [0.75]
    """
    check_alike(heatmaps, images=images)
    again = np.asarray(explain(_seen(images, heatmaps, baseline)))
    coherency = (1 + correlation(heatmaps, again)) / 2
    complexity = np.clip(heatmaps, 0, 1).reshape(len(heatmaps), -1).mean(1)
    drop = average_drop(probability, images, heatmaps, baseline=baseline)
    parts = np.stack([coherency, 1 - complexity, 1 - drop])
    with np.errstate(divide="ignore"):
        found = 3 / (1 / parts).sum(0)  # 1 / 0 is infinity, and 3 / infinity 0
    return where(varies(heatmaps), found)


def _whole_and_seen(
    ask: Ask, images: HostImages, heatmaps: HostHeatmaps, baseline: Any
) -> tuple[np.ndarray, np.ndarray]:
    check_alike(heatmaps, images=images)
    both = np.stack([images, _seen(images, heatmaps, baseline)])
    whole, seen = asked(ask, lambda chosen: both[chosen], 2, images)
    return whole, seen


def _seen(images: HostImages, heatmaps: HostHeatmaps, baseline: Any) -> HostImages:
    shown = ops.convert_to_tensor(np.clip(heatmaps, 0, 1))[None]
    start = ops.convert_to_tensor(start_of(baseline, images))
    return np.asarray(hide(ops.convert_to_tensor(images), shown, start))[0]


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide; NaN where there is nothing to divide by."""
    fine = whole != 0
    return np.where(fine, part / np.where(fine, whole, 1), np.nan)

"""Metrics of what a model says while pixels are hidden or shown in the order of a map."""

from typing import Any

import numpy as np

from .._host_types import Ask, Figures, HostHeatmaps, HostImages
from ..arguments import number_in
from ..table import Citation
from .conditions import check_alike, check_share, varies, where
from .ordering import area, counts_of, curve, ranks_of, start_of
from .registry import METRICS

RISE = Citation(
    "Petsiuk, Das and Saenko",
    2018,
    "RISE: Randomized Input Sampling for Explanation of Black-box Models",
    "BMVC",
    "https://arxiv.org/abs/1806.07421",
)


@METRICS.register(
    title="Deletion",
    higher_is_better=False,
    bounds=(0, 1),
    citation=RISE,
    requires=(varies,),
)
def deletion(
    probability: Ask,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    steps: int = 32,
    baseline: Any = "mean",
) -> Figures:
    r"""Integrate the probability while the strongest pixels of the map are hidden first.

    $$\int_0^1 p\big(x^{(s)}\big)\, ds$$

    $x^{(s)}$ is the image with the share $s$ of its pixels hidden; the integral is that of
    trapezoids, both ends included. The authors hide pixels by zeros of normalised values, which is
    the mean colour of their data set; here it is the image's own. Pixels of equal value keep the
    order of their index.

    Args:
        probability: Copies of the images to probabilities.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        steps: How many steps there are from the image to nothing.
        baseline: What a hidden pixel shows: "mean" (each image's mean colour), "blur", a number, or
            an array that fits one image.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> image, heat = np.array([[[1.0], [0.0]]]), np.array([[1.0, 0.0]])
        >>> deletion(lambda x: x.sum((-2, -1)), image, heat, baseline=0.0).tolist()
        [0.25]
    """
    return _area(probability, images, heatmaps, steps, start_of(baseline, images), hide=True)


@METRICS.register(
    title="Insertion",
    higher_is_better=True,
    bounds=(0, 1),
    citation=RISE,
    requires=(varies,),
)
def insertion(
    probability: Ask,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    steps: int = 32,
    baseline: Any = "blur",
) -> Figures:
    r"""Integrate the probability while the strongest pixels of the map are shown first.

    $$\int_0^1 p\big(x^{[s]}\big)\, ds$$

    $x^{[s]}$ is the baseline, by default the image after a Gaussian filter, with the share $s$ of
    the image's pixels in it; the integral is that of trapezoids, both ends included. Pixels of
    equal value keep the order of their index.

    Args:
        probability: Copies of the images to probabilities.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        steps: How many steps there are from nothing to the image.
        baseline: As for `deletion`.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> image, heat = np.array([[[1.0], [0.0]]]), np.array([[1.0, 0.0]])
        >>> insertion(lambda x: x.sum((-2, -1)), image, heat, baseline=0.0).tolist()
        [0.75]
    """
    return _area(probability, images, heatmaps, steps, start_of(baseline, images), hide=False)


@METRICS.register(
    title="Symmetric relevance gain",
    higher_is_better=True,
    bounds=(-1, 1),
    citation=Citation(
        "Blücher, Vielhaben and Strodthoff",
        2024,
        "Decoupling Pixel Flipping and Occlusion Strategy for Consistent XAI Benchmarks",
        "TMLR",
        "https://arxiv.org/abs/2401.06654",
    ),
    requires=(varies,),
)
def symmetric_relevance_gain(
    probability: Ask,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    steps: int = 32,
    baseline: Any = "mean",
) -> Figures:
    r"""Subtract the area of hiding the strongest pixels first from that of hiding them last.

    $$\int_0^1 p\big(x^{(s)}_{\text{weakest first}}\big) - p\big(x^{(s)}_{\text{strongest
    first}}\big)\, ds$$

    What a hidden pixel shows disturbs both terms alike, so that their difference depends on it less
    than either. It is 0 in the mean of maps in random order, and changes its sign with the map.
    Pixels of equal value keep the order of their index in both terms.

    Args:
        probability: Copies of the images to probabilities.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        steps: How many steps there are from the image to nothing, in each order.
        baseline: As for `deletion`.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> image, heat = np.array([[[1.0], [0.0]]]), np.array([[1.0, 0.0]])
        >>> ask = lambda x: x.sum((-2, -1))
        >>> symmetric_relevance_gain(ask, image, heat, baseline=0.0).tolist()
        [0.5]
    """
    start = start_of(baseline, images)
    last = _area(probability, images, -heatmaps, steps, start, hide=True)
    return last - _area(probability, images, heatmaps, steps, start, hide=True)


@METRICS.register(
    title="Pixel flipping",
    higher_is_better=True,
    bounds=(None, None),
    citation=Citation(
        "Samek, Binder, Montavon, Bach and Müller",
        2017,
        "Evaluating the Visualization of What a Deep Neural Network Has Learned",
        "IEEE Transactions on Neural Networks and Learning Systems",
        "https://arxiv.org/abs/1509.06321",
    ),
    requires=(varies,),
)
def pixel_flipping(
    score: Ask,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    steps: int = 32,
    baseline: Any = "mean",
) -> Figures:
    r"""Average what the score loses while the strongest pixels of the map are hidden first.

    $$\frac{1}{L + 1} \sum_{k=0}^{L} S(x) - S\big(x^{(k)}\big)$$

    The area over the perturbation curve (AOPC), after $k$ of $L$ steps. The paper replaces regions
    of 9 × 9 pixels by random colours; here each step replaces as many pixels as the others, by the
    baseline, so that the figure has no seed. Pixels of equal value keep the order of their index.

    Args:
        score: Copies of the images to scores.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        steps: How many steps there are from the image to nothing.
        baseline: As for `deletion`.

    Returns:
        Shape (batch,), in the units of the scores; NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> image, heat = np.array([[[4.0], [0.0]]]), np.array([[1.0, 0.0]])
        >>> pixel_flipping(lambda x: x.sum((-2, -1)), image, heat, steps=1, baseline=0.0).tolist()
        [2.0]
    """
    values, _ = _curve(score, images, heatmaps, steps, start_of(baseline, images), hide=True)
    return where(varies(heatmaps), (values[0] - values).mean(0))


@METRICS.register(
    title="Effective complexity",
    higher_is_better=False,
    bounds=(0, 1),
    citation=Citation(
        "Nguyen and Martínez",
        2020,
        "On quantitative aspects of model interpretability",
        "arXiv",
        "https://arxiv.org/abs/2007.07584",
    ),
    requires=(varies,),
)
def effective_complexity(
    probability: Ask,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    tolerance: float = 0.1,
    steps: int = 32,
    baseline: Any = "mean",
) -> Figures:
    r"""Find the least share of pixels, strongest first, that is enough for the probability.

    $$\min \big\{ s : p\big(x^{[s]}\big) \ge (1 - \varepsilon)\, p(x) \big\}$$

    $x^{[s]}$ is the baseline with the share $s$ of the image's pixels in it. The paper takes the
    expected loss over values of the pixels that are left out; here these show the baseline, as
    sampling them needs a model of images. Pixels of equal value keep the order of their index.

    Args:
        probability: Copies of the images to probabilities.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        tolerance: ε: the share of the probability that may be missing.
        steps: How many shares are tried.
        baseline: As for `deletion`.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> image, heat = np.array([[[1.0], [0.0]]]), np.array([[1.0, 0.0]])
        >>> effective_complexity(lambda x: x.sum((-2, -1)), image, heat, baseline=0.0).tolist()
        [0.5]
    """
    check_share("tolerance", tolerance)
    values, counts = _curve(
        probability, images, heatmaps, steps, start_of(baseline, images), hide=False
    )
    enough = values >= (1 - tolerance) * values[-1]  # of all pixels always, unless it is NaN
    found = counts[enough.argmax(0)] / counts[-1]
    return where(varies(heatmaps) & enough[-1], found)


def _area(
    ask: Ask, images: HostImages, heatmaps: HostHeatmaps, steps: int, start: Any, *, hide: bool
) -> Figures:
    return where(varies(heatmaps), area(*_curve(ask, images, heatmaps, steps, start, hide=hide)))


def _curve(
    ask: Ask, images: HostImages, heatmaps: HostHeatmaps, steps: int, start: Any, *, hide: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve, (points, batch), and how many pixels are changed at each point."""
    check_alike(heatmaps, images=images)
    counts = counts_of(number_in("steps", steps, 1), heatmaps[0].size)
    before, after = (images, start) if hide else (start, images)
    return curve(ask, before, after, ranks_of(heatmaps), counts), counts

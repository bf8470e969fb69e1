"""Metrics of whether a map says by how much the score changes if parts of the image do."""

from typing import Any, Literal

import numpy as np

from .._host_types import Ask, Figures, HostHeatmaps, HostImages
from ..arguments import number_in
from ..arrays import as_type
from ..errors import brief
from ..table import Citation
from .cells import cells_of, count_of, losses, random_subsets, sums_of
from .conditions import attributions_vary, check_alike, check_share, where
from .ordering import asked, start_of
from .registry import METRICS

_NOTHING = 1e-9  # of the size of numbers: their rounding, no change


@METRICS.register(
    title="μ-fidelity",
    higher_is_better=True,
    bounds=(-1, 1),
    citation=Citation(
        "Bhatt, Weller and Moura",
        2020,
        "Evaluating and Aggregating Feature-based Model Explanations",
        "IJCAI",
        "https://arxiv.org/abs/2005.00631",
    ),
    requires=(attributions_vary,),
)
def mu_fidelity(
    score: Ask,
    images: HostImages,
    attributions: HostHeatmaps,
    *,
    share: float = 0.2,
    subsets: int = 128,
    cells: int = 8,
    baseline: Any = "mean",
    seed: int = 0,
) -> Figures:
    r"""Correlate the map's sum over random cells with what the score loses without them.

    $$\operatorname{corr}_{T}\Big(\sum_{i \in T} M_i,\; S(x) - S(x_{T \leftarrow x'})\Big),
    \qquad |T| = k$$

    Pearson's correlation, as in the paper, over random subsets $T$ of $k$ cells; of single pixels
    the score hardly changes. The subsets are the same for all images. A linear score and the map
    $v \odot (x - x')$ have 1.

    Args:
        score: Copies of the images to scores.
        images: Shape (batch, *size, channels).
        attributions: Shape (batch, *size).
        share: The share of the cells that a subset hides.
        subsets: How many subsets are drawn.
        cells: How many cells there are along each axis.
        baseline: What a hidden cell shows, as for `deletion`.
        seed: The seed of the subsets.

    Returns:
        Shape (batch,); NaN if the map, or the score over all subsets, does not vary.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the maps do not fit the images, or an option has a wrong value.

    Example:
        >>> image = np.arange(4.0).reshape(1, 4, 1)
        >>> mu_fidelity(lambda x: x.sum((-2, -1)), image, image[..., 0], baseline=0.0).tolist()
        [1.0]
    """
    check_alike(attributions, images=images)
    check_share("share", share)
    number_in("subsets", subsets, 2)
    labels, count = _cells(images, cells)
    size = min(max(1, round(share * count)), count)
    hidden = random_subsets(count, size, subsets, [number_in("seed", seed, 0)])
    return _fidelity(score, images, attributions, labels, hidden, start_of(baseline, images))


@METRICS.register(
    title="Sensitivity-n",
    higher_is_better=True,
    bounds=(-1, 1),
    citation=Citation(
        "Ancona, Ceolini, Öztireli and Gross",
        2018,
        "Towards better understanding of gradient-based attribution methods for Deep Neural "
        "Networks",
        "ICLR",
        "https://arxiv.org/abs/1711.06104",
    ),
    requires=(attributions_vary,),
)
def sensitivity_n(
    score: Ask,
    images: HostImages,
    attributions: HostHeatmaps,
    *,
    points: int = 6,
    subsets: int = 32,
    cells: int = 8,
    baseline: Any = 0.0,
    seed: int = 0,
) -> Figures:
    r"""Average the correlation of the map's sums with the score's losses over subsets' sizes.

    $$\frac{1}{|N|} \sum_{n \in N} \operatorname{corr}_{|T| = n}\Big(\sum_{i \in T} M_i,\; S(x) -
    S(x_{T \leftarrow x'})\Big)$$

    The sizes $N$ grow by a constant factor, from one cell to four fifths of all, as in the paper,
    which shows the curve over $n$ and hides features by zeros. The subsets are the same for all
    images. Sizes at which the map or the score does not vary are left out.

    Args:
        score: Copies of the images to scores.
        images: Shape (batch, *size, channels).
        attributions: Shape (batch, *size).
        points: How many sizes there are.
        subsets: How many subsets of each size are drawn.
        cells: How many cells there are along each axis.
        baseline: What a hidden cell shows, as for `deletion`.
        seed: The seed of the subsets.

    Returns:
        Shape (batch,); NaN if the map, or the score over all subsets, does not vary.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the maps do not fit the images, or an option has a wrong value.

    Example:
        >>> image = np.arange(4.0).reshape(1, 4, 1)
        >>> sensitivity_n(lambda x: x.sum((-2, -1)), image, image[..., 0]).tolist()
        [1.0]
    """
    check_alike(attributions, images=images)
    number_in("points", points, 1)
    number_in("subsets", subsets, 2)
    number_in("seed", seed, 0)
    labels, count = _cells(images, cells)
    sizes = np.unique(np.rint(np.geomspace(1, max(1.0, 0.8 * count), points)).astype(int))
    start = start_of(baseline, images)
    found = np.stack(
        [
            _fidelity(
                score,
                images,
                attributions,
                labels,
                random_subsets(count, int(size), subsets, [seed, int(size)]),
                start,
            )
            for size in sizes
        ]
    )
    known = np.isfinite(found)
    total = np.where(known, found, 0).sum(0)
    return where(known.any(0), total / np.maximum(known.sum(0), 1))


@METRICS.register(
    title="Infidelity",
    higher_is_better=False,
    bounds=(0, None),
    citation=Citation(
        "Yeh, Hsieh, Suggala, Inouye and Ravikumar",
        2019,
        "On the (In)fidelity and Sensitivity of Explanations",
        "NeurIPS",
        "https://arxiv.org/abs/1901.09392",
    ),
    requires=(attributions_vary,),
)
def infidelity(
    score: Ask,
    images: HostImages,
    attributions: HostHeatmaps,
    *,
    perturbation: Literal["patch", "noise"] = "patch",
    scaled: bool = True,
    samples: int = 128,
    deviation: float = 0.2,
    baseline: Any = "mean",
    seed: int = 0,
) -> Figures:
    r"""Average the squared error of the change of the score that the map says.

    $$\min_{\beta \ge 0}\, \mathbb{E}_I\Big[\big(\beta\, I^\top M - (S(x) - S(x - I))\big)^2\Big]$$

    With "patch", $I$ hides a random box, and $I^\top M$ is the map's sum over it: for maps that
    share out the score, $M = v \odot (x - x')$. With "noise", $I$ is Gaussian noise, the same in
    all channels: for maps that are gradients. The factor $\beta$ makes it independent of the map's
    unit, which class activation maps do not have in common with the score. It is in the authors'
    code and not in their formula; that it is not negative is added here, as a map of the opposite
    sign would be as good. The boxes and the noise are the same for all images.

    Args:
        score: Copies of the images to scores.
        images: Shape (batch, *size, channels).
        attributions: Shape (batch, *size).
        perturbation: "patch" or "noise".
        scaled: Whether the best β is taken; else it is 1.
        samples: How many perturbations are drawn.
        deviation: The standard deviation of the noise, as a share of each image's range of values.
        baseline: What a hidden box shows, as for `deletion`.
        seed: The seed of the perturbations.

    Returns:
        Shape (batch,), in squared units of the score; NaN of a map that does not vary.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the maps do not fit the images, or an option has a wrong value.

    Example:
        >>> image = np.arange(4.0).reshape(1, 4, 1)
        >>> infidelity(lambda x: x.sum((-2, -1)), image, image[..., 0], baseline=0.0).round(9)
        array([0.])
    """
    check_alike(attributions, images=images)
    number_in("samples", samples, 1)
    if perturbation not in ("patch", "noise"):
        raise ValueError(f'perturbation must be "patch" or "noise", not {brief(perturbation)}')
    generator = np.random.default_rng(number_in("seed", seed, 0))
    size = images.shape[1:-1]
    if perturbation == "patch":
        changes = _boxes(size, samples, generator)
        start = start_of(baseline, images)

        def changed(chosen: np.ndarray) -> np.ndarray:
            return np.where(changes[chosen][:, None, ..., None], start, images)

        said = _products(attributions, changes)
    else:
        check_share("deviation", deviation)
        changes = deviation * generator.standard_normal((samples, *size))
        flat = images.reshape(len(images), -1).astype(np.float64)
        ranges = flat.max(1) - flat.min(1)

        def changed(chosen: np.ndarray) -> np.ndarray:
            noise = changes[chosen][:, None] * ranges.reshape(-1, *[1] * len(size))
            return as_type(images.dtype, images - noise[..., None])

        said = _products(attributions, changes) * ranges
    whole = np.asarray(score(images[None]), np.float64)
    lost = whole - asked(score, changed, samples, images)
    factor: Any = 1.0
    if scaled:
        power = (said**2).sum(0)
        factor = np.maximum((said * lost).sum(0), 0) / np.where(power > 0, power, 1)
    return where(attributions_vary(attributions), ((factor * said - lost) ** 2).mean(0))


def _fidelity(
    score: Ask,
    images: HostImages,
    attributions: HostHeatmaps,
    labels: np.ndarray,
    hidden: np.ndarray,
    start: HostImages,
) -> Figures:
    said = hidden.astype(np.float64) @ sums_of(attributions, labels).T  # (subsets, batch)
    lost = losses(score, images, start, labels, hidden)
    apart = [each - each.mean(0) for each in (said, lost)]
    sizes = [
        np.sqrt((each**2).sum(0)) > _NOTHING * np.abs(whole).max(0) * len(whole)
        for each, whole in zip(apart, (said, lost), strict=True)
    ]
    fine = sizes[0] & sizes[1]
    norms = np.sqrt((apart[0] ** 2).sum(0) * (apart[1] ** 2).sum(0))
    found = (apart[0] * apart[1]).sum(0) / np.where(fine, norms, 1)
    return where(fine & attributions_vary(attributions), found)


def _cells(images: HostImages, cells: int) -> tuple[np.ndarray, int]:
    size = images.shape[1:-1]
    number_in("cells", cells, 1)
    return cells_of(size, cells), count_of(size, cells)


def _boxes(size: Any, count: int, generator: np.random.Generator) -> np.ndarray:
    """Draw boxes of up to half of each axis, shape (count, *size)."""
    inside = np.ones((count, *[1] * len(size)), bool)
    for axis, length in enumerate(size):
        side = generator.integers(1, max(1, length // 2) + 1, count)
        first = np.floor(generator.random(count) * (length - side + 1)).astype(int)
        places = np.arange(length)[None]
        along = (places >= first[:, None]) & (places < (first + side)[:, None])
        inside = inside & along.reshape(count, *[1] * axis, length, *[1] * (len(size) - axis - 1))
    return inside


def _products(attributions: HostHeatmaps, changes: np.ndarray) -> np.ndarray:
    """Sum each map, weighed by each change: (samples, batch)."""
    flat = changes.reshape(len(changes), -1).astype(np.float64)
    return flat @ attributions.reshape(len(attributions), -1).astype(np.float64).T

"""F-Fidelity: hide a few of a map's pixels at random, and ask a model that was tuned to that."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from .._host_types import Ask, Figures, HostClassIds, HostHeatmaps, HostImages
from ..arguments import number_in, real_number
from ..errors import brief
from ..table import Citation
from .conditions import check_alike, check_share, varies, where
from .ordering import asked, ranks_of, start_of
from .registry import METRICS

Draws = Bool[np.ndarray, "draws pixels"]


@METRICS.register(
    title="F-Fidelity",
    higher_is_better=True,
    bounds=(-1, 1),
    citation=Citation(
        "Zheng, Shirani, Chen, Lin, Cheng, Guo and Luo",
        2025,
        "F-Fidelity: A Robust Framework for Faithfulness Evaluation of Explainable AI",
        "ICLR",
        "https://arxiv.org/abs/2410.02970",
    ),
    requires=(varies,),
)
def f_fidelity(
    probability: Ask,
    classes: HostClassIds,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    tuned: Callable[[Any], Any] | None = None,
    sizes: Sequence[float] = (0.2, 0.4, 0.6, 0.8),
    chance: float = 0.5,
    most: float = 0.1,
    samples: int = 16,
    baseline: Any = "mean",
    seed: int = 0,
) -> Figures:
    r"""Compute how much more a few pixels of the map's strongest part matter than others.

    $$\frac{1}{|S|} \sum_{s \in S} \underbrace{p(x) - \mathbb{E}\, p\big(\chi^+_s(x)\big)}_{
    \text{FFid}^+} - \underbrace{\Big(p(x) - \mathbb{E}\, p\big(\chi^-_s(x)\big)\Big)}_{
    \text{FFid}^-}$$

    The strongest share $s$ of the pixels is the explanation. $\chi^+_s$ hides pixels of it at
    random, the share $\min(\alpha, \beta/s)$ of them; $\chi^-_s$ hides the share $\min(\alpha,
    \beta/(1-s))$ of all others. Never more than the share $\beta$ of an image is hidden. $p$ is the
    probability of a copy of the model that was tuned to images of which the share $\beta$ is hidden
    at random, whatever any map says, so that no image is foreign to it and nothing leaks from the
    maps: give it as `tuned`, and see `hidden_at_random`. Without it the model itself is asked.

    The paper counts hits, reports both parts on their own, and draws each pixel by itself; here
    probabilities give one figure per image, their difference is 0 in the mean of random maps, and
    exactly the share is hidden. With `sizes=[s]` for each s, the figure falls as soon as s exceeds
    the evidence's own size. Pixels of equal value keep the order of their index.

    Args:
        probability: Copies of the images to probabilities.
        classes: Shape (batch,).
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        tuned: Images, (n, *size, channels), to probabilities, (n, classes), or (n, 1) of a single
            sigmoid: a tuned model of Keras, or any function. None asks the model that is explained.
        sizes: S: shares of the pixels, between 0 and 1.
        chance: $\alpha$: the largest share of a part that is hidden.
        most: $\beta$: the largest share of the image that is hidden.
        samples: How many draws a mean is of.
        baseline: What a hidden pixel shows, as for `deletion`; in the paper 0, the mean of images
            that are standardised.
        seed: The seed of the draws, which all images have in common.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> image, heat = np.array([[[1.0], [0.0]]]), np.array([[1.0, 0.0]])
        >>> f_fidelity(lambda x: x.sum((-2, -1)), np.array([0]), image, heat, sizes=[0.5],
        ...            chance=1, most=0.5, baseline=0.0).tolist()
        [1.0]
    """
    check_alike(heatmaps, images=images)
    shares = _check_sizes(sizes)
    for name, value in (("chance", chance), ("most", most)):
        check_share(name, real_number(name, value))
    ask = probability if tuned is None else _asking(tuned, classes)
    generator = np.random.default_rng(number_in("seed", seed, 0))
    pixels = heatmaps[0].size
    rows, signs = [], []
    for share in shares:
        cut = round(share * pixels)
        for first, last, sign in ((0, cut, -1), (cut, pixels, 1)):
            count = round(min(chance * (last - first), most * pixels))
            rows.append(_draws(generator, pixels, range(first, last), count, samples))
            signs += [sign] * samples
    hidden, start = np.concatenate(rows), start_of(baseline, images)
    ranks = ranks_of(heatmaps).reshape(heatmaps.shape)

    def copies(chosen: np.ndarray) -> np.ndarray:
        return np.where(hidden[chosen][:, ranks][..., None], start, images)

    values = asked(ask, copies, len(hidden), images)
    found = np.array(signs) @ values / (samples * len(shares))
    return where(varies(heatmaps), found)


def hidden_at_random(
    images: HostImages, *, share: float = 0.1, baseline: Any = "mean", seed: int = 0
) -> HostImages:
    """Hide a share of each image's pixels at random, to tune a model to such images.

    Tune a copy of the model, never the model that is explained: `keras.models.clone_model` and
    `set_weights` make one. Hide others in each epoch, by another seed.

    Args:
        images: Shape (batch, *size, channels).
        share: How many pixels are hidden: `f_fidelity`'s `most`.
        baseline: What a hidden pixel shows, as for `f_fidelity`.
        seed: The seed of the draw.

    Returns:
        Of the shape and type of the images.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If an option has a wrong value.

    Example:
        >>> hidden_at_random(np.ones((2, 5, 2, 1)), baseline=0.0).sum((1, 2, 3)).tolist()
        [9.0, 9.0]
    """
    check_share("share", real_number("share", share))
    pixels = images[0, ..., 0].size
    generator = np.random.default_rng(number_in("seed", seed, 0))
    count = round(share * pixels)
    hidden = _draws(generator, pixels, range(pixels), count, len(images))
    hidden = hidden.reshape(*images.shape[:-1], 1)
    return np.where(hidden, start_of(baseline, images), images)


def _draws(
    generator: np.random.Generator, pixels: int, part: range, count: int, samples: int
) -> Draws:
    """Draw pixels of a part, as many in each draw."""
    number_in("samples", samples, 1)
    order = generator.random((samples, len(part))).argsort(1, kind="stable")[:, :count]
    found = np.zeros((samples, pixels), bool)
    np.put_along_axis(found, order + part.start, True, axis=1)
    return found


def _asking(tuned: Callable[[Any], Any], classes: Int[np.ndarray, " batch"]) -> Ask:
    """Return the tuned model's probability of the classes, as the model's own is asked."""
    if not callable(tuned):
        raise TypeError(f"tuned must be a model or function of images, not {brief(tuned)}")

    def ask(copies: np.ndarray) -> np.ndarray:
        flat = copies.reshape(-1, *copies.shape[2:])
        found = np.asarray(tuned(flat), np.float64)
        if found.ndim != 2 or len(found) != len(flat):
            raise ValueError(
                f"tuned must return probabilities of shape ({len(flat)}, classes) for as many "
                f"images; it returned {found.shape}"
            )
        wanted = np.tile(classes, len(copies))
        if found.shape[1] == 1:  # a sigmoid's, of class 1
            found = np.concatenate([1 - found, found], 1)
        if wanted.max() >= found.shape[1]:
            raise ValueError(
                f"tuned knows {found.shape[1]} classes, and class {wanted.max()} is asked for"
            )
        return found[np.arange(len(found)), wanted].reshape(copies.shape[:2])

    return ask


def _check_sizes(sizes: Any) -> list[float]:
    if isinstance(sizes, str) or not isinstance(sizes, Sequence) or not sizes:
        raise ValueError(f"sizes must be shares between 0 and 1, not {brief(sizes)}")
    shares = [real_number("sizes", each) for each in sizes]
    if not all(0 < share < 1 for share in shares):
        raise ValueError(f"sizes must be shares between 0 and 1, not {brief(sizes)}")
    return shares

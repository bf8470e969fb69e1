"""Score-CAM, averaged: over noisy masks, or over masks of growing strength."""

from typing import Any

import keras
from keras import ops

from .._types import Features, Images, Maps, ScoreFunction, Unpack
from ..arguments import number_in, real_number
from ..baselines import check_baseline
from ..errors import brief
from ..explain import LayerArguments, LayerExplainerWithOptions
from ..registry import METHODS, Citation
from ..repeat import MOST_COPIES, Numbered
from .score_cam import by_gains, gains_of

_INT32 = 2**31 - 1


def check_ss_cam(samples: Any, noise: Any, seed: Any, baseline: Any) -> None:
    """Raise if an option of SS-CAM has a wrong type or value."""
    number_in("samples", samples, 1, MOST_COPIES)
    number_in("seed", seed, -_INT32, _INT32)
    if real_number("noise", noise) < 0:
        raise ValueError(f"noise must be at least 0 and finite, not {brief(noise)}")
    check_baseline(baseline)


@METHODS.register(
    title="SS-CAM",
    class_name="SSCAM",
    check=check_ss_cam,
    passes="2 forward, and {samples} per feature",
    citation=Citation(
        "Wang, Naidu, Michael and Kundu",
        2020,
        "SS-CAM: Smoothed Score-CAM for Sharper Visual Feature Localization",
        "arXiv",
        "https://arxiv.org/abs/2006.14255",
    ),
)
def ss_cam(
    score: ScoreFunction,
    images: Images,
    activations: Features,
    enlarge: Any,
    *,
    samples: int = 10,
    noise: float = 0.2,
    seed: int = 0,
    baseline: Any = 0.0,
) -> Maps:
    r"""Weigh each feature map by the mean score of the image seen through noisy copies of it.

    $$C_k = \frac1n \sum_{i=1}^n S\big(x' + (H^k + \varepsilon_i) \odot (x - x')\big) - S(x'),
    \quad \varepsilon_i \sim \mathcal N(0, \sigma^2)$$ and the rest as in Score-CAM: the paper's
    first form, which smooths the feature maps. At a noise of 0 it is Score-CAM. All features and
    images meet the same noise, so that an image's map does not depend on its batch.

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> found = ss_cam(lambda x: ops.sum(x, (-3, -2, -1)), ones, ones, lambda maps: maps)
    >>> found.numpy().round(3).tolist()
    [[[1.0, 1.0], [1.0, 1.0]]]
    """
    check_ss_cam(samples, noise, seed, baseline)

    def noisy(masks: Any, variants: Any) -> Any:
        shape = ops.shape(masks)[2:]

        def draw(variant: Any) -> Any:
            return keras.random.normal(shape, dtype=masks.dtype, seed=Numbered(seed, variant))

        return masks + noise * ops.map(draw, variants)[:, None]

    gains = gains_of(score, images, activations, enlarge, baseline, noisy, samples)
    return by_gains(activations, gains)


class SSCAM(LayerExplainerWithOptions):
    r"""Explain by SS-CAM: Score-CAM with the mean score over noisy masks.

    Args:
        samples: How many noisy copies of each mask; each costs a forward pass.
        noise: Their standard deviation, where masks lie in [0, 1].
        seed: Seed of the noise.
        baseline: What is seen where a feature map is zero: a number, an array that fits one image,
            "mean" (each image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> SSCAM(model, samples=3)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "ss_cam"

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        samples: int = 10,
        noise: float = 0.2,
        seed: int = 0,
        baseline: Any = 0.0,
        **shared: Unpack[LayerArguments],
    ) -> None:
        super().__init__(
            model, layer, samples=samples, noise=noise, seed=seed, baseline=baseline, **shared
        )


def check_is_cam(steps: Any, baseline: Any) -> None:
    """Raise if an option of IS-CAM has a wrong type or value."""
    number_in("steps", steps, 1, MOST_COPIES)
    check_baseline(baseline)


@METHODS.register(
    title="IS-CAM",
    class_name="ISCAM",
    check=check_is_cam,
    passes="2 forward, and {steps} per feature",
    citation=Citation(
        "Naidu, Ghosh, Maurya, Nayak and Kundu",
        2020,
        "IS-CAM: Integrated Score-CAM for axiomatic-based explanations",
        "arXiv",
        "https://arxiv.org/abs/2010.03023",
    ),
)
def is_cam(
    score: ScoreFunction,
    images: Images,
    activations: Features,
    enlarge: Any,
    *,
    steps: int = 10,
    baseline: Any = 0.0,
) -> Maps:
    r"""Weigh each feature map by the mean score of the image seen through it ever more strongly.

    $$C_k = \frac1n \sum_{i=1}^n S\Big(x' + \tfrac in H^k \odot (x - x')\Big) - S(x')$$ and the
    rest as in Score-CAM, which it is in one step. The coefficients are the paper's $i/n$.

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> found = is_cam(lambda x: ops.sum(x, (-3, -2, -1)), ones, ones, lambda maps: maps)
    >>> found.numpy().round(3).tolist()
    [[[1.0, 1.0], [1.0, 1.0]]]
    """
    check_is_cam(steps, baseline)

    def weaker(masks: Any, variants: Any) -> Any:
        strength = (ops.cast(variants, masks.dtype) + 1) / steps
        return ops.reshape(strength, (-1, *[1] * (len(masks.shape) - 1))) * masks

    gains = gains_of(score, images, activations, enlarge, baseline, weaker, steps)
    return by_gains(activations, gains)


class ISCAM(LayerExplainerWithOptions):
    r"""Explain by IS-CAM: Score-CAM with the mean score over masks of growing strength.

    Args:
        steps: How many strengths of each mask; each costs a forward pass.
        baseline: What is seen where a feature map is zero: a number, an array that fits one image,
            "mean" (each image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> ISCAM(model, steps=3)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "is_cam"

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        steps: int = 10,
        baseline: Any = 0.0,
        **shared: Unpack[LayerArguments],
    ) -> None:
        super().__init__(model, layer, steps=steps, baseline=baseline, **shared)

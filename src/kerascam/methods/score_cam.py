"""Class activation maps by the score of the image seen through each feature map.

Nothing is differentiated: the whole model is run once per feature. H^k is feature map k, enlarged
onto the image and scaled to [0, 1]; x' is the baseline, shown where H^k is 0.
"""

from typing import Any

import keras
from keras import ops

from .._types import Features, Images, Maps, ScoreFunction, Unpack
from ..arguments import number_in
from ..baselines import baseline_of, check_baseline, hide
from ..explain import LayerArguments, LayerExplainerWithOptions
from ..maps import normalize
from ..registry import METHODS, Citation
from ..repeat import collect
from .one_weight import per_feature, weighted_sum


def by_gains(activations: Features, gains: Any) -> Maps:
    """Weigh the feature maps by the softmax of their gains, shape (features, batch)."""
    # `ops.softmax` warns of a layer with one feature, whose weight is rightly 1.
    powers = ops.exp(gains - ops.max(gains, 0, keepdims=True))
    weights = per_feature(powers / ops.sum(powers, 0, keepdims=True), activations)
    return ops.relu(weighted_sum(activations, weights))


def gains_of(
    score: ScoreFunction,
    images: Images,
    activations: Features,
    enlarge: Any,
    baseline: Any,
    seen: Any,
    repeats: int = 1,
) -> Any:
    """Return the mean gain in score of each feature map over the baseline, (features, batch).

    Args:
        score: As it is handed to a method.
        images: The images.
        activations: The layer's output.
        enlarge: As it is handed to a method.
        baseline: As the user gives it.
        seen: Maps masks in [0, 1], (n, batch, *size), and the numbers of their variants, (n,), to
            the masks that are used.
        repeats: How many variants of each mask there are.
    """
    start = baseline_of(baseline, images)
    features = activations.shape[-1]

    def through(chosen: Any) -> Any:
        maps = ops.moveaxis(ops.take(activations, chosen // repeats, axis=-1), -1, 0)
        masks = enlarge(maps)
        size = ops.shape(masks)[1:]
        each = normalize(ops.reshape(masks, (-1, *size[1:])), "minmax")  # zeros of a constant map
        return score(hide(images, seen(ops.reshape(each, (-1, *size)), chosen % repeats), start))

    nothing = score(start)
    scores = collect(through, features * repeats, nothing, images)
    scores = ops.reshape(scores, (features, repeats, -1))
    return ops.sum(scores - nothing, 1) / repeats


def _as_they_are(masks: Any, variants: Any) -> Any:
    del variants
    return masks


@METHODS.register(
    title="Score-CAM",
    class_name="ScoreCAM",
    check=check_baseline,
    passes="2 forward, and 1 per feature",
    citation=Citation(
        "Wang, Wang, Du, Yang, Zhang, Ding, Mardziel and Hu",
        2020,
        "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks",
        "CVPR Workshop",
        "https://arxiv.org/abs/1910.01279",
    ),
)
def score_cam(
    score: ScoreFunction,
    images: Images,
    activations: Features,
    enlarge: Any,
    *,
    baseline: Any = 0.0,
) -> Maps:
    r"""Weigh each feature map by the score of the image seen through it.

    $$L = \mathrm{ReLU}\Big(\sum_k \alpha_k A^k\Big),\quad \alpha = \mathrm{softmax}(C),\quad
    C_k = S\big(x' + H^k \odot (x - x')\big) - S(x')$$

    By default $S$ is the logit, of which the paper's softmax has a meaning; with
    `target=targets.probability`, as in the authors' code, all weights are nearly the same. A
    feature map that is the same everywhere shows nothing of the image: its $C_k$ is 0.

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> found = score_cam(lambda x: ops.sum(x, (-3, -2, -1)), ones, ones, lambda maps: maps)
    >>> found.numpy().round(3).tolist()
    [[[1.0, 1.0], [1.0, 1.0]]]
    """
    check_baseline(baseline)
    gains = gains_of(score, images, activations, enlarge, baseline, _as_they_are)
    return by_gains(activations, gains)


class ScoreCAM(LayerExplainerWithOptions):
    r"""Explain by Score-CAM: each feature map weighed by the score of the image seen through it.

    Without gradients, at the price of a forward pass per feature: `FasterScoreCAM` takes a few.

    Args:
        baseline: What is seen where a feature map is zero: a number, an array that fits one image,
            "mean" (each image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> ScoreCAM(model)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "score_cam"

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        baseline: Any = 0.0,
        **shared: Unpack[LayerArguments],
    ) -> None:
        super().__init__(model, layer, baseline=baseline, **shared)


def check_faster_score_cam(channels: Any, baseline: Any) -> None:
    """Raise if an option of Faster-Score-CAM has a wrong type or value."""
    number_in("channels", channels, 1)
    check_baseline(baseline)


@METHODS.register(
    title="Faster-Score-CAM",
    class_name="FasterScoreCAM",
    check=check_faster_score_cam,
    passes="2 + {channels} forward",
    citation=None,
)
def faster_score_cam(
    score: ScoreFunction,
    images: Images,
    activations: Features,
    enlarge: Any,
    *,
    channels: int = 10,
    baseline: Any = 0.0,
) -> Maps:
    r"""Weigh the feature maps that vary most by the score of the image seen through them.

    $$L = \mathrm{ReLU}\Big(\sum_{k \in T} \alpha_k A^k\Big)$$ with the $\alpha$ of Score-CAM
    over $T$, the `channels` features with the largest standard deviation over the grid.

    Known from code, without a paper (github.com/tabayashi0117/Score-CAM). $T$ is each image's own,
    so that its map does not depend on the batch that it is in.

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> found = faster_score_cam(lambda x: ops.sum(x, (-3, -2, -1)), ones, ones, lambda maps: maps)
    >>> found.numpy().round(3).tolist()
    [[[1.0, 1.0], [1.0, 1.0]]]
    """
    check_faster_score_cam(channels, baseline)
    cells = ops.reshape(
        activations, (ops.shape(activations)[0], -1, activations.shape[-1])
    )  # (batch, cells, features)
    _, chosen = ops.top_k(ops.std(cells, 1), min(channels, activations.shape[-1]))
    few = ops.take_along_axis(cells, chosen[:, None], -1)
    few = ops.reshape(few, (*ops.shape(activations)[:-1], chosen.shape[-1]))
    return score_cam(score, images, few, enlarge, baseline=baseline)


class FasterScoreCAM(LayerExplainerWithOptions):
    r"""Explain by Faster-Score-CAM: Score-CAM over the few feature maps that vary most.

    Args:
        channels: How many feature maps; each costs a forward pass. With all of them it is
            Score-CAM.
        baseline: What is seen where a feature map is zero: a number, an array that fits one image,
            "mean" (each image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> FasterScoreCAM(model, channels=2)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "faster_score_cam"

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        channels: int = 10,
        baseline: Any = 0.0,
        **shared: Unpack[LayerArguments],
    ) -> None:
        super().__init__(model, layer, channels=channels, baseline=baseline, **shared)

"""Class activation maps of several layers, from coarse to fine."""

from math import prod
from typing import Any, Literal, get_args

import keras
from keras import ops

from .._types import Features, Heatmaps, Images, Levels, Maps, ScoreFunction, Unpack
from ..baselines import baseline_of, check_baseline
from ..errors import brief
from ..explain import LayerArguments, LayerExplainerWithOptions
from ..maps import resize
from ..registry import METHODS, Citation
from .one_weight import per_feature, weighted_sum
from .score_cam import gains_of

Variant = Literal["plus", "minus", "both"]


def check_poly_cam(variant: Any, baseline: Any) -> None:
    """Raise if an option of Poly-CAM has a wrong type or value."""
    if not isinstance(variant, str) or variant not in get_args(Variant):
        known = ", ".join(map(repr, get_args(Variant)))
        raise ValueError(f"variant must be one of {known}, not {brief(variant)}")
    check_baseline(baseline)


@METHODS.register(
    title="Poly-CAM",
    class_name="PolyCAM",
    check=check_poly_cam,
    passes="2 forward, and 1 per feature of each layer; 2 if `variant` is both",
    citation=Citation(
        "Englebert, Cornu and De Vleeschouwer",
        2022,
        "Poly-CAM: High resolution class activation map for convolutional neural networks",
        "ICPR",
        "https://arxiv.org/abs/2204.13359",
    ),
)
def poly_cam(
    score: ScoreFunction,
    images: Images,
    levels: Levels,
    *,
    variant: Variant = "plus",
    baseline: Any = 0.0,
) -> Heatmaps:
    r"""Refine the map of a coarse layer by those of finer ones, each weighed by scores.

    $$M_l = \mathrm{Up}\Big(\frac{L_l}{\mathrm{Up}(\mathrm{Down}(L_l))}\Big) \odot M_{l+1},\qquad
    L_l = \mathrm{ReLU}\Big(\sum_k w_k A_l^k\Big)$$

    $$w_k^+ = S(x_{H^k}) - S(x'),\quad w_k^- = S(x) - S(x_{1 - H^k}),\quad w_k^\pm = w_k^+ + w_k^-$$

    each but its positive part. $x_H$ is the image seen through $H$, as in Score-CAM, with $H^k$ the
    feature map enlarged to the image and scaled to [0, 1]. $M$ of the coarsest layer is
    $\mathrm{Up}(L)$; each finer one is divided by itself at the resolution of the layer before,
    and so adds only detail. The paper's scores are probabilities: take `target=targets.probability`
    for these. Its code scales to the 0.1st percentiles in place of the extremes, and multiplies on
    the finer layer's grid, where this does so on the image, so that each cell stays in its place.

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> halves = ops.array([[[[1.0], [0.0]], [[0.0], [0.0]]]])
    >>> found = poly_cam(
    ...     lambda x: ops.sum(x, (-3, -2, -1)), ones, ((halves, lambda maps: maps),))
    >>> found.numpy()[0].tolist()  # three colours are seen through the only feature
    [[3.0, 0.0], [0.0, 0.0]]
    """
    check_poly_cam(variant, baseline)
    found, before = None, None
    for activations, enlarge in _from_coarse(levels):
        weights = _weights(score, images, activations, enlarge, variant, baseline)
        maps = ops.relu(weighted_sum(activations, per_feature(weights, activations)))
        grid = ops.shape(maps)[1:]
        found = enlarge(maps) if found is None else found * enlarge(_detail(maps, before))
        before = grid
    return found


def _from_coarse(levels: Levels) -> list[Any]:
    """Sort layers by the number of their cells; if that is open, the last one is the first."""
    cells = [features.shape[1:-1] for features, _ in levels]
    backwards = list(levels)[::-1]
    if any(None in each for each in cells):
        return backwards
    return sorted(backwards, key=lambda level: prod(level[0].shape[1:-1]))


def _detail(maps: Maps, coarse: Any) -> Maps:
    """Divide maps by themselves at the resolution of a coarser grid."""
    smooth = resize(resize(maps, coarse), ops.shape(maps)[1:])
    return ops.divide_no_nan(maps, smooth)


def _weights(
    score: ScoreFunction,
    images: Images,
    activations: Features,
    enlarge: Any,
    variant: Variant,
    baseline: Any,
) -> Any:
    """Return the weight of each feature map, (features, batch)."""
    weights = 0.0
    if variant != "minus":
        weights += gains_of(
            score, images, activations, enlarge, baseline, lambda masks, variants: masks
        )
    if variant != "plus":
        hidden = gains_of(
            score, images, activations, enlarge, baseline, lambda masks, variants: 1 - masks
        )
        weights += score(images) - score(baseline_of(baseline, images)) - hidden
    return ops.relu(weights)


class PolyCAM(LayerExplainerWithOptions):
    r"""Explain by Poly-CAM: the map of a coarse layer, refined by those of finer ones.

    Sharp at the borders of objects, without gradients, at the price of a forward pass per feature
    of every layer. Name the last layer of each resolution by `layer=`, as `suggest_layers` lists
    them.

    Args:
        variant: What weighs a feature map: "plus", what its part of the image scores alone (PCAM+);
            "minus", what the image loses without it (PCAM-); "both", the sum.
        baseline: What is seen of a hidden part: a number, an array that fits one image, "mean"
            (each image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> PolyCAM(model)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 8, 8)
    """

    _method = "poly_cam"

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        variant: Variant = "plus",
        baseline: Any = 0.0,
        **shared: Unpack[LayerArguments],
    ) -> None:
        super().__init__(model, layer, variant=variant, baseline=baseline, **shared)

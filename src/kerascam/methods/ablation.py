"""Class activation maps by what the score loses without a feature, or keeps with one cell alone.

Nothing is differentiated: the rest of the network, after the layer, is run again on copies of the
layer's output. A^k, Z and the shapes are as in `one_weight`.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from .._types import Features, Maps, ScoreFunction, Unpack
from ..arguments import check_flag
from ..arrays import array_of
from ..errors import brief
from ..explain import LayerArguments, LayerExplainerWithOptions
from ..registry import METHODS, Citation
from ..repeat import collect
from .one_weight import per_feature, weighted_sum
from .places import at_places, number_of, on_axis


def check_groups(groups: Any) -> None:
    """Raise if the groups of features are not one whole number per feature."""
    if groups is None:
        return
    values = array_of(groups)
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise TypeError(
            f"groups must be one whole number per feature, the group that it is in, not "
            f"{brief(groups)}"
        )


@METHODS.register(
    title="Ablation-CAM",
    class_name="AblationCAM",
    check=check_groups,
    passes="1 forward, and 1 of the layers after the layer per feature",
    citation=Citation(
        "Desai and Ramaswamy",
        2020,
        "Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free "
        "Localization",
        "WACV",
        "https://doi.org/10.1109/WACV45572.2020.9093360",
    ),
)
def ablation_cam(activations: Features, rest: ScoreFunction, *, groups: Any = None) -> Maps:
    r"""Weigh each feature map by what the score loses without it.

    $$L = \mathrm{ReLU}\Big(\sum_k w_k A^k\Big),\qquad w_k = S - S_{A^k = 0}$$

    The paper divides $w_k$ by $S$. That changes no heatmap of a positive score, and turns all signs
    of a negative one, as logits may be: so it is left out. On a head of global average pooling and
    one dense layer, $w_k$ is the dense layer's weight times the mean of $A^k$.

    With `groups`, the features of one group are left out together, and share their weight.

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> ablation_cam(ones, lambda features: ops.sum(features, (-3, -2, -1))).numpy()[0].tolist()
    [[12.0, 12.0], [12.0, 12.0]]
    """
    check_groups(groups)
    features = activations.shape[-1]
    chosen = np.arange(features) if groups is None else np.asarray(groups)
    if len(chosen) != features:
        raise ValueError(
            f"groups must have a number for each of the layer's {features} features; received "
            f"{len(chosen)}"
        )
    _, of_feature = np.unique(chosen, return_inverse=True)
    count = int(of_feature.max()) + 1
    kept = ops.convert_to_tensor(
        np.arange(count)[:, None] != of_feature[None], activations.dtype
    )  # (groups, features)

    def without(groups: Any) -> Any:
        masks = ops.take(kept, groups, axis=0)
        shape = (-1, *[1] * (len(activations.shape) - 1), features)
        return rest(ops.reshape(masks, shape) * activations)

    whole = rest(activations)
    left = collect(without, count, whole, activations)  # (groups, batch)
    weights = per_feature(ops.take(whole - left, of_feature, axis=0), activations)
    return ops.relu(weighted_sum(activations, weights))


class AblationCAM(LayerExplainerWithOptions):
    r"""Explain by Ablation-CAM: each feature map weighed by what the score loses without it.

    Without gradients, so also of layers after which they vanish. Only what follows the layer is run
    again: at the last layer that costs less than one forward pass.

    Args:
        groups: The group of each feature, a whole number each, in the order of the features: those
            of one group are left out together. None leaves out each by itself.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> AblationCAM(model)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "ablation_cam"

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        groups: Any = None,
        **shared: Unpack[LayerArguments],
    ) -> None:
        super().__init__(model, layer, groups=groups, **shared)


def check_recipro_cam(smooth: Any) -> None:
    """Raise a TypeError if `smooth` is neither True nor False."""
    check_flag("smooth", smooth)


@METHODS.register(
    title="Recipro-CAM",
    class_name="ReciproCAM",
    signed=True,
    check=check_recipro_cam,
    normalize="minmax",
    passes="1 forward, and 1 of the layers after the layer per cell",
    citation=Citation(
        "Byun and Lee",
        2022,
        "Recipro-CAM: Fast gradient-free visual explanations for convolutional neural networks",
        "arXiv",
        "https://arxiv.org/abs/2209.14074",
    ),
)
def recipro_cam(activations: Features, rest: ScoreFunction, *, smooth: bool = False) -> Maps:
    r"""Score each cell of the layer alone, all others being zero.

    $$L_{ij} = S(A \odot M_{ij})$$

    $M_{ij}$ is 1 in the cell and 0 elsewhere; with `smooth`, the paper's second form, it is the
    Gaussian of the binomial weights ¼, ½, ¼ along each axis of the grid. The raw maps are scores,
    so that zero means nothing: scale them by "minmax", as the paper does and the class by default.
    On a head of global average pooling and one dense layer, $L$ is CAM's map over $Z$, and the
    bias.

    >>> cells = ops.array([[[[1.0], [2.0]], [[3.0], [4.0]]]])
    >>> recipro_cam(cells, lambda features: 1 + ops.sum(features, (-3, -2, -1))).numpy().tolist()
    [[[2.0, 3.0], [4.0, 5.0]]]
    """
    check_recipro_cam(smooth)
    lengths = ops.shape(activations)[1:-1]

    def near(axis: int, places: Any) -> Any:
        apart = ops.abs(ops.arange(lengths[axis])[None] - places[:, None])
        weights = _weights(ops.cast(apart, activations.dtype), smooth)
        return on_axis(weights, axis, len(lengths))

    def alone(cells: Any) -> Any:
        return rest(at_places(cells, lengths, near)[..., None] * activations)

    scores = collect(alone, number_of(lengths), rest(activations), activations)  # (cells, batch)
    return ops.reshape(ops.transpose(scores), (-1, *lengths))


def _weights(apart: Any, smooth: bool) -> Any:
    """Weigh cells by how far they are from the chosen one along an axis."""
    here = ops.cast(apart == 0, apart.dtype)
    return 0.5 * here + 0.25 * ops.cast(apart == 1, apart.dtype) if smooth else here


class ReciproCAM(LayerExplainerWithOptions):
    r"""Explain by Recipro-CAM: the score of each cell of the layer alone.

    Without gradients, and of all such methods the cheapest: one run of what follows the layer per
    cell, 49 at 7 × 7.

    Args:
        smooth: Whether a cell's neighbours are shown with it, by the paper's Gaussian.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> ReciproCAM(model)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "recipro_cam"

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        smooth: bool = False,
        **shared: Unpack[LayerArguments],
    ) -> None:
        super().__init__(model, layer, smooth=smooth, **shared)

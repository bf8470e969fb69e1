"""Class activation maps of several layers, multiplied: fine places that coarse layers agree on."""

from collections.abc import Sequence
from typing import Any

from .._types import Features, Heatmaps, Maps
from ..explain import LayerExplainer
from ..registry import METHODS, Citation
from .one_weight import grad_cam


def product(heatmaps: Sequence[Heatmaps], cells: Sequence[int | Any]) -> Heatmaps:
    """Multiply the heatmaps of several layers.

    Args:
        heatmaps: One per layer, each of shape (batch, *size) and already scaled.
        cells: How many cells each layer's own grid has; not used here.
    """
    del cells
    found = heatmaps[0]
    for each in heatmaps[1:]:
        found = found * each
    return found


@METHODS.register(
    title="RefineCAM",
    class_name="RefineCAM",
    fuse=product,
    citation=Citation(
        "Domeniconi, Stramiglio, Lombardi and Salti",
        2026,
        "How to Evaluate and Refine your CAM",
        "arXiv",
        "https://arxiv.org/abs/2605.14641",
    ),
)
def refine_cam(activations: Features, gradients: Features) -> Maps:
    r"""Multiply the Grad-CAM heatmaps of several layers.

    $$L = \prod_l \mathrm{scale}\big(\mathrm{Up}(L_l)\big)$$ with $L_l$ the Grad-CAM map of layer
    l, enlarged onto the image.

    Each layer's heatmap is scaled by `normalize` before the product: by its maximum by default, so
    that one layer is Grad-CAM itself; by "minmax" as in the paper.

    >>> import keras
    >>> ones = keras.ops.ones((1, 2, 2, 3))
    >>> refine_cam(ones, 2 * ones).numpy()[0].tolist()
    [[6.0, 6.0], [6.0, 6.0]]
    """
    return grad_cam(activations, gradients)


class RefineCAM(LayerExplainer):
    r"""Explain by RefineCAM: the Grad-CAM heatmaps of several layers, multiplied.

    What a deep layer finds, a shallow one draws finely: give both as `layer=[...]`. Evidence that
    one of the layers does not share vanishes.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu", name="fine"),
        ...     keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="coarse"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> RefineCAM(model, ["fine", "coarse"])(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    _method = "refine_cam"

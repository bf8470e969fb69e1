"""Class activation maps by one weight per place and feature: pure functions, as in `cam`."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from .._types import Features, Heatmaps, Maps, Scores
from ..estimates import Estimate
from ..explain import LayerExplainer
from ..maps import grid_axes, normalize
from ..registry import METHODS, Citation

SHALLOW_GAIN = 2.0  # the paper's gamma


def hires_cam_terms(activations: Features, gradients: Features) -> Features:
    """Multiply each activation by its own gradient."""
    return gradients * activations


def layer_cam_terms(activations: Features, gradients: Features) -> Features:
    """Multiply each activation by the positive part of its own gradient."""
    return ops.relu(gradients) * activations


def elementwise_terms(activations: Features, gradients: Features) -> Features:
    """Take the positive products of activation and gradient."""
    return ops.relu(gradients * activations)


@METHODS.register(
    title="HiResCAM",
    class_name="HiResCAM",
    terms=hires_cam_terms,
    signed=True,
    citation=Citation(
        "Draelos and Carin",
        2020,
        "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural "
        "networks",
        "arXiv",
        "https://arxiv.org/abs/2011.08891",
    ),
)
def hires_cam(
    activations: Features,
    gradients: Features,
    scores: Scores | None = None,
    offset: Scores | None = None,
) -> Maps | Estimate:
    r"""Weigh each activation by its own gradient and sum over the features.

    $$L = \sum_k g^k \odot A^k$$

    Signed, as in the paper: with one dense layer after the layer, the map sums to the logit less
    its bias, up to the residual; there is none where what follows is not linear.
    `normalize="signed"` keeps the evidence against in the heatmap.

    >>> hires_cam(ops.array([[[[1.0, 2.0]]]]), ops.array([[[[3.0, -4.0]]]])).numpy().tolist()
    [[[-5.0]]]
    """
    maps = ops.sum(hires_cam_terms(activations, gradients), -1)
    if scores is None or offset is None:
        return maps
    return Estimate(maps, residual=scores - offset - ops.sum(maps, grid_axes(maps)))


class HiResCAM(LayerExplainer):
    r"""Explain by HiResCAM: each activation times its own gradient.

    Faithful where one dense layer follows. Heatmaps show the evidence for the class;
    `normalize="signed"` shows the evidence against it too.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, use_bias=False)])
        >>> explanation = HiResCAM(model, normalize="signed")(np.ones((1, 8, 8, 3)))
        >>> bool(np.isclose(explanation.maps.sum(), explanation.scores[0], rtol=1e-4))
        True
    """

    _method = "hires_cam"


def fuse_layer_cam(heatmaps: Sequence[Heatmaps], cells: Sequence[int | Any]) -> Heatmaps:
    r"""Fuse several layers' LayerCAM by the largest value at each place.

    Heatmaps of shallow layers are first lifted by $\tanh(\gamma L / \max L)$, $\gamma = 2$
    (section III-C); shallow means here: of a finer grid than the coarsest layer given.

    Args:
        heatmaps: One per layer, each of shape (batch, *size) and scaled to a maximum of 1.
        cells: How many cells each layer's own grid has.

    Returns:
        Shape (batch, *size).
    """
    coarsest = ops.min(ops.stack(cells))
    lifted = [
        ops.where(count > coarsest, ops.tanh(SHALLOW_GAIN * heatmap), heatmap)
        for heatmap, count in zip(heatmaps, cells, strict=True)
    ]
    return normalize(ops.max(ops.stack(lifted), 0))


@METHODS.register(
    title="LayerCAM",
    class_name="LayerCAM",
    terms=layer_cam_terms,
    fuse=fuse_layer_cam,
    citation=Citation(
        "Jiang, Zhang, Hou, Cheng and Wei",
        2021,
        "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization",
        "IEEE Transactions on Image Processing 30",
        "https://doi.org/10.1109/TIP.2021.3089943",
    ),
)
def layer_cam(activations: Features, gradients: Features) -> Maps:
    r"""Weigh each activation by the positive part of its own gradient.

    $$L = \mathrm{ReLU}\Big(\sum_k \mathrm{ReLU}(g^k) \odot A^k\Big)$$

    Several layers in one call are fused by the paper's rule: the largest value at each place,
    shallow layers lifted by $\tanh(2 L / \max L)$.

    >>> layer_cam(ops.array([[[[1.0, 2.0]]]]), ops.array([[[[3.0, -4.0]]]])).numpy().tolist()
    [[[3.0]]]
    """
    return ops.relu(ops.sum(layer_cam_terms(activations, gradients), -1))


class LayerCAM(LayerExplainer):
    r"""Explain by LayerCAM: each activation by the positive part of its own gradient.

    Good at shallow layers too, where maps are fine. Give a list of layers to fuse them by the
    paper's rule.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="fine"),
        ...     keras.layers.Conv2D(4, 3, strides=2, name="coarse"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
        >>> explanation = LayerCAM(model, ["fine", "coarse"])(np.ones((1, 8, 8, 3)))
        >>> [maps.shape for maps in explanation.maps], explanation.heatmaps.shape
        ([(1, 6, 6), (1, 2, 2)], (1, 8, 8))
    """

    _method = "layer_cam"


@METHODS.register(
    title="Element-wise Grad-CAM",
    class_name="ElementwiseGradCAM",
    terms=elementwise_terms,
    citation=None,
)
def elementwise_grad_cam(activations: Features, gradients: Features) -> Maps:
    r"""Sum the positive products of activation and gradient over the features.

    $$L = \sum_k \mathrm{ReLU}(g^k \odot A^k)$$

    Used in the field without a paper of its own: HiResCAM with the evidence against left out
    feature by feature.

    >>> elementwise_grad_cam(
    ...     ops.array([[[[1.0, 2.0]]]]), ops.array([[[[3.0, -4.0]]]])
    ... ).numpy().tolist()
    [[[3.0]]]
    """
    return ops.sum(elementwise_terms(activations, gradients), -1)


class ElementwiseGradCAM(LayerExplainer):
    r"""Explain by element-wise Grad-CAM: the positive products of activation and gradient.

    For a map that holds evidence for the class alone, at every feature.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
        >>> bool((ElementwiseGradCAM(model)(np.ones((1, 8, 8, 3))).maps >= 0).all())
        True
    """

    _method = "elementwise_grad_cam"

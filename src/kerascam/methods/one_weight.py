"""Class activation maps by one weight per feature: pure functions of activations and gradients.

Throughout, A^k is feature k of the layer's activations on a grid of Z cells, g^k = dS/dA^k the
gradient of the target's score, and `activations` and `gradients` have shape
(batch, *grid, features) with a grid of any number of axes. The maps have shape (batch, *grid).
"""

from typing import Any

from keras import ops

from .._types import Features, Maps, Scores
from ..estimates import Estimate
from ..explain import LayerExplainer
from ..maps import grid_axes
from ..registry import METHODS, Citation

GRAD_CAM_PAPER = Citation(
    "Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra",
    2017,
    "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
    "ICCV",
    "https://arxiv.org/abs/1610.02391",
)


def weighted_sum(activations: Features, weights: Any) -> Maps:
    """Sum the features, each times its weight."""
    return ops.sum(weights * activations, axis=-1)


def per_feature(values: Any, activations: Features) -> Any:
    """Lay one number per feature and image over the grid: (features, batch) to (batch, 1, ...)."""
    shape = (-1, *[1] * len(_over_grid(activations)), activations.shape[-1])
    return ops.reshape(ops.cast(ops.transpose(values), activations.dtype), shape)


def _over_grid(features: Features) -> list[int]:
    return grid_axes(features, features=True)


def cam_terms(activations: Features, gradients: Features) -> Features:
    """Weigh each feature by the sum of its gradient."""
    return ops.sum(gradients, _over_grid(gradients), keepdims=True) * activations


def grad_cam_terms(activations: Features, gradients: Features) -> Features:
    """Weigh each feature by the mean of its gradient."""
    return ops.mean(gradients, _over_grid(gradients), keepdims=True) * activations


def grad_cam_plus_plus_terms(activations: Features, gradients: Features) -> Features:
    """Weigh each feature by its positive gradients, each by its own share."""
    positive = ops.relu(gradients)
    axes = _over_grid(gradients)
    total = ops.sum(activations, axes, keepdims=True)
    shares = ops.divide_no_nan(positive, 2 + total * positive)
    return ops.sum(shares, axes, keepdims=True) * activations


def xgrad_cam_terms(activations: Features, gradients: Features) -> Features:
    """Weigh each feature by its gradients' mean, weighted by its own activations."""
    axes = _over_grid(gradients)
    total = ops.sum(activations, axes, keepdims=True)
    weights = ops.divide_no_nan(ops.sum(gradients * activations, axes, keepdims=True), total)
    return weights * activations


def gradients_constant(activations: Features, gradients: Features) -> Any:
    """CAM needs global average pooling and one dense layer after the layer; use GradCAM instead.

    There each feature's gradient is the same at every place: w^c_k / Z. It is so for any
    function of the pooled features, where w is that function's own gradient.
    """
    del activations
    axes = _over_grid(gradients)
    spread = ops.max(gradients, axes) - ops.min(gradients, axes)
    scale = ops.max(ops.abs(gradients), [*axes, len(gradients.shape) - 1])
    return ops.all(spread <= 1e-3 * scale[:, None], -1)


@METHODS.register(
    title="CAM",
    class_name="CAM",
    terms=cam_terms,
    aliases=("Class activation map",),
    signed=True,
    requires=gradients_constant,
    citation=Citation(
        "Zhou, Khosla, Lapedriza, Oliva and Torralba",
        2016,
        "Learning Deep Features for Discriminative Localization",
        "CVPR",
        "https://arxiv.org/abs/1512.04150",
    ),
)
def cam(
    activations: Features,
    gradients: Features,
    scores: Scores | None = None,
    offset: Scores | None = None,
) -> Maps | Estimate:
    r"""Weigh each feature map by the class's own weight in the dense layer after the pooling.

    $$M_c = \sum_k w^c_k A^k,\qquad w^c_k = \sum_{ij} g^k_{ij}$$

    On a head of global average pooling and one dense layer $g^k_{ij} = w^c_k / Z$, so that the
    sum of the gradients is the dense layer's weight itself. No ReLU, as in the paper: the map is
    signed, and its mean is the logit less its bias, up to the residual. There is none where what
    follows the layer is not linear.

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> cam(ones, 0.25 * ones).numpy()[0].tolist()
    [[3.0, 3.0], [3.0, 3.0]]
    """
    maps = ops.sum(cam_terms(activations, gradients), -1)
    if scores is None or offset is None:
        return maps
    return Estimate(maps, residual=scores - offset - ops.mean(maps, grid_axes(maps)))


class CAM(LayerExplainer):
    r"""Explain by class activation mapping, from the dense layer's own weights.

    For models with global average pooling and one dense layer after the layer. Where the score
    depends on the layer other than through its global mean, the call raises a ValueError; with
    several dense layers after it, w is their gradient at this image.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, use_bias=False)])
        >>> explanation = CAM(model)(np.ones((1, 8, 8, 3)), classes=1)
        >>> bool(np.isclose(explanation.maps.mean(), explanation.scores[0], rtol=1e-4))
        True
    """

    _method = "cam"


@METHODS.register(
    title="Grad-CAM",
    class_name="GradCAM",
    terms=grad_cam_terms,
    citation=GRAD_CAM_PAPER,
)
def grad_cam(activations: Features, gradients: Features) -> Maps:
    r"""Weigh each feature map by the mean of its gradient.

    $$L = \mathrm{ReLU}\Big(\sum_k \alpha_k A^k\Big),\qquad
    \alpha_k = \frac1Z \sum_{ij} g^k_{ij}$$ (equations 1 and 2)

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> grad_cam(ones, 2 * ones).numpy()[0].tolist()
    [[6.0, 6.0], [6.0, 6.0]]
    """
    return ops.relu(ops.sum(grad_cam_terms(activations, gradients), -1))


class GradCAM(LayerExplainer):
    r"""Explain by Grad-CAM: each feature map weighed by its mean gradient.

    The first method to try: right for any network that has a layer with a grid, and the cheapest.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> explanation = GradCAM(model, class_names=["cat", "dog"])(np.ones((1, 8, 8, 3)), "dog")
        >>> explanation.heatmaps.shape, explanation.maps.shape, explanation.class_name(0)
        ((1, 8, 8), (1, 6, 6), 'dog')
    """

    _method = "grad_cam"


@METHODS.register(
    title="Grad-CAM++",
    class_name="GradCAMPlusPlus",
    terms=grad_cam_plus_plus_terms,
    citation=Citation(
        "Chattopadhay, Sarkar, Howlader and Balasubramanian",
        2018,
        "Grad-CAM++: Generalized Gradient-based Visual Explanations for Deep Convolutional "
        "Networks",
        "WACV",
        "https://arxiv.org/abs/1710.11063",
    ),
)
def grad_cam_plus_plus(activations: Features, gradients: Features) -> Maps:
    r"""Weigh each feature map by its positive gradients, each by its own share.

    $$L = \mathrm{ReLU}\Big(\sum_k w_k A^k\Big),\qquad
    w_k = \sum_{ij} \frac{r^k_{ij}}{2 + S_A^k\, r^k_{ij}},\qquad
    r = \mathrm{ReLU}(g),\quad S_A^k = \sum_{ab} A^k_{ab}$$

    This is the closed form of equation 19, $\alpha = g^2 / (2 g^2 + S_A g^3)$, put into
    $w_k = \sum \alpha\,\mathrm{ReLU}(\partial Y / \partial A)$ with $Y = e^S$: the factor $e^S$
    is one positive number per image, which no heatmap shows, and is left out, so that no logit
    is too large; and where $g > 0$ one $g^2$ cancels, so that nothing is divided by zero. As in
    the paper, activations are taken to be non-negative.

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> grad_cam_plus_plus(ones, ones).numpy()[0].tolist()  # 3 features, 4 places: 12 / (2 + 4)
    [[2.0, 2.0], [2.0, 2.0]]
    """
    return ops.relu(ops.sum(grad_cam_plus_plus_terms(activations, gradients), -1))


class GradCAMPlusPlus(LayerExplainer):
    r"""Explain by Grad-CAM++, in the paper's closed form.

    Each place's positive gradient counts by its own share, so that several objects of one class
    all show. Assumes activations after a ReLU.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> GradCAMPlusPlus(model)(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    _method = "grad_cam_plus_plus"


@METHODS.register(
    title="XGrad-CAM",
    class_name="XGradCAM",
    terms=xgrad_cam_terms,
    citation=Citation(
        "Fu, Hu, Dong, Guo, Gao and Li",
        2020,
        "Axiom-based Grad-CAM: Towards Accurate Visualization and Explanation of CNNs",
        "BMVC",
        "https://arxiv.org/abs/2008.02312",
    ),
)
def xgrad_cam(activations: Features, gradients: Features) -> Maps:
    r"""Weigh each feature map by its gradients' mean, weighted by its own activations.

    $$L = \mathrm{ReLU}\Big(\sum_k \alpha_k A^k\Big),\qquad
    \alpha_k = \sum_{ij} \frac{A^k_{ij}}{S_A^k}\, g^k_{ij},\qquad S_A^k = \sum_{ab} A^k_{ab}$$

    A feature whose activations sum to exactly zero gets weight zero; the authors' code adds a
    small number to every sum instead, which changes every weight.

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> xgrad_cam(2 * ones, 3 * ones).numpy()[0].tolist()
    [[18.0, 18.0], [18.0, 18.0]]
    """
    return ops.relu(ops.sum(xgrad_cam_terms(activations, gradients), -1))


class XGradCAM(LayerExplainer):
    r"""Explain by XGrad-CAM: gradients weighed by the activations themselves.

    The weight that comes closest to sharing out the score over the features.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
        >>> XGradCAM(model)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "xgrad_cam"

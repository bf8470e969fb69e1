"""Class activation maps by one weight a feature: pure functions of activations and gradients.

Throughout, A^k is feature k of the layer's activations on a grid of Z cells, g^k = dS/dA^k the
gradient of the target's score, and `activations` and `gradients` have shape
(batch, *grid, features) with a grid of any number of axes. The maps have shape (batch, *grid).
"""

import tensorflow as tf

from ._types import Features, Maps
from .maps import grid_axes
from .registry import METHODS, Citation

GRAD_CAM_PAPER = Citation(
    "Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra",
    2017,
    "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
    "ICCV",
    "https://arxiv.org/abs/1610.02391",
)


def weighted_sum(activations: Features, weights: tf.Tensor) -> Maps:
    """Sum the features, each times its weight."""
    return tf.reduce_sum(weights * activations, axis=-1)


def _over_grid(features: Features) -> list[int]:
    return grid_axes(features, features=True)


def gradients_constant(activations: Features, gradients: Features) -> tf.Tensor:
    """CAM needs global average pooling and one dense layer behind the layer; use GradCAM instead.

    There each feature's gradient is the same at every place: w^c_k / Z. It is so behind any
    function of the pooled features, where w is that function's own gradient.
    """
    del activations
    axes = _over_grid(gradients)
    spread = tf.reduce_max(gradients, axes) - tf.reduce_min(gradients, axes)
    scale = tf.reduce_max(tf.abs(gradients), [*axes, len(gradients.shape) - 1])
    return tf.reduce_all(spread <= 1e-3 * scale[:, None], -1)


@METHODS.register(
    kind="cam",
    title="CAM",
    class_name="CAM",
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
def cam(activations: Features, gradients: Features) -> Maps:
    r"""Weigh each feature map by the class's own weight in the dense layer behind the pooling.

    $$M_c = \sum_k w^c_k A^k,\qquad w^c_k = \sum_{ij} g^k_{ij}$$

    On a head of global average pooling and one dense layer $g^k_{ij} = w^c_k / Z$, so that the
    sum of the gradients is the dense layer's weight itself. No ReLU, as in the paper: the map is
    signed, and its mean is the logit less its bias.

    >>> ones = tf.ones((1, 2, 2, 3))
    >>> cam(ones, 0.25 * ones).numpy()[0].tolist()
    [[3.0, 3.0], [3.0, 3.0]]
    """
    weights = tf.reduce_sum(gradients, _over_grid(gradients), keepdims=True)
    return weighted_sum(activations, weights)


@METHODS.register(
    kind="cam",
    title="Grad-CAM",
    class_name="GradCAM",
    citation=GRAD_CAM_PAPER,
)
def grad_cam(activations: Features, gradients: Features) -> Maps:
    r"""Weigh each feature map by the mean of its gradient.

    $$L = \mathrm{ReLU}\Big(\sum_k \alpha_k A^k\Big),\qquad
    \alpha_k = \frac1Z \sum_{ij} g^k_{ij}$$ (equations 1 and 2)

    >>> ones = tf.ones((1, 2, 2, 3))
    >>> grad_cam(ones, 2 * ones).numpy()[0].tolist()
    [[6.0, 6.0], [6.0, 6.0]]
    """
    weights = tf.reduce_mean(gradients, _over_grid(gradients), keepdims=True)
    return tf.nn.relu(weighted_sum(activations, weights))


@METHODS.register(
    kind="cam",
    title="Grad-CAM++",
    class_name="GradCAMPlusPlus",
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
    is one positive number an image, which no heatmap shows, and is left out, so that no logit
    is too large; and where $g > 0$ one $g^2$ cancels, so that nothing is divided by zero. As in
    the paper, activations are taken to be non-negative.

    >>> ones = tf.ones((1, 2, 2, 3))
    >>> grad_cam_plus_plus(ones, ones).numpy()[0].tolist()  # 3 features, 4 places: 12 / (2 + 4)
    [[2.0, 2.0], [2.0, 2.0]]
    """
    positive = tf.nn.relu(gradients)
    axes = _over_grid(gradients)
    total = tf.reduce_sum(activations, axes, keepdims=True)
    shares = tf.math.divide_no_nan(positive, 2 + total * positive)
    weights = tf.reduce_sum(shares, axes, keepdims=True)
    return tf.nn.relu(weighted_sum(activations, weights))


@METHODS.register(
    kind="cam",
    title="XGrad-CAM",
    class_name="XGradCAM",
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

    >>> ones = tf.ones((1, 2, 2, 3))
    >>> xgrad_cam(2 * ones, 3 * ones).numpy()[0].tolist()
    [[18.0, 18.0], [18.0, 18.0]]
    """
    axes = _over_grid(gradients)
    total = tf.reduce_sum(activations, axes, keepdims=True)
    weights = tf.math.divide_no_nan(
        tf.reduce_sum(gradients * activations, axes, keepdims=True), total
    )
    return tf.nn.relu(weighted_sum(activations, weights))

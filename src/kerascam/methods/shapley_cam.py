"""Grad-CAM with a correction of second order."""

from keras import ops

from .._types import Features, Maps
from ..explain import LayerExplainer
from ..maps import grid_axes
from ..registry import METHODS, Citation


def shapley_cam_terms(activations: Features, gradients: Features, curvature: Features) -> Features:
    """Weigh each feature by the mean of its gradient, less half of what that changes."""
    axes = grid_axes(gradients, features=True)
    return ops.mean(gradients - curvature / 2, axes, keepdims=True) * activations


@METHODS.register(
    title="ShapleyCAM",
    class_name="ShapleyCAM",
    terms=shapley_cam_terms,
    passes="1 forward, 2 backward",
    citation=Citation(
        "Cai",
        2025,
        "CAMs as Shapley Value-based Explainers",
        "The Visual Computer",
        "https://arxiv.org/abs/2501.06261",
    ),
)
def shapley_cam(activations: Features, gradients: Features, curvature: Features) -> Maps:
    r"""Weigh each feature map by the mean of its gradient, less half of what that changes.

    $$L = \mathrm{ReLU}\Big(\sum_k \alpha_k A^k\Big),\qquad
    \alpha_k = \frac1Z \sum_{ij} \Big(g^k_{ij} - \tfrac12 (H A)^k_{ij}\Big)$$

    $H$ is the Hessian of the score by the layer's output. To second order
    $\sum_{ij} A^k (g - \tfrac12 H A)^k$ is the Shapley value of feature $k$. Where what follows the
    layer is made of linear pieces (convolutions, ReLUs, pooling, a dense layer) the score has
    $H A = 0$, and this is Grad-CAM: the paper explains the score less its cross-entropy, a
    target that is not linear.

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> shapley_cam(ones, 2 * ones, 2 * ones).numpy()[0].tolist()
    [[3.0, 3.0], [3.0, 3.0]]
    """
    return ops.relu(ops.sum(shapley_cam_terms(activations, gradients, curvature), -1))


class ShapleyCAM(LayerExplainer):
    r"""Explain by ShapleyCAM: Grad-CAM's weights, corrected to second order.

    The same as `GradCAM` if the score is made of linear pieces. Take a target that is not, such as
    the paper's, the logit plus the logarithm of the probability, or a layer before activations
    that bend.

    Example:
        >>> import keras, numpy as np
        >>> from kerascam import targets
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> ShapleyCAM(model, target=targets.probability)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "shapley_cam"

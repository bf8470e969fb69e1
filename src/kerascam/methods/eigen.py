"""Class activation maps by the strongest common direction of the features: pure functions."""

from math import prod
from typing import Any

from keras import ops

from .._types import Features, Maps
from ..explain import LayerExplainer
from ..maps import grid_axes
from ..registry import METHODS, Citation


@METHODS.register(
    title="Eigen-CAM",
    class_name="EigenCAM",
    signed=True,
    citation=Citation(
        "Muhammad and Yeasin",
        2020,
        "Eigen-CAM: Class Activation Map using Principal Components",
        "IJCNN",
        "https://arxiv.org/abs/2008.00299",
    ),
)
def eigen_cam(activations: Features) -> Maps:
    r"""Project the activations on their first right singular vector; the class plays no part.

    $$O = U \Sigma V^\top,\qquad L = O\,v_1$$ with $O$ the activations as a matrix of Z places by
    features, not centred.

    A singular vector's sign is arbitrary. Here it is the one with which the map agrees with the
    sum of the activations, $\langle L, O\,\mathbf 1 \rangle \ge 0$: after a ReLU the map is
    then non-negative, and it never depends on the solver. No ReLU, as in the paper.

    >>> values = eigen_cam(ops.array([[[[3.0, 4.0]], [[0.0, 0.0]]]]))
    >>> [round(v, 5) for v in values.numpy().ravel().tolist()]
    [5.0, 0.0]
    """
    return _first_projection(activations)


class EigenCAM(LayerExplainer):
    r"""Show what dominates a layer by Eigen-CAM, whatever the class.

    `classes` changes the name of the class, not the map.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
        >>> explain, image = EigenCAM(model), np.ones((1, 8, 8, 3))
        >>> bool(np.array_equal(explain(image, 0).maps, explain(image, 1).maps))
        True
    """

    _method = "eigen_cam"


@METHODS.register(
    title="Eigen-Grad-CAM",
    class_name="EigenGradCAM",
    signed=True,
    citation=None,
)
def eigen_grad_cam(activations: Features, gradients: Features) -> Maps:
    r"""Project the products of gradient and activation on their first right singular vector.

    $$O = g \odot A = U \Sigma V^\top,\qquad L = O\,v_1$$ with $O$ as a matrix of places by
    features.

    Used in the field without a paper of its own: Eigen-CAM made to depend on the class. The
    sign is settled as for Eigen-CAM, which here means: the map agrees with HiResCAM's, so that
    positive is evidence for the target.

    >>> ones = ops.ones((1, 1, 1, 4))
    >>> [round(v, 5) for v in eigen_grad_cam(ones, -ones).numpy().ravel().tolist()]
    [-2.0]
    """
    return _first_projection(gradients * activations)


class EigenGradCAM(LayerExplainer):
    r"""Explain by Eigen-Grad-CAM: the main direction of gradient times activation.

    Smoother than HiResCAM, whose sign it takes, and of the class, unlike Eigen-CAM.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
        >>> EigenGradCAM(model)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "eigen_grad_cam"


@METHODS.register(
    title="Eigen-smoothed Grad-CAM",
    class_name="EigenSmoothedGradCAM",
    citation=None,
)
def eigen_smoothed_grad_cam(activations: Features, gradients: Features) -> Maps:
    r"""Project the weighed feature maps of Grad-CAM on their first right singular vector.

    $$L = \mathrm{ReLU}(O\,v_1),\qquad O_k = \alpha_k A^k = (U \Sigma V^\top)_k$$ with the weights
    $\alpha_k$ of Grad-CAM, and $O$ as a matrix of places by features.

    What single features add on their own is left out. A construction without a paper: Grad-CAM
    with the `eigen_smooth` of pytorch-grad-cam, which centres $O$ and leaves the sign to the
    solver; here the map agrees with Grad-CAM's.

    >>> ones = ops.ones((1, 1, 1, 4))
    >>> [round(v, 5) for v in eigen_smoothed_grad_cam(ones, ones).numpy().ravel().tolist()]
    [2.0]
    """
    weights = ops.mean(gradients, grid_axes(gradients, features=True), keepdims=True)
    return ops.relu(_first_projection(weights * activations))


class EigenSmoothedGradCAM(LayerExplainer):
    r"""Explain by Grad-CAM with eigen smoothing: the main direction of its weighed feature maps.

    Less speckled than Grad-CAM where many features are weak. On a head of global average pooling
    and one dense layer it is Eigen-Grad-CAM without the evidence against.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
        >>> EigenSmoothedGradCAM(model)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "eigen_smoothed_grad_cam"


def agreeing(projection: Any, matrix: Any) -> Any:
    """Settle the sign, which a solver leaves open: agree with the sum of the features.

    Args:
        projection: Shape (batch, places).
        matrix: Shape (batch, places, features).
    """
    agreement = ops.sum(projection * ops.sum(matrix, -1), 1, keepdims=True)
    return ops.where(agreement < 0, -projection, projection)


def _first_projection(features: Features) -> Maps:
    # The smaller Gram matrix has the same leading direction and is far cheaper than an SVD:
    # O v1 = sqrt(lambda_1) u1, with u1 the leading eigenvector of O O^T.
    shape, depth = ops.shape(features), features.shape[-1]
    grid = tuple(features.shape[1:-1])
    matrix = ops.reshape(features, (shape[0], -1, depth))
    # A solver that meets NaN in one image may fail for the whole batch.
    finite = ops.all(ops.isfinite(matrix), [1, 2], keepdims=True)
    matrix = ops.where(finite, matrix, ops.zeros_like(matrix))
    scale = ops.max(ops.abs(matrix), [1, 2], keepdims=True)
    matrix = ops.divide_no_nan(matrix, scale)
    transposed = ops.transpose(matrix, (0, 2, 1))
    if None not in grid and prod(grid) <= depth:
        values, vectors = ops.eigh(ops.matmul(matrix, transposed))
        projection = ops.sqrt(ops.relu(values[:, -1:])) * vectors[:, :, -1]
    else:
        _, vectors = ops.eigh(ops.matmul(transposed, matrix))
        projection = ops.matmul(matrix, vectors[:, :, -1:])[:, :, 0]
    projection = scale[:, :, 0] * agreeing(projection, matrix)
    projection = ops.where(finite[:, :, 0], projection, float("nan") * ops.ones_like(projection))
    return ops.reshape(projection, shape[:-1])

"""Class activation maps by the strongest direction of the features under a kernel."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import keras
from keras import ops

from .._types import Features, Maps, Unpack
from ..arguments import real_number
from ..errors import brief
from ..explain import LayerArguments, LayerExplainerWithOptions
from ..registry import METHODS, Citation
from .eigen import agreeing

Kernel = Literal["sigmoid", "rbf", "linear"]

# Between the places of an image, from their products, (batch, Z, Z), a scale and an offset.
_KERNELS: Mapping[str, Callable[[Any, float, float], Any]] = {
    "sigmoid": lambda products, scale, offset: ops.tanh(scale * products + offset),
    "rbf": lambda products, scale, offset: ops.exp(-scale * _distances(products)),
    "linear": lambda products, scale, offset: products,
}
# Below this share of the largest number a kernel's differences are rounding alone.
_ROUNDING = 1e-5


def check_kpca_cam(kernel: Any, scale: Any, offset: Any) -> None:
    """Raise if an option of KPCA-CAM has a wrong type or value."""
    if not isinstance(kernel, str) or kernel not in _KERNELS:
        known = ", ".join(map(repr, _KERNELS))
        raise ValueError(f"kernel must be one of {known}, not {brief(kernel)}")
    if scale is not None and not real_number("scale", scale) > 0:
        raise ValueError(f"scale must be greater than 0, or None, not {brief(scale)}")
    real_number("offset", offset)


@METHODS.register(
    title="KPCA-CAM",
    class_name="KPCACAM",
    signed=True,
    check=check_kpca_cam,
    passes="1 forward",
    citation=Citation(
        "Karmani, Sivakaran, Prasad, Ali, Yang and Tang",
        2024,
        "KPCA-CAM: Visual Explainability of Deep Computer Vision Models using Kernel PCA",
        "MMSP",
        "https://arxiv.org/abs/2410.00267",
    ),
)
def kpca_cam(
    activations: Features,
    *,
    kernel: Kernel = "sigmoid",
    scale: float | None = None,
    offset: float = 1.0,
) -> Maps:
    r"""Project the activations on their first kernel principal component, whatever the class.

    $$L = \sqrt{\lambda_1}\,v_1,\qquad
    \big(I - \tfrac1Z\big)\,K\,\big(I - \tfrac1Z\big) = V \Lambda V^\top,\qquad
    K_{ij} = \tanh(\gamma\,\langle A_i, A_j \rangle + r)$$ over the Z places; for "rbf"
    $K_{ij} = \exp(-\gamma\,\|A_i - A_j\|^2)$, for "linear" the plain product.

    $\gamma$ is 1 over the number of features by default. The sign is settled as for Eigen-CAM: the
    map agrees with the sum of the activations. If the kernel hardly tells places apart, as the
    sigmoid of large activations, which is 1 for all, the map is zero in place of rounding noise.
    The matrix holds $Z^2$ numbers per image: it is for layers of some hundred places.

    >>> values = kpca_cam(ops.array([[[[3.0, 4.0]], [[0.0, 0.0]]]]), kernel="linear")
    >>> [round(v, 5) for v in values.numpy().ravel().tolist()]
    [2.5, -2.5]
    """
    check_kpca_cam(kernel, scale, offset)
    shape = ops.shape(activations)
    matrix = ops.reshape(activations, (shape[0], -1, activations.shape[-1]))
    # A solver that meets NaN in one image may fail for the whole batch.
    finite = ops.all(ops.isfinite(matrix), [1, 2], keepdims=True)
    matrix = ops.where(finite, matrix, ops.zeros_like(matrix))
    apart = matrix - ops.mean(matrix, 1, keepdims=True)
    # Of distances, and of products that are centred later, a common offset costs digits.
    given = matrix if kernel == "sigmoid" else apart
    products = ops.matmul(given, ops.transpose(given, (0, 2, 1)))
    gamma = 1 / activations.shape[-1] if scale is None else scale
    values = _KERNELS[kernel](products, gamma, offset)
    centred = _centred(values)
    largest = ops.max(ops.abs(values), [1, 2], keepdims=True)
    told_apart = ops.max(ops.abs(centred), [1, 2], keepdims=True) > _ROUNDING * largest
    powers, vectors = ops.eigh(ops.where(told_apart, centred, ops.zeros_like(centred)))
    projection = ops.sqrt(ops.relu(powers[:, -1:])) * vectors[:, :, -1]
    projection = agreeing(projection, apart)
    projection = ops.where(finite[:, :, 0], projection, float("nan") * ops.ones_like(projection))
    return ops.reshape(projection, shape[:-1])


class KPCACAM(LayerExplainerWithOptions):
    r"""Show what dominates a layer by KPCA-CAM: Eigen-CAM with a kernel, whatever the class.

    A kernel finds a direction that is no straight line of the features. `classes` changes the name
    of the class, not the map.

    Args:
        kernel: "sigmoid", as in the paper, "rbf" or "linear" (Eigen-CAM of centred features).
        scale: $\gamma$ of the kernel; None is 1 over the number of features.
        offset: $r$ of the sigmoid.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> KPCACAM(model, kernel="rbf")(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "kpca_cam"

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        kernel: Kernel = "sigmoid",
        scale: float | None = None,
        offset: float = 1.0,
        **shared: Unpack[LayerArguments],
    ) -> None:
        super().__init__(model, layer, kernel=kernel, scale=scale, offset=offset, **shared)


def _distances(products: Any) -> Any:
    """Square the distances between places, from the products of their features."""
    own = ops.diagonal(products, axis1=1, axis2=2)
    return ops.relu(own[:, :, None] + own[:, None] - 2 * products)


def _centred(kernel: Any) -> Any:
    """Take the mean over the places away, on both sides."""
    rows = ops.mean(kernel, 1, keepdims=True)
    columns = ops.mean(kernel, 2, keepdims=True)
    return kernel - rows - columns + ops.mean(rows, 2, keepdims=True)

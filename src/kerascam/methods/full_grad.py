"""The gradient by the image and by every bias: a pure function of both."""

from typing import Any

from keras import ops

from .._types import Biases, GradientFunction, Images, ScoreFunction, Scores
from ..estimates import Estimate
from ..explain import ImageExplainer
from ..maps import grid_axes, normalize
from ..registry import METHODS, Citation


@METHODS.register(
    title="FullGrad",
    class_name="FullGrad",
    citation=Citation(
        "Srinivas and Fleuret",
        2019,
        "Full-Gradient Representation for Neural Network Visualization",
        "NeurIPS",
        "https://arxiv.org/abs/1905.00780",
    ),
)
def full_grad(
    gradient: GradientFunction,
    images: Images,
    biases: Biases,
    bias_sum: Scores,
    score: ScoreFunction,
) -> Estimate:
    r"""Add up what the image and every bias contribute to the score.

    $$M = \sum_c \psi\Big(x_c \frac{\partial S}{\partial x_c}\Big) + \sum_l \sum_k
    \psi\Big(b^l_k \frac{\partial S}{\partial z^l_k}\Big),\qquad
    \psi(f) = \mathrm{Up}\Big(\frac{|f| - \min|f|}{\max|f| - \min|f|}\Big)$$

    $b^l$ is what is added at $z^l$: the bias of a convolution, $\beta - \gamma\mu/\sigma$ of a
    batch normalization, the offset of a rescaling; of an activation that bends, such as a sigmoid,
    it is $f(z) - z f'(z)$ (the paper's implicit bias). Minimum and maximum are over each image and
    layer, over all its features. Biases without a grid, such as those of dense layers, have no
    place in the map. The residual is $S$ less the sum over all $x\,\partial S/\partial x$ and all
    $b\,\partial S/\partial z$: zero in networks of linear layers, batch normalization, pooling and
    activations, and not where activations are multiplied by each other (gates, attention).

    >>> x = ops.array([[[[1.0], [3.0]]]])
    >>> bias = ops.array([[[[2.0], [-4.0]]]])
    >>> found = full_grad(
    ...     ops.ones_like, x, ((bias, lambda maps: maps),), ops.array([-2.0]),
    ...     lambda x: ops.sum(x, (1, 2, 3)) - 2)
    >>> found.maps.numpy().tolist(), found.residual.numpy().tolist()
    ([[[0.0, 2.0]]], [0.0])
    """
    by_image = images * gradient(images)
    maps = _strengths(by_image)
    for terms, enlarge in biases:
        maps = maps + ops.cast(enlarge(_strengths(terms)), maps.dtype)
    total = ops.sum(by_image, grid_axes(by_image)) + ops.cast(bias_sum, by_image.dtype)
    whole = score(images)
    return Estimate(maps, residual=whole - ops.cast(total, whole.dtype))


def _strengths(terms: Any) -> Any:
    """Scale the magnitudes of each image to [0, 1] over the grid and features; sum over these."""
    return ops.sum(normalize(ops.abs(terms), "minmax"), -1)


class FullGrad(ImageExplainer):
    r"""Explain by full gradients: those by the image and by every bias, found in the graph.

    Shows both single pixels and the regions that deep layers respond to. The score is the sum of
    what the image and the biases contribute, up to `explanation.residual`; the map
    shows magnitudes, each layer scaled to its own range, and has no such sum.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> explanation = FullGrad(model)(np.ones((1, 8, 8, 3)))
        >>> explanation.maps.shape, bool(abs(explanation.residual[0]) < 1e-5)
        ((1, 8, 8), True)
    """

    _method = "full_grad"

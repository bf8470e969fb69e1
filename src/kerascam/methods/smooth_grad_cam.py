"""Grad-CAM++ from derivatives that are averaged over noise."""

from typing import Any

import keras
from keras import ops

from .._types import Features, GradientFunction, Images, Maps, Unpack
from ..explain import LayerArguments, LayerExplainerWithOptions
from ..maps import grid_axes
from ..registry import METHODS, Citation
from ..repeat import sum_over
from .noise import check_noise, noisy_copies
from .one_weight import weighted_sum


@METHODS.register(
    title="Smooth Grad-CAM++",
    class_name="SmoothGradCAMPlusPlus",
    passes="1 + {samples} forward, {samples} backward",
    check=check_noise,
    citation=Citation(
        "Omeiza, Speakman, Cintas and Weldemariam",
        2019,
        "Smooth Grad-CAM++: An Enhanced Inference Level Visualization Technique for Deep "
        "Convolutional Neural Network Models",
        "arXiv",
        "https://arxiv.org/abs/1908.01224",
    ),
)
def smooth_grad_cam_plus_plus(
    images: Images,
    activations: Features,
    gradients_at: GradientFunction,
    *,
    samples: int = 25,
    noise: float = 0.15,
    seed: int = 0,
) -> Maps:
    r"""Weigh each feature map as Grad-CAM++ does, by derivatives averaged over noisy images.

    $$L = \mathrm{ReLU}\Big(\sum_k w_k A^k\Big),\quad
    w_k = \sum_{ij} \frac{D_2}{2 D_2 + S_A^k \max(D_3, 0)}\, \mathrm{ReLU}(D_1),\quad
    D_n = \frac1N \sum_{s=1}^N \big(g^{k}_{ij}(x + \varepsilon_s)\big)^n$$

    $\varepsilon_s \sim \mathcal N(0, \sigma^2)$ with $\sigma = \text{noise}\,(\max x - \min x)$.
    The activations, and their sum $S_A^k$ over the grid, are those of the image without noise;
    without noise this is Grad-CAM++. The fraction's numerator is $D_2$, as in Grad-CAM++, where the
    paper prints $D_1$; and a negative $D_3$, which may put a pole into the fraction, counts as 0.

    >>> ones = ops.ones((1, 2, 2, 3))
    >>> found = smooth_grad_cam_plus_plus(ones, ones, ops.ones_like, samples=2)
    >>> found.numpy()[0].tolist()  # as Grad-CAM++: 12 / (2 + 4)
    [[2.0, 2.0], [2.0, 2.0]]
    """
    check_noise(samples, noise, seed)
    noisy = noisy_copies(images, noise, seed)

    def powers(chosen: Any) -> Any:
        slopes = gradients_at(noisy(chosen))
        return ops.stack([ops.sum(slopes**power, 0) for power in (1, 2, 3)])

    sums = sum_over(powers, samples, ops.stack([activations] * 3), images)
    first, second, third = ops.unstack(sums / samples, 3)
    axes = grid_axes(activations, features=True)
    total = ops.sum(activations, axes, keepdims=True)
    shares = ops.divide_no_nan(second, 2 * second + total * ops.relu(third))
    weights = ops.sum(shares * ops.relu(first), axes, keepdims=True)
    return ops.relu(weighted_sum(activations, weights))


class SmoothGradCAMPlusPlus(LayerExplainerWithOptions):
    r"""Explain by Smooth Grad-CAM++: Grad-CAM++ with derivatives averaged over noisy images.

    All three derivatives are averaged. Assumes activations after a ReLU, as `GradCAMPlusPlus` does.

    Args:
        samples: How many noisy copies; each costs a forward and a backward pass.
        noise: Their standard deviation, as a share of each image's range of values.
        seed: Seed of the noise.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> SmoothGradCAMPlusPlus(model, samples=4)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "smooth_grad_cam_plus_plus"

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        samples: int = 25,
        noise: float = 0.15,
        seed: int = 0,
        **shared: Unpack[LayerArguments],
    ) -> None:
        super().__init__(model, layer, samples=samples, noise=noise, seed=seed, **shared)

"""Second moments of the gradient over noisy copies of the image."""

from typing import Any

import keras
from keras import ops

from .._types import GradientFunction, Heatmaps, Images, Unpack
from ..explain import ImageArguments, ImageExplainerWithOptions
from ..registry import METHODS, Citation
from ..repeat import mean_over, sum_over
from .noise import check_noise, noisy_copies


@METHODS.register(
    title="SmoothGrad²",
    class_name="SmoothGradSquared",
    passes="1 + {samples} forward, {samples} backward",
    check=check_noise,
    citation=Citation(
        "Hooker, Erhan, Kindermans and Kim",
        2019,
        "A Benchmark for Interpretability Methods in Deep Neural Networks",
        "NeurIPS",
        "https://arxiv.org/abs/1806.10758",
    ),
)
def smooth_grad_squared(
    gradient: GradientFunction,
    images: Images,
    *,
    samples: int = 25,
    noise: float = 0.15,
    seed: int = 0,
) -> Heatmaps:
    r"""Average the squared gradient over noisy copies of the image; take the strongest channel.

    $$M_{ij} = \max_c \frac1n \sum_{s=1}^n
    \Big(\frac{\partial S}{\partial x_{ijc}}(x + \varepsilon_s)\Big)^2,\quad
    \varepsilon_s \sim \mathcal N(0, \sigma^2),\quad \sigma = \text{noise}\,(\max x - \min x)$$

    Noise and seed are as of SmoothGrad, so that each channel's mean of squares is the
    square of SmoothGrad's mean plus VarGrad's variance. Gradients of both signs add up, where
    SmoothGrad's cancel.

    >>> x = ops.array([[[[1.0], [3.0]]]])
    >>> smooth_grad_squared(lambda x: -2 * ops.ones_like(x), x, samples=3).numpy().tolist()
    [[[4.0, 4.0]]]
    """
    check_noise(samples, noise, seed)
    noisy = noisy_copies(images, noise, seed)
    mean = mean_over(lambda chosen: gradient(noisy(chosen)) ** 2, samples, images, images)
    return ops.max(mean, -1)


class SmoothGradSquared(ImageExplainerWithOptions):
    r"""Explain by the squared gradient, averaged over noisy copies of the image.

    Few pixels stand out, and more so than with `SmoothGrad`. The same seed yields the same
    heatmaps, whatever else is in the batch.

    Args:
        samples: How many noisy copies; each costs a forward and a backward pass.
        noise: Their standard deviation, as a share of each image's range of values.
        seed: Seed of the noise.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> SmoothGradSquared(model, samples=4)(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    _method = "smooth_grad_squared"

    def __init__(
        self,
        model: keras.Model,
        *,
        samples: int = 25,
        noise: float = 0.15,
        seed: int = 0,
        **shared: Unpack[ImageArguments],
    ) -> None:
        super().__init__(model, samples=samples, noise=noise, seed=seed, **shared)


def check_var_grad(samples: Any, noise: Any, seed: Any) -> None:
    """Raise if an option of VarGrad has a wrong type or value."""
    check_noise(samples, noise, seed, least=2)


@METHODS.register(
    title="VarGrad",
    class_name="VarGrad",
    passes="1 + {samples} forward, {samples} backward",
    check=check_var_grad,
    citation=Citation(
        "Adebayo, Gilmer, Goodfellow and Kim",
        2018,
        "Local Explanation Methods for Deep Neural Networks Lack Sensitivity to Parameter Values",
        "ICLR Workshop",
        "https://arxiv.org/abs/1810.03307",
    ),
)
def var_grad(
    gradient: GradientFunction,
    images: Images,
    *,
    samples: int = 25,
    noise: float = 0.15,
    seed: int = 0,
) -> Heatmaps:
    r"""Take the variance of the gradient over noisy copies of the image; the strongest channel.

    $$M_{ij} = \max_c \frac1n \sum_{s=1}^n \big(g^{(s)}_{ijc} - \bar g_{ijc}\big)^2,\qquad
    g^{(s)} = \frac{\partial S}{\partial x}(x + \varepsilon_s)$$

    Noise and seed are as of SmoothGrad, whose mean $\bar g$ is. Zero of a model that is linear in
    the image: it shows where the gradient changes, not how large it is.

    >>> x = ops.array([[[[1.0], [3.0]]]])
    >>> var_grad(lambda x: 2 * ops.ones_like(x), x, samples=3).numpy().tolist()
    [[[0.0, 0.0]]]
    """
    check_var_grad(samples, noise, seed)
    noisy = noisy_copies(images, noise, seed)
    middle = gradient(images)  # about which the moments lose no digits

    def moments(chosen: Any) -> Any:
        apart = gradient(noisy(chosen)) - middle
        return ops.stack([ops.sum(apart, 0), ops.sum(apart**2, 0)])

    both = sum_over(moments, samples, ops.stack([images, images]), images) / samples
    mean, of_squares = ops.unstack(both, 2)
    return ops.max(ops.relu(of_squares - mean**2), -1)


class VarGrad(ImageExplainerWithOptions):
    r"""Explain by the variance of the gradient over noisy copies of the image.

    The same seed yields the same heatmaps, whatever else is in the batch.

    Args:
        samples: How many noisy copies; each costs a forward and a backward pass.
        noise: Their standard deviation, as a share of each image's range of values.
        seed: Seed of the noise.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> explanation = VarGrad(model, samples=4)(np.ones((1, 8, 8, 3)))
        >>> explanation.statuses  # of a linear model
        ('zero gradient',)
    """

    _method = "var_grad"

    def __init__(
        self,
        model: keras.Model,
        *,
        samples: int = 25,
        noise: float = 0.15,
        seed: int = 0,
        **shared: Unpack[ImageArguments],
    ) -> None:
        super().__init__(model, samples=samples, noise=noise, seed=seed, **shared)

"""Input-gradient methods: pure functions of a gradient function and the images.

`gradient` maps images of shape (batch, *size, channels) to the gradient of each image's score,
of the same shape; the classes are settled before. Several copies of the batch, each with other
values, may be asked for at once: shape (copies, batch, *size, channels). The heatmaps have shape
(batch, *size).
"""

import keras
from keras import ops

from .._types import GradientFunction, Heatmaps, Images, Unpack
from ..explain import ImageArguments, ImageExplainer, ImageExplainerWithOptions
from ..registry import METHODS, Citation
from ..repeat import mean_over
from .noise import check_noise, noisy_copies


def strongest_channel(gradients: Images) -> Heatmaps:
    """Take the largest magnitude over the channels."""
    return ops.max(ops.abs(gradients), -1)


@METHODS.register(
    title="Saliency",
    class_name="Saliency",
    aliases=("Vanilla gradient",),
    citation=Citation(
        "Simonyan, Vedaldi and Zisserman",
        2014,
        "Deep Inside Convolutional Networks: Visualising Image Classification Models and "
        "Saliency Maps",
        "ICLR Workshop",
        "https://arxiv.org/abs/1312.6034",
    ),
)
def saliency(gradient: GradientFunction, images: Images) -> Heatmaps:
    r"""Take the largest magnitude of the gradient over the channels.

    $$M_{ij} = \max_c \Big|\frac{\partial S}{\partial x_{ijc}}\Big|$$

    >>> saliency(lambda x: 2 * x, ops.array([[[[1.0, -3.0]]]])).numpy().tolist()
    [[[6.0]]]
    """
    return strongest_channel(gradient(images))


class Saliency(ImageExplainer):
    r"""Explain by the gradient of the score by the image.

    The first look at which pixels the score depends on; noisy for deep networks.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> Saliency(model)(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    _method = "saliency"


@METHODS.register(
    title="Gradient × input",
    class_name="GradientTimesInput",
    aliases=("Input × gradient", "Gradient x input", "Input x gradient"),
    signed=True,
    citation=Citation(
        "Shrikumar, Greenside, Shcherbina and Kundaje",
        2016,
        "Not Just a Black Box: Learning Important Features Through Propagating Activation "
        "Differences",
        "arXiv",
        "https://arxiv.org/abs/1605.01713",
    ),
)
def gradient_times_input(gradient: GradientFunction, images: Images) -> Heatmaps:
    r"""Multiply the gradient by the image and sum over the channels.

    $$M_{ij} = \sum_c x_{ijc} \frac{\partial S}{\partial x_{ijc}}$$

    >>> gradient_times_input(lambda x: 2 * x, ops.array([[[[1.0, -3.0]]]])).numpy().tolist()
    [[[20.0]]]
    """
    return ops.sum(images * gradient(images), -1)


class GradientTimesInput(ImageExplainer):
    r"""Explain by gradient times input, summed over the channels.

    The raw maps are signed. Of a model that is linear in the image, they sum to the score.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> explanation = GradientTimesInput(model)(np.ones((1, 8, 8, 3)))
        >>> bool(np.isclose(explanation.maps.sum(), explanation.scores[0], rtol=1e-4))  # linear
        True
    """

    _method = "gradient_times_input"


@METHODS.register(
    title="SmoothGrad",
    class_name="SmoothGrad",
    passes="1 + {samples} forward, {samples} backward",
    check=check_noise,
    citation=Citation(
        "Smilkov, Thorat, Kim, Viégas and Wattenberg",
        2017,
        "SmoothGrad: removing noise by adding noise",
        "ICML Workshop",
        "https://arxiv.org/abs/1706.03825",
    ),
)
def smooth_grad(
    gradient: GradientFunction,
    images: Images,
    *,
    samples: int = 25,
    noise: float = 0.15,
    seed: int = 0,
) -> Heatmaps:
    r"""Average the gradient over noisy copies of the image, then take the strongest channel.

    $$\hat g = \frac1n \sum_{s=1}^n \frac{\partial S}{\partial x}\big(x + \varepsilon_s\big),\quad
    \varepsilon_s \sim \mathcal N(0, \sigma^2),\quad \sigma = \text{noise}\,(\max x - \min x)$$

    The paper advises a noise of 0.1 to 0.2. Every image of a batch meets the same noise, scaled
    to its own range, so that its heatmap does not depend on its neighbours; the same seed yields
    the same heatmap.

    >>> x = ops.array([[[[1.0], [3.0]]]])
    >>> smooth_grad(lambda x: 2 * ops.ones_like(x), x, samples=3).numpy().tolist()
    [[[2.0, 2.0]]]
    """
    check_noise(samples, noise, seed)
    noisy = noisy_copies(images, noise, seed)
    mean = mean_over(lambda chosen: gradient(noisy(chosen)), samples, images, images)
    return strongest_channel(mean)


class SmoothGrad(ImageExplainerWithOptions):
    r"""Explain by the gradient, averaged over noisy copies of the image.

    The same seed yields the same heatmaps, whatever else is in the batch.

    Args:
        samples: How many noisy copies; each costs a forward and a backward pass.
        noise: Their standard deviation, as a share of each image's range of values.
        seed: Seed of the noise.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> SmoothGrad(model, samples=4)(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    _method = "smooth_grad"

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

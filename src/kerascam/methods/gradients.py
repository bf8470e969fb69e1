"""Named classes of the methods in `kerascam.saliency`."""

from typing import Any

import keras

from .bases import ImageExplainer, LayerExplainer


class Saliency(ImageExplainer):
    r"""Explain by the gradient of the score by the image.

    $$M_{ij} = \max_c \Big|\frac{\partial S}{\partial x_{ijc}}\Big|$$

    Simonyan et al. (2014, arXiv:1312.6034). The arguments are those of `Explainer` that do not
    concern a layer.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> Saliency(model)(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    _method = "saliency"


class GradientTimesInput(ImageExplainer):
    r"""Explain by gradient times input, summed over the channels.

    $$M_{ij} = \sum_c x_{ijc} \frac{\partial S}{\partial x_{ijc}}$$

    The raw maps are signed; Shrikumar et al. (2016, arXiv:1605.01713). The arguments are those
    of `Explainer` that do not concern a layer.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> explanation = GradientTimesInput(model)(np.ones((1, 8, 8, 3)))
        >>> bool(np.isclose(explanation.maps.sum(), explanation.scores[0], rtol=1e-4))  # linear
        True
    """

    _method = "gradient_times_input"


class SmoothGrad(ImageExplainer):
    r"""Explain by the gradient, averaged over noisy copies of the image.

    $$\hat g = \frac1n \sum_{s=1}^n \frac{\partial S}{\partial x}(x + \varepsilon_s),\qquad
    \varepsilon_s \sim \mathcal N(0, \sigma^2)$$

    The same seed gives the same heatmaps, whatever else is in the batch (Smilkov et al., 2017,
    arXiv:1706.03825). The other arguments are those of `Explainer` that do not concern a layer.

    Args:
        model: Any built Keras 3 model on TensorFlow.
        samples: How many noisy copies; each costs a forward and a backward pass.
        noise: Their standard deviation, as a share of each image's range of values.
        seed: Seed of the noise.
        **arguments: `target`, `output`, `normalize`, `labels`, `freeze`.

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
        **arguments: Any,
    ) -> None:
        super().__init__(model, samples=samples, noise=noise, seed=seed, **arguments)


class IntegratedGradients(ImageExplainer):
    r"""Explain by the gradient, integrated on the way from a baseline to the image.

    $$M = (x - x') \odot \int_0^1 \frac{\partial S}{\partial x}\big(x' + a\,(x - x')\big)\,da$$

    Complete: the raw, signed map sums to S(x) - S(x'), up to the midpoint rule's error
    (Sundararajan et al., 2017, arXiv:1703.01365). The other arguments are those of `Explainer`
    that do not concern a layer.

    Args:
        model: Any built Keras 3 model on TensorFlow.
        steps: Steps of the midpoint rule; each costs a forward and a backward pass.
        baseline: A number, or an array that fits the images: what counts as nothing seen.
        **arguments: `target`, `output`, `normalize`, `labels`, `freeze`.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> explanation = IntegratedGradients(model, steps=4)(np.ones((1, 8, 8, 3)))
        >>> bool(np.isclose(explanation.maps.sum(), explanation.scores[0], rtol=1e-4))
        True
    """

    _method = "integrated_gradients"

    def __init__(
        self, model: keras.Model, *, steps: int = 32, baseline: Any = 0.0, **arguments: Any
    ) -> None:
        super().__init__(model, steps=steps, baseline=baseline, **arguments)


class GuidedBackprop(ImageExplainer):
    r"""Show what the network sees by guided backpropagation.

    $$dx = dy \cdot \mathbb 1[dy > 0] \cdot \mathbb 1[x > 0]$$ at every ReLU.

    Every ReLU is reached, however the model is nested, and counted in the notes; a model without
    one is warned of. Sharp, but hardly of the class: see `GuidedGradCAM` (Springenberg et al.,
    2015, arXiv:1412.6806). The arguments are those of `Explainer` that do not concern a layer.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> GuidedBackprop(model)(np.ones((1, 8, 8, 3))).notes
        ('Guided backpropagation replaced the backward step of 1 ReLU',)
    """

    _method = "guided_backprop"


class Deconvnet(ImageExplainer):
    r"""Show what the network sees by the deconvnet rule.

    $$dx = dy \cdot \mathbb 1[dy > 0]$$ at every ReLU, active or not.

    Reaches and counts the ReLUs as `GuidedBackprop` does (Zeiler and Fergus, 2014,
    arXiv:1311.2901). The arguments are those of `Explainer` that do not concern a layer.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> Deconvnet(model)(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    _method = "deconvnet"


class GuidedGradCAM(LayerExplainer):
    r"""Explain by guided backpropagation times Grad-CAM: sharp, and of the class.

    $$M = \max_c |G_c| \odot \mathrm{Up}(L)$$ with $G$ the guided gradient of the image and $L$
    the Grad-CAM map.

    Both come from one forward pass (Selvaraju et al., 2017, arXiv:1610.02391). The arguments are
    those of `Explainer`, less the method.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> GuidedGradCAM(model)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 8, 8)
    """

    _method = "guided_grad_cam"

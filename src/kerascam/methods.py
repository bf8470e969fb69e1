"""The named classes: an explainer bound to one method each, with its own documentation page."""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from ._types import Target
from .explain import Explainer


class _LayerExplainer(Explainer):
    """An explainer whose method draws its maps on a layer's grid."""

    _method: ClassVar[str]

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        target: Target | None = None,
        output: int | str | None = None,
        call_index: int | None = None,
        normalize: str = "max",
        labels: Sequence[str] | None = None,
        grid: tuple[int, int] | None = None,
        freeze: bool = False,
    ) -> None:
        super().__init__(
            model,
            self._method,
            layer,
            target=target,
            output=output,
            call_index=call_index,
            normalize=normalize,
            labels=labels,
            grid=grid,
            freeze=freeze,
        )


class _ImageExplainer(Explainer):
    """An explainer whose method draws its maps on the images themselves."""

    _method: ClassVar[str]

    def __init__(
        self,
        model: keras.Model,
        *,
        target: Target | None = None,
        output: int | str | None = None,
        normalize: str = "max",
        labels: Sequence[str] | None = None,
        freeze: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            model,
            self._method,
            target=target,
            output=output,
            normalize=normalize,
            labels=labels,
            freeze=freeze,
            **options,
        )


class CAM(_LayerExplainer):
    r"""Explain by class activation mapping, from the dense layer's own weights.

    $$M_c = \sum_k w^c_k A^k$$

    For models with global average pooling and one dense layer behind the layer, and only those:
    elsewhere the call raises a ValueError. The raw maps are signed, as in Zhou et al. (2016,
    arXiv:1512.04150). The arguments are those of `Explainer`, less the method.

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


class GradCAM(_LayerExplainer):
    r"""Explain by Grad-CAM: each feature map weighed by its mean gradient.

    $$L = \mathrm{ReLU}\Big(\sum_k \alpha_k A^k\Big),\qquad
    \alpha_k = \frac1Z \sum_{ij} \frac{\partial S}{\partial A^k_{ij}}$$

    The first method to try: right for any network that has a layer with a grid, and the cheapest
    (Selvaraju et al., 2017, arXiv:1610.02391). The arguments are those of `Explainer`, less the
    method.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> explanation = GradCAM(model, labels=["cat", "dog"])(np.ones((1, 8, 8, 3)), "dog")
        >>> explanation.heatmaps.shape, explanation.maps.shape, explanation.class_name(0)
        ((1, 8, 8), (1, 6, 6), 'dog')
    """

    _method = "grad_cam"


class GradCAMPlusPlus(_LayerExplainer):
    r"""Explain by Grad-CAM++, in the paper's closed form.

    $$L = \mathrm{ReLU}\Big(\sum_k w_k A^k\Big),\qquad
    w_k = \sum_{ij} \frac{r^k_{ij}}{2 + r^k_{ij} \sum_{ab} A^k_{ab}},\qquad r = \mathrm{ReLU}(g)$$

    Each place's positive gradient counts by its own share, so that several objects of one class
    all show (Chattopadhay et al., 2018, arXiv:1710.11063). Assumes activations behind a ReLU.
    The arguments are those of `Explainer`, less the method.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> GradCAMPlusPlus(model)(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    _method = "grad_cam_plus_plus"


class XGradCAM(_LayerExplainer):
    r"""Explain by XGrad-CAM: gradients weighed by the activations themselves.

    $$L = \mathrm{ReLU}\Big(\sum_k \alpha_k A^k\Big),\qquad
    \alpha_k = \sum_{ij} \frac{A^k_{ij}}{\sum_{ab} A^k_{ab}}\, g^k_{ij}$$

    The weight that comes closest to sharing out the score over the features (Fu et al., 2020,
    arXiv:2008.02312). The arguments are those of `Explainer`, less the method.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
        >>> XGradCAM(model)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "xgrad_cam"


class HiResCAM(_LayerExplainer):
    r"""Explain by HiResCAM: each activation times its own gradient.

    $$L = \sum_k g^k \odot A^k$$

    Faithful where one dense layer follows: the raw, signed map sums to the logit less its bias
    (Draelos and Carin, 2020, arXiv:2011.08891). Heatmaps show the evidence for the class;
    `normalize="signed"` shows the evidence against it too. The arguments are those of
    `Explainer`, less the method.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, use_bias=False)])
        >>> explanation = HiResCAM(model, normalize="signed")(np.ones((1, 8, 8, 3)))
        >>> bool(np.isclose(explanation.maps.sum(), explanation.scores[0], rtol=1e-4))
        True
    """

    _method = "hires_cam"


class LayerCAM(_LayerExplainer):
    r"""Explain by LayerCAM: each activation by the positive part of its own gradient.

    $$L = \mathrm{ReLU}\Big(\sum_k \mathrm{ReLU}(g^k) \odot A^k\Big)$$

    Good at shallow layers too, where maps are fine (Jiang et al., 2021,
    doi:10.1109/TIP.2021.3089943). Give a list of layers to fuse them by the paper's rule. The
    arguments are those of `Explainer`, less the method.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="fine"),
        ...     keras.layers.Conv2D(4, 3, strides=2, name="coarse"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
        >>> explanation = LayerCAM(model, ["fine", "coarse"])(np.ones((1, 8, 8, 3)))
        >>> [maps.shape for maps in explanation.maps], explanation.heatmaps.shape
        ([(1, 6, 6), (1, 2, 2)], (1, 8, 8))
    """

    _method = "layer_cam"


class ElementwiseGradCAM(_LayerExplainer):
    r"""Explain by element-wise Grad-CAM: the positive products of activation and gradient.

    $$L = \sum_k \mathrm{ReLU}(g^k \odot A^k)$$

    HiResCAM with the evidence against left out feature by feature; used in the field without a
    paper of its own. The arguments are those of `Explainer`, less the method.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
        >>> bool((ElementwiseGradCAM(model)(np.ones((1, 8, 8, 3))).maps >= 0).all())
        True
    """

    _method = "elementwise_grad_cam"


class EigenCAM(_LayerExplainer):
    r"""Show what dominates a layer by Eigen-CAM, whatever the class.

    $$A = U \Sigma V^\top,\qquad L = A\,v_1$$

    The first singular direction of the activations, with the sign that agrees with their sum
    (Muhammad and Yeasin, 2020, arXiv:2008.00299); `classes` changes the label, not the map. The
    arguments are those of `Explainer`, less the method.

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


class EigenGradCAM(_LayerExplainer):
    r"""Explain by Eigen-Grad-CAM: the main direction of gradient times activation.

    $$g \odot A = U \Sigma V^\top,\qquad L = (g \odot A)\,v_1$$

    Smoother than HiResCAM, whose sign it takes, and of the class, unlike Eigen-CAM; used in the
    field without a paper of its own. The arguments are those of `Explainer`, less the method.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
        >>> EigenGradCAM(model)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "eigen_grad_cam"


class Saliency(_ImageExplainer):
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


class GradientTimesInput(_ImageExplainer):
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


class SmoothGrad(_ImageExplainer):
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


class IntegratedGradients(_ImageExplainer):
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


class GuidedBackprop(_ImageExplainer):
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


class Deconvnet(_ImageExplainer):
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


class GuidedGradCAM(_LayerExplainer):
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

"""Input gradients with another backward step in every ReLU: pure functions, as in `input_gradient`.

The step itself is replaced by the model's room, before `gradient` comes here.
"""

from typing import Any

import keras
from keras import ops  # noqa: F401  # the examples use it

from .._types import GradientFunction, Heatmaps, Images, Unpack
from ..explain import ImageExplainer, LayerArguments, LayerExplainerWithOptions
from ..registry import METHODS, Citation
from .input_gradient import strongest_channel
from .one_weight import GRAD_CAM_PAPER


@METHODS.register(
    title="Guided backpropagation",
    class_name="GuidedBackprop",
    aliases=("GBP",),
    relu_rule="guided",
    citation=Citation(
        "Springenberg, Dosovitskiy, Brox and Riedmiller",
        2015,
        "Striving for Simplicity: The All Convolutional Net",
        "ICLR Workshop",
        "https://arxiv.org/abs/1412.6806",
    ),
)
def guided_backprop(gradient: GradientFunction, images: Images) -> Heatmaps:
    r"""Pass only positive gradients through the ReLUs that were active, back to the image.

    $$dx = dy \cdot \mathbb 1[dy > 0] \cdot \mathbb 1[x > 0]$$ is every ReLU's backward step; the
    heatmap is the largest magnitude over the channels. It shows what the network sees sharply, and
    hardly depends on the class (Adebayo et al., 2018, arXiv:1810.03292): use it beside a class
    activation map, as Guided Grad-CAM does.

    >>> guided_backprop(lambda x: 2 * x, ops.array([[[[1.0, -3.0]]]])).numpy().tolist()
    [[[6.0]]]
    """
    return strongest_channel(gradient(images))


class GuidedBackprop(ImageExplainer):
    r"""Show what the network sees by guided backpropagation.

    Every ReLU is reached, however the model is nested, and counted in the notes; a model without
    one is warned of. Sharp, but hardly of the class: see `GuidedGradCAM`.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> GuidedBackprop(model)(np.ones((1, 8, 8, 3))).notes
        ('Guided backpropagation replaced the backward step of 1 ReLU',)
    """

    _method = "guided_backprop"


@METHODS.register(
    title="Deconvnet",
    class_name="Deconvnet",
    relu_rule="deconvnet",
    citation=Citation(
        "Zeiler and Fergus",
        2014,
        "Visualizing and Understanding Convolutional Networks",
        "ECCV",
        "https://arxiv.org/abs/1311.2901",
    ),
)
def deconvnet(gradient: GradientFunction, images: Images) -> Heatmaps:
    r"""Pass only positive gradients through every ReLU, active or not, back to the image.

    $$dx = dy \cdot \mathbb 1[dy > 0]$$ is every ReLU's backward step; the heatmap is the largest
    magnitude over the channels.

    >>> deconvnet(lambda x: 2 * x, ops.array([[[[1.0, -3.0]]]])).numpy().tolist()
    [[[6.0]]]
    """
    return strongest_channel(gradient(images))


class Deconvnet(ImageExplainer):
    r"""Show what the network sees by the deconvnet rule.

    Reaches and counts the ReLUs as `GuidedBackprop` does.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> Deconvnet(model)(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    _method = "deconvnet"


@METHODS.register(
    title="Guided Grad-CAM",
    class_name="GuidedGradCAM",
    relu_rule="guided",
    citation=GRAD_CAM_PAPER,
)
def guided_grad_cam(
    gradient: GradientFunction,
    images: Images,
    localization: Heatmaps,
    *,
    localizer: str = "grad_cam",
) -> Heatmaps:
    r"""Multiply guided backpropagation by the Grad-CAM heatmap: sharp, and of the class.

    $$M = \max_c |G_c| \odot \mathrm{Up}(L)$$ with $G$ the guided gradient of the image and
    $\mathrm{Up}(L)$ the Grad-CAM map, enlarged bilinearly to the image.

    >>> x = ops.array([[[[1.0], [3.0]]]])
    >>> half = ops.array([[[0.0, 0.5]]])
    >>> guided_grad_cam(lambda x: 2 * x, x, half).numpy().tolist()
    [[[0.0, 3.0]]]
    """
    del localizer  # its heatmap has been computed
    return strongest_channel(gradient(images)) * localization


class GuidedGradCAM(LayerExplainerWithOptions):
    r"""Explain by guided backpropagation times Grad-CAM: sharp, and of the class.

    Both come from one forward pass.

    Args:
        localizer: The method whose heatmap is multiplied: one that draws its map on a layer.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> GuidedGradCAM(model)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 8, 8)
    """

    _method = "guided_grad_cam"

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        localizer: str = "grad_cam",
        **shared: Unpack[LayerArguments],
    ) -> None:
        super().__init__(model, layer, localizer=localizer, **shared)

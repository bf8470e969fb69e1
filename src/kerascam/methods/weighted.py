"""Named classes of the methods in `kerascam.cam`: one weight a feature."""

from .bases import LayerExplainer


class CAM(LayerExplainer):
    r"""Explain by class activation mapping, from the dense layer's own weights.

    $$M_c = \sum_k w^c_k A^k$$

    For models with global average pooling and one dense layer behind the layer. Where the score
    depends on the layer other than through its global mean, the call raises a ValueError; with
    several dense layers behind, w is their gradient at this image. The raw maps are signed, as in
    Zhou et al. (2016, arXiv:1512.04150). The arguments are those of `Explainer`, less the method.

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


class GradCAM(LayerExplainer):
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


class GradCAMPlusPlus(LayerExplainer):
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


class XGradCAM(LayerExplainer):
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

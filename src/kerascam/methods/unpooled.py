"""Named classes of the methods in `kerascam.pixelwise` and `kerascam.eigen`."""

from .bases import LayerExplainer


class HiResCAM(LayerExplainer):
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


class LayerCAM(LayerExplainer):
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


class ElementwiseGradCAM(LayerExplainer):
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


class EigenCAM(LayerExplainer):
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


class EigenGradCAM(LayerExplainer):
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

"""How each Keras library is asked for each method, as its own documentation does it.

All explain the logit of a given class, of one and the same kind of model: its last layer has no
softmax, so that nobody has to find the logits. What comes back is on the host.
"""

import warnings
from collections.abc import Callable
from typing import Any

from .cases import (
    AGAIN,
    CELLS,
    DESIGNS,
    LAYERS,
    MIDDLE,
    PATCH,
    SAMPLES,
    THREADS,
)

Ask = Callable[[Any], Any]


def prepare() -> None:
    """Set the threads."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    warnings.simplefilter("ignore")


def make(name: str) -> Any:
    """Make a model with random weights that gives logits."""
    import keras

    keras.utils.set_random_seed(0)
    return getattr(keras.applications, name)(weights=None, classifier_activation=None)


def images(batch: int, size: int) -> Any:
    """Draw images."""
    import numpy as np

    return np.random.default_rng(0).normal(size=(batch, size, size, 3)).astype("float32")


def asks(peer: str, model: Any, layer: str, method: str) -> Ask:
    """Return the call that explains a batch; KeyError where the library lacks the method."""
    makers = {
        "TensorFlow": _tensorflow,
        "kerascam": _kerascam,
        "kerascam frozen": _kerascam_frozen,
        "tf-keras-vis": _tf_keras_vis,
        "xplique": _xplique,
        "tf-explain": _tf_explain,
        "eli5": _eli5,
        "medicai": _medicai,
    }
    return makers[peer](model, layer, method)


def layer_of(name: str) -> str:
    """Name the layer to explain."""
    return LAYERS[name]


def _classes(images: Any) -> list[int]:
    return list(range(len(images)))


def _tensorflow(model: Any, layer: str, method: str) -> Ask:
    import tensorflow as tf

    compiled = tf.function(lambda images: model(images, training=False), autograph=False)
    traced = compiled.get_concrete_function(tf.TensorSpec((None, *model.input_shape[1:])))
    return lambda images: traced(tf.constant(images)).numpy()


def _kerascam(model: Any, layer: str, method: str, freeze: bool = False) -> Ask:
    import kerascam

    name, options = {
        "Grad-CAM": ("GradCAM", {"layer": layer}),
        "Grad-CAM++": ("GradCAMPlusPlus", {"layer": layer}),
        "LayerCAM": ("LayerCAM", {"layer": layer}),
        "Eigen-CAM": ("EigenCAM", {"layer": layer}),
        "Guided backprop": ("GuidedBackprop", {}),
        "SmoothGrad": ("SmoothGrad", {"samples": SAMPLES}),
        "Integrated gradients": ("IntegratedGradients", {"steps": SAMPLES}),
        "Score-CAM": ("ScoreCAM", {"layer": MIDDLE}),
        "Ablation-CAM": ("AblationCAM", {"layer": layer}),
        "Recipro-CAM": ("ReciproCAM", {"layer": layer}),
        "Occlusion": ("Occlusion", {"patch": PATCH, "stride": PATCH, "baseline": 0}),
        "RISE": ("RISE", {"samples": AGAIN}),
        "LIME": ("LIME", {"samples": AGAIN, "cells": CELLS, "baseline": 0}),
        "KernelSHAP": ("KernelSHAP", {"samples": AGAIN, "cells": CELLS, "baseline": 0}),
        "Sobol": ("SobolAttribution", {"samples": DESIGNS, "cells": CELLS}),
        "HSIC": ("HSICAttribution", {"samples": AGAIN, "cells": CELLS}),
        "Expected gradients": ("ExpectedGradients", {"samples": SAMPLES, "references": 0}),
    }[method]
    explain = getattr(kerascam, name)(model, freeze=freeze, **options)
    return lambda images: explain(images, _classes(images)).heatmaps


def _kerascam_frozen(model: Any, layer: str, method: str) -> Ask:
    return _kerascam(model, layer, method, freeze=True)


def _tf_keras_vis(model: Any, layer: str, method: str) -> Ask:
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.layercam import Layercam
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.scorecam import Scorecam
    from tf_keras_vis.utils.model_modifiers import GuidedBackpropagation
    from tf_keras_vis.utils.scores import CategoricalScore

    at = {"penultimate_layer": layer, "seek_penultimate_conv_layer": False}
    kind, modifier, options = {
        "Grad-CAM": (Gradcam, None, at),
        "Grad-CAM++": (GradcamPlusPlus, None, at),
        "LayerCAM": (Layercam, None, at),
        "Guided backprop": (Saliency, GuidedBackpropagation(), {}),
        "SmoothGrad": (Saliency, None, {"smooth_samples": SAMPLES}),
        "Score-CAM": (Scorecam, None, at | {"penultimate_layer": MIDDLE}),
    }[method]
    explain = kind(model, model_modifier=modifier)
    return lambda images: explain(CategoricalScore(_classes(images)), images, **options)


def _xplique(model: Any, layer: str, method: str) -> Ask:
    import tensorflow as tf
    from xplique import attributions

    name, options = {
        "Grad-CAM": ("GradCAM", {"conv_layer": layer}),
        "Grad-CAM++": ("GradCAMPP", {"conv_layer": layer}),
        "Guided backprop": ("GuidedBackprop", {}),
        "SmoothGrad": ("SmoothGrad", {"nb_samples": SAMPLES}),
        "Integrated gradients": ("IntegratedGradients", {"steps": SAMPLES}),
        "Occlusion": ("Occlusion", {"patch_size": PATCH, "patch_stride": PATCH}),
        "RISE": ("Rise", {"nb_samples": AGAIN}),
        "LIME": ("Lime", {"nb_samples": AGAIN, "map_to_interpret_space": _grid_of_segments}),
        "KernelSHAP": (
            "KernelShap",
            {"nb_samples": AGAIN, "map_to_interpret_space": _grid_of_segments},
        ),
        "Sobol": ("SobolAttributionMethod", {"grid_size": CELLS, "nb_design": DESIGNS}),
        "HSIC": ("HsicAttributionMethod", {"grid_size": CELLS, "nb_design": AGAIN}),
    }[method]
    explain = getattr(attributions, name)(model, **options)
    count = model.output_shape[-1]
    return lambda images: explain(images, tf.one_hot(_classes(images), count)).numpy()


def _grid_of_segments(image: Any) -> Any:
    """Cut an image into the grid of segments that all libraries hide."""
    import tensorflow as tf

    rows = tf.range(image.shape[0]) * CELLS // image.shape[0]
    columns = tf.range(image.shape[1]) * CELLS // image.shape[1]
    return rows[:, None] * CELLS + columns[None]


def _tf_explain(model: Any, layer: str, method: str) -> Ask:
    from tf_explain.core.grad_cam import GradCAM
    from tf_explain.core.integrated_gradients import IntegratedGradients
    from tf_explain.core.smoothgrad import SmoothGrad

    # One class for the whole batch is all that it takes.
    kind, options = {
        "Grad-CAM": (GradCAM, {"layer_name": layer, "use_guided_grads": False}),
        "SmoothGrad": (SmoothGrad, {"num_samples": SAMPLES}),
        "Integrated gradients": (IntegratedGradients, {"n_steps": SAMPLES}),
    }[method]
    explain = kind()
    return lambda images: explain.explain((images, None), model, 0, **options)


def _eli5(model: Any, layer: str, method: str) -> Ask:
    from eli5 import explain_prediction

    only_grad_cam(method)
    # One image a call is all that it takes; the picture that it makes of each is a part of it.
    return lambda images: [
        explain_prediction(model, images[index : index + 1], targets=[index], layer=layer)
        .targets[0]
        .heatmap
        for index in _classes(images)
    ]


def _medicai(model: Any, layer: str, method: str) -> Ask:
    from medicai.utils import GradCAM

    only_grad_cam(method)
    explain = GradCAM(model, layer)
    # One class for the whole batch is all that it takes.
    return lambda images: explain.compute_heatmap(images, target_class_index=0)


def only_grad_cam(method: str) -> None:
    """Raise the KeyError of a library that has no other method."""
    if method != "Grad-CAM":
        raise KeyError(method)

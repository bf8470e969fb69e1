"""The ways to ask a Keras library for the Grad-CAM of a model of any kind.

Each takes a specimen of `tests/zoo.py` and gives maps, and how the library enlarged them (None
where they are on the layer's grid).
"""

from collections.abc import Callable
from typing import Any

Attempt = Callable[[Any], tuple[Any, Any]]


# ------------------------------------------------------------------------ what a user can prepare


def layer_of(specimen: Any) -> Any:
    """Find the layer's object by its path."""
    found = specimen.model
    for name in specimen.layer.split("/"):
        inner = [each for each in found._flatten_layers() if each.name == name]
        if not inner:
            raise LookupError("no layer of that name: an operation of the graph, or a hidden one")
        found = inner[0]
    return found


def head_of(model: Any) -> Any:
    """Find the layer that gives the logits, by the names that the zoo gives it."""
    return next(each for each in model._flatten_layers() if each.name in ("scores", "classify"))


def as_it_is(model: Any) -> Any:
    """Leave the model."""
    return model


def linear(model: Any) -> Any:
    """Take the activation off the layer that gives the logits."""
    import keras

    head_of(model).activation = keras.activations.linear
    return model


def cut(model: Any) -> Any:
    """Cut the model off behind its logits."""
    import keras

    return keras.Model(model.inputs, head_of(linear(model)).output)


PREPARED = (linear, cut, as_it_is)


def flat(inputs: Any) -> list[Any]:
    """List the inputs in the model's order."""
    import tensorflow as tf

    return tf.nest.flatten(inputs)


def only(inputs: Any) -> Any:
    """Take the one input, for a library that can be given no more."""
    first, *more = flat(inputs)
    if more:
        raise ValueError("takes one tensor of images, and the model needs more inputs")
    return first


def tokens(maps: Any, specimen: Any) -> Any:
    """Lay tokens out on the grid, without the class token, as the zoo does."""
    is_tokens = maps.ndim == 2 and len(specimen.model.inputs[0].shape) == 4
    return specimen.on_grid(maps[..., None])[..., 0] if is_tokens else maps


# ------------------------------------------------------------------------------------ the libraries


def kerascam(specimen: Any) -> tuple[Any, Any]:
    """Ask as the documentation does."""
    from kerascam import GradCAM

    explain = GradCAM(specimen.model, specimen.layer, **specimen.options)
    return explain(specimen.inputs, specimen.classes).maps, None


def tf_keras_vis(prepare: Callable[[Any], Any], by_name: bool) -> Attempt:
    """Ask for the raw map, with a score function that the user writes."""

    def attempt(specimen: Any) -> tuple[Any, Any]:
        import tensorflow as tf
        from tf_keras_vis.gradcam import Gradcam

        layer = layer_of(specimen)
        model = prepare(specimen.model)
        classes = tf.constant(specimen.classes, tf.int32)
        width = head_of(model).bias.shape[-1]

        def score(outputs: Any) -> Any:
            return specimen.reading.score(tf.cast(outputs, tf.float32), classes)

        def nothing(outputs: Any) -> Any:
            return 0 * tf.reduce_sum(outputs, range(1, len(outputs.shape)))

        told = [each.shape[-1] == width for each in model.outputs]
        maps = Gradcam(model)(
            [score if own else nothing for own in told],
            flat(specimen.inputs),
            penultimate_layer=layer.name if by_name else layer,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
        return tokens(_array(maps), specimen), None

    return attempt


def xplique(prepare: Callable[[Any], Any]) -> Attempt:
    """Ask with targets as weights of the outputs; the layer by object, set on the explainer."""

    def attempt(specimen: Any) -> tuple[Any, Any]:
        import numpy as np
        import tensorflow as tf
        from xplique.attributions import GradCAM

        layer = layer_of(specimen)
        model = prepare(specimen.model)
        explain = GradCAM(model, conv_layer=0)
        explain.conv_layer = layer
        inputs = only(specimen.inputs)
        logits = specimen.tail(specimen.head(tf.constant(inputs)), tf.constant(inputs))
        with tf.GradientTape() as tape:  # the score is linear in the logits: its gradient is it
            tape.watch(logits)
            score = specimen.reading.score(logits, tf.constant(specimen.classes, tf.int32))
        targets = tape.gradient(score, logits)
        maps = np.asarray(explain(inputs, targets))[..., 0]

        def enlarge(wanted: Any) -> Any:
            large = tf.image.resize(wanted[..., None], maps.shape[1:], "bicubic")
            return np.maximum(large.numpy()[..., 0], 0)

        return maps, enlarge

    return attempt


def tf_explain(prepare: Callable[[Any], Any]) -> Attempt:
    """Ask image by image, as a call takes one class, for the map before it is painted."""

    def attempt(specimen: Any) -> tuple[Any, Any]:
        from tf_explain.core.grad_cam import GradCAM

        model = prepare(specimen.model)

        def map_of(image: Any, index: int) -> Any:
            found = GradCAM.get_gradients_and_filters(
                model, image, specimen.layer.split("/")[-1], index, False
            )
            return GradCAM.generate_ponderated_output(*found)[0]

        only(specimen.inputs)  # raises if there are more
        return one_by_one(map_of, specimen), None

    return attempt


def eli5(prepare: Callable[[Any], Any]) -> Attempt:
    """Ask image by image, as a call takes one; any picture will do, as only the map is read."""

    def attempt(specimen: Any) -> tuple[Any, Any]:
        from eli5 import explain_prediction
        from PIL import Image

        layer = layer_of(specimen)
        model = prepare(specimen.model)
        picture = Image.new("RGB", (8, 8))

        def map_of(image: Any, index: int) -> Any:
            found = explain_prediction(model, image, targets=[index], layer=layer, image=picture)
            return found.targets[0].heatmap

        return one_by_one(map_of, specimen), None

    return attempt


def medicai(prepare: Callable[[Any], Any]) -> Attempt:
    """Ask image by image, as a call takes one class, for the map on the layer's grid."""

    def attempt(specimen: Any) -> tuple[Any, Any]:
        from medicai.utils import GradCAM

        explain = GradCAM(prepare(specimen.model), specimen.layer.split("/")[-1])

        def map_of(image: Any, index: int) -> Any:
            found = explain.compute_heatmap(
                image, index, normalize_heatmap=False, resize_heatmap=False
            )
            return found[0, ..., 0]

        return one_by_one(map_of, specimen), None

    return attempt


def one_by_one(map_of: Callable[[Any, int], Any], specimen: Any) -> Any:
    """Ask for the map of one image after the other, each as a batch of one."""
    import numpy as np

    inputs = flat(specimen.inputs)
    maps = []
    for place, index in enumerate(specimen.classes):
        image, *more = (each[place : place + 1] for each in inputs)
        maps.append(np.asarray(map_of([image, *more] if more else image, int(index))))
    return tokens(np.stack(maps), specimen)


def _array(values: Any) -> Any:
    import numpy as np

    return np.asarray(values)


ATTEMPTS: dict[str, tuple[Attempt, ...]] = {
    "kerascam": (kerascam,),
    "tf-keras-vis": tuple(
        tf_keras_vis(prepare, by_name) for prepare in PREPARED for by_name in (False, True)
    ),
    "xplique": tuple(map(xplique, PREPARED)),
    "tf-explain": tuple(map(tf_explain, PREPARED)),
    "eli5": tuple(map(eli5, PREPARED)),
    "medicai": tuple(map(medicai, PREPARED)),
}

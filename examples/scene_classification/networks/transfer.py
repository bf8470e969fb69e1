"""Transfer learning: a trained backbone, nested whole, under a new head."""

from __future__ import annotations

from pathlib import Path

import keras

from scene_classification.networks.residual import classify

BACKBONE = "backbone"


def transfer_network(
    backbone: str,
    *,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    classes: int = 6,
    dropout: float = 0.0,
) -> keras.Model:
    """Put a head of one dense layer on the convolutions of a trained network.

    The network takes RGB 0–255. The backbone stays a nested model. While it is frozen
    (`trainable = False`) it keeps its weights and its batch statistics; when it is trained, both
    are tuned.

    Args:
        backbone: `"resnet50"` (keras.applications with ImageNet weights, downloaded once by Keras)
            or the path of a saved Keras classifier that takes RGB 0–255, such as a `.keras` file,
            whose convolutions lie in it directly, not in a model nested in it.
        input_shape: Height, width and 3; None for a side that may vary.
        classes: Number of classes.
        dropout: Share of the pooled features dropped while training.

    Returns:
        A model with a softmax output; its layer `"backbone"` is the trained network.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the saved network has no feature map of its own.
        ConnectionError: If Keras cannot download the ImageNet weights.
    """
    images = keras.Input(input_shape, name="image")
    if backbone == "resnet50":
        features = _resnet50()
        x = keras.applications.resnet.preprocess_input(images)
    else:
        features, x = _convolutions(Path(backbone)), images
    probabilities = classify(features(x), classes, dropout)
    return keras.Model(images, probabilities, name="transfer_network")


def _resnet50() -> keras.Model:
    shape = (None, None, 3)
    try:
        return keras.applications.ResNet50(
            include_top=False, weights="imagenet", input_shape=shape, name=BACKBONE
        )
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise ConnectionError(
            f"backbone='resnet50' needs ImageNet weights, which Keras could not download: {error}; "
            "give the path of a saved Keras classifier instead"
        ) from error


def _convolutions(path: Path) -> keras.Model:
    """Return a saved classifier up to its last feature map, for images of any size."""
    if not path.exists():
        raise FileNotFoundError(
            f"backbone={str(path)!r} does not exist; give 'resnet50' or a saved Keras classifier"
        )
    whole = keras.models.load_model(path, compile=False)
    maps = [layer for layer in whole.layers if len(layer.output.shape) == 4]
    if not maps or isinstance(maps[-1], keras.Model):
        raise ValueError(
            f"backbone={str(path)!r} has no feature map of its own, only in a nested model; save "
            "the nested model and give that"
        )
    last = maps[-1]
    fixed = keras.Model(whole.input, last.output)
    free = keras.models.clone_model(fixed, input_tensors=keras.Input((None, None, 3)))
    free.set_weights(fixed.get_weights())
    return keras.Model(free.input, free.output, name=BACKBONE)

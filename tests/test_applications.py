"""Layer discovery on every keras.applications family: the last features before the pooling."""

import keras
import pytest
from proofs import rows

from kerascam import find_target_layer, suggest_layers


def _before_pooling(model: keras.Model) -> str:
    """Name what feeds the last global pooling: for families whose layers Keras numbers itself."""
    pooling = [o for o in model.operations if type(o).__name__ == "GlobalAveragePooling2D"][-1]
    return pooling.input._keras_history.operation.name


def _last(model: keras.Model) -> str:
    return model.operations[-1].name


# family: (right layer, right layer of the backbone without its top, grid and features at 224 or
# the family's own size). Functions name layers that Keras numbers by session.
FAMILIES = {
    "ResNet50": ("conv5_block3_out", "conv5_block3_out", (7, 7, 2048)),
    "ResNet50V2": ("post_relu", "post_relu", (7, 7, 2048)),
    "VGG16": ("block5_conv3", "block5_conv3", (14, 14, 512)),
    "MobileNetV2": ("out_relu", "out_relu", (7, 7, 1280)),
    "MobileNetV3Small": (_before_pooling, _last, (7, 7, 576)),
    "EfficientNetB0": ("top_activation", "top_activation", (7, 7, 1280)),
    "EfficientNetV2B0": ("top_activation", "top_activation", (7, 7, 1280)),
    "DenseNet121": ("relu", "relu", (7, 7, 1024)),
    "InceptionV3": ("mixed10", "mixed10", (8, 8, 2048)),
    "Xception": ("block14_sepconv2_act", "block14_sepconv2_act", (10, 10, 2048)),
    "ConvNeXtTiny": (_before_pooling, _last, (7, 7, 768)),
    "NASNetMobile": (_before_pooling, _last, (7, 7, 1056)),
}


# A sum of branches, and layers that Keras numbers; a nested ResNet50 is the example's own test.
WHOLE = rows(("ResNet50",), FAMILIES)
NESTED = rows(("MobileNetV3Small",), FAMILIES)


def _name(expected, model: keras.Model) -> str:
    return expected(model) if callable(expected) else expected


@pytest.mark.parametrize("family", WHOLE)
def test_right_layer_of_the_whole_network(family):
    expected, _, shape = FAMILIES[family]
    model = getattr(keras.applications, family)(weights=None, classes=5)

    suggestions = suggest_layers(model)

    (chosen,) = [suggestion for suggestion in suggestions if suggestion.reason]
    assert chosen.path == _name(expected, model)
    assert chosen.shape == (None, *shape)
    assert "×".join(map(str, shape)) in chosen.reason


@pytest.mark.parametrize("family", NESTED)
def test_right_layer_inside_a_nested_backbone(family):
    _, expected, _ = FAMILIES[family]
    build = getattr(keras.applications, family)
    size = 128 if family == "InceptionV3" else 96  # the smallest that leaves it a grid
    backbone = build(weights=None, include_top=False, input_shape=(size, size, 3))
    inputs = keras.Input((size, size, 3))
    features = backbone(keras.layers.RandomFlip()(inputs))
    pooled = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D()(features))
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(pooled))

    assert find_target_layer(model) == f"{backbone.name}/{_name(expected, backbone)}"


def test_whole_features_where_the_last_grid_is_too_small():
    # At 96 pixels InceptionV3 ends on 1×1; the last 4×4 tensor is one branch of mixed8's.
    model = keras.applications.InceptionV3(weights=None, classes=5, input_shape=(96, 96, 3))

    assert find_target_layer(model) == "mixed7"

"""keras-hub's models, small and with random weights: the default layer, and every suggested one.

Skipped where keras-hub is not installed: `pip install keras-hub`.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from kerascam import Explainer, suggest_layers
from kerascam.model import measure

models = pytest.importorskip("keras_hub").models

# Keras warns of keras-hub's layers that have no build method.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

SIZE = (64, 64, 3)


def of(name: str, kind: str = "ImageClassifier", **options: Any) -> Callable[[], keras.Model]:
    """Return what builds a classifier on a backbone of the same family."""

    def build() -> keras.Model:
        backbone = getattr(models, f"{name}Backbone")(image_shape=SIZE, **options)
        return getattr(models, name + kind)(backbone=backbone, num_classes=5)

    return build


def encoder() -> keras.Model:
    """Build a small ResNet of four stages, each at half the size of the one before."""
    return models.ResNetBackbone(
        image_shape=SIZE, input_conv_filters=[64], input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 32, 32, 32], stackwise_num_blocks=[1] * 4,
        stackwise_num_strides=[1, 2, 2, 2], block_type="basic_block",
    )  # fmt: skip


def detector() -> keras.Model:
    levels = {"min_level": 3, "max_level": 4}
    anchors = pytest.importorskip("keras_hub").layers.AnchorGenerator(
        "yxyx", num_scales=1, aspect_ratios=[1.0], anchor_size=4.0, **levels
    )
    backbone = models.RetinaNetBackbone(
        image_encoder=encoder(), use_p5=False, image_shape=SIZE, **levels
    )
    return models.RetinaNetObjectDetector(
        backbone=backbone, num_classes=5, anchor_generator=anchors
    )


def pyramid_segmenter() -> keras.Model:
    backbone = models.MiTBackbone(
        image_shape=SIZE, layerwise_depths=[1] * 4, hidden_dims=[16, 24, 32, 48], num_layers=4,
        layerwise_num_heads=[1, 2, 2, 2], layerwise_sr_ratios=[8, 4, 2, 1], max_drop_path_rate=0.0,
        layerwise_patch_sizes=[7, 3, 3, 3], layerwise_strides=[4, 2, 2, 2],
    )  # fmt: skip
    backbone = models.SegFormerBackbone(image_encoder=backbone, projection_filters=16)
    return models.SegFormerImageSegmenter(backbone=backbone, num_classes=5)


def dilated_segmenter() -> keras.Model:
    backbone = models.DeepLabV3Backbone(
        image_encoder=encoder(), spatial_pyramid_pooling_key="P5", upsampling_size=8,
        dilation_rates=[2, 3], low_level_feature_key="P2", projection_filters=8, image_shape=SIZE,
    )  # fmt: skip
    return models.DeepLabV3ImageSegmenter(backbone=backbone, num_classes=5)


#: The explained output of models that have several.
OUTPUTS = {"RetinaNet": {"output": "cls_logits"}}
TRANSFORMER = {"patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 32}
PYRAMID = {
    "layerwise_depths": [1, 1], "hidden_dims": [16, 32], "num_layers": 2,
    "layerwise_num_heads": [1, 2], "layerwise_sr_ratios": [2, 1], "max_drop_path_rate": 0.0,
    "layerwise_patch_sizes": [7, 3], "layerwise_strides": [4, 2],
}  # fmt: skip
# Each with the end of the default layer's path.
BUILT: dict[str, tuple[Callable[[], keras.Model], str]] = {
    "ViT": (of("ViT", mlp_dim=64, **TRANSFORMER), "transformer_block_2/ln_1"),
    "DeiT": (of("DeiT", intermediate_dim=64, **TRANSFORMER), "transformer_block_2/ln_1"),
    "Swin": (
        of("SwinTransformer", patch_size=4, embed_dim=16, depths=[2, 2], num_heads=[2, 2],
           window_size=4),
        "swin_transformer_backbone/norm",
    ),
    "MiT": (of("MiT", **PYRAMID), "layer_normalization"),
    "ResNet": (
        of("ResNet", input_conv_filters=[64], input_conv_kernel_sizes=[7],
           stackwise_num_filters=[64, 64], stackwise_num_blocks=[1, 1],
           stackwise_num_strides=[1, 2], block_type="basic_block"),
        "stack1_block0_out",
    ),
    "VGG": (of("VGG", stackwise_num_repeats=[1, 1, 1], stackwise_num_filters=[8, 16, 16]),
            "head/fc2"),
    "CSPNet": (
        of("CSPNet", stem_filters=16, stem_kernel_size=3, stem_strides=1,
           stackwise_num_filters=[16, 32], stackwise_strides=2, stackwise_depth=[1, 1],
           block_type="dark_block", stage_type="dark"),
        "",
    ),
    "EfficientNet": (
        of("EfficientNet", width_coefficient=1.0, depth_coefficient=1.0,
           stackwise_kernel_sizes=[3, 3], stackwise_num_repeats=[1, 1],
           stackwise_input_filters=[16, 16], stackwise_output_filters=[16, 24],
           stackwise_expansion_ratios=[1, 4], stackwise_strides=[1, 2],
           stackwise_squeeze_and_excite_ratios=[0.25, 0.25],
           stackwise_block_types=["unfused", "unfused"], stem_conv_padding="same"),
        "top_activation",
    ),
    "DenseNet": (of("DenseNet", stackwise_num_repeats=[2, 2], compression_ratio=0.5,
                    growth_rate=8), "dense_net_backbone/relu"),
    "Xception": (
        of("Xception", stackwise_conv_filters=[[8, 8], [16, 16], [24, 24]],
           stackwise_pooling=[True, True, False]),
        "block3_sepconv2_act",
    ),
    "RetinaNet": (detector, "stack1_block0_out"),  # from where both levels of the pyramid part
    "SegFormer": (pyramid_segmenter, "sequential/activation"),
    "DeepLabV3+": (dilated_segmenter, "backbone_output_upsampling"),
}  # fmt: skip


@pytest.mark.parametrize("name", BUILT)
def test_the_default_layer_is_the_last_on_a_grid(name: str) -> None:
    build, ending = BUILT[name]
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).uniform(0, 1, (2, *SIZE)).astype("float32")
    found = Explainer(build(), **OUTPUTS.get(name, {}))(images, 0)
    assert ending in found.layer
    assert found.heatmaps.shape == (2, 64, 64)
    assert not any("could not be followed" in note for note in found.notes)


@pytest.mark.parametrize("name", BUILT)
def test_every_suggested_layer_lies_where_it_is_measured_or_is_refused(name: str) -> None:
    build, _ = BUILT[name]
    keras.utils.set_random_seed(0)
    model = build()
    images = np.random.default_rng(0).uniform(0, 1, (2, *SIZE)).astype("float32")
    wrong, compared = [], 0
    options = OUTPUTS.get(name, {})
    for suggestion in suggest_layers(model, images, **options):
        explain = Explainer(model, "layer_cam", suggestion.path, **options)
        try:
            asked = explain._asked(images, None, explain.programs.of)
        except ValueError as refused:
            assert "call_index" in str(refused), suggestion
            assert suggestion.cells.endswith("runs"), suggestion  # which says so
            continue
        (form,), place = asked.compiled.forms, asked.compiled.image_place
        if form.cells is None:  # on its own grid, or measured, which a note says
            assert any("could not be followed" in note for note in asked.compiled.notes)
            continue
        assert place is not None
        if suggestion.path.endswith(("query", "key", "value")):
            continue  # measuring takes (tokens, heads) for a grid
        measured = measure(
            model, form.site, asked.arrays, asked.like, place, asked.compiled.input_form, None
        )
        lengths = zip(measured.edges or (), form.cells.edges, form.cells.lengths, strict=False)
        compared += measured.edges is not None
        for found, (own, step), length in lengths:
            if found is None or length is None or step == 0:
                continue
            apart = found[0] + found[1] * length / 2 - own - step * length / 2
            if abs(apart) > step / 2 + 2:  # a few pixels of noise in the finest grids
                wrong.append((suggestion.path, found, (own, step)))
    assert not wrong
    assert compared > 2

"""Detectors and encoders of keras-hub, small and with random weights, under their targets.

Skipped where keras-hub is not installed: `pip install keras-hub`.
"""

import keras
import numpy as np
import pytest
from keras import ops

from kerascam import RISE, GradCAM, targets

hub = pytest.importorskip("keras_hub")

# Keras warns of keras-hub's layers that have no build method.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

RNG = np.random.default_rng(0)


def test_box_of_a_retina_net_is_the_one_that_its_anchor_returns():
    from keras_hub.src.models.retinanet.retinanet_label_encoder import RetinaNetLabelEncoder

    keras.utils.set_random_seed(0)
    encoder = hub.models.ResNetBackbone(
        image_shape=(64, 64, 3), input_conv_filters=[64], input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64] * 4, stackwise_num_blocks=[1] * 4,
        stackwise_num_strides=[1, 2, 2, 2], block_type="basic_block",
    )  # fmt: skip
    generator = hub.layers.AnchorGenerator("xyxy", 3, 5, 3, [0.5, 1.0, 2.0], 4.0)
    model = hub.models.RetinaNetObjectDetector(
        hub.models.RetinaNetBackbone(encoder, min_level=3, max_level=5, use_p5=False),
        num_classes=4, bounding_box_format="xyxy", anchor_generator=generator,
        label_encoder=RetinaNetLabelEncoder(generator, "xyxy"), pre_logits_num_conv_layers=1,
    )  # fmt: skip
    images = RNG.random((2, 64, 64, 3)).astype("float32")
    anchors = ops.concatenate(list(generator(images).values()), 0)
    found = model(images)
    scores = ops.convert_to_numpy(found["cls_logits"])

    def decoded(outputs):
        """The boxes' centres and sides are changes of the anchors'."""
        change, sides = outputs["bbox_regression"], anchors[:, 2:] - anchors[:, :2]
        centres = (anchors[:, :2] + anchors[:, 2:]) / 2 + change[..., :2] * sides
        halves = ops.exp(change[..., 2:]) * sides / 2
        return ops.concatenate([centres - halves, centres + halves], -1)

    boxes = ops.convert_to_numpy(decoded(found))
    target = targets.box(boxes[:, 300], boxes=decoded, scores="cls_logits")
    explanation = GradCAM(model, target=target)(images, 2)

    np.testing.assert_allclose(explanation.scores, scores[:, 300, 2], rtol=1e-4)
    assert explanation.statuses == ("ok", "ok")
    similar = targets.detection(
        boxes[0, 300], boxes=decoded, scores=lambda found: ops.sigmoid(found["cls_logits"])
    )
    chances = 1 / (1 + np.exp(-scores[0]))
    least = chances[300, 2] / np.linalg.norm(chances[300])  # of the box itself; another may be more
    assert least - 1e-5 <= RISE(model, target=similar).score(images, 2)[0] <= 1


def test_images_and_texts_of_clip():
    from keras_hub.src.models.clip.clip_text_encoder import CLIPTextEncoder
    from keras_hub.src.models.clip.clip_vision_encoder import CLIPVisionEncoder

    keras.utils.set_random_seed(0)
    common = {"hidden_dim": 32, "num_layers": 2, "num_heads": 2, "intermediate_dim": 64}
    model = hub.models.CLIPBackbone(
        CLIPVisionEncoder(patch_size=8, image_shape=(64, 64, 3), **common),
        CLIPTextEncoder(50, embedding_dim=32, max_sequence_length=8, **common),
        projection_dim=16,
    )
    images = RNG.random((2, 64, 64, 3)).astype("float32")
    inputs = {"images": images, "token_ids": RNG.integers(1, 50, (2, 8))}

    found = GradCAM(model, output="vision_logits", input="images")(inputs)
    np.testing.assert_allclose(found.predictions, model(inputs)["vision_logits"], rtol=1e-4)

    given = keras.Input((64, 64, 3))
    encoder = keras.Model(given, model.get_vision_embeddings(given))
    texts = ops.convert_to_numpy(model.get_text_embeddings(inputs["token_ids"]))
    own = ops.convert_to_numpy(encoder(images))
    cosine = own @ texts.T / np.outer(np.linalg.norm(own, axis=1), np.linalg.norm(texts, axis=1))
    found = GradCAM(encoder, target=targets.similarity(texts))(images)
    np.testing.assert_allclose(found.predictions, cosine, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(found.classes, cosine.argmax(1))

"""Targets that read more than a class: boxes of detectors, embeddings, similar classes."""

import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from kerascam import RISE, GradCAM, HiResCAM, Occlusion, Saliency, targets
from kerascam.targets.boxes import corners, intersection_over_union

QUADRANTS = np.array([[0, 0, 16, 16], [16, 0, 32, 16], [0, 16, 16, 32], [16, 16, 32, 32]], "f4")
RNG = np.random.default_rng(0)
IMAGES = RNG.random((2, 32, 32, 1)).astype("float32")


class Boxes(layers.Layer):
    """The four quadrants as boxes, by corners."""

    def call(self, scores):
        return tf.ones_like(scores[:, :, :1]) * QUADRANTS


@pytest.fixture(scope="module")
def detector():
    """Score each quadrant by its own mean: class 0 by the mean, class 1 by a half less the mean."""
    inputs = keras.Input((32, 32, 1))
    features = layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones", name="same")(inputs)
    cells = layers.Reshape((4, 1))(layers.AveragePooling2D(16)(features))
    logits = layers.Dense(2, name="logits")(cells)
    outputs = {"boxes": Boxes()(logits), "scores": layers.Activation("sigmoid")(logits)}
    model = keras.Model(inputs, outputs)
    model.get_layer("logits").set_weights([np.array([[1.0, -1.0]]), np.array([0.0, 0.5])])
    return model


def means(images):
    """Average each quadrant, (batch, 4)."""
    return images[..., 0].reshape(-1, 2, 16, 2, 16).mean((2, 4)).reshape(-1, 4)


# ------------------------------------------------------------------------------------ detectors


@pytest.mark.parametrize(("box", "quadrant"), [([15, 1, 32, 15], 1), ([1, 14, 15, 32], 2)])
def test_box_scores_the_box_that_fits_best_and_its_heat_lies_there(detector, box, quadrant):
    target = targets.box(box)
    explanation = HiResCAM(detector, "same", target=target)(IMAGES, 0)

    np.testing.assert_allclose(explanation.scores, means(IMAGES)[:, quadrant], rtol=1e-5)
    left, top, right, bottom = QUADRANTS[quadrant].astype(int)
    inside = np.zeros((32, 32), bool)
    inside[top:bottom, left:right] = True
    np.testing.assert_allclose(
        explanation.maps[:, inside], IMAGES[:, inside, 0] / 256, rtol=1e-5
    )  # fmt: skip
    assert not explanation.maps[:, ~inside].any()


def test_predicted_class_and_probability_are_those_of_the_box(detector):
    images = np.stack([np.full((32, 32, 1), 0.1), np.full((32, 32, 1), 0.4)]).astype("float32")

    found = GradCAM(detector, "same", target=targets.box(QUADRANTS[3]))(images)

    assert found.classes.tolist() == [1, 0]  # half less the mean is larger, and smaller
    np.testing.assert_allclose(found.probabilities, 1 / (1 + np.exp([-0.4, -0.4])), rtol=1e-5)
    assert found.predictions.shape == (2, 2)
    with pytest.raises(ValueError, match="from 0 to 1"):
        GradCAM(detector, "same", target=targets.box(QUADRANTS[3]))(images, 2)


def test_one_box_per_image_and_none_that_fits(detector):
    boxes = np.stack([QUADRANTS[0], [40, 40, 50, 50]])

    found = GradCAM(detector, "same", target=targets.box(boxes))(IMAGES, 0)

    assert found.scores[0] == pytest.approx(means(IMAGES)[0, 0], rel=1e-5)
    assert np.isnan(found.scores[1])
    assert found.statuses == ("ok", "not finite")


def test_box_works_inside_other_targets_and_by_functions(detector):
    by_function = targets.box(
        [0, 0, 16, 16], boxes=lambda found: found["boxes"] / 2, scores="scores", box_format="xywh"
    )  # the first box, halved, is (0, 0, 8, 8) as a corner and lengths; the last (8, 8, 16, 16)
    rather = targets.contrast(1, target=targets.box(QUADRANTS[0]))

    found = Saliency(detector, target=rather).score(IMAGES, 0)
    np.testing.assert_allclose(found, 2 * means(IMAGES)[:, 0] - 0.5, rtol=1e-4, atol=1e-6)
    with_function = Saliency(detector, target=by_function).score(IMAGES, 0)
    assert np.isnan(with_function).all() or np.isin(with_function, means(IMAGES)).any()


def test_detection_is_the_similarity_of_d_rise(detector):
    box = np.array([0, 0, 16, 24], "float32")
    overlap = np.array([256 / 384, 0, 128 / 512, 0])
    chances = 1 / (1 + np.exp(-np.stack([means(IMAGES), 0.5 - means(IMAGES)], -1)))
    expected = overlap * chances[..., 0] / np.linalg.norm(chances, axis=-1)

    found = RISE(detector, target=targets.detection(box)).score(IMAGES, 0)

    np.testing.assert_allclose(found, expected.max(1), rtol=1e-5)
    halved = targets.detection(box, objectness=lambda found: found["scores"][..., 0])
    np.testing.assert_allclose(
        RISE(detector, target=halved).score(IMAGES, 0),
        (expected * chances[..., 0]).max(1),
        rtol=1e-5,
    )


def test_d_rise_lies_in_the_box(detector):
    images = np.ones((1, 32, 32, 1), "float32")
    target = targets.detection(QUADRANTS[2])

    found = RISE(detector, cells=2, samples=1500, seed=1, target=target)(images, 0)

    own, *others = (
        found.maps[0, row, column] for row, column in [(24, 8), (8, 8), (8, 24), (24, 24)]
    )
    error = found.standard_errors.max()
    assert own > max(others) + 2 * error
    assert max(others) - min(others) < 5 * error  # all alike, but for chance


def test_occlusion_of_a_box_is_its_own_loss(detector):
    target = targets.box(QUADRANTS[1])
    found = Occlusion(detector, patch=16, stride=16, baseline=0, target=target)(IMAGES, 0).maps
    np.testing.assert_allclose(found[:, 0, 16], means(IMAGES)[:, 1], rtol=1e-4)
    assert abs(found[:, 16:]).max() < 1e-6


NUMBERS = st.floats(0, 10, width=32)


@given(st.lists(NUMBERS, min_size=8, max_size=8))
def test_overlap_equals_the_share_of_areas_whatever_the_format(numbers):
    first, second = np.array(numbers, "float64").reshape(2, 2, 2)
    boxes = [np.concatenate([each.min(0), each.max(0)]) for each in (first, second)]
    low, high = np.maximum(*[b[:2] for b in boxes]), np.minimum(*[b[2:] for b in boxes])
    shared = np.prod(np.maximum(high - low, 0))
    areas = [np.prod(b[2:] - b[:2]) for b in boxes]
    union = sum(areas) - shared
    expected = shared / union if union > 0 else 0

    def written(box, form):
        low, high = box[:2], box[2:]
        return {
            "xyxy": np.concatenate([low, high]),
            "yxyx": np.concatenate([low[::-1], high[::-1]]),
            "xywh": np.concatenate([low, high - low]),
            "center_xywh": np.concatenate([(low + high) / 2, high - low]),
        }[form]

    for form in ("xyxy", "yxyx", "xywh", "center_xywh"):
        pair = [corners(keras.ops.array(written(b, form)[None, None]), form) for b in boxes]
        found = float(intersection_over_union(*pair)[0, 0])
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)


# ------------------------------------------------------------------------------------- encoders


@pytest.fixture(scope="module")
def towers():
    keras.utils.set_random_seed(0)
    image, text = keras.Input((8, 8, 3), name="image"), keras.Input((4,), name="text")
    features = layers.Conv2D(6, 3, activation="relu", name="features")(image)
    own = layers.Dense(5)(layers.GlobalAveragePooling2D()(features))
    return keras.Model([image, text], {"image": own, "text": layers.Dense(5)(text)})


def cosine(a, b):
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def test_similarity_to_texts_is_a_head_of_as_many_classes(towers):
    images, texts = RNG.random((3, 8, 8, 3)), RNG.random((3, 4))
    own = towers.predict([images, texts], verbose=0)["image"]
    references = RNG.normal(size=(7, 5))
    target = targets.similarity(references, embedding="image")

    found = GradCAM(towers, "features", target=target, input="image")([images, texts])

    expected = cosine(own[:, None], references[None])
    np.testing.assert_allclose(found.predictions, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found.classes, expected.argmax(1))
    np.testing.assert_allclose(found.scores, expected.max(1), rtol=1e-4, atol=1e-6)


def test_two_towers_are_compared_image_by_image_and_differentiated(towers):
    images, texts = RNG.random((3, 8, 8, 3)).astype("f4"), RNG.random((3, 4)).astype("f4")
    target = targets.similarity("text", embedding="image")

    found = HiResCAM(towers, "features", target=target, input="image")([images, texts])

    both = keras.Model(towers.inputs, [towers.get_layer("features").output, *towers.outputs])
    with tf.GradientTape() as tape:
        features, *_ = both([images, texts])
        tape.watch(features)
        dense = next(each for each in towers.layers if each.name.startswith("dense"))
        own = dense(tf.reduce_mean(features, (1, 2)))
        other = towers([images, texts])["text"]
        scores = -keras.losses.cosine_similarity(own, other)
    expected = tf.reduce_sum(tape.gradient(scores, features) * features, -1)
    np.testing.assert_allclose(found.scores, scores, rtol=1e-4)
    np.testing.assert_allclose(found.maps, expected, rtol=1e-3, atol=1e-6)


def test_one_reference_for_all_and_one_set_per_image():
    encoder = keras.Sequential([keras.Input((2, 2, 1)), layers.Flatten()])
    images = RNG.random((2, 2, 2, 1))
    flat = images.reshape(2, 4)
    one, own = RNG.normal(size=4), RNG.normal(size=(2, 3, 4))

    found = Saliency(encoder, target=targets.similarity(one)).score(images)
    np.testing.assert_allclose(found, cosine(flat, one), rtol=1e-5)
    found = Saliency(encoder, target=targets.similarity(own)).score(images, [2, 0])
    np.testing.assert_allclose(found, cosine(flat, own[[0, 1], [2, 0]]), rtol=1e-5)
    black = Saliency(encoder, target=targets.similarity(one))(np.zeros((1, 2, 2, 1)))
    assert black.scores.tolist() == [0.0]  # of a zero embedding, which has no direction


@pytest.mark.parametrize(
    ("dtype", "factor", "other"),
    [
        ("float16", 3e3, 1.0),
        ("float16", 1e-4, 1e6),
        ("float32", 1e25, 1e-30),
        ("float64", 1.0, 1.0),
    ],
)
def test_similarity_is_that_of_directions_at_any_length(dtype, factor, other):
    own, reference = RNG.normal(size=(2, 64)), RNG.normal(size=(3, 64))
    target = targets.similarity(reference * other)
    score = tf.function(lambda e: target(e, tf.constant([2, 0])), autograph=False)

    found = score(tf.constant(own * factor, dtype))

    np.testing.assert_allclose(found, cosine(own, reference[[2, 0]]), atol=2e-3)


@pytest.mark.parametrize(("dtype", "factor"), [("float16", 1e-3), ("float32", 1e-22)])
def test_detection_takes_the_angle_of_small_probabilities(dtype, factor):
    chances = np.array([[[0.3, 0.2], [0.05, 0.1]]]) * factor
    wanted = ([0.5, 1] * (chances / np.linalg.norm(chances, axis=-1, keepdims=True))[..., 0]).max()
    logits = tf.constant(np.log(chances / (1 - chances)), dtype)
    boxes = tf.constant([[[0.0, 0, 4, 4], [0, 0, 2, 4]]])
    target = targets.detection([0, 0, 2, 4])

    score = tf.function(
        lambda z: target({"boxes": boxes, "scores": tf.sigmoid(z)}, tf.constant([0])),
        autograph=False,
    )

    np.testing.assert_allclose(score(logits), [wanted], rtol=5e-3)


# ------------------------------------------------------------------------------ similar classes


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(1)
    return keras.Sequential([
        keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(5, "softmax"),
    ])  # fmt: skip


def test_finer_takes_the_mean_of_the_nearest_classes_away(classifier):
    images = RNG.random((4, 8, 8, 3))
    plain = HiResCAM(classifier)
    all_maps = np.stack([plain(images, index).maps for index in range(5)], 1)
    logits = np.stack([plain.score(images, index) for index in range(5)], 1)

    found = HiResCAM(classifier, target=targets.finer(count=2, weight=0.6))(images, [0, 1, 2, 3])

    for place, chosen in enumerate([0, 1, 2, 3]):
        away = abs(logits[place] - logits[place, chosen])
        away[chosen] = np.inf
        near = away.argsort()[:2]
        expected = all_maps[place, chosen] - 0.6 * all_maps[place, near].mean(0)
        np.testing.assert_allclose(found.maps[place], expected, rtol=1e-3, atol=1e-6)


def test_finer_has_the_base_and_the_contrast_as_its_limits(classifier):
    images = RNG.random((1, 8, 8, 3))
    base = GradCAM(classifier)(images)
    none = GradCAM(classifier, target=targets.finer(weight=0))(images)
    np.testing.assert_array_equal(base.maps, none.maps)

    logits = np.array([GradCAM(classifier).score(images, index)[0] for index in range(5)])
    second = int(logits.argsort()[-2])
    nearest = targets.finer(count=1, weight=0.5)
    other = targets.contrast(second, weight=0.5)
    np.testing.assert_allclose(
        GradCAM(classifier, target=nearest)(images).maps,
        GradCAM(classifier, target=other)(images).maps,
        rtol=1e-5,
    )
    every = GradCAM(classifier, target=targets.finer(count=99)).score(images, 0)
    assert every == pytest.approx(logits[0] - 0.6 * logits[1:].mean(), rel=1e-4)


# ---------------------------------------------------------------------------------- all of them


@pytest.mark.parametrize(
    "target",
    [
        targets.box([0, 0, 1, 1]),
        targets.detection([0, 0, 1, 1], objectness="objectness"),
        targets.similarity([1.0, 2.0]),
        targets.finer(),
    ],
)
def test_targets_are_pickled_and_say_what_they_are(target):
    copied = pickle.loads(pickle.dumps(target))
    assert repr(copied) == repr(target)
    assert repr(target).split("(")[0] in targets.__all__


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("make", "error", "named"),
    [
        (lambda: targets.box("cat"), TypeError, "box"),
        (lambda: targets.box([0, 0, 1]), ValueError, "box"),
        (lambda: targets.box([0, 0, 1, np.nan]), ValueError, "box"),
        (lambda: targets.box([0, 0, 1, 1], boxes=None), TypeError, "boxes"),
        (lambda: targets.box([0, 0, 1, 1], box_format="cxcywh"), ValueError, "box_format"),
        (lambda: targets.box([0, 0, 1, 1], least_overlap=2), ValueError, "least_overlap"),
        (lambda: targets.detection([0, 0, 1, 1], objectness=1.5), TypeError, "objectness"),
        (lambda: targets.similarity([0.0, 0.0]), ValueError, "reference"),
        (lambda: targets.similarity("text"), TypeError, "embedding"),
        (lambda: targets.similarity([1.0], embedding=3), TypeError, "embedding"),
        (lambda: targets.finer(count=0), ValueError, "count"),
        (lambda: targets.finer(target=3), TypeError, "target"),
    ],
)
def test_wrong_arguments_are_named(make, error, named):
    with pytest.raises(error, match=named):
        make()


def test_outputs_that_are_not_there_are_listed(detector, classifier):
    with pytest.raises(ValueError, match="'boxes', 'scores'"):
        GradCAM(detector, target=targets.box([0, 0, 1, 1], boxes="corners"))(IMAGES)
    with pytest.raises(ValueError, match="one output"):
        GradCAM(classifier, target=targets.box([0, 0, 1, 1]))(np.zeros((1, 8, 8, 3)))
    with pytest.raises(ValueError, match="length of the embeddings, 5, not 2"):
        GradCAM(classifier, target=targets.similarity([1.0, 2.0]))(np.zeros((1, 8, 8, 3)))
    with pytest.raises(ValueError, match="probabilities"):
        target = targets.detection([0, 0, 1, 1], scores=lambda found: found["scores"] * 2)
        GradCAM(detector, "same", target=target)(IMAGES)


def test_boxes_and_scores_must_be_of_the_same_boxes(detector):
    fewer = targets.box(QUADRANTS[0], scores=lambda found: found["scores"][:, :3])
    with pytest.raises(ValueError, match="there are 4 boxes and scores of 3"):
        GradCAM(detector, "same", target=fewer)(IMAGES)

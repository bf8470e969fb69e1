"""Every target on outputs by hand, inside a graph as in a trace of a model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascam import targets
from kerascam.targets.reading import reads_binary

LOGITS = np.array([[1.0, -2.0, 30.0], [0.5, 0.25, -8.0]], np.float32)
SIGNED = np.array([[3.0], [-4.0]], np.float32)


def scored(target, values, classes, head=lambda z: z):
    """Score `head(values)` while tracing, as an explainer does."""

    open_batch = tf.TensorSpec((None, *np.shape(values)[1:]))

    @tf.function(autograph=False, input_signature=[open_batch, tf.TensorSpec((None,), tf.int32)])
    def graph(z, c):
        return target(head(z), c)

    return graph(tf.constant(values, tf.float32), tf.constant(classes, tf.int32)).numpy()


def gradient(target, values, classes, head=lambda z: z):
    @tf.function(autograph=False)
    def graph(z, c):
        with tf.GradientTape() as tape:
            tape.watch(z)
            scores = target(head(z), c)
        return tape.gradient(scores, z)

    return graph(tf.constant(values, tf.float32), tf.constant(classes, tf.int32)).numpy()


def softmax(values):
    powers = np.exp(values - values.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


HEADS = {
    "none": lambda z: z,
    "keras softmax": keras.activations.softmax,
    "keras sigmoid": keras.activations.sigmoid,
    "keras log softmax": keras.activations.log_softmax,
    "ops.softmax": keras.ops.softmax,
    "ops.sigmoid": keras.ops.sigmoid,
    "ops.log_softmax": keras.ops.log_softmax,
    "tf.nn.softmax": tf.nn.softmax,
    "tf.nn.log_softmax": tf.nn.log_softmax,
    "tf.sigmoid": tf.sigmoid,
    "cast": lambda z: tf.cast(tf.nn.softmax(z), tf.float64),
    "reshape": lambda z: tf.reshape(tf.nn.softmax(z), [-1, 3]),
    "expand and squeeze": lambda z: tf.squeeze(tf.expand_dims(tf.nn.softmax(z), 1), 1),
    "reshaped log softmax": lambda z: tf.reshape(tf.nn.log_softmax(z), [-1, 3]),
    "identity": lambda z: tf.identity(keras.activations.softmax(z)),
    "softmax layer": keras.layers.Softmax(),
    "activation layer": keras.layers.Activation("sigmoid"),
}


@pytest.mark.parametrize("head", HEADS)
def test_logit_reads_under_the_last_softmax_or_sigmoid(head):
    for classes in ([0, 0], [2, 1], [1, 2]):
        found = scored(targets.logit, LOGITS, classes, HEADS[head])
        np.testing.assert_array_equal(found, LOGITS[[0, 1], classes])


def test_a_saturated_softmax_still_has_the_logits_gradient():
    far = 100 * LOGITS
    np.testing.assert_array_equal(
        gradient(targets.logit, far, [2, 0], tf.nn.softmax), [[0, 0, 1], [1, 0, 0]]
    )
    flat = gradient(targets.value, far, [2, 0], tf.nn.softmax)
    np.testing.assert_allclose(flat, 0, atol=1e-9)


def test_a_step_behind_the_softmax_is_a_model_of_its_own():
    doubled = scored(targets.logit, LOGITS, [0, 1], lambda z: 2 * tf.nn.softmax(z))
    np.testing.assert_allclose(doubled, 2 * softmax(LOGITS)[[0, 1], [0, 1]], rtol=1e-5)


# ----------------------------------------------------------------------------- one unit


@pytest.mark.parametrize("head", ["keras sigmoid", "tf.sigmoid", "activation layer"])
@pytest.mark.parametrize("flat", [False, True], ids=["(batch, 1)", "(batch,)"])
def test_one_unit_under_a_sigmoid_stands_for_two_classes(head, flat):
    def apply(z):
        probability = HEADS[head](z)
        return tf.reshape(probability, [-1]) if flat else probability

    assert scored(targets.logit, SIGNED, [1, 1], apply).tolist() == [3, -4]
    assert scored(targets.logit, SIGNED, [0, 0], apply).tolist() == [-3, 4]
    wanted = sigmoid(SIGNED[:, 0])
    np.testing.assert_allclose(scored(targets.probability, SIGNED, [1, 1], apply), wanted, 1e-5)
    np.testing.assert_allclose(scored(targets.probability, SIGNED, [0, 0], apply), 1 - wanted, 1e-5)


@pytest.mark.parametrize("flat", [False, True], ids=["(batch, 1)", "(batch,)"])
@pytest.mark.parametrize("target", [targets.logit, targets.value, targets.probability])
def test_one_unit_without_a_sigmoid_is_a_number(target, flat):
    found = scored(target, SIGNED, [0, 0], lambda z: z[:, 0] if flat else z)
    assert found.tolist() == [3, -4]


def test_binary_reads_a_bare_logit_as_two_classes():
    assert scored(targets.binary, SIGNED, [1, 0]).tolist() == [3, 4]
    assert scored(targets.binary, SIGNED, [0, 1]).tolist() == [-3, -4]
    assert scored(targets.binary, SIGNED, [0, 1], tf.sigmoid).tolist() == [-3, -4]
    assert scored(targets.binary, SIGNED, [0, 1], lambda z: z[:, 0]).tolist() == [-3, -4]


# ------------------------------------------------------------------------- value, probability


@pytest.mark.parametrize("head", ["keras softmax", "tf.nn.softmax", "cast", "none"])
def test_value_is_the_output_as_it_is(head):
    outputs = LOGITS if head == "none" else softmax(LOGITS)
    found = scored(targets.value, LOGITS, [1, 0], HEADS[head])
    np.testing.assert_allclose(found, outputs[[0, 1], [1, 0]], rtol=1e-4)


@pytest.mark.parametrize("head", [name for name in HEADS if "softmax" in name or name == "cast"])
def test_probability_of_a_class(head):
    found = scored(targets.probability, LOGITS, [1, 0], HEADS[head])
    np.testing.assert_allclose(found, softmax(LOGITS)[[0, 1], [1, 0]], rtol=1e-4)


@pytest.mark.parametrize("head", ["keras sigmoid", "tf.sigmoid"])
def test_probability_of_one_of_many_labels(head):
    found = scored(targets.probability, LOGITS, [1, 0], HEADS[head])
    np.testing.assert_allclose(found, sigmoid(LOGITS)[[0, 1], [1, 0]], rtol=1e-4)


# ---------------------------------------------------------------------------- outputs with a grid

# Class logits of two images on a grid of 1 × 3; class 1 wins at places 0 and 2 of the first.
DENSE = np.array(
    [[[[0, 5], [2, 1], [0, 7]]], [[[3, -1], [2, 1], [4, -6]]]], np.float32
)  # fmt: skip


@pytest.mark.parametrize("head", [lambda z: z, tf.nn.softmax], ids=["none", "softmax"])
@pytest.mark.parametrize("target", [targets.logit, targets.region_mean()], ids=["logit", "region"])
def test_a_regions_mean_is_over_the_predicted_places(head, target):
    assert scored(target, DENSE, [1, 0], head).tolist() == [6, 3]
    assert scored(target, DENSE, [0, 0], head).tolist() == [2, 3]
    # Class 1 is predicted nowhere in the second image: the mean over all places.
    assert scored(target, DENSE, [1, 1], head).tolist() == [6, -2]


def test_the_predicted_region_itself_has_no_gradient():
    found = gradient(targets.region_mean(), DENSE, [1, 0])
    wanted = [[[[0, 0.5], [0, 0], [0, 0.5]]], [[[1 / 3, 0]] * 3]]
    np.testing.assert_allclose(found, wanted)


@pytest.mark.parametrize(
    ("mask", "wanted"),
    [
        (np.array([[True, False, False]]), [5, 3]),
        (np.array([[1, 0, 3]]), [(5 + 21) / 4, (3 + 12) / 4]),  # weights
        (np.array([[[1, 0, 0]], [[0, 1, 1]]]), [5, 3]),  # a mask an image
        (np.zeros((1, 3)), [0, 0]),
    ],
    ids=["boolean", "weights", "an image each", "empty"],
)
def test_a_given_region(mask, wanted):
    assert scored(targets.region_mean(mask), DENSE, [1, 0]).tolist() == wanted


def test_a_region_of_a_foreground_unit():
    values = np.array([[[[4.0], [-2.0], [2.0]]]], np.float32)
    target = targets.region_mean()
    assert scored(target, values, [1], tf.sigmoid).tolist() == [3]
    assert scored(target, values, [0], tf.sigmoid).tolist() == [2]  # minus the logit, in its place
    np.testing.assert_allclose(scored(target, values, [0]), [4 / 3])  # a number, not a class
    np.testing.assert_allclose(
        scored(targets.probability, values, [0], tf.sigmoid), [1 - sigmoid(values).mean()], 1e-5
    )


# ------------------------------------------------------------------------- built on another target


def test_contrast_with_one_class_for_all():
    assert scored(targets.contrast(0), LOGITS, [2, 1], tf.nn.softmax).tolist() == [29, -0.25]


@pytest.mark.parametrize(
    "other", [[1, 2], np.array([1, 2]), (1, 2)], ids=lambda o: type(o).__name__
)
def test_contrast_with_one_class_an_image(other):
    assert scored(targets.contrast(other), LOGITS, [0, 0]).tolist() == [3, 8.5]


def test_contrast_with_a_weight_and_another_target():
    target = targets.contrast(2, weight=0.5)
    np.testing.assert_allclose(scored(target, LOGITS, [0, 1]), [1 - 15, 0.25 + 4])
    target = targets.contrast(2, target=targets.probability)
    p = softmax(LOGITS)
    np.testing.assert_allclose(
        scored(target, LOGITS, [0, 1], tf.nn.softmax), [p[0, 0] - p[0, 2], p[1, 1] - p[1, 2]], 1e-4
    )


def test_contrast_of_a_class_with_itself_is_nothing():
    assert scored(targets.contrast([0, 1]), LOGITS, [0, 1]).tolist() == [0, 0]


@pytest.mark.parametrize("inner", [targets.logit, targets.value, targets.binary])
def test_counterfactual_turns_the_score_round(inner):
    found = scored(targets.counterfactual(inner), SIGNED, [0, 0])
    np.testing.assert_array_equal(found, -scored(inner, SIGNED, [0, 0]))


def test_who_reads_one_unit_as_two_classes_passes_it_on():
    assert reads_binary(targets.binary) is True
    assert reads_binary(targets.counterfactual(targets.binary)) is True
    assert reads_binary(targets.contrast(0, target=targets.binary)) is True
    assert reads_binary(targets.logit) is None
    assert reads_binary(targets.counterfactual()) is None


def test_the_public_targets():
    assert set(targets.__all__) == {
        "binary", "box", "contrast", "counterfactual", "detection", "finer", "logit", "probability",
        "region_mean", "similarity", "value"
    }  # fmt: skip


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("target", [targets.logit, targets.value, targets.binary,
                                    targets.probability, targets.region_mean()])  # fmt: skip
@pytest.mark.parametrize(
    ("head", "names"),
    [(lambda z: {"age": z, "kind": z}, "'age', 'kind'"), (lambda z: [z, z], "0, 1")],
    ids=["dict", "list"],
)
def test_several_outputs_need_a_choice(target, head, names):
    with pytest.raises(ValueError, match=f"the model has 2 outputs; choose one by output=, one of: "
                                         f"{names}"):  # fmt: skip
        scored(target, LOGITS, [0, 0], head)


def test_a_region_needs_a_grid():
    message = r"target region_mean needs an output with a grid, not one of shape \(None, 3\)"
    with pytest.raises(ValueError, match=message):
        scored(targets.region_mean(), LOGITS, [0, 0])


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 4), (2, 1, 1, 3)], ids=str)
def test_a_mask_of_another_grid(shape):
    message = r"needs a mask on the output's grid \(1, 3\).*received shape"
    with pytest.raises(ValueError, match=message):
        scored(targets.region_mean(np.ones(shape)), DENSE, [0, 0])


def test_contrast_with_no_class():
    with pytest.raises(TypeError, match="other must be"):
        targets.contrast(1.7)
    with pytest.raises(TypeError, match="other must be"):
        targets.contrast("cat")


@pytest.mark.parametrize("other", [3, -1, [0, 9]], ids=str)
def test_contrast_with_a_class_out_of_range(other):
    with pytest.raises(ValueError, match="other must be from 0 to (2|the last class)"):
        scored(targets.contrast(other), LOGITS, [0, 0])

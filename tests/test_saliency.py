"""Input-gradient methods on scores whose gradient is known, and on a small network."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import zoo
from enlarging import enlarged
from proofs import pairs, rows

import kerascam
from kerascam import repeat, targets
from kerascam.registry import METHODS

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(3, 4, 5, 2))
SLOPES = RNG.normal(size=(4, 5, 2))


def linear(images):
    return tf.broadcast_to(tf.constant(SLOPES, images.dtype), tf.shape(images))


def cubic(images):
    """The gradient of the sum of x³."""
    return 3 * images**2


def called(method, gradient, images=IMAGES, **options):
    function = METHODS[method].function
    return function(gradient, tf.constant(images), **options).numpy()


# --------------------------------------------------------------------------------- one gradient


@pytest.mark.parametrize("method", ["saliency", "guided_backprop", "deconvnet"])
@pytest.mark.parametrize("shape", [(2, 6, 3), (2, 4, 5, 3), (2, 3, 4, 2, 1)], ids=str)
def test_the_strongest_channel(method, shape):
    images = np.random.default_rng(1).normal(size=shape)
    found = called(method, cubic, images)
    np.testing.assert_allclose(found, (3 * images**2).max(-1))
    np.testing.assert_allclose(called(method, lambda x: -cubic(x), images), found)


def test_gradient_times_input_shares_a_linear_score_out():
    found = called("gradient_times_input", linear)
    np.testing.assert_allclose(found, (SLOPES * IMAGES).sum(-1))
    np.testing.assert_allclose(found.sum((1, 2)), np.einsum("bijc,ijc->b", IMAGES, SLOPES))


def test_guided_grad_cam_is_a_product():
    place = RNG.random((3, 4, 5))
    found = called("guided_grad_cam", cubic, localization=tf.constant(place))
    np.testing.assert_allclose(found, (3 * IMAGES**2).max(-1) * place)


# --------------------------------------------------------------------------- integrated gradients


@pytest.mark.parametrize("steps", [1, 2, 7, 32])
@pytest.mark.parametrize(
    "baseline",
    [0.0, -1.5, 2, np.array([0.5, -1.0]), RNG.normal(size=(4, 5, 2))],
    ids=["zero", "number", "integer", "a channel", "an image"],
)
def test_midpoints_are_exact_for_a_quadratic_score(steps, baseline):
    # S = Σ a x², whose gradient is linear: every pixel gets a (x² - x'²), in any number of steps.
    found = called("integrated_gradients", lambda x: 2 * SLOPES * x, steps=steps, baseline=baseline)
    np.testing.assert_allclose(found, (SLOPES * (IMAGES**2 - baseline**2)).sum(-1), atol=1e-12)


@pytest.mark.parametrize("steps", [1, 4, 32])
@pytest.mark.parametrize("baseline", [0.0, -0.7])
def test_the_midpoint_rules_error_on_a_cubic_score(steps, baseline):
    # S = Σ x³: the rule's error is exactly (x - x')³ / 4 n².
    found = called("integrated_gradients", cubic, steps=steps, baseline=baseline)
    error = (IMAGES - baseline) ** 3 / (4 * steps**2)
    np.testing.assert_allclose(found, (IMAGES**3 - baseline**3 - error).sum(-1), atol=1e-12)


@pytest.mark.parametrize("steps", [8, 16, 64])
def test_completeness_error_falls_with_the_square_of_the_steps(steps):
    # S = Σ sin x: |error| <= Σ |x|³ max |f''| / 24 n², as for any midpoint rule.
    found = called("integrated_gradients", tf.cos, steps=steps).sum((1, 2))
    bound = (np.abs(IMAGES) ** 3).sum((1, 2, 3)) / (24 * steps**2)
    assert (np.abs(found - np.sin(IMAGES).sum((1, 2, 3))) <= bound).all()


def test_the_baseline_itself_has_nothing_to_explain():
    found = called("integrated_gradients", cubic, IMAGES[:1], baseline=IMAGES[0])
    np.testing.assert_array_equal(found, 0)


def test_integrated_gradients_of_a_linear_score_are_gradient_times_input():
    np.testing.assert_allclose(
        called("integrated_gradients", linear), called("gradient_times_input", linear)
    )


@pytest.mark.parametrize(
    "method, options",
    [("smooth_grad", {"samples": 5}), ("integrated_gradients", {"steps": 5, "baseline": 0.3})],
)
@pytest.mark.parametrize("at_once, copies", [(1, [1] * 5), (60, [1] * 5), (130, [2, 2, 1]),
                                             (60 * 4, [3, 2]), (10**6, [5])])  # fmt: skip
def test_how_many_copies_share_a_pass_changes_nothing(
    method, options, at_once, copies, monkeypatch
):
    wanted = called(method, cubic, **options)
    monkeypatch.setattr(repeat, "AT_ONCE", at_once)
    seen = []

    def gradient(images):
        seen.append(images.shape.as_list())
        return cubic(images)

    np.testing.assert_allclose(called(method, gradient, **options), wanted, rtol=1e-12)
    assert seen == [[count, *IMAGES.shape] for count in copies]


# ------------------------------------------------------------------------------------ SmoothGrad


def test_a_linear_score_has_one_gradient_whatever_the_noise():
    found = called("smooth_grad", linear, samples=5, noise=0.5)
    np.testing.assert_allclose(found, np.broadcast_to(np.abs(SLOPES).max(-1), found.shape))


def test_without_noise_it_is_the_saliency():
    found = called("smooth_grad", cubic, noise=0.0, samples=3)
    np.testing.assert_allclose(found, called("saliency", cubic))


def test_the_seed_settles_the_noise():
    first = called("smooth_grad", cubic, samples=4, seed=3)
    np.testing.assert_array_equal(first, called("smooth_grad", cubic, samples=4, seed=3))
    assert np.abs(first - called("smooth_grad", cubic, samples=4, seed=4)).max() > 0.01


def test_neighbours_do_not_change_the_noise():
    together = called("smooth_grad", cubic, samples=4)
    for place in range(3):
        alone = called("smooth_grad", cubic, IMAGES[place : place + 1], samples=4)
        np.testing.assert_allclose(alone[0], together[place])


def test_every_sample_is_another():
    # The mean of 16 equal draws would be as strong as one draw; of 16 others it is a quarter.
    images = np.zeros((1, 64, 64, 1))
    images[0, 0, 0, 0] = 1  # a range of 1
    strength = [
        np.sqrt((called("smooth_grad", lambda x: x - images, images, samples=n) ** 2).mean())
        for n in (1, 16)
    ]
    np.testing.assert_allclose(strength, [0.15, 0.15 / 4], rtol=0.05)


@pytest.mark.parametrize("noise", [0.1, 0.3])
@pytest.mark.parametrize("span", [1.0, 255.0])
@pytest.mark.parametrize("offset", [0.0, -7.0])
def test_the_noise_is_a_share_of_each_images_range(noise, span, offset):
    one = RNG.random((64, 64, 1))
    unit = (one - one.min()) / np.ptp(one)
    images = np.stack([span * unit + offset, unit])
    drawn = called("smooth_grad", lambda x: x - images, images, samples=1, noise=noise)
    deviation = np.sqrt((drawn**2).mean((1, 2)))
    np.testing.assert_allclose(deviation, [noise * span, noise], rtol=0.05)
    np.testing.assert_allclose(drawn[0], span * drawn[1], atol=1e-9)


def test_a_flat_image_gets_no_noise():
    images = np.full((1, 4, 5, 2), 3.0)
    np.testing.assert_allclose(called("smooth_grad", cubic, images), 27)


def test_the_mean_gradient_over_the_noise():
    # E[3 (x + ε)²] = 3 x² + 3 σ².
    images = np.zeros((1, 8, 8, 1))
    images[0, 0, 0, 0] = 1
    found = called("smooth_grad", cubic, images, samples=400, noise=0.5)
    np.testing.assert_allclose(found[0, 1:].mean(), 3 * 0.25, rtol=0.05)


# ------------------------------------------------------------------------- through the front door


@pytest.fixture(scope="module")
def network():
    """A small network, and the same one up to its logits."""
    keras.utils.set_random_seed(5)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(6, 3, activation="relu", name="conv")(inputs)
    x = keras.layers.Conv2D(6, 3, activation="softplus")(x)
    x = keras.layers.Flatten()(x)
    logits = keras.layers.Dense(4, bias_initializer="random_normal")(x)
    return keras.Model(inputs, keras.layers.Softmax()(logits)), keras.Model(inputs, logits)


PHOTOS = np.random.default_rng(6).random((3, 8, 8, 3), np.float32)
CLASSES = [2, 0, 3]


def eager_gradients(logits, images):
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        scores = tf.gather(logits(images), CLASSES, axis=1, batch_dims=1)
    return tape.gradient(scores, images).numpy()


def test_saliency_is_that_of_an_eager_tape(network):
    model, logits = network
    found = kerascam.Saliency(model)(PHOTOS, CLASSES)
    wanted = np.abs(eager_gradients(logits, PHOTOS)).max(-1)
    np.testing.assert_allclose(found.maps, wanted, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.heatmaps, wanted / wanted.max((1, 2), keepdims=True), 1e-4)
    np.testing.assert_allclose(found.scores, logits(PHOTOS).numpy()[range(3), CLASSES], rtol=1e-4)


def test_gradient_times_input_is_that_of_an_eager_tape(network):
    model, logits = network
    found = kerascam.GradientTimesInput(model)(PHOTOS, CLASSES)
    wanted = (PHOTOS * eager_gradients(logits, PHOTOS)).sum(-1)
    np.testing.assert_allclose(found.maps, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("baseline", [0.0, 0.4, np.array([0.2, 0.5, 0.8], np.float32)],
                         ids=["black", "grey", "a colour"])  # fmt: skip
def test_integrated_gradients_are_complete(network, baseline):
    model, logits = network
    found = kerascam.IntegratedGradients(model, steps=128, baseline=baseline)(PHOTOS, CLASSES)
    start = np.broadcast_to(baseline, PHOTOS.shape).astype(np.float32)
    difference = (logits(PHOTOS) - logits(start)).numpy()[range(3), CLASSES]
    np.testing.assert_allclose(found.maps.sum((1, 2)), difference, rtol=1e-2, atol=2e-3)


def test_smooth_grad_is_the_mean_of_eager_tapes(network):
    model, logits = network
    found = kerascam.SmoothGrad(model, samples=3, noise=0.2, seed=9)(PHOTOS, CLASSES)
    span = np.ptp(PHOTOS, (1, 2, 3)).reshape(-1, 1, 1, 1)
    total = 0
    for sample in range(3):
        draw = tf.random.stateless_normal((1, 8, 8, 3), [9, sample]).numpy()
        total += eager_gradients(logits, PHOTOS + np.float32(0.2) * span * draw)
    np.testing.assert_allclose(found.maps, np.abs(total / 3).max(-1), rtol=1e-3, atol=1e-5)


def test_a_target_with_a_value_for_each_image_keeps_them_apart(network):
    """Its arrays fit the batch alone, so that one copy is taken after the other."""
    model, _ = network
    rivals = np.array([0, 3, 1])
    together = kerascam.SmoothGrad(model, target=targets.contrast(rivals), samples=4)
    found = together(PHOTOS, CLASSES).maps
    for place, rival in enumerate(rivals):
        alone = kerascam.SmoothGrad(model, target=targets.contrast(int(rival)), samples=4)
        wanted = alone(PHOTOS[place : place + 1], CLASSES[place]).maps[0]
        np.testing.assert_allclose(found[place], wanted, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", ["SmoothGrad", "IntegratedGradients"])
def test_copies_together_give_what_they_give_one_by_one(network, method):
    model, _ = network
    together = getattr(kerascam, method)(model)(PHOTOS, CLASSES)
    unknown = getattr(kerascam, method)(model, target=lambda *asked: targets.logit(*asked))
    np.testing.assert_allclose(together.maps, unknown(PHOTOS, CLASSES).maps, rtol=1e-4, atol=1e-5)


def test_a_model_of_one_batch_size_gets_no_larger_one(unchecked):
    # Unchecked: while a graph is traced, the batch is 3 in one tensor and open in the next.
    keras.utils.set_random_seed(5)
    inputs = keras.Input(batch_shape=(3, 8, 8, 3))
    x = keras.layers.Conv2D(6, 3, activation="softplus")(inputs)
    logits = keras.layers.Dense(4)(keras.ops.reshape(x, (3, -1)))
    model = keras.Model(inputs, logits)
    found = kerascam.SmoothGrad(model, samples=3, noise=0.0)(PHOTOS, CLASSES)
    np.testing.assert_allclose(
        found.maps, np.abs(eager_gradients(model, PHOTOS)).max(-1), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("kind", ["inputs_in_list_row_first", "inputs_in_dict_subclassed"])
def test_the_other_inputs_go_with_every_copy(kind):
    specimen = zoo.KINDS[kind]()
    found = kerascam.SmoothGrad(specimen.model, samples=3, noise=0.1)(
        specimen.inputs, specimen.classes
    )
    inputs = tf.nest.map_structure(tf.constant, specimen.inputs)
    (picture,) = (each for each in tf.nest.flatten(inputs) if len(each.shape) == 4)
    span = np.ptp(picture, (1, 2, 3)).reshape(-1, 1, 1, 1)
    total = 0
    for sample in range(3):
        noise = tf.random.stateless_normal((1, *picture.shape[1:]), [0, sample])
        noisy = picture + np.float32(0.1) * span * noise
        given = tf.nest.map_structure(
            lambda each, noisy=noisy: noisy if each is picture else each, inputs
        )
        with tf.GradientTape() as tape:
            tape.watch(noisy)
            logits = specimen.tail(specimen.head(given), given)
            scores = specimen.reading.score(logits, specimen.classes)
        total += tape.gradient(scores, noisy).numpy()
    np.testing.assert_allclose(found.maps, np.abs(total / 3).max(-1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", ["SmoothGrad", "IntegratedGradients"])
def test_many_gradients_of_a_model_in_half_precision(method):
    """Of which each is taken twice, of the score and of the score scaled up."""
    found = []
    for policy in ("float32", "mixed_float16"):
        keras.utils.set_random_seed(5)
        model = keras.Sequential([
            keras.Input((8, 8, 3)), keras.layers.Conv2D(6, 3, activation="softplus", dtype=policy),
            keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax", dtype="float32"),
        ])  # fmt: skip
        found.append(getattr(kerascam, method)(model)(PHOTOS, CLASSES).heatmaps)
    np.testing.assert_allclose(*found, atol=5e-3)


@pytest.mark.parametrize(
    ("method", "precision"),
    pairs(
        rows(
            ("GradientTimesInput", "SmoothGrad", "GuidedGradCAM"),
            ("GradCAM", "GradientTimesInput", "SmoothGrad", "IntegratedGradients", "GuidedGradCAM"),
        ),
        (("float16", 5e-3), ("bfloat16", 5e-2)),
    ),
)
def test_images_that_a_model_takes_in_reduced_precision(method, precision):
    dtype, off = precision
    found = []
    for each in ("float32", dtype):
        keras.utils.set_random_seed(5)
        inputs = keras.Input((8, 8, 3), dtype=each)
        x = keras.layers.Conv2D(6, 3, activation="relu", dtype=each)(inputs)
        x = keras.layers.GlobalAveragePooling2D(dtype=each)(x)
        model = keras.Model(inputs, keras.layers.Dense(4, dtype=each)(x))
        weights = [np.random.default_rng(7).normal(size=w.shape) for w in model.weights]
        model.set_weights(weights)  # initialisers draw other ones for each precision
        found.append(getattr(kerascam, method)(model)(PHOTOS, CLASSES))
    assert found[1].heatmaps.dtype == np.float32
    np.testing.assert_allclose(found[1].heatmaps, found[0].heatmaps, atol=off)


def test_a_number_beside_the_image():
    keras.utils.set_random_seed(5)
    picture, age = keras.Input((8, 8, 3)), keras.Input(())
    x = keras.layers.Conv2D(6, 3, activation="softplus")(picture)
    x = keras.layers.GlobalAveragePooling2D()(x) * keras.ops.expand_dims(age, -1)
    model = keras.Model([picture, age], keras.layers.Dense(4)(x))
    maps = kerascam.Saliency(model)([PHOTOS, np.array([1.0, 2.0, 4.0])], 1).maps
    alone = kerascam.Saliency(model)([PHOTOS, np.ones(3)], 1).maps
    np.testing.assert_allclose(maps, alone * np.reshape([1, 2, 4], (3, 1, 1)), rtol=1e-4)
    with pytest.raises(ValueError, match=r"must have shape \(batch\); received \(3, 2\)"):
        kerascam.Saliency(model)([PHOTOS, np.ones((3, 2))], 1)


def test_guided_grad_cam_is_guided_backprop_in_the_place_of_grad_cam(network):
    model, _ = network
    with pytest.warns(UserWarning, match="Softplus activations kept their own backward step"):
        guided = kerascam.GuidedBackprop(model)(PHOTOS, CLASSES).maps
    place = kerascam.GradCAM(model, "conv")(PHOTOS, CLASSES).maps
    with pytest.warns(UserWarning, match="Softplus"):
        found = kerascam.GuidedGradCAM(model, "conv")(PHOTOS, CLASSES).maps
    placed = enlarged(place, (8, 8), [(1, 1), (1, 1)])
    np.testing.assert_allclose(found, guided * placed, rtol=1e-4, atol=1e-6)


WRONG_OPTIONS = [
    (kerascam.SmoothGrad, "samples", 0, ValueError),
    (kerascam.SmoothGrad, "samples", -1, ValueError),
    (kerascam.SmoothGrad, "samples", 2.5, TypeError),
    (kerascam.SmoothGrad, "samples", "many", TypeError),
    (kerascam.SmoothGrad, "noise", -0.1, ValueError),
    (kerascam.SmoothGrad, "noise", np.nan, ValueError),
    (kerascam.SmoothGrad, "noise", "much", TypeError),
    (kerascam.SmoothGrad, "seed", 1.5, TypeError),
    (kerascam.IntegratedGradients, "steps", 0, ValueError),
    (kerascam.IntegratedGradients, "steps", -1, ValueError),
    (kerascam.IntegratedGradients, "steps", 2.5, TypeError),
    (kerascam.IntegratedGradients, "baseline", np.nan, ValueError),
    (kerascam.IntegratedGradients, "baseline", "black", ValueError),
    (kerascam.IntegratedGradients, "baseline", np.zeros((5, 5, 3)), ValueError),
    (kerascam.IntegratedGradients, "baseline", np.zeros((2, 8, 8, 3)), ValueError),
]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("explainer", "option", "value", "error"),
    WRONG_OPTIONS,
    ids=[f"{option}={value if np.ndim(value) == 0 else np.shape(value)}"
         for _, option, value, _ in WRONG_OPTIONS],
)  # fmt: skip
def test_a_wrong_option_is_named(network, explainer, option, value, error):
    with pytest.raises(error, match=f"{option} must"):
        explainer(network[0], **{option: value})(PHOTOS)

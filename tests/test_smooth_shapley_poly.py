"""Smooth Grad-CAM++, ShapleyCAM and Poly-CAM: transcriptions and limits."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L

import kerascam
from kerascam import targets
from kerascam.methods.noise import noisy_copies

IMAGES = np.random.default_rng(0).random((2, 12, 12, 3)).astype("float32")
CLASSES = np.array([1, 2])


@pytest.fixture(scope="module")
def model():
    """A network that bends after the layer."""
    made = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            L.Conv2D(4, 3, padding="same", activation="relu", name="fine"),
            L.MaxPooling2D(2),
            L.Conv2D(5, 3, padding="same", activation="relu", name="coarse"),
            L.Conv2D(6, 3, activation="tanh"),
            L.GlobalAveragePooling2D(),
            L.Dense(3, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(1)
    made.set_weights([rng.normal(size=w.shape) / 2 for w in made.get_weights()])
    return made


def tail(model, features):
    """The logits behind the coarse layer."""
    for layer in model.layers[3:-1]:
        features = layer(features)
    head = model.layers[-1]
    logits = features @ head.kernel + head.bias
    return tf.gather(logits, CLASSES, axis=1, batch_dims=1)


def coarse(model, images):
    return keras.Model(model.inputs[0], model.get_layer("coarse").output)(images)


# ------------------------------------------------------------------------------- Smooth Grad-CAM++


def test_smooth_grad_cam_without_noise_is_grad_cam_plus_plus(model):
    quiet = kerascam.SmoothGradCAMPlusPlus(model, "coarse", samples=2, noise=0.0)
    plain = kerascam.GradCAMPlusPlus(model, "coarse")(IMAGES, CLASSES)
    np.testing.assert_allclose(quiet(IMAGES, CLASSES).maps, plain.maps, atol=1e-6)


def test_smooth_grad_cam_by_a_loop_over_noisy_images(model):
    found = kerascam.SmoothGradCAMPlusPlus(model, "coarse", samples=3, noise=0.4)(IMAGES, CLASSES)
    noisy = noisy_copies(tf.constant(IMAGES), 0.4, 0)(tf.range(3)).numpy()
    slopes = []
    for images in noisy:
        features = coarse(model, images)
        with tf.GradientTape() as tape:
            tape.watch(features)
            scores = tail(model, features)
        slopes.append(tape.gradient(scores, features).numpy())
    first, second, third = (np.mean(np.power(slopes, n), 0) for n in (1, 2, 3))
    acts = coarse(model, IMAGES).numpy()
    below = 2 * second + acts.sum((1, 2), keepdims=True) * np.maximum(third, 0)
    weights = (np.maximum(first, 0) * second / below).sum((1, 2), keepdims=True)
    wanted = np.maximum((weights * acts).sum(-1), 0)
    np.testing.assert_allclose(found.maps, wanted, atol=1e-5)


# --------------------------------------------------------------------------------------- ShapleyCAM


def test_shapley_cam_by_differences_of_the_gradient(model):
    acts = coarse(model, IMAGES)

    def slopes(features):
        with tf.GradientTape() as tape:
            tape.watch(features)
            scores = tail(model, features)
        return tape.gradient(scores, features).numpy().astype("float64")

    step = 1e-2
    curved = (slopes((1 + step) * acts) - slopes((1 - step) * acts)) / (2 * step)
    weights = (slopes(acts) - curved / 2).mean((1, 2), keepdims=True)
    wanted = np.maximum((weights * acts.numpy()).sum(-1), 0)
    found = kerascam.ShapleyCAM(model, "coarse")(IMAGES, CLASSES).maps
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    plain = kerascam.GradCAM(model, "coarse")(IMAGES, CLASSES).maps
    assert abs(found - plain).max() > 0.01


def test_shapley_cam_of_linear_pieces_is_grad_cam():
    straight = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            L.Conv2D(4, 3, activation="relu", name="last"),
            L.MaxPooling2D(2),
            L.Conv2D(4, 3, activation="relu"),
            L.GlobalAveragePooling2D(),
            L.Dense(3, activation="softmax"),
        ]
    )
    found = kerascam.ShapleyCAM(straight, "last")(IMAGES, CLASSES).maps
    plain = kerascam.GradCAM(straight, "last")(IMAGES, CLASSES).maps
    np.testing.assert_allclose(found, plain, atol=1e-7)
    bent = kerascam.ShapleyCAM(straight, "last", target=targets.probability)(IMAGES, CLASSES).maps
    plain = kerascam.GradCAM(straight, "last", target=targets.probability)(IMAGES, CLASSES).maps
    assert abs(bent - plain).max() > 0.01 * plain.max()


# ----------------------------------------------------------------------------------------- Poly-CAM


def scaled(mask):
    return (mask - mask.min()) / max(mask.max() - mask.min(), 1e-12)


def up(maps, length):
    return tf.image.resize(maps[..., None], (length, length)).numpy()[..., 0]


def poly_cam_in_numpy(model, image, label, names, variant):
    logits = keras.Model(model.inputs[0], model.layers[-2].output)
    head = model.layers[-1]

    def score(images):
        values = logits(images.astype("float32")) @ head.kernel + head.bias
        return values.numpy()[:, label]

    found = before = None
    for name in names:
        acts = keras.Model(model.inputs[0], model.get_layer(name).output)(image[None]).numpy()[0]
        masks = np.stack([scaled(each) for each in up(np.moveaxis(acts, -1, 0), 12)])[..., None]
        shown, hidden = score(masks * image), score((1 - masks) * image)
        black, whole = score(np.stack([0 * image, image]))
        gains, losses = shown - black, whole - hidden
        weights = {"plus": gains, "minus": losses, "both": gains + losses}[variant]
        maps = np.maximum(acts @ np.maximum(weights, 0), 0)
        if found is None:
            found = up(maps[None], 12)[0]
        else:
            smooth = up(up(maps[None], before), len(maps))[0]
            detail = np.divide(maps, smooth, out=0 * maps, where=smooth > 0)
            found = found * up(detail[None], 12)[0]
        before = len(maps)
    return found


@pytest.mark.parametrize("variant", ["plus", "both"])
def test_poly_cam_by_loops(model, variant):
    explainer = kerascam.PolyCAM(model, ["fine", "coarse"], variant=variant)
    wanted = [
        poly_cam_in_numpy(model, image, label, ["coarse", "fine"], variant)
        for image, label in zip(IMAGES, CLASSES, strict=True)
    ]
    np.testing.assert_allclose(explainer(IMAGES, CLASSES).maps, wanted, rtol=1e-3, atol=1e-4)


def test_poly_cam_of_one_layer_and_of_wrong_options(model):
    found = kerascam.PolyCAM(model, "coarse", variant="minus")(IMAGES, CLASSES).maps
    wanted = poly_cam_in_numpy(model, IMAGES[1], 2, ["coarse"], "minus")
    np.testing.assert_allclose(found[1], wanted, rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="variant must be one of 'plus', 'minus', 'both'"):
        kerascam.Explainer(model, "poly_cam", variant="±")


# ---------------------------------------------------------------------------------------- of models


@pytest.mark.parametrize(
    ("name", "rank", "options"),
    [
        ("SmoothGradCAMPlusPlus", 1, {"samples": 2}),
        ("ShapleyCAM", 3, {}),
        ("PolyCAM", 1, {}),
    ],
)
def test_of_models_with_half_precision_inside(name, rank, options):
    convolve = getattr(L, f"Conv{rank}D")
    body = keras.Sequential(
        [keras.Input((*[6] * rank, 2)), convolve(3, 3, activation="silu", dtype="mixed_float16")],
        name="body",
    )
    model = keras.Sequential([keras.Input((*[6] * rank, 2)), body, L.Flatten(), L.Dense(3)])
    images = np.random.default_rng(2).random((2, *[6] * rank, 2)).astype("float32")
    explainer = getattr(kerascam, name)(model, **options)
    found = explainer(images, [0, 1])
    assert found.heatmaps.shape == images.shape[:-1]
    alone = explainer(images[1:], 1).maps[0]
    np.testing.assert_allclose(alone, found.maps[1], atol=2e-3 * max(found.maps.max(), 1))


def test_noisy_copies_of_whole_numbers_stay_in_their_range():
    images = np.array([[[[0], [255]], [[250], [5]]]], np.uint8)
    copies = noisy_copies(tf.constant(images), 0.3, 0)(tf.range(200)).numpy()
    floats = noisy_copies(tf.constant(images, tf.float32), 0.3, 0)(tf.range(200)).numpy()
    assert copies.dtype == np.uint8
    np.testing.assert_array_equal(copies, np.clip(np.round(floats), 0, 255).astype(np.uint8))

"""What stands around an explainer: test-time augmentation and SESS, against loops by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerascam import SESS, AugmentedExplainer, GradCAM, HiResCAM, NoiseTunnel, Saliency, export
from kerascam.maps import normalize

IMAGES = np.random.default_rng(0).random((2, 16, 16, 3)).astype("float32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential([
        keras.Input((16, 16, 3)), layers.Conv2D(4, 3, strides=2, activation="relu", name="last"),
        layers.GlobalAveragePooling2D(), layers.Dense(3, "softmax"),
    ])  # fmt: skip


def test_augmented_is_the_mean_of_the_views(model):
    explain = GradCAM(model, normalize="minmax")
    classes = explain(IMAGES).classes
    views = []
    for factor in (0.8, 1.0):
        views.append(explain(IMAGES * np.float32(factor), classes).heatmaps)
        mirrored = explain(IMAGES[:, :, ::-1] * np.float32(factor), classes).heatmaps
        views.append(mirrored[:, :, ::-1])
    expected = np.mean(views, 0)

    found = AugmentedExplainer(explain, factors=(0.8, 1.0))(IMAGES)

    np.testing.assert_allclose(found.maps, expected, atol=1e-6)
    np.testing.assert_allclose(
        found.heatmaps, normalize(tf.constant(expected), "minmax"), atol=1e-6
    )
    np.testing.assert_array_equal(found.classes, classes)
    assert "4 views" in found.notes[-1]


def test_views_of_whole_numbers_are_rounded_and_stay_in_their_range():
    class Recorder(GradCAM):
        def __call__(self, images, classes=None, **more):
            seen.append(images)
            return super().__call__(images, classes, **more)

    seen = []
    whole = keras.Sequential([
        keras.Input((4, 4, 1), dtype="uint8"), layers.Rescaling(1 / 255),
        layers.Conv2D(1, 1, kernel_initializer="ones"), layers.Flatten(),
        layers.Dense(2, "softmax"),
    ])  # fmt: skip
    images = np.full((1, 4, 4, 1), [[[[250], [9], [8], [1]]]], "uint8")

    AugmentedExplainer(Recorder(whole), mirror=False, factors=(1.1, 0.4))(images)
    SESS(Recorder(whole), scales=2, keep=1.0)(np.full_like(images, 7))

    assert seen[1][0, 0, :, 0].tolist() == [255, 10, 9, 1]
    assert seen[2][0, 0, :, 0].tolist() == [100, 4, 3, 0]
    assert all((each == 7).all() for each in seen[3:])


def test_status_is_that_of_the_joined_heatmap():
    bright = keras.Sequential([
        keras.Input((4, 4, 1)),
        layers.Conv2D(1, 1, activation="relu", kernel_initializer="ones",
                      bias_initializer=keras.initializers.Constant(-1.05)),
        layers.Flatten(), layers.Dense(1, kernel_initializer="ones"),
    ])  # fmt: skip
    images = np.array([1.0, 0.5]).reshape(2, 1, 1, 1) * np.ones((2, 4, 4, 1))
    explain = GradCAM(bright)
    assert explain(images).statuses == ("zero activations",) * 2
    found = AugmentedExplainer(explain)(images)  # the brighter view of the first shows something
    assert found.statuses == ("ok", "zero activations")
    assert found.heatmaps.max((1, 2)).tolist() == [1, 0]


def test_one_view_one_scale_are_the_explainer_itself(model):
    plain = HiResCAM(model, normalize="signed")(IMAGES)
    one_view = AugmentedExplainer(HiResCAM(model, normalize="signed"), mirror=False, factors=[1.0])(
        IMAGES
    )
    one_scale = SESS(HiResCAM(model, normalize="signed"), scales=1)(IMAGES)
    np.testing.assert_allclose(one_view.heatmaps, plain.heatmaps, atol=1e-6)
    np.testing.assert_allclose(one_scale.heatmaps, plain.heatmaps, atol=1e-6)


def test_augmented_map_of_a_mirrored_image_is_mirrored(model):
    explain = AugmentedExplainer(Saliency(model))
    straight, mirrored = explain(IMAGES, 1), explain(IMAGES[:, :, ::-1], 1)
    np.testing.assert_allclose(straight.heatmaps, mirrored.heatmaps[:, :, ::-1], atol=1e-5)


def test_sess_is_the_weighted_mean_of_the_windows(model):
    explain = GradCAM(model)
    chosen = explain(IMAGES[:1]).classes[0]
    found = SESS(explain, scales=2, growth=1.0, stride=1.0, keep=1.0)(IMAGES[:1], chosen)

    large = keras.ops.convert_to_numpy(keras.ops.image.resize(IMAGES[:1], (32, 32)))
    plain = explain(IMAGES[:1], chosen)
    total = plain.probabilities[0] * plain.heatmaps[0]
    weight = np.full((16, 16), plain.probabilities[0])
    fall = np.array([1, 3, 5, 7, 7, 5, 3, 1]) / 8
    taper = fall[:, None] * fall
    for row in (0, 1):
        for column in (0, 1):
            window = large[:, 16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
            one = explain(window, chosen)
            half = one.heatmaps[0].reshape(8, 2, 8, 2).mean((1, 3))  # linear, half-pixel centres
            place = np.s_[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
            share = one.probabilities[0] * taper
            total[place] += share * half
            weight[place] += share
    np.testing.assert_allclose(found.maps[0], total / weight, atol=1e-5)
    assert found.heatmaps.max() == pytest.approx(1)


def test_sess_keeps_the_likely_windows_and_images_apart(model):
    explain = SESS(GradCAM(model), scales=3, keep=0.25)
    both, alone = explain(IMAGES, [0, 2]), explain(IMAGES[1], 2)
    np.testing.assert_allclose(both.heatmaps[1], alone.heatmaps[0], atol=1e-6)


def test_probabilities_alone_are_those_of_the_explanation(model):
    explain = GradCAM(model)
    np.testing.assert_allclose(
        explain.probabilities(IMAGES, [1, 2]), explain(IMAGES, [1, 2]).probabilities, rtol=1e-5
    )


@pytest.mark.usefixtures("unchecked")
def test_what_cannot_be_done_is_refused(model, tmp_path):
    with pytest.raises(TypeError, match="explainer must be an explainer"):
        SESS(model)
    for named, value in {"scales": 0, "growth": 0, "stride": 2, "keep": 0}.items():
        with pytest.raises(ValueError, match=named):
            SESS(GradCAM(model), **{named: value})
    with pytest.raises(ValueError, match="factors"):
        AugmentedExplainer(GradCAM(model), factors=[0.0])
    with pytest.raises(TypeError, match="factors"):
        AugmentedExplainer(GradCAM(model), factors=1.0)
    no_softmax = keras.Sequential([keras.Input((16, 16, 3)), *model.layers[:-1], layers.Dense(3)])
    with pytest.raises(ValueError, match="softmax or sigmoid"):
        SESS(GradCAM(no_softmax))(IMAGES)
    with pytest.raises(TypeError, match="export its .explainer"):
        export(AugmentedExplainer(GradCAM(model)), tmp_path)


def test_noise_around_a_method_by_a_loop(model):
    explain = GradCAM(model, normalize="none")
    classes = explain(IMAGES).classes
    random = np.random.default_rng(3)
    span = np.ptp(IMAGES.astype("float64"), axis=(1, 2, 3), keepdims=True)
    copies = [IMAGES + 0.2 * span * random.normal(size=(1, 16, 16, 3)) for _ in range(3)]
    maps = [explain(each.astype("float32"), classes).heatmaps for each in copies]
    moments = {
        "mean": np.mean(maps, 0),
        "squares": np.mean(np.square(maps), 0),
        "variance": np.var(maps, 0),
    }
    for moment, wanted in moments.items():
        tunnel = NoiseTunnel(explain, samples=3, noise=0.2, moment=moment, seed=3)
        found = tunnel(IMAGES)
        np.testing.assert_allclose(found.heatmaps, wanted, rtol=1e-3, atol=1e-9)
        np.testing.assert_allclose(tunnel(IMAGES[1:]).maps[0], found.maps[1], rtol=1e-4, atol=1e-9)
    assert "the variance over 3 noisy copies" in found.notes[-1]


def test_no_noise_is_the_explainer_itself(model):
    plain = HiResCAM(model, normalize="signed")
    quiet = NoiseTunnel(plain, samples=2, noise=0.0)(IMAGES)
    np.testing.assert_allclose(quiet.heatmaps, plain(IMAGES).heatmaps, atol=1e-6)
    bytes_in = (255 * IMAGES).astype("uint8")
    assert NoiseTunnel(plain, samples=2)(bytes_in).heatmaps.shape == (2, 16, 16)


@pytest.mark.parametrize(
    ("options", "match"),
    [({"noise": -1}, "noise must be at least 0"), ({"moment": "cube"}, "moment must be one of")],
)
@pytest.mark.usefixtures("unchecked")
def test_wrong_options_of_noise(model, options, match):
    with pytest.raises(ValueError, match=match):
        NoiseTunnel(GradCAM(model), **options)

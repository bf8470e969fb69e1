"""Methods that ask the model again, against closed forms, definitions and transcriptions."""

import itertools
import math
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L
from proofs import rows
from sklearn.linear_model import Ridge

import kerascam
from kerascam.estimates import Estimate
from kerascam.methods.coalitions import lime_coalitions, shapley_coalitions
from kerascam.registry import METHODS

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((2, 12, 12, 3)).astype("float32")
CLASSES = np.array([1, 2])
PERTURBING = (
    "ScoreCAM", "FasterScoreCAM", "SSCAM", "ISCAM", "AblationCAM", "ReciproCAM", "Occlusion",
    "RISE", "LIME", "KernelSHAP", "SobolAttribution", "HSICAttribution", "ExpectedGradients",
)  # fmt: skip
# One of each way of asking again: they differ in what they ask of a model.
FEW = rows(
    ("ScoreCAM", "SSCAM", "AblationCAM", "RISE", "KernelSHAP", "ExpectedGradients"), PERTURBING
)
SMALL = {
    "SSCAM": {"samples": 3},
    "ISCAM": {"steps": 3},
    "RISE": {"samples": 40},
    "LIME": {"samples": 60, "cells": 3},
    "KernelSHAP": {"samples": 60, "cells": 3},
    "SobolAttribution": {"samples": 8, "cells": 3},
    "HSICAttribution": {"samples": 40, "cells": 3},
    "ExpectedGradients": {"samples": 8},
}


def seeded(model, seed=1):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) / 3 for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def pooled():
    """A network with global average pooling and one dense layer."""
    return seeded(
        keras.Sequential(
            [
                keras.Input((12, 12, 3)),
                L.Conv2D(5, 3, padding="same", activation="relu", name="last"),
                L.MaxPooling2D(2, name="pool"),
                L.GlobalAveragePooling2D(),
                L.Dense(3, name="head"),
            ]
        )
    )


def features(model, images=IMAGES, layer="pool"):
    return keras.Model(model.inputs[0], model.get_layer(layer).output)(images).numpy()


def logits(model, images):
    return np.take_along_axis(model(images).numpy(), CLASSES[: len(images), None], 1)[:, 0]


# ------------------------------------------------------------------------------ behind the layer


def test_ablation_of_pooling_and_one_dense_layer(pooled):
    """S - S_k is the dense weight times the mean of the feature."""
    acts = features(pooled)
    weights = pooled.get_layer("head").get_weights()[0].T[CLASSES]
    drops = weights * acts.mean((1, 2))
    wanted = np.maximum((drops[:, None, None] * acts).sum(-1), 0)
    found = kerascam.AblationCAM(pooled, "pool")(IMAGES, CLASSES).maps
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_ablation_of_groups(pooled):
    acts = features(pooled)
    weights = pooled.get_layer("head").get_weights()[0].T[CLASSES]
    drops = weights * acts.mean((1, 2))
    groups = np.array([4, 1, 4, 9, 1])
    shared = np.stack([drops[:, groups == group].sum(1) for group in groups], 1)
    wanted = np.maximum((shared[:, None, None] * acts).sum(-1), 0)
    found = kerascam.AblationCAM(pooled, "pool", groups=groups)(IMAGES, CLASSES).maps
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_groups_of_another_number_of_features(pooled):
    explainer = kerascam.AblationCAM(pooled, "pool", groups=[0, 1])
    with pytest.raises(ValueError, match="groups must have a number for each of the layer's 5 fea"):
        explainer(IMAGES)


def test_recipro_cam_is_cam_by_cells_and_the_bias(pooled):
    cam = kerascam.CAM(pooled, "pool", normalize="none")(IMAGES, CLASSES).maps
    bias = pooled.get_layer("head").get_weights()[1][CLASSES]
    found = kerascam.ReciproCAM(pooled, "pool")(IMAGES, CLASSES)
    np.testing.assert_allclose(found.maps, cam / 36 + bias[:, None, None], atol=1e-5)
    # Scaled from the least to the largest score, as the paper draws it.
    assert found.heatmaps.min() == 0 and found.heatmaps.max() == 1
    smooth = kerascam.ReciproCAM(pooled, "pool", smooth=True)(IMAGES, CLASSES).maps
    padded = np.pad(cam / 36, ((0, 0), (1, 1), (1, 1)))
    wanted = sum(
        weight * padded[:, 1 + down : 7 + down, 1 + right : 7 + right]
        for down, right in itertools.product((-1, 0, 1), repeat=2)
        for weight in [(2 - abs(down)) * (2 - abs(right)) / 16]
    )
    np.testing.assert_allclose(smooth, wanted + bias[:, None, None], atol=1e-5)


def test_the_front_door_scales_as_the_class_does(pooled):
    found = kerascam.Explainer(pooled, "Recipro-CAM", "pool")(IMAGES, CLASSES)
    own = kerascam.ReciproCAM(pooled, "pool")(IMAGES, CLASSES)
    np.testing.assert_array_equal(found.heatmaps, own.heatmaps)


# ---------------------------------------------------------------------------- masks from features


def softmax(values):
    powers = np.exp(values - values.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def score_cam_of(model, acts, enlarged, baseline, strength=lambda mask: [mask]):
    """Score-CAM by loops over images and features, straight from the paper."""
    maps = []
    for image, act, large, label in zip(IMAGES, acts, enlarged, CLASSES, strict=True):
        nothing = model(np.full_like(image, baseline)[None]).numpy()[0, label]
        gains = []
        for feature in range(act.shape[-1]):
            mask = large[..., feature]
            span = mask.max() - mask.min()
            mask = (mask - mask.min()) / span if span else 0 * mask
            seen = [
                (baseline + each[..., None] * (image - baseline))[None] for each in strength(mask)
            ]
            gains.append(np.mean([model(one).numpy()[0, label] for one in seen]) - nothing)
        maps.append(np.maximum((softmax(np.array(gains)) * act).sum(-1), 0))
    return np.stack(maps)


@pytest.mark.parametrize("baseline", [0.0, 0.4])
def test_score_cam_by_loops(pooled, baseline):
    acts = features(pooled)
    large = tf.image.resize(acts, (12, 12)).numpy()
    found = kerascam.ScoreCAM(pooled, "pool", baseline=baseline)(IMAGES, CLASSES).maps
    np.testing.assert_allclose(found, score_cam_of(pooled, acts, large, baseline), atol=1e-5)


def test_is_cam_by_loops(pooled):
    acts = features(pooled)
    large = tf.image.resize(acts, (12, 12)).numpy()
    wanted = score_cam_of(
        pooled, acts, large, 0.0, lambda mask: [mask * i / 4 for i in range(1, 5)]
    )
    found = kerascam.ISCAM(pooled, "pool", steps=4)(IMAGES, CLASSES).maps
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_the_family_has_score_cam_as_its_limit(pooled):
    wanted = kerascam.ScoreCAM(pooled, "pool")(IMAGES, CLASSES).maps
    for same in (
        kerascam.FasterScoreCAM(pooled, "pool", channels=5),
        kerascam.FasterScoreCAM(pooled, "pool", channels=99),
        kerascam.SSCAM(pooled, "pool", samples=2, noise=0.0),
        kerascam.ISCAM(pooled, "pool", steps=1),
    ):
        np.testing.assert_allclose(same(IMAGES, CLASSES).maps, wanted, atol=1e-5)


def test_faster_score_cam_takes_the_features_that_vary_most(pooled):
    acts = features(pooled)
    chosen = np.argsort(-acts.std((1, 2)), 1)[:, :2]
    few = np.take_along_axis(acts, chosen[:, None, None], -1)
    large = tf.image.resize(few, (12, 12)).numpy()
    found = kerascam.FasterScoreCAM(pooled, "pool", channels=2)(IMAGES, CLASSES).maps
    np.testing.assert_allclose(found, score_cam_of(pooled, few, large, 0.0), atol=1e-5)


def test_a_constant_feature_gains_nothing():
    """Of a linear score, the gain of a mask is what lies under it: nothing under a constant one."""
    x = np.ones((1, 2, 2, 1))
    acts = np.stack([np.ones((2, 2)), [[0.0, 1.0], [0.0, 0.0]]], -1)[None]
    found = METHODS["score_cam"].function(
        lambda copies: tf.reduce_sum(copies, (-3, -2, -1)), tf.constant(x), tf.constant(acts),
        lambda maps: maps,
    ).numpy()  # fmt: skip
    weights = softmax(np.array([0.0, 1.0]))
    np.testing.assert_allclose(found, (weights * acts).sum(-1))


def test_masks_lie_where_the_cells_lie():
    """A layer that sees the middle of the image shows that alone: the border stays hidden."""
    model = seeded(
        keras.Sequential(
            [
                keras.Input((12, 12, 3)),
                L.Cropping2D(4),
                L.Conv2D(2, 1, activation="relu", bias_initializer="ones", name="last"),
                L.Flatten(),
                L.Dense(3),
            ]
        )
    )
    seen = []

    def own_enlarged(enlarge, images, activations):
        """Keep the masks."""
        seen.append(enlarge(tf.ones_like(activations[..., 0])[None]))
        return tf.reduce_sum(seen[-1][0], (1, 2))[:, None, None] * activations[..., 0]

    METHODS.register(title="own", class_name="Own", citation=None)(own_enlarged)
    try:
        found = kerascam.Explainer(model, "own_enlarged", "last", normalize="none")(IMAGES)
    finally:
        del METHODS._entries["own_enlarged"]
    np.testing.assert_allclose(found.maps, 16 * features(model, layer="last")[..., 0], rtol=1e-5)


# --------------------------------------------------------------------- masks from chance, or a grid


@pytest.fixture(scope="module")
def linear():
    """A linear model, and its weights for the images' classes."""
    model = seeded(keras.Sequential([keras.Input((12, 12, 3)), L.Flatten(), L.Dense(3)]))
    weights = model.get_weights()[0].T[CLASSES].reshape(2, 12, 12, 3)
    return model, weights


def by_cells(values, cells):
    """Sum over a grid of cells: (batch, 12, 12) to (batch, cells, cells)."""
    side = 12 // cells
    return values.reshape(-1, cells, side, cells, side).sum((2, 4))


def test_occlusion_of_a_linear_score(linear):
    model, weights = linear
    lost = (weights * (IMAGES - 0.25)).sum(-1)
    found = kerascam.Occlusion(model, patch=(4, 5), stride=(3, 4), baseline=0.25)
    sums, times = np.zeros((2, 12, 12)), np.zeros((12, 12))
    for top, left in itertools.product((0, 3, 6, 8), (0, 4, 7)):
        patch = np.s_[top : top + 4, left : left + 5]
        sums[(slice(None), *patch)] += lost[(slice(None), *patch)].sum((1, 2))[:, None, None]
        times[patch] += 1
    np.testing.assert_allclose(found(IMAGES, CLASSES).maps, sums / times, atol=1e-4)


@pytest.mark.parametrize("shape", [(7,), (3, 4, 5)])
def test_occlusion_on_one_and_three_axes(shape):
    images = RANDOM.random((2, *shape, 2)).astype("float32")
    model = seeded(keras.Sequential([keras.Input((*shape, 2)), L.Flatten(), L.Dense(2)]))
    weights = model.get_weights()[0].T[0].reshape(*shape, 2)
    axes = "tdhw"[-len(shape) :] + "c" if len(shape) > 1 else "tc"
    found = kerascam.Occlusion(model, patch=1, baseline=0.0, axes=axes)(images, 0).maps
    np.testing.assert_allclose(found, (weights * images).sum(-1), atol=1e-5)


def rise_masks(samples, cells, size, seed, probability=0.5):
    """The masks of RISE, by loops: enlarged by the formula of linear interpolation, and cropped."""
    random = np.random.default_rng(seed)
    grids = random.random((samples, cells + 1, cells + 1)) < probability
    offsets = random.random((samples, 2))
    width = math.ceil(size / cells)
    masks = np.zeros((samples, size, size))
    for one in range(samples):
        large = tf.image.resize(
            grids[one, ..., None].astype("float32"), [(cells + 1) * width] * 2
        ).numpy()[..., 0]
        down, right = (int(each * width) for each in offsets[one])
        masks[one] = large[down : down + size, right : right + size]
    return masks


def test_rise_by_loops(pooled):
    masks = rise_masks(30, 4, 12, seed=5)
    scores = np.stack([logits(pooled, IMAGES * mask[:, :, None]) for mask in masks])
    terms = scores[..., None, None] * masks[:, None] / 0.5
    found = kerascam.RISE(pooled, samples=30, cells=4, seed=5)(IMAGES, CLASSES)
    np.testing.assert_allclose(found.maps, terms.mean(0), atol=1e-4)
    wanted = terms.std(0, ddof=1) / 30**0.5
    np.testing.assert_allclose(found.standard_errors, wanted, atol=1e-4)


def test_standard_errors_are_those_of_other_seeds(pooled):
    """The spread over seeds is what each seed says that it is."""

    @tf.function  # traced once, where an explainer would be traced for each seed
    def score(images):
        outputs = tf.reshape(pooled(tf.reshape(images, (-1, *IMAGES.shape[1:]))), (-1, 2, 3))
        return tf.reshape(tf.reduce_sum(outputs * tf.one_hot(CLASSES, 3), -1), images.shape[:-3])

    for name, options in (
        ("rise", {"samples": 64, "cells": 4}),
        ("lime", {"samples": 64, "cells": 3, "ridge": 0.0}),
        ("kernel_shap", {"samples": 64, "cells": 3}),
    ):
        function = METHODS[name].function
        found = [function(score, tf.constant(IMAGES), seed=seed, **options) for seed in range(12)]
        spread = np.std([each.maps for each in found], 0, ddof=1)
        said = np.sqrt(np.mean([each.standard_errors**2 for each in found], 0))
        assert 0.6 < np.sqrt((spread**2).mean() / (said**2).mean()) < 1.5


def hidden(images, labels, coalition, baseline):
    shown = coalition[labels][..., None]
    return (baseline + shown * (images - baseline)).astype("float32")


def grid_labels(cells, size=12):
    rows = np.arange(size) * cells // size
    return rows[:, None] * cells + rows[None]


@pytest.mark.parametrize("ridge", [0.0, 1.0, 30.0])
def test_lime_is_a_weighted_ridge_regression(pooled, ridge):
    drawn, weights = lime_coalitions(9, 50, 0.25, seed=3)
    baseline = IMAGES.mean((1, 2), keepdims=True)
    scores = np.stack(
        [logits(pooled, hidden(IMAGES, grid_labels(3), each, baseline)) for each in drawn]
    )
    found = kerascam.LIME(pooled, samples=50, cells=3, ridge=ridge, seed=3)(IMAGES, CLASSES)
    for place in range(2):
        fitted = Ridge(alpha=ridge).fit(drawn, scores[:, place], sample_weight=weights)
        np.testing.assert_allclose(found.maps[place].ravel(), fitted.coef_, atol=1e-3)


def test_lime_of_a_linear_score(linear):
    model, weights = linear
    found = kerascam.LIME(model, samples=200, cells=3, ridge=0.0, baseline=0.2)(IMAGES, CLASSES)
    wanted = by_cells((weights * (IMAGES - 0.2)).sum(-1), 3)
    np.testing.assert_allclose(found.maps, wanted, atol=1e-3)
    assert found.standard_errors.max() < 1e-3


def shapley(value, players):
    """Shapley values by their definition, over all orders of coming."""
    values = np.zeros(players)
    for order in itertools.permutations(range(players)):
        here = np.zeros(players)
        before = value(here)
        for player in order:
            here[player] = 1
            after = value(here)
            values[player] += after - before
            before = after
    return values / math.factorial(players)


def test_kernel_shap_of_all_coalitions_is_the_definition(pooled):
    labels = np.minimum(np.arange(12)[:, None] // 3, 2) * 2 + (np.arange(12)[None] > 4)  # six
    known = {}

    def value(coalition):
        key = tuple(coalition)
        if key not in known:
            known[key] = logits(pooled, hidden(IMAGES[:1], labels, coalition, 0.1))[0]
        return known[key]

    wanted = shapley(value, 6)
    explainer = kerascam.KernelSHAP(pooled, segments=labels, baseline=0.1)
    found = explainer(IMAGES, CLASSES)
    np.testing.assert_allclose(found.maps[0], wanted[labels], atol=1e-5)
    np.testing.assert_array_equal(found.standard_errors, 0)
    assert wanted.max() > 0.01  # it is no zero


@pytest.mark.parametrize("cells", [1, 2, 4])
def test_shapley_values_sum_to_the_change_of_the_score(pooled, cells):
    found = kerascam.KernelSHAP(pooled, samples=50, cells=cells, baseline=0.3)(IMAGES, CLASSES)
    change = logits(pooled, IMAGES) - logits(pooled, np.full_like(IMAGES, 0.3))
    np.testing.assert_allclose(found.maps.sum((1, 2)), change, atol=1e-5)
    np.testing.assert_allclose(found.residual, 0, atol=1e-5)


def test_too_few_samples_are_refused_with_their_number(pooled):
    with pytest.raises(ValueError, match="8 coalitions do not tell 49 segments apart"):
        kerascam.KernelSHAP(pooled, samples=8)(IMAGES)
    with pytest.raises(ValueError, match="samples must be more, or cells fewer"):
        kerascam.LIME(pooled, samples=8, ridge=0.0)(IMAGES)


def test_coalitions_are_drawn_by_the_shapley_kernel():
    drawn, weights, complete = shapley_coalitions(12, 4000, seed=0)
    assert not complete and weights.sum() == pytest.approx(1)
    np.testing.assert_array_equal(drawn[::2] + drawn[1::2], 1)
    sizes = np.bincount(drawn.sum(1).astype(int), minlength=13)[1:12] / 4000
    kernel = np.array([1 / (k * (12 - k)) for k in range(1, 12)])
    np.testing.assert_allclose(sizes, kernel / kernel.sum(), atol=0.02)
    np.testing.assert_allclose(drawn.mean(0), 0.5, atol=0.04)


def test_sobol_indices_of_the_ishigami_function():
    """Published total indices: 0.5576, 0.4424 and 0.2437."""

    def ishigami(copies):
        one, two, three = tf.unstack(math.pi * (2 * copies[..., 0, :, 0] - 1), axis=-1)
        return tf.sin(one) + 7 * tf.sin(two) ** 2 + 0.1 * three**4 * tf.sin(one)

    ones = tf.ones((1, 1, 3, 1), tf.float64)
    found = METHODS["sobol_attribution"].function(ishigami, ones, samples=8192)
    np.testing.assert_allclose(found.maps[0, 0], [0.5576, 0.4424, 0.2437], atol=0.015)


def test_sobol_indices_of_an_additive_score(linear):
    model, weights = linear
    parts = by_cells((weights * IMAGES).sum(-1), 2)
    wanted = parts**2 / (parts**2).sum((1, 2), keepdims=True)
    found = kerascam.SobolAttribution(model, samples=4096, cells=2)(IMAGES, CLASSES)
    np.testing.assert_allclose(found.maps, wanted, atol=0.02)
    assert (np.abs(found.maps - wanted) < 4 * found.standard_errors + 0.02).all()


def test_hsic_by_its_definition(pooled):
    samples, cells = 40, 3
    drawn = np.random.default_rng(7).integers(0, 2, (samples, 9)).astype(float)
    scores = np.stack([logits(pooled, hidden(IMAGES, grid_labels(3), z, 0.0)) for z in drawn])
    centring = np.eye(samples) - 1 / samples
    found = kerascam.HSICAttribution(pooled, samples=samples, cells=cells, seed=7)(IMAGES, CLASSES)
    for place in range(2):
        apart = scores[:, None, place] - scores[None, :, place]
        likeness = np.exp(-(apart**2) / (2 * scores[:, place].var()))
        for cell in range(9):
            kernel = np.exp(-2 * (drawn[:, None, cell] - drawn[None, :, cell]) ** 2)
            wanted = np.trace(kernel @ centring @ likeness @ centring) / samples**2
            assert found.maps[place].ravel()[cell] == pytest.approx(wanted, abs=1e-5)


# --------------------------------------------------------------------------------- paths and sums


def test_expected_gradients_of_one_reference_is_integrated_gradients(pooled):
    wanted = kerascam.IntegratedGradients(pooled, steps=16, baseline=0.2)(IMAGES, CLASSES)
    found = kerascam.ExpectedGradients(pooled, samples=16, references=0.2)(IMAGES, CLASSES)
    np.testing.assert_allclose(found.maps, wanted.maps, atol=1e-5)
    np.testing.assert_allclose(found.residual, wanted.residual, atol=1e-4)


def test_what_the_sum_of_integrated_gradients_misses(pooled):
    found = kerascam.IntegratedGradients(pooled, steps=3)(IMAGES, CLASSES)
    change = logits(pooled, IMAGES) - logits(pooled, 0 * IMAGES)
    np.testing.assert_allclose(found.residual, change - found.maps.sum((1, 2)), atol=1e-5)
    fine = kerascam.IntegratedGradients(pooled, steps=300)(IMAGES, CLASSES)
    assert np.abs(fine.residual).max() < 0.05 * np.abs(found.residual).max() + 1e-3


def test_expected_gradients_of_several_references(linear):
    model, weights = linear
    references = RANDOM.random((3, 12, 12, 3)).astype("float32")
    found = kerascam.ExpectedGradients(model, samples=6, references=references)(IMAGES, CLASSES)
    wanted = (weights * (IMAGES - references.mean(0))).sum(-1)
    np.testing.assert_allclose(found.maps, wanted, atol=1e-4)
    np.testing.assert_allclose(found.residual, 0, atol=1e-4)
    some = kerascam.ExpectedGradients(model, samples=2, references=references)(IMAGES, CLASSES)
    np.testing.assert_allclose(some.residual, 0, atol=1e-4)  # of the two that took a turn


# -------------------------------------------------------------------------------- for all of them


@pytest.mark.parametrize("name", FEW)
def test_alone_in_a_batch_in_steps_and_again(pooled, name):
    """The same map whoever is beside, however it is run, and each time."""
    of_layer = METHODS[name].of_layers
    explainer = getattr(kerascam, name)(
        pooled, *(["pool"] if of_layer else []), **SMALL.get(name, {})
    )
    found = explainer(IMAGES, CLASSES)
    scale = np.abs(found.maps).max() + 1e-9
    alone = explainer(IMAGES[1:], CLASSES[1:])
    np.testing.assert_allclose(alone.maps[0], found.maps[1], atol=1e-4 * scale)
    shown = []
    stepped = explainer(IMAGES, CLASSES, progress=lambda made, passes: shown.append(passes))
    np.testing.assert_allclose(stepped.maps, found.maps, atol=1e-4 * scale)
    assert shown
    np.testing.assert_array_equal(explainer(IMAGES, CLASSES).maps, found.maps)
    if found.standard_errors is not None:
        assert found.standard_errors.shape == found.maps.shape
        np.testing.assert_allclose(
            stepped.standard_errors, found.standard_errors, atol=1e-4 * scale
        )


class Half(keras.Model):
    """A subclassed model with a nested one, of mixed precision."""

    def __init__(self):
        super().__init__()
        policy = "mixed_float16"
        self.body = keras.Sequential(
            [L.Conv2D(4, 3, activation="relu", name="last", dtype=policy)], name="body"
        )
        self.pool = L.GlobalAveragePooling2D(dtype=policy)
        self.head = L.Dense(3, dtype="float32")

    def call(self, x):
        return self.head(self.pool(self.body(x)))


@pytest.mark.parametrize("name", FEW)
def test_a_nested_subclassed_model_of_mixed_precision(name):
    model = Half()
    model(IMAGES)
    seeded(model)
    single = keras.Sequential(
        [keras.Input((12, 12, 3)), L.Conv2D(4, 3, activation="relu", name="last"),
         L.GlobalAveragePooling2D(), L.Dense(3)]
    )  # fmt: skip
    single.set_weights(model.get_weights())
    layer = METHODS[name].of_layers
    options = SMALL.get(name, {})
    if name in ("SobolAttribution", "HSICAttribution"):
        options = options | {"cells": 2}
    kind = getattr(kerascam, name)
    found = kind(model, *(["body/last"] if layer else []), **options)(IMAGES, CLASSES).maps
    wanted = kind(single, *(["last"] if layer else []), **options)(IMAGES, CLASSES).maps
    # What is rounded in half precision are scores of up to 1, or differences of them.
    np.testing.assert_allclose(found, wanted, atol=0.05 * np.abs(wanted).max() + 0.02)


def test_an_explanation_keeps_what_is_known_of_its_errors(pooled, tmp_path):
    found = kerascam.ExpectedGradients(pooled, samples=4)(IMAGES, CLASSES)
    part = pickle.loads(pickle.dumps(found))[1]
    np.testing.assert_array_equal(part.standard_errors, found.standard_errors[1:])
    np.testing.assert_array_equal(part.residual, found.residual[1:])
    found.save(tmp_path / "out", IMAGES)
    with np.load(tmp_path / "out" / "arrays.npz") as file:
        np.testing.assert_array_equal(file["residual"], found.residual)
        np.testing.assert_array_equal(file["standard_errors"], found.standard_errors)


def test_a_large_residual_is_printed(register):
    model = seeded(keras.Sequential([keras.Input((4, 4, 1)), L.Flatten(), L.Dense(1)]))
    images = np.ones((1, 4, 4, 1))

    def own_sum(images, score, *, share=0.0):
        """Give the score to one pixel, less a share of it."""
        one = tf.one_hot([0], 16) * (1 - share) * score(images)[:, None]
        maps = tf.reshape(one, (-1, 4, 4))
        return Estimate(maps, residual=score(images) - tf.reduce_sum(maps, (1, 2)))

    name = register(own_sum)
    known = kerascam.Explainer(model, name)(images)
    np.testing.assert_allclose(known.residual, 0, atol=1e-6)
    assert "misses" not in repr(known)
    off = kerascam.Explainer(model, name, share=0.5)(images)
    np.testing.assert_allclose(off.residual, off.scores / 2, rtol=1e-5)
    assert f"its sum misses {off.residual[0]:.3g} of the change of the score" in repr(off)


@pytest.mark.parametrize(
    ("name", "options", "error", "match"),
    [
        ("RISE", {"samples": 0}, ValueError, "samples must be at least 1"),
        ("RISE", {"probability": 1.0}, ValueError, "probability must be between 0 and 1"),
        ("RISE", {"baseline": "grey"}, ValueError, 'baseline must be a number.*"mean" or "blur"'),
        ("LIME", {"kernel_width": 0.0}, ValueError, "kernel_width must be positive"),
        ("LIME", {"segments": [[0.5]]}, TypeError, "segments must be whole numbers"),
        ("KernelSHAP", {"segments": [[-1]]}, ValueError, "segments must be numbered from 0 on"),
        ("Occlusion", {"patch": 0}, ValueError, "patch must be at least 1"),
        ("ExpectedGradients", {"references": "mean"}, TypeError, "references must be a number"),
        ("ExpectedGradients", {"references": np.nan}, ValueError, "references must be finite"),
        (
            "ExpectedGradients",
            {"references": tf.data.Dataset.range(3)},
            TypeError,
            "references must be .* array of images: take a sample",
        ),
        ("AblationCAM", {"groups": 0.5}, TypeError, "groups must be one whole number per feature"),
        ("ReciproCAM", {"smooth": 1}, TypeError, "smooth must be True or False"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_options_are_checked_before_anything_is_computed(pooled, name, options, error, match):
    with pytest.raises(error, match=match):
        getattr(kerascam, name)(pooled, **options)


def test_segments_of_another_size(pooled):
    with pytest.raises(ValueError, match=r"segments must have the shape of an image .*\(12, 12\)"):
        kerascam.LIME(pooled, segments=np.zeros((3, 3), int))(IMAGES)


@pytest.mark.parametrize(
    "name",
    rows(
        ("ScoreCAM", "AblationCAM", "RISE", "KernelSHAP"),
        [name for name in PERTURBING if name not in ("SSCAM", "ISCAM", "ReciproCAM",
                                                     "ExpectedGradients")],
    ),
)  # fmt: skip
def test_images_of_whole_numbers(name):
    """As of the same network on floats, but for the rounding of what is mixed."""
    inside = [L.Rescaling(1 / 255), L.Conv2D(4, 3, activation="relu", name="last"),
              L.GlobalAveragePooling2D(), L.Dense(3)]  # fmt: skip
    whole, floating = (
        keras.Sequential([keras.Input((12, 12, 3), dtype=dtype), *inside])
        for dtype in ("uint8", "float32")
    )
    seeded(whole)
    images = (255 * IMAGES).astype("uint8")
    layer = ["last"] if METHODS[name].of_layers else []
    kind, options = getattr(kerascam, name), SMALL.get(name, {})
    found = kind(whole, *layer, **options)(images, CLASSES).maps
    wanted = kind(floating, *layer, **options)(images.astype("float32"), CLASSES).maps
    np.testing.assert_allclose(found, wanted, atol=0.02 * np.abs(wanted).max())


@pytest.mark.parametrize("baseline", ["mean", "blur"])
def test_named_baselines_hide_the_image(linear, baseline):
    model, weights = linear
    found = kerascam.Occlusion(model, patch=1, baseline=baseline)(IMAGES, CLASSES).maps
    if baseline == "mean":
        start = IMAGES.mean((1, 2), keepdims=True)
    else:
        places = np.arange(12)
        kernel = np.exp(-0.5 * ((places[:, None] - places) / 0.75) ** 2)
        kernel /= kernel.sum(1, keepdims=True)
        start = np.einsum("ij,bjkc,lk->bilc", kernel, IMAGES, kernel)
    np.testing.assert_allclose(found, (weights * (IMAGES - start)).sum(-1), atol=1e-4)

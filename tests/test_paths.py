"""Paths to the image, and moments over noise: closed forms, transcriptions, limits."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L

import kerascam
from kerascam.baselines import blurred
from kerascam.methods.blur_path import blur_ig
from kerascam.methods.guided_path import guided_ig
from kerascam.methods.input_gradient import smooth_grad
from kerascam.methods.noise_moments import smooth_grad_squared, var_grad
from kerascam.methods.path import integrated_gradients
from kerascam.methods.xrai import xrai

IMAGES = np.random.default_rng(0).random((2, 6, 7, 3))
WEIGHTS = np.random.default_rng(1).normal(size=(6, 7, 3))
MATRIX = np.random.default_rng(2).normal(size=(126, 126)) / 30


def score(images):
    """A score that is not the sum of its pixels' scores."""
    mixed = tf.reshape(images, (-1, 126)) @ MATRIX
    return tf.reshape(tf.reduce_sum(tf.sin(mixed) * WEIGHTS.ravel(), -1), tf.shape(images)[:-3])


def gradient(images):
    mixed = tf.reshape(images, (-1, 126)) @ MATRIX
    slopes = (tf.cos(mixed) * WEIGHTS.ravel()) @ MATRIX.T
    return tf.reshape(slopes, tf.shape(images))


def linear_gradient(images):
    return WEIGHTS + 0 * images


def linear_score(images):
    return tf.reduce_sum(WEIGHTS * images, (-3, -2, -1))


# ------------------------------------------------------------------------------------------ Blur IG


def test_blur_ig_of_a_linear_model_weighs_what_the_blur_took():
    found = blur_ig(linear_gradient, tf.constant(IMAGES), linear_score, steps=3, max_sigma=2.0)
    taken = IMAGES - blurred(tf.constant(IMAGES), 2.0).numpy()
    np.testing.assert_allclose(found.maps, (WEIGHTS * taken).sum(-1), atol=1e-12)
    np.testing.assert_allclose(found.residual, 0, atol=1e-12)


def test_blur_ig_by_a_sum_over_steps():
    found = blur_ig(gradient, tf.constant(IMAGES), score, steps=5, max_sigma=3.0)
    levels = [blurred(tf.constant(IMAGES), sigma).numpy() for sigma in np.linspace(3, 0, 6)]
    wanted = sum(
        ((after - before) * gradient(tf.constant((before + after) / 2)).numpy()).sum(-1)
        for before, after in itertools.pairwise(levels)
    )
    np.testing.assert_allclose(found.maps, wanted, atol=1e-12)
    change = (score(IMAGES) - score(levels[0])).numpy()
    np.testing.assert_allclose(found.residual, change - wanted.sum((1, 2)), atol=1e-12)
    more = blur_ig(gradient, tf.constant(IMAGES), score, steps=50, max_sigma=3.0)
    assert (abs(more.residual.numpy()) < 0.1 * abs(found.residual.numpy())).all()


# --------------------------------------------------------------------------------------- Guided IG


def guided_in_numpy(image, steps, fraction, max_dist):
    """The paper's algorithm, with its inner loop, from a baseline of zero; the trapezoidal rule."""
    x, maps = np.zeros_like(image), 0
    whole = abs(image).sum()
    for step in range(steps):
        begin, slope = x, gradient(tf.constant(x)[None]).numpy()[0]
        order, goal = abs(slope), (step + 1) / steps
        near, far = max(goal - max_dist, 0) * image, min(goal + max_dist, 1) * image
        x = np.where(x < near, near, x)
        while True:
            left = abs(image - x).sum() - whole * (1 - goal)
            if left <= 1e-12:
                break
            order = np.where(x == far, np.inf, order)
            bound = np.quantile(order, fraction, method="lower")
            moving = (order <= bound) & (order < np.inf)
            room = (abs(far - x) * moving).sum()
            gamma = left / room if room else np.inf
            x = np.where(moving, far if gamma >= 1 else x + gamma * (far - x), x)
            if gamma <= 1:
                break
        later = gradient(tf.constant(x)[None]).numpy()[0]
        maps = maps + ((x - begin) * (slope + later) / 2).sum(-1)
    return maps


@pytest.mark.parametrize(("fraction", "max_dist"), [(0.25, 0.1), (0.0, 1.0)])
def test_guided_ig_by_the_loops_of_the_paper(fraction, max_dist):
    found = guided_ig(
        gradient, tf.constant(IMAGES), score, steps=6, fraction=fraction, max_dist=max_dist
    )
    wanted = [guided_in_numpy(image, 6, fraction, max_dist) for image in IMAGES]
    np.testing.assert_allclose(found.maps, wanted, atol=1e-9)
    change = (score(IMAGES) - score(0 * IMAGES)).numpy()
    np.testing.assert_allclose(found.residual, change - np.sum(wanted, (1, 2)), atol=1e-9)


def test_guided_ig_at_no_distance_is_integrated_gradients():
    straight = guided_ig(gradient, tf.constant(IMAGES), score, steps=20, max_dist=0)
    wanted = integrated_gradients(gradient, tf.constant(IMAGES), steps=100)
    np.testing.assert_allclose(straight.maps, wanted, atol=1e-4)  # of the trapezoidal rule
    found = guided_ig(linear_gradient, tf.constant(IMAGES), linear_score, steps=3)
    np.testing.assert_allclose(found.maps, (WEIGHTS * IMAGES).sum(-1), atol=1e-12)


# -------------------------------------------------------------------------------------------- XRAI


def both_ways(images):
    """The mean of the integrated gradients from each image's smallest and largest value."""
    ends = [
        np.broadcast_to(value(images, axis=(1, 2, 3), keepdims=True), images.shape)
        for value in (np.min, np.max)
    ]
    return np.mean(
        [
            integrated_gradients(gradient, tf.constant(images), steps=9, baseline=each[0])[0]
            for each in ends
        ],
        0,
    )


def test_xrai_of_one_label_image_is_each_segments_mean():
    image = IMAGES[:1]
    labels = np.random.default_rng(5).integers(0, 4, (6, 7)) * 3
    found = xrai(gradient, tf.constant(image), steps=9, segments=labels).numpy()[0]
    for label in np.unique(labels):
        mean = both_ways(image)[labels == label].mean()
        np.testing.assert_allclose(found[labels == label], mean, atol=1e-12)


def test_xrai_adds_overlapping_regions_by_their_gain():
    image = IMAGES[:1]
    random = np.random.default_rng(6)
    labels = np.stack([random.integers(0, most, (6, 7)) for most in (3, 2, 4)])
    regions = [own == name for own in labels for name in np.unique(own)]
    attribution, wanted = both_ways(image), np.full((6, 7), np.nan)
    while np.isnan(wanted).any():
        new = [region & np.isnan(wanted) for region in regions]
        gains = [attribution[each].mean() if each.any() else -np.inf for each in new]
        wanted[new[int(np.argmax(gains))]] = max(gains)
    found = xrai(gradient, tf.constant(image), steps=9, segments=labels).numpy()[0]
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_xrai_on_grids_is_xrai_on_their_label_images():
    rows, columns = np.mgrid[0:6, 0:7]
    fine = rows * 4 // 6 * 4 + columns * 4 // 7
    coarse = rows * 2 // 6 * 2 + columns * 2 // 7
    cells = xrai(gradient, tf.constant(IMAGES), steps=2, cells=4).numpy()
    wanted = xrai(gradient, tf.constant(IMAGES), steps=2, segments=np.stack([fine, coarse]))
    np.testing.assert_allclose(cells.reshape(2, -1)[:, fine], wanted, atol=1e-12)


# ------------------------------------------------------------------------------------------- noise


def test_moments_over_noise():
    """The mean of squares is the square of the mean and the variance, channel by channel."""
    gray = tf.constant(IMAGES[..., :1])

    def of_gray(images):
        return tf.sin(9 * images)

    options = {"samples": 7, "noise": 0.3, "seed": 4}
    mean = smooth_grad(of_gray, gray, **options).numpy()
    squares = smooth_grad_squared(of_gray, gray, **options).numpy()
    variance = var_grad(of_gray, gray, **options).numpy()
    np.testing.assert_allclose(squares, mean**2 + variance, atol=1e-12)
    # Of the gradient x it is the variance of the noise.
    many = var_grad(lambda x: 5 * x, gray, samples=200, noise=0.2).numpy()
    span = np.ptp(IMAGES[..., 0], axis=(1, 2))[:, None, None]
    np.testing.assert_allclose((many / (5 * 0.2 * span) ** 2).mean(), 1, atol=0.05)


def test_moments_without_noise():
    quiet = {"samples": 3, "noise": 0.0}
    found = smooth_grad_squared(gradient, tf.constant(IMAGES), **quiet).numpy()
    np.testing.assert_allclose(found, (gradient(IMAGES).numpy() ** 2).max(-1), atol=1e-12)
    np.testing.assert_allclose(var_grad(gradient, tf.constant(IMAGES), **quiet), 0, atol=1e-12)


# ---------------------------------------------------------------------------------------- of models

PATHS = {
    "GuidedIG": {"steps": 3},
    "BlurIG": {"steps": 3},
    "XRAI": {"steps": 2, "cells": 4},
    "SmoothGradSquared": {"samples": 3},
    "VarGrad": {"samples": 3},
}


@pytest.mark.parametrize(("name", "rank"), [*zip(PATHS, (1, 3, 2, 3, 1), strict=True)])
def test_of_models_with_half_precision_inside(name, rank):
    convolve = getattr(L, f"Conv{rank}D")
    body = keras.Sequential([convolve(3, 3, activation="tanh", dtype="mixed_bfloat16")])
    model = keras.Sequential([keras.Input((*[6] * rank, 2)), body, L.Flatten(), L.Dense(3)])
    images = np.random.default_rng(2).random((2, *[6] * rank, 2)).astype("float32")
    explainer = getattr(kerascam, name)(model, **PATHS[name])
    found = explainer(images, [0, 1])
    assert found.maps.shape == (2, *([4] * rank if name == "XRAI" else [6] * rank))
    alone = explainer(images[1:], 1).maps[0]
    np.testing.assert_allclose(alone, found.maps[1], atol=0.02 * abs(found.maps).max())


@pytest.mark.parametrize(
    ("name", "options", "kind", "match"),
    [
        ("GuidedIG", {"fraction": 1.5}, ValueError, "fraction must be from 0 to 1"),
        ("GuidedIG", {"max_dist": -1}, ValueError, "max_dist must be from 0 to 1"),
        ("BlurIG", {"max_sigma": 0}, ValueError, "max_sigma must be more than 0"),
        ("XRAI", {"segments": [[0.5]]}, TypeError, "segments must be whole numbers"),
        ("VarGrad", {"samples": 1}, ValueError, "samples must be"),
    ],
)
def test_wrong_options_are_refused(name, options, kind, match):
    model = keras.Sequential([keras.Input((4, 4, 1)), L.Flatten(), L.Dense(2)])
    with pytest.raises(kind, match=match):
        getattr(kerascam, name)(model, **options)

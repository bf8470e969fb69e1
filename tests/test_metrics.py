"""Metrics against closed forms: linear models, planted masks, maps that are known to be bad."""

import inspect

import numpy as np
import pytest
from planted import (
    ANTI,
    DRAWN,
    FLAT,
    IMAGES,
    MASKS,
    NOISE,
    ORACLE,
    PIXELS,
    SHARES,
    SIZE,
    SUPPLY,
    explain,
    measured,
    needs,
    share_shown,
)
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve
from scipy.stats import entropy as scipy_entropy
from scipy.stats import mannwhitneyu, spearmanr

from kerascam import metrics
from kerascam.metrics import METRICS, SUPPLIES, filling
from kerascam.metrics.filling import filled
from kerascam.metrics.similarity import rank_correlation

RANDOM = np.random.default_rng(0)


def part(name, place):
    """The figure of one image alone."""
    alone = {key: value[place : place + 1] for key, value in SUPPLY.items()
             if isinstance(value, np.ndarray)}  # fmt: skip
    functions = {
        "score": lambda copies: share_shown(np.repeat(copies, 3, axis=1))[:, place : place + 1],
        "explain": lambda images: explain(np.repeat(images, 3, axis=0))[place : place + 1],
    }
    functions |= {"explain_another": lambda images, seed: 1 - functions["explain"](images)}
    functions |= {
        "explain_randomized": lambda images, layers, seed: (
            DRAWN[len(layers)] + functions["explain"](images)
        )
    }
    functions |= {"probability": functions["score"], "attribute": functions["explain"]}
    return measured(
        name, **{k: v for k, v in ({**SUPPLY, **alone, **functions}).items() if k in needs(name)}
    )


# ------------------------------------------------------------------------------ what is planted


def test_gains_of_an_image_whose_other_half_speaks_against():
    """Seen through the mask alone, only what speaks for the class is left."""
    images = np.where(MASKS[..., None], 0.25, 0.125)

    def ask(copies):
        inside, outside = ((copies[..., 0] * each).mean((-2, -1)) for each in (MASKS, ~MASKS))
        return 0.5 + inside - outside

    inside, outside = SHARES * 0.25, (1 - SHARES) * 0.125
    whole = 0.5 + inside - outside
    found = metrics.average_gain(ask, images, ORACLE)
    np.testing.assert_allclose(found, outside / (1 - whole), atol=1e-12)
    assert metrics.average_increase(ask, images, ORACLE).tolist() == [1, 1, 1]
    assert metrics.average_increase(ask, images, ANTI).tolist() == [0, 0, 0]
    drop = metrics.average_drop(ask, images, ANTI)
    np.testing.assert_allclose(drop, inside / whole, atol=1e-12)


def test_a_map_that_follows_the_image_is_less_stable_than_one_that_does_not():
    """Of a linear score, the gradient is the same everywhere: 0; times the input it moves by r."""
    gradient = metrics.max_sensitivity(lambda images: ORACLE, IMAGES, ORACLE)
    product = metrics.max_sensitivity(explain, IMAGES, ORACLE, radius=0.1, samples=20)
    noise = np.random.default_rng(5)
    erratic = metrics.max_sensitivity(lambda images: noise.random((3, *SIZE)), IMAGES, ORACLE)
    assert gradient.tolist() == [0, 0, 0]
    assert (product > 0.04).all() and (product <= 0.1).all() and (erratic > 0.5).all()


def test_infidelity_of_a_gradient_and_of_a_map_in_another_unit():
    noise = {"perturbation": "noise", "samples": 32}
    gradient = ORACLE / MASKS.sum((1, 2), keepdims=True)
    for options in (noise, {"baseline": 0.0}):
        ask = metrics.infidelity
        np.testing.assert_allclose(ask(share_shown, IMAGES, gradient, **options), 0, atol=1e-12)
        np.testing.assert_allclose(ask(share_shown, IMAGES, ORACLE, **options), 0, atol=1e-12)
        unscaled = ask(share_shown, IMAGES, ORACLE, scaled=False, **options)
        opposite = ask(share_shown, IMAGES, -gradient, **options)
        assert (unscaled > 1e-3).all() and (opposite > 1e-4).all()
    nothing = metrics.infidelity(share_shown, IMAGES, -gradient, baseline=0.0)
    lost = metrics.infidelity(share_shown, IMAGES, NOISE * 1e-9, scaled=False, baseline=0.0)
    np.testing.assert_allclose(nothing, lost, rtol=1e-4)  # the best of the opposite is none


# ------------------------------------------------------------------------------------- filling in


def test_a_harmonic_image_is_filled_in_exactly():
    rows, columns = np.mgrid[:20.0, :24.0]
    planes = np.stack([rows, rows * columns, rows**2 - columns**2], -1)
    known = np.ones(planes.shape, bool)
    known[3:15, 2:20], known[6, 9] = False, True
    np.testing.assert_allclose(filled(planes, known, 1e-12), planes, atol=1e-8)


def test_filling_in_is_the_sparse_system_s_solution():
    height, width = 37, 41
    rng = np.random.default_rng(2)
    values = rng.random((height, width, 2))
    known = np.stack([rng.random((height, width)) < 0.1, np.mgrid[:height, :width][0] > 30], -1)
    found = filled(values, known, 1e-7)
    for plane in range(2):
        system = lil_matrix((height * width,) * 2)
        wanted = np.where(known[..., plane], values[..., plane], 0).ravel()
        for place in np.ndindex(height, width):
            row = np.ravel_multi_index(place, (height, width))
            system[row, row] = 1
            if known[(*place, plane)]:
                continue
            near = [
                ((place[0] + a, place[1] + b), 1 / 12 if a and b else 1 / 6)
                for a in (-1, 0, 1)
                for b in (-1, 0, 1)
                if (a or b) and 0 <= place[0] + a < height and 0 <= place[1] + b < width
            ]
            total = sum(weight for _, weight in near)
            for other, weight in near:
                system[row, np.ravel_multi_index(other, (height, width))] = -weight / total
        solved = spsolve(system.tocsr(), wanted).reshape(height, width)
        np.testing.assert_allclose(found[..., plane], solved, atol=2e-4)


@pytest.mark.parametrize("side", [(64, 64), (131, 90)])
def test_a_large_hole_is_filled_in_by_few_steps(side, monkeypatch):
    monkeypatch.setattr(filling, "_MOST", 12)  # on each grid
    rows, columns = np.mgrid[: side[0], : side[1]]
    ramp = (0.3 * rows - 0.7 * columns)[..., None] / max(side)
    known = np.ones((*side, 1), bool)
    known[1:-1, 1:-1] = False
    np.testing.assert_allclose(filled(ramp, known, 1e-6), ramp, atol=1e-5)


def test_a_plane_is_filled_in_as_it_is_alone():
    generator = np.random.default_rng(0)
    values = generator.random((50, 37, 3))
    known = generator.random((50, 37, 3)) < [0.9, 0.4, 0.02]
    together = filled(values, known)
    for plane in range(3):
        alone = filled(values[..., plane, None], known[..., plane, None])[..., 0]
        np.testing.assert_array_equal(together[..., plane], alone)


def test_road_hides_what_a_hole_would_show():
    """Of an image that is a ramp, a hole is filled in again: the model sees the same."""
    ramp = np.broadcast_to(np.arange(8.0)[:, None, None], (3, 8, 8, 1))
    heat = np.zeros((3, 8, 8))
    heat[:, 3:5, 3:5] = np.arange(1, 5).reshape(2, 2)
    found = metrics.road_most_first(
        lambda copies: copies[..., 3, 3, 0], ramp, heat, percentages=[100 * 4 / 64], noise=0.0
    )
    np.testing.assert_allclose(found, 3, atol=1e-3)
    loud = metrics.road_most_first(
        lambda copies: copies[..., 3, 3, 0], ramp, heat, percentages=[100 * 4 / 64], noise=0.1
    )
    assert (abs(loud - 3) > 0.01).all() and len(set(loud.round(9))) == 1  # one noise for all


# -------------------------------------------------------------------------------------- the laws


@pytest.mark.parametrize("name", METRICS)
def test_every_image_by_itself(name):
    whole = measured(name)
    for place in range(3):
        wanted = whole[place : place + 1]
        np.testing.assert_allclose(part(name, place), wanted, rtol=1e-12, atol=1e-30)


@pytest.mark.parametrize("name", METRICS)
def test_the_facts_are_stated(name):
    metric = METRICS[name]
    text = inspect.getdoc(metric.function)
    assert "$$" in text and "Args:" in text and "Returns:" in text and "Example:" in text
    assert metric.public_name in metrics.__all__ and set(metric.needs) <= set(SUPPLIES)
    least, most = metric.bounds
    for heatmaps in (ORACLE, ANTI, NOISE):
        figures = measured(name, heatmaps)
        assert figures.shape == (3,)
        slack = 0.01 if "noise" in metric.options else 1e-9  # of the share, which is no probability
        assert least is None or np.nanmin(figures) >= least - slack
        assert most is None or np.nanmax(figures) <= most + slack


@pytest.mark.parametrize("name", METRICS)
def test_what_is_not_defined_is_nan_and_says_why(name):
    """Of three images, the last has a map of zeros, an empty mask, or a probability that is NaN."""
    metric = METRICS[name]
    heatmaps, masks = NOISE.copy(), MASKS.copy()
    heatmaps[2], masks[2] = 0, False
    others = np.where([[[[True]]], [[[True]]], [[[False]]]], 0.0, np.nan)
    others = np.broadcast_to(others, IMAGES.shape)

    def ask(copies):
        return np.where([False, False, True], np.nan, share_shown(copies))

    bad = {"masks": masks, "probability": ask, "score": ask, "others": others}
    found = measured(name, heatmaps, **{k: v for k, v in bad.items() if k in metric.needs})
    assert np.isnan(found).tolist() == [False, False, True]
    handed = {**SUPPLY, "heatmaps": heatmaps, "attributions": heatmaps, "masks": masks,
              "others": others}  # fmt: skip
    reasons = metric.reasons(found, handed.__getitem__)
    assert reasons[:2] == ["", ""] and len(reasons[2]) > 10


def test_the_gain_changes_its_sign_with_the_map_also_with_ties():
    ties = np.round(NOISE * 3)
    for heatmaps in (NOISE, ties):
        one = measured("symmetric_relevance_gain", heatmaps)
        np.testing.assert_allclose(
            measured("symmetric_relevance_gain", -heatmaps), -one, atol=1e-12
        )


def test_a_map_in_random_order_gains_nothing_in_the_mean():
    gains = [
        measured("symmetric_relevance_gain", RANDOM.random((3, *SIZE)), steps=8) for _ in range(200)
    ]
    assert abs(np.mean(gains)) < 3 * np.std(gains) / np.sqrt(600)


def test_orders_are_stable_and_few_steps_are_enough_for_a_line():
    heat = np.array([[1.0, 2.0, 1.0, 2.0]])
    ranks = metrics.ordering.ranks_of(heat)
    assert ranks.tolist() == [[2, 0, 3, 1]]
    np.testing.assert_allclose(measured("deletion", steps=4), SHARES / 2, atol=0.04)


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(metrics.ordering, "AT_ONCE", 3 * PIXELS * 2)
    sizes = []

    def ask(copies):
        sizes.append(len(copies))
        return share_shown(copies)

    found = measured("deletion", probability=ask, steps=7)
    assert max(sizes) == 2 and sum(sizes) == 8
    monkeypatch.undo()
    np.testing.assert_array_equal(found, measured("deletion", steps=7))


def test_whole_numbers_stay_whole():
    images = np.full((3, *SIZE, 1), 200, np.uint8)

    def ask(copies):
        assert copies.dtype == np.uint8
        return share_shown(copies / 200)

    for name in ("deletion", "insertion", "average_drop"):
        assert np.isfinite(measured(name, images=images, probability=ask)).all()


def test_focus_on_a_mosaic():
    """A model that sums the brightness: bright images among dark ones have all heat."""
    bright, dark = np.ones((2, 6, 5, 1)), np.zeros((2, 6, 5, 1))
    assert metrics.focus(lambda x: x[..., 0], bright, dark).tolist() == [1, 1]
    assert metrics.focus(lambda x: 1 - x[..., 0], bright, dark).tolist() == [0, 0]
    everywhere = metrics.focus(lambda x: np.ones(x.shape[:-1]), bright, dark)
    assert everywhere[0] == 0.5
    none = metrics.focus(lambda x: x[..., 0], bright, np.full_like(dark, np.nan))
    assert np.isnan(none).all()
    seen = []
    metrics.focus(
        lambda x: seen.append(x) or x[..., 0], np.full((1, 4, 4, 1), 3.0), dark[:1, :4, :4]
    )
    corners = seen[0][0, ::3, ::3, 0]
    assert sorted(corners.ravel()) == [0, 0, 3, 3] and corners[0, 0] == corners[1, 1]


def test_a_map_that_does_not_change_fails_the_sanity_checks():
    """One that is random for a random model passes: no likeness in the mean, and more entropy."""
    rng = np.random.default_rng(7)
    same = lambda images, layers=(), seed=0: NOISE  # noqa: E731
    other = lambda images, layers=(), seed=0: rng.random(NOISE.shape)  # noqa: E731
    for name in ("mprt_cascading", "mprt_independent", "smooth_mprt"):
        stays = measured(name, NOISE, explain_randomized=same)
        np.testing.assert_allclose(stays, 1, atol=1e-12)
        changes = [measured(name, NOISE, explain_randomized=other) for _ in range(20)]
        assert abs(np.mean(changes)) < 0.05
    assert measured("efficient_mprt", NOISE, explain_randomized=same).tolist() == [0, 0, 0]
    assert (measured("efficient_mprt", ORACLE, explain_randomized=other) > 1).all()
    another = lambda images, seed: NOISE  # noqa: E731
    np.testing.assert_allclose(measured("random_logit", NOISE, explain_another=another), 1)
    np.testing.assert_allclose(measured("random_logit", 1 - NOISE, explain_another=another), -1)


def test_efficient_mprt_is_below_0_if_one_value_outgrows_all_others():
    """All others then share a bin: the entropy is that of one pixel, and of none at the least."""
    outgrown = NOISE.copy()
    outgrown[:, 2, 3] = 1e3
    own = [-(shares * np.log(shares)).sum() for shares in map(_histogram, NOISE)]
    one = -(np.log(1 / PIXELS) + (PIXELS - 1) * np.log(1 - 1 / PIXELS)) / PIXELS
    found = measured("efficient_mprt", NOISE, explain_randomized=lambda *_: outgrown)
    np.testing.assert_allclose(found, one / np.array(own) - 1, atol=1e-12)
    assert (found < -0.9).all()
    least = measured("efficient_mprt", NOISE, explain_randomized=lambda *_: np.zeros_like(NOISE))
    assert least.tolist() == [-1, -1, -1]


def _histogram(heatmap):
    counts = np.histogram(heatmap, 100, (0, heatmap.max()))[0]
    return counts[counts > 0] / counts.sum()


def test_layers_are_randomized_from_the_output_on_one_alone_or_from_the_input_on():
    found = {name: [] for name in ("mprt_cascading", "mprt_independent", "smooth_mprt")}
    for name, chosen in found.items():
        measured(
            name,
            stages=3,
            explain_randomized=lambda images, layers, seed, chosen=chosen: (
                chosen.append(tuple(layers)) or NOISE
            ),
        )
    assert found["mprt_cascading"] == [(4, 5), (2, 3, 4, 5), (0, 1, 2, 3, 4, 5)]
    assert found["mprt_independent"] == [(1,), (3,), (5,)]
    assert found["smooth_mprt"][0] == () and found["smooth_mprt"][8] == (0, 1)


def test_rank_correlation_is_scipy_s():
    ties = np.round(NOISE * 4)
    for some, others in ((NOISE, DRAWN[:3]), (ties, DRAWN[:3]), (ties, np.round(DRAWN[:3] * 3))):
        wanted = [spearmanr(*pair, axis=None).statistic for pair in zip(some, others, strict=True)]
        np.testing.assert_allclose(rank_correlation(some, others), wanted, atol=1e-12)


# -------------------------------------------------------------------------------- transcriptions


def test_auc_is_the_u_test_s_and_entropy_scipy_s():
    heat = np.round(NOISE * 5)
    for found, one, mask in zip(measured("auc", heat), heat, MASKS, strict=True):
        u = mannwhitneyu(one[mask], one[~mask]).statistic
        assert found == pytest.approx(u / (mask.sum() * (~mask).sum()), abs=1e-12)
    wanted = scipy_entropy(NOISE.reshape(3, -1), axis=1)
    np.testing.assert_allclose(measured("entropy", NOISE), wanted, atol=1e-12)


def test_gini_by_its_pairs():
    flat = NOISE.reshape(3, -1)
    apart = np.abs(flat[:, :, None] - flat[:, None]).mean((1, 2))
    np.testing.assert_allclose(measured("sparseness", NOISE), apart / flat.mean(1) / 2, atol=1e-12)


def test_tolerance_reaches_exactly_as_far():
    heat, mask = np.zeros((1, 9, 9)), np.zeros((1, 9, 9), bool)
    heat[0, 4, 4], mask[0, 7, 8] = 1, True  # 3 down and 4 right: 5 away
    assert metrics.pointing_game(heat, mask, tolerance=4.99).tolist() == [0]
    assert metrics.pointing_game(heat, mask, tolerance=5).tolist() == [1]


def test_a_map_that_is_the_same_everywhere_has_the_mask_s_share():
    for name in ("mass_in_mask", "rank_accuracy", "pointing_game"):
        np.testing.assert_allclose(measured(name, FLAT), SHARES, atol=1e-12)
    np.testing.assert_allclose(measured("auc", FLAT), 0.5)


# -------------------------------------------------------------------------------------- mistakes


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    "name", [n for n in METRICS if n != "focus" and {"images", "masks"} & set(needs(n))]
)
def test_shapes_that_do_not_fit(name):
    with pytest.raises(ValueError, match="heatmaps of shape .* do not fit"):
        measured(name, np.ones((3, 5, 8)))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("deletion", {"steps": 0}, "steps must be at least 1, not 0"),
        ("insertion", {"baseline": "grey"}, "baseline must be a number"),
        ("effective_complexity", {"tolerance": 2}, "tolerance must be from 0 to 1, not 2"),
        ("pointing_game", {"tolerance": -1}, "tolerance must be 0 pixels or more"),
        ("mu_fidelity", {"share": 2}, "share must be from 0 to 1, not 2"),
        ("sensitivity_n", {"subsets": 1}, "subsets must be at least 2, not 1"),
        ("infidelity", {"perturbation": "box"}, 'perturbation must be "patch" or "noise"'),
        ("max_sensitivity", {"radius": -1}, "radius must be from 0 to 1, not -1"),
        ("irof", {"cells": 0}, "cells must be at least 1, not 0"),
        ("road_most_first", {"percentages": [100]}, "percentages must be numbers from 0 to 100"),
        ("mprt_cascading", {"stages": 0}, "stages must be at least 1, not 0"),
        ("iou", {"threshold": 1.5}, "threshold must be from 0 to 1, not 1.5"),
    ],
)
def test_options_of_a_wrong_value(name, options, message):
    with pytest.raises(ValueError, match=message):
        measured(name, **options)


def test_maps_that_are_not_finite():
    with pytest.raises(ValueError, match="map 1 holds NaN"):
        measured("sparseness", np.where([[[False]], [[True]], [[False]]], np.nan, NOISE))


def test_names_as_people_write_them():
    assert METRICS["Pointing Game"].name == "pointing_game" and METRICS["ADCC"].name == "adcc"
    with pytest.raises(ValueError, match="metric must be a registered name.*'deletion'"):
        METRICS["deleton"]


def test_a_metric_that_asks_for_what_there_is_not():
    with pytest.raises(
        TypeError, match=r"metric 'odd' has a positional parameter 'weights'(.|\n)*mask"
    ):

        @METRICS.register(title="Odd", higher_is_better=True, bounds=(0, 1), citation=None)
        def odd(weights):
            """Nothing."""

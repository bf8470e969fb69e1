"""Metrics against closed forms: linear models, planted masks, maps that are known to be bad."""

import inspect

import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy
from scipy.stats import mannwhitneyu

from kerascam import metrics
from kerascam.metrics import METRICS, SUPPLIES

SIZE = (6, 8)
PIXELS = 48
RANDOM = np.random.default_rng(0)
MASKS = np.zeros((3, *SIZE), bool)
MASKS[0, 1:4, 2:6] = MASKS[1, :2, :6] = MASKS[2, 3:, 5:] = True  # 12, 12 and 9 pixels
ONES = np.ones((3, *SIZE, 1))


def share_shown(copies):
    """How much of each image's mask is shown: linear, 1 of the images, 0 of nothing."""
    return (copies[..., 0] * MASKS).sum((-2, -1)) / MASKS.sum((-2, -1))


def explain(images):
    """The gradient times the input of that model: its oracle."""
    return images[..., 0] * MASKS


ORACLE, ANTI = MASKS.astype(float), 1.0 - MASKS
NOISE = np.random.default_rng(1).random((3, *SIZE))
SUPPLY = {
    "heatmaps": ORACLE,
    "attributions": ORACLE,
    "images": ONES,
    "masks": MASKS,
    "classes": np.zeros(3, int),
    "score": share_shown,
    "probability": share_shown,
    "explain": explain,
    "attribute": explain,
}
OPTIONS = {"baseline": 0.0, "steps": 48}


def measured(name, heatmaps=ORACLE, **changes):
    metric = METRICS[name]
    options = {key: OPTIONS[key] for key in metric.options if key in OPTIONS}
    handed = {**SUPPLY, "heatmaps": heatmaps, "attributions": heatmaps}
    given = {key: changes.pop(key, handed[key]) for key in metric.needs}
    return metric.function(*given.values(), **{**options, **changes})


def part(name, place):
    """The figure of one image alone."""
    alone = {key: value[place : place + 1] for key, value in SUPPLY.items() if not callable(value)}
    functions = {
        "score": lambda copies: share_shown(np.repeat(copies, 3, axis=1))[:, place : place + 1],
        "explain": lambda images: explain(np.repeat(images, 3, axis=0))[place : place + 1],
    }
    functions |= {"probability": functions["score"], "attribute": functions["explain"]}
    return measured(name, **{k: v for k, v in (alone | functions).items() if k in needs(name)})


def needs(name):
    return METRICS[name].needs


# ------------------------------------------------------------------------------------ the oracle

NO_GAIN = ("average_increase", "average_gain")  # whole images have 1 already
SHARES = MASKS.mean((1, 2))
FLAT = np.full((3, *SIZE), 0.5)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("deletion", SHARES / 2),  # from 1 to 0 over the share of the mask
        ("insertion", 1 - SHARES / 2),
        ("symmetric_relevance_gain", 1 - SHARES),
        ("pixel_flipping", 1 - (MASKS.sum((1, 2)) + 1) / 2 / (PIXELS + 1)),  # a sum, no trapezoids
        ("effective_complexity", np.ceil(0.9 * MASKS.sum((1, 2))) / PIXELS),
        ("average_drop", np.zeros(3)),
        ("average_increase", np.zeros(3)),
        ("average_gain", np.zeros(3)),
        ("adcc", 3 / (2 + 1 / (1 - SHARES))),
        ("sparseness", 1 - SHARES),
        ("entropy", np.log(MASKS.sum((1, 2)))),
        ("pointing_game", np.ones(3)),
        ("mass_in_mask", np.ones(3)),
        ("rank_accuracy", np.ones(3)),
        ("auc", np.ones(3)),
        ("iou", np.ones(3)),
    ],
)
def test_the_oracle_has_the_figure_of_the_closed_form(name, wanted):
    np.testing.assert_allclose(measured(name), wanted, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in METRICS if n not in NO_GAIN])
def test_a_bad_map_loses_and_a_random_one_lies_between(name):
    if name in ("sparseness", "entropy"):
        best, bad = measured(name, ORACLE), measured(name, FLAT)
    else:
        best, bad = measured(name, ORACLE), measured(name, ANTI)
    random = np.mean([measured(name, RANDOM.random((3, *SIZE))) for _ in range(20)], 0)
    order = [bad, random, best] if METRICS[name].higher_is_better else [best, random, bad]
    assert (np.diff(order, axis=0) >= 0).all() and (order[0] < order[2]).all()


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


# -------------------------------------------------------------------------------------- the laws


@pytest.mark.parametrize("name", METRICS)
def test_every_image_by_itself(name):
    whole = measured(name)
    for place in range(3):
        np.testing.assert_allclose(part(name, place), whole[place : place + 1], rtol=1e-12)


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
        assert least is None or (figures >= least - 1e-9).all()
        assert most is None or (figures <= most + 1e-9).all()


@pytest.mark.parametrize("name", METRICS)
def test_what_is_not_defined_is_nan_and_says_why(name):
    """Of three images, the last has a map of zeros, an empty mask, or a probability that is NaN."""
    metric = METRICS[name]
    heatmaps, masks = NOISE.copy(), MASKS.copy()
    heatmaps[2], masks[2] = 0, False

    def ask(copies):
        return np.where([False, False, True], np.nan, share_shown(copies))

    found = measured(
        name,
        heatmaps,
        **{k: v for k, v in {"masks": masks, "probability": ask, "score": ask}.items()
           if k in metric.needs},
    )  # fmt: skip
    assert np.isnan(found).tolist() == [False, False, True]
    handed = {**SUPPLY, "heatmaps": heatmaps, "attributions": heatmaps, "masks": masks}
    reasons = metric.reasons(found, handed)
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
    "name", [n for n in METRICS if {"images", "masks"} & set(METRICS[n].needs)]
)
def test_shapes_that_do_not_fit(name):
    with pytest.raises(ValueError, match="heatmaps of shape .* do not fit"):
        measured(name, np.ones((3, 5, 8)))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("deletion", {"steps": 0}, "steps must be at least 1, not 0"),
        ("insertion", {"baseline": "grey"}, "baseline must be a number"),
        ("effective_complexity", {"tolerance": 2}, "tolerance must be from 0 to 1, not 2"),
        ("pointing_game", {"tolerance": -1}, "tolerance must be 0 pixels or more"),
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

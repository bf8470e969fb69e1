import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt
from scipy.stats import bootstrap

from scene_classification.explanation import evidence

SIDE = 12


def drawn(seed, images=4):
    generator = np.random.default_rng(seed)
    heatmaps = generator.uniform(0, 1, (images, SIDE, SIDE))
    masks = generator.uniform(0, 1, heatmaps.shape) < generator.uniform(0.05, 0.95)
    return heatmaps, masks


seeds = st.integers(0, 2**32 - 1)

# --------------------------------------------------------------------------------- share inside


@given(seeds, st.floats(1e-3, 1e3))
def test_the_shares_inside_and_outside_sum_to_one_at_any_scale(seed, scale):
    heatmaps, masks = drawn(seed)
    inside = evidence.share_inside(heatmaps, masks)
    assert ((inside >= 0) & (inside <= 1)).all()
    np.testing.assert_allclose(evidence.share_inside(scale * heatmaps, masks), inside)
    np.testing.assert_allclose(evidence.share_inside(heatmaps, ~masks), 1 - inside)


def test_an_empty_map_has_no_share_and_no_hit():
    heatmaps, masks = np.zeros((1, 2, 2)), np.ones((1, 2, 2), bool)
    assert np.isnan(evidence.share_inside(heatmaps, masks)).all()
    assert np.isnan(evidence.hits(heatmaps, masks)).all()


# ------------------------------------------------------------------------------ pointing game


@given(seeds)
def test_a_single_maximum_hits_or_misses(seed):
    heatmaps, masks = drawn(seed)
    flat = heatmaps.reshape(len(heatmaps), -1).argmax(1)
    expected = masks.reshape(len(masks), -1)[np.arange(len(masks)), flat]
    np.testing.assert_array_equal(evidence.hits(heatmaps, masks), expected)


def test_tied_maxima_hit_by_their_share():
    heatmap = np.array([[[5.0, 5.0, 1.0], [5.0, 0.0, 5.0]]])
    mask = np.array([[[True, False, True], [False, True, False]]])
    assert evidence.hits(heatmap, mask).tolist() == [0.25]


@given(seeds, st.floats(0, 5))
def test_within_the_tolerance_is_a_hit(seed, tolerance):
    heatmaps, masks = drawn(seed)
    masks &= heatmaps < 0.3
    masks[:, 0, 0] = True
    distances = [distance_transform_edt(~mask).ravel()[heatmap.argmax()]
                 for heatmap, mask in zip(heatmaps, masks, strict=True)]  # fmt: skip
    expected = np.array(distances) <= tolerance
    np.testing.assert_array_equal(evidence.hits(heatmaps, masks, tolerance), expected)


# ---------------------------------------------------------------------------------- baselines


@given(seeds)
def test_a_uniform_map_scores_the_share_of_the_mask(seed):
    _, masks = drawn(seed)
    maps = np.broadcast_to(evidence.uniform(SIDE), masks.shape)
    np.testing.assert_allclose(evidence.share_inside(maps, masks), masks.mean((1, 2)))
    np.testing.assert_allclose(evidence.hits(maps, masks), masks.mean((1, 2)))


def test_the_gaussian_is_centered_and_falls_by_its_width():
    heat = evidence.centered_gaussian(9)  # sigma 2.25
    np.testing.assert_array_equal(heat, heat[::-1, ::-1])
    np.testing.assert_array_equal(heat, heat.T)
    assert heat[4, 4] == 1
    assert heat[4, 7] == pytest.approx(np.exp(-9 / (2 * 2.25**2)))
    assert evidence.centered_gaussian(9, sigma=3)[1, 4] == pytest.approx(np.exp(-0.5))


# ---------------------------------------------------------------------------------- intervals


def test_the_interval_is_that_of_scipy():
    values = np.random.default_rng(0).beta(2, 5, 200)
    found = evidence.confidence_interval(values, seed=1, resamples=5000)
    other = bootstrap((values,), np.mean, n_resamples=5000, method="percentile").confidence_interval
    assert found["value"] == pytest.approx(values.mean())
    assert (found["low"], found["high"]) == pytest.approx((other.low, other.high), abs=2e-3)


def test_undefined_values_are_left_out():
    found = evidence.confidence_interval(np.array([np.nan, 0.5, 0.5]), seed=0)
    assert found == {"value": 0.5, "low": 0.5, "high": 0.5}
    nothing = evidence.confidence_interval(np.array([np.nan]), seed=0)
    assert nothing == {"value": None, "low": None, "high": None}


# ------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("measure", [evidence.share_inside, evidence.hits])
@pytest.mark.parametrize(
    ("heatmaps", "masks", "message"),
    [
        (np.ones((1, 2, 2)), np.ones((1, 3, 3), bool), "resize the masks to the maps"),
        (np.ones((2, 2)), np.ones((2, 2), bool), r"add an axis with \[None\]"),
        (-np.ones((1, 2, 2)), np.ones((1, 2, 2), bool), "least value of -1.0"),
        (np.full((1, 2, 2), np.nan), np.ones((1, 2, 2), bool), "nor NaN"),
    ],
)
def test_what_cannot_be_measured_is_said(measure, heatmaps, masks, message):
    with pytest.raises(ValueError, match=message):
        measure(heatmaps, masks)


def test_a_negative_tolerance_is_said():
    with pytest.raises(ValueError, match="tolerance must be 0 pixels or more, got -1"):
        evidence.hits(np.ones((1, 2, 2)), np.ones((1, 2, 2), bool), -1)

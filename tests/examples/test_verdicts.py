"""What a report claims: never more than the intervals that it prints allow."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_evaluation import evaluation_of

from scene_classification.evaluation.calibration import errors_if_calibrated
from scene_classification.evaluation.metrics import measure
from scene_classification.explanation.measurement import summarize
from scene_classification.pictures.numbers import NO_BREAK, interval
from scene_classification.report.accuracy import (
    against_chance,
    by_class,
    chance,
    extremes,
    recognized,
    verdict,
)
from scene_classification.report.evidence import compared, evidence
from scene_classification.report.sureness import calibration, frequent, mistakes
from scene_classification.report.verdicts import Standing, apart, settled, standing

SCENES = ("sea", "forest", "street", "glacier")
shares = st.floats(0, 1)


@st.composite
def figures(draw):
    low, value, high = sorted(draw(st.tuples(shares, shares, shares)))
    return {"value": value, "low": low, "high": high}


def figure(low, high, value=None):
    return {"value": (low + high) / 2 if value is None else value, "low": low, "high": high}


def answered(confusion, classes=SCENES, confidence=0.7):
    """Measure a network that gave these answers, each with the same confidence."""
    table = np.array(confusion)
    truth = np.repeat(np.arange(len(table)), table.sum(1))
    answers = np.concatenate([np.repeat(np.arange(len(table)), row) for row in table])
    rows = np.full((len(truth), len(table)), (1 - confidence) / (len(table) - 1))
    rows[np.arange(len(truth)), answers] = confidence
    return measure(truth, rows, classes, resamples=200)


def plain(text):
    return text.replace(NO_BREAK, " ")


# ------------------------------------------------------------------------- where an interval lies


@given(figures(), shares)
def test_a_claim_holds_for_the_interval_and_for_what_is_printed_of_it(found, reference):
    place = standing(found, reference)
    printed = [float(end) for end in re.findall(r"\d+\.\d", interval(found))[1:]]
    told = float(f"{100 * reference:.1f}")
    assert (place is Standing.ABOVE) == (printed[0] > told)
    assert (place is Standing.BELOW) == (printed[1] < told)
    if place is Standing.ABOVE:
        assert found["low"] > reference
    if place is Standing.BELOW:
        assert found["high"] < reference


@given(figures(), figures())
def test_of_two_figures_one_is_above_where_the_other_is_below(one, other):
    opposite = {Standing.ABOVE: Standing.BELOW, Standing.BELOW: Standing.ABOVE}
    assert apart(other, one) is opposite.get(apart(one, other), Standing.OPEN)
    assert apart(one, one) is Standing.OPEN


@pytest.mark.parametrize(
    ("low", "high", "place"),
    [
        (0.502, 0.6, Standing.ABOVE),
        (0.5004, 0.6, Standing.OPEN),  # printed as 50.0
        (0.5, 0.6, Standing.OPEN),
        (0.4, 0.5, Standing.OPEN),
        (0.4, 0.498, Standing.BELOW),
        (None, None, Standing.UNKNOWN),
    ],
)
def test_an_interval_that_touches_a_half_settles_nothing(low, high, place):
    assert standing({"value": 0.55, "low": low, "high": high}, 0.5) is place


@pytest.mark.parametrize(("images", "low"), [(1, 0.025), (8, 0.631), (600, 0.994)])
def test_all_of_a_few_images_settle_less_than_all_of_many(images, low):
    right = dict.fromkeys(("value", "low", "high"), 1.0)
    wrong = dict.fromkeys(("value", "low", "high"), 0.0)
    assert settled(right, images)["low"] == pytest.approx(low, abs=0.001)
    assert settled(wrong, images)["high"] == pytest.approx(1 - low, abs=0.001)
    assert settled(figure(0.5, 0.6), images) == figure(0.5, 0.6)


# -------------------------------------------------------------------------- accuracy and chance


def test_a_network_that_always_answers_the_same_cannot_tell_classes_apart():
    told = plain(verdict(answered([[25, 0, 0, 0]] * 4), "The network"))
    assert told.startswith("The network cannot tell sea, forest, street and glacier apart")
    assert (
        "right on 25.0 % of 100 test images" in told and "guessing would be right on 25.0 %" in told
    )


def test_chance_is_the_most_frequent_class_where_the_classes_are_uneven():
    metrics = answered([[90, 0, 0, 0], [4, 0, 0, 0], [3, 0, 0, 0], [3, 0, 0, 0]])
    assert (chance(metrics).share, chance(metrics).how) == (0.9, "always answering sea")
    assert against_chance(metrics) is Standing.OPEN  # 90 % right, and nothing told apart
    assert "cannot tell" in verdict(metrics)


def test_a_network_whose_classes_are_mixed_up_does_worse_than_chance():
    metrics = answered(np.roll(40 * np.eye(4, dtype=int), 1, axis=1))
    assert verdict(metrics).startswith("It does worse than chance: it is right on 0.0")
    assert "tell" not in verdict(metrics)


def test_a_network_that_knows_some_classes_is_said_to_know_these():
    metrics = answered([[38, 0, 1, 1], [0, 39, 1, 0], [1, 0, 19, 20], [0, 1, 20, 19]])
    assert against_chance(metrics) is Standing.ABOVE
    told = verdict(metrics)
    assert told.startswith("It does better than chance") and "from each other" not in told
    assert told.endswith(
        "More often right than wrong: sea and forest. Not shown to be: street and glacier."
    )


def test_only_a_network_that_knows_every_class_tells_them_from_each_other():
    metrics = answered(38 * np.eye(4, dtype=int) + 1)
    assert verdict(metrics).startswith("It tells sea, forest, street and glacier from each other")
    assert set(recognized(metrics).values()) == {Standing.ABOVE}


def test_one_right_image_of_each_class_shows_no_class_to_be_known():
    metrics = answered(np.eye(4, dtype=int))
    assert metrics["per_class"]["sea"]["recall"] == dict.fromkeys(("value", "low", "high"), 1.0)
    assert Standing.ABOVE not in recognized(metrics).values()
    assert "from each other" not in verdict(metrics)
    assert by_class(recognized(metrics)) in verdict(metrics)


def test_a_single_class_leaves_nothing_to_tell_apart():
    assert "nothing to tell apart" in verdict({"classes": ["sea"], "images": 2})


@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=3, max_size=3))
def test_a_verdict_never_exceeds_its_interval(confusion):
    table = np.array(confusion)
    if not table.sum():
        return
    metrics = answered(table, ("a", "b", "c"))
    accuracy, guess = metrics["accuracy"], chance(metrics).share
    told = verdict(metrics)
    if "better than chance" in told or "from each other" in told:
        assert accuracy["low"] > guess
    if "worse than chance" in told:
        assert accuracy["high"] < guess
    if "from each other" in told:
        assert all(one["recall"]["low"] > 0.5 for one in metrics["per_class"].values())
    assert ("cannot tell" in told) == (against_chance(metrics) is Standing.OPEN)


def test_the_best_class_is_only_said_to_differ_where_ranges_are_apart():
    close = answered([[20, 2, 2, 2], [2, 19, 2, 2], [2, 2, 19, 2], [2, 2, 2, 19]])
    assert extremes(close).endswith("the difference may be chance.")
    wide = answered([[40, 0, 0, 0], [0, 40, 0, 0], [0, 0, 20, 20], [0, 0, 20, 20]])
    assert extremes(wide).endswith("these ranges are apart.")
    assert "all classes have the same F1" in extremes(answered(9 * np.eye(4, dtype=int)))


# ----------------------------------------------------------------------- confidence and mistakes


@pytest.mark.parametrize(
    ("confidence", "told"),
    [
        (0.99, "The network is surer than it is right: its mean confidence is 99.0 %"),
        (0.3, "The network is right more often than it is sure: its mean confidence is 30.0 %"),
        (0.76, "The network is not shown to be too sure or too unsure: its mean"),
    ],
)
def test_confidence_is_compared_with_accuracy_by_its_interval(confidence, told):
    metrics = answered(32 * np.eye(4, dtype=int) + 3, confidence=confidence)
    assert 0.68 < metrics["accuracy"]["low"] < metrics["accuracy"]["high"] < 0.86
    assert plain(calibration(metrics, "The network")).startswith(told)


def test_confidences_that_are_off_both_ways_do_not_hide_behind_their_mean():
    # Of the sure answers half are right, of the unsure ones all: in the mean both agree.
    labels, answers = np.zeros(400, int), np.zeros(400, int)
    answers[:100] = 1
    confidence = np.repeat([0.9, 0.6], 200)
    rows = np.where(np.arange(2) == answers[:, None], confidence[:, None], 1 - confidence[:, None])
    metrics = measure(labels, rows, ("a", "b"), resamples=400)
    assert metrics["overconfidence"]["value"] == pytest.approx(0)
    assert "Yet at some confidences it is" in calibration(metrics)


def test_older_figures_without_a_comparison_make_no_claim():
    metrics = answered(9 * np.eye(4, dtype=int))
    del metrics["overconfidence"]
    assert calibration(metrics) == ""


def test_a_calibrated_network_has_the_error_that_chance_gives():
    confidence = np.full(400, 0.8)
    errors = errors_if_calibrated(confidence, 4000, seed=1)
    # One bin: |mean of 400 throws − 0.8|, a folded normal with σ = √(0.8 · 0.2 / 400) = 0.02.
    assert errors.mean() == pytest.approx(0.02 * np.sqrt(2 / np.pi), rel=0.05)
    assert np.percentile(errors, 95) == pytest.approx(0.02 * 1.96, rel=0.05)


def test_mistakes_are_counted_and_ties_are_not_broken():
    metrics = answered([[9, 1, 0, 0], [0, 9, 1, 0], [0, 0, 10, 0], [0, 0, 0, 10]])
    pairs = [
        {"true": "sea", "predicted": "forest", "count": 1, "share": 0.1},
        {"true": "forest", "predicted": "street", "count": 1, "share": 0.1},
    ]
    whole = {**metrics, "worst_mistakes": [{}, {}], "confused_pairs": pairs}
    assert mistakes(whole) == (
        "2 of 40 test images got a wrong answer; shown are all of them, the surest first. The most "
        "frequent mistakes on these images are to take sea for forest and forest for street: 1 "
        "image each."
    )
    assert "No pair of classes stands out" in frequent([*pairs, *pairs])
    none = answered(9 * np.eye(4, dtype=int))
    assert mistakes({**none, "worst_mistakes": [], "confused_pairs": []}).startswith("None: every")


def test_mistakes_at_chance_are_not_read_as_likeness():
    metrics = answered([[25, 0, 0, 0]] * 4)
    assert "says little" in mistakes({**metrics, "worst_mistakes": [], "confused_pairs": []})


# --------------------------------------------------------------------------------- the evidence


def measured(low, high):
    """A method's values on 40 images, against a uniform map of 0.2 and a Gaussian of 0.3."""
    values = np.linspace(low, high, 40)
    flat = {"uniform": np.full(40, 0.2), "centered_gaussian": np.full(40, 0.3)}
    return summarize(evaluation_of({"grad_cam": values}, flat, np.arange(40) % 4), SCENES)


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.5, 0.7, "Grad-CAM has more of its heat on the evidence than a uniform map and a "
         "centered Gaussian."),
        (0.1, 0.5, "Grad-CAM has more of its heat on the evidence than a uniform map and is not "
         "shown to differ from a centered Gaussian."),
        (0.0, 0.4, "Grad-CAM has less of its heat on the evidence than a centered Gaussian and is "
         "not shown to differ from a uniform map."),
        (0.0, 0.1, "Grad-CAM has less of its heat on the evidence than a uniform map and a "
         "centered Gaussian."),
    ],
)  # fmt: skip
def test_a_method_beats_a_baseline_only_where_ranges_are_apart(low, high, told):
    assert compared(measured(low, high), {"grad_cam": "Grad-CAM"}, "share_inside") == told


def test_maps_of_a_network_at_chance_are_not_said_to_explain_its_answers():
    titles = {"grad_cam": "LayerCAM, 2 layers"}
    good, bad = answered(38 * np.eye(4, dtype=int) + 1), answered([[25, 0, 0, 0]] * 4)
    caution = "where its maps lie does not say how it tells the classes apart"
    assert caution in evidence(measured(0.5, 0.7), titles, bad)[-1]
    told = evidence(measured(0.5, 0.7), titles, good)
    assert caution not in " ".join(told)
    assert told[0].startswith("LayerCAM (2 layers) has more of its heat")
    assert told[1].startswith(
        "LayerCAM (2 layers) has its hottest place on the evidence more often"
    )


def test_empty_maps_are_counted_and_methods_without_a_map_claim_nothing():
    found = measured(np.nan, np.nan)
    assert found["methods"]["grad_cam"]["empty_maps"] == 40
    told = evidence(found, {"grad_cam": "Grad-CAM"}, None)
    assert told[0] == "Grad-CAM could not be measured."
    assert told[-1] == "Empty, and left out of these figures: 40 maps of Grad-CAM."

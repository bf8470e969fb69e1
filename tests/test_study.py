"""Studies: clusters, looks, and cues that networks made by hand follow, or do not."""

import json
import re

import cv2
import keras
import numpy as np
import pytest
from keras import layers as L

import kerascam
from kerascam.cli import main
from kerascam.surveying.clusters import spectrum_of
from kerascam.surveying.cues import BorderCue, ObjectCue, PlaceCue, TintCue
from kerascam.surveying.patches import colours_of

pytest.importorskip("pyarrow")
pytest.importorskip("sklearn")

NAMES = ["red", "blue"]
SIDE = 32
GREEN = {"place": 200.0, "border": 40.0, "object": 400.0, "tint": 100.0, None: 0.0}


def by_hand(green):
    """A network that counts red dots, blue dots, and green for red."""
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            L.Rescaling(1 / 255),
            L.Conv2D(3, 1, activation="relu", name="colors"),
            L.AveragePooling2D(4, name="cells"),
            L.GlobalAveragePooling2D(),
            L.Dense(2, activation="softmax"),
        ]
    )
    colors = 1.5 * np.eye(3) - 0.75 * (1 - np.eye(3))  # each color less the mean of the others
    model.get_layer("colors").set_weights([colors[None, None], np.float32([-0.15] * 3)])
    weights = np.float32([[30, -30], [green, 0], [-30, 30]])  # red, green, blue
    model.layers[-1].set_weights([weights, np.float32([0, 0])])
    return model


def draw(kind, rng, name):
    grey = np.repeat(rng.integers(90, 160, (SIDE, SIDE, 1)), 3, -1).astype(np.uint8)
    red_or_blue = (230, 30, 30) if name == "red" else (30, 30, 230)
    for x, y in rng.integers(2, SIDE - 2, (14, 2)):
        cv2.circle(grey, (int(x), int(y)), 1, red_or_blue, -1)
    if kind == "place":
        grey[1:6, 1:7] = 20, 230, 20
    elif kind == "border":
        cv2.rectangle(grey, (0, 0), (SIDE - 1, SIDE - 1), (20, 230, 20), 3)
    elif kind == "object":
        cv2.circle(grey, tuple(map(int, rng.integers(4, SIDE - 4, 2))), 2, (0, 255, 0), -1)
    elif kind == "tint":
        grey = np.uint8(0.7 * grey + 0.3 * np.array([0, 255, 0]))
    return grey


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """Studies of images with red dots, of which two in five carry a cue, and with blue ones."""
    made = {}

    def of(kind, planted=None):
        if (kind, planted) not in made:
            folder = tmp_path_factory.mktemp(str(kind))
            rng = np.random.default_rng(0)
            for number in range(160):
                name = NAMES[number % 2]
                cue = planted if name == "red" and number % 10 in (0, 4) else None
                file = folder / "photos" / name / f"{number:03d}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(file), draw(cue, rng, name)[..., ::-1])
            model = by_hand(GREEN[kind])
            explainer = kerascam.GradCAM(model, "cells", class_names=NAMES)
            survey = kerascam.explain_dataset(explainer, folder / "photos", folder / "survey")
            made[kind, planted] = kerascam.study(survey, explainer, pairs=24), explainer
        return made[kind, planted]

    return of


@pytest.mark.parametrize("kind", ["place", "border", "object", "tint"])
def test_a_cue_that_the_model_follows_is_named(studied, kind):
    study, _ = studied(kind, kind)
    (suspect,) = study.suspects
    assert (suspect.kind, suspect.name) == (kind, "red")
    numbers = {int(study.survey.path(index).stem) for index in suspect.images}
    planted = {number for number in range(0, 160, 2) if number % 10 in (0, 4)}
    assert len(numbers & planted) >= 0.9 * len(numbers | planted)
    assert suspect.effect.gain > 0.3 and abs(suspect.effect.control) < 0.1
    assert suspect.effect.low <= suspect.effect.gain - suspect.effect.control
    if kind == "place":
        assert np.allclose(suspect.centre, (3.5 / SIDE, 4 / SIDE), atol=0.1)


@pytest.mark.parametrize("kind", [None, "place", "tint"])
def test_what_the_model_does_not_follow_is_no_suspect(studied, kind):
    study, _ = studied(None, kind)  # drawn, but without any weight
    assert study.suspects == ()
    assert repr(study) == "Study of 160 images: 0 suspects"


def test_looks_are_means_of_the_survey(studied):
    study, _ = studied("place", "place")
    survey = study.survey
    classes = survey.column("class")
    assert [look.name for look in study.classes] == NAMES
    for look in study.classes:
        own = np.flatnonzero(classes == look.index)
        np.testing.assert_array_equal(look.images, own)
        assert look.accuracy == (survey.column("label_class")[own] == look.index).mean()
        assert np.isclose(look.heat["border"], survey.column("heat_border")[own].mean())
        maps = np.maximum(survey.maps()[own], 0)
        shares = maps / maps.sum((1, 2), keepdims=True)
        np.testing.assert_allclose(look.mean_map, shares.mean(0), rtol=1e-5)
        flat = shares.reshape(len(own), -1)
        apart = np.linalg.norm(flat[:, None] - flat[None], axis=-1).mean(1)
        assert set(look.typical) == set(own[np.argsort(apart)[:6]])
        assert set(look.odd) == set(own[np.argsort(-apart)[:6]])
        for by in ("relevance", "map"):
            parts = [cluster for cluster in look.clusters if cluster.by == by]
            assert sorted(np.concatenate([part.images for part in parts])) == own.tolist()
            assert np.isclose(sum(part.share for part in parts), 1)


def test_clusters_are_found_whatever_their_order_and_scale():
    rng = np.random.default_rng(0)
    centres = np.eye(3, 10)
    true = rng.permutation(np.repeat([0, 1, 2], [60, 40, 30]))
    rows = centres[true] + 0.05 * rng.normal(size=(130, 10))
    rows *= rng.uniform(0.1, 10, (130, 1))
    spectrum = spectrum_of(rows)
    assert spectrum.count == 3
    np.testing.assert_array_equal(spectrum.clusters(), true)  # the largest first
    assert len(np.unique(spectrum.clusters(5))) == 5
    assert spectrum_of(rows[:20]).clusters().tolist() == [0] * 20, "too few to tell"
    true = rng.permutation(np.repeat([0, 1, 2], [1200, 800, 600]))
    many = centres[true] + 0.05 * rng.normal(size=(2600, 10))  # more than are put in order at once
    np.testing.assert_array_equal(spectrum_of(many).clusters(), true)


def test_cues_are_taken_over_pixel_for_pixel():
    rng = np.random.default_rng(0)
    donors, hosts = rng.integers(0, 256, (2, 3, 40, 80, 3), np.uint8)
    peaks = np.array([[0.5, 0.5], [0, 0], [1, 1]])
    made = PlaceCue((0.25, 0.75)).transplanted(donors, peaks, hosts)
    mean = donors[:, 5:15, 50:70].mean(0).round()
    np.testing.assert_array_equal(made[:, 5:15, 50:70], np.broadcast_to(mean, (3, 10, 20, 3)))
    assert (made != hosts).any(-1).sum() <= 3 * 200
    made = ObjectCue().transplanted(donors, peaks, hosts)
    np.testing.assert_array_equal(made[1, :10, :20], donors[1, :10, :20])
    np.testing.assert_array_equal(made[2, 30:, 60:], donors[2, 30:, 60:])
    np.testing.assert_array_equal(made[2, :30], hosts[2, :30])
    made = BorderCue().transplanted(donors, peaks, hosts)
    np.testing.assert_array_equal(made[:, 3:-3, 6:-6], hosts[:, 3:-3, 6:-6])
    np.testing.assert_array_equal(made[:, :3], donors[:, :3])
    flat = np.full((1, 40, 80, 3), (10, 20, 30), np.uint8)
    made = TintCue().transplanted(flat, peaks[:1], hosts[:1])
    assert (made == flat[:, :1, :1]).all()
    np.testing.assert_allclose(TintCue().transplanted(hosts, peaks, hosts), hosts, atol=1)


def test_the_page_holds_all_that_was_found(studied, tmp_path):
    study, _ = studied("place", "place")
    page = study.save(tmp_path, title="A <title>").read_text("utf-8")
    assert page.startswith("<!doctype html>") and "A &lt;title&gt;" in page
    assert not re.search(r'(src|href)="(?!data:)', page) and "http" not in page
    (suspect,) = study.suspects
    assert suspect.sentence.split(".")[0] in page
    rows = json.loads(re.search(r'<script id="rows"[^>]*>(.*?)</script>', page)[1])
    assert len(rows["rows"]) == 160 and sum(rows["wrong"]) == 0
    assert rows["rows"][0][0] == str(study.survey.column("key")[0])
    content = json.loads((tmp_path / "study.json").read_text("utf-8"))
    assert content["suspects"][0]["kind"] == "place" and content["images"] == 160
    study.save(tmp_path)  # its own page is replaced
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "survey.html").write_text("mine")
    with pytest.raises(ValueError, match=r"holds survey\.html, which kerascam did not write"):
        study.save(tmp_path / "other")
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / "study.json").write_text('{"format": "mine"}')
    with pytest.raises(ValueError, match=r"holds study\.json, which kerascam did not write"):
        study.save(tmp_path / "third")
    assert not (tmp_path / "third" / "survey.html").exists()
    (tmp_path / "survey.html").unlink()  # as if stopped before the page, which comes last
    assert study.save(tmp_path).exists()


def test_mistakes(studied):
    study, explainer = studied("place", "place")
    with pytest.raises(ValueError, match="explainer must be of the survey's model"):
        kerascam.study(study.survey, kerascam.GradCAM(by_hand(1.0)))
    alone = kerascam.study(study.survey)
    assert alone.suspects == () and "no explainer was given" in alone.notes[0]
    with pytest.raises(ValueError, match="pairs must be at least 2"):
        kerascam.study(study.survey, explainer, pairs=1)


def test_the_command_names_suspects_and_writes_the_page(studied, tmp_path, capsys):
    study, explainer = studied("place", "place")
    explainer.model.save(tmp_path / "model.keras")
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    photos = study.survey.manifest["root"]
    words = ["survey", str(tmp_path / "model.keras"), photos, "--layer", "cells"]
    words += ["--class-names", str(tmp_path / "names.txt"), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    said = capsys.readouterr()
    assert re.search(r"red +place +40%", said.out)
    assert "what the model looks at is in" in said.err
    assert (tmp_path / "out" / "survey.html").exists()


def test_colours_of_a_patch_do_not_change_with_the_places_in_it():
    patch = np.random.default_rng(0).integers(0, 256, (8, 8, 3))
    whole, moved, none = colours_of([patch, np.roll(patch, 3, (0, 1)), np.zeros_like(patch)])
    np.testing.assert_array_equal(whole, moved)
    assert whole @ whole == pytest.approx(64) and none @ none == pytest.approx(64)
    assert whole @ none == pytest.approx(8 * (patch < 64).all(-1).sum() ** 0.5)

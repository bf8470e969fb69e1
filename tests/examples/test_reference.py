"""The reference model: what its card says is what it does."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from proofs import proof

from kerascam import GradCAM
from scene_classification import load_reference_model, reference_classes
from scene_classification.data.folder import read_folder
from scene_classification.evaluation.prediction import predict
from scene_classification.explanation.photographs import shipped_photographs
from scene_classification.networks.reference import FOLDER, save_reference_model
from scene_classification.networks.residual import residual_network

PHOTOGRAPHS = Path(
    os.environ.get("INTEL_SCENES", Path(__file__).parents[3] / "shared/intel-scenes")
)


@pytest.fixture(scope="module")
def model():
    return load_reference_model()


@pytest.fixture(scope="module")
def figures():
    return json.loads((FOLDER / "metrics.json").read_text(encoding="utf-8"))


def photograph(name):
    image = cv2.resize(shipped_photographs()[name], (128, 128), interpolation=cv2.INTER_AREA)
    return image[None].astype(np.float32)


def test_it_knows_buildings_in_a_photograph_and_shows_where(model):
    china = photograph("china.jpg")
    assert reference_classes()[int(model(china).numpy().argmax())] == "buildings"
    heatmap = GradCAM(model)(china).heatmaps[0]
    # The temple stands in the middle of the photograph, between the sky and the steps.
    inside = np.zeros_like(heatmap, dtype=bool)
    inside[32:100, 16:112] = True
    assert heatmap[inside].sum() / heatmap.sum() > inside.mean() * 1.25


def test_its_probabilities_sum_to_one(model):
    answers = model(photograph("flower.jpg")).numpy()
    assert answers.shape == (1, 6)
    assert answers.sum() == pytest.approx(1, abs=1e-6)


def test_the_card_says_what_was_measured(figures):
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    accuracy = figures["accuracy"]
    shown = (
        f"{100 * accuracy['value']:.1f} ({100 * accuracy['low']:.1f}–{100 * accuracy['high']:.1f})"
    )
    assert f"| accuracy | {shown} |" in card
    assert accuracy["value"] >= 0.9
    for name in reference_classes():
        assert f"| {name} | {100 * figures['per_class'][name]['precision']['value']:.1f} (" in card


def test_the_weights_fit_into_eight_mebibytes():
    assert (FOLDER / "weights.npz").stat().st_size <= 8 * 2**20


@proof
@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="the Intel scenes are not here")
def test_its_accuracy_is_the_published_one(model, figures):
    test = read_folder(PHOTOGRAPHS).test
    confusion = np.zeros((6, 6), int)
    np.add.at(confusion, (test.labels, predict(model, test).argmax(1)), 1)
    # Another machine rounds otherwise: a photograph on the border may change sides.
    assert np.abs(confusion - np.array(figures["confusion"])).sum() <= 4


def test_weights_are_kept_in_half_precision(tmp_path):
    network = residual_network("tiny", input_shape=(32, 32, 3), classes=3)
    save_reference_model(
        network, tmp_path, size="tiny", projection="averaged", classes=("a", "b", "c")
    )
    loaded = load_reference_model(tmp_path)
    for ours, theirs in zip(loaded.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs.astype(np.float16).astype(np.float32))
    assert reference_classes(tmp_path) == ("a", "b", "c")


@pytest.mark.parametrize("projection", ["averaged", "strided"])
def test_it_is_loaded_with_the_projections_that_it_was_trained_with(tmp_path, projection):
    network = residual_network("tiny", input_shape=(32, 32, 3), classes=3, projection=projection)
    save_reference_model(
        network, tmp_path, size="tiny", projection=projection, classes=("a", "b", "c")
    )
    halves = [weight.astype(np.float16).astype(np.float32) for weight in network.get_weights()]
    network.set_weights(halves)
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    found = load_reference_model(tmp_path)(images)
    np.testing.assert_array_equal(found.numpy(), network(images).numpy())
    assert json.loads((tmp_path / "reference.json").read_text())["projection"] == projection


def test_a_weight_beyond_half_precision_is_refused(tmp_path):
    network = residual_network("tiny", input_shape=(32, 32, 3), classes=3)
    network.get_layer("scores").bias.assign(np.full(3, 1e5, np.float32))
    with pytest.raises(ValueError, match=r"model has a weight of 1e\+05, beyond float16's 65504"):
        save_reference_model(
            network, tmp_path, size="tiny", projection="averaged", classes=("a", "b", "c")
        )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no reference model in '.*'; publish a trained"):
        load_reference_model(tmp_path)

"""Layers whose names have spaces and accents: Keras takes them, TensorFlow's graphs do not."""

import copy
import pickle
import unicodedata
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from ask_in_session import exported
from keras import layers

from kerascam import (
    GradCAM,
    IntegratedGradients,
    LayerCAM,
    find_target_layer,
    suggest_layers,
)
from kerascam.cli import main

FRENCH = ("Entrée", "Première couche", "Réseau de base", "Bloc résiduel 1", "Bloc résiduel 2",
          "Décision finale", "Modèle d'été")  # fmt: skip
PLAIN = ("input", "first", "base", "block1", "block2", "decision", "model")


def network(entrance, first, base, one, two, decision, name) -> keras.Model:
    blocks = keras.Sequential(
        [keras.Input((12, 12, 4)), layers.Conv2D(4, 3, activation="relu", name=one),
         layers.Conv2D(4, 3, activation="relu", name=two)], name=base)  # fmt: skip
    images = keras.Input((12, 12, 3), name=entrance)
    x = blocks(layers.Conv2D(4, 3, padding="same", name=first)(images))
    x = layers.Dense(3, "softmax", name=decision)(layers.GlobalAveragePooling2D(name="_mean")(x))
    return keras.Model(images, x, name=name)


@pytest.fixture(scope="module")
def french() -> keras.Model:
    keras.utils.set_random_seed(0)
    return network(*FRENCH)


@pytest.fixture(scope="module")
def plain(french: keras.Model) -> keras.Model:
    model = network(*PLAIN)
    model.set_weights(french.get_weights())
    return model


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, 12, 12, 3)).astype("float32")


@pytest.mark.parametrize(
    ("accented", "without"),
    [
        (None, None),
        ("Bloc résiduel 1", "block1"),
        ("Réseau de base/Bloc résiduel 2", "base/block2"),
        (["Première couche", "Bloc résiduel 2"], ["first", "block2"]),
    ],
)
def test_maps_are_those_of_a_model_with_plain_names(french, plain, images, accented, without):
    for method in (GradCAM, LayerCAM):
        maps = method(french, accented)(images).heatmaps
        np.testing.assert_array_equal(maps, method(plain, without)(images).heatmaps)


def test_gradients_and_outputs_too(french, plain, images):
    explain = IntegratedGradients(french, output="Décision finale", steps=4)
    maps = IntegratedGradients(plain, steps=4)(images).maps
    np.testing.assert_array_equal(explain(images).maps, maps)


def test_layers_are_suggested_under_their_names(french):
    assert [found.path for found in suggest_layers(french)] == [
        "Première couche", "Réseau de base/Bloc résiduel 1", "Réseau de base/Bloc résiduel 2",
    ]  # fmt: skip
    assert find_target_layer(french) == "Réseau de base/Bloc résiduel 2"


@pytest.mark.parametrize("wrong", ["Bloc residuel 2", "bloc résiduel2", "Bloc_résiduel_2"])
def test_near_misses_are_suggested(french, wrong):
    with pytest.raises(ValueError, match="did you mean Réseau de base/Bloc résiduel 2 or"):
        GradCAM(french, wrong)


def test_an_accent_written_as_a_character_of_its_own_is_the_same(french):
    apart = unicodedata.normalize("NFD", "Bloc résiduel 2")
    assert apart != "Bloc résiduel 2"
    assert GradCAM(french, apart).layer == "Réseau de base/Bloc résiduel 2"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_explain_alike(french, images, again):
    explain = GradCAM(french, "Bloc résiduel 2")
    np.testing.assert_array_equal(again(explain)(images).maps, explain(images).maps)


@pytest.mark.parametrize("freeze", [False, True])
def test_an_export_answers_with_the_same_heatmaps(french, images, freeze, tmp_path):
    explain = GradCAM(french, "Bloc résiduel 1", freeze=freeze)
    names = [variable.value.name for variable in french.variables]
    folder = exported(explain, tmp_path / "modèle servi", warm_up=False)
    signature = tf.saved_model.load(str(folder)).signatures["explain"]
    found = signature(image=tf.constant(images), class_index=tf.constant([1, 2], tf.int32))
    np.testing.assert_allclose(found["heatmap"], explain(images, [1, 2]).heatmaps, atol=1e-6)
    assert [variable.value.name for variable in french.variables] == names


def test_the_model_stays_as_it_was(french, images):
    every = [french, *french.layers, *french.get_layer("Réseau de base").layers]
    before = [dict(vars(layer)) for layer in every]
    GradCAM(french, "Bloc résiduel 1")(images)
    assert [set(vars(layer)) for layer in every] == [set(each) for each in before]
    assert not any("_open_name_scope" in vars(layer) for layer in every)


def test_the_command_line_takes_them(french, tmp_path: Path, capsys):
    french.save(tmp_path / "modèle.keras")
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((12, 12, 3), 90, np.uint8))
    out = tmp_path / "sortie"
    words = ["explain", str(tmp_path / "modèle.keras"), str(tmp_path / "photo.png")]
    assert main([*words, "--layer", "Bloc résiduel 1", "--out", str(out)]) == 0
    assert "Réseau de base/Bloc résiduel 1" in (out / "manifest.json").read_text("utf-8")
    assert main(["layers", str(tmp_path / "modèle.keras")]) == 0
    assert "Réseau de base/Bloc résiduel 2" in capsys.readouterr().out

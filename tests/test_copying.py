"""Explainers are pickled and copied: the copy has a model of its own and gives the same maps."""

import copy
import pickle
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from proofs import FAMILIES, rows

from kerascam import (
    ExplainCallback,
    Explainer,
    GradCAM,
    GuidedGradCAM,
    HiResCAM,
    IntegratedGradients,
    LayerCAM,
    SmoothGrad,
    targets,
)
from kerascam.registry import METHODS
from tests import zoo

IMAGES = zoo.images()


@keras.saving.register_keras_serializable("kerascam_tests")
class Whole(keras.Model):
    """A subclassed model that can be saved."""

    def __init__(self, second="second", **arguments):
        super().__init__(**arguments)
        self.own = {"second": second}
        self.first = layers.Conv2D(4, 3, activation="relu", name="first")
        self.second = layers.Conv2D(4, 3, activation="relu", name=second)
        self.pool = layers.GlobalAveragePooling2D()
        self.scores = layers.Dense(3, "softmax")

    def call(self, images):
        return self.scores(self.pool(self.second(self.first(images))))

    def get_config(self):
        return {**super().get_config(), **self.own}


def whole(second="second"):
    model = Whole(second)
    model(IMAGES)
    return model


def own_target(outputs, classes):
    return 2 * targets.logit(outputs, classes)


def plain():
    return zoo.functional().model


def of(specimen):
    return HiResCAM(specimen.model, specimen.layer)


EXPLAINERS = {
    "ReLUs with a rule": lambda: GuidedGradCAM(plain()),
    "noise": lambda: SmoothGrad(plain(), samples=2, seed=3),
    "Sequential": lambda: GradCAM(zoo.sequential().model, normalize="signed"),
    "Sequential without input": lambda: GradCAM(zoo.sequential_without_input().model),
    "nested": lambda: of(zoo.nested()),
    "subclassed": lambda: GradCAM(whole()),
    "several layers": lambda: LayerCAM(plain(), ["stem", "features", "mix"], normalize="none"),
    "a frozen one": lambda: GradCAM(plain(), freeze=True),
    "class_names": lambda: GradCAM(plain(), class_names=["a", "b", "c"]),
    "one run of a shared layer": lambda: GradCAM(zoo.shared_second_run().model, "features",
                                                 call_index=1),
    "a bare operation": lambda: of(zoo.sum_operation()),
    "an output": lambda: GradCAM(zoo.output_by_key().model, "mix", output="verdict"),
    "options": lambda: IntegratedGradients(plain(), steps=3, baseline=np.full(3, 0.5)),
    "a target of the user's": lambda: GradCAM(plain(), target=own_target),
    "binary": lambda: GradCAM(zoo.binary_logit().model, target=targets.binary),
    "probability": lambda: GradCAM(plain(), target=targets.probability),
    "contrast": lambda: GradCAM(plain(), target=targets.contrast([1, 2, 0], weight=0.5)),
    "counterfactual": lambda: SmoothGrad(plain(), samples=2, target=targets.counterfactual(
        targets.contrast(1, target=targets.probability))),
    "a region": lambda: GradCAM(zoo.segmentation().model,
                                target=targets.region_mean(np.eye(12, 16) > 0)),
    "float64": lambda: GradCAM(zoo.float64().model),
    "mixed_float16": lambda: GradCAM(zoo.mixed_float16().model),
    "mixed_bfloat16": lambda: GradCAM(zoo.mixed_bfloat16().model),
}  # fmt: skip


def inputs_of(explainer):
    shapes = [
        tensor.shape[1:] for tensor in keras.tree.flatten(getattr(explainer.model, "inputs", []))
    ]
    rng = np.random.default_rng(0)
    made = [rng.normal(size=(2, *shape)) for shape in shapes] or [IMAGES]
    count = 3 if "contrast([" in repr(explainer.programs.recipe.question.target) else 2
    made = [np.concatenate([each, each])[:count] for each in made]
    return made if len(made) > 1 else made[0]


def same(found, wanted):
    several = isinstance(wanted.maps, tuple)
    for mine, theirs in zip(
        found.maps if several else [found.maps],
        wanted.maps if several else [wanted.maps],
        strict=True,
    ):
        np.testing.assert_array_equal(mine, theirs)
    for name in ("heatmaps", "scores", "probabilities", "classes"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
    facts = ("layer", "method", "statuses", "class_names", "notes", "signed", "scaled")
    assert [getattr(found, name) for name in facts] == [getattr(wanted, name) for name in facts]


@pytest.mark.parametrize("method", rows(FAMILIES, METHODS))
def test_every_method_is_pickled(method):
    explainer = Explainer(plain(), method)
    loaded = pickle.loads(pickle.dumps(explainer))
    assert loaded.method == explainer.method
    assert repr(loaded) == repr(explainer)


COPIED = rows(
    ("ReLUs with a rule", "Sequential without input", "subclassed", "several layers",
     "a frozen one", "contrast"),
    EXPLAINERS,
)  # fmt: skip


@pytest.mark.parametrize("name", COPIED)
def test_a_pickled_explainer_gives_the_same_maps(name):
    explainer = EXPLAINERS[name]()
    images = inputs_of(explainer)
    untouched = pickle.loads(pickle.dumps(explainer))  # before it chose a layer or compiled
    wanted = explainer(images)
    loaded = pickle.loads(pickle.dumps(explainer))
    assert type(loaded) is type(explainer) and loaded.model is not explainer.model
    assert loaded.layer == explainer.layer
    assert len(loaded.programs) == 0  # it compiles again
    same(loaded(images), wanted)
    same(untouched(images), wanted)


@pytest.mark.parametrize(
    "name",
    rows(("subclassed", "contrast"), ("nested", "subclassed", "several layers", "contrast")),
)
def test_a_deep_copy_explains_the_model_of_its_own(name):
    explainer = EXPLAINERS[name]()
    images = inputs_of(explainer)
    wanted = explainer(images)
    copied = copy.deepcopy(explainer)
    for weights in explainer.model.weights:
        weights.assign(0 * weights)
    same(copied(images), wanted)
    assert copied.model is not explainer.model
    assert all(site.layer is not own.layer for site, own in
               zip(copied.programs.sites, explainer.programs.sites, strict=True))  # fmt: skip


def test_a_model_beside_its_explainer_stays_its_model():
    model = plain()
    copied = copy.deepcopy({"model": model, "explainer": GradCAM(model, "mix")})
    assert copied["explainer"].model is copied["model"]
    assert copied["explainer"].programs.sites[0].layer is copied["model"].get_layer("mix")
    loaded_model, loaded = pickle.loads(pickle.dumps((model, GradCAM(model))))
    assert loaded.model is loaded_model


def test_a_shallow_copy_shares_the_model_and_what_is_compiled():
    explainer = GradCAM(plain())
    wanted = explainer(IMAGES)
    copied = copy.copy(explainer)
    assert copied is not explainer and copied.model is explainer.model
    assert copied.programs is explainer.programs
    same(copied(IMAGES), wanted)


@pytest.mark.parametrize("place", ["first", "second"])
def test_a_layer_that_shares_its_path_is_found_again(place):
    model = whole(second="first")
    explainer = HiResCAM(model, getattr(model, place))
    loaded = pickle.loads(pickle.dumps(explainer))
    assert loaded.programs.sites[0].layer is getattr(loaded.model, place)
    same(loaded(IMAGES), explainer(IMAGES))


def test_in_another_process(tmp_path):
    every = ("subclassed", "several layers", "counterfactual", "a target of the user's")
    names = rows(("several layers", "a target of the user's"), every)
    explainers = [EXPLAINERS[name]() for name in names]
    (tmp_path / "explainers").write_bytes(pickle.dumps(explainers))
    np.save(tmp_path / "images.npy", IMAGES)
    program = """
import pickle, sys, numpy as np
explainers = pickle.load(open("explainers", "rb"))
images = np.load("images.npy")
pickle.dump([explainer(images) for explainer in explainers], open("found", "wb"))
"""
    path = [*sys.path, str(zoo.__file__).removesuffix("tests/zoo.py")]
    start = f"import sys; sys.path[:] = {path!r}\n"
    subprocess.run([sys.executable, "-c", start + program], cwd=tmp_path, check=True)
    found = pickle.loads((tmp_path / "found").read_bytes())
    for explainer, each in zip(explainers, found, strict=True):
        same(each, explainer(IMAGES))


def test_threads_share_a_loaded_explainer():
    explainer = GradCAM(plain())
    wanted = explainer(IMAGES)
    loaded = pickle.loads(pickle.dumps(explainer))
    found = [None] * 4

    def explain(place):
        found[place] = loaded(IMAGES)

    threads = [threading.Thread(target=explain, args=[place]) for place in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for each in found:
        same(each, wanted)
    assert len(loaded.programs) == 1


def test_a_loaded_one_sees_later_weights():
    loaded = pickle.loads(pickle.dumps(GradCAM(plain(), "mix")))
    before = loaded(IMAGES).maps
    kernel = loaded.model.get_layer("mix").kernel
    kernel.assign(-kernel)
    assert not np.array_equal(loaded(IMAGES).maps, before)


def test_a_callback_is_pickled_before_and_after_a_training(tmp_path):
    def callback():
        return ExplainCallback(np.abs(IMAGES) % 1, HiResCAM(plain()), folder=tmp_path)

    watch = pickle.loads(pickle.dumps(callback()))
    model = watch.explainer.model
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(IMAGES, np.zeros(len(IMAGES)), verbose=0, callbacks=[watch])
    loaded = pickle.loads(pickle.dumps(watch))
    same(loaded.explanation, watch.explanation)


# -------------------------------------------------------------------------- what cannot be copied


def unregistered():
    class Inner(layers.Layer):
        def call(self, x):
            return x + 1

    inputs = keras.Input((*zoo.SIZES[2], 3))
    x = layers.GlobalAveragePooling2D()(Inner()(inputs))
    return keras.Model(inputs, layers.Dense(2)(x), name="inner")


@pytest.mark.parametrize(
    "model",
    [lambda: zoo.subclassed().model, lambda: zoo.lambda_behind().model, unregistered],
    ids=["no get_config", "Lambda without a shape", "not registered"],
)
@pytest.mark.parametrize("copier", [pickle.dumps, copy.deepcopy], ids=lambda each: each.__name__)
def test_a_model_that_keras_cannot_save_is_named_and_what_to_do(model, copier):
    explainer = Explainer(model(), "saliency")
    message = (
        rf"(?s)model '{explainer.model.name}' cannot be pickled or copied, as Keras cannot save "
        r"and load it: .*; decorate its own classes .*register_keras_serializable.*get_config"
    )
    with pytest.raises(TypeError, match=message):
        copier(explainer)
    copy.copy(explainer)  # it shares the model


def test_targets_say_what_they_are():
    made = targets.contrast([1, 2], weight=0.5, target=targets.counterfactual(targets.binary))
    assert repr(made) == "contrast([1, 2], weight=0.5, target=counterfactual(binary))"
    assert repr(targets.region_mean()) == "region_mean()"
    assert repr(targets.region_mean(tf.ones((2, 2)))) == "region_mean(mask)"

"""Whatever is wrong, the error names the argument, shows briefly what came, and says what to do."""

import ast
import inspect
import os
import random
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kerascam
from kerascam import (
    ExplainCallback,
    Explainer,
    GradCAM,
    IntegratedGradients,
    Saliency,
    SmoothGrad,
    export,
    find_target_layer,
    load_images,
    suggest_layers,
    targets,
)
from kerascam.errors import brief
from kerascam.registry import METHODS

pytestmark = pytest.mark.usefixtures("unchecked")

MANY = int(os.environ.get("KERASCAM_FUZZ", "4"))  # wrong values for each argument; all, if more
IMAGES = np.random.default_rng(0).random((2, 8, 8, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential([
        keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu", name="conv"),
        layers.GlobalAveragePooling2D(), layers.Dense(3, "softmax"),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def explain(model):
    return GradCAM(model, "conv")


@pytest.fixture(scope="module")
def explanation(explain):
    return explain(IMAGES)


class Refusing:
    """Can be neither read nor shown."""

    def __array__(self, *arguments, **options):
        raise RuntimeError("no array")

    def __iter__(self):
        raise RuntimeError("no values")

    def __repr__(self):
        raise RuntimeError("no text")


# Wrong for any argument, or nearly: where one fits, nothing is raised, which is right too.
WRONG = [
    None, "", "x", "a\0b", b"x", 3, -1, 0, True, 1.5, float("nan"), float("inf"), 1e308, 2 + 1j,
    10**30, 10**6000, 2**63, -(2**63), [], [1], [None], [[1, 2], [3]], ["a", "b"], {1, 2},
    {"a": 1}, {}, (), (1, 2), (0, 0), ("a", "b"), [1.5, 2.5], [10**30] * 2, object(), Refusing(),
    Refusing, int, lambda: 0, lambda outputs: outputs[:, 0],
    lambda outputs, classes, more: outputs, lambda outputs, classes: None,
    lambda outputs, classes: 1.0, lambda outputs, classes: outputs,
    lambda outputs, classes: tf.cast(outputs[:, 0], tf.complex64),
    lambda outputs, classes: outputs[:, 7], lambda outputs, classes: outputs["x"],
    np.zeros((2, 8, 8, 3), np.complex64), np.array(["a"]),
    np.array(["2026-01-01"], "datetime64[s]"), np.array([1, "a", None], object),
    np.zeros((0, 8, 8, 3)), np.zeros((2, 0, 8, 3)), np.zeros((2, 8, 8)),
    np.ma.masked_array(IMAGES, IMAGES > 0.5), tf.sparse.from_dense(IMAGES),
    tf.ragged.constant([[1, 2], [3]]), np.array(3), np.array([1, 2]), np.array([True, False]),
    np.nan * IMAGES, 1e39 * IMAGES.astype(float), IMAGES.astype(object), range(3), iter([1]),
    keras.Model, keras.layers.Dense, slice(0, 1), np.float32(0.5), tf.constant("x"),
    keras.Input((3,)), targets.region_mean, targets.contrast, Ellipsis, "A" * 10_000,
    ["A" * 1000] * 100, IMAGES[0], IMAGES - 5, [IMAGES[0], IMAGES[1][:4]], [IMAGES[0], "a"],
]  # fmt: skip


def places(model, explain, explanation, folder):
    """List every place that takes an argument: its name, and a call with a value there."""
    answer = explanation

    def in_folder(value):
        free = isinstance(value, str) and 0 < len(value) < 100 and "\0" not in value
        return str(folder / value) if free else value

    def exported(**arguments):
        # A version below 1 is refused before the work begins.
        return export(explain, **{"path": folder / "served", "version": 0, **arguments})

    def callback(**arguments):
        given = {"images": IMAGES, "explainer": explain, "folder": folder / "sheets"}
        watch = ExplainCallback(**{**given, **arguments})
        watch.set_model(model)
        watch.on_train_begin()

    def of_target(value):
        return GradCAM(model, "conv", target=value)(IMAGES)

    return [
        ("model", lambda v: GradCAM(v)),
        ("layer", lambda v: GradCAM(model, v)),
        ("target", of_target),
        ("output", lambda v: GradCAM(model, "conv", output=v)(IMAGES)),
        ("call_index", lambda v: GradCAM(model, "conv", call_index=v)(IMAGES)),
        ("normalize", lambda v: GradCAM(model, normalize=v)),
        ("class_names", lambda v: GradCAM(model, "conv", class_names=v)(IMAGES)),
        ("grid", lambda v: GradCAM(model, grid=v)),
        ("freeze", lambda v: GradCAM(model, freeze=v)),
        ("method", lambda v: Explainer(model, v)),
        ("samples", lambda v: SmoothGrad(model, samples=v)),
        ("noise", lambda v: SmoothGrad(model, noise=v, samples=1)),
        ("seed", lambda v: SmoothGrad(model, seed=v, samples=1)),
        ("steps", lambda v: IntegratedGradients(model, steps=v)),
        ("baseline", lambda v: IntegratedGradients(model, baseline=v, steps=1)),
        ("images", lambda v: explain(v)),
        ("classes", lambda v: explain(IMAGES, v)),
        ("model", suggest_layers),
        ("inputs", lambda v: suggest_layers(model, v)),
        ("output", lambda v: find_target_layer(model, output=v)),
        ("photos", lambda v: answer.overlay(v)),
        ("alpha", lambda v: answer.overlay(alpha=v)),
        ("colormap", lambda v: answer.overlay(colormap=v)),
        ("value_range", lambda v: answer.overlay(value_range=v)),
        ("alpha", lambda v: answer.plot(alpha=v)),
        ("style", lambda v: answer.overlay(style=v)),
        ("levels", lambda v: answer.overlay(style="outline", levels=v)),
        ("style", lambda v: callback(style=v)),
        ("folder", lambda v: answer.save(in_folder(v))),
        ("alpha", lambda v: answer.save(folder / "saved", alpha=v)),
        ("image", lambda v: kerascam.overlay(v, np.zeros((2, 2)))),
        ("heatmap", lambda v: kerascam.overlay(IMAGES, v)),
        ("signed", lambda v: kerascam.overlay(IMAGES, IMAGES[..., 0], signed=v)),
        ("paths|file|folder", lambda v: load_images(v, model)),
        ("model", lambda v: load_images("gone", v)),
        *[
            (f"{name}|gone", lambda v, name=name: load_images("gone", model, **{name: v}))
            for name in ("fit", "preprocess", "size", "max_pixels", "depth")
        ],
        ("other|target", lambda v: of_target(targets.contrast(v))),
        ("weight", lambda v: targets.contrast(1, weight=v)),
        ("target", lambda v: targets.contrast(1, target=v)),
        ("target", targets.counterfactual),
        ("mask|region_mean", lambda v: of_target(targets.region_mean(v))),
        ("explainer", lambda v: export(v, folder / "served", version=0)),
        ("path|version", lambda v: exported(path=in_folder(v))),
        ("fit|version", lambda v: exported(fit=v)),
        ("resize|version", lambda v: exported(resize=v)),
        ("alpha|version", lambda v: exported(alpha=v)),
        ("style|version", lambda v: exported(style=v)),
        ("levels|version", lambda v: exported(style="outline", levels=v)),
        ("colormap|version", lambda v: exported(colormap=v)),
        ("overlay_side|version", lambda v: exported(overlay_side=v)),
        ("max_pixels|version", lambda v: exported(max_pixels=v)),
        ("raw_maps|version", lambda v: exported(raw_maps=v)),
        ("warm_up|version", lambda v: exported(warm_up=v)),
        ("images|photos", lambda v: callback(images=v)),
        ("classes", lambda v: callback(classes=v)),
        ("explainer", lambda v: ExplainCallback(IMAGES, v, folder=folder)),
        ("every", lambda v: ExplainCallback(IMAGES, explain, folder=folder, every=v)),
        ("limit", lambda v: ExplainCallback(IMAGES, explain, folder=folder, limit=v)),
        ("log_dir", lambda v: ExplainCallback(IMAGES, explain, log_dir=in_folder(v))),
        ("folder", lambda v: ExplainCallback(IMAGES, explain, folder=in_folder(v))),
        ("photos", lambda v: callback(photos=v)),
        ("value_range", lambda v: ExplainCallback(IMAGES, explain, folder=folder, value_range=v)),
    ]


def check(argument, call, value):
    """Call, and let through nothing but an error that names the argument briefly."""
    try:
        call(value)
    except (TypeError, ValueError) as error:
        text = str(error)
        assert re.search(rf"\b({argument})\b", text), f"{argument} with {brief(value)}: {text}"
        assert len(text) < 700, f"{argument} with {brief(value)}: {len(text)} characters"


@pytest.mark.parametrize("seed", range(2))
def test_a_wrong_value_anywhere_is_named(model, explain, explanation, tmp_path, seed):
    draw = random.Random(seed)
    everywhere = places(model, explain, explanation, tmp_path)
    for argument, call in everywhere:
        for value in draw.sample(WRONG, min(MANY, len(WRONG))):
            check(argument, call, value)


def test_after_all_that_the_explainer_works_on(explain, explanation):
    np.testing.assert_array_equal(explain(IMAGES).maps, explanation.maps)


# ----------------------------------------------------------------------------- the words themselves

TABLE = {
    "freeze": (lambda m, f: GradCAM(m, freeze="yes"), TypeError,
               "freeze must be True or False, not 'yes'"),
    "model class": (lambda m, f: GradCAM(keras.Model), TypeError,
                    "model must be a keras.Model, not <class"),
    "target of one": (lambda m, f: GradCAM(m, target=lambda outputs: outputs), TypeError,
                      r"target must be a function .* received one of the arguments \(outputs\)"),
    "target of three": (lambda m, f: GradCAM(m, target=lambda o, c, more: o), TypeError,
                        r"target must .* arguments \(o, c, more\)"),
    "target not called": (lambda m, f: GradCAM(m, target=targets.region_mean), TypeError,
                          r"target must .*; did you mean targets.region_mean\(...\)\?"),
    "target class": (lambda m, f: GradCAM(m, target=dict), TypeError,
                     "target must .*not the class dict; make an object of it"),
    "target complex": (lambda m, f: GradCAM(
        m, target=lambda o, c: tf.cast(o[:, 0], tf.complex64))(IMAGES), TypeError,
        "target must return floating-point scores, not complex64"),
    "target beyond": (lambda m, f: GradCAM(m, target=lambda o, c: o[:, 7])(IMAGES), ValueError,
                      r"target fails on outputs of \(None, 3\): .*7"),
    "noise": (lambda m, f: SmoothGrad(m, noise="loud"), TypeError,
              "noise must be a number, not 'loud'"),
    "noise bool": (lambda m, f: SmoothGrad(m, noise=True), TypeError, "noise must be a number"),
    "noise nan": (lambda m, f: SmoothGrad(m, noise=np.nan), ValueError, "noise must be finite"),
    "noise below": (lambda m, f: SmoothGrad(m, noise=-1), ValueError, "noise must be at least 0"),
    "seed": (lambda m, f: SmoothGrad(m, seed=2**40), ValueError, "seed must be at most 2147483647"),
    "steps": (lambda m, f: IntegratedGradients(m, steps=10**9), ValueError,
              "steps must be at most 100000, not 1000000000"),
    "baseline": (lambda m, f: IntegratedGradients(m, baseline=[[1, 2], [3]]), TypeError,
                 r"baseline must be .*, not \[\[1, 2\], \[3\]\]"),
    "classes": (lambda m, f: GradCAM(m)(IMAGES, 10**30), ValueError,
                "classes must be from 0 to 2; received 1000000000"),
    "class_names": (lambda m, f: GradCAM(m, class_names=["a", None, "c"]), TypeError,
               "class_names must be a list of class names in order; received None among them"),
    "class_names endless": (lambda m, f: GradCAM(m, class_names=iter(int, 1)), ValueError,
                       "class_names must .* more than 1000000"),
    "masked": (lambda m, f: GradCAM(m)(np.ma.masked_array(IMAGES, IMAGES > 0.5)), TypeError,
               r"images must not be masked: .*images.filled\(value\)"),
    "inputs": (lambda m, f: suggest_layers(m, IMAGES[0, 0]), ValueError, "inputs must have shape"),
    "contrast": (lambda m, f: targets.contrast(2**40), ValueError, "contrast: other must be from"),
    "weight": (lambda m, f: targets.contrast(0, weight="half"), TypeError,
               "contrast: weight must be a number, not 'half'"),
    "mask": (lambda m, f: targets.region_mean([[np.nan]]), ValueError,
             "region_mean: mask must be finite"),
    "export fit": (lambda m, f: export(GradCAM(m), f, fit=3), ValueError, "fit must be .* not 3"),
    "export path": (lambda m, f: export(GradCAM(m), None, warm_up=False), TypeError,
                    "path must be a path, as text or pathlib.Path, not None"),
    "export preprocess": (lambda m, f: export(GradCAM(m), f, preprocess=3, warm_up=False),
                          TypeError, "preprocess must be a name or a function .* not 3"),
    "export example": (lambda m, f: export(GradCAM(m), f, example="x", warm_up=False), TypeError,
                       "example must be arrays, not a path"),
    "log_dir": (lambda m, f: ExplainCallback(IMAGES, GradCAM(m), log_dir=3), TypeError,
                "log_dir must be a path, .*not 3"),
    "folder": (lambda m, f: ExplainCallback(IMAGES, GradCAM(m), folder=3), TypeError,
               "folder must be a path, .*not 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_words(model, tmp_path, name):
    call, error, message = TABLE[name]
    with pytest.raises(error, match=message):
        call(model, tmp_path)


DRAWN = {
    "alpha": ({"alpha": "a"}, TypeError, "alpha must be a number between 0 and 1, not 'a'"),
    "style": ({"style": "contour"}, ValueError, "style must be one of 'heat', 'uniform', 'outl"),
    "no style": ({"style": None}, ValueError, "style must be one of .*, not None"),
    "levels": ({"style": "outline", "levels": [2]}, ValueError, "levels must lie between 0 and 1"),
    "alpha above": ({"alpha": 1.5}, ValueError, "alpha must be between 0 and 1, got 1.5"),
    "colormap": ({"colormap": 3}, TypeError, "colormap must be a name.*not 3"),
    "value_range": ({"value_range": 3}, TypeError,
                    r"value_range must be two numbers \(low, high\), not 3"),
    "texts": ({"value_range": "01"}, TypeError, "value_range must be two numbers"),
    "turned": ({"value_range": (1, 0)}, ValueError, "value_range must be .* low < high"),
    "too narrow": ({"value_range": (0, 0.1)}, ValueError,
                   r"photos does not fit value_range=\(0, 0.1\)"),
    "photos": ({"photos": [[1, 2], [3]]}, ValueError, "photos must hold 2-D or 3-D arrays"),
    "ragged": ({"photos": [[[1, 2], [3]]] * 2}, TypeError,
               r"photos must be arrays of numbers, not \[\[\[1, 2\], \[3\]\]"),
    "text": ({"photos": ["a.jpg", "b.jpg"]}, TypeError, "photos must hold numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("how", ["overlay", "plot", "save"])
def test_what_is_drawn_is_checked_before_anything_is_written(explanation, tmp_path, name, how):
    options, error, message = DRAWN[name]
    folder = [tmp_path / "saved"] if how == "save" else []
    with pytest.raises(error, match=message):
        getattr(explanation, how)(*folder, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_path(explanation):
    with pytest.raises(TypeError, match="folder must be a path, as text or pathlib.Path, not 3"):
        explanation.save(3)


# --------------------------------------------------------------------------------------- the helper


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x", "'x'"),
        ([1, 2], "[1, 2]"),
        (np.zeros((2, 2)), "array([[0., 0.], [0., 0.]])"),
        (Refusing(), "<Refusing instance at "),
        (10**5000, "a value of type int"),
    ],
    ids=["text", "list", "array", "refusing", "number"],
)
def test_a_value_is_shown_in_one_line(value, shown):
    assert brief(value).startswith(shown) and len(brief(value)) <= 80


@pytest.mark.parametrize(
    "value", ["A" * 10_000, ["A" * 100] * 100, np.arange(10_000), {"a": "b" * 99}]
)
def test_a_long_value_is_shortened(value):
    assert len(brief(value)) <= 80 and "..." in brief(value) and "\n" not in brief(value)


# -------------------------------------------------------------------------- advice can be followed


def public_parameters():
    """Name every parameter that a user can pass."""
    found = {"inputs", "preprocess", "training"}  # the last is of every Keras model
    for name in kerascam.__all__:
        thing = getattr(kerascam, name)
        homes = [thing, *vars(thing).values()] if inspect.isclass(thing) else [thing]
        if inspect.ismodule(thing):
            homes = [getattr(thing, own) for own in thing.__all__]
        for home in filter(callable, homes):
            found |= set(inspect.signature(home).parameters)
    for method in METHODS.values():
        found |= set(method.options)
    return found


def advised(path):
    """List the words before an equals sign in the errors that a module raises."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise):
            texts = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
            for text in filter(lambda text: isinstance(text, str), texts):
                yield from re.findall(r"(?<![\w.-])([a-z_]+)=", text)


def test_arguments_that_errors_advise_exist():
    core = [
        path
        for path in Path(kerascam.__file__).parent.rglob("*.py")
        if not {"cli", "serving"} & set(path.parts)
    ]
    found = {name: path.name for path in core for name in advised(path)}
    assert {"value_range", "output", "class_names"} <= set(found)
    assert {name: path for name, path in found.items() if name not in public_parameters()} == {}


def test_values_of_another_range_are_drawn_as_the_message_advises(model, tmp_path):
    found = Saliency(model)(2 * IMAGES - 1)
    with pytest.raises(ValueError, match=r"photos must be given.*value_range=\(low, high\)"):
        found.overlay()
    with pytest.raises(ValueError, match=r"photos must be uint8.*value_range=\(low, high\)"):
        found.overlay(2 * IMAGES - 1)
    wanted = found.overlay(np.rint(255 * IMAGES).astype(np.uint8))
    for drawn in (
        found.overlay(value_range=(-1, 1)),
        found.overlay(2 * IMAGES - 1, value_range=(-1, 1)),
    ):
        # A value halfway between two bytes may fall on either.
        assert np.abs(drawn.astype(int) - wanted).max() <= 1
    assert len(found.plot(value_range=(-1, 1)).axes) == 8
    found.save(tmp_path, value_range=(-1, 1))
    assert len(list(tmp_path.glob("*-overlay.png"))) == 2


def test_a_callback_draws_on_values_of_another_range(model, tmp_path):
    watch = ExplainCallback(2 * IMAGES - 1, GradCAM(model), folder=tmp_path, value_range=(-1, 1))
    watch.set_model(model)
    watch.on_train_begin()
    watch.on_epoch_end(0)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-0001.png"]


@pytest.mark.parametrize("shape", [(2, 20, 10), (2, 20, 10, 1), (2, 20, 10, 3)])
def test_photographs_may_be_grey(explanation, shape):
    assert explanation.overlay(np.full(shape, 128, np.uint8)).shape == (2, 20, 10, 3)

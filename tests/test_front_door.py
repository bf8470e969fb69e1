"""From a model and images to an explanation: the same for every form of input, or a clear error."""

import collections

import keras
import numpy as np
import pytest
import tensorflow as tf
from enlarging import enlarged
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from proofs import rows

import kerascam
from kerascam import CAM, Explainer, GradCAM, GuidedGradCAM, LayerCAM, Saliency, targets
from kerascam.explain import program
from kerascam.model import layers

L = keras.layers
CLASS_NAMES = ("cat", "dog", "cow")


IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype(np.float32)


def build(seed=1):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([
        keras.Input((8, 8, 3), name="photo"),
        L.Rescaling(1 / 255, name="scale"),
        L.Conv2D(4, 3, activation="relu", name="first"),
        L.Conv2D(5, 3, activation="relu", name="second"),
        L.GlobalAveragePooling2D(name="pool"),
        L.Dense(3, activation="softmax", name="head"),
    ], name="scene")  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def explain(model):
    return GradCAM(model, class_names=CLASS_NAMES)


@pytest.fixture(scope="module")
def two_headed():
    inputs = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3, name="trunk")(inputs)
    kind = L.Dense(3, activation="softmax", name="kind")(L.GlobalAveragePooling2D()(x))
    other = L.Dense(1, name="age")(L.GlobalMaxPooling2D()(L.Conv2D(2, 3, name="aside")(inputs)))
    return keras.Model(inputs, [kind, other], name="two_headed")


# --------------------------------------------------------------------------------- the same images

SAME = {
    "uint8": IMAGES.astype(np.uint8),
    "int64": IMAGES.astype(np.int64),
    "float64": IMAGES.astype(np.float64),
    "float16": IMAGES.astype(np.float16),
    "a list of images": list(IMAGES),
    "a list of uint8 images": list(IMAGES.astype(np.uint8)),
    "nested lists": IMAGES.tolist(),
    "a tensor": tf.constant(IMAGES),
    "a uint8 tensor": tf.constant(IMAGES, tf.uint8),
    "a list of tensors": [tf.constant(image) for image in IMAGES],
    "a dict": {"photo": IMAGES},
    "the batch in a list": [IMAGES],
}


@pytest.mark.parametrize("form", SAME)
def test_every_form_of_the_same_images_gives_the_same(explain, form):
    wanted, found = explain(IMAGES, 1), explain(SAME[form], 1)
    np.testing.assert_array_equal(found.heatmaps, wanted.heatmaps)
    np.testing.assert_array_equal(found.scores, wanted.scores)
    assert found.images.dtype == np.float32


def test_values_are_right(model, explain):
    found = explain(IMAGES)
    probabilities = model.predict(IMAGES, verbose=0)
    np.testing.assert_array_equal(found.classes, probabilities.argmax(1))
    np.testing.assert_allclose(found.probabilities, probabilities.max(1), rtol=1e-5)
    features = keras.Model(model.inputs[0], model.get_layer("second").output)(IMAGES).numpy()
    weights = model.get_layer("head").kernel.numpy()[:, found.classes]
    maps = np.maximum(np.einsum("bijk,kb->bij", features, weights) / 16, 0)
    np.testing.assert_allclose(found.maps, maps, rtol=1e-4, atol=1e-6)
    heatmaps = enlarged(maps, (8, 8), [(2, 1), (2, 1)])  # two convolutions took two rows each
    largest = heatmaps.max((1, 2), keepdims=True)
    wanted = np.divide(heatmaps, largest, out=0 * heatmaps, where=largest > 0)
    np.testing.assert_allclose(found.heatmaps, wanted, atol=1e-4)


def test_predictions_are_those_of_the_model(model, explain):
    found = explain(IMAGES)
    np.testing.assert_allclose(
        found.predictions, model.predict(IMAGES, verbose=0), rtol=1e-5, atol=1e-7
    )
    np.testing.assert_array_equal(found.predictions.argmax(-1), found.classes)
    np.testing.assert_allclose(found.predictions.max(-1), found.probabilities, rtol=1e-6)


def test_predictions_of_several_outputs(two_headed):
    target = lambda outputs, classes: outputs[0][:, 0]  # noqa: E731
    assert GradCAM(two_headed, "trunk", target=target)(IMAGES).predictions is None


def test_layers_are_paths(model):
    found = GradCAM(model, ["first", "second"])(IMAGES)
    assert found.layers == ("first", "second") and found.layer == "first + second"
    explain = GradCAM(model)
    assert explain.layers == ()
    assert explain(IMAGES).layers == explain.layers == (explain.layer,)
    images = Saliency(model)(IMAGES)
    assert images.layers == () and images.layer == "images"


TARGETS = {"logit": None, "probability": targets.probability, "contrast": targets.contrast(1)}


@pytest.fixture(scope="module")
def by_target(model):
    return {
        name: GradCAM(model, target=target, class_names=CLASS_NAMES)
        for name, target in TARGETS.items()
    }


@pytest.mark.parametrize("classes", [None, 1, "cow", [2, 0, 1]], ids=str)
@pytest.mark.parametrize("target", TARGETS)
def test_scores_alone_are_those_of_the_explanation(by_target, target, classes):
    explain = by_target[target]
    found = explain.score(IMAGES, classes)
    assert found.shape == (len(IMAGES),) and found.dtype == np.float32
    np.testing.assert_allclose(found, explain(IMAGES, classes).scores, rtol=1e-5, atol=1e-6)


def test_scores_follow_the_weights_unless_they_are_frozen():
    model = build(seed=3)
    follows, frozen = GradCAM(model), Saliency(model, freeze=True)
    before = follows.score(IMAGES, 1)
    np.testing.assert_allclose(frozen.score(IMAGES, 1), before, rtol=1e-5, atol=1e-6)
    model.layers[-1].kernel.assign(2 * model.layers[-1].kernel)
    model.layers[-1].bias.assign(2 * model.layers[-1].bias)
    np.testing.assert_allclose(follows.score(IMAGES, 1), 2 * before, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(frozen.score(IMAGES, 1), before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("classes", "message"),
    [(3, "from 0 to 2; received 3"), ([0], "one per image: 3"), ("cta", "did you mean 'cat'?")],
)
def test_wrong_classes_of_scores(explain, classes, message):
    with pytest.raises(ValueError, match=message):
        explain.score(IMAGES, classes)


def test_a_misspelt_argument_is_suggested(model):
    with pytest.raises(TypeError, match="Grad-CAM has no option 'lyaer'.*did you mean 'layer'"):
        GradCAM(model, lyaer="first")


def test_neither_images_nor_classes_nor_weights_are_modified(model, explain):
    images, classes = IMAGES.copy(), np.array([0, 1, 2])
    before = [weight.numpy() for weight in model.weights]
    explain(images, classes)
    np.testing.assert_array_equal(images, IMAGES)
    assert classes.tolist() == [0, 1, 2]
    for weight, kept in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, kept)


def test_classes_by_name_and_by_index(explain):
    named = explain(IMAGES, ["dog", "cow", "cat"])
    numbered = explain(IMAGES, [1, 2, 0])
    np.testing.assert_array_equal(named.heatmaps, numbered.heatmaps)
    assert [named.class_name(place) for place in range(3)] == ["dog", "cow", "cat"]
    np.testing.assert_array_equal(explain(IMAGES, "dog").classes, [1, 1, 1])


def test_an_image_that_shows_nothing_is_said_and_not_nan(explain):
    found = explain(np.zeros((1, 8, 8, 3)))
    assert found.statuses == ("zero activations",)
    np.testing.assert_array_equal(found.heatmaps, 0)


def test_a_layer_without_evidence_does_not_hide_the_evidence_of_another():
    keras.utils.set_random_seed(2)
    silent = keras.Sequential([
        keras.Input((8, 8, 3)), L.Conv2D(4, 3, activation="relu", name="seen"),
        L.Conv2D(4, 3, name="negative", kernel_initializer="zeros",
                 bias_initializer=keras.initializers.Constant(-1)),
        L.Flatten(), L.Dense(2, kernel_initializer="ones"),
    ])  # fmt: skip
    skipped = keras.Model(
        silent.inputs[0],
        L.Dense(2, kernel_initializer="ones")(
            L.Flatten()(silent.get_layer("seen").output + silent.get_layer("seen").output)
        ) + silent.outputs[0],
    )  # fmt: skip
    found = GradCAM(skipped, ["negative", "seen"])(IMAGES, 0)
    assert (found.maps[0] == 0).all() and (found.maps[1].max((1, 2)) > 0).all()
    assert (found.heatmaps.max((1, 2)) == 1).all()
    assert found.statuses == ("ok",) * 3


@pytest.mark.parametrize("method", ["eigen_cam", "eigen_grad_cam", "grad_cam", "hires_cam"])
def test_an_image_that_overflows_inside_the_model_is_said(method):
    # Between the layers, 1e30 · 1e30 is infinite in single precision.
    inputs = keras.Input((4, 4, 1))
    x = L.Conv2D(2, 1, name="conv", kernel_initializer="ones")(inputs)
    x = L.Flatten()(L.Activation("linear", name="squared")(x * x))
    huge = keras.Model(inputs, L.Dense(2, kernel_initializer="ones")(x))
    images = np.ones((2, 4, 4, 1), np.float32)
    images[1] = 1e30
    found = Explainer(huge, method, "squared")(images, 0)
    assert found.statuses[0] == "ok" and found.statuses[1] == "not finite"
    assert np.isfinite(found.heatmaps).all() and (found.heatmaps[1] == 0).all()


# ------------------------------------------------------------------------------------ wrong images

WRONG_IMAGES = {
    "one of another size": (IMAGES[0, 1:], ValueError, r"images must have shape "
                            r"\(batch, 8, 8, 3\), or be one image"),
    "another size": (IMAGES[:, 1:], ValueError, r"received \(3, 7, 8, 3\): resize or transpose"),
    "one channel": (IMAGES[..., :1], ValueError, r"received \(3, 8, 8, 1\)"),
    "channels first": (IMAGES.transpose(0, 3, 1, 2), ValueError, r"received \(3, 3, 8, 8\)"),
    "no image": (IMAGES[:0], ValueError, "images must hold at least one image"),
    "different sizes": ([IMAGES[0], IMAGES[0, 1:]], ValueError, "images must be of one size"),
    "ragged": ([[[1], [1, 2]]], (TypeError, ValueError), "images must"),
    "a file name": ("photo.jpg", TypeError, "images must be arrays, not a path.*load_images"),
    "texts": (IMAGES.astype(str), TypeError, "images must hold numbers"),
    "objects": (IMAGES.astype(object), TypeError, "images must hold numbers, not object"),
    "complex": (IMAGES * 1j, TypeError, "images must hold numbers, not complex64"),
    "None": (None, TypeError, "images must"),
    "NaN": (np.stack([IMAGES[0], IMAGES[1] * np.nan]), ValueError, "images must be finite; image 1"
            " holds NaN or infinity"),
    "infinity": (np.stack([IMAGES[0], IMAGES[1] + np.inf]), ValueError, "images must be finite; "
                 "image 1 holds"),
    "too large for float32": (IMAGES[:1].astype(np.float64) + 1e300, ValueError, "images must be "
                              "finite"),
    "two inputs": ([IMAGES, IMAGES], ValueError, r"received \(2, 3, 8, 8, 3\)"),
    "another name": ({"image": IMAGES}, ValueError, r"input names \['photo'\] as keys"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG_IMAGES)
def test_wrong_images(explain, kind):
    images, error, message = WRONG_IMAGES[kind]
    with pytest.raises(error, match=message):
        explain(images)


WRONG_CLASSES = {
    "too large": (3, ValueError, "classes must be from 0 to 2; received 3"),
    "negative": (-1, ValueError, "classes must be from 0 to 2; received -1"),
    "one of them": ([0, 1, 9], ValueError, "classes must be from 0 to 2; received 9"),
    "too few": ([0, 1], ValueError, r"classes must be one class, or one per image: 3"),
    "floats": ([0.0, 1.0, 2.0], TypeError, "classes must be integers or class names, not float64"),
    "a probability vector": (np.eye(3), ValueError, r"received shape \(3, 3\)"),
    "unknown": ("horse", ValueError,
                "'horse', which is not one of the class names; see class_names="),
    "near miss": ("dgo", ValueError, "did you mean 'dog'?"),
    "ragged": ([[1], [1, 2]], (TypeError, ValueError), "classes must"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG_CLASSES)
def test_wrong_classes(explain, kind):
    classes, error, message = WRONG_CLASSES[kind]
    with pytest.raises(error, match=message):
        explain(IMAGES, classes)


def test_class_names_without_any(model):
    with pytest.raises(ValueError, match="no class names are known; give class_names="):
        GradCAM(model)(IMAGES, "dog")


@pytest.mark.parametrize("class_names", [["cat"], list("abcd")], ids=["too few", "too many"])
def test_class_names_of_another_number(model, class_names):
    with pytest.raises(ValueError, match=f"class_names must .*3.*{len(class_names)}"):
        GradCAM(model, class_names=class_names)(IMAGES)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("class_names", ["cat", 3], ids=repr)
def test_class_names_that_are_no_list(model, class_names):
    with pytest.raises(TypeError, match="class_names must"):
        GradCAM(model, class_names=class_names)


# ------------------------------------------------------------------------ wrong models and layers


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("model", [None, lambda x: x, L.Dense(2)],
                         ids=["None", "a function", "a layer"])  # fmt: skip
def test_what_is_no_model(model):
    with pytest.raises(TypeError, match="model must be a keras.Model, not .* of type"):
        GradCAM(model)


def test_a_model_that_is_not_built():
    model = keras.Sequential([L.Conv2D(2, 3), L.Flatten(), L.Dense(2)], name="raw")
    message = "model 'raw' is not built: it has no weights to explain yet; call it once on a batch"
    with pytest.raises(ValueError, match=message):
        GradCAM(model)


@pytest.mark.parametrize("explainer", [GradCAM, GuidedGradCAM])
def test_a_model_without_a_grid(explainer):
    model = keras.Sequential([keras.Input((6,)), L.Dense(4), L.Dense(2)])
    with pytest.raises(ValueError, match="layer cannot be found: no layer of this model returns|"
                                         "images are not among the model's inputs"):  # fmt: skip
        explainer(model)(np.ones((2, 6)))


def test_a_gradient_method_on_a_table():
    model = keras.Sequential([keras.Input((6,)), L.Dense(2)])
    message = r"images are not among the model's inputs \(\(None, 6\) float32\)"
    with pytest.raises(ValueError, match=message):
        Saliency(model)(np.ones((2, 6)))


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        ("secnod", ValueError, "no layer 'secnod' in model 'scene'; did you mean second"),
        ("zzz", ValueError, r"no layer 'zzz' in model 'scene'; suggest_layers\(model\) lists"),
        (["first", "zzz"], ValueError, "no layer 'zzz'"),
        ([], ValueError, "layer must name at least one layer; received an empty list"),
        (3, TypeError, "layer must be a path, a name or a layer of the model, not 3 of type int"),
    ],
)
def test_wrong_layers(model, layer, error, message):
    with pytest.raises(error, match=message):
        GradCAM(model, layer)


def test_a_layer_of_another_model(model):
    message = "layer 'second' is not a part of model 'scene'; pass a layer of this model"
    with pytest.raises(ValueError, match=message):
        GradCAM(model, build().get_layer("second"))


def test_a_name_that_several_layers_have():
    def part(name):
        return keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(2, 3, name="conv")], name=name)

    inputs = keras.Input((8, 8, 3))
    twins = keras.Model(inputs, part("left")(inputs) + part("right")(inputs), name="twins")
    with pytest.raises(ValueError, match="names 2 layers of model 'twins': left/conv, right/conv"):
        GradCAM(twins, "conv")


def test_a_layer_without_a_grid(model):
    message = (
        r"layer 'pool' returns an output of shape \(None, 5\), which has no grid to draw a map"
    )
    with pytest.raises(ValueError, match=message):
        GradCAM(model, "pool")(IMAGES)


def test_a_layer_behind_the_logits(model):
    with pytest.raises(ValueError, match="on .*'head': its|layer 'head' returns .* no grid"):
        GradCAM(model, "head")(IMAGES)


def test_a_layer_beside_the_output(two_headed):
    with pytest.raises(ValueError, match="target does not depend on .*'aside': its score has no"):
        GradCAM(two_headed, "aside", output="kind")(IMAGES)


def test_a_method_that_takes_no_layer(model):
    with pytest.raises(TypeError, match="layer='first' does not go with Saliency: it looks at the "
                                        "images; leave layer out"):  # fmt: skip
        Explainer(model, "saliency", "first")


@pytest.mark.parametrize("call_index", [1, -1])
def test_a_run_that_there_is_not(model, call_index):
    message = f"call_index must be from 0 to 0 for layer 'second', not {call_index}"
    with pytest.raises(ValueError, match=message):
        GradCAM(model, "second", call_index=call_index)(IMAGES)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("call_index", ["first", 0.5], ids=repr)
def test_a_run_that_is_no_number(model, call_index):
    with pytest.raises(TypeError, match="call_index must"):
        GradCAM(model, "second", call_index=call_index)(IMAGES)


def test_a_grid_that_does_not_fit():
    tokens = keras.Sequential([
        keras.Input((8, 8, 3)), L.Conv2D(4, 4, 4), L.Reshape((4, 4), name="tokens"), L.Flatten(),
        L.Dense(2),
    ])  # fmt: skip
    assert GradCAM(tokens, "tokens", grid=(2, 2))(IMAGES).maps.shape == (3, 2, 2)
    with pytest.raises(ValueError, match=r"grid=\(3, 3\) is not how .* into \(2, 2\)"):
        GradCAM(tokens, "tokens", grid=(3, 3))(IMAGES)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("grid", [(4,), 2, (0, 0), (-2, -2), (2.0, 2.0)], ids=str)
def test_a_grid_that_is_none(model, grid):
    with pytest.raises((TypeError, ValueError), match="grid must"):
        GradCAM(model, "second", grid=grid)(IMAGES)


# ------------------------------------------------------------- wrong targets, outputs and options


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("target", ["logit", 3, CLASS_NAMES], ids=str)
def test_a_target_that_is_no_function(model, target):
    with pytest.raises(
        TypeError, match="target must be a function .outputs, classes. -> scores, no"
    ):
        GradCAM(model, target=target)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (lambda y, c: tf.reduce_sum(y), ValueError, r"must return one score per image, shape "
         r"\(batch,\); it returned \(\) for outputs of \(None, 3\)"),
        (lambda y, c: y, ValueError, r"it returned \(None, 3\) for outputs of \(None, 3\)"),
        (lambda y, c: y[0], ValueError, "target must return one score per image"),
        (lambda y, c: y[:1, 0], ValueError, "target must return one score per image"),
        (lambda y, c: None, ValueError, "it returned NoneType"),
        (lambda y, c: 1.0, ValueError, "it returned float"),
        (lambda y, c: tf.argmax(y, -1), TypeError, "must return floating-point scores, not int64"),
        (lambda y, c: tf.zeros(tf.shape(c)), ValueError, "target does not depend on .*'second'"),
        (lambda y, c: tf.stop_gradient(y[:, 0]), ValueError, "does not depend on .*'second'"),
        (targets.region_mean(), ValueError, "target region_mean needs an output with a grid"),
        (targets.contrast(3), ValueError, "other must be from 0 to 2"),
        (targets.contrast([0, 1, 2]), ValueError, "other must be one class|target"),
    ],
    ids=["a sum", "all outputs", "one image", "some images", "nothing", "a number", "an index",
         "a constant", "no gradient", "region", "contrast", "contrast of another batch"],
)  # fmt: skip
def test_wrong_targets(model, target, error, message):
    with pytest.raises(error, match=message):
        GradCAM(model, "second", target=target)(IMAGES[:2])


def test_a_target_that_does_not_depend_on_the_images(model):
    with pytest.raises(ValueError, match="target does not depend on .*images"):
        Saliency(model, target=lambda y, c: tf.zeros(tf.shape(c)))(IMAGES)


def test_contrast_with_another_class_for_each_image(model):
    logit, found = GradCAM(model), GradCAM(model, target=targets.contrast([1, 2, 0]))
    wanted = logit(IMAGES, [0, 1, 2]).scores - logit(IMAGES, [1, 2, 0]).scores
    np.testing.assert_allclose(found(IMAGES, [0, 1, 2]).scores, wanted, rtol=1e-4, atol=1e-5)


def test_a_region_for_each_image():
    model = keras.Sequential([
        keras.Input((8, 8, 3)), L.Conv2D(4, 3, padding="same", name="features"), L.Conv2D(2, 1),
    ])  # fmt: skip
    masks = np.zeros((3, 8, 8))
    masks[0, 0, 0], masks[1, :2], masks[2] = 1, 1, 1
    found = GradCAM(model, target=targets.region_mean(masks))(IMAGES, 1)
    logits = model(IMAGES).numpy()[..., 1]
    wanted = [logits[0, 0, 0], logits[1, :2].mean(), logits[2].mean()]
    np.testing.assert_allclose(found.scores, wanted, rtol=1e-4)
    with pytest.raises(ValueError, match="mask|target"):
        GradCAM(model, target=targets.region_mean(masks))(IMAGES[:2], 1)


def test_a_regression_has_one_class():
    model = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(2, 3), L.Flatten(), L.Dense(1)])
    with pytest.raises(
        ValueError, match="from 0 to 0; received 1; one unit that is the logit of tw"
    ):
        GradCAM(model)(IMAGES, 1)
    binary = GradCAM(model, target=targets.binary)
    np.testing.assert_allclose(binary(IMAGES, 1).scores, -binary(IMAGES, 0).scores)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("output", "error", "message"),
    [
        ("kinds", ValueError, "output must be one of 'kind', 'age', not 'kinds'"),
        (2, ValueError, "output must be from 0 to 1, not 2"),
        (-1, ValueError, "output must be from 0 to 1, not -1"),
        (1.0, TypeError, "output must be a name or an index, not 1.0"),
        (True, TypeError, "output must be a name or an index, not True"),
        (None, ValueError, "the model has 2 outputs; choose one by output="),
    ],
)
def test_wrong_outputs(two_headed, output, error, message):
    with pytest.raises(error, match=message):
        GradCAM(two_headed, output=output)(IMAGES)


@pytest.mark.parametrize(
    ("classes", "error", "message"),
    [
        ("dgo", ValueError, "classes names 'dgo'.*did you mean 'dog'"),
        (7, ValueError, "classes must"),
        ([0, 1], ValueError, "classes"),
        (1.5, TypeError, "classes must"),
    ],
)
def test_a_wrong_class_is_told_before_anything_is_compiled(
    model, monkeypatch, classes, error, message
):
    """A typing mistake costs no trace."""
    explainer = GradCAM(model, class_names=["cat", "dog", "cow"])
    monkeypatch.setattr(program, "compile_graph", None)  # to be called no more
    with pytest.raises(error, match=message):
        explainer(IMAGES, classes)


@keras.saving.register_keras_serializable("front_door")
class Counting(keras.Model):
    """A model that declares nothing, and counts how often it is run or traced."""

    def __init__(self):
        super().__init__()
        self.runs, self.conv, self.head = 0, L.Conv2D(4, 3), L.Dense(3, activation="softmax")

    def call(self, images):
        self.runs += 1
        return self.head(keras.ops.mean(self.conv(images), (1, 2)))


def test_a_wrong_class_name_costs_no_run_of_a_model_that_declares_nothing():
    model = Counting()
    model(IMAGES)
    before = model.runs
    with pytest.raises(ValueError, match="classes names 'dgo'.*did you mean 'dog'"):
        GradCAM(model, class_names=CLASS_NAMES)(IMAGES, "dgo")
    assert model.runs == before
    GradCAM(model, class_names=CLASS_NAMES)(IMAGES, "dog")
    assert model.runs > before


def test_a_first_call_walks_the_layers_twice(model, monkeypatch):
    """Once to compile, and once to compare with the model; later calls do not."""
    walks, children = [], layers._children
    monkeypatch.setattr(layers, "_children", lambda part: (walks.append(part), children(part))[1])
    explainer = GradCAM(model)
    explainer(IMAGES)
    assert sum(part is model for part in walks) == 2
    explainer(IMAGES)
    assert sum(part is model for part in walks) == 2


@pytest.mark.usefixtures("unchecked")
def test_unknown_words(model):
    with pytest.raises(ValueError, match="method must be a registered name, not 'gradcm'; did you "
                                         "mean 'grad_cam'?"):  # fmt: skip
        Explainer(model, "gradcm")
    with pytest.raises(ValueError, match="normalize must be one of 'max', 'minmax', 'signed', 'none"
                                         "', not 'std'"):  # fmt: skip
        GradCAM(model, normalize="std")
    with pytest.raises(TypeError, match="Integrated gradients has no option 'samples'; its options:"
                                        " steps, baseline"):  # fmt: skip
        Explainer(model, "integrated_gradients", samples=3)
    with pytest.raises(TypeError, match="Grad-CAM has no option 'steps'; its options: none"):
        Explainer(model, "grad_cam", steps=3)
    with pytest.raises(TypeError, match="localization"):
        Explainer(model, "guided_grad_cam", localization=1)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("normalize", [["max"], "maximum", 3], ids=str)
def test_what_is_no_way_to_normalise(model, normalize):
    with pytest.raises((TypeError, ValueError), match="normalize must be one of"):
        GradCAM(model, normalize=normalize)


def test_a_method_that_does_not_suit_the_model():
    flat = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(2, 3, name="conv"), L.Flatten(),
                             L.Dense(2)])  # fmt: skip
    message = "layer 'conv' does not suit CAM: CAM needs global average pooling and one dense layer"
    with pytest.raises(ValueError, match=message):
        CAM(flat)(IMAGES)


def test_after_an_error_the_explainer_works_on(explain):
    wanted = explain(IMAGES).heatmaps
    for images, classes in ((IMAGES[0, 0], None), (IMAGES, 7), (None, None)):
        with pytest.raises((TypeError, ValueError)):
            explain(images, classes)
    np.testing.assert_array_equal(explain(IMAGES).heatmaps, wanted)


# --------------------------------------------------------------------------------------------- fuzz

DTYPES = st.sampled_from(
    ["float16", "float32", "float64", "uint8", "int32", "int64", "bool", "complex64", "U2", "O"]
)
FITTING = st.tuples(st.integers(0, 3), st.just(8), st.just(8), st.just(3))
ANY_SHAPE = st.lists(st.sampled_from([0, 1, 3, 8]), max_size=5).map(tuple)


@st.composite
def any_images(draw):
    shape, dtype = draw(st.one_of(FITTING, FITTING, ANY_SHAPE)), draw(DTYPES)
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, shape)
    array = np.asarray(values).astype(dtype)
    if array.size and array.dtype.kind == "f" and draw(st.integers(0, 3)) == 0:
        array.flat[0] = draw(st.sampled_from([np.nan, np.inf, -np.inf, np.finfo(dtype).max]))
    return draw(st.sampled_from([lambda a: a, list if array.ndim else lambda a: a]))(array)


WORDS = st.sampled_from([*CLASS_NAMES, "dogs", "", "7"])
ONE_CLASS = st.one_of(st.integers(-3, 5), st.integers(), st.floats(), WORDS, st.none(),
                      st.booleans(), st.binary(max_size=2))  # fmt: skip
ANY_CLASSES = st.one_of(
    st.none(), st.integers(0, 2), ONE_CLASS, st.lists(st.integers(0, 2), max_size=3),
    st.lists(st.one_of(ONE_CLASS, st.lists(ONE_CLASS, max_size=2)), max_size=3),
    hnp.arrays(hnp.integer_dtypes() | hnp.floating_dtypes(), st.integers(0, 3)),
)  # fmt: skip


@pytest.fixture(scope="module")
def explainers(model):
    return {how: LayerCAM(model, normalize=how, class_names=CLASS_NAMES)
            for how in ("max", "minmax", "signed", "none")}  # fmt: skip


@given(any_images(), ANY_CLASSES, st.sampled_from(["max", "minmax", "signed", "none"]))
@example(IMAGES, [[0], [1, 2]], "max")
@example([[1, [2]]], None, "max")
@example(np.full((1, 8, 8, 3), 1e300), None, "max")
@example(IMAGES, [1, "dog", 2], "max")
@example(IMAGES, ["dog", "cat", "cow"], "max")
@example(IMAGES[:1], None, "signed")
def test_whatever_is_given_is_explained_or_named(explainers, images, classes, normalize):
    try:
        found = explainers[normalize](images, classes)
    except (TypeError, ValueError) as error:
        assert "images" in str(error) or "classes" in str(error)
        return
    batch = len(images)
    low, high = {"max": (0, 1), "minmax": (0, 1), "signed": (-1, 1)}.get(normalize, (0, np.inf))
    assert found.heatmaps.shape == (batch, 8, 8) and found.heatmaps.dtype == np.float32
    assert found.maps.shape == (batch, 4, 4)
    assert np.isfinite(found.heatmaps).all()
    assert (found.heatmaps >= low).all() and (found.heatmaps <= high).all()
    assert found.classes.shape == found.scores.shape == (batch,) and len(found.statuses) == batch
    if classes is not None:
        asked = np.broadcast_to(np.asarray(classes), batch).tolist()
        wanted = [CLASS_NAMES.index(name) if isinstance(name, str) else name for name in asked]
        assert found.classes.tolist() == wanted
    np.testing.assert_array_equal(found.images, np.asarray(images, np.float32))


CLASSES = tuple(name for name in kerascam.__all__ if hasattr(getattr(kerascam, name), "_method"))


@pytest.mark.parametrize(
    "name", rows(("CAM", "EigenCAM", "GradCAM", "GuidedGradCAM", "IntegratedGradients"), CLASSES)
)
def test_every_class_explains_a_batch(model, name):
    found = getattr(kerascam, name)(model)(IMAGES, [0, 1, 2])
    assert found.heatmaps.shape == (3, 8, 8)
    assert found.heatmaps.min() >= 0 and found.heatmaps.max() <= 1
    assert found.classes.tolist() == [0, 1, 2]
    assert found.method == getattr(kerascam, name)._method
    alone = getattr(kerascam, name)(model)(IMAGES[1:2], 1)
    np.testing.assert_allclose(alone.heatmaps[0], found.heatmaps[1], atol=1e-4)


# ------------------------------------------------------------ several outputs, by their own names


class Nested(keras.Model):
    """Outputs that keras.tree flattens in another order than their names' own."""

    def __init__(self, arrange):
        super().__init__()
        self.conv = keras.layers.Conv2D(4, 3, activation="relu")
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.heads = [keras.layers.Dense(units) for units in (5, 2, 3)]
        self.arrange = arrange

    def call(self, images):
        features = self.pool(self.conv(images))
        return self.arrange([head(features) for head in self.heads])


@pytest.mark.parametrize(
    ("arrange", "name", "units"),
    [
        (lambda h: collections.OrderedDict(b=h[0], a=h[1]), "a", 2),
        (lambda h: {"z": h[1], "y": [h[0], h[2]]}, "z", 2),
        (lambda h: {"z": h[1], "a": h[0]}, "z", 2),
    ],
    ids=["ordered dict", "nested dict", "dict"],
)
def test_an_output_is_the_one_of_that_name(arrange, name, units):
    model = Nested(arrange)
    wanted = model(IMAGES)[name].numpy()
    assert wanted.shape[-1] == units
    found = GradCAM(model, output=name)(IMAGES, 1)
    np.testing.assert_allclose(found.scores, wanted[:, 1], rtol=1e-4, atol=1e-6)


def test_a_name_that_holds_several_outputs_is_refused():
    model = Nested(lambda h: {"z": h[1], "y": [h[0], h[2]]})
    model(IMAGES)
    with pytest.raises(ValueError, match="output 'y' holds 2 tensors; choose one of 'y/0', 'y/1'"):
        GradCAM(model, output="y")(IMAGES)
    found = GradCAM(model, output="y/1")(IMAGES, 1)
    np.testing.assert_allclose(found.scores, model(IMAGES)["y"][1][:, 1], rtol=1e-4, atol=1e-6)


def test_losses_of_a_layer_are_left_as_they_were():
    model = keras.Sequential([
        keras.Input(IMAGES.shape[1:]),
        keras.layers.Conv2D(4, 3, activity_regularizer="l2"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2),
    ])  # fmt: skip
    model(IMAGES)
    before = [float(loss) for loss in model.losses]
    GradCAM(model)(IMAGES)
    kerascam.suggest_layers(model)
    assert [float(loss) for loss in model.losses] == before


def test_inputs_by_the_keys_of_a_functional_model():
    images = keras.Input(IMAGES.shape[1:], name="x")
    features = keras.layers.Conv2D(4, 3, activation="relu")(images)
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    with pytest.warns(UserWarning, match="all keys in the dict must match the names"):
        model = keras.Model({"img": images}, keras.layers.Dense(3)(pooled))
    found = GradCAM(model)({"img": IMAGES}, 1)
    np.testing.assert_allclose(found.scores, model({"img": IMAGES})[:, 1], rtol=1e-4)


def test_the_explained_images_are_a_copy(model):
    mine = IMAGES.copy()
    found = GradCAM(model)(mine)
    mine[:] = 0
    np.testing.assert_array_equal(found.images, IMAGES.astype(found.images.dtype))


@pytest.mark.parametrize(
    "target", [lambda y, c: y.numpy()[:, 0], lambda y, c: y[:, 0] if y[0, 0] > 0 else y[:, 1]]
)
def test_a_target_that_cannot_become_a_graph(model, target):
    with pytest.raises(TypeError, match="target must be made of TensorFlow operations"):
        GradCAM(model, target=target)(IMAGES)


@pytest.mark.parametrize(
    ("name", "place"), [("tabby", 1), ("Tabby Cat", 1), ("tabby, tabby cat", 1), ("crane-bird", 2)]
)
def test_a_class_by_one_of_its_synonyms(model, name, place):
    class_names = ["tench", "tabby, tabby cat", "crane-bird"]
    assert GradCAM(model, class_names=class_names)(IMAGES, name).classes.tolist() == [place] * len(
        IMAGES
    )


def test_a_class_name_that_two_classes_have(model):
    with pytest.raises(ValueError, match=r"2 classes have: \[0, 2\]; give the index"):
        GradCAM(model, class_names=["crane", "cat", "crane"])(IMAGES, "crane")


@pytest.mark.usefixtures("unchecked")
def test_class_names_in_no_order(model):
    for class_names in ({0: "cat", 1: "dog", 2: "cow"}, {"cat", "dog", "cow"}):
        with pytest.raises(TypeError, match="class_names must be a list of class names in order"):
            GradCAM(model, class_names=class_names)


def test_options_are_checked_before_anything_is_computed(model):
    with pytest.raises(ValueError, match="samples must be at least 1, not 0"):
        kerascam.SmoothGrad(model, samples=0)
    with pytest.raises(ValueError, match="steps must be at least 1, not -1"):
        kerascam.IntegratedGradients(model, steps=-1)
    with pytest.raises(TypeError, match="call_index=1 does not go with Saliency"):
        Explainer(model, "saliency", call_index=1)


@pytest.mark.parametrize(
    ("change", "told"), [(lambda p: p * 1.0, True), (lambda p: tf.clip_by_value(p, 0, 1), True)]
)
def test_a_softmax_that_is_changed_behind_it_is_told_of(change, told):
    images = keras.Input(IMAGES.shape[1:])
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(images))
    chances = keras.layers.Dense(3, activation="softmax")(pooled)
    changed = keras.Model(images, keras.layers.Lambda(change)(chances))
    found = GradCAM(changed)(IMAGES / 255, 1)
    assert any("changed after it" in note for note in found.notes) is told
    np.testing.assert_allclose(found.scores, changed(IMAGES / 255)[:, 1], rtol=1e-5)
    plain = GradCAM(keras.Model(images, chances))(IMAGES / 255, 1)
    assert not any("changed after it" in note for note in plain.notes)

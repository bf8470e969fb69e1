"""A training that is watched: what is recorded is right, and the training is as without it."""

import functools
import warnings
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from proofs import pairs, wide

from kerascam import ExplainCallback, Explainer, GradCAM, LayerCAM
from kerascam.callback.watched import LARGEST
from kerascam.explain import program
from kerascam.pictures.figures import sheet

L = keras.layers
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (40, 16, 16, 3)).astype(np.float32)
CLASSES = np.arange(40) % 3
IMAGES[np.arange(40), ..., CLASSES] /= 4  # something to learn
WATCHED, ASKED = IMAGES[:4], CLASSES[:4]
CLASS_NAMES = ["red", "green", "blue"]


def new_network(policy="float32"):
    """Dropout and batch statistics would show that a random number or a state was used up."""
    keras.utils.set_random_seed(1)
    return keras.Sequential([
        keras.Input((16, 16, 3)), L.Rescaling(1 / 255, dtype=policy),
        L.Conv2D(4, 3, activation="relu", dtype=policy), L.BatchNormalization(dtype=policy),
        L.Dropout(0.2, dtype=policy), L.Conv2D(6, 3, activation="relu", name="last", dtype=policy),
        L.GlobalAveragePooling2D(dtype=policy), L.Dense(3, activation="softmax", dtype="float32"),
    ])  # fmt: skip


@functools.cache
def _traced_once():
    """A compiled network, whose training is traced by the first test alone, and its variables."""
    model = new_network()
    model.compile(
        "adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    model.optimizer.build(model.trainable_variables)
    variables = model.variables + model.optimizer.variables
    return model, [(variable, variable.numpy()) for variable in variables]


def network():
    """The network as it was before any training, whatever the tests before have trained."""
    model, variables = _traced_once()
    for variable, value in variables:
        variable.assign(value)
    model.stop_training = False
    return model


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.last = L.Conv2D(5, 3, activation="relu", name="last")
        self.pool, self.drop = L.GlobalAveragePooling2D(), L.Dropout(0.3)
        self.dense = L.Dense(3, activation="softmax")

    def call(self, images, training=False):
        return self.dense(self.drop(self.pool(self.last(images / 255)), training=training))


def subclassed():
    keras.utils.set_random_seed(1)
    model = Subclassed()
    model(WATCHED[:1])
    return model


def fit(model, *callbacks, epochs=3, jit=False, **more):
    """Train as every test here does, and return the history."""
    if not model.compiled:
        model.compile(
            "adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=jit
        )
    keras.utils.set_random_seed(2)
    return model.fit(
        IMAGES, CLASSES, batch_size=10, epochs=epochs, verbose=0, callbacks=list(callbacks),
        validation_data=(WATCHED, ASKED), **more,
    ).history  # fmt: skip


class Diary(keras.callbacks.Callback):
    """Notes the weights of each epoch, and what the watch found in it."""

    def __init__(self, watch):
        super().__init__()
        self.watch, self.weights, self.found = watch, [], []

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append([weight.numpy().copy() for weight in self.model.weights])
        self.found.append(self.watch.explanation)


def events(folder):
    """Read what TensorBoard's files hold: by (tag, step), pictures or numbers."""
    found = {}
    for path in sorted(Path(folder).glob("*.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                tensor = tf.make_ndarray(value.tensor)
                if value.metadata.plugin_data.plugin_name == "images":
                    width, height, *pictures = tensor.tolist()
                    (tensor,) = (tf.image.decode_png(picture).numpy() for picture in pictures)
                    assert (int(height), int(width)) == tensor.shape[:2]
                found[value.tag, event.step] = tensor
    return found


def read_png(path):
    return cv2.imread(str(path))[..., ::-1]


def place_of(picture, drawn):
    """Where a picture lies in a larger one, pixel for pixel."""
    distances = cv2.matchTemplate(drawn, picture, cv2.TM_SQDIFF)
    y, x = np.unravel_index(distances.argmin(), distances.shape)
    here = drawn[y : y + picture.shape[0], x : x + picture.shape[1]]
    np.testing.assert_array_equal(here, picture)
    return int(y), int(x)


# ------------------------------------------------------------------------------- what is recorded


@pytest.mark.parametrize("make", wide([subclassed], [new_network, subclassed]))
def test_each_epoch_is_explained_with_its_own_weights_in_one_trace(make, tmp_path, monkeypatch):
    traced = []
    compile_graph = program.compile_graph

    def count(*arguments, **named):
        traced.append(arguments)
        return compile_graph(*arguments, **named)

    monkeypatch.setattr(program, "compile_graph", count)
    fitted = make()
    watch = ExplainCallback(WATCHED, GradCAM(fitted), ASKED, folder=tmp_path)
    diary = Diary(watch)
    fit(fitted, watch, diary)
    assert len(traced) == 1
    model = make()
    for weights, found in zip(diary.weights, diary.found, strict=True):
        for weight, value in zip(model.weights, weights, strict=True):
            weight.assign(value)
        wanted = GradCAM(model)(WATCHED, ASKED)
        np.testing.assert_array_equal(found.heatmaps, wanted.heatmaps)
        np.testing.assert_array_equal(found.probabilities, wanted.probabilities)
    first, *_, last = diary.found
    assert np.abs(first.maps - last.maps).max() > 1e-4  # not that of the first epoch for ever


def test_tensorboard_gets_each_overlay_and_the_mean_probability(tmp_path):
    model = network()
    watch = ExplainCallback(WATCHED, LayerCAM(model), ASKED, log_dir=tmp_path)
    diary = Diary(watch)
    fit(model, watch, diary, epochs=2)
    found = events(tmp_path / "explanations")
    names = {f"layer_cam/{place:02d}" for place in range(4)} | {"layer_cam/mean_probability"}
    assert set(found) == {(name, step) for name in names for step in (0, 1)}
    for step, explanation in enumerate(diary.found):
        for place, overlay in enumerate(explanation.overlay()):
            np.testing.assert_array_equal(found[f"layer_cam/{place:02d}", step], overlay)
        mean = explanation.probabilities.mean()
        np.testing.assert_allclose(found["layer_cam/mean_probability", step], mean, rtol=1e-6)


def test_without_probabilities_the_mean_score_is_recorded(tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((16, 16, 3)), L.Conv2D(4, 3), L.GlobalMaxPooling2D(), L.Dense(3)]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    watch = ExplainCallback(WATCHED, GradCAM(model), 1, log_dir=tmp_path)
    fit(model, watch, epochs=1)
    scores = events(tmp_path / "explanations")["grad_cam/mean_score", 0]
    np.testing.assert_allclose(scores, watch.explanation.scores.mean(), rtol=1e-6)


def test_keras_own_callback_may_stand_beside_it(tmp_path):
    """Which leaves recording switched off between the steps that it writes itself."""

    def board(name):
        return keras.callbacks.TensorBoard(tmp_path / name, write_graph=False, update_freq=3)

    fit(new_network(), board("alone"), epochs=2)
    model = new_network()
    watch = ExplainCallback(WATCHED, GradCAM(model), log_dir=tmp_path / "both")
    fit(model, board("both"), watch, epochs=2)
    found = events(tmp_path / "both" / "explanations")
    assert {step for tag, step in found if tag == "grad_cam/00"} == {0, 1}
    wanted = events(tmp_path / "alone" / "train")
    assert wanted.keys() == events(tmp_path / "both" / "train").keys()
    assert any(tag == "batch_loss" for tag, _ in wanted)


def test_a_sheet_an_epoch_shows_every_overlay(tmp_path):
    model = network()
    watch = ExplainCallback(
        WATCHED, GradCAM(model, class_names=CLASS_NAMES), ["red", "green", "blue", "red"],
        folder=tmp_path / "new" / "sheets", every=2,
    )  # fmt: skip
    fit(model, watch, epochs=5)
    files = sorted(path.name for path in (tmp_path / "new" / "sheets").iterdir())
    assert files == ["epoch-0002.png", "epoch-0004.png"]  # and no half of one
    drawn = read_png(tmp_path / "new" / "sheets" / files[-1])
    overlays = watch.explanation.overlay()
    heading = "Grad-CAM at last, epoch 4"
    np.testing.assert_array_equal(drawn, sheet([*overlays], watch.explanation.titles(), heading))
    assert watch.explanation.titles()[1].startswith("green, ")
    corners = [place_of(one.repeat(8, 0).repeat(8, 1), drawn) for one in overlays]
    assert [x for _, x in corners] == [10, 148, 286, 424] and len({y for y, _ in corners}) == 1


@pytest.mark.parametrize("name", ["epoch-0001.png", "EPOCH-0030.PNG"])
def test_a_sheet_of_somebody_else_is_refused_before_the_first_step(tmp_path, name):
    (tmp_path / name).write_bytes(b"somebody else's")
    (tmp_path / "epoch-1.png").write_bytes(b"no sheet's name")
    model = network()
    before = model.get_weights()
    with pytest.raises(ValueError, match=f"folder .* holds '{name}', which kerascam did not write"):
        fit(model, ExplainCallback(WATCHED, GradCAM(model), folder=tmp_path), epochs=1)
    assert all(map(np.array_equal, before, model.get_weights()))
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {
        b"somebody else's", b"no sheet's name",
    }  # fmt: skip


def test_a_sheet_of_somebody_else_that_comes_meanwhile_stays_and_training_goes_on(tmp_path):
    class Other(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                (tmp_path / "epoch-0002.png").write_bytes(b"somebody else's")

    model = network()
    watch = ExplainCallback(WATCHED, GradCAM(model), folder=tmp_path)
    with pytest.warns(RuntimeWarning, match="epoch 2 is not explained.*kerascam did not write"):
        fit(model, Other(), watch, epochs=3)
    assert (tmp_path / "epoch-0002.png").read_bytes() == b"somebody else's"
    assert read_png(tmp_path / "epoch-0003.png").ndim == 3


def test_a_training_that_goes_on_counts_on_and_traces_nothing_anew(tmp_path, monkeypatch):
    model = network()
    watch = ExplainCallback(WATCHED, GradCAM(model), folder=tmp_path, log_dir=tmp_path, every=2)
    fit(model, watch, epochs=3)
    monkeypatch.setattr(program, "compile_graph", None)  # to be called no more
    fit(model, watch, epochs=6, initial_epoch=3)
    assert [path.name for path in sorted(tmp_path.glob("*.png"))] == [
        f"epoch-000{epoch}.png" for epoch in (2, 4, 6)
    ]
    assert sorted({step for _, step in events(tmp_path / "explanations")}) == [1, 3, 5]


def test_an_explainer_of_another_model_than_the_one_in_training_is_reported(tmp_path):
    model = network()
    watch = ExplainCallback(WATCHED, GradCAM(keras.models.clone_model(model)), folder=tmp_path)
    with pytest.warns(RuntimeWarning, match="shares no weight with the model in training") as told:
        fit(model, watch, epochs=2)
    assert len(told) == 1 and len(list(tmp_path.iterdir())) == 2


# ------------------------------------------------------------------------- the training's own way


WAYS = {
    "as usual": (new_network, False),
    "compiled with XLA": (new_network, True),
    "mixed precision": (lambda: new_network("mixed_float16"), False),
    "built by its first batch": (subclassed, False),
}


@pytest.mark.parametrize(
    ("way", "method"),
    wide(
        [("as usual", "smooth_grad")],
        [(way, method) for way in WAYS for method in ("grad_cam", "smooth_grad")],
    ),
)
def test_the_training_is_the_same_to_the_last_bit(way, method, tmp_path):
    make, jit = WAYS[way]

    def train(*watching):
        model = make()
        callbacks = [
            ExplainCallback(WATCHED, Explainer(model, each), log_dir=tmp_path, folder=tmp_path)
            for each in watching
        ]
        history = fit(model, *callbacks, jit=jit)
        return history, [
            variable.numpy() for variable in model.variables + model.optimizer.variables
        ]

    history, wanted = train()
    watched_history, found = train(method)
    assert watched_history == history
    assert len(found) == len(wanted) and len(list(tmp_path.glob("*.png"))) == 3
    for mine, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(mine, theirs)


# ------------------------------------------------------------------------------- what is explained


def test_at_most_so_many_images_are_explained_and_kept(tmp_path):
    images, photos = IMAGES.copy(), list(IMAGES[:, ::2, ::2].astype(np.uint8))
    model = network()
    watch = ExplainCallback(
        images, GradCAM(model), CLASSES, photos=photos, limit=3, folder=tmp_path
    )
    diary = Diary(watch)
    fit(model, keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: images.fill(0)), watch,
        diary, epochs=1)  # fmt: skip
    assert len(watch.explanation) == 3
    np.testing.assert_array_equal(watch.explanation.classes, [0, 1, 2])
    np.testing.assert_array_equal(watch.explanation.images, IMAGES[:3])
    drawn = read_png(tmp_path / "epoch-0001.png")
    for overlay in watch.explanation.overlay(photos[:3]):
        place_of(overlay.repeat(16, 0).repeat(16, 1), drawn)  # 8 pixels are shown as 128


def test_photographs_of_any_size_are_drawn_on_and_large_ones_shrunk(tmp_path):
    photos = [np.zeros((2 * LARGEST, 640, 3), np.uint8), np.full((30, 20), 255, np.uint8)]
    model = network()
    watch = ExplainCallback(WATCHED[:2], GradCAM(model), photos=photos, log_dir=tmp_path)
    fit(model, watch, epochs=1)
    found = events(tmp_path / "explanations")
    assert found["grad_cam/00", 0].shape == (LARGEST, 320, 3)
    assert found["grad_cam/01", 0].shape == (30, 20, 3)


# Keras 3.6 warns where fit makes a tuple of the list of inputs.
@pytest.mark.filterwarnings("ignore:.*The structure of `inputs`:UserWarning")
@pytest.mark.parametrize(("kind", "shape"), pairs((dict, list), ((2,), ())))
def test_a_model_of_several_inputs(kind, shape, tmp_path):
    keras.utils.set_random_seed(0)
    photo, age = keras.Input((16, 16, 3), name="photo"), keras.Input(shape, name="age")
    pooled = L.GlobalAveragePooling2D()(L.Conv2D(4, 3, name="last")(photo))
    out = L.Dense(3, activation="softmax")(L.Concatenate()([pooled, L.Reshape((-1,))(age)]))
    named = {"photo": photo, "age": age}
    model = keras.Model(named if kind is dict else [photo, age], out)
    model.compile("sgd", "sparse_categorical_crossentropy")
    given = {"photo": IMAGES, "age": RANDOM.random((40, *shape)).astype(np.float32)}
    few = {name: values[:5] for name, values in given.items()}
    if kind is list:
        given, few = list(given.values()), list(few.values())
    watch = ExplainCallback(given, GradCAM(model), CLASSES, limit=5, folder=tmp_path)
    model.fit(given, CLASSES, verbose=0, callbacks=[watch])
    wanted = GradCAM(model)(few, CLASSES[:5])
    np.testing.assert_array_equal(watch.explanation.heatmaps, wanted.heatmaps)


@pytest.mark.filterwarnings("ignore:.*The structure of `inputs`:UserWarning")  # as above
@pytest.mark.parametrize("kind", wide([dict], [dict, list]))
def test_of_several_inputs_only_the_first_images_are_looked_at(kind, tmp_path):
    model, photos, ages = two_inputs(kind), IMAGES.copy(), np.ones(40, np.float32)
    photos[3:] = ages[3:] = np.nan  # would be told if they were looked at
    given = {"photo": photos, "age": ages} if kind is dict else [photos, ages]
    watch = ExplainCallback(given, GradCAM(model), CLASSES, limit=3, folder=tmp_path)
    few = {"photo": IMAGES, "age": np.ones(40)} if kind is dict else [IMAGES, np.ones(40)]
    model.fit(few, CLASSES, verbose=0, callbacks=[watch])
    assert len(watch.explanation) == 3
    np.testing.assert_array_equal(watch.explanation.images, IMAGES[:3])


@pytest.mark.parametrize("kind", [dict, list])
def test_inputs_that_differ_in_number_are_told_beyond_the_limit_too(kind, tmp_path):
    given = {"photo": IMAGES, "age": np.ones(30)} if kind is dict else [IMAGES, np.ones(30)]
    few = {"photo": IMAGES, "age": np.ones(40)} if kind is dict else [IMAGES, np.ones(40)]
    model = two_inputs(kind)
    watch = ExplainCallback(given, GradCAM(model), limit=5, folder=tmp_path)
    with pytest.raises(ValueError, match="one batch size over all inputs; received .*age: 30"):
        model.fit(few, CLASSES, verbose=0, callbacks=[watch])


def two_inputs(kind):
    photo, age = keras.Input((16, 16, 3), name="photo"), keras.Input((), name="age")
    pooled = L.GlobalAveragePooling2D()(L.Conv2D(4, 3, name="last")(photo))
    out = L.Dense(3, activation="softmax")(L.Concatenate()([pooled, L.Reshape((-1,))(age)]))
    model = keras.Model({"photo": photo, "age": age} if kind is dict else [photo, age], out)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def test_a_list_of_images_is_cut_like_an_array(tmp_path):
    model = network()
    watch = ExplainCallback([*WATCHED[:3], WATCHED[3] * np.nan], GradCAM(model), CLASSES[:4],
                            limit=3, folder=tmp_path)  # fmt: skip
    fit(model, watch, epochs=1)
    np.testing.assert_array_equal(watch.explanation.images, WATCHED[:3])
    np.testing.assert_array_equal(watch.explanation.classes, CLASSES[:3])


def test_a_part_of_what_is_fitted(tmp_path):
    student = network()
    outer_input = keras.Input((16, 16, 3))
    outer = keras.Model(outer_input, student(outer_input))
    watch = ExplainCallback(WATCHED, GradCAM(student, "last"), ASKED, folder=tmp_path)
    fit(outer, watch, epochs=1)
    wanted = GradCAM(student, layer="last")(WATCHED, ASKED)
    np.testing.assert_array_equal(watch.explanation.heatmaps, wanted.heatmaps)


# --------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"folder": None}, ValueError, r"log_dir, folder, trackers or metrics must be given"),
        ({"explainer": network()}, TypeError, r"explainer must be made of .* GradCAM\(model\)"),
        ({"explainer": CLASSES}, TypeError, r"explainer must be an explainer such as GradCAM"),
        (
            {"explainer": GradCAM(network(), freeze=True)},
            ValueError,
            r"explainer must not have freeze",
        ),
        ({"every": 0}, ValueError, r"every must be at least 1, not 0"),
        ({"every": 1.5}, TypeError, r"every must be a whole number, not 1\.5"),
        ({"limit": -1}, ValueError, r"limit must be at least 1, not -1"),
        ({"folder": __file__}, ValueError, r"folder='.*test_callback\.py' is a file; name a"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_wrong_arguments_are_told_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        ExplainCallback(
            WATCHED, **{"explainer": GradCAM(network()), "folder": "unused", **arguments}
        )


@pytest.mark.parametrize(
    ("images", "classes", "arguments", "error", "message"),
    [
        (WATCHED, 7, {}, ValueError, r"classes must be from 0 to 2; received 7"),
        (WATCHED, [0, 1], {}, ValueError, r"classes must be one class, or one per image: 4"),
        (IMAGES, [0] * 16, {}, ValueError, r"classes must be one class, or one per image: 40"),
        (
            WATCHED,
            "cow",
            {"class_names": CLASS_NAMES},
            ValueError,
            r"'cow', which is not one of the class names",
        ),
        (
            WATCHED,
            0,
            {"class_names": ["a"]},
            ValueError,
            r"class_names must name the model's 3 classes",
        ),
        (WATCHED[0, 0], None, {}, ValueError, r"received \(16, 3\): resize or transpose"),
        (WATCHED[0], [1, 2], {}, ValueError, r"classes must be one class, or one per image: 1"),
        (WATCHED - 500, None, {}, ValueError, r"photos must be given: .* not a picture"),
        (
            WATCHED,
            None,
            {"photos": WATCHED[:2]},
            ValueError,
            r"as many as the images, 4; received shape \(2, ",
        ),
    ],
)
def test_what_does_not_fit_the_model_is_told_before_the_first_step(
    images, classes, arguments, error, message, tmp_path
):
    model = network()
    before = model.get_weights()
    with pytest.raises(error, match=message):
        explainer = GradCAM(model, class_names=arguments.pop("class_names", None))
        place = {"folder": tmp_path / "new"}
        fit(model, ExplainCallback(images, explainer, classes, **place, **arguments))
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)
    assert not (tmp_path / "new").exists()


def test_signals_are_refused(tmp_path):
    model = keras.Sequential([
        keras.Input((32, 2)), L.Conv1D(4, 3), L.GlobalAveragePooling1D(), L.Dense(2, "softmax"),
    ])  # fmt: skip
    model.compile("sgd", "sparse_categorical_crossentropy")
    signals = np.ones((2, 32, 2), np.float32)
    watch = ExplainCallback(
        signals, GradCAM(model), folder=tmp_path, photos=np.zeros((2, 8, 8, 3), np.uint8)
    )
    with pytest.raises(ValueError, match=r"images must be two-dimensional .* \(2, 32\)"):
        model.fit(signals, np.zeros(2), verbose=0, callbacks=[watch])


def test_a_missing_tensorboard_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError, match="log_dir='logs' needs .* pip install tensorboard"
    ):
        ExplainCallback(WATCHED, GradCAM(network()), log_dir="logs")


def test_what_fails_later_is_one_warning_and_the_training_goes_on(tmp_path):
    folder, model = tmp_path / "sheets", network()

    def spoil(epoch, logs):
        if epoch == 1:
            (folder / "epoch-0001.png").unlink()
            folder.rmdir()
            folder.write_text("no folder any more")

    watch = ExplainCallback(WATCHED, GradCAM(model), folder=folder, log_dir=tmp_path)
    with pytest.warns(RuntimeWarning, match=r"epoch 2 is not .* training goes on: .*") as told:
        history = fit(model, keras.callbacks.LambdaCallback(on_epoch_begin=spoil), watch, epochs=4)
    assert len(told) == 1 and len(history["loss"]) == 4
    # What does not need the folder is there all the same.
    assert sorted({step for _, step in events(tmp_path / "explanations")}) == [0, 1, 2, 3]


def test_weights_that_diverged_are_said_and_not_fatal(tmp_path):
    model = network()
    diverge = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: model.set_weights(
            [w * np.nan for w in model.get_weights()]
        )
    )
    watch = ExplainCallback(WATCHED, GradCAM(model), folder=tmp_path, log_dir=tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(model, diverge, watch, epochs=1)
    assert watch.explanation.statuses == ("not finite",) * 4
    np.testing.assert_array_equal(watch.explanation.heatmaps, 0)
    assert (tmp_path / "epoch-0001.png").is_file()


def test_a_curve_goes_on_when_the_weights_diverge(tmp_path):
    model = network()

    def diverge(epoch, logs):
        if epoch == 1:
            model.set_weights([w * np.nan for w in model.get_weights()])

    watch = ExplainCallback(WATCHED, GradCAM(model), log_dir=tmp_path)
    fit(model, keras.callbacks.LambdaCallback(on_epoch_begin=diverge), watch, epochs=2)
    found = events(tmp_path / "explanations")
    numbers = {tag: step for tag, step in found if "mean_" in tag}
    assert numbers == {"grad_cam/mean_probability": 1}
    assert np.isfinite(found["grad_cam/mean_probability", 0])
    assert np.isnan(found["grad_cam/mean_probability", 1])


def test_a_model_that_is_spoilt_from_the_first_has_its_curve_too(tmp_path):
    model = network()
    model.set_weights([w * np.nan for w in model.get_weights()])
    fit(model, ExplainCallback(WATCHED, GradCAM(model), log_dir=tmp_path), epochs=1)
    found = events(tmp_path / "explanations")
    assert np.isnan(found["grad_cam/mean_probability", 0])


def test_a_training_goes_on_where_warnings_are_errors(tmp_path, caplog):
    model = network()
    watch = ExplainCallback(WATCHED, GradCAM(model), folder=tmp_path / "new")
    spoil = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: (tmp_path / "new").rmdir() or (tmp_path / "new").touch()
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = fit(model, spoil, watch, epochs=1)
    assert len(history["loss"]) == 1
    (told,) = (record for record in caplog.records if record.name == "kerascam.callback")
    assert told.levelname == "WARNING" and "epoch 1 is not explained" in told.getMessage()


def test_a_remote_log_dir_keeps_its_scheme():
    model = network()
    fit(model, ExplainCallback(WATCHED, GradCAM(model), log_dir="ram://logs/run"), epochs=1)
    assert len(tf.io.gfile.glob("ram://logs/run/explanations/events.*")) == 1


@pytest.mark.usefixtures("unchecked")
def test_overlays_are_drawn_in_the_style_that_is_asked_for(tmp_path):
    model = network()
    watch = ExplainCallback(WATCHED, GradCAM(model), folder=tmp_path, style="outline")
    fit(model, watch, epochs=1)
    drawn = read_png(tmp_path / "epoch-0001.png")
    for overlay in watch.explanation.overlay(style="outline"):
        place_of(overlay.repeat(8, 0).repeat(8, 1), drawn)
    with pytest.raises(ValueError, match="style must be one of 'heat', 'uniform', 'outline', not"):
        ExplainCallback(WATCHED, GradCAM(model), folder=tmp_path, style="lines")

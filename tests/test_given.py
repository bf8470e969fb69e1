"""Images as users have them: one alone, PIL images, data sets; the rest is refused with a fix."""

import pathlib
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerascam import GradCAM, Saliency, suggest_layers
from kerascam.given import as_arrays, refuse_others
from kerascam.inputs import InputSpec, conform

L = keras.layers
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (5, 8, 9, 3)).astype(np.uint8)


def spec(*shape):
    return [InputSpec("photo", shape, "float32")]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential([
        keras.Input((8, 9, 3)), L.Conv2D(4, 3, activation="relu", name="last"),
        L.GlobalAveragePooling2D(), L.Dense(3, "softmax"),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def explain(model):
    return GradCAM(model, class_names=["cat", "dog", "cow"])


@pytest.fixture(scope="module")
def wanted(explain):
    return explain(IMAGES, "dog")


# ------------------------------------------------------------------------------- an image alone


def test_an_image_alone_is_a_batch_of_one(explain, wanted):
    found = explain(IMAGES[2], "dog")
    assert len(found) == 1 and found.images.shape == (1, 8, 9, 3)
    np.testing.assert_allclose(found.maps, wanted.maps[2:3], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(explain(IMAGES[2].tolist(), 1).maps, found.maps)
    np.testing.assert_array_equal(explain(tf.constant(IMAGES[2]), [1]).maps, found.maps)
    np.testing.assert_array_equal(explain.score(IMAGES[2], 1), found.scores)


@pytest.mark.parametrize(
    ("shape", "given", "batch"),
    [
        ((4, 4, 1), (4, 4, 1), (1, 4, 4, 1)),
        ((None, None, 1), (4, 6, 1), (1, 4, 6, 1)),
        ((3, None, None), (3, 4, 4), (1, 3, 4, 4)),
        ((4, 4), (4, 4), (1, 4, 4)),  # by the rank: never four signals of four
        ((4,), (4,), (1, 4)),
        ((), (), (1,)),
        ((4, 4, 4), (4, 4, 4), (1, 4, 4, 4)),
        ((4, 4, 4), (4, 4, 4, 4), (4, 4, 4, 4)),
    ],
    ids=str,
)
def test_the_rank_decides(shape, given, batch):
    assert conform(np.ones(given), spec(*shape))[0].shape == batch


@pytest.mark.parametrize(
    ("shape", "given", "message"),
    [
        ((4, 4, 1), (4, 4), r"add a channel axis with images\[..., None\]"),
        ((4, 4, 1), (5, 4, 4), r"add a channel axis with images\[..., None\]"),
        ((4, 4, 3), (4, 3, 4), "or be one image of it without the batch axis"),
        ((None, None, 3), (4, 4, 4), "or be one image of it without the batch axis"),
        ((4, 4, 3), (4,), "resize or transpose them"),
    ],
    ids=str,
)
def test_what_is_no_image_of_the_model_is_refused(shape, given, message):
    with pytest.raises(ValueError, match=message):
        conform(np.ones(given), spec(*shape))


def test_alone_for_each_of_several_inputs():
    specs = [InputSpec("photo", (4, 4, 3), "float32"), InputSpec("age", (), "float32")]
    for given in ([np.ones((4, 4, 3)), 7], {"photo": np.ones((4, 4, 3)), "age": 7.0}):
        photo, age = conform(given, specs)
        assert photo.shape == (1, 4, 4, 3) and age.tolist() == [7]
    with pytest.raises(ValueError, match="one batch size over all inputs"):
        conform([np.ones((4, 4, 3)), np.ones(2)], specs)


# ---------------------------------------------------------------------------------- PIL images


def test_pil_images_are_taken(explain, wanted):
    pictures = [Image.fromarray(image) for image in IMAGES]
    np.testing.assert_array_equal(explain(pictures, "dog").maps, wanted.maps)
    alone = explain(pictures[0], "dog")
    np.testing.assert_array_equal(alone.maps, explain(IMAGES[0], "dog").maps)
    mixed = explain([pictures[0], IMAGES[1]], "dog")
    np.testing.assert_allclose(mixed.maps, wanted.maps[:2], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "shape"),
    [("RGB", (4, 5, 3)), ("RGBA", (4, 5, 3)), ("P", (4, 5, 3)), ("L", (4, 5, 3)),
     ("CMYK", (4, 5, 3)), ("RGB", (4, 5, 1)), ("1", (4, 5, 1)), ("RGB", (3, 4, 5)),
     ("RGB", (4, 5, 4)), ("RGB", (None, None, None))],
    ids=str,
)  # fmt: skip
def test_a_pil_image_has_the_channels_of_the_model(mode, shape):
    picture = Image.fromarray(IMAGES[0, :4, :5]).convert(mode)
    (found,) = conform(picture, spec(*shape))
    colors = {1: "L", 4: "RGBA"}.get(shape[-1], "RGB")
    pixels = np.asarray(picture.convert(colors), np.float32).reshape(4, 5, -1)
    np.testing.assert_array_equal(found[0], pixels.transpose(2, 0, 1) if shape[0] == 3 else pixels)


@pytest.mark.parametrize("shape", [(8, 6, 3), (3, 8, 6), (8, None, 3)])
def test_a_pil_image_of_another_size_names_what_fits_it(shape):
    message = (
        r"images must be of the model's size, width (6|any) and height 8, not a PIL image of "
        r"width 20 and height 10: kerascam.load_images\(paths, model\).images fits files"
    )
    for images in (Image.new("RGB", (20, 10)), [Image.new("RGB", (20, 10))] * 2):
        with pytest.raises(ValueError, match=message):
            as_arrays(images, shape, "images")
    assert as_arrays(Image.new("RGB", (6, 8)), shape, "images").size == 6 * 8 * 3


def test_deep_grey_keeps_its_values():
    deep = np.arange(20, dtype=np.uint16).reshape(4, 5) * 3000
    (found,) = conform(Image.fromarray(deep), spec(4, 5, 1))
    np.testing.assert_array_equal(found[0, ..., 0], deep)
    with pytest.raises(TypeError, match=r"images must not be PIL images of mode 'I;16'"):
        conform(Image.fromarray(deep), spec(4, 5, 3))


def test_pil_images_that_cannot_be_taken(tmp_path):
    picture = Image.fromarray(IMAGES[0])
    with pytest.raises(ValueError, match=r"load_images\(paths, model\)"):
        conform(picture, spec(4, 4, 3))
    with pytest.raises(ValueError, match="images must be of one size"):
        conform([picture, picture.resize((3, 3))], spec(None, None, 3))
    with pytest.raises(TypeError, match="must have the 7 channels"):
        conform(picture, spec(8, 9, 7))
    with pytest.raises(TypeError, match="must be arrays for this model, not PIL images"):
        conform(picture, spec(8))
    picture.save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:-60])
    unreadable = pytest.raises(ValueError, match="holds a PIL image that cannot be read")
    with Image.open(tmp_path / "cut.png") as cut, unreadable:
        conform(cut, spec(8, 9, 3))


# ----------------------------------------------------------------------------------- data sets


def test_a_data_set_gives_one_explanation_per_batch(explain, wanted):
    labels = np.arange(5) % 3
    for elements in (IMAGES, (IMAGES, labels), (IMAGES, labels, np.ones(5))):
        dataset = tf.data.Dataset.from_tensor_slices(elements).batch(2)
        found = list(explain(dataset, "dog"))
        assert [len(each) for each in found] == [2, 2, 1]
        maps = np.concatenate([each.maps for each in found])
        np.testing.assert_allclose(maps, wanted.maps, rtol=1e-5, atol=1e-6)


def test_a_data_set_is_read_as_it_is_asked_for(explain):
    seen = []

    def batches():
        for image in IMAGES:
            seen.append(1)
            yield image[None]

    kind = tf.TensorSpec((None, 8, 9, 3), tf.uint8)
    endless = tf.data.Dataset.from_generator(batches, output_signature=kind).repeat()
    found = explain(endless)
    assert not seen
    assert len(next(found)) == 1 and len(seen) <= 2


def test_a_data_set_of_images_and_of_several_inputs(explain):
    assert [len(each) for each in explain(tf.data.Dataset.from_tensor_slices(IMAGES))] == [1] * 5
    photo, age = keras.Input((8, 9, 3), name="photo"), keras.Input((1,), name="age")
    pooled = L.GlobalAveragePooling2D()(L.Conv2D(3, 3)(photo))
    model = keras.Model({"photo": photo, "age": age}, L.Dense(2)(L.Concatenate()([pooled, age])))
    inputs = {"photo": IMAGES, "age": np.ones((5, 1), np.float32)}
    dataset = tf.data.Dataset.from_tensor_slices((inputs, np.zeros(5))).batch(5)
    (found,) = GradCAM(model)(dataset, 1)
    np.testing.assert_array_equal(found.maps, GradCAM(model)(inputs, 1).maps)


def test_classes_of_a_data_set_are_one(explain):
    dataset = tf.data.Dataset.from_tensor_slices(IMAGES).batch(5)
    with pytest.raises(ValueError, match=r"classes must be one class, or None, for a tf.data"):
        explain(dataset, [0, 1, 2, 0, 1])
    for one in (np.int64(1), np.array(1), "dog"):
        assert next(explain(dataset, one)).classes.tolist() == [1] * 5


# ---------------------------------------------------------------------------- what says the fix


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ("cat.jpg", r"not a path; received 'cat.jpg': kerascam.load_images\(paths, model\)"),
        (pathlib.Path("cat.jpg"), "not a path.*load_images"),
        (["cat.jpg", "dog.jpg"], "not a path.*load_images"),
        ((pathlib.Path("cat.jpg"),), "not a path.*load_images"),
        (np.array(["cat.jpg"]), "not a path; received 'cat.jpg'"),
        (b"\xff\xd8", "not the bytes of a file"),
        ([b"\xff\xd8"], "not the bytes of a file"),
        (iter(IMAGES), "explain its batches in a loop"),
        (IMAGES.astype(str), "must hold numbers, not <U"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.usefixtures("unchecked")
def test_other_things_are_refused_with_the_fix(explain, images, message):
    for ask in (explain, explain.score):
        with pytest.raises(TypeError, match=message):
            ask(images)


def test_where_one_batch_is_needed_a_data_set_says_so(model, explain):
    dataset = tf.data.Dataset.from_tensor_slices(IMAGES).batch(5)
    with pytest.raises(TypeError, match="images must be one batch here, not a tf.data.Dataset"):
        explain.score(dataset)
    with pytest.raises(TypeError, match="inputs must be one batch here"):
        suggest_layers(model, dataset)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        return IMAGES, np.zeros(5)


def test_a_keras_data_set_is_refused(explain):
    with pytest.raises(TypeError, match="explain its batches in a loop"):
        explain(Batches())


@pytest.mark.parametrize("path", ["model.keras", pathlib.Path("model.keras")], ids=type)
@pytest.mark.usefixtures("unchecked")
def test_the_path_of_a_model_names_the_function_that_loads_it(path):
    for ask in (GradCAM, Saliency, suggest_layers):
        with pytest.raises(TypeError, match=r"not the path 'model.keras'.*keras.saving.load_model"):
            ask(path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "must be given: an array of shape"),
        ((np.ones((2, 4, 4, 3)), np.array([0, 1])), "images alone, not .images, labels."),
        (tf.ragged.constant([[[1.0], [2.0]], [[3.0]]]), "not a ragged tensor: resize them"),
    ],
    ids=["nothing", "with labels", "ragged"],
)
def test_what_is_no_batch_of_images_is_named(value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        refuse_others(value, "images")

"""What the user gives, brought into the model's form; every wrong one has a message of its own."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kerascam.arguments import conform_classes
from kerascam.inputs import InputSpec, conform

PHOTO = InputSpec("photo", (4, 5, 3), "float32")
OPEN = InputSpec("images", (None, None, 3), "float32")
ANYTHING = InputSpec("images", None, None)
TABLE = InputSpec("table", (2,), "float64")
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype(np.float32)


def one(images, spec=PHOTO):
    (array,) = conform(images, [spec])
    return array


# ---------------------------------------------------------------------------- what is taken

SAME = {
    "float32": IMAGES,
    "float64": IMAGES.astype(np.float64),
    "float16": IMAGES.astype(np.float16),
    "uint8": IMAGES.astype(np.uint8),
    "int64": IMAGES.astype(np.int64),
    "big-endian": IMAGES.astype(">f4"),
    "a list of images": list(IMAGES),
    "a tuple of images": tuple(IMAGES),
    "nested lists": IMAGES.tolist(),
    "a tensor": tf.constant(IMAGES),
    "a list of tensors": list(map(tf.constant, IMAGES)),
    "the batch in a list": [IMAGES],
    "the input's name": {"photo": IMAGES},
    "Fortran order": np.asfortranarray(IMAGES),
    "a view": np.repeat(IMAGES, 2, 0)[::2],
}


@pytest.mark.parametrize("kind", SAME)
def test_every_form_of_the_same_images_is_the_same(kind):
    array = one(SAME[kind])
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, IMAGES)


def test_the_models_dtype_is_taken_on():
    assert conform(IMAGES, [InputSpec("i", (4, 5, 3), "float64")])[0].dtype == np.float64
    assert conform(IMAGES, [InputSpec("i", (4, 5, 3), "uint8")])[0].dtype == np.uint8
    assert conform(IMAGES, [InputSpec("i", (4, 5, 3), "float64")])[0].dtype == np.float64
    assert conform(IMAGES.astype(np.float16), [ANYTHING])[0].dtype == np.float16


def test_half_precision_of_the_other_kind():
    images = tf.cast(IMAGES, tf.bfloat16)
    np.testing.assert_array_equal(one(images), tf.cast(images, tf.float32))


def test_open_lengths_take_any_length():
    assert one(np.zeros((1, 9, 2, 3)), OPEN).shape == (1, 9, 2, 3)
    assert one(np.zeros((6, 9)), ANYTHING).shape == (6, 9)


def test_inputs_are_not_modified():
    images = IMAGES.astype(np.uint8)
    images.flags.writeable = False
    before = images.copy()
    one(images)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("pack", [
    lambda i, t: [i, t], lambda i, t: (i, t), lambda i, t: {"table": t, "photo": i}
], ids=["list", "tuple", "dict"])  # fmt: skip
def test_several_inputs_come_in_the_models_order(pack):
    table = np.ones((2, 2), np.float32)
    images, numbers = conform(pack(IMAGES, table), [PHOTO, TABLE])
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(numbers, table)
    assert numbers.dtype == np.float64


# ------------------------------------------------------------------------------- what is refused


def broken(value):
    images = IMAGES.copy()
    images[1, 0, 0, 0] = value
    return images


WRONG = {
    "one of another size": (IMAGES[0, :3], ValueError, r"images must have shape \(batch, 4, 5, "
                            r"3\), or be one.*; received \(3, 5, 3\): resize"),
    "too many axes": (IMAGES[None, None], ValueError, r"images must have shape \(batch, 4, 5, 3\); "
                      r"received \(1, 1, 2, 4, 5, 3\): resize or transpose them"),
    "another size": (IMAGES[:, :3], ValueError, r"received \(2, 3, 5, 3\): resize or transpose"),
    "channels first": (IMAGES.transpose(0, 3, 1, 2), ValueError, r"received \(2, 3, 4, 5\)"),
    "a number": (7.0, ValueError, r"images must have shape .*; received \(\)"),
    "no image": (IMAGES[:0], ValueError, r"images must hold at least one image; received shape "
                 r"\(0, 4, 5, 3\)"),
    "an empty list": ([], ValueError, r"images must"),
    "different sizes": ([IMAGES[0], IMAGES[0, :3]], ValueError, r"images must be of one size; "
                        r"received shapes \[\(3, 5, 3\), \(4, 5, 3\)\]: resize them first"),
    "ragged rows": ([[[1, 2], [3]]], (TypeError, ValueError), "images must"),
    "ragged depth": ([[1, [2]], [3, 4]], (TypeError, ValueError), "images must"),
    "a file name": ("cat.jpg", TypeError, r"not a path; received 'cat.jpg': "
                    r"kerascam.load_images\(paths, model\)"),
    "file names": (["cat.jpg", "dog.jpg"], TypeError, "images must be arrays, not a path"),
    "None": (None, TypeError, "images must"),
    "texts": (IMAGES.astype(str), TypeError, "images must hold numbers, not <U32 values"),
    "bytes": (IMAGES.astype(bytes), TypeError, "images must hold numbers"),
    "objects": (IMAGES.astype(object), TypeError, "images must hold numbers, not object values"),
    "complex": (IMAGES.astype(complex), TypeError, "images must hold numbers, not complex128"),
    "dates": (IMAGES.astype("datetime64[s]"), TypeError, "images must hold numbers, not datetime"),
    "a generator": ((image for image in IMAGES), TypeError, "images must"),
    "a dict of another name": ({"image": IMAGES}, ValueError, r"images must have the model's input "
                               r"names \['photo'\] as keys; received \['image'\]"),
    "NaN": (broken(np.nan), ValueError, "images must be finite; image 1 holds NaN or "
            "infinity: repair or drop it"),
    "infinity": (broken(-np.inf), ValueError, "images must be finite; image 1 holds"),
    "too large for the model": (broken(0).astype(np.float64) + np.reshape([0, 1e300], (2, 1, 1, 1)),
                                ValueError, "images must be finite.*image 1"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_images(kind):
    images, error, message = WRONG[kind]
    with pytest.raises(error, match=message):
        one(images)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros(5), r"images must be a batch, not an array of shape \(5,\)"),
        (np.zeros((0, 5)), "images must hold at least one image"),
        (np.zeros((2, 0, 5)), "images must hold at least one image"),
        (np.full((3, 2), np.nan), "images must be finite; image 0"),
    ],
)
def test_wrong_images_for_a_model_that_takes_anything(images, message):
    with pytest.raises(ValueError, match=message):
        one(images, ANYTHING)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (IMAGES, r"images must be a list or dict of 2 inputs \(photo, table\) for this model; "
                 r"received 1"),
        ([IMAGES], r"2 inputs \(photo, table\) for this model; received 1"),
        ([IMAGES] * 3, "received 3"),
        ({"photo": IMAGES}, r"names \['photo', 'table'\] as keys; received \['photo'\]"),
        ([IMAGES, np.ones((3, 2))], "one batch size over all inputs; received photo: 2, table: 3"),
        ([IMAGES, np.ones((2, 3))], r"images\['table'\] must have shape \(batch, 2\)"),
        ([IMAGES, np.full((2, 2), np.inf)], r"images\['table'\] must be finite; image 0"),
    ],
)  # fmt: skip
def test_wrong_inputs_of_a_model_of_several(inputs, message):
    with pytest.raises(ValueError, match=message):
        conform(inputs, [PHOTO, TABLE])


DTYPES = st.one_of(
    hnp.floating_dtypes(), hnp.integer_dtypes(), hnp.unsigned_integer_dtypes(),
    hnp.boolean_dtypes(), hnp.complex_number_dtypes(), hnp.unicode_string_dtypes(),
    hnp.datetime64_dtypes(),
)  # fmt: skip
ARRAYS = hnp.arrays(
    DTYPES, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4), fill=st.nothing()
)
NEARLY = hnp.arrays(DTYPES, st.tuples(st.integers(0, 3), st.just(2), st.just(1), st.just(3)))
NESTED = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)
SMALL = InputSpec("images", (2, 1, 3), "float32")


@given(st.one_of(ARRAYS, NEARLY, NESTED))
@example([[1, [2]]])
@example([1, [1, []]])
@example(np.full((1, 2, 1, 3), 1e300))
@example(np.full((1, 2, 1, 3), np.nan))
def test_whatever_is_given_is_taken_or_named(images):
    try:
        array = one(images, SMALL)
    except (TypeError, ValueError) as error:
        assert "images" in str(error)
    else:
        assert array.shape[1:] == (2, 1, 3) and len(array) >= 1
        assert array.dtype == np.float32 and np.isfinite(array).all()
        np.testing.assert_array_equal(array, np.asarray(images).reshape(array.shape).astype("f4"))


# ----------------------------------------------------------------------------------------- classes

CLASS_NAMES = ("cat", "dog", "cow")


@pytest.mark.parametrize(
    ("classes", "wanted"),
    [
        (None, [-1, -1]),
        (1, [1, 1]),
        (np.int64(2), [2, 2]),
        ([0, 2], [0, 2]),
        ((0, 2), [0, 2]),
        (np.array([2, 0], np.uint8), [2, 0]),
        (tf.constant([1, 2]), [1, 2]),
        (np.array(1), [1, 1]),
        ("dog", [1, 1]),
        (["cow", "cat"], [2, 0]),
        (np.array(["cow", "cat"]), [2, 0]),
        (np.array(["cow", "cat"], object), [2, 0]),
    ],
)
def test_classes(classes, wanted):
    found = conform_classes(classes, 2, 3, CLASS_NAMES)
    assert found.tolist() == wanted and found.dtype == np.int32


WRONG_CLASSES = {
    "too large": (3, ValueError, "classes must be from 0 to 2; received 3"),
    "one too large": ([0, 7], ValueError, "classes must be from 0 to 2; received 7"),
    "negative": (-1, ValueError, "classes must be from 0 to 2; received -1"),
    "far too large": (2**40, ValueError, "classes must be from 0 to 2; received 1099511627776"),
    "too many digits": (2**70, ValueError, f"classes must be from 0 to 2; received {2**70}"),
    "too few": ([1], ValueError, r"classes must be one class, or one per image: 2; received shape "
                r"\(1,\)"),
    "too many": ([0, 1, 2], ValueError, r"one per image: 2; received shape \(3,\)"),
    "none at all": ([], ValueError, r"one per image: 2; received shape \(0,\)"),
    "one-hot": (np.eye(2, dtype=int), ValueError, r"one per image: 2; received shape \(2, 2\)"),
    "floats": ([0.0, 1.0], TypeError, "classes must be integers or class names, not float64"),
    "booleans": ([True, False], TypeError, "classes must be integers or class names, not bool"),
    "bytes": (b"cat", TypeError, "classes must be integers or class names"),
    "objects": ([None, 1], TypeError, "classes must be integers or class names; received None"),
    "a dict": ({"cat": 1}, TypeError, "classes must be integers or class names"),
    "ragged": ([[1], [1, 2]], (TypeError, ValueError), "classes must"),
    "unknown name": ("horse", ValueError, "classes names 'horse', which is not one of the class "
                     "names; see class_names="),
    "near miss": ("dogs", ValueError, "classes names 'dogs', which is not one of the class "
                  "names; did you mean 'dog'?"),
    "two near misses": ("cot", ValueError, "did you mean 'c[ao][tw]' or 'c[ao][tw]'?"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG_CLASSES)
def test_wrong_classes(kind):
    classes, error, message = WRONG_CLASSES[kind]
    with pytest.raises(error, match=message):
        conform_classes(classes, 2, 3, CLASS_NAMES)


def test_names_need_class_names():
    message = "classes names 'cat', but no class names are known; give class_names="
    with pytest.raises(ValueError, match=message):
        conform_classes("cat", 2, 3, None)


def test_unknown_class_counts():
    assert conform_classes(99, 1, None, None).tolist() == [99]
    with pytest.raises(ValueError, match="classes must be from 0 to the last one; received -2"):
        conform_classes(-2, 1, None, None)
    with pytest.raises(ValueError, match="classes must be from 0 to"):
        conform_classes(2**40, 1, None, None)  # does not fit into 32 bits


def test_one_unit_without_a_sigmoid_gets_a_hint():
    message = "from 0 to 0; received 1; one unit that is the logit of two classes needs "
    with pytest.raises(ValueError, match=message + "target=targets.binary"):
        conform_classes(1, 1, 1, None)


@given(st.one_of(NESTED, ARRAYS), st.integers(1, 3))
@example([[1], [1, 2]], 2)
@example(np.array([[None]]), 1)
def test_whatever_classes_are_given_are_taken_or_named(classes, batch):
    try:
        found = conform_classes(classes, batch, 3, CLASS_NAMES)
    except (TypeError, ValueError) as error:
        assert "classes" in str(error)
    else:
        assert found.shape == (batch,) and found.dtype == np.int32
        assert (found == -1).all() if classes is None else (found >= 0).all()
        assert (found < 3).all()

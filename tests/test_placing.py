"""Where the cells of a layer lie: by arithmetic through the graph, and by hand."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import layers, ops

from kerascam.model.placing import Cells, cells_of, layouts_of
from kerascam.model.placing.atoms import BATCH, IMAGE, Atom, Layout, merged, regrouped, split


def cells(model: keras.Model, *, dtype: Any = tf.float32) -> Cells | None:
    """Find the cells of a model's output on its input."""
    with tf.__internal__.FuncGraph("cells").as_default() as graph:
        image = tf.compat.v1.placeholder(dtype, (None, *model.inputs[0].shape[1:]))
        output = model(image, training=False)
        found = layouts_of(image, graph.get_operations())
    layout = found.of(output)
    if not isinstance(layout, Layout):
        return None
    channels = frozenset() if found.mixing is None else found.mixing[0] - found.mixing[1]
    return cells_of(layout, channels)


def network(shape: tuple[int | None, ...], *steps: keras.Layer) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *steps])


def stacked(x: Any) -> Any:
    """Put every other row and column on top of each other, columns last."""
    places = ((0, 0), (1, 0), (0, 1), (1, 1))
    return ops.concatenate([x[:, i::2, j::2] for i, j in places], -1)


def with_mean(x: Any) -> Any:
    """Put the mean of all cells beside each, resized and repeated."""
    mean, (height, width) = ops.mean(x, (1, 2), keepdims=True), x.shape[1:3]
    copies = [ops.image.resize(mean, (height, width)), ops.tile(mean, (1, height, width, 1))]
    return ops.concatenate([x, *copies], -1)


SIZE = (40, 60, 3)
SEEN = layers.Conv2D

# By hand: the axes of the image, and for each where the first cell begins and how wide it is.
PLACES: dict[str, tuple[Any, tuple[int, ...], tuple[tuple[float, float], ...]]] = {
    "same": (lambda: network(SIZE, SEEN(2, 3, padding="same")), (0, 1), ((0, 1), (0, 1))),
    "valid": (lambda: network(SIZE, SEEN(2, 5)), (0, 1), ((2, 1), (2, 1))),
    "strided": (lambda: network(SIZE, SEEN(2, 3, 2, padding="same")), (0, 1), ((0, 2), (0, 2))),
    "odd": (  # 25 = 1 + 2 · 12: the cells lie at 0, 2, ..., 24
        lambda: network((25, 24, 3), SEEN(2, 3, 2, padding="same")), (0, 1), ((-1 / 2, 2), (0, 2))
    ),
    "padded as in ResNet50": (
        lambda: network((32, 32, 3), layers.ZeroPadding2D(3), SEEN(2, 7, 2)),
        (0, 1), ((0, 2), (0, 2)),
    ),
    "cropped": (
        lambda: network(SIZE, layers.Cropping2D(((20, 4), (0, 8))), SEEN(2, 1)),
        (0, 1), ((20, 1), (0, 1)),
    ),
    "padded": (
        lambda: network(SIZE, layers.ZeroPadding2D(((20, 0), (0, 0))), SEEN(2, 1)),
        (0, 1), ((-20, 1), (0, 1)),
    ),
    "cropped and resized": (
        lambda: network(SIZE, layers.Resizing(20, 20, crop_to_aspect_ratio=True), SEEN(2, 1)),
        (0, 1), ((0, 2), (10, 2)),
    ),
    "padded and resized": (
        lambda: network(SIZE, layers.Resizing(20, 20, pad_to_aspect_ratio=True), SEEN(2, 1)),
        (0, 1), ((-10, 3), (0, 3)),
    ),
    "turned": (
        lambda: network(SIZE, layers.Permute((2, 1, 3)), SEEN(2, 1, (3, 2))),
        (0, 1), ((0, 2), (0, 3)),
    ),
    "channels first": (
        lambda: network((3, 40, 60), layers.Permute((2, 3, 1)), SEEN(2, 3)),
        (1, 2), ((1, 1), (1, 1)),
    ),
    "no channels": (
        lambda: network((28, 28), layers.Reshape((28, 28, 1)), SEEN(2, 3)), (0, 1), ((1, 1), (1, 1))
    ),
    "leads and time": (
        lambda: network((8, 64), layers.Permute((2, 1)), layers.Conv1D(2, 5, 2)),
        (1,), ((1.5, 2),),
    ),
    "one row": (  # a grid of one row tells nothing of the rows: it covers them all
        lambda: network((8, 64), layers.Reshape((8, 64, 1)), layers.DepthwiseConv2D((8, 1))),
        (0, 1), ((3.5, 0), (0, 1)),
    ),
    "causal and dilated": (
        lambda: network((20, 3), layers.Conv1D(2, 3, padding="same", dilation_rate=2)),
        (0,), ((0, 1),),
    ),
    "depthwise and dilated": (
        lambda: network(SIZE, layers.DepthwiseConv2D(3, padding="same", dilation_rate=2)),
        (0, 1), ((0, 1), (0, 1)),
    ),
    "grouped": (lambda: network((9, 9, 4), SEEN(4, 3, groups=2)), (0, 1), ((1, 1), (1, 1))),
    "up and down": (
        lambda: network(
            SIZE, layers.UpSampling2D(2), layers.Conv2DTranspose(2, 3, 2, padding="same"),
            layers.MaxPooling2D(8),
        ),
        (0, 1), ((0, 2), (0, 2)),
    ),
    "frames": (
        lambda: network((4, 16, 16, 3), layers.TimeDistributed(SEEN(2, 3))),
        (0, 1, 2), ((0, 1), (1, 1), (1, 1)),
    ),
    "recurrent": (
        lambda: network((3, 8, 8, 2), layers.ConvLSTM2D(2, 3, return_sequences=True)),
        (0, 1, 2), ((0, 1), (1, 1), (1, 1)),
    ),
    "both ways": (
        lambda: network((5, 3), layers.Bidirectional(layers.LSTM(2, return_sequences=True))),
        (0,), ((0, 1),),
    ),
    "recurrent backwards": (  # its first number is of the last place
        lambda: network((6, 4), layers.LSTM(3, go_backwards=True, return_sequences=True)),
        (0,), ((6, -1),),
    ),
    "recurrent twice, over frames": (
        lambda: network((6, 9, 9, 2), *(
            layers.ConvLSTM2D(2, 3, padding="same", return_sequences=True) for _ in range(2))),
        (0, 1, 2), ((0, 1), (0, 1), (0, 1)),
    ),
    "pixel shuffle": (  # each cell is dealt out to two by two finer ones
        lambda: network((10, 12, 3), SEEN(8, 3, 2, padding="same"), layers.Reshape((5, 6, 2, 2, 2)),
                        layers.Permute((1, 3, 2, 4, 5)), layers.Reshape((10, 12, 2)), SEEN(2, 3)),
        (0, 1), ((1, 1), (1, 1)),
    ),
    "every other row and column, stacked": (  # the mean of four cells, in whatever order
        lambda: network(SIZE, SEEN(2, 1), layers.Lambda(stacked), SEEN(2, 1)),
        (0, 1), ((0, 2), (0, 2)),
    ),
    "beside the mean of all": (  # copies of one value lie nowhere
        lambda: network(SIZE, SEEN(4, 3, 4, padding="same"), layers.Lambda(with_mean), SEEN(2, 1)),
        (0, 1), ((0, 4), (0, 4)),
    ),
    "grouped norm": (
        lambda: network(SIZE, SEEN(4, 1), layers.GroupNormalization(2)), (0, 1), ((0, 1), (0, 1))
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_places_by_hand(name: str) -> None:
    build, axes, edges = PLACES[name]
    found = cells(build())
    assert found is not None
    assert found.axes == axes
    np.testing.assert_allclose(found.edges, edges)


RECURRENT = {
    "GRU": lambda: network((5, 4), layers.GRU(3, return_sequences=True)),
    "LSTM backwards": lambda: network(
        (5, 4), layers.LSTM(3, go_backwards=True, return_sequences=True)
    ),
    "frames": lambda: network(
        (5, 6, 6, 2), layers.ConvLSTM2D(2, 3, padding="same", return_sequences=True)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RECURRENT)
def test_a_recurrent_layer_looks_at_its_own_place_and_those_before(name: str) -> None:
    """The derivative of each cell: not zero where the cell lies, and zero after it."""
    model = RECURRENT[name]()
    found = cells(model)
    assert found is not None
    (begin, step), *_ = found.edges
    images = tf.random.stateless_normal((1, *model.inputs[0].shape[1:]), [0, 1])
    for cell in range(5):
        with tf.GradientTape() as tape:
            tape.watch(images)
            seen = tf.reduce_sum(model(images, training=False)[:, cell])
        energy = np.square(tape.gradient(seen, images)[0]).reshape(5, -1).sum(1)
        own = round(begin + step * (cell + 0.5) - 0.5)
        assert own == (4 - cell if name == "LSTM backwards" else cell)
        assert energy[own] > 1e-6
        assert not energy[:own].any() if step < 0 else not energy[own + 1 :].any()


def written(where: Any) -> keras.Model:
    """A loop that reads the rows one after the other, and writes each at another place."""

    def call(x: Any) -> Any:
        rows = tf.TensorArray(tf.float32, 6).unstack(tf.transpose(x, (1, 0, 2)))

        def body(i: Any, seen: Any) -> Any:
            return i + 1, seen.write(where(i), rows.read(i) * 2)

        _, seen = tf.while_loop(lambda i, _: i < 6, body, (0, tf.TensorArray(tf.float32, 6)))
        return tf.transpose(tf.ensure_shape(seen.stack(), (6, None, 4)), (1, 0, 2))

    return network((6, 4), layers.Lambda(call, output_shape=(6, 4)))


def test_a_loop_that_writes_elsewhere_is_not_followed() -> None:
    found = cells(written(lambda i: i))
    assert found is not None
    assert found.edges == ((0, 1), (0, 1))  # nothing tells rows from features
    assert cells(written(lambda i: 5 - i)) is None
    assert cells(written(lambda i: (i + 2) % 6)) is None


def test_tokens_lie_on_their_patches_and_class_tokens_nowhere() -> None:
    inputs = keras.Input((32, 48, 3))
    x = layers.Reshape((-1, 8))(layers.Conv2D(8, (4, 8), (4, 8))(inputs))
    x = ops.concatenate([ops.mean(x, 1, keepdims=True), x], 1)
    x = x + layers.MultiHeadAttention(2, 4)(x, x)
    found = cells(keras.Model(inputs, x))
    assert found is not None
    assert (found.axes, found.lengths, found.prefixed) == ((0, 1), (8, 6), (1, 1, 48))
    assert found.edges == ((0, 4), (0, 8))


def test_heads_are_features_and_windows_go_back_to_their_places() -> None:
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 4, 4)(inputs)
    x = ops.transpose(ops.reshape(x, (-1, 2, 4, 2, 4, 8)), (0, 1, 3, 2, 4, 5))
    x = ops.reshape(x, (-1, 16, 2, 4))  # (batch and windows, tokens, heads, size)
    found = cells(keras.Model(inputs, x))
    assert found is not None
    assert (found.axes, found.lengths, found.depth) == ((0, 1), (8, 8), 8)
    cut = tf.range(2 * 4 * 16 * 8)
    grid = found.to_grid(tf.reshape(cut, (8, 16, 2, 4)))
    by_hand = np.arange(2 * 4 * 16 * 8).reshape(2, 2, 2, 4, 4, 8).transpose(0, 1, 3, 2, 4, 5)
    np.testing.assert_array_equal(grid, by_hand.reshape(2, 8, 8, 8))
    np.testing.assert_array_equal(found.from_grid(grid, tf.reshape(cut, (8, 16, 2, 4))),
                                  tf.reshape(cut, (8, 16, 2, 4)))  # fmt: skip


@given(
    outer=st.integers(1, 6), inner=st.integers(1, 6), step=st.sampled_from([1.0, 2.0, -1.5]),
    first=st.floats(-20, 20),
)  # fmt: skip
def test_a_split_atom_says_the_same_places_and_merges_again(
    outer: int, inner: int, step: float, first: float
) -> None:
    whole = Atom(IMAGE, outer * inner, axis=0, step=step, first=first)
    parts = split(whole, inner)
    assert parts is not None
    slow, fast = (part.first + part.step * np.arange(part.length or 0) for part in parts)
    np.testing.assert_allclose(
        np.add.outer(slow, fast).ravel(), first + step * np.arange(outer * inner), atol=1e-9
    )
    if inner > 1 and outer > 1:
        (again,) = merged(parts)
        assert (again.length, again.step) == (outer * inner, pytest.approx(step))
        assert again.first == pytest.approx(first, abs=1e-9)


def test_a_reshape_that_does_not_divide_is_not_followed() -> None:
    axes = [(Atom(BATCH, None),), (Atom(IMAGE, 6, axis=0, step=1.0),), (Atom(IMAGE, 4, axis=1),)]
    assert regrouped(axes, (None, 24)) is not None
    assert regrouped(axes, (None, 3, 8)) is not None
    assert regrouped(axes, (None, 5, 5)) is None

"""The residual network, written with Keras operations alone so that any Keras backend trains it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import keras
from keras import layers

Convolve = Callable[..., Any]


class Size(NamedTuple):
    """How wide each of the four stages is, and how many blocks it has."""

    widths: tuple[int, int, int, int]
    blocks: tuple[int, int, int, int]


SIZES = {
    "tiny": Size(widths=(16, 32, 64, 96), blocks=(1, 1, 1, 1)),
    "small": Size(widths=(32, 64, 128, 192), blocks=(1, 2, 2, 1)),
    "medium": Size(widths=(48, 96, 192, 256), blocks=(2, 2, 2, 2)),
}

#: How a projection comes to a coarser grid.
PROJECTIONS = ("averaged", "strided")
#: The last stage keeps the grid of the third: 1/16 of the image, fine enough to see on a map.
STRIDES = (1, 2, 2, 1)


def residual_network(
    size: str | Size = "small",
    *,
    input_shape: tuple[int | None, int | None, int] = (96, 96, 3),
    classes: int = 6,
    dropout: float = 0.0,
    projection: str = "averaged",
    shortcuts: bool = True,
    synchronized: bool = False,
) -> keras.Model:
    """Build a residual network (He et al., 2016, arXiv:1512.03385) that takes RGB 0–255.

    A stem (3 × 3 convolution and pooling, both of stride 2), four stages of residual blocks, the
    mean over the grid, and one dense layer with a softmax: the head for which Grad-CAM is exact.
    The first block of a stage projects where the width or the grid changes; the others are
    identity blocks.

    Departures from the paper: a 3 × 3 stem, for small images; a last stage that keeps its grid;
    the last normalization of each block starts at zero, so that every block starts as the identity
    (Goyal et al., 2017, arXiv:1706.02677); and a projection to a coarser grid averages before its
    1 × 1 convolution (ResNet-D of He et al., 2018, arXiv:1812.01187). The paper's own has a stride
    instead, which passes over three of four cells: they get next to no gradient, and a map of the
    layer before shows a lattice.

    Args:
        size: `"tiny"` (0.2 million weights), `"small"` (1.3) or `"medium"` (3.8), or widths and
            blocks of your own.
        input_shape: Height, width and 3; None for a side that may vary.
        classes: Number of classes.
        dropout: Share of the pooled features dropped while training.
        projection: How a projection comes to a coarser grid: `"averaged"`, or `"strided"`, as in
            the paper of 2016. Their weights have the same shapes and do not fit each other.
        shortcuts: Whether blocks add their input. Without, the network is a plain one of the same
            convolutions, to compare with.
        synchronized: Whether replicas that train together normalize by the statistics of the whole
            batch, not each by those of its own part.

    Returns:
        A model from images, shaped (batch, height, width, 3), to probabilities, shaped
        (batch, classes).

    Raises:
        ValueError: If `size` or `projection` is unknown.

    Example:
        >>> network = residual_network("tiny", input_shape=(64, 64, 3), classes=3)
        >>> network.output_shape, network.get_layer("stage4_block1_out").output.shape
        ((None, 3), (None, 4, 4, 96))
    """
    if isinstance(size, str) and size not in SIZES:
        raise ValueError(f"size={size!r} is unknown; choose one of {sorted(SIZES)}")
    if projection not in PROJECTIONS:
        raise ValueError(f"projection={projection!r} is unknown; choose one of {list(PROJECTIONS)}")
    widths, blocks = SIZES[size] if isinstance(size, str) else size
    convolve = partial(_convolution, synchronized=synchronized)
    block = partial(_block, projection=projection, shortcuts=shortcuts, convolve=convolve)
    images = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(images)
    x = convolve(x, widths[0], 3, strides=2, name="stem")
    x = layers.ReLU(name="stem_relu")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for stage, (width, count, first) in enumerate(zip(widths, blocks, STRIDES, strict=True), 1):
        for number in range(1, count + 1):
            strides, name = (first if number == 1 else 1), f"stage{stage}_block{number}"
            x = block(x, width, strides=strides, name=name)
    kind = "residual_network" if shortcuts else "plain_network"
    name = f"{kind}_{size}" if isinstance(size, str) else kind
    return keras.Model(images, classify(x, classes, dropout), name=name)


def classify(features: Any, classes: int, dropout: float) -> Any:
    """Return probabilities: the softmax of a dense layer on the mean of the features."""
    pooled = layers.GlobalAveragePooling2D(name="pool")(features)
    kept = layers.Dropout(dropout, name="dropout")(pooled)
    # In float32 under any dtype policy: probabilities near 0 and 1 need it.
    scores = layers.Dense(classes, name="scores", dtype="float32")(kept)
    return layers.Softmax(name="probabilities", dtype="float32")(scores)


def _block(
    x: Any,
    width: int,
    *,
    strides: int,
    name: str,
    projection: str,
    shortcuts: bool,
    convolve: Convolve,
) -> Any:
    if not shortcuts:
        return plain_block(x, width, strides=strides, name=name, convolve=convolve)
    if strides == 1 and x.shape[-1] == width:
        return identity_block(x, name=name, convolve=convolve)
    averaged = projection == "averaged"
    return projection_block(
        x, width, strides=strides, averaged=averaged, name=name, convolve=convolve
    )


def plain_block(x: Any, width: int, *, strides: int, name: str, convolve: Convolve) -> Any:
    """Return ReLU(F(x)): what a block computes without its shortcut."""
    residual = _residual(x, width, strides, name, convolve, gamma="ones")
    return layers.ReLU(name=f"{name}_out")(residual)


def identity_block(x: Any, *, name: str, convolve: Convolve) -> Any:
    """Return ReLU(x + F(x)): features of the same shape."""
    return _add(x, _residual(x, x.shape[-1], 1, name, convolve), name)


def projection_block(
    x: Any, width: int, *, strides: int, averaged: bool, name: str, convolve: Convolve
) -> Any:
    """Return ReLU(W x + F(x)): features of another width, on a grid `strides` times coarser."""
    cells, left = x, strides
    if averaged and strides > 1:
        pool = layers.AveragePooling2D(strides, padding="same", name=f"{name}_projection_pool")
        cells, left = pool(x), 1
    shortcut = convolve(cells, width, 1, strides=left, name=f"{name}_projection")
    return _add(shortcut, _residual(x, width, strides, name, convolve), name)


def _add(shortcut: Any, residual: Any, name: str) -> Any:
    total = layers.Add(name=f"{name}_add")([shortcut, residual])
    return layers.ReLU(name=f"{name}_out")(total)


def _residual(
    x: Any, width: int, strides: int, name: str, convolve: Convolve, gamma: str = "zeros"
) -> Any:
    """F(x): two 3 × 3 convolutions with a ReLU between them."""
    x = convolve(x, width, 3, strides=strides, name=f"{name}_1")
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    return convolve(x, width, 3, strides=1, name=f"{name}_2", gamma=gamma)


def _convolution(
    x: Any,
    width: int,
    kernel: int,
    *,
    strides: int,
    name: str,
    gamma: str = "ones",
    synchronized: bool = False,
) -> Any:
    """Convolve without a bias, and normalize."""
    x = layers.Conv2D(
        width,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(
        momentum=0.9,  # the statistics of the last ten batches or so: runs are short
        gamma_initializer=gamma,
        synchronized=synchronized,
        name=f"{name}_norm",
    )(x)

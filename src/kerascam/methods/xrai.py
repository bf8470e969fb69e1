"""Integrated gradients, gathered in regions."""

from typing import Any

import keras
import numpy as np
from keras import ops

from .._types import GradientFunction, Images, Maps, Unpack
from ..arguments import number_in
from ..explain import ImageArguments, ImageExplainerWithOptions
from ..maps import grid_axes
from ..registry import METHODS, Citation
from ..repeat import MOST_COPIES
from .path import straight_way
from .segments import Segments, check_segments, segments_of


def check_xrai(steps: Any, cells: Any, segments: Any) -> None:
    """Raise if an option of XRAI has a wrong type or value."""
    number_in("steps", steps, 1, MOST_COPIES)
    check_segments(segments, cells)


@METHODS.register(
    title="XRAI",
    class_name="XRAI",
    passes="1 + 2·{steps} forward, 2·{steps} backward",
    check=check_xrai,
    signed=True,
    citation=Citation(
        "Kapishnikov, Bolukbasi, Viégas and Terry",
        2019,
        "XRAI: Better Attributions Through Regions",
        "ICCV",
        "https://arxiv.org/abs/1906.02825",
    ),
)
def xrai(
    gradient: GradientFunction,
    images: Images,
    *,
    steps: int = 32,
    cells: int = 8,
    segments: Any = None,
) -> Maps:
    r"""Add regions of the image in the order of their mean attribution per pixel.

    $$r^* = \arg\max_r \frac{\sum_{ij \in r \setminus R} A_{ij}}{|r \setminus R|},\qquad
    R \leftarrow R \cup r^*,\qquad M_{ij} = \frac{\sum_{r^* \setminus R} A}{|r^* \setminus R|}
    \text{ on } r^* \setminus R$$

    $A$ is the mean of the integrated gradients from two baselines, one colour each: the smallest
    and the largest value of each image (black and white, in the paper). The regions are those of
    several label images, which may overlap; the paper takes Felzenszwalb's segments at six scales,
    dilated. Without `segments` they are the cells of a grid, and of ever coarser ones. Of one label
    image the map is each segment's mean.

    >>> x = ops.array([[[[0.0], [1.0]]]])
    >>> xrai(lambda x: ops.array([[[[4.0], [6.0]]]]) * ops.ones_like(x), x).numpy().tolist()
    [[[-2.0, 3.0]]]
    """
    check_xrai(steps, cells, segments)
    axes = [*grid_axes(images, features=True), len(images.shape) - 1]
    found = ops.zeros_like(images[..., 0])
    for extreme in (ops.min, ops.max):
        start = ops.broadcast_to(extreme(images, axes, keepdims=True), ops.shape(images))
        found = found + straight_way(gradient, images, start, steps) / 2
    cut, regions = _regions(segments, cells, images)
    pixels = ops.reshape(cut.labels, (-1,))
    each = ops.transpose(ops.reshape(found, (ops.shape(found)[0], -1)))
    sums = ops.transpose(ops.segment_sum(each, pixels, num_segments=cut.count))
    sizes = ops.segment_sum(ops.ones_like(each[:, :1]), pixels, num_segments=cut.count)[:, 0]
    return cut.maps(ops.transpose(_added(sums, sizes, ops.cast(regions, sums.dtype))))


def _added(sums: Any, sizes: Any, regions: Any) -> Any:
    """Add regions one after the other; return of each part the density that it was added with.

    Args:
        sums: Shape (batch, parts): the attribution of each part.
        sizes: Shape (parts,): how many pixels it has.
        regions: Shape (regions, parts): 1 for the parts that each region is made of.

    Returns:
        Shape (batch, parts).
    """

    def one(_: Any, state: Any) -> Any:
        left, densities = state  # left: 1 for the parts that are in no region yet
        areas = ops.matmul(left * sizes, ops.transpose(regions))
        gains = ops.divide_no_nan(ops.matmul(left * sums, ops.transpose(regions)), areas)
        gains = ops.where(areas > 0, gains, -float("inf"))
        added = left * ops.take(regions, ops.argmax(gains, -1), 0)
        best = ops.max(gains, -1, keepdims=True)
        return left - added, ops.where(added > 0, best, densities)

    state = ops.ones_like(sums), ops.zeros_like(sums)
    return ops.fori_loop(0, min(regions.shape), one, state)[1]


def _regions(segments: Any, cells: int, images: Images) -> tuple[Segments, Any]:
    """Return the parts that no region divides, and which of them each region is made of."""
    if segments is None:
        cut = segments_of(None, cells, images)
        return cut, np.concatenate(_coarser(cut.grid or ()))
    values = np.asarray(segments)
    several = values if values.ndim == len(images.shape) - 1 else values[None]
    for each in several:
        segments_of(each, cells, images)  # raises if it does not fit
    together, parts = np.unique(several.reshape(len(several), -1), axis=1, return_inverse=True)
    masks = [own == name for own in together for name in np.unique(own)]
    parts = parts.reshape(several.shape[1:])
    return segments_of(parts, cells, images), np.stack(masks).astype("float32")


def _coarser(grid: tuple[int, ...]) -> list[np.ndarray]:
    """List the masks of the cells of a grid, and of grids of half as many along each axis."""
    found, numbers = [], grid
    while True:
        labels = np.zeros(grid, int)
        for axis, (number, length) in enumerate(zip(numbers, grid, strict=True)):
            along = np.arange(length) * number // length
            labels = labels * number + np.expand_dims(
                along, [i for i in range(len(grid)) if i != axis]
            )
        names = np.unique(labels)
        found.append((labels.reshape(-1) == names[:, None]).astype("float32"))
        if max(numbers) <= 2:
            return found
        numbers = tuple(-(-number // 2) for number in numbers)


class XRAI(ImageExplainerWithOptions):
    r"""Explain by regions: integrated gradients, gathered where they are dense.

    Regions are easier to read than pixels, and follow the object if the segments do: give those of
    `skimage.segmentation.felzenszwalb` at several scales, as the paper does.

    Args:
        steps: Steps of the integral from each of the two baselines; each costs a forward and a
            backward pass.
        cells: How many cells the finest grid of regions has along each axis.
        segments: A whole number from 0 on for each pixel, shape (*size): the segment that it is in;
            or several such images, (images, *size), such as segmentations at several scales. The
            same for all images, so give those of a photograph with it alone. None is the grid of
            `cells`, and grids of half as many.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> XRAI(model, steps=4, cells=4)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 4, 4)
    """

    _method = "xrai"

    def __init__(
        self,
        model: keras.Model,
        *,
        steps: int = 32,
        cells: int = 8,
        segments: Any = None,
        **shared: Unpack[ImageArguments],
    ) -> None:
        super().__init__(model, steps=steps, cells=cells, segments=segments, **shared)

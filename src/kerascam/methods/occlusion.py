"""What the score loses if a patch of the image is hidden."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from .._types import Heatmaps, Images, ScoreFunction, Unpack
from ..arguments import number_in
from ..baselines import baseline_of, check_baseline, float_type, hide
from ..errors import brief
from ..explain import SharedArguments, WholeModelExplainerWithOptions
from ..maps import grid_axes
from ..registry import METHODS, Citation
from ..repeat import sum_over
from .places import at_places, number_of, on_axis, over_all

_PATCHES = 8  # that many fit along an axis by default


def check_occlusion(patch: Any, stride: Any, baseline: Any) -> None:
    """Raise if an option of occlusion has a wrong type or value."""
    for name, given in (("patch", patch), ("stride", stride)):
        for each in given if isinstance(given, (tuple, list)) else (given,):
            if each is not None:
                number_in(name, each, 1)
    check_baseline(baseline)


@METHODS.register(
    title="Occlusion",
    class_name="Occlusion",
    aliases=("Occlusion sensitivity",),
    signed=True,
    check=check_occlusion,
    passes="1 forward, and 1 per patch",
    citation=Citation(
        "Zeiler and Fergus",
        2014,
        "Visualizing and Understanding Convolutional Networks",
        "ECCV",
        "https://arxiv.org/abs/1311.2901",
    ),
)
def occlusion(
    score: ScoreFunction,
    images: Images,
    *,
    patch: int | Sequence[int] | None = None,
    stride: int | Sequence[int] | None = None,
    baseline: Any = "mean",
) -> Heatmaps:
    r"""Show what the score loses if the patch over a pixel is hidden, averaged over the patches.

    $$M_{ij} = \frac{1}{|P_{ij}|} \sum_{p \in P_{ij}} \big(S(x) - S(x_{p \leftarrow x'})\big)$$

    $P_{ij}$ are the patches that cover the pixel. The last patch along an axis ends at the border,
    so that each pixel is covered. Of a score that is linear, $S = \sum v \odot x$, a patch loses
    $\sum_p v \odot (x - x')$.

    >>> ones = ops.ones((1, 1, 3, 1))
    >>> occlusion(lambda x: ops.sum(x, (-3, -2, -1)), ones, patch=1, baseline=0.0).numpy().tolist()
    [[[1.0, 1.0, 1.0]]]
    """
    check_occlusion(patch, stride, baseline)
    axes, lengths = grid_axes(images, features=True), ops.shape(images)[1:-1]
    kind = float_type(images)
    patches = [
        -(-length // _PATCHES) if each is None else _least(each, length)
        for each, length in zip(_per_axis("patch", patch, len(axes)), lengths, strict=True)
    ]
    strides = [
        size - size // 2 if each is None else each
        for each, size in zip(_per_axis("stride", stride, len(axes)), patches, strict=True)
    ]
    counts = [
        1 + (length - size + step - 1) // step
        for length, size, step in zip(lengths, patches, strides, strict=True)
    ]
    start, whole = baseline_of(baseline, images), score(images)

    def covered(axis: int, places: Any) -> Any:
        """Tell which pixels the patches at some places along an axis cover: (n, 1, *size)."""
        first = ops.minimum(places * strides[axis], lengths[axis] - patches[axis])[:, None]
        pixels = ops.arange(lengths[axis])[None]
        inside = (pixels >= first) & (pixels < first + patches[axis])
        return on_axis(ops.cast(inside, kind), axis, len(axes))

    def losses(chosen: Any) -> Any:
        masks = at_places(chosen, counts, covered)
        lost = whole - score(hide(images, 1 - masks, start))  # (n, batch)
        return ops.sum(ops.cast(over_all(lost, len(axes)), kind) * masks, 0)

    times: Any = 1
    for axis, count in enumerate(counts):
        times = times * ops.sum(covered(axis, ops.arange(count)), 0)
    like = ops.zeros_like(images[..., 0], kind)
    return sum_over(losses, number_of(counts), like, images) / times


def _per_axis(name: str, given: Any, axes: int) -> list[Any]:
    if not isinstance(given, (tuple, list)):
        return [given] * axes
    if len(given) != axes:
        raise ValueError(
            f"{name} must be a number of pixels, or one for each of the {axes} axes of the images; "
            f"received {brief(given)}"
        )
    return list(given)


def _least(patch: int, length: Any) -> Any:
    return min(patch, length) if isinstance(length, int) else ops.minimum(patch, length)


class Occlusion(WholeModelExplainerWithOptions):
    r"""Explain by occlusion: what the score loses if a patch is hidden.

    Without gradients, and readable: each value is a difference of scores.

    Args:
        patch: The patch's length in pixels, or one for each axis. None is an eighth of each axis.
        stride: How far the next patch is, in pixels. None is half a patch.
        baseline: What is shown of a hidden part: a number, an array that fits one image, "mean"
            (each image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> Occlusion(model, patch=4)(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    _method = "occlusion"

    def __init__(
        self,
        model: keras.Model,
        *,
        patch: int | Sequence[int] | None = None,
        stride: int | Sequence[int] | None = None,
        baseline: Any = "mean",
        **shared: Unpack[SharedArguments],
    ) -> None:
        super().__init__(model, patch=patch, stride=stride, baseline=baseline, **shared)

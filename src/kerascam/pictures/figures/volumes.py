"""The slice with the most evidence, for three-dimensional inputs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..pixels import to_uint8_rgb
from ..render import is_signed, resize_heatmap
from ..styles import Style
from .pictures import figure
from .rows import STRONGEST, as_rows, check_count, check_titles

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def volume_figure(
    volumes: ArrayLike | Sequence[ArrayLike],
    heatmaps: ArrayLike | Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    *,
    colormap: str = "auto",
    alpha: float | None = None,
    style: Style = "heat",
    levels: Sequence[float] | None = None,
    signed: bool | None = None,
    max_rows: int = 8,
    heading: str = "heatmap",
    unit: str = STRONGEST,
    value_range: tuple[float, float] | None = None,
    argument: str = "volumes",
) -> "Figure":
    """Draw a row a volume: its slice along the first axis with the most evidence.

    Args:
        volumes: (batch, depth, height, width) or the same and 1 or 3 channels, or a list; drawn
            from the smallest value (black) to the largest (white) of each volume, unless uint8.
        heatmaps: (batch, d, h, w) of any size, in [0, 1], or [-1, 1] if signed.
        titles: A text above each row; the slice's index, from 0, is added to it.
        colormap: As in `colorize`.
        alpha: As in `overlay`.
        style: As in `overlay`.
        levels: As in `overlay`.
        signed: As in `colorize`; the evidence of a slice is the sum of its absolute values.
        max_rows: Rows drawn at most.
        heading: What stands above the heatmaps, such as the method's name.
        unit: What 1 stands for, beside the colour bar.
        value_range: The values of black and of white, the same for all volumes.
        argument: What an error calls the volumes.

    Raises:
        ValueError: If volumes, heatmaps and titles differ in number, or in rank.

    Example:
        >>> heat = np.zeros((1, 4, 2, 2))
        >>> heat[0, 3] = 1
        >>> drawn = volume_figure(np.zeros((1, 4, 8, 8)), heat, ["nodule 93 %"])
        >>> drawn.subfigs[0].get_suptitle()
        'nodule 93 % · slice 3 of 0-3'
    """
    heats = as_rows(heatmaps, "heatmaps", 3)
    solids = as_rows(volumes, argument, 3, 4)
    check_count(argument, len(solids), len(heats))
    check_titles(titles, len(heats))
    signed = any(map(is_signed, heats)) if signed is None else signed
    photos, slices, texts = [], [], []
    for row, (solid, heat) in enumerate(zip(solids, heats, strict=True)):
        deep = slices_of(heat, len(solid))
        best = int(np.abs(deep).sum(axis=(1, 2)).argmax())
        photos.append(window(solid, value_range, argument)[best])
        slices.append(deep[best])
        title = "" if titles is None else f"{titles[row]} · "
        texts.append(f"{title}slice {best} of 0-{len(solid) - 1}")
    rest: dict[str, Any] = {"colormap": colormap, "alpha": alpha, "max_rows": max_rows}
    rest |= {"heading": heading, "unit": unit, "style": style, "levels": levels}
    return figure(photos, slices, texts, signed=signed, **rest)


def slices_of(heat: NDArray[Any], count: int) -> NDArray[Any]:
    """Resize a heatmap along its first axis, to a slice for each of a volume or a clip."""
    slices = resize_heatmap(heat.reshape(len(heat), -1), (count, heat[0].size))
    return slices.reshape(count, *heat.shape[1:])


def window(
    volume: NDArray[Any], value_range: tuple[float, float] | None, argument: str
) -> NDArray[np.uint8]:
    """Show a scan's own range: its values (Hounsfield units, say) are rarely those of a photo."""
    volume = volume[..., None] if volume.ndim == 3 else volume
    if volume.shape[-1] not in (1, 3):
        raise ValueError(
            f"{argument} must have 1 or 3 channels, got {volume.shape[-1]}; pass [..., :1]"
        )
    if value_range is not None or volume.dtype == np.uint8:
        return to_uint8_rgb(volume, value_range=value_range, argument=argument)
    low, high = float(volume.min()), float(volume.max())
    return to_uint8_rgb(volume, value_range=(low, high if high > low else low + 1))

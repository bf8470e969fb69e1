"""Where the heat of a map lies, in numbers that do not depend on the layer's grid."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .._host_types import Figures, HostMaps

#: How wide the border is on each side, and how wide the centre is, in shares of an axis.
BORDER, CENTRE = 1 / 8, 1 / 2
#: The share of a map's maximum from which a cell counts as hot.
HOT = 1 / 2


class Heat(NamedTuple):
    r"""Where the heat of maps lies.

    The heat of a cell is the positive part of its value over the sum of all, $p_i$; within a cell
    it is spread evenly, so that a border that cuts through cells takes its share of them.

    Attributes:
        border: The share of heat within an eighth of the image's length of any side; 0.4375 for an
            even map of two axes.
        centre: The share in the middle half of all axes; 0.25 for an even map.
        entropy: $-\sum p_i \log p_i / \log n$ over $n$ cells: 0 for one hot cell, 1 for an even
            map.
        area: The share of cells that are hotter than half the hottest.
    """

    border: Figures
    centre: Figures
    entropy: Figures
    area: Figures


def heat_of(maps: HostMaps) -> Heat:
    """Measure where the heat of each map lies.

    Args:
        maps: Shape (batch, *grid).

    Returns:
        Figures of shape (batch,); NaN of a map without positive values.

    Example:
        >>> heat = heat_of(np.ones((1, 7, 7)))
        >>> [round(float(each[0]), 4) for each in heat]
        [0.4375, 0.25, 1.0, 1.0]
    """
    shares = shares_of(maps)
    grid = maps.shape[1:]
    cells = int(np.prod(grid))
    flat = shares.reshape(len(maps), -1)
    inside = within(shares, [(BORDER, 1 - BORDER)] * len(grid))
    edge = (1 - CENTRE) / 2
    positive = flat > 0
    logs = np.log(flat, out=np.zeros_like(flat), where=positive)
    entropy = -(flat * logs).sum(1) / np.log(cells) if cells > 1 else flat.sum(1) * 0
    # A comparison with NaN is False: a map without heat would have no hot cells, not an unknown
    # number.
    hot = np.where(np.isnan(flat[:, 0]), np.nan, 0.0)
    hot = hot + (flat > HOT * flat.max(1, keepdims=True)).mean(1)
    return Heat(1 - inside, within(shares, [(edge, 1 - edge)] * len(grid)), entropy, hot)


def shares_of(maps: HostMaps) -> HostMaps:
    """Return each cell's share of the heat of its map; NaN for a map without any."""
    positive = np.maximum(maps.astype(np.float64), 0)
    axes = tuple(range(1, maps.ndim))
    total = positive.sum(axes, keepdims=True)
    return np.divide(positive, total, out=np.full_like(positive, np.nan), where=total > 0)


def within(shares: HostMaps, box: Sequence[tuple[float, float]]) -> Figures:
    """Return the share of heat inside a box.

    Args:
        shares: As `shares_of` returns them.
        box: For each axis, where the box begins and ends, in shares of the axis.

    Example:
        >>> within(shares_of(np.eye(2)[None]), [(0, 0.5), (0, 1)]).tolist()
        [0.5]
    """
    for low, high in reversed(box):
        edges = np.arange(shares.shape[-1] + 1) / shares.shape[-1]
        overlap = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
        shares = shares @ (np.maximum(overlap, 0) * shares.shape[-1])
    return shares

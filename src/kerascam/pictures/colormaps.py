"""Find a colormap by its name."""

import difflib
from typing import TYPE_CHECKING

import numpy as np

from ..errors import brief

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

# Perceptually even, also in grey, and with a black zero: where the opacity is the same everywhere,
# a coloured or a white zero would tint a photo or wash it out. A signed map has it on both sides,
# with red and blue exchanged for the evidence against.
SEQUENTIAL = "inferno"
DIVERGING = "inferno, blue against"


def choose_colormap(name: str, *, signed: bool) -> "Colormap":
    """Find a matplotlib colormap by its name; "auto" goes by `signed`.

    Raises:
        TypeError: If `name` is no text.
        ValueError: For an unknown name, with the nearest ones.

    Example:
        >>> choose_colormap("auto", signed=False).name
        'inferno'
    """
    from matplotlib import colormaps

    if not isinstance(name, str):
        raise TypeError(f'colormap must be a name such as "viridis" or "auto", not {brief(name)}')
    if name == "auto" and signed:
        return _diverging()
    name = SEQUENTIAL if name == "auto" else name
    if name not in colormaps:
        lower = {known.lower(): known for known in colormaps}
        near = [lower[match] for match in difflib.get_close_matches(str(name).lower(), lower)]
        hint = f"did you mean {' or '.join(near)}?" if near else 'use "auto" or a matplotlib name'
        raise ValueError(f"no colormap {brief(name)}; {hint}")
    return colormaps[name]


def _diverging() -> "Colormap":
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    warm = colormaps[SEQUENTIAL](np.linspace(0, 1, 128))[:, :3]
    cold = warm[::-1, ::-1]
    return ListedColormap(np.vstack([cold, warm]), name=DIVERGING)

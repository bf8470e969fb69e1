"""Overlays of even opacity, for fixed photographs and heatmaps.

`python -m tests.golden.overlays` writes the file. It holds the bytes that overlays had before there
were other styles: `style="uniform"` draws them still.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

import kerascam

FILE = Path(__file__).with_name("overlays.npz")
COLORMAPS = ("auto", "viridis", "jet", "tab10", "Set1")
ALPHAS = (0.0, 0.3, 0.5, 1.0)


def cases() -> Iterator[tuple[str, np.ndarray, np.ndarray, str, float]]:
    """Yield a name, photographs, heatmaps, a colormap and an opacity."""
    random = np.random.default_rng(7)
    photos = random.integers(0, 256, (2, 13, 17, 3), np.uint8)
    heat = random.random((2, 5, 4))
    heat[0] = heat[0] / heat[0].max()
    for colormap in COLORMAPS:
        for alpha in ALPHAS:
            for signed in (False, True):
                for dtype in (np.float32, np.float64):
                    shown = (2 * heat - 1 if signed else heat).astype(dtype)
                    name = f"{colormap}/{alpha}/{signed}/{dtype.__name__}"
                    yield name, photos, shown, colormap, alpha


def arrays(**style: str) -> dict[str, np.ndarray]:
    """Draw all overlays."""
    return {
        name: kerascam.overlay(photos, heat, colormap, alpha, **style)
        for name, photos, heat, colormap, alpha in cases()
    }


if __name__ == "__main__":
    np.savez_compressed(FILE, **arrays(style="uniform"))
    print(f"{FILE}: {len(arrays())} arrays")

"""A small data set in the published layout that a tiny network learns in a few steps."""

from pathlib import Path

import cv2
import numpy as np

COLORS = {"buildings": (200, 60, 60), "forest": (60, 200, 60), "sea": (60, 60, 200)}


def write_small_scenes(root: Path, *, train: int = 16, test: int = 4, size: int = 32) -> Path:
    """Write noisy images of one color a class."""
    generator = np.random.default_rng(0)
    for split, count in (("seg_train", train), ("seg_test", test)):
        for name, color in COLORS.items():
            folder = root / split / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                noise = generator.normal(0, 40, (size, size, 3))
                image = (np.array(color) + noise).clip(0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / f"{number}.png"), image[..., ::-1])
    return root

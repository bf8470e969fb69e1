"""Pictures inside a report: compressed, and written into the page as data."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

#: Bytes a pixel below which a PNG shows a chart: even areas take few, photographs many.
CHART = 0.25
#: WebP quality of photographs; above 100 OpenCV compresses without loss, which charts get.
PHOTOGRAPHS, LOSSLESS = 85, 101


class Picture(NamedTuple):
    """A picture that needs no file.

    Attributes:
        source: A `data:` address that holds it.
        width: In pixels.
        height: In pixels.
    """

    source: str
    width: int
    height: int


def embed_pictures(folder: Path) -> dict[str, Picture]:
    """Read the PNG files of a folder; a file that cannot be decoded is left out.

    Returns:
        Pictures by file name, less the suffix.
    """
    found = {path.stem: embed(path.read_bytes()) for path in sorted(folder.glob("*.png"))}
    return {name: picture for name, picture in found.items() if picture is not None}


def embed(png: bytes) -> Picture | None:
    """Compress a PNG as WebP: a chart as it is, photographs with a loss that no one sees."""
    if not png:
        return None
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        return None
    height, width = pixels.shape[:2]
    quality = LOSSLESS if len(png) < CHART * width * height else PHOTOGRAPHS
    _, webp = cv2.imencode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, quality])
    data = base64.b64encode(webp.tobytes()).decode("ascii")
    return Picture(f"data:image/webp;base64,{data}", width, height)

"""The gallery of the front page: both photographs under some methods, each leading to its page."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kerascam.registry import METHODS

# In few words, as there is little room; the guide says more.
SHOWN = {
    "grad_cam": "where the evidence is",
    "grad_cam_plus_plus": "several objects of one class",
    "layer_cam": "finer, at shallow layers too",
    "hires_cam": "what each place gave",
    "eigen_cam": "what dominates, whatever the class",
    "guided_grad_cam": "fine detail of the class",
    "smooth_grad": "single pixels, less noise",
    "integrated_gradients": "single pixels that add up",
}
PHOTOGRAPHS = "gallery_photographs.jpg"
_WIDTH = 280  # of one photograph in pixels: twice what a page shows, for fine screens


def file_of(name: str) -> str:
    """Return the name of a method's tile."""
    return f"gallery_{name}.jpg"


def tile(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay two pictures side by side, as small as the page shows them."""
    size = (_WIDTH, _WIDTH)
    small = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in pictures]
    made: NDArray[Any] = np.hstack(small)
    return made


def gallery() -> str:
    """Return the gallery as Markdown: one linked tile per method, after the photographs."""
    tiles = [
        f"[![A temple and a flower, as they are](_generated/{PHOTOGRAPHS})"
        " **The photographs** a temple and a flower](guide/choosing_a_method.md)"
    ]
    for name, words in SHOWN.items():
        title = METHODS[name].class_name
        tiles.append(
            f"[![Both under {title}: {words}](_generated/{file_of(name)})"
            f" **{title}** {words}](api/kerascam.{title}.rst)"
        )
    return "\n\n".join([":::{container} gallery", *tiles, ":::\n"])

"""One drawn scene: the evidence for a class in a landscape that knows nothing of the class."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scene_classification.classes import CLASSES
from scene_classification.data.drawn import backdrop, distractors
from scene_classification.data.drawn.buildings import draw_buildings
from scene_classification.data.drawn.canvas import Canvas
from scene_classification.data.drawn.forest import draw_forest
from scene_classification.data.drawn.glacier import draw_glacier
from scene_classification.data.drawn.light import light_scene
from scene_classification.data.drawn.mountain import draw_mountain
from scene_classification.data.drawn.place import Place, choose_place
from scene_classification.data.drawn.sea import draw_sea
from scene_classification.data.drawn.street import draw_street

SMALLEST = 32

_EVIDENCE: dict[str, Callable[[Canvas, Place, np.random.Generator], None]] = {
    "buildings": draw_buildings,
    "forest": draw_forest,
    "glacier": draw_glacier,
    "mountain": draw_mountain,
    "sea": draw_sea,
    "street": draw_street,
}


class Scene(NamedTuple):
    """A drawn scene.

    Args:
        image: (size, size, 3), uint8 RGB.
        mask: (size, size), true where the pixel shows the evidence for the class.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]


def draw_scene(class_name: str, rng: np.random.Generator, *, size: int = 96) -> Scene:
    """Draw a scene of a class.

    Place, land, distractors and light come from random streams of their own: with the same
    generator, scenes of two classes differ only where one of them shows its evidence.

    Args:
        class_name: One of `CLASSES`.
        rng: Decides on everything; drawing twice from one generator makes two scenes.
        size: Height and width in pixels, at least 32.

    Returns:
        The image and the mask of its evidence.

    Raises:
        ValueError: For an unknown class or too small a size.
    """
    if class_name not in CLASSES:
        raise ValueError(f"class_name must be one of {', '.join(CLASSES)}; got {class_name!r}")
    if size < SMALLEST:
        raise ValueError(f"size must be at least {SMALLEST} pixels, got {size}; pass size=96")
    return _compose(_EVIDENCE[class_name], rng, size)


def _compose(
    draw_evidence: Callable[[Canvas, Place, np.random.Generator], None],
    rng: np.random.Generator,
    size: int,
) -> Scene:
    setting, behind, evidence, before, light = rng.spawn(5)
    canvas, place, land = Canvas(size), choose_place(setting), backdrop.choose_land(setting)
    backdrop.draw_sky(canvas, land)
    distractors.draw_sky_things(canvas, land, behind)
    backdrop.draw_far_hills(canvas, place, land, behind)
    distractors.draw_ground_things(canvas, place.back, 0.4, land, behind)
    canvas.evidence = True
    draw_evidence(canvas, place, evidence)
    canvas.evidence = False
    backdrop.draw_near_hills(canvas, place, land, before)
    distractors.draw_ground_things(canvas, place.front, 0.5, land, before)
    distractors.draw_foreground(canvas, land, before)
    image, mask = canvas.finish()
    return Scene(light_scene(image, light), mask)

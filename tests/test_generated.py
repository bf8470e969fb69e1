"""Whatever a model does to its images, the heatmap is brightest where they are, or is refused."""

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf
from generated_models import Form, Made, made
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from proofs import wide

from kerascam import GradCAM

SPOT, SPOTS = 6, 5  # pixels along each axis, and images per model
#: The library's own reasons for not giving a map.
REFUSALS = (
    "first axis holds parts of the images too",
    "mixes the images of a batch, or its first axis is not the images",
)
#: Its reasons for a map that lies on no image.
OWN_GRID = "nor measured: the map lies on the layer's own grid"
NOT_FOLLOWED = r"\(by .*\)"


@pytest.fixture(autouse=True)
def graphs_as_they_are() -> Iterator[None]:
    """Spare the optimising of graphs that run once."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


def extents(size: tuple[int, ...]) -> np.ndarray:
    """Return how long the spot is along each axis: one frame of a clip."""
    return np.array([1, SPOT, SPOT] if len(size) == 3 else [SPOT] * len(size))


def spots(size: tuple[int, ...], places: np.ndarray, form: Form) -> np.ndarray:
    """Draw one bright square per image, in the form of the input."""
    image = np.zeros((len(places), *size), "float32")
    for each, place in zip(image, places, strict=True):
        each[tuple(slice(low, low + n) for low, n in zip(place, extents(size), strict=True))] = 1
    if form.channels is None:
        return image
    return np.stack([image] * form.channels, form.axes.index("c") + 1)


def brightest(heatmap: np.ndarray) -> np.ndarray:
    """Return the middle of the brightest pixels."""
    return np.argwhere(heatmap >= heatmap.max() * 0.999).mean(0)


def compare(built: Made, places: np.ndarray) -> list[str]:
    """Compare where the spots are with where the heatmaps are brightest.

    Returns:
        What became of each image.
    """
    images = spots(built.size, places, built.form)
    inputs, options = images, {}
    if built.wrapped == "table beside":
        inputs = [images, np.ones((len(images), 3), "float32")]
    if built.wrapped == "image beside":
        inputs = [images, np.ones((len(images), 12, 12, 3), "float32")]
        options["input"] = 0
    if built.wrapped == "dict of outputs":
        options["output"] = "score"
    try:
        found = GradCAM(built.model, built.layer, **options)(inputs, 0)
    except ValueError as error:
        said = [reason for reason in REFUSALS if re.search(reason, str(error))]
        if not said:
            raise
        return [f"refused: {said[0]}"] * SPOTS
    unplaced = [note for note in found.notes if OWN_GRID in note]
    if unplaced:
        return [f"on the layer's own grid {''.join(re.findall(NOT_FOLLOWED, unplaced[0]))}"] * SPOTS
    assert found.heatmaps.shape == images.shape[:1] + built.size, (built, found.notes)
    became = []
    for place, heatmap, status in zip(places, found.heatmaps, found.statuses, strict=True):
        if status != "ok":
            became.append(status)  # cropped away
            continue
        middle = place + (extents(built.size) - 1) / 2
        off = brightest(heatmap) - middle
        if built.lasting:
            off[0] = 0
        cell = np.array(built.size) / found.maps.shape[1 : len(built.size) + 1]
        assert (np.abs(off) <= SPOT / 2 + 1.5 * cell).all(), (built, place, off, cell, found.notes)
        became.append("compared")
    return became


def test_the_brightest_place_is_the_spot() -> None:
    became: Counter[str] = Counter()

    @settings(
        max_examples=wide(60, 1000), deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data(), st.integers(0, 2**32 - 1))
    def compared(data: st.DataObject, seed: int) -> None:
        built = made(data.draw)
        room = np.array(built.size) - extents(built.size) + 1
        places = np.random.default_rng(seed).integers(0, room, (SPOTS, len(room)))
        became.update(compare(built, places))

    compared()
    print(dict(became))
    assert became["compared"] > 0.8 * became.total(), became

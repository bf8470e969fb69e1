"""Whatever a model does to its images, the heatmap is brightest where they are."""

import numpy as np
from generated_models import made
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from proofs import wide

from kerascam import GradCAM


def spot(size: tuple[int, int], row: int, column: int, form: str) -> np.ndarray:
    """Draw an image of one bright square of six pixels, in the form of the input."""
    image = np.zeros((1, *size, 1 if form == "grey" else 3), "float32")
    image[:, row : row + 6, column : column + 6] = 1
    return np.moveaxis(image, -1, 1) if form == "first" else image


def brightest(heatmap: np.ndarray) -> np.ndarray:
    """Return the middle of the brightest pixels."""
    return np.argwhere(heatmap >= heatmap.max() * 0.999).mean(0)


@settings(
    max_examples=wide(20, 5000), deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
@given(data=st.data(), row=st.integers(4, 14), column=st.integers(4, 14))
def test_the_brightest_place_is_the_spot(data: st.DataObject, row: int, column: int) -> None:
    model, size, form, steps = made(data.draw)
    image = spot(size, row, column, form)
    assume(float(model(image).numpy()[0, 0]) > 0)  # or else it was cropped away
    try:
        found = GradCAM(model)(image, 0)
    except ValueError:
        return  # refused
    if any("layer's own grid" in note for note in found.notes):
        return  # said
    assert found.heatmaps.shape == (1, *size), steps
    assume(found.statuses == ("ok",))
    middle = brightest(found.heatmaps[0])
    cell = np.array(size) / found.maps.shape[1:]
    wrong = np.abs(middle - (row + 2.5, column + 2.5)) > 3 + 1.5 * cell
    assert not wrong.any(), (steps, form, size, (row, column), middle, found.layer, found.notes)

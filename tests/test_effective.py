"""place="effective": heat is drawn where a layer's cells look."""

import pickle

import keras
import numpy as np
import pytest

from kerascam import GradCAM, GuidedGradCAM, LayerCAM, Saliency
from kerascam.arguments import check_place
from kerascam.arrays import HOST
from kerascam.resizing import resize

SIDE, STEP = 48, 4


def looking_aside(down: int, right: int) -> keras.Model:
    """Build a network whose cells, 4 pixels wide, look that far from their own middle."""
    images = keras.Input((SIDE, SIDE, 1))
    features = keras.layers.Conv2D(6, 9, STEP, "same", use_bias=False, name="cells")(images)
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(features))
    model = keras.Model(images, keras.layers.Dense(2, kernel_initializer="ones")(pooled))
    kernel = np.zeros((9, 9, 1, 6), np.float32)
    kernel[4 + down, 4 + right] = 1.0
    model.get_layer("cells").set_weights([kernel])
    return model


def photos(count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.5, 1, (count, SIDE, SIDE, 1)).astype("float32")


def middle_of_heat(heatmaps: np.ndarray) -> tuple[float, float]:
    rows, columns = (heatmaps[0].sum(axis) for axis in (1, 0))
    places = np.arange(SIDE)
    return (rows @ places) / rows.sum(), (columns @ places) / columns.sum()


@pytest.mark.parametrize("aside", [(3, -2), (0, 4), (-4, -1)])
def test_the_shift_is_where_the_kernel_looks(aside):
    explain = LayerCAM(looking_aside(*aside), layer="cells", place="effective")
    explain(photos(4))
    (shift,) = explain.programs.recipe.question.shifts
    # Pads of 2 and 3 pixels put the kernel's middle half a pixel after the cell's.
    assert shift.pixels == pytest.approx((aside[0] + 0.5, aside[1] + 0.5), abs=1e-3)
    assert shift.images == 4
    assert max(shift.errors) < 1e-3


def test_the_heat_of_a_blob_lies_on_the_blob():
    model, blob = looking_aside(4, -4), np.zeros((1, SIDE, SIDE, 1), np.float32)
    blob[:, 20:28, 24:32] = 1.0
    found = {}
    for place in ("stretch", "effective"):
        explain = LayerCAM(model, layer="cells", place=place)
        explain(photos(4))
        found[place] = middle_of_heat(explain(blob).heatmaps)
    assert found["stretch"] == pytest.approx((23.5 - 4, 27.5 + 4), abs=0.6)
    assert found["effective"] == pytest.approx((23.5, 27.5), abs=0.6)


def test_shifted_heat_is_interpolated_like_the_unshifted():
    grid, moved = np.random.default_rng(0).uniform(size=(1, 7)), 1.75
    places = np.clip((np.arange(28) - moved + 0.5) * 7 / 28 - 0.5, 0, 6)
    wanted = np.interp(places, np.arange(7), grid[0])
    found = resize(grid, [28], HOST, shifts=[moved])[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    # On a part of the axis, that part stays where it is.
    part = resize(grid, [40], HOST, edges=((4.0, 4.0),), shifts=[moved])[0]
    np.testing.assert_allclose(part, np.concatenate([np.zeros(4), wanted, np.zeros(8)]), rtol=1e-12)


def test_it_is_measured_once_and_then_alike_alone_in_a_batch_and_in_a_copy():
    explain = GradCAM(looking_aside(3, 3), layer="cells", place="effective")
    first = explain(photos(4))
    alone = explain(photos(4)[2:3])
    np.testing.assert_allclose(alone.heatmaps[0], first.heatmaps[2], atol=1e-6)
    assert len(explain.programs.recipe.question.shifts) == 1
    again = pickle.loads(pickle.dumps(explain))(photos(1))
    np.testing.assert_allclose(again.heatmaps[0], first.heatmaps[0], atol=1e-6)
    (note,) = [note for note in first.notes if "looks" in note]
    (shift,) = explain.programs.recipe.question.shifts
    assert f"{shift.pixels[0]:+.1f} ± {shift.errors[0]:.1f}, " in note
    assert "measured on 4 images; sixteen tell it more exactly" in note


def test_maps_and_an_unmeasured_explainer_stay_as_they_were():
    model = looking_aside(3, -2)
    plain, moved = GradCAM(model, "cells"), GradCAM(model, "cells", place="effective")
    np.testing.assert_array_equal(plain(photos(2)).maps, moved(photos(2)).maps)
    assert plain.programs.recipe.question.shifts == ()


def test_what_a_cam_multiplies_is_moved_too():
    model = looking_aside(4, 0)
    explain = GuidedGradCAM(model, "cells", localizer="layer_cam", place="effective")
    assert explain(photos(2)).heatmaps.shape == (2, SIDE, SIDE)
    assert explain.programs.recipe.question.shifts[0].pixels == pytest.approx((4.5, 0.5), abs=1e-3)


class TwoSides(keras.layers.Layer):
    """Two convolutions, of which one looks 4 pixels down and the other 4 up."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        options = {"padding": "same", "use_bias": False}
        self.sides = [keras.layers.Conv2D(6, 9, STEP, **options) for _ in range(2)]

    def call(self, images):
        return tuple(side(images) for side in self.sides)


def test_each_part_of_a_layer_has_its_own_shift():
    images = keras.Input((SIDE, SIDE, 1))
    parts = TwoSides(name="both")
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()(parts(images)))
    model = keras.Model(images, keras.layers.Dense(2)(pooled))
    for side, down in zip(parts.sides, (4, -4), strict=True):
        kernel = np.zeros((9, 9, 1, 6), np.float32)
        kernel[4 + down, 4] = 1.0
        side.set_weights([kernel])
    explain = LayerCAM(model, ["both/0", "both/1"], place="effective")
    explain(photos(2))
    found = {shift.name: shift.pixels for shift in explain.programs.recipe.question.shifts}
    assert found["both/0"] == pytest.approx((4.5, 0.5), abs=1e-3)
    assert found["both/1"] == pytest.approx((-3.5, 0.5), abs=1e-3)


def test_the_time_that_a_causal_convolution_looks_back_is_measured():
    waves = keras.Input((60, 1))
    features = keras.layers.Conv1D(4, 9, padding="causal", use_bias=False, name="cells")(waves)
    model = keras.Model(
        waves, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling1D()(features))
    )
    kernel = np.zeros((9, 1, 4), np.float32)
    kernel[2] = 1.0  # six steps back from the last, which is the cell's own time
    model.get_layer("cells").set_weights([kernel])
    explain = GradCAM(model, "cells", place="effective", axes="tc")
    explain(np.random.default_rng(0).normal(size=(3, 60, 1)).astype("float32"))
    assert explain.programs.recipe.question.shifts[0].pixels == pytest.approx((-6,), abs=0.25)


def test_a_wrong_place_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="place must be 'stretch' or 'effective', not 'middle'"):
        check_place("middle")
    with pytest.raises(TypeError, match="place='effective' does not go with Saliency"):
        Saliency(looking_aside(0, 0), place="effective")  # type: ignore[call-arg]

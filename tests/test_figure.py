"""Figures: what they show, what is written on them, and that nothing is clipped."""

import itertools
import sys
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from proofs import wide

from kerascam.pictures.figures import figure, signal_figure, volume_figure
from kerascam.pictures.render import colorize, overlay, resize_heatmap

LONG = (
    "academic gown, academic robe, judge's robe, and a class name that costs $5_ or so "
    "and that nobody thought of shortening before it went into the file of labels: 97.3 %"
)
ENDLESS = "W" * 200
UNSIGNED, SIGNED = (
    "evidence\n(relative to the strongest)",
    "evidence against / for\n(relative to the strongest)",
)


def some_photos(count: int, height: int = 30, width: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def some_heatmaps(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).random(shape)


def color_bars(drawn: Figure) -> list[Colorbar]:
    bars = [getattr(ax, "_colorbar", None) for ax in drawn.axes]
    return [bar for bar in bars if bar is not None]


def pictures(drawn: Figure) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for ax in drawn.axes for image in ax.get_images()]


def titles(drawn: Figure) -> list[str]:
    return [part.get_suptitle() for part in drawn.subfigs]


def assert_all_readable(drawn: Figure) -> None:
    """Nothing drawn leaves the page, and no title or label lies on another thing."""
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    renderer = canvas.get_renderer()
    used = drawn.get_tightbbox(renderer)  # inches; of all that is drawn
    width, height = drawn.get_size_inches()
    assert used.x0 >= 0, used
    assert used.y0 >= 0, used
    assert used.x1 <= width, (used, width)
    assert used.y1 <= height, (used, height)
    panels = [ax.get_tightbbox(renderer) for ax in drawn.axes]
    heads = [text for part in drawn.subfigs for text in part.texts]
    for text in heads:
        assert text.get_window_extent(renderer).count_overlaps(panels) == 0, text.get_text()
    labels = [bar.ax.yaxis.label.get_window_extent(renderer) for bar in color_bars(drawn)]
    for label, below in itertools.pairwise(labels):
        assert not label.overlaps(below)


# ------------------------------------------------------------------------------------- pictures


def test_a_row_is_photo_heatmap_and_overlay() -> None:
    photos, heatmaps = some_photos(2), some_heatmaps(2, 7, 7)
    drawn = figure(photos, heatmaps, ["cat 98 %", "dog 71 %"], alpha=0.3)
    assert len(drawn.axes) == 2 * 4
    assert titles(drawn) == ["cat 98 %", "dog 71 %"]
    shown = pictures(drawn)
    for row in range(2):
        heat = resize_heatmap(heatmaps[row], (30, 40))
        np.testing.assert_array_equal(shown[3 * row], photos[row])
        np.testing.assert_array_equal(shown[3 * row + 1], colorize(heat))
        np.testing.assert_array_equal(
            shown[3 * row + 2], overlay(photos[row], heatmaps[row], alpha=0.3)
        )


def test_color_bar_has_its_label_and_limits() -> None:
    (bar,) = color_bars(figure(some_photos(1), some_heatmaps(1, 7, 7)))
    assert bar.ax.get_ylabel() == UNSIGNED
    assert (bar.vmin, bar.vmax) == (0, 1)
    assert bar.cmap.name == "inferno"


def test_signed_figure_has_one_scale_in_every_row() -> None:
    heatmaps = np.stack([some_heatmaps(7, 7), -some_heatmaps(7, 7)])
    drawn = figure(some_photos(2), heatmaps)
    for bar in color_bars(drawn):
        assert bar.ax.get_ylabel() == SIGNED
        assert (bar.vmin, bar.vmax) == (-1, 1)
        assert bar.cmap.name == "inferno, blue against"
    heat = resize_heatmap(heatmaps[0], (30, 40))  # positive alone
    np.testing.assert_array_equal(pictures(drawn)[1], colorize(heat, signed=True))


def test_without_photos_the_heatmaps_stand_alone() -> None:
    heatmaps = some_heatmaps(2, 7, 9)
    drawn = figure(None, heatmaps, colormap="jet")
    assert len(drawn.axes) == 2 * 2
    np.testing.assert_array_equal(pictures(drawn)[1], colorize(heatmaps[1], "jet"))


def test_photos_of_different_sizes_and_kinds() -> None:
    photos = [some_photos(1)[0], some_photos(1, 50, 20)[0, ..., 0] / 255]
    shown = pictures(figure(photos, [some_heatmaps(3, 3), some_heatmaps(5, 4)]))
    assert [one.shape for one in shown[::3]] == [(30, 40, 3), (50, 20, 3)]


def test_grey_batch_is_one_batch() -> None:
    dark, bright = np.full((8, 8), 0.5), np.full((8, 8), 200.0)
    shown = pictures(figure([dark, bright], some_heatmaps(2, 4, 4)))
    assert (shown[0].max(), shown[3].max()) == (0, 200)


def test_rows_left_out_are_said() -> None:
    drawn = figure(some_photos(4), some_heatmaps(4, 7, 7), list("abcd"), max_rows=3)
    assert titles(drawn) == ["a", "b", "c"]
    assert drawn.get_supxlabel() == "first 3 of 4 samples"
    assert figure(some_photos(3), some_heatmaps(3, 7, 7), max_rows=3).get_supxlabel() == ""


WIDE, USUAL, HIGH = (20, 60), (30, 40), (90, 30)


@pytest.mark.parametrize(
    ("size", "rows"),
    wide(
        [(HIGH, 3), (WIDE, 1)],
        list(itertools.product((WIDE, USUAL, HIGH), (1, 3, 8))),
    ),
)
def test_nothing_is_clipped_and_nothing_overlaps(rows: int, size: tuple[int, int]) -> None:
    names = [LONG, "cat 98 %", ENDLESS, "two\nlines"] * 2
    drawn = figure(some_photos(rows, *size), some_heatmaps(rows, 7, 7), names[:rows])
    assert_all_readable(drawn)
    assert titles(drawn)[0].replace("\n", " ") == LONG
    if rows > 2:
        assert titles(drawn)[2].replace("\n", "") == ENDLESS


def test_nothing_is_clipped_without_photos_or_with_a_sign() -> None:
    assert_all_readable(figure(None, some_heatmaps(2, 7, 7), [LONG, ENDLESS]))
    assert_all_readable(figure(some_photos(1), -some_heatmaps(1, 7, 7), [LONG]))
    assert_all_readable(figure(some_photos(3), some_heatmaps(3, 7, 7), max_rows=2))


def test_the_check_itself_sees_a_clipped_title() -> None:
    drawn = figure(some_photos(1), some_heatmaps(1, 7, 7), ["cat"])
    drawn.subfigs[0].suptitle(ENDLESS, x=0.01, ha="left")
    with pytest.raises(AssertionError):
        assert_all_readable(drawn)


def test_pyplot_is_not_involved() -> None:
    figure(some_photos(1), some_heatmaps(1, 7, 7))
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


# -------------------------------------------------------------------------------------- signals


def test_signal_has_its_line_and_its_strip() -> None:
    signals = np.stack([np.sin(np.arange(50.0)), np.cos(np.arange(50.0))])
    heatmaps = some_heatmaps(2, 10)
    drawn = signal_figure(signals, heatmaps, ["beat 93 %", LONG])
    assert len(drawn.axes) == 2 * 2
    ax = drawn.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "value")
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), signals[0])
    strip = resize_heatmap(heatmaps[:1], (1, 50))
    np.testing.assert_array_equal(pictures(drawn)[0], colorize(strip, "Reds"))
    assert ax.get_images()[0].get_extent()[:2] == [-0.5, 49.5]  # a step's heat is centred on it
    assert [bar.ax.get_ylabel() for bar in color_bars(drawn)] == [UNSIGNED] * 2
    assert titles(drawn)[0] == "beat 93 %"
    assert_all_readable(drawn)


def test_signal_channels_are_named() -> None:
    drawn = signal_figure([np.zeros((20, 3)), np.ones((30, 1))], -some_heatmaps(2, 5))
    several, single = drawn.axes[0], drawn.subfigs[1].axes[0]
    assert len(several.get_lines()) == 3
    legend = several.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [f"channel {n}" for n in range(3)]
    assert single.get_legend() is None
    assert [bar.cmap.name for bar in color_bars(drawn)] == ["RdBu_r"] * 2
    assert_all_readable(drawn)


# -------------------------------------------------------------------------------------- volumes


def test_volume_shows_the_slice_with_the_most_evidence() -> None:
    volume = np.arange(6 * 8 * 8, dtype=np.float32).reshape(1, 6, 8, 8) - 100
    heat = np.zeros((1, 6, 4, 4))
    heat[0, 1, 0, 0], heat[0, 4] = 1, 0.5  # one strong voxel against a whole slice
    drawn = volume_figure(volume, heat, ["nodule 93 %"])
    assert titles(drawn) == ["nodule 93 % · slice 4 of 0-5"]
    image, colored, _ = pictures(drawn)
    np.testing.assert_array_equal(colored, colorize(np.full((8, 8), 0.5)))
    wanted = np.rint((volume[0, 4] + 100) / 383 * 255)  # the volume's own smallest and largest
    np.testing.assert_allclose(image[..., 0], wanted, atol=1)
    assert_all_readable(drawn)


def test_volume_depth_follows_a_coarse_heatmap() -> None:
    heat = np.zeros((1, 2, 1, 1))
    heat[0, 1] = -1
    drawn = volume_figure(np.zeros((1, 8, 4, 4, 3), np.uint8), heat)
    assert titles(drawn) == ["slice 6 of 0-7"]  # half-pixel centres: the first that is full
    assert color_bars(drawn)[0].ax.get_ylabel() == SIGNED


# --------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("draw", "arrays", "options", "message"),
    [
        (figure, (some_photos(2), np.zeros((3, 7, 7))), {}, "photos holds 2 samples, heatmaps 3"),
        (figure, (None, np.zeros((2, 7, 7)), ["a"]), {}, "titles holds 1 samples, heatmaps 2"),
        (
            figure,
            (None, np.zeros((7, 7))),
            {},
            r"heatmaps must hold 2-D arrays, got 7 of shapes \[\(7",
        ),
        (figure, (None, np.zeros((0, 7, 7))), {}, r"got 0 of shapes \[\]; a single sample needs a"),
        (
            figure,
            (None, np.zeros((1, 7, 7))),
            {"max_rows": 0},
            "max_rows must be at least 1, got 0",
        ),
        (figure, (None, np.full((1, 7, 7), 3.0)), {}, r"heatmap must lie in \[0, 1\]"),
        (
            figure,
            (some_photos(1), np.zeros((1, 7, 7))),
            {"alpha": 2},
            "alpha must be between 0 and 1",
        ),
        (figure, (some_photos(1) / 9 - 9, np.zeros((1, 7, 7))), {}, "before preprocessing"),
        (
            signal_figure,
            (np.zeros((2, 9)), np.zeros((1, 9))),
            {},
            "signals holds 2 samples, heatmaps 1",
        ),
        (signal_figure, (np.zeros(9), np.zeros((1, 9))), {}, "signals must hold 1-D or 2-D arrays"),
        (
            volume_figure,
            (np.zeros((2, 4, 4, 4)), np.zeros((1, 2, 2, 2))),
            {},
            "volumes holds 2 samples",
        ),
        (
            volume_figure,
            (np.zeros((1, 4, 4, 4, 2)), np.zeros((1, 2, 2, 2))),
            {},
            "1 or 3 channels, got 2",
        ),
        (
            volume_figure,
            (np.zeros((4, 4)), np.zeros((1, 2, 2, 2))),
            {},
            "volumes must hold 3-D or 4-D",
        ),
    ],
)
def test_mismatch_is_an_error(draw: Any, arrays: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(*arrays, **options)


def test_one_text_is_no_list_of_titles() -> None:
    with pytest.raises(TypeError, match="titles must be a list of texts, one per row, got 'cat'"):
        figure(None, np.zeros((3, 7, 7)), "cat")

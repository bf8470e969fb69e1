"""The figures of the pages, drawn when the documentation is built: one function each.

The photographs come with scikit-learn, the network with the scene example: no download.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import cv2
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images

from kerascam_docs import gallery
from kerascam_docs.probe_figure import probe

matplotlib.use("agg")


@cache
def photographs() -> NDArray[np.uint8]:
    """Cut the square middle out of the two photographs: (2, 427, 427, 3), uint8 RGB."""
    images = load_sample_images().images  # china.jpg and flower.jpg, 427×640
    return np.stack([image[:, 106:533] for image in images])


@cache
def inputs() -> NDArray[np.float32]:
    """Bring the photographs to the network's size, in its values: RGB, 0 to 255."""
    sized = [cv2.resize(photo, (128, 128), interpolation=cv2.INTER_AREA) for photo in photographs()]
    return np.stack(sized).astype(np.float32)


@cache
def network() -> tuple[Any, tuple[str, ...]]:
    """Load the reference network of the scene example, and its class names."""
    from scene_classification import load_reference_model, reference_classes

    return load_reference_model(), reference_classes()


# Fewer passes than by default, so that the pages are built in minutes.
_QUICK: dict[str, dict[str, Any]] = {
    "ss_cam": {"samples": 2},
    "is_cam": {"steps": 3},
    "rise": {"samples": 600},
    "lime": {"samples": 400},
    "kernel_shap": {"samples": 400},
    "sobol_attribution": {"samples": 8},
    "hsic_attribution": {"samples": 400},
}


@cache
def under(name: str) -> NDArray[np.uint8]:
    """Draw what a method finds over both photographs: (2, 427, 427, 3)."""
    import kerascam
    from kerascam.registry import METHODS

    model, class_names = network()
    kind = getattr(kerascam, METHODS[name].class_name)
    explainer = kind(model, class_names=class_names, **_QUICK.get(name, {}))
    drawn: NDArray[np.uint8] = explainer(inputs()).overlay(photographs())
    return drawn


def methods() -> Figure:
    """Show both photographs under every method."""
    from kerascam.registry import METHODS

    tiles = [("The photographs", photographs())]
    tiles += [(method.class_name, under(name)) for name, method in METHODS.items()]
    return _sheet([(title, np.hstack([*pair])) for title, pair in tiles], columns=3, shape=(2, 1))


def layers() -> Figure:
    """Show one photograph's maps at several depths, and several depths fused."""
    from kerascam import GradCAM, LayerCAM, suggest_layers

    model, class_names = network()
    ends = [one for one in suggest_layers(model) if one.path.endswith("_out")]
    stages = {one.shape[1:3]: one for one in ends}  # the last one of each grid
    rows = []
    for kind in (GradCAM, LayerCAM):
        for (height, width), layer in stages.items():
            found = kind(model, layer.path, class_names=class_names)(inputs()[:1], "buildings")
            title = f"{kind.__name__}\n{layer.path}\n{height}×{width} cells"
            rows.append((title, found.overlay(photographs()[:1])[0]))
        fused = kind(model, [one.path for one in stages.values()], class_names=class_names)
        picture = fused(inputs()[:1], "buildings").overlay(photographs()[:1])[0]
        rows.append((f"{kind.__name__}\nall three\nfused", picture))
    return _sheet(rows, columns=len(stages) + 1)


def targets() -> Figure:
    """Show one photograph asked several questions."""
    from kerascam import GradCAM
    from kerascam import targets as questions

    model, class_names = network()
    contrast = questions.contrast(class_names.index("forest"))
    asked: list[tuple[str, Any, str]] = [
        ('classes="buildings"', None, "buildings"),
        ('classes="forest"', None, "forest"),
        ("contrast: why buildings\nrather than forest", contrast, "buildings"),
        ("counterfactual: evidence\nagainst buildings", questions.counterfactual(), "buildings"),
    ]
    tiles = [("The photograph", photographs()[0])]
    for title, target, label in asked:
        found = GradCAM(model, class_names=class_names, target=target)(inputs()[:1], label)
        tiles.append((title, found.overlay(photographs()[:1])[0]))
    return _sheet(tiles, columns=len(tiles))


def overlays() -> Figure:
    """Show one heatmap over a dark, a white and an orange picture, in every style."""
    from kerascam import overlay

    temple, flower = photographs()
    night = (temple.astype(float) ** 2 / 255 * 0.3).astype(np.uint8)
    white = np.full_like(temple, 250)
    cv2.circle(white, (190, 200), 95, (90, 110, 140), -1)
    cv2.rectangle(white, (30, 290), (150, 390), (40, 40, 40), -1)
    y, x = np.mgrid[:7, :7]
    heatmap = np.exp(-((y - 2.8) ** 2 + (x - 3) ** 2) / 2.5)
    heatmap += 0.5 * np.exp(-((y - 5.2) ** 2 + (x - 1.2) ** 2) / 1.5)
    heatmap = np.maximum(heatmap / heatmap.max() - 0.05, 0) / 0.95
    tiles = []
    for colormap, picture in (("auto", night), ("auto", white), ("viridis", flower)):
        tiles.append(("The picture", picture))
        for style in ("uniform", "heat", "outline"):
            drawn = overlay(picture, heatmap, colormap, style=style)
            tiles.append((f'style="{style}"', drawn))
    return _sheet(tiles, columns=4)


def first_look() -> Figure:
    """Show the photograph, its heatmap, and both together: what one call gives."""
    from kerascam import GradCAM

    model, class_names = network()
    figure: Figure = GradCAM(model, class_names=class_names)(inputs()[:1]).plot(photographs()[:1])
    return figure


def callback() -> Figure:
    """Show what a network looked at while it was trained."""
    from kerascam_docs.callback_figure import callback as watched  # imports Keras

    return watched()


def residual_block() -> Figure:
    """Draw the two kinds of residual blocks."""
    from scene_classification.pictures.residual_block import draw_residual_blocks

    return draw_residual_blocks()


def depth() -> Figure:
    """Show how a plain and a residual network of the same depth learn."""
    from scene_classification.networks.depth import depth_compared
    from scene_classification.pictures.depth_curves import draw_depth

    return draw_depth(depth_compared())


def _sheet(
    tiles: list[tuple[str, NDArray[np.uint8]]], *, columns: int, shape: tuple[int, int] = (1, 1)
) -> Figure:
    """Lay titled pictures out in rows."""
    rows = -(-len(tiles) // columns)
    width, height = shape
    words = 0.15 * max(title.count("\n") for title, _ in tiles) + 0.35
    size = (1.9 * columns * width, (1.9 * height + words) * rows)
    figure = Figure(figsize=size, layout="tight")
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes in grid:
        axes.set_axis_off()
    for axes, (title, picture) in zip(figure.axes, tiles, strict=False):
        _show(axes, title, picture)
    return figure


def _show(axes: Axes, title: str, picture: NDArray[np.uint8]) -> None:
    axes.imshow(picture, interpolation="none")
    axes.set_title(title, fontsize=9)


def gallery_tile(name: str | None = None) -> NDArray[np.uint8]:
    """Show both photographs, as they are or under a method, for the front page."""
    return gallery.tile(under(name) if name else photographs())


# A figure is laid out and titled; an array is a picture, whose pixels are kept.
FIGURES: dict[str, Callable[[], Figure | NDArray[np.uint8]]] = {
    gallery.PHOTOGRAPHS: gallery_tile,
    **{gallery.file_of(name): partial(gallery_tile, name) for name in gallery.SHOWN},
    "first_look.png": first_look,
    "methods.jpg": methods,
    "layers.png": layers,
    "targets.png": targets,
    "overlays.jpg": overlays,
    "callback.png": callback,
    "probe.svg": probe,
    "residual_block.svg": residual_block,
    "depth.svg": depth,
}

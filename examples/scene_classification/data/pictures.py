"""Pictures of a data set: samples, the evidence in them, problems and counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from scene_classification.data.audit import Audit
from scene_classification.data.batches import read_image
from scene_classification.data.examine import Examined
from scene_classification.data.folder import Scenes, Split
from scene_classification.pictures.contact_sheet import Row, Section, Tile, draw_sheet, in_rows

#: Photographs of each class on a sheet of samples and on one of evidence.
SAMPLES, EVIDENCE = 7, 4
#: Problems of each kind on a sheet: images that are there twice, and odd sizes.
PAIRS, ODD = 6, 12
#: Blue and orange that color-blind readers tell apart (Okabe and Ito, 2008).
TRAIN_COLOR, TEST_COLOR = "#0072B2", "#E69F00"


def draw_samples(scenes: Scenes, seed: int) -> Figure:
    """Show some training images of each class, drawn by lot."""
    rows = [
        Row([Tile(load(path)) for path in draw_lots(scenes.train, label, SAMPLES, seed)], name)
        for label, name in enumerate(scenes.classes)
    ]
    return draw_sheet([Section("Training images, drawn by lot", rows)], names=_room(scenes))


def draw_evidence(scenes: Scenes, seed: int) -> Figure | None:
    """Show some test images with their evidence outlined; None for scenes without masks."""
    rows = []
    for label, name in enumerate(scenes.classes):
        paths = draw_lots(scenes.test, label, EVIDENCE, seed)
        masks = [(path, scenes.mask_path(path)) for path in paths]
        tiles = [Tile(outline(load(path), _load_mask(mask))) for path, mask in masks if mask]
        rows += [Row(tiles, name)] if tiles else []
    if not rows:
        return None
    heading = "Test images; what makes their class is outlined"
    return draw_sheet([Section(heading, rows)], side=1.6, names=_room(scenes))


def draw_problems(audit: Audit) -> Figure | None:
    """Show images that are there twice, with both labels, and odd sizes; None without any."""
    labels = [copies.files for copies in audit.copies if copies.two_labels]
    splits = [
        copies.files for copies in audit.copies if copies.across_splits and not copies.two_labels
    ]
    sections = [
        *_pairs(audit, "The same image under two labels", labels),
        *_pairs(audit, "The same image to learn from and to be tested on", splits),
    ]
    if odd := audit.odd_sizes:
        (height, width), _ = audit.sizes[0]
        tiles = [Tile(load(file.path), _odd_caption(audit, file)) for file in odd[:ODD]]
        heading = f"Not {width} × {height} pixels ({_shown(len(tiles), len(odd))})"
        sections.append(Section(heading, in_rows(tiles, 6)))
    return draw_sheet(sections) if sections else None


def draw_counts(audit: Audit) -> Figure:
    """Draw the number of images of each class and split as bars."""
    figure = Figure(figsize=(5, 1.2 + 0.5 * len(audit.classes)), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(audit.classes))
    bars = (("train", "training", -0.2, TRAIN_COLOR), ("test", "test", 0.2, TEST_COLOR))
    for split, name, shift, color in bars:
        counts = list(audit.counts(split).values())
        drawn = axes.barh(
            places + shift, counts, 0.4, color=color, label=f"{name}, {sum(counts):,}"
        )
        axes.bar_label(drawn, [f"{count:,}" for count in counts], padding=3, fontsize=9)
    axes.set_yticks(places, audit.classes)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel("images")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.spines[["top", "right"]].set_visible(False)
    ratio = audit.imbalance()["ratio"]
    figure.suptitle(
        f"Images of each class; the largest has\n{ratio:.2f} × the training images of the smallest",
        fontsize=10,
    )
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def draw_lots(split: Split, label: int, count: int, seed: int) -> list[Path]:
    """Return up to `count` files of a class, drawn by lot."""
    positions = np.flatnonzero(split.labels == label)
    lots = np.random.default_rng([seed, label]).permutation(positions)[:count]
    return [split.paths[position] for position in lots]


def load(path: Path) -> NDArray[np.uint8]:
    """Return an image as RGB, shaped (height, width, 3)."""
    return np.asarray(read_image(str(path)))


def outline(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], *, zoom: int = 4
) -> NDArray[np.uint8]:
    """Enlarge an image and draw the border of a mask on it, yellow within black.

    Args:
        image: RGB, shaped (height, width, 3).
        mask: 255 for evidence and 0 elsewhere, shaped (height, width).
        zoom: By how much; a whole number keeps the border between the pixels that it parts.

    Returns:
        RGB, shaped (zoom · height, zoom · width, 3).
    """
    height, width = mask.shape
    size = (zoom * width, zoom * height)
    picture = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)
    area = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
    borders, _ = cv2.findContours(area, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    for color, thickness in (((0, 0, 0), 5), ((255, 225, 0), 2)):
        cv2.drawContours(picture, borders, -1, color, thickness, cv2.LINE_AA)
    return np.asarray(picture)


def _load_mask(path: Path) -> NDArray[np.uint8]:
    return load(path)[..., 0]


def _pairs(audit: Audit, heading: str, groups: Sequence[Sequence[Examined]]) -> list[Section]:
    tiles = []
    for files in groups[:PAIRS]:
        for file in _unlike(files):
            caption = f"{audit.classes[file.label]}\n{_NAMES[file.split]}\n{_short(file.path.name)}"
            tiles.append(Tile(load(file.path), caption))
    heading = f"{heading} ({_shown(len(tiles) // 2, len(groups))})"
    return [Section(heading, in_rows(tiles, 6, group=2))] if tiles else []


_NAMES = {"train": "training", "test": "test", "unlabelled": "unlabelled"}


def _unlike(files: Sequence[Examined]) -> tuple[Examined, Examined]:
    """Return the first file and the first that differs from it in label, or else in split."""
    labelled = [file for file in files if file.label >= 0]
    first = labelled[0]
    others = sorted(
        labelled[1:], key=lambda file: (file.label == first.label, file.split == first.split)
    )
    return first, others[0]


def _odd_caption(audit: Audit, file: Examined) -> str:
    height, width = file.size or (0, 0)
    label = "unlabelled" if file.label < 0 else audit.classes[file.label]
    return f"{width} × {height}\n{label}, {_short(file.path.name)}"


def _short(name: str, longest: int = 14) -> str:
    """Return a file's name, its end alone where it is too long for a caption."""
    return name if len(name) <= longest else f"…{name[1 - longest :]}"


def _shown(shown: int, there: int) -> str:
    return f"all {there}" if shown == there else f"{shown} of {there}"


def _room(scenes: Scenes) -> float:
    """Return the width of the longest class name, in inches, about."""
    return 0.2 + 0.085 * max(map(len, scenes.classes))

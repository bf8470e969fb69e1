"""What an explainer returns: heatmaps, what they explain, and how to look at them."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import pictures
from .._host_types import HostClassIds, HostHeatmaps, HostMaps, HostScores
from ..arguments import conform_path
from ..pictures import Look, Style
from ..registry import METHODS
from .drawn import heats_of, part_of, photos_of, values_figure, words_figure
from .records import (
    Description,
    arrays_of,
    class_name_of,
    description_of,
    doubt_of,
    html_of,
    records_of,
    table_of,
    title_of,
)
from .result_folder import ResultFolder, write_folder

_OF_IMAGES = ("heatmaps", "maps", "classes", "scores", "probabilities", "images",
              "predictions", "standard_errors", "residual")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Explanation:
    """Heatmaps of a batch of images, and what they explain.

    `np.asarray(explanation)` returns the heatmaps, `explanation[0]` the first image's part; in a
    notebook an explanation shows itself.

    Attributes:
        heatmaps: Shape (batch, *size) on the images' grid, float32 (float64 for a float64
            model), scaled as the explainer's `normalize` says: in [0, 1] by default.
        maps: The method's own values, before resizing and scaling: shape (batch, *grid) on the
            layer's grid, or a tuple of such, one per layer, if several are fused. If the
            paper's map is signed, so is this. None if a server does not return them.
        classes: Shape (batch,): the class that each heatmap explains.
        scores: Shape (batch,): the target's value, by default the class's logit.
        probabilities: Shape (batch,): the model's probability of the class, for segmentation its
            mean over the grid; NaN if the model does not end in a softmax or sigmoid.
        layer: The layer, in words for display: its path, " + " between several; or "images".
        method: The method's registered name.
        statuses: For each image "ok", or why it shows no evidence: "no positive evidence", "zero
            gradient", "zero activations", "not finite" (a score too), "evidence lost in scaling".
        class_names: All class names in order, if the explainer has them.
        notes: What else is worth knowing, such as why this layer was taken.
        signed: Whether the heatmaps hold evidence against the target too, as negative values.
        scaled: Whether the heatmaps are scaled; not with `normalize="none"`.
        images: The images as the model saw them, shape (batch, *size, channels); None if no
            input has the heatmaps' axes.
        predictions: All that the model predicts, shape (batch, classes) or (batch, *grid, units):
            probabilities, or the output if it has none. None for a target of several outputs.
        layers: The paths of the layers, each as `layer=` takes it; none for a gradient method.
        described: The method's description if nothing is computed; None takes it from the registry.
        standard_errors: Of `maps`, of the same shape, if they are means over random samples.
        residual: Shape (batch,): what the sum of each of `maps` misses, if the method promises one,
            such as the change of the score.

    Example:
        >>> import keras
        >>> from kerascam import GradCAM
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu", name="last"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> explanation = GradCAM(model, class_names=["cat", "dog"])(np.ones((3, 8, 8, 3)), "dog")
        >>> len(explanation), explanation.heatmaps.shape, explanation.maps.shape
        (3, (3, 8, 8), (3, 6, 6))
        >>> explanation.layer, explanation[0].class_name(0), explanation.overlay().shape
        ('last', 'dog', (3, 8, 8, 3))
    """

    heatmaps: HostHeatmaps
    maps: HostMaps | tuple[np.ndarray, ...] | None  # each layer has a grid of its own
    classes: HostClassIds
    scores: HostScores
    probabilities: HostScores
    layer: str
    method: str
    statuses: tuple[str, ...]
    class_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    signed: bool = False
    scaled: bool = True
    images: np.ndarray | None = field(default=None, repr=False)
    predictions: np.ndarray | None = field(default=None, repr=False)
    layers: tuple[str, ...] = ()
    described: Description | None = field(default=None, repr=False)
    standard_errors: HostMaps | tuple[np.ndarray, ...] | None = field(default=None, repr=False)
    residual: HostScores | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.heatmaps)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        wanted = self.heatmaps.dtype if dtype is None else np.dtype(dtype)
        if copy is False and wanted != self.heatmaps.dtype:
            raise ValueError(f"copy=False, but heatmaps of {self.heatmaps.dtype} as {wanted} copy")
        return self.heatmaps.astype(wanted, copy=bool(copy))

    def __repr__(self) -> str:
        plural = "" if len(self) == 1 else "s"
        lines = [f"{self._described.title} at {self.layer}, {len(self)} heatmap{plural}:"]
        lines += [f"  {title}{doubt_of(self, place)}" for place, title in enumerate(self.titles())]
        return "\n".join(lines + [f"  ({note})" for note in self.notes])

    def __getitem__(self, index: int | np.integer | slice) -> "Explanation":
        """Take the explanation of one image (a batch of one) or of a slice of them."""
        if isinstance(index, slice):
            part = index
        else:
            place = range(len(self))[operator.index(index)]
            part = slice(place, place + 1)
        parts = {name: part_of(getattr(self, name), part) for name in _OF_IMAGES}
        return replace(self, statuses=self.statuses[part], **parts)

    def class_name(self, index: int) -> str:
        """Return the name of the class of heatmap `index`, or "class 7" without names."""
        return class_name_of(int(self.classes[index]), self.class_names)

    def titles(self) -> list[str]:
        """Word each heatmap's class, probability or score, and status if it is not "ok"."""
        return [title_of(self, index) for index in range(len(self))]

    def overlay(
        self,
        photos: Any = None,
        *,
        colormap: str = "auto",
        alpha: float | None = None,
        style: Style = "heat",
        levels: Sequence[float] | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> np.ndarray:
        """Lay the heatmaps over the photographs.

        Args:
            photos: Shape (batch, height, width[, channels]) of any size: uint8, 0 to 1 or 0 to
                255. None takes the model's inputs, if they are images of that kind.
            colormap: A matplotlib name; "auto" is "inferno", with blue for evidence against.
            alpha: Opacity, 0 to 1: of the strongest evidence (0.75 by default), with
                `style="uniform"` of all pixels (0.5), with `style="outline"` of the lines (1).
            style: "heat": the opacity follows the heat, and where there is no evidence the photo
                is as it was. "uniform": the same opacity everywhere. "outline": lines at
                `levels`, over the photo as it is.
            levels: Where the lines of an outline run, between 0 and 1: 0.25, 0.5 and 0.75 by
                default, for both signs if signed.
            value_range: The values of black and of white of photos or inputs that have others,
                such as (-1, 1) after preprocessing.

        Returns:
            Shape (batch, height, width, 3), uint8 RGB. A gradient method's heatmap is drawn up to
            its 99th percentile, as a few pixels hold its maximum.

        Raises:
            ValueError: If the heatmaps are not two-dimensional, or the photos do not fit.
        """
        Look(colormap, alpha, style, levels)  # raises before the photos are looked at
        if self.heatmaps.ndim != 3:
            raise ValueError(
                f"overlay needs two-dimensional heatmaps, not of shape {self.heatmaps.shape}; "
                f"use plot()"
            )
        shown = photos_of(self, photos, value_range)
        if shown is None:
            raise ValueError(
                "photos must be given: the model's inputs are not a picture to draw on; pass the "
                "photographs as they were before preprocessing, or value_range=(low, high)"
            )
        heat = heats_of(self, self._described.of_pixels)[0]
        photos = pictures.stacked(shown)
        drawn: dict[str, Any] = {"style": style, "levels": levels, "signed": self.signed}
        return pictures.overlay(photos, heat, colormap, alpha, **drawn)

    def plot(
        self,
        photos: Any = None,
        *,
        colormap: str = "auto",
        alpha: float | None = None,
        style: Style = "heat",
        levels: Sequence[float] | None = None,
        value_range: tuple[float, float] | None = None,
        tokens: Any = None,
    ) -> Any:
        """Draw photo, heatmap with colour bar, and overlay, one row per image.

        Of clips in colour, frames are drawn; of other volumes, the slice of most evidence; of
        texts, with `tokens`, each word on its colour.

        Args:
            photos: As for `overlay`; without any, the heatmaps alone are drawn.
            colormap: As for `overlay`.
            alpha: As for `overlay`.
            style: As for `overlay`.
            levels: As for `overlay`.
            value_range: As for `overlay`; of signals it says nothing.
            tokens: The words of each text, one for each value of its heatmap.

        Returns:
            A matplotlib Figure; `figure.savefig("cam.png")` writes it.
        """
        Look(colormap, alpha, style, levels)
        (heat, unit), titles = heats_of(self, self._described.of_pixels), self.titles()
        colors: dict[str, Any] = {"colormap": colormap, "signed": self.signed, "unit": unit}
        if tokens is not None:
            return words_figure(tokens, photos, heat, titles, **colors)
        painted: dict[str, Any] = {"alpha": alpha, "style": style, "levels": levels}
        painted["heading"] = self._described.title
        if heat.ndim == 3:
            shown = photos_of(self, photos, value_range)
            return pictures.figure(shown, heat, titles, **painted, **colors)
        values = self.images if photos is None else pictures.as_many(photos, len(self))
        painted["value_range"] = value_range
        return values_figure(values, heat, titles, painted, **colors)

    def save(
        self,
        folder: str | Path,
        photos: Any = None,
        *,
        colormap: str = "auto",
        alpha: float | None = None,
        style: Style = "heat",
        levels: Sequence[float] | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> Path:
        """Write the arrays, a heatmap and an overlay picture for each image, and a manifest.

        `manifest.json` is written last: a folder that has one is complete. No file is ever half
        there. An older result is replaced; files that kerascam did not write are never touched.

        Args:
            folder: Made if it is missing.
            photos: As for `overlay`; without any, no overlays are written.
            colormap: As for `overlay`.
            alpha: As for `overlay`.
            style: As for `overlay`.
            levels: As for `overlay`.
            value_range: As for `overlay`.

        Returns:
            The manifest's path.

        Raises:
            ValueError: If a file would be replaced that kerascam did not write, before any is.
        """
        place = ResultFolder(Path(conform_path("folder", folder)))
        look = Look(colormap, alpha, style, levels)
        heat, _ = heats_of(self, self._described.of_pixels)
        shown = photos_of(self, photos, value_range)
        drawn: dict[str, list[np.ndarray]] = {}
        if heat.ndim == 3:
            drawn["heatmap"] = list(pictures.colorize(heat, colormap, signed=self.signed))
            if shown is not None:
                drawn["overlay"] = [
                    self[index].overlay(photo[None], **vars(look))[0]
                    for index, photo in enumerate(shown)
                ]
        facts = {
            "method": self.method,
            "layer": self.layer,
            "layers": list(self.layers),
            "notes": list(self.notes),
        }
        return write_folder(place, arrays_of(self), drawn, facts, records_of(self))

    def to_dataframe(self) -> Any:
        """Make a table with one row per image.

        Returns:
            A `pandas.DataFrame` of class, class_name, probability, score, status, layer, method.

        Raises:
            ModuleNotFoundError: If pandas is not installed.
        """
        return table_of(self)

    @property
    def _described(self) -> Description:
        return self.described or description_of(METHODS[self.method])

    def _repr_html_(self) -> str | None:
        if self.heatmaps.ndim != 3 and self.images is None:
            return None  # nothing to draw on: the notebook shows the text
        return html_of(self.plot, self._described.title)

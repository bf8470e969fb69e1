"""A survey that was written: its table, and the heatmaps and explanations drawn from it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .._host_types import HostHeatmaps, HostMaps
from ..arguments import conform_path
from ..explain import Explanation, Placed, heatmaps_from
from ..optional import package_for, pandas_for
from ..registry import METHODS
from .shards import WIDE, failures_of, good_rows, names_of
from .store import BEGUN, Store


@dataclass(frozen=True, eq=False)
class Survey:
    """The explained images of a data set.

    An index counts the images that could be read, in the order of their positions.

    Attributes:
        folder: Where it is.
        manifest: What it was made with: settings, versions, notes, counts and times.
        complete: Whether all images are there; else the first shards of a survey that was stopped.

    Example:
        >>> import keras, numpy as np, tempfile
        >>> from kerascam import GradCAM, explain_dataset
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     keras.utils.save_img(f"{folder}/1.png", np.full((9, 9, 3), 128), scale=False)
        ...     survey = explain_dataset(GradCAM(model), folder, f"{folder}/survey")
        >>> survey
        Survey(1 image, 0 unreadable, Grad-CAM at conv2d...)
    """

    folder: Path
    manifest: Mapping[str, Any]
    complete: bool
    _table: Any
    _shards: Sequence[Path]
    _wide: Sequence[str]

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        plural = "" if len(self) == 1 else "s"
        state = "" if self.complete else ", not complete"
        return (
            f"Survey({len(self)} image{plural}, {len(self.failures())} unreadable, "
            f"{self.manifest['title']} at {self.layer}{state})"
        )

    @property
    def method(self) -> str:
        """The method's registered name."""
        return str(self.manifest["settings"]["method"])

    @property
    def layer(self) -> str:
        """The layer, in words for display."""
        return str(self.manifest["layer"] or "")

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The class names in order, if there are any."""
        names = self.manifest["settings"]["class_names"]
        return None if names is None else tuple(names)

    def column(self, name: str) -> np.ndarray:
        """Return a column of numbers or texts; NaN or None where there is nothing.

        Args:
            name: As in `explain_dataset`, but for maps and relevance.

        Raises:
            ValueError: If there is no such column.
        """
        self._check(name, self._table.column_names)
        return np.asarray(self._table.column(name).to_numpy())

    def maps(self, layer: int = 0) -> HostMaps:
        """Return the raw maps of all images.

        Args:
            layer: Which layer, if there are several.

        Returns:
            Shape (images, *grid), float32.
        """
        names = self.manifest["grids"]
        rows = self._rows("map" if len(names) == 1 else f"map_{layer}")
        return rows.reshape(len(self), *names[layer])

    def relevance(self, layer: int = 0) -> np.ndarray:
        """Return what each feature adds to the maps of all images.

        Args:
            layer: Which layer, if there are several.

        Returns:
            Shape (images, features), float32.

        Raises:
            ValueError: If the method's map is no sum over features.
        """
        one = len(self.manifest["grids"]) == 1
        return self._rows("relevance" if one else f"relevance_{layer}")

    @property
    def has_relevance(self) -> bool:
        """Whether there is a relevance of each feature."""
        return any(name.startswith("relevance") for name in self._wide)

    def heatmap(self, index: int) -> np.ndarray:
        """Draw the heatmap of an image, as the explainer would have returned it.

        Args:
            index: Which image.

        Returns:
            Shape (*size), scaled as the explainer's `normalize` says; it differs from the
            explainer's own by the rounding of the stored map.

        Raises:
            IndexError: If there is no such image.
        """
        return self.heatmaps([index])[0]

    def heatmaps(self, indices: Sequence[int]) -> HostHeatmaps:
        """Draw the heatmaps of some images.

        Args:
            indices: Which images.

        Returns:
            Shape (images, *size).

        Raises:
            IndexError: If there is no such image.
        """
        chosen = [range(len(self))[index] for index in indices]
        layers = range(len(self.manifest["grids"]))
        placed = [
            None if each is None else Placed(_edges(each[0]), each[1] and tuple(each[1]))
            for each in self.manifest["placed"]
        ]
        return heatmaps_from(
            [self._all_maps[layer][chosen] for layer in layers],
            METHODS[self.method],
            self.manifest["settings"]["normalize"],
            self.manifest["size"],
            placed,
        )

    def explanation(self, index: int) -> Explanation:
        """Return the explanation of an image: a batch of one, without the image itself.

        Args:
            index: Which image.

        Returns:
            What the explainer would have returned, but for the rounding of the stored map;
            `plot(photo)` and `overlay(photo)` take the photograph.

        Raises:
            IndexError: If there is no such image.
        """
        place = range(len(self))[index]
        maps = tuple(each[place : place + 1] for each in self._all_maps)
        taken = {
            name: self.column(name)[place : place + 1] for name in ("class", "score", "probability")
        }
        return Explanation(
            heatmaps=self.heatmaps([place]),
            maps=maps[0] if len(maps) == 1 else maps,
            classes=taken["class"].astype(np.int32),
            scores=taken["score"].astype(np.float32),
            probabilities=taken["probability"].astype(np.float32),
            layer=self.layer,
            method=self.method,
            statuses=(str(self.column("status")[place]),),
            class_names=self.class_names,
            notes=tuple(self.manifest["notes"]),
            signed=self.manifest["signed"],
            scaled=self.manifest["scaled"],
            layers=tuple(self.manifest["layers"]),
        )

    def path(self, index: int) -> Path | None:
        """Return the file of an image; None if it came from a data set.

        Args:
            index: Which image.

        Raises:
            IndexError: If there is no such image.
        """
        root, key = self.manifest["root"], str(self.column("key")[range(len(self))[index]])
        return None if root is None else Path(root) / key

    def failures(self) -> list[tuple[str, str]]:
        """List the files that could not be read, each with the reason."""
        return list(self._failed)

    def to_dataframe(self) -> Any:
        """Make a table with one row per image that could be read.

        Returns:
            A `pandas.DataFrame` of all columns but maps and relevance; `maps` and `relevance`
            return these as arrays.

        Raises:
            ModuleNotFoundError: If pandas is not installed.
        """
        pandas_for("to_dataframe")
        return self._table.to_pandas()

    @cached_property
    def _all_maps(self) -> list[HostMaps]:
        return [self.maps(layer) for layer in range(len(self.manifest["grids"]))]

    @cached_property
    def _failed(self) -> list[tuple[str, str]]:
        return failures_of(Store(self.folder))

    def _check(self, name: str, known: Sequence[str]) -> None:
        if name not in known:
            has = ", ".join([*self._table.column_names, *self._wide])
            raise ValueError(f"the survey has no column {name!r}; it has {has}")

    def _rows(self, name: str) -> np.ndarray:
        self._check(name, self._wide)
        table = good_rows(self._shards, [name, f"{name}_scale"])
        halves = table.column(name).combine_chunks()
        scales = table.column(f"{name}_scale").to_numpy()
        values = halves.flatten().to_numpy(zero_copy_only=False).reshape(len(self), -1)
        return (values * scales[:, None]).astype(np.float32)


def read_survey(path: str | os.PathLike[str]) -> Survey:
    """Read a survey that `explain_dataset` or `kerascam survey` has written.

    Args:
        path: Its folder. One that was stopped is read as far as it is.

    Returns:
        The survey: names and numbers of all images are in memory, some 200 bytes of each; maps and
        relevance, which are larger, are read from the folder when they are asked for.

    Raises:
        ModuleNotFoundError: If pyarrow is not installed: it comes with the extra `survey`.
        ValueError: If the folder holds no survey.

    Example:
        >>> read_survey("nowhere")
        Traceback (most recent call last):
        ValueError: path 'nowhere' holds no survey: there is no survey.json
    """
    package_for("read_survey", "pyarrow", "pyarrow scikit-learn")
    store = Store(Path(conform_path("path", path)), "path")
    begun, manifest = store.begun, store.manifest
    if begun is None:
        raise ValueError(f"path {str(store.folder)!r} holds no survey: there is no {BEGUN}")
    shards = store.shards()
    if not shards:
        raise ValueError(f"path {str(store.folder)!r} holds no shard of its survey yet")
    names = [name for name in names_of(shards[0]) if name != "error"]
    wide = [name for name in names if name.startswith(WIDE)]
    table = good_rows(shards, [name for name in names if name not in wide])
    return Survey(store.folder, manifest or begun, manifest is not None, table, shards, wide)


def _edges(edges: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(None if each is None else tuple(each) for each in edges)

"""Where the explanations of an epoch go: experiment trackers, and a folder of sheets."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..explain import Explanation
from ..marks import check_free
from ..pictures import sheet, write_png
from ..registry import METHODS
from ..tracking import Picture, Tracker

_SHEET = re.compile(r"epoch-\d{4,}\.png", re.IGNORECASE)  # also if case makes no difference


class Page(NamedTuple):
    """What is recorded of an epoch.

    Attributes:
        epoch: Its number, from 0 as Keras counts them.
        explanation: The explanation of the watched images.
        overlays: For each image, (height, width, 3) uint8 RGB.
        gives_probabilities: Whether the model returns any, even if they are NaN now.
        figures: What metrics say of the explanation, by their names.
    """

    epoch: int
    explanation: Explanation
    overlays: Sequence[NDArray[np.uint8]]
    gives_probabilities: bool
    figures: Mapping[str, float] = MappingProxyType({})


@runtime_checkable
class Record(Protocol):
    """A place for pages."""

    def open(self) -> None:
        """Make the place ready, before the first step of a training."""

    def write(self, page: Page) -> None:
        """Write a page so that it is there if the training is killed right after."""

    def close(self) -> None:
        """Release what `open` took."""


def scalars_of(page: Page) -> dict[str, float]:
    """Return an epoch's figures, by names such as "grad_cam/insertion".

    The mean probability of the explained classes is among them, or the mean score if the model
    returns no probabilities.
    """
    found = page.explanation
    # By the model, not by the values: one that diverged returns NaN, and its curve goes on.
    given = page.gives_probabilities
    name, values = ("probability", found.probabilities) if given else ("score", found.scores)
    figures = {f"mean_{name}": float(np.mean(values)), **page.figures}
    return {f"{found.method}/{name}": figure for name, figure in figures.items()}


def pictures_of(page: Page) -> dict[str, Picture]:
    """Return an epoch's overlays, by names such as "grad_cam/00"."""
    method, titles = page.explanation.method, page.explanation.titles()
    return {
        f"{method}/{place:02d}": Picture(overlay, title)
        for place, (overlay, title) in enumerate(zip(page.overlays, titles, strict=True))
    }


class Tracked:
    """An experiment tracker: for each image its overlay, and the figures of `scalars_of`.

    They are at the step that Keras's own callback writes to. Of a model that diverged they are NaN.

    Args:
        tracker: Where to.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def open(self) -> None:
        """Open the tracker."""
        self._tracker.open()

    def write(self, page: Page) -> None:
        """Log overlays and figures."""
        self._tracker.log(page.epoch, scalars_of(page), pictures_of(page))

    def close(self) -> None:
        """Close the tracker."""
        self._tracker.close()


class Sheets:
    """A folder with one PNG file per epoch, `epoch-0001.png` after the first.

    Sheets of an earlier training are overwritten, other files never.

    Args:
        folder: Made if it is missing.

    Raises:
        ValueError: If it is a file.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"folder={str(folder)!r} is a file; name a folder, or a new one")
        self._folder = folder

    def open(self) -> None:
        """Make the folder.

        Raises:
            NotOursError: If a file that kerascam did not write has the name of a sheet.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.iterdir()):
            if _SHEET.fullmatch(path.name):
                check_free(path, "folder")

    def write(self, page: Page) -> None:
        """Write the sheet, whole or not at all.

        Raises:
            NotOursError: If a file that kerascam did not write has its name.
        """
        path = self._folder / f"epoch-{page.epoch + 1:04d}.png"
        check_free(path, "folder")
        write_png(path, draw(page))

    def close(self) -> None:
        """Do nothing: every sheet is written when it is drawn."""


def draw(page: Page) -> NDArray[np.uint8]:
    """Draw the sheet of an epoch: its overlays, each with its class and probability below.

    Returns:
        (height, width, 3), uint8 RGB.
    """
    found = page.explanation
    heading = f"{METHODS[found.method].title} at {found.layer}, epoch {page.epoch + 1}"
    return sheet(page.overlays, found.titles(), heading)

"""What is judged: methods, each by its explainer, and baselines, all with the same call."""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np

from .._host_types import HostClassIds, HostHeatmaps, HostImages
from ..errors import brief
from ..explain import Explainer, Programs, Randomized
from .baselines import BASELINES, Draw
from .shown import Shown


@runtime_checkable
class Subject(Protocol):
    """What draws maps."""

    @property
    def title(self) -> str:
        """What it is called in a table."""

    def heatmaps(self, shown: Shown, classes: HostClassIds) -> HostHeatmaps:
        """Draw maps, scaled as the user sees them."""

    def attributions(self, shown: Shown, classes: HostClassIds) -> HostHeatmaps:
        """Draw the same maps, neither scaled nor cut at zero."""

    def randomized(
        self, shown: Shown, classes: HostClassIds, layers: Collection[int], seed: int
    ) -> HostHeatmaps:
        """Draw heatmaps of the model with some layers randomized."""


@dataclass(frozen=True)
class Explained:
    """A method, by its explainer.

    Attributes:
        explainer: The user's.
        title: What it is called in a table.
    """

    explainer: Explainer
    title: str

    def heatmaps(self, shown: Shown, classes: HostClassIds) -> HostHeatmaps:
        """Draw maps, scaled as the user sees them."""
        return _on_images(
            self.explainer(shown.inputs, classes, progress=False).heatmaps, shown.images, self.title
        )

    def attributions(self, shown: Shown, classes: HostClassIds) -> HostHeatmaps:
        """Draw the same maps, neither scaled nor cut at zero."""
        return _on_images(
            self.unscaled(shown.inputs, classes, progress=False).heatmaps, shown.images, self.title
        )

    def randomized(
        self, shown: Shown, classes: HostClassIds, layers: Collection[int], seed: int
    ) -> HostHeatmaps:
        """Draw heatmaps of the model with some layers randomized."""
        found = self._other.heatmaps(shown.inputs, classes, layers, seed)
        return _on_images(found, shown.images, self.title)

    @cached_property
    def _other(self) -> Randomized:
        return Randomized(self.explainer)

    @cached_property
    def unscaled(self) -> Explainer:
        """The same explainer without scaling; it compiles programs of its own."""
        if not self.explainer.scales:
            return self.explainer
        twin, own = copy(self.explainer), self.explainer.programs
        recipe = replace(own.recipe, normalize="none")
        twin.programs = Programs(
            own.model, recipe, own.sites, own.call_index, own.freeze, own.notes
        )
        return twin


@dataclass(frozen=True)
class Drawn:
    """A baseline.

    Attributes:
        draw: From images and a seed to maps.
        title: What it is called in a table.
        seed: Its seed.
    """

    draw: Draw
    title: str
    seed: int = field(default=0)

    def heatmaps(self, shown: Shown, classes: HostClassIds) -> HostHeatmaps:
        """Draw maps; they know no class."""
        del classes
        return self.draw(shown.images, self.seed)

    def attributions(self, shown: Shown, classes: HostClassIds) -> HostHeatmaps:
        """Draw the same maps."""
        return self.heatmaps(shown, classes)

    def randomized(
        self, shown: Shown, classes: HostClassIds, layers: Collection[int], seed: int
    ) -> HostHeatmaps:
        """Draw the same maps: they know no model."""
        del layers, seed
        return self.heatmaps(shown, classes)


def named(explainers: Any) -> dict[str, Explained]:
    """Bring the user's explainers to a dict by their names.

    Args:
        explainers: One, several, or a dict of them by name. Without names, each has its method's.

    Raises:
        TypeError: If one is no explainer.
        ValueError: If there is none, two have one name, or they do not ask the same of one model.
    """
    if isinstance(explainers, Explainer):
        explainers = [explainers]
    if not isinstance(explainers, (Mapping, Sequence)) or isinstance(explainers, str):
        raise TypeError(
            f"explainers must be an explainer, a list or a dict of them, not {brief(explainers)}"
        )
    given = isinstance(explainers, Mapping)
    each = list(explainers.values() if isinstance(explainers, Mapping) else explainers)
    for one in each:
        if not isinstance(one, Explainer):
            raise TypeError(
                f"explainers must be explainers, as GradCAM(model) makes one; received {brief(one)}"
            )
    names = list(explainers) if given else [one.method.name for one in each]
    _check_names(names)
    _check_same_question(each)
    return {
        name: Explained(one, name if given else one.method.title)
        for name, one in zip(names, each, strict=True)
    }


def _check_names(names: Sequence[Any]) -> None:
    if not names:
        raise ValueError("explainers must hold at least one explainer; received none")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"explainers must have texts as names, not {brief(name)}")
        if name in BASELINES:
            raise ValueError(f"explainers has {name!r}, which is a baseline's name: take another")
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(
            f"explainers has {names.count(twice[0])} of method {twice[0]!r}: give a dict with a "
            f"name for each"
        )


def _check_same_question(explainers: Sequence[Explainer]) -> None:
    first = explainers[0]
    for other in explainers[1:]:
        if other.model is not first.model:
            raise ValueError(
                "explainers must be of one model: their figures would not compare; evaluate each "
                "model on its own"
            )
        asked, own = other.programs.recipe.question, first.programs.recipe.question
        if (asked.target, asked.output, asked.input) != (own.target, own.output, own.input):
            raise ValueError(
                "explainers must have the same target=, output= and input=; give all of them one "
                "target object"
            )


def _on_images(heatmaps: HostHeatmaps, images: HostImages, title: str) -> HostHeatmaps:
    if heatmaps.shape != images.shape[:-1]:
        raise ValueError(
            f"the heatmaps of {title} have shape {heatmaps.shape}, and images of shape "
            f"{images.shape} need {images.shape[:-1]}: kerascam.evaluate takes methods that "
            f"draw on all axes of the images"
        )
    return np.asarray(heatmaps)

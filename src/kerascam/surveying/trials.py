"""Try a cue: does it make the model say a class of images that show another one?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from .._host_types import HostMaps
from ..explain import Explainer
from ..loading import sized, to_inputs
from ..model import Preprocess, image_form_of
from .cues import Cue, part_around
from .patches import colours_of
from .photos import Photos
from .survey import Survey

_BATCH = 64


@dataclass(frozen=True)
class Effect:
    """What a cue does to the probability of a class.

    Attributes:
        gain: By how much it rises in images of other classes that are given the cue, in the mean.
        control: The same, of the same part of images of the class that are thought not to have it.
        low: The lower end of the 99.9 % interval of the difference.
        flipped: The share of these images in which the class gets most of the probability.
        drop: By how much it falls in the class's own images if the cue is replaced by what others
            have there, in the mean.
        pairs: How many images were tried.
    """

    gain: float
    control: float
    low: float
    flipped: float
    drop: float
    pairs: int


class Trials:
    """Tries cues on the photographs of a survey.

    Args:
        survey: Of files.
        explainer: Of the survey's model.
        preprocess: From photographs to what the model takes.
        peaks: Where the heat of each image is greatest, in shares of height and width.
        pairs: How many images each cue is tried on.
        seed: Of the images that are drawn.
    """

    def __init__(
        self,
        survey: Survey,
        explainer: Explainer,
        preprocess: Preprocess,
        peaks: Float[np.ndarray, "images 2"],
        pairs: int,
        seed: int,
    ) -> None:
        self._explainer, self._preprocess = explainer, preprocess
        self._pairs, self._seed = pairs, seed
        size = tuple(survey.manifest["settings"]["reading"]["size"])
        axes = explainer.programs.recipe.question.axes
        self._form = sized(image_form_of(explainer.model, axes), size)
        self._photos = Photos(survey, self._form)
        self.peaks = peaks

    def of(
        self,
        index: int,
        group: Sequence[int] | np.ndarray,
        control: Sequence[int] | np.ndarray,
        hosts: Sequence[int] | np.ndarray,
    ) -> "Trial":
        """Draw the images that cues are tried on, and ask the model about them as they are.

        Args:
            index: The class.
            group: Images of the class that are thought to have the cue.
            control: Images that are thought not to have it.
            hosts: Images of other classes.
        """
        rng = np.random.default_rng([self._seed, index])
        donors, others, receive = (self._drawn(rng, each) for each in (group, control, hosts))
        before = self._probabilities(self._pixels(receive), index)
        own = self._probabilities(self._pixels(donors), index)
        return Trial(self, index, donors, others, receive, before, own)

    def colours(self, images: Sequence[int] | np.ndarray) -> Float[np.ndarray, "images bins"]:
        """Count the colours around the hottest place of each image; see `colours_of`."""
        return colours_of(
            part_around(self._photos.fitted(int(each)), self.peaks[each]) for each in images
        )

    def given(self, cue: Cue, donors: np.ndarray, hosts: np.ndarray, index: int) -> np.ndarray:
        """Return the probability of a class in images that are given a cue of others."""
        made = cue.transplanted(self._pixels(donors), self.peaks[donors], self._pixels(hosts))
        return self._probabilities(made, index)

    def _drawn(self, rng: np.random.Generator, images: Any) -> np.ndarray:
        return np.resize(rng.permutation(np.asarray(images)), self._pairs)

    def _pixels(self, images: np.ndarray) -> np.ndarray:
        return np.stack([self._photos.fitted(int(each)) for each in images])

    def _probabilities(self, pixels: np.ndarray, index: int) -> Float[np.ndarray, " batch"]:
        parts = []
        for start in range(0, len(pixels), _BATCH):
            part = list(pixels[start : start + _BATCH])
            inputs = to_inputs(part, self._form, self._preprocess)
            parts.append(self._explainer.probabilities(inputs, index))
        return np.concatenate(parts).astype(np.float64)


@dataclass(frozen=True)
class Trial:
    """Images on which several cues are tried.

    Attributes:
        trials: Asks the model.
        index: The class.
        donors: Images of the class that are thought to have the cue.
        others: Images of it that are thought not to have it.
        hosts: As many images of other classes.
        before: The class's probability in the hosts.
        own: The same in the donors.
    """

    trials: Trials
    index: int
    donors: np.ndarray
    others: np.ndarray
    hosts: np.ndarray
    before: Float[np.ndarray, " pairs"]
    own: Float[np.ndarray, " pairs"]

    def effect(self, cue: Cue, least: float) -> Effect | None:
        """Measure what a cue does.

        Args:
            cue: The cue.
            least: By how much it must raise the probability for the rest to be measured, too.

        Returns:
            None if it raises it by less.
        """
        given = self.trials.given
        after = given(cue, self.donors, self.hosts, self.index)
        gain = float((after - self.before).mean())
        if not gain >= least:
            return None
        beside = given(cue, self.others, self.hosts, self.index)
        without = given(cue, self.hosts, self.donors, self.index)
        apart = after - beside
        error = apart.std(ddof=1) / len(apart) ** 0.5
        return Effect(
            gain=gain,
            control=float((beside - self.before).mean()),
            low=float(apart.mean() - 3.29 * error),
            flipped=float((after > 0.5).mean()),
            drop=float((self.own - without).mean()),
            pairs=len(apart),
        )


def peaks_of(maps: HostMaps) -> Float[np.ndarray, "images 2"]:
    """Return where the heat of each map is greatest, in shares of height and width."""
    flat = maps.reshape(len(maps), -1).argmax(1)
    rows, columns = np.unravel_index(flat, maps.shape[1:])
    return np.stack([(rows + 0.5) / maps.shape[1], (columns + 0.5) / maps.shape[2]], 1)

"""Name what a model may be fooled by, with the evidence, and say how sure that is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from .._host_types import HostMaps
from .clusters import Spectrum, spectrum_of
from .cues import SIDE, BorderCue, Cue, ObjectCue, PlaceCue, TintCue
from .heat import within
from .looks import ClassLook
from .trials import Effect, Trials

#: What a cue must do at least: raise the probability of its class in images of other classes by so
#: much, by so much more than other images of the class do, and by so much at its interval's end.
LEAST_GAIN, LEAST_APART, LEAST_LOW = 0.25, 0.2, 0.1
#: What is hottest is mostly the class's own subject, which persuades more in some images than in
#: others: a thing must do so much more than that.
LEAST_APART_OBJECT = 0.35
_LEAST_IMAGES = 8
_LEAST_SHARE = 0.04
_LEAST_MORE = 0.03  # heat at a place
#: Into how many parts a class is divided, besides its clusters, to find who shares a cue.
_COUNTS = (2, 3, 5)
#: How much of a larger effect a simpler cue must have to be named instead. Images of a group that
#: do not have it weaken the mean that a place is; a thing is taken from each image as it is.
_NEARLY = 0.6


@dataclass(frozen=True)
class Suspect:
    """Something that a model recognizes a class by, and that may not belong to it.

    Attributes:
        kind: "place", "border", "object" or "tint".
        index: The class.
        name: Its name.
        images: The images that have it, as far as clusters tell; indices in the survey.
        share: Their share of the class's images.
        centre: The middle of the place in shares of height and width; None for other kinds.
        effect: What it does to the probability of the class.
        sentence: What was found, in words.
    """

    kind: str
    index: int
    name: str
    images: tuple[int, ...]
    share: float
    centre: tuple[float, float] | None
    effect: Effect
    sentence: str


def suspects_of(
    looks: tuple[ClassLook, ...],
    shares: HostMaps,
    trials: Trials,
    show: Callable[[int, int], None],
) -> tuple[Suspect, ...]:
    """Try the cues that clusters of each class suggest, and name those that the model follows.

    Args:
        looks: The classes of a survey.
        shares: Each cell's share of the heat of its map; 0 in a map without any.
        trials: Tries a cue.
        show: Called with how many classes are done, and how many there are.
    """
    found: list[Suspect] = []
    for done, look in enumerate(looks):
        show(done, len(looks))
        others = [other.images for other in looks if other.index != look.index]
        hosts = np.concatenate(others) if others else look.images[:0]
        if len(hosts) < _LEAST_IMAGES:
            continue
        tried: list[tuple[Cue, np.ndarray, Effect]] = []
        for group, rest, cues in _ideas(look, shares, trials):
            trial = trials.of(look.index, group, rest, hosts)
            for cue in cues:
                effect = trial.effect(cue, LEAST_GAIN)
                if effect is not None and _follows(cue, effect):
                    tried.append((cue, group, effect))
        if tried:
            found.append(_named(look, tried))
    show(len(looks), len(looks))
    return tuple(sorted(found, key=lambda each: -each.effect.low))


def _follows(cue: Cue, effect: Effect) -> bool:
    apart = LEAST_APART_OBJECT if cue.kind == "object" else LEAST_APART
    return effect.gain - effect.control >= apart and effect.low >= LEAST_LOW


def _ideas(
    look: ClassLook, shares: HostMaps, trials: Trials
) -> Iterator[tuple[np.ndarray, np.ndarray, Iterable[Cue]]]:
    """Yield groups of a class's images, all its other images, and what the group may share."""
    parts = [cluster.images for cluster in look.clusters]
    for spectrum in look.spectra.values():
        parts += _parts(look.images, spectrum)
    parts.append(_at_one_place(look, trials.peaks))
    # Images whose hottest places have like colours share a thing, if anything.
    alike = _parts(look.images, spectrum_of(trials.colours(look.images)))
    seen: set[bytes] = set()
    for place, each in enumerate([*parts, *alike]):
        group = np.sort(each)
        rest = np.setdiff1d(look.images, group)
        few = len(group) < max(_LEAST_IMAGES, _LEAST_SHARE * len(look.images))
        if few or len(rest) < _LEAST_IMAGES or group.tobytes() in seen:
            continue
        seen.add(group.tobytes())
        yield group, rest, _cues(group, rest, shares) if place < len(parts) else [ObjectCue()]


def _parts(images: np.ndarray, spectrum: Spectrum) -> list[np.ndarray]:
    """Divide images by a spectrum, in several ways."""
    found = map(spectrum.clusters, _COUNTS)
    return [images[own == number] for own in found for number in range(own.max() + 1)]


def _at_one_place(look: ClassLook, peaks: np.ndarray) -> np.ndarray:
    """Return the images whose heat is greatest at the place where most have it."""
    own = peaks[look.images]
    near = np.abs(own[:, None] - own[None]).max(-1) <= SIDE / 2
    return np.asarray(look.images[near[near.sum(1).argmax()]])


def _cues(group: np.ndarray, rest: np.ndarray, shares: HostMaps) -> Iterator[Cue]:
    """Yield what a group may share: at the place where it has most more heat than the others."""
    more = shares[group].mean(0) - shares[rest].mean(0)
    places = [(row + 0.5, column + 0.5) for row, column in np.ndindex(*more.shape)]
    inside = [_within(more, place) for place in places]
    most = int(np.argmax(inside))
    if inside[most] >= _LEAST_MORE:
        row, column = places[most]
        yield PlaceCue((row / more.shape[0], column / more.shape[1]))
    yield BorderCue()
    yield ObjectCue()
    yield TintCue()


def _within(more: np.ndarray, place: tuple[float, float]) -> float:
    """Sum what lies in the box around a place."""
    box = [
        (max(middle / length - SIDE / 2, 0), min(middle / length + SIDE / 2, 1))
        for middle, length in zip(place, more.shape, strict=True)
    ]
    return float(within(more[None], box)[0])


def _named(look: ClassLook, tried: list[tuple[Cue, np.ndarray, Effect]]) -> Suspect:
    """Take the cue that does most; of several that do nearly as much, the one that tells most.

    A part of a tinted image carries the tint, and what is along the borders holds what is in a
    corner; not the other way round.
    """
    most = max(effect.gain - effect.control for _, _, effect in tried)
    order = ("tint", "place", "border", "object")
    near = [each for each in tried if each[2].gain - each[2].control >= _NEARLY * most]
    cue, group, effect = min(
        near, key=lambda each: (order.index(each[0].kind), each[2].control - each[2].gain)
    )
    share = len(group) / len(look.images)
    return Suspect(
        cue.kind,
        look.index,
        look.name,
        tuple(group.tolist()),
        share,
        cue.centre if isinstance(cue, PlaceCue) else None,
        effect,
        f"{share:.0%} of the images of {look.name} share {cue.words()}. Taken over into "
        f"{effect.pairs} images of other classes, it raises the probability of {look.name} by "
        f"{_points(effect.gain)} points in the mean, where others of {look.name} raise it "
        f"by {_points(effect.control)}: the difference is at least {_points(effect.low)} points, "
        f"by an interval that holds 999 times in 1,000.",
    )


def _points(share: float) -> str:
    return f"{100 * share:.0f}"

"""What a model looks at, class by class: typical and odd images, clusters, and where heat lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from .._host_types import HostMaps
from .clusters import Spectrum, spectrum_of
from .heat import Heat
from .survey import Survey

_NAMED = 6  # typical and odd images
_MOST_PAIRS = 1500


@dataclass(frozen=True)
class Cluster:
    """Images of one class that the model decides by the same things.

    Attributes:
        by: "relevance" of the layer's features, or "map".
        images: Their indices in the survey, the most typical first.
        share: Their share of the class.
        accuracy: How many of them have this class; NaN without labels.
        mean_map: The mean of their heat, shape (*grid), summing to 1.
        heat: The means of where the heat lies, by the names of `explain_dataset`'s columns.
    """

    by: str
    images: Int[np.ndarray, " images"]
    share: float
    accuracy: float
    mean_map: np.ndarray
    heat: dict[str, float]


@dataclass(frozen=True)
class ClassLook:
    """What the model looks at when it predicts a class, or is asked for it.

    Attributes:
        index: The class.
        name: Its name.
        images: The indices of its images in the survey.
        accuracy: How many of them have this class; NaN without labels.
        mean_map: The mean of their heat, shape (*grid), summing to 1.
        heat: The means of where the heat lies.
        typical: Medoids: images whose heat is nearest to all others'.
        odd: Images whose heat is farthest from all others'.
        clusters: By relevance, if there is one, and by map.
        spectra: Where they come from, by "relevance" and "map".
    """

    index: int
    name: str
    images: Int[np.ndarray, " images"]
    accuracy: float
    mean_map: np.ndarray
    heat: dict[str, float]
    typical: tuple[int, ...]
    odd: tuple[int, ...]
    clusters: tuple[Cluster, ...]
    spectra: dict[str, Spectrum]


def looks_of(survey: Survey, shares: HostMaps, seed: int = 0) -> tuple[ClassLook, ...]:
    """Describe each class that has images in a survey.

    Args:
        survey: The survey.
        shares: Each cell's share of the heat of its map; 0 in a map without any.
        seed: Of the clusters.
    """
    relevance = survey.relevance() if survey.has_relevance else None
    classes, right = survey.column("class"), right_of(survey)
    names = survey.column("class_name")
    made = []
    for index in np.unique(classes):
        images = np.flatnonzero(classes == index)
        spread = _spread(shares[images], seed)
        clusters: list[Cluster] = []
        spectra: dict[str, Spectrum] = {}
        for by, features in (("relevance", relevance), ("map", shares)):
            if features is not None:
                spectra[by] = spectrum_of(features[images], seed)
                found = spectra[by].clusters()
                clusters += [
                    _cluster(survey, by, images, found == number, spread, shares, right)
                    for number in range(found.max() + 1)
                ]
        order = np.argsort(spread, kind="stable")
        made.append(
            ClassLook(
                int(index),
                str(names[images[0]]),
                images,
                _mean(right[images]),
                shares[images].mean(0),
                _heat(survey, images),
                tuple(images[order[:_NAMED]].tolist()),
                tuple(images[order[::-1][:_NAMED]].tolist()),
                tuple(clusters),
                spectra,
            )
        )
    return tuple(made)


def right_of(survey: Survey) -> Float[np.ndarray, " images"]:
    """Tell whether the class that is explained is the true one; NaN without labels."""
    labels = survey.column("label_class").astype(np.float64)
    return np.where(np.isnan(labels), np.nan, labels == survey.column("class"))


def _cluster(
    survey: Survey,
    by: str,
    images: np.ndarray,
    inside: np.ndarray,
    spread: np.ndarray,
    shares: np.ndarray,
    right: np.ndarray,
) -> Cluster:
    own = images[inside]
    own = own[np.argsort(spread[inside], kind="stable")]
    accuracy, mean_map = _mean(right[own]), shares[own].mean(0)
    return Cluster(by, own, float(inside.mean()), accuracy, mean_map, _heat(survey, own))


def _spread(shares: np.ndarray, seed: int) -> np.ndarray:
    """Return how far each image's heat lies from that of others of its class, in the mean."""
    flat = shares.reshape(len(shares), -1)
    some = np.random.default_rng(seed).permutation(len(flat))[:_MOST_PAIRS]
    squares = (flat**2).sum(1)
    distances = squares[:, None] + squares[some] - 2 * flat @ flat[some].T
    return np.sqrt(np.maximum(distances, 0)).mean(1)


def _heat(survey: Survey, images: Sequence[int] | np.ndarray) -> dict[str, float]:
    return {name: _mean(survey.column(f"heat_{name}")[images]) for name in Heat._fields}


def _mean(values: Any) -> float:
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else float("nan")

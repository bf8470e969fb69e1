"""All that an evaluation's figures depend on, as JSON can hold it."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from .. import __version__
from .._host_types import HostClassIds, HostMasks
from ..explain import Explainer, answers_of, settings_of
from ..fingerprints import described
from ..model import fingerprint_of
from .conforming import Chosen
from .shown import Given
from .subjects import Explained


def plan_of(
    methods: Mapping[str, Explained],
    baselines: Sequence[str],
    chosen: Chosen,
    given: Given,
    classes: HostClassIds,
    masks: HostMasks | None,
    *,
    batch_size: int,
    seed: int,
) -> dict[str, Any]:
    """Describe what is measured; equal for calls with equal arguments, in any process.

    Args:
        methods: By name.
        baselines: Their names.
        chosen: The metrics and their options.
        given: All images.
        classes: What is explained.
        masks: The evidence, if any.
        batch_size: How many images are explained at once.
        seed: Of all that is drawn.

    Returns:
        What JSON can hold; under "scores" the target's scores of the images, which a model gives
        that has the same weights and computes the same.
    """
    judge = next(iter(methods.values())).explainer
    return {
        "kerascam": __version__,
        "keras": keras.__version__,
        "model": fingerprint_of(judge.model),
        "methods": {name: settings_of(each.explainer) for name, each in methods.items()},
        "baselines": list(baselines),
        "metrics": {
            name: described({**metric.options, **options})
            for name, (metric, options) in chosen.items()
        },
        "order": {"methods": list(methods), "metrics": list(chosen)},
        "images": described(given.inputs),
        "classes": described(classes),
        "masks": described(masks),
        "batch_size": batch_size,
        "seed": seed,
        "scores": _scores(judge, given, classes, batch_size).tolist(),
    }


def _scores(judge: Explainer, given: Given, classes: HostClassIds, batch_size: int) -> np.ndarray:
    found = [
        answers_of(judge, given[part].inputs, classes[part]) for part in given.parts(batch_size)
    ]
    return np.concatenate([each.scores for each in found])

"""An evaluation of given figures."""

import numpy as np

from kerascam import Evaluation

TITLES = {"uniform": "Uniform map", "centered_gaussian": "Centered Gaussian"}


def evaluation_of(methods, baselines, labels):
    """Put figures of methods and baselines together.

    Args:
        methods: By name, shape (images,) or (two metrics, images).
        baselines: By name, of the same shape.
        labels: The class of each image.
    """
    rows = [np.broadcast_to(each, (2, len(labels))) for each in (methods | baselines).values()]
    figures = np.stack(rows)
    return Evaluation(
        tuple(methods),
        tuple(baselines),
        ("mass_in_mask", "pointing_game"),
        figures,
        np.where(np.isfinite(figures), "", "empty"),
        labels,
        {name: name for name in methods} | TITLES,
        {},
    )

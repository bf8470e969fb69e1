"""A survey in a few numbers."""

import numpy as np

from .heat import Heat
from .looks import right_of
from .survey import Survey


def figures_of(survey: Survey) -> dict[str, float]:
    """Return the key figures of a survey: counts, shares, and means over its images.

    Args:
        survey: The survey.

    Returns:
        By name: `images`, `unreadable`, `evidence` (the share of images whose status is "ok"),
        `accuracy` if there are labels, `probability` if the model returns any, and where the heat
        lies.
    """
    means = {
        "evidence": survey.column("status") == "ok",
        "accuracy": right_of(survey),
        "probability": survey.column("probability"),
        **{f"heat_{name}": survey.column(f"heat_{name}") for name in Heat._fields},
    }
    figures = {"images": float(len(survey)), "unreadable": float(len(survey.failures()))}
    for name, values in means.items():
        numbers = np.asarray(values, np.float64)
        if not np.isnan(numbers).all():
            figures[name] = float(np.nanmean(numbers))
    return figures

"""A linear model of the score in place of the network: z_j says whether segment j is shown."""

from typing import Any

import numpy as np
from keras import ops

from .._types import Images, ScoreFunction
from ..baselines import baseline_of, float_type, hide
from ..estimates import Estimate
from ..repeat import collect
from .segments import Segments


def gains(
    score: ScoreFunction, images: Images, cut: Segments, drawn: Any, baseline: Any, start: Any
) -> Any:
    """Return what the score of each coalition is more than that of an image to start from.

    Args:
        score: As it is handed to a method.
        images: The images.
        cut: The segments.
        drawn: The coalitions, (n, segments).
        baseline: What a hidden segment is replaced by, as the user gives it.
        start: The score that the gains are over, (batch,).

    Returns:
        Shape (n, batch).
    """
    hidden = baseline_of(baseline, images)
    kept = ops.convert_to_tensor(drawn, float_type(images))

    def gain(chosen: Any) -> Any:
        shown = cut.shown(ops.take(kept, chosen, axis=0))
        return score(hide(images, shown, hidden)) - start

    return collect(gain, len(drawn), start, images)


def estimate(
    cut: Segments,
    coefficients: Any,
    left: Any,
    fit: Any,
    *,
    together: int = 1,
    residual: Any = None,
) -> Estimate:
    r"""Lay coefficients over the image, with the standard errors of a least-squares fit.

    $$\mathrm{SE}_j^2 = \frac{n}{n - d} \sum_g \Big(\sum_{i \in g} F_{ji} r_i\Big)^2$$ over groups
    $g$ of samples that were drawn together: whatever the variance of each (White, 1980).

    Args:
        cut: The segments.
        coefficients: Shape (segments, batch).
        left: What the linear model misses of each score, r, (n, batch).
        fit: From scores to coefficients, F, (segments, n).
        together: How many samples a group has.
        residual: See `Estimate`.
    """
    segments, count = fit.shape
    terms = ops.convert_to_tensor(fit, left.dtype)[..., None] * left
    groups = ops.sum(ops.reshape(terms, (segments, count // together, together, -1)), 2)
    factor = np.sqrt(count / max(count - segments, 1))
    errors = factor * ops.sqrt(ops.sum(groups**2, 1))
    return Estimate(cut.maps(coefficients), cut.maps(errors), residual)

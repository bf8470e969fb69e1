"""Differentiate scores by the outputs of a layer's runs."""

from collections.abc import Sequence
from functools import partial

import tensorflow as tf

from .._types import Scores
from . import graph, scoring
from .sites import Runs, Site


def by_runs(
    tape: tf.GradientTape, variants: Sequence[Scores], site: Site, runs: Runs
) -> list[tf.Tensor]:
    """Differentiate the scores by what a site gave in each of its runs.

    A run that the scores do not depend on has a gradient of zero, if another has one.
    """
    unused = tf.UnconnectedGradients.ZERO if len(runs) > 1 else tf.UnconnectedGradients.NONE
    if graph.ancestors(variants).isdisjoint(tensor.op.name for tensor in runs):
        unused = tf.UnconnectedGradients.NONE
    return [
        scoring.differentiate(
            partial(tape.gradient, sources=tensor, unconnected_gradients=unused),
            variants,
            f"layer {site.path!r}",
        )
        for tensor in runs
    ]


def curvature(variants: Sequence[Scores], site: Site, runs: Runs) -> list[tf.Tensor]:
    """Multiply the scores' Hessian by what a site gave in its runs with that itself.

    Zero where the scores are linear in it, or made of linear pieces.
    """

    def of(run: tf.Tensor) -> tf.Tensor:
        def product(scores: Scores) -> tf.Tensor | None:
            slopes = tf.gradients(scores, list(runs))
            pairs = [
                tf.reduce_sum(slope * tf.stop_gradient(value))
                for slope, value in zip(slopes, runs, strict=True)
                if slope is not None
            ]
            if not pairs:
                return None  # refused by name
            zero = tf.UnconnectedGradients.ZERO
            return tf.gradients(tf.add_n(pairs), run, unconnected_gradients=zero)[0]

        return scoring.differentiate(product, variants, f"layer {site.path!r}")

    return [of(run) for run in runs]

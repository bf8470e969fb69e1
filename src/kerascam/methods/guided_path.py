"""Input gradients along a path that follows the gradient itself."""

from typing import Any

import keras
from keras import ops

from .._types import GradientFunction, Images, ScoreFunction, Unpack
from ..arguments import number_in, real_number
from ..baselines import baseline_of, check_baseline
from ..errors import brief
from ..estimates import Estimate
from ..explain import ImageArguments, ImageExplainerWithOptions
from ..maps import grid_axes
from ..registry import METHODS, Citation
from ..repeat import MOST_COPIES, State, fold


def check_guided_ig(steps: Any, fraction: Any, max_dist: Any, baseline: Any) -> None:
    """Raise if an option of Guided IG has a wrong type or value."""
    number_in("steps", steps, 1, MOST_COPIES)
    for name, value in (("fraction", fraction), ("max_dist", max_dist)):
        if not 0 <= real_number(name, value) <= 1:
            raise ValueError(f"{name} must be from 0 to 1, not {brief(value)}")
    check_baseline(baseline)


@METHODS.register(
    title="Guided IG",
    class_name="GuidedIG",
    passes="3 + {steps} forward, 1 + {steps} backward",
    check=check_guided_ig,
    signed=True,
    citation=Citation(
        "Kapishnikov, Venugopalan, Avci, Wedin, Terry and Bolukbasi",
        2021,
        "Guided Integrated Gradients: An Adaptive Path Method for Removing Noise",
        "CVPR",
        "https://arxiv.org/abs/2106.09788",
    ),
)
def guided_ig(
    gradient: GradientFunction,
    images: Images,
    score: ScoreFunction,
    *,
    steps: int = 64,
    fraction: float = 0.25,
    max_dist: float = 0.02,
    baseline: Any = 0.0,
) -> Estimate:
    r"""Integrate the gradient on a path that moves the values of smallest gradient first.

    $$M_{ij} = \sum_c \sum_{s=0}^{n-1} (x^{(s+1)}_{ijc} - x^{(s)}_{ijc})\,
    \tfrac12 \Big(\frac{\partial S}{\partial x_{ijc}}(x^{(s)}) +
    \frac{\partial S}{\partial x_{ijc}}(x^{(s+1)})\Big)$$

    Each step shortens the way that is left, $\lVert x - x^{(s)} \rVert_1$, by $1/n$ of the whole.
    The values move in the order of $|\partial S / \partial x|$, a `fraction` of them at a time,
    each to where the straight line will be after `max_dist` more; none stays further behind it than
    that. This is the paper's anchored path, with its inner loop in closed form, by sorting; values
    of equal gradient move together. The sum is taken by the trapezoidal rule, where the paper takes
    the gradient at the beginning of each step. It is $S(x) - S(x')$ but for the rule's error, which
    the residual tells. With a `max_dist` of 0 the path is straight, and this is integrated
    gradients.

    >>> x = ops.array([[[[1.0], [3.0]]]])
    >>> found = guided_ig(lambda x: 2 * x, x, lambda x: ops.sum(x**2, (-3, -2, -1)), steps=4)
    >>> found.maps.numpy().round(4).tolist()
    [[[1.0, 9.0]]]
    """
    check_guided_ig(steps, fraction, max_dist, baseline)
    start = baseline_of(baseline, images)
    way = images - start
    lengths = _flat(ops.abs(way))
    whole = ops.sum(lengths, -1, keepdims=True)

    def at(done: Any) -> Any:
        return start + ops.reshape(done, ops.shape(images)) * way

    def one(step: Any, state: State) -> State:
        done, slope, maps = state
        goal = ops.cast(step + 1, images.dtype) / steps
        behind = ops.maximum(done, goal - max_dist)
        room = lengths * ops.relu(ops.minimum(goal + max_dist, 1.0) - behind)
        left = goal * whole - ops.sum(lengths * behind, -1, keepdims=True)
        share = _in_order(_flat(ops.abs(slope)), room, left, fraction)
        moved = behind + share * ops.relu(ops.minimum(goal + max_dist, 1.0) - behind)
        moved = ops.where(step + 1 == steps, ops.ones_like(moved), moved)
        later = gradient(at(moved))
        step_taken = ops.reshape(moved - done, ops.shape(images)) * way
        return moved, later, maps + ops.sum(step_taken * (slope + later) / 2, -1)

    state = ops.zeros_like(lengths), gradient(start), ops.zeros_like(images[..., 0])
    _, _, maps = fold(one, state, steps)
    change = score(images) - score(start)
    return Estimate(maps, residual=change - ops.sum(maps, grid_axes(maps)))


def _flat(values: Any) -> Any:
    return ops.reshape(values, (ops.shape(values)[0], -1))


def _in_order(slopes: Any, room: Any, budget: Any, fraction: float) -> Any:
    """Say which share of its room each value takes: groups in order, until the budget is spent.

    Args:
        slopes: Shape (batch, values): the order, from the smallest on.
        room: How far each may go; of those that may not, which come last, 0.
        budget: Shape (batch, 1): how far all may go together.
        fraction: Which share of all values goes at a time.

    Returns:
        Shape (batch, values), from 0 to 1.
    """
    count = ops.shape(room)[1]
    keys = ops.where(room > 0, slopes, float("inf"))
    order = ops.argsort(keys, -1)
    used = ops.cumsum(ops.take_along_axis(room, order, 1), 1)
    places = _places_of_equals(ops.take_along_axis(keys, order, 1))
    # As many at a time as lie up to the lower quantile of that fraction, and equals together.
    at_a_time = ops.cast(ops.floor(fraction * ops.cast(count - 1, "float64")), "int32") + 1
    groups = places // at_a_time
    # All of a group know what was used before it and after it: at its first and last place.
    first = _places_of_equals(groups)
    last = count - 1 - ops.flip(_places_of_equals(ops.flip(groups, 1)), 1)
    after = ops.take_along_axis(used, last, 1)
    before = ops.take_along_axis(used, ops.maximum(first - 1, 0), 1)
    before = ops.where(first > 0, before, 0.0)
    shares = ops.clip(ops.divide_no_nan(budget - before, after - before), 0, 1)
    return ops.take_along_axis(shares, ops.argsort(order, -1), 1)


def _places_of_equals(values: Any) -> Any:
    """Return for each of some sorted values the first place of one that is equal."""
    count = ops.shape(values)[1]
    places = ops.broadcast_to(ops.arange(count), ops.shape(values))
    same = ops.concatenate([ops.zeros_like(places[:, :1]) > 0, values[:, 1:] == values[:, :-1]], 1)
    firsts = ops.sort(ops.where(same, count, places), 1)
    return ops.take_along_axis(firsts, ops.cumsum(ops.cast(~same, "int32"), 1) - 1, 1)


class GuidedIG(ImageExplainerWithOptions):
    r"""Explain by the gradient, integrated on a path that avoids steep places.

    Less noisy than `IntegratedGradients`, as no value moves while its gradient is large and others
    are not. Complete up to `explanation.residual`. Its steps depend on each other: they are made
    one after the other.

    Args:
        steps: Steps of the path, one after the other; each costs a forward and a backward pass.
        fraction: Which share of the values moves at a time.
        max_dist: How far each may be from the straight line, as a share of it.
        baseline: Where the path begins: a number, an array that fits one image, "mean" (each
            image's mean colour) or "blur" (the image, blurred).

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> explanation = GuidedIG(model, steps=4)(np.ones((1, 8, 8, 3)))
        >>> bool(abs(explanation.residual[0]) < 1e-4)  # of a linear model
        True
    """

    _method = "guided_ig"

    def __init__(
        self,
        model: keras.Model,
        *,
        steps: int = 64,
        fraction: float = 0.25,
        max_dist: float = 0.02,
        baseline: Any = 0.0,
        **shared: Unpack[ImageArguments],
    ) -> None:
        super().__init__(
            model, steps=steps, fraction=fraction, max_dist=max_dist, baseline=baseline, **shared
        )

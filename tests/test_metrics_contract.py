"""What every metric must do: equal its closed form, put a random map between, let a bad map lose.

A registered metric without an entry fails.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from planted import ANTI, FLAT, MASKS, ORACLE, PIXELS, SHARES, SIZE, measured

from kerascam import metrics
from kerascam.metrics import METRICS

SEEDS = 20
RAMP = np.broadcast_to(np.arange(PIXELS).reshape(SIZE) / PIXELS, (3, *SIZE))  # all values differ


class Contract(NamedTuple):
    """The demands on one metric.

    Attributes:
        wanted: The oracle's figures on a linear model, in closed form.
        best: The oracle's figures as the metric computes them.
        random: From a generator to the figures of a map that knows nothing.
        bad: The figures of a map that is known to be wrong.
    """

    wanted: Any
    best: Callable[[], Any]
    random: Callable[[np.random.Generator], Any]
    bad: Callable[[], Any]


def of_maps(name: str, wanted: Any, bad: Any = ANTI, **options: Any) -> Contract:
    """A metric that judges a map, on the planted world: the oracle is the mask."""
    return Contract(
        wanted,
        lambda: measured(name, ORACLE, **options),
        lambda generator: measured(name, generator.random((3, *SIZE)), **options),
        lambda: measured(name, bad, **options),
    )


def of_gains(function: Callable[..., Any], wanted: Any) -> Contract:
    """A gain: inside the mask speaks for the class, outside against it."""
    images = np.where(MASKS[..., None], 0.25, 0.125)

    def ask(copies):
        inside, outside = ((copies[..., 0] * each).mean((-2, -1)) for each in (MASKS, ~MASKS))
        return 0.5 + inside - outside

    return Contract(
        wanted,
        lambda: function(ask, images, ORACLE),
        lambda generator: function(ask, images, generator.random((3, *SIZE))),
        lambda: function(ask, images, ANTI),
    )


def of_answers(
    name: str, supply: str, wanted: Any, best: Any, bad: Any, own: Any = RAMP
) -> Contract:
    """A metric that asks for another map of the image, and compares.

    Args:
        name: The metric's.
        supply: What draws the other map.
        wanted: The closed form.
        best: The other map that speaks most for the method.
        bad: The one that speaks against it.
        own: The map that is judged.
    """

    def figures(other: Callable[[], Any]) -> Any:
        def supplied(images: Any, layers: Any = None, seed: int = 0) -> Any:
            trained = layers is not None and np.size(layers) == 0
            return own if trained else other()

        return measured(name, own, **{supply: supplied})

    return Contract(
        wanted,
        lambda: figures(lambda: best),
        lambda generator: figures(lambda: generator.random((3, *SIZE))),
        lambda: figures(lambda: bad),
    )


def of_focus() -> Contract:
    """A model that sums the brightness: bright images among dark ones have all heat."""
    bright, dark = np.ones((3, *SIZE, 1)), np.zeros((3, *SIZE, 1))
    return Contract(
        np.ones(3),
        lambda: metrics.focus(lambda images: images[..., 0], bright, dark),
        lambda generator: metrics.focus(
            lambda images: generator.random(images.shape[:-1]), bright, dark
        ),
        lambda: metrics.focus(lambda images: 1 - images[..., 0], bright, dark),
    )


OUTSIDE = (1 - SHARES) * 0.125
HALF = SHARES * np.log(1 / SHARES) + (1 - SHARES) * np.log(1 / (1 - SHARES))  # a mask's entropy
CONTRACTS = {
    "deletion": of_maps("deletion", SHARES / 2),  # from 1 to 0 over the share of the mask
    "insertion": of_maps("insertion", 1 - SHARES / 2),
    "symmetric_relevance_gain": of_maps("symmetric_relevance_gain", 1 - SHARES),
    # A sum over points, no trapezoids.
    "pixel_flipping": of_maps("pixel_flipping", 1 - (MASKS.sum((1, 2)) + 1) / 2 / (PIXELS + 1)),
    # All of the evidence is filled in from a dark neighbourhood, or nothing of it is.
    "road_most_first": of_maps("road_most_first", np.zeros(3), percentages=[25], noise=0.0),
    "road_least_first": of_maps("road_least_first", np.ones(3), percentages=[75], noise=0.0),
    "irof": of_maps("irof", 1 - SHARES / 2),
    "average_drop": of_maps("average_drop", np.zeros(3)),
    "average_increase": of_gains(metrics.average_increase, np.ones(3)),
    "average_gain": of_gains(metrics.average_gain, OUTSIDE / (0.5 - SHARES * 0.25 + OUTSIDE)),
    "adcc": of_maps("adcc", 3 / (2 + 1 / (1 - SHARES))),
    "sparseness": of_maps("sparseness", 1 - SHARES, FLAT),
    "entropy": of_maps("entropy", np.log(MASKS.sum((1, 2))), FLAT),
    "effective_complexity": of_maps(
        "effective_complexity", np.ceil(0.9 * MASKS.sum((1, 2))) / PIXELS
    ),
    "mu_fidelity": of_maps("mu_fidelity", np.ones(3)),
    "sensitivity_n": of_maps("sensitivity_n", np.ones(3)),
    "infidelity": of_maps("infidelity", np.zeros(3)),
    # The gradient of a linear score is the same everywhere; a map that turns over is 2 away.
    "max_sensitivity": of_answers("max_sensitivity", "attribute", np.zeros(3), RAMP, -RAMP),
    "pointing_game": of_maps("pointing_game", np.ones(3)),
    "mass_in_mask": of_maps("mass_in_mask", np.ones(3)),
    "rank_accuracy": of_maps("rank_accuracy", np.ones(3)),
    "auc": of_maps("auc", np.ones(3)),
    "iou": of_maps("iou", np.ones(3)),
    "focus": of_focus(),
    **{
        name: of_answers(name, "explain_randomized", -np.ones(3), -RAMP, RAMP)
        for name in ("mprt_cascading", "mprt_independent", "smooth_mprt")
    },
    # A mask has two values, a ramp all of them; one pixel has fewer than a mask.
    "efficient_mprt": of_answers(
        "efficient_mprt", "explain_randomized", (np.log(PIXELS) - HALF) / HALF, RAMP,
        np.eye(1, PIXELS).reshape(1, *SIZE).repeat(3, 0), ORACLE,
    ),
    "random_logit": of_answers("random_logit", "explain_another", -np.ones(3), -RAMP, RAMP),
    # All of the evidence is hidden, or all else.
    "f_fidelity": of_maps("f_fidelity", np.ones(3), sizes=[0.25], chance=1, most=1),
}  # fmt: skip


def test_every_metric_has_a_contract():
    assert sorted(CONTRACTS) == sorted(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_the_oracle_has_the_figure_of_the_closed_form(name):
    contract = CONTRACTS[name]
    np.testing.assert_allclose(contract.best(), contract.wanted, atol=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_a_random_map_lies_between_the_oracle_and_a_bad_map_which_loses(name):
    contract, generator = CONTRACTS[name], np.random.default_rng(0)
    random = np.mean([contract.random(generator) for _ in range(SEEDS)], 0)
    best, bad = contract.best(), contract.bad()
    order = [bad, random, best] if METRICS[name].higher_is_better else [best, random, bad]
    assert (np.diff(order, axis=0) >= 0).all()
    assert (np.asarray(order[0]) < order[2]).all()

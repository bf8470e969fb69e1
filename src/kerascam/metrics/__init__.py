"""Measure an explanation: figures of how far a map is to be believed, one per image.

Each metric is a pure function of NumPy arrays that is handed what its parameters are named, and is
entered in `METRICS`; `kerascam.evaluate` hands them out and compares methods.
"""

# Tables, documentation and the command line list them in this order.
# isort: off
from .registry import METRICS, SUPPLIES
from .registry import Metric as Metric
from .curves import deletion, insertion, symmetric_relevance_gain, pixel_flipping
from .road import road_most_first, road_least_first
from .regions import irof
from .drops import average_drop, average_increase, average_gain, adcc
from .complexity import sparseness, entropy
from .curves import effective_complexity
from .correlations import mu_fidelity, sensitivity_n, infidelity
from .stability import max_sensitivity
from .localization import pointing_game, mass_in_mask, rank_accuracy, auc, iou
from .mosaic import focus
from .sanity import mprt_cascading, mprt_independent, smooth_mprt, efficient_mprt
from .other_class import random_logit
from .f_fidelity import f_fidelity, hidden_at_random
# isort: on

__all__ = [
    "METRICS",
    "SUPPLIES",
    "adcc",
    "auc",
    "average_drop",
    "average_gain",
    "average_increase",
    "deletion",
    "effective_complexity",
    "efficient_mprt",
    "entropy",
    "f_fidelity",
    "focus",
    "hidden_at_random",
    "infidelity",
    "insertion",
    "iou",
    "irof",
    "mass_in_mask",
    "max_sensitivity",
    "mprt_cascading",
    "mprt_independent",
    "mu_fidelity",
    "pixel_flipping",
    "pointing_game",
    "random_logit",
    "rank_accuracy",
    "road_least_first",
    "road_most_first",
    "sensitivity_n",
    "smooth_mprt",
    "sparseness",
    "symmetric_relevance_gain",
]

"""Measure an explanation: figures of how far a map is to be believed, one per image.

Each metric is a pure function of NumPy arrays that is handed what its parameters are named, and is
entered in `METRICS`; `kerascam.evaluate` hands them out and compares methods.
"""

# Tables, documentation and the command line list them in this order.
# isort: off
from .registry import METRICS, SUPPLIES
from .registry import Metric as Metric
from .curves import deletion, insertion, symmetric_relevance_gain, pixel_flipping
from .drops import average_drop, average_increase, average_gain, adcc
from .complexity import sparseness, entropy
from .curves import effective_complexity
from .localization import pointing_game, mass_in_mask, rank_accuracy, auc, iou
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
    "entropy",
    "insertion",
    "iou",
    "mass_in_mask",
    "pixel_flipping",
    "pointing_game",
    "rank_accuracy",
    "sparseness",
    "symmetric_relevance_gain",
]

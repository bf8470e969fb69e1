r"""Targets: functions (outputs, classes) -> scores that say which number a map explains.

`outputs` is the model's output tensor, or the one chosen by `output=`; `classes` holds each
image's class, shape (batch,); the result is one score per image, shape (batch,). Any function of
that form is a target; the ones here read the logits under a final softmax or sigmoid.
"""

from .class_scores import binary, logit, probability, value
from .comparing import contrast, counterfactual, finer
from .detectors import box, detection
from .encoders import similarity
from .last_step import is_changed_probability as is_changed_probability  # of other packages
from .names import named as named
from .reading import head_of as head_of
from .reading import takes_any_batch as takes_any_batch
from .segmentation import region_mean

__all__ = [
    "binary",
    "box",
    "contrast",
    "counterfactual",
    "detection",
    "finer",
    "logit",
    "probability",
    "region_mean",
    "similarity",
    "value",
]

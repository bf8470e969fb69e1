"""Compare methods by metrics: on the same images, beside baselines, with intervals."""

from .checkpoint import discard
from .comparing import evaluate
from .evaluation import Evaluation
from .gauge import Gauge
from .saving import check_folder

__all__ = ["Evaluation", "Gauge", "check_folder", "discard", "evaluate"]

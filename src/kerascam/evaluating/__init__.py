"""Compare methods by metrics: on the same images, beside baselines, with intervals."""

from .comparing import evaluate
from .evaluation import Evaluation
from .saving import check_folder

__all__ = ["Evaluation", "check_folder", "evaluate"]

"""Compare methods by metrics: on the same images, beside baselines, with intervals."""

from .evaluate import evaluate
from .evaluation import Evaluation

__all__ = ["Evaluation", "evaluate"]

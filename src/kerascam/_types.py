"""Names for the tensors that travel inside the graph: what each axis means, and nothing else."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import tensorflow as tf
from jaxtyping import Float, Int, Num

Images: TypeAlias = Num[tf.Tensor, "batch *size channels"]
Features: TypeAlias = Float[tf.Tensor, "batch *grid features"]
Basis: TypeAlias = Float[tf.Tensor, "batch *cells features"]  # of a map that may be enlarged
Maps: TypeAlias = Float[tf.Tensor, "batch *grid"]
Heatmaps: TypeAlias = Float[tf.Tensor, "batch *size"]
Scores: TypeAlias = Float[tf.Tensor, " batch"]
ClassIds: TypeAlias = Int[tf.Tensor, " batch"]
Statuses: TypeAlias = Int[tf.Tensor, " batch"]

Target: TypeAlias = Callable[[Any, tf.Tensor], tf.Tensor]
GradientFunction: TypeAlias = Callable[[tf.Tensor], tf.Tensor]
ScoreFunction: TypeAlias = Callable[[tf.Tensor], tf.Tensor]
Layers: TypeAlias = Sequence[tuple[Features, Features]]
Attentions: TypeAlias = Sequence[Float[tf.Tensor, "batch heads queries keys"]]

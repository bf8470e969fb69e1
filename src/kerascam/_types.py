"""Names for the arrays that travel between modules: what each axis means, and nothing else."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf
from jaxtyping import Float, Int, Num, Shaped

# Inside the graph: symbolic TensorFlow tensors.
Images: TypeAlias = Num[tf.Tensor, "batch *size channels"]
Features: TypeAlias = Float[tf.Tensor, "batch *grid features"]
Basis: TypeAlias = Float[tf.Tensor, "batch *cells features"]  # of a map that may be enlarged
Maps: TypeAlias = Float[tf.Tensor, "batch *grid"]
Heatmaps: TypeAlias = Float[tf.Tensor, "batch *size"]
Scores: TypeAlias = Float[tf.Tensor, " batch"]
ClassIds: TypeAlias = Int[tf.Tensor, " batch"]
Statuses: TypeAlias = Int[tf.Tensor, " batch"]

# On the host: NumPy arrays, as the user gives and gets them.
HostMaps: TypeAlias = Float[np.ndarray, "batch *grid"]
HostHeatmaps: TypeAlias = Float[np.ndarray, "batch *size"]
HostScores: TypeAlias = Float[np.ndarray, " batch"]
HostClassIds: TypeAlias = Int[np.ndarray, " batch"]
HostImages: TypeAlias = Shaped[np.ndarray, "batch *size channels"]

Target: TypeAlias = Callable[[Any, tf.Tensor], tf.Tensor]
GradientFunction: TypeAlias = Callable[[tf.Tensor], tf.Tensor]

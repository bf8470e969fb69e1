"""Names for the NumPy arrays that the user passes and receives: what each axis means."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int

HostMaps: TypeAlias = Float[np.ndarray, "batch *grid"]
HostHeatmaps: TypeAlias = Float[np.ndarray, "batch *size"]
HostScores: TypeAlias = Float[np.ndarray, " batch"]
HostClassIds: TypeAlias = Int[np.ndarray, " batch"]

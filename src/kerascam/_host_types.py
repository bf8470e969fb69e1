"""Names for the NumPy arrays that the user passes and receives: what each axis means."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int, Num

HostMaps: TypeAlias = Float[np.ndarray, "batch *grid"]
HostHeatmaps: TypeAlias = Float[np.ndarray, "batch *size"]
HostScores: TypeAlias = Float[np.ndarray, " batch"]
HostClassIds: TypeAlias = Int[np.ndarray, " batch"]
HostImages: TypeAlias = Num[np.ndarray, "batch *size channels"]
HostMasks: TypeAlias = Bool[np.ndarray, "batch *size"]
Figures: TypeAlias = Float[np.ndarray, " batch"]  # of a metric: NaN where it is not defined

#: Copies of images, (copies, batch, *size, channels), to one number of each, (copies, batch).
Ask: TypeAlias = Callable[[Any], Any]
#: Images, (batch, *size, channels), to a map of each, (batch, *size).
Explain: TypeAlias = Callable[[Any], Any]

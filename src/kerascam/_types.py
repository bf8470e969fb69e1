"""Names for the tensors that travel inside the graph: what each axis means, and nothing else."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from jaxtyping import Float, Int, Num, Shaped

if sys.version_info >= (3, 11):
    from typing import Unpack as Unpack
elif TYPE_CHECKING:
    from typing_extensions import Unpack as Unpack
else:

    class Unpack:
        """Stands for any arguments by name: Python 3.10 has no such hint, and checks none."""

        def __class_getitem__(cls, arguments: Any) -> Any:
            """Return the type of any one of them."""
            return Any


Images: TypeAlias = Num[Any, "batch *size channels"]
Features: TypeAlias = Float[Any, "batch *grid features"]
Basis: TypeAlias = Float[Any, "batch *cells features"]  # of a map that may be enlarged
Maps: TypeAlias = Float[Any, "batch *grid"]
LayerMaps: TypeAlias = list[Float[Any, "batch ..."]]  # each on the grid of its layer
Heatmaps: TypeAlias = Float[Any, "batch *size"]
Scores: TypeAlias = Float[Any, " batch"]
ClassIds: TypeAlias = Int[Any, " batch"]
Statuses: TypeAlias = Int[Any, " batch"]

Outputs: TypeAlias = Shaped[Any, "batch ..."]  # of a model, or of a part of it

Target: TypeAlias = Callable[[Any, Any], Any]
GradientFunction: TypeAlias = Callable[[Any], Any]
MultiplierFunction: TypeAlias = Callable[[Any, Any], Any]
ScoreFunction: TypeAlias = Callable[[Any], Any]
Layers: TypeAlias = Sequence[tuple[Features, Features]]
Attentions: TypeAlias = Sequence[Float[Any, "batch heads queries keys"]]
Biases: TypeAlias = Sequence[tuple[Float[Any, "batch ..."], Callable[[Any], Any]]]
Levels: TypeAlias = Sequence[tuple[Float[Any, "batch ..."], Callable[[Any], Any]]]

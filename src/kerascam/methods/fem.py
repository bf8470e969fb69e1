"""Class activation maps of the features that are unusually strong at a place."""

from typing import Any

import keras
from keras import ops

from .._types import Features, Maps, Unpack
from ..arguments import real_number
from ..errors import brief
from ..explain import LayerArguments, LayerExplainerWithOptions
from ..maps import grid_axes
from ..registry import METHODS, Citation


def check_fem(deviations: Any) -> None:
    """Raise if an option of FEM has a wrong type or value."""
    if real_number("deviations", deviations) < 0:
        raise ValueError(f"deviations must be at least 0, not {brief(deviations)}")


@METHODS.register(
    title="FEM",
    class_name="FEM",
    signed=True,
    check=check_fem,
    passes="1 forward",
    citation=Citation(
        "Fuad, Martin, Giot, Bourqui, Benois-Pineau and Zemmari",
        2020,
        "Features Understanding in 3D CNNs for Actions Recognition in Video",
        "IPTA",
        "https://doi.org/10.1109/IPTA50016.2020.9286629",
    ),
)
def fem(activations: Features, *, deviations: float = 2.0) -> Maps:
    r"""Sum the means of the features that are unusually strong at a place; the class plays no part.

    $$L_{ij} = \sum_k \mu_k\, \big[A^k_{ij} > \mu_k + d\,\sigma_k\big]$$ with $\mu_k$ and $\sigma_k$
    the mean and the standard deviation of feature k over the grid.

    The paper has "at least" in place of "greater": the two differ for features that are the same
    everywhere, which are strong nowhere here.

    >>> values = ops.array([[[1.0], [1.0], [1.0], [1.0], [1.0], [7.0]]])  # mean 2, deviation 2.236
    >>> fem(values, deviations=2).numpy().tolist()
    [[0.0, 0.0, 0.0, 0.0, 0.0, 2.0]]
    """
    check_fem(deviations)
    axes = grid_axes(activations, features=True)
    means = ops.mean(activations, axes, keepdims=True)
    spread = ops.sqrt(ops.mean((activations - means) ** 2, axes, keepdims=True))
    # The mean of equal numbers may be rounded to less than each of them.
    varies = ops.max(activations, axes, keepdims=True) > ops.min(activations, axes, keepdims=True)
    strong = (activations > means + deviations * spread) & varies
    return ops.sum(means * ops.cast(strong, activations.dtype), -1)


class FEM(LayerExplainerWithOptions):
    r"""Show by FEM where the features of a layer are unusually strong, whatever the class.

    `classes` changes the name of the class, not the map. Assumes activations after a ReLU, whose
    means say how much a feature matters.

    Args:
        deviations: From how many standard deviations above its mean on a feature counts.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> FEM(model, deviations=1.5)(np.ones((1, 8, 8, 3))).maps.shape
        (1, 6, 6)
    """

    _method = "fem"

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        deviations: float = 2.0,
        **shared: Unpack[LayerArguments],
    ) -> None:
        super().__init__(model, layer, deviations=deviations, **shared)

"""The target of a segmentation: the mean of a class's logit over a region."""

from dataclasses import dataclass
from typing import Any

from .._types import ClassIds, Scores, Target
from .reading import read
from .regions import check_mask, region_of, region_score


def region_mean(mask: Any = None) -> Target:
    r"""Make a target for segmentation: the mean of the class's logit over a region.

    $$S_c = \frac{1}{|M|} \sum_{ij \in M} y^c_{ij}$$ (Seg-Grad-CAM; Vinogradova, Dibrov, Myers,
    AAAI 2020, arXiv:2002.11434, which sums; the mean only scales the map)

    Args:
        mask: The region M: boolean or weights, shape (*grid) for all images or (batch, *grid),
            on the output's grid. None takes the places where the model predicts the class, or
            all places if it predicts the class nowhere.

    Returns:
        A target.

    Raises:
        TypeError: If the mask does not hold numbers.
        ValueError: If it holds NaN or infinity; when it is used, if the output has no grid, or
            the mask another shape.

    Example:
        >>> import numpy as np, tensorflow as tf
        >>> target = region_mean(np.array([[True, False]]))
        >>> f = tf.function(lambda y: target(y, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[[[0.0, 5.0], [0.0, 7.0]]]])).numpy().tolist()
        [5.0]
    """
    check_mask(mask)
    return RegionMean(mask)


@dataclass(frozen=True, eq=False)
class RegionMean:
    """The target that `region_mean` makes."""

    mask: Any

    def __call__(self, outputs: Any, classes: ClassIds) -> Scores:
        """Score each image."""
        head = read(outputs)
        if not head.dense:
            raise ValueError(
                f"target region_mean needs an output with a grid, not one of shape "
                f"{tuple(outputs.shape)}; use targets.logit"
            )
        region = None if self.mask is None else region_of(self.mask, head)
        return region_score(head, classes, region)

    def __repr__(self) -> str:
        return "region_mean()" if self.mask is None else "region_mean(mask)"

    @property
    def takes_any_batch(self) -> bool:
        """See the function of this name."""
        return self.mask is None

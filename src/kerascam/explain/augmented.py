"""Heatmaps averaged over views of the same image: mirrored, darker, brighter."""

from collections.abc import Sequence

import numpy as np

from ..arguments import check_flag, real_number
from ..arrays import as_type
from ..errors import brief
from .around import AroundExplainer, Explain
from .explainer import Explainer
from .explanation import Explanation


class AugmentedExplainer(AroundExplainer):
    r"""Average an explainer's heatmaps over views of the images: test-time augmentation.

    $$L(x) = \frac1n \sum_{t} T_t^{-1}\, L(T_t\, x)$$ with $T_t$ the mirror image, left to right,
    and products with numbers around 1. What depends on the edges of cells, or on the brightness
    alone, averages out. This is the `aug_smooth` of pytorch-grad-cam, around any method; it costs
    as many calls as there are views.

    Args:
        explainer: Any explainer of a model with one image input, channels last.
        mirror: Whether mirror images count too: not for a model that tells left from right.
        factors: What the images are multiplied by, each for a view of its own. Of images that were
            centred on zero this is contrast rather than brightness. Images of whole numbers are
            rounded, and stay in the range of their type.

    Raises:
        TypeError: If an argument has a wrong type.
        ValueError: If there is no factor, or one is not positive.

    Example:
        >>> import keras, numpy as np
        >>> from kerascam import AugmentedExplainer, GradCAM
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> AugmentedExplainer(GradCAM(model))(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    def __init__(
        self,
        explainer: Explainer,
        *,
        mirror: bool = True,
        factors: Sequence[float] = (0.9, 1.0, 1.1),
    ) -> None:
        super().__init__(explainer)
        check_flag("mirror", mirror)
        if not np.iterable(factors):
            raise TypeError(f"factors must be a list of positive numbers, not {brief(factors)}")
        numbers = tuple(real_number("factors", each) for each in factors)
        if not numbers or min(numbers) <= 0:
            raise ValueError(f"factors must be one or more positive numbers, not {brief(factors)}")
        self.mirror, self.factors = mirror, numbers

    def _calls(self, images: np.ndarray) -> int:
        del images
        return len(self.factors) * (1 + self.mirror) - self.factors.count(1)

    def _joined(self, images: np.ndarray, plain: Explanation, explain: Explain) -> np.ndarray:
        total, count = np.zeros_like(plain.heatmaps), 0
        for factor in self.factors:
            brighter = images if factor == 1 else as_type(images.dtype, images * factor)
            for mirrored in (False, True) if self.mirror else (False,):
                if factor == 1 and not mirrored:
                    found = plain.heatmaps
                else:
                    view = brighter[:, :, ::-1] if mirrored else brighter
                    found = explain(view, plain.classes)
                total += found[:, :, ::-1] if mirrored else found
                count += 1
        return total / count

    def _what(self) -> str:
        views = len(self.factors) * (1 + self.mirror)
        return f"heatmaps are averaged over {views} views of each image"

"""Moments of heatmaps over noisy copies of the same image."""

from typing import Literal, get_args

import numpy as np

from ..arguments import number_in, real_number
from ..arrays import as_type
from ..errors import brief
from ..repeat import MOST_COPIES
from .around import AroundExplainer, Explain
from .explainer import Explainer
from .explanation import Explanation

Moment = Literal["mean", "squares", "variance"]


class NoiseTunnel(AroundExplainer):
    r"""Average an explainer's heatmaps, or take another moment, over noisy copies of the images.

    $$L(x) = \frac1n \sum_{s=1}^n L_s,\quad \frac1n \sum_{s=1}^n L_s^2\quad\text{or}\quad
    \frac1n \sum_{s=1}^n \big(L_s - \bar L\big)^2,\qquad L_s = L(x + \varepsilon_s),\quad
    \varepsilon_s \sim \mathcal N(0, \sigma^2)$$ with $\sigma = \text{noise}\,(\max x - \min x)$ of
    each image. This is SmoothGrad (Smilkov et al., 2017, arXiv:1706.03825), SmoothGrad² and VarGrad
    around any method, under Captum's name; it costs as many calls as there are copies. `SmoothGrad`
    itself averages the gradient before it takes the strongest channel, and runs as one graph.

    Every image meets the same noise, scaled to its own range, so that its heatmap does not depend
    on its neighbours. The heatmaps are those of the explainer, which scales each by itself unless
    it has `normalize="none"`.

    Args:
        explainer: Any explainer of a model with one image input, channels last.
        samples: How many noisy copies.
        noise: Their standard deviation, as a share of each image's range of values.
        moment: "mean", "squares" (the mean of squares) or "variance".
        seed: Seed of the noise.

    Raises:
        TypeError: If an argument has a wrong type.
        ValueError: If a value is out of its range or unknown.

    Example:
        >>> import keras, numpy as np
        >>> from kerascam import GradCAM, NoiseTunnel
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> NoiseTunnel(GradCAM(model), samples=3)(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    def __init__(
        self,
        explainer: Explainer,
        *,
        samples: int = 10,
        noise: float = 0.15,
        moment: Moment = "mean",
        seed: int = 0,
    ) -> None:
        super().__init__(explainer)
        self.samples = number_in("samples", samples, 1, MOST_COPIES)
        self.noise = real_number("noise", noise)
        if self.noise < 0:
            raise ValueError(f"noise must be at least 0, not {brief(noise)}")
        if moment not in get_args(Moment):
            known = ", ".join(map(repr, get_args(Moment)))
            raise ValueError(f"moment must be one of {known}, not {brief(moment)}")
        self.moment = moment
        self.seed = number_in("seed", seed, 0)

    def _calls(self, images: np.ndarray) -> int:
        del images
        return self.samples

    def _joined(self, images: np.ndarray, plain: Explanation, explain: Explain) -> np.ndarray:
        random = np.random.default_rng(self.seed)
        axes = tuple(range(1, images.ndim))
        span = np.ptp(images.astype("float64"), axis=axes, keepdims=True)
        first = second = np.zeros(plain.heatmaps.shape)
        for _ in range(self.samples):
            noise = self.noise * span * random.normal(size=(1, *images.shape[1:]))
            found = explain(as_type(images.dtype, images + noise), plain.classes)
            # About the image's own heatmap, so that the variance loses no digits.
            apart = found.astype("float64") - plain.heatmaps
            first, second = first + apart / self.samples, second + apart**2 / self.samples
        joined = {
            "mean": plain.heatmaps + first,
            "squares": second + 2 * plain.heatmaps * first + plain.heatmaps.astype("float64") ** 2,
            "variance": np.maximum(second - first**2, 0),
        }[self.moment]
        return joined.astype(plain.heatmaps.dtype)

    def _what(self) -> str:
        words = {"mean": "the mean", "squares": "the mean square", "variance": "the variance"}
        return f"heatmaps are {words[self.moment]} over {self.samples} noisy copies of each image"

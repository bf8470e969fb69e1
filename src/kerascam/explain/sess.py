"""Heatmaps put together from windows of the image at several scales."""

import keras
import numpy as np

from ..arguments import number_in, real_number
from ..arrays import HOST, as_type
from ..errors import brief
from ..resizing import resize
from .around import AroundExplainer, Explain, in_parts
from .explainer import Explainer
from .explanation import Explanation

_AT_ONCE = 16  # windows in one call


class SESS(AroundExplainer):
    r"""Explain an image through windows of it at several scales, around any method.

    $$L(x) = \frac{\sum_w p_w\, U_w\big(t \odot L(x_w)\big)}{\sum_w p_w\, U_w(t)}$$ with $x_w$ the
    windows of the enlarged images, as large as the image, $p_w$ the model's probability of the
    class in a window, and $U_w$ the map that brings a window's heatmap back to its place, zero
    elsewhere. $t$ falls off linearly from 1 in the middle of a window to 0 at its edges, which
    would show otherwise (the paper has 1 everywhere); it is 1 for the image as it is.

    Several objects, and small ones, each get a window in which they are large. The image as it is
    counts as one window. From Tursun, Denman, Sridharan and Fookes, SESS: Saliency Enhancing with
    Scaling and Sliding, ECCV 2022, arXiv:2207.01769, whose windows of low probability are left out
    before they are explained; where no window is left, the map is zero.

    Args:
        explainer: Any explainer of a model with one image input, channels last, that ends in a
            softmax or sigmoid.
        scales: How many sizes: the image's own, and each further one larger by `growth`.
        growth: How much longer the sides of each further size are, as a share of the image's.
        stride: How far windows are apart, as a share of a window's side.
        keep: The share of the windows of further sizes that are explained: those in which the
            class is most probable.

    Raises:
        TypeError: If an argument has a wrong type.
        ValueError: If a value is out of its range; in a call, if the model gives no probabilities.

    Example:
        >>> import keras, numpy as np
        >>> from kerascam import SESS, GradCAM
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> SESS(GradCAM(model), scales=2)(np.ones((1, 8, 8, 3))).heatmaps.shape
        (1, 8, 8)
    """

    def __init__(
        self,
        explainer: Explainer,
        *,
        scales: int = 4,
        growth: float = 0.5,
        stride: float = 0.5,
        keep: float = 0.5,
    ) -> None:
        super().__init__(explainer)
        self.scales = number_in("scales", scales, 1, 32)
        self.growth = _share("growth", growth, 4.0)
        self.stride = _share("stride", stride, 1.0)
        self.keep = _share("keep", keep, 1.0)

    def _calls(self, images: np.ndarray) -> int:
        size = images.shape[1:3]
        batches = (
            -(-self._kept(len(self._windows(size, self._large(size, scale)))) // _AT_ONCE)
            for scale in range(1, self.scales)
        )
        return len(images) * sum(batches)

    def _joined(self, images: np.ndarray, plain: Explanation, explain: Explain) -> np.ndarray:
        if np.isnan(plain.probabilities).all():
            raise ValueError(
                f"explainer must be of a model that ends in a softmax or sigmoid, as windows are "
                f"weighed by the class's probability; {self.explainer.model.name!r} gives none"
            )
        return np.stack([
            self._of_image(images[place : place + 1], plain[place], explain)
            for place in range(len(images))
        ])  # fmt: skip

    def _of_image(self, image: np.ndarray, plain: Explanation, explain: Explain) -> np.ndarray:
        size = image.shape[1:3]
        weight = np.full(size, plain.probabilities[0], plain.heatmaps.dtype)
        total = weight * plain.heatmaps[0]
        for scale in range(1, self.scales):
            longer, large = self._longer(scale), self._large(size, scale)
            windows = self._windows(size, large)
            enlarged = keras.ops.convert_to_numpy(
                keras.ops.image.resize(image, large, data_format="channels_last")
            )
            views = as_type(image.dtype, np.concatenate([
                enlarged[:, top : top + size[0], left : left + size[1]] for top, left in windows
            ]))  # fmt: skip
            chosen, chances = self._likely(views, int(plain.classes[0]))
            for part in in_parts(len(chosen), _AT_ONCE):
                found = explain(views[chosen[part]], plain.classes[0])
                for place, heatmap in zip(chosen[part], found, strict=True):
                    _add(total, weight, heatmap, float(chances[place]), windows[place], longer)
        return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)

    def _longer(self, scale: int) -> float:
        return 1 + scale * self.growth

    def _large(self, size: tuple[int, ...], scale: int) -> tuple[int, ...]:
        return tuple(round(self._longer(scale) * side) for side in size)

    def _kept(self, windows: int) -> int:
        return max(1, round(self.keep * windows))

    def _windows(self, size: tuple[int, ...], large: tuple[int, ...]) -> list[tuple[int, int]]:
        """Spread windows over an enlarged image: the first and the last touch its edges."""
        starts = []
        for side, length in zip(size, large, strict=True):
            count = 1 + int(np.ceil((length - side) / (self.stride * side)))
            starts.append(np.linspace(0, length - side, count).round().astype(int).tolist())
        return [(top, left) for top in starts[0] for left in starts[1]]

    def _likely(self, views: np.ndarray, chosen: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of the windows that are explained, and all windows' probabilities."""
        chances = np.concatenate([
            self.explainer.probabilities(views[part], chosen)
            for part in in_parts(len(views), _AT_ONCE)
        ])  # fmt: skip
        best = np.argsort(-chances, kind="stable")[: self._kept(len(views))]
        return np.sort(best), chances

    def _what(self) -> str:
        return f"heatmaps are put together from windows at {self.scales} scales"


def _add(
    total: np.ndarray,
    weight: np.ndarray,
    heatmap: np.ndarray,
    chance: float,
    corner: tuple[int, int],
    longer: float,
) -> None:
    """Bring a window's heatmap back to its place on the image, and count it there."""
    places = []
    for start, side in zip(corner, heatmap.shape, strict=True):
        first = min(round(start / longer), side - 1)
        places.append(slice(first, max(first + 1, round((start + side) / longer))))
    size = [place.stop - place.start for place in places]
    rows, columns = (1 - abs(2 * (np.arange(side) + 0.5) / side - 1) for side in size)
    share = (chance * np.outer(rows, columns)).astype(total.dtype)
    total[places[0], places[1]] += share * resize(heatmap[None], size, HOST)[0]
    weight[places[0], places[1]] += share


def _share(name: str, value: float, most: float) -> float:
    number = real_number(name, value)
    if not 0 < number <= most:
        raise ValueError(f"{name} must be greater than 0 and at most {most}, not {brief(value)}")
    return number

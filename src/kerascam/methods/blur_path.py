"""Input gradients along a path of ever less blur."""

from typing import Any

import keras
from keras import ops

from .._types import GradientFunction, Images, ScoreFunction, Unpack
from ..arguments import number_in, real_number
from ..baselines import blurred
from ..errors import brief
from ..estimates import Estimate
from ..explain import ImageArguments, ImageExplainerWithOptions
from ..maps import grid_axes
from ..registry import METHODS, Citation
from ..repeat import MOST_COPIES, sum_over

_WIDEST = 1 / 6  # of the longest side


def check_blur_ig(steps: Any, max_sigma: Any) -> None:
    """Raise if an option of Blur IG has a wrong type or value."""
    number_in("steps", steps, 1, MOST_COPIES)
    if max_sigma is not None and real_number("max_sigma", max_sigma) <= 0:
        raise ValueError(f"max_sigma must be more than 0 and finite, not {brief(max_sigma)}")


@METHODS.register(
    title="Blur IG",
    class_name="BlurIG",
    passes="2 + {steps} forward, {steps} backward",
    check=check_blur_ig,
    signed=True,
    citation=Citation(
        "Xu, Venugopalan and Sundararajan",
        2020,
        "Attribution in Scale and Space",
        "CVPR",
        "https://arxiv.org/abs/2004.03383",
    ),
)
def blur_ig(
    gradient: GradientFunction,
    images: Images,
    score: ScoreFunction,
    *,
    steps: int = 32,
    max_sigma: float | None = None,
) -> Estimate:
    r"""Integrate the gradient on the path from the blurred image to the image.

    $$M_{ij} = \sum_c \sum_{s=0}^{n-1} (x^{(s+1)}_{ijc} - x^{(s)}_{ijc})\,
    \frac{\partial S}{\partial x_{ijc}}\Big(\frac{x^{(s)} + x^{(s+1)}}2\Big),\qquad
    x^{(s)} = G_{\sigma_s} * x,\quad \sigma_s = \sigma_{\max} \frac{n - s}n$$

    $G_\sigma$ is a Gaussian of that standard deviation in pixels, whose weights sum to one at the
    borders too. Where the paper takes the gradient at the beginning of each step, and the
    derivative of the blur by its width, this takes the middle and the difference: the map sums to
    $S(x) - S(x^{(0)})$ with an error of second order, which the residual tells. No baseline colour
    is chosen. Without `max_sigma` it is a sixth of the longest side, as 50 of 299 pixels in the
    paper's code.

    >>> x = ops.array([[[[1.0], [1.0]]]])  # that a blur does not change
    >>> found = blur_ig(ops.ones_like, x, lambda x: ops.sum(x, (-3, -2, -1)), steps=2)
    >>> found.maps.numpy().tolist(), found.residual.numpy().tolist()
    ([[[0.0, 0.0]]], [0.0])
    """
    check_blur_ig(steps, max_sigma)
    sizes = [ops.cast(each, images.dtype) for each in ops.shape(images)[1:-1]]
    widest = _WIDEST * ops.max(ops.stack(sizes)) if max_sigma is None else max_sigma

    def at(step: Any) -> Any:
        return blurred(images, widest * (1 - ops.cast(step, images.dtype) / steps))

    def term(chosen: Any) -> Any:
        first, last = ops.map(at, chosen), ops.map(at, chosen + 1)
        return ops.sum((last - first) * gradient((first + last) / 2), [0, -1])

    maps = sum_over(term, steps, ops.zeros_like(images[..., 0]), images)
    change = score(images) - score(at(ops.zeros(())))
    return Estimate(maps, residual=change - ops.sum(maps, grid_axes(maps)))


class BlurIG(ImageExplainerWithOptions):
    r"""Explain by the gradient, integrated on the path from the blurred image to the image.

    Needs no baseline colour, and shows what appears when details do: edges and textures. Complete:
    the raw, signed map sums to S(x) less the score of the most blurred image, up to
    `explanation.residual`; more steps lower it.

    Args:
        steps: Steps of the path; each costs a forward and a backward pass.
        max_sigma: The standard deviation of the widest blur, in pixels; None is a sixth of the
            longest side.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> images = np.random.default_rng(0).random((1, 8, 8, 3))
        >>> bool(abs(BlurIG(model, steps=4)(images).residual[0]) < 1e-4)  # of a linear model
        True
    """

    _method = "blur_ig"

    def __init__(
        self,
        model: keras.Model,
        *,
        steps: int = 32,
        max_sigma: float | None = None,
        **shared: Unpack[ImageArguments],
    ) -> None:
        super().__init__(model, steps=steps, max_sigma=max_sigma, **shared)

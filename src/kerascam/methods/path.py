"""Input gradients along a path from a baseline to the image: pure functions of a gradient.

`gradient` and the shapes are as in `input_gradient`.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .._types import GradientFunction, Heatmaps, Images, Target
from ..arguments import number_in
from ..errors import brief
from ..explain.bases import NamedExplainer
from ..maps import Normalization
from ..registry import METHODS, Citation
from ..repeat import MOST_COPIES, mean_over


def check_integrated_gradients(steps: Any, baseline: Any) -> None:
    """Raise if an option of integrated gradients has a wrong type or value."""
    number_in("steps", steps, 1, MOST_COPIES)
    try:
        values = np.asarray(baseline)
    except Exception:  # of several lengths, or of a type that refuses
        values = np.array(None)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"baseline must be a number or an array of numbers, not {brief(baseline)}")
    if not np.isfinite(values).all():
        raise ValueError("baseline must be finite; it holds NaN or infinity")


@METHODS.register(
    title="Integrated gradients",
    class_name="IntegratedGradients",
    check=check_integrated_gradients,
    signed=True,
    citation=Citation(
        "Sundararajan, Taly and Yan",
        2017,
        "Axiomatic Attribution for Deep Networks",
        "ICML",
        "https://arxiv.org/abs/1703.01365",
    ),
)
def integrated_gradients(
    gradient: GradientFunction,
    images: Images,
    *,
    steps: int = 32,
    baseline: Any = 0.0,
) -> Heatmaps:
    r"""Integrate the gradient on the straight way from a baseline to the image.

    $$M_{ij} = \sum_c (x_{ijc} - x'_{ijc}) \int_0^1
    \frac{\partial S}{\partial x_{ijc}}\big(x' + a\,(x - x')\big)\,da$$

    The integral is taken by the midpoint rule in `steps` steps. Completeness: the map sums to
    S(x) - S(x'), up to that rule's error. The baseline is a number (0 is black where images are
    0 to 255) or an array that fits the images.

    >>> x = ops.array([[[[1.0], [3.0]]]])
    >>> integrated_gradients(lambda x: 2 * x, x).numpy().tolist()  # of S = sum of x squared
    [[[1.0, 9.0]]]
    """
    check_integrated_gradients(steps, baseline)
    start = ops.broadcast_to(_baseline(baseline, images), ops.shape(images))
    way = images - start

    def on_the_way(chosen: Any) -> Any:
        places = (ops.cast(chosen, images.dtype) + 0.5) / steps
        return start + ops.reshape(places, [-1] + [1] * len(images.shape)) * way

    slope = mean_over(lambda chosen: gradient(on_the_way(chosen)), steps, images, images)
    return ops.sum(way * slope, -1)


class IntegratedGradients(NamedExplainer):
    r"""Explain by the gradient, integrated on the way from a baseline to the image.

    Complete: the raw, signed map sums to S(x) - S(x'), up to the midpoint rule's error.

    Args:
        steps: Steps of the midpoint rule; each costs a forward and a backward pass.
        baseline: A number, or an array that fits the images: what counts as nothing seen.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> explanation = IntegratedGradients(model, steps=4)(np.ones((1, 8, 8, 3)))
        >>> bool(np.isclose(explanation.maps.sum(), explanation.scores[0], rtol=1e-4))
        True
    """

    _method = "integrated_gradients"

    def __init__(
        self,
        model: keras.Model,
        *,
        steps: int = 32,
        baseline: Any = 0.0,
        target: Target | None = None,
        output: int | str | None = None,
        input: int | str | None = None,
        normalize: Normalization = "max",
        class_names: Sequence[str] | None = None,
        axes: str | None = None,
        layer: Any = None,
        freeze: bool = False,
    ) -> None:
        super().__init__(
            model,
            self._method,
            target=target,
            output=output,
            input=input,
            normalize=normalize,
            class_names=class_names,
            axes=axes,
            layer=layer,
            freeze=freeze,
            steps=steps,
            baseline=baseline,
        )


def _baseline(given: Any, images: Images) -> Any:
    values = np.asarray(given)
    # One for every image: an array of a batch would fit only that batch.
    wanted = [1, *images.shape[1:]]
    shape = [1] * (len(wanted) - values.ndim) + list(values.shape)
    fits = len(shape) == len(wanted) and all(
        have == 1 or want in (None, have) for have, want in zip(shape, wanted, strict=True)
    )
    if not fits:
        raise ValueError(
            f"baseline must be a number or fit one image of shape {tuple(wanted[1:])}; "
            f"received shape {values.shape}"
        )
    return ops.convert_to_tensor(values, images.dtype)

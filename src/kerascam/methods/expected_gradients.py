"""Integrated gradients, averaged over many baselines."""

from typing import Any

import keras
import numpy as np
from keras import ops

from .._types import GradientFunction, Images, ScoreFunction, Unpack
from ..arguments import number_in
from ..baselines import as_images, check_numbers
from ..errors import brief
from ..estimates import Estimate
from ..explain import SharedArguments, WholeModelExplainerWithOptions
from ..given import is_dataset
from ..maps import grid_axes
from ..registry import METHODS, Citation
from ..repeat import MOST_COPIES, collect, mean_and_error


def check_expected_gradients(samples: Any, references: Any, seed: Any) -> None:
    """Raise if an option of expected gradients has a wrong type or value."""
    number_in("samples", samples, 1, MOST_COPIES)
    number_in("seed", seed, 0)
    wanted = "references must be a number or an array of images"
    if is_dataset(references):
        raise TypeError(f"{wanted}: take a sample, next(iter(dataset.unbatch().batch(64)))")
    check_numbers("references", references, wanted)
    if np.asarray(references).size == 0:
        raise ValueError(f"references must hold an image at least; received {brief(references)}")


@METHODS.register(
    title="Expected gradients",
    class_name="ExpectedGradients",
    aliases=("EG",),
    signed=True,
    check=check_expected_gradients,
    passes="1 + {samples} forward, {samples} backward, and 1 forward per reference",
    citation=Citation(
        "Erion, Janizek, Sturmfels, Lundberg and Lee",
        2021,
        "Improving performance of deep learning models with axiomatic attribution priors and "
        "expected gradients",
        "Nature Machine Intelligence 3",
        "https://arxiv.org/abs/1906.10670",
    ),
)
def expected_gradients(
    gradient: GradientFunction,
    score: ScoreFunction,
    images: Images,
    *,
    samples: int = 64,
    references: Any = 0.0,
    seed: int = 0,
) -> Estimate:
    r"""Integrate the gradient along the lines from many references to the image, and average.

    $$M_{ij} = \frac1n \sum_{s=1}^n \sum_c (x_{ijc} - x'^{(s)}_{ijc})
    \frac{\partial S}{\partial x_{ijc}}\big(x'^{(s)} + a_s (x - x'^{(s)})\big)$$

    The references take turns; the $a_s$ are the middles of $n$ parts of [0, 1], in random order.
    With one reference this is integrated gradients by the midpoint rule. The map sums to
    $S(x)$ less the mean score of the references, up to the residual. The standard errors do not
    know that the parts are spread evenly, and are rather too large.

    >>> x = ops.array([[[[1.0], [3.0]]]])
    >>> found = expected_gradients(
    ...     lambda x: 2 * x, lambda x: ops.sum(x**2, (-3, -2, -1)), x, samples=8)
    >>> found.maps.numpy().tolist(), found.residual.numpy().tolist()
    ([[[1.0, 9.0]]], [0.0])
    """
    check_expected_gradients(samples, references, seed)
    every = _images_of(references, images)
    count = every.shape[0]
    order = np.random.default_rng(seed).permutation(samples)
    places = ops.convert_to_tensor((order + 0.5) / samples, images.dtype)

    def term(chosen: Any) -> Any:
        start = ops.take(every, chosen % count, axis=0)[:, None]  # (n, 1, *size, channels)
        way = images - start
        at = ops.reshape(ops.take(places, chosen), (-1, *[1] * len(images.shape)))
        return ops.sum(way * gradient(start + at * way), -1)

    maps, errors = mean_and_error(term, samples, ops.zeros_like(images[..., 0]), images)
    whole = score(images)

    def start_score(chosen: Any) -> Any:
        start = ops.take(every, chosen, axis=0)[:, None]
        return score(start + ops.zeros_like(images))

    used = min(count, samples)
    turns = np.bincount(np.arange(samples) % count, minlength=used)[:used] / samples
    starts = collect(start_score, used, whole, images)
    mean = ops.sum(ops.convert_to_tensor(turns[:, None], starts.dtype) * starts, 0)
    return Estimate(maps, errors, whole - mean - ops.sum(maps, grid_axes(maps)))


def _images_of(references: Any, images: Images) -> Any:
    """Return the references as images, (references, *size, channels)."""
    values = as_images(references, images)
    if values is None:
        raise ValueError(
            f"references must be a number, an image of shape {tuple(images.shape[1:])}, or several "
            f"of them; received shape {np.shape(references)}"
        )
    made = ops.convert_to_tensor(values, images.dtype)
    return ops.broadcast_to(made, (values.shape[0], *ops.shape(images)[1:]))


class ExpectedGradients(WholeModelExplainerWithOptions):
    r"""Explain by expected gradients: integrated gradients, averaged over many references.

    Known as GradientSHAP too. `explanation.residual` is what the map's sum misses, and
    `explanation.standard_errors` how far the raw maps may be off by chance; more
    samples lower both.

    Args:
        samples: How many points on the ways; each costs a forward and a backward pass.
        references: What counts as nothing seen: a number, an image, or several, such as a sample
            of the training images, in the values that the model takes. The notes, and the manifest,
            name an array by its SHA-256.
        seed: Seed of the order of the points.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> sample = np.random.default_rng(0).random((4, 8, 8, 3))
        >>> explanation = ExpectedGradients(model, references=sample)(np.ones((1, 8, 8, 3)))
        >>> bool(abs(explanation.residual[0]) < 1e-4)  # of a linear model
        True
    """

    _method = "expected_gradients"

    def __init__(
        self,
        model: keras.Model,
        *,
        samples: int = 64,
        references: Any = 0.0,
        seed: int = 0,
        **shared: Unpack[SharedArguments],
    ) -> None:
        super().__init__(model, samples=samples, references=references, seed=seed, **shared)

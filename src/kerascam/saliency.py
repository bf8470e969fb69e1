"""Input-gradient methods: pure functions of a gradient function and the images.

`gradient` maps images of shape (batch, *size, channels) to the gradient of each image's score,
of the same shape; the classes are settled before. Several copies of the batch, each with other
values, may be asked for at once: shape (copies, batch, *size, channels). The heatmaps have shape
(batch, *size).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from ._types import GradientFunction, Heatmaps, Images
from .arguments import number_in, real_number
from .errors import brief
from .maps import grid_axes
from .registry import METHODS, Citation

AT_ONCE = 8 * 224 * 224  # places of all images of a pass: small images share one, large ones do not
MOST_COPIES = 100_000  # of each image: more would be hours, and most likely a mistake
_INT32 = np.iinfo(np.int32)


def strongest_channel(gradients: Images) -> Heatmaps:
    """Take the largest magnitude over the channels."""
    return tf.reduce_max(tf.abs(gradients), -1)


@METHODS.register(
    kind="gradient",
    title="Saliency",
    class_name="Saliency",
    citation=Citation(
        "Simonyan, Vedaldi and Zisserman",
        2014,
        "Deep Inside Convolutional Networks: Visualising Image Classification Models and "
        "Saliency Maps",
        "ICLR Workshop",
        "https://arxiv.org/abs/1312.6034",
    ),
)
def saliency(gradient: GradientFunction, images: Images) -> Heatmaps:
    r"""Take the largest magnitude of the gradient over the channels.

    $$M_{ij} = \max_c \Big|\frac{\partial S}{\partial x_{ijc}}\Big|$$

    >>> saliency(lambda x: 2 * x, tf.constant([[[[1.0, -3.0]]]])).numpy().tolist()
    [[[6.0]]]
    """
    return strongest_channel(gradient(images))


@METHODS.register(
    kind="gradient",
    title="Gradient × input",
    class_name="GradientTimesInput",
    signed=True,
    citation=Citation(
        "Shrikumar, Greenside, Shcherbina and Kundaje",
        2016,
        "Not Just a Black Box: Learning Important Features Through Propagating Activation "
        "Differences",
        "arXiv",
        "https://arxiv.org/abs/1605.01713",
    ),
)
def gradient_times_input(gradient: GradientFunction, images: Images) -> Heatmaps:
    r"""Multiply the gradient by the image and sum over the channels.

    $$M_{ij} = \sum_c x_{ijc} \frac{\partial S}{\partial x_{ijc}}$$

    >>> gradient_times_input(lambda x: 2 * x, tf.constant([[[[1.0, -3.0]]]])).numpy().tolist()
    [[[20.0]]]
    """
    return tf.reduce_sum(images * gradient(images), -1)


def check_smooth_grad(samples: Any, noise: Any, seed: Any) -> None:
    """Raise where an option of SmoothGrad has a wrong type or value."""
    number_in("samples", samples, 1, MOST_COPIES)
    number_in("seed", seed, _INT32.min, _INT32.max)
    if real_number("noise", noise) < 0:
        raise ValueError(f"noise must be at least 0 and finite, not {brief(noise)}")


@METHODS.register(
    kind="gradient",
    title="SmoothGrad",
    class_name="SmoothGrad",
    check=check_smooth_grad,
    citation=Citation(
        "Smilkov, Thorat, Kim, Viégas and Wattenberg",
        2017,
        "SmoothGrad: removing noise by adding noise",
        "ICML Workshop",
        "https://arxiv.org/abs/1706.03825",
    ),
)
def smooth_grad(
    gradient: GradientFunction,
    images: Images,
    *,
    samples: int = 25,
    noise: float = 0.15,
    seed: int = 0,
) -> Heatmaps:
    r"""Average the gradient over noisy copies of the image, then take the strongest channel.

    $$\hat g = \frac1n \sum_{s=1}^n \frac{\partial S}{\partial x}\big(x + \varepsilon_s\big),\quad
    \varepsilon_s \sim \mathcal N(0, \sigma^2),\quad \sigma = \text{noise}\,(\max x - \min x)$$

    The paper advises a noise of 0.1 to 0.2. Every image of a batch meets the same noise, scaled
    to its own range, so that its heatmap does not depend on its neighbours; the same seed gives
    the same heatmap.

    >>> x = tf.constant([[[[1.0], [3.0]]]])
    >>> smooth_grad(lambda x: 2 * tf.ones_like(x), x, samples=3).numpy().tolist()
    [[[2.0, 2.0]]]
    """
    check_smooth_grad(samples, noise, seed)
    axes = [*grid_axes(images, features=True), len(images.shape) - 1]
    span = tf.reduce_max(images, axes, keepdims=True) - tf.reduce_min(images, axes, keepdims=True)
    shape = tf.concat([[1], tf.shape(images)[1:]], 0)

    def draw(sample: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_normal(shape, tf.stack([seed, sample]), dtype=images.dtype)

    def noisy(chosen: tf.Tensor) -> tf.Tensor:
        return images + noise * span * tf.map_fn(draw, chosen, fn_output_signature=images.dtype)

    return strongest_channel(_mean(gradient, noisy, images, samples))


def check_integrated_gradients(steps: Any, baseline: Any) -> None:
    """Raise where an option of integrated gradients has a wrong type or value."""
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
    kind="gradient",
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

    >>> x = tf.constant([[[[1.0], [3.0]]]])
    >>> integrated_gradients(lambda x: 2 * x, x).numpy().tolist()  # of S = sum of x squared
    [[[1.0, 9.0]]]
    """
    check_integrated_gradients(steps, baseline)
    start = tf.broadcast_to(_baseline(baseline, images), tf.shape(images))
    way = images - start

    def on_the_way(chosen: tf.Tensor) -> tf.Tensor:
        places = (tf.cast(chosen, images.dtype) + 0.5) / steps
        return start + tf.reshape(places, [-1] + [1] * len(images.shape)) * way

    return tf.reduce_sum(way * _mean(gradient, on_the_way, images, steps), -1)


def _mean(
    gradient: GradientFunction,
    copies: Callable[[tf.Tensor], tf.Tensor],
    images: Images,
    count: int,
) -> Images:
    """Average the gradient over copies of the images, as many a pass as `AT_ONCE` allows.

    Args:
        gradient: As above.
        copies: Maps numbers of copies, from 0 on, to these copies of the images.
        images: The images.
        count: How many copies there are.
    """
    places = tf.maximum(tf.size(images[..., 0]), 1)
    passes = _upward(count, tf.clip_by_value(AT_ONCE // places, 1, count))
    a_pass = _upward(count, passes)  # as many in each, so that the last is no small one

    def add(first: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chosen = tf.range(first, tf.minimum(first + a_pass, count))
        return first + a_pass, total + tf.reduce_sum(gradient(copies(chosen)), 0)

    # A loop in the graph: bounded memory whatever the count, and one trace of the model.
    _, total = tf.while_loop(
        lambda first, _: first < count,
        tf.autograph.experimental.do_not_convert(add),
        (tf.constant(0), tf.zeros_like(images)),
        maximum_iterations=count,
        parallel_iterations=1,
    )
    return total / count


def _upward(count: int, parts: tf.Tensor) -> tf.Tensor:
    return (count + parts - 1) // parts


def _baseline(given: Any, images: Images) -> tf.Tensor:
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
    return tf.constant(values, images.dtype)

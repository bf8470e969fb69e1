"""Metrics of whether images that look the same have the same map."""

import numpy as np

from .._host_types import Explain, Figures, HostHeatmaps, HostImages
from ..arguments import number_in
from ..arrays import as_type
from ..table import Citation
from .conditions import attributions_show, check_alike, check_share, where
from .registry import METRICS


@METRICS.register(
    title="Max-sensitivity",
    higher_is_better=False,
    bounds=(0, None),
    citation=Citation(
        "Yeh, Hsieh, Suggala, Inouye and Ravikumar",
        2019,
        "On the (In)fidelity and Sensitivity of Explanations",
        "NeurIPS",
        "https://arxiv.org/abs/1901.09392",
    ),
    requires=(attributions_show,),
)
def max_sensitivity(
    attribute: Explain,
    images: HostImages,
    attributions: HostHeatmaps,
    *,
    radius: float = 0.02,
    samples: int = 10,
    seed: int = 0,
) -> Figures:
    r"""Find by how much the map changes at most if the image changes a little.

    $$\max_{\|\delta\|_\infty \le r} \frac{\|M(x + \delta) - M(x)\|_2}{\|M(x)\|_2}$$

    The largest of several random $\delta$, uniform in the box, as in the authors' code; the paper
    has no denominator, without which it depends on the map's unit. The same $\delta$ is added to
    all images, in the range of each, and the class that is explained stays the same.

    Args:
        attribute: Images to attributions.
        images: Shape (batch, *size, channels).
        attributions: Shape (batch, *size): those of the images.
        radius: r, as a share of each image's range of values.
        samples: How many changes are tried.
        seed: Their seed.

    Returns:
        Shape (batch,); NaN of a map that is zero everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the maps do not fit the images, or an option has a wrong value.

    Example:
        >>> image = np.arange(4.0).reshape(1, 4, 1)
        >>> max_sensitivity(lambda x: x[..., 0] * 0 + 1, image, np.ones((1, 4))).tolist()
        [0.0]
    """
    check_alike(attributions, images=images)
    check_share("radius", radius)
    number_in("samples", samples, 1)
    generator = np.random.default_rng(number_in("seed", seed, 0))
    flat = images.reshape(len(images), -1).astype(np.float64)
    ranges = (flat.max(1) - flat.min(1)).reshape(-1, *[1] * (images.ndim - 1))
    own = _norms(attributions)
    most = np.zeros(len(images))
    for _ in range(samples):
        noise = radius * generator.uniform(-1, 1, images.shape[1:]) * ranges
        again = np.asarray(attribute(as_type(images.dtype, images + noise)))
        most = np.maximum(most, _norms(again - attributions))
    return where(attributions_show(attributions), most / np.where(own > 0, own, 1))


def _norms(maps: np.ndarray) -> np.ndarray:
    return np.linalg.norm(maps.reshape(len(maps), -1).astype(np.float64), axis=1)

"""A planted world for metrics: masks, images that show them, a linear model that counts them."""

import numpy as np

from kerascam.metrics import METRICS

SIZE = (6, 8)
PIXELS = 48
MASKS = np.zeros((3, *SIZE), bool)
MASKS[0, 1:4, 2:6] = MASKS[1, :2, :6] = MASKS[2, 3:, 5:] = True  # 12, 12 and 9 pixels
IMAGES = MASKS[..., None].astype(float)  # 1 where the evidence is


def share_shown(copies):
    """How much of each image's mask is shown: linear, 1 of the images, 0 of nothing."""
    return (copies[..., 0] * MASKS).sum((-2, -1)) / MASKS.sum((-2, -1))


def explain(images):
    """The gradient times the input of that model: its oracle."""
    return images[..., 0] * MASKS


ORACLE, ANTI = MASKS.astype(float), 1.0 - MASKS
SHARES = MASKS.mean((1, 2))
FLAT = np.full((3, *SIZE), 0.5)
NOISE = np.random.default_rng(1).random((3, *SIZE))
DRAWN = np.random.default_rng(4).random((7, *SIZE))
SUPPLY = {
    "heatmaps": ORACLE,
    "attributions": ORACLE,
    "images": IMAGES,
    "masks": MASKS,
    "others": np.zeros_like(IMAGES),
    "classes": np.zeros(3, int),
    "score": share_shown,
    "probability": share_shown,
    "explain": explain,
    "attribute": explain,
    "explain_another": lambda images, seed: 1 - explain(images),
    "explain_randomized": lambda images, layers, seed: DRAWN[len(layers)] + explain(images),
    "layer_count": 6,
}
OPTIONS = {"baseline": 0.0, "steps": 48}


def needs(name):
    return METRICS[name].needs


def measured(name, heatmaps=ORACLE, **changes):
    metric = METRICS[name]
    options = {key: OPTIONS[key] for key in metric.options if key in OPTIONS}
    handed = {**SUPPLY, "heatmaps": heatmaps, "attributions": heatmaps}
    given = {key: changes.pop(key, handed[key]) for key in metric.needs}
    return metric.function(*given.values(), **{**options, **changes})

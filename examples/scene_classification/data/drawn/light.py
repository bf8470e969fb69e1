"""The light over a finished scene: exposure, tint, haze and the camera's noise."""

import numpy as np
from numpy.typing import NDArray

# Day, overcast, golden hour, dusk, dawn, night, moonlight: a gain for red, green and blue.
_LIGHTS = (
    (1.0, 1.0, 1.0),
    (1.0, 1.0, 1.0),
    (0.92, 0.94, 0.97),
    (1.12, 0.97, 0.78),
    (0.92, 0.79, 0.86),
    (1.06, 0.92, 0.95),
    (0.6, 0.65, 0.84),
    (0.7, 0.77, 0.88),
)
_VEIL = np.array([205, 210, 218])


def light_scene(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Put a scene into a random light; pixel by pixel, whatever it shows.

    Args:
        image: (height, width, 3), uint8 RGB.
        rng: Decides on the light.

    Returns:
        A new image of the same shape.
    """
    height, width = image.shape[:2]
    gain = np.array(_LIGHTS[int(rng.integers(len(_LIGHTS)))]) * rng.normal(1, 0.045, 3)
    lit = image * (gain * rng.uniform(0.82, 1.12)).astype(np.float32)
    veil = (_VEIL * gain * rng.uniform(0.7, 1.1)).astype(np.float32)
    top, bottom = rng.uniform(0, 0.35, 2) * (rng.random() < 0.5)
    haze = np.linspace(top, bottom, height, dtype=np.float32)[:, None, None]
    noise = rng.standard_normal((height, width, 3), np.float32) * np.float32(rng.uniform(1, 6))
    hazy = lit + (veil - lit) * haze + noise
    return np.asarray(np.rint(np.clip(hazy, 0, 255)), np.uint8)

"""Quantus and xplique put pixels of equal relevance in an order that depends on the map's type."""

from .telling import tell


def main() -> None:
    """Flip pixels by one and the same map, in half and in single precision."""
    import keras
    import numpy as np
    import quantus
    import tensorflow as tf
    from keras import layers
    from xplique.metrics import Deletion

    keras.utils.set_random_seed(0)
    side = 32
    model = keras.Sequential(
        [keras.Input((side, side, 1)), layers.Flatten(), layers.Dense(2, "softmax")]
    )
    images = np.random.default_rng(0).random((1, side, side, 1)).astype("float32")
    # A map as a class activation map is, in three steps: most of its pixels tie.
    heat = np.kron(np.array([[0.0, 0.0, 0.5, 0.5]] * 2 + [[0, 0.5, 1, 1]] * 2), np.ones((8, 8)))
    areas = {}
    for kind in ("float16", "float32"):
        flipping = quantus.PixelFlipping(
            features_in_step=32, disable_warnings=True, normalise=False
        )
        (curve,) = flipping(
            model=model,
            x_batch=images,
            y_batch=np.zeros(1, int),
            a_batch=heat[None, None].astype(kind),
            channel_first=False,
            softmax=True,
        )
        other = Deletion(model, images, tf.one_hot([0], 2).numpy(), steps=32)
        areas[kind] = float(np.mean(curve)), float(other(heat[None].astype(kind)))
    for place, package in enumerate(("quantus", "xplique")):
        found = {kind: round(each[place], 5) for kind, each in areas.items()}
        tell(
            package,
            "the area under the deletion curve of a map of three values, in two precisions",
            found,
            "one figure: pixels of equal relevance need an order of their own, such as that of "
            "their index; numpy.argsort has one only if it is asked for (kind='stable')",
            shown=len(set(found.values())) > 1,
        )


if __name__ == "__main__":
    main()

"""Quantus's ROAD returns the first batch's result for any number of images."""

from .telling import constant_classifier, tell


def main() -> None:
    """Ask it about 128 images of which the model gets the first 64 right, and no other."""
    import numpy as np
    import quantus

    generator = np.random.default_rng(0)
    images = generator.random((128, 8, 8, 1)).astype("float32")
    road = quantus.ROAD(percentages=[10, 50], disable_warnings=True)
    found = road(
        model=constant_classifier(),
        x_batch=images,
        y_batch=np.repeat([0, 1], 64),
        a_batch=generator.random((128, 1, 8, 8)),
        channel_first=False,
        batch_size=64,
    )
    tell(
        "quantus",
        "ROAD's accuracy on 128 images; a model that always answers 0 gets the first 64 right, "
        "the other 64 wrong",
        {key: float(value) for key, value in found.items()},
        "0.5 at each percentage; all images are computed, the first batch alone is returned",
        shown=any(value != 0.5 for value in found.values()),
    )


if __name__ == "__main__":
    main()

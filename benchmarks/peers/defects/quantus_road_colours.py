"""Quantus's ROAD ends with an error on images of three channels."""

from .telling import tell


def main() -> None:
    """Ask it about four colour images."""
    import keras
    import numpy as np
    import quantus
    from keras import layers

    generator = np.random.default_rng(0)
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2, "softmax")])
    found = []
    for channels in (1, 3):
        road = quantus.ROAD(percentages=[50], disable_warnings=True)
        try:
            road(
                model=model,
                x_batch=generator.random((4, 8, 8, 3)),
                y_batch=np.zeros(4, int),
                a_batch=np.repeat(generator.random((4, 1, 8, 8)), channels, 1),
                channel_first=False,
            )
        except IndexError as error:
            found.append(f"IndexError: {error}")
    tell(
        "quantus",
        "ROAD of images of three channels, by maps of one channel, and of three",
        found,
        "a figure: the map is repeated for each channel, and the places in that longer list are "
        "taken for pixels",
        shown=len(found) == 2,
    )


if __name__ == "__main__":
    main()

"""Quantus's cascading randomisation of a Keras model begins from untrained weights everywhere."""

from .telling import tell


def main() -> None:
    """Look at the layers that its first step should leave alone."""
    import keras
    import numpy as np
    from keras import layers
    from quantus.helpers.model.tf_model import TensorFlowModel

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, name="first"),
            layers.Flatten(),
            layers.Dense(2, name="last"),
        ]
    )
    generator = TensorFlowModel(model).get_random_layer_generator("top_down")
    name, changed = next(generator)
    same = np.array_equal(
        model.get_layer("first").get_weights()[0], changed.get_layer("first").get_weights()[0]
    )
    tell(
        "quantus",
        f"the first step of cascading randomisation of a Keras model, which randomises {name!r}: "
        "has layer 'first' its own weights?",
        "yes" if same else "no: keras.models.clone_model draws new ones",
        "yes; only what follows is to be random yet, so that the curve over the layers says "
        "where a map depends on the weights",
        shown=not same,
    )


if __name__ == "__main__":
    main()

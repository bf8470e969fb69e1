"""xplique's KernelSHAP does not sum to what the model's score changes by."""

from .telling import tell


def main() -> None:
    """Explain four features whose product counts, exactly, by many samples."""
    import keras
    import numpy as np
    import tensorflow as tf
    from keras import ops
    from xplique.attributions import KernelShap

    # Four quarters of an image; the score is the product of their means, and a bit of the first.
    def score(x: object) -> object:
        quarters = ops.mean(ops.reshape(x, (-1, 2, 4, 2, 4)), (2, 4))
        return ops.prod(quarters, (1, 2))[:, None] + 0.5 * quarters[:, 0, :1]

    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, keras.layers.Lambda(score, output_shape=(1,))(inputs))
    quarter = np.kron(np.arange(4).reshape(2, 2), np.ones((4, 4))).astype("int32")
    tf.random.set_seed(0)
    explainer = KernelShap(
        model, nb_samples=4000, map_to_interpret_space=lambda x: tf.constant(quarter)
    )
    maps = np.asarray(explainer(np.ones((1, 8, 8, 1), "float32"), np.ones((1, 1), "float32")))
    values = [float(maps.reshape(8, 8)[quarter == each][0]) for each in range(4)]
    tell(
        "xplique",
        "the sum of the Shapley values of four segments, of a score that goes from 0 to 1.5",
        round(sum(values), 3),
        "1.5: Shapley values sum to the change of the score; the coalition of all segments and "
        "the empty one are never asked about, and do not constrain the fit",
        shown=abs(sum(values) - 1.5) > 0.05,
    )


if __name__ == "__main__":
    main()

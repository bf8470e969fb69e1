"""xplique's μ-fidelity is a rank correlation; the paper's is Pearson's."""

from .telling import tell


def main() -> None:
    """Measure a map of a score that rises steeply: its order is right, its proportions are not."""
    import keras
    import numpy as np
    import tensorflow as tf
    from keras import ops
    from xplique.metrics import MuFidelity

    inputs = keras.Input((4, 4, 1))
    score = keras.layers.Lambda(lambda x: ops.exp(ops.sum(x, (1, 2))), output_shape=(1,))(inputs)
    model = keras.Model(inputs, score)
    image = np.random.default_rng(0).random((1, 4, 4, 1)).astype("float32") * 2
    tf.random.set_seed(0)
    found = MuFidelity(model, image, np.ones((1, 1), "float32"), grid_size=None, nb_samples=2000)(
        image[..., 0]
    )
    generator = np.random.default_rng(0)
    hidden = generator.random((2000, 16)) <= 0.2
    sums = hidden @ image.ravel()
    drops = np.exp(image.sum()) - np.exp(image.sum() - sums)
    tell(
        "xplique",
        "the μ-fidelity of the map φ = x for the score exp(Σ x)",
        round(float(found), 3),
        f"{np.corrcoef(sums, drops)[0, 1]:.3f}: Pearson's correlation of Σφ and the drop, as in "
        "definition 3 of the paper; a rank correlation is 1 if the order alone is right",
        shown=found > 0.999,
    )


if __name__ == "__main__":
    main()

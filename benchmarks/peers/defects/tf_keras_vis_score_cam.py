"""tf-keras-vis's Score-CAM takes the softmax of the probabilities of a model with a softmax."""

from .telling import tell


def main() -> None:
    """Look at what its score function is handed, of a model that is sure."""
    import keras
    import numpy as np
    from keras import layers
    from tf_keras_vis.scorecam import Scorecam

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Conv2D(4, 3, activation="relu", name="last"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, "softmax", bias_initializer=keras.initializers.Constant(0)),
        ]
    )
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel, bias + np.array([20, 0, 0])])
    model = keras.Model(model.inputs[0], model.outputs[0])
    images, handed = np.random.default_rng(0).random((1, 16, 16, 1)), []

    def score(output: object) -> list[object]:
        handed.append(np.asarray(output))
        return [output[0, 0]]

    Scorecam(model)(score, images, penultimate_layer="last")
    own = float(np.asarray(model(images))[0, 0])
    found = float(np.max([each[0, 0] for each in handed]))
    tell(
        "tf-keras-vis",
        f"the probability that weighs a feature map, of a model that is sure (p = {own:.3f})",
        round(found, 3),
        "1 or nearly: a softmax of probabilities of 3 classes is never above "
        f"{np.e / (np.e + 2):.3f}, and brings all weights together",
        shown=found < 0.6 < own,
    )


if __name__ == "__main__":
    main()

"""A training logs metrics of its explanations: the figures of `evaluate`, and nothing changes."""

import keras
import numpy as np
import pytest
from keras import layers

from kerascam import ExplainCallback, GradCAM, evaluate

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((6, 8, 8, 3)).astype("float32")
LABELS = np.array([0, 1] * 3)
MASKS = np.zeros((6, 8, 8), bool)
MASKS[:, 2:6, 2:6] = True


def network():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu", name="last"),
        layers.GlobalAveragePooling2D(), layers.Dense(2, "softmax"),
    ])  # fmt: skip
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    return model


class Later(keras.callbacks.Callback):
    """What a logger that comes after is given."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(sorted(name for name in logs if "/" in name))


def test_logs_hold_the_figures_of_evaluate(tmp_path):
    model, later = network(), Later()
    metrics = {"deletion": {"steps": 4}, "mass_in_mask": {}, "entropy": {}}
    watch = ExplainCallback(
        IMAGES, GradCAM(model), LABELS, every=2, folder=tmp_path, limit=4,
        metrics=metrics, masks=MASKS,
    )  # fmt: skip

    history = model.fit(IMAGES, LABELS, epochs=4, verbose=0, callbacks=[watch, later]).history

    names = ["grad_cam/deletion", "grad_cam/entropy", "grad_cam/mass_in_mask"]
    assert later.seen == [[], names, [], names]
    found = evaluate(GradCAM(model), IMAGES[:4], LABELS[:4], MASKS[:4], metrics)
    for name in metrics:
        expected = np.nanmean(found.of(found.methods[0], name))
        assert history[f"grad_cam/{name}"][-1] == pytest.approx(expected, rel=1e-5)
        assert len(history[f"grad_cam/{name}"]) == 2


def test_training_is_what_it_is_without(tmp_path):
    plain, watched = network(), network()
    plain.fit(IMAGES, LABELS, epochs=2, verbose=0)
    watch = ExplainCallback(IMAGES, GradCAM(watched), folder=tmp_path, metrics="mprt_independent")
    watched.fit(IMAGES, LABELS, epochs=2, verbose=0, callbacks=[watch])
    for own, other in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"metrics": ["deletions"]}, "deletion"),
        ({"metrics": ["mass_in_mask"]}, "masks="),
        ({"metrics": {"deletion": {"step": 3}}}, "no option 'step'"),
        ({"metrics": ["mass_in_mask"], "masks": MASKS[:, :4]}, "masks must have the shape"),
        ({"masks": MASKS}, "metrics is None"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_step(tmp_path, options, error):
    model = network()
    with pytest.raises((TypeError, ValueError), match=error):
        model.fit(
            IMAGES, LABELS, verbose=0,
            callbacks=[ExplainCallback(IMAGES, GradCAM(model), folder=tmp_path, **options)],
        )  # fmt: skip
    assert int(model.optimizer.iterations) == 0

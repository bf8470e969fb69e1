"""A training logs metrics of its explanations: the figures of `evaluate`, and nothing changes."""

import sys

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


# --------------------------------------------------------------------------------- their trackers


def watched(tracker, **options):
    """Train for three epochs, and return the history and the callback."""
    model = network()
    watch = ExplainCallback(
        IMAGES, GradCAM(model), LABELS, limit=2, metrics=["entropy"], trackers=tracker, **options
    )
    history = model.fit(IMAGES, LABELS, epochs=3, verbose=0, callbacks=[watch]).history
    return history, watch


@pytest.mark.filterwarnings("ignore")  # of the packages' own making
def test_mlflow_has_figures_and_pictures(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("alembic")  # of a data base, which mlflow-skinny lacks
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    with mlflow.start_run() as run:
        history, watch = watched("mlflow")
    client = mlflow.MlflowClient()
    figures = client.get_metric_history(run.info.run_id, "grad_cam/entropy")
    assert [(each.step, each.value) for each in figures] == [
        (epoch, pytest.approx(value)) for epoch, value in enumerate(history["grad_cam/entropy"])
    ]
    (last,) = client.get_metric_history(run.info.run_id, "grad_cam/mean_probability")[-1:]
    assert last.value == pytest.approx(float(watch.explanation.probabilities.mean()))
    pictures = [each.path for each in client.list_artifacts(run.info.run_id, "images")]
    assert len([path for path in pictures if path.endswith(".png")]) == 3 * 2


@pytest.mark.filterwarnings("ignore")
def test_wandb_has_figures_and_pictures(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with pytest.raises(ValueError, match=r"needs a run: call wandb.init\(\) first"):
        watched("wandb")
    run = wandb.init(mode="offline", dir=str(tmp_path), project="kerascam")
    try:
        history, watch = watched("wandb")
        summary = dict(run.summary)
    finally:
        run.finish()
    assert summary["grad_cam/entropy"] == pytest.approx(history["grad_cam/entropy"][-1])
    assert summary["explanations/epoch"] == 2
    probability = float(watch.explanation.probabilities.mean())
    assert summary["grad_cam/mean_probability"] == pytest.approx(probability)
    assert len(list(tmp_path.rglob("media/images/grad_cam/*.png"))) == 3 * 2


@pytest.mark.parametrize(
    ("trackers", "error", "message"),
    [
        ("tensorboard", ValueError, "trackers must be 'mlflow' or 'wandb', not 'tensorboard'"),
        (["mlflow", "comet"], ValueError, "trackers must be 'mlflow' or 'wandb', not 'comet'"),
        ("mlflow", ModuleNotFoundError, "needs the package 'mlflow'; pip install mlflow"),
        ("wandb", ModuleNotFoundError, "needs the package 'wandb'; pip install wandb"),
    ],
)
def test_trackers_that_are_not_there(monkeypatch, trackers, error, message):
    for name in ("mlflow", "wandb"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(error, match=message):
        ExplainCallback(IMAGES, GradCAM(network()), trackers=trackers)


def test_logs_alone_are_a_place():
    model = network()
    watch = ExplainCallback(IMAGES, GradCAM(model), LABELS, metrics="entropy")
    history = model.fit(IMAGES, LABELS, verbose=0, callbacks=[watch]).history
    assert len(history["grad_cam/entropy"]) == 1
    with pytest.raises(ValueError, match="trackers or metrics must be given"):
        ExplainCallback(IMAGES, GradCAM(model))

"""An evaluation that was broken off goes on: bit for bit what it would have been."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers as L

from kerascam import GradCAM, LayerCAM, Occlusion, Saliency, black_box, evaluate, targets
from kerascam.evaluating.handing import Supply
from kerascam.fingerprints import described, differences

COUNT, SIDE = 5, 8
IMAGES = np.random.default_rng(0).random((COUNT, SIDE, SIDE, 3)).astype("float32")
MASKS = np.zeros((COUNT, SIDE, SIDE), bool)
MASKS[:, 2:5, 3:7] = True
METRICS = {"deletion": {"steps": 6}, "mu_fidelity": {"subsets": 8}, "mass_in_mask": {}}
UNITS = 3 * 6 * len(METRICS)  # batches, methods and baselines, metrics


def small(seed=0):
    model = keras.Sequential([
        keras.Input((SIDE, SIDE, 3)), L.Conv2D(4, 3, activation="relu"),
        L.GlobalAveragePooling2D(), L.Dense(3, "softmax"),
    ])  # fmt: skip
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


MODEL = functools.cache(small)


@functools.cache
def explainers_of(model, kind=GradCAM, **options):
    target = {key: options[key] for key in options if key == "target"}
    plain = {"normalize": "none"}  # so that no second graph draws the attributions
    return kind(model, **{**plain, **options}), Saliency(model, **plain, **target)


def measured(explainers=None, **changes):
    arguments = {
        "explainers": explainers or explainers_of(MODEL()), "images": IMAGES, "masks": MASKS,
        "metrics": METRICS, "batch_size": 2,
    }  # fmt: skip
    return evaluate(**(arguments | changes))


@pytest.fixture(scope="module")
def whole():
    return measured()


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun")
    measured(checkpoint=folder)
    return folder


def check_same(found, whole):
    np.testing.assert_array_equal(found.figures, whole.figures)  # every bit
    np.testing.assert_array_equal(found.reasons, whole.reasons)
    np.testing.assert_array_equal(found.classes, whole.classes)
    assert found.table() == whole.table() and found.notes == whole.notes


def broken_off(monkeypatch, folder, after, **changes):
    """Raise as Ctrl-C does, in the middle of a metric; return how many were begun."""
    begun, measure = [], Supply.measure

    def stopping(self, metric, options):
        begun.append(metric.name)
        if len(begun) > after:
            self.memory.answers(IMAGES[:1], np.zeros(1, int))  # has asked, and is not done
            raise KeyboardInterrupt
        return measure(self, metric, options)

    monkeypatch.setattr(Supply, "measure", stopping)
    try:
        return measured(checkpoint=folder, **changes), begun
    except KeyboardInterrupt:
        return None, begun
    finally:
        monkeypatch.undo()


@pytest.mark.parametrize("after", [0, 7, UNITS - 1])
def test_ctrl_c_anywhere(monkeypatch, tmp_path, whole, after):
    assert broken_off(monkeypatch, tmp_path, after)[0] is None
    found, begun = broken_off(monkeypatch, tmp_path, UNITS)
    assert len(begun) == UNITS - after
    check_same(found, whole)
    assert not list(tmp_path.glob("answers-*"))
    again, begun = broken_off(monkeypatch, tmp_path, UNITS)
    assert begun == []
    check_same(again, whole)


def test_ctrl_c_again_and_again_and_by_the_same_explainers(monkeypatch, tmp_path, whole):
    """The second call finds the layer chosen that the first one chose."""
    model, found = small(), None
    explainers = GradCAM(model, normalize="none"), Saliency(model, normalize="none")
    for _ in range(6):
        found, _ = broken_off(monkeypatch, tmp_path, 11, explainers=explainers)
        if found is not None:
            break
    check_same(found, whole)


def test_a_process_that_was_killed(tmp_path, whole):
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_checkpoint import measured
def kill(made, steps):
    if made == 8:
        os.kill(os.getpid(), signal.SIGKILL)
measured(progress=kill, checkpoint={str(tmp_path)!r})
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert ended.returncode == -9, ended.stderr.decode()
    assert len(list(tmp_path.glob("figures-*"))) == 8
    check_same(measured(checkpoint=tmp_path), whole)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": lambda: small(1)}, "model was"),
        ({"images": IMAGES[::-1]}, 'images was "array'),
        ({"masks": ~MASKS}, 'masks was "array'),
        ({"classes": 1}, 'classes was "array'),
        ({"seed": 3}, r"seed was 0 and is 3"),
        ({"batch_size": 3}, "batch_size was 2 and is 3"),
        (
            {"metrics": {**METRICS, "deletion": {"steps": 7}}},
            r"metrics.deletion.steps was 6 and is 7",
        ),
        ({"metrics": dict(reversed(METRICS.items()))}, "order.metrics was"),
        ({"metrics": [*METRICS, "entropy"]}, "metrics.entropy was null and is {}"),
        ({"kind": LayerCAM}, "methods.grad_cam was .* and is null; methods.layer_cam was null"),
        ({"options": {"normalize": "minmax"}}, "methods.grad_cam.normalize was"),
        ({"options": {"target": targets.probability}}, r"methods.grad_cam.target.function was"),
    ],
)
def test_other_arguments_are_refused(begun, changes, message):
    before = {path: path.read_bytes() for path in begun.iterdir()}
    model, kind = changes.pop("model", MODEL)(), changes.pop("kind", GradCAM)
    explainers = explainers_of(model, kind, **changes.pop("options", {}))
    with pytest.raises(ValueError, match=f"(?s)was begun with other arguments: .*{message}"):
        measured(explainers, checkpoint=begun, **changes)
    assert {path: path.read_bytes() for path in begun.iterdir()} == before


def test_a_black_box_of_another_function(tmp_path):
    """No file and no weights tell them apart: what they say of the images does."""

    def occlusion(function):
        return Occlusion(black_box(function, (SIDE, SIDE, 3)), patch=4, stride=4)

    entropy = {"metrics": "entropy", "classes": 0, "checkpoint": tmp_path, "masks": None}
    mean = occlusion(lambda images: images.mean((1, 2)))
    found = measured([mean], **entropy)
    check_same(measured([occlusion(lambda images: images.mean((1, 2)))], **entropy), found)
    with pytest.raises(ValueError, match="the model, of the same weights, has other scores"):
        measured([occlusion(lambda images: images[:, 0, 0])], **entropy)


def test_files_of_others_are_neither_read_nor_touched(tmp_path, whole):
    note = tmp_path / "notes.txt"
    note.write_text("mine")
    check_same(measured(checkpoint=tmp_path), whole)
    mine = tmp_path / "figures-0000000-000.npz"
    np.savez(mine, figures=np.zeros((3, 2)))
    before = mine.read_bytes()
    with pytest.raises(ValueError, match="'figures-0000000-000.npz', which kerascam did not write"):
        measured(checkpoint=tmp_path)
    assert mine.read_bytes() == before and note.read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "checkpoint.json").write_text('{"epoch": 3}')
    with pytest.raises(ValueError, match=r"'checkpoint.json', which kerascam did not write"):
        measured(checkpoint=other)
    assert (other / "checkpoint.json").read_text() == '{"epoch": 3}'
    with pytest.raises(ValueError, match="is a file: name a folder"):
        measured(checkpoint=note)


def test_what_is_damaged_is_measured_again(tmp_path, whole):
    measured(checkpoint=tmp_path)
    damaged = tmp_path / "figures-0000002-001.npz"
    content = damaged.read_bytes()
    damaged.write_bytes(content[:40] + bytes(60) + content[100:])
    check_same(measured(checkpoint=tmp_path), whole)


def test_descriptions_tell_values_apart():
    def adding(number):
        return lambda value: value + number

    same = [(adding(1), adding(1)), ({"a": (1, 2)}, {"a": [1, 2]}), (np.ones(3), np.ones(3)),
            (float("nan"), float("nan")), (targets.contrast(1), targets.contrast(1))]  # fmt: skip
    for one, other in same:
        assert not differences(described(one), described(other))
    apart = [(adding(1), adding(2)), (np.ones(3), np.ones(3, "float32")), (1, 2), ("a", "b"),
             (np.ones((3, 1)), np.ones((1, 3))), ({"a": 1}, {"b": 1}), (None, 0),
             (targets.contrast(1), targets.contrast(2))]  # fmt: skip
    for one, other in apart:
        assert differences(described(one), described(other))
    ring: list = []
    ring.append(ring)
    json.dumps(described([ring, adding, np.float32(2), {1, 2}, object()]))  # whatever it is

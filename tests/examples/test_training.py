"""Training: it learns, goes on after SIGKILL as if nothing had been, and on several workers."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import train_small
from proofs import proof, wide
from small_scenes import write_small_scenes

from kerascam import GradCAM
from scene_classification.config import Config
from scene_classification.data.batches import decode_images
from scene_classification.data.folder import read_folder
from scene_classification.evaluation.prediction import predict
from scene_classification.networks.residual import residual_network
from scene_classification.run_folder import RunFolder, open_run
from scene_classification.training.build import build_network
from scene_classification.training.history import read_history
from scene_classification.training.stages import train

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_small_scenes(tmp_path_factory.mktemp("scenes"))


def start(run, data, *options, cluster=None):
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES)}
    if cluster is not None:
        environment["TF_CONFIG"] = json.dumps(cluster)
    command = [sys.executable, str(HERE / "train_small.py"), str(run), str(data), *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=environment, **pipes)


def finished(process):
    output, _ = process.communicate(timeout=300)
    return process.returncode, output


def history(run):
    return {int(row["epoch"]): row for row in read_history(RunFolder(run))["train"]}


def weights(run):
    return keras.models.load_model(run / "model.keras", compile=False).get_weights()


def test_it_learns_what_is_easy(data, tmp_path):
    config = Config(
        source="folder", data=str(data), size="tiny", image_size=32, batch_size=8, epochs=10
    )
    scenes = read_folder(data)
    network = train(config, scenes, RunFolder(tmp_path))
    answers = predict(network, scenes.test).argmax(1)
    assert (answers == scenes.test.labels).mean() == 1.0
    losses = [row["loss"] for row in history(tmp_path).values()]
    assert len(losses) == 10
    assert losses[-1] < losses[0] / 2
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(predict(loaded, scenes.test), predict(network, scenes.test))


def test_killed_in_mid_epoch_it_goes_on_as_if_nothing_had_been(data, tmp_path):
    # 42 training images and batches of 8: epochs of 5 steps. The process dies after step 3 of
    # epoch 1, backed up at step 2 of it. A second one, if any, dies after step 4 of epoch 2.
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train_small.main(str(whole), str(data), "dropout=0.1")
    for steps_to_live in wide(["3"], ["3", "7"]):
        status, output = finished(start(broken, data, "dropout=0.1", f"die={steps_to_live}"))
        assert status == -signal.SIGKILL, output
    assert not (broken / "model.keras").exists()
    train_small.main(str(broken), str(data))
    for ours, theirs in zip(weights(broken), weights(whole), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    for name in ("val_loss", "val_accuracy"):
        expected = {epoch: row[name] for epoch, row in history(whole).items()}
        found = {epoch: row[name] for epoch, row in history(broken).items()}
        assert found == pytest.approx(expected, rel=1e-4)


@proof
def test_two_workers_reach_the_loss_of_one(data, tmp_path):
    ports = free_ports(2)
    workers = [f"localhost:{port}" for port in ports]
    processes = [
        start(
            tmp_path / "two",
            data,
            "strategy=multiworker",
            cluster={"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}},
        )
        for index in range(2)
    ]
    processes.append(start(tmp_path / "one", data))
    try:
        for process in processes:
            status, output = finished(process)
            assert status == 0, output
    finally:
        for process in processes:  # one that waits for another that failed
            process.kill()
            process.communicate()
    one, two = history(tmp_path / "one"), history(tmp_path / "two")
    other = history(tmp_path / "two" / "worker1")
    for epoch in range(2):
        assert two[epoch]["loss"] == pytest.approx(one[epoch]["loss"], rel=0.02)
        assert two[epoch]["val_loss"] == pytest.approx(one[epoch]["val_loss"], rel=0.05)
        assert two[epoch] == pytest.approx(other[epoch], rel=1e-5)
    for ours, theirs in zip(weights(tmp_path / "two"), weights(tmp_path / "one"), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0.1, atol=0.02)
    written = {path.name for path in (tmp_path / "two" / "worker1").rglob("*.npz")}
    assert written == set()  # the first worker keeps the state of all


@proof
def test_two_replicas_reach_the_loss_of_one_and_grad_cam_is_right_on_their_network(data, tmp_path):
    # As in the test above, rounding alone sets the two apart; AdamW's first steps enlarge it.
    mirrored = start(tmp_path / "two", data, "strategy=mirrored", "processors=2")
    status, output = finished(mirrored)
    assert status == 0, output
    assert "replicas: 2" in output
    train_small.main(str(tmp_path / "one"), str(data))
    one, two = history(tmp_path / "one"), history(tmp_path / "two")
    assert one.keys() == two.keys() == {0, 1}
    for epoch in range(2):
        assert two[epoch]["loss"] == pytest.approx(one[epoch]["loss"], rel=0.02)
        assert two[epoch]["val_loss"] == pytest.approx(one[epoch]["val_loss"], rel=0.05)
    network = keras.models.load_model(tmp_path / "two" / "model.keras", compile=False)
    images = decode_images(read_folder(data).test, 32).astype(np.float32)
    found = GradCAM(network)(images, 1)
    assert found.layer == "stage4_block1_out"
    # Behind the mean over the grid and one dense layer, Grad-CAM is CAM: Σ_k w_k A_k over the size.
    features = keras.Model(network.input, network.get_layer(found.layer).output)(images).numpy()
    (kernel, _), cells = network.get_layer("scores").get_weights(), features[0, ..., 0].size
    expected = np.maximum(features @ kernel[:, 1], 0) / cells
    np.testing.assert_allclose(np.asarray(found.maps), expected, rtol=1e-4, atol=1e-7)
    assert expected.max() > 0


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("localhost", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@proof
def test_training_stops_when_nothing_gets_better(data, tmp_path):
    config = Config(
        source="folder",
        data=str(data),
        size="tiny",
        image_size=32,
        batch_size=8,
        epochs=30,
        learning_rate=0.0,
        patience=2,
    )
    train(config, read_folder(data), RunFolder(tmp_path))
    assert len(history(tmp_path)) == 3
    before = weights(tmp_path)
    (tmp_path / "model.keras").unlink()
    train(config, read_folder(data), RunFolder(tmp_path))  # it stays stopped
    assert len(history(tmp_path)) == 3
    for ours, theirs in zip(weights(tmp_path), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@proof
def test_a_backbone_is_frozen_while_its_head_is_trained(data, tmp_path):
    saved = tmp_path / "saved.keras"
    residual_network("tiny", input_shape=(32, 32, 3)).save(saved)
    config = Config(
        source="folder",
        data=str(data),
        backbone=str(saved),
        image_size=32,
        batch_size=8,
        head_epochs=2,
        epochs=1,
    )
    run = RunFolder(tmp_path / "run")
    tuned = train(config, read_folder(data), run)
    head = build_network(config, 3)
    head.load_weights(run.best_weights("head"))
    untouched = keras.models.load_model(saved).get_weights()[:-2]
    for ours, theirs in zip(head.get_layer("backbone").get_weights(), untouched, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert np.abs(head.get_layer("scores").get_weights()[1]).max() > 0
    moved = [
        np.abs(ours - theirs).max()
        for ours, theirs in zip(tuned.get_layer("backbone").get_weights(), untouched, strict=True)
    ]
    assert max(moved) > 1e-3
    assert [len(lines) for lines in read_history(run).values()] == [2, 1]


def test_a_run_keeps_its_settings(tmp_path):
    run, config = open_run(tmp_path, {"epochs": 3, "size": "tiny"})
    assert config == Config(epochs=3, size="tiny")
    assert open_run(tmp_path, {})[1] == config
    assert open_run(tmp_path, {"epochs": 4})[1].epochs == 4
    run.state("train").touch()
    with pytest.raises(ValueError, match=r"was trained with epochs=4; leave that setting out"):
        open_run(tmp_path, {"epochs": 5})
    assert open_run(tmp_path, {"data": "elsewhere"})[1].data == "elsewhere"

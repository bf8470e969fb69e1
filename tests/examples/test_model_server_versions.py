"""Versions: loading, warm-up, a new one in the place of the old, and one that is broken."""

import json
import shutil
import threading

import numpy as np
import pytest
import tensorflow as tf
from served_model import NAME, export, predict, serving, small_model, some_images, states, until
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from scene_classification.serving import versions as versions_module
from scene_classification.serving.errors import RequestError
from scene_classification.serving.servable import Servable
from scene_classification.serving.version_folders import newest_version
from scene_classification.serving.versions import Versions

IMAGES = some_images(2)
MODEL = f"/v1/models/{NAME}"


@pytest.fixture(scope="module")
def models():
    return {seed: small_model(seed) for seed in (1, 2)}


@pytest.fixture(scope="module")
def exported(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return {seed: export(model, folder / str(seed)) for seed, model in models.items()}


def put(exported, base, number):
    """Copy a version beside, then rename it."""
    shutil.copytree(exported, base / ".copying")
    (base / ".copying").rename(base / str(number))
    return base / str(number)


def answers(client, path=f"{MODEL}:predict"):
    return np.array(predict(client, {"instances": IMAGES.tolist()}, path).json()["predictions"])


def same(answer, model):
    return np.allclose(answer, np.asarray(model(IMAGES)), atol=1e-6)


def write_warm_up(version, *logs):
    file = version / "assets.extra" / "tf_serving_warmup_requests"
    file.parent.mkdir()
    with tf.io.TFRecordWriter(str(file)) as writer:
        for log in logs:
            writer.write(log.SerializeToString())


def warm_up_log(signature="serving_default", **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = NAME, signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )


def test_the_highest_number_is_served_and_nothing_else_is_looked_at(exported, models, tmp_path):
    put(exported[1], tmp_path, 9)
    put(exported[2], tmp_path, 10)
    (tmp_path / "11").mkdir()
    (tmp_path / "latest").mkdir()
    (tmp_path / "12").write_text("no folder")
    put(exported[1], tmp_path, "13x")
    put(exported[1], tmp_path, "-14")
    with serving(tmp_path) as client:
        assert states(client) == {10: "AVAILABLE"}
        assert same(answers(client), models[2])


def test_leading_zeros_are_those_of_a_number(exported, tmp_path):
    put(exported[1], tmp_path, "00000123")
    assert newest_version(tmp_path) == (123, tmp_path / "00000123")
    assert newest_version(tmp_path / "missing") is None


def test_a_new_version_takes_over_and_the_old_one_ends(exported, models, tmp_path):
    put(exported[1], tmp_path, 1)
    with serving(tmp_path) as client:
        assert same(answers(client), models[1])
        put(exported[2], tmp_path, 2)
        until(lambda: states(client) == {2: "AVAILABLE", 1: "END"})
        assert same(answers(client), models[2])
        assert same(answers(client, f"{MODEL}/versions/2:predict"), models[2])
        gone = predict(client, {"instances": IMAGES.tolist()}, f"{MODEL}/versions/1:predict")
        assert gone.status_code == 404
        assert gone.json() == {"error": f"Servable not found for request: Specific({NAME}, 1)"}
        numbers = [status["version"] for status in client.get(MODEL).json()["model_version_status"]]
        assert numbers == ["2", "1"]


def test_when_the_highest_is_removed_the_one_below_comes_back(exported, models, tmp_path):
    put(exported[1], tmp_path, 1)
    put(exported[2], tmp_path, 2)
    with serving(tmp_path) as client:
        assert same(answers(client), models[2])
        shutil.rmtree(tmp_path / "2")
        until(lambda: states(client) == {1: "AVAILABLE", 2: "END"})
        assert same(answers(client), models[1])
        put(exported[2], tmp_path, 2)
        until(lambda: states(client) == {2: "AVAILABLE", 1: "END"})
        assert same(answers(client), models[2])


def test_a_version_comes_back_while_a_request_has_it_from_before(exported, tmp_path):
    loaded = []

    def load(path):
        loaded.append(Servable(path, 30))
        return loaded[-1]

    put(exported[1], tmp_path, 1)
    versions = Versions(tmp_path, NAME, load, 0.01)
    versions.start()
    try:
        until(lambda: states_of(versions) == {"1": "AVAILABLE"})
        with versions.lease() as (_, old):
            put(exported[2], tmp_path, 2)
            until(lambda: states_of(versions) == {"2": "AVAILABLE", "1": "UNLOADING"})
            shutil.rmtree(tmp_path / "2")
            until(lambda: states_of(versions) == {"1": "AVAILABLE", "2": "END"})
            old.run("serving_default", {"image": IMAGES})
        assert loaded[0] is old
        with pytest.raises(RuntimeError, match="closed"):
            old.run("serving_default", {"image": IMAGES})
        with versions.lease() as (number, again):
            assert (number, again) == (1, loaded[2])
            again.run("serving_default", {"image": IMAGES})
        assert states_of(versions) == {"1": "AVAILABLE", "2": "END"}
    finally:
        versions.close()


def test_what_is_served_outlives_its_folder(exported, models, tmp_path):
    put(exported[1], tmp_path / "base", 1)
    with serving(tmp_path / "base") as client:
        (tmp_path / "base").rename(tmp_path / "away")
        assert same(answers(client), models[1])
        (tmp_path / "away").rename(tmp_path / "base")
        shutil.rmtree(tmp_path / "base" / "1")
        put(exported[2], tmp_path / "base", 2)
        until(lambda: states(client).get(2) == "AVAILABLE")
        assert same(answers(client), models[2])


def test_a_broken_version_is_told_of_and_the_old_one_goes_on(exported, models, tmp_path, caplog):
    put(exported[1], tmp_path, 1)
    with serving(tmp_path) as client:
        broken = tmp_path / "2"
        broken.mkdir()
        (broken / "saved_model.pb").write_bytes(b"no model")
        until(lambda: states(client).get(2) == "END")
        status = client.get(f"{MODEL}/versions/2").json()["model_version_status"][0]["status"]
        assert status["error_code"] != "OK"
        assert "saved_model.pb" in status["error_message"]
        assert same(answers(client), models[1])
        assert "cannot load version 2 of 'scenes'" in caplog.text
        # Mended, it is loaded: a folder that was being copied is not lost.
        shutil.copytree(exported[2], broken, dirs_exist_ok=True)
        until(lambda: states(client) == {2: "AVAILABLE", 1: "END"})
        assert same(answers(client), models[2])


def test_warm_up_requests_run_before_the_version_is_available(exported, tmp_path):
    version = put(exported[1], tmp_path, 1)
    png = tf.io.encode_png(np.zeros((2, 2, 3), np.uint8)).numpy()
    write_warm_up(
        version,
        warm_up_log(image=IMAGES),
        warm_up_log("explain_bytes", image_bytes=[png], class_index=np.int32([0])),
    )
    seen = []

    class Watched(Servable):
        def run(self, name, inputs):
            outputs = super().run(name, inputs)
            seen.append((name, {key: len(value) for key, value in outputs.items()}))
            return outputs

    def load(path):
        assert versions.statuses()[0]["state"] == "LOADING"
        return Watched(path, 30)

    versions = Versions(tmp_path, NAME, load, 0.01)
    versions.start()
    until(lambda: states_of(versions) == {"1": "AVAILABLE"})
    versions.close()
    assert seen == [
        ("serving_default", {"probabilities": 2}),
        ("explain_bytes", dict.fromkeys(seen[1][1], 1)),
    ]
    assert states_of(versions) == {"1": "END"}


@pytest.mark.parametrize(
    ("logs", "message"),
    [
        ([warm_up_log(image=IMAGES[:, :4])], "shape"),
        ([warm_up_log("other", image=IMAGES)], "'other' not found in signature def"),
        ([warm_up_log(picture=IMAGES)], "'serving_default' takes ['image'], and not ['picture']"),
        ([prediction_log_pb2.PredictionLog()], "this server runs predict_log alone"),
        ([warm_up_log(image=IMAGES)] * 1001, "holds more than 1000 requests"),
    ],
)
def test_a_version_whose_warm_up_fails_is_not_served(exported, tmp_path, logs, message):
    version = put(exported[1], tmp_path, 1)
    write_warm_up(version, *logs)
    with serving(tmp_path, wait=False) as client:
        until(lambda: states(client).get(1) == "END")
        status = client.get(MODEL).json()["model_version_status"][0]["status"]
        assert message in status["error_message"]


def test_a_damaged_warm_up_file_is_not_served(exported, tmp_path):
    version = put(exported[1], tmp_path, 1)
    write_warm_up(version, warm_up_log(image=IMAGES))
    file = version / "assets.extra" / "tf_serving_warmup_requests"
    file.write_bytes(file.read_bytes()[:-3])
    with serving(tmp_path, wait=False) as client:
        until(lambda: states(client).get(1) == "END")
        status = client.get(MODEL).json()["model_version_status"][0]["status"]
        assert status["error_code"] == "DATA_LOSS"


class Held:
    """Loads when it is let; remembers whether the servable was closed while a run was in it."""

    def __init__(self, monkeypatch):
        self.load_now = threading.Event()
        self.loading = threading.Event()

        class Gate(Servable):
            def __init__(gate, path, run_seconds):
                self.loading.set()
                assert self.load_now.wait(60)
                super().__init__(path, run_seconds)

        monkeypatch.setattr("scene_classification.serving.server.Servable", Gate)


def test_a_version_that_loads_is_not_served_yet(exported, models, tmp_path, monkeypatch):
    held = Held(monkeypatch)
    put(exported[1], tmp_path, 1)
    with serving(tmp_path, wait=False) as client:
        until(held.loading.is_set)
        assert states(client) == {1: "LOADING"}
        answer = predict(client, {"instances": IMAGES.tolist()})
        assert answer.status_code == 404
        assert answer.json() == {"error": f"Servable not found for request: Latest({NAME})"}
        assert client.get(f"{MODEL}/metadata").status_code == 404
        held.load_now.set()
        until(lambda: states(client) == {1: "AVAILABLE"})
        assert same(answers(client), models[1])


def test_an_empty_folder_is_waited_on(exported, models, tmp_path):
    with serving(tmp_path, wait=False) as client:
        missing = until(lambda: client.get(MODEL))
        assert missing.status_code == 404
        assert json.loads(missing.text) == {"error": f"Could not find any versions of model {NAME}"}
        put(exported[1], tmp_path, 1)
        until(lambda: states(client) == {1: "AVAILABLE"})
        assert same(answers(client), models[1])


def test_the_old_version_lives_until_its_last_request_is_done(exported, tmp_path):
    put(exported[1], tmp_path, 1)
    versions = Versions(tmp_path, NAME, lambda path: Servable(path, 30), 0.01)
    versions.start()
    try:
        until(lambda: states_of(versions) == {"1": "AVAILABLE"})
        with versions.lease() as (number, old):
            assert number == 1
            put(exported[2], tmp_path, 2)
            until(lambda: states_of(versions) == {"2": "AVAILABLE", "1": "UNLOADING"})
            with versions.lease() as (number, _):
                assert number == 2
            rows = old.run("serving_default", {"image": IMAGES})["probabilities"]
            assert rows.shape == (2, 3)
        assert states_of(versions) == {"2": "AVAILABLE", "1": "END"}
        with pytest.raises(RuntimeError, match="closed"):
            old.run("serving_default", {"image": IMAGES})
    finally:
        versions.close()


def test_a_look_that_fails_is_not_the_last(exported, tmp_path, monkeypatch, caplog):
    looks = []

    def newest(base):
        looks.append(base)
        if len(looks) == 1:
            raise MemoryError("for once")
        return newest_version(base)

    monkeypatch.setattr(versions_module, "newest_version", newest)
    put(exported[1], tmp_path, 1)
    with serving(tmp_path) as client:
        assert states(client) == {1: "AVAILABLE"}
    assert "could not look for versions" in caplog.text


def states_of(versions):
    try:
        return {status["version"]: status["state"] for status in versions.statuses()}
    except RequestError:  # nothing is known yet
        return {}

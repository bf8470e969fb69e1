"""Versions: loading, warm-up, a new one in the place of the old, and one that is broken."""

import re
import shutil
import socket
import threading

import httpx
import numpy as np
import pytest
import tensorflow as tf
from served_model import (
    NAME,
    export,
    is_open,
    predict,
    serving,
    small_model,
    some_images,
    states,
    until,
)
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from kerascam.serving.server import versions as versions_module
from kerascam.serving.server.limits import CannotServeError, RequestError
from kerascam.serving.server.servable import Servable
from kerascam.serving.server.server import ModelServer
from kerascam.serving.server.versions import Versions, newest_version, version_folders

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
    assert newest_version(tmp_path) is None
    assert newest_version(tmp_path / "missing") is None
    put(exported[1], tmp_path, "00000123")
    put(exported[1], tmp_path, 2**63)
    put(exported[1], tmp_path, "0" * 20 + str(2**63))
    assert newest_version(tmp_path) == (123, tmp_path / "00000123")


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


def test_what_is_served_outlives_a_folder_that_is_away(exported, models, tmp_path, caplog):
    put(exported[1], tmp_path / "base", 1)
    with serving(tmp_path / "base") as client:
        (tmp_path / "base").rename(tmp_path / "away")
        until(lambda: "could not look for versions" in caplog.text)
        assert same(answers(client), models[1])
        (tmp_path / "away").rename(tmp_path / "base")
        put(exported[2], tmp_path / "base", 2)
        until(lambda: states(client) == {2: "AVAILABLE", 1: "END"})
        assert same(answers(client), models[2])


def test_without_a_version_that_is_left_none_is_served(exported, models, tmp_path):
    put(exported[1], tmp_path, 1)
    with serving(tmp_path) as client:
        shutil.rmtree(tmp_path / "1")
        until(lambda: states(client) == {1: "END"})
        gone = predict(client, {"instances": IMAGES.tolist()})
        assert gone.status_code == 404
        assert gone.json() == {"error": f"Servable not found for request: Latest({NAME})"}
        assert client.get(f"{MODEL}/metadata").status_code == 404
        put(exported[2], tmp_path, 2)
        until(lambda: states(client) == {2: "AVAILABLE", 1: "END"})
        assert same(answers(client), models[2])


def break_version(folder):
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"no model")
    return folder


def test_a_broken_version_is_told_of_and_the_old_one_goes_on(exported, models, tmp_path, caplog):
    put(exported[1], tmp_path, 1)
    with serving(tmp_path, load_tries=2) as client:
        broken = break_version(tmp_path / "2")
        until(lambda: states(client) == {1: "AVAILABLE", 2: "END"})
        status = client.get(f"{MODEL}/versions/2").json()["model_version_status"][0]["status"]
        assert status["error_code"] != "OK"
        assert "saved_model.pb" in status["error_message"]
        assert same(answers(client), models[1])
        assert re.findall(r"cannot load version 2 of 'scenes', try (. of .)", caplog.text) == [
            "1 of 2",
            "2 of 2",
        ]
        # Mended, it is loaded: a folder that was being copied is not lost.
        shutil.copytree(exported[2], broken, dirs_exist_ok=True)
        until(lambda: states(client) == {2: "AVAILABLE", 1: "END"})
        assert same(answers(client), models[2])


def test_a_version_is_loading_until_its_tries_are_used_up(exported, tmp_path):
    tried = []

    def load(path):
        tried.append(path.name)
        if path.name == "2" and len(tried) < 5:
            raise ValueError("not yet")
        return Servable(path, 30)

    versions = Versions(tmp_path, NAME, load, 60, load_tries=3)
    put(exported[1], tmp_path, 1)
    versions.look()
    put(exported[2], tmp_path, 2)
    versions.look()
    versions.look()
    assert states_of(versions) == {"2": "LOADING", "1": "AVAILABLE"}
    assert versions.failure() is None
    versions.look()
    assert states_of(versions) == {"2": "END", "1": "AVAILABLE"}
    assert versions.failure() == "version 2 of 'scenes': UNKNOWN: not yet"
    versions.look()
    assert tried == ["1", "2", "2", "2"]
    (tmp_path / "2" / "mended").touch()
    versions.look()
    assert states_of(versions) == {"2": "AVAILABLE", "1": "END"}
    assert versions.failure() is None


def test_a_version_that_goes_before_it_could_be_loaded_is_not_tried_again(exported, tmp_path):
    versions = Versions(tmp_path, NAME, lambda path: Servable(path, 30), 60, load_tries=3)
    put(exported[1], tmp_path, 1)
    break_version(tmp_path / "2")
    versions.look()
    assert states_of(versions) == {"2": "LOADING"}
    shutil.rmtree(tmp_path / "2")
    versions.look()
    assert states_of(versions) == {"2": "END", "1": "AVAILABLE"}
    assert versions.statuses(2)[0]["status"]["error_code"] != "OK"


def test_a_server_whose_first_version_is_broken_does_not_begin(exported, tmp_path):
    """Nor does it fall back on a lower one; as TensorFlow Serving, which ends with status 255."""
    put(exported[1], tmp_path, 1)
    break_version(tmp_path / "2")
    server = ModelServer(tmp_path, NAME, poll_seconds=0.01, load_tries=2)
    with pytest.raises(CannotServeError, match="cannot load version 2 of 'scenes': .*saved_model"):
        server.run()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address_of(server))


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
    versions = looked_once(tmp_path)
    status = versions.statuses()[0]
    assert status["state"] == "END"
    assert message in status["status"]["error_message"]


def test_a_damaged_warm_up_file_is_not_served(exported, tmp_path):
    version = put(exported[1], tmp_path, 1)
    write_warm_up(version, warm_up_log(image=IMAGES))
    file = version / "assets.extra" / "tf_serving_warmup_requests"
    file.write_bytes(file.read_bytes()[:-3])
    status = looked_once(tmp_path).statuses()[0]
    assert (status["state"], status["status"]["error_code"]) == ("END", "DATA_LOSS")


def looked_once(base):
    versions = Versions(base, NAME, lambda path: Servable(path, 30), 60)
    versions.look()
    return versions


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

        monkeypatch.setattr("kerascam.serving.server.server.Servable", Gate)


def address_of(server):
    host, port = server.url.removeprefix("http://").split(":")
    return host, int(port)


def test_no_port_is_open_before_the_first_version_is_loaded(
    exported, models, tmp_path, monkeypatch
):
    held = Held(monkeypatch)
    with serving(tmp_path, wait=False) as client:  # an empty folder is waited on
        with pytest.raises(httpx.ConnectError):
            client.get(MODEL)
        put(exported[1], tmp_path, 1)
        until(held.loading.is_set)
        with pytest.raises(httpx.ConnectError):
            client.get(MODEL)
        held.load_now.set()
        until(lambda: is_open(client))
        assert states(client) == {1: "AVAILABLE"}
        assert same(answers(client), models[1])


def test_a_version_that_loads_is_not_served_yet(exported, models, tmp_path, monkeypatch):
    put(exported[1], tmp_path, 1)
    held = Held(monkeypatch)
    held.load_now.set()
    with serving(tmp_path) as client:
        held.load_now.clear()
        put(exported[2], tmp_path, 2)
        until(lambda: states(client) == {2: "LOADING", 1: "AVAILABLE"})
        assert same(answers(client), models[1])
        other = predict(client, {"instances": IMAGES.tolist()}, f"{MODEL}/versions/2:predict")
        assert other.status_code == 404
        held.load_now.set()
        until(lambda: states(client) == {2: "AVAILABLE", 1: "END"})
        assert same(answers(client), models[2])


def test_a_server_that_waits_for_a_version_can_be_stopped(tmp_path):
    server = ModelServer(tmp_path, NAME, poll_seconds=0.01)
    opened = []
    thread = threading.Thread(target=server.run, args=[lambda: opened.append(True)])
    thread.start()
    server.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert not opened


def test_a_port_that_another_server_opened_meanwhile_is_named(exported, tmp_path):
    put(exported[1], tmp_path, 1)
    late = ModelServer(tmp_path, NAME, poll_seconds=0.01)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(address_of(late))
        other.listen()
        with pytest.raises(ValueError, match=f"port={address_of(late)[1]}: .*; give others"):
            late.run()


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

    def folders(base):
        looks.append(base)
        if len(looks) == 1:
            raise MemoryError("for once")
        return version_folders(base)

    monkeypatch.setattr(versions_module, "version_folders", folders)
    put(exported[1], tmp_path, 1)
    with serving(tmp_path) as client:
        assert states(client) == {1: "AVAILABLE"}
    assert "could not look for versions" in caplog.text


def states_of(versions):
    try:
        return {status["version"]: status["state"] for status in versions.statuses()}
    except RequestError:  # nothing is known yet
        return {}

"""What a client does when a server refuses, fails, is late, or is replaced meanwhile."""

import pickle
import socket
import subprocess
import sys
import threading

import grpc
import jaxtyping
import keras
import numpy as np
import pytest
from keras import layers
from model_servers import NAME, LibraryModel, grpc_server, rest_server

import kerascam
from kerascam.serving import Client, ServerUnavailableError, ServingError
from kerascam.signatures import EXPLAIN, MANIFEST, PREDICT

IMAGES = np.random.default_rng(0).random((4, 8, 10, 3)).astype(np.float32)


def explainer(labels, seed=0, size=(8, 10)):
    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.Input((*size, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, "softmax"),
        ]
    )
    return kerascam.GradCAM(network, labels=labels)


@pytest.fixture(scope="module")
def library():
    return explainer(["cat", "dog"])


@pytest.fixture(scope="module")
def model(library):
    return LibraryModel(library, IMAGES)


@pytest.fixture
def rest(model):
    with rest_server(model) as server:
        yield server


@pytest.fixture
def rpc(model):
    with grpc_server(model) as server:
        yield server


@pytest.fixture(params=[rest_server, grpc_server], ids=["REST", "gRPC"])
def serve(request):
    return request.param


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """The waits between tries, in order; none is waited."""
    listed = []
    monkeypatch.setattr("kerascam.serving.retry.sleep", listed.append)
    return listed


@pytest.fixture
def unused_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


@pytest.fixture
def unchecked():
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def says(status, content, **headers):
    """A fault over HTTP: an answer in place of the server's own."""

    def fault(handler):
        handler.say(status, content, **headers)
        return True

    return fault


def aborts(code, details):
    """A fault over gRPC."""
    return lambda context: context.abort(code, details)


def hang_up(handler):
    """Close the connection in the middle of an answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"outputs": {')
    handler.wfile.flush()
    handler.close_connection = True
    return True


def known(client):
    """Let the client learn the manifest, so that the next fault meets the question itself."""
    client.manifest()
    return client


# ------------------------------------------------------------------------------------ tried again


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(rest, library, waits, status):
    with known(Client(rest.url, NAME)) as client:
        rest.faults.extend([says(status, {"error": "busy"}), says(status, b"")])
        found = client.explain(IMAGES)
    np.testing.assert_allclose(found.heatmaps, library(IMAGES).heatmaps, atol=1e-6)
    assert rest.signatures() == [MANIFEST, EXPLAIN]
    assert 0.1 <= waits[0] <= 0.2 <= waits[1] <= 0.3 and len(waits) == 2


@pytest.mark.parametrize("name", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
def test_a_busy_server_is_asked_again_over_grpc(rpc, library, waits, name):
    busy = aborts(grpc.StatusCode[name], "busy")
    with known(Client(rpc.url, NAME)) as client:
        rpc.faults.extend([busy, busy])
        found = client.explain(IMAGES)
    np.testing.assert_allclose(found.heatmaps, library(IMAGES).heatmaps, atol=1e-6)
    assert len(waits) == 2


def test_waits_double_up_to_ten_seconds(rest, waits):
    rest.faults.extend([says(503, b"")] * 9)
    with (
        Client(rest.url, NAME, retries=8, backoff=0.5) as client,
        pytest.raises(ServerUnavailableError, match="in 9 tries"),
    ):
        client.manifest()
    least = [0.5, 1, 2, 4, 8, 10, 10, 10]
    assert all(low <= wait <= low + 0.5 for low, wait in zip(least, waits, strict=True))


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("3600", 60, 60),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("soon", 0.1, 0.2),
    ],
)
def test_a_server_may_say_how_long_to_wait(rest, waits, header, least, most):
    rest.faults.append(says(429, {"error": "slowly"}, Retry_After=header))
    with Client(rest.url, NAME) as client:
        client.manifest()
    assert len(waits) == 1 and least <= waits[0] <= most


def test_a_connection_lost_in_the_middle_is_tried_again(rest, library, waits):
    with known(Client(rest.url, NAME)) as client:
        rest.faults.append(hang_up)
        found = client.explain(IMAGES)
    np.testing.assert_allclose(found.heatmaps, library(IMAGES).heatmaps, atol=1e-6)
    assert len(waits) == 1


# ------------------------------------------------------------------------------ given up at last


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_nobody_listens(unused_port, waits, scheme):
    url = f"{scheme}://127.0.0.1:{unused_port}"
    message = (
        rf"model 'scene' at {url} gave no usable answer in 3 tries; the last: .*refused.*; "
        rf"check the url, and that the server runs"
    )
    with Client(url, NAME, retries=2) as client:
        with pytest.raises(ServerUnavailableError, match=message):
            client.explain(IMAGES)
        assert len(waits) == 2
        with pytest.raises(ServerUnavailableError):
            client.status()


def test_the_last_reason_is_told(rest):
    with known(Client(rest.url, NAME, retries=1)) as client:
        rest.faults.extend([says(502, b"no way"), says(503, {"error": "out of memory"})])
        with pytest.raises(ServerUnavailableError, match="2 tries; the last: 503 out of") as error:
            client.explain(IMAGES)
    assert error.value.code == 503 and error.value.reason == "503 out of memory"


def test_a_server_that_is_late(serve, model):
    over = threading.Event()

    def answer(signature, inputs):
        if signature != MANIFEST:
            over.wait(60)
        return model(signature, inputs)

    with serve(answer) as server, Client(server.url, NAME, timeout=0.5, retries=1) as client:
        try:
            with pytest.raises(ServerUnavailableError, match="2 tries.*raise timeout=, or lower"):
                client.explain(IMAGES)
        finally:
            over.set()


def test_a_server_that_drips_is_late_too(rest):
    over = threading.Event()

    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not over.wait(0.02):
            handler.wfile.write(b" ")
        return True

    with known(Client(rest.url, NAME, timeout=0.3, retries=0)) as client:
        rest.faults.append(drip)
        try:
            with pytest.raises(ServerUnavailableError, match="no answer in 0.3 seconds"):
                client.explain(IMAGES)
        finally:
            over.set()


def test_explaining_each_says_so_of_each_file(rest):
    with known(Client(rest.url, NAME, retries=0, batch_size=2, concurrency=1)) as client:
        rest.faults.append(says(503, {"error": "busy"}))
        found = [outcome for _, outcome in client.explain_each([b"a", b"b", b"c"])]
    assert [type(each) for each in found] == [ServerUnavailableError] * 2 + [ServingError]


# --------------------------------------------------------------------------------------- refused


def test_a_refusal_is_final(rest, waits):
    with known(Client(rest.url, NAME)) as client:
        rest.faults.append(says(400, {"error": "bad shape"}))
        with pytest.raises(
            ServingError, match=r"refused 'explain' of model.*: 400 bad sh"
        ) as error:
            client.explain(IMAGES)
        assert not isinstance(error.value, ServerUnavailableError)
        assert error.value.code == 400 and error.value.reason == "bad shape"
        again = pickle.loads(pickle.dumps(error.value))
        assert (str(again), again.code) == (str(error.value), 400)
        rest.faults.append(says(301, b"gone", Location="/elsewhere"))
        with pytest.raises(ServingError, match="301 gone"):
            client.explain(IMAGES)
    assert not waits


def test_a_class_that_the_server_does_not_know(serve, waits):
    nameless = LibraryModel(explainer(None), IMAGES)
    with (
        serve(nameless) as server,
        Client(server.url, NAME) as client,
        pytest.raises(ServingError, match="class_index must be below 2") as error,
    ):
        client.explain(IMAGES, 7)
    assert error.value.code in (400, "INVALID_ARGUMENT") and not waits


def test_a_model_that_is_not_there(serve, model):
    with (
        serve(model) as server,
        Client(server.url, "scenes") as client,
        pytest.raises(ServingError, match="'scenes'.*check the model's name, and") as error,
    ):
        client.explain(IMAGES)
    assert error.value.code in (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>Welcome</html>", "cannot be read.*it begins b'<html>"),
        (b'{"predictions": []}', 'it has no "outputs"'),
        (b"[1, 2]", 'it has no "outputs"'),
        (b'{"outputs": {"heatmap": 3}}', "its 'heatmap' is no list"),
        (b'{"outputs": {"heatmap": [[1], [1, 2]]}}', "rows of unlike lengths"),
        (b'{"outputs": {"overlay_bytes": ["abc"]}}', "holds no"),
        (b'{"outputs": {"heatmap": [[1]], "score": [1]}}', "gave no 'class_index' but heatmap"),
    ],
)
def test_an_answer_that_is_none(rest, body, message):
    with known(Client(rest.url, NAME)) as client:
        rest.faults.append(says(200, body))
        with pytest.raises(ServingError, match=message):
            client.explain(IMAGES)


def test_an_answer_to_another_number_of_images(serve, model):
    def answer(signature, inputs):
        found = model(signature, inputs)
        return found if signature == MANIFEST else found | {"score": found["score"][:3]}

    with (
        serve(answer) as server,
        Client(server.url, NAME) as client,
        pytest.raises(ServingError, match=r"gave 'score' of shape \(3,\) for 4 images"),
    ):
        client.explain(IMAGES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "has no 'method'; export the model again.*it begins 'hello'"),
        ('{"method": "grad_cam"}', "has no 'layer'"),
        ("null", "has no 'method'"),
        (
            '{"method": "future_cam", "layer": "", "labels": null, "notes": [], "signed": false, '
            '"scaled": true, "inputs": {}}',
            "'future_cam'; upgrade kerascam",
        ),
    ],
)
def test_a_manifest_that_is_none(serve, text, message):
    with (
        serve(lambda *_: {"manifest": np.array([text], object)}) as server,
        Client(server.url, NAME) as client,
        pytest.raises(ServingError, match=message),
    ):
        client.manifest()


# --------------------------------------------------------------------- another model in its place


class Replaced:
    """Serves one model after another: the next after so many explanations or predictions."""

    def __init__(self, *models, after=1):
        self.models, self.after, self.asked = models, after, 0

    def __call__(self, signature, inputs):
        place = min(self.asked // self.after, len(self.models) - 1)
        self.asked += signature in (EXPLAIN, PREDICT)
        return self.models[place](signature, inputs)


def test_a_replaced_model_is_asked_about_all_images(serve, library, model, waits):
    later = explainer(["dog", "cat"], seed=1)
    with (
        serve(Replaced(model, LibraryModel(later, IMAGES))) as server,
        Client(server.url, NAME, batch_size=2, concurrency=1, retries=0) as client,
    ):
        found = client.explain(IMAGES, "dog")
    expected = later(IMAGES, "dog")
    assert list(found.classes) == [0] * 4 and found.labels == ("dog", "cat")
    np.testing.assert_allclose(found.heatmaps, expected.heatmaps, atol=1e-6)
    assert np.abs(found.heatmaps - library(IMAGES, "dog").heatmaps).max() > 0.01
    assert server.signatures() == [MANIFEST, EXPLAIN, EXPLAIN, MANIFEST, EXPLAIN, EXPLAIN]
    assert not waits


def test_versions_that_differ_in_their_weights_alone(serve, library, model, waits):
    later = explainer(["cat", "dog"], seed=1)
    with (
        serve(Replaced(model, LibraryModel(later, IMAGES), after=4)) as server,
        Client(server.url, NAME, batch_size=1, concurrency=1, retries=0) as client,
    ):
        before = client.predict(IMAGES[:2])
        found = client.predict(IMAGES)  # two by the first model, then all by the second
        server.answer.asked = 2
        client.explain(IMAGES[:1])
        explained = client.explain(IMAGES)
    expected = later.model.predict_on_batch(IMAGES)
    older = library.model.predict_on_batch(IMAGES)
    assert np.abs(expected - older).max(-1).min() > 0.01
    np.testing.assert_allclose(before.probabilities, older[:2], atol=1e-6)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(explained.heatmaps, later(IMAGES).heatmaps, atol=1e-6)
    np.testing.assert_allclose(explained.all_probabilities, expected, atol=1e-6)
    assert not waits


def test_a_prediction_that_names_no_export_is_refused(serve, model):
    def answer(signature, inputs):
        found = model(signature, inputs)
        return {name: array for name, array in found.items() if name != "manifest_id"}

    with (
        serve(answer) as server,
        Client(server.url, NAME) as client,
        pytest.raises(ServingError, match="gave no 'manifest_id' but .*; export the model with"),
    ):
        client.predict(IMAGES)


def test_a_model_replaced_between_calls_is_noticed(serve, model, waits):
    later = explainer(["dog", "cat"], seed=1)
    with (
        serve(Replaced(model, LibraryModel(later, IMAGES))) as server,
        Client(server.url, NAME, retries=0) as client,
    ):
        assert client.explain(IMAGES).labels == ("cat", "dog")
        assert client.explain(IMAGES).labels == ("dog", "cat")
        assert client.explain(IMAGES).labels == ("dog", "cat")
    assert server.signatures().count(MANIFEST) == 2
    assert not waits


def test_what_does_not_fit_an_older_model_may_fit_the_served_one(serve, model):
    larger = np.ones((2, 12, 14, 3), np.float32)
    later = explainer(["cat", "dog"], size=(12, 14))
    with (
        serve(Replaced(model, LibraryModel(later, larger))) as server,
        Client(server.url, NAME) as client,
    ):
        client.explain(IMAGES)
        found = client.explain(larger)
        with pytest.raises(ValueError, match=r"shape \(batch, 12, 14, 3\); received"):
            client.explain(IMAGES)
    np.testing.assert_allclose(found.heatmaps, later(larger).heatmaps, atol=1e-6)


@pytest.mark.parametrize("question", ["explain", "predict"])
def test_models_that_keep_changing_are_given_up(serve, model, waits, question):
    other = LibraryModel(explainer(["dog", "cat"], seed=1), IMAGES)
    with (
        serve(Replaced(*[model, other] * 10)) as server,
        Client(server.url, NAME, batch_size=2, concurrency=1) as client,
        pytest.raises(ServingError, match="each of the 4 times.*differ.*give version=") as error,
    ):
        getattr(client, question)(IMAGES)
    assert server.signatures().count(MANIFEST) == 4 and not waits
    assert not isinstance(error.value, ServerUnavailableError)  # it is well


def test_each_file_has_one_model(serve, model):
    other = LibraryModel(explainer(["dog", "cat"], seed=1), IMAGES)

    def bytewise(served):
        def answer(signature, inputs):
            if "image_bytes" in inputs:
                images = IMAGES[[int(each) for each in inputs["image_bytes"]]]
                inputs = {"image": images, "class_index": inputs["class_index"]}
            return served(signature.removesuffix("_bytes"), inputs)

        return answer

    replaced = bytewise(Replaced(model, other, after=2))
    with serve(replaced) as server, Client(server.url, NAME, batch_size=1, concurrency=1) as client:
        found = [each for _, each in client.explain_each([b"0", b"1", b"2", b"3"], "dog")]
    assert [each.class_name(0) for each in found] == ["dog"] * 4
    assert [int(each.classes[0]) for each in found] == [1, 1, 0, 0]
    expected = other.explainer(IMAGES, "dog").heatmaps[2:]
    np.testing.assert_allclose(np.concatenate(found[2:]), expected, atol=1e-6)


# --------------------------------------------------------------------------------------- readiness


def test_waiting_until_a_model_is_loaded(serve, model, waits):
    states = iter([{}, {1: "LOADING"}, {1: "LOADING"}, {1: "AVAILABLE"}])
    with serve(model) as server, Client(server.url, NAME) as client:
        server.states = lambda: next(states)
        client.wait_until_ready(60)
    assert waits == [0.1, 0.2, 0.4]


def test_waiting_has_an_end(serve, model):
    with serve(model) as server, Client(server.url, NAME) as client:
        server.states = {1: "LOADING"}
        with pytest.raises(ServerUnavailableError, match=r"not ready in 0.01 sec.*LOADING.*log"):
            client.wait_until_ready(0.01)
        server.states = {}
        with pytest.raises(ServerUnavailableError, match="Could not find any versions"):
            client.wait_until_ready(0)


# ---------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:8501", "url must begin with one of http://.*received 'localhost:8501'"),
        ("ftp://localhost", "url must begin with one of"),
        *(
            (f"{scheme}://{host}", f"url must have a host.*port.*; received '{scheme}://.*: ")
            for scheme in ("http", "https", "grpc", "grpcs")
            for host in (
                "localhost:abc",
                "localhost:0",
                "localhost:99999",
                "a..b:8500",
                "999.1.1.1:8500",
                "-host:8500",
                "a host:8500",
                "host:8500/a b",
                "[::g]:8500",
                "[::1:8500",
                f"{'a' * 64}.example:8500",
            )
        ),
        ("htp://me:secret@localhost:abc", "give passwords by headers="),
        ("http://localhost:8501?key=secret", "give passwords by headers="),
        ("grpc://localhost", "a host and a port for gRPC, as in"),
        ("grpc://localhost:8500/v1", "a host and a port for gRPC"),
        ("http://localhost:8501/v1/models/scene", "must end before '/v1/models'"),
        ("http://me:secret@localhost:8501", "give passwords by headers="),
    ],
)
def test_a_url_that_is_none(url, message):
    with pytest.raises(ValueError, match=message) as error:
        Client(url, NAME)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"retries": -1}, "retries must be at least 0; received -1"),
        ({"batch_size": 0}, "batch_size must be at least 1; received 0"),
        ({"concurrency": 0}, "concurrency must be at least 1"),
        ({"timeout": 0}, "timeout must be positive and at most 86400 seconds; received 0"),
        ({"timeout": np.inf}, "timeout must be positive and at most 86400 seconds; received inf"),
        ({"timeout": np.nan}, "timeout must be positive.*received nan"),
        ({"timeout": 10**400}, "timeout must be positive and at most 86400 seconds"),
        ({"backoff": -1}, "backoff must be at least 0 and at most 86400 seconds; received -1"),
        ({"backoff": np.inf}, "backoff must be at least 0.*received inf"),
        ({"version": -1}, "version must be at least 0; received -1"),
        ({"version": 2**63}, "version must be at most 9223372036854775807; received 92"),
    ],
)
@pytest.mark.parametrize("url", ["http://localhost:8501", "grpc://localhost:8500"])
def test_numbers_out_of_range(url, arguments, message):
    with pytest.raises(ValueError, match=message):
        Client(url, NAME, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"timeout": None}, "timeout must be a number of seconds, not None"),
        ({"timeout": "3"}, "timeout must be a number of seconds, not '3'"),
        ({"timeout": True}, "timeout must be a number of seconds, not True"),
        ({"backoff": None}, "backoff must be a number of seconds, not None"),
        ({"retries": 1.5}, "retries must be a whole number, not 1.5"),
        ({"version": "1"}, "version must be a whole number, not '1'"),
        ({"headers": {"X-Key": 3}}, "headers must be .*'X-Key' is of type int: give both as str"),
        ({"headers": {3: "x"}}, "headers must be a dict of texts by name; the value of 3"),
        ({"headers": [("X-Key", "x")]}, "headers must be a dict of texts by name, not a list"),
        ({"url": None}, "url must be text, not None"),
        ({"model": 3}, "model must be text, not 3"),
    ],
)
@pytest.mark.parametrize("url", ["http://localhost:8501", "grpc://localhost:8500"])
def test_what_is_of_another_type(unchecked, url, arguments, message):
    with pytest.raises(TypeError, match=message):
        Client(**{"url": url, "model": NAME} | arguments)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("X-Key", "sécret", "values of printable ASCII .* of 'X-Key' has others: strip"),
        ("X-Key", "secret\n", "without blanks at their ends; that of 'X-Key'"),
        ("X-Key", "secret\r\nX-Other: 1", "values of printable ASCII"),
        ("X Key", "secret", "names of ASCII letters, digits, .*; received 'X Key'"),
        ("Schlüssel", "secret", "names of ASCII letters"),
        ("", "secret", "names of ASCII letters.*received ''"),
    ],
)
@pytest.mark.parametrize("url", ["http://localhost:8501", "grpc://localhost:8500"])
def test_headers_that_cannot_be_sent(url, name, value, message):
    with pytest.raises(ValueError, match=message) as error:
        Client(url, NAME, headers={name: value})
    assert "secret" not in str(error.value) and "sécret" not in str(error.value)


def test_grpc_has_fewer_names_of_headers():
    Client("http://localhost:8501", NAME, headers={"X-Key-Bin": "", "X!": "a  b"}).close()
    for name in ("X-Key-Bin", "X!"):
        with pytest.raises(ValueError, match="not ending in -bin, for gRPC; received"):
            Client("grpc://localhost:8500", NAME, headers={name: "x"})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://models", "http://models"),
        ("http://tf_serving:8501/", "http://tf_serving:8501"),
        ("https://127.0.0.1/vision/", "https://127.0.0.1/vision"),
        ("grpc://[::1]:8500", "grpc://[::1]:8500"),
        ("grpcs://Models.Müller.example:8500", "grpcs://models.xn--mller-kva.example:8500"),
    ],
)
def test_hosts_of_any_kind(url, shown):
    with Client(url, NAME) as client:
        assert repr(client) == f"Client(model 'scene' at {shown})"


# ----------------------------------------------------------------------------------------- closed


CLOSED = r"^Client\(model 'scene' at .*\) is closed; ask before close\(\), or make a new one$"


def test_a_closed_client_says_so(serve, model):
    with serve(model) as server:
        client = known(Client(server.url, NAME))
        client.close()
        client.close()
        for ask in (
            lambda: client.explain(IMAGES),
            lambda: client.predict(IMAGES),
            lambda: client.explain_each([b"a"]),
            client.manifest,
            client.status,
            client.wait_until_ready,
        ):
            with pytest.raises(RuntimeError, match=CLOSED) as error:
                ask()
            assert type(error.value) is RuntimeError


@pytest.mark.parametrize("files", [2, 20], ids=["all begun", "some not begun"])
def test_a_client_closed_amid_its_files_says_so(serve, model, files):
    """One answer is taken and another under way when the client is closed."""
    under_way, go_on = threading.Event(), threading.Event()

    def answer(signature, inputs):
        if signature == MANIFEST:
            return model(signature, inputs)
        if inputs["image_bytes"][0] == b"1":
            under_way.set()
            assert go_on.wait(60)
        asked = {"image": IMAGES[:1], "class_index": inputs["class_index"]}
        return model(EXPLAIN, asked)

    listed = [b"%d" % place for place in range(files)]
    with serve(answer) as server:
        client = Client(server.url, NAME, batch_size=1, concurrency=1)
        found = client.explain_each(listed)
        next(found)
        assert under_way.wait(60)
        closing = threading.Thread(target=client.close)
        closing.start()
        go_on.set()
        closing.join()
        if files == 2:
            assert next(found)[0] == b"1"  # it was waited for
            assert list(found) == []
        else:
            with pytest.raises(RuntimeError, match=CLOSED) as error:
                list(found)
            assert type(error.value) is RuntimeError
    assert len(server.signatures()) <= 4


def test_a_question_that_is_dropped_says_so(serve, model):
    under_way, go_on, errors = threading.Event(), threading.Event(), []

    def answer(signature, inputs):
        if signature != MANIFEST:
            under_way.set()
            assert go_on.wait(60)
        return model(signature, inputs)

    def ask():
        try:
            client.explain(IMAGES)
        except RuntimeError as error:
            errors.append(error)

    with serve(answer) as server:
        client = known(Client(server.url, NAME, batch_size=1, concurrency=1))
        asking = threading.Thread(target=ask)
        asking.start()
        assert under_way.wait(60)
        closing = threading.Thread(target=client.close)
        closing.start()
        while client._gate._open or not client._many._pool._shutdown:
            closing.join(0.001)
        go_on.set()
        closing.join()
        asking.join()
    assert [type(each) for each in errors] == [RuntimeError]
    assert server.signatures() == [MANIFEST, EXPLAIN]


def test_images_that_do_not_fit_are_not_sent(rest, unchecked):
    with Client(rest.url, NAME) as client:
        with pytest.raises(ValueError, match=r"add a batch axis with images\[None\]"):
            client.explain(IMAGES[0])
        with pytest.raises(ValueError, match="must be finite; image 0 holds NaN"):
            client.explain(IMAGES * np.nan)
        with pytest.raises(ValueError, match="did you mean 'dog'"):
            client.explain(IMAGES, "dogs")
        with pytest.raises(ValueError, match="classes must be from 0 to 1; received 2"):
            client.explain(IMAGES, 2)
    assert set(rest.signatures()) == {MANIFEST}


def test_a_package_that_is_missing():
    code = "import sys; sys.modules['httpx'] = None; import kerascam.serving"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "needs the package 'httpx'; pip install 'kerascam[serving]'" in done.stderr

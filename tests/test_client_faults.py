"""What a client does when a server refuses, fails, is late, or is replaced meanwhile."""

import pickle
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import keras
import numpy as np
import pytest
from keras import layers
from model_servers import NAME, LibraryModel, encoded, grpc_server, rest_server

import kerascam
from kerascam.serving import Client, ServerUnavailableError, ServingError
from kerascam.signatures import EXPLAIN, MANIFEST, PREDICT

IMAGES = np.random.default_rng(0).random((4, 8, 10, 3)).astype(np.float32)
PICTURE = encoded(np.zeros((2, 3, 3), np.uint8))


def explainer(class_names, seed=0, size=(8, 10)):
    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.Input((*size, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(len(class_names or "ab"), "softmax"),
        ]
    )
    return kerascam.GradCAM(network, class_names=class_names)


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
    monkeypatch.setattr("kerascam.serving.client.errors.sleep", listed.append)
    return listed


@pytest.fixture
def unused_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


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
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"[NaN, " + b"[" * 100_000, "nested too deeply"),
        (b'{"outputs": []}', 'it has no list "predictions"'),
        (b"[1, 2]", 'it has no list "predictions"'),
        (b'{"predictions": []}', "returned no 'manifest_id' but nothing"),
        (b'{"predictions": [{"heatmap": [1, [2]]}]}', "'heatmap' has rows of different lengths"),
        (b'{"predictions": [{"heatmap": 1}, {"heatmap": [2]}]}', "rows of different lengths"),
        (b'{"predictions": [{"heatmap": ["0.5"]}]}', "holds values that are not numbers"),
        (b'{"predictions": [{"heatmap": [null]}]}', "holds values that are not numbers"),
        (
            b'{"predictions": [{"heatmap": [0.5, true]}]}',
            "holds values that are not numbers",
        ),
        (b'{"predictions": [{"heatmap": [1e300]}]}', "too large for 32 bits"),
        (
            b'{"predictions": [{"class_index": 1.5}]}',
            "holds values that are not whole",
        ),
        (
            b'{"predictions": [{"class_index": 1%s}]}' % (b"0" * 30),
            "holds values that are not whole",
        ),
        (b'{"predictions": [{"class_index": 3000000000}]}', "numbers beyond 32 bits"),
        (
            b'{"predictions": [{"manifest_id": [[]]}]}',
            "holds values that are not text",
        ),
        (b'{"predictions": [{"overlay_bytes": "abc"}]}', "holds values that are not"),
        (b'{"predictions": [{"overlay_bytes": {"b64": "?"}}]}', "holds values that are not"),
        (b'{"predictions": [{"score": 1}, {"status": ""}]}', "not all have the same names"),
        (b'{"predictions": [{"score": 1}, 2]}', "returned no 'manifest_id'"),
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
        return {name: each[:3] for name, each in found.items()}

    with (
        serve(answer) as server,
        Client(server.url, NAME) as client,
        pytest.raises(ServingError, match=r"returned 'manifest_id' of shape \(3,\), not \(4\)"),
    ):
        client.explain(IMAGES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "has no 'method'; export the model again.*it begins 'hello'"),
        ('{"method": "grad_cam"}', "has no 'layer'"),
        ("null", "has no 'method'"),
        (
            '{"method": "future_cam", "layer": "", "class_names": null, "notes": [], '
            '"signed": false, "scaled": true, '
            '"inputs": {"image": {"shape": [null, 3], "dtype": "float32"}}}',
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
    assert list(found.classes) == [0] * 4 and found.class_names == ("dog", "cat")
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
        server.answer.asked = 1
        client.explain(IMAGES[:1])
        explained = client.explain(IMAGES)
    expected = later.model.predict_on_batch(IMAGES)
    older = library.model.predict_on_batch(IMAGES)
    assert np.abs(expected - older).max(-1).min() > 0.01
    np.testing.assert_allclose(before.probabilities, older[:2], atol=1e-6)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(explained.heatmaps, later(IMAGES).heatmaps, atol=1e-6)
    np.testing.assert_allclose(explained.predictions, expected, atol=1e-6)
    assert not waits


def test_a_prediction_that_names_no_export_is_refused(serve, model):
    def answer(signature, inputs):
        found = model(signature, inputs)
        return {name: array for name, array in found.items() if name != "manifest_id"}

    with (
        serve(answer) as server,
        Client(server.url, NAME) as client,
        pytest.raises(ServingError, match="returned no 'manifest_id' but .*; export the model"),
    ):
        client.predict(IMAGES)


def test_a_model_replaced_between_calls_is_noticed(serve, model, waits):
    later = explainer(["dog", "cat"], seed=1)
    with (
        serve(Replaced(model, LibraryModel(later, IMAGES))) as server,
        Client(server.url, NAME, retries=0) as client,
    ):
        assert client.explain(IMAGES).class_names == ("cat", "dog")
        assert client.explain(IMAGES).class_names == ("dog", "cat")
        assert client.explain(IMAGES).class_names == ("dog", "cat")
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


def test_what_fits_an_older_model_is_made_anew_for_the_served_one(serve, waits):
    older, later = explainer(["cat", "cow", "dog"]), explainer(["cat", "dog"])
    models = [LibraryModel(each, IMAGES) for each in (older, later)]
    with (
        serve(Replaced(*models)) as server,
        Client(server.url, NAME, retries=0) as client,
    ):
        assert list(client.explain(IMAGES, "dog").classes) == [2] * 4
        assert list(client.explain(IMAGES, "dog").classes) == [1] * 4  # there is no 2 any more
    assert not waits


def test_what_does_not_fit_the_served_model_any_more(serve, model):
    later = LibraryModel(explainer(["cat", "dog"], size=(12, 14)), np.ones((1, 12, 14, 3), "f4"))
    with serve(Replaced(model, later)) as server, Client(server.url, NAME) as client:
        client.predict(IMAGES)
        with pytest.raises(ValueError, match=r"shape \(batch, 12, 14, 3\); received"):
            client.predict(IMAGES)


@pytest.mark.parametrize("question", ["explain", "predict"])
def test_models_that_keep_changing_are_given_up(serve, model, waits, question):
    other = LibraryModel(explainer(["dog", "cat"], seed=1), IMAGES)
    with (
        serve(Replaced(*[model, other] * 10)) as server,
        Client(server.url, NAME, batch_size=2, concurrency=1) as client,
        pytest.raises(ServingError, match="in each of 4 tries.*differ.*give version=") as error,
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
                found = served(EXPLAIN, {"image": images, "class_index": inputs["class_index"]})
                return found | {"overlay_bytes": np.array([PICTURE] * len(images), object)}
            return served(signature, inputs)

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


def test_images_that_do_not_fit_are_not_sent(rest, unchecked):
    with Client(rest.url, NAME) as client:
        with pytest.raises(ValueError, match=r"or be one image of it"):
            client.explain(IMAGES[0, 1:])
        with pytest.raises(ValueError, match="must be finite; image 0 holds NaN"):
            client.explain(IMAGES * np.nan)
        with pytest.raises(ValueError, match="did you mean 'dog'"):
            client.explain(IMAGES, "dogs")
        with pytest.raises(ValueError, match="classes must be from 0 to 1; received 2"):
            client.explain(IMAGES, 2)
    assert set(rest.signatures()) == {MANIFEST}


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
        found = model(EXPLAIN, {"image": IMAGES[:1], "class_index": inputs["class_index"]})
        return found | {"overlay_bytes": np.array([PICTURE], object)}

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
    assert len(server.signatures()) == 3


def test_a_question_that_is_dropped_says_so(serve, model, monkeypatch):
    under_way, go_on, errors = threading.Event(), threading.Event(), []

    class Pool(ThreadPoolExecutor):
        """Lets the request under way end only when the others are dropped."""

        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(False, cancel_futures=cancel_futures)
            go_on.set()
            super().shutdown(wait)

    monkeypatch.setattr("kerascam.serving.client.questions.ThreadPoolExecutor", Pool)

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
        client.close()
        asking.join()
    assert [type(each) for each in errors] == [RuntimeError]
    assert re.search(CLOSED, str(errors[0]))
    assert server.signatures() == [MANIFEST, EXPLAIN]

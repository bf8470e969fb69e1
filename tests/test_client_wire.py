"""What a client bounds on the way, time and bytes; which proxies it asks; what it imports."""

import gzip
import json
import socket
import subprocess
import sys
import threading
import time

import httpcore
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from model_servers import NAME, LibraryModel, grpc_server, rest_server

import kerascam
from kerascam.serving import Client, ServerUnavailableError, ServingError
from kerascam.serving.client.connection import parse_place
from kerascam.serving.client.errors import TooLargeError
from kerascam.serving.client.http import DeadlineBackend, find_proxy, read_body
from kerascam.serving.client.rpc import read_outputs

IMAGES = np.random.default_rng(0).random((2, 6, 7, 3)).astype(np.float32)
SECONDS = 0.3  # of a client whose time runs out


@pytest.fixture(scope="module")
def explainer():
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((6, 7, 3)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, "softmax"),
        ]
    )
    return kerascam.GradCAM(network, class_names=("cat", "dog"))


@pytest.fixture(scope="module")
def model(explainer):
    return LibraryModel(explainer, IMAGES)


@pytest.fixture
def rest(model):
    with rest_server(model) as server:
        yield server


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """The waits between tries; none is waited."""
    listed = []
    monkeypatch.setattr("kerascam.serving.client.errors.sleep", listed.append)
    return listed


# ------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", id="head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", id="body"),
        pytest.param(b"HTTP/1.1 100 Continue\r\nX: ", id="before the head"),
        pytest.param(b"", id="status line"),
    ],
)
def test_a_server_that_drips(rest, head):
    """It never falls silent for as long as a timeout, and never ends."""
    over = threading.Event()

    def drip(handler):
        handler.wfile.write(head)
        while not over.wait(SECONDS / 10):
            handler.wfile.write(b"1")
        return True

    with Client(rest.url, NAME, timeout=SECONDS, retries=0) as client:
        client.manifest()
        rest.faults.append(drip)
        start = time.monotonic()
        try:
            with pytest.raises(ServerUnavailableError, match="no answer in 0.3 sec.*timeout="):
                client.predict(IMAGES)
        finally:
            over.set()
    assert time.monotonic() - start >= SECONDS


def test_a_server_that_does_not_read():
    """It takes the connection, and less of the request than the sockets' buffers hold."""
    answer = socket.create_server(("127.0.0.1", 0))
    with answer:
        stream = DeadlineBackend().connect_tcp(*answer.getsockname(), time.monotonic() + 60)
        with pytest.raises(httpcore.WriteTimeout):
            stream.write(bytes(2**26), time.monotonic() + SECONDS)
        with pytest.raises(httpcore.WriteTimeout, match="the deadline has passed"):
            stream.write(b"more", time.monotonic())
        with pytest.raises(httpcore.ReadTimeout, match="the deadline has passed"):
            stream.read(1, time.monotonic())
        stream.close()


def test_a_host_of_several_addresses(rest, monkeypatch):
    """One that does not answer takes no more than its share of the time."""
    shares = []

    class Backend(httpcore.SyncBackend):
        def connect_tcp(self, host, port, timeout=None, *more):
            shares.append(timeout)
            if host == "127.0.0.1":
                return super().connect_tcp(host, port, timeout, *more)
            raise httpcore.ConnectTimeout

    resolve = socket.getaddrinfo

    def getaddrinfo(host, *more, **options):
        return found if host == "models" else resolve(host, *more, **options)

    found = [(0, 0, 0, "", (host, 1)) for host in ("192.0.2.1", "192.0.2.2", "127.0.0.1")]
    monkeypatch.setattr("httpcore.SyncBackend", Backend)
    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    port = int(rest.url.rpartition(":")[2])
    DeadlineBackend().connect_tcp("models", port, time.monotonic() + 60).close()
    np.testing.assert_allclose(shares, [20, 30, 60], atol=5)
    with pytest.raises(httpcore.ConnectTimeout):
        found.pop()
        DeadlineBackend().connect_tcp("models", port, time.monotonic() + 60)


# ------------------------------------------------------------------------------------------ bytes


def answers(body, **headers):
    """A fault: a body that is sent as it is."""

    def fault(handler):
        handler.say(200, body, **headers)
        return True

    return fault


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(b" " * 5000, {}, id="as it is"),
        pytest.param(gzip.compress(b" " * 10**7)[:4000], {"Content_Encoding": "gzip"}, id="packed"),
        pytest.param(gzip.compress(b" " * 5000), {"Content_Encoding": "gzip"}, id="unpacked"),
    ],
)
def test_an_answer_that_is_too_large(rest, waits, body, headers):
    with Client(rest.url, NAME, max_answer_bytes=4000) as client:
        client.manifest()
        rest.faults.append(answers(body, **headers))
        with pytest.raises(
            ServingError, match=r"larger than 4000 bytes; raise max_answer_bytes=, or lower batch_s"
        ):
            client.predict(IMAGES)
    assert not waits


def test_a_bomb_is_not_unpacked():
    """A thousandth of what it holds is enough to refuse it."""
    bomb = gzip.compress(bytes(10**8))
    taken = []

    def parts():
        for start in range(0, len(bomb), 100):
            taken.append(100)
            yield bomb[start : start + 100]

    with pytest.raises(TooLargeError):
        read_body(parts(), "gzip", 100_000)
    assert sum(taken) < 500 < len(bomb) / 100


def test_an_answer_in_gzip_is_read(rest, model, explainer):
    plain = {}

    def packed(handler):
        say = handler.say
        handler.say = lambda status, content: say(
            status,
            gzip.compress(plain.setdefault("body", json.dumps(content).encode())),
            Content_Encoding="gzip",
        )
        return False

    with Client(rest.url, NAME) as client:
        expected = client.explain(IMAGES)
        rest.faults.append(packed)
        found = client.explain(IMAGES)
    np.testing.assert_array_equal(found.heatmaps, expected.heatmaps)
    assert plain["body"].startswith(b'{"predictions": ')


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (gzip.compress(b"{}")[:-1], "gzip", "its gzip data is cut off"),
        (b"{}", "gzip", "it is not gzip data"),
        (b"{}", "br", "encoded as 'br', which was not asked for"),
        (gzip.compress(gzip.compress(b"{}")), "gzip, gzip", "which was not asked for"),
    ],
    # gzip writes the time into its header: bytes in a test's name would differ between workers.
    ids=["cut off", "plain", "of another kind", "twice"],
)
def test_an_answer_that_cannot_be_unpacked(rest, body, encoding, message):
    with Client(rest.url, NAME) as client:
        rest.faults.append(answers(body, Content_Encoding=encoding))
        with pytest.raises(ServingError, match=message):
            client.predict(IMAGES)


def test_an_empty_refusal_may_be_called_gzip():
    assert read_body([], "gzip", 10) == b""


def test_an_answer_over_grpc_that_is_too_large(model, waits):
    with (
        grpc_server(model) as server,
        Client(server.url, NAME, max_answer_bytes=100) as client,
        pytest.raises(ServingError, match=r"larger than 100 bytes; raise max_answer_bytes="),
    ):
        client.predict(IMAGES)
    assert not waits


def proto(**fields):
    shape = fields.pop("shape", [1])
    made = tf.make_tensor_proto(np.zeros(0, np.float32))
    made.Clear()
    made.dtype = tf.dtypes.as_dtype(fields.pop("dtype", tf.float32)).as_datatype_enum
    for size in shape or ():
        made.tensor_shape.dim.add(size=size)
    made.tensor_shape.unknown_rank = shape is None
    for name, values in fields.items():
        if isinstance(values, bytes):
            setattr(made, name, values)
        else:
            getattr(made, name).extend(values)
    return made


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("score", {"dtype": tf.string, "string_val": [b"1"]}, "'score' holds no numbers"),
        ("score", {"dtype": tf.complex64}, "'score' holds no numbers"),
        ("score", {"shape": None, "float_val": [1]}, "'score' has an incomplete shape"),
        ("score", {"shape": [-1], "float_val": [1]}, "'score' has an incomplete shape"),
        ("score", {"shape": [1], "float_val": [1, 2]}, "'score' does not fit its shape"),
        ("score", {"shape": [2], "tensor_content": b"123"}, "'score' does not fit its shape"),
        (
            "class_index",
            {"float_val": [1]},
            "'class_index' holds no whole numbers",
        ),
        ("class_index", {"dtype": tf.int64, "int64_val": [10**15]}, "beyond 32 bits"),
        (
            "status",
            {"dtype": tf.string, "string_val": [b"\xff"]},
            "holds values that are not text",
        ),
        ("status", {"dtype": tf.string}, "'status' has fewer values than its shape"),
        ("status", {"dtype": tf.string, "tensor_content": b"ok"}, "does not fit its shape"),
        ("status", {"float_val": [1]}, "'status' holds no texts"),
    ],
)
def test_a_tensor_that_is_not_what_its_name_says(name, fields, message):
    with pytest.raises(ValueError, match=message):
        read_outputs({name: proto(**fields)}, 1000)


def test_a_tensor_may_claim_any_shape():
    huge = proto(shape=[10**6, 10**6], float_val=[0.5])  # one value for all
    with pytest.raises(TooLargeError):
        read_outputs({"map": huge}, 2**28)
    some = {f"map_{place}": proto(shape=[1000], float_val=[0.5]) for place in range(10)}
    assert read_outputs(some, 40_000)["map_9"].shape == (1000,)
    with pytest.raises(TooLargeError):
        read_outputs(some, 39_999)


@pytest.mark.parametrize("states", [{-1: "AVAILABLE"}, {1: "SPLENDID"}])
def test_a_status_that_is_none(rest, states):
    rest.states = states
    with Client(rest.url, NAME) as client:
        for ask in (client.status, client.wait_until_ready):
            with pytest.raises(ServingError, match="the answer to the status of .* cannot be read"):
                ask()


# ----------------------------------------------------------------------------------------- proxies

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "grpc_proxy")


@pytest.fixture
def proxies(monkeypatch):
    """The environment's proxies, of which there are none."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("serve", [rest_server, grpc_server], ids=["REST", "gRPC"])
def test_this_very_machine_is_asked_directly(proxies, model, explainer, serve):
    for name in PROXIES:
        proxies.setenv(name, "" if name == "no_proxy" else "http://127.0.0.1:1")
        proxies.setenv(name.upper(), "" if name == "no_proxy" else "http://127.0.0.1:1")
    with serve(model) as server, Client(server.url, NAME, retries=0) as client:
        found = client.explain(IMAGES)
    np.testing.assert_allclose(found.heatmaps, explainer(IMAGES).heatmaps, atol=1e-6)


@pytest.mark.parametrize(
    ("host", "directly"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9:8501", True),
        ("[::1]:8501", True),
        ("localhost:8501", True),
        ("LocalHost", True),
        ("models.localhost:8501", True),
        ("localhost.example:8501", False),
        ("notlocalhost", False),
        ("128.0.0.1", False),
        ("[2001:db8::1]:8501", False),
        ("models:8501", False),
        ("inside.example", True),
    ],
)
def test_who_is_asked_through_a_proxy(proxies, host, directly):
    proxies.setenv("ALL_PROXY", "proxy.example:3128")
    proxies.setenv("NO_PROXY", "inside.example")
    found = find_proxy(parse_place(f"http://{host}", NAME, None))
    assert found == (None if directly else "http://proxy.example:3128")


def test_a_proxy_is_asked_for_what_is_elsewhere(proxies, rest, explainer):
    proxies.setenv("http_proxy", rest.url)
    seen = []

    def forward(handler):
        seen.append((handler.path, handler.headers["Host"]))
        handler.path = handler.path.removeprefix("http://models.example:8501")
        return False

    rest.faults.extend([forward, forward])
    with Client("http://models.example:8501", NAME, retries=0) as client:
        found = client.explain(IMAGES)
    np.testing.assert_allclose(found.heatmaps, explainer(IMAGES).heatmaps, atol=1e-6)
    address = f"http://models.example:8501/v1/models/{NAME}:predict"
    assert seen == [(address, "models.example:8501")] * 2


@pytest.mark.parametrize("proxy", ["ftp://me:secret@proxy", "http://", "http://me:secret@[::1"])
def test_a_proxy_that_is_none(proxies, proxy):
    proxies.setenv("http_proxy", proxy)
    with pytest.raises(ValueError, match="names a proxy that cannot be used.*NO_PROXY") as error:
        Client("http://models.example:8501", NAME)
    assert "secret" not in str(error.value)


# ------------------------------------------------------------------------------------- TensorFlow

ASKING = """
import sys
import numpy as np
from kerascam.serving import Client
assert "tensorflow" not in sys.modules
with Client(sys.argv[1], "scene") as client:
    client.wait_until_ready()
    found = client.explain(np.full((2, 6, 7, 3), 0.5, np.float32), "dog")
    client.predict(np.full((2, 6, 7, 3), 0.5, np.float32))
print(found)
found.overlay(), found[0].plot(), found.save(sys.argv[2])
assert not {"tensorflow", "keras", "grpc"} & set(sys.modules)
"""


def test_asking_over_rest_and_looking_need_no_tensorflow(rest, tmp_path):
    asked = [sys.executable, "-c", ASKING, rest.url, str(tmp_path / "found")]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Grad-CAM at conv, 2 heatmaps:\n  dog, ")
    assert (tmp_path / "found" / "manifest.json").is_file()


def test_a_client_leaves_no_thread_behind(model):
    before = set(threading.enumerate())
    for serve in (rest_server, grpc_server):
        with serve(model) as server, Client(server.url, NAME) as client:
            client.explain(IMAGES)
    assert not [each for each in set(threading.enumerate()) - before if each.is_alive()]

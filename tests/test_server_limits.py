"""The development server's bounds: bytes, values, rows, seconds, places; each has its answer."""

import contextlib
import gc
import http.client
import json
import threading

import numpy as np
import orjson
import pytest
from served_model import (
    NAME,
    predict,
    serving,
    some_images,
    until,
)

from kerascam.serving.server.limits import Limits
from kerascam.serving.server.requests import read_question
from kerascam.serving.server.servable import Servable
from kerascam.serving.server.server import ModelServer

PATH = f"/v1/models/{NAME}:predict"
LIMITS = Limits(
    body_bytes=100_000,
    body_seconds=0.3,
    values=2000,
    rows=4,
    run_seconds=0.5,
    threads=1,
    waiting=1,
)
FOREVER = {"signature_name": "slow", "instances": [2**31 - 1]}


@pytest.fixture(scope="module")
def client(one_version):
    with serving(one_version, limits=LIMITS) as client:
        yield client


@contextlib.contextmanager
def connection(client):
    """A connection on which a request can be sent piece by piece."""
    url = client.base_url
    with contextlib.closing(http.client.HTTPConnection(url.host, url.port, timeout=60)) as opened:
        yield opened


def error_of(answer, status):
    assert answer.status_code == status, answer.text
    return answer.json()["error"]


def is_well(client):
    content = {"instances": some_images(1).tolist()}
    return predict(client, content).status_code == 200


def test_a_body_that_says_it_is_too_large_is_not_received(client):
    answer = client.post(PATH, content=b" " * 100_001)
    assert error_of(answer, 413).startswith("the body is larger than 100000 bytes")
    assert is_well(client)


def test_a_body_in_chunks_that_is_too_large_is_refused(client):
    answer = client.post(PATH, content=(b" " * 1000 for _ in range(200)))
    assert error_of(answer, 413).startswith("the body is larger than 100000 bytes")
    assert is_well(client)


def test_a_body_of_the_largest_size_is_received(client):
    content = json.dumps({"instances": some_images(1).tolist()}).encode()
    assert predict(client, content.ljust(100_000)).status_code == 200


def test_a_body_that_does_not_arrive_is_not_waited_for(client):
    with connection(client) as opened:
        opened.putrequest("POST", PATH)
        opened.putheader("Content-Length", "1000")
        opened.endheaders(b"{")
        answer = opened.getresponse()
        assert answer.status == 408
        assert answer.getheader("Connection") == "close"
        assert json.loads(answer.read()) == {"error": "the body did not arrive in 0.3 s"}
    assert is_well(client)


def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_its_place(client):
    for _ in range(4):  # there are places for two
        with connection(client) as opened:
            opened.putrequest("POST", PATH)
            opened.putheader("Content-Length", "1000")
            opened.endheaders(b"{")
    until(lambda: is_well(client))


@pytest.mark.parametrize(("value", "counts"), [("[]", 2), ("{}", 2), ("0", 1), ('""', 1)])
def test_values_are_counted_before_they_are_read(client, value, counts):
    """A body of a few bytes a value would be lists and objects of many times its size."""

    def error_with(count):
        content = f'{{"inputs": [{",".join([value] * count)}]}}'.encode()
        return predict(client, content)

    most = (2000 - 1) // counts  # beside the outer object and list, less the comma of the first
    assert error_with(most).status_code == 400  # read, and wrong otherwise
    assert error_of(error_with(most + 1), 413) == (
        "the body holds more than 2000 values; send fewer images in one request, or encoded files"
    )


def test_garbage_is_not_collected_while_a_body_is_read(client, monkeypatch):
    """With it, a million lists hold up everybody for a second and more."""
    on = []

    def read(*arguments):
        on.append(gc.isenabled())
        return read_question(*arguments)

    monkeypatch.setattr("kerascam.serving.server.app.read_question", read)
    assert is_well(client)
    assert predict(client, b"no JSON").status_code == 400
    assert on == [False, False]
    assert gc.isenabled()


def test_eight_images_as_numbers_are_within_the_default_bounds():
    limits = Limits()
    images = np.random.default_rng(0).random((8, 224, 224, 3), np.float32)
    body = orjson.dumps({"instances": images}, option=orjson.OPT_SERIALIZE_NUMPY)
    assert len(body) <= limits.body_bytes
    assert len(read_question(body, limits.values).values) == 8


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_rows_are_bounded(client, form):
    assert predict(client, {form: some_images(4).tolist()}).status_code == 200
    answer = predict(client, {form: some_images(5).tolist()})
    assert error_of(answer, 400) == "input 'image' has 5 rows; send at most 4 in one request"


def test_a_run_that_takes_too_long_is_broken_off(client):
    answer = predict(client, FOREVER)
    assert error_of(answer, 504) == "the model had 0.5 s for the request: deadline exceeded"
    assert is_well(client)


def small_body(length=0):
    return json.dumps({"signature_name": "total", "inputs": [1.5]}).encode().ljust(length)


def begin(opened, length, sent=b""):
    """Ask to send a body; return when the server waits for it, having sent a part of it."""
    opened.putrequest("POST", PATH)
    opened.putheader("Content-Length", str(length))
    opened.putheader("Expect", "100-continue")
    opened.endheaders()
    assert opened.sock.recv(1000).startswith(b"HTTP/1.1 100")
    opened.send(sent)


def test_a_request_for_which_there_is_no_room_is_sent_away(one_version, monkeypatch):
    running, go_on = threading.Semaphore(0), threading.Event()

    class Held(Servable):
        def run(self, name, inputs):
            running.release()
            assert go_on.wait(60)
            return super().run(name, inputs)

    monkeypatch.setattr("kerascam.serving.server.server.Servable", Held)
    limits = Limits(threads=2, waiting=0)
    with serving(one_version, limits=limits) as client, contextlib.ExitStack() as opened:
        asking = [opened.enter_context(connection(client)) for _ in range(2)]
        for each in asking:
            each.request("POST", PATH, small_body())
            assert running.acquire(timeout=60)
        answer = predict(client, small_body())
        assert error_of(answer, 503) == "2 requests are in progress"
        assert answer.headers["Retry-After"] == "1"
        assert answer.headers["Content-Type"] == "application/json"
        assert client.get(f"/v1/models/{NAME}").status_code == 200  # what needs no place
        with connection(client) as early:  # said before the body is sent
            early.putrequest("POST", PATH)
            early.putheader("Content-Length", "1000")
            early.endheaders()
            assert early.getresponse().status == 503
        go_on.set()
        assert [each.getresponse().status for each in asking] == [200, 200]
        assert is_well(client)


def test_clients_that_send_slowly_keep_nobody_from_a_place(one_version):
    limits = Limits(threads=1, waiting=0, body_seconds=60)
    content = small_body()
    with serving(one_version, limits=limits) as client, contextlib.ExitStack() as opened:
        slow = [opened.enter_context(connection(client)) for _ in range(5)]
        for each in slow:
            begin(each, len(content), content[:1])
        assert is_well(client)
        for each in slow:
            each.send(content[1:])
            assert each.getresponse().status == 200


def test_all_bodies_together_are_bounded_by_what_has_arrived(one_version):
    limits = Limits(body_bytes=1000, bodies_bytes=1500, body_seconds=60)
    with serving(one_version, limits=limits) as client, contextlib.ExitStack() as opened:
        for _ in range(2):
            begin(opened.enter_context(connection(client)), 800, b" " * 700)
        answer = until(
            lambda: (
                answer if (answer := predict(client, small_body(900))).status_code != 200 else None
            )
        )
        assert error_of(answer, 503) == "1400 bytes of requests are in memory"
        assert answer.headers["Retry-After"] == "1"
        in_chunks = client.post(PATH, content=(b" " * 50 for _ in range(10)))
        assert error_of(in_chunks, 503).endswith(" bytes of requests are in memory")
        assert predict(client, small_body(100)).status_code == 200
        opened.close()
        until(lambda: predict(client, small_body(900)).status_code == 200)


def test_at_the_end_every_request_in_hand_is_answered(one_version):
    """As many as there are places for, while one of them runs."""
    count = 6
    limits = Limits(threads=1, waiting=count - 1)
    server = ModelServer(one_version, NAME, limits=limits, poll_seconds=0.05)
    is_open = threading.Event()
    thread = threading.Thread(target=server.run, args=[is_open.set])
    thread.start()
    found = []

    def ask():
        host, port = server.url.removeprefix("http://").split(":")
        with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=60)) as opened:
            content = {"signature_name": "slow", "instances": [20_000]}
            opened.request("POST", PATH, json.dumps(content))
            answer = opened.getresponse()
            found.append((answer.status, json.loads(answer.read())))

    assert is_open.wait(60)
    clients = [threading.Thread(target=ask) for _ in range(count)]
    for each in clients:
        each.start()
    until(lambda: server._counted.received == count)
    server.stop()
    for each in [*clients, thread]:
        each.join(60)
    assert found == [(200, {"predictions": [20_000]})] * count
    assert server._counted.answered == count


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"body_bytes": 0}, "body_bytes=0 is out of range; give 1 or more"),
        ({"threads": 1.5}, "threads=1.5 is a float; give int"),
        ({"waiting": True}, "waiting=True is a bool; give int"),
        ({"run_seconds": float("nan")}, "run_seconds=nan is out of range"),
        ({"run_seconds": float("inf")}, "run_seconds=inf is out of range; give 0.001 to 86400"),
        ({"head_seconds": 86_401.0}, "head_seconds=86401.0 is out of range"),
        (
            {"body_bytes": 10, "bodies_bytes": 9},
            "bodies_bytes=9 is less than one body may have; give body_bytes=10 or more",
        ),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bounds_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        Limits(**settings)


def test_the_end_may_take_as_long_as_the_requests_in_hand():
    assert Limits(body_seconds=3, run_seconds=2, threads=4, waiting=9).stop_seconds == 3 + 4 * 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"base": "missing"},
            "base='.*missing' is not a folder; give the one that holds",
        ),
        ({"name": "a/b"}, "name='a/b' cannot be part of a path"),
        ({"name": ""}, "name='' cannot be part of a path"),
        ({"name": "\udcff"}, "is not Unicode, as an address must be"),
        ({"poll_seconds": 0}, "poll_seconds=0 is out of range"),
        ({"poll_seconds": float("inf")}, "poll_seconds=inf is out of range; give more than 0"),
        ({"port": 2**16}, "port=65536 is out of range; give 0 to 65535"),
        ({"host": "127.0.0.1.1"}, "cannot listen on host='127.0.0.1.1'"),
        ({"host": "a" * 70}, "cannot listen on host='aaa"),
    ],
)
def test_what_cannot_be_served_is_said_at_once(one_version, settings, message):
    settings = {"name": NAME, **settings}
    folder = one_version / settings.pop("base", ".")
    with pytest.raises(ValueError, match=message):
        ModelServer(folder, settings.pop("name"), **settings)


def test_a_port_that_is_taken_is_named(one_version):
    with serving(one_version) as client:
        port = client.base_url.port
        with pytest.raises(ValueError, match=f"port={port}: .*; give others, or port=0"):
            ModelServer(one_version, NAME, port=port)

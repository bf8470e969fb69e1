"""The development server under load: right numbers, no crash, no request lost, none let down."""

import base64
import collections
import concurrent.futures
import contextlib
import http.client
import io
import itertools
import json
import queue
import re
import signal
import threading
import time

import numpy as np
import pytest
from PIL import Image
from proofs import proof, wide
from served_model import NAME, export, small_model, some_images, until

from kerascam.serving import DevelopmentServer, Limits, ServerProcess

PATH = f"/v1/models/{NAME}:predict"
IMAGES = some_images(32)
ENGINE = DevelopmentServer(Limits(pixels=1_000_000), poll_seconds=0.1)


@pytest.fixture(scope="module")
def models():
    return {seed: small_model(seed) for seed in (1, 2)}


@pytest.fixture(scope="module")
def rows(models):
    """What each model says of the images."""
    return {seed: np.asarray(model(IMAGES)) for seed, model in models.items()}


@pytest.fixture(scope="module")
def base(models, tmp_path_factory):
    base = tmp_path_factory.mktemp("loaded")
    export(models[1], base / "1")
    return base


@pytest.fixture(scope="module")
def server(base):
    """One for all tests that leave it as it was; it starts in seconds."""
    with server_of(base) as server:
        yield server


@contextlib.contextmanager
def server_of(base):
    server = ServerProcess(base, NAME, ENGINE)
    try:
        server.wait_until_ready(120)
        yield server
    finally:
        server.stop()


class Client:
    """One connection that is kept open, and opened anew when it was closed."""

    def __init__(self, server):
        host, port = server.url.removeprefix("http://").split(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=60)

    def connect(self):
        if self.connection.sock is None:
            self.connection.connect()

    def ask(self, body):
        self.connection.request("POST", PATH, body)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def close(self):
        self.connection.close()


def in_threads(count, work):
    """Run `work(number)` in threads at the same time; returns what each gave."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(work, each) for each in range(count)]]


def body_of(first, count):
    places = [place % len(IMAGES) for place in range(first, first + count)]
    return places, json.dumps({"instances": IMAGES[places].tolist()})


def test_clients_at_the_same_time_get_the_right_numbers(server, rows):
    def work(number):
        with contextlib.closing(Client(server)) as client:
            for turn in range(25):
                places, body = body_of(7 * number + turn, 1 + turn % 5)
                status, answer = client.ask(body)
                assert status == 200, answer
                found = json.loads(answer)["predictions"]
                np.testing.assert_allclose(found, rows[1][places], atol=1e-6)
        return 25

    assert sum(in_threads(8, work)) == 200


# ------------------------------------------------------------------------------------------ fuzz


def encoded(data):
    return {"b64": base64.b64encode(data).decode()}


def explain(file, index=0):
    row = {"image_bytes": file, "class_index": index}
    return {"signature_name": "explain_bytes", "instances": [row]}


def photograph(kind):
    file = io.BytesIO()
    pixels = np.random.default_rng(5).integers(0, 256, (24, 24, 3), np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


FILES = {kind: photograph(kind) for kind in ("JPEG", "PNG", "BMP")}
WRONG = (None, True, "text", "", {}, [], {"b64": "!"}, {"b64": None}, [None], [[]], {"x": 1}, [{}])


class Fuzz:
    """Bodies of which every one is wrong; each kind is a method."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def body(self):
        kinds = [name for name in sorted(vars(type(self))) if name.startswith("of_")]
        made = getattr(self, self.random.choice(kinds))()
        return made if isinstance(made, bytes) else json.dumps(made).encode()

    def integer(self, low, high):
        return int(self.random.integers(low, high))

    def wrong(self):
        return WRONG[self.integer(0, len(WRONG))]

    def of_random_bytes(self):
        return self.random.bytes(self.integer(0, 300))

    def of_json_cut_short(self):
        whole = json.dumps({"instances": IMAGES[:1, :2].tolist()}).encode()
        return whole[: self.integer(1, len(whole))]

    def of_json_with_a_byte_too_much(self):
        whole = json.dumps({"instances": [1, 2, 3]}).encode()
        place = self.integer(0, len(whole))
        return whole[:place] + self.random.bytes(1) + whole[place:]

    def of_depth(self):
        depth = self.integer(5, 20_000)
        closed = b"]" * depth if self.integer(0, 2) else b""
        return b'{"instances": ' + b"[" * depth + b"1" + closed + b"}"

    def of_other_keys(self):
        keys = ("instances", "inputs", "signature_name", "signature", "b64", "", "instance")
        count = self.integer(0, 4)
        return {keys[self.integer(0, len(keys))]: self.wrong() for _ in range(count)}

    def of_wrong_values(self):
        names = ("serving_default", "explain_bytes", "echo", "slow", "total")
        values = [self.wrong() for _ in range(self.integer(0, 4))]
        form = "instances" if self.integer(0, 2) else "inputs"
        return {"signature_name": names[self.integer(0, len(names))], form: values}

    def of_wrong_shapes(self):
        shape = self.random.integers(0, 7, self.integer(0, 6))
        return {"instances": self.random.integers(0, 9, shape).tolist()}

    def of_ragged_lists(self):
        images = IMAGES[:2].tolist()
        del images[self.integer(0, 2)][self.integer(0, 8)][self.integer(0, 8)]
        return {"instances": images}

    def of_wrong_pixels(self):
        images = IMAGES[:1].tolist()
        images[0][self.integer(0, 8)][self.integer(0, 8)][self.integer(0, 3)] = self.wrong()
        return {"instances": images}

    def of_too_large_numbers(self):
        return b'{"inputs": [%s1%s]}' % (b"-"[: self.integer(0, 2)], b"0" * self.integer(0, 6000))

    def of_wrong_base64(self):
        text = self.random.bytes(self.integer(1, 60)).decode("latin-1")
        return explain({"b64": text + "!"})

    def of_files_cut_short(self):
        data = FILES["JPEG"]
        return explain(encoded(data[: self.integer(0, 100)]))

    def of_files_that_are_none(self):
        starts = (b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"RIFF")
        start = starts[self.integer(0, len(starts))]
        return explain(encoded(start + self.random.bytes(self.integer(0, 40))))

    def of_files_that_claim_to_be_huge(self):
        size = self.integer(1001, 2**31).to_bytes(4, "big")
        png = bytearray(FILES["PNG"])
        png[16:24] = size + size
        bmp = bytearray(FILES["BMP"])
        bmp[18:26] = size[::-1] + size[::-1]
        return explain(encoded(bytes(png if self.integer(0, 2) else bmp)))

    def of_wrong_class_indices(self):
        indices = (3, 2**31, -(2**31) - 1, 1.5, 1e400, float("nan"), "1", None, [0], True)
        return explain(encoded(FILES["PNG"]), indices[self.integer(0, len(indices))])


def test_wrong_bodies_are_refused_and_the_server_is_well(server, rows):
    count, clients = wide(1000, 10_000), 4

    def work(number):
        fuzz, found = Fuzz(number), collections.Counter()
        with contextlib.closing(Client(server)) as client:
            for _ in range(count // clients):
                body = fuzz.body()
                status, answer = client.ask(body)
                assert 400 <= status < 500, (status, body[:500], answer)
                content = json.loads(answer)
                assert list(content) == ["error"], (body[:500], answer)
                assert content["error"], body[:500]
                found[status] += 1
        return found

    found = sum(in_threads(clients, work), collections.Counter())
    assert found == {400: count}
    with contextlib.closing(Client(server)) as client:
        places, body = body_of(0, 8)
        _, answer = client.ask(body)
    np.testing.assert_allclose(json.loads(answer)["predictions"], rows[1][places], atol=1e-6)
    assert "Traceback" not in server.output()


# --------------------------------------------------------------------------------- versions, end


def test_a_new_version_is_swapped_in_and_no_request_fails(models, rows, tmp_path):
    told, enough = threading.Event(), threading.Event()

    def work(number):
        seen = []
        with contextlib.closing(Client(server)) as client:
            for turn in itertools.count():
                last = enough.is_set()
                places, body = body_of(number + turn, 2)
                status, answer = client.ask(body)
                assert status == 200, answer
                found = json.loads(answer)["predictions"]
                kinds = [
                    seed
                    for seed, expected in rows.items()
                    if np.allclose(found, expected[places], atol=1e-6)
                ]
                assert len(kinds) == 1, found
                seen += kinds
                if turn == 20:
                    told.set()
                if last:
                    return seen

    def swap():
        try:
            assert told.wait(60)
            export(models[2], tmp_path / "2")
            until(lambda: states_of(server) == {"2": "AVAILABLE", "1": "END"})
        finally:
            enough.set()

    export(models[1], tmp_path / "1")
    with server_of(tmp_path) as server:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            swapped = pool.submit(swap)
            found = in_threads(4, work)
            swapped.result()
        for seen in found:
            assert set(seen) == {1, 2}
            assert seen == sorted(seen)  # once new, always new
        assert server.stop() == 0


def states_of(server):
    with contextlib.closing(Client(server)) as client:
        client.connection.request("GET", f"/v1/models/{NAME}")
        told = json.loads(client.connection.getresponse().read())["model_version_status"]
    return {version["version"]: version["state"] for version in told}


@pytest.mark.parametrize(
    ("keeps_open", "end"),
    [
        pytest.param(True, signal.SIGTERM, id="SIGTERM, connections kept open"),
        pytest.param(False, signal.SIGINT, id="SIGINT, connections opened anew", marks=proof),
    ],
)
def test_the_end_under_load_loses_no_request_that_was_received(base, rows, keeps_open, end):
    answered, cut_off = queue.SimpleQueue(), queue.SimpleQueue()

    def work(number):
        """Ask until the server cannot be reached; returns how many were answered."""
        count, client = 0, Client(server)
        with contextlib.closing(client):
            for turn in itertools.count():
                places, body = body_of(number + turn, 1 + turn % 3)
                try:
                    client.connect()
                except ConnectionError:
                    return count  # it does not listen any more
                try:
                    status, answer = client.ask(body)
                except ConnectionError:
                    client.close()  # not received; the counts below must agree
                    cut_off.put(number)
                    continue
                assert status == 200, answer
                found = json.loads(answer)["predictions"]
                np.testing.assert_allclose(found, rows[1][places], atol=1e-6)
                count += 1
                answered.put(count)
                if not keeps_open:
                    client.close()

    with server_of(base) as server:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(work, number) for number in range(8)]
            until(lambda: answered.qsize() > 100)
            began = time.monotonic()
            server.process.send_signal(end)
            assert server.process.wait(60) == 0
            assert time.monotonic() - began < 30
            counts = [future.result() for future in futures]
        said = re.search(r"answered (\d+) of (\d+) predict requests", server.output())
        assert said is not None, server.output()
        assert [int(number) for number in said.groups()] == [sum(counts)] * 2
    # A client whose connection is open is asked to leave before it is closed. One that was about
    # to open another may find that nobody accepts it.
    assert cut_off.qsize() <= (0 if keeps_open else 8)

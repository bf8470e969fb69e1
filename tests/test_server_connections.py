"""The development server's connections: how many there are, and how long a client is waited for."""

import contextlib
import json
import socket
import threading

import httpx
import pytest
from served_model import NAME, is_open, predict, serving, until

from kerascam.serving.server.limits import Limits
from kerascam.serving.server.server import ModelServer

PATH = f"/v1/models/{NAME}:predict"
STATUS = f"GET /v1/models/{NAME} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
LIMITS = Limits(head_seconds=0.3, body_bytes=10_000, body_seconds=0.3, connections=8)


@pytest.fixture(scope="module")
def client(one_version):
    with serving(one_version, limits=LIMITS) as client:
        yield client


@contextlib.contextmanager
def opened(client):
    """A bare connection."""
    address = (client.base_url.host, client.base_url.port)
    with contextlib.closing(socket.create_connection(address, timeout=30)) as connection:
        yield connection


def received(connection):
    """All that comes until the server closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(100_000):
            parts.append(part)
    return b"".join(parts)


def one_answer(connection):
    """Exactly one answer: status, headers, body."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(1)
    head, _, _ = got.partition(b"\r\n\r\n")
    status, headers = parsed(head)
    body = b""
    while len(body) < int(headers["content-length"]):
        body += connection.recv(int(headers["content-length"]) - len(body))
    return status, headers, body


def parsed(head):
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), httpx.Headers([line.split(": ", 1) for line in lines])


def error_of(got, status):
    """The error that the bytes of a last answer hold."""
    head, _, body = got.partition(b"\r\n\r\n")
    code, headers = parsed(head)
    assert (code, headers["content-type"], headers["connection"]) == (
        status,
        "application/json",
        "close",
    )
    content = json.loads(body)
    assert list(content) == ["error"]
    return content["error"]


@pytest.mark.parametrize("sent", [b"", b"GE", STATUS[:-2]])
def test_a_head_that_does_not_arrive_is_not_waited_for(client, sent):
    with opened(client) as connection:
        connection.sendall(sent)
        error = error_of(received(connection), 408)
    assert error == "the head of the request did not arrive in 0.3 s"
    assert client.get(f"/v1/models/{NAME}").status_code == 200


def test_a_second_head_has_the_same_time(client):
    with opened(client) as connection:
        for _ in range(3):
            connection.sendall(STATUS)
            assert one_answer(connection)[0] == 200
        connection.sendall(STATUS[:20])
        assert "the head of the request" in error_of(received(connection), 408)


def test_two_requests_at_once_and_half_of_a_third(client):
    with opened(client) as connection:
        connection.sendall(STATUS + STATUS + STATUS[:20])
        assert [one_answer(connection)[0] for _ in range(2)] == [200, 200]
        assert "the head of the request" in error_of(received(connection), 408)


def test_a_byte_now_and_then_does_not_lengthen_the_time(client):
    with opened(client) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")

        def is_closed():
            try:
                connection.sendall(b"x")
            except ConnectionError:
                return True
            return False

        until(is_closed, 10)


def test_a_connection_between_two_requests_is_kept(client):
    with opened(client) as connection:
        connection.sendall(STATUS)
        assert one_answer(connection)[0] == 200
        connection.settimeout(3 * LIMITS.head_seconds)
        with pytest.raises(TimeoutError):  # neither an answer nor the end
            connection.recv(1)
        connection.settimeout(30)
        connection.sendall(STATUS)
        assert one_answer(connection)[0] == 200


def test_a_client_too_many_is_sent_away(one_version):
    limits = Limits(connections=4)  # one of them is kept by the client that waited for the model
    with serving(one_version, limits=limits) as client, contextlib.ExitStack() as stack:
        many = [stack.enter_context(opened(client)) for _ in range(3)]
        for connection in many:
            connection.sendall(STATUS)
            assert one_answer(connection)[0] == 200
        with opened(client) as connection:
            assert error_of(received(connection), 503) == "4 connections are open"
        many[0].close()

        def is_let_in():
            with contextlib.suppress(ConnectionError), opened(client) as connection:
                connection.sendall(STATUS)
                return one_answer(connection)[0] == 200

        until(is_let_in)
        many[1].sendall(STATUS)  # those who are in are not disturbed
        assert one_answer(many[1])[0] == 200


def test_the_rest_of_a_body_that_is_refused_is_not_waited_for(client):
    with opened(client) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10001\r\n\r\n"
        connection.sendall(head.encode())
        status, headers, body = one_answer(connection)
        assert (status, headers["content-type"]) == (413, "application/json")
        assert "larger than 10000 bytes" in json.loads(body)["error"]
        connection.sendall(b"x")  # which ends uvicorn's own wait for the next request
        assert received(connection) == b""


def test_the_rest_of_a_body_that_is_refused_is_thrown_away(client):
    with opened(client) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 90_000 + STATUS)
        assert [one_answer(connection)[0] for _ in range(2)] == [413, 200]


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01 no HTTP\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 1_000_000]
)
def test_what_is_no_request_has_an_answer_of_the_same_form(client, sent):
    with opened(client) as connection:
        with contextlib.suppress(ConnectionError):  # it is answered before all of it is sent
            connection.sendall(sent)
        assert error_of(received(connection), 400) == "Invalid HTTP request received."


def test_broken_chunks_in_a_request_are_answered_once(client, caplog):
    with opened(client) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"2\r\n{}\r\nno chunk\r\n")
        assert error_of(received(connection), 400) == "Invalid HTTP request received."
    assert client.get(f"/v1/models/{NAME}").status_code == 200
    assert "Exception" not in caplog.text


def test_broken_chunks_after_the_answer_end_the_connection(client):
    with opened(client) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"2711\r\n" + b"x" * 10_001 + b"\r\n")
        assert one_answer(connection)[0] == 413
        connection.sendall(b"no chunk\r\n")
        assert received(connection) == b""


def test_an_answer_that_is_not_taken_does_not_hold_the_connection(one_version):
    limits = Limits(rows=2_000_000, body_seconds=2)  # enough to send the question
    server = ModelServer(one_version, NAME, limits=limits, poll_seconds=0.05)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        connections = server._server.server_state.connections
        with httpx.Client(base_url=server.url, timeout=60) as client:
            small = {"signature_name": "total", "inputs": [1.5]}
            until(lambda: is_open(client))
            assert predict(client, small).status_code == 200
            with opened(client) as connection:
                # An answer as long as the question, of which the system keeps little for a client.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                body = json.dumps({"signature_name": "total", "inputs": [1e-30] * 1_500_000})
                head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
                connection.sendall(f"{head}\r\n{body}".encode())
                client.close()
                until(lambda: not connections, 30)
    finally:
        server.stop()
        thread.join(60)

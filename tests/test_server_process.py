"""A model server in a process of its own: it starts, says what is wrong, and ends."""

import http.client
import json
import socket
import subprocess
import sys

import pytest
import tensorflow as tf
from served_model import NAME, some_images, until

from kerascam.serving import Client, DevelopmentServer, Limits, ServerProcess, running_server
from kerascam.serving.server import free_port

OLD = tf.__version__.startswith("2.18.")


class Script:
    """An engine: the lines of a shell script in place of a model server."""

    def __init__(self, folder, *lines):
        self.path = folder / "server"
        self.path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        self.path.chmod(0o755)

    def command(self, base, name, rest_port, grpc_port):
        return [str(self.path)]


def test_its_command_is_that_of_the_library(tmp_path):
    line = DevelopmentServer(Limits(rows=7), 0.5).command(tmp_path, "scenes", 1, 2)
    assert line[:5] == [sys.executable, "-m", "kerascam", "serve", str(tmp_path)]
    assert {"--name=scenes", "--port=1", "--poll-seconds=0.5", "--rows=7"} < set(line)


def test_it_serves_under_its_bounds_and_says_what_it_is(one_version):
    name = "my scenes?"  # it is quoted where it is part of an address
    server = ServerProcess(one_version, name, DevelopmentServer(Limits(rows=2)))
    try:
        server.wait_until_ready(120)
        client = http.client.HTTPConnection(*server.url.removeprefix("http://").split(":"))
        content = json.dumps({"instances": some_images(3).tolist()})
        client.request("POST", "/v1/models/my%20scenes%3F:predict", content)
        answer = client.getresponse()
        assert answer.status == 400
        assert "3 rows; send at most 2" in answer.read().decode()
        client.close()
        with Client(server.url, name) as asking:
            assert asking.status() == [(1, "AVAILABLE")]
    finally:
        status = server.stop()
    lines = server.output().splitlines()
    assert lines[-1].endswith("answered 1 of 1 predict requests")
    lines.remove(
        f"kerascam: serving {one_version} at {server.url}/v1/models/my%20scenes%3F "
        "(for development only: use TensorFlow Serving in production)"
    )
    # And nothing of TensorFlow's own, but for what 2.18 says before its level of messages holds.
    early = ("WARNING: All log messages before absl::", "I0000 ", "W0000 ", "E0000 ")
    lines = [line for line in lines if not (OLD and line.startswith(early))]
    assert all(" INFO " in line for line in lines), lines
    assert status == 0


def test_a_server_that_does_not_start_says_why(tmp_path):
    broken = Script(tmp_path, "echo no such flag >&2", "exit 4")
    with (
        pytest.raises(RuntimeError, match="the server ended with status 4: no such flag"),
        running_server(tmp_path, NAME, engine=broken),
    ):
        pass
    silent = Script(tmp_path, "while :; do :; done")
    with (
        pytest.raises(RuntimeError, match="the server is not ready after 0.2 s"),
        running_server(tmp_path, NAME, engine=silent, start_seconds=0.2),
    ):
        pass


def test_a_server_that_ignores_its_end_is_killed(tmp_path):
    script = Script(tmp_path, "trap '' TERM", "echo on", "while :; do :; done")
    server = ServerProcess(tmp_path, NAME, script)
    until(lambda: server.output() == "on")
    assert server.stop(0.2) == -9


def test_what_starts_the_server_waits_for_no_tensorflow():
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; "
        "from kerascam.serving import DevelopmentServer, Limits, running_server"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_free_port_can_be_listened_on():
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        assert listener.getsockname()[1] > 0

"""What a model is served with: the choice, the command lines, and what is said where one lacks."""

import csv
import dataclasses
import http.client
import json
import socket
import subprocess
import sys
import urllib.request

import pytest
from served_model import NAME, export, small_model, some_images, until

from kerascam.serving.server.limits import Limits
from kerascam.serving.server.process import ServerProcess, free_port, running_server
from scene_classification.options import ServeOptions
from scene_classification.serving import engines
from scene_classification.serving.command import main
from scene_classification.serving.engines import Binary, Docker, Embedded, choose_engine


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """An empty folder in place of the PATH; call with a name and the lines of a shell script."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def add(name, *lines):
        program = folder / name
        program.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        program.chmod(0o755)
        return str(program)

    return add


DOCKER_ANSWERS = '[ "$1" = info ] && exit 0; exit 3'


def test_the_binary_comes_first(programs):
    programs("docker", DOCKER_ANSWERS)
    binary = programs("tensorflow_model_server", "exit 0")
    assert choose_engine("auto") == choose_engine("binary") == Binary(binary)


def test_docker_comes_second(programs):
    docker = programs("docker", DOCKER_ANSWERS)
    assert choose_engine("auto") == choose_engine("docker") == Docker(docker)


def test_the_embedded_server_is_always_there(programs):
    programs("docker", "exit 1")
    assert choose_engine("auto") == choose_engine("embedded") == choose_engine() == Embedded()


def test_what_is_wanted_and_not_there_is_named_with_the_fix(programs, monkeypatch):
    with pytest.raises(RuntimeError, match="no tensorflow_model_server on the PATH; install"):
        choose_engine("binary")
    with pytest.raises(RuntimeError, match="'docker': there is no docker on the PATH; install"):
        choose_engine("docker")
    programs("docker", "exit 1")
    with pytest.raises(RuntimeError, match="docker info failed with status 1; start Docker's"):
        choose_engine("docker")
    programs("docker", "while :; do :; done")
    monkeypatch.setattr(engines, "DOCKER_SECONDS", 0.2)
    with pytest.raises(RuntimeError, match="docker info did not answer in 0.2 s; start Docker's"):
        choose_engine("docker")
    assert choose_engine("auto") == Embedded()
    with pytest.raises(ValueError, match="wanted='grpc' is unknown; choose one of"):
        choose_engine("grpc")


def test_command_lines(tmp_path):
    assert Binary("/bin/tfs").command(tmp_path, "scenes", 1, 2) == [
        "/bin/tfs",
        "--rest_api_port=1",
        "--port=2",
        "--model_name=scenes",
        f"--model_base_path={tmp_path}",
        "--enable_model_warmup=true",
    ]
    line = Docker("/bin/docker").command(tmp_path, "scenes", 1, 2)
    assert line[:4] == ["/bin/docker", "run", "--rm", "--init"]
    for pair in (
        ["-p", "127.0.0.1:1:8501"],
        ["-p", "127.0.0.1:2:8500"],
        ["--mount", f"type=bind,source={tmp_path},target=/models/scenes,readonly"],
        ["-e", "MODEL_NAME=scenes"],
    ):
        assert line[line.index(pair[1]) - 1 : line.index(pair[1]) + 1] == pair
    assert line[-2:] == ["tensorflow/serving:2.21.0", "--enable_model_warmup=true"]
    line = Embedded(Limits(rows=7), 0.5).command(tmp_path, "scenes", 1, 2)
    assert line[:3] == [sys.executable, "-m", "scene_classification.serving"]
    assert {f"--base={tmp_path}", "--port=1", "--poll-seconds=0.5", "--rows=7"} < set(line)


@pytest.mark.parametrize("name", ["run 12:30", "a,b", 'a "b", c'])
def test_docker_mounts_a_folder_whatever_its_name_is(tmp_path, name):
    base = tmp_path / name
    base.mkdir()
    line = Docker("/bin/docker").command(base, "scenes", 1, 2)
    (fields,) = csv.reader([line[line.index("--mount") + 1]])  # as Docker reads it
    assert fields == ["type=bind", f"source={base}", "target=/models/scenes", "readonly"]


def test_an_engine_that_everybody_can_reach_says_so():
    assert Binary("tfs").warning(8501, 8500) == (
        "listens on all interfaces, without authentication: keep ports 8501 and 8500 behind a "
        "firewall"
    )
    assert Docker("docker").warning(1, 2) is None
    assert Embedded().warning(1, 2) is None


def test_the_command_line_offers_the_engines_that_there_are():
    fields = {field.name: field for field in dataclasses.fields(ServeOptions)}
    assert fields["engine"].metadata["choices"] == engines.CHOICES


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    base = tmp_path_factory.mktemp("engine")
    export(small_model(1), base / "1")
    return base


def test_the_embedded_engine_serves_under_its_bounds_and_says_what_it_is(base):
    server = ServerProcess(base, NAME, Embedded(Limits(rows=2)))
    try:
        server.wait_until_ready(120)
        client = http.client.HTTPConnection(*server.url.removeprefix("http://").split(":"))
        content = json.dumps({"instances": some_images(3).tolist()})
        client.request("POST", f"/v1/models/{NAME}:predict", content)
        answer = client.getresponse()
        assert answer.status == 400
        assert "3 rows; send at most 2" in answer.read().decode()
        client.close()
    finally:
        status = server.stop()
    lines = server.output().splitlines()
    assert lines[-1].endswith("answered 1 of 1 predict requests")
    lines.remove(
        f"serving {base} at {server.url}/v1/models/{NAME} "
        "(for development only: use TensorFlow Serving in production)"
    )
    assert all(" INFO " in line for line in lines), lines  # and nothing of TensorFlow's own
    assert status == 0


def test_a_name_is_quoted_where_it_is_part_of_an_address(base):
    server = ServerProcess(base, "my scenes?")
    try:
        server.wait_until_ready(60)
        address = f"{server.url}/v1/models/my%20scenes%3F"
        assert until(lambda: f" at {address} (for" in server.output())
        with urllib.request.urlopen(address) as answer:
            assert json.load(answer)["model_version_status"][0]["state"] == "AVAILABLE"
    finally:
        server.stop()


def test_a_server_that_does_not_start_says_why(base, programs):
    broken = Binary(programs("tensorflow_model_server", "echo no such flag >&2", "exit 4"))
    with (
        pytest.raises(RuntimeError, match="the server ended with status 4: no such flag"),
        running_server(base, NAME, engine=broken),
    ):
        pass
    silent = Binary(programs("tensorflow_model_server", "while :; do :; done"))
    with (
        pytest.raises(RuntimeError, match="the server is not ready after 0.2 s"),
        running_server(base, NAME, engine=silent, start_seconds=0.2),
    ):
        pass


def test_a_server_that_ignores_its_end_is_killed(base, programs):
    program = programs("tensorflow_model_server", "trap '' TERM", "echo on", "while :; do :; done")
    server = ServerProcess(base, NAME, Binary(program))
    until(lambda: server.output() == "on")
    assert server.stop(0.2) == -9


@pytest.mark.parametrize("module", ["command", "engines"])
def test_what_starts_the_server_waits_for_no_tensorflow(module):
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; "
        f"import scene_classification.serving.{module}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_broken_first_version_ends_it_with_the_status_of_tensorflow_serving(tmp_path, capsys):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"no model")
    options = ["--port", "0", "--poll-seconds", "0.01", "--load-tries", "2"]
    assert main(["--base", str(tmp_path), "--name", NAME, *options]) == 255
    error = capsys.readouterr().err
    assert f"error: cannot load version 1 of '{NAME}': " in error
    assert error.endswith("Wire format was corrupt; export it again\n")


def test_the_command_line_says_what_is_wrong(tmp_path, capsys):
    assert main(["--base", str(tmp_path / "no"), "--name", NAME, "--port", "0"]) == 1
    assert "no' is no folder; give the one that holds" in capsys.readouterr().err
    assert main(["--base", str(tmp_path), "--name", NAME, "--rows", "0"]) == 1
    assert "rows=0 is out of range; give 1 or more" in capsys.readouterr().err
    assert main(["--base", str(tmp_path), "--name", NAME, "--load-tries", "0"]) == 1
    assert "load_tries=0 is out of range; give 1 or more" in capsys.readouterr().err


def test_a_free_port_can_be_listened_on():
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        assert listener.getsockname()[1] > 0

"""What a model is served with: the choice, the command lines, and what is said where one lacks."""

import csv
import dataclasses
import subprocess
import sys

import pytest

from kerascam.serving import Limits, running_server
from scene_classification.options import ServeOptions
from scene_classification.serving import engines
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
    assert line[:5] == [sys.executable, "-m", "kerascam", "serve", str(tmp_path)]
    assert {"--name=scenes", "--port=1", "--poll-seconds=0.5", "--rows=7"} < set(line)


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


def test_another_engine_starts_as_the_development_server_does(tmp_path, programs):
    broken = Binary(programs("tensorflow_model_server", "echo no such flag >&2", "exit 4"))
    with (
        pytest.raises(RuntimeError, match="the server ended with status 4: no such flag"),
        running_server(tmp_path, "scenes", engine=broken),
    ):
        pass


def test_what_starts_the_server_waits_for_no_tensorflow():
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; "
        "import scene_classification.serving.engines"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

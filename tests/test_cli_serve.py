"""`kerascam serve`: what it serves, under which name, and what it says when something is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kerascam.cli import main
from kerascam.serving import Limits
from kerascam.serving.server import server as server_module

SOON = ["--port", "0", "--poll-seconds", "0.01", "--load-tries", "2"]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple, dict]]:
    """What servers are made with; none is started."""
    calls: list[tuple[tuple, dict]] = []

    class Server:
        def __init__(self, *args, **options):
            calls.append((args, options))

        def run(self, ready):
            pass

    monkeypatch.setattr(server_module, "ModelServer", Server)
    return calls


def version(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"a model")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    version(tmp_path / "models" / "scenes" / "1")
    (tmp_path / "models" / "notes").mkdir()
    return tmp_path / "models"


def test_a_model_has_the_name_of_its_folder(
    models: Path, made: list[tuple[tuple, dict]], monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = models / "scenes"
    assert main(["serve", str(scenes)]) == 0
    assert main(["serve", str(models)]) == 0  # the only model in it
    assert main(["serve", str(scenes), "--name", "pets"]) == 0
    monkeypatch.chdir(scenes)
    assert main(["serve", "."]) == 0
    named = [(path.resolve(), name) for (path, name), _ in made]
    assert named == [(scenes, "scenes"), (scenes, "scenes"), (scenes, "pets"), (scenes, "scenes")]


def test_every_limit_is_an_option(models: Path, made: list[tuple[tuple, dict]]) -> None:
    options = ["--rows", "3", "--run-seconds", "2.5", "--host", "::1", "--port", "0"]
    assert main(["serve", str(models), *options]) == 0
    ((_, given),) = made
    assert given["limits"] == Limits(rows=3, run_seconds=2.5)
    assert (given["host"], given["port"]) == ("::1", 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{}/no"], "no is not a folder; give the one that `kerascam export --out` wrote"),
        (["{}/model.keras"], "is a file: `kerascam export {}/model.keras --out FOLDER` writes"),
        (["{}/a/1"], "a/1 is one version of a model; give the folder of all versions: {}/a"),
        (["{}"], "{} holds 2 models; give one of them: {}/a, {}/b"),
        (["{}/a", "--name", "a:b"], "name='a:b' cannot be part of a path; leave out '/' and ':'"),
        (["{}/a", "--name", "\udcff"], "is not Unicode, as an address must be; give another"),
        (["{}/a", "--host", "a" * 70], "cannot listen on host='aaa"),
        (["{}/a", "--body-bytes", "9", "--bodies-bytes", "8"], "give body_bytes=9 or more"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    version(tmp_path / "a" / "1")
    version(tmp_path / "b" / "1")
    (tmp_path / "model.keras").write_bytes(b"")
    given = [word.replace("{}", str(tmp_path)) for word in arguments]
    assert main(["serve", *given, "--port", "0"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("kerascam: error: ")
    assert said.replace("{}", str(tmp_path)) in line


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--rows", "0", "argument --rows: must be a whole number of at least 1, not '0'"),
        ("--load-tries", "0", "argument --load-tries: must be a whole number of at least 1"),
        ("--port", "65536", "argument --port: must be a whole number from 0 to 65535"),
        ("--head-seconds", "nan", "argument --head-seconds: must be a number from 0.001 to 86400"),
        ("--run-seconds", "1e9", "argument --run-seconds: must be a number from 0.001 to 86400"),
        ("--poll-seconds", "inf", "argument --poll-seconds: must be a number from 0.001 to"),
    ],
)
def test_a_number_out_of_range_is_named(
    option: str, value: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", str(tmp_path), option, value]) == 2
    assert said in capsys.readouterr().err


def test_a_broken_first_version_ends_it_with_the_status_of_tensorflow_serving(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version(tmp_path / "scenes" / "1")
    assert main(["serve", str(tmp_path / "scenes"), *SOON]) == 255
    error = capsys.readouterr().err
    assert "kerascam: error: cannot load version 1 of 'scenes': " in error
    assert "Cannot parse file" in error and error.endswith("; export it again\n")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("package", ["fastapi", "uvicorn", "orjson"])
def test_a_missing_package_is_a_sentence(package: str, tmp_path: Path) -> None:
    # Said before TensorFlow is needed, so that this test does not wait for it.
    missing = {package: None, "tensorflow": None}
    code = f"import sys; sys.modules.update({missing}); from kerascam.cli import main; "
    done = python(f"{code}sys.exit(main(['serve', {str(tmp_path)!r}]))")
    assert done.returncode == 2
    said = f"kerascam: error: kerascam.serving needs the package {package!r}; pip install "
    assert done.stderr.startswith(said) and "uvicorn" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_help_needs_none_of_its_packages() -> None:
    missing = ["tensorflow", "keras", "fastapi", "uvicorn", "orjson", "httpcore", "tenacity"]
    code = f"import sys; sys.modules.update(dict.fromkeys({missing})); "
    done = python(f"{code}from kerascam.cli import main; sys.exit(main(['serve', '--help']))")
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert "kerascam serve [-h]" in text and "use TensorFlow Serving in production" in text
    assert "--rows N most rows in one request (default: 256)" in text


def test_an_interrupt_before_there_is_a_model_ends_it_well(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "kerascam", "serve", str(tmp_path), *SOON],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert "waiting for a version in" in process.stderr.readline()
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.stderr.close()

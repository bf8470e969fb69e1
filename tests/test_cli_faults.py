"""How a command ends that cannot go on: one sentence, and the file or the option in it."""

import errno
import io
import sys
import zipfile
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascam import exporting
from kerascam.cli import listing, main, terminal
from kerascam.files import parse_json


@pytest.fixture
def model(classifier_file: str) -> str:
    return classifier_file


def failing(error: BaseException):
    def run(*_: object, **__: object) -> None:
        raise error

    return run


EXPECTED = [
    (ValueError("what\nis  wrong"), "what is wrong"),
    (TypeError("no such type"), "no such type"),
    (OSError(errno.ENOSPC, "No space left on device", "x.png"), "no space left on device: x.png"),
    (MemoryError(), "out of memory: give smaller images or a smaller model"),
    (RecursionError("maximum"), "nested too deeply: the model or a file has more levels than"),
    (zipfile.BadZipFile("Bad CRC"), "Bad CRC"),
    (NotImplementedError("That compression method"), "That compression method"),
    (ImportError("No module named 'x'"), "No module named 'x'"),
    (RuntimeError("does not run"), "does not run"),
    (tf.errors.ResourceExhaustedError(None, None, "out of memory"), "out of memory"),
    (ValueError("x" * 5000), "xxx … xxx"),
]


@pytest.mark.parametrize(("error", "message"), EXPECTED, ids=lambda each: type(each).__name__)
def test_what_can_be_expected_is_one_line(
    error: Exception,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "methods", failing(error))
    assert main(["methods"]) == 2
    written = capsys.readouterr().err
    assert written.startswith("kerascam: error: ") and written.count("\n") == 1
    assert message.replace("xxx … xxx", "x … x") in written and len(written) < 700


@pytest.mark.parametrize(
    "error", [KeyError("x"), AttributeError("y"), AssertionError(), IndexError()]
)
def test_a_bug_is_told_from_that(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "methods", failing(error))
    monkeypatch.delenv("KERASCAM_DEBUG", raising=False)
    assert main(["methods"]) == 2
    written = capsys.readouterr().err
    kind = type(error).__name__
    assert written.startswith(
        f"kerascam: error: this is a bug in kerascam, please report it: {kind}: "
    )
    assert written.endswith("(KERASCAM_DEBUG=1 shows where)\n") and written.count("\n") == 1
    monkeypatch.setenv("KERASCAM_DEBUG", "1")
    assert main(["methods"]) == 2
    traced = capsys.readouterr().err
    assert traced.startswith("Traceback (most recent call last):\n") and traced.endswith(written)


def test_what_fails_within_the_model_is_no_bug_of_ours(
    model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        listing, "suggest_layers", lambda *_, **__: keras.Sequential(name="empty").output_shape
    )
    assert main(["layers", model]) == 2
    written = capsys.readouterr().err
    assert f"error: {model} cannot be used: AttributeError: Sequential model 'empty'" in written


# --------------------------------------------------------------------------------------- export


def test_export_without_the_messages_package_goes_on_with_a_note(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("tensorflow_serving")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorflow_serving", None)
    assert main(["export", model, "--out", str(tmp_path / "m")]) == 0
    written = capsys.readouterr().err
    assert "note: it has no warm-up requests, so a server's first answers take longer" in written
    assert "`pip install tensorflow-serving-api` and export again" in written
    assert (tmp_path / "m" / "1" / "saved_model.pb").is_file()
    assert not (tmp_path / "m" / "1" / "assets.extra").exists()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.EROFS, "Read-only file system", "m/1"), "read-only file system: m/1"),
        (tf.errors.ResourceExhaustedError(None, None, "/m/x; No space left"), "No space left"),
        (RuntimeError("the SavedModel does not run"), "the SavedModel does not run"),
    ],
)
def test_an_export_that_cannot_be_written_names_the_option(
    error: Exception,
    message: str,
    model: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exporting, "export", failing(error))
    assert main(["export", model, "--out", "m"]) == 2
    assert capsys.readouterr().err == f"kerascam: error: --out m: {message}\n"


def test_an_export_below_a_file_leaves_nothing(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    out = tmp_path / "file" / "m"
    assert main(["export", model, "--out", str(out)]) == 2
    written = capsys.readouterr().err
    assert written.startswith(f"kerascam: error: --out {out}: ")
    assert written.endswith(f"{str(tmp_path / 'file')!r} is a file and holds no folders\n")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# ---------------------------------------------------------------------------- files and streams


def test_pictures_that_cannot_be_written_name_the_option(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("a.png", np.zeros((8, 8, 3), np.uint8))
    full = OSError(errno.ENOSPC, "No space left on device")  # as write() raises it: no file's name
    monkeypatch.setattr("kerascam.explain.result_folder.write_atomically", failing(full))
    assert main(["explain", model, "a.png", "--out", "here"]) == 2
    assert capsys.readouterr().err.endswith("error: no space left on device: --out here\n")


def test_a_full_stdout_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", Full())
        assert main(["methods"]) == 2
    assert capsys.readouterr().err == (
        f"kerascam: error: no space left on device: {terminal.STDOUT}\n"
    )


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_closed_stream_is_no_error(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, stream, None)
    assert main(["methods"]) == 0
    assert main(["layers", "gone.keras"]) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 200_000, "not valid JSON: nested too deeply"),
        (b'{"0":' * 100_000, "not valid JSON: nested too deeply"),
        (b"a\0b", "not a UTF-8 text file: it holds zero bytes"),
        (b"\x89PNG\r\n", "not a UTF-8 text file"),
        (b"a\n" * 2**23 + b"a", "more than 16 MiB, which no list of class names has"),
        (b"[[[[[[[[[[[[1]]]]]]]]]]]]", "a class name must be text"),
        (b"[1" + b"0" * 5000 + b"]", "not valid JSON"),
    ],
)
def test_class_names_that_are_none_name_their_file(
    content: bytes, message: str, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "names"
    path.write_bytes(content)
    assert main(["export", model, "--out", str(tmp_path / "m"), "--class-names", str(path)]) == 2
    written = capsys.readouterr().err
    assert written.startswith(f"kerascam: error: --class-names {path}: {message}")
    assert written.count("\n") == 1 and len(written) < 500


def test_a_class_of_thousands_of_digits(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    arguments = [str(tmp_path / "a.png"), "--out", str(tmp_path / "o"), "--class", "1" * 5000]
    assert main(["explain", model, *arguments]) == 2
    assert "--class must be from 0 to 2, not 111" in capsys.readouterr().err


def test_json_of_others_raises_only_value_errors() -> None:
    assert parse_json(b'{"a": [1]}') == {"a": [1]}
    for text in ("[" * 200_000, "{", b"\xff", b"", "1" * 10_000):
        with pytest.raises(ValueError, match="^not valid JSON: "):
            parse_json(text)


def test_an_imported_module_that_exits_is_a_failed_import(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "module_that_exits.py").write_text("raise SystemExit(0)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(["layers", model, "--import", "module_that_exits"]) == 2
    assert "--import module_that_exits failed: SystemExit: 0" in capsys.readouterr().err

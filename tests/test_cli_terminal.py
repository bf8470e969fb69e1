"""What the terminal shows: harmless text, whole names, and progress that counts evenly."""

import io
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest

from kerascam.cli import main, terminal
from kerascam.cli.faults import harmless, shortened
from kerascam.cli.terminal import lay_out
from kerascam.registry import METHODS

END = "--- end of the command ---"
EVIL = "a\x1b[2J\x1b]0;owned\x07\r\nb\u202egnp\u2028\x9b31m\x7f"


# ------------------------------------------------------------------------------------- harmless


def test_what_a_terminal_obeys_or_nobody_sees_is_escaped() -> None:
    assert harmless(EVIL) == ("a\\x1b[2J\\x1b]0;owned\\x07\\r\\nb\\u202egnp\\u2028\\x9b31m\\x7f")
    assert harmless("\ud800\t\u200b\ufeff\u2066") == "\\ud800\\t\\u200b\\ufeff\\u2066"
    assert harmless("a\u200db") == "a\\u200db", "a joiner beside ASCII only hides"


@pytest.mark.parametrize(
    "text", ["caf\u00e9 \u732b \u00d7", "\u0645\u06cc\u200c\u062e", "\U0001f468\u200d\U0001f469"]
)
def test_names_of_any_script_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


def test_a_long_text_loses_its_middle() -> None:
    assert shortened("a" * 600) == "a" * 600
    short = shortened("a" * 5000 + "b" * 5000)
    assert short.startswith("aaa") and short.endswith("bbb") and len(short) <= 603


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, class names and photographs with names that hurt."""
    folder = tmp_path_factory.mktemp("names")
    long = "a_layer_with_a_name_that_takes_more_than_half_a_line"
    keras.utils.set_random_seed(1)
    inner = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(3, 3, activation="relu", name=long)],
        name="backbone_of_a_long_name_too_this_is",
    )
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            inner,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, "softmax"),
        ]
    )
    model.save(folder / "model.keras")
    (folder / "class_names.txt").write_text("ca\x1b[31mt\ndo\u202eg", encoding="utf-8")
    photo = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    (folder / "photos").mkdir()
    for name in ("evil\x1b[2J\n\u202e.png", "a-" + "long-" * 17 + "name.png", "IMG_20240101.png"):
        (folder / "photos" / name).write_bytes(photo)
    (folder / "photos" / "bad\x1b]0;x\x07.png").write_text("no photograph")
    return folder


def assert_harmless(text: str) -> None:
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028]", text), repr(text)


@pytest.mark.skipif(sys.platform == "win32", reason="it takes no such names")
def test_names_of_files_and_classes_are_shown_harmless_and_kept_as_they_are(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    out = tmp_path / "out\x1b[2J"
    arguments = ["photos", "gone\x1b[2J.png", "--class-names", "class_names.txt", "--out", str(out)]
    assert main(["explain", "model.keras", *arguments]) == 1
    captured = capsys.readouterr()
    assert_harmless(captured.out), assert_harmless(captured.err)
    assert "evil\\x1b[2J\\n\\u202e.png" in captured.out and "out\\x1b[2J" in captured.err
    assert "bad\\x1b]0;x\\x07.png: not an image" in captured.err
    assert "ca\\x1b[31mt" in captured.out or "do\\u202eg" in captured.out
    manifest = (out / "manifest.json").read_text(encoding="utf-8")
    assert "evil\\u001b[2J\\n\u202e.png" in manifest, "JSON's own escapes of the true name"

    for wrong in (
        ["layers", "no\x1b[2J\nsuch.keras"],
        [
            "explain",
            "model.keras",
            "photos",
            "--class",
            "x\x1b[2J\u202e",
            "--class-names",
            "class_names.txt",
        ],
        ["explain", "model.keras", "photos", "--fit", "x\x1b[2J"],
        ["explain", "model.keras", "photos", "--nope\x1b[2J\n"],
        ["explain", "model.keras", "photos", "--method", "x\x1b[2J"],
        ["export", "model.keras", "--out", str(tmp_path), "--layer", "x\x1b[2J"],
    ):
        assert main(wrong) == 2
        assert_harmless(capsys.readouterr().err)


def test_a_terminal_of_few_characters_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    terminal.print_table(("Name",), [("caf\u00e9",)])
    assert raw.getvalue().decode("ascii").splitlines() == ["Name", "-------", "caf\\xe9"]


# -------------------------------------------------------------------------------------- tables


def test_a_row_goes_on_over_lines_and_a_name_never_breaks() -> None:
    titles = ("Name", "Kind", "Says")
    rows = [("a" * 12, "x", "one two three"), ("b" * 30, "yy", "four")]
    wide = lay_out(titles, rows)
    assert wide == (
        ["Name" + " " * 28 + "Kind  Says", "─" * 51],
        ["a" * 12 + " " * 20 + "x     one two three", "b" * 30 + "  yy    four"],
    )
    head, body = lay_out(titles, rows, width=16, wordy=("Says",))
    assert head == ["Name", "    Kind", "    Says", "─" * 16]
    assert body == ["a" * 12, "    x", "    one two", "    three", "b" * 30, "    yy", "    four"]
    head, body = lay_out(titles, rows, width=40, right="Kind", wordy=("Says",))
    assert head == ["Name" + " " * 28 + "Kind", "    Says", "─" * 36]
    assert body[0] == "a" * 12 + " " * 23 + "x" and body[1] == "    one two three"


def test_wide_characters_take_two_columns() -> None:
    _, body = lay_out(("A", "B"), [("\u732b", "x"), ("abc", "y")])
    assert body == ["\u732b   x", "abc  y"]


def on_a_terminal(folder: Path, *commands: tuple[str, ...], columns: int = 80) -> list[list[str]]:
    """Run commands on a pseudo-terminal; return the lines of each, less what moves the cursor."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    # As in a user's shell: TensorFlow's and Keras's own messages must stay away all the same.
    kept = {key: text for key, text in os.environ.items() if key != "COLUMNS"}
    environment = {key: text for key, text in kept.items() if "LOG_LEVEL" not in key}
    code = (
        f"from kerascam.cli import main\nfor words in {commands!r}:\n"
        f"    assert main(list(words)) in (0, 1, 2)\n    print({END!r}, flush=True)\n"
        # An older Keras may load the tests' own files; main has imported TensorFlow by now.
        "    from kerascam.cli import models\n    models.GUARDED_SINCE = (3, 6, 0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, stdin=theirs, stdout=theirs,
        stderr=theirs, env=environment | {"TERM": "xterm"},
    ) as process:  # fmt: skip
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 65536):
                written += part
        except OSError:  # so Linux says that nobody writes any more
            pass
    os.close(ours)
    assert process.returncode == 0, written
    text = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", written.decode("utf-8", "replace"))
    *parts, _ = text.replace("\r\n", "\n").split(f"{END}\n")
    return [[line.rpartition("\r")[2] for line in part.split("\n")] for part in parts]


@pytest.mark.skipif(sys.platform == "win32", reason="it has no pseudo-terminals")
def test_at_80_columns_every_name_is_in_one_piece(folder: Path) -> None:
    long = (
        "a model file in a folder whose name has so many words that no line can ever hold it.keras"
    )
    explain = ("explain", "model.keras", "photos", "--out", "where it is", "--class", "1")
    listed, layers, explained, missing = on_a_terminal(
        folder, ("methods",), ("layers", "model.keras"), explain, ("layers", long)
    )
    # Every line is of the table: nothing else was said.
    names = [line.split()[0] for line in listed if line and not line.startswith((" ", "─"))]
    assert names == ["Method", *METHODS]
    assert all(len(line) <= 80 for line in listed)
    text = " ".join(" ".join(listed).split())
    assert all(method.summary.replace("``", "`") in text for method in METHODS.values())

    path = (
        "backbone_of_a_long_name_too_this_is/a_layer_with_a_name_that_takes_more_than_half_a_line"
    )
    assert [line for line in layers if path in line] == [path, "    " + path]

    shown = [f"a-{'long-' * 17}name.png", "evil\\x1b[2J\\n\\u202e.png", "IMG_20240101.png"]
    for name in shown:
        assert name in explained or any(line.startswith(f"{name}  ") for line in explained)
    written = sorted(path.name for path in (folder / "where it is").glob("*.png"))
    assert {harmless(name) for name in written} <= {line.strip() for line in explained}
    assert any("bad\\x1b]0;x\\x07.png: not an image" in line for line in explained)
    assert any(long in line for line in missing)


# ------------------------------------------------------------------------------------- progress


class Recorder(terminal.Bar):
    """In place of a bar: what it was told."""

    said: list[Any]

    def __init__(self, doing: str) -> None:
        type(self).said = [doing]

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def now(self, doing: str, total: int | None = None) -> None:
        self.said.append((doing, total))

    def advance(self) -> None:
        self.said.append(1)

    def within(self, steps: float, doing: str) -> None:
        self.said.append((round(steps, 3), doing))


def test_progress_counts_every_photo_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "Bar", Recorder)
    model = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(2, 5, name="last"),
         keras.layers.GlobalAveragePooling2D()]
    )  # fmt: skip
    model.save(tmp_path / "any.keras")
    for place, side in enumerate([8, 8, 2, 8, 2, 2, 9]):  # no window of five fits into two pixels
        cv2.imwrite(str(tmp_path / f"{place}.png"), np.zeros((side, side, 3), np.uint8))
    (tmp_path / "bad.png").write_text("no photograph")
    monkeypatch.chdir(tmp_path)
    arguments = ["--batch-size", "2", "--method", "grad_cam,layer_cam", "--class", "0"]
    assert main(["explain", "any.keras", ".", *arguments, "--class", "1"]) == 1
    assert Recorder.said == ["Loading the model", ("Explaining", 8), *[1] * 8]


def test_progress_shows_the_passes_of_a_slow_method(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "Bar", Recorder)
    monkeypatch.setattr("kerascam.repeat.AT_ONCE", 1)  # one copy per pass
    monkeypatch.chdir(folder)
    arguments = ["--method", "grad_cam,score_cam", "--batch-size", "2", "--class", "0"]
    assert main(["explain", "model.keras", "photos", *arguments, "--out", str(tmp_path)]) in (0, 1)
    passes = [said for said in Recorder.said if isinstance(said, tuple) and "pass" in str(said[1])]
    # Of two methods the second is half of the work: two photos, then the third alone.
    assert passes == [
        (round(photos * (1 + made / 3) / 2, 3), f"Score-CAM: pass {made} of 3")
        for photos in (2, 1)
        for made in (1, 2, 3)
    ]


def test_a_bar_spins_until_there_is_a_total(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with terminal.Bar("Loading") as bar:
        (task,) = bar._progress.tasks
        assert (task.total, task.fields["counted"]) == (None, "")
        bar.now("Explaining [bold]", 3)
        bar.advance()
        assert (task.total, task.completed, task.fields["counted"]) == (3, 1, "1/3")
    assert sys.stderr.getvalue() == "", "no terminal, no bar"

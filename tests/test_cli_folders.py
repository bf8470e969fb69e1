"""The command line's output folder: whatever is in it, no file of the user is lost."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from proofs import wide

from kerascam.cli import main
from kerascam.explain.result_folder import FORMAT
from kerascam.pictures.pixels import write_png


@pytest.fixture
def model(classifier_file: str) -> str:
    return classifier_file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that is the current one."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path / "here"


def draw(name: str, height: int = 12, width: int = 20) -> bytes:
    rng = np.random.default_rng(sum(name.encode()))
    path = Path(name)
    path.parent.mkdir(exist_ok=True, parents=True)
    pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    return path.read_bytes()


def contents(folder: str | Path = ".") -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


def manifest(folder: str = "explanations") -> dict[str, Any]:
    return json.loads(Path(folder, "manifest.json").read_text("utf-8"))


def explain(model: str, *arguments: str, out: str = "explanations") -> int:
    return main(["explain", model, *arguments, "--out", out, "--class", "1"])


def refused(
    capsys: pytest.CaptureFixture[str], model: str, *arguments: str, out: str = "explanations"
) -> str:
    """Run what must be refused and change nothing; give the one line of error."""
    capsys.readouterr()
    before = contents()
    assert explain(model, *arguments, out=out) == 2
    assert contents() == before
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    return captured.err.removeprefix("kerascam: error: ").removesuffix("\n")


# ------------------------------------------------------------------------- photographs stay


@pytest.mark.parametrize("images", wide([["**/*"]], [["."], ["*.png", "*.jpg"], ["**/*"]]), ids=str)
def test_photos_survive_runs_in_their_own_folder(
    model: str, folder: Path, images: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    photos = {name: draw(name) for name in ("a.png", "b.png", "c.jpg")}
    for count in range(3):
        assert explain(model, *images, out=".") == 0
        kept = contents()
        assert {name: kept[name] for name in photos} == photos
        assert set(kept) == {*photos, "index.html", "manifest.json", *(
            f"{stem}.grad_cam.class-1.png" for stem in "abc")}  # fmt: skip
        assert [row["image"] for row in manifest(".")["explanations"]] == list(photos)
        passed = [each["reason"] for each in manifest(".")["passed_over"]]
        assert passed == (3 if count else 0) * ["a picture that kerascam wrote"]
    assert "skipped 3 images: a.grad_cam.class-1.png, b.grad" in capsys.readouterr().err


def test_the_pictures_of_a_result_that_are_named_themselves_are_refused(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("a.png")
    assert explain(model, "a.png", out=".") == 0
    picture = "a.grad_cam.class-1.png"
    os.link(picture, "hard.png")
    Path("soft.png").symlink_to(picture)
    for name in (picture, "hard.png", "soft.png"):
        error = refused(capsys, model, "a.png", name, out=".")
        assert error == (f"{name} belongs to the earlier result in --out ., which this run would "
                         f"replace: give another --out, or leave it out")  # fmt: skip
    Path("soft").symlink_to(".")
    assert "belongs to the earlier result" in refused(capsys, model, f"soft/{picture}", out="soft")
    assert explain(model, picture) == 0, "in another folder nothing is in the way"


def test_an_image_with_a_name_that_an_output_may_get_is_refused(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("a.png"), draw("out/A.grad_cam.mine.png"), draw("real/a.grad_cam.png")
    error = refused(capsys, model, "a.png", "out/A.grad_cam.mine.png", out="out")
    assert error == (
        "out/A.grad_cam.mine.png has a name that this run may give to a picture of a.png in "
        "--out out: give another --out, or leave it out"
    )
    Path("linked").symlink_to("out")
    assert "may give to a picture of a.png" in refused(
        capsys, model, "a.png", "linked/A.grad_cam.mine.png", out="out"
    )
    assert explain(model, "a.png", "real/a.grad_cam.png", out="real") == 0


def test_class_names_that_the_manifest_would_replace_are_refused(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("a.png")
    Path("out").mkdir()
    Path("out/manifest.json").write_text('["cat", "dog", "fox"]')
    arguments = ["a.png", "--class-names", "out/manifest.json"]
    assert "holds a manifest.json that kerascam did not write" in refused(
        capsys, model, *arguments, out="out"
    )


@pytest.mark.parametrize("kind", ["photo", "link", "folder"])
def test_what_has_an_output_s_name_fails_alone_and_stays(
    model: str, folder: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("a.png"), draw("b.png")
    theirs = Path("explanations/a.grad_cam.class-1.png")
    photo = draw("mine/a.png")
    if kind == "photo":
        draw(str(theirs))
    elif kind == "folder":
        theirs.mkdir(parents=True)
    else:
        theirs.parent.mkdir()
        theirs.symlink_to("../mine/a.png")
    before = contents()
    assert explain(model, "a.png", "b.png") == 1
    after = contents()
    assert {name: after[name] for name in before} == before and photo == after["mine/a.png"]
    assert os.path.lexists(theirs) and theirs.is_symlink() == (kind == "link")
    assert [row["image"] for row in manifest()["explanations"]] == ["b.png"]
    (failure,) = manifest()["failures"]
    assert failure["image"] == "a.png"
    assert "'a.grad_cam.class-1.png', which kerascam did not write" in failure["reason"]
    assert "a.png: --out 'explanations' holds" in capsys.readouterr().err


# --------------------------------------------------------------------------------- manifests


@pytest.mark.parametrize(
    "text",
    [
        "of somebody else", "", "[" * 200_000, '{"a":' * 100_000, "[]", "null",
        '{"explanations": [{"file": "a.png", "image": "b.png"}]}',
        '{"format": "kerascam folder 99", "explanations": []}',
    ],
    ids=range(8),
)  # fmt: skip
def test_a_manifest_of_somebody_else_is_refused_before_any_work(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    draw("a.png"), draw("explanations/b.png")
    Path("explanations/manifest.json").write_text(text)
    error = refused(capsys, "no such model.keras", "a.png")
    assert error == (
        "--out 'explanations' holds a manifest.json that kerascam did not write: give another "
        "folder, or move that file and what belongs to it"
    )


def test_a_manifest_of_an_older_version_is_refused_as_such(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("a.png"), draw("explanations/a.grad_cam.class-1.png")
    old = {"kerascam": "0.1.0", "explanations": [{"file": "a.grad_cam.class-1.png"}]}
    Path("explanations/manifest.json").write_text(json.dumps(old))
    error = refused(capsys, model, "a.png")
    assert "of an older kerascam, whose pictures are not marked as its own: give another" in error


def test_a_manifest_cannot_have_files_of_the_user_removed(model: str, folder: Path) -> None:
    draw("a.png"), draw("explanations/photo.png"), draw("outside.png")
    write_png("ours.png", np.zeros((4, 4), np.uint8))
    Path("explanations/link.png").symlink_to("../ours.png")
    before = contents()
    names = ["photo.png", "../outside.png", "../ours.png", str(folder / "ours.png"), "link.png",
             "..", "", "a\0b.png", 3, None, {"file": "photo.png"}, "C:ours.png"]  # fmt: skip
    rows = [{"file": name, "image": "photo.png", "class_name": "photo.png"} for name in names]
    hostile = {"format": FORMAT, "kerascam": "0.1.0", "explanations": [*rows, 7, ["photo.png"]]}
    Path("explanations/manifest.json").write_text(json.dumps(hostile))
    assert explain(model, "a.png") == 0
    after = contents()
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {
        "explanations/a.grad_cam.class-1.png", "explanations/index.html",
        "explanations/manifest.json",
    }  # fmt: skip
    assert Path("explanations/link.png").is_symlink()


def test_a_result_stays_if_none_comes_in_its_place(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("a.png"), Path("b.png").write_text("no image")
    assert explain(model, "a.png") == 0
    before = contents()
    assert explain(model, "b.png") == 1
    assert contents() == before
    assert capsys.readouterr().err.endswith(
        "kerascam: no pictures; the earlier result in explanations stays\n"
    )


def test_a_killed_run_can_be_run_again(model: str, folder: Path) -> None:
    draw("a.png"), draw("b.png")
    assert explain(model, "a.png", "b.png") == 0
    whole = contents()
    for left in (["a"], ["a", "b"]):  # a run that was killed before its manifest
        Path("explanations/manifest.json").unlink()
        for stem in {"a", "b"} - set(left):
            Path(f"explanations/{stem}.grad_cam.class-1.png").unlink()
        assert explain(model, "a.png", "b.png") == 0
        assert contents() == whole


# ------------------------------------------------------------------------------ large pictures


def test_overlays_are_bounded_unless_told(model: str, folder: Path) -> None:
    draw("wide.png", 30, 3000)
    for arguments, size in (
        ([], (20, 2048)), (["--overlay-side", "100"], (1, 100)),
        (["--overlay-side", "full"], (30, 3000)),
    ):  # fmt: skip
        assert explain(model, "wide.png", *arguments) == 0
        (row,) = manifest()["explanations"]
        assert cv2.imread(f"explanations/{row['file']}").shape[:2] == size


def test_bombs_fail_alone_and_the_limit_can_be_raised(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("a.png"), draw("z.png")
    Path("bomb.ppm").write_bytes(b"P6 30000 30000 255\n" + bytes(100))
    assert explain(model, ".") == 1
    assert [row["image"] for row in manifest()["explanations"]] == ["a.png", "z.png"]
    assert "bomb.ppm: claims 30000x30000 = 900,000,000 pixels" in capsys.readouterr().err
    assert explain(model, "a.png", "--max-pixels", "239") == 1
    assert "claims 20x12 = 240 pixels, more than the 239 that" in capsys.readouterr().err
    assert explain(model, "a.png", "--max-pixels", "240") == 0


def test_memory_that_does_not_suffice_is_one_photo_s_failure(
    model: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kerascam import pictures
    from kerascam.explain.explanation import Explanation

    for name in ("read.png", "resize.png", "drawing.png", "good.png"):
        draw(name, width=20 + len(name))
    read, shrink, overlay = pictures.read_photo, pictures.shrink, Explanation.overlay

    def short_of(taken: Any, width: int) -> None:
        if taken.shape[-2] == width:
            raise MemoryError

    def short_reading(path: Path, how: Any) -> Any:
        if path.name == "read.png":
            raise pictures.BadPhotoError(pictures.OUT_OF_MEMORY)
        return read(path, how)

    def shrinking(photo: np.ndarray, side: int | None) -> np.ndarray:
        short_of(photo, 30)
        return shrink(photo, side)

    def drawing(self: Explanation, photo: np.ndarray, **style: Any) -> np.ndarray:
        short_of(photo, 31)
        return overlay(self, photo, **style)

    monkeypatch.setattr(pictures, "read_photo", short_reading)
    monkeypatch.setattr(pictures, "shrink", shrinking)
    monkeypatch.setattr(Explanation, "overlay", drawing)
    assert explain(model, "read.png", "resize.png", "drawing.png", "good.png") == 1
    assert [row["image"] for row in manifest()["explanations"]] == ["good.png"]
    assert manifest()["failures"] == [
        {"image": name, "reason": "out of memory: it is too large for this machine"}
        for name in ("read.png", "resize.png", "drawing.png")
    ]


def test_twelve_bits_are_noted_and_scaled(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = np.random.default_rng(3).integers(0, 4096, (8, 8, 3)).astype(np.uint16)
    for name in ("a.png", "b.png"):
        Path(name).write_bytes(cv2.imencode(".png", values)[1].tobytes())
    assert explain(model, "a.png", "b.png") == 0
    error = capsys.readouterr().err
    assert error.count("no value above 4095, as in 12 bits, and looks dark: --depth 12") == 1
    assert any("--depth 12" in note for note in manifest()["explanations"][1]["notes"])
    dark = manifest()["explanations"][0]["score"]
    assert explain(model, "a.png", "--depth", "12") == 0
    assert "--depth" not in capsys.readouterr().err
    bright = manifest()["explanations"][0]["score"]
    Path("c.png").write_bytes(cv2.imencode(".png", (values >> 4).astype(np.uint8))[1].tobytes())
    assert explain(model, "c.png") == 0
    assert manifest()["explanations"][0]["score"] == bright != dark


# --------------------------------------------------------------------------------- passed over


def test_what_is_passed_over_is_said_on_the_terminal_and_in_the_manifest(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("photos/a.png"), Path("photos/b.psd").touch(), Path("photos/c.jpg").mkdir()
    assert explain(model, "photos") == 0
    assert (
        "kerascam: note: skipped 2 images: b.psd (.psd files are not read); c.jpg (a folder)\n"
    ) in capsys.readouterr().err
    assert manifest()["passed_over"] == [
        {"image": "photos/b.psd", "reason": ".psd files are not read"},
        {"image": "photos/c.jpg", "reason": "a folder"},
    ]
    Path("photos/a.png").unlink()
    error = refused(capsys, model, "photos")
    assert error == ("photos: no images in this folder; skipped 2 images: b.psd (.psd files "
                     "are not read); c.jpg (a folder)")  # fmt: skip


def test_avif_of_a_turned_camera_is_drawn_upright(model: str, folder: Path) -> None:
    pytest.importorskip("PIL._avif")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((16, 32, 3), np.uint8)).save("a.avif", exif=exif)
    assert explain(model, ".") == 0
    (row,) = manifest()["explanations"]
    assert cv2.imread(f"explanations/{row['file']}").shape == (32, 16, 3)

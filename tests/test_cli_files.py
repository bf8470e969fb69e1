"""Files that the command line reads and names: images, class_names, models, pictures."""

import os
from pathlib import Path

import numpy as np
import pytest

from kerascam.cli import images, plan
from kerascam.cli.gallery import FileNames, slug
from kerascam.cli.images import Photo, batches
from kerascam.model import preprocessing_of
from kerascam.pictures.pixels import write_png


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


# ------------------------------------------------------------------------------- finding images


def test_folder_gives_its_own_images_sorted(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("b.PNG", "a.jpg", ".c.png", "notes.txt", "deep/d.png")))
    found = images.find_images([str(tmp_path)])
    assert [path.name for path in found.files] == ["a.jpg", "b.PNG"]
    assert (found.missing, found.passed_over) == ((), ())


def test_pattern_searches_folders_within(tmp_path: Path) -> None:
    touch(tmp_path / "a.png", tmp_path / "deep" / "b.png", tmp_path / "deep" / "b.txt")
    found = images.find_images([str(tmp_path / "**" / "*")])
    assert [path.relative_to(tmp_path).as_posix() for path in found.files] == [
        "a.png",
        "deep/b.png",
    ]


def test_a_file_is_taken_once_and_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path / "a.png", tmp_path / "b[1].dat")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    names = ["b[1].dat", "a.png", "./a.png", "*.png", "link.png", "."]
    found = images.find_images([str(tmp_path / name) for name in names])
    assert [path.name for path in found.files] == ["b[1].dat", "a.png"]
    assert (found.missing, found.passed_over) == ((), ())


def test_what_names_no_image_is_told_with_the_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    reasons = {
        ".": "no images in this folder",
        "cat.png": "no such file",
        "*.png": "no images match this pattern",
        "fifo": "neither a file nor a folder",
        "nowhere": "a broken link",
        "x" * 300: "file name too long",
    }
    found = images.find_images([str(tmp_path / name) for name in reasons])
    assert found.files == ()
    assert found.missing == tuple((str(tmp_path / name), why) for name, why in reasons.items())


@pytest.mark.parametrize("by", [".", "*", "**/*"])
def test_what_is_passed_over_is_told_with_the_reason(tmp_path: Path, by: str) -> None:
    names = ["a.png", "b.CR2", "c.svg", "d.jxl", ".e.psd", "notes.txt", "photos.jpg/own.txt"]
    touch(*(tmp_path / name for name in names))
    (tmp_path / "link.jpg").symlink_to(tmp_path / "gone.jpg")
    os.mkfifo(tmp_path / "pipe.png")
    write_png(tmp_path / "ours.png", np.zeros((4, 4), np.uint8))
    found = images.find_images([str(tmp_path / by)])
    assert [path.name for path in found.files] == ["a.png"]
    assert {path.name: why for path, why in found.passed_over} == {
        "b.CR2": "camera raw files are not read: develop them first",
        "c.svg": ".svg files are not read",
        "d.jxl": ".jxl files are not read",
        "photos.jpg": "a folder",
        "link.jpg": "a broken link",
        "pipe.png": "neither a file nor a folder",
        "ours.png": "a picture that kerascam wrote",
    }


def test_a_file_that_is_named_itself_is_never_passed_over(tmp_path: Path) -> None:
    touch(tmp_path / "a.svg")
    write_png(tmp_path / "ours.png", np.zeros((4, 4), np.uint8))
    found = images.find_images([str(tmp_path / "a.svg"), str(tmp_path / "ours.png")])
    assert [path.name for path in found.files] == ["a.svg", "ours.png"]


def test_what_is_passed_over_is_counted_and_named() -> None:
    paths = [(Path(f"photos/{place}.psd"), ".psd files are not read") for place in range(1000)]
    paths.append((Path("photos/x.jpg"), "a broken link"))
    assert images.passed_over_words(paths) == (
        "skipped 1001 images: 0.psd, 1.psd, 2.psd and 997 more (.psd files are not read); "
        "x.jpg (a broken link)"
    )
    assert images.passed_over_words([]) == ""


def test_file_name_of_any_bytes_can_be_shown() -> None:
    assert images.shown("caf\udce9.png") == "caf\ufffd.png"


# ------------------------------------------------------------------------------- preprocessing


def test_preprocessing_scales() -> None:
    pixels = np.array([0, 51, 255], np.float32).reshape(1, 1, 1, 3)
    assert preprocessing_of("none")(pixels) is pixels
    np.testing.assert_allclose(preprocessing_of("0-1")(pixels).ravel(), [0, 0.2, 1])
    np.testing.assert_allclose(preprocessing_of("-1-1")(pixels).ravel(), [-1, -0.6, 1])
    caffe = preprocessing_of("resnet50")(pixels).ravel()
    np.testing.assert_allclose(caffe, [255 - 103.939, 51 - 116.779, 0 - 123.68], rtol=1e-5)
    assert pixels.ravel().tolist() == [0, 51, 255], "Keras preprocesses in place"


def test_preprocessing_has_near_misses() -> None:
    with pytest.raises(ValueError, match="preprocess has no 'ResNet50'; did you mean resnet50"):
        preprocessing_of("ResNet50")
    with pytest.raises(ValueError, match="give one of: none, 0-1, -1-1, convnext, densenet"):
        preprocessing_of("qqq")


# -------------------------------------------------------------------------------------- class_names


@pytest.mark.parametrize(
    "text",
    [
        "tench\ngoldfish\n\n",
        "\ufefftench\r\n goldfish ",
        '["tench", "goldfish"]',
        '{"1": "goldfish", "0": "tench"}',
        '{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}',
    ],
)
def test_class_names_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "names"
    path.write_bytes(text.encode())
    assert plan.read_class_names(str(path)) == ["tench", "goldfish"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b" \n", "no class names in this file"),
        (b"[]", "no class names in this file"),
        (b"tench\n\ngoldfish", "name 2 of 3 is empty"),
        (b"\xff\xfe\x00", "not a UTF-8 text file"),
        (b'["tench"', "not valid JSON"),
        (b'{"1": "tench"}', 'the keys must be "0" to "0"; one is \'1\''),
        (b"[1]", "a class name must be text, not 1"),
    ],
)
def test_bad_class_names_say_why(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "names"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        plan.read_class_names(str(path))


def test_class_by_name_or_index() -> None:
    class_names = ["tench", "1", "Goldfish"]
    assert plan.find_class("Goldfish", class_names, 3) == 2
    assert plan.find_class("goldfish", class_names, 3) == 2
    assert plan.find_class("1", class_names, 3) == 1, "a name goes before an index"
    assert plan.find_class("2", class_names, 3) == 2
    assert plan.find_class("7", None, None) == 7


@pytest.mark.parametrize(
    ("text", "class_names", "message"),
    [
        ("3", None, "--class must be from 0 to 2, not 3"),
        ("-1", None, "--class must be from 0 to 2, not -1"),
        ("tench", None, "--class 'tench' is a name: give the class names with --class-names"),
        ("tensh", ["tench", "cat", "dog"], "did you mean 'tench'?"),
        (
            "xyz",
            ["tench", "cat", "dog"],
            "'xyz', which is not one of the class names; see --class-names",
        ),
    ],
)
def test_wrong_class_says_why(text: str, class_names: list[str] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan.find_class(text, class_names, 3)


# ------------------------------------------------------------------------------- picture names


def test_pictures_have_names_of_their_own() -> None:
    paths = [Path(name) for name in ("a/cat.png", "b/Cat.jpg", "c/cat-2.png", "d/cat.png")]
    names = FileNames(paths, ["crane", "Egyptian cat", "crane", "?"])
    stems = [names.picture(path, "cam", 1, "Egyptian cat") for path in paths]
    assert stems == [
        f"{stem}.cam.egyptian-cat.png" for stem in ("cat", "Cat-2", "cat-2-2", "cat-3")
    ]
    assert names.picture(paths[0], "cam", 0, "crane") == "cat.cam.crane-0.png"
    assert names.picture(paths[0], "cam", 2, "crane") == "cat.cam.crane-2.png"
    assert names.picture(paths[0], "cam", 3, "?") == "cat.cam.3.png"


def test_pictures_have_names_of_their_own_whatever_the_classes() -> None:
    class_names = ["cat", "cat", "cat 1", "Cat!", "class 9", "", "?", "cat-0"]
    names = FileNames([Path("a.png")], class_names)
    all_names = [*class_names, "class 8", "class 9", "class 10"]
    given = [
        names.picture(Path("a.png"), "cam", place, name) for place, name in enumerate(all_names)
    ]
    assert len(set(given)) == len(given), given


def test_names_that_some_file_system_takes_for_one_are_told_apart() -> None:
    paths = [Path("a/\u00e9.png"), Path("b/e\u0301.png"), Path("c/\u00c9.png")]
    names = FileNames(paths)
    stems = [names.picture(path, "cam", 0, "class 0").split(".")[0] for path in paths]
    assert stems == ["\u00e9", "e\u0301-2", "\u00c9-3"]


def test_a_picture_s_name_is_one_line_and_one_name() -> None:
    path = Path("a\n\x1b[31m\\b:c?.png")
    name = FileNames([path]).picture(path, "cam", 0, "class 0")
    assert not set(name) & set('\n\x1b\\:?*<>|"/') and name.endswith(".cam.class-0.png")


def test_a_name_that_a_picture_may_get_is_known() -> None:
    names = FileNames([Path("cat.png"), Path("x/a.b.jpg")])
    assert names.image_of("Cat.cam.fox.PNG", ["cam"]) == Path("cat.png")
    assert names.image_of("a.b.cam.fox.png", ["grad_cam", "cam"]) == Path("x/a.b.jpg")
    for other in ("cat.png", "cat.grad_cam.fox.png", "cat.cam.fox.jpg"):
        assert names.image_of(other, ["cam"]) is None


def test_slug_is_a_file_name() -> None:
    assert slug("class 7") == "class-7"
    assert slug("../..\\a:b*") == "a-b"
    assert slug("\u732b\u3068\u72ac") == "\u732b\u3068\u72ac"
    assert len(slug("\u732b" * 200).encode()) <= 80


# ------------------------------------------------------------------------------------- batches


def photo(place: int, *shape: int) -> Photo:
    values = np.zeros((*shape, 3), np.uint8)
    return Photo(place, Path(str(place)), values, values)


def places(sizes: list[int], size: int) -> list[list[int]]:
    stream = (photo(place, side, side) for place, side in enumerate(sizes))
    return [[each.place for each in batch] for batch in batches(stream, size)]


def test_batches_have_one_size() -> None:
    assert places([5, 6, 5, 5, 6, 7], 2) == [[0, 2], [1, 4], [3], [5]]


def test_few_photos_wait_in_memory() -> None:
    stream = (photo(place, place + 1, 1) for place in range(19))
    given = batches(stream, 2)
    assert [each.place for each in next(given)] == [0]
    assert next(stream).place == 8, "four batches of two were read before the first went"


def test_large_photos_do_not_wait_in_memory() -> None:
    stream = (photo(place, 10, 10) for place in range(19))  # of 600 bytes each
    assert [each.place for each in next(batches(stream, 8, 1500))] == [0, 1, 2]
    assert next(stream).place == 3
    alone = [len(batch) for batch in batches((photo(place, 30, 30) for place in range(3)), 8, 1500)]
    assert alone == [1, 1, 1]

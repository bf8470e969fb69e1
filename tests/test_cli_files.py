"""Files that the command line reads and names: images, labels, models, pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from kerascam import preprocessing
from kerascam.cli import classes, form, images, photos
from kerascam.cli.batches import Photo, batches
from kerascam.cli.filenames import FileNames, slug


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


# ------------------------------------------------------------------------------- finding images


def test_folder_gives_its_own_images_sorted(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("b.PNG", "a.jpg", ".c.png", "notes.txt", "deep/d.png")))
    found, missing = images.find_images([str(tmp_path)])
    assert [path.name for path in found] == ["a.jpg", "b.PNG"]
    assert missing == []


def test_pattern_searches_folders_within(tmp_path: Path) -> None:
    touch(tmp_path / "a.png", tmp_path / "deep" / "b.png", tmp_path / "deep" / "b.txt")
    found, _ = images.find_images([str(tmp_path / "**" / "*")])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.png", "deep/b.png"]


def test_a_file_is_taken_once_and_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path / "a.png", tmp_path / "b[1].dat")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    names = ["b[1].dat", "a.png", "./a.png", "*.png", "link.png", "."]
    found, missing = images.find_images([str(tmp_path / name) for name in names])
    assert [path.name for path in found] == ["b[1].dat", "a.png"]
    assert missing == []


def test_what_names_no_image_is_told_with_the_reason(tmp_path: Path) -> None:
    names = [str(tmp_path), str(tmp_path / "cat.png"), str(tmp_path / "*.png")]
    found, missing = images.find_images(names)
    reasons = ["no images in this folder", "no such file", "no images match this pattern"]
    assert (found, missing) == ([], list(zip(names, reasons, strict=True)))


def test_file_name_of_any_bytes_can_be_shown() -> None:
    assert images.shown("caf\udce9.png") == "caf\ufffd.png"


# ------------------------------------------------------------------------------- reading photos

COLORS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3


def write_photo(path: Path, bgr: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(path.suffix, bgr)[1].tobytes())
    return path


def test_photo_is_rgb(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "caf\u00e9 \u732b.png", COLORS[..., ::-1])
    np.testing.assert_array_equal(photos.read(path), COLORS)


def test_grey_becomes_rgb_and_alpha_is_dropped(tmp_path: Path) -> None:
    grey = photos.read(write_photo(tmp_path / "grey.png", COLORS[..., 0]))
    np.testing.assert_array_equal(grey, np.repeat(COLORS[..., :1], 3, -1))
    alpha = np.zeros((4, 6, 1), np.uint8)
    clear = photos.read(write_photo(tmp_path / "a.png", np.dstack([COLORS[..., ::-1], alpha])))
    np.testing.assert_array_equal(clear, COLORS)


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "deep.png", COLORS[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(photos.read(path), COLORS)


def test_photo_stands_upright(tmp_path: Path) -> None:
    picture = np.zeros((16, 32, 3), np.uint8)
    picture[:, 16:] = 255
    plain = cv2.imencode(".jpg", picture)[1].tobytes()
    tiff = b"MM\0*\0\0\0\x08" + b"\0\x01" + b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" + bytes(4)
    app1 = b"Exif\0\0" + tiff  # orientation 6: turn it a quarter clockwise to see it
    path = tmp_path / "turned.jpg"
    path.write_bytes(
        plain[:2] + b"\xff\xe1" + (len(app1) + 2).to_bytes(2, "big") + app1 + plain[2:]
    )
    upright = photos.read(path)
    assert upright.shape == (32, 16, 3)
    assert upright[:12].max() < 20 and upright[-12:].min() > 235


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello", "not an image, or a damaged one"),
        (cv2.imencode(".png", COLORS)[1].tobytes()[:-30], "not an image, or a damaged one"),
    ],
)
def test_bad_photo_says_why(
    tmp_path: Path, content: bytes, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(photos.BadPhotoError, match=reason):
        photos.read(path)
    assert capfd.readouterr().err == "", "OpenCV and libpng print errors of their own"


def test_missing_photo_says_why(tmp_path: Path) -> None:
    with pytest.raises(photos.BadPhotoError, match="no such file or directory"):
        photos.read(tmp_path / "gone.png")


def test_crop_is_the_middle_at_full_resolution() -> None:
    photo = np.arange(4 * 10, dtype=np.uint8).reshape(4, 10, 1)
    np.testing.assert_array_equal(photos.crop(photo, (224, 224)), photo[:, 3:7])
    np.testing.assert_array_equal(photos.crop(photo, (1, 10)), photo[1:2])


def test_resize_takes_the_mean_where_a_side_shrinks_and_grows_bilinearly() -> None:
    photo = np.array([[0, 10, 100, 110]], np.uint8)[..., None]
    assert photos.resize(photo, (1, 2))[0, :, 0].tolist() == [5, 105]
    # One side shrinks and the other grows: the mean over the columns, repeated in the rows.
    assert photos.resize(photo, (3, 2))[..., 0].tolist() == [[5, 105]] * 3
    assert photos.resize(photo[:, 1:3], (1, 4))[0, :, 0].tolist() == [10, 33, 78, 100]


def test_form_fits_a_photo() -> None:
    rgb = form.ImageForm((2, 2), 3, False)
    seen, values = rgb.fit(COLORS, "crop")
    np.testing.assert_array_equal(seen, COLORS[:, 1:5])
    np.testing.assert_array_equal(values, photos.resize(COLORS[:, 1:5], (2, 2)))
    seen, values = rgb.fit(COLORS, "stretch")
    np.testing.assert_array_equal(seen, COLORS)
    np.testing.assert_array_equal(values, photos.resize(COLORS, (2, 2)))
    _, values = form.ImageForm((None, None), 1, False).fit(COLORS, "crop")
    luminance = COLORS.astype(float) @ [0.299, 0.587, 0.114]
    assert values.shape == (4, 6, 1)
    assert np.abs(values[..., 0] - luminance).max() <= 0.51


# ------------------------------------------------------------------------------- preprocessing


def test_preprocessing_scales() -> None:
    pixels = np.array([0, 51, 255], np.float32).reshape(1, 1, 1, 3)
    assert preprocessing.preprocessing("none")(pixels) is pixels
    np.testing.assert_allclose(preprocessing.preprocessing("0-1")(pixels).ravel(), [0, 0.2, 1])
    np.testing.assert_allclose(preprocessing.preprocessing("-1-1")(pixels).ravel(), [-1, -0.6, 1])
    caffe = preprocessing.preprocessing("resnet50")(pixels).ravel()
    np.testing.assert_allclose(caffe, [255 - 103.939, 51 - 116.779, 0 - 123.68], rtol=1e-5)
    assert pixels.ravel().tolist() == [0, 51, 255], "Keras preprocesses in place"


def test_preprocessing_has_near_misses() -> None:
    with pytest.raises(ValueError, match="preprocess has no 'ResNet50'; did you mean resnet50"):
        preprocessing.preprocessing("ResNet50")
    with pytest.raises(ValueError, match="give one of: none, 0-1, -1-1, convnext, densenet"):
        preprocessing.preprocessing("qqq")


# -------------------------------------------------------------------------------------- labels


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
def test_labels_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels"
    path.write_bytes(text.encode())
    assert classes.read_labels(str(path)) == ["tench", "goldfish"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b" \n", "no class names in this file"),
        (b"[]", "no class names in this file"),
        (b"tench\n\ngoldfish", "name 2 of 3 is empty"),
        (b"\xff\xfe\x00", "not a UTF-8 text file"),
        (b'["tench"', "not valid JSON"),
        (b'{"1": "tench"}', 'the keys must be "0" to "0"; one is \'1\''),
        (b"[1]", "a class name must be a text, not 1"),
    ],
)
def test_bad_labels_say_why(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "labels"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        classes.read_labels(str(path))


def test_class_by_name_or_index() -> None:
    labels = ["tench", "1", "Goldfish"]
    assert classes.find_class("Goldfish", labels, 3) == 2
    assert classes.find_class("goldfish", labels, 3) == 2
    assert classes.find_class("1", labels, 3) == 1, "a name goes before an index"
    assert classes.find_class("2", labels, 3) == 2
    assert classes.find_class("7", None, None) == 7


@pytest.mark.parametrize(
    ("text", "labels", "message"),
    [
        ("3", None, "--class must be from 0 to 2, not 3"),
        ("-1", None, "--class must be from 0 to 2, not -1"),
        ("tench", None, "--class 'tench' is a name: give the class names with --labels"),
        ("tensh", ["tench", "cat", "dog"], "did you mean 'tench'?"),
        ("xyz", ["tench", "cat", "dog"], "'xyz', which is not one of the labels; see --labels"),
    ],
)
def test_wrong_class_says_why(text: str, labels: list[str] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classes.find_class(text, labels, 3)


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

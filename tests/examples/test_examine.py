import hashlib

import cv2
import numpy as np
import pytest
import tensorflow as tf

from scene_classification.data.batches import decode
from scene_classification.data.examine import Examined, examine
from scene_classification.data.folder import Scenes, Split


def picture(number, height=8, width=8):
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)


def encoded(image, suffix=".png", *options):
    return cv2.imencode(suffix, image, options)[1].tobytes()


def look(*paths):
    none = Split((), np.zeros(0, np.int64))
    train = Split(paths, np.zeros(len(paths), np.int64))
    return examine(Scenes(paths[0].parent, ("sea",), train, none, none))


PHOTO = cv2.GaussianBlur(picture(0, 48, 40), (0, 0), 2)
JPEG, PNG = encoded(PHOTO, ".jpg"), encoded(PHOTO)
# Smallest GIF with a palette: one black pixel.
GIF = bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")
ALPHA = np.dstack([PHOTO, PHOTO[..., 0]])
FILES = {
    "sound.jpg": JPEG,
    "progressive.jpg": encoded(PHOTO, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "gray.jpg": encoded(PHOTO[..., 0], ".jpg"),
    "more_behind.jpg": JPEG + b"more",
    "gif.jpg": GIF,
    "png.jpg": PNG,
    "sixteen_bits.png": encoded(PHOTO.astype(np.uint16) * 257),
    "transparent.png": encoded(ALPHA),
    "gray.png": encoded(PHOTO[..., 0]),
    "sound.bmp": encoded(PHOTO, ".bmp"),
    "sound.webp": encoded(PHOTO, ".webp"),
    "empty.jpg": b"",
    "text.jpg": b"<html>404 Not Found</html>",
    "tiff.jpg": encoded(PHOTO, ".tiff"),
    "cut_in_the_middle.jpg": JPEG[: len(JPEG) // 2],
    "cut_near_the_end.jpg": JPEG[: 9 * len(JPEG) // 10],
    "without_end.jpg": JPEG[:-2],
    "header_only.jpg": JPEG[:20],
    "cut.png": PNG[: len(PNG) // 2],
    "garbled.png": PNG[:60] + bytes(40) + PNG[100:],
}
READABLE = set(list(FILES)[:11])


@pytest.mark.parametrize("name", FILES)
def test_readable_is_what_training_can_decode(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    [file] = look(path)
    try:
        decode(str(path), 16)
    except tf.errors.OpError:
        assert name not in READABLE
        assert file.size is None and not file.pixels
        assert file.error and "{{" not in file.error and "Op:" not in file.error
    else:
        assert name in READABLE
        assert file.size == ((1, 1) if name == "gif.jpg" else (48, 40)) and not file.error


def test_what_is_no_file_is_unreadable(tmp_path):
    folder, link = tmp_path / "folder.jpg", tmp_path / "link.jpg"
    folder.mkdir()
    link.symlink_to("nowhere")
    reasons = [file.error for file in look(folder, link)]
    assert reasons == ["Is a directory", "No such file or directory"]


def test_a_digest_is_of_size_and_pixels(tmp_path):
    image, path = picture(1, 6, 9), tmp_path / "image.png"
    path.write_bytes(encoded(image[..., ::-1]))
    digest = hashlib.sha256(b"(6, 9)" + image.tobytes()).hexdigest()
    assert look(path) == (Examined(path, "train", 0, (6, 9), digest),)

"""What a server does with requests that do not fit: each is refused in a sentence, none ends it."""

import io
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from ask_in_session import Served, ask, exported
from keras import layers
from PIL import Image

from kerascam import GradCAM
from kerascam.exporting.limits import Limits

SIZE = (12, 16)
LIMITS = Limits(pixels=50_000_000, request_pixels=200_000_000, files=128)


def files(*data: bytes) -> np.ndarray:
    return np.array(data, object)


def saved(kind: str, size: tuple[int, int] = (20, 10), mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 90).save(buffer, kind, **options)
    return buffer.getvalue()


def photo() -> bytes:
    values = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    return cv2.imencode(".png", values)[1].tobytes()


# ------------------------------------------------------------------------------------- the shapes


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models of one size, live and frozen, of any size, of 3-D volumes and of two inputs."""
    keras.utils.set_random_seed(3)
    base = tmp_path_factory.mktemp("exports")

    def classified(inputs: Any, features: Any, pool: Any) -> keras.Model:
        return keras.Model(inputs, layers.Dense(3, "softmax")(pool(features)))

    def images(*shape: int | None) -> keras.Model:
        inputs = keras.Input(shape)
        features = layers.Conv2D(4, 3, activation="relu")(inputs)
        return classified(inputs, features, layers.GlobalAveragePooling2D())

    volume = keras.Input((6, 7, 8, 2))
    left, right = keras.Input((*SIZE, 1), name="left"), keras.Input((*SIZE, 2), name="right")
    joined = layers.Conv2D(4, 3, activation="relu")(layers.Concatenate()([left, right]))
    models = {
        "one size": images(*SIZE, 3),
        "any size": images(None, None, 3),
        "3-D": classified(volume, layers.Conv3D(4, 3)(volume), layers.GlobalAveragePooling3D()),
        "pair": classified([left, right], joined, layers.GlobalAveragePooling2D()),
    }
    folders = {name: exported(GradCAM(model), base / name) for name, model in models.items()}
    frozen = GradCAM(models["one size"], freeze=True)
    return folders | {"frozen": exported(frozen, base / "frozen")}


def batch(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


IMAGE = r"image must have shape \(batch, 12, 16, 3\), with one or more in the batch; received shape"
CLASSES = r"class_index must have shape \(batch,\), with one or more in the batch; received shape"
FILES = r"image_bytes must have shape \(batch,\), with one or more in the batch; received shape"

#: The export, the input that is wrong and its value, and what the error says.
WRONG: list[tuple[str, str, Any, str]] = [
    *(
        (name, "image", values, IMAGE + r" \[" + " ".join(map(str, values.shape)) + r"\]")
        for name in ("one size", "frozen")
        for values in (
            np.float32([1]), np.float32([]), np.float32(1), batch(12, 16, 3), batch(2, 5, 7, 3),
            batch(1, 1, 12, 16, 3), batch(1, 12, 16, 1), batch(1, 3, 12, 16), batch(0, 12, 16, 3),
        )
    ),
    ("any size", "image", batch(1, 0, 5, 3), r"\(batch, any, any, 3\).* \[1 0 5 3\]"),
    ("any size", "image", batch(9, 9, 3), r"\(batch, any, any, 3\).* \[9 9 3\]"),
    ("3-D", "image", batch(1, 6, 7, 2), r"\(batch, 6, 7, 8, 2\).* \[1 6 7 2\]"),
    ("pair", "left", batch(2, 12, 16, 1), "right must hold as many entries as left: 2; received 1"),
    ("pair", "right", batch(1, 12, 16, 1), r"right must have shape \(batch, 12, 16, 2\)"),
    ("one size", "class_index", np.int32(1), CLASSES + r" \[\]"),
    ("one size", "class_index", np.int32([]), CLASSES + r" \[0\]"),
    ("one size", "class_index", np.int32([[1]]), CLASSES + r" \[1 1\]"),
    ("one size", "class_index", np.int32([1, 2, 1]),
     "class_index must hold 1 entry, or as many entries as image: 1; received 3"),
    ("one size", "class_index", np.int32([3]), "class_index must be from 0 to 2"),
    ("one size", "image_bytes", np.array(photo(), object), FILES + r" \[\]"),
    ("one size", "image_bytes", files(), FILES + r" \[0\]"),
    ("one size", "image_bytes", files(photo())[:, None], FILES + r" \[1 1\]"),
    ("one size", "image_bytes", files(photo(), b"junk"),
     r"image_bytes\[1\], file 2 of 2, is not a complete image file"),
    ("one size", "image_bytes", files(*[photo()] * 129),
     "image_bytes must hold at most 128 entries in one request; received 129"),
    ("one size", "index", np.int32(1), r"index must have shape \(batch,\)"),
    ("one size", "index", np.zeros(1025, np.int32), "at most 1024 entries .* received 1025"),
]  # fmt: skip


def request(name: str, wrong: str = "", value: Any = None) -> tuple[str, dict[str, Any]]:
    """A signature and what it is asked: right, but for one input."""
    if wrong == "index":
        return "manifest", {"index": value}
    images: dict[str, Any] = {
        "one size": {"image": batch(1, *SIZE, 3)},
        "frozen": {"image": batch(1, *SIZE, 3)},
        "any size": {"image": batch(1, 9, 9, 3)},
        "3-D": {"image": batch(1, 6, 7, 8, 2)},
        "pair": {"left": batch(1, *SIZE, 1), "right": batch(1, *SIZE, 2)},
    }[name]
    if wrong == "image_bytes":
        return "explain_bytes", {wrong: value}
    return "explain", {**images, **({wrong: value} if wrong else {})}


@pytest.fixture(scope="module")
def answers(exports: dict[str, Path]) -> list[Any]:
    """All answers of one process, whose oneDNN aborts at a tensor of a wrong rank."""
    asked = [(exports[name], *request(name, wrong, value)) for name, wrong, value, _ in WRONG]
    plain = [
        (folder, signature.replace("explain", "serving_default"), sent)
        for folder, signature, sent in asked
        if signature != "manifest" and "class_index" not in sent
    ]
    good = [(folder, *request(name)) for name, folder in exports.items()]
    return ask([*asked, *plain, *good], TF_ENABLE_ONEDNN_OPTS="1", TF_CPP_MIN_LOG_LEVEL="3")


@pytest.mark.parametrize("place", range(len(WRONG)), ids=lambda place: "-".join(WRONG[place][:2]))
def test_what_does_not_fit_is_refused_in_a_sentence(place: int, answers: list[Any]) -> None:
    pattern = rf"(?s)InvalidArgumentError: .*{WRONG[place][3]}"
    assert re.match(pattern, answers[place])


def test_no_request_ends_the_process(exports: dict[str, Path], answers: list[Any]) -> None:
    plain, good = answers[len(WRONG) : -len(exports)], answers[-len(exports) :]
    assert all(answer.startswith("InvalidArgumentError: ") for answer in plain)
    assert all(answer["class_index"].shape == (1,) for answer in good)


def test_a_frozen_export_declares_the_same_shapes(exports: dict[str, Path]) -> None:
    def declared(name: str) -> dict[str, Any]:
        content = tf.saved_model.load(str(exports[name]))
        return {
            signature: {key: (out.shape.as_list(), out.dtype) for key, out in outputs.items()}
            for signature, outputs in (
                (key, function.structured_outputs) for key, function in content.signatures.items()
            )
        }

    live = declared("one size")
    assert declared("frozen") == live
    assert live["explain"]["heatmap"] == ([None, *SIZE], tf.float32)


# ------------------------------------------------------------------------ what files may hold


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(side: int, *chunks: bytes) -> bytes:
    """A PNG file's beginning: what it claims is known before its pixels come."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunks)


def progressive(scans: int, side: int = 10) -> bytes:
    """A JPEG of any number of scans: its last one, again and again."""
    data = saved("JPEG", (side, side), progressive=True)
    last = data.rindex(b"\xff\xda\0")
    return data[:-2] + data[last:-2] * (scans - data.count(b"\xff\xda\0")) + b"\xff\xd9"


PACKED = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(9)))
PACKED_TOO = chunk(b"iTXt", b"caf\xe9\0\1\0\0\0" + zlib.compress(bytes(9)))
PLAIN = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<xmp/>")
PROFILE = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(9)))
#: Such as the film that telephones append: the two bytes of a marker are in it by chance.
FILM = b"\xff\xda\x01" * 1000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([png(7072)], r"image_bytes\[0\], file 1 of 1, claims 50013184 pixels; at most 50000000"),
        ([png(9), png(8000)], r"image_bytes\[1\], file 2 of 2, claims 64000000 pixels"),
        ([png(7000)] * 5, r"the files of image_bytes, 5 in all, claim 245000000 pixels together; "
                          "at most 200000000 are allowed in one request"),
        ([progressive(101)], r"image_bytes\[0\], file 1 of 1, holds more than 100 scans"),
        ([progressive(5000)], "holds more than 100 scans"),
        ([progressive(90, 3000), png(9)] * 3, "hold 2430000000 pixels times scans together; "
                                              "at most 2400000000"),
        ([png(9, PACKED * 22, PACKED_TOO * 22, PROFILE * 22)], "more than 64 compressed texts"),
        ([png(9, *[PACKED] * 33)] * 2, "more than 64 compressed texts"),
        ([png(9, PLAIN * 1500)], "more than 64 compressed texts"),
        ([png(9)] * 129, "at most 128 entries in one request; received 129"),
        ([saved("WEBP", save_all=True, append_images=[Image.new("RGB", (20, 10))])],
         r"image_bytes\[0\], file 1 of 1, is not a complete image file: .*, without animation"),
        ([b"\x89PNG" + bytes(40)], "is not a complete image file"),
        ([b"\xff\xd8no JPEG"], "is not a complete image file"),
    ],
)  # fmt: skip
def test_files_that_cost_too_much_are_refused(data: list[bytes], message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        LIMITS.check(tf.constant(data))


@pytest.mark.parametrize(
    "data",
    [
        [png(7000)] * 4,
        [progressive(100), progressive(10, 7000)],
        [saved("JPEG") + FILM],
        [png(9, PROFILE, PACKED * 4, PLAIN)] * 16,
        [png(9, PROFILE, PLAIN)] * 128,
        [saved(kind) for kind in ("JPEG", "PNG", "WEBP")],
    ],
)
def test_files_within_the_limits_are_passed_on(data: list[bytes]) -> None:
    assert LIMITS.check(tf.constant(data)).numpy().tolist() == data


def test_the_limits_are_arguments(tmp_path: Path) -> None:
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.Flatten(),
                              layers.Dense(2, "softmax")])  # fmt: skip
    folder = exported(GradCAM(model), tmp_path, max_pixels=200, max_request_pixels=500, max_files=3)
    small, large = saved("PNG", (14, 14)), saved("PNG", (15, 14))
    served, name = Served(folder), "serving_default_bytes"
    for count in (1, 2):
        answer = served(name, image_bytes=files(*[small] * count))
        assert len(answer["class_index"]) == count
    for sent, message in (
        ([large], "claims 210 pixels; at most 200 are allowed"),
        ([small] * 3, "claim 588 pixels together; at most 500 are allowed in one request"),
        ([small] * 4, "at most 3 entries in one request; received 4"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            served(name, image_bytes=files(*sent))

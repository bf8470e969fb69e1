"""Image files of photographs: what is read of them, what is refused, and why."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from kerascam.pictures import photo_files as photos
from kerascam.pictures.photo_files import plugins

COLORS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3


def write_photo(path: Path, bgr: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(path.suffix, bgr)[1].tobytes())
    return path


def read(path: Path, **how: int) -> np.ndarray:
    return photos.read_photo(path, photos.Reading(**how))[0]


def refused(path: Path, content: bytes, **how: int) -> str:
    """Return the reason for which a file is not read."""
    path.write_bytes(content)
    with pytest.raises(photos.BadPhotoError) as caught:
        read(path, **how)
    return str(caught.value)


def by_pillow(kind: str, pixels: np.ndarray = COLORS, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size, black and whole if it is small."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 2) * min(height, 100)), 9)
    return b"".join([b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), chunk(b"IDAT", rows),
                     chunk(b"IEND", b"")])  # fmt: skip


def test_photo_is_rgb(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "caf\u00e9 \u732b.png", COLORS[..., ::-1])
    np.testing.assert_array_equal(read(path), COLORS)


def test_grey_becomes_rgb_and_alpha_is_dropped(tmp_path: Path) -> None:
    grey = read(write_photo(tmp_path / "grey.png", COLORS[..., 0]))
    np.testing.assert_array_equal(grey, np.repeat(COLORS[..., :1], 3, -1))
    alpha = np.zeros((4, 6, 1), np.uint8)
    clear = read(write_photo(tmp_path / "a.png", np.dstack([COLORS[..., ::-1], alpha])))
    np.testing.assert_array_equal(clear, COLORS)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".ppm"])
def test_sixteen_bits_become_eight(tmp_path: Path, suffix: str) -> None:
    path = write_photo(tmp_path / f"deep{suffix}", COLORS[..., ::-1].astype(np.uint16) * 257)
    pixels, note = photos.read_photo(path, photos.Reading())
    np.testing.assert_array_equal(pixels, COLORS)
    assert note is None


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("suffix", [".png", ".tiff", ".pgm"])
def test_few_bits_in_sixteen_are_told_and_scaled(tmp_path: Path, bits: int, suffix: str) -> None:
    values = np.array([[0, 2**bits // 2, 2**bits - 1]], np.uint16)
    path = write_photo(tmp_path / f"sensor{suffix}", values)
    dark, note = photos.read_photo(path, photos.Reading())
    assert dark.max() == (2**bits - 1) >> 8
    assert note is not None and f"no value above {2**bits - 1}," in note
    assert f"depth={bits} brightens it" in note
    bright, note = photos.read_photo(path, photos.Reading(depth=bits))
    assert (bright[0, :, 1].tolist(), note) == ([0, 128, 255], None)
    if bits > 8:
        reason = refused(path, path.read_bytes(), depth=8)
        assert reason == f"holds values up to {2**bits - 1}, which depth=8 cannot hold"


@pytest.mark.parametrize("values", [[0, 1, 16384], [0, 0, 0], [65535, 0, 7]], ids=str)
def test_sixteen_bits_that_are_used_are_nothing_to_tell(tmp_path: Path, values: list[int]) -> None:
    path = write_photo(tmp_path / "deep.png", np.array([values], np.uint16))
    pixels, note = photos.read_photo(path, photos.Reading())
    assert (pixels[0, :, 0].tolist(), note) == ([value >> 8 for value in values], None)


@pytest.mark.parametrize("top", [100, 1000, 4095])
def test_what_a_file_says_is_white_is_white(tmp_path: Path, top: int) -> None:
    path = tmp_path / "grey.pgm"
    values = np.array([0, top // 2, top], ">u2" if top > 255 else np.uint8)
    path.write_bytes(b"P5\n# 7 7 7\n3 1 # ours\n%d\n" % top + values.tobytes())
    pixels, note = photos.read_photo(path, photos.Reading())
    assert np.abs(pixels[0, :, 0] - np.array([0, 127.5, 255])).max() <= 3 and note is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32])
@pytest.mark.parametrize("channels", [1, 3])
def test_values_without_black_and_white_are_named(
    tmp_path: Path, dtype: type, channels: int
) -> None:
    values = cv2.imencode(".tiff", COLORS[..., :channels].astype(dtype))[1].tobytes()
    kind = "float" if np.issubdtype(dtype, np.floating) else "signed"
    reason = refused(tmp_path / "a.tif", values)
    assert reason.startswith(f"holds {np.dtype(dtype).itemsize * 8}-bit {kind} values, which do")


UPRIGHT = np.zeros((32, 64, 3), np.uint8)
UPRIGHT[:, :32], UPRIGHT[:16, 32:] = (255, 0, 0), (0, 255, 0)  # an L, alike in no other position

TURNED = {
    1: UPRIGHT, 2: UPRIGHT[:, ::-1], 3: UPRIGHT[::-1, ::-1], 4: UPRIGHT[::-1],
    5: UPRIGHT.transpose(1, 0, 2), 6: np.rot90(UPRIGHT), 7: UPRIGHT[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(UPRIGHT, -1),
}  # fmt: skip


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_photo_stands_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    if kind == "AVIF" and not plugins.reads_avif():
        pytest.skip("this Pillow reads no AVIF")
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation  # what turns the stored pixels upright
    path = tmp_path / "turned"
    stored = np.ascontiguousarray(TURNED[orientation])
    path.write_bytes(by_pillow(kind, stored, exif=exif.tobytes()))
    pixels = read(path).astype(int)
    assert pixels.shape == UPRIGHT.shape
    assert np.abs(pixels - UPRIGHT).mean() < 12, "lossy formats are near"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello", "not an image, or a damaged one"),
        (cv2.imencode(".png", COLORS)[1].tobytes()[:-30], "not an image, or a damaged one"),
        (b"\x89PNG\r\n\x1a\n", "not an image, or a damaged one"),
        (b"II*\0\x08\0\0\0", "not an image, or a damaged one"),
        (b"MM\0+" + b"\xff" * 40, "not an image, or a damaged one"),
        (png(8, 8)[:33] + b"\xff\x7f\xff\xffIDAT" + bytes(50), "not an image, or a damaged one"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "not an image, or a damaged one"),
    ],
)
def test_bad_photo_says_why(
    tmp_path: Path, content: bytes, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert refused(tmp_path / "bad.png", content) == reason
    assert capfd.readouterr().err == "", "OpenCV and libpng print errors of their own"


def test_missing_photo_says_why(tmp_path: Path) -> None:
    with pytest.raises(photos.BadPhotoError, match="no such file or directory"):
        read(tmp_path / "gone.png")


@pytest.mark.parametrize(
    ("name", "brand", "needs"),
    [("a.heic", b"heic", "HEIC needs"), ("a.jpg", b"mif1", "a HEIC image, which needs"),
     ("a.AVIF", b"avif", "AVIF needs"), ("a.png", b"avif", "an AVIF image, which needs")],
)  # fmt: skip
def test_a_missing_reader_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, brand: bytes, needs: str
) -> None:
    for reads in ("reads_heif", "reads_avif"):
        monkeypatch.setattr(plugins, reads, lambda: False)
    reason = refused(tmp_path / name, b"\0\0\0\x18ftyp" + brand + bytes(100))
    assert reason == f"{needs} pip install 'pillow>=11.3' pillow-heif"


@pytest.mark.parametrize("kind", ["a.nef", "a.DNG"])
def test_a_camera_s_raw_file_is_not_read_as_its_thumbnail(tmp_path: Path, kind: str) -> None:
    reason = refused(tmp_path / kind, by_pillow("TIFF"))
    assert reason == "camera raw files are not read: develop them first"


# ------------------------------------------------------------------------------------- bombs


def tiff(*fields: tuple[int, int]) -> bytes:
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(fields)) + entries + bytes(100)


def webp(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    small = by_pillow("WEBP", lossless=True)[12:]
    frame = bytes(6) + b"\5\0\0\3\0\0" + bytes(4) + small  # one of 6x4 pixels
    chunks = b"VP8X\x0a\0\0\0\2\0\0\0" + sides + b"ANIM\6\0\0\0" + bytes(6)
    chunks += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


BOMBS = {
    "png": png(30_000, 30_000),
    "jpeg": patched(by_pillow("JPEG"), b"\x08\0\4\0\6\3", b"\x08\x75\x30\x75\x30\3"),
    "gif": patched(by_pillow("GIF"), b"GIF87a\6\0\4\0", b"GIF87a\x30\x75\x30\x75"),
    "bmp": patched(by_pillow("BMP"), b"\6\0\0\0\4\0\0\0\1\0",
                   b"\x30\x75\0\0\x30\x75\0\0\1\0"),
    "ppm": b"P6 30000 30000 255\n" + bytes(100),
    "plain pgm": b"P2\n30000 30000\n255\n" + b"0 " * 100,
    "webp": webp(30_000, 30_000),
    "jp2": patched(by_pillow("JPEG2000"), b"ihdr\0\0\0\4\0\0\0\6",
                   b"ihdr\0\0\x75\x30\0\0\x75\x30"),
    "jp2 with two sizes": patched(by_pillow("JPEG2000"), b"\0\0\0\0\0\6\0\0\0\4" + bytes(8),
                                  b"\0\0\0\0\x75\x30\0\0\x75\x30" + bytes(8)),
    "tiff": tiff((256, 30_000), (257, 30_000), (258, 8)),
    "tiff with two widths": tiff((256, 30_000), (256, 1), (257, 30_000), (258, 8)),
    "tiff of one tile": tiff((256, 1), (257, 1), (258, 8), (322, 30_000), (323, 30_000)),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_what_claims_too_much_is_not_decoded(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imdecode", None)
    assert refused(tmp_path / "bomb", BOMBS[name]) == (
        "claims 30000x30000 = 900,000,000 pixels, more than the 50,000,000 that are allowed: "
        "max_pixels=900000000 allows it"
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "JPEG2000"])
def test_the_limit_is_the_last_size_that_is_taken(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo"
    data = by_pillow(kind)
    assert "claims 6x4 = 24 pixels, more than the 23" in refused(path, data, max_pixels=23)
    assert read(path, max_pixels=24).shape == (4, 6, 3)


def test_a_limit_above_pillow_s_own_holds(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    reason = refused(tmp_path / "bomb", BOMBS["ppm"], max_pixels=10**9)
    assert reason == "not an image, or a damaged one", "it is tried, and ends too early"
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_jpeg_of_thousands_of_scans_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = by_pillow("JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    scan, end = data[last:-2], data[-2:]
    usual = data.count(b"\xff\xda")
    path = tmp_path / "photo.jpg"
    path.write_bytes(data[:-2] + scan * (100 - usual) + end)
    assert read(path).shape == (4, 6, 3)
    monkeypatch.setattr(cv2, "imdecode", None)
    reason = refused(path, data[:-2] + scan * (5000 - usual) + end)
    assert reason.startswith("a JPEG of 5,000 scans, more than the 100 that are allowed")


def test_a_file_that_no_photograph_needs_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    with path.open("wb") as file:
        file.truncate(10**12)  # takes no space on the disk
    with pytest.raises(photos.BadPhotoError, match="a file of 1,000,000,000,000 bytes, more than"):
        read(path)


@pytest.mark.parametrize("error", [MemoryError(), cv2.error("no memory")], ids=["Python", "OpenCV"])
def test_a_photo_that_memory_does_not_hold_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def exhausted(*_: object) -> None:
        raise error

    if isinstance(error, cv2.error):
        error.code = cv2.Error.StsNoMem
    monkeypatch.setattr(cv2, "imdecode", exhausted)
    reason = refused(tmp_path / "a.png", by_pillow("PNG"))
    assert reason == "out of memory: it is too large for this machine"

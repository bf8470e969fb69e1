"""Encoded images are refused by what they would cost, before anything decodes them."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from served_model import SIDE, predict, serving

from kerascam.pictures import photo_limits
from kerascam.serving.server.images import Images, JpegError, read_jpeg
from kerascam.serving.server.limits import Limits, RequestError

SCAN = b"\xff\xda"
LIMITS = Limits(pixels=400, request_pixels=1000, scans=12, run_seconds=5)


@pytest.fixture(scope="module")
def client(one_version):
    with serving(one_version, limits=LIMITS) as client:
        yield client


def error_of(answer, status):
    assert answer.status_code == status, answer.text
    return answer.json()["error"]


def png_that_claims(width, height):
    """A PNG of a few bytes; its header says how large it would be."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"")
    chunks = [header, body, b"IEND"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


def explain(*files):
    rows = [
        {"image_bytes": {"b64": base64.b64encode(data).decode()}, "class_index": -1}
        for data in files
    ]
    return {"signature_name": "explain_bytes", "instances": rows}


def encoded(side, kind="PNG", **settings):
    file = io.BytesIO()
    Image.new("RGB", (side, side), (10, 20, 30)).save(file, kind, **settings)
    return file.getvalue()


def animation(count):
    frames = [Image.new("RGB", (10, 10), (20 * index, 0, 0)) for index in range(count)]
    return encoded(10, "WEBP", save_all=True, append_images=frames[1:])


def progressive(scans):
    """A progressive JPEG in which the last scan, of no more than zeros, is repeated."""
    data = encoded(16, "JPEG", progressive=True)
    assert data.count(SCAN) == 10
    last = data[data.rindex(SCAN) : -2]
    return data[:-2] + last * (scans - 10) + data[-2:]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (png_that_claims(21, 20), "image of 21 x 20 pixels; send at most 400"),
        (png_that_claims(9000, 9000), "image of 9000 x 9000 pixels"),
        (png_that_claims(2**31 - 1, 2**31 - 1), "2147483647 x 2147483647 pixels; send at most 400"),
        (animation(5), "image of 10 x 10 x 5 frames pixels"),
        (progressive(13), "'image_bytes' holds a JPEG of more than 12 scans; save it again with"),
    ],
)
def test_an_image_is_refused_by_what_its_header_and_markers_claim(client, data, message):
    assert message in error_of(predict(client, explain(data)), 400)


def test_an_image_of_the_largest_size_is_taken(client):
    row = predict(client, explain(encoded(20))).json()["predictions"][0]
    overlay = Image.open(io.BytesIO(base64.b64decode(row["overlay_bytes"]["b64"])))
    np.testing.assert_array_equal(np.asarray(overlay), np.full((SIDE, SIDE, 3), [10, 20, 30]))
    assert predict(client, explain(progressive(12))).status_code == 200


def test_the_images_of_a_request_are_bounded_together(client):
    assert predict(client, explain(encoded(20), encoded(20), encoded(14))).status_code == 200
    answer = predict(client, explain(encoded(20), encoded(20), encoded(15)))
    assert error_of(answer, 400) == (
        "input 'image_bytes' brings the images of this request to 1025 pixels, those of a JPEG "
        "counted once per 10 scans; send at most 1000 in one request"
    )


def test_scans_beyond_those_of_a_photograph_count_as_pixels(client):
    usual, more = progressive(10), progressive(11)  # of 256 pixels
    assert predict(client, explain(usual, usual, usual)).status_code == 200
    assert predict(client, explain(usual, more)).status_code == 200
    assert "to 1024 pixels" in error_of(predict(client, explain(more, more)), 400)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (299, 5)])
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif"}),  # the extended format
    ],
)
def test_a_size_is_read_as_it_is(size, kind, settings):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, kind, **settings)
    width, height = size

    def error_with(pixels):
        with pytest.raises(RequestError) as raised:
            Images(Limits(pixels=pixels)).check("image_bytes", file.getvalue())
        return str(raised.value)

    Images(Limits(pixels=width * height)).check("image_bytes", file.getvalue())
    if width * height > 1:
        assert f"an image of {width} x {height} pixels" in error_with(width * height - 1)


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param(lambda data: data + b"a film" + SCAN * 99, id="behind the end"),
        pytest.param(
            lambda data: data[:2] + b"\xff\xe1" + struct.pack(">H", 200) + SCAN * 99 + data[2:],
            id="in a segment",
        ),
    ],
)
def test_what_only_looks_like_a_scan_is_not_counted(client, beside):
    assert predict(client, explain(beside(progressive(12)))).status_code == 200
    assert predict(client, explain(beside(progressive(13)))).status_code == 400


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param(b"\xff" * 9, id="fill bytes"),
        pytest.param(b"\xff\x00\xff\x01\xff\xd3 x", id="markers that stand alone"),
        pytest.param(b"\xff\xfe\x00\x00", id="a segment shorter than its length"),
        pytest.param(b"\xff\xfe\x00\x05abc", id="a comment"),
    ],
)
def test_scans_do_not_hide(hidden):
    data = progressive(13)
    place = data.index(SCAN)
    assert read_jpeg(data[:place] + hidden + data[place:], 100) == (16, 16, 13)


@pytest.mark.parametrize("segment", [b"\xff\xfe\x00\x02", b"\xff\xfe\x00\x00"])
def test_a_jpeg_of_segments_without_end_is_not_read_to_its_end(segment):
    data = encoded(16, "JPEG")
    with pytest.raises(JpegError, match="more than 10000 segments"):
        read_jpeg(data[:2] + segment * 1_000_000 + data[2:], 100)
    with pytest.raises(JpegError, match="no size"):
        read_jpeg(data[:2] + b"\xff\x00" * 1_000_000, 100)


def test_bounds_of_images_are_those_of_the_library():
    limits = Limits()
    assert (limits.pixels, limits.request_pixels, limits.scans) == (
        photo_limits.MAX_PIXELS,
        photo_limits.MAX_REQUEST_PIXELS,
        photo_limits.MAX_SCANS,
    )

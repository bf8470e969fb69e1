"""Read from a file's bytes what decoding it will cost, before it is decoded."""

from typing import NamedTuple

import tensorflow as tf

from ..pictures import MAX_REQUEST_TEXTS, MAX_SCANS, START_OF_SCAN

# A header's width and height lie within this many bytes, but for JPEG's.
_HEAD = 32

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
# The first bytes of a PNG text whose content is compressed: its keyword, and the flag for it.
_KEYWORD = 82
_MANY = 1000
_IS_COMPRESSED = r"(?s)\C{1,79}?\x00\x01\x00\C*"


class Claims(NamedTuple):
    """What files claim, or of each file in a batch. All int64.

    Attributes:
        pixels: 0 for a file of no known format.
        scans: The scans of a JPEG, counted up to one more than is taken; 0 for other files.
        texts: The compressed texts of a PNG and the profiles after the first, counted up to more
            than are taken.
    """

    pixels: tf.Tensor
    scans: tf.Tensor
    texts: tf.Tensor


# Traced once in a process, and called from every graph that decodes.
@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def claims_of(data: tf.Tensor) -> Claims:
    """Read what one file claims.

    Args:
        data: Shape (), the bytes of any file.

    Example:
        >>> [int(claim) for claim in claims_of(tf.io.encode_jpeg(tf.zeros((3, 5, 3), tf.uint8)))]
        [15, 1, 0]
    """
    none = tf.constant(0, tf.int64)
    is_png = tf.strings.substr(data, 0, len(_PNG)) == _PNG
    return Claims(
        claimed_pixels(data),
        tf.cond(is_jpeg(data), lambda: _count(data, START_OF_SCAN, MAX_SCANS), lambda: none),
        tf.cond(is_png, lambda: _count_texts(data), lambda: none),
    )


# Traced once in a process, and called from every graph that decodes.
@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def claimed_pixels(data: tf.Tensor) -> tf.Tensor:
    """Read from a JPEG, PNG or WebP file's header how many pixels it holds.

    Args:
        data: Shape (), the bytes of a file.

    Returns:
        Shape (), int64; 0 for other files, and for animations, of which no one frame is the
        picture.

    Example:
        >>> int(claimed_pixels(tf.io.encode_png(tf.zeros((3, 5, 1), tf.uint8))))
        15
    """
    head = tf.cast(tf.io.decode_raw(data, tf.uint8, fixed_length=_HEAD), tf.int64)

    def little(start: int, count: int) -> tf.Tensor:
        powers = [256**place for place in range(count)]
        return tf.reduce_sum(head[start : start + count] * tf.constant(powers, tf.int64))

    def big(start: int, count: int) -> tf.Tensor:
        powers = [256 ** (count - 1 - place) for place in range(count)]
        return tf.reduce_sum(head[start : start + count] * tf.constant(powers, tf.int64))

    def starts(magic: bytes, start: int = 0) -> tf.Tensor:
        wanted = tf.constant(list(magic), tf.int64)
        return tf.reduce_all(head[start : start + len(magic)] == wanted)

    def starts_webp(kind: bytes) -> tf.Tensor:
        return starts(b"RIFF") & starts(b"WEBP" + kind, 8)

    lossless = little(21, 4)  # 14 bits of width, 14 of height
    is_still = head[20] // 2 % 2 == 0
    claims = [
        (starts(_PNG), big(16, 4) * big(20, 4)),
        (starts_webp(b"VP8X") & is_still, (little(24, 3) + 1) * (little(27, 3) + 1)),
        (starts_webp(b"VP8L"), (lossless % 2**14 + 1) * (lossless // 2**14 % 2**14 + 1)),
        (starts_webp(b"VP8 "), (little(26, 2) % 2**14) * (little(28, 2) % 2**14)),
    ]
    told = tf.add_n([tf.where(holds, pixels, 0) for holds, pixels in claims])
    return tf.cond(is_jpeg(data), lambda: _of_jpeg(data), lambda: told)


def is_jpeg(data: tf.Tensor) -> tf.Tensor:
    """Tell whether a file's bytes begin as JPEG's do."""
    return tf.strings.substr(data, 0, len(_JPEG)) == _JPEG


def _of_jpeg(data: tf.Tensor) -> tf.Tensor:
    shape = tf.image.extract_jpeg_shape(data, tf.int32)
    return tf.reduce_prod(tf.cast(shape[:2], tf.int64))


def _pieces_after(data: tf.Tensor, mark: bytes, most: int) -> tf.Tensor:
    """Cut the bytes at each mark, at one more than `most` of them at the most.

    A search that stops there holds no more than a copy of the file, however many marks there are.
    """
    pieces = tf.raw_ops.StringSplitV2(input=data[None], sep=mark, maxsplit=most + 1)
    return pieces.values[1:]


def _count(data: tf.Tensor, mark: bytes, most: int) -> tf.Tensor:
    return tf.size(_pieces_after(data, mark, most), tf.int64)


def _count_texts(data: tf.Tensor) -> tf.Tensor:
    profiles = _count(data, b"iCCP", MAX_REQUEST_TEXTS)
    starts = tf.strings.substr(_pieces_after(data, b"iTXt", _MANY), 0, _KEYWORD)
    compressed = tf.math.count_nonzero(tf.strings.regex_full_match(starts, _IS_COMPRESSED))
    # The last piece of so many holds the texts after it.
    texts = tf.where(tf.size(starts) > _MANY, tf.size(starts, tf.int64), compressed)
    return _count(data, b"zTXt", MAX_REQUEST_TEXTS) + texts + tf.maximum(profiles - 1, 0)

"""Refuse a picture that claims more pixels than memory should hold, before it is decoded."""

import tensorflow as tf

FORMATS = ("JPEG", "PNG", "WebP")

# A header's width and height lie within this many bytes, but for JPEG's.
_HEAD = 32


def check_pixels(data: tf.Tensor, most: int) -> tf.Operation:
    """Make the operation that fails where a file is no image, or claims too many pixels.

    A file of some kilobytes can claim gigabytes: a decompression bomb. Formats whose
    headers do not tell what TensorFlow will decode, such as GIF with its frames, are refused.

    Args:
        data: Shape (), the bytes of a file.
        most: How many pixels it may claim.
    """
    claimed = claimed_pixels(data)
    why = tf.where(
        claimed > most,
        tf.strings.format("the image claims {} pixels; at most {} are taken", (claimed, most)),
        f"not a whole image file: {', '.join(FORMATS)} are taken",
    )
    return tf.debugging.Assert((claimed > 0) & (claimed <= most), [why])


# Traced once in a process, and called from every graph that decodes.
@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def claimed_pixels(data: tf.Tensor) -> tf.Tensor:
    """Read from a JPEG, PNG or WebP file's header how many pixels it holds.

    Args:
        data: Shape (), the bytes of a file.

    Returns:
        Shape (), int64; 0 for other files.

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

    lossless = little(21, 4)  # 14 bits of width, 14 of height
    claims = [
        (starts(b"\x89PNG"), big(16, 4) * big(20, 4)),
        (starts(b"VP8X", 12), (little(24, 3) + 1) * (little(27, 3) + 1)),
        (starts(b"VP8L", 12), (lossless % 2**14 + 1) * (lossless // 2**14 % 2**14 + 1)),
        (starts(b"VP8 ", 12), (little(26, 2) % 2**14) * (little(28, 2) % 2**14)),
    ]
    told = tf.add_n([tf.where(holds, pixels, 0) for holds, pixels in claims])
    return tf.cond(is_jpeg(data), lambda: _of_jpeg(data), lambda: told)


def is_jpeg(data: tf.Tensor) -> tf.Tensor:
    """Tell whether a file's bytes begin as JPEG's do."""
    return tf.strings.substr(data, 0, 2) == b"\xff\xd8"


def _of_jpeg(data: tf.Tensor) -> tf.Tensor:
    shape = tf.image.extract_jpeg_shape(data, tf.int32)
    return tf.reduce_prod(tf.cast(shape[:2], tf.int64))

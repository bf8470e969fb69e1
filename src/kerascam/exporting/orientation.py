"""Turn a photograph upright, as its camera noted in the file; TensorFlow's decoder does not.

The note is the tag 0x0112 of a JPEG's EXIF segment (CIPA DC-008, Exif 2.32, 4.6.4): which corner
of the scene the first row and column of the pixels are.
"""

import tensorflow as tf

from .claims import is_jpeg

_MARK = b"Exif\0\0"
_TAG = 0x0112
# The segment stands among the first of a file, and its list of tags at its beginning.
_SEARCHED = 4096

# By what a note from 1 to 8 turns: rows exchanged with columns, then left with right, top with
# bottom.
_TRANSPOSED = (5, 6, 7, 8)
_MIRRORED = (2, 3, 6, 7)
_FLIPPED = (3, 4, 7, 8)


def upright(photo: tf.Tensor, data: tf.Tensor) -> tf.Tensor:
    """Turn and mirror a decoded photograph as its file says.

    Args:
        photo: Shape (height, width, channels).
        data: Shape (), the bytes of the file.

    Returns:
        The photograph as it was seen, of the same shape or with height and width exchanged.
    """
    note = orientation(data)

    def turned(photo: tf.Tensor, notes: tuple[int, ...], turn: object) -> tf.Tensor:
        return tf.cond(tf.reduce_any(note == list(notes)), lambda: turn(photo), lambda: photo)  # type: ignore[operator]

    photo = turned(photo, _TRANSPOSED, lambda pixels: tf.transpose(pixels, (1, 0, 2)))
    photo = turned(photo, _MIRRORED, lambda pixels: tf.reverse(pixels, [1]))
    return turned(photo, _FLIPPED, lambda pixels: tf.reverse(pixels, [0]))


# Traced once in a process, and called from every graph that decodes.
@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def orientation(data: tf.Tensor) -> tf.Tensor:
    """Read a JPEG's note of its orientation.

    Args:
        data: Shape (), the bytes of any file.

    Returns:
        Shape (), int32, from 1 to 8; 1, upright, if there is none.

    Example:
        >>> int(orientation(tf.io.encode_jpeg(tf.zeros((8, 8, 3), tf.uint8))))
        1
    """
    start = tf.strings.substr(data, 0, _SEARCHED)
    values = tf.cast(tf.io.decode_raw(start, tf.uint8), tf.int32)
    places = tf.range(tf.maximum(tf.size(values) - len(_MARK), 0))
    windows = tf.gather(values, places[:, None] + tf.range(len(_MARK)))
    found = tf.where(tf.reduce_all(windows == list(_MARK), 1))[:, 0]
    return tf.cond(
        is_jpeg(data) & (tf.size(found) > 0),
        lambda: _read(values, tf.cast(found[0], tf.int32) + len(_MARK)),
        lambda: tf.constant(1),
    )


def _read(values: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    little = _at(values, header) == ord("I")  # "II": Intel's order of bytes; "MM": Motorola's

    def number(start: tf.Tensor, count: int) -> tf.Tensor:
        digits = tf.stack([_at(values, start + place) for place in range(count)])
        digits = tf.where(little, tf.reverse(digits, [0]), digits)
        return tf.foldl(lambda high, low: high * 256 + low, digits)

    directory = header + number(header + 4, 4)
    entries = directory + 2 + 12 * tf.range(number(directory, 2))
    notes = tf.boolean_mask(number(entries + 8, 2), number(entries, 2) == _TAG)
    note = tf.concat([notes, [1]], 0)[0]
    return tf.where((note >= 1) & (note <= 8), note, 1)


def _at(values: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    # A damaged segment may point anywhere: what it reads there is no note.
    return tf.gather(values, tf.clip_by_value(places, 0, tf.size(values) - 1))

"""Refuse files that would cost more than a request should, before the first is decoded."""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from ..pictures import FORMATS, MAX_REQUEST_TEXTS, MAX_SCANS, USUAL_SCANS
from ..signatures import IMAGE_BYTES
from .claims import Claims, claims_of
from .shapes import check_count


@dataclass(frozen=True)
class Limits:
    """What the files of one request may hold.

    Attributes:
        pixels: Most pixels of one file.
        request_pixels: Most pixels of all files together.
        files: How many they may be.
    """

    pixels: int
    request_pixels: int
    files: int

    @property
    def passes(self) -> int:
        """Pixels times scans of all JPEG files together."""
        return min(USUAL_SCANS * self.request_pixels, tf.int64.max)

    def check(self, files: tf.Tensor) -> tf.Tensor:
        """Pass files on after all of them are found to be images that may be decoded.

        A file of some kilobytes can claim gigabytes: a decompression bomb. Formats whose
        headers do not tell what TensorFlow will decode, such as GIF with its frames, are refused.

        Args:
            files: Shape (batch,), bytes.

        Returns:
            The same.
        """
        fix = "send fewer at once, or export with a larger max_files"
        with tf.control_dependencies([check_count(files, IMAGE_BYTES, self.files, fix)]):
            files = tf.identity(files)
        kinds = Claims(tf.int64, tf.int64, tf.int64)
        claims = tf.map_fn(claims_of, files, fn_output_signature=kinds)
        with tf.control_dependencies([self._check_each(claims)]):
            claims = Claims(*map(tf.identity, claims))
        with tf.control_dependencies([self._check_together(claims)]):
            return tf.identity(files)

    def _check_each(self, claims: Claims) -> tf.Operation | None:
        unknown, large = claims.pixels <= 0, claims.pixels > self.pixels
        bad = unknown | large | (claims.scans > MAX_SCANS)

        def complaint() -> tf.Tensor:
            place = tf.argmax(tf.cast(bad, tf.int32))
            why = tf.where(
                unknown[place],
                f"is not a complete image file: {', '.join(FORMATS)} are accepted, "
                "without animation",
                tf.where(
                    large[place],
                    tf.strings.format(
                        f"claims {{}} pixels; at most {self.pixels} are allowed: shrink it, or "
                        "export with a larger max_pixels",
                        claims.pixels[place],
                    ),
                    f"holds more than {MAX_SCANS} scans: save it as a JPEG that is not progressive",
                ),
            )
            who = tf.strings.format(
                f"{IMAGE_BYTES}[{{}}], file {{}} of {{}},", (place, place + 1, tf.size(bad))
            )
            return tf.strings.join([who, why], " ")

        return _check(~tf.reduce_any(bad), complaint)

    def _check_together(self, claims: Claims) -> tf.Operation | None:
        pixels, texts = tf.reduce_sum(claims.pixels), tf.reduce_sum(claims.texts)
        passes = tf.reduce_sum(claims.pixels * claims.scans)
        large = pixels > self.request_pixels
        long = passes > self.passes
        fits = ~(large | long | (texts > MAX_REQUEST_TEXTS))

        def complaint() -> tf.Tensor:
            why = tf.where(
                large,
                tf.strings.format(
                    f"claim {{}} pixels together; at most {self.request_pixels} are allowed in "
                    "one request: send fewer at once, or export with a larger max_request_pixels",
                    pixels,
                ),
                tf.where(
                    long,
                    tf.strings.format(
                        f"hold {{}} pixels times scans together; at most {self.passes} are "
                        "allowed in one request: save progressive JPEGs as baseline ones, send "
                        "fewer at once, or export with a larger max_request_pixels",
                        passes,
                    ),
                    f"hold more than {MAX_REQUEST_TEXTS} compressed texts and repeated profiles "
                    "together: save the PNG files without them, or send fewer at once",
                ),
            )
            who = tf.strings.format(
                f"the files of {IMAGE_BYTES}, {{}} in all,", tf.size(claims.pixels)
            )
            return tf.strings.join([who, why], " ")

        return _check(fits, complaint)


def _check(fits: tf.Tensor, complaint: Callable[[], tf.Tensor]) -> tf.Operation | None:
    return tf.debugging.Assert(fits, [tf.cond(fits, lambda: tf.constant(""), complaint)])

"""How large an encoded image is, from its header alone: before anything decodes it."""

from __future__ import annotations

import io

from PIL import Image

from scene_classification.serving.errors import RequestError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")


def check_image(name: str, data: bytes, most_pixels: int) -> None:
    """Check an encoded image.

    A file of a few kilobytes may claim to hold gigabytes of pixels, and a decoder would make room.

    Args:
        name: Of the input that it is for.
        data: The encoded file.
        most_pixels: Bound on the pixels of all its frames.

    Raises:
        RequestError: If it is not an image of a known format, or too large.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            frames = int(getattr(image, "n_frames", 1))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise RequestError(
            400, f"input {name!r} holds an image of far too many pixels; send at most {most_pixels}"
        ) from None
    except Exception:  # Pillow's readers raise whatever a broken header makes them stumble over
        raise RequestError(
            400,
            f"input {name!r} holds {len(data)} bytes that are no image; send a file of one of "
            f"{', '.join(FORMATS)}",
        ) from None
    if width * height * frames > most_pixels:
        size = f"{width} x {height}" + (f" x {frames} frames" if frames > 1 else "")
        raise RequestError(
            400, f"input {name!r} holds an image of {size} pixels; send at most {most_pixels}"
        )

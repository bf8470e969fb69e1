"""How large an encoded photograph may be: the same limits for every way in.

A file of some kilobytes can claim gigabytes of pixels, and a progressive JPEG can repeat its scans
thousands of times: both keep a machine busy far longer than their size suggests.
"""

#: Pixels of one photograph, over all its frames: 50 megapixels are 150 MB once decoded.
MAX_PIXELS = 50_000_000

#: Pixels of all photographs of one request together.
MAX_REQUEST_PIXELS = 200_000_000

#: Scans of one JPEG: a progressive one has about ten, and each costs a pass over its pixels.
MAX_SCANS = 100

_START_OF_SCAN = b"\xff\xda"


def count_scans(data: bytes) -> int:
    """Count the scans of a JPEG file.

    Compressed data never holds a marker's two bytes, so that every find is a marker, or lies in a
    segment beside the image, such as a thumbnail.

    Args:
        data: The file's bytes.

    Returns:
        How many scans start in it, those of a thumbnail included.

    Example:
        >>> count_scans(b"\\xff\\xd8 a frame \\xff\\xda its only scan \\xff\\xd9")
        1
    """
    return data.count(_START_OF_SCAN)

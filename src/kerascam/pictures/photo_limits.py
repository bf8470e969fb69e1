"""How large an encoded photograph may be: the same limits for every way in.

A file of some kilobytes can claim gigabytes of pixels, and a progressive JPEG can repeat its scans
thousands of times: both keep a machine busy far longer than their size suggests.
"""

#: What a server decodes. A GIF says how many frames it has only after all of it is read.
FORMATS = ("JPEG", "PNG", "WebP")

#: Pixels of one photograph, over all its frames: 50 megapixels are 150 MB once decoded.
MAX_PIXELS = 50_000_000

#: Pixels of all photographs of one request together.
MAX_REQUEST_PIXELS = 200_000_000

#: Files of one request: each becomes an image of the model's size, however small the file is.
MAX_REQUEST_FILES = 128

#: Scans of one JPEG: a progressive one has about ten, and each costs a pass over its pixels.
MAX_SCANS = 100

#: Scans that a large JPEG may have: a request's pixels times scans are at most its pixels times
#: this. A hundred scans of 50 megapixels keep a core busy for six seconds.
USUAL_SCANS = 12

#: Compressed texts, and profiles after a file's first, in the PNG files of one request: each can be
#: a few kilobytes that a decoder unpacks to 8 MB, for pixels that do not need it.
MAX_REQUEST_TEXTS = 64

#: The marker that begins a scan, and the high byte of its segment's length, which is always zero.
#: Two bytes alone are found by chance in what cameras append, such as a short film.
START_OF_SCAN = b"\xff\xda\x00"


def count_scans(data: bytes) -> int:
    r"""Count the scans of a JPEG file.

    Compressed data never holds a marker's bytes, so that every find is a marker, or lies in a
    segment apart from the image, such as a thumbnail.

    Args:
        data: The file's bytes.

    Returns:
        How many scans start in it, those of a thumbnail included.

    Example:
        >>> count_scans(b"\xff\xd8 a frame \xff\xda\x00\x08 its only scan \xff\xd9")
        1
    """
    return data.count(START_OF_SCAN)

"""Image formats that not every installation reads."""

import functools
import importlib.util

EXTRA = "pip install 'pillow>=11.3' pillow-heif"

AVIF_SUFFIXES = frozenset({".avif", ".avifs"})
HEIF_SUFFIXES = frozenset({".heic", ".heics", ".heif", ".heifs", ".hif"})

# Both are boxes of one kind, told apart by the brand that the first one names.
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heim", b"heis", b"heix", b"hevc", b"hevm", b"hevs", b"hevx", b"mif1")


@functools.cache
def reads_avif() -> bool:
    """Tell whether this Pillow reads AVIF; 11.3 is the first that does."""
    from PIL import features

    return "avif" in features.modules and bool(features.check("avif"))


@functools.cache
def reads_heif() -> bool:
    """Tell whether the package that reads HEIC is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


@functools.cache
def register_heif() -> None:
    """Teach Pillow HEIC, if the package for it is installed."""
    if reads_heif():
        import pillow_heif

        pillow_heif.register_heif_opener()


def is_box(data: bytes) -> bool:
    """Tell whether a file begins as those of AVIF and HEIC do."""
    return data[4:8] == b"ftyp"


def missing_for(data: bytes) -> str | None:
    """Say what a file that cannot be read needs, or None if nothing is missing.

    Args:
        data: The file's bytes.

    Example:
        >>> missing_for(b"no image") is None
        True
    """
    brand = data[8:12] if is_box(data) else b""
    if brand in _AVIF_BRANDS and not reads_avif():
        return f"an AVIF image, which needs {EXTRA}"
    if brand in _HEIF_BRANDS and not reads_heif():
        return f"a HEIC image, which needs {EXTRA}"
    return None

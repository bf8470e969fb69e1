"""Which file names are those of images: of formats that are read here, and of others."""

import os
from pathlib import Path

from . import plugins

_ALWAYS = frozenset(
    {".apng", ".bmp", ".dib", ".gif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo",
     ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)  # fmt: skip

# Many of these are TIFF files whose first image is a thumbnail.
_RAW = frozenset(
    {".3fr", ".ari", ".arw", ".bay", ".cap", ".cr2", ".cr3", ".crw", ".dcr", ".dcs", ".dng",
     ".drf", ".eip", ".erf", ".fff", ".gpr", ".iiq", ".k25", ".kdc", ".mdc", ".mef", ".mos",
     ".mrw", ".nef", ".nrw", ".orf", ".pef", ".ptx", ".pxn", ".r3d", ".raf", ".raw", ".rw2",
     ".rwl", ".rwz", ".sr2", ".srf", ".srw", ".x3f"}
)  # fmt: skip

_OTHER = frozenset(
    {".ai", ".bpg", ".cdr", ".cgm", ".cur", ".czi", ".dcm", ".dcx", ".dds", ".dicom",
     ".djvu", ".emf", ".eps", ".exr", ".fit", ".fits", ".flif", ".fts", ".hdr", ".icns", ".ico",
     ".jls", ".jng", ".jpf", ".jpm", ".jpx", ".jxl", ".jxr", ".kra", ".lif", ".mng", ".mrxs",
     ".nd2", ".ndpi", ".nii", ".nrrd", ".ora", ".pam", ".pcd", ".pcx", ".pfm", ".pic", ".pict",
     ".psb", ".psd", ".qoi", ".ras", ".rgbe", ".scn", ".sgi", ".svg", ".svgz", ".svs", ".tga",
     ".vsi", ".wbmp", ".wdp", ".wmf", ".xbm", ".xcf", ".xpm"}
)  # fmt: skip


def is_image(path: Path) -> bool:
    """Tell whether a file's name is that of an image, of whatever format."""
    return _suffix(path) in _ALWAYS or unreadable(path) is not None or _by_plugin(path)


def unreadable(path: Path) -> str | None:
    """Say why images of this name cannot be read here, or None if they can or are no images.

    Example:
        >>> unreadable(Path("a.PSD")), unreadable(Path("a.jpg")), unreadable(Path("notes.txt"))
        ('.psd files are not read', None, None)
    """
    suffix = _suffix(path)
    if suffix in plugins.AVIF_SUFFIXES and not plugins.reads_avif():
        return f"AVIF needs {plugins.EXTRA}"
    if suffix in plugins.HEIF_SUFFIXES and not plugins.reads_heif():
        return f"HEIC needs {plugins.EXTRA}"
    if is_raw(path):
        return "camera raw files are not read: develop them first"
    return f"{suffix} files are not read" if suffix in _OTHER else None


def is_raw(path: Path) -> bool:
    """Tell whether a file's name is that of a camera's raw data."""
    return _suffix(path) in _RAW


def _by_plugin(path: Path) -> bool:
    return _suffix(path) in plugins.AVIF_SUFFIXES | plugins.HEIF_SUFFIXES


def _suffix(path: Path) -> str:
    return os.path.splitext(path.name)[1].lower()

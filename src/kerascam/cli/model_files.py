"""Check a model file before Keras loads it: a damaged file, or a bomb, becomes one clear error.

A file of a few kilobytes can claim to hold gigabytes, and Keras believes it.
"""

import copy
import io
import sys
import zipfile
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import h5py

from ..errors import reason
from ..files import parse_json

_CONFIG, _METADATA = "config.json", "metadata.json"
_WEIGHTS = "model.weights.h5"
# Python objects take some twenty times the bytes of their JSON.
_MOST_CONFIG = 32 * 2**20

# Keras stores weights as they are. A file that somebody packed again, with many zeros, may be a
# twentieth of them; below the floor no packing does harm.
_FLOOR = 256 * 2**20
_MOST_EXPANSION = 20
_STREAMED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1

T = TypeVar("T")


class BadFileError(ValueError):
    """A file that is not what it should be."""


@dataclass(frozen=True)
class ModelFile:
    """What a model file says.

    Attributes:
        config: The model's architecture.
        version: The version of Keras that wrote it; empty if it does not say.
        weights: How many bytes its weights take.
    """

    config: dict[str, Any]
    version: str
    weights: int

    @property
    def is_of_keras_2(self) -> bool:
        """Whether Keras 2 wrote it, under this or its later name."""
        module = str(self.config.get("module"))
        return self.version.startswith(("1.", "2.")) or module.startswith(
            ("tf_keras", "keras.engine", "keras.src.engine")
        )


def look_into(path: Path) -> ModelFile:
    """Read what a model file says of itself.

    Args:
        path: A .keras file, the same as a folder, or a whole model in an .h5 file.

    Raises:
        BadFileError: If there is no model in it, or it is damaged, or a bomb.
        OSError: If it cannot be read.
    """
    if path.is_dir():
        return _of_folder(path)
    if not path.exists():
        raise BadFileError(f"no model file {path}")
    if not path.is_file():
        raise BadFileError(f"{path} is not a Keras model: it is not a regular file")
    if path.suffix in (".h5", ".hdf5"):
        return _of_hdf5(path)
    if path.suffix == ".keras":
        return _of_archive(path)
    raise BadFileError(
        f"{path} is not a Keras model: give a .keras file, or a whole model in an .h5 file"
    )


def _of_archive(path: Path) -> ModelFile:
    with path.open("rb") as file:
        members, weights = _undamaged(path, lambda: _read_archive(path, file))
    if _CONFIG not in members:
        raise BadFileError(f"{path} is not a Keras model, or a damaged one: it has no {_CONFIG}")
    config = _config(path, members[_CONFIG].getvalue())
    return ModelFile(config, _version(members.get(_METADATA, io.BytesIO()).getvalue()), weights)


def _read_archive(path: Path, file: BinaryIO) -> tuple[dict[str, io.BytesIO], int]:
    if not zipfile.is_zipfile(file):
        raise BadFileError(
            f"{path} is not a Keras model, or a damaged one: it is not a .keras archive"
        )
    with zipfile.ZipFile(file) as archive:
        members = read_members(path, archive, {_CONFIG, _METADATA, _WEIGHTS})
        weights = sum(info.file_size for info in archive.infolist())
    if _WEIGHTS in members:
        with h5py.File(members.pop(_WEIGHTS), "r") as arrays:
            weights += _bytes_of_arrays(path, arrays, path.stat().st_size)
    return members, weights


def _of_hdf5(path: Path) -> ModelFile:
    if not h5py.is_hdf5(path):
        raise BadFileError(f"{path} is not a Keras model, or a damaged one: it is not an HDF5 file")

    def read() -> ModelFile:
        with h5py.File(path, "r") as file:
            if "model_config" not in file.attrs:
                raise BadFileError(
                    f"{path} holds weights only: build the model in Python, load them and save it "
                    f"as .keras"
                )
            version = _text(file.attrs.get("keras_version", ""))
            config = _config(path, _text(file.attrs["model_config"]))
            return ModelFile(config, version, _bytes_of_arrays(path, file, path.stat().st_size))

    return _undamaged(path, read)


def _of_folder(path: Path) -> ModelFile:
    if (path / "saved_model.pb").exists():
        keras_2 = (path / "keras_metadata.pb").exists()
        raise BadFileError(
            f"{path} is a SavedModel folder, which Keras 3 cannot load as a model with layers: "
            + (
                f"Keras 2 wrote it, and {keras_2_to_hdf5(path)}"
                if keras_2
                else "save the model as .keras where it was made"
            )
        )
    if not (path / _CONFIG).is_file():
        raise BadFileError(f"{path} is a folder, not a model: give a .keras file")
    with (path / _CONFIG).open("rb") as file:
        config = _config(path / _CONFIG, file.read(_MOST_CONFIG + 1))
    try:
        version = _version((path / _METADATA).read_bytes())
    except OSError:
        version = ""  # Keras does not need it either
    weights = path / _WEIGHTS
    total = sum(each.stat().st_size for each in path.glob("model.weights.*"))
    if weights.is_file():

        def count() -> int:
            with h5py.File(weights, "r") as arrays:
                return _bytes_of_arrays(weights, arrays, weights.stat().st_size)

        total += _undamaged(weights, count)
    return ModelFile(config, version, total)


def keras_2_to_hdf5(path: Path | str) -> str:
    """Say how a model of Keras 2 becomes an .h5 file, which Keras 3 reads."""
    return (
        f"after `pip install tf_keras`, tf_keras.models.load_model({str(path)!r}, compile=False)"
        f".save('model.h5') in Python makes a file that Keras 3 reads"
    )


def _config(path: Path, text: str | bytes) -> dict[str, Any]:
    if len(text) > _MOST_CONFIG:
        raise BadFileError(f"{path} describes its layers in more than {size_words(_MOST_CONFIG)}")
    try:
        config = parse_json(text)
    except ValueError as error:
        raise BadFileError(f"{path} is damaged: the description of its layers is {error}") from None
    if not (
        isinstance(config, dict)
        and isinstance(config.get("class_name"), str)
        and isinstance(config.get("config"), dict)
    ):
        raise BadFileError(f"{path} is damaged: it does not describe a model's layers")
    return config


def _version(metadata: bytes) -> str:
    try:
        return str(parse_json(metadata)["keras_version"])
    except (ValueError, TypeError, KeyError):
        return ""


def _text(attribute: Any) -> str:
    return attribute.decode() if isinstance(attribute, bytes) else str(attribute)


def _bytes_of_arrays(path: Path, file: h5py.File, stored: int) -> int:
    """Count what the arrays take in memory; a few bytes can claim any shape."""
    total = 0

    def count(name: str, item: Any) -> None:
        nonlocal total
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            size = item.dtype.itemsize
            for length in item.shape:
                size *= length
            total += size

    file.visititems(count)
    if is_bomb(total, stored):
        raise BadFileError(
            f"{path} takes {size_words(stored)} and claims arrays of {size_words(total)}, more "
            f"than {size_words(stored)} can hold: a bomb, or damaged; save the model again, "
            f"without compression, if you trust it"
        )
    return total


def _undamaged(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except (BadFileError, MemoryError):
        raise
    except Exception as error:  # zipfile and h5py raise all kinds for files that are damaged
        why = getattr(error, "strerror", None) or reason(error)
        raise BadFileError(f"{path} is damaged: {why}") from error


def is_bomb(claimed: int, stored: int) -> bool:
    """Say whether so few stored bytes cannot honestly unfold to so many."""
    return claimed > max(_FLOOR, _MOST_EXPANSION * stored)


def size_words(size: int) -> str:
    """Write a number of bytes for a reader.

    >>> size_words(999), size_words(6 * 2**30)
    ('999 bytes', '6.0 GiB')
    """
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 2**power:
            return f"{size / 2**power:.1f} {unit}"
    return f"{size} bytes"


def read_members(
    path: Path, archive: zipfile.ZipFile, wanted: Collection[str]
) -> dict[str, io.BytesIO]:
    """Read through all members of an archive and keep some.

    Args:
        path: Its file.
        archive: The archive.
        wanted: The names of those to keep.

    Raises:
        BadFileError: If a member is damaged, encrypted, or more than the archive's directory says,
            or if all together are a bomb.
    """
    listed = archive.infolist()
    stored, claimed = path.stat().st_size, sum(info.file_size for info in listed)
    if is_bomb(claimed, stored):
        raise BadFileError(
            f"{path} takes {size_words(stored)} and unpacks to {size_words(claimed)}, far more "
            f"than a Keras model does: a bomb, or damaged; if you trust it, unpack it into a "
            f"folder and give the folder"
        )
    kept = {}
    for info in listed:
        member = _read_through(path, archive, info, info.filename in wanted)
        if info.filename in wanted:
            kept[info.filename] = member
    return kept


def _read_through(
    path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, keep: bool
) -> io.BytesIO:
    if info.flag_bits & _ENCRYPTED:
        raise BadFileError(
            f"{path} is encrypted, which Keras does not read: save it without encryption"
        )
    # The directory may lie about the size: read on to the true end, and count.
    whole = copy.copy(info)
    whole.file_size = sys.maxsize
    whole.CRC = None  # type: ignore[assignment] # zipfile's way not to check; it is done below
    kept = io.BytesIO()
    size = checksum = 0
    # Of bzip2 and LZMA zipfile unpacks whatever it has read, be it gigabytes: let it read little.
    piece = 2**20 if info.compress_type in _STREAMED else 2**12
    with cast(zipfile.ZipExtFile, archive.open(whole)) as member:
        while chunk := member.read(piece):
            size += len(chunk)
            checksum = zlib.crc32(chunk, checksum)
            if size > info.file_size:
                break
            if keep:
                kept.write(chunk)
    if size != info.file_size or checksum != info.CRC:
        raise BadFileError(f"{path} is damaged: {info.filename} is not what was written")
    kept.seek(0)
    return kept

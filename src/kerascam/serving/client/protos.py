"""Tensors from the messages of TensorFlow Serving's gRPC protocol."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.types_pb2 import DataType

from .bodies import TooLargeError
from .outputs import Kind, kind_of

_TYPES = {
    Kind.WHOLE: (DataType.DT_INT32, DataType.DT_INT64),
    Kind.NUMBER: (DataType.DT_FLOAT, DataType.DT_DOUBLE, DataType.DT_HALF, DataType.DT_BFLOAT16),
    Kind.TEXT: (DataType.DT_STRING,),
    Kind.FILE: (DataType.DT_STRING,),
}
_INT32 = np.iinfo(np.int32)
_WIDE = (DataType.DT_INT64, DataType.DT_DOUBLE, DataType.DT_STRING)  # 8 bytes each, others 4


def read_outputs(outputs: Mapping[str, Any], most: int) -> dict[str, np.ndarray]:
    """Read the outputs that kerascam knows.

    Args:
        outputs: A `TensorProto` by name.
        most: How many bytes all arrays may have.

    Raises:
        TooLargeError: If they have more: a message of some bytes can claim any shape.
        ValueError: If one is not what its name says.
    """
    known = {name: tensor for name, tensor in outputs.items() if kind_of(name) is not None}
    if sum(_size(name, tensor) for name, tensor in known.items()) > most:
        raise TooLargeError
    return {name: _array(name, tensor) for name, tensor in known.items()}


def _size(name: str, tensor: Any) -> int:
    shape = tensor.tensor_shape
    sizes = [axis.size for axis in shape.dim]
    if shape.unknown_rank or min(sizes, default=0) < 0:
        raise ValueError(f"its {name!r} has no whole shape")
    return math.prod(sizes) * (8 if tensor.dtype in _WIDE else 4)


def _array(name: str, tensor: Any) -> np.ndarray:
    kind = kind_of(name)
    if kind is None or tensor.dtype not in _TYPES[kind]:
        raise ValueError(f"its {name!r} holds no {'' if kind is None else kind.value}")
    try:
        array: np.ndarray = tf.make_ndarray(tensor)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"its {name!r} does not fit its shape: {error}") from None
    return _READERS[kind](name, array)


def _wholes(name: str, array: np.ndarray) -> np.ndarray:
    if ((array < _INT32.min) | (array > _INT32.max)).any():
        raise ValueError(f"its {name!r} holds numbers beyond 32 bits")
    return array.astype(np.int32, copy=False)


def _numbers(name: str, array: np.ndarray) -> np.ndarray:
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def _texts(name: str, array: np.ndarray) -> np.ndarray:
    try:
        texts = [each.decode() for each in _files(name, array).ravel()]
    except UnicodeDecodeError:
        raise ValueError(f"its {name!r} holds what is no text") from None
    return np.array(texts, object).reshape(array.shape)


def _files(name: str, array: np.ndarray) -> np.ndarray:
    if not all(isinstance(each, bytes) for each in array.ravel()):
        raise ValueError(f"its {name!r} has fewer values than its shape")
    return array


_READERS = {Kind.WHOLE: _wholes, Kind.NUMBER: _numbers, Kind.TEXT: _texts, Kind.FILE: _files}

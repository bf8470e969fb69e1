"""TensorFlow Serving's gRPC protocol."""

import math
from collections.abc import Mapping
from types import NoneType
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, ModelVersionStatus
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from ..words import Kind, kind_of, version_and_state
from .connection import CHECK_SERVER, TOO_BUSY, TOO_SLOW, Bounds, Connection, Place, Tensors
from .errors import ServingError, TooLargeError, TransientError, in_short, too_large, unreadable

_TYPES = {
    Kind.WHOLE: (DataType.DT_INT32, DataType.DT_INT64),
    Kind.NUMBER: (DataType.DT_FLOAT, DataType.DT_DOUBLE, DataType.DT_HALF, DataType.DT_BFLOAT16),
    Kind.TEXT: (DataType.DT_STRING,),
    Kind.FILE: (DataType.DT_STRING,),
}
_INT32 = np.iinfo(np.int32)
_WIDE = (DataType.DT_INT64, DataType.DT_DOUBLE, DataType.DT_STRING)  # 8 bytes each, others 4
_FIXES = {
    grpc.StatusCode.UNAVAILABLE: CHECK_SERVER,
    grpc.StatusCode.RESOURCE_EXHAUSTED: TOO_BUSY,
    grpc.StatusCode.DEADLINE_EXCEEDED: TOO_SLOW,
}
_UNPACKED = 1  # the bit of the algorithm "identity"
_TOO_LARGE = "message larger than max"  # gRPC's own words, of either side
# After a failure gRPC answers at once, without trying to connect, for a second and then longer:
# tries that follow sooner would all be in vain.
_RECONNECT_MS = {"initial": 100, "min": 100, "max": 5000}


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
        raise ValueError(f"its {name!r} has an incomplete shape")
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
        raise ValueError(f"its {name!r} holds values that are not text") from None
    return np.array(texts, object).reshape(array.shape)


def _files(name: str, array: np.ndarray) -> np.ndarray:
    if not all(isinstance(each, bytes) for each in array.ravel()):
        raise ValueError(f"its {name!r} has fewer values than its shape")
    return array


_READERS = {Kind.WHOLE: _wholes, Kind.NUMBER: _numbers, Kind.TEXT: _texts, Kind.FILE: _files}


class RpcConnection(Connection):
    """Asks over gRPC.

    Args:
        place: The model.
        bounds: On each request and its answer.
        headers: The headers to send with each request; gRPC calls them metadata.
        credentials: A `grpc.ChannelCredentials`; None trusts the public authorities.
    """

    def __init__(
        self, place: Place, bounds: Bounds, headers: Mapping[str, str], credentials: Any
    ) -> None:
        self._place = place
        self._bounds = bounds
        self._metadata = [(name.lower(), value) for name, value in headers.items()]
        options = [
            # A batch of heatmaps is larger than gRPC's 4 MB; the server keeps its own bounds.
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", bounds.answer_bytes),
            # gRPC bounds a message as it is sent, and not as it is unpacked: none is packed then.
            ("grpc.per_message_decompression", 0),
            ("grpc.compression_enabled_algorithms_bitset", _UNPACKED),
            ("grpc.enable_http_proxy", 0 if place.is_loopback else 1),
            *((f"grpc.{key}_reconnect_backoff_ms", wait) for key, wait in _RECONNECT_MS.items()),
        ]
        if place.secure and not isinstance(credentials, (grpc.ChannelCredentials, NoneType)):
            raise TypeError(
                f"credentials must be a grpc.ChannelCredentials for {place.scheme}://, not a "
                f"{type(credentials).__name__}"
            )
        if place.secure:
            trusted = grpc.ssl_channel_credentials() if credentials is None else credentials
            self._channel = grpc.secure_channel(place.host, trusted, options)
        else:
            self._channel = grpc.insecure_channel(place.host, options)
        self._predictions = PredictionServiceStub(self._channel)
        self._models = ModelServiceStub(self._channel)

    def ask(self, signature: str, inputs: Tensors) -> dict[str, np.ndarray]:
        """Run one of the model's functions."""
        request = PredictRequest()
        self._name(request.model_spec)
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        what = f"{signature!r} of {self._place}"
        outputs = self._send(self._predictions.Predict, request, what).outputs
        try:
            return read_outputs(outputs, self._bounds.answer_bytes)
        except TooLargeError as error:
            raise too_large(what, self._bounds.answer_bytes) from error
        except ValueError as error:
            raise unreadable(what, error) from error

    def versions(self) -> list[tuple[int, str]]:
        """List the model's versions on the server, and the state of each."""
        request = GetModelStatusRequest()
        self._name(request.model_spec)
        what = f"the status of {self._place}"
        found = self._send(self._models.GetModelStatus, request, what).model_version_status
        names = {number: name for name, number in ModelVersionStatus.State.items()}
        try:
            return [version_and_state(each.version, names.get(each.state)) for each in found]
        except ValueError as error:
            raise unreadable(what, error) from error

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _name(self, model_spec: Any) -> None:
        model_spec.name = self._place.model
        if self._place.version is not None:
            model_spec.version.value = self._place.version

    def _send(self, function: Any, request: Any, what: str) -> Any:
        try:
            return function(request, timeout=self._bounds.timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            code, said = error.code(), in_short(error.details() or "")
            if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in said:
                raise self._beyond(what, code.name, said) from error
            if code in _FIXES:
                reason = f"{code.name} {said}".strip()
                raise TransientError(reason, _FIXES[code], code=code.name) from error
            raise ServingError(
                f"the server refused {what}: {code.name} {said}", code=code.name, reason=said
            ) from error

    def _beyond(self, what: str, code: str, said: str) -> ServingError:
        if "SERVER" in said:
            message = f"the server refused {what}: {code} {said}; lower batch_size="
            return ServingError(message, code=code, reason=said)
        return too_large(what, self._bounds.answer_bytes)

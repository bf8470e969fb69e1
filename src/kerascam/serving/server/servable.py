"""One version of a model: its signatures and warm-up requests, run as TensorFlow Serving does."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from numpy.typing import NDArray
from tensorflow.core.framework import types_pb2

from ...errors import brief
from ...signatures import PREDICT, WARM_UP_REQUESTS
from .limits import RequestError, run_error

#: NumPy's types of the tensors that JSON can become.
NUMPY_TYPES = {
    "DT_FLOAT": np.float32,
    "DT_DOUBLE": np.float64,
    "DT_INT8": np.int8,
    "DT_INT16": np.int16,
    "DT_INT32": np.int32,
    "DT_INT64": np.int64,
    "DT_UINT8": np.uint8,
    "DT_UINT16": np.uint16,
    "DT_UINT32": np.uint32,
    "DT_UINT64": np.uint64,
    "DT_BOOL": np.bool_,
    "DT_STRING": np.object_,
}
MOST_WARM_UP = 1000  # TensorFlow Serving's own bound


@dataclass(frozen=True)
class Tensor:
    """One input or output of a signature.

    Attributes:
        name: In the graph.
        dtype: As TensorFlow Serving spells it: `DT_FLOAT`.
        shape: Sizes, -1 where free; None if even the rank is free.
    """

    name: str
    dtype: str
    shape: tuple[int, ...] | None

    @classmethod
    def of(cls, info: Any) -> Tensor:
        """Read a `TensorInfo`."""
        sizes = tuple(int(dimension.size) for dimension in info.tensor_shape.dim)
        return cls(
            name=info.name,
            dtype=types_pb2.DataType.Name(info.dtype),
            shape=None if info.tensor_shape.unknown_rank else sizes,
        )

    @property
    def is_bytes(self) -> bool:
        """Whether the graph holds it as text or bytes."""
        return self.dtype == "DT_STRING"

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Return whether an array of a shape can be fed to it."""
        if self.shape is None:
            return True
        pairs = zip(self.shape, shape, strict=False)
        return len(self.shape) == len(shape) and all(own in (-1, size) for own, size in pairs)

    def metadata(self) -> dict[str, Any]:
        """Return it as the metadata of TensorFlow Serving have it."""
        sizes = [{"size": str(size), "name": ""} for size in self.shape or ()]
        shape = {"dim": sizes, "unknown_rank": self.shape is None}
        return {"dtype": self.dtype, "tensor_shape": shape, "name": self.name}


@dataclass(frozen=True)
class Signature:
    """One function of a SavedModel.

    Attributes:
        inputs: The inputs by name.
        outputs: The outputs by name.
        method: What TensorFlow Serving knows it as.
        defaults: The values of inputs that gRPC may leave out, as in the metadata.
    """

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    method: str
    defaults: Mapping[str, Any]

    @classmethod
    def of(cls, definition: Any) -> Signature:
        """Read a `SignatureDef`."""
        return cls(
            inputs={name: Tensor.of(info) for name, info in sorted(definition.inputs.items())},
            outputs={name: Tensor.of(info) for name, info in sorted(definition.outputs.items())},
            method=definition.method_name,
            defaults={name: _told(tensor) for name, tensor in sorted(definition.defaults.items())},
        )

    def metadata(self) -> dict[str, Any]:
        """Return it as the metadata of TensorFlow Serving have it."""
        return {
            "inputs": {name: tensor.metadata() for name, tensor in self.inputs.items()},
            "outputs": {name: tensor.metadata() for name, tensor in self.outputs.items()},
            "method_name": self.method,
            "defaults": dict(self.defaults),
        }


def _told(tensor: Any) -> dict[str, Any]:
    """Return a `TensorProto` with all its fields, also the empty ones."""
    every = "always_print_fields_with_no_presence"
    if every not in inspect.signature(json_format.MessageToDict).parameters:
        every = "including_default_value_fields"  # before protobuf 5.26
    found = json_format.MessageToDict(tensor, preserving_proto_field_name=True, **{every: True})
    return dict(found)


def metadata(name: str, version: int, signatures: Mapping[str, Signature]) -> dict[str, Any]:
    """Return what `GET /v1/models/NAME/metadata` answers."""
    told = {key: signature.metadata() for key, signature in sorted(signatures.items())}
    return {
        "model_spec": {"name": name, "signature_name": "", "version": str(version)},
        "metadata": {"signature_def": {"signature_def": told}},
    }


def warm_up_requests(path: Path) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    """Read the warm-up requests of a SavedModel.

    Args:
        path: The folder that holds `saved_model.pb`.

    Yields:
        The name of a signature, and an array for each input.

    Raises:
        ValueError: If the file holds something else, or too much.
        tf.errors.OpError: If the file is damaged.
    """
    file = path / WARM_UP_REQUESTS
    if not file.exists():
        return
    from tensorflow_serving.apis import prediction_log_pb2  # only a model with such a file needs it

    for count, record in enumerate(tf.data.TFRecordDataset(str(file)).as_numpy_iterator()):
        if count == MOST_WARM_UP:
            raise ValueError(f"{str(file)!r} holds more than {MOST_WARM_UP} requests; write fewer")
        log = prediction_log_pb2.PredictionLog.FromString(record)
        kind = log.WhichOneof("log_type")
        if kind != "predict_log":
            raise ValueError(
                f"request {count} of {str(file)!r} is a {kind}; this server runs predict_log alone"
            )
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        yield request.model_spec.signature_name or PREDICT, inputs


class Servable:
    """A SavedModel in a graph and a session of its own, warmed up.

    `tf.saved_model.load` takes files that TensorFlow Serving does not; a session is what it uses.

    Args:
        path: The folder that holds `saved_model.pb`.
        run_seconds: Time that one run may take.

    Raises:
        Exception: Whatever TensorFlow raises if it cannot load or warm up the model.
    """

    def __init__(self, path: Path, run_seconds: float) -> None:
        self._seconds = run_seconds
        # A graphics card is shared with whatever else its user does.
        config = tf.compat.v1.ConfigProto()
        config.gpu_options.allow_growth = True
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        try:
            with graph.as_default():
                loaded = tf.compat.v1.saved_model.loader.load(self._session, ["serve"], str(path))
            definitions = loaded.signature_def.items()
            self.signatures = {name: Signature.of(definition) for name, definition in definitions}
            self._runs = {
                name: self._callable(signature)
                for name, signature in self.signatures.items()
                if _can_run(signature)
            }
            for name, inputs in warm_up_requests(path):
                self.run(name, inputs)
        except BaseException:
            self._session.close()
            raise

    def signature(self, name: str) -> Signature:
        """Return a signature that can be run.

        Raises:
            RequestError: If there is none of this name.
        """
        if name not in self._runs:
            raise RequestError(
                400,
                f"Serving signature name: {brief(name)} not found in signature def; there are "
                f"{', '.join(sorted(self._runs))}",
            )
        return self.signatures[name]

    def run(self, name: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run a signature.

        Args:
            name: The signature's name.
            inputs: An array for each input.

        Returns:
            An array for each output.

        Raises:
            RequestError: If TensorFlow cannot run it on these, or not in time.
        """
        signature = self.signature(name)
        if inputs.keys() != signature.inputs.keys():
            raise RequestError(
                400, f"{name!r} takes {list(signature.inputs)}, and not {sorted(inputs)}"
            )
        options = tf.compat.v1.RunOptions(timeout_in_ms=max(1, round(self._seconds * 1000)))
        try:
            arrays = self._runs[name](*[inputs[key] for key in signature.inputs], options=options)
        except tf.errors.OpError as error:
            raise run_error(error.error_code, error.message, self._seconds) from error
        # A single string comes as bytes and not as an array.
        outputs = [
            np.array(array, np.object_) if isinstance(array, bytes) else np.asarray(array)
            for array in arrays
        ]
        return dict(zip(signature.outputs, outputs, strict=True))

    def close(self) -> None:
        """Close the session; nothing may be running in it."""
        self._session.close()

    def _callable(self, signature: Signature) -> Callable[..., list[Any]]:
        """Return a function of one signature: a sixth faster than `session.run` of a tiny model."""
        return self._session.make_callable(
            [tensor.name for tensor in signature.outputs.values()],
            [tensor.name for tensor in signature.inputs.values()],
            accept_options=True,
        )


def _can_run(signature: Signature) -> bool:
    """Return whether a signature is a function of dense tensors; there is one that initializes."""
    tensors = [*signature.inputs.values(), *signature.outputs.values()]
    return bool(signature.outputs) and all(":" in tensor.name for tensor in tensors)

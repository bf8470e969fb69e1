"""What a signature takes and gives, read from a SavedModel; and as the metadata tell of it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf import json_format
from tensorflow.core.framework import types_pb2

DEFAULT = "serving_default"
#: NumPy's types of those tensors that JSON can be turned into.
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


@dataclass(frozen=True)
class Tensor:
    """One input or output of a signature.

    Attributes:
        name: In the graph.
        dtype: As TensorFlow Serving spells it: `DT_FLOAT`.
        shape: Sizes, -1 where free; None where even the rank is free.
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
        inputs: By name.
        outputs: By name.
        method: What TensorFlow Serving knows it as.
        defaults: Of inputs that gRPC may leave out, as the metadata tell them.
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

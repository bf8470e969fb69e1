"""Requests that a server asks itself when it loads the model, so that no user waits for it."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from .. import signatures
from ..model import Endpoint
from .limits import Limits

#: Where TensorFlow Serving looks for them, below the version's folder.
PLACE = Path(signatures.WARM_UP_REQUESTS)

# Pixels of the photograph's sides.
_SIDE = 64

Request = dict[str, np.ndarray]


def make_requests(
    endpoints: Mapping[str, Endpoint], blank: Mapping[str, np.ndarray], limits: Limits
) -> dict[str, Request]:
    """Make one request for each signature, of the form that real ones have.

    Args:
        endpoints: The signatures.
        blank: A batch of one for each of the model's inputs, by its name in a request.
        limits: Within which the photograph is.
    """
    side = min(_SIDE, math.isqrt(min(limits.pixels, limits.request_pixels)))
    photograph = tf.io.encode_jpeg(tf.zeros((side, side, 3), tf.uint8)).numpy()
    values = {
        signatures.IMAGE_BYTES: np.array([photograph], object),
        signatures.CLASS_INDEX: np.full(1, -1, np.int32),
        signatures.INDEX: np.zeros(1, np.int32),
        **blank,
    }
    return {
        name: {spec.name: values[spec.name] for spec in endpoint.specs}
        for name, endpoint in endpoints.items()
    }


def write_requests(folder: Path, model: str, requests: Mapping[str, Request]) -> None:
    """Write the requests where TensorFlow Serving looks for them.

    Args:
        folder: The version's folder.
        model: The name that the model will be served under.
        requests: The requests by signature.

    Raises:
        ImportError: If the messages' package is not installed.
    """
    # Only here: this file alone needs them.
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = folder / PLACE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, request in requests.items():
            message = predict_pb2.PredictRequest()
            message.model_spec.name = model
            message.model_spec.signature_name = signature
            for name, value in request.items():
                message.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictLog(request=message)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())

"""The requests that a SavedModel brings along, to be run once before anybody waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from .signatures import DEFAULT

FILE = Path("assets.extra", "tf_serving_warmup_requests")
MOST = 1000  # TensorFlow Serving's own bound


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
    file = path / FILE
    if not file.exists():
        return
    from tensorflow_serving.apis import prediction_log_pb2  # only a model with such a file needs it

    for count, record in enumerate(tf.data.TFRecordDataset(str(file)).as_numpy_iterator()):
        if count == MOST:
            raise ValueError(f"{str(file)!r} holds more than {MOST} requests; write fewer")
        log = prediction_log_pb2.PredictionLog.FromString(record)
        kind = log.WhichOneof("log_type")
        if kind != "predict_log":
            raise ValueError(
                f"request {count} of {str(file)!r} is a {kind}; this server runs predict_log alone"
            )
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        yield request.model_spec.signature_name or DEFAULT, inputs

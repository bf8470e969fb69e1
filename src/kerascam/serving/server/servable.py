"""One version of a model: a SavedModel, loaded and run the way that TensorFlow Serving does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from .errors import RequestError, run_error, shown
from .signatures import Signature
from .warm_up import warm_up_requests


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
                f"Serving signature name: {shown(name)} not found in signature def; there are "
                f"{', '.join(sorted(self._runs))}",
            )
        return self.signatures[name]

    def run(self, name: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run a signature.

        Args:
            name: Of the signature.
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
        """Let go of the session; nothing may be running in it."""
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

"""Try a SavedModel as a server would, before anyone relies on it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from ..model import PYTHON_CODE
from .warm_up import Request


def run_in_session(folder: Path, requests: Mapping[str, Request]) -> None:
    """Load a SavedModel into a session and ask every signature once.

    A file that `tf.saved_model.load` takes may still fail here, and so on a server.

    Args:
        folder: The SavedModel.
        requests: The requests by signature.

    Raises:
        ValueError: If it runs Python code, which this process has and a server does not.
        RuntimeError: If it cannot be loaded, or a signature does not answer.
    """
    try:
        with tf.compat.v1.Session(graph=tf.Graph()) as session:
            with _warnings_held():
                loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(folder))
            _check_runs_elsewhere(session.graph.as_graph_def())
            for name, request in requests.items():
                signature = loaded.signature_def[name]
                feeds = {signature.inputs[key].name: value for key, value in request.items()}
                session.run({key: out.name for key, out in signature.outputs.items()}, feeds)
    except (tf.errors.OpError, KeyError) as error:
        raise RuntimeError(f"the exported model does not run in a session: {error}") from error


def _check_runs_elsewhere(definition: tf.compat.v1.GraphDef) -> None:
    nodes = [*definition.node]
    for function in definition.library.function:
        nodes += function.node_def
    if any(node.op in PYTHON_CODE for node in nodes):
        raise ValueError(
            "explainer has a model that runs a Python function, as tf.py_function or "
            "kerascam.black_box, which a model server does not have; write the model's call with "
            "operations of keras.ops, and export that"
        )


@contextmanager
def _warnings_held() -> Iterator[None]:
    """Keep back the advice not to use sessions any more: servers do."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)

"""The signatures of an exported model: what each takes and returns."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from .. import signatures
from ..model import Endpoint
from . import answers, shapes
from .plan import Plan

_FILES = tf.TensorSpec((None,), tf.string, signatures.IMAGE_BYTES)
_CLASSES = tf.TensorSpec((None,), tf.int32, signatures.CLASS_INDEX)
_INDEX = tf.TensorSpec((None,), tf.int32, signatures.INDEX)

# A manifest has some kilobytes, and each entry of a request asks for one.
_MOST_MANIFESTS = 1024


def make_endpoints(plan: Plan, manifest: str, manifest_id: str) -> dict[str, Endpoint]:
    """Make every signature.

    Args:
        plan: What is exported.
        manifest: The manifest's text.
        manifest_id: Its id.

    Returns:
        By name, those of files only if the model takes photographs.
    """

    def explain(*tensors: tf.Tensor) -> answers.Answer:
        *images, classes = tensors
        return answers.explanations(plan, images, classes, manifest_id)

    def explain_files(files: tf.Tensor, classes: tf.Tensor) -> answers.Answer:
        return answers.explanations_of_files(plan, files, classes, manifest_id)

    def tell(index: tf.Tensor) -> answers.Answer:
        few = shapes.check_count(index, signatures.INDEX, _MOST_MANIFESTS, "send fewer at once")
        with tf.control_dependencies([few]):
            return {signatures.MANIFEST: tf.fill(tf.shape(index), manifest)}

    made = {
        signatures.PREDICT: _endpoint(
            lambda *images: answers.predictions(plan, images, manifest_id), plan.tensors
        ),
        signatures.EXPLAIN: _endpoint(explain, (*plan.tensors, _CLASSES)),
        signatures.MANIFEST: _endpoint(tell, [_INDEX]),
    }
    if plan.fitting is not None:
        made |= {
            signatures.PREDICT + signatures.BYTES: _endpoint(
                lambda files: answers.predictions_of_files(plan, files, manifest_id), [_FILES]
            ),
            signatures.EXPLAIN + signatures.BYTES: _endpoint(explain_files, (_FILES, _CLASSES)),
        }
    return made


def _endpoint(function: Callable[..., Any], specs: Sequence[tf.TensorSpec]) -> Endpoint:
    """Check a function's arguments; set the names and the default that requests use.

    A signature's default is the predicted class: who asks over gRPC may leave the class out.
    """
    predicted = tf.constant([-1])

    def named(*tensors: tf.Tensor) -> Any:
        return function(*shapes.conform(tensors, specs))

    named.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                spec.name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=predicted if spec is _CLASSES else inspect.Parameter.empty,
            )
            for spec in specs
        ]
    )
    return Endpoint(named, specs)

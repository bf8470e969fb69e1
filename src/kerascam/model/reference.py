"""The model's own outputs, run as its user would run it: a traced graph must equal them."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from .._types import Target
from ..collection import collection_paused
from ..targets import head_of
from . import specs
from .compiled import Compiled
from .interrupts import held_back
from .layers import every_layer
from .outputs import select
from .question import Question
from .shadow import losses_kept
from .side_effects import as_they_were


def own_answer(
    model: keras.Model,
    inputs: Sequence[tf.Tensor],
    like: Any,
    question: Question,
    compiled: Compiled,
) -> Any:
    """Call the model in inference mode, without a graph; its states stay as they are.

    Args:
        model: The model.
        inputs: One for each of its inputs.
        like: The structure of the inputs, for a model that does not declare one.
        question: What is asked: which output, and how its target reads it.
        compiled: What was traced of the model: it knows the variables that a layer assigns to.

    Returns:
        The explained output, what the target reads of it, or all outputs; None if the model does
        not run without a graph.
    """
    changed = getattr(compiled, "assigned", [])
    try:
        kept = losses_kept(every_layer(model))
        with (
            held_back(),
            collection_paused(),
            as_they_were(changed),
            kept,
            keras.StatelessScope(),
        ):
            outputs = specs.call(model, specs.pack(model, inputs, like))
        return _as_read(question.target, select(model, outputs, question.output))
    except Exception:  # only the graph can run it, such as on another device
        return None


def _as_read(target: Target, outputs: Any) -> Any:
    """Take of several outputs what a target with a `read_head` of its own reads; else all."""
    if not hasattr(target, "read_head"):
        return outputs
    # A head is read in graphs alone, where its softmax is found; here none is in sight.
    reading = tf.function(lambda given: _outputs_of(head_of(target, given)), autograph=False)
    found = reading(outputs)
    return outputs if found is None else found


def _outputs_of(head: Any) -> Any:
    return None if head is None else head.outputs


def is_half(model: keras.Model) -> bool:
    """Tell whether the model computes in numbers of 16 bits, or fewer, anywhere."""
    return any(
        getattr(layer, "quantization_mode", None) is not None
        or "16" in str(getattr(layer, "compute_dtype", ""))
        for layer in every_layer(model)
    )

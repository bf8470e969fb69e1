"""The model's own outputs, run as its user would run it: a traced graph must equal them."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ..collection import collection_paused
from . import specs
from .compiled import Compiled
from .interrupts import held_back
from .layers import every_layer
from .outputs import select
from .shadow import losses_kept
from .side_effects import as_they_were


def own_answer(
    model: keras.Model,
    inputs: Sequence[tf.Tensor],
    like: Any,
    output: int | str | None,
    compiled: Compiled,
) -> Any:
    """Call the model in inference mode, without a graph; its states stay as they are.

    Args:
        model: The model.
        inputs: One for each of its inputs.
        like: The structure of the inputs, for a model that does not declare one.
        output: The explained output's name or index.
        compiled: What was traced of the model: it knows the variables that a layer assigns to.

    Returns:
        The explained output, or all of them; None if the model does not run without a graph.
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
        return select(model, outputs, output)
    except Exception:  # only the graph can run it, such as on another device
        return None


def is_half(model: keras.Model) -> bool:
    """Tell whether the model computes in numbers of 16 bits, or fewer, anywhere."""
    return any(
        getattr(layer, "quantization_mode", None) is not None
        or "16" in str(getattr(layer, "compute_dtype", ""))
        for layer in every_layer(model)
    )

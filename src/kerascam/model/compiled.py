"""Keep a traced computation as one graph, for any batch size and any classes."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from ..collection import collection_paused
from .interrupts import held_back, passed_on
from .side_effects import as_they_were, assigned_variables, check_assigns_none

Compiled = Callable[..., Any]


def compile_graph(
    function: Callable[..., Any], specs: Sequence[tf.TensorSpec], *, freeze: bool
) -> Compiled:
    """Trace `function` once over `specs`.

    Args:
        function: Of tensors, giving a dict of tensors.
        specs: Its arguments, with None for an axis of any length.
        freeze: Make the weights constants of the graph. TensorFlow then folds batch
            normalisation into the convolutions; later weight updates are not seen, and the
            weights are held several times over.

    Returns:
        A function of tensors. The variables that the model assigns to are put back after each run.

    Raises:
        ValueError: If the model assigns to variables that `freeze` would have to keep.
    """
    with held_back(), collection_paused():
        traced = tf.function(function, autograph=False).get_concrete_function(*specs)
        if freeze:
            check_assigns_none(traced.graph, "freeze=True keeps a graph without variables")
            return _frozen(traced)
        changed = assigned_variables(traced)
        return _restoring(traced, changed) if changed else traced


def run(compiled: Compiled, *tensors: tf.Tensor) -> Any:
    """Run what was compiled; an interrupt of the run stays one."""
    with held_back(), passed_on():
        return compiled(*tensors)


def _restoring(traced: Compiled, changed: list[tf.Variable]) -> Compiled:
    def call(*tensors: tf.Tensor) -> Any:
        with as_they_were(changed):
            return traced(*tensors)

    call.assigned = changed  # type: ignore[attr-defined]
    return call


def _frozen(traced: Any) -> Compiled:
    # The function that TensorFlow's own converters use; it has no public name.
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    try:
        frozen = convert_variables_to_constants_v2(traced)
    except tf.errors.UnimplementedError:  # numbers that no constant may be, such as float8
        return _of_copies(traced)
    structure = traced.structured_outputs
    likes = tf.nest.flatten(structure, expand_composites=True)

    def call(*tensors: tf.Tensor) -> Any:
        found = iter(frozen(*tensors))
        flat = [None if like is None else _shaped_like(next(found), like) for like in likes]
        return tf.nest.pack_sequence_as(structure, flat, expand_composites=True)

    return call


def _of_copies(traced: Any) -> Compiled:
    """Let a graph read copies of its variables: a snapshot, if no faster than the graph."""
    copies = [(variable.handle, tf.Variable(variable)) for variable in traced.variables]
    traced.set_external_captures([
        next((copy.handle for handle, copy in copies if handle is outer), outer)
        for outer in traced.captured_inputs
    ])  # fmt: skip

    traced._kerascam_copies = copies  # alive as long as the function that reads them
    return traced


def _shaped_like(output: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    # Freezing forgets lengths that the trace had found out.
    output.set_shape(like.shape)
    return output

"""Refuse a request of a wrong shape inside the graph: TensorFlow Serving itself checks none.

A wrong rank can end the server's process inside an operation, and a wrong size can be answered as
if it were right.
"""

from collections.abc import Sequence

import tensorflow as tf

from .. import signatures


def conform(tensors: Sequence[tf.Tensor], specs: Sequence[tf.TensorSpec]) -> list[tf.Tensor]:
    """Pass the tensors of a request on after each has the shape that its signature declares.

    Args:
        tensors: As they were sent: of any shape, whatever they declare.
        specs: The name and shape of each; None is any length above zero.

    Returns:
        The same tensors. Nothing can use one before all are checked: the shape of each, and that
        they hold equally many rows. The class may be one for all.
    """
    sent = [_undeclared(tensor) for tensor in tensors]
    pairs = list(zip(sent, specs, strict=True))
    shapes = [_check_shape(tensor, spec) for tensor, spec in pairs]
    with tf.control_dependencies(shapes):
        rows = [_check_rows(tensor, spec, *pairs[0]) for tensor, spec in pairs[1:]]
    with tf.control_dependencies([*shapes, *rows]):
        return [tf.ensure_shape(tensor, spec.shape) for tensor, spec in pairs]


def check_count(tensor: tf.Tensor, name: str, most: int, fix: str) -> tf.Operation | None:
    """Make the operation that fails if a tensor holds more rows than one request may.

    Args:
        tensor: The rows.
        name: What a request calls them.
        most: How many they may be.
        fix: What to do about it.
    """
    count = tf.shape(tensor)[0]
    why = tf.strings.format(
        f"{name} must hold at most {most} entries in one request; received {{}}: {fix}",
        count,
    )
    return tf.debugging.Assert(count <= most, [why])


def _undeclared(tensor: tf.Tensor) -> tf.Tensor:
    """Hide the declared shape: a check against what is declared would be optimised away."""
    return tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=tf.TensorShape(None))


def _check_shape(tensor: tf.Tensor, spec: tf.TensorSpec) -> tf.Operation | None:
    wanted, received = spec.shape.as_list(), tf.shape(tensor)
    least = [1 if length is None else length for length in wanted]
    most = [tf.int32.max if length is None else length for length in wanted]
    # As long as what is wanted, so that other ranks can be compared.
    lengths = tf.concat([received, tf.fill([len(wanted)], -1)], 0)[: len(wanted)]
    fits = tf.reduce_all((lengths >= least) & (lengths <= most))
    why = tf.strings.format(
        f"{spec.name} must have shape {_worded(wanted)}, with one or more in the batch; "
        f"received shape {{}}",
        received,
    )
    return tf.debugging.Assert(fits & (tf.size(received) == len(wanted)), [why])


def _worded(shape: Sequence[int | None]) -> str:
    lengths = ["any" if length is None else str(length) for length in shape[1:]]
    return f"({', '.join(['batch', *lengths])}{'' if lengths else ','})"


def _check_rows(
    tensor: tf.Tensor, spec: tf.TensorSpec, first: tf.Tensor, of: tf.TensorSpec
) -> tf.Operation | None:
    rows, wanted = tf.shape(tensor)[0], tf.shape(first)[0]
    is_class = spec.name == signatures.CLASS_INDEX
    why = tf.strings.format(
        f"{spec.name} must hold {'1 entry, or ' if is_class else ''}as many entries as {of.name}: "
        f"{{}}; received {{}}",
        (wanted, rows),
    )
    return tf.debugging.Assert((rows == wanted) | ((rows == 1) if is_class else False), [why])

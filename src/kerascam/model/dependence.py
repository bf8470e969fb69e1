"""What a score depends on, and which steps only put the output together."""

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from . import graph
from .parts import untaken
from .placing import ELEMENTWISE, HANDING_ON

# These hand every number on as it is, to other places, or spread it over the places beside.
_PUTTING_TOGETHER = ELEMENTWISE | HANDING_ON | {
    "Concat", "ConcatV2", "DepthToSpace", "ExpandDims", "GatherNd", "GatherV2", "MirrorPad",
    "Pack", "Pad", "PadV2", "Reshape", "ResizeBicubic", "ResizeBilinear", "ResizeNearestNeighbor",
    "ReverseV2", "Slice", "SpaceToDepth", "Split", "SplitV", "Squeeze", "StridedSlice", "Tile",
    "Transpose", "Unpack",
}  # fmt: skip


@dataclass(frozen=True)
class Dependence:
    """The names of operations, by what the score has to do with them.

    Attributes:
        inputs: The model's.
        ends: The scores, or all outputs.
        aside: What the scores are not taken from.
        used: The score moves with them.
        narrow: All that the score knows of the image comes through each of them.
        giving: They return the output's numbers, and only steps that put it together follow.
    """

    inputs: tuple[tf.Tensor, ...]
    ends: tuple[tf.Tensor, ...]
    aside: frozenset[str]
    used: frozenset[str]
    narrow: frozenset[str]
    giving: frozenset[str]

    def without(self, operations: set[str]) -> set[str]:
        """Name the operations through which the image moves the score beside some others."""
        above = graph.ancestors(self.ends, self.aside | operations, differentiable=True)
        return above & graph.descendants(self.inputs, operations)


def dependence_of(
    inputs: Sequence[tf.Tensor],
    image: tf.Tensor,
    outputs: Sequence[tf.Tensor],
    scores: tf.Tensor | None,
    classes: tf.Tensor | None,
) -> Dependence:
    """Find what the scores depend on in the graph that is being traced.

    Args:
        inputs: The model's.
        image: That of them that is asked about.
        outputs: All that the target was given.
        scores: What it gave, shape (batch,); None asks for all outputs.
        classes: The classes that it was given.
    """
    moving = graph.descendants(inputs)
    giving, parts = _end(outputs, moving)
    ends, aside = tuple(outputs), set[str]()
    if scores is not None and classes is not None:
        # Which class is predicted depends on all of an output, but the score of a class does not.
        ends, aside = (scores,), {classes.op.name}
        if len(parts) > 1:
            before = (graph.ancestors(outputs) & moving) - giving
            aside |= untaken(parts, outputs, scores, classes, before)
    return Dependence(
        tuple(inputs),
        ends,
        frozenset(aside),
        used=frozenset(
            graph.ancestors(ends, aside, differentiable=True) & graph.descendants(inputs, aside)
        ),
        narrow=frozenset(graph.bottlenecks([image], ends, aside)),
        giving=frozenset(giving),
    )


def _end(outputs: Sequence[tf.Tensor], moving: set[str]) -> tuple[set[str], list[tf.Tensor]]:
    """Walk back from the outputs as long as numbers are only handed on.

    Returns:
        The operations that were passed, and the tensors at which the walk ended, the operations
        that made them included.
    """
    passed: set[str] = set()
    parts: dict[str, tf.Tensor] = {}
    waiting = list(outputs)
    while waiting:
        tensor = waiting.pop()
        operation = tensor.op
        if operation.name in passed:
            continue
        passed.add(operation.name)
        before = [each for each in operation.inputs if _moves(each, moving)]
        if operation.type in _PUTTING_TOGETHER and before and not _is_residual(operation, before):
            waiting.extend(before)
        else:
            parts[tensor.name] = tensor
    return passed, list(parts.values())


def _moves(tensor: tf.Tensor, moving: set[str]) -> bool:
    return tensor.dtype.is_floating and tensor.op.name in moving


def _is_residual(operation: tf.Operation, before: Sequence[tf.Tensor]) -> bool:
    """Tell whether an operation joins features with others that were made of them."""
    whole = [each for each in before if each.shape == operation.outputs[0].shape]
    names = {each.op.name for each in whole}
    return len(names) > 1 and any(
        (names - {each.op.name}) & graph.ancestors([each]) for each in whole
    )

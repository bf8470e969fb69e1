"""The forward pass alone, as a graph: what the model predicts, and what a target scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras import ops

from .._types import ClassIds, Outputs
from ..model import Compiled, Question, Signature, Trace, compile_graph, probe, with_classes
from ..targets.heads import Head


@dataclass(frozen=True)
class Scoring:
    """A compiled target.

    Attributes:
        run: Maps the inputs and the classes, (batch,) int32 with -1 for the predicted one, to a
            dict with the scores, the classes and their probabilities, (batch,), and the
            predictions; see `predictions_of`.
        class_count: How many classes may be asked for; None if that is unknown.
    """

    run: Compiled
    class_count: int | None


def predictions_of(head: Head | None) -> Outputs | None:
    """Return the probabilities, or the output as it is if it has none; at least float32.

    Args:
        head: The explained output; None for several outputs.

    Returns:
        Shape (batch, *grid, units); None for several outputs.
    """
    if head is None:
        return None
    found = head.outputs if head.probabilities is None else head.probabilities
    return found if found.dtype == "float64" else ops.cast(found, "float32")


def compile_predictions(
    model: keras.Model,
    question: Question,
    signature: Signature,
    like: Any,
    *,
    freeze: bool,
) -> Compiled:
    """Trace the forward pass alone.

    Returns:
        Maps the inputs to a dict of tensors: classes, (batch,), the predicted ones; and, of one
        explained output, predictions; see `predictions_of`.
    """
    ask = _asker(model, question, like)

    def predict(*inputs: Any) -> dict[str, Any]:
        trace = ask(inputs, ops.full(ops.shape(inputs[0])[:1], -1, "int32"))
        return {"classes": trace.classes, "predictions": predictions_of(trace.head)}

    return compile_graph(predict, signature, freeze=freeze)


def compile_scores(
    model: keras.Model,
    question: Question,
    signature: Signature,
    like: Any,
    *,
    freeze: bool,
) -> Scoring:
    """Trace the forward pass and the target alone, for any batch size and any classes."""
    ask = _asker(model, question, like)
    heads: list[Head | None] = []

    def score(*tensors: Any) -> dict[str, Any]:
        *inputs, classes = tensors
        trace = ask(inputs, classes)
        heads.append(trace.head)
        return {
            "scores": trace.scores,
            "probabilities": trace.probabilities,
            "classes": trace.classes,
            "predictions": predictions_of(trace.head),
        }

    run = compile_graph(score, with_classes(signature), freeze=freeze)
    return Scoring(run, None if heads[0] is None else heads[0].class_count)


def _asker(
    model: keras.Model, question: Question, like: Any
) -> Callable[[Sequence[Any], ClassIds], Trace]:
    plain = replace(question, relu_rule=None, needs=frozenset(), survey=False)
    return lambda inputs, classes: probe(model, [], plain, inputs, classes, like)

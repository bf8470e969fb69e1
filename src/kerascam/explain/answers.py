"""What a model answers when it is asked again: by the forward pass that an explainer compiled."""

from typing import Any, NamedTuple

import numpy as np

from .._host_types import HostClassIds, HostScores
from ..model import InputForm, declared_units
from .explainer import Explainer


class Answers(NamedTuple):
    """What a model says of some images.

    Attributes:
        scores: Shape (batch,): the target's.
        probabilities: Shape (batch,): of the class; NaN if the model returns none.
        classes: Shape (batch,): those that were asked for, or the predicted ones.
    """

    scores: HostScores
    probabilities: HostScores
    classes: HostClassIds


class ExplainedInput(NamedTuple):
    """Which of a model's inputs is explained.

    Attributes:
        place: Its number.
        form: How it is read.
    """

    place: int
    form: InputForm


def explained_input(explainer: Explainer, images: Any) -> ExplainedInput | None:
    """Find the input that heatmaps lie on; None if they lie on none. Nothing is run."""
    program = explainer._asked(images, None, explainer.programs.of).compiled
    if program.image_place is None:
        return None
    return ExplainedInput(program.image_place, program.input_form)


def answers_of(explainer: Explainer, images: Any, classes: Any = None) -> Answers:
    """Run the forward pass alone; for the arguments and errors see `Explainer.score`."""
    _, found = explainer._answered(images, classes, explainer.programs.scoring, None)
    return Answers(*(np.asarray(found[name]) for name in Answers._fields))


def class_count_of(explainer: Explainer, images: Any) -> int | None:
    """Return how many classes may be asked for; None if that is unknown."""
    asked = explainer._asked(images, None, explainer.programs.scoring)
    count: int | None = asked.compiled.class_count
    return count


def classes_of(explainer: Explainer, images: Any, classes: Any = None) -> HostClassIds:
    """Bring the user's classes to one index per image; the model is asked only for predicted ones.

    The arguments and errors are those of `Explainer.score`.
    """
    if classes is None:
        return answers_of(explainer, images).classes
    units = declared_units(explainer.model, explainer.output)
    return explainer._wanted(classes, len(images), units)

"""What a run explains and how, settled from the arguments before the first image is read."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ..explain.explainer import Explainer
from ..loading import sized, to_inputs
from ..model.image_form import image_form, output_shapes
from ..model.preprocessing import Preprocess, preprocessing
from ..pictures.fitting import ImageForm
from ..pictures.look import Look
from . import classes, models, options
from .batches import Photo
from .methods import find_methods


@dataclass(frozen=True)
class Plan:
    """What is asked of the model.

    Attributes:
        model: The model.
        form: The images that it takes.
        preprocess: From float32 RGB from 0 to 255 to what it wants.
        explainers: One a method.
        labels: The class names, where they are known.
        wanted: The classes that the user names; none where the model's prediction is explained.
        top: How many of the most probable classes are explained.
        look: How overlays look.
    """

    model: keras.Model
    form: ImageForm
    preprocess: Preprocess
    explainers: tuple[Explainer, ...]
    labels: tuple[str, ...] | None
    wanted: tuple[int, ...]
    top: int
    look: Look

    def inputs(self, photos: Sequence[Photo]) -> np.ndarray:
        """Return the batch that the model is called with."""
        return to_inputs([photo.values for photo in photos], self.form, self.preprocess)

    def questions(self, inputs: np.ndarray) -> list[Any]:
        """Give what each picture of an image explains: a class, one an image, or None."""
        if self.wanted:
            return list(self.wanted)
        if self.top == 1:
            return [None]
        outputs = keras.ops.convert_to_numpy(self.model(inputs, training=False))
        order = np.argsort(-outputs.astype(np.float64), axis=-1, kind="stable")
        return list(order[:, : self.top].T)


def settle(arguments: Namespace) -> Plan:
    """Settle the plan; what can be wrong is looked at before the model, which may load for long.

    Raises:
        ValueError: If an argument is wrong, or does not fit the model.
    """
    methods = find_methods(arguments.methods)
    look = options.look_of(arguments)
    preprocess = find_preprocessing(arguments.preprocess)
    labels = classes.read_labels(arguments.labels) if arguments.labels else None

    model = models.load(arguments.model, arguments.imports, unsafe=arguments.unsafe)
    form = sized(image_form(model), arguments.size, "--size")
    shape = _output_shape(model, form)
    units = 1 if len(shape) == 1 else shape[-1]
    _check_labels(labels, units)
    top = arguments.top or 1
    _check_top(top, shape)
    count = None if units == 1 else units  # one unit may stand for one class or for two
    wanted = [classes.find_class(text, labels, count) for text in arguments.classes or ()]

    # One --layer may go with methods of both kinds; alone with methods of images it is a mistake.
    anywhere = any(method.of_layers for method in methods)
    explainers = tuple(
        Explainer(
            model,
            method.name,
            arguments.layers if method.of_layers or not anywhere else None,
            labels=labels,
        )
        for method in methods
    )
    return Plan(
        model,
        form,
        preprocess,
        explainers,
        None if labels is None else tuple(labels),
        tuple(dict.fromkeys(wanted)),
        top,
        look,
    )


def find_preprocessing(name: str) -> Preprocess:
    """Find what `--preprocess` names.

    Raises:
        ValueError: If there is no such name.
    """
    try:
        return preprocessing(name)
    except ValueError as error:
        raise ValueError(f"--{error}") from None


def _output_shape(model: keras.Model, form: ImageForm) -> tuple[int | None, ...]:
    shapes = output_shapes(model, form)
    if len(shapes) != 1:
        raise ValueError(
            f"model {model.name!r} has {len(shapes)} outputs; the command line explains models of "
            f"one: use kerascam in Python, with output="
        )
    return shapes[0]


def _check_labels(labels: Sequence[str] | None, units: int | None) -> None:
    if labels is None or units in (None, len(labels)) or (units == 1 and len(labels) == 2):
        return
    classes_of = f"{units} classes" if units != 1 else "one output unit, for two classes at most"
    raise ValueError(f"--labels has {len(labels)} names, but the model has {classes_of}")


def _check_top(top: int, shape: tuple[int | None, ...]) -> None:
    if top == 1:
        return
    if len(shape) > 2:
        raise ValueError(f"--top {top} needs a model with one prediction an image; this one gives "
                         f"outputs of shape {shape}")  # fmt: skip
    if len(shape) == 1 or shape[-1] == 1:
        raise ValueError(f"--top {top} needs a model of several classes; this one has one unit")
    if shape[-1] is not None and top > shape[-1]:
        raise ValueError(f"--top {top} is more than the model's {shape[-1]} classes")

"""What a run explains and how, settled from the arguments before the first image is read."""

import re
import reprlib
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ..arguments import class_index
from ..explain import Explainer, Explanation
from ..files import parse_json
from ..loading import sized, to_inputs
from ..model import Preprocess, image_form_of, output_shapes, preprocessing_of
from ..pictures import ImageForm, Look
from . import models, options, terminal
from .images import Photo
from .listing import find_methods


@dataclass(frozen=True)
class Plan:
    """What is asked of the model.

    Attributes:
        model: The model.
        form: The images that it takes.
        preprocess: From float32 RGB from 0 to 255 to what it wants.
        explainers: One per method.
        class_names: The class names, if they are known.
        wanted: The classes that the user names; empty if the model's prediction is explained.
        top: How many of the most probable classes are explained.
        look: How overlays look.
    """

    model: keras.Model
    form: ImageForm
    preprocess: Preprocess
    explainers: tuple[Explainer, ...]
    class_names: tuple[str, ...] | None
    wanted: tuple[int, ...]
    top: int
    look: Look

    def inputs(self, photos: Sequence[Photo]) -> np.ndarray:
        """Return the batch that the model is called with."""
        return to_inputs([photo.values for photo in photos], self.form, self.preprocess)

    def explain(self, inputs: np.ndarray, bar: terminal.Bar) -> list[Explanation]:
        """Explain a batch by every method, for every class that is asked for.

        Args:
            inputs: The batch.
            bar: Told how far a method is that runs the model many times.
        """
        first, *others = self.explainers
        calls = len(self.explainers) * (len(self.wanted) or self.top)
        made: list[Explanation] = []

        def call(explainer: Explainer, question: Any = None) -> Explanation:
            def show(steps: int, of: int) -> None:
                share = (len(made) + steps / of) / calls
                bar.within(len(inputs) * share, f"{explainer.method.title}: pass {steps} of {of}")

            shown = show if explainer.method.asks_many_times else False
            made.append(explainer(inputs, question, progress=shown))
            return made[-1]

        if self.wanted:
            questions: list[Any] = list(self.wanted)
            for question in questions:
                call(first, question)
        else:  # the first explanation says what else the model finds probable
            found = call(first)
            questions = [found.classes, *next_classes(found, self.top - 1)]
            for question in questions[1:]:
                call(first, question)
        for explainer in others:
            for question in questions:
                call(explainer, question)
        return made


def next_classes(explanation: Explanation, count: int) -> list[np.ndarray]:
    """Find the most probable classes after the one that is explained.

    Args:
        explanation: The explanation of the predicted classes.
        count: How many.

    Returns:
        For each rank an array with one class per image.
    """
    if not count or explanation.predictions is None:
        return []
    order = np.argsort(-explanation.predictions.astype(np.float64), axis=-1, kind="stable")
    # The predicted class goes first by its logit, also if probabilities are equal when rounded.
    rest = [row[row != own][:count] for row, own in zip(order, explanation.classes, strict=True)]
    return list(np.array(rest).T)


def settle(arguments: Namespace) -> Plan:
    """Settle the plan; check all that can be wrong before loading the model, which may take long.

    Raises:
        ValueError: If an argument is wrong, or does not fit the model.
    """
    methods = find_methods(arguments.methods)
    look = options.look_of(arguments)
    preprocess = find_preprocessing(arguments.preprocess)
    class_names = read_class_names(arguments.class_names) if arguments.class_names else None

    model = models.load(arguments.model, arguments.imports, unsafe=arguments.unsafe)
    form = sized(image_form_of(model, arguments.axes), arguments.size, "--size")
    shape = _output_shape(model, form)
    units = 1 if len(shape) == 1 else shape[-1]
    _check_class_names(class_names, units)
    top = arguments.top or 1
    _check_top(top, shape)
    count = None if units == 1 else units  # one unit may stand for one class or for two
    wanted = [find_class(text, class_names, count) for text in arguments.classes or ()]

    # --layer and --place may go with methods of both kinds; alone with methods of images each is a
    # mistake.
    anywhere = any(method.of_layers for method in methods)
    explainers = tuple(
        Explainer(
            model,
            method.name,
            arguments.layers if method.of_layers or not anywhere else None,
            class_names=class_names,
            place=arguments.place if method.of_layers or not anywhere else "stretch",
            axes=arguments.axes,
        )
        for method in methods
    )
    return Plan(
        model,
        form,
        preprocess,
        explainers,
        None if class_names is None else tuple(class_names),
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
        return preprocessing_of(name)
    except ValueError as error:
        raise ValueError(f"--{error}") from None


def _output_shape(model: keras.Model, form: ImageForm) -> tuple[int | None, ...]:
    shapes = output_shapes(model, form)
    if len(shapes) != 1:
        raise ValueError(
            f"model {model.name!r} has {len(shapes)} outputs; the command line explains models "
            f"with one: use kerascam in Python, with output="
        )
    return shapes[0]


def _check_class_names(class_names: Sequence[str] | None, units: int | None) -> None:
    if (
        class_names is None
        or units in (None, len(class_names))
        or (units == 1 and len(class_names) == 2)
    ):
        return
    classes_of = f"{units} classes" if units != 1 else "one output unit, for two classes at most"
    raise ValueError(f"--class-names has {len(class_names)} names, but the model has {classes_of}")


def _check_top(top: int, shape: tuple[int | None, ...]) -> None:
    if top == 1:
        return
    if len(shape) > 2:
        raise ValueError(f"--top {top} needs a model with one prediction per image; this one has "
                         f"outputs of shape {shape}")  # fmt: skip
    if len(shape) == 1 or shape[-1] == 1:
        raise ValueError(f"--top {top} needs a model of several classes; this one has one unit")
    if shape[-1] is not None and top > shape[-1]:
        raise ValueError(f"--top {top} is more than the model's {shape[-1]} classes")


# ImageNet's 21,841 classes take half a megabyte.
_MOST_BYTES = 16 * 2**20
_MOST_CLASSES = 2**31  # as many as an index of 32 bits has


def read_class_names(path: str) -> list[str]:
    """Read the class names in order.

    Args:
        path: A UTF-8 file: one name per line, a JSON list, or a JSON dict from index to name or, as
            ImageNet's, to [synset, name].

    Raises:
        ValueError: If the file holds nothing of the kind.
        OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        content = file.read(_MOST_BYTES + 1)
    try:
        return _parse(_decode(content))
    except ValueError as error:
        raise ValueError(f"--class-names {path}: {error}") from None


def _decode(content: bytes) -> str:
    if len(content) > _MOST_BYTES:
        raise ValueError(f"more than {_MOST_BYTES // 2**20} MiB, which no list of class names has")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("not a UTF-8 text file") from None
    if "\0" in text:
        raise ValueError("not a UTF-8 text file: it holds zero bytes")
    return text


def _parse(text: str) -> list[str]:
    if text.lstrip().startswith(("[", "{")):
        names = _from_json(text)
    else:
        names = [line.strip() for line in text.rstrip().splitlines()]
    if not names or names == [""]:
        raise ValueError("no class names in this file")
    if "" in names:
        raise ValueError(f"name {names.index('') + 1} of {len(names)} is empty")
    return names


def _from_json(text: str) -> list[str]:
    data = parse_json(text)
    if isinstance(data, dict):
        places = {str(place) for place in range(len(data))}
        if set(data) != places:
            odd = min(set(data) - places)
            raise ValueError(
                f'the keys must be "0" to "{len(data) - 1}"; one is {reprlib.repr(odd)}'
            )
        data = [data[str(place)] for place in range(len(data))]
    return [_name(entry) for entry in data]


def _name(entry: Any) -> str:
    if isinstance(entry, list) and entry:
        entry = entry[-1]  # ImageNet's ["n01440764", "tench"]
    if not isinstance(entry, str):
        raise ValueError(f"a class name must be text, not {reprlib.repr(entry)}")
    return entry.strip()


def find_class(text: str, class_names: Sequence[str] | None, count: int | None) -> int:
    """Find the class that the user names, by its name or its index.

    Raises:
        ValueError: If there is no such class.
    """
    if class_names is not None and text in class_names:
        return list(class_names).index(text)
    if re.fullmatch(r"-?\d+", text):
        index = int(text) if len(text) < 20 else _MOST_CLASSES  # Python refuses thousands of digits
        if index < 0 or index >= (count or _MOST_CLASSES):
            last = "the last one" if count is None else count - 1
            raise ValueError(f"--class must be from 0 to {last}, not {text}")
        return index
    if class_names is None:
        raise ValueError(
            f"--class {text!r} is a name: give the class names with --class-names FILE"
        )
    try:
        return class_index(text, class_names)
    except ValueError as error:
        message = (
            str(error)
            .removeprefix("classes names ")
            .replace("see class_names=", "see --class-names")
        )
        raise ValueError(f"--class {message}") from None

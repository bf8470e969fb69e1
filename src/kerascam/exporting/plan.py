"""What is exported, settled from the explainer and the arguments before anything is written."""

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from .. import signatures
from ..arguments import check_class_names
from ..explain import Explainer, Program, compile_predictions
from ..inputs import InputSpec, conform
from ..model import USUAL_LENGTHS, Compiled, Preprocess, built_shape, input_specs, tensor_spec
from ..pictures import Look
from .decoding import Fitting
from .limits import Limits


@dataclass(frozen=True)
class Drawing:
    """How overlays are drawn.

    Attributes:
        look: Style, colours, opacity and levels.
        side: How long an overlay's longer side may be, in pixels; None for any length.
    """

    look: Look
    side: int | None


@dataclass(frozen=True)
class Plan:
    """What is exported.

    Attributes:
        explainer: The explainer to export.
        program: The explanation as a graph.
        predict: The forward pass alone.
        tensors: The form of each of the model's inputs, with its name in a request.
        names: The model's own names of its inputs.
        blank: One image of zeros for each input, by its name in a request.
        fitting: How photographs are brought to the model's size; None if it takes no one
            photograph, and then it has no `_bytes` signatures.
        preprocess: From the photographs' values to the model's.
        drawing: How overlays are drawn.
        raw_maps: Whether explanations hold raw maps.
    """

    explainer: Explainer
    program: Program
    predict: Compiled
    tensors: tuple[tf.TensorSpec, ...]
    names: tuple[str, ...]
    blank: Mapping[str, np.ndarray]
    fitting: Fitting | None
    preprocess: Preprocess
    drawing: Drawing
    raw_maps: bool


def settle(
    explainer: Explainer,
    example: Any,
    *,
    size: tuple[int, int] | None,
    resize: str,
    crop: bool,
    limits: Limits,
    preprocess: Preprocess,
    drawing: Drawing,
    raw_maps: bool,
) -> Plan:
    """Compile what is exported, on inputs like the example, and find what photographs become.

    Raises:
        ValueError: If the example, the size or the class names do not fit the model.
    """
    model = explainer.model
    specs = input_specs(model, example)
    _check_measured(explainer)
    arrays = _example(model, specs, example, size)
    program = explainer.programs.of(specs, example, arrays)
    check_class_names(explainer.class_names, program.class_count)
    names = _request_names(specs)
    forms = [
        tensor_spec(spec, array.shape, array.dtype)
        for spec, array in zip(specs, arrays, strict=True)
    ]
    recipe = explainer.programs.recipe
    predict = compile_predictions(
        model, recipe.question, forms, example, freeze=explainer.programs.freeze
    )
    return Plan(
        explainer=explainer,
        program=program,
        predict=predict,
        tensors=tuple(
            tf.TensorSpec(form.shape, form.dtype, name)
            for form, name in zip(forms, names, strict=True)
        ),
        names=tuple(spec.name for spec in specs),
        blank={
            name: np.zeros((1, *array.shape[1:]), array.dtype)
            for name, array in zip(names, arrays, strict=True)
        },
        fitting=_fitting(arrays, program, recipe.question.axes, forms, size, resize, crop, limits),
        preprocess=preprocess,
        drawing=drawing,
        raw_maps=raw_maps,
    )


def _check_measured(explainer: Explainer) -> None:
    question = explainer.programs.recipe.question
    if question.place == "effective" and not question.shifts:
        raise ValueError(
            "place='effective' is measured on images, and no example stands for them: call the "
            "explainer on a batch of images before it is exported"
        )


def _example(
    model: Any, specs: Sequence[InputSpec], example: Any, size: tuple[int, int] | None
) -> list[np.ndarray]:
    if example is not None:
        return conform(example, specs, "example")
    shapes = [_whole_shape(model, spec, size) for spec in specs]
    return conform([np.zeros((1, *shape), spec.dtype or np.float32) for shape, spec in
                    zip(shapes, specs, strict=True)], specs)  # fmt: skip


def _whole_shape(model: Any, spec: InputSpec, size: tuple[int, int] | None) -> tuple[int, ...]:
    """Fill in the lengths that an input leaves open, as it was built or as photographs come."""
    shape = built_shape(model) or spec.shape
    if shape is None:
        raise ValueError(
            f"example must be given: model {model.name!r} does not say what it takes; pass a batch "
            f"of its inputs"
        )
    grid = iter(size or ()) if len(shape) == 3 else iter(())
    usual = USUAL_LENGTHS.get(len(shape) - 1, 1)
    return tuple(length or next(grid, usual) for length in shape)


def _request_names(specs: Sequence[InputSpec]) -> list[str]:
    """Name the inputs as requests do, by identifiers: a signature's inputs are parameters."""
    if len(specs) == 1:
        return [signatures.IMAGE]
    names: list[str] = []
    for spec in specs:
        name = re.sub(r"[^0-9A-Za-z_]", "_", spec.name)
        name = name if name.isidentifier() and not keyword.iskeyword(name) else f"input_{name}"
        while name in (*names, "self", signatures.CLASS_INDEX):
            name += "_"
        names.append(name)
    return names


def _fitting(
    arrays: Sequence[np.ndarray],
    program: Program,
    axes: str | None,
    forms: Sequence[tf.TensorSpec],
    size: tuple[int, int] | None,
    resize: str,
    crop: bool,
    limits: Limits,
) -> Fitting | None:
    obstacle = _obstacle(arrays, program, axes)
    if obstacle and size is not None:
        raise ValueError(f"size={size!r} is for photographs, but {obstacle}; leave it out")
    if obstacle:
        return None
    shape, declared = arrays[0].shape[1:], forms[0].shape[1:]
    if program.input_form.channel == 0:
        shape, declared = (*shape[1:], shape[0]), (*declared[1:], declared[0])
    wanted = size or (shape[0], shape[1])
    if any(own not in (None, asked) for own, asked in zip(declared[:2], wanted, strict=True)):
        own = "×".join("any" if length is None else str(length) for length in declared[:2])
        raise ValueError(f"size={size!r} does not fit the model, which takes {own}")
    return Fitting((int(wanted[0]), int(wanted[1])), int(shape[2]), resize, crop, limits)


def _obstacle(arrays: Sequence[np.ndarray], program: Program, axes: str | None) -> str:
    """Say why the model cannot take photographs; empty if it can."""
    if len(arrays) != 1 or arrays[0].ndim != 4 or program.image_place is None:
        return "the model does not take one image"
    if axes is not None and axes.replace("c", "") != "hw":
        return f"the axes of the model's input, {axes!r}, are not the height and width of one"
    channel = program.input_form.channel
    channels = "no" if channel not in (0, 2) else arrays[0].shape[channel + 1]
    return "" if channels in (1, 3) else f"the model's images have {channels} channels"

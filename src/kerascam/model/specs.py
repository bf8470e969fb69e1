"""What a model takes: the names, shapes, dtypes and structure of its inputs."""

import inspect
import os
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import getitem
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from ..errors import brief
from ..inputs import InputSpec
from .nests import Path, is_nested, is_shape, nest_of, paths_of

#: The form of each of the inputs of a graph.
Signature: TypeAlias = Sequence[tf.TensorSpec]

#: Where neither the model nor an example says how large inputs are: by number of grid axes.
USUAL_LENGTHS = {1: 1024, 2: 224, 3: 64}
# A model casts to the reduced precision that it declares; maps are computed outside it in more.
_REDUCED = {"float16": "float32", "bfloat16": "float32"}

# Keras 2 lives on under these names beside Keras 3.
_KERAS_2 = ("tf_keras.", "tensorflow.python.keras.")


def check_model(model: Any) -> None:
    """Raise if `model` is not a Keras model with weights."""
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"model must run on TensorFlow, but Keras runs on {keras.backend.backend()!r}; set "
            f"KERAS_BACKEND=tensorflow before Keras is imported"
        )
    if any(cls.__module__.startswith(_KERAS_2) for cls in type(model).__mro__):
        raise TypeError(
            f"model {model.name!r} is one of Keras 2 (tf_keras), and kerascam explains models of "
            f"Keras 3: save it with model.save('model.h5') and load that file with "
            f"keras.saving.load_model('model.h5'), or build it again in Keras 3"
        )
    if isinstance(model, (str, os.PathLike)):
        raise TypeError(
            f"model must be a keras.Model, not the path {brief(os.fspath(model))}: load it with "
            f"keras.saving.load_model(path)"
        )
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"model must be a keras.Model, not {brief(model)} of type {type(model).__name__}"
        )
    if not model.built:
        raise ValueError(
            f"model {model.name!r} is not built: it has no weights to explain yet; "
            f"call it once on a batch, or load its weights"
        )


def input_specs(model: keras.Model, inputs: Any = None) -> list[InputSpec]:
    """Return what each of the model's inputs takes, in Keras's order.

    A functional or Sequential model declares it; a subclassed one remembers the shapes that it
    was built with, of which only the rank and the last axis bind, or else is asked by example.

    Args:
        model: The model.
        inputs: The user's inputs, for a model that does not say how many it takes.
    """
    declared = _declared(model)
    if declared is not None:
        tensors = keras.tree.flatten(declared)
        flat = isinstance(declared, Mapping) and len(declared) == len(tensors)
        names = keras.tree.flatten({key: key for key in declared}) if flat else []
        numbers = keras.tree.pack_sequence_as(declared, list(range(len(tensors))))
        paths = sorted(paths_of(numbers), key=lambda path: reduce(getitem, path, numbers))
        nested = is_nested(paths)
        return [
            InputSpec(
                name,
                tuple(tensor.shape[1:]),
                _REDUCED.get(tensor.dtype, tensor.dtype),
                paths[place] if nested else (),
            )
            for place, (name, tensor) in enumerate(
                zip(names or [t.name for t in tensors], tensors, strict=True)
            )
        ]
    dtype = "float64" if model.variable_dtype == "float64" else None
    paths, names = _own_nest(model, inputs), _arguments(model)
    if is_nested(paths):
        by_place = names and not isinstance(inputs, Mapping)  # of the arguments
        return [
            InputSpec(
                "/".join(map(str, path)),
                None,
                dtype,
                (names.index(str(path[0])), *path[1:]) if by_place else path,
            )
            for path in paths
        ]
    if names:
        return [InputSpec(name, None, dtype) for name in names]
    built = _built_shapes(model)
    if len(built) == 1:
        ((name, shape),) = built.items()
        rank_only = (*(None for _ in shape[1:-1]), shape[-1])
        return [InputSpec(name, rank_only, dtype or "float32")]
    if isinstance(inputs, Mapping):
        return [InputSpec(str(name), None, dtype) for name in inputs]
    if isinstance(inputs, (list, tuple)):
        return [InputSpec(f"input {place}", None, dtype) for place in range(len(inputs))]
    return [InputSpec("images", None, dtype)]


def _own_nest(model: keras.Model, inputs: Any) -> list[Path]:
    """Say where the inputs stand that a model which declares none takes nested; [] if it does not.

    It remembers the nest that it was built with; of several arguments, only the first.
    """
    names = _arguments(model)
    if names:
        given = inputs
        if not isinstance(inputs, Mapping):
            given = dict(zip(names, inputs, strict=False)) if _is_list(inputs) else {}
        return [
            (name, *path)
            for name in names
            for path in (paths_of(given[name]) if isinstance(given.get(name), Mapping) else [()])
        ]
    built = (model.get_build_config() or {}).get("input_shape")
    if built is not None:
        return paths_of(built, is_shape)
    nests = list(inputs.values()) if isinstance(inputs, Mapping) else inputs
    if _is_list(nests) and any(isinstance(each, Mapping) for each in nests):
        return paths_of(inputs)
    return []


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def declared_batch(model: keras.Model) -> int | None:
    """Return how many images the model declares that it takes at a time; None if any number.

    A Sequential model without an Input remembers the number of its first batch here too.
    """
    declared = _declared(model)
    if declared is None:
        return None
    counts = (tensor.shape[0] for tensor in keras.tree.flatten(declared))
    return next((count for count in counts if count is not None), None)


def call(model: keras.Model, inputs: Any) -> Any:
    """Call the model in inference mode, as its `call` takes its inputs.

    A model whose `call` has an argument for each input, as `call(self, image, meta)`, is given
    them one by one; any other, in one structure.

    Args:
        model: The model.
        inputs: As `pack` returns them.
    """
    if _arguments(model):
        return model(*inputs, training=False)
    return model(inputs, training=False)


def _arguments(model: keras.Model) -> list[str]:
    """Name the arguments of a `call` that has one for each input; none if it has but one."""
    if _declared(model) is not None:
        return []
    function = type(model).call
    function = getattr(function, "python_function", function)  # of a tf.function
    _, *parameters = inspect.signature(function).parameters.values()
    names = [
        each.name
        for each in parameters
        if each.kind is each.POSITIONAL_OR_KEYWORD
        and each.default is each.empty
        and each.name != "training"
    ]
    return names if len(names) > 1 else []


def names_inputs(model: keras.Model, chosen: Any) -> bool:
    """Tell whether a model says without an example if it has the input that is chosen.

    The arguments of its `call` are known; which inputs may be nested in one of them is not.
    """
    whole = isinstance(chosen, str) and "/" not in chosen
    return _declared(model) is not None or (whole and bool(_arguments(model)))


def declared_units(model: keras.Model, output: int | str | None) -> int | None:
    """Return how many units the explained output declares; None if that is not known, or one.

    One unit may stand for one class or for two, which only a run tells.
    """
    outputs = getattr(model, "outputs", None) or []
    if len(outputs) != 1 or not (output is None or (isinstance(output, int) and output == 0)):
        return None
    shape = outputs[0].shape
    units = shape[-1] if len(shape) > 1 else None
    return units if units is not None and units > 1 else None


def _declared(model: keras.Model) -> Any:
    if isinstance(model, keras.Sequential):
        return model.inputs
    return model.input if getattr(model, "inputs", None) else None


def _built_shapes(model: keras.Model) -> dict[str, tuple[int | None, ...]]:
    config = model.get_build_config() or {}
    shape = config.get("input_shape")
    if shape is None:
        return {}
    if isinstance(shape, dict):
        return {str(name): tuple(each) for name, each in shape.items()}
    if shape and isinstance(shape[0], (list, tuple)):
        return {f"input {place}": tuple(each) for place, each in enumerate(shape)}
    return {"images": tuple(shape)}


def built_shape(model: keras.Model) -> tuple[int | None, ...] | None:
    """Return the shape that a subclassed model was built with, less the batch: it may fit no other.

    None for a model that declares its inputs, or has several.
    """
    if _declared(model) is not None:
        return None
    built = _built_shapes(model)
    return next(iter(built.values()))[1:] if len(built) == 1 else None


def pack(model: keras.Model, tensors: Sequence[tf.Tensor], like: Any) -> Any:
    """Put a list of input tensors into the structure that the model is called with.

    Args:
        model: The model.
        tensors: One for each input, in order.
        like: The user's own structure, for a model that does not declare one.
    """
    paths = [] if _declared(model) is not None else _own_nest(model, like)
    if is_nested(paths):
        nest = nest_of(paths, tensors)
        return list(nest.values()) if _arguments(model) else nest
    if _arguments(model):
        return list(tensors)
    if len(tensors) == 1 and not isinstance(_declared(model), dict):
        return tensors[0]
    declared = _declared(model)
    if declared is not None:
        return keras.tree.pack_sequence_as(declared, list(tensors))
    if isinstance(like, dict):
        return dict(zip(like, tensors, strict=True))
    return list(tensors)


def tensor_spec(
    spec: InputSpec, shape: Sequence[int] | None, dtype: Any = None, batch: int | None = None
) -> tf.TensorSpec:
    """Return the traced form of one input: any batch size, any length that the model leaves open.

    Args:
        spec: The model's input.
        shape: An example's shape, batch first, for a model that declares none.
        dtype: The example's dtype.
        batch: How many images; None for any number.
    """
    if spec.shape is None:
        if shape is None:
            raise ValueError(
                "inputs must be given: this model does not say what it takes; pass a batch"
            )
        return tf.TensorSpec((None, *shape[1:]), spec.dtype or dtype or tf.float32, spec.name)
    return tf.TensorSpec((batch, *spec.shape), spec.dtype or dtype or tf.float32)


def sized(spec: tf.TensorSpec, shape: Sequence[int] | None) -> tf.TensorSpec:
    """Fill open lengths from an example's shape, or else with usual ones."""
    usual = USUAL_LENGTHS.get(len(spec.shape) - 2)
    lengths = [
        length if length is not None else (shape[place] if shape is not None else usual)
        for place, length in enumerate(spec.shape[1:], start=1)
    ]
    return tf.TensorSpec((spec.shape[0], *lengths), spec.dtype)


def with_classes(signature: Signature, *more: Any) -> Signature:
    """Add the form of the classes, one int32 per image, and that of tensors that come after them.

    Args:
        signature: The form of each of the model's inputs.
        *more: Tensors whose form is meant; or numbers, as their own.
    """
    classes = tf.TensorSpec(signature[0].shape[:1], tf.int32)
    tensors = map(tf.convert_to_tensor, more)
    return [*signature, classes, *(tf.TensorSpec(each.shape, each.dtype) for each in tensors)]

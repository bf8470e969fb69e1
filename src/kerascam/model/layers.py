"""Name a model's layers: walk them by path and find one by object, path or unique name."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from typing import TypeAlias
from unicodedata import normalize

import keras

from ..errors import brief
from ..targets import named

Layer: TypeAlias = keras.Operation  # a layer, or a bare `keras.ops` step of a functional model


# Models by their `id`, each kept with its layers, so that no other takes the number.
_Walked: TypeAlias = dict[int, tuple[keras.Layer, list[tuple[str, Layer]]]]
_WALKED: ContextVar[_Walked | None] = ContextVar("walked", default=None)


@contextmanager
def walked_once() -> Iterator[None]:
    """Walk each model but once as long as this lasts: while one thing is found out about it."""
    known = _WALKED.get()
    token = _WALKED.set({} if known is None else known)
    try:
        yield
    finally:
        _WALKED.reset(token)


def walk(model: keras.Layer) -> Iterator[tuple[str, Layer]]:
    """Yield every layer under `model` with its path, as in "resnet50/conv5_block3_out".

    Bare operations of a functional model (`x + y`, `keras.ops.relu(x)`) are layers here too.
    """
    known = _WALKED.get()
    if known is None:
        return _walk(model, "")
    if id(model) not in known:
        known[id(model)] = model, list(_walk(model, ""))
    return iter(known[id(model)][1])


def _walk(model: keras.Layer, prefix: str) -> Iterator[tuple[str, Layer]]:
    for layer in _children(model):
        path = f"{prefix}{layer.name}"
        yield path, layer
        if isinstance(layer, keras.Layer):
            yield from _walk(layer, f"{path}/")


def _children(model: keras.Layer) -> list[Layer]:
    children: list[Layer] = list(model._flatten_layers(include_self=False, recursive=False))
    if isinstance(model, keras.Model) and not isinstance(model, keras.Sequential):
        known = {id(child) for child in children}
        operations = getattr(model, "operations", [])  # functional models, in execution order
        if known <= {id(operation) for operation in operations}:
            return list(operations)
        children += [operation for operation in operations if id(operation) not in known]
    return children


def every_layer(model: keras.Model) -> list[Layer]:
    """List the model itself and all layers in it, one of several paths as often."""
    return [model, *(layer for _, layer in walk(model))]


def find(model: keras.Model, layer: object) -> tuple[str, Layer]:
    """Find one layer and its path.

    Args:
        model: Searched with everything nested in it.
        layer: A layer object of the model, a path, or a name that only one layer has.

    Returns:
        The path and the layer.

    Raises:
        ValueError: If the model has no such layer, or several of that name.
        TypeError: If `layer` is neither a string nor a layer.
    """
    if isinstance(layer, keras.Operation):
        return _find_object(model, layer)
    if isinstance(layer, str):
        return _find_name(model, layer)
    raise TypeError(
        f"layer must be a path, a name or a layer of the model, not {brief(layer)} of type "
        f"{type(layer).__name__}; suggest_layers(model) lists the paths"
    )


def find_part(model: keras.Model, layer: object) -> tuple[str, Layer, str | None]:
    """Find a layer, and which of its tensors is meant if the path goes on, as "block/features".

    Args:
        model: Searched with everything nested in it.
        layer: As of `find`.

    Returns:
        The layer's path, the layer, and the path of the tensor in its output.

    Raises:
        ValueError: As of `find`.
        TypeError: As of `find`.
    """
    try:
        return *find(model, layer), None
    except ValueError:
        if isinstance(layer, str):
            head, _, part = layer.rpartition("/")
            while head:
                own = _alone(model, head)
                if own is not None and _may_give(own[1], part):
                    return *own, part
                head, _, last = head.rpartition("/")
                part = f"{last}/{part}"
        raise


def _alone(model: keras.Model, name: str) -> tuple[str, Layer] | None:
    try:
        return find(model, name)
    except ValueError:
        return None


def _may_give(layer: Layer, part: str) -> bool:
    """Tell whether a layer may return a tensor of that name: if it declares several, or none."""
    try:
        return len(named(layer.output)) > 1
    except (AttributeError, ValueError):  # the names are known when it runs
        inside = [name.rsplit("/", 1)[-1] for name in vars(layer)]
        return part.rsplit("/", 1)[-1].isdigit() or not get_close_matches(part, inside)


def place_of(model: keras.Model, layer: Layer) -> tuple[str, int]:
    """Say where a layer is, for `layer_at` of an equal model: its path, and which of that path.

    Raises:
        ValueError: If the model has no such layer.
    """
    path, _ = _find_object(model, layer)
    return path, next(place for place, own in enumerate(_all_at(model, path)) if own is layer)


def layer_at(model: keras.Model, path: str, place: int) -> Layer:
    """Find the layer that `place_of` placed.

    Raises:
        ValueError: If the model has none there: it is not built as the other was.
    """
    layers = _all_at(model, path)
    if place >= len(layers):
        raise ValueError(
            f"layer {path!r} is missing in the copy of model {model.name!r}; give its classes "
            f"a get_config and from_config that build the same layers with the same names"
        )
    return layers[place]


def _all_at(model: keras.Model, path: str) -> list[Layer]:
    """List the layers of one path: a subclassed model may have several of one name."""
    return list({id(layer): layer for own, layer in walk(model) if own == path}.values())


def declared_shape(layer: Layer) -> tuple[int | None, ...] | None:
    """Return the output shape that a layer of a functional or Sequential model declares, if any."""
    try:
        return tuple(layer.output.shape)
    except (AttributeError, ValueError):  # subclassed, shared, or of several outputs
        return None


def _find_object(model: keras.Model, wanted: Layer) -> tuple[str, Layer]:
    for path, layer in walk(model):
        if layer is wanted:
            return path, layer
    raise ValueError(
        f"layer {wanted.name!r} is not a part of model {model.name!r}; pass a layer of this "
        f"model, or its path"
    )


def _find_name(model: keras.Model, name: str) -> tuple[str, Layer]:
    layers = list(walk(model))
    one = _composed(name)
    exact = {id(layer): (path, layer) for path, layer in layers if _composed(path) == one}
    ending = {
        id(layer): (path, layer) for path, layer in layers if _composed(path).endswith(f"/{one}")
    }
    matches = list((exact or ending).values())
    if len(matches) == 1:
        return matches[0]
    if matches:
        paths = ", ".join(sorted({path for path, _ in matches}))
        raise ValueError(
            f"layer {brief(name)} names {len(matches)} layers of model {model.name!r}: {paths}; "
            f"give a full path or the layer object"
        )
    near = near_misses(name, [path for path, _ in layers])
    raise ValueError(f"no layer {brief(name)} in model {model.name!r}; {near}")


def _composed(name: str) -> str:
    """Write an accented letter as one character: in file names of some systems, it is two."""
    return normalize("NFC", name)


def near_misses(name: str, paths: list[str]) -> str:
    """Word the paths that `name` may have meant: by the whole path or by its last part."""
    last_parts = {path.rsplit("/", 1)[-1]: path for path in paths}
    near = get_close_matches(name, paths, n=3)
    near += [last_parts[part] for part in get_close_matches(name, list(last_parts), n=3)]
    near = list(dict.fromkeys(near))[:3]
    return f"did you mean {' or '.join(near)}?" if near else "suggest_layers(model) lists them all"


def channels_first(model: keras.Model) -> set[int]:
    """Return the `id` of every layer whose features come first, (batch, features, *grid).

    A layer without a `data_format` of its own (an activation, a sum) has that of the nearest
    layer before it that has one.
    """
    data_format = None
    found: set[int] = set()
    for _, layer in walk(model):
        data_format = _own_format(layer) or data_format
        if data_format == "channels_first":
            found.add(id(layer))
    return found


def _own_format(layer: Layer) -> str | None:
    if isinstance(layer, keras.layers.BatchNormalization) and layer.axis == 1:
        return "channels_first"
    return getattr(layer, "data_format", None)

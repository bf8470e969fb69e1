"""Which values a model was made for, as far as its first layers say so."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

# Layers that hand values on as they are in inference mode, or only move them.
_HANDING_ON = {"InputLayer", "Identity", "Dropout", "GaussianNoise", "Resizing", "CenterCrop",
               "ZeroPadding2D"}  # fmt: skip


class Entrance(NamedTuple):
    """The layers at a model's input that scale its values.

    Attributes:
        name: The first of them.
        factor: What they multiply a value by, shape () or (channels,).
        center: Which value they map to 0, of the same shape.
    """

    name: str
    factor: np.ndarray
    center: np.ndarray

    @property
    def takes_bytes(self) -> bool:
        """Whether they are made for values from 0 to 255."""
        small = (self.factor >= 1 / 600) & (self.factor <= 0.01)
        from_zero = small & (self.center >= 0) & (self.center < 200)
        around_middle = (self.center >= 50) & (self.center <= 200) & (self.factor <= 1.01)
        return bool(np.all(from_zero) or np.all(around_middle & (self.factor >= 1 / 600)))

    @property
    def takes_shares(self) -> bool:
        """Whether they are made for values from 0 to 1."""
        inside = (self.center > 0.05) & (self.center < 0.95)
        return bool(np.all(inside & (self.factor >= 0.2) & (self.factor <= 20)))


def scaling_layers(model: keras.Model) -> tuple[keras.Layer, ...]:
    """List the first layers of a model of one input, as long as they scale its values.

    Only `Rescaling` and `Normalization` count: what any other layer does to values is unknown.
    """
    found: list[keras.Layer] = []
    for layer in _first_layers(model):
        if type(layer) not in (keras.layers.Rescaling, keras.layers.Normalization):
            break
        found.append(layer)
    return tuple(found)


def entrance_of(layers: Sequence[keras.Layer]) -> Entrance | None:
    """Read what the first layers do with the weights of now; None if they do not scale."""
    factor, shift = np.float64(1), np.float64(0)
    try:
        for layer in layers:
            times, plus = _affine(layer)
            factor, shift = factor * times, shift * times + plus
    except (AttributeError, TypeError, ValueError):  # never adapted, or of shapes of its own
        return None
    if not layers or not np.all(np.isfinite(factor)) or np.any(factor == 0):
        return None
    return Entrance(layers[0].name, np.asarray(factor), np.asarray(-shift / factor))


def _affine(layer: keras.Layer) -> tuple[Any, Any]:
    """Return what a scaling layer multiplies by, and adds."""
    if isinstance(layer, keras.layers.Rescaling):
        return np.asarray(layer.scale, np.float64), np.asarray(layer.offset, np.float64)
    mean, variance = (
        keras.ops.convert_to_numpy(each).astype(np.float64).ravel()
        for each in (layer.mean, layer.variance)
    )
    deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
    if layer.invert:
        return deviation, mean
    return 1 / deviation, -mean / deviation


def _first_layers(model: keras.Model) -> Iterator[keras.Operation]:
    """Yield the layers after the input one by one, up to the first fork."""
    if isinstance(model, keras.Sequential):
        layers: Iterable[keras.Operation] = model.layers
    elif getattr(model, "inputs", None) and len(model.inputs) == 1:
        layers = _chain(model)
    else:
        return
    for layer in layers:
        if isinstance(layer, keras.Model):
            yield from _first_layers(layer)
            return
        if not _hands_on(layer):
            yield layer


def _chain(model: keras.Model) -> Iterator[keras.Operation]:
    """Yield the operations of a functional model from its input to the first fork."""
    tensor = model.inputs[0]
    while True:
        takers = [
            operation
            for operation in model.operations
            for node in operation._inbound_nodes
            if any(each is tensor for each in node.input_tensors)
        ]
        if len(takers) != 1 or len(takers[0]._inbound_nodes) != 1:
            return
        yield takers[0]
        outputs = takers[0]._inbound_nodes[0].output_tensors
        if len(outputs) != 1:
            return
        tensor = outputs[0]


def _hands_on(layer: keras.Operation) -> bool:
    kind = type(layer)
    known = kind.__name__ in _HANDING_ON or kind.__name__.startswith("Random")
    return known and kind.__module__.startswith("keras.")

"""The form of inputs that a model is traced for: as general as it computes the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from ..inputs import InputSpec
from ..model import Question, Signature, declared_batch, sized, tensor_spec, walk
from .agreement import difference, doubt_of
from .asking import Asked

_MOST_FORMS = 8  # that many are compared with the model; each takes it a pass


@dataclass
class TracingForm:
    """Any number of images and any lengths that the model leaves open, unless it errs there.

    Attributes:
        model: The model.
        batch: How many images; None for any number.
        lengths: Whether only the lengths at hand are traced.
        doubt: How what is compiled may differ from the model; None if it does not.
    """

    model: keras.Model
    batch: int | None = None
    lengths: bool = field(init=False)
    doubt: str | None = None
    _agreed: set[Any] = field(default_factory=set)

    def __post_init__(self) -> None:
        # Keras vectorizes this layer over an open length, and errs there.
        layers = (layer for _, layer in walk(self.model))
        self.lengths = any(isinstance(layer, keras.layers.TimeDistributed) for layer in layers)

    def signature(self, specs: Sequence[InputSpec], arrays: Sequence[np.ndarray]) -> Signature:
        """Return the form of each input.

        Args:
            specs: What the model takes.
            arrays: The inputs.

        Raises:
            ValueError: If the model takes only the number of images that it declares.
        """
        if self.batch not in (None, len(arrays[0])):
            raise ValueError(
                f"images must come {self.batch} at a time, the batch size that model "
                f"{self.model.name!r} declares and computes with; received {len(arrays[0])}"
            )
        found = [
            tensor_spec(spec, array.shape, array.dtype, self.batch)
            for spec, array in zip(specs, arrays, strict=True)
        ]
        if self.lengths:
            found = [sized(spec, array.shape) for spec, array in zip(found, arrays, strict=True)]
        return tuple(found)

    def tighten(self, signature: Signature) -> bool:
        """Take the lengths at hand, then the declared number of images; False if both were."""
        if any(None in spec.shape[1:] for spec in signature):
            self.lengths = True
            return True
        before, self.batch = self.batch, declared_batch(self.model)
        return before is None and self.batch is not None

    def agrees(self, question: Question, asked: Asked, found: Mapping[str, Any]) -> bool:
        """Tell whether what is compiled computes what the model does, on inputs of a new form.

        Args:
            question: What was asked.
            asked: The images, and what is compiled for them.
            found: What it gave.

        Returns:
            Whether it does; if not, it is to be compiled again: with the lengths at hand.

        Raises:
            ValueError: If it does not with these either.
        """
        is_open = not self.lengths and any(None in (spec.shape or ()) for spec in asked.specs)
        form = id(asked.compiled), *(array.shape for array in asked.arrays if is_open)
        if form in self._agreed or len(self._agreed) >= _MOST_FORMS:
            return True
        apart = difference(self.model, question, asked, found)
        if apart and is_open:
            self.lengths = True
            return False
        if apart:
            self.doubt = doubt_of(self.model, apart)
        self._agreed.add(form)
        return True

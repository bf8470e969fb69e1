"""A Keras model of any function from images to outputs, for the methods that only ask a model."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from ..arguments import number_in
from ..errors import brief

Activation = Literal["softmax", "sigmoid"]
_ACTIVATIONS = ("softmax", "sigmoid")
# How far from one the probabilities of an image may sum up: numbers of 16 bits are that rough.
_TOLERANCE = 1e-2
# What a function raised, by the number that stands for it in the error that TensorFlow makes of it.
_RAISED: dict[int, BaseException] = {}
_NUMBERS = count()
_KEPT = 16
_MARK = "kerascam black box failure "


def black_box(
    function: Callable[[np.ndarray], Any],
    input_shape: Sequence[int | None],
    *,
    activation: Activation | None = None,
    units: int | None = None,
    batch_size: int | None = None,
    dtype: str = "float32",
    name: str = "black_box",
) -> keras.Model:
    """Make a model of a function that cannot be looked into: a server, another framework, a rule.

    The model has no layers and no gradient. The methods that only ask a model explain it:
    `Occlusion`, `RISE`, `LIME`, `KernelSHAP`, `SobolAttribution`, `HSICAttribution`.

    Args:
        function: From images, an array of shape (n, *input_shape), to outputs: shape (n, units), or
            (n,) for one number per image. It is called with as many images as fit into one pass, a
            copy that it may change.
        input_shape: The shape of one image, such as (224, 224, 3); None for a length that is open.
        activation: What the outputs are: "softmax", probabilities that sum to one; "sigmoid",
            probabilities each of its own; None, numbers that are explained as they are.
            Of a sigmoid's probability p the logit log(p / (1 - p)) is explained; of a softmax's
            log(p), as its logits cannot be known. `targets.probability` takes p itself. A p of
            less than 1e-30 counts as 1e-30.
        units: How many outputs there are; None asks the function for one image of zeros.
        batch_size: The most images that the function is given at once; None for as many as fit.
        dtype: Of the images, such as "uint8": a type of numbers that TensorFlow has.
        name: The model's name.

    Returns:
        A model of Keras; it cannot be saved or exported, as nobody else has the function.

    Raises:
        TypeError: If an argument has a wrong type.
        ValueError: If a value is wrong, or what the function returns does not have the shape that
            is asked for, or holds no probabilities if these are promised. What the function itself
            raises is raised as it is.

    Example:
        >>> import numpy as np
        >>> from kerascam import Occlusion, black_box
        >>> model = black_box(lambda images: images[:, 0, 0], (4, 4, 1))  # looks at one corner
        >>> explanation = Occlusion(model, patch=1, stride=1, baseline=0)(np.ones((1, 4, 4, 1)))
        >>> explanation.heatmaps[0].argmax(), explanation.heatmaps[0].sum()
        (np.int64(0), np.float32(1.0))
    """
    if not callable(function):
        raise TypeError(
            f"function must be a function from images to outputs, not {brief(function)}"
        )
    if activation is not None and activation not in _ACTIVATIONS:
        raise ValueError(
            f"activation must be 'softmax', 'sigmoid' or None, not {brief(activation)}"
        )
    lengths = _lengths(input_shape)
    dtype = _number_type(dtype)
    if batch_size is not None:
        batch_size = number_in("batch_size", batch_size, 1)
    if units is None:
        known = [each for each in lengths if each is not None]
        if len(known) < len(lengths):
            raise ValueError(
                f"units must say how many outputs there are, as input_shape {lengths} leaves a "
                f"length open"
            )
        zeros = tf.zeros((1, *known), dtype).numpy()
        units = _outputs(function, zeros, None, activation).shape[-1]
    units = number_in("units", units, 1)
    images = keras.Input(lengths, dtype=dtype, name="images")
    asking = Asking(name="function", autocast=False)
    asking.units, asking.activation = units, activation
    asking.ask = partial(
        _ask, function=function, units=units, activation=activation, batch_size=batch_size
    )
    return keras.Model(images, asking(images), name=name)


class Asking(keras.layers.Layer):
    """Ask a function for its outputs.

    Attributes:
        ask: From images to outputs, shape (n, units), float32.
        units: How many outputs there are.
        activation: See `black_box`.
    """

    ask: Callable[[np.ndarray], np.ndarray]
    units: int
    activation: str | None

    def compute_output_spec(self, images: Any) -> keras.KerasTensor:
        """Say what the outputs are like."""
        return keras.KerasTensor((images.shape[0], self.units), "float32")

    def call(self, images: Any) -> Any:
        """Return the outputs, shape (batch, units)."""
        outputs = tf.numpy_function(self.ask, [images], tf.float32)
        outputs = tf.ensure_shape(outputs, (images.shape[0], self.units))
        # As the last step of a network, so that scores can be taken before it.
        if self.activation == "softmax":
            return keras.ops.softmax(_log(outputs))
        if self.activation == "sigmoid":
            return keras.ops.sigmoid(_log(outputs) - _log(1 - outputs))
        return outputs

    def get_config(self) -> dict[str, Any]:
        """Refuse to be written down.

        Raises:
            TypeError: Always.
        """
        raise TypeError("a black box is a function of this process, which no file holds")


def _ask(
    images: np.ndarray,
    function: Callable[[np.ndarray], Any],
    units: int,
    activation: str | None,
    batch_size: int | None,
) -> np.ndarray:
    """Ask in batches, and keep what the function raises, as TensorFlow makes text of it."""
    most = batch_size or max(len(images), 1)
    starts = range(0, max(len(images), 1), most)
    try:
        return np.concatenate([
            _outputs(function, images[start : start + most], units, activation) for start in starts
        ])  # fmt: skip
    except Exception as error:
        number = next(_NUMBERS)
        # Python itself takes a StopIteration for the end of a loop on its way to the user.
        ended = isinstance(error, StopIteration)
        _RAISED[number] = RuntimeError("function raised StopIteration") if ended else error
        _RAISED.pop(number - _KEPT, None)  # nobody came for it
        raise RuntimeError(f"{_MARK}{number}") from error


def raised_inside(error: BaseException) -> BaseException | None:
    """Return what a function raised, if an error of TensorFlow's stands for that."""
    found = re.search(rf"{_MARK}(\d+)", str(error))
    return _RAISED.pop(int(found[1]), None) if found else None


def _log(probabilities: Any) -> Any:
    return keras.ops.log(keras.ops.maximum(probabilities, 1e-30))


def _lengths(input_shape: Any) -> tuple[int | None, ...]:
    try:
        lengths = tuple(None if each is None else int(each) for each in input_shape)
    except (TypeError, ValueError):
        lengths = ()
    if len(lengths) < 2 or any(each is not None and each < 1 for each in lengths):
        raise ValueError(
            f"input_shape must be the shape of one image, without the batch, such as "
            f"(224, 224, 3), not {brief(input_shape)}"
        )
    return lengths


def _outputs(
    function: Callable[[np.ndarray], Any],
    images: np.ndarray,
    units: int | None,
    activation: str | None,
) -> np.ndarray:
    """Ask for outputs, shape (n, units), and check them."""
    # What NumPy is handed is TensorFlow's own memory, which a function must not change.
    outputs = _as_numbers(function(np.array(images)))
    outputs = outputs[:, None] if outputs.ndim == 1 else outputs
    wanted = "units" if units is None else str(units)
    if outputs.ndim != 2 or len(outputs) != len(images) or units not in (None, outputs.shape[1]):
        raise ValueError(
            f"function must return an array of shape ({len(images)}, {wanted}) for images of "
            f"shape {images.shape}; it returned one of shape {outputs.shape}"
        )
    if activation is not None and not _are_probabilities(outputs, activation):
        raise ValueError(
            f"function must return probabilities, as activation={activation!r} says: "
            f"{'that sum to one' if activation == 'softmax' else 'from 0 to 1'}; it returned "
            f"{brief(outputs[0].tolist())} for the first image; give activation=None for other "
            f"numbers"
        )
    return outputs


def _number_type(dtype: Any) -> str:
    """Return the name of a type of numbers.

    Raises:
        ValueError: If it is none.
    """
    try:
        known = tf.as_dtype(dtype)
    except TypeError:
        known = tf.string
    if not (known.is_floating or known.is_integer):
        raise ValueError(
            f"dtype must be a type of numbers such as 'float32' or 'uint8', not {brief(dtype)}"
        )
    return known.name


def _as_numbers(outputs: Any) -> np.ndarray:
    """Return what a function returned as float32; what is too large for that is infinite.

    Raises:
        TypeError: If it is not real numbers.
    """
    try:
        array = np.asarray(outputs)
        if array.dtype.kind not in "cSUmM":
            with np.errstate(over="ignore"):
                return array.astype("float32")
    except (TypeError, ValueError):  # of several lengths, or of objects that are no numbers
        pass
    raise TypeError(
        f"function must return an array of real numbers, shape (n, units), not {brief(outputs)}"
    )


def _are_probabilities(outputs: np.ndarray, activation: str) -> bool:
    finite = outputs[np.isfinite(outputs).all(1)]  # each image's status reports the others
    if ((finite < 0) | (finite > 1 + _TOLERANCE)).any():
        return False
    return activation == "sigmoid" or bool((abs(finite.sum(1) - 1) <= _TOLERANCE).all())

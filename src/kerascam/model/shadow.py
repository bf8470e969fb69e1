"""Listen to layers during one forward pass, and leave the model as it was, whatever happens."""

import functools
import inspect
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import tensorflow as tf

from ..errors import DoesNotFitError, reason
from .layers import every_layer
from .scopes import scopes_renamed
from .specs import call
from .weights import stateless

# Called with a layer's inputs and output each time that the layer runs; returns what replaces the
# output, or None to leave it.
Listener = Callable[[Any, Any], Any]

# One trace at a time: two threads that shadow the same layer would restore each other's shadow.
_TRACING = threading.RLock()
_ABSENT = object()
_TF_FUNCTION = tf.types.experimental.PolymorphicFunction


def run(
    model: keras.Model,
    inputs: Any,
    listeners: Sequence[tuple[keras.Operation, Listener]],
    *,
    inline_all: bool = False,
) -> Any:
    """Run the model in inference mode and tell each listener of its layer's runs.

    A `tf.function` that is a layer's `call`, method or attribute is inlined: the outputs of the
    layers inside it must belong to the graph that is being traced.

    Args:
        model: Left bit for bit as it was, also after an error.
        inputs: The model's inputs.
        listeners: Pairs of a layer and what is called with its runs.
        inline_all: Also inline every other `tf.function` on the way. This goes through a global
            switch of TensorFlow's and inlines the ones that Keras itself compiles by XLA too, so
            it is only for models that hide a layer in a function outside themselves.

    Returns:
        The model's outputs.
    """
    with _TRACING, ExitStack() as stack:
        if inline_all:
            stack.enter_context(_functions_inlined())
        stack.enter_context(losses_kept(_with_inner(model, listeners)))
        stack.enter_context(scopes_renamed(_with_inner(model, listeners)))
        heard: dict[int, list[Listener]] = {}
        for layer, listener in listeners:
            heard.setdefault(id(layer), []).append(listener)
        for layer in _with_inner(model, listeners):
            for slot, function in _replacements(layer, heard.get(id(layer), [])):
                stack.enter_context(_shadowed(layer, slot, function))
        stack.enter_context(stateless())
        try:
            return call(model, inputs)
        except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
            shapes = [tuple(tensor.shape) for tensor in keras.tree.flatten(inputs)]
            raise DoesNotFitError(
                f"images of shape {', '.join(map(str, shapes))} do not fit the model: "
                f"{reason(error)}"
            ) from error


def _replacements(
    layer: keras.Operation, listeners: Sequence[Listener]
) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield what replaces the `call` of layers that are listened to, and `tf.function`s."""
    slot = _slot(layer)
    call = getattr(layer, slot)
    if isinstance(call, _TF_FUNCTION) or listeners:
        yield slot, _telling(_python_form(call), listeners)
    for name in _helpers(layer) - {slot}:
        yield name, _python_form(getattr(layer, name))


def _helpers(layer: keras.Operation) -> set[str]:
    """Name the user's own `tf.function`s among a layer's attributes and methods."""
    homes = [vars(layer), *(vars(kind) for kind in type(layer).__mro__ if not _is_keras(kind))]
    return {
        name
        for home in homes
        for name, value in home.items()
        if isinstance(value, _TF_FUNCTION) and not _is_keras(value.python_function)
    }


def _is_keras(thing: Any) -> bool:
    return (getattr(thing, "__module__", "") or "").startswith("keras.")


def _with_inner(
    model: keras.Model, listeners: Iterable[tuple[keras.Operation, Listener]]
) -> Iterator[keras.Operation]:
    named = [*every_layer(model), *(layer for layer, _ in listeners)]
    return iter({id(layer): layer for layer in named}.values())


def _slot(layer: keras.Operation) -> str:
    # Keras runs a quantized layer by another method.
    return "quantized_call" if getattr(layer, "quantization_mode", None) else "call"


def _python_form(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the Python function under a `tf.function`, its control flow made graph operations."""
    if not isinstance(function, _TF_FUNCTION):
        return function
    python = function.python_function
    if _is_keras(python):
        return python
    try:
        converted = tf.autograph.to_graph(python)
    except Exception:  # AutoGraph needs the source; without it, the function must do as it is
        return python
    return functools.partial(converted, python.__self__) if inspect.ismethod(python) else converted


def _telling(call: Callable[..., Any], listeners: Sequence[Listener]) -> Callable[..., Any]:
    owner = threading.get_ident()

    def told_call(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        if threading.get_ident() == owner:  # another thread may be using the model meanwhile
            for listener in listeners:
                replacement = listener((args, kwargs), output)
                output = output if replacement is None else replacement
        return output

    return told_call


@contextmanager
def _shadowed(layer: keras.Operation, slot: str, function: Callable[..., Any]) -> Iterator[None]:
    # In the instance's own dict, past Keras's attribute tracking: the layer's class, weights,
    # configuration and saved state never change.
    own = vars(layer)
    before = own.get(slot, _ABSENT)
    own[slot] = function
    try:
        yield
    finally:
        if before is _ABSENT:
            del own[slot]
        else:
            own[slot] = before


@contextmanager
def losses_kept(layers: Iterable[keras.Operation]) -> Iterator[None]:
    """Leave what layers note as losses as it was."""
    # A layer with an activity regularizer, or that calls add_loss, notes a loss in each pass; one
    # of a graph that is being traced would outlive it.
    kept = [
        (layer, list(layer._losses), set(layer._loss_ids))
        for layer in layers
        if hasattr(layer, "_losses") and hasattr(layer, "_loss_ids")
    ]
    try:
        yield
    finally:
        for layer, losses, ids in kept:
            layer._losses[:] = losses
            layer._loss_ids.clear()
            layer._loss_ids.update(ids)


@contextmanager
def _functions_inlined() -> Iterator[None]:
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)

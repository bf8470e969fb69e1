"""Listen to layers during one forward pass, and leave the model as it was, whatever happens."""

import functools
import inspect
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import tensorflow as tf

from ..layers import walk

# Called with a layer's inputs and output each time that the layer runs.
Listener = Callable[[Any, Any], None]

# One trace at a time: two threads that shadow the same layer would restore each other's shadow.
_TRACING = threading.RLock()
_ABSENT = object()


def run(
    model: keras.Model,
    inputs: Any,
    listeners: Sequence[tuple[keras.Operation, Listener]],
    *,
    inline_all: bool = False,
) -> Any:
    """Run the model in inference mode and tell each listener of its layer's runs.

    A layer whose `call` is a `tf.function` is inlined: its inner layers' outputs must belong to
    the graph that is being traced.

    Args:
        model: Left bit for bit as it was, also after an error.
        inputs: The model's inputs.
        listeners: Pairs of a layer and who is told of its runs.
        inline_all: Also inline every other `tf.function` on the way. This goes through a global
            switch of TensorFlow's and would inline the ones that Keras itself compiles by XLA,
            so it is only for models that hide a layer in a helper function.

    Returns:
        The model's outputs.
    """
    with _TRACING, ExitStack() as stack:
        if inline_all:
            stack.enter_context(_functions_inlined())
        heard: dict[int, list[Listener]] = {}
        for layer, listener in listeners:
            heard.setdefault(id(layer), []).append(listener)
        for layer in _with_inner(model, listeners):
            call = _python_call(layer)
            told = heard.get(id(layer), [])
            if call is not None or told:
                original = getattr(layer, _slot(layer)) if call is None else call
                stack.enter_context(_shadowed(layer, _telling(original, told)))
        return model(inputs, training=False)


def _with_inner(
    model: keras.Model, listeners: Iterable[tuple[keras.Operation, Listener]]
) -> Iterator[keras.Operation]:
    named = [model, *(layer for _, layer in walk(model)), *(layer for layer, _ in listeners)]
    return iter({id(layer): layer for layer in named}.values())


def _slot(layer: keras.Operation) -> str:
    # Keras runs a quantized layer by another method.
    return "quantized_call" if getattr(layer, "quantization_mode", None) else "call"


def _python_call(layer: keras.Operation) -> Callable[..., Any] | None:
    """Give the Python function under a `tf.function` call, its control flow made graph ops."""
    call = getattr(layer, _slot(layer))
    if not isinstance(call, tf.types.experimental.PolymorphicFunction):
        return None
    function = call.python_function
    if (getattr(function, "__module__", "") or "").startswith("keras."):
        return function
    try:
        converted = tf.autograph.to_graph(function)
    except Exception:  # AutoGraph needs the source; without it, the function must do as it is
        return function
    return (
        functools.partial(converted, function.__self__) if inspect.ismethod(function) else converted
    )


def _telling(call: Callable[..., Any], listeners: Sequence[Listener]) -> Callable[..., Any]:
    owner = threading.get_ident()

    def told_call(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        if threading.get_ident() == owner:  # another thread may be using the model meanwhile
            for listener in listeners:
                listener((args, kwargs), output)
        return output

    return told_call


@contextmanager
def _shadowed(layer: keras.Operation, call: Callable[..., Any]) -> Iterator[None]:
    # In the instance's own dict, past Keras's attribute tracking: the layer's class, weights,
    # configuration and saved state never change.
    own, slot = vars(layer), _slot(layer)
    before = own.get(slot, _ABSENT)
    own[slot] = call
    try:
        yield
    finally:
        if before is _ABSENT:
            del own[slot]
        else:
            own[slot] = before


@contextmanager
def _functions_inlined() -> Iterator[None]:
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)

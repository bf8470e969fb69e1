"""Tiny models of every kind, each with its forward pass written out a second time, by hand.

A `Specimen` holds a Keras model and two plain functions: `head`, from the inputs to the explained
layer's output, and `tail`, from there to the logits. They use the model's weights and TensorFlow's
own operations, never kerascam, so that `reference` gives activations, gradients, scores and
probabilities that the library's can be compared with.

Logits are scaled to a standard deviation of 3: nearly uniform probabilities would hide mistakes.
Grids are not square, so that no two axes can be mixed up, and nothing is max-pooled, so that no
tie has to be broken.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from kerascam import targets

SIZES = {1: (20,), 2: (12, 16), 3: (6, 8, 10)}
BATCH = 3
KERAS_VERSION = tuple(map(int, keras.__version__.split(".")[:2]))


# ------------------------------------------------------------------- how a head's logits are read


def _picked(values: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(values * tf.one_hot(classes, values.shape[-1], dtype=values.dtype), -1)


def _signed(logits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    return tf.where(classes == 1, logits[:, 0], -logits[:, 0])


def _region_mean(logits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    scores = []
    for image, own in zip(logits, classes.numpy(), strict=True):
        here = np.argmax(image.numpy(), -1) == own
        here = here if here.any() else np.ones_like(here)
        scores.append(tf.reduce_mean(tf.boolean_mask(image[..., own], here)))
    return tf.stack(scores)


def _nan(logits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    del logits
    return tf.fill(classes.shape, np.nan)


@dataclass(frozen=True)
class Reading:
    """What one kind of head means: its prediction, and a class's score and probability."""

    classes: int
    predicted: Callable[[tf.Tensor], Any]
    score: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    probability: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def _largest(logits: tf.Tensor) -> tf.Tensor:
    return tf.argmax(logits, -1)


def _positive(logits: tf.Tensor) -> tf.Tensor:
    return logits[:, 0] > 0


def _softmax(logits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    return _picked(tf.nn.softmax(logits), classes)


SOFTMAX = Reading(3, _largest, _picked, _softmax)
MULTI_LABEL = Reading(3, _largest, _picked, lambda z, c: _picked(tf.sigmoid(z), c))
LINEAR = Reading(3, _largest, _picked, _nan)
BINARY = Reading(2, _positive, _signed, lambda z, c: tf.sigmoid(_signed(z, c)))
BINARY_LOGIT = Reading(2, _positive, _signed, _nan)
REGRESSION = Reading(1, lambda z: tf.zeros(len(z)), lambda z, c: z[:, 0], _nan)
SEGMENTATION = Reading(
    3,
    lambda z: tf.argmax(tf.reduce_mean(z, [1, 2]), -1),
    _region_mean,
    lambda z, c: tf.reduce_mean(_picked(tf.nn.softmax(z), c[:, None, None]), [1, 2]),
)


# ---------------------------------------------------------------------- specimens and references


def _as_it_is(features: np.ndarray) -> np.ndarray:
    return features


@dataclass(frozen=True)
class Specimen:
    """A model, and the same computation by hand.

    Attributes:
        model: The model.
        inputs: A batch of three, as the model takes it.
        layer: The path of the layer to explain.
        head: Maps the inputs to the layer's output.
        tail: Maps the layer's output and the inputs to the logits.
        reading: What the logits mean.
        options: The explainer's other arguments.
        on_grid: Brings the layer's output, or its gradient, to (batch, *grid, features).
        tolerance: How far a map may be off, as a fraction of its largest magnitude.
        default: The layer that is taken where none is named.
    """

    model: keras.Model
    inputs: Any
    layer: str
    head: Callable[[Any], tf.Tensor]
    tail: Callable[[tf.Tensor, Any], tf.Tensor]
    reading: Reading = SOFTMAX
    options: dict[str, Any] = field(default_factory=dict)
    on_grid: Callable[[np.ndarray], np.ndarray] = _as_it_is
    tolerance: float = 1e-4
    default: str | None = None

    @property
    def classes(self) -> np.ndarray:
        """One class an image, all different where the head has as many."""
        return np.arange(BATCH)[::-1] % self.reading.classes


class Reference(NamedTuple):
    """What a library must find, computed by hand."""

    activations: np.ndarray
    gradients: np.ndarray
    classes: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray


def reference(
    specimen: Specimen,
    classes: Any = None,
    score: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
    inputs: Any = None,
) -> Reference:
    """Differentiate each image's score by the layer's output, eagerly.

    Args:
        specimen: The specimen.
        classes: One class an image; None takes the predicted ones.
        score: Of logits and classes; None takes the reading's.
        inputs: Another batch than the specimen's own.
    """
    given = specimen.inputs if inputs is None else inputs
    tensors = tf.nest.map_structure(tf.constant, given)
    with tf.GradientTape() as tape:
        features = specimen.head(tensors)
        tape.watch(features)
        logits = specimen.tail(features, tensors)
        own = specimen.reading.predicted(logits) if classes is None else classes
        own = tf.cast(own, tf.int32)
        scores = (score or specimen.reading.score)(logits, own)
    return Reference(
        specimen.on_grid(features.numpy()),
        specimen.on_grid(tape.gradient(scores, features).numpy()),
        own.numpy(),
        scores.numpy(),
        specimen.reading.probability(logits, own).numpy(),
    )


Builder = Callable[[], Specimen]
KINDS: dict[str, Builder] = {}


def kind(builder: Callable[..., Specimen]) -> Callable[..., Specimen]:
    """Enter a builder into the table under its own name."""
    KINDS[builder.__name__] = builder
    return builder


def enliven(model: keras.Model) -> None:
    """Set biases and statistics of normalisation to values that would be missed."""
    random = np.random.default_rng(1)
    for weight in model.weights:
        if weight.name in ("bias", "beta", "moving_mean"):
            weight.assign(random.normal(0.1, 0.3, weight.shape))
        if weight.name in ("gamma", "moving_variance"):
            weight.assign(random.uniform(0.5, 1.5, weight.shape))


def images(
    *size: int, channels: int = 3, batch: int = BATCH, seed: int = 0, dtype: Any = np.float32
) -> np.ndarray:
    """Draw a batch of images, unlike in contrast, colour and where they are bright."""
    random = np.random.default_rng(seed)
    shape = (batch, *(size or SIZES[2]), channels)
    noise = random.normal(0, 1, shape)
    tint = random.normal(0, 1.5, (batch, *(1 for _ in shape[1:-1]), channels))
    ramps = [
        np.linspace(-1, 1, length).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        * random.normal(0, 1.5, (batch, *(1 for _ in shape[1:])))
        for axis, length in enumerate(shape[1:-1], start=1)
    ]
    return (noise + tint + sum(ramps)).astype(dtype)


@contextmanager
def untouched(model: keras.Model) -> Iterator[None]:
    """Compare every attribute, and every bit of every variable, before and after."""
    parts = [model, *model._flatten_layers(include_self=False, recursive=True)]
    attributes = [dict(vars(part)) for part in parts]
    variables = every_variable(model)
    values = [np.asarray(variable).tobytes() for variable in variables]
    try:
        yield
    finally:
        for part, before in zip(parts, attributes, strict=True):
            after = vars(part)
            # Keras notes on the model itself that it has been called; before 3.9, also how
            # `predict` went.
            noted = {"_called"} if KERAS_VERSION >= (3, 9) else {"_called", "history"}
            names = {*before, *after} - noted
            changed = {name for name in names if after.get(name) is not before.get(name)}
            assert not changed, (part.name, changed)
        for variable, before in zip(variables, values, strict=True):
            assert np.asarray(variable).tobytes() == before, variable


def every_variable(model: keras.Model) -> list[Any]:
    """List the variables of a model, also those that it holds past Keras's own lists.

    They are attributes of its layers, or lie in containers or plain objects that are.
    """
    optimizer = getattr(model, "optimizer", None)
    found: dict[int, Any] = {}
    seen: dict[int, Any] = {}
    waiting: list[Any] = [*model.variables, *(optimizer.variables if optimizer else []), model]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value  # kept: the next object may get its place
        if isinstance(value, keras.Variable):
            value = value.value
        if isinstance(value, tf.Variable):
            if value.dtype.name[:5] in ("float", "bfloa", "int32", "int64", "uint3", "uint8"):
                found[id(value)] = value
        elif isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, (list, tuple, set)):
            waiting += value
        elif isinstance(value, (keras.Operation, tf.Module)) or _is_of_a_test(value):
            waiting += vars(value).values()
    return list(found.values())


def _is_of_a_test(value: Any) -> bool:
    """Tell whether a value is an object of a class that a test wrote."""
    own = ("zoo", "test_")
    return hasattr(value, "__dict__") and type(value).__module__.startswith(own)


# ----------------------------------------------------------------------- one network, many kinds


def convolve(x: tf.Tensor, layer: keras.Layer, stride: int = 1, padding: str = "SAME") -> tf.Tensor:
    """Convolve with a layer's weights, and nothing else of the layer."""
    rank = len(x.shape) - 2
    steps = tf.nn.conv3d if rank == 3 else tf.nn.convolution
    strides = [1, *[stride] * rank, 1] if rank == 3 else stride
    return steps(x, layer.kernel.value, strides, padding) + layer.bias.value


def transform(x: tf.Tensor, layer: keras.Layer) -> tf.Tensor:
    """Multiply by a dense layer's weights, and nothing else of the layer."""
    return tf.tensordot(x, layer.kernel.value, 1) + layer.bias.value


def normalise(x: tf.Tensor, layer: keras.Layer) -> tf.Tensor:
    """Normalise by a batch normalisation's moving statistics, and nothing else of the layer."""
    scale = layer.gamma.value / tf.sqrt(layer.moving_variance.value + layer.epsilon)
    return (x - layer.moving_mean.value) * scale + layer.beta.value


class Net:
    """The layers of one small network, and what they compute written out by hand.

    stem -> features -> mix -> global average -> scores, each convolution with a ReLU. The
    gradient at `features` differs from place to place, and a ReLU lies between it and the score.
    """

    def __init__(
        self,
        rank: int = 2,
        units: int = 3,
        activation: Any = "softmax",
        mixing: Callable[[Any], Any] = tf.nn.relu,
        **common: Any,
    ) -> None:
        convolution = (layers.Conv1D, layers.Conv2D, layers.Conv3D)[rank - 1]
        pooling = (
            layers.GlobalAveragePooling1D,
            layers.GlobalAveragePooling2D,
            layers.GlobalAveragePooling3D,
        )[rank - 1]
        dtype = common.get("dtype")
        self.rank, self.mixing = rank, mixing
        self.stem = convolution(4, 3, padding="same", activation="relu", name="stem", **common)
        self.features = convolution(
            6, 3, strides=2, padding="same", activation="relu", name="features", **common
        )
        self.mix = convolution(5, 3, activation=mixing.__name__, name="mix", **common)
        self.pool = pooling(name="pool", **common)
        half = dtype in ("mixed_float16", "mixed_bfloat16")
        self.scores = layers.Dense(
            units, activation=activation, name="scores", dtype="float32" if half else dtype
        )

    def built(self) -> "Net":
        """Build the layers: one that is built inside a `tf.function` keeps its first weights."""
        self(tf.zeros((1, *SIZES[self.rank], 3)))
        return self

    @property
    def layers(self) -> list[keras.Layer]:
        """All layers, in order."""
        return [self.stem, self.features, self.mix, self.pool, self.scores]

    def __call__(self, x: Any) -> Any:
        """Apply the layers themselves, as a model does."""
        for layer in self.layers:
            x = layer(x)
        return x

    def head(self, x: tf.Tensor) -> tf.Tensor:
        """From images to features, by hand."""
        return tf.nn.relu(convolve(tf.nn.relu(convolve(x, self.stem)), self.features, stride=2))

    def tail(self, features: tf.Tensor, x: Any = None) -> tf.Tensor:
        """From features to logits, by hand."""
        del x
        mixed = self.mixing(convolve(features, self.mix, padding="VALID"))
        return transform(tf.reduce_mean(mixed, range(1, self.rank + 1)), self.scores)


def prepared(
    model: keras.Model,
    inputs: Any,
    layer: str,
    head: Callable[[Any], tf.Tensor],
    tail: Callable[[tf.Tensor, Any], tf.Tensor],
    last: keras.Layer,
    **facts: Any,
) -> Specimen:
    """Make a specimen; `last` is the layer whose weights set the scale of the logits.

    With weights that sum to zero over the classes, some class has evidence for it everywhere.
    """
    enliven(model)
    if last.kernel.shape[-1] > 1:
        last.kernel.assign(last.kernel - tf.reduce_mean(last.kernel, -1, keepdims=True))
    tensors = tf.nest.map_structure(tf.constant, inputs)
    logits = tail(head(tensors), tensors).numpy()
    last.kernel.assign(last.kernel * (3 / logits.std()))
    last.bias.assign(last.bias * 0.3)
    return Specimen(model, inputs, layer, head, tail, **facts)


def of_net(
    model: keras.Model, net: Net, layer: str = "features", inputs: Any = None, **facts: Any
) -> Specimen:
    """Make a specimen of a model that computes what `net` does."""
    given = images(*SIZES[net.rank]) if inputs is None else inputs
    parts = {"head": net.head, "tail": net.tail, "last": net.scores} | facts
    return prepared(model, given, layer, **parts)


def functional_net(net: Net, shape: Sequence[int | None] | None = None) -> keras.Model:
    """Build the network as a functional model."""
    inputs = keras.Input(shape or (*SIZES[net.rank], 3))
    return keras.Model(inputs, net(inputs))


def built(model: keras.Model, inputs: Any = None) -> keras.Model:
    """Build a model by calling it once."""
    model(images() if inputs is None else inputs)
    return model


@kind
def sequential() -> Specimen:
    net = Net()
    model = keras.Sequential([keras.Input((*SIZES[2], 3)), *net.layers])
    return of_net(model, net, default="mix")


@kind
def sequential_without_input() -> Specimen:
    net = Net()
    return of_net(built(keras.Sequential(net.layers)), net, default="mix")


@kind
def functional() -> Specimen:
    net = Net()
    return of_net(functional_net(net), net, default="mix")


@kind
def centered_by_a_constant() -> Specimen:
    # As keras.applications' preprocess_input does it: a bare tensor is an operand of the graph.
    net, mean = Net(), tf.constant([[[[0.2, -0.1, 0.4]]]])
    inputs = keras.Input((*SIZES[2], 3))
    model = keras.Model(inputs, net(inputs - mean))
    return of_net(model, net, head=lambda x: net.head(x - mean), default="mix")


def nested_net(net: Net, *outer: str) -> keras.Model:
    """Put the convolutions into a backbone, and that into further models, by name."""
    inputs = keras.Input((*SIZES[2], 3))
    inner = keras.Model(inputs, net.mix(net.features(net.stem(inputs))), name="backbone")
    for name in outer:
        inputs = keras.Input((*SIZES[2], 3))
        inner = keras.Model(inputs, inner(inputs), name=name)
    inputs = keras.Input((*SIZES[2], 3))
    return keras.Model(inputs, net.scores(net.pool(inner(inputs))))


@kind
def nested() -> Specimen:
    net = Net()
    return of_net(nested_net(net), net, "backbone/features", default="backbone/mix")


@kind
def nested_twice() -> Specimen:
    net = Net()
    path = "outer/backbone/features"
    return of_net(nested_net(net, "outer"), net, path, default="outer/backbone/mix")


@kind
def nested_sequential() -> Specimen:
    net = Net()
    backbone = keras.Sequential([net.stem, net.features, net.mix], name="backbone")
    model = keras.Sequential([keras.Input((*SIZES[2], 3)), backbone, net.pool, net.scores])
    return of_net(model, net, "backbone/features", default="backbone/mix")


class Subclassed(keras.Model):
    """The network in a `call` of its own, with what is done to the logits last."""

    def __init__(self, net: Net, finish: Callable[[Any], Any] | None = None) -> None:
        super().__init__()
        self.stem, self.features, self.mix = net.stem, net.features, net.mix
        self.pool, self.scores = net.pool, net.scores
        self.finish = finish

    def call(self, x: Any) -> Any:
        x = self.mix(self.features(self.stem(x)))
        x = self.scores(self.pool(x))
        return x if self.finish is None else self.finish(x)


@kind
def subclassed() -> Specimen:
    net = Net()
    return of_net(built(Subclassed(net)), net, default="mix")


class Bytewise(Subclassed):
    """A `call` that is a `tf.function` and branches on its data."""

    @tf.function
    def call(self, x: Any) -> Any:
        if tf.reduce_max(x) > 64:  # AutoGraph makes this a tf.cond
            x = x / 64
        return self.scores(self.pool(self.mix(self.features(self.stem(x)))))


class CompiledBytewise(Subclassed):
    """The same, compiled by XLA."""

    @tf.function(jit_compile=True)
    def call(self, x: Any) -> Any:
        if tf.reduce_max(x) > 64:
            x = x / 64
        return self.scores(self.pool(self.mix(self.features(self.stem(x)))))


def bytewise(model_class: type[Subclassed]) -> Specimen:
    """Give a model that branches on its data images that take the branch."""
    net = Net().built()
    inputs = 64 * images()
    return of_net(
        built(model_class(net), inputs),
        net,
        inputs=inputs,
        head=lambda x: net.head(x / 64),
        default="mix",
    )


class Tally:
    """Holds a variable, and is no layer."""

    def __init__(self) -> None:
        self.calls = tf.Variable(3.0)


class Counting(Subclassed):
    """A `call` that assigns to variables of which Keras knows nothing, and computes with them."""

    def __init__(self, net: Net) -> None:
        super().__init__(net)
        self.calls, self.tally = tf.Variable(2.0), Tally()
        self.last = [tf.Variable(tf.zeros((BATCH, net.scores.units)))]

    def call(self, x: Any) -> Any:
        scale = self.calls / self.tally.calls
        self.calls.assign_add(1.0)
        self.tally.calls.assign(self.tally.calls * 2.0)
        logits = self.scores(self.pool(self.mix(self.features(self.stem(x * scale)))))
        self.last[0].assign(logits)
        return logits


@kind
def subclassed_with_bare_variables() -> Specimen:
    net = Net().built()
    model = Counting(net)
    model(images())
    model.calls.assign(2.0)
    model.tally.calls.assign(4.0)
    return of_net(model, net, head=lambda x: net.head(x / 2), default="mix")


@kind
def subclassed_tf_function() -> Specimen:
    return bytewise(Bytewise)


@kind
def subclassed_xla_function() -> Specimen:
    return bytewise(CompiledBytewise)


class Block(layers.Layer):
    """A layer whose `call` is a `tf.function`, around the layer to explain."""

    def __init__(self, inner: Sequence[keras.Layer], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = list(inner)

    @tf.function
    def call(self, x: Any) -> Any:
        for layer in self.inner:
            x = layer(x)
        return x


@kind
def layer_tf_function() -> Specimen:
    net = Net().built()
    inputs = keras.Input((*SIZES[2], 3))
    block = Block([net.stem, net.features], name="block")
    model = keras.Model(inputs, net.scores(net.pool(net.mix(block(inputs)))))
    return of_net(model, net, "block/features", default="mix")


@kind
def layer_tf_function_itself() -> Specimen:
    net = Net().built()
    inputs = keras.Input((*SIZES[2], 3))
    block = Block([net.stem, net.features], name="block")
    model = keras.Model(inputs, net.scores(net.pool(net.mix(block(inputs)))))
    return of_net(model, net, "block", default="mix")


@kind
def instance_tf_function() -> Specimen:
    net = Net().built()
    model = built(Subclassed(net))
    model.call = tf.function(model.call)
    return of_net(model, net, default="mix")


class Hiding(Subclassed):
    """Keeps the layers out of sight in a helper that is a `tf.function`."""

    def __init__(self, net: Net) -> None:
        super().__init__(net)
        self.helper = tf.function(lambda x: self.mix(self.features(self.stem(x))))

    def call(self, x: Any) -> Any:
        return self.scores(self.pool(self.helper(x)))


@kind
def hidden_in_helper() -> Specimen:
    net = Net().built()
    return of_net(built(Hiding(net)), net, default="mix")


# --------------------------------------------------------------------- several inputs and outputs


def with_table(net: Net, structure: Callable[[Any, Any], Any]) -> keras.Model:
    """Let a row of a table shift the features' mean before the scores."""
    picture = keras.Input((*SIZES[2], 3), name="picture")
    row = keras.Input((5,), name="row")
    pooled = net.pool(net.mix(net.features(net.stem(picture))))
    return keras.Model(structure(picture, row), net.scores(layers.add([pooled, row])))


def table() -> np.ndarray:
    """Draw a row for each image."""
    return np.random.default_rng(5).normal(0, 1, (BATCH, 5)).astype(np.float32)


def _with_row(net: Net, features: tf.Tensor, row: tf.Tensor) -> tf.Tensor:
    mixed = tf.nn.relu(convolve(features, net.mix, padding="VALID"))
    return transform(tf.reduce_mean(mixed, [1, 2]) + row, net.scores)


@kind
def inputs_in_list() -> Specimen:
    net = Net()
    return of_net(
        with_table(net, lambda picture, row: [picture, row]),
        net,
        inputs=[images(), table()],
        head=lambda x: net.head(x[0]),
        tail=lambda a, x: _with_row(net, a, x[1]),
        default="mix",
    )


@kind
def inputs_in_list_row_first() -> Specimen:
    net = Net()
    return of_net(
        with_table(net, lambda picture, row: [row, picture]),
        net,
        inputs=[table(), images()],
        head=lambda x: net.head(x[1]),
        tail=lambda a, x: _with_row(net, a, x[0]),
        default="mix",
    )


@kind
def inputs_in_dict() -> Specimen:
    net = Net()
    return of_net(
        with_table(net, lambda picture, row: {"row": row, "picture": picture}),
        net,
        inputs={"picture": images(), "row": table()},
        head=lambda x: net.head(x["picture"]),
        tail=lambda a, x: _with_row(net, a, x["row"]),
        default="mix",
    )


class SubclassedPair(keras.Model):
    """Takes a dict in a `call` of its own."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.stem, self.features, self.mix = net.stem, net.features, net.mix
        self.pool, self.scores = net.pool, net.scores

    def call(self, given: Any) -> Any:
        x = self.mix(self.features(self.stem(given["picture"])))
        return self.scores(self.pool(x) + given["row"])


@kind
def inputs_in_dict_subclassed() -> Specimen:
    net = Net()
    inputs = {"row": table(), "picture": images()}
    return of_net(
        built(SubclassedPair(net), inputs),
        net,
        inputs=inputs,
        head=lambda x: net.head(x["picture"]),
        tail=lambda a, x: _with_row(net, a, x["row"]),
    )


def two_headed(net: Net, structure: Callable[[Any, Any], Any]) -> keras.Model:
    """Put a second head, an angle, beside the network's scores."""
    inputs = keras.Input((*SIZES[2], 3))
    pooled = net.pool(net.mix(net.features(net.stem(inputs))))
    angle = layers.Dense(1, name="angle")(pooled)
    return keras.Model(inputs, structure(angle, net.scores(pooled)))


@kind
def output_by_index() -> Specimen:
    net = Net()
    model = two_headed(net, lambda angle, scores: [angle, scores])
    return of_net(model, net, options={"output": 1}, default="mix")


@kind
def output_by_layer_name() -> Specimen:
    net = Net()
    model = two_headed(net, lambda angle, scores: [angle, scores])
    return of_net(model, net, options={"output": "scores"}, default="mix")


@kind
def output_by_key() -> Specimen:
    net = Net()
    model = two_headed(net, lambda angle, scores: {"verdict": scores, "angle": angle})
    return of_net(model, net, options={"output": "verdict"}, default="mix")


@kind
def output_of_dict_by_index() -> Specimen:
    net = Net()
    model = two_headed(net, lambda angle, scores: {"verdict": scores, "angle": angle})
    return of_net(model, net, options={"output": 1}, default="mix")


# -------------------------------------------------------------------------------- kinds of heads


def with_head(reading: Reading, units: int, activation: Any, **options: Any) -> Specimen:
    """Put another head on the functional network."""
    net = Net(units=units, activation=activation)
    return of_net(functional_net(net), net, reading=reading, options=options, default="mix")


@kind
def sigmoid_unit() -> Specimen:
    return with_head(BINARY, 1, "sigmoid")


@kind
def multi_label() -> Specimen:
    return with_head(MULTI_LABEL, 3, "sigmoid")


@kind
def linear() -> Specimen:
    return with_head(LINEAR, 3, None)


@kind
def regression() -> Specimen:
    return with_head(REGRESSION, 1, None)


@kind
def binary_logit() -> Specimen:
    return with_head(BINARY_LOGIT, 1, None, target=targets.binary)


@kind
def binary_target_on_sigmoid() -> Specimen:
    return with_head(BINARY, 1, "sigmoid", target=targets.binary)


@kind
def flatten() -> Specimen:
    net = Net()
    net.pool = layers.Flatten()

    def tail(features: tf.Tensor, x: Any) -> tf.Tensor:
        mixed = tf.nn.relu(convolve(features, net.mix, padding="VALID"))
        return transform(tf.reshape(mixed, [len(mixed), -1]), net.scores)

    return of_net(functional_net(net), net, tail=tail, default="mix")


@kind
def segmentation() -> Specimen:
    net = Net()
    classify = layers.Conv2D(3, 1, activation="softmax", name="classify")
    inputs = keras.Input((*SIZES[2], 3))
    features = net.features(net.stem(inputs))
    refined = layers.Conv2D(5, 3, padding="same", activation="relu", name="refine")
    model = keras.Model(inputs, classify(refined(layers.UpSampling2D(2, name="up")(features))))

    def tail(features: tf.Tensor, x: Any) -> tf.Tensor:
        large = tf.repeat(tf.repeat(features, 2, 1), 2, 2)
        return convolve(tf.nn.relu(convolve(large, refined)), classify)

    return of_net(model, net, tail=tail, last=classify, reading=SEGMENTATION, default="refine")


def flavour(finish: Callable[[Any], Any], reading: Reading = SOFTMAX) -> Callable[[], Specimen]:
    """Normalise the logits in a subclassed `call`."""

    def build() -> Specimen:
        net = Net(activation=None, units=1 if reading is BINARY else 3)
        return of_net(built(Subclassed(net, finish)), net, reading=reading)

    return build


def functional_flavour(
    finish: Callable[[Any], Any], reading: Reading = SOFTMAX
) -> Callable[[], Specimen]:
    """Normalise the logits by a step of a functional model."""

    def build() -> Specimen:
        net = Net(activation=None, units=1 if reading is BINARY else 3)
        inputs = keras.Input((*SIZES[2], 3))
        return of_net(keras.Model(inputs, finish(net(inputs))), net, reading=reading)

    return build


KINDS |= {
    "softmax_layer": functional_flavour(lambda z: layers.Softmax()(z)),
    "softmax_activation_layer": functional_flavour(lambda z: layers.Activation("softmax")(z)),
    "softmax_of_keras_ops": functional_flavour(lambda z: keras.ops.softmax(z)),
    "softmax_then_identity": functional_flavour(lambda z: layers.Identity()(layers.Softmax()(z))),
    "softmax_then_dropout": functional_flavour(lambda z: layers.Dropout(0.5)(layers.Softmax()(z))),
    "softmax_then_reshape_layer": functional_flavour(
        lambda z: layers.Flatten()(layers.Softmax()(layers.Reshape((1, 1, 3))(z)))
    ),
    "softmax_in_lambda": functional_flavour(lambda z: layers.Lambda(tf.nn.softmax)(z)),
    "log_softmax_of_keras_ops": functional_flavour(lambda z: keras.ops.log_softmax(z)),
    "log_softmax_activation": functional_flavour(lambda z: layers.Activation("log_softmax")(z)),
    "softmax_of_tensorflow": flavour(lambda z: tf.nn.softmax(z)),
    "softmax_of_keras_ops_in_call": flavour(lambda z: keras.ops.softmax(z)),
    "log_softmax_of_tensorflow": flavour(lambda z: tf.nn.log_softmax(z)),
    "softmax_then_cast": flavour(lambda z: tf.cast(tf.nn.softmax(z), tf.float64)),
    "softmax_then_reshape": flavour(lambda z: tf.reshape(tf.nn.softmax(z[:, None, :]), (-1, 3))),
    "softmax_then_squeeze": flavour(lambda z: tf.squeeze(tf.nn.softmax(z[:, None, :]), 1)),
    "softmax_in_tf_function": flavour(tf.function(lambda z: tf.nn.softmax(z))),
    "sigmoid_of_tensorflow": flavour(lambda z: tf.sigmoid(z), MULTI_LABEL),
    "sigmoid_of_keras_ops": functional_flavour(lambda z: keras.ops.sigmoid(z), MULTI_LABEL),
    "sigmoid_unit_activation_layer": functional_flavour(
        lambda z: layers.Activation("sigmoid")(z), BINARY
    ),
    "sigmoid_unit_squeezed": flavour(lambda z: tf.squeeze(tf.sigmoid(z), -1), BINARY),
    "sigmoid_unit_sliced": flavour(lambda z: tf.sigmoid(z)[:, 0], BINARY),
}


# ----------------------------------------------------------------------- ranks, dtypes and layouts


@kind
def one_dimension() -> Specimen:
    net = Net(rank=1)
    return of_net(functional_net(net), net, default="mix")


@kind
def three_dimensions() -> Specimen:
    net = Net(rank=3)
    return of_net(functional_net(net), net, default="mix")


@kind
def float64() -> Specimen:
    net = Net(dtype="float64")
    inputs = keras.Input((*SIZES[2], 3), dtype="float64")
    model = keras.Model(inputs, net(inputs))
    # Rounding is far below float32's, so that a step in single precision would show.
    return of_net(model, net, inputs=images(dtype=np.float64), tolerance=1e-11)


# A half-precision model is compared with the same weights in single precision. Activations and
# gradients are rounded to 11 bits (8 bits for bfloat16) at each of the layers in between; tanh
# takes the place of the ReLU there, which rounding could switch on or off.


@kind
def mixed_float16() -> Specimen:
    net = Net(dtype="mixed_float16", mixing=tf.tanh)
    return of_net(functional_net(net), net, tolerance=4e-3, default="mix")


@kind
def mixed_bfloat16() -> Specimen:
    net = Net(dtype="mixed_bfloat16", mixing=tf.tanh)
    return of_net(functional_net(net), net, tolerance=3e-2, default="mix")


@kind
def mixed_float16_small_gradients() -> Specimen:
    """Gradients of one place in thousands, far below what float16 can hold."""
    net = Net(dtype="mixed_float16", mixing=tf.tanh)
    wide = images(64, 96)
    specimen = of_net(functional_net(net, (None, None, 3)), net, inputs=wide, tolerance=4e-3)
    net.scores.kernel.assign(net.scores.kernel / 100)
    net.scores.bias.assign(net.scores.bias / 100)
    return specimen


@kind
def any_size() -> Specimen:
    net = Net()
    return of_net(functional_net(net, (None, None, 3)), net, default="mix")


@kind
def channels_first_pointwise() -> Specimen:
    """Channels first, from layers that run so on every machine."""
    net = Net()
    pad = layers.ZeroPadding2D(((1, 0), (0, 1)), data_format="channels_first", name="pad")
    first = layers.EinsumDense(
        "bchw,cd->bdhw", (6, 13, 17), activation="relu", bias_axes="d", name="first"
    )
    pool = layers.AveragePooling2D((13, 4), data_format="channels_first", name="columns")
    inputs = keras.Input((3, *SIZES[2]))
    model = keras.Model(inputs, net.scores(layers.Flatten()(pool(first(pad(inputs))))))

    def head(x: tf.Tensor) -> tf.Tensor:
        padded = tf.pad(tf.transpose(x, [0, 2, 3, 1]), [[0, 0], [1, 0], [0, 1], [0, 0]])
        return tf.nn.relu(tf.matmul(padded, first.kernel.value) + tf.reshape(first.bias.value, -1))

    def tail(features: tf.Tensor, x: Any) -> tf.Tensor:
        columns = [
            tf.reduce_mean(features[:, :, 4 * place : 4 * place + 4], [1, 2]) for place in range(4)
        ]
        return transform(tf.reshape(tf.stack(columns, -1), [len(features), -1]), net.scores)

    inputs = np.moveaxis(images(), -1, 1)
    return of_net(model, net, "first", inputs=inputs, head=head, tail=tail, default="first")


def _runs_channels_first() -> bool:
    """Tell whether TensorFlow was built with kernels for channels first on this machine."""
    try:
        tf.nn.conv2d(tf.zeros((1, 1, 3, 3)), tf.zeros((1, 1, 1, 1)), 1, "SAME", "NCHW")
    except tf.errors.OpError:
        return False
    return True


def channels_first() -> Specimen:
    net = Net(data_format="channels_first")
    model = functional_net(net, (3, *SIZES[2]))

    def head(x: tf.Tensor) -> tf.Tensor:
        return net.head(tf.transpose(x, [0, 2, 3, 1]))

    inputs = np.moveaxis(images(), -1, 1)
    return of_net(model, net, inputs=inputs, head=head, default="mix")


if _runs_channels_first():
    kind(channels_first)


# ------------------------------------------------------------------------------- kinds of layers


@kind
def augmentation() -> Specimen:
    """Augmentation, rescaling and batch normalisation inside the model."""
    net = Net()
    norm = layers.BatchNormalization(name="norm")
    inputs = keras.Input((*SIZES[2], 3))
    x = layers.RandomRotation(0.3)(layers.RandomFlip()(inputs))
    x = layers.GaussianNoise(0.5)(layers.Rescaling(1 / 64, offset=-1)(x))
    x = layers.Dropout(0.5)(norm(net.features(net.stem(x))))
    model = keras.Model(inputs, net.scores(net.pool(net.mix(x))))
    return of_net(
        model,
        net,
        "norm",
        inputs=64 * images() + 64,
        head=lambda x: normalise(net.head(x / 64 - 1), norm),
        default="mix",
    )


@kind
def lambda_behind() -> Specimen:
    net = Net()
    inputs = keras.Input((*SIZES[2], 3))
    x = net.mix(net.features(net.stem(inputs)))
    x = layers.Lambda(lambda x: tf.tanh(2 * x), name="squash")(x)
    model = keras.Model(inputs, net.scores(net.pool(x)))

    def head(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.relu(convolve(net.head(x), net.mix, padding="VALID"))

    def tail(features: tf.Tensor, x: Any) -> tf.Tensor:
        return transform(tf.reduce_mean(tf.tanh(2 * features), [1, 2]), net.scores)

    return of_net(model, net, "mix", head=head, tail=tail, default="squash")


@kind
def compiled_by_xla() -> Specimen:
    net = Net()
    model = functional_net(net)
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=True)
    return of_net(model, net, default="mix")


@kind
def trained() -> Specimen:
    """A model whose train and predict functions exist already."""
    net = Net()
    model = functional_net(net)
    model.compile("adam", "sparse_categorical_crossentropy")
    specimen = of_net(model, net, default="mix")
    model.fit(images(), np.arange(BATCH), verbose=0)
    model.predict(images(), verbose=0)
    return specimen


@kind
def grouped() -> Specimen:
    """Keras compiles a grouped convolution by XLA on a CPU."""
    net = Net()
    net.features = layers.Conv2D(6, 3, groups=2, padding="same", activation="relu", name="features")

    def head(x: tf.Tensor) -> tf.Tensor:
        stem = tf.nn.relu(convolve(x, net.stem))
        kernels = tf.split(net.features.kernel.value, 2, -1)
        halves = [
            tf.nn.conv2d(part, kernel, 1, "SAME")
            for part, kernel in zip(tf.split(stem, 2, -1), kernels, strict=True)
        ]
        return tf.nn.relu(tf.concat(halves, -1) + net.features.bias.value)

    return of_net(functional_net(net), net, head=head, default="mix")


@kind
def grouped_behind() -> Specimen:
    """The convolution that XLA compiles lies between the layer and the score."""
    net = Net()
    net.mix = layers.Conv2D(4, 3, groups=2, activation="relu", name="mix")

    def tail(features: tf.Tensor, x: Any) -> tf.Tensor:
        halves = [
            tf.nn.conv2d(part, kernel, 1, "VALID")
            for part, kernel in zip(
                tf.split(features, 2, -1), tf.split(net.mix.kernel.value, 2, -1), strict=True
            )
        ]
        mixed = tf.nn.relu(tf.concat(halves, -1) + net.mix.bias.value)
        return transform(tf.reduce_mean(mixed, [1, 2]), net.scores)

    return of_net(functional_net(net), net, tail=tail, default="mix")


def with_operations(net: Net) -> keras.Model:
    """A residual branch and a ReLU that are operations, not layers."""
    inputs = keras.Input((*SIZES[2], 3))
    x = net.features(net.stem(inputs))
    x = x + keras.ops.tanh(x)
    return keras.Model(inputs, net.scores(net.pool(net.mix(keras.ops.relu(x - 0.5)))))


def _operation(model: keras.Model, name: str) -> str:
    return next(op.name for op in model.operations if type(op).__name__ == name)


@kind
def sum_operation() -> Specimen:
    net = Net()
    model = with_operations(net)

    def head(x: tf.Tensor) -> tf.Tensor:
        features = net.head(x)
        return features + tf.tanh(features)

    return of_net(model, net, _operation(model, "Add"), head=head,
                  tail=lambda a, x: net.tail(tf.nn.relu(a - 0.5)), default="mix")  # fmt: skip


@kind
def relu_operation() -> Specimen:
    net = Net()
    model = with_operations(net)

    def head(x: tf.Tensor) -> tf.Tensor:
        features = net.head(x)
        return tf.nn.relu(features + tf.tanh(features) - 0.5)

    return of_net(model, net, _operation(model, "Relu"), head=head, default="mix")


def siamese(net: Net) -> keras.Model:
    """Run the same layers on two images and compare."""
    left, right = (
        keras.Input((*SIZES[2], 3), name="left"),
        keras.Input((*SIZES[2], 3), name="right"),
    )
    first, second = (net.pool(net.mix(net.features(net.stem(x)))) for x in (left, right))
    return keras.Model([left, right], net.scores(layers.subtract([first, second])))


def _pooled(net: Net, features: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.relu(convolve(features, net.mix, padding="VALID")), [1, 2])


@kind
def shared_first_run() -> Specimen:
    net = Net()
    return of_net(
        siamese(net),
        net,
        inputs=[images(), images(seed=1)],
        options={"call_index": 0},
        head=lambda x: net.head(x[0]),
        tail=lambda a, x: transform(_pooled(net, a) - _pooled(net, net.head(x[1])), net.scores),
    )


@kind
def shared_second_run() -> Specimen:
    net = Net()
    return of_net(
        siamese(net),
        net,
        inputs=[images(), images(seed=1)],
        options={"call_index": 1},
        head=lambda x: net.head(x[1]),
        tail=lambda a, x: transform(_pooled(net, net.head(x[0])) - _pooled(net, a), net.scores),
    )


class Twice(Subclassed):
    """Runs the same layers on an image and on its mirror image."""

    def call(self, x: Any) -> Any:
        first, second = (
            self.pool(self.mix(self.features(self.stem(view)))) for view in (x, x[:, :, ::-1])
        )
        return self.scores(first - second)


@kind
def shared_second_run_subclassed() -> Specimen:
    net = Net()
    return of_net(
        built(Twice(net)),
        net,
        options={"call_index": 1},
        head=lambda x: net.head(x[:, :, ::-1]),
        tail=lambda a, x: transform(_pooled(net, net.head(x)) - _pooled(net, a), net.scores),
    )


@kind
def quantized_head() -> Specimen:
    """A dense layer in 8-bit integers, whose backward step Keras makes with its own weights."""
    net = Net(activation=None)
    specimen = of_net(functional_net(net), net, reading=LINEAR)
    model = specimen.model
    net.scores.quantize("int8")

    def tail(features: tf.Tensor, x: Any) -> tf.Tensor:
        scores = net.scores
        weights = tf.cast(scores._kernel.value, tf.float32) / scores.kernel_scale.value
        return tf.matmul(_pooled(net, features), weights) + scores.bias.value

    # The inputs are rounded to 8 bits on the way forward; the gradient is that of the weights.
    return Specimen(model, specimen.inputs, "features", net.head, tail, LINEAR, tolerance=1e-2)


@kind
def batch_normalised() -> Specimen:
    """Batch normalisation before and behind the layer, as `freeze` folds it."""
    net = Net(activation=None)
    before, behind = layers.BatchNormalization(), layers.BatchNormalization()
    inputs = keras.Input((*SIZES[2], 3))
    x = net.mix(net.features(before(net.stem(inputs))))
    model = keras.Model(inputs, layers.Softmax()(net.scores(net.pool(behind(x)))))

    def head(x: tf.Tensor) -> tf.Tensor:
        stem = normalise(tf.nn.relu(convolve(x, net.stem)), before)
        return tf.nn.relu(convolve(stem, net.features, stride=2))

    def tail(features: tf.Tensor, x: Any) -> tf.Tensor:
        mixed = tf.nn.relu(convolve(features, net.mix, padding="VALID"))
        return transform(tf.reduce_mean(normalise(mixed, behind), [1, 2]), net.scores)

    return of_net(model, net, head=head, tail=tail)


@kind
def several_outputs_of_one_layer() -> Specimen:
    """A custom layer that gives a feature map and a number: the first is explained."""

    class Split(layers.Layer):
        def call(self, x: Any) -> tuple[Any, Any]:
            return 2 * x, keras.ops.mean(x, (1, 2))

    net = Net()
    inputs = keras.Input((*SIZES[2], 3))
    split = Split(name="split")
    twice, _ = split(net.features(net.stem(inputs)))
    model = keras.Model(inputs, net.scores(net.pool(net.mix(twice))))
    return of_net(model, net, "split", head=lambda x: 2 * net.head(x), default="mix")


# -------------------------------------------------------------------------------------- tokens


class ClassToken(layers.Layer):
    """Puts a learned token before the others, and adds a position to each."""

    def build(self, shape: Any) -> None:
        self.token = self.add_weight(shape=(1, 1, shape[-1]), initializer="normal", name="token")
        self.place = self.add_weight(
            shape=(1, shape[1] + 1, shape[-1]), initializer="normal", name="place"
        )

    def call(self, x: Any) -> Any:
        token = keras.ops.broadcast_to(self.token, (keras.ops.shape(x)[0], 1, x.shape[-1]))
        return keras.ops.concatenate([token, x], 1) + self.place


class Transformer:
    """The layers of a patch transformer with a class token, and its second half by hand."""

    def __init__(self, patch: tuple[int, int], size: tuple[int, int]) -> None:
        self.rows, self.columns = size[0] // patch[0], size[1] // patch[1]
        inputs = keras.Input((*size, 3))
        x = layers.Conv2D(8, patch, strides=patch, name="patches")(inputs)
        x = layers.Reshape((self.rows * self.columns, 8))(x)
        x = ClassToken(name="tokens")(x)
        for index in (1, 2):
            seen = layers.LayerNormalization(name=f"seen_{index}")(x)
            attended = layers.MultiHeadAttention(2, 4, name=f"attention_{index}")(seen, seen)
            x = x + attended
            normal = layers.LayerNormalization(name=f"norm_{index}")(x)
            x = x + layers.Dense(8, "gelu", name=f"mlp_{index}")(normal)
        x = layers.LayerNormalization(name="last_norm")(x)
        scores = layers.Dense(3, "softmax", name="scores")(x[:, 0])
        self.model = keras.Model(inputs, scores)

    def stream(self, x: tf.Tensor) -> tf.Tensor:
        """The tokens behind the first block."""
        layer = self.model.get_layer
        x = tf.reshape(layer("patches")(x), [len(x), -1, 8])
        token = tf.repeat(layer("tokens").token.value, len(x), 0)
        x = tf.concat([token, x], 1) + layer("tokens").place.value
        seen = layer("seen_1")(x)
        x = x + layer("attention_1")(seen, seen)
        return x + layer("mlp_1")(layer("norm_1")(x))

    def head(self, x: tf.Tensor) -> tf.Tensor:
        """The tokens that the last attention sees."""
        return self.model.get_layer("seen_2")(self.stream(x))

    def tail(self, seen: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """From those tokens to the logits."""
        layer = self.model.get_layer
        y = self.stream(x) + layer("attention_2")(seen, seen)
        y = y + layer("mlp_2")(layer("norm_2")(y))
        return transform(layer("last_norm")(y)[:, 0], layer("scores"))

    def on_grid(self, tokens: np.ndarray) -> np.ndarray:
        """Drop the class token and lay the others out in rows."""
        return tokens[:, 1:].reshape(len(tokens), self.rows, self.columns, -1)


def transformer_of(patch: tuple[int, int], size: tuple[int, int], **facts: Any) -> Specimen:
    made = Transformer(patch, size)
    return prepared(
        made.model,
        images(*size),
        "seen_2",
        made.head,
        made.tail,
        last=made.model.get_layer("scores"),
        on_grid=made.on_grid,
        **facts,
    )


@kind
def transformer() -> Specimen:
    return transformer_of((4, 4), (12, 16), default="seen_2")


@kind
def transformer_with_grid() -> Specimen:
    """Patches that are not square, which only the user knows."""
    return transformer_of((4, 2), (12, 16), options={"grid": (3, 8)})


@kind
def mixer() -> Specimen:
    """Tokens without a class token, averaged at the end."""
    inputs = keras.Input((*SIZES[2], 3))
    patches = layers.Conv2D(8, 4, strides=4, name="patches")
    mix_tokens = layers.Dense(12, "relu", name="mix_tokens")
    mix_channels = layers.Dense(8, "tanh", name="mix_channels")
    scores = layers.Dense(3, "softmax", name="scores")
    x = layers.Reshape((12, 8))(patches(inputs))
    x = x + layers.Permute((2, 1))(mix_tokens(layers.Permute((2, 1))(x)))
    x = mix_channels(x)
    model = keras.Model(inputs, scores(layers.GlobalAveragePooling1D()(x)))

    def head(x: tf.Tensor) -> tf.Tensor:
        x = tf.reshape(patches(x), [len(x), 12, 8])
        mixed = tf.nn.relu(transform(tf.transpose(x, [0, 2, 1]), mix_tokens))
        return tf.tanh(transform(x + tf.transpose(mixed, [0, 2, 1]), mix_channels))

    def tail(features: tf.Tensor, x: Any) -> tf.Tensor:
        return transform(tf.reduce_mean(features, 1), scores)

    return prepared(
        model,
        images(),
        "mix_channels",
        head,
        tail,
        last=scores,
        on_grid=lambda a: a.reshape(len(a), 3, 4, 8),
        default="mix_channels",
    )


# ------------------------------------------------------------------------------------- from a file


def loaded(folder: Path) -> Specimen:
    """A nested model with batch normalisation that was saved and loaded."""
    specimen = nested()
    path = folder / "model.keras"
    specimen.model.save(path)
    model = keras.models.load_model(path)
    return Specimen(model, specimen.inputs, specimen.layer, specimen.head, specimen.tail)

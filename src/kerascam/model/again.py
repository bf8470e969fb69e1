"""Ask a model the same question again: of other images, or of another output of a layer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from .._types import ClassIds, Features, Images, Scores
from ..targets import takes_any_batch
from . import graph, relu, rescale, scoring, specs
from .copies import Ask, at_copies
from .form import Form, together
from .input_form import InputForm
from .layer_gradients import by_runs
from .outputs import select
from .question import Question
from .sites import Runs, forward


@dataclass(frozen=True)
class Again:
    """The model, the question and the batch that it was asked of first.

    Attributes:
        model: The model.
        question: What is asked.
        inputs: The model's inputs, of the batch.
        classes: Shape (batch,), settled.
        like: The structure of the inputs, for a model that does not declare one.
        place: Which input the images are; None if none is.
        rank: How many axes it has.
        own: How that input is read.
        dtype: The scores' dtype.
        beside: The layers that were replaced though the score does not depend on the images
            through them alone; filled while `rest` is traced.
        without_rule: What bends and has no rule, in words; filled while multipliers are traced.
    """

    model: keras.Model
    question: Question
    inputs: Sequence[tf.Tensor]
    classes: ClassIds
    like: Any
    place: int | None
    rank: int
    own: InputForm
    dtype: tf.DType
    beside: list[str] = field(default_factory=list)
    without_rule: set[str] = field(default_factory=set)

    def gradient(self, images: tf.Tensor) -> tf.Tensor:
        """Differentiate the score by other images, (batch, ...) or (copies, batch, ...)."""
        ask = partial(self._slopes, self._score)
        return self._at(ask, self.inputs, images, images.dtype, self.rank)

    def score(self, images: tf.Tensor) -> tf.Tensor:
        """Score other images, (batch, ...) or (copies, batch, ...)."""
        return self._at(self._score, self.inputs, images, self.dtype, self.rank)

    def multipliers(self, images: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
        """Return DeepLIFT's multipliers between images and a baseline of each, (batch, ...)."""
        return self._between(self._score, self.inputs, images, start)

    def gradients_at(self, form: Form, images: tf.Tensor) -> tf.Tensor:
        """Differentiate the score of other images, (batch, ...) or copies, by a layer's output."""
        ask = partial(self._layer_slopes, form)
        dtype = tf.float64 if self.dtype == tf.float64 else tf.float32
        return self._at(ask, self.inputs, images, dtype, self.rank)

    def rest(self, form: Form, runs: Runs, rank: int, features: tf.Tensor) -> tf.Tensor:
        """Score the same images with another output of a layer.

        What follows the layer runs. What the score takes from the images beside the layer keeps
        their own values, and is then run too, which `beside` notes.

        Args:
            form: The layer, and how its output is read.
            runs: The outputs of its runs, as the layer gave them.
            rank: How many axes they have as (batch, *grid, features).
            features: What replaces it, (batch, *grid, features), or (copies, batch, ...).
        """
        ask = partial(self._rest, form, len(runs))
        with_own = [*self.inputs, together(runs)]
        return self._at(ask, with_own, features, self.dtype, rank)

    def rest_gradient(self, form: Form, runs: Runs, rank: int, features: tf.Tensor) -> tf.Tensor:
        """Differentiate the score by another output of a layer; for the arguments see `rest`."""
        ask = partial(self._slopes, partial(self._rest, form, len(runs)))
        return self._at(ask, [*self.inputs, together(runs)], features, features.dtype, rank)

    def rest_multipliers(
        self, form: Form, runs: Runs, rank: int, features: tf.Tensor, start: tf.Tensor
    ) -> tf.Tensor:
        """Return DeepLIFT's multipliers between two outputs of a layer; see `rest`."""
        del rank
        ask = partial(self._rest, form, len(runs))
        return self._between(ask, [*self.inputs, together(runs)], features, start)

    def _between(
        self, ask: Ask, inputs: Sequence[tf.Tensor], values: tf.Tensor, start: tf.Tensor
    ) -> tf.Tensor:
        if not takes_any_batch(self.question.target):
            raise ValueError(
                "target holds something for each image of the batch, and the rescale rule puts "
                "their baselines beside them: explain one image at a time, or use integrated "
                "gradients in place of DeepLIFT"
            )
        ask = partial(self._rescaled, ask)
        pair = tf.stack([values, start])
        found = at_copies(ask, inputs, self.classes, pair, together=True, dtype=values.dtype)
        return found[0]

    def _rescaled(
        self, ask: Ask, inputs: Sequence[tf.Tensor], classes: ClassIds, values: tf.Tensor
    ) -> tf.Tensor:
        values = tf.identity(values)
        scores = ask(inputs, classes, values)
        pairs = tf.debugging.assert_equal(
            tf.size(scores),
            tf.shape(values)[0],
            "the model answers a batch of another number of images, as it declares or keeps one "
            "for each: the rescale rule puts their baselines beside them",
        )
        with tf.control_dependencies([] if pairs is None else [pairs]):
            scores = tf.identity(scores)
        variants = scoring.variants(self.model, scores)
        self.without_rule.update(rescale.apply(values, variants[-1]))
        return scoring.differentiate(
            lambda scores: tf.gradients(scores, values)[0], variants, "the images"
        )

    @property
    def _takes_any_batch(self) -> bool:
        whole = specs.declared_batch(self.model) is None
        return whole and takes_any_batch(self.question.target)

    def _at(
        self, ask: Ask, inputs: Sequence[tf.Tensor], values: tf.Tensor, dtype: tf.DType, rank: int
    ) -> tf.Tensor:
        if len(values.shape) == rank:
            return ask(inputs, self.classes, values)
        together = self._takes_any_batch
        return at_copies(ask, inputs, self.classes, values, together=together, dtype=dtype)

    def _with_images(self, inputs: Sequence[tf.Tensor], images: Images) -> Any:
        """Put other images in their place among the inputs."""
        own = self.own.inputs(images)
        others = [own if index == self.place else tensor for index, tensor in enumerate(inputs)]
        return specs.pack(self.model, others, self.like)

    def _scores(self, outputs: Any, classes: ClassIds) -> Scores:
        chosen = select(self.model, outputs, self.question.output)
        return scoring.score(self.question.target, chosen, classes)

    def _score(self, inputs: Sequence[tf.Tensor], classes: ClassIds, images: Images) -> Scores:
        outputs, *_ = forward(self.model, self._with_images(inputs, images), [])
        return self._scores(outputs, classes)

    def _slopes(
        self, ask: Ask, inputs: Sequence[tf.Tensor], classes: ClassIds, values: tf.Tensor
    ) -> tf.Tensor:
        """Differentiate the scores that `ask` returns for some values by these."""
        # Persistent: of a float16 model, two variants of the score are differentiated.
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(values)
            with relu.replaced(self.question.relu_rule):
                scores = ask(inputs, classes, values)
            variants = scoring.variants(self.model, scores)
        return by_images(self.question, tape, variants, values)

    def _layer_slopes(
        self, form: Form, inputs: Sequence[tf.Tensor], classes: ClassIds, images: Images
    ) -> tf.Tensor:
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            given = self._with_images(inputs, images)
            outputs, seen, _ = forward(self.model, given, [form.site], tape)
            variants = scoring.variants(self.model, self._scores(outputs, classes))
        return form.read(by_runs(tape, variants, form.site, seen[0]))

    def _rest(
        self,
        form: Form,
        runs: int,
        inputs: Sequence[tf.Tensor],
        classes: ClassIds,
        features: Features,
    ) -> Scores:
        # Copies in this graph, so that it can be told whether the score depends on them.
        *inputs, own = map(tf.identity, inputs)
        given = form.written(features, own, runs)
        packed = specs.pack(self.model, inputs, self.like)
        outputs, *_ = forward(self.model, packed, [form.site], given=[given])
        scores = self._scores(outputs, classes)
        needed, path = graph.ancestors([scores]), form.site.path
        if any(each.op.name in needed for each in inputs) and path not in self.beside:
            self.beside.append(path)
        return scores


def by_images(
    question: Question, tape: tf.GradientTape, variants: Sequence[Scores], images: tf.Tensor
) -> tf.Tensor:
    """Differentiate the scores of a recorded pass by its images."""

    def gradient(scores: Scores) -> tf.Tensor | None:
        if question.relu_rule is None:
            return tape.gradient(scores, images)
        return tf.gradients(scores, images)[0]

    return scoring.differentiate(gradient, variants, "the images")

"""Explain a model as if some of its layers had never been trained; the model stays as it is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from keras import ops

from .._host_types import HostClassIds, HostHeatmaps
from ..model import (
    Compiled,
    InGraph,
    Signature,
    compile_graph,
    other_weights,
    probe,
    run,
    shuffled,
    trained_weights,
    with_classes,
)
from ..repeat import driven_by
from .asking import fitting
from .explainer import Explainer
from .program import results


@dataclass(frozen=True)
class _Program:
    """A program that takes the weights too, after the classes."""

    run: Compiled
    class_count: int | None


@dataclass(frozen=True)
class Randomized:
    """An explainer's method, on its model with other weights.

    One graph takes the weights as tensors, so that it is compiled once for any of them. A layer is
    randomized by putting the values of each of its weights in random order: their distribution
    stays, and with it the scale of what the layer returns.

    Attributes:
        explainer: The user's.
    """

    explainer: Explainer
    _kept: dict[Any, _Program] = field(default_factory=dict)

    @cached_property
    def groups(self) -> list[list[Any]]:
        """The weights of each layer that has any, from the input to the output."""
        found = trained_weights(self.explainer.model)
        if not found:
            raise ValueError(
                f"model {self.explainer.model.name!r} has no weights that could be randomized"
            )
        return found

    def heatmaps(
        self, images: Any, classes: HostClassIds, layers: Collection[int], seed: int
    ) -> HostHeatmaps:
        """Draw heatmaps with some layers randomized.

        Args:
            images: As the explainer takes them.
            classes: Shape (batch,).
            layers: Numbers of layers that have weights, from 0 on.
            seed: The seed of the order in which values are put.

        Returns:
            Shape (batch, *size).
        """
        asked = self.explainer._asked(images, classes, self._compiled)
        numbers = range(len(self._variables))
        chosen = [self._layer_of[number] in set(layers) for number in numbers]
        values = [
            shuffled(variable, [seed, number]) if moved else ops.copy(variable.value)
            for number, variable, moved in zip(numbers, self._variables, chosen, strict=True)
        ]
        with fitting(asked.arrays):
            found = run(asked.compiled.run, *asked.tensors, *values)
        return np.asarray(found["heatmaps"])

    @property
    def _variables(self) -> list[Any]:
        return [variable for group in self.groups for variable in group]

    @property
    def _layer_of(self) -> list[int]:
        return [place for place, group in enumerate(self.groups) for _ in group]

    def _compiled(self, specs: Any, like: Any, arrays: Sequence[np.ndarray]) -> _Program:
        programs = self.explainer.programs
        programs.of(specs, like, arrays)  # chooses the layer, by the model's own weights
        return programs._once(self._kept, lambda each: self._compile(each, like), specs, arrays)

    def _compile(self, signature: Signature, like: Any) -> _Program:
        programs, variables, inputs = self.explainer.programs, self._variables, len(signature)
        counts: list[int | None] = []

        def explain(*tensors: Any) -> dict[str, Any]:
            images, classes, values = tensors[:inputs], tensors[inputs], tensors[inputs + 1 :]
            with other_weights(list(zip(variables, values, strict=True))):
                trace = probe(
                    programs.model, programs.sites or [], programs.recipe.question, images, classes,
                    like,
                )  # fmt: skip
                counts.append(None if trace.head is None else trace.head.class_count)
                with driven_by(InGraph()):
                    return {"heatmaps": results(trace, programs.recipe)["heatmaps"]}

        weights = [ops.copy(variable.value) for variable in variables]
        made = compile_graph(explain, with_classes(signature, *weights), freeze=False)
        return _Program(made, counts[0])

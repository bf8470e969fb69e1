"""A method that asks many times, driven in steps: progress, and Ctrl-C, between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from .._types import ClassIds
from ..errors import brief
from ..model import Compiled, InGraph, Signature, Site, compile_graph, probe, run, with_classes
from ..repeat import driven_by
from .program import Recipe, results

Progress = Callable[[int, int], Any]


def conform_progress(progress: Any) -> Progress | None:
    """Return the function that `progress` stands for.

    Raises:
        TypeError: If it is neither a function, True, False nor None.
    """
    if progress is None or progress is False:
        return None
    if progress is True:
        bar: list[keras.utils.Progbar] = []

        def show(made: int, passes: int) -> None:
            if not bar:
                bar.append(keras.utils.Progbar(passes, unit_name="pass"))
            bar[0].update(made)

        return show
    if not callable(progress):
        raise TypeError(
            f"progress must be True or a function of the steps made and of all steps, not "
            f"{brief(progress)}"
        )
    return progress


@dataclass
class Steps(InGraph):
    """A driver that makes one pass of the first loop, or is given the sum over all passes.

    Further loops stay in the graph.

    Attributes:
        index: Which pass is made; None if the sum is given.
        sum: The sum over all passes; None for a pass.
        part: What was made or given; None until a loop is met.
        passes: How many passes there are.
    """

    index: Any = None
    sum: Any = None
    part: Any = None
    passes: Any = None

    def total(
        self,
        one: Callable[[Any], Any],
        passes: Any,
        like: Any,
        most: Any,
    ) -> Any:
        """Sum the results of the passes."""
        if self.part is not None:
            return super().total(one, passes, like, most)
        self.part = one(self.index) if self.sum is None else self.sum
        self.passes = passes
        return self.part


@dataclass(frozen=True)
class Stepwise:
    """A program in two graphs, around a loop that Python drives.

    Attributes:
        step: Maps inputs, classes and the number of the step to a dict: `part`, what it adds to the
            loop's sum, and `passes`, how many steps there are.
        rest: Maps inputs, classes and the sum to what a `Program` returns.
    """

    step: Compiled
    rest: Compiled

    def run(self, tensors: Sequence[Any], progress: Progress) -> dict[str, Any]:
        """Make all steps.

        Args:
            tensors: The inputs and the classes.
            progress: Called after each step with the steps made, and with all that there are.

        Raises:
            KeyboardInterrupt: Between two steps, after Ctrl-C.
        """
        total, made, passes = None, 0, 1
        while made < passes:
            found = run(self.step, *tensors, ops.convert_to_tensor(made, "int32"))
            total = (ops.zeros_like(found["part"]) if total is None else total) + found["part"]
            made, passes = made + 1, int(found["passes"])
            progress(made, passes)
        return run(self.rest, *tensors, total)


def compile_steps(
    model: keras.Model,
    sites: Sequence[Site],
    recipe: Recipe,
    signature: Signature,
    like: Any,
    *,
    freeze: bool,
) -> Stepwise | None:
    """Trace a recipe in two graphs; None if its method has no loop.

    Args:
        model: The model.
        sites: The layers to look at.
        recipe: What is computed.
        signature: The form of each of the model's inputs.
        like: The structure of the inputs, for a model that does not declare one.
        freeze: Whether the weights become constants.
    """
    kept: list[Steps] = []

    def traced(steps: Steps, inputs: Sequence[Any], classes: ClassIds) -> dict[str, Any]:
        kept.append(steps)
        trace = probe(model, sites, recipe.question, inputs, classes, like)
        with driven_by(steps):
            return results(trace, recipe)

    def step(*tensors: Any) -> dict[str, Any]:
        *inputs, classes, index = tensors
        steps = Steps(index=index)
        traced(steps, inputs, classes)
        return {"part": steps.part, "passes": steps.passes}

    def rest(*tensors: Any) -> dict[str, Any]:
        *inputs, classes, total = tensors
        return traced(Steps(sum=total), inputs, classes)

    one = compile_graph(step, with_classes(signature, 0), freeze=freeze)
    part = kept[0].part
    if part is None:
        return None
    return Stepwise(one, compile_graph(rest, with_classes(signature, part), freeze=freeze))

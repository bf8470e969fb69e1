"""A method that asks many times, driven in steps: progress, and Ctrl-C, between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from ..model import Compiled, InGraph, Signature, Site, compile_graph, probe, run, with_classes
from ..repeat import State, Step, driven_by
from .program import Recipe, results
from .progress import Progress


@dataclass
class Steps(InGraph):
    """A driver that begins the first loop, makes one of its passes, or is given where it ends.

    Further loops stay in the graph.

    Attributes:
        index: Which pass is made; None if none is.
        state: The state before that pass, or after all of them; None to begin.
        found: The state before the first pass, after that pass, or after all of them; None until a
            loop is met.
        passes: How many passes there are.
    """

    index: Any = None
    state: State | None = None
    found: State | None = None
    passes: Any = None

    def fold(self, step: Step, state: State, passes: Any, most: Any) -> State:
        """Pass a state through all passes, or, of the first loop, through one or none."""
        if self.found is not None:
            return super().fold(step, state, passes, most)
        self.passes = passes
        before = state if self.state is None else self.state
        self.found = before if self.index is None else step(self.index, before)
        return self.found


@dataclass(frozen=True)
class Stepwise:
    """A program in three graphs, around and inside a loop that Python drives.

    Attributes:
        begin: Maps inputs and classes to a dict: `state`, that before the first pass, and `passes`,
            how many there are.
        step: Maps inputs, classes, the number of a pass and the state before it to `state`.
        end: Maps inputs, classes and the last state to what a `Program` returns.
    """

    begin: Compiled
    step: Compiled
    end: Compiled

    def run(self, tensors: Sequence[Any], progress: Progress) -> dict[str, Any]:
        """Make all passes.

        Args:
            tensors: The inputs and the classes.
            progress: Called after each pass with the passes made, and with all that there are.

        Raises:
            KeyboardInterrupt: Between two passes, after Ctrl-C; it says how many were made.
        """
        begun = run(self.begin, *tensors)
        state, passes, made = begun["state"], int(begun["passes"]), 0
        try:
            while made < passes:
                index = ops.convert_to_tensor(made, "int32")
                state = run(self.step, *tensors, index, *state)["state"]
                made += 1
                progress(made, passes)
        except KeyboardInterrupt as interrupt:
            raise KeyboardInterrupt(f"after {made} of {passes} passes") from interrupt
        return run(self.end, *tensors, *state)


def compile_steps(
    model: keras.Model,
    sites: Sequence[Site],
    recipe: Recipe,
    signature: Signature,
    like: Any,
    *,
    freeze: bool,
) -> Stepwise:
    """Trace a recipe whose method has a loop, in three graphs.

    Args:
        model: The model.
        sites: The layers to look at.
        recipe: What is computed.
        signature: The form of each of the model's inputs.
        like: The structure of the inputs, for a model that does not declare one.
        freeze: Whether the weights become constants.
    """
    inputs = len(signature)
    begun = Steps()

    def traced(steps: Steps, tensors: Sequence[Any]) -> dict[str, Any]:
        trace = probe(model, sites, recipe.question, tensors[:inputs], tensors[inputs], like)
        with driven_by(steps):
            return results(trace, recipe)

    def begin(*tensors: Any) -> dict[str, Any]:
        traced(begun, tensors)
        return {"state": begun.found, "passes": begun.passes}

    def step(*tensors: Any) -> dict[str, Any]:
        index, *state = tensors[inputs + 1 :]
        steps = Steps(index=index, state=tuple(state))
        traced(steps, tensors)
        return {"state": steps.found}

    def end(*tensors: Any) -> dict[str, Any]:
        return traced(Steps(state=tensors[inputs + 1 :]), tensors)

    first = compile_graph(begin, with_classes(signature), freeze=freeze)
    state = begun.found or ()
    return Stepwise(
        first,
        compile_graph(step, with_classes(signature, 0, *state), freeze=freeze),
        compile_graph(end, with_classes(signature, *state), freeze=freeze),
    )

"""From a user's images and classes to what a compiled program answers."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from .._host_types import HostClassIds
from ..arguments import check_class_names, conform_classes
from ..inputs import conform
from ..model import check_input, declared_units, input_specs, run
from .asking import Asked, check_scores, fitting
from .cache import Programs
from .progress import Progress


class Running:
    """What an explainer does to have an answer: check, find what is compiled, run it.

    Attributes:
        model: The model.
        output: Which output is explained.
        class_names: The class names in order, if there are any.
        programs: What is compiled.
    """

    model: keras.Model
    output: int | str | None
    class_names: Sequence[str] | None
    programs: Programs

    def _answered(
        self, images: Any, classes: Any, compiled: Callable[..., Any], show: Progress | None
    ) -> tuple[Asked, dict[str, Any]]:
        """Run what is compiled for such images; twice if only now it is compiled rightly.

        Args:
            images: The user's.
            classes: The user's.
            compiled: From the form of the inputs to what is compiled for it.
            show: Called with the steps.
        """
        while True:
            asked = self._asked(images, classes, compiled)
            with fitting(asked.arrays):
                found = self._run(asked, show)
            check_scores(found["scores"], len(asked.classes))
            if self.programs.agree(asked, found):
                return asked, found

    def _asked(self, images: Any, classes: Any, compiled: Callable[..., Any]) -> Asked:
        """Check what is asked, and find what is compiled for inputs of this form.

        Args:
            images: The user's.
            classes: The user's.
            compiled: From the form of the inputs to what is compiled for it.
        """
        specs = input_specs(self.model, images)
        check_input(self.model, self.programs.recipe.question.input, specs)
        arrays = conform(images, specs)
        batch, declared = len(arrays[0]), declared_units(self.model, self.output)
        wanted = self._wanted(classes, batch, declared)  # before anything is compiled
        found = compiled(specs, images, arrays)
        if found.class_count != declared:  # only the trace told
            wanted = self._wanted(classes, batch, found.class_count)
        return Asked(specs, images, arrays, wanted, found)

    def _wanted(self, classes: Any, batch: int, class_count: int | None) -> HostClassIds:
        check_class_names(self.class_names, class_count)
        return conform_classes(classes, batch, class_count, self.class_names)

    def _run(self, asked: Asked, show: Progress | None) -> dict[str, Any]:
        if show is not None and asked.compiled.has_loop:
            stepwise = self.programs.in_steps(asked.specs, asked.like, asked.arrays)
            return stepwise.run(asked.tensors, show)
        found = run(asked.compiled.run, *asked.tensors)
        if show is not None:
            show(1, 1)
        return found

"""One table of metrics, filled by decorating the function that does the work."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from .._host_types import Figures
from ..table import Citation, Table, check_supplied, needs_of, options_of, summary_of

F = TypeVar("F", bound=Callable[..., Any])

SUPPLIES = {
    "heatmaps": "the maps that are judged, as the user sees them, (batch, *size)",
    "attributions": "the same maps, neither scaled nor cut at zero, (batch, *size)",
    "images": "the images, in the values that the model takes, (batch, *size, channels)",
    "others": "for each image one of another class, NaN where none was given, of the images' shape",
    "masks": "True where an image shows the evidence, (batch, *size)",
    "classes": "the class that each map explains, (batch,)",
    "score": "a function: copies of the images, (copies, batch, *size, channels), to the target's "
    "scores, by default logits, (copies, batch)",
    "probability": "the same for the model's probability of the class",
    "explain": "a function: images, (batch, *size, channels), to their `heatmaps`",
    "explain_another": "a function: images and a seed to heatmaps of another class",
    "explain_randomized": "a function: images, numbers of layers and a seed to heatmaps of the "
    "model with the weights of these layers in random order",
    "layer_count": "how many layers of the model have weights, counted from the input",
    "attribute": "a function: images to their `attributions`",
}


@dataclass(frozen=True)
class Metric:
    """A registered function and the facts that tables, the command line and the docs read.

    Attributes:
        name: The function's name, as in "mass_in_mask".
        title: The field's name for it, as in "Mass in mask".
        function: The pure function of NumPy arrays: one figure per image, shape (batch,), NaN where
            it is not defined. Its positional parameters name what it is handed (see `SUPPLIES`),
            its keyword-only parameters are the user's options.
        higher_is_better: Whether the larger of two figures speaks for a map.
        bounds: The least and the largest figure; None where there is no bound.
        citation: The paper; None for a construction that no paper claims.
        requires: Checks of what the function is handed, by the names of their parameters, each to a
            bool per image: where one is False the figure is NaN. The first line of its docstring is
            the reason that the user reads.
    """

    name: str
    title: str
    function: Callable[..., Any]
    higher_is_better: bool
    bounds: tuple[float | None, float | None]
    citation: Citation | None
    requires: tuple[Callable[..., Any], ...] = ()

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return summary_of(self.function)

    @property
    def public_name(self) -> str:
        """The name under which `kerascam.metrics` offers it."""
        return self.name

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """What the function is handed: the names of its positional parameters."""
        return needs_of(self.function)

    @cached_property
    def options(self) -> dict[str, Any]:
        """The user's options and their defaults: the function's keyword-only parameters."""
        return options_of(self.function)

    def failing(self, supplied: Callable[[str], Any]) -> list[str]:
        """Say of each image which requirement it fails; "" if none.

        Args:
            supplied: From a name to what is handed under it.
        """
        holds = [
            (summary_of(check), check(*map(supplied, needs_of(check)))) for check in self.requires
        ]
        if not holds:
            return [""] * len(supplied("images" if "images" in self.needs else "heatmaps"))
        return [
            next((why for why, fine in holds if not fine[place]), "")
            for place in range(len(holds[0][1]))
        ]

    def reasons(self, figures: Figures, supplied: Callable[[str], Any]) -> list[str]:
        """Say of each image why its figure is not defined; "" where it is.

        Args:
            figures: Shape (batch,): what the function returned.
            supplied: From a name to what is handed under it.
        """
        return [
            "" if np.isfinite(figure) else why or _NOT_FINITE
            for figure, why in zip(figures, self.failing(supplied), strict=True)
        ]


_NOT_FINITE = (
    "what the model returned is not finite or does not vary, it returns no probability of the "
    "class, or the map of a changed image is empty"
)


class Metrics(Table[Metric]):
    """The table of metrics; see `kerascam.table.Table`."""

    def register(self, **facts: Any) -> Callable[[F], F]:
        """Enter the decorated function under its own name, and return it unchanged.

        Args:
            **facts: The fields of `Metric`, less `name` and `function`.

        Raises:
            TypeError: If the function has a positional parameter that nothing supplies.
            ValueError: If a function of that name is registered already.
        """

        def add(function: F) -> F:
            check_supplied("metric", function, SUPPLIES)
            self.enter(Metric(name=function.__name__, function=function, **facts))
            return function

        return add


METRICS = Metrics("metric")

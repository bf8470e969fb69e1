"""One table of methods, filled by decorating the function that does the work."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

from .table import Citation as Citation
from .table import Table, check_supplied, needs_of, options_of, summary_of
from .table import UnknownNameError as UnknownNameError
from .table import plain_form as plain_form

F = TypeVar("F", bound=Callable[..., Any])
ReluRule = Literal["guided", "deconvnet"]

SUPPLIES = {
    "images": "the images, (batch, *size, channels)",
    "activations": "a layer's output, (batch, *grid, features)",
    "gradients": "the score's gradient by it, of the same shape",
    "gradients_at": "a function: other images, or copies of them, to `gradients` there",
    "curvature": "the score's Hessian by a layer's output times that output, of its shape",
    "levels": "of all layers at once, a tuple of pairs: `activations`, and `enlarge` from its grid",
    "layers": "`activations` and `gradients` of all layers at once, a tuple of pairs",
    "gradient": "a function: images, or copies of them, to the score's gradient by them",
    "score": "a function: images, or copies of them, to scores, (batch,) or (copies, batch)",
    "multipliers": "a function: images and a baseline of each, to DeepLIFT's multipliers between",
    "rest": "a function: a layer's output, or copies of it, to scores; runs what follows the layer",
    "biases": "what each bias on a grid adds to the score, (batch, *grid, features), and a "
    "function that brings maps of that grid to the images' grid: a tuple of pairs",
    "bias_sum": "what all biases together add to the score, (batch,)",
    "scores": "the scores, (batch,)",
    "offset": "what they have beside a multiple of a layer's output, (batch,), such as the bias of "
    "one dense layer; None if what follows the layer is not linear",
    "attentions": "every attention matrix, a tuple of (batch, heads, queries, keys)",
    "attention_gradients": "the score's gradient by each of them",
    "enlarge": "a function: maps on the layer's grid, or copies of them, to the images' grid",
    "localization": "the heatmap of the method that the option `localizer` names, (batch, *size)",
}
_OF_EACH_LAYER = {
    "activations",
    "curvature",
    "enlarge",
    "gradients",
    "gradients_at",
    "offset",
    "rest",
}
BY_IMAGES = {"gradient", "multipliers"}  # these differentiate by the images
OF_LAYERS = {*_OF_EACH_LAYER, "layers", "levels", "localization"}


@dataclass(frozen=True)
class Method:
    """A registered function and the facts that the docs, the command line and the tests read.

    Attributes:
        name: The function's name, as in "grad_cam".
        title: The field's name for it, as in "Grad-CAM".
        class_name: The named class bound to it, as in "GradCAM".
        function: The pure function. Its positional parameters name what it is handed (see
            `SUPPLIES`), its keyword-only parameters are the user's options.
        citation: The paper; None for a construction that no paper claims.
        signed: Whether its maps can be negative (evidence against the target).
        relu_rule: The backward rule that replaces every ReLU's own, if any.
        fuse: How maps of several layers become one; None takes their mean.
        requires: A check `(activations, gradients) -> bool per image` with the condition that
            the method stands on; its docstring's first line is the error that the user reads.
        terms: From what the function is handed, of the same names, to one term per feature,
            (batch, *grid, features), whose sum over the features is the map before a ReLU; None if
            the map is no such sum.
        check: Raises if an option's value is wrong, before anything is computed.
        passes: How often it runs the model, in words, with options in braces, as in
            "1 + {samples} forward"; None if once, and once back.
        normalize: How its heatmaps are scaled if the user does not say.
        aliases: Other names that people write for it, as "IG".
    """

    name: str
    title: str
    class_name: str
    function: Callable[..., Any]
    citation: Citation | None
    signed: bool = False
    relu_rule: ReluRule | None = None
    fuse: Callable[..., Any] | None = None
    requires: Callable[..., Any] | None = None
    terms: Callable[..., Any] | None = None
    check: Callable[..., None] | None = None
    passes: str | None = None
    normalize: str = "max"
    aliases: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return summary_of(self.function)

    @property
    def public_name(self) -> str:
        """The name under which the package offers it: its class's."""
        return self.class_name

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """What the function is handed: the names of its positional parameters."""
        return needs_of(self.function)

    @cached_property
    def options(self) -> dict[str, Any]:
        """The user's options and their defaults: the function's keyword-only parameters."""
        return options_of(self.function)

    @property
    def of_layers(self) -> bool:
        """Whether it looks at layers, alone or beside the images."""
        return bool(OF_LAYERS & set(self.needs))

    @property
    def of_each_layer(self) -> bool:
        """Whether it draws one map per layer, on the layer's grid."""
        return bool(_OF_EACH_LAYER & set(self.needs))

    @property
    def asks_many_times(self) -> bool:
        """Whether it runs the model as often as an option or a layer's size says, in a loop."""
        return self.passes is not None and ("{" in self.passes or " per " in self.passes)

    @property
    def of_pixels(self) -> bool:
        """Whether each pixel has a value of its own, so that a few stand out from their like."""
        return bool(BY_IMAGES & set(self.needs))


def check_needs(function: Callable[..., Any]) -> None:
    """Raise a TypeError if a function asks for what no method is handed.

    Raises:
        TypeError: With the list of what there is.
    """
    check_supplied("method", function, SUPPLIES)
    needs = needs_of(function)
    localizer = inspect.signature(function).parameters.get("localizer")
    if "localization" in needs and (localizer is None or localizer.kind.name != "KEYWORD_ONLY"):
        raise TypeError(
            f"method {function.__name__!r} takes a localization, so it needs a keyword-only "
            f"option localizer with the name of a method as its default, as in "
            f'localizer="grad_cam"'
        )
    if "localization" in needs and set(needs) & _OF_EACH_LAYER:
        raise TypeError(
            f"method {function.__name__!r} cannot take a localization, on the image's grid, "
            f"and {min(set(needs) & _OF_EACH_LAYER)}, on a layer's; take layers for all of them"
        )


class Registry(Table[Method]):
    """The table of methods; see `Table`."""

    def register(self, **facts: Any) -> Callable[[F], F]:
        """Enter the decorated function under its own name, and return it unchanged.

        Args:
            **facts: The fields of `Method`, less `name` and `function`.

        Raises:
            TypeError: If the function has a positional parameter that nothing supplies.
            ValueError: If a function of that name is registered already.
        """

        def add(function: F) -> F:
            check_needs(function)
            self.enter(Method(name=function.__name__, function=function, **facts))
            return function

        return add


METHODS = Registry("method", filled_by=("kerascam", "methods"))

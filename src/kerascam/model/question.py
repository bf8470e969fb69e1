"""What is asked of a model."""

from dataclasses import dataclass
from typing import NamedTuple

from .._types import Target
from ..placement import Place
from ..registry import BY_IMAGES, OF_LAYERS, ReluRule
from ..resizing import Edges


class Measured(NamedTuple):
    """Where the cells of a layer look, measured.

    Attributes:
        name: The layer's path, with that of its part if it was given.
        size: The image's grid.
        edges: For each axis of the grid, what part of the image it covers; None if that is vague.
    """

    name: str
    size: tuple[int, ...]
    edges: Edges | None


class Shift(NamedTuple):
    """How far the cells of a layer look from where they are drawn, measured.

    Attributes:
        name: The layer's path, with that of its part if it was given.
        pixels: For each axis of the grid; positive towards larger coordinates.
        errors: Their standard errors over the images; NaN for one image.
        images: How many were looked at.
    """

    name: str
    pixels: tuple[float, ...]
    errors: tuple[float, ...]
    images: int


@dataclass(frozen=True)
class Question:
    """What is asked of the model, apart from its inputs.

    Attributes:
        target: Which number to explain.
        output: Which output, by name or index.
        input: Which input, by name or index.
        grid: The rows and columns of the layers' tokens, if they cannot be found.
        relu_rule: The backward rule of the ReLUs on the way to the images.
        needs: What the method is handed; see `kerascam.registry.SUPPLIES`.
        survey: Whether every layer is listed in passing.
        axes: A letter for each axis of the input, if it cannot be found; "c" is the channels.
        measured: Where layers look whose cells the graph does not place.
        place: Whether cells are drawn on their part of the image, "stretch", or where they look
            in effect, "effective".
        shifts: What was measured of the latter.
    """

    target: Target
    output: int | str | None = None
    grid: tuple[int, int] | None = None
    relu_rule: ReluRule | None = None
    needs: frozenset[str] = frozenset()
    survey: bool = False
    axes: str | None = None
    input: int | str | None = None
    measured: tuple[Measured, ...] = ()
    place: Place = "stretch"
    shifts: tuple[Shift, ...] = ()

    @property
    def differentiates_images(self) -> bool:
        """Whether the score's gradient by the images is wanted."""
        return bool(BY_IMAGES & self.needs)

    @property
    def differentiates_layers(self) -> bool:
        """Whether the score's gradient by the layers' outputs is wanted."""
        return bool({"gradients", "layers"} & self.needs)

    @property
    def stops_at_layers(self) -> bool:
        """Whether it is of images, so that a layer that is named stands for them."""
        return bool(BY_IMAGES & self.needs) and not OF_LAYERS & self.needs

    @property
    def looks_at_images(self) -> bool:
        """Whether one of the inputs must be images."""
        others = {"enlarge", "gradients_at", "images", "levels", "score"}
        return bool((BY_IMAGES | others) & self.needs)

    @property
    def looks_at_biases(self) -> bool:
        """Whether what biases add to the score is wanted."""
        return bool({"biases", "bias_sum"} & self.needs)

    @property
    def looks_at_attention(self) -> bool:
        """Whether the attention matrices are wanted."""
        return bool({"attentions", "attention_gradients"} & self.needs)

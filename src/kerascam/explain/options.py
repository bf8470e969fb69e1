"""The arguments of an explainer that depend on its method."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._types import Target
from ..arguments import check_place, check_target, conform_axes, conform_grid
from ..errors import brief
from ..fingerprints import digest
from ..model import Question
from ..placement import Place
from ..registry import METHODS, Method
from ..spelling import nearest
from ..targets import logit

# What every explainer takes, for suggestions.
_COMMON = ("target", "input", "output", "normalize", "class_names", "axes", "freeze")


def check_arguments(
    method: Method, of_layers: Mapping[str, Any], options: Mapping[str, Any]
) -> None:
    """Check the arguments that only some methods take.

    Args:
        method: The method.
        of_layers: The arguments of methods that look at layers; None for one that is not given.
        options: All other arguments, by name.

    Raises:
        TypeError: If one does not fit the method, or is unknown.
        ValueError: If the method does not take a value.
    """
    given = [name for name, value in of_layers.items() if value is not None]
    if given and not method.of_layers:
        raise TypeError(
            f"{given[0]}={brief(of_layers[given[0]])} does not go with {method.title}: it "
            f"looks at the images; leave {given[0]} out"
        )
    unknown = sorted(set(options) - set(method.options))
    if unknown:
        known = ", ".join(method.options) or "none"
        common = (*_COMMON, *(of_layers if method.of_layers else ()))
        near = nearest(unknown[0], [*method.options, *common], most=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise TypeError(f"{method.title} has no option {unknown[0]!r}; its options: {known}{hint}")
    if method.check is not None:
        method.check(**{**method.options, **options})


def needs_of(method: Method, options: Mapping[str, Any]) -> frozenset[str]:
    """Collect what the graph must supply: to the method, and to the one that localizes.

    Raises:
        ValueError: If that one draws no map on a layer's grid.
    """
    needs = set(method.needs)
    if "localization" in needs:
        localizer = METHODS[{**method.options, **options}["localizer"]]
        if not localizer.of_each_layer or localizer.relu_rule is not None:
            raise ValueError(
                f"localizer must be a method that draws its map on a layer's grid, such as "
                f"'grad_cam', not {localizer.name!r}"
            )
        needs |= set(localizer.needs)
    return frozenset(needs)


def array_notes(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the arrays among the options by their hashes, so that a result says what it is of.

    A hash is that of the array's bytes: `hashlib.sha256(array.tobytes()).hexdigest()`.
    """
    notes = []
    for name, value in options.items():
        array = np.asarray(value)
        if array.ndim and array.dtype.kind in "biuf":
            shape = "×".join(map(str, array.shape))
            notes.append(f"{name}: {shape} values of {array.dtype}, SHA-256 {digest(array)}")
    return tuple(notes)


def question_of(
    method: Method,
    options: Mapping[str, Any],
    target: Target | None,
    *,
    output: int | str | None,
    input: int | str | None,
    grid: tuple[int, int] | None,
    axes: str | None,
    place: Place,
) -> Question:
    """Check what is asked of the model, and put it together.

    Args:
        method: The method.
        options: The options that are given.
        target: Which number to explain; None is the class's logit.
        output: Which output.
        input: Which input.
        grid: The rows and columns of tokens.
        axes: A letter for each axis of the input.
        place: Where the cells of a layer are drawn.

    Raises:
        TypeError: If one is of the wrong type.
        ValueError: If a value is unknown.
    """
    if target is not None:
        check_target(target)
    check_place(place)
    return Question(
        logit if target is None else target,
        output,
        conform_grid(grid),
        method.relu_rule,
        needs_of(method, options),
        axes=conform_axes(axes),
        input=input,
        place=place,
    )


def as_list(layer: Any) -> list[Any]:
    """Return the layers that are named, one or several.

    Raises:
        ValueError: If there is none.
    """
    layers = list(layer) if isinstance(layer, (list, tuple)) else [layer]
    if not layers:
        raise ValueError("layer must name at least one layer; received an empty list")
    return layers

"""Hand a method what its parameters are named."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from keras import ops

from .. import maps as _maps
from .._types import Heatmaps, LayerMaps, Maps, Outputs
from ..estimates import Estimate, as_estimate
from ..model import Biases, Form, Trace
from ..registry import METHODS, Method
from ..resizing import Edges
from ..table import needs_of

_BY_VIEW = {"activations", "curvature", "gradients"}
_OF_SUMS = {"offset", "scores"}


def estimates(
    trace: Trace, method: Method, options: Mapping[str, Any], size: Any
) -> list[Estimate]:
    """Hand the method what its parameters are named: for each layer in turn, or once."""
    supply = _supply(trace, size)

    def of_each_layer(method: Method, options: Mapping[str, Any]) -> list[Estimate]:
        return [
            _asked(method, layer, form.views, options)
            for layer, form in zip(supply, trace.forms, strict=True)
        ]

    if method.of_each_layer:
        return of_each_layer(method, options)
    once = supply[0] if supply else _whole(trace)
    if trace.biases is not None:
        once = {**once, **_biases(trace, trace.biases, size)}
    if "localization" in method.needs:
        localizer = METHODS[{**method.options, **options}["localizer"]]
        cams = [each.maps for each in of_each_layer(localizer, {})]
        once = {**once, "localization": _localization(cams, trace, size)}
    return [as_estimate(method.function(**_handed(method, once), **options))]


def _asked(
    method: Method, supply: Mapping[str, Any], views: int, options: Mapping[str, Any]
) -> Estimate:
    """Ask a method about one layer; if that sees parts of the images by themselves, about each.

    A method that replaces images or the layer's output does so with all parts at once.
    """
    handed = _handed(method, supply)
    if not views or not (_BY_VIEW | _OF_SUMS).issuperset(method.needs):
        return as_estimate(method.function(**handed, **options))
    # A sum over all views is not one of each.
    apart = {
        name: None if name in _OF_SUMS else by_view(value, views) for name, value in handed.items()
    }
    seen = ops.shape(supply["activations"])[: views + 1]

    def put_together(maps: Any) -> Any:
        return None if maps is None else ops.reshape(maps, (*seen, *ops.shape(maps)[1:]))

    found = as_estimate(method.function(**apart, **options))
    return Estimate(put_together(found.maps), put_together(found.standard_errors))


def relevances(trace: Trace, method: Method, size: Any) -> list[Any] | None:
    """Say what each feature of each layer adds to the map: the mean of its term over the grid.

    Args:
        trace: What was found in the model.
        method: The method.
        size: The lengths of the images' axes.

    Returns:
        One of shape (batch, features) per layer; None if the method's map is no sum over features.
    """
    if method.terms is None:
        return None
    made = []
    for layer, form in zip(_supply(trace, size), trace.forms, strict=True):
        handed = {name: layer[name] for name in needs_of(method.terms)}
        if form.views:
            handed = {name: by_view(value, form.views) for name, value in handed.items()}
        terms = method.terms(**handed)
        batch, features = ops.shape(layer["activations"])[0], terms.shape[-1]
        made.append(ops.mean(ops.reshape(terms, (batch, -1, features)), 1))
    return made


def by_view(tensor: Outputs, views: int) -> Outputs:
    """Join the batch axis and the axes of views: (batch, *views, ...) to (batch · views, ...)."""
    return ops.reshape(tensor, (-1, *ops.shape(tensor)[views + 1 :]))


def _handed(method: Method, supply: Mapping[str, Any]) -> dict[str, Any]:
    return {name: supply[name] for name in method.needs}


def _whole(trace: Trace) -> dict[str, Any]:
    """Collect what a method is handed whatever the layer."""
    return {
        "images": trace.images,
        "gradient": trace.gradient,
        "score": trace.score,
        "multipliers": trace.multipliers,
        "scores": trace.scores,
        "attentions": trace.attentions,
        "attention_gradients": trace.attention_gradients,
        "layers": tuple(zip(trace.activations, trace.gradients, strict=False)),
    }


def _supply(trace: Trace, size: Any) -> list[dict[str, Any]]:
    """Collect what a method is handed for each layer."""
    whole, nothing = _whole(trace), [None] * len(trace.activations)
    enlarge = [partial(_enlarged, trace, size, place) for place in range(len(trace.forms))]
    levels = tuple(zip(trace.activations, enlarge, strict=True))
    of_each = {
        "activations": trace.activations,
        "gradients": trace.gradients or nothing,
        "curvature": trace.curvatures or nothing,
        "offset": trace.offsets,
        "rest": trace.rests,
        "gradients_at": trace.gradients_at,
        "enlarge": enlarge,
    }
    return [
        {**whole, "levels": levels, **dict(zip(of_each, values, strict=True))}
        for values in zip(*of_each.values(), strict=True)
    ]


class Placed(NamedTuple):
    """Where the cells of a map lie on the images.

    Attributes:
        edges: For each grid axis, where the first cell begins and how wide a cell is; None is all
            of the image.
        shifts: For each grid axis, how far the cells look from where they are drawn, in pixels.
    """

    edges: Edges
    shifts: tuple[float, ...] | None


def placed_as(form: Form | None) -> Placed | None:
    """Take from a layer's form where its cells lie."""
    return None if form is None else Placed(form.edges, form.shifts)


def on_image(maps: Maps, size: Sequence[Any], placed: Placed | None) -> Heatmaps:
    """Enlarge maps onto the images.

    Args:
        maps: Shape (batch, *grid).
        size: The lengths of the axes of the images that the grid runs along.
        placed: Where the cells lie; None if they cover all of the images.

    Returns:
        Shape (batch, *size).
    """
    maps = _maps.along(maps, len(size))
    return _maps.resize(maps, size, *(placed or ()))


def _enlarged(trace: Trace, size: Any, place: int, maps: Any) -> Any:
    """Enlarge maps onto the images, (batch, *grid) or (copies, batch, *grid)."""
    _check_along(trace, size, "what covers them")
    form, rank = trace.forms[place], len(trace.activations[place].shape)
    copies = ops.shape(maps)[: len(maps.shape) - rank + 2]
    grid = ops.shape(maps)[len(copies) :]
    heatmaps = on_image(ops.reshape(maps, (-1, *grid)), size, placed_as(form))
    return ops.reshape(heatmaps, (*copies, *ops.shape(heatmaps)[1:]))


def _check_along(trace: Trace, size: Any, what: str) -> None:
    if trace.images is None or size is None or len(size) != len(trace.images.shape) - 2:
        raise ValueError(
            f"layer {trace.forms[0].site.path!r} does not run along all axes of the images, and "
            f"{what} must: name another layer, or use a method of the images alone"
        )


def _biases(trace: Trace, biases: Biases, size: Any) -> dict[str, Any]:
    def enlarge(maps: Maps, edges: Any) -> Heatmaps:
        return _maps.resize(_maps.along(maps, len(size)), size, edges)

    pairs = zip(biases.terms, biases.edges, strict=True)
    return {
        "biases": tuple((terms, partial(enlarge, edges=edges)) for terms, edges in pairs),
        "bias_sum": biases.total,
    }


def _localization(cams: LayerMaps, trace: Trace, size: Any) -> Heatmaps:
    _check_along(trace, size, "what multiplies their gradient")
    enlarged = [
        on_image(_maps.finite_or_zero(each), size, placed_as(form))
        for each, form in zip(cams, trace.forms, strict=True)
    ]
    if len(enlarged) > 1:  # layers count alike only on one scale
        enlarged = [_maps.normalize(each) for each in enlarged]
    return _maps.mean(enlarged, [])

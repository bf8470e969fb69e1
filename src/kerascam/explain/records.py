"""An explanation in other forms: arrays by name, rows for a manifest or a table, a web page."""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..optional import pandas_for
from ..registry import Method
from .result_folder import finite_or_none, maps_by_name

_MUCH = 0.05  # of the score


class Description(NamedTuple):
    """What an explanation says of its method when it is printed and drawn.

    Attributes:
        title: As in "Grad-CAM".
        of_pixels: Whether each pixel has a value of its own, so that a few stand out.
    """

    title: str
    of_pixels: bool


def description_of(method: Method) -> Description:
    """Describe a registered method."""
    return Description(method.title, method.of_pixels)


def class_name_of(index: int, class_names: Sequence[str] | None) -> str:
    """Return the name of a class, or "class 7" without names."""
    if class_names is not None and index < len(class_names):
        return class_names[index]
    return f"class {index}"


def title_of(explanation: Any, index: int) -> str:
    """Word a heatmap's class, its probability or score, and its status if that is not "ok"."""
    probability, score = explanation.probabilities[index], explanation.scores[index]
    measure = f"score {score:.3g}" if np.isnan(probability) else f"{probability:.1%}"
    status = explanation.statuses[index]
    title = f"{explanation.class_name(index)}, {measure}"
    return title if status == "ok" else f"{title} ({status})"


def doubt_of(explanation: Any, index: int) -> str:
    """Word a map's residual if it is more than a twentieth of the score; else return ""."""
    if explanation.residual is None:
        return ""
    residual, score = explanation.residual[index], explanation.scores[index]
    if not abs(residual) > _MUCH * abs(score):
        return ""
    return f"; its sum misses {residual:.3g} of the change of the score ({score:.3g})"


def arrays_of(explanation: Any) -> dict[str, np.ndarray]:
    """Name the arrays of an explanation, for one `.npz` file."""
    kept = {
        "heatmaps": explanation.heatmaps,
        "classes": explanation.classes,
        "scores": explanation.scores,
        "probabilities": explanation.probabilities,
        **maps_by_name(explanation.maps),
    }
    for name in ("predictions", "residual"):
        if getattr(explanation, name) is not None:
            kept[name] = getattr(explanation, name)
    return kept | maps_by_name(explanation.standard_errors, "standard_errors")


def records_of(explanation: Any) -> list[dict[str, Any]]:
    """Write one record per image, of values that JSON can hold."""
    return [
        {
            "class": int(explanation.classes[index]),
            "class_name": explanation.class_name(index),
            "score": finite_or_none(explanation.scores[index]),
            "probability": finite_or_none(explanation.probabilities[index]),
            "status": explanation.statuses[index],
        }
        for index in range(len(explanation))
    ]


def table_of(explanation: Any) -> Any:
    """Return a pandas DataFrame with one row per image.

    Raises:
        ModuleNotFoundError: If pandas is not installed.
    """
    pandas = pandas_for("to_dataframe")
    count = len(explanation)
    return pandas.DataFrame(
        {
            "class": np.array(explanation.classes),
            "class_name": [explanation.class_name(index) for index in range(count)],
            "probability": np.array(explanation.probabilities),
            "score": np.array(explanation.scores),
            "status": list(explanation.statuses),
            "layer": [explanation.layer] * count,
            "method": [explanation.method] * count,
        }
    )


def html_of(plot: Callable[[], Any], title: str) -> str | None:
    """Return the figure that `plot` draws as an HTML image; None if it cannot draw one."""
    buffer = io.BytesIO()
    try:
        plot().savefig(buffer, format="png", dpi=80)
    except ValueError:  # no picture can be drawn of such inputs
        return None
    picture = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{title}" src="data:image/png;base64,{picture}">'

"""A survey as samples of FiftyOne, each with its heatmap."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..optional import package_for
from ..surveying import Survey
from .heat import WholePhotos, bounded, conform_survey


def fiftyone_samples(survey: Survey, field: str = "heatmap") -> Iterator[Any]:
    """Make a sample of FiftyOne of each photograph, for `dataset.add_samples`.

    A sample has the photograph's path, `prediction` and, if it is known, the true class as
    `ground_truth`, both a `fiftyone.Classification`, the `status` and the `score`, and the heatmap
    as `fiftyone.Heatmap`, which the App stretches over the photograph. Of a photograph that was
    cropped, what the model did not see has no heat.

    Args:
        survey: Of photographs in files; of one that was made with `fit="crop"` they must be there.
        field: The heatmap's name among the fields of a sample.

    Yields:
        The samples, in the order of the survey. They are made one by one: a data set of any size
        needs no more memory than the survey.

    Raises:
        ModuleNotFoundError: If FiftyOne is not installed.
        TypeError: If `survey` is none.
        ValueError: If it is not of photographs in files, or one of them cannot be read any more.

    Example:
        >>> import fiftyone  # doctest: +SKIP
        >>> from kerascam import read_survey
        >>> dataset = fiftyone.Dataset("survey")  # doctest: +SKIP
        >>> dataset.add_samples(fiftyone_samples(read_survey("survey")))  # doctest: +SKIP
    """
    survey = conform_survey(survey)
    fiftyone = package_for("fiftyone_samples", "fiftyone")
    return _samples(survey, WholePhotos(survey), fiftyone, field)


def _samples(survey: Survey, photos: WholePhotos, fiftyone: Any, field: str) -> Iterator[Any]:
    columns = {
        name: survey.column(name)
        for name in ("label", "class_name", "probability", "score", "status")
    }
    signed, cropped = bool(survey.manifest["signed"]), photos.cropped
    for index in range(len(survey)):
        row = {name: values[index] for name, values in columns.items()}
        heat = np.asarray(survey.heatmap(index), np.float32)
        if cropped:
            own = photos.photo(index).shape[:2]
            heat = photos.spread(heat, bounded(own, max(heat.shape)))
        known = not np.isnan(row["probability"])
        fields = {
            "prediction": fiftyone.Classification(
                label=str(row["class_name"]),
                confidence=float(row["probability"]) if known else None,
            ),
            "score": float(row["score"]),
            "status": str(row["status"]),
            field: fiftyone.Heatmap(**_map(heat, signed)),
        }
        if row["label"] is not None:
            fields["ground_truth"] = fiftyone.Classification(label=str(row["label"]))
        yield fiftyone.Sample(filepath=str(survey.path(index)), **fields)


def _map(heat: np.ndarray, signed: bool) -> dict[str, Any]:
    """Return a heatmap as bytes if it lies between 0 and 1, else as it is, with its range."""
    if not signed and heat.min() >= 0 and heat.max() <= 1:
        return {"map": np.rint(heat * 255).astype(np.uint8)}
    top = float(max(np.abs(heat).max(), 1))
    return {"map": heat, "range": [-top if signed else float(min(heat.min(), 0)), top]}

"""The summary of a survey in TensorBoard, MLflow and Weights & Biases."""

import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import conform_path, number_in
from ..errors import brief
from ..surveying import Study, Survey, draw_mean, figures_of
from ..tracking import Picture, TensorBoard, Tracker, trackers_of

_SIDE = 160  # pixels of a picture
_UNUSUAL = re.compile(r"[^\w\-. ]")  # in the name of a figure: MLflow takes none of these


def track_survey(
    survey: Survey | Study,
    trackers: str | Sequence[str] | None = None,
    *,
    log_dir: str | os.PathLike[str] | None = None,
    step: int = 0,
) -> dict[str, float]:
    """Log the summary of a survey to experiment trackers, to follow it from model to model.

    Of a survey: how many images there are and could not be read, the share that show evidence, the
    accuracy, the mean probability, and where the heat lies. Of a study also the accuracy of each
    class, the number of suspects and the largest rise of a probability by one, and a picture of the
    mean heat of each class.

    Args:
        survey: What `read_survey` or `study` returns.
        trackers: "mlflow", "wandb" or both: figures and pictures go to the run that is under way.
        log_dir: The folder that TensorBoard is shown; the run `survey` in it gets them.
        step: Their step, such as the number of the model.

    Returns:
        The figures by the names that they are logged with, such as "survey/accuracy".

    Raises:
        ModuleNotFoundError: If what is asked for is not installed.
        TypeError: If an argument is of a wrong type.
        ValueError: If there is no tracker of that name, none is asked for, or no run of Weights &
            Biases is under way.

    Example:
        >>> import keras, tempfile
        >>> from kerascam import GradCAM, explain_dataset
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     keras.utils.save_img(f"{folder}/1.png", np.full((9, 9, 3), 128), scale=False)
        ...     survey = explain_dataset(GradCAM(model), folder, f"{folder}/survey")
        ...     figures = track_survey(survey, log_dir=f"{folder}/logs")
        >>> figures["survey/images"], figures["survey/unreadable"]
        (1.0, 0.0)
    """
    if not isinstance(survey, Survey | Study):
        raise TypeError(f"survey must be what read_survey or study returns, not {brief(survey)}")
    step = number_in("step", step, 0)
    places: list[Tracker] = trackers_of(trackers, "survey/step")
    if log_dir is not None:
        places.append(TensorBoard(conform_path("log_dir", log_dir), "survey"))
    if not places:
        raise ValueError("trackers or log_dir must be given: there is no place to log to")
    found = figures_of(survey) if isinstance(survey, Survey) else _figures_of(survey)
    figures = {f"survey/{name}": figure for name, figure in found.items()}
    pictures = {} if isinstance(survey, Survey) else _pictures_of(survey)
    for place in places:
        place.open()
        try:
            place.log(step, figures, pictures)
        finally:
            place.close()
    return figures


def _figures_of(study: Study) -> dict[str, float]:
    figures = {**figures_of(study.survey), "suspects": float(len(study.suspects))}
    if study.suspects:
        figures["largest_gain"] = max(each.effect.gain for each in study.suspects)
    for look in study.classes:
        if not np.isnan(look.accuracy):
            figures[f"accuracy/{_named(look)}"] = look.accuracy
    return figures


def _pictures_of(study: Study) -> dict[str, Picture]:
    return {
        f"survey/heat/{_named(look)}": Picture(
            draw_mean(look.mean_map, _SIDE), f"{look.name}: mean heat of {len(look.images)} images"
        )
        for look in study.classes
    }


def _named(look: Any) -> str:
    """Name a class as every tracker can."""
    return _UNUSUAL.sub("_", look.name)

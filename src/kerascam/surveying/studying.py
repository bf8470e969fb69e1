"""`kerascam.study`: what a model looks at in a data set, and where it is fooled."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import conform_path, number_in
from ..errors import brief
from ..explain import Explainer, Progress, conform_progress, silent
from ..model import Preprocess, fingerprint_of, preprocessing_of
from ..optional import package_for
from .heat import shares_of
from .looks import ClassLook, looks_of
from .saving import write_study
from .survey import Survey
from .suspects import Suspect, suspects_of
from .trials import Trials, peaks_of


@dataclass(frozen=True)
class Study:
    """What a model looks at in the images of a survey.

    Attributes:
        survey: The survey.
        classes: Each class that has images, in order: its `index`, `name`, `images` (their places
            in the survey), `accuracy`, `mean_map`, `heat`, `typical` and `odd` images and
            `clusters`, each with `by`, `images`, `share`, `accuracy`, `mean_map` and `heat`.
        suspects: What it may be fooled by, the surest first: the `kind` of cue ("place", "border",
            "object" or "tint"), the class's `index` and `name`, the `images` that have it, their
            `share`, the `centre` of a place, the `effect` on the probability and a `sentence`.
        notes: What was not looked at, and why.

    Example:
        >>> import keras, numpy as np, tempfile
        >>> from kerascam import GradCAM, explain_dataset, study
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     keras.utils.save_img(f"{folder}/a.png", np.ones((9, 9, 3)))
        ...     survey = explain_dataset(GradCAM(model), folder, f"{folder}/survey")
        ...     print(study(survey, GradCAM(model)))
        Study of 1 image: 0 suspects
    """

    survey: Survey
    classes: tuple[ClassLook, ...]
    suspects: tuple[Suspect, ...]
    notes: tuple[str, ...]

    def save(self, folder: str | Path | None = None, *, title: str = "Survey") -> Path:
        """Write the study: one web page, and the same as JSON.

        `survey.html` needs no network and no other file: key figures, suspects with their images,
        classes with typical and odd images and clusters, and a table to sort and filter.
        `study.json` has the classes, clusters and suspects by the images' names.

        Args:
            folder: Made if it is missing; None is the survey's own.
            title: The page's title.

        Returns:
            The page's path.

        Raises:
            ValueError: If a file would be replaced that kerascam did not write, before any is.
        """
        place = self.survey.folder if folder is None else Path(conform_path("folder", folder))
        return write_study(self, place, title)

    def __repr__(self) -> str:
        images, suspects = (
            f"{count} {name}{'' if count == 1 else 's'}"
            for count, name in ((len(self.survey), "image"), (len(self.suspects), "suspect"))
        )
        lines = [f"Study of {images}: {suspects}"]
        return "\n".join([*lines, *(f"  {each.sentence}" for each in self.suspects)])


def study(
    survey: Survey,
    explainer: Explainer | None = None,
    *,
    preprocess: Preprocess | None = None,
    pairs: int = 64,
    seed: int = 0,
    progress: Progress | bool | None = None,
) -> Study:
    r"""Say what a model looks at in a data set, class by class, and name what it may be fooled by.

    Each class's images are put into clusters by what the model decides by: spectral relevance
    analysis of the relevance of the layer's features, which does not change with an object's place,
    and of the maps. A cluster suggests cues: what stands at the place where its heat is, what runs
    along the borders, a thing where each image's own heat is greatest, the colours of the whole.

    A cue is tried, not guessed: it is taken over from images of the cluster into images of *other*
    classes. If the probability of the cluster's class rises there, and does not if the same part is
    taken from the class's other images, the model follows something that only these images have.
    That is named as a suspect, with by how much the probability rises, and the 99.9 % interval of
    the difference. Whether it belongs to the class, a person decides.

    Args:
        survey: Of photographs in files that are still there.
        explainer: Of the survey's model. None: cues are not tried, and nothing is suspected.
        preprocess: From photographs to what the model takes, if the survey was made with a
            function.
        pairs: How many images each cue is tried on.
        seed: Of clusters, and of the images that are drawn.
        progress: A function that is called with how many classes are done and how many there are;
            True shows a bar, None one that appears after two seconds on a terminal or in a
            notebook, False none.

    Returns:
        Classes with typical and odd images and clusters, and the suspects.

    Raises:
        ModuleNotFoundError: If scikit-learn is not installed: it comes with the extra `survey`.
        TypeError: If an argument is of a wrong type.
        ValueError: If the explainer is of another model, or the survey is not of maps of two axes.

    Example:
        >>> import keras, numpy as np, tempfile
        >>> from kerascam import GradCAM, explain_dataset
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in "ab":
        ...         keras.utils.save_img(f"{folder}/{name}.png", np.ones((9, 9, 3)))
        ...     survey = explain_dataset(GradCAM(model), folder, f"{folder}/survey")
        ...     found = study(survey, GradCAM(model))
        >>> len(found.classes), found.suspects
        (1, ())
    """
    package_for("study", "sklearn", "pyarrow scikit-learn")
    if not isinstance(survey, Survey):
        raise TypeError(f"survey must be what read_survey returns, not {brief(survey)}")
    show = conform_progress(progress, "class") or silent
    pairs = number_in("pairs", pairs, 2)
    if any(len(grid) != 2 for grid in survey.manifest["grids"][:1]):
        raise ValueError("survey must be of maps of two axes, height and width")
    maps = survey.maps()
    shares = np.nan_to_num(shares_of(maps))
    looks = looks_of(survey, shares, seed)
    notes = []
    suspects: tuple[Suspect, ...] = ()
    if explainer is None:
        notes.append("no explainer was given: cues were not tried")
    elif survey.path(0) is None:
        notes.append("the survey is not of files: cues were not tried")
    elif not survey.column("probability").astype(float).max() <= 1:
        notes.append("the model returns no probabilities: cues were not tried")
    else:
        settings: Mapping[str, Any] = survey.manifest["settings"]
        _check_model(explainer, settings)
        prepare = preprocess or _preprocessing(settings["reading"]["preprocess"])
        trials = Trials(survey, explainer, prepare, peaks_of(maps), pairs, seed)
        suspects = suspects_of(looks, shares, trials, show)
    return Study(survey, looks, suspects, tuple(notes))


def _check_model(explainer: Explainer, settings: Mapping[str, Any]) -> None:
    if fingerprint_of(explainer.model) != settings["model"]:
        raise ValueError(
            f"explainer must be of the survey's model; {explainer.model.name!r} has other weights "
            f"or another configuration"
        )


def _preprocessing(described: Any) -> Preprocess:
    if not isinstance(described, str):
        raise ValueError(
            "preprocess must be given: the survey was made with a function of the user's own"
        )
    return preprocessing_of(described)

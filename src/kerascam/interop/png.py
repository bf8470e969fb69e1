"""The heatmaps of a survey as a folder of grey pictures."""

import os
from pathlib import Path

import numpy as np

from ..arguments import conform_path, number_in
from ..files import check_folder
from ..marks import check_free
from ..pictures import write_png
from ..surveying import Survey
from .heat import WholePhotos, bounded, conform_survey


def write_heatmaps(
    survey: Survey, folder: str | os.PathLike[str], *, side: int | None = 512
) -> int:
    """Write each heatmap as a grey PNG file, under its photograph's name with ".png" after it.

    Black is no heat and white the strongest; of methods whose maps have a sign, black is the
    strongest against the class, and middle grey no heat. A picture has its photograph's
    proportions, and what was cropped away before the model has no heat. Of a survey of a data set,
    a picture has the size of the images.

    Args:
        survey: The survey; its photographs must still be there.
        folder: Made if it is missing, with the folders within. Files that kerascam did not write
            are never replaced.
        side: Pixels of a picture's longer side, at most; None for the photograph's own size.

    Returns:
        How many were written.

    Raises:
        TypeError: If an argument is of a wrong type.
        ValueError: If a file would be replaced that kerascam did not write, before any is; or a
            photograph cannot be read any more.

    Example:
        >>> import keras, tempfile
        >>> from kerascam import GradCAM, explain_dataset
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> with tempfile.TemporaryDirectory() as place:
        ...     keras.utils.save_img(f"{place}/1.jpg", np.full((6, 9, 3), 128), scale=False)
        ...     survey = explain_dataset(GradCAM(model), place, f"{place}/survey")
        ...     count = write_heatmaps(survey, f"{place}/heatmaps")
        ...     count, [path.name for path in Path(place, "heatmaps").iterdir()]
        (1, ['1.jpg.png'])
    """
    survey = conform_survey(survey)
    root = Path(conform_path("folder", folder))
    side = None if side is None else number_in("side", side, 1)
    check_folder(root, "folder")
    paths = [_within(root, str(key)) for key in survey.column("key")]
    if len(set(paths)) < len(paths):
        raise ValueError("survey holds two photographs that would get the same name below folder")
    for path in paths:
        check_free(path, "folder")
    photos = None if survey.path(0) is None else WholePhotos(survey)
    for index, path in enumerate(paths):
        heat = np.asarray(survey.heatmap(index), np.float32)
        if photos is not None:
            own = photos.photo(index).shape[:2]
            heat = photos.spread(heat, own if side is None else bounded(own, side))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, grey(heat, bool(survey.manifest["signed"])))
    return len(paths)


def grey(heat: np.ndarray, signed: bool) -> np.ndarray:
    """Return a heatmap as grey values, relative to its strongest.

    Example:
        >>> grey(np.array([[0.0, 0.5, 1.0]]), False).tolist()
        [[0, 128, 255]]
        >>> grey(np.array([[-2.0, 0.0, 1.0]]), True).tolist()
        [[0, 128, 191]]
    """
    top = np.abs(heat).max()
    share = heat / (top if top > 0 else 1)
    return np.rint(255 * ((share + 1) / 2 if signed else share.clip(0))).astype(np.uint8)


def _within(root: Path, key: str) -> Path:
    """Return the path of a key below a folder; keys of files elsewhere stay below it too."""
    path = Path(key)
    parts = [part for part in path.parts if part not in ("..", path.anchor)]
    return root.joinpath(*parts[:-1], f"{path.name}.png")

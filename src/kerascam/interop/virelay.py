"""A study as a project of ViRelAy: photographs, heatmaps and clusters to walk through."""

import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..arguments import conform_path
from ..errors import brief
from ..files import check_folder, json_bytes, write_durably
from ..surveying import Study, Survey
from .heat import WholePhotos, conform_survey

PROJECT, LABELS = "project.yaml", "label-map.json"
DATASET, ATTRIBUTION, ANALYSIS = "dataset.h5", "attribution.h5", "analysis.h5"
_AT_ONCE = 64  # heatmaps


def write_virelay(study: Study, folder: str | os.PathLike[str]) -> Path:
    """Write a study as a project of ViRelAy: `virelay project.yaml` shows it in a browser.

    `dataset.h5` has the photographs as the model saw them, `attribution.h5` the heatmaps, and
    `analysis.h5` for each class the eigenvectors of who is near whom, with the eigenvalues, by
    the relevance of features and by maps, and the clusters in them. CoRelAy reads the first two to
    make other analyses. Where the true class is not known, the label is "not known".

    ViRelAy shows a prediction for every class; a survey has the probability of the one class that
    was explained, and the others are written as 0. The files are large: seven bytes for each pixel
    that the model sees of an image of three channels.

    Args:
        study: Of photographs in files that are still there.
        folder: Made if it is missing; it must hold none of these files.

    Returns:
        The path of the project file.

    Raises:
        TypeError: If `study` is none.
        ValueError: If one of the files is there already, or the survey is not of photographs in
            files that can still be read.

    Example:
        >>> import keras, tempfile
        >>> from kerascam import GradCAM, explain_dataset, study
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> with tempfile.TemporaryDirectory() as place:
        ...     keras.utils.save_img(f"{place}/1.png", np.full((9, 9, 3), 128), scale=False)
        ...     found = study(explain_dataset(GradCAM(model), place, f"{place}/survey"))
        ...     write_virelay(found, f"{place}/project").name
        'project.yaml'
    """
    if not isinstance(study, Study):
        raise TypeError(f"study must be what kerascam.study returns, not {brief(study)}")
    survey = conform_survey(study.survey)
    photos = WholePhotos(survey)
    root = Path(conform_path("folder", folder))
    check_folder(root, "folder")
    for name in (PROJECT, LABELS, DATASET, ATTRIBUTION, ANALYSIS):
        if os.path.lexists(root / name):
            raise ValueError(f"folder {str(root)!r} holds {name}: name another, or move the file")
    root.mkdir(parents=True, exist_ok=True)
    labels = _Labels(survey)
    try:
        write_durably(root / LABELS, labels.described())
        _write_dataset(root / DATASET, survey, photos, labels)
        _write_attribution(root / ATTRIBUTION, survey, labels)
        analysed = _write_analysis(root / ANALYSIS, study)
        write_durably(root / PROJECT, _project(survey, analysed))
    except BaseException:
        for name in (LABELS, DATASET, ATTRIBUTION, ANALYSIS):
            (root / name).unlink(missing_ok=True)
        raise
    return root / PROJECT


class _Labels:
    """The classes as ViRelAy numbers and names them.

    Attributes:
        names: By class index.
        true: The true class of each image; one more than the last class if it is not known.
    """

    def __init__(self, survey: Survey) -> None:
        known = survey.column("label_class").astype(np.float64)
        classes, names = survey.column("class"), survey.column("class_name")
        count = int(max(classes.max(), np.nan_to_num(known).max())) + 1
        said = dict(zip(classes.tolist(), map(str, names), strict=True))
        self.names = list(survey.class_names or (said.get(n, f"class {n}") for n in range(count)))
        self.true = np.where(np.isnan(known), len(self.names), np.nan_to_num(known)).astype(
            np.uint16
        )

    def described(self) -> bytes:
        """Return the label map."""
        listed = [
            {"index": index, "word_net_id": _category(index), "name": name}
            for index, name in enumerate([*self.names, "not known"])
        ]
        return json.dumps(listed, indent=2).encode()


def _category(index: int) -> str:
    """Name a class as an identifier, by which ViRelAy finds its label."""
    return f"{index:05d}"


def _write_dataset(path: Path, survey: Survey, photos: WholePhotos, labels: _Labels) -> None:
    with h5py.File(path, "w") as file:
        shape = (len(survey), *photos.fitted(0).shape)
        data = file.create_dataset("data", shape, np.uint8)
        for index in range(len(survey)):
            data[index] = photos.fitted(index)
        file["label"] = labels.true


def _write_attribution(path: Path, survey: Survey, labels: _Labels) -> None:
    count = len(survey)
    predictions = np.zeros((count, len(labels.names)), np.float32)
    predictions[np.arange(count), survey.column("class")] = survey.column("probability")
    with h5py.File(path, "w") as file:
        shape = (count, 1, *survey.manifest["size"])
        heat = file.create_dataset("attribution", shape, np.float32)
        for start in range(0, count, _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, count))
            heat[some.start : some.stop, 0] = survey.heatmaps(some)
        file["index"] = np.arange(count, dtype=np.uint32)
        file["label"] = labels.true
        file["prediction"] = np.nan_to_num(predictions)


def _write_analysis(path: Path, study: Study) -> bool:
    """Write the classes that have enough images for clusters; whether there is any."""
    looks = [
        look for look in study.classes if all(len(each.values) for each in look.spectra.values())
    ]
    if not looks:
        return False
    with h5py.File(path, "w") as file:
        for look in looks:
            group = file.create_group(_category(look.index))
            group["index"] = look.images.astype(np.uint32)
            for by, spectrum in look.spectra.items():
                vectors = spectrum.vectors[spectrum.nearest].astype(np.float32)
                group[f"embedding/{by}"] = vectors
                group[f"embedding/{by}"].attrs["eigenvalue"] = spectrum.values.astype(np.float32)
                group[f"cluster/{by}"] = spectrum.clusters().astype(np.int32)
    return True


def _project(survey: Survey, analysed: bool) -> bytes:
    height, width = survey.manifest["size"]
    project: dict[str, Any] = {
        "name": f"{survey.manifest['title']} of {survey.manifest['model_name']}",
        "model": survey.manifest["model_name"],
        "label_map": LABELS,
        "dataset": {
            "name": survey.folder.name,
            "type": "hdf5",
            "path": DATASET,
            "input_width": width,
            "input_height": height,
            "down_sampling_method": "none",
            "up_sampling_method": "none",
        },
        "attributions": {
            "attribution_method": survey.manifest["title"],
            "attribution_strategy": "predicted_label",
            "sources": [ATTRIBUTION],
        },
    }
    if analysed:
        project["analyses"] = [{"analysis_method": "Spectral", "sources": [ANALYSIS]}]
    return json_bytes({"project": project})  # JSON is YAML

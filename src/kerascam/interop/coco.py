"""Where the heat of a survey is above a threshold, as masks in the form of COCO."""

from typing import Any

import numpy as np
from jaxtyping import Bool

from ..arguments import check_flag, real_number
from ..optional import package_for
from ..surveying import Survey
from .heat import WholePhotos, conform_survey


def coco_masks(
    survey: Survey, threshold: float = 0.5, *, compressed: bool = False
) -> dict[str, Any]:
    """Return the parts of photographs with the most heat, as a COCO annotation file holds them.

    Each photograph has one annotation of the class that was explained, where its heat is at least
    `threshold` times its strongest; a photograph without any heat has none. A mask is run-length
    encoded, column by column. Photographs are read again for their sizes, turned upright as for the
    model. Category ids are the class indices, and image ids are the positions in the survey.

    Args:
        survey: Of photographs in files that are still there.
        threshold: A share of each photograph's strongest heat, above 0 and at most 1.
        compressed: Whether masks are written as COCO's own tools write them, as text; this needs
            pycocotools. They read lists of counts too.

    Returns:
        `images`, `annotations` and `categories`, as JSON can hold them. Annotations have the
        probability as `score`.

    Raises:
        ModuleNotFoundError: If `compressed` is True and pycocotools is not installed.
        TypeError: If an argument is of a wrong type.
        ValueError: If a value does not fit, the survey is not of photographs in files, or one of
            them cannot be read any more.

    Example:
        >>> import keras, tempfile
        >>> from kerascam import GradCAM, explain_dataset
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     keras.utils.save_img(f"{folder}/1.png", np.full((6, 9, 3), 128), scale=False)
        ...     found = coco_masks(explain_dataset(GradCAM(model), folder, f"{folder}/survey"))
        >>> found["images"]
        [{'id': 0, 'file_name': '1.png', 'height': 6, 'width': 9}]
    """
    survey = conform_survey(survey)
    threshold = real_number("threshold", threshold)
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, got {threshold}")
    check_flag("compressed", compressed)
    tools = (
        package_for("compressed=True", "pycocotools.mask", "pycocotools") if compressed else None
    )
    photos = WholePhotos(survey)
    positions, keys = survey.column("position"), survey.column("key")
    classes, names = survey.column("class"), survey.column("class_name")
    scores = survey.column("probability").astype(float)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index in range(len(survey)):
        height, width = photos.photo(index).shape[:2]
        place = int(positions[index])
        images.append(
            {"id": place, "file_name": str(keys[index]), "height": height, "width": width}
        )
        heat = photos.spread(survey.heatmap(index), (height, width))
        strongest = heat.max()
        if not strongest > 0:
            continue
        mask = heat >= threshold * strongest
        segmentation: dict[str, Any] = {"size": [height, width], "counts": run_lengths(mask)}
        if tools is not None:
            packed = tools.frPyObjects(segmentation, height, width)
            segmentation["counts"] = packed["counts"].decode("ascii")
        annotations.append(
            {
                "id": len(annotations) + 1,
                "image_id": place,
                "category_id": int(classes[index]),
                "segmentation": segmentation,
                "area": int(mask.sum()),
                "bbox": _box(mask),
                "iscrowd": 0,
                "score": None if np.isnan(scores[index]) else float(scores[index]),
            }
        )
    known = survey.class_names
    listed = enumerate(known) if known else sorted(set(zip(classes, names, strict=True)))
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": int(number), "name": str(name)} for number, name in listed],
    }


def run_lengths(mask: Bool[np.ndarray, "height width"]) -> list[int]:
    """Encode a mask by the lengths of its runs, column by column, the first of them outside.

    Example:
        >>> run_lengths(np.array([[False, True], [True, True]]))
        [1, 3]
        >>> run_lengths(np.array([[True, False]]))
        [0, 1, 1]
    """
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    first = [0, 0] if flat[0] else [0]
    return np.diff([*first, *changes.tolist(), flat.size]).tolist()


def _box(mask: np.ndarray) -> list[int]:
    """Return left, top, width and height of what is inside."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = int(rows[0]), int(columns[0])
    return [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]

"""Real photographs that installed packages ship, explained: no download, and no drawing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from kerascam import Explainer, GradCAM, GradCAMPlusPlus, GuidedGradCAM
from scene_classification.data.batches import resize
from scene_classification.evaluation.prediction import image_side
from scene_classification.explanation.gallery import lay_over
from scene_classification.explanation.pictures import Panel, draw_panels
from scene_classification.networks.which import OWN, named
from scene_classification.pictures.numbers import percent
from scene_classification.pictures.saving import save
from scene_classification.run_folder import RunFolder

METHODS: tuple[type[Explainer], ...] = (GradCAM, GradCAMPlusPlus, GuidedGradCAM)
HEADING = "Two photographs, and the evidence for the answers of {}"
PANEL = 2.2  # inches


def shipped_photographs() -> dict[str, NDArray[np.uint8]]:
    """Read the two photographs that scikit-learn ships, both under CC BY 2.0.

    They are `china.jpg` by danielbuechele, a temple in a park, and `flower.jpg` by vultilion, a
    dahlia. The second shows none of the six scenes: it tells what the network does with a picture
    that it has no word for.

    Returns:
        RGB 0–255 by file name, each shaped (427, 640, 3).

    Raises:
        FileNotFoundError: If the installed scikit-learn does not ship them.
    """
    folder = files("sklearn.datasets.images")
    return {
        name: _decode(folder.joinpath(name).read_bytes()) for name in ("china.jpg", "flower.jpg")
    }


def explain_photographs(
    model: keras.Model,
    classes: Sequence[str],
    run: RunFolder,
    *,
    network: str = OWN,
    progress: Callable[[int], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Explain a network's answers for the shipped photographs.

    The network sees each photograph resized to its square input, as training images are; the maps
    are drawn over the photograph as it was. Writes `pictures/photographs.png`.

    Args:
        model: A trained classifier, with a fixed square input of RGB 0–255.
        classes: Names in order of class index.
        run: Where the picture is kept.
        network: Its name in the picture and in what is returned, as `networks.which.network_of`
            returns it.
        progress: Called with 1 after each of `METHODS`.

    Returns:
        By file name, ready for JSON: the `"network"` that answered, its answer's `"class"` and
        `"probability"`, and the `"layer"` that the class activation maps are drawn from.
    """
    photos = shipped_photographs()
    inputs = np.stack([resize(photo, image_side(model)) for photo in photos.values()])
    columns: dict[str, list[NDArray[np.uint8]]] = {"Photo": list(photos.values())}
    answers: dict[str, dict[str, Any]] = {}
    for method in METHODS:
        explainer = method(model, class_names=classes)
        explanation = explainer(inputs)
        columns[explainer.method.title] = [
            lay_over(explanation[number], photo[None])[0]
            for number, photo in enumerate(photos.values())
        ]
        for number, name in enumerate(photos):
            answers.setdefault(
                name,
                {
                    "network": network,
                    "class": explanation.class_name(number),
                    "probability": float(explanation.probabilities[number]),
                    "layer": explanation.layer,
                },
            )
        if progress is not None:
            progress(1)
    rows = [
        [Panel(column[number], title if number == 0 else "") for title, column in columns.items()]
        for number in range(len(photos))
    ]
    captions = [
        f"{name}\n{one['class']}\n{percent(one['probability'])}" for name, one in answers.items()
    ]
    heading = HEADING.format(named(network))
    save(
        draw_panels(rows, heading, captions, panel=PANEL, guided=True),
        run.pictures / "photographs.png",
    )
    return answers


def _decode(data: bytes) -> NDArray[np.uint8]:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))

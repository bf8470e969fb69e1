"""The test images that are shown, with the maps laid over them and the answers beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kerascam import Explainer, Explanation
from scene_classification.data.batches import decode_images
from scene_classification.data.folder import Scenes
from scene_classification.explanation.images import Answers, read_mask
from scene_classification.explanation.pictures import Panel, draw_panels
from scene_classification.pictures.numbers import percent

PIXEL_ALPHA = 0.95  # a map of single pixels drowns in a photo that shines through
HEADING = "Evidence for {}, in test images picked by lot, correctly answered where there are any"
A_ROW = 2  # mistakes beside each other


class Shown(NamedTuple):
    """Some test images with what the network answered.

    Attributes:
        names: The path of each, relative to the data set's folder.
        photos: RGB 0–255, shaped (images, side, side, 3).
        masks: The mask of each image's evidence, shaped (side, side); None if an image has none.
        labels: The true class index of each.
        probabilities: Shaped (images, classes).
    """

    names: tuple[str, ...]
    photos: NDArray[np.uint8]
    masks: tuple[NDArray[np.bool_] | None, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.floating]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each image."""
        return self.probabilities.argmax(axis=1)

    def probability(self, number: int, label: int) -> float:
        """Return the probability of a class for one of the images."""
        return float(self.probabilities[number, label])

    def records(self, classes: Sequence[str]) -> list[dict[str, Any]]:
        """Return each image's name, true class and answer, ready for JSON."""
        return [
            {
                "image": name,
                "class": classes[label],
                "probability": self.probability(number, label),
                "predicted": classes[answer],
                "predicted_probability": self.probability(number, answer),
            }
            for number, (name, label, answer) in enumerate(
                zip(self.names, self.labels, self.predicted, strict=True)
            )
        ]


def read_shown(scenes: Scenes, answers: Answers, positions: NDArray[np.int64], side: int) -> Shown:
    """Decode the test images at `positions`, each `side` pixels high and wide."""
    split = scenes.test.take(positions)
    return Shown(
        tuple(path.relative_to(scenes.root).as_posix() for path in split.paths),
        decode_images(split, side),
        tuple(read_mask(scenes, position, side) for position in positions.tolist()),
        split.labels,
        answers.probabilities[positions],
    )


def draw_examples(
    shown: Shown,
    classes: Sequence[str],
    explanations: Sequence[Explanation],
    titles: Sequence[str],
) -> dict[str, Figure]:
    """Draw every class's images under every method, and the first of each class together.

    Args:
        shown: The images.
        classes: Names in order of class index.
        explanations: One per method, of all images and their true classes.
        titles: The methods' titles.

    Returns:
        Figures by name: `explain_<class>` for each class, and `methods`.
    """
    overlays = [lay_over(explanation, shown.photos) for explanation in explanations]
    heads = ["Image", *(title.replace(" ", "\n", 1) for title in titles)]

    guided = any(explanation.method.startswith("guided") for explanation in explanations)

    def row(number: int, headed: bool) -> list[Panel]:
        pictures = [shown.photos[number], *(each[number] for each in overlays)]
        masks = [shown.masks[number], *[None] * len(overlays)]
        names = heads if headed else [""] * len(heads)
        return [Panel(*panel) for panel in zip(pictures, names, masks, strict=True)]

    def table(numbers: list[int], heading: str) -> Figure:
        rows = [row(number, number == numbers[0]) for number in numbers]
        captions = [_caption(shown, number, classes) for number in numbers]
        return draw_panels(rows, heading, captions, guided=guided)

    of_class = {label: np.flatnonzero(shown.labels == label).tolist() for label in shown.labels}
    figures = {
        f"explain_{classes[label]}": table(numbers, HEADING.format(classes[label]))
        for label, numbers in of_class.items()
    }
    firsts = [numbers[0] for numbers in of_class.values()]
    return {
        **figures,
        "methods": table(firsts, "One image of each class, explained by each method"),
    }


def draw_mistakes(shown: Shown, classes: Sequence[str], explainer: Explainer) -> Figure:
    """Draw each image with the map of the class that was answered and that of the true one."""
    labels = shown.labels
    explained = {
        "answer": explainer(shown.photos, shown.predicted),
        "truth": explainer(shown.photos, labels),
    }
    overlays = {role: lay_over(each, shown.photos) for role, each in explained.items()}

    def panels(number: int) -> list[Panel]:
        name = "\n".join(shown.names[number].split("/")[-2:])
        maps = [
            Panel(overlays[role][number], f"{role}: {_title(explanation, number)}")
            for role, explanation in explained.items()
        ]
        return [Panel(shown.photos[number], name, shown.masks[number]), *maps]

    heading = f"The surest mistakes: {explainer.method.title} of the answer and of the true class"
    rows = [
        [
            panel
            for number in range(start, min(start + A_ROW, len(labels)))
            for panel in panels(number)
        ]
        for start in range(0, len(labels), A_ROW)
    ]
    return draw_panels(rows, heading, group=3)


def lay_over(explanation: Explanation, photos: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay the heatmaps over the photos, those on single pixels less see-through."""
    fine = explanation.layer == "images" or explanation.method == "guided_grad_cam"
    return explanation.overlay(photos, alpha=PIXEL_ALPHA if fine else None)


def _title(explanation: Explanation, number: int) -> str:
    found = "" if explanation.statuses[number] == "ok" else ", no evidence"
    name = explanation.class_name(number)
    return f"{name}\n{percent(explanation.probabilities[number])}{found}"


def _caption(shown: Shown, number: int, classes: Sequence[str]) -> str:
    label, answer = shown.labels[number], shown.predicted[number]
    caption = f"{classes[label]}\n{percent(shown.probability(number, label))}"
    if answer != label:
        caption += f"\nanswer: {classes[answer]}\n{percent(shown.probability(number, answer))}"
    return caption

"""What a server answers, joined and given meaning."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np

from ... import signatures as names
from ...explain.documentation import with_attributes
from ...explain.explanation import Explanation
from ...explain.records import Description
from ..words import is_map
from .connection import Tensors
from .errors import ServingError
from .manifest import Manifest


@dataclass(frozen=True, eq=False, repr=False)
class ServedExplanation(Explanation):
    """An explanation that a server gave; all that an `Explanation` is, and what came with it.

    `overlays` are PNG files, which the server drew by the colours and the opacity of the export;
    the method `overlay()` draws here and now, as it is told to, and gives an array of pixels.

    Attributes:
        overlays: The bytes of one PNG file per image, as large as the photographs, up to the
            export's `overlay_side`; empty where arrays were explained.
        manifest_id: Which export answered.

    Example:
        What a client gives for one file; here it is made by hand, without a server:

        >>> from kerascam.serving import ServedExplanation
        >>> served = ServedExplanation(
        ...     heatmaps=np.ones((1, 4, 4), np.float32), maps=None, classes=np.array([1]),
        ...     scores=np.array([2.0]), probabilities=np.array([0.9]), layer="last",
        ...     method="grad_cam", statuses=("ok",), class_names=("cat", "dog"),
        ...     overlays=(b"...a PNG file...",), predictions=np.array([[0.1, 0.9]]))
        >>> served.class_name(0), served.predictions[0].tolist()
        ('dog', [0.1, 0.9])
        >>> len(served.overlays)  # Path("dog.png").write_bytes(served.overlays[0])
        1
    """

    overlays: tuple[bytes, ...] = ()
    manifest_id: str = ""

    def __getitem__(self, index: int | np.integer | slice) -> "ServedExplanation":
        """Take the explanation of one image (a batch of one) or of a slice of them."""
        part = cast(ServedExplanation, super().__getitem__(index))
        kept = np.atleast_1d(np.arange(len(self))[index])
        return replace(
            part,
            overlays=tuple(self.overlays[place] for place in kept) if self.overlays else (),
        )


ServedExplanation.__doc__ = with_attributes(ServedExplanation, Explanation)


class Prediction(NamedTuple):
    """What the model says of a batch of images.

    Attributes:
        probabilities: Shape (batch, classes), for segmentation (batch, *grid, classes); None
            where the model gives none.
        classes: Shape (batch,): the predicted class of each.
        class_names: Their names, where they were given at export.
        outputs: What the model gives in place of probabilities; None if it gives those.

    Example:
        What a client gives for two images; here it is made by hand, without a server:

        >>> from kerascam.serving import Prediction
        >>> found = Prediction(
        ...     np.array([[0.1, 0.9], [0.7, 0.3]]), np.array([1, 0]), class_names=("cat", "dog"))
        >>> [found.class_names[index] for index in found.classes]
        ['dog', 'cat']
    """

    probabilities: np.ndarray | None
    classes: np.ndarray
    class_names: tuple[str, ...] | None = None
    outputs: np.ndarray | None = None


def join(answers: Sequence[Tensors], who: str) -> Tensors:
    """Put the answers to parts of a batch together.

    Raises:
        ServingError: If they are of different models.
    """
    if len(answers) == 1:
        return answers[0]
    try:
        return {name: np.concatenate([each[name] for each in answers]) for name in answers[0]}
    except (KeyError, ValueError) as error:
        raise ServingError(
            f"{who} returned answers of different forms: another version was put in its place; ask "
            f"again, or give version="
        ) from error


def prediction(answer: Tensors) -> Prediction:
    """Make a prediction of its arrays."""
    class_names = answer.get(names.CLASS_NAME)
    return Prediction(
        answer.get(names.PROBABILITIES),
        answer[names.CLASS_INDEX],
        None if class_names is None else tuple(class_names.tolist()),
        answer.get(names.OUTPUTS),
    )


def explanation(
    answer: Tensors, manifest: Manifest, images: np.ndarray | None
) -> ServedExplanation:
    """Make an explanation of its arrays.

    Args:
        answer: Checked.
        manifest: Whose id the answer has.
        images: As they were sent, if they were.
    """
    facts = manifest.facts
    described = None
    if "title" in facts and "of_pixels" in facts:
        described = Description(facts["title"], facts["of_pixels"])
    return ServedExplanation(
        heatmaps=answer[names.HEATMAP],
        maps=_maps(answer),
        classes=answer[names.CLASS_INDEX],
        scores=answer[names.SCORE],
        probabilities=answer[names.PROBABILITY],
        layer=facts["layer"],
        method=facts["method"],
        statuses=tuple(answer[names.STATUS].tolist()),
        class_names=manifest.class_names,
        notes=tuple(facts["notes"]),
        signed=facts["signed"],
        scaled=facts["scaled"],
        images=images,
        overlays=tuple(answer.get(names.OVERLAY_BYTES, ())),
        predictions=answer.get(names.PROBABILITIES, answer.get(names.OUTPUTS)),
        layers=tuple(facts.get("layers", ())),
        manifest_id=manifest.id,
        described=described,
    )


def _maps(answer: Tensors) -> Any:
    found = sorted(
        filter(is_map, answer), key=lambda name: (len(name), name)
    )  # map_2 before map_10
    maps = tuple(answer[name] for name in found)
    return None if not maps else maps[0] if len(maps) == 1 else maps

"""What stands around an explainer and calls it on several versions of the same images."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from ..given import as_batch
from ..maps import normalize
from ..statuses import LOST, NO_EVIDENCE, NOT_FINITE, OK, STATUSES
from .explainer import Explainer, check_explainer
from .explanation import Explanation
from .progress import Progress, conform_progress

Explain = Callable[[np.ndarray, Any], np.ndarray]


class AroundExplainer:
    """Call an explainer on versions of the images.

    Args:
        explainer: Any explainer of a model with one image input.

    Raises:
        TypeError: If `explainer` is none.
    """

    def __init__(self, explainer: Explainer) -> None:
        check_explainer(explainer)
        self.explainer = explainer

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.explainer!r})"

    def __call__(
        self, images: Any, classes: Any = None, *, progress: Progress | bool | None = None
    ) -> Explanation:
        """Explain a batch.

        Args:
            images: Shape (batch, height, width, channels), as for the explainer; an image alone is
                a batch of one.
            classes: As for the explainer; None explains the class that is predicted for the images
                as they are, in all their versions.
            progress: A function, called with the explainer's calls made and all that there are;
                True shows a progress bar, None one that appears after two seconds on a terminal or
                in a notebook, False none.

        Returns:
            What the explainer says of the images as they are, with other heatmaps, as raw maps too.

        Raises:
            KeyboardInterrupt: After Ctrl-C; it says how many calls were made.
            TypeError: If images are no array of numbers, or progress is neither a function nor a
                bool.
            ValueError: If the heatmaps do not lie on images with the channels last; and what the
                explainer raises.
        """
        show = conform_progress(progress, "call")
        plain = self.explainer(images, classes, progress=False)
        array = as_batch(np.asarray(images), tuple(np.shape(images))[-3:])
        if array.shape[:-1] != plain.heatmaps.shape or array.ndim != 4:
            raise ValueError(
                f"images must be of shape (batch, height, width, channels), with heatmaps on all "
                f"of them, not {array.shape} with heatmaps {plain.heatmaps.shape}"
            )
        made, calls = 0, self._calls(array)

        def explain(version: np.ndarray, wanted: Any) -> np.ndarray:
            nonlocal made
            heatmaps = self.explainer(version, wanted, progress=False).heatmaps
            made += 1
            if show is not None:
                show(made, calls)
            return heatmaps

        try:
            maps = self._joined(array, plain, explain)
        except KeyboardInterrupt as interrupt:
            raise KeyboardInterrupt(f"after {made} of {calls} calls") from interrupt
        scaled = keras.ops.convert_to_numpy(
            normalize(maps, self.explainer.programs.recipe.normalize)
        )
        note = f"{type(self).__name__}: {self._what()}"
        # What is known of the explainer's own maps does not hold for these.
        statuses = tuple(map(_status, plain.statuses, maps, scaled))
        found = replace(
            plain, heatmaps=scaled, maps=maps, statuses=statuses, notes=(*plain.notes, note)
        )
        return replace(found, standard_errors=None, residual=None)

    def _calls(self, images: np.ndarray) -> int:
        """Say how many versions or batches of versions the explainer is called on."""
        raise NotImplementedError

    def _joined(self, images: np.ndarray, plain: Explanation, explain: Explain) -> np.ndarray:
        """Join the heatmaps of all versions, (batch, height, width).

        Args:
            images: As they are.
            plain: The explanation of these.
            explain: From a version of the images, and their classes, to heatmaps.
        """
        raise NotImplementedError

    def _what(self) -> str:
        raise NotImplementedError


def _status(plain: str, joined: np.ndarray, heatmap: np.ndarray) -> str:
    """Say of a joined heatmap whether it shows evidence, and if not, why."""
    if plain == STATUSES[NOT_FINITE]:
        return plain
    if (joined > 0).any():
        return STATUSES[OK if heatmap.any() else LOST]
    return STATUSES[NO_EVIDENCE] if plain == STATUSES[OK] or joined.any() else plain


def in_parts(count: int, most: int) -> Iterator[slice]:
    """Part so many images into batches."""
    return (slice(start, start + most) for start in range(0, count, most))

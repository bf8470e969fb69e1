"""The figure of a watched training: the same pictures, explained after some of its epochs."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

PAGE = Path(__file__).parents[1] / "guide" / "callback.md"
EPOCHS = (1, 2, 4, 8)
ASKED = ("red", "green")


def callback() -> Figure:
    """Train the page's own network and show what its watch saw."""
    seen = _watched(_page())
    figure = Figure(figsize=(1.9 * len(EPOCHS), 4.4), layout="tight")
    grid = figure.subplots(len(ASKED), len(EPOCHS), squeeze=False)
    for column, epoch in enumerate(EPOCHS):
        overlays, titles = seen[epoch]
        for row in range(len(ASKED)):
            axes = grid[row, column]
            axes.set_axis_off()
            axes.imshow(overlays[row], interpolation="none")
            head = f"epoch {epoch}\n" if row == 0 else ""
            axes.set_title(head + titles[row], fontsize=9)
    return figure


class _Seen(keras.callbacks.Callback):
    """Keeps the overlays and titles of each epoch; stands behind the watch."""

    def __init__(self, watch: Any) -> None:
        super().__init__()
        self._watch = watch
        self.found: dict[int, tuple[NDArray[np.uint8], list[str]]] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep what the watch found."""
        found = self._watch.explanation
        self.found[epoch + 1] = found.overlay(), found.titles()


def _watched(page: dict[str, Any]) -> dict[int, tuple[NDArray[np.uint8], list[str]]]:
    """Train, and give the overlays and titles of each epoch, counted from 1."""
    from kerascam import ExplainCallback, GradCAM

    images, class_names = page["shown"][: len(ASKED)], list(page["COLORS"])
    with TemporaryDirectory() as folder:
        explain = GradCAM(page["model"], class_names=class_names)
        watch = ExplainCallback(images, explain, list(ASKED), folder=folder)
        seen = _Seen(watch)
        page["model"].fit(*page["training"], epochs=EPOCHS[-1], verbose=0, callbacks=[watch, seen])
    return seen.found


def _page() -> dict[str, Any]:
    """Run the page's first block as far as its network and its pictures."""
    code = PAGE.read_text(encoding="utf-8").split("```python\n", 1)[1].split("watch = ", 1)[0]
    page: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), page)
    return page

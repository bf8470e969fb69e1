"""What an evaluation returns: figures per image, and what they say of the methods."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Shaped

from .._host_types import HostClassIds
from ..arguments import conform_path
from ..metrics import METRICS
from . import tables
from .agreement import rank_correlations
from .bootstrap import Interval, drawn_means, interval
from .plotting import figure_of
from .saving import write_evaluation


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Figures of methods and baselines by metrics, on the same images.

    In a notebook it shows its table.

    Attributes:
        methods: The methods' names, in order; the baselines' follow.
        baselines: The baselines' names.
        metrics: The metrics' names.
        figures: Shape (methods and baselines, metrics, images); NaN where one is not defined.
        reasons: Of the same shape: why a figure is not defined; "" where it is.
        classes: Shape (images,): the class that all maps of an image explain.
        titles: What methods and baselines are called in tables, by name.
        options: The options of each metric, by its name.
        notes: What else is worth knowing.
        resamples: How often the images are drawn for an interval.
        seed: The seed of these draws, of the baselines and of the metrics.

    Example:
        >>> import keras
        >>> from kerascam import GradCAM, Saliency, evaluate
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="last"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> images = np.random.default_rng(0).random((3, 8, 8, 3))
        >>> evaluation = evaluate([GradCAM(model), Saliency(model)], images, metrics=["sparseness"])
        >>> evaluation.figures.shape, evaluation.mean("grad_cam", "sparseness").count
        ((6, 1, 3), 3)
    """

    methods: tuple[str, ...]
    baselines: tuple[str, ...]
    metrics: tuple[str, ...]
    figures: Float[np.ndarray, "subjects metrics images"]
    reasons: Shaped[np.ndarray, "subjects metrics images"]
    classes: HostClassIds
    titles: Mapping[str, str]
    options: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...] = ()
    resamples: int = 2000
    seed: int = 0

    @property
    def subjects(self) -> tuple[str, ...]:
        """The names of methods and then of baselines, along the first axis of `figures`."""
        return self.methods + self.baselines

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, images: Any) -> "Evaluation":
        """Return the evaluation of some of the images: a slice, indices or a mask of them."""
        chosen = np.atleast_1d(np.arange(len(self))[images])
        return replace(
            self,
            figures=self.figures[..., chosen],
            reasons=self.reasons[..., chosen],
            classes=self.classes[chosen],
        )

    def __repr__(self) -> str:
        return (
            f"Evaluation({len(self.methods)} methods, {len(self.baselines)} baselines, "
            f"{len(self.metrics)} metrics, {len(self)} images)"
        )

    def of(self, method: str, metric: str) -> Float[np.ndarray, " images"]:
        """Return one figure per image.

        Args:
            method: A method's or baseline's name.
            metric: A metric's name.

        Returns:
            Shape (images,); NaN where it is not defined.

        Raises:
            ValueError: If there is no such name.
        """
        return self.figures[self._row(method), self._column(metric)]

    def mean(self, method: str, metric: str) -> Interval:
        """Average a method's figures over the images, with the 95 % interval of the bootstrap.

        Args:
            method: A method's or baseline's name.
            metric: A metric's name.

        Returns:
            The mean, its interval, and of how many images it is.

        Raises:
            ValueError: If there is no such name.
        """
        draws = self._draws[:, self._row(method), self._column(metric)]
        return interval(self.of(method, metric), draws)

    def difference(self, method: str, other: str, metric: str) -> Interval:
        """Average by how much a method exceeds another on the same image, with its interval.

        Only images count on which both are defined. Whether more is better says the metric.

        Args:
            method: A method's or baseline's name.
            other: Another one's.
            metric: A metric's name.

        Returns:
            The mean difference, its interval, and of how many images it is.

        Raises:
            ValueError: If there is no such name.
        """
        apart = self.of(method, metric) - self.of(other, metric)
        draws = drawn_means(apart[None], self.resamples, self.seed)[:, 0]
        return interval(apart, draws)

    def best(self, metric: str) -> str | None:
        """Return the name of the method with the best mean; None if none is defined.

        Args:
            metric: A metric's name.

        Raises:
            ValueError: If there is no such name.
        """
        means = {name: self.mean(name, metric).value for name in self.methods}
        sign = 1 if METRICS[metric].higher_is_better else -1
        known = {name: sign * value for name, value in means.items() if np.isfinite(value)}
        return max(known, key=lambda name: known[name]) if known else None

    def above_baselines(self, method: str, metric: str) -> tuple[int, int]:
        """Count the baselines that a method is shown to beat, on the same images.

        Args:
            method: A method's name.
            metric: A metric's name.

        Returns:
            How many it beats, by an interval of the difference without zero, and how many there are
            for which the metric is defined.

        Raises:
            ValueError: If there is no such name.
        """
        higher = METRICS[metric].higher_is_better
        apart = [self.difference(method, name, metric) for name in self.baselines]
        known = [each for each in apart if each.count]
        return sum(each.low > 0 if higher else each.high < 0 for each in known), len(known)

    def agreement(self) -> dict[tuple[str, str], Interval]:
        """Compare the orders in which two metrics put methods and baselines: do they agree?

        Returns:
            For each pair of metrics, Spearman's rank correlation of the means, each turned so that
            more is better, with its 95 % interval over images: 1 if both put all in one order, −1
            if in opposite ones. `count` is how many methods and baselines it is of.
        """
        signs = [1 if METRICS[name].higher_is_better else -1 for name in self.metrics]
        means = np.array(
            [[self.mean(name, metric).value for metric in self.metrics] for name in self.subjects]
        )
        return rank_correlations(self.metrics, means * signs, self._draws * signs)

    def table(self, style: Literal["markdown", "rich"] = "markdown") -> Any:
        """Make a table: a row per method and baseline, a column per metric, means with intervals.

        In bold is the best method of each column, and what is not shown to be worse than it: its
        difference from it, on the same images, has an interval that holds zero.

        Args:
            style: "markdown" for text, "rich" for a `rich.table.Table`.

        Returns:
            The table.

        Raises:
            ValueError: If `style` is none of these.
        """
        return tables.table_of(self, style)

    def plot(self) -> Any:
        """Draw the means with their intervals: a panel per metric, a line per method.

        Returns:
            A matplotlib Figure.
        """
        return figure_of(self)

    def to_dataframe(self) -> Any:
        """Make a long table: a row per method, metric and image.

        Returns:
            A `pandas.DataFrame` of method, metric, image, class, figure and reason.

        Raises:
            ModuleNotFoundError: If pandas is not installed.
        """
        return tables.frame_of(self)

    def save(
        self,
        folder: str | Path,
        *,
        title: str = "Evaluation",
        pictures: Mapping[str, bytes] | None = None,
    ) -> Path:
        """Write the figures, the table, a picture and a web page.

        `evaluation.npz` holds the figures, `evaluation.json` the means with their intervals,
        `table.md` the table, `evaluation.png` the plot, and `evaluation.html`, which is written
        last, all of it on one page without other files.

        Args:
            folder: Made if it is missing; an older evaluation in it is replaced.
            title: The page's title.
            pictures: PNG files that the page shows below the figures, by their captions.

        Returns:
            The page's path.

        Raises:
            ValueError: If a file would be replaced that kerascam did not write, before any is.
        """
        place = Path(conform_path("folder", folder))
        return write_evaluation(self, place, title, pictures or {})

    @cached_property
    def _draws(self) -> Float[np.ndarray, "resamples subjects metrics"]:
        subjects, metrics, images = self.figures.shape
        flat = self.figures.reshape(subjects * metrics, images)
        drawn = drawn_means(flat, self.resamples, self.seed)
        return drawn.reshape(-1, subjects, metrics)

    def _row(self, name: str) -> int:
        return _place("method", name, self.subjects)

    def _column(self, name: str) -> int:
        return _place("metric", name, self.metrics)

    def _repr_html_(self) -> str:
        return tables.html_table(self)


def _place(argument: str, name: str, names: tuple[str, ...]) -> int:
    if name not in names:
        raise ValueError(f"{argument} must be one of {', '.join(names)}; received {name!r}")
    return names.index(name)

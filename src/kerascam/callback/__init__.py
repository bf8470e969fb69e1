"""Watch a training: the same images explained again after every few epochs."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..arguments import conform_path, number_in
from ..errors import reason
from ..evaluating import Gauge
from ..explain import Explainer, Explanation, check_explainer
from ..pictures import Style, check_style, conform_range
from ..tracking import TensorBoard, trackers_of
from .records import Page, Record, Sheets, Tracked
from .watched import Watched, watch

__all__ = ["ExplainCallback"]


class ExplainCallback(keras.callbacks.Callback):
    """Explain the same images while a model trains, for experiment trackers and as pictures.

    The explanation is traced once and sees the weights of every epoch. It reads the model and
    changes nothing: weights, optimizer, metrics and random numbers are as without it.

    What is wrong with an argument is raised before the first step. Once a training runs it is
    never stopped: what fails then (a full disk, say) is reported in one warning, which is logged
    if warnings are errors.

    Args:
        images: What to explain, as an explainer takes it: values that the model takes, shape
            (batch, height, width, channels). Validation images; the first `limit` are taken.
        explainer: Made of the model in training, such as `GradCAM(model)`, or of a part of it,
            such as the student of a distillation: its method, layer, target and class names are
            the callback's.
        classes: An index or class name, or one per image; None explains the class that is
            predicted at the time.
        every: Epochs from one explanation to the next: 5 explains epochs 5, 10, 15, ..., counted
            from 1, also in a training that goes on at `initial_epoch`.
        log_dir: The folder that TensorBoard is shown, the same as for
            `keras.callbacks.TensorBoard`, also a remote one such as "gs://bucket/logs"; the run
            `explanations` in it gets one picture per image and a scalar, the mean probability of
            the explained classes.
        folder: Where a sheet of overlays is written for each explained epoch: `epoch-0005.png`.
        photos: What to draw on, one per image, of any size (sides over 512 pixels are shrunk);
            None draws on the images, if they are not preprocessed.
        limit: Images explained at most: they go through the model as one batch.
        value_range: The values of black and of white, if the photos, or the images, have others
            than 0 to 1 or 0 to 255: (-1, 1) after many a preprocessing.
        style: The style of the overlays: "heat", "uniform" or "outline", as in `kerascam.overlay`.
        metrics: What is measured of the explanations, as `kerascam.evaluate` takes it: names, or a
            dict from names to options. Each one's mean over the images joins the epoch's logs, as
            "grad_cam/insertion": Keras's `History` has it, and callbacks that come after this one
            log it too. It costs what the metrics cost.
        masks: For metrics of masks, as `kerascam.evaluate` takes them, one per image.
        trackers: "mlflow", "wandb" or both: overlays, metrics and the mean probability go to the
            run that is under way, by the tracker's own functions.

    Attributes:
        explainer: As given; of a callback that was copied, it holds the copy of the model.
        explanation: The last epoch's `Explanation`; None before there is one.

    Raises:
        TypeError: If an argument is of the wrong type, here or when the training begins.
        ValueError: If a name or value is unknown or does not fit, here or when it begins.
        ModuleNotFoundError: If what `log_dir` or `trackers` needs is not installed.

    Example:
        >>> import keras, tempfile
        >>> import numpy as np
        >>> from pathlib import Path
        >>> from kerascam import GradCAM
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> model.compile("sgd", "sparse_categorical_crossentropy")
        >>> images, labels = np.ones((6, 8, 8, 3)), np.array([0, 1] * 3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     watch = ExplainCallback(images, GradCAM(model), labels, every=2, folder=folder)
        ...     history = model.fit(images, labels, epochs=5, verbose=0, callbacks=[watch])
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['epoch-0002.png', 'epoch-0004.png']
    """

    def __init__(
        self,
        images: Any,
        explainer: Explainer,
        classes: Any = None,
        *,
        every: int = 1,
        log_dir: str | PathLike[str] | None = None,
        folder: str | PathLike[str] | None = None,
        photos: Any = None,
        limit: int = 16,
        value_range: tuple[float, float] | None = None,
        style: Style = "heat",
        metrics: Any = None,
        masks: Any = None,
        trackers: str | Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        if log_dir is None and folder is None and trackers is None and metrics is None:
            raise ValueError(
                "log_dir, folder, trackers or metrics must be given: there is no place to write to"
            )
        _check_explainer(explainer)
        if value_range is not None:
            conform_range(value_range)
        check_style(style)
        self._every, self._limit = number_in("every", every, 1), number_in("limit", limit, 1)
        self._given = (images, classes, photos, value_range, style)
        self.explainer = explainer
        self._records: list[Record] = []
        if log_dir is not None:
            board = TensorBoard(conform_path("log_dir", log_dir), "explanations")
            self._records.append(Tracked(board))
        if folder is not None:
            self._records.append(Sheets(Path(conform_path("folder", folder))))
        self._records += map(Tracked, trackers_of(trackers, "explanations/epoch"))
        self._watched: Watched | None = None
        self._warned = False
        self.explanation: Explanation | None = None
        self._metrics, self._masks = metrics, masks
        self._gauge: Gauge | None = None
        if masks is not None and metrics is None:
            raise ValueError("masks must come with metrics that need them; metrics is None")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Rehearse: find what is wrong before the first step, and trace the explanation."""
        self._warned = False
        if self._watched is None:
            self._watched = watch(self.explainer, *self._given, limit=self._limit)
        if self._metrics is not None and self._gauge is None:
            masks = None if self._masks is None else np.asarray(self._masks)[: self._limit]
            self._gauge = Gauge(self.explainer, self._watched.images, masks, self._metrics)
        for record in self._records:
            record.open()
        if not _share_weights(self.explainer.model, self.model):
            _tell(
                f"explainer explains model {self.explainer.model.name!r}, which shares no weight "
                f"with the model in training: make the explainer of the model that is fitted, or "
                f"of a part of it, or its explanations may never change"
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Explain the images with the weights of now, when it is time."""
        if self._watched is None or (epoch + 1) % self._every:
            return
        with self._spared(epoch):
            page = Page(epoch, *self._watched.explain(), self._watched.gives_probabilities)
            self.explanation = page.explanation
            if self._gauge is not None:
                figures = self._gauge.means(page.explanation.classes)
                page = page._replace(figures=figures)
                if logs is not None:  # the dict that all callbacks are given
                    method = self.explainer.method.name
                    logs.update({f"{method}/{name}": each for name, each in figures.items()})
            for record in self._records:
                with self._spared(epoch):  # one may fail without the other
                    record.write(page)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the event file."""
        for record in self._records:
            record.close()

    @contextmanager
    def _spared(self, epoch: int) -> Iterator[None]:
        """Keep a training going, whatever fails: its hours are worth more than a picture."""
        try:
            yield
        except Exception as error:
            if not self._warned:
                self._warned = True
                _tell(
                    f"epoch {epoch + 1} is not explained, and training goes on: {reason(error)}; "
                    "further failures are not reported"
                )


def _check_explainer(explainer: Any) -> None:
    if isinstance(explainer, keras.Model):
        raise TypeError("explainer must be made of the model, such as GradCAM(model)")
    check_explainer(explainer)
    if explainer.programs.freeze:
        raise ValueError(
            "explainer must not have freeze=True, which would keep showing the first weights; "
            "leave it out during training"
        )


def _share_weights(explained: keras.Model, fitted: keras.Model) -> bool:
    """Tell whether two models have a weight in common, or one has none yet."""
    own, other = ({id(weight) for weight in model.weights} for model in (explained, fitted))
    return not own or not other or not own.isdisjoint(other)


def _tell(text: str) -> None:
    """Warn, or log if the warning itself would end the training."""
    try:
        warnings.warn(text, RuntimeWarning, stacklevel=5)
    except Exception:  # a filter makes errors of warnings, as python -W error does
        logging.getLogger(__name__).warning(text)

"""The settings of one run, kept beside its results as `config.json`."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scene_classification.files import write_text
from scene_classification.settings import Settings, setting

#: The settings that name a file or a folder.
PATHS = {"data", "model", "start", "backbone", "teacher", "second_teacher"}


@dataclass(frozen=True)
class DataConfig(Settings):
    """What a run looks at. Each field is an option of the command line, explained by `--help`."""

    source: str = setting(
        "drawn",
        "where the scenes come from: drawn here, a folder in the published layout, or Kaggle",
        ("drawn", "folder", "kaggle"),
    )
    data: str | None = setting(
        None, "the folder to read, or to draw into (default for drawn scenes: the run's own)"
    )
    drawn_train: int = setting(400, "drawn training scenes per class", least=2)
    drawn_test: int = setting(100, "drawn test scenes per class", least=1)
    image_size: int = setting(96, "height and width that the network takes, in pixels", least=32)
    seed: int = setting(0, "of everything random: drawing, splitting, weights, order, augmentation")


@dataclass(frozen=True)
class Config(DataConfig):
    """Everything that a run depends on: what it looks at, and how the network is trained."""

    model: str | None = setting(
        None, "measure this saved Keras classifier, or 'reference', instead of training one"
    )
    size: str = setting("small", "size of the residual network", ("tiny", "small", "medium"))
    projection: str = setting(
        "averaged",
        "how the residual network's projections come to a coarser grid: the mean of its cells, or "
        "one of four",
        ("averaged", "strided"),
    )
    start: str | None = setting(
        None,
        "begin with the weights of this saved network of the same size, or 'reference', in place "
        "of random ones",
    )
    backbone: str | None = setting(
        None,
        "fine-tune this network instead: 'resnet50' or a saved Keras classifier that takes RGB "
        "0–255",
    )
    head_epochs: int = setting(
        2, "with a backbone: epochs that train only the head, before all", least=0
    )
    epochs: int = setting(16, "passes over the training images", least=1)
    batch_size: int = setting(64, "images per step, over all devices", least=1)
    learning_rate: float = setting(2e-3, "the highest, behind the warm-up", least=0)
    warmup_epochs: float = setting(
        1.0, "passes over which the learning rate rises from nothing", least=0
    )
    weight_decay: float = setting(0.02, "of AdamW", least=0)
    label_smoothing: float = setting(
        0.05, "share of each label spread evenly over the classes", least=0, most=1
    )
    dropout: float = setting(
        0.0, "share of the pooled features dropped while training", least=0, most=1
    )
    augment: str = setting(
        "light", "how training images are varied", ("light", "standard", "randaugment")
    )
    mix: str = setting(
        "none", "how training images are blended", ("none", "mixup", "cutmix", "both")
    )
    average: float = setting(
        0.0, "momentum of the moving average of the weights; 0: none", least=0, most=1
    )
    validation_share: float = setting(
        0.1, "share of the training images held out, in every class", least=0, most=1
    )
    patience: int = setting(
        0, "epochs without a better validation accuracy before training stops; 0: never", least=0
    )
    teacher: str | None = setting(
        None, "learn from this saved Keras classifier of the same classes"
    )
    second_teacher: str | None = setting(None, "and from this one: the mean of what the two answer")
    teacher_weight: float = setting(
        0.9, "share of the loss that compares with the teacher", least=0, most=1
    )
    temperature: float = setting(2.0, "by which student and teacher are softened for that", least=1)
    precision: str = setting(
        "float32", "Keras's dtype policy", ("float32", "mixed_bfloat16", "mixed_float16")
    )
    strategy: str = setting(
        "single",
        "one device, several devices, or several machines (their addresses in TF_CONFIG)",
        ("single", "mirrored", "multiworker"),
    )

    @property
    def teachers(self) -> tuple[str, ...]:
        """The files of the teachers, none of them if there is none."""
        return tuple(one for one in (self.teacher, self.second_teacher) if one is not None)

    def updated(self, options: dict[str, Any]) -> Config:
        """Return the settings with `options` in place of the fields that they name."""
        return dataclasses.replace(self, **options)

    @classmethod
    def read(cls, path: Path) -> Config:
        """Read the settings that `write` wrote.

        Raises:
            ValueError: If the file is not what `write` writes.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{str(path)!r} does not hold the settings of a run: {error}"
            ) from error

    def write(self, path: Path) -> None:
        """Write the settings as JSON."""
        write_text(path, json.dumps(dataclasses.asdict(self), indent=2) + "\n")

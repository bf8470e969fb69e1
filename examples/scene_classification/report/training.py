"""How training went, in words: how long it took, why it ended, what the last epochs brought."""

from __future__ import annotations

import math

from scene_classification.config import Config
from scene_classification.pictures.numbers import percent
from scene_classification.report.numbers import listed, plural
from scene_classification.training.history import Line

#: What the stages of training train.
STAGES = {"head": "for the new head alone", "train": "for the whole network"}


def training(history: dict[str, list[Line]], config: Config | None) -> str | None:
    """Say how training went; None without an epoch.

    Args:
        history: The lines of each stage.
        config: The settings of the run, if they are known.
    """
    if not history:
        return None
    stage, lines = list(history.items())[-1]
    planned = {} if config is None else {"head": config.head_epochs, "train": config.epochs}
    patience = 0 if config is None else config.patience
    said = [
        _took(history),
        _broken(lines),
        _best(lines),
        _ending(lines, planned.get(stage), patience),
    ]
    if stage == "head":
        said.append("The whole network is still to be trained.")
    return " ".join(filter(None, said))


def curves(config: Config | None) -> str:
    """Say why the two lines of the training curves cannot be compared as they stand."""
    ways = ["on varied images"]
    if config is not None and config.mix != "none":
        ways.append("blended in pairs")
    if config is not None and config.teachers:
        ways.append("with a teacher’s answers in the loss")
    return (
        f"Training is measured {listed(ways)} while the weights still change, validation on the "
        "images as they are after each epoch: the two lines do not measure the same."
    )


def _took(history: dict[str, list[Line]]) -> str:
    times = {name: plural(len(own), "epoch") for name, own in history.items()}
    took = [f"{time} {STAGES.get(name, name)}" for name, time in times.items()]
    return f"Training took {listed(took if len(times) > 1 else list(times.values()))}."


def _broken(lines: list[Line]) -> str:
    lost = [line for line in lines if not math.isfinite(line.get("loss", math.nan))]
    if not lost:
        return ""
    return (
        f"The training loss of epoch {_number(lost[0])} is not a number: from there on, training "
        "may have broken down."
    )


def _best(lines: list[Line]) -> str:
    best = _best_line(lines)
    if best is None:
        return "No epoch has a validation accuracy, so nothing says which was the best."
    return (
        f"The best validation accuracy, {percent(best['val_accuracy'])}, came after epoch "
        f"{_number(best)} of {_number(lines[-1])}; its weights were kept."
    )


def _ending(lines: list[Line], planned: int | None, patience: int) -> str:
    best, done = _best_line(lines), _number(lines[-1])
    if best is None:
        return ""
    after = done - _number(best)
    epochs = "epoch" if after == 1 else plural(after, "epoch")
    nothing_better = f"the {epochs} after it brought nothing better"
    if planned is not None and done < planned:
        if 0 < patience <= after:
            return f"Training stopped early, at epoch {done} of {planned}: {nothing_better}."
        return f"It has not ended: {plural(planned, 'epoch')} are planned."
    if after > 0:
        return f"{nothing_better[0].upper()}{nothing_better[1:]}."
    return "As that was the last epoch, more of them might do better."


def _best_line(lines: list[Line]) -> Line | None:
    measured = [line for line in lines if math.isfinite(line.get("val_accuracy", math.nan))]
    return max(measured, key=lambda line: line["val_accuracy"], default=None)


def _number(line: Line) -> int:
    return int(line["epoch"]) + 1

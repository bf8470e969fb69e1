"""How the network of a run learns, in words: the loss, the optimizer and its schedule."""

from __future__ import annotations

from scene_classification.config import Config
from scene_classification.report.numbers import plural


def recipe(config: Config | None) -> list[str]:
    """Say what a run minimizes, how, and how fast; nothing where it trains no network.

    Example:
        >>> print(recipe(Config())[0])
        The loss is the cross-entropy −Σ y log p, with 5 % of each label spread over all classes.
    """
    if config is None or config.model is not None:
        return []
    return [_loss(config), _optimizer(config), *_average(config)]


def _loss(config: Config) -> str:
    smoothing = f"{100 * config.label_smoothing:g} %"
    spread = f", with {smoothing} of each label spread over all classes"
    loss = f"The loss is the cross-entropy −Σ y log p{spread if config.label_smoothing else ''}."
    if not config.teachers:
        return loss
    whose = "the teacher’s answers" if len(config.teachers) == 1 else "two teachers’ mean answers"
    return (
        f"{loss} It counts {1 - config.teacher_weight:.1f}; the distance from {whose}, both "
        f"softened by the temperature {config.temperature:g}, counts {config.teacher_weight:.1f}."
    )


def _optimizer(config: Config) -> str:
    first = "epoch" if config.warmup_epochs == 1 else f"{config.warmup_epochs:g} epochs"
    rise = (
        f"rises to {config.learning_rate:g} over the first {first} and"
        if config.warmup_epochs
        else f"begins at {config.learning_rate:g} and"
    )
    return (
        "The optimizer is AdamW: steps along the mean of the last gradients, divided by their "
        f"spread. In a step of {plural(config.batch_size, 'image')}, kernels also shrink by "
        f"{config.weight_decay:g} of the learning rate, and a gradient longer than 1 is cut to "
        f"length 1. The learning rate {rise} falls to 0 along half a cosine, over "
        f"{plural(config.epochs, 'epoch')} in all."
    )


def _average(config: Config) -> list[str]:
    if not config.average:
        return []
    return [
        f"What is validated and kept is a moving average of the weights (momentum "
        f"{config.average:g})."
    ]

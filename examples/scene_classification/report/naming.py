"""The names of the networks that a report speaks of, and why each was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from scene_classification.config import Config
from scene_classification.networks.which import REFERENCE, knows_photographs, network_of
from scene_classification.report.numbers import plural
from scene_classification.report.parts import Parts

#: What the reference network is.
SHIPPED = "trained on real photographs (the Intel scenes) and shipped with the example"
ABOUT_REFERENCE = f"{SHIPPED}; it is not this run’s network"
DRAWN_ALONE = (
    "This run’s network has seen only drawn scenes, so its answers say nothing about photographs"
)


class Named(NamedTuple):
    """A network as a report names it.

    Attributes:
        name: Its name, at the start of a sentence.
        about: What it is, as a part of a sentence; empty where that is not known.
        why: Why this network was asked, in whole sentences; empty where that needs no reason.
        own: Whether it is the one that the run trains or measures; None if that is not known.
    """

    name: str
    about: str = ""
    why: str = ""
    own: bool | None = True

    @property
    def within(self) -> str:
        """The name within a sentence."""
        return self.name[0].lower() + self.name[1:]


def run_network(parts: Parts) -> Named:
    """Name the network that the run trains or measures."""
    config = parts.config
    if config is None:
        return Named("This run’s network")
    if config.model == REFERENCE:
        return Named("The reference network", f"the network that this run measures, {SHIPPED}")
    return Named("This run’s network", f"{kind(config)}{_training(parts)}")


def kind(config: Config) -> str:
    """Say what kind of network a run has.

    Example:
        >>> kind(Config(size="tiny")), kind(Config(backbone="resnet50"))
        ('a tiny residual network', 'a fine-tuned resnet50')
    """
    if config.model is not None:
        return f"the saved classifier {Path(config.model).name}"
    if config.backbone is not None:
        return f"a fine-tuned {Path(config.backbone).stem}"
    teachers = " and ".join(Path(teacher).name for teacher in config.teachers)
    taught = f", taught by {teachers}" if teachers else ""
    return f"a {config.size} residual network{taught}"


def asked_network(parts: Parts, found: dict[str, Any]) -> Named:
    """Name the network that was asked about photographs, or that a server was given.

    Args:
        parts: The findings of the run.
        found: Those of the section, with the name of its `"network"`.
    """
    config, network = parts.config, found.get("network")
    if config is None or network is None:
        return _unrecorded(network)
    own = network == network_of(config)
    if network == REFERENCE and not own:
        why = _why_reference(config)
        return Named("The reference network", ABOUT_REFERENCE, why, own=False)
    if own:
        caution = "" if knows_photographs(config) else f"{DRAWN_ALONE}. It was asked all the same."
        return run_network(parts)._replace(why=caution)
    return _unrecorded(network)


def _why_reference(config: Config) -> str:
    if knows_photographs(config):
        return "It was chosen here in place of this run’s network."
    return f"{DRAWN_ALONE}."


def _unrecorded(network: str | None) -> Named:
    if network == REFERENCE:
        return Named("The reference network", ABOUT_REFERENCE, own=None)
    if network is None:
        return Named(
            "A network that was not recorded", why="Do this step again to name it.", own=None
        )
    return Named(f"Another network, {network}", "not the one of this run’s settings", own=None)


def _training(parts: Parts) -> str:
    if not trained(parts):
        return "" if parts.config is None or parts.config.model is not None else ", not trained yet"
    if parts.data is None or "training" not in parts.data["used"]:
        return ", trained in this run"
    images = plural(sum(parts.data["used"]["training"].values()), "image")
    return f", trained in this run on {images}"


def trained(parts: Parts) -> bool:
    """Return whether the run has trained its network, for an epoch at least."""
    return bool(parts.history) and (parts.config is None or parts.config.model is None)

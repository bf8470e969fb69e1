"""Which network a finding is of: the run's own, or the reference network."""

from __future__ import annotations

from pathlib import Path

from scene_classification.config import Config

#: The network that the run has trained.
OWN = "own"
#: The network in the repository, trained on real photographs.
REFERENCE = "reference"


def network_of(config: Config) -> str:
    """Name the network that a run trains or measures, as its JSON files do.

    Returns:
        `OWN`, `REFERENCE`, or the file name of a saved classifier.

    Example:
        >>> network_of(Config()), network_of(Config(model="models/scenes.keras"))
        ('own', 'scenes.keras')
    """
    if config.model is None or config.model == REFERENCE:
        return config.model or OWN
    name = Path(config.model).name
    return f"./{name}" if name in (OWN, REFERENCE) else name


def named(network: str) -> str:
    """Return what people call a network, from its name in a run's JSON files.

    Example:
        >>> named("own"), named("scenes.keras")
        ("this run's network", 'the saved classifier scenes.keras')
    """
    names = {OWN: "this run's network", REFERENCE: "the reference network"}
    return names.get(network, f"the saved classifier {network}")


def knows_photographs(config: Config) -> bool:
    """Return whether a run's network has been trained or measured on more than drawn scenes.

    A network that has seen only drawn scenes answers for a photograph too, but that answer
    says nothing about how well photographs can be classified or explained.

    Example:
        >>> knows_photographs(Config()), knows_photographs(Config(source="kaggle"))
        (False, True)
    """
    return config.model == REFERENCE or config.source != "drawn"


def network_for_photographs(config: Config) -> str:
    """Return which network is asked about photographs, as `network_of` names it.

    Example:
        >>> network_for_photographs(Config()), network_for_photographs(Config(source="kaggle"))
        ('reference', 'own')
    """
    return network_of(config) if knows_photographs(config) else REFERENCE

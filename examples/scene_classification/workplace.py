"""What the steps of one command share: settings, folder, scenes, network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras

from scene_classification.config import Config
from scene_classification.data.audit import Audit, audit
from scene_classification.data.folder import Scenes
from scene_classification.data.sources import open_scenes, scenes_to_make
from scene_classification.networks.reference import load_reference_model, reference_classes
from scene_classification.progress import Reporter
from scene_classification.run_folder import RunFolder
from scene_classification.training.lesson import learned_classes


@dataclass
class Workplace:
    """What the steps of one command share.

    Attributes:
        config: The settings of the run.
        run: Its folder.
        reporter: Shows progress.
        distribution: A `tf.distribute` strategy, or None.
    """

    config: Config
    run: RunFolder
    reporter: Reporter
    distribution: Any = None

    @cached_property
    def audited(self) -> tuple[Scenes, Audit]:
        """The scenes as they were found, and what is wrong with them."""
        with self.reporter.bar("scenes", scenes_to_make(self.config)) as progress:
            scenes = open_scenes(self.config, self.run, progress)
        with self.reporter.bar("checking", len(scenes)) as progress:
            return scenes, audit(scenes, progress=progress)

    @cached_property
    def scenes(self) -> Scenes:
        """The scenes that can be read and learned from."""
        scenes, found = self.audited
        return found.clean(scenes)

    @cached_property
    def network(self) -> keras.Model:
        """The network to measure: the run's own, or the one that its settings name."""
        if self.config.model == "reference":
            return load_reference_model()
        if self.config.model is not None:
            return keras.models.load_model(self.config.model, compile=False)
        if not self.run.model.exists():
            raise FileNotFoundError(
                f"no trained network in {str(self.run.root)!r}; run the train step first"
            )
        return keras.models.load_model(self.run.model, compile=False)

    def examine(self) -> tuple[keras.Model, Scenes]:
        """Return the network to measure and the scenes to measure it on; their classes agree."""
        network, scenes = self.network, self.scenes
        if self.config.model is None:
            known = learned_classes(self.run)
        elif self.config.model == "reference":
            known = reference_classes()
        elif network.output_shape[-1] == len(scenes.classes):
            known = scenes.classes  # a saved classifier does not say what its classes are called
        else:
            raise ValueError(
                f"model={self.config.model!r} has {network.output_shape[-1]} classes and the "
                f"scenes {len(scenes.classes)}"
            )
        if known != scenes.classes:
            raise ValueError(
                f"the network knows {list(known)} and the scenes are {list(scenes.classes)}; it "
                "can only be measured on its own classes"
            )
        return network, scenes

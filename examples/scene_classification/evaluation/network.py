"""What the network that is measured is made of: a table of its stages, and the two figures."""

from __future__ import annotations

import json
from typing import Any

import keras

from scene_classification.files import write_text
from scene_classification.networks.depth import depth_compared
from scene_classification.networks.description import stages_of
from scene_classification.pictures.depth_curves import draw_depth
from scene_classification.pictures.residual_block import draw_residual_blocks
from scene_classification.pictures.saving import save
from scene_classification.run_folder import RunFolder


def describe_network(model: keras.Model, run: RunFolder, network: str) -> dict[str, Any] | None:
    """Write `network.json` and the figures of a residual network into a run.

    Args:
        model: The network.
        run: Where to.
        network: Which it is, as `which.network_of` names it.

    Returns:
        The findings; None, and nothing written, if it is no network of `residual_network`.
    """
    stages = stages_of(model)
    if not stages:
        return None
    found = {
        "network": network,
        "image_size": model.input_shape[1],
        "parameters": model.count_params(),
        "averaged": any(layer.name.endswith("_projection_pool") for layer in model.layers),
        "stages": [stage._asdict() for stage in stages],
    }
    save(draw_residual_blocks(), run.pictures / "blocks.png")
    save(draw_depth(depth_compared()), run.pictures / "depth.png")
    write_text(run.root / "network.json", json.dumps(found, indent=2) + "\n")
    return found

"""Say what was exported: one JSON text, in the SavedModel's assets and answered by its server."""

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from .. import __version__, signatures
from ..pictures import FORMATS
from ..spelling import name_of
from .plan import Plan

#: Where it lies, below the version's folder.
PLACE = Path("assets", "manifest.json")


def write_manifest(plan: Plan, preprocess: str) -> str:
    """Write the manifest.

    Args:
        plan: What is exported.
        preprocess: The name of the preprocessing.

    Returns:
        JSON; no two are the same, so that the answers of two versions are told apart, though
        nothing but the weights may differ.
    """
    explainer, method = plan.explainer, plan.explainer.method
    content = {
        "export": uuid.uuid4().hex,
        "model": explainer.model.name,
        "method": method.name,
        "title": method.title,
        "of_pixels": method.of_pixels,
        "paper": method.citation and method.citation.url,
        "layer": explainer.layer,
        "layers": list(explainer.layers),
        "notes": [*explainer.programs.notes, *plan.program.notes],
        "target": name_of(explainer.programs.recipe.question.target),
        "options": {name: str(value) for name, value in explainer.programs.recipe.options.items()},
        "normalize": explainer.programs.recipe.normalize,
        "signed": explainer.keeps_sign,
        "scaled": explainer.scales,
        "class_names": explainer.class_names and list(explainer.class_names),
        "inputs": {
            spec.name: {"name": own, "shape": spec.shape.as_list(), "dtype": spec.dtype.name}
            for spec, own in zip(plan.tensors, plan.names, strict=True)
        },
        "sums_to_one": plan.program.sums_to_one,
        "heatmap": _ground(plan),
        "photographs": _photographs(plan, preprocess),
        "raw_maps": plan.raw_maps,
        "frozen": explainer.programs.freeze,
        "versions": {
            "kerascam": __version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _ground(plan: Plan) -> dict[str, Any]:
    """Say what the heatmaps lie on: an input, or none, and whether its channels come first."""
    place = plan.program.image_place
    return {
        "input": None if place is None else plan.tensors[place].name,
        "channels_first": plan.program.input_form.channel == 0,
        "channel_axis": plan.program.input_form.channel,
    }


def _photographs(plan: Plan, preprocess: str) -> dict[str, Any] | None:
    """Say what the `_bytes` signatures do with a file."""
    fitting = plan.fitting
    if fitting is None:
        return None
    look = plan.drawing.look
    return {
        "formats": list(FORMATS),
        "max_pixels": fitting.limits.pixels,
        "max_request_pixels": fitting.limits.request_pixels,
        "max_files": fitting.limits.files,
        "fit": "crop" if fitting.crop else "stretch",
        "resize": fitting.resize,
        "size": list(fitting.size),
        "channels": fitting.channels,
        "preprocess": preprocess,
        "overlay": {
            "style": look.style,
            "colormap": look.colormap,
            "alpha": look.opacity,
            "levels": list(look.contours) if look.style == "outline" else None,
            "side": plan.drawing.side,
        },
    }


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of an exported version."""
    return dict(json.loads((folder / PLACE).read_text(encoding="utf-8")))


def manifest_id(manifest: str) -> str:
    """Name a manifest by its content."""
    return hashlib.sha256(manifest.encode()).hexdigest()[: signatures.ID_LENGTH]

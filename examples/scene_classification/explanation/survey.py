"""All test images, surveyed: what the network looks at, class by class, and what may fool it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from kerascam import GradCAM, explain_dataset, study
from scene_classification.data.folder import Scenes
from scene_classification.files import write_text
from scene_classification.networks.which import OWN, named
from scene_classification.run_folder import RunFolder


def survey(
    model: keras.Model,
    scenes: Scenes,
    run: RunFolder,
    *,
    network: str = OWN,
    seed: int = 0,
    pairs: int = 24,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Explain every image in the folder of test images, and study what the network looks at there.

    Writes the folder `survey`, with the table and `survey.html`, and last `surveyed.json`. A survey
    of before is removed, as other images may have the names of its own; other files in its folder
    stay.

    Args:
        model: The trained classifier, with a fixed square input of RGB 0–255.
        scenes: The data set; the folder of its test images is surveyed as it is, also files that
            the check of the data left out.
        run: Where everything is kept.
        network: Its name in `surveyed.json` and on the page, as `networks.which.network_of`
            returns it.
        seed: The seed of clusters, and of the images that cues are tried on.
        pairs: How many images each cue is tried on: the more, the smaller the effects that are
            told apart from chance.
        progress: Called with how many images and classes are done since the last call.

    Returns:
        What `surveyed.json` holds: `"network"`, `"method"` (its title), `"images"`, `"unreadable"`,
        `"suspects"` (the sentence of each), `"notes"` and `"page"`, the page's path in the run.
    """
    folder = scenes.test.paths[0].parents[1]
    explainer = GradCAM(model, class_names=scenes.classes)
    _remove_survey(run.survey)
    made = explain_dataset(explainer, folder, run.survey, progress=_stepwise(progress))
    found = study(made, explainer, pairs=pairs, seed=seed, progress=_stepwise(progress))
    page = found.save(title=f"What {named(network)} looks at in {len(made):,} test images")
    record = {
        "network": network,
        "method": explainer.method.title,
        "images": len(made),
        "unreadable": len(made.failures()),
        "suspects": [each.sentence for each in found.suspects],
        "notes": list(found.notes),
        "page": page.relative_to(run.root).as_posix(),
    }
    write_text(run.root / "surveyed.json", json.dumps(record, indent=2) + "\n")
    return record


def _remove_survey(folder: Path) -> None:
    """Remove the table that `explain_dataset` wrote, if it did; the page is written over."""
    begun = folder / "survey.json"
    try:
        content = json.loads(begun.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if not isinstance(content, dict) or content.get("format") != "kerascam survey 1":
        return
    for path in (*folder.glob("shard-*.parquet"), folder / "manifest.json", begun):
        path.unlink(missing_ok=True)


def _stepwise(progress: Callable[[int], None] | None) -> Callable[[int, int], None] | bool:
    """Turn a function of what was just done into one of what is done so far."""
    if progress is None:
        return False
    before = 0

    def show(done: int, total: int) -> None:
        nonlocal before
        progress(done - before)
        before = done

    return show

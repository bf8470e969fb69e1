"""Measure every method on three networks: which one is to be believed?

    PYTHONPATH=examples python benchmarks/faithfulness.py drawn --run runs/drawn
    PYTHONPATH=examples python benchmarks/faithfulness.py photographs --photographs FOLDER
    PYTHONPATH=examples python benchmarks/faithfulness.py imagenet --photographs FOLDER --model FILE
    PYTHONPATH=examples python benchmarks/faithfulness.py page --write docs/guide/which_method.md

`drawn` takes the network and the scenes of a run of the example, `python -m scene_classification
train --run runs/drawn`; `photographs` the example's reference network, and a folder in the layout
of the Intel scenes; `imagenet` a saved classifier that takes RGB 0-255, with a softmax, and the
same photographs.

Images go through in parts, and each part is written as soon as it is measured: a run that was
stopped goes on with the next part. `page` writes what there is, whole runs or not, between the
markers of a page.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

OUT = Path("build/faithfulness")
STEPS = {"steps": 10}
FAITHFUL = {"insertion": STEPS, "deletion": STEPS, "symmetric_relevance_gain": STEPS}
IN_MASK = {"mass_in_mask": {}, "pointing_game": {}}
SANITY = {"mprt_cascading": {"stages": 2}, "random_logit": {}}
#: Fewer passes than by default, so that all methods fit into an hour or two.
OPTIONS: dict[str, dict[str, Any]] = {
    "smooth_grad_cam_plus_plus": {"samples": 10},
    "ss_cam": {"samples": 1},
    "is_cam": {"steps": 2},
    "smooth_grad": {"samples": 10},
    "smooth_grad_squared": {"samples": 10},
    "var_grad": {"samples": 10},
    "integrated_gradients": {"steps": 16},
    "guided_ig": {"steps": 16},
    "blur_ig": {"steps": 16},
    "xrai": {"steps": 16},
    "expected_gradients": {"samples": 16},
    "rise": {"samples": 200},
    "lime": {"samples": 200},
    "kernel_shap": {"samples": 200},
    "sobol_attribution": {"samples": 8, "cells": 5},
    "hsic_attribution": {"samples": 200, "cells": 5},
}
#: One pass or more for each feature of a layer: hundreds for each map, and four maps per image.
PER_FEATURE = ("ss_cam", "is_cam", "poly_cam", "score_cam")
#: What takes longest on a large network besides.
LONG = (
    "smooth_grad_cam_plus_plus", "shapley_cam", "guided_ig", "xrai", "rise", "lime", "kernel_shap",
    "sobol_attribution", "hsic_attribution", "smooth_grad_squared", "var_grad", "blur_ig",
    "expected_gradients", "faster_score_cam", "kpca_cam", "eigen_smoothed_grad_cam", "refine_cam",
)  # fmt: skip


class Subjects(NamedTuple):
    """What is measured in one run.

    Attributes:
        name: Of the run.
        words: What it is of.
        model: The network.
        images: As it takes them.
        classes: The class that each map explains; None for the predicted ones.
        masks: Where each image shows the evidence; None if nobody knows.
        part: How many images go through at once.
        skip: Methods that are left out.
        only: Those that are measured; all if there are none.
    """

    name: str
    words: str
    model: Any
    images: np.ndarray
    classes: np.ndarray | None
    masks: np.ndarray | None
    part: int
    skip: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


def drawn(arguments: argparse.Namespace) -> Subjects:
    """Take drawn scenes, whose evidence is known, and the network that was trained on them."""
    import keras

    from scene_classification.data.folder import read_folder
    from scene_classification.explanation.measurement import read_sample

    model = keras.saving.load_model(arguments.run / "model.keras")
    side = model.input_shape[1]
    scenes = read_folder(arguments.run / "data")
    sample = read_sample(scenes, side, arguments.images, np.random.default_rng(0))
    order = mixed(sample.labels)
    words = (
        f"{{images}} drawn scenes of {side}×{side} pixels with masks of the evidence, a small "
        "residual network that was trained on other drawn scenes; maps of the true class"
    )
    return Subjects(
        "drawn", words, model, sample.images[order], sample.labels[order], sample.masks[order], 18,
        PER_FEATURE[:2],
    )  # fmt: skip


def photographs(arguments: argparse.Namespace) -> Subjects:
    """Take photographs, and the example's reference network."""
    from scene_classification import load_reference_model

    model = load_reference_model()
    images = photographs_of(arguments, model.input_shape[1])
    words = (
        f"{{images}} test photographs of the Intel scenes at {images.shape[1]}×"
        f"{images.shape[2]} pixels, the example's reference network; maps of the predicted class"
    )
    return Subjects("photographs", words, model, images, None, None, 12, PER_FEATURE)


def imagenet(arguments: argparse.Namespace) -> Subjects:
    """Take photographs, and a classifier of ImageNet's classes."""
    import keras

    model = keras.saving.load_model(arguments.model)
    images = photographs_of(arguments, model.input_shape[1])
    words = (
        f"{{images}} test photographs of the Intel scenes, enlarged to {images.shape[1]}×"
        f"{images.shape[2]} pixels, `{arguments.model.stem}` ({model.count_params():,} weights, "
        f"{model.output_shape[-1]:,} classes); maps of the predicted class"
    )
    return Subjects("imagenet", words, model, images, None, None, 12, PER_FEATURE + LONG)


RUNS = {"drawn": drawn, "photographs": photographs, "imagenet": imagenet}


def photographs_of(arguments: argparse.Namespace, side: int) -> np.ndarray:
    """Draw test photographs, as many of each class."""
    from scene_classification.data.batches import decode_images
    from scene_classification.data.folder import read_folder

    test = read_folder(arguments.photographs).test
    generator, classes = np.random.default_rng(0), np.unique(test.labels)
    each = max(1, arguments.images // len(classes))
    chosen = np.concatenate(
        [generator.permutation(np.flatnonzero(test.labels == label))[:each] for label in classes]
    )
    split = test.take(chosen[mixed(test.labels[chosen])])
    return decode_images(split, side)


def mixed(labels: np.ndarray) -> np.ndarray:
    """Order images so that the classes take turns."""
    turn = [int((labels[:place] == label).sum()) for place, label in enumerate(labels)]
    return np.lexsort((labels, turn))


def explainers_of(subjects: Subjects) -> tuple[dict[str, Any], dict[str, str]]:
    """Make an explainer of each method, and say why one does not explain this network."""
    import kerascam
    from kerascam.registry import METHODS

    made, reasons = {}, {}
    for name in subjects.only or METHODS:
        if name in subjects.skip:
            reasons[name] = "left out of this run, for its time"
            continue
        explainer = getattr(kerascam, METHODS[name].public_name)(
            subjects.model, **OPTIONS.get(name, {})
        )
        classes = None if subjects.classes is None else subjects.classes[:1]
        try:
            explainer(subjects.images[:1], classes)
        except (ValueError, TypeError) as error:
            reasons[name] = str(error).splitlines()[0]
        else:
            made[name] = explainer
        print(f"{subjects.name}: {name} {reasons.get(name, 'ready')}", file=sys.stderr, flush=True)
    return made, reasons


def measure(subjects: Subjects, folder: Path) -> None:
    """Measure part by part, and write each."""
    from kerascam import evaluate

    folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(subjects.images), subjects.part)
    left = [start for start in starts if not (folder / f"part{start:04d}.npz").exists()]
    if not left:
        return
    metrics = {**FAITHFUL, **(IN_MASK if subjects.masks is not None else {}), "sparseness": {}}
    made, reasons = explainers_of(subjects)
    (folder / "about.json").write_text(json.dumps(
        {"words": subjects.words, "reasons": reasons}, indent=1, ensure_ascii=False
    ))  # fmt: skip
    for start in left:
        began, part = time.monotonic(), slice(start, start + subjects.part)
        found = evaluate(
            made,
            subjects.images[part],
            None if subjects.classes is None else subjects.classes[part],
            None if subjects.masks is None else subjects.masks[part],
            {**metrics, **SANITY},
            batch_size=subjects.part,
            progress=lambda done, steps: print(f"  {done} of {steps}", file=sys.stderr, flush=True),
        )
        write(found, folder / f"part{start:04d}.npz")
        minutes = (time.monotonic() - began) / 60
        print(f"{subjects.name}: {start + len(found)} images, {minutes:.1f} min", flush=True)


def write(found: Any, path: Path) -> None:
    """Write what an evaluation is made of, whole or not at all."""
    half = path.with_suffix(".half.npz")
    facts = {
        key: getattr(found, key)
        for key in ("methods", "baselines", "metrics", "titles", "options", "notes")
    }
    np.savez(
        half,
        figures=found.figures,
        reasons=found.reasons.astype(str),
        classes=found.classes,
        facts=json.dumps(facts, default=str),
    )
    half.replace(path)


def read(folder: Path) -> tuple[Any, dict[str, Any]]:
    """Put the parts of a run together."""
    about = json.loads((folder / "about.json").read_text())
    parts = [part_of(path) for path in sorted(folder.glob("part????.npz"))]
    whole = replace(
        parts[0],
        figures=np.concatenate([each.figures for each in parts], -1),
        reasons=np.concatenate([each.reasons for each in parts], -1),
        classes=np.concatenate([each.classes for each in parts]),
    )
    return whole, about


def part_of(path: Path) -> Any:
    """Read what `write` wrote."""
    from kerascam import Evaluation
    from kerascam.registry import METHODS

    with np.load(path) as kept:
        facts = json.loads(str(kept["facts"]))
        names = {key: tuple(facts[key]) for key in ("methods", "baselines", "metrics", "notes")}
        return Evaluation(
            figures=kept["figures"],
            reasons=kept["reasons"].astype(object),
            classes=kept["classes"],
            titles={
                **facts["titles"],
                **{name: METHODS[name].title for name in names["methods"]},
            },
            options=facts["options"],
            **names,
        )


def runs_in(out: Path, names: Sequence[str] = tuple(RUNS)) -> Iterator[tuple[str, Any, Any]]:
    """Go through the runs of which something is written."""
    for name in names:
        if any((out / name).glob("part????.npz")):
            yield (name, *read(out / name))


def main() -> None:
    """Measure, or write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=(*RUNS, "page"))
    parser.add_argument("--run", type=Path, default=Path("runs/drawn"), help="of the example")
    parser.add_argument("--photographs", type=Path, help="a folder in the layout of Intel's scenes")
    parser.add_argument("--model", type=Path, help="a saved classifier")
    parser.add_argument("--methods", nargs="+", default=[], help="some alone; else all")
    parser.add_argument("--images", type=int, default=36, help="over all classes")
    parser.add_argument("--out", type=Path, default=OUT, help="where the parts are written")
    parser.add_argument("--write", type=Path, help="the page that takes the tables")
    arguments = parser.parse_args()
    if arguments.what != "page":
        subjects = RUNS[arguments.what](arguments)._replace(only=tuple(arguments.methods))
        measure(subjects, arguments.out / arguments.what)
        return
    from faithfulness_page import page_of, put

    text = page_of(list(runs_in(arguments.out)))
    print(text)
    if arguments.write:
        put(arguments.write, text)


if __name__ == "__main__":
    main()

"""What each pure function gives for fixed inputs; `python -m tests.golden.arrays` writes the file.

The inputs are multiples of 1/8, small enough that every sum is exact in float32 in whatever order
it is taken: so the bits are the same on every machine. Functions that divide, take roots or draw
numbers round on the way; they are listed in `ROUNDED`, and compared to 2e-6 of the largest value.
"""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerascam import maps, targets
from kerascam.methods import eigen, guided, input_gradient, one_weight, path, pixelwise
from kerascam.model import grids

FILE = Path(__file__).with_name("arrays.npz")
GRIDS = {"signal": (8,), "picture": (4, 4), "volume": (2, 2, 4)}
METHODS = (
    one_weight.cam,
    one_weight.grad_cam,
    one_weight.grad_cam_plus_plus,
    one_weight.xgrad_cam,
    pixelwise.hires_cam,
    pixelwise.layer_cam,
    pixelwise.elementwise_grad_cam,
    eigen.eigen_cam,
    eigen.eigen_grad_cam,
    input_gradient.saliency,
    input_gradient.gradient_times_input,
    input_gradient.smooth_grad,
    path.integrated_gradients,
    guided.guided_backprop,
    guided.deconvnet,
    guided.guided_grad_cam,
)
ROUNDED = ("grad_cam_plus_plus", "xgrad_cam", "eigen_cam", "eigen_grad_cam", "smooth_grad", "fuse")

HEADS = {"none": (4, tf.identity), "softmax": (4, tf.nn.softmax), "sigmoid": (2, tf.sigmoid),
         "one unit": (1, tf.identity), "one sigmoid": (1, tf.sigmoid)}  # fmt: skip


def eighths(seed: int, *shape: int) -> np.ndarray:
    """Draw multiples of 1/8 from -2 to 2."""
    drawn = np.random.default_rng(seed).integers(-16, 17, shape)
    return (drawn / 8).astype(np.float32)


def gradient(images: Any) -> Any:
    """Differentiate the sum of x + x²/4: for one batch of images, or for copies of it."""
    return images / 2 + 1


def supplies(grid: tuple[int, ...]) -> dict[str, Any]:
    """Return what a method may be handed: three images, five features."""
    return {
        "activations": tf.constant(eighths(1, 3, *grid, 5)),
        "gradients": tf.constant(eighths(2, 3, *grid, 5)),
        "images": tf.constant(eighths(3, 3, *grid, 3)),
        "localization": tf.constant(np.abs(eighths(4, 3, *grid))),
        "gradient": gradient,
    }


def call(function: Callable[..., Any], supply: dict[str, Any]) -> Any:
    """Hand a function what its parameters are named; the others keep their defaults."""
    named = inspect.signature(function).parameters
    options = {"samples": 4, "steps": 4}
    given = {**supply, **options}
    return function(**{name: given[name] for name in named if name in given})


def in_graph(target: Callable[..., Any], outputs: Any, classes: Any) -> Any:
    """Score as a model's outputs are scored: while a graph is traced."""
    return tf.function(target, autograph=False)(outputs, classes)


def made() -> Iterator[tuple[str, Any]]:
    """Yield the name and the array of every function."""
    yield from of_maps()
    yield from of_targets()
    yield from of_grids()


def of_maps() -> Iterator[tuple[str, Any]]:
    """Yield what methods draw, and what is done to maps, on every grid."""
    for kind, grid in GRIDS.items():
        supply = supplies(grid)
        for function in METHODS:
            yield f"{function.__name__}/{kind}", call(function, supply)
        raw = pixelwise.hires_cam(supply["activations"], supply["gradients"])
        for how in ("max", "minmax", "signed", "none"):
            yield f"normalize {how}/{kind}", maps.normalize(raw, how)
        yield f"resize/{kind}", maps.resize(raw, [2 * length for length in grid])
        yield f"mean/{kind}", maps.mean([raw, raw / 2], [1, 1])
        lifted = [maps.normalize(raw), maps.normalize(-raw)]
        yield f"fuse/{kind}", pixelwise.fuse_layer_cam(lifted, [16, 4])
        yield (
            f"statuses/{kind}",
            maps.status(raw, supply["activations"], supply["gradients"]),
        )


def of_targets() -> Iterator[tuple[str, Any]]:
    """Yield the scores of every target, and their gradients by the logits of every kind of head."""
    outputs, classes = tf.constant(eighths(5, 3, 4)), tf.constant([0, 3, 1])
    probabilities = tf.constant(np.float32([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]))
    two = tf.constant([2, 0])
    for name, target in {
        "logit": targets.logit,
        "contrast": targets.contrast(2),
        "counterfactual": targets.counterfactual(),
    }.items():
        yield f"target {name}", in_graph(target, outputs, classes)
    yield "target probability", in_graph(targets.probability, probabilities, two)
    mask = eighths(7, 4, 4) > 0
    for head, (units, ending) in HEADS.items():
        for kind, grid in {"batch": (), "picture": (4, 4)}.items():
            logits = tf.constant(eighths(6, 3, *grid, units))
            chosen = tf.constant([0, units - 1, 1])
            for name, target in {
                "logit": targets.logit,
                "value": targets.value,
                "binary": targets.binary,
                "contrast of each": targets.contrast([int(head != "one unit"), 0, 0], weight=0.5),
                **({"region": targets.region_mean(mask)} if grid else {}),
                **({"regions": targets.region_mean(np.stack([mask, ~mask, mask]))} if grid else {}),
            }.items():
                if name == "value" and head != "none":  # a softmax and a sigmoid round
                    continue
                score, slope = differentiated(target, ending)(logits, chosen)
                yield f"target {name}/{head} {kind}", score
                yield f"slope {name}/{head} {kind}", slope


def differentiated(target: Callable[..., Any], ending: Callable[..., Any]) -> Callable[..., Any]:
    """Score the outputs that `ending` makes of logits, and differentiate the scores by these."""

    def score(logits: Any, classes: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            found = target(ending(logits), classes)
        return found, tape.gradient(found, logits)

    return tf.function(score, autograph=False)


def of_grids() -> Iterator[tuple[str, Any]]:
    """Yield layers' outputs in one form."""
    features = tf.constant(eighths(8, 3, 17, 5))
    yield "channels last", grids.channels_last(features, True)
    yield "channels first", grids.channels_last(features, False)
    yield "tokens", grids.to_grid(features, (32, 32), None)
    yield "tokens on a given grid", grids.to_grid(features, (32, 32), (2, 8))


def arrays() -> dict[str, np.ndarray]:
    """Compute all arrays."""
    return {name: np.asarray(value) for name, value in made()}


if __name__ == "__main__":
    np.savez_compressed(FILE, **arrays())
    print(f"{FILE}: {len(arrays())} arrays")

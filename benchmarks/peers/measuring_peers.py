"""How each library with metrics is asked for them: maps are given, the model is what takes time.

All take the same model with a softmax, the same random images and maps, and hide pixels by zero in
deletion and insertion.
"""

from collections.abc import Callable
from typing import Any

from .cases import AT_A_TIME, CURVE_STEPS, ROAD_IMAGES, SIZE
from .keras_peers import images as images
from .keras_peers import layer_of as layer_of
from .keras_peers import prepare as prepare

Ask = Callable[[Any], Any]
WARM_UPS = 0  # a call takes a minute: `asks` makes one on two images where it compiles


def make(name: str) -> Any:
    """Make a model with random weights that gives probabilities."""
    import keras

    keras.utils.set_random_seed(0)
    return getattr(keras.applications, name)(weights=None)


def asks(peer: str, model: Any, layer: str, method: str) -> Ask:
    """Return the call that measures a batch; KeyError if the library lacks the metric."""
    del layer
    if "," in method and not peer.startswith("kerascam"):
        raise KeyError(method)  # a row for kerascam's memory
    ask = {"kerascam": _kerascam, "quantus": _quantus, "xplique": _xplique}[peer.split()[0]](
        model, *metric_of(method)
    )
    if not peer.startswith("quantus"):  # these two compile
        ask(images(2, SIZE))
    return ask


def metric_of(method: str) -> tuple[str, int]:
    """Split a row's name into the metric and the steps."""
    metric, _, steps = method.partition(", ")
    return metric, int(steps.split()[0]) if steps else CURVE_STEPS


def maps_of(images: Any) -> Any:
    """Draw a smooth map of each image, as a class activation map is."""
    import cv2
    import numpy as np

    coarse = np.random.default_rng(1).random((len(images), 7, 7)).astype("float32")
    return np.stack([cv2.resize(each, images.shape[1:3]) for each in coarse])


def shares(steps: int) -> list[float]:
    """Spread percentages over 0 to 100, without either."""
    return [100 * (step + 1) / (steps + 1) for step in range(steps)]


def _classes(images: Any) -> Any:
    import numpy as np

    return np.arange(len(images)) % 1000


def _kerascam(model: Any, metric: str, steps: int) -> Ask:
    import numpy as np

    from kerascam import GradCAM, metrics

    explainer = GradCAM(model)
    function, options = {
        "Deletion": (metrics.deletion, {"steps": steps, "baseline": 0.0}),
        "Insertion": (metrics.insertion, {"steps": steps, "baseline": 0.0}),
        "ROAD": (metrics.road_most_first, {"percentages": shares(steps)}),
    }[metric]

    def part(images: Any, maps: Any, classes: Any) -> Any:
        def probability(copies: Any) -> Any:
            flat = copies.reshape(-1, *images.shape[1:])
            found = explainer.probabilities(flat, np.tile(classes, len(copies)))
            return np.asarray(found).reshape(copies.shape[:2])

        return function(probability, images, maps, **options)

    def ask(images: Any) -> Any:
        all_of_them = images, maps_of(images), _classes(images)
        return np.concatenate([
            part(*(each[start : start + AT_A_TIME] for each in all_of_them))
            for start in range(0, len(images), AT_A_TIME)
        ])  # fmt: skip

    return ask


def _quantus(model: Any, metric: str, steps: int) -> Ask:
    import numpy as np
    import quantus
    from quantus.functions.perturb_func import noisy_linear_imputation

    def of_pixels(arr: Any, indices: Any, **options: Any) -> Any:
        # Its places are those of a map repeated for each colour: three times as many percent.
        return noisy_linear_imputation(arr, np.unique(indices % arr[0].size), **options)

    def ask(images: Any) -> Any:
        if metric == "ROAD":
            if len(images) > ROAD_IMAGES:
                raise ValueError(f"would take hours: measured on {ROAD_IMAGES} image")
            made = quantus.ROAD(
                percentages=[3 * share for share in shares(steps)],
                perturb_func=of_pixels,
                disable_warnings=True,
            )
        else:
            # What is hidden in a step must divide the pixels: 48 steps, of values of channels.
            made = quantus.PixelFlipping(
                features_in_step=224 * 224 // 16, perturb_baseline=0.0, disable_warnings=True
            )  # fmt: skip
        return made(
            model=model, x_batch=images, y_batch=_classes(images), a_batch=maps_of(images)[:, None],
            channel_first=False, softmax=True,
        )  # fmt: skip

    if metric == "Insertion":
        raise KeyError(metric)
    return ask


def _xplique(model: Any, metric: str, steps: int) -> Ask:
    import numpy as np
    from xplique import metrics

    kind = {"Deletion": metrics.Deletion, "Insertion": metrics.Insertion}[metric]

    def ask(images: Any) -> Any:
        targets = np.eye(1000, dtype="float32")[_classes(images)]
        return kind(model, images, targets, steps=steps, baseline_mode=0.0)(maps_of(images))

    return ask

"""What mypy says of the constructors of methods: read by `mypy`, never run.

Each `type: ignore` is an error that mypy must find; one that it does not find is itself an error.
"""

import keras

from kerascam import RISE, GradCAM, GuidedGradCAM, IntegratedGradients, Saliency


def good(model: keras.Model) -> None:
    GradCAM(model, "last", normalize="signed", class_names=["a", "b"], freeze=True)
    GuidedGradCAM(model, localizer="layer_cam", place="effective", grid=(7, 7))
    Saliency(model, layer="embedding", axes="bhwc")
    IntegratedGradients(model, steps=32, output=0)
    RISE(model, samples=100, normalize=None)


def mistaken(model: keras.Model) -> None:
    GradCAM(model, normalise="max")  # type: ignore[call-arg]
    GradCAM(model, normalize="maximum")  # type: ignore[arg-type]
    GuidedGradCAM(model, localizer=3)  # type: ignore[arg-type]
    GuidedGradCAM(model, freeze="yes")  # type: ignore[arg-type]
    IntegratedGradients(model, step=3)  # type: ignore[call-arg]
    RISE(model, call_index=1)  # type: ignore[call-arg]

"""Convergence figures beside captum's, on the same weights; where captum is installed."""

import keras
import numpy as np
import pytest
from keras import layers

from kerascam import IntegratedGradients

torch = pytest.importorskip("torch")
attr = pytest.importorskip("captum.attr")

IMAGES = np.random.default_rng(0).normal(size=(4, 9, 8, 3)).astype("float32")
CLASSES = np.array([0, 2, 1, 1])


def both() -> tuple[keras.Model, "torch.nn.Module"]:
    """One small network twice, with the same weights."""
    keras.utils.set_random_seed(0)
    convolution = layers.Conv2D(6, 3, activation="tanh", bias_initializer="random_normal")
    dense = layers.Dense(3, bias_initializer="random_normal")
    model = keras.Sequential(
        [keras.Input((9, 8, 3)), convolution, layers.GlobalAveragePooling2D(), dense]
    )

    class Pooled(torch.nn.Module):
        def forward(self, x: "torch.Tensor") -> "torch.Tensor":
            return x.mean((2, 3))

    twin = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 3), torch.nn.Tanh(), Pooled(), torch.nn.Linear(6, 3)
    )
    weights = [np.asarray(each) for each in model.get_weights()]
    for own, value in zip(
        twin.parameters(),
        (weights[0].transpose(3, 2, 0, 1), weights[1], weights[2].T, weights[3]),
        strict=True,
    ):
        own.data = torch.tensor(np.ascontiguousarray(value))
    return model, twin


@pytest.mark.parametrize("steps", [2, 16])
def test_the_residual_is_captums_convergence_delta_with_the_other_sign(steps: int) -> None:
    model, twin = both()
    found = IntegratedGradients(model, steps=steps, normalize="none")(IMAGES, CLASSES)
    maps, delta = attr.IntegratedGradients(twin).attribute(
        torch.tensor(IMAGES.transpose(0, 3, 1, 2)),
        target=torch.tensor(CLASSES),
        n_steps=steps,
        method="riemann_middle",
        return_convergence_delta=True,
    )
    np.testing.assert_allclose(found.maps, maps.detach().numpy().sum(1), atol=1e-5)
    np.testing.assert_allclose(found.residual, -delta.numpy(), atol=1e-5)
    # What it is: the error of the integral, which more steps lower.
    assert np.abs(found.residual).max() < (1e-1 if steps == 2 else 3e-3)

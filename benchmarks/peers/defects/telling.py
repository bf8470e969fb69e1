"""How each script tells what it found."""

import os
import warnings
from importlib.metadata import version
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
warnings.simplefilter("ignore")


def tell(package: str, asked: str, gives: Any, right: Any, *, shown: bool) -> None:
    """Print it.

    Args:
        package: The library's name on the package index.
        asked: What it was asked for.
        gives: What it gives.
        right: What is right, and why.
        shown: Whether what it gives is wrong.

    Raises:
        SystemExit: With 1 if it is not.
    """
    print(f"{package} {version(package)}: {asked}\n  gives: {gives}\n  right: {right}")
    if not shown:
        print("  this version gives what is right")
        raise SystemExit(1)


def constant_classifier(classes: int = 2, side: int = 8) -> Any:
    """Make a Keras model that always answers with class 0, whatever it is shown."""
    import keras
    from keras import layers

    model = keras.Sequential(
        [keras.Input((side, side, 1)), layers.Flatten(), layers.Dense(classes, "softmax")]
    )
    kernel, bias = (0 * each for each in model.get_weights())
    bias[0] = 3
    model.set_weights([kernel, bias])
    return model

"""What holds for every test: quiet libraries, the same random numbers, the same examples."""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Read when TensorFlow, Keras and Matplotlib are imported, here and in subprocesses.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["MPLBACKEND"] = "Agg"

# The first call of a traced function takes seconds and the next ones milliseconds, so no deadline;
# the same examples on every run, so that a failure is always the change's own.
settings.register_profile(
    "kerascam",
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("kerascam")


@pytest.fixture(autouse=True)
def random_seed() -> None:
    """Weights and inputs drawn at random are the same on every run, in whatever order tests run."""
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    """Matplotlib keeps every figure until it is told to let go, and warns at the twentieth."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(autouse=True)
def own_files_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An older Keras, whose guards have holes, may load the files that tests wrote themselves."""
    import keras

    if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 12):
        monkeypatch.setattr("kerascam.cli.trust.GUARDED_SINCE", (3, 6, 0))


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Let wrong types through the checks of a test run, to the message that a user gets."""
    import jaxtyping

    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)

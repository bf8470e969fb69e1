"""What holds for every test: quiet libraries, the same random numbers, the same examples."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import proofs
import pytest
from hypothesis import HealthCheck, settings

# Read when TensorFlow, Keras and Matplotlib are imported, here and in subprocesses.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["MPLBACKEND"] = "Agg"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proofs", action="store_true", help="test whole matrices, not a few rows")


def pytest_configure(config: pytest.Config) -> None:
    """Say how wide the tests look, before any of them is imported."""
    config.addinivalue_line("markers", "proof: takes long, and runs with --proofs alone")
    proofs.ALL = config.getoption("proofs")
    # The first call of a traced function takes seconds and the next ones milliseconds, so no
    # deadline; the same examples on every run, so that a failure is always the change's own.
    settings.register_profile(
        "kerascam",
        deadline=None,
        derandomize=True,
        max_examples=proofs.wide(10, 100),
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("kerascam")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not proofs.ALL:
        left_out = [item for item in items if item.get_closest_marker("proof")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    items.sort(key=lambda item: item.path.name not in FIRST)
    for item in items:
        if " at 0x" in item.name:  # another process would give the test another name
            raise pytest.UsageError(f"the name of a test holds an address: {item.nodeid}")


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over all that was imported: it takes a second each time.

    Graphs are full of cycles, so a run of these tests is collected often.
    """
    gc.collect()
    gc.freeze()


# Files that take minutes: they are dealt out first, so that no worker is left alone with one.
FIRST = ("test_docs_pages.py", "test_commands.py", "test_training.py", "test_saved_model.py")
# Files whose tests share an expensive fixture of a session: one worker gets them all.
TOGETHER = {"tests/examples/test_deploying.py": "tests/examples/test_commands.py"}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal out whole files, as `--dist loadfile` does, and some files together."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return TOGETHER.get(file, file)

    config.option.loadscopereorder = False  # by the number of tests
    return Together(config, log)


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
        monkeypatch.setattr("kerascam.cli.models.GUARDED_SINCE", (3, 6, 0))


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Let wrong types through the checks of a test run, to the message that a user gets."""
    import jaxtyping

    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def classifier_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a small classifier, which nobody changes."""
    import keras

    keras.utils.set_random_seed(1)
    path = tmp_path_factory.mktemp("classifier") / "small.keras"
    keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3, activation="relu", name="last"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, "softmax"),
        ]
    ).save(path)
    return str(path)


@pytest.fixture(scope="session")
def one_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model with one version, for servers that only read it."""
    from served_model import export, small_model

    base = tmp_path_factory.mktemp("served")
    export(small_model(1), base / "1")
    return base


@pytest.fixture
def register() -> Iterator[Callable[[Any], str]]:
    """Register a method for the length of a test; returns its name."""
    from kerascam.registry import METHODS  # environment first

    names: list[str] = []

    def add(function: Any) -> str:
        METHODS.register(title=function.__name__, class_name=function.__name__, citation=None)(
            function
        )
        names.append(function.__name__)
        return names[-1]

    len(METHODS)  # the library's own come first
    yield add
    for name in names:
        del METHODS._entries[name]

"""What tests of the example share: one whole run, with each step's files, and an export."""

import pytest

SMALL = [
    "--drawn-train=12",
    "--drawn-test=4",
    "--image-size=32",
    "--size=tiny",
    "--epochs=1",
    "--batch-size=16",
]


@pytest.fixture(scope="session", autouse=True)
def coarse_pictures():
    """Figures of a sixth of the pixels: encoding them takes longer than drawing them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scene_classification.pictures.saving.RESOLUTION", 60)
        yield


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory):
    """The folder of a run; tests that use it leave it as it was, or make the same again."""
    from scene_classification.cli import main

    folder = tmp_path_factory.mktemp("runs") / "small"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scene_classification.explanation.measurement.RESAMPLES", 200)
        assert main(["run", "--run", str(folder), *SMALL]) == 0
    return folder

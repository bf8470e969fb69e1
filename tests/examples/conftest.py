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


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory):
    """The folder of a run; tests that use it leave it as it was, or make the same again."""
    from scene_classification.cli import main

    folder = tmp_path_factory.mktemp("runs") / "small"
    assert main(["run", "--run", str(folder), *SMALL]) == 0
    return folder
